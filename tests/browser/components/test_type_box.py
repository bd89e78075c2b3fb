"""The text field in a real browser: it sends while one types, and loses no letter."""

from __future__ import annotations

import re

from tests.browser.components.kit import until

PLOTS = 0  # none are looked at here


def typed(page) -> str:
    return re.findall(r"typed='(.*)' times", page.locator("text=/^typed=/").inner_text())[0]


def times(page) -> int:
    return int(page.locator("text=/^typed=/").inner_text().rpartition("=")[2])


def test_typing_arrives_without_enter_and_a_sample_takes_its_place(page):
    field = page.get_by_role("textbox", name="Your text")
    field.scroll_into_view_if_needed()
    assert field.input_value() == "first"
    before = times(page)
    field.fill("")
    field.press_sequentially("hello world", delay=40)
    until(page, lambda: typed(page) == "hello world")
    assert field.input_value() == "hello world"
    assert times(page) - before < 11, "not a rerun for every letter"
    assert page.locator(".dl-ct-text span").count() == 11
    page.get_by_role("button", name="A sample").click()
    until(page, lambda: typed(page) == "a sample" and field.input_value() == "a sample")
    field.press_sequentially("!")
    until(page, lambda: typed(page) == "a sample!")


def test_it_is_bounded_by_characters_and_keeps_line_breaks_out(page):
    field = page.get_by_role("textbox", name="Your text")
    field.scroll_into_view_if_needed()
    field.fill("😀" * 30 + "\nend")
    until(page, lambda: typed(page) == "😀" * 20)
    assert page.locator(".dl-type-count").inner_text() == "20 of 20 characters"
    field.fill("a\nb")
    until(page, lambda: typed(page) == "a b")


def test_a_word_that_is_being_composed_is_not_sent(page):
    field = page.get_by_role("textbox", name="Your text")
    field.scroll_into_view_if_needed()
    field.fill("")
    until(page, lambda: typed(page) == "")
    client = page.context.new_cdp_session(page)
    field.focus()
    client.send("Input.imeSetComposition", {"text": "nihao", "selectionStart": 5, "selectionEnd": 5})
    page.wait_for_timeout(900)
    assert typed(page) == ""
    client.send("Input.insertText", {"text": "你好"})
    until(page, lambda: typed(page) == "你好")
