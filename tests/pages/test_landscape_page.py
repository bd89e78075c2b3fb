"""The landscape's page as a reader drives it, short of the browser: a link, a run, both planes, what it says."""

import pytest

from tests.pages.visit import opened, said, trained

FAST = {"depth": "4", "width": "8", "epochs": "2", "train_size": "200", "batch_size": "50", "points": "9",
        "images": "50", "threads": "1"}  # fmt: skip


@pytest.mark.parametrize(("lang", "words"), [("en", "First both networks are trained"), ("zh", "先训练两个网络")])
def test_opens_and_says_what_will_happen(lang, words):
    at = opened("landscape", lang=lang)
    assert not at.exception
    assert words in said(at)


def test_a_run_is_told_in_its_own_numbers(jobs):
    at = opened("landscape", **FAST)
    trained(at, "the whole run is a dot")
    at.segmented_control(key="landscape.shown.plane").set_value("along").run()
    assert "their shadow on the map has" in said(at)
    at.segmented_control(key="landscape.shown.way").set_value("solid").run()
    assert not at.exception
