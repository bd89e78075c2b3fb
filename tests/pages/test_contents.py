"""A long page names its parts beside the question; each link leads to a heading, in either language."""

from __future__ import annotations

import re

import pytest

from tests.pages.visit import opened
from ui.i18n import LANGUAGES

LINK = re.compile(r'<a href="#([\w-]+)">([^<]+)</a>')


@pytest.mark.parametrize("slug", ["cnn", "convolution"])
def test_every_part_that_is_named_is_there(jobs, slug):
    anchors = {}
    for code in LANGUAGES:
        at = opened(slug, lang=code)
        assert not at.exception
        links = next(LINK.findall(e.proto.body) for e in at.get("html") if "dl-contents" in e.proto.body)
        headings = {heading.proto.anchor: heading.value for heading in [*at.header, *at.subheader]}
        assert len(links) > 5
        for anchor, words in links:
            assert headings.get(anchor) == words
        anchors[code] = [anchor for anchor, _words in links]
    assert anchors["en"] == anchors["zh"], "a link that is shared works in the other language, too"
