"""A link is all there is: a cold server, a lesson's address with settings in Chinese, the language switch, a reload."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.waiting import until

pytestmark = pytest.mark.browser
QUESTION = {"en": "How big may a step be?", "zh": "一步可以迈多大？"}


def patient():
    """Playwright's ``expect``, with the time that a busy machine may need."""
    from playwright.sync_api import expect

    expect.set_options(timeout=60_000)
    return expect


def query(page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(address(page).query).items()}


def address(page):
    """The address line, asked of the browser: ``page.url`` is brought up to date by other calls only."""
    return urlsplit(page.evaluate("location.href"))


def heading(page):
    return page.locator("h1")


def test_cold_deep_link_in_chinese(fresh_server, page):
    """The very first request to a new server is a lesson's address: shell, language and settings are all there."""
    expect = patient()

    page.goto(f"{fresh_server.url}/linear_regression?lang=zh&seed=7&steps=33")
    expect(heading(page)).to_have_text(QUESTION["zh"])
    assert page.evaluate("document.title").startswith("线性回归")
    expect(page.get_by_role("slider", name="步数")).to_have_attribute("aria-valuenow", "33")
    until(lambda: query(page) == {"lang": "zh", "seed": "7", "steps": "33"})
    assert address(page).path == "/linear_regression"


def test_language_switch_keeps_page_and_settings_and_survives_a_reload(server, page):
    expect = patient()

    page.goto(f"{server.url}/linear_regression?seed=7")
    expect(heading(page)).to_have_text(QUESTION["en"])
    page.get_by_role("radio", name="中文").or_(page.get_by_role("button", name="中文")).first.click()
    expect(heading(page)).to_have_text(QUESTION["zh"])
    until(lambda: query(page) == {"lang": "zh", "seed": "7"})
    assert address(page).path == "/linear_regression"
    page.reload()
    expect(heading(page)).to_have_text(QUESTION["zh"])
    until(lambda: query(page) == {"lang": "zh", "seed": "7"})


def test_changing_a_setting_changes_the_address_without_filling_the_history(server, page):
    expect = patient()

    page.goto(f"{server.url}/?lang=en")
    expect(heading(page)).to_be_visible()
    page.goto(f"{server.url}/linear_regression?lang=en")
    expect(heading(page)).to_have_text(QUESTION["en"])
    slider = page.get_by_role("slider").first
    slider.focus()
    before = page.evaluate("history.length")
    for _press in range(5):
        slider.press("ArrowRight")
    until(lambda: len(query(page)) == 2)
    page.wait_for_timeout(1500)  # the last of the five
    assert page.evaluate("history.length") == before
    changed = query(page)
    page.reload()
    expect(heading(page)).to_have_text(QUESTION["en"])
    page.wait_for_timeout(1500)
    assert query(page) == changed


def test_going_home_and_back_keeps_settings_and_language(server, page):
    expect = patient()

    page.goto(f"{server.url}/linear_regression?lang=zh&seed=7")
    expect(heading(page)).to_have_text(QUESTION["zh"])
    page.get_by_role("link", name="首页").first.click()
    expect(heading(page)).not_to_have_text(QUESTION["zh"])
    until(lambda: address(page).path == "/" and query(page) == {"lang": "zh"})
    page.go_back()
    expect(heading(page)).to_have_text(QUESTION["zh"])
    until(lambda: query(page) == {"lang": "zh", "seed": "7"})


def test_the_browsers_language_is_the_first_guess(server, chromium):
    expect = patient()

    context = chromium.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(f"{server.url}/linear_regression")
    expect(heading(page)).to_have_text(QUESTION["zh"], timeout=30_000)
    context.close()


def test_a_request_to_elsewhere_is_noticed_and_goes_nowhere(page, faults):
    """So every test that opens a page shows that it loads nothing from elsewhere."""
    with page.expect_console_message(lambda line: line.type == "error"):
        assert page.evaluate("fetch('https://example.com/').catch(() => 'nothing')") == "nothing"
    assert "request to elsewhere: https://example.com/" in faults
    faults.clear()


def test_an_address_that_does_not_exist_is_answered_kindly(server, page):
    expect = patient()

    page.goto(f"{server.url}/alchemy?lang=en")
    expect(page.locator("body")).to_contain_text("alchemy")
    expect(heading(page).first).to_be_visible()
