"""Does a sentence praise or complain? Film reviews in English, meal deliveries in Chinese; without those, a grammar's.

The files: sentences of film reviews (Pang and Lee 2005), half of each kind; and reviews of meal deliveries, two thirds
of which complain.
"""

from __future__ import annotations

import csv
import io
from functools import lru_cache
from pathlib import Path

from dlcore.data import catalogue, opinion_grammar
from dlcore.data.labelled_texts import Texts, split
from dlcore.texts import N_

REAL = {"en": "rt_polarity", "zh": "waimai"}
BUILT_IN = {"en": "grammar", "zh": "grammar_zh"}
CLASSES = (N_("complains"), N_("praises"))


@lru_cache(maxsize=4)
def load(name: str) -> Texts:
    """The sentences of a name in ``REAL`` or ``BUILT_IN``. Raises ``Problem`` where the files are not here."""
    for language, known in BUILT_IN.items():
        if name == known:
            made = opinion_grammar.sentences(language)
            return split([text for text, _praises in made], [praises for _text, praises in made], CLASSES)
    lines = _meals() if name == "waimai" else _films()
    return split([text for text, _label in lines], [label for _text, label in lines], CLASSES)


def _films() -> list[tuple[str, int]]:
    """Sentence and class. A line ends with a line feed alone: the file has other signs that Python takes for an end."""
    found = []
    for label, ending in enumerate(("neg", "pos")):
        text = catalogue.content("rt_polarity", f"rt-polarity.{ending}").decode("latin-1")
        found += [(" ".join(line.split()), label) for line in text.split("\n") if line.strip()]
    return found


def _meals() -> list[tuple[str, int]]:
    """Review and class (1 praises) of the CSV file with columns label, review."""
    text = catalogue.content("waimai", "waimai_10k.csv").decode("utf-8-sig", "replace")
    try:
        rows = list(csv.DictReader(io.StringIO(text)))
        return [(row["review"].strip(), int(row["label"])) for row in rows if row["review"].strip()]
    except (KeyError, ValueError, AttributeError, csv.Error) as error:  # another table
        raise catalogue.broken(Path("waimai_10k.csv"), error) from None
