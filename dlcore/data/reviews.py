"""Does a sentence praise or complain? Film reviews in English, meal deliveries in Chinese; without those, a grammar's.

The files: sentences of film reviews (Pang and Lee 2005), half of each kind; and reviews of meal deliveries, two thirds
of which complain.
"""

from __future__ import annotations

import csv
import io
from functools import lru_cache

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
    folder = catalogue.locate(name)
    if folder is None:
        raise catalogue.missing(name)
    lines = _meals(folder / "waimai_10k.csv") if name == "waimai" else _films(folder)
    return split([text for text, _label in lines], [label for _text, label in lines], CLASSES)


def _films(folder) -> list[tuple[str, int]]:
    """Sentence and class. A line ends with a line feed alone: the file has other signs that Python takes for an end."""
    found = []
    for label, ending in enumerate(("neg", "pos")):
        text = (folder / f"rt-polarity.{ending}").read_bytes().decode("latin-1")
        found += [(" ".join(line.split()), label) for line in text.split("\n") if line.strip()]
    return found


def _meals(path) -> list[tuple[str, int]]:
    """Review and class (1 praises) of the CSV file with columns label, review."""
    rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
    return [(row["review"].strip(), int(row["label"])) for row in rows if row["review"].strip()]
