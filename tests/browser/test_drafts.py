"""What stays on a resident's phone: his draft until it has arrived, and nothing of what he was told is kept nowhere."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = pytest.mark.browser

ACCUSATION = "我要举报某局长收受红包"
DRAFT = "() => localStorage.getItem('fz-draft:report')"
EVERYTHING = "() => JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])"


def send(page: Any) -> None:
    page.locator("form[data-draft] button[type=submit]").last.click()


def screened(people: Any) -> Any:
    """Tell what is screened, one key at a time, and send it before the last letters were kept."""
    resident = people()
    resident.goto("/report/")
    text = resident.page.locator("textarea[name=text]")
    text.press_sequentially(ACCUSATION)
    resident.page.wait_for_function(DRAFT)
    text.press_sequentially("，有照片")
    send(resident.page)
    resident.page.wait_for_selector("a[href='tel:12388']")
    return resident


def test_what_is_screened_stays_on_its_page_alone(people: Any) -> None:
    resident = screened(people)
    page = resident.page

    assert "举报" not in page.evaluate(EVERYTHING)
    assert ACCUSATION in page.locator("textarea").input_value()

    resident.goto("/report/")
    assert page.locator("textarea[name=text]").input_value() == ""
    resident.check()


def test_back_in_the_form_a_draft_begins_with_what_is_typed_there(people: Any) -> None:
    resident = screened(people)
    page = resident.page
    page.click("button[name=back]")
    page.wait_for_url("**/report/")
    text = page.locator("form[data-draft] textarea[name=text]")
    assert ACCUSATION in text.input_value()

    page.locator("input[name=phone]").press_sequentially("13800000105")
    page.wait_for_function(DRAFT)
    assert "13800000105" in page.evaluate(DRAFT) and "举报" not in page.evaluate(EVERYTHING)

    text.fill("楼下路灯不亮")
    page.wait_for_function("() => localStorage.getItem('fz-draft:report').includes('路灯')")
    assert "举报" not in page.evaluate(EVERYTHING)
    page.reload()
    page.wait_for_selector("[data-draft-note]:not([hidden])")
    assert page.locator("input[name=phone]").input_value() == "13800000105"


def test_the_browsers_own_way_back_keeps_nothing_either(people: Any) -> None:
    resident = screened(people)
    page = resident.page

    page.go_back()
    page.wait_for_selector("form[data-draft]")
    page.locator("input[name=phone]").press_sequentially("13800000106")
    page.wait_for_function(DRAFT)

    assert "举报" not in page.evaluate(EVERYTHING)


def test_a_draft_outlives_the_page_until_the_telling_has_arrived(people: Any) -> None:
    resident = people()
    resident.goto("/report/")
    page = resident.page
    page.locator("textarea[name=text]").press_sequentially("海州区和平街道益民社区的路灯不亮了")
    # Left before the draft was written by itself.
    resident.goto("/find/")
    resident.goto("/report/")

    assert page.locator("textarea[name=text]").input_value() == "海州区和平街道益民社区的路灯不亮了"
    page.fill("input[name=phone]", "13800000107")
    page.fill("input[name=name]", "示例草")
    send(page)
    page.wait_for_selector("[aria-invalid=true]")
    assert "益民" in page.evaluate(DRAFT)
    page.locator("label.choice:has(input[name=consent])").click()
    send(page)
    page.wait_for_url(re.compile(r"/q/[0-9A-Z]+/receipt/"))
    assert page.evaluate(DRAFT) is None
