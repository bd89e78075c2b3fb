"""Which country is a name from? Family names of 18 countries; without that file: which language is a country's name in?

The file is the one of PyTorch's tutorial on recurrent networks. Half of its names are Russian, 19 of 20 of its Arabic
lines repeat others (2,000 lines, 108 names), and hundreds of spellings are at home in several countries.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from dlcore.data import catalogue
from dlcore.data.datasets import COUNTRIES
from dlcore.data.labelled_texts import Texts, split
from dlcore.texts import N_

REAL, BUILT_IN = "names", "territories"
HOMES = (  # in the order of the files
    N_("Arab world"), N_("China"), N_("Czechia"), N_("Netherlands"), N_("England"), N_("France"), N_("Germany"),
    N_("Greece"), N_("Ireland"), N_("Italy"), N_("Japan"), N_("Korea"), N_("Poland"), N_("Portugal"), N_("Russia"),
    N_("Scotland"), N_("Spain"), N_("Vietnam"),
)  # fmt: skip
LANGUAGES = {  # of the built-in data: all in Latin letters, or one letter would give them away
    "cs": N_("Czech"), "de": N_("German"), "en": N_("English"), "es": N_("Spanish"), "fi": N_("Finnish"),
    "fr": N_("French"), "hu": N_("Hungarian"), "it": N_("Italian"), "nl": N_("Dutch"), "pl": N_("Polish"),
    "tr": N_("Turkish"), "vi": N_("Vietnamese"),
}  # fmt: skip


@lru_cache(maxsize=2)
def load(name: str) -> Texts:
    """The names of ``REAL`` or ``BUILT_IN``. Raises ``Problem`` where the file is not here."""
    return _territories() if name == BUILT_IN else _family_names()


def _family_names() -> Texts:
    texts, labels = [], []
    for label, file in enumerate(COUNTRIES):
        for line in catalogue.content(REAL, file).decode("utf-8", "replace").splitlines():
            if name := unicodedata.normalize("NFC", line).strip():
                texts.append(name)
                labels.append(label)
    return split(texts, labels, HOMES)


def _territories() -> Texts:
    """Countries and regions as twelve languages call them (Unicode CLDR, by Babel), where one alone says it so."""
    from babel import Locale

    said: dict[str, set[str]] = {}  # in small letters → the languages that say it so
    for code in LANGUAGES:
        for place, name in Locale(code).territories.items():
            if len(place) == 2 or place.isdecimal():
                said.setdefault(unicodedata.normalize("NFC", name).casefold(), set()).add(code)
    codes = list(LANGUAGES)
    own = sorted((name, codes.index(next(iter(who)))) for name, who in said.items() if len(who) == 1)
    return split([name for name, _ in own], [label for _, label in own], tuple(LANGUAGES.values()))
