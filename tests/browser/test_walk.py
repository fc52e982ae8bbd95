"""The whole way in real browsers: a resident tells, an office works, a visitor asks, the resident rates."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = pytest.mark.browser


def tell(resident: Any, text: str, *, phone: str = "13800000101") -> str:
    """Tell something on the resident's page and return the address of its progress."""
    page = resident.page
    resident.goto("/report/")
    page.fill("textarea[name=text]", text)
    page.fill("input[name=phone]", phone)
    page.fill("input[name=name]", "示例行")
    # The box lies under its drawn label, as a finger would press it.
    page.locator("label.choice:has(input[name=consent])").click()
    page.locator("form[data-draft] button[type=submit]").last.click()
    page.wait_for_url(re.compile(r"/q/[0-9A-Z]+/receipt/"))
    return re.sub(r"receipt/$", "", page.url.removeprefix(resident.server.address))


def do(desk: Any, number: str, word: str, **typed: str) -> None:
    """Take a step at a desk by its form on the case page."""
    page = desk.page
    desk.goto(f"/desk/case/{number}/?do={word}")
    form = page.locator(f"form[data-keep={word}]")
    for name, value in typed.items():
        field = form.locator(f"[name={name}]")
        if field.first.get_attribute("type") == "radio":
            form.locator(f"label:has(input[name={name}][value={value}])").click()
        else:
            field.fill(value)
    form.locator("button[type=submit]").last.click()
    page.wait_for_load_state()
    assert f"done={word}" in page.url, page.url


def number_of(resident: Any, path: str) -> str:
    resident.goto(path + "receipt/")
    shown = resident.page.locator(".slip-number").first.inner_text()
    return re.sub(r"\s", "", shown)


def test_a_lamp_goes_from_the_resident_through_every_desk_and_back(people: Any) -> None:
    resident = people()
    path = tell(resident, "海州区和平街道益民社区的路灯不亮了")
    resident.picture("receipt", full=True)
    resident.check()
    number = number_of(resident, path)

    handler = people(1440, 900)
    handler.sign_in("210902-zjj.handler")
    handler.goto("/desk/")
    handler.check()
    do(handler, number, "sign")
    do(handler, number, "contact", how="phone", reached="yes", note="约好下午去看")
    handler.goto(f"/desk/case/{number}/?queue=working")
    handler.picture("inbox")
    handler.check()
    do(handler, number, "finish", result="更换灯头一个", reply="路灯已经修好，当晚就亮了。", true_account="yes")

    reviewer = people(1280, 800)
    reviewer.sign_in("210902-centre.reviewer")
    do(reviewer, number, "review")
    reviewer.picture("case")
    reviewer.check()

    resident.goto(path)
    resident.picture("progress", full=True)
    resident.check()
    page = resident.page
    page.locator("label:has(input[name=solved][value=no])").click()
    page.locator("label:has(input[name=satisfaction][value=not])").click()
    page.fill("[name=words]", "当晚亮了，第二天又灭了")
    page.locator("form:has(input[name=solved]) button[type=submit]").last.click()
    page.wait_for_load_state()
    resident.check()

    do(handler, number, "contact", how="in_person", reached="yes", note="到场")
    do(handler, number, "finish", result="换了整段线", reply="线路老化，整段换过了。", true_account="yes")
    do(reviewer, number, "review")
    visitor = people(1280, 800)
    visitor.sign_in("210902-centre.visitor1")
    visitor.goto("/desk/visits/")
    visitor.picture("visits")
    visitor.check()
    do(
        visitor, number, "visit",
        how="phone", contacted="yes", solved="yes", satisfaction="satisfied", account_true="yes", words="这回真好了",
    )  # fmt: skip

    resident.goto(path)
    assert "已办结" in page.inner_text("body")
    resident.goto(path + "verify/")
    resident.check()


def test_an_unclear_place_goes_to_a_dispatcher_who_decides(people: Any) -> None:
    resident = people()
    path = tell(resident, "新邱村的自来水发黄，水里有沙子", phone="13800000102")
    number = number_of(resident, path)

    dispatcher = people(1440, 900)
    dispatcher.sign_in("city-centre.dispatcher1")
    dispatcher.goto(f"/desk/dispatch/{number}/")
    dispatcher.page.wait_for_selector(".panes.dispatch > .list .row-open")
    dispatcher.picture("dispatch")
    dispatcher.check()


def test_the_line_and_the_button_follow_what_is_chosen_and_a_search_takes_it_along(people: Any) -> None:
    resident = people()
    number = number_of(resident, tell(resident, "新邱村的自来水发黄，水里有沙子", phone="13800000103"))
    dispatcher = people(320, 800)
    dispatcher.sign_in("city-centre.dispatcher1")
    dispatcher.goto(f"/desk/dispatch/{number}/?queue=at_desk")
    page = dispatcher.page
    offices = page.locator("#confirm input[name=office]")
    name = offices.nth(1).get_attribute("data-name")
    ordinary = page.inner_text("#consequence")

    page.locator(".offer").nth(1).click()
    page.locator("#confirm input[name=urgency][value=critical]").check()

    assert f"交办给{name}" in page.inner_text("[data-key=Enter]")
    assert name in page.inner_text("#consequence") and "15 分钟" in page.inner_text("#consequence")
    assert page.inner_text("#consequence") != ordinary
    dispatcher.check()

    page.fill("#find-kind", "路灯")
    page.locator("#pick-kind button").click()
    page.wait_for_url(re.compile("kind="))
    page.wait_for_function("document.activeElement.matches('#pick-kind a')")
    assert page.locator("#confirm input[name=urgency][value=critical]").is_checked()
    page.locator("#confirm input[name=urgency][value=urgent]").check()
    page.keyboard.press("Escape")
    page.locator("#pick-kind li a").first.click()
    page.wait_for_url(re.compile("category="))

    assert page.locator("#confirm input[name=urgency][value=urgent]").is_checked()
    assert page.locator(f"#confirm input[name=office][data-name='{name}']").is_checked()
    dispatcher.check()

    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"done={number}"))
    assert f"已交给{name}" in page.inner_text("#replies")
    dispatcher.check()


@pytest.mark.parametrize("path", ["/", "/report/", "/find/", "/about/", "/privacy/", "/design/"])
@pytest.mark.parametrize("width", [320, 1280])
def test_a_resident_page_is_whole_at_any_width(people: Any, path: str, width: int) -> None:
    resident = people(width, 800)

    answer = resident.goto(path)

    assert answer.status == 200
    resident.check()


@pytest.mark.parametrize("path", ["/", "/report/", "/find/"])
def test_a_resident_page_is_whole_in_large_type(people: Any, path: str) -> None:
    resident = people(320, 700)
    resident.context.add_cookies([{"name": "elder", "value": "1", "url": resident.server.address}])

    resident.goto(path)

    resident.check()


def test_pictures_of_the_residents_pages(people: Any) -> None:
    resident = people()
    resident.goto("/")
    resident.picture("resident-home")
    resident.goto("/report/")
    resident.picture("report", full=True)
    wide = people(1280, 900)
    wide.goto("/design/")
    # The chosen row of a sample, far below, draws the page to itself; the ribbon stands on the first screen.
    wide.page.evaluate("scrollTo(0, 0)")
    wide.picture("design")
    old = people()
    path = tell(old, "海州区和平街道光明社区的路灯不亮了", phone="13800000103")
    old.context.add_cookies([{"name": "elder", "value": "1", "url": old.server.address}])
    old.goto(path)
    old.picture("progress-elder", full=True)
    old.check()


def test_the_form_works_without_javascript(people: Any) -> None:
    resident = people(java_script_enabled=False)
    resident.troubles.clear()

    path = tell(resident, "海州区和平街道大众社区的路灯不亮了", phone="13800000104")

    assert path.startswith("/q/")


@pytest.mark.parametrize("width", [320, 1280])
def test_the_lines_of_the_foot_begin_at_one_edge(people: Any, width: int) -> None:
    resident = people(width, 800)
    resident.goto("/find/")

    edges = resident.page.evaluate(
        "[...document.querySelectorAll('.foot .urgent, .foot nav > :first-child:not(form), .foot .language button')].map((one) => {"
        " const words = document.createRange(); words.selectNodeContents(one); return words.getBoundingClientRect().left; })"
    )

    assert len(edges) == 3 and len(set(edges)) == 1


def test_a_wide_table_shows_that_it_goes_on_and_is_reached_by_keyboard(people: Any) -> None:
    desk = people(320, 700)
    desk.sign_in("city-centre.analyst")
    desk.goto("/desk/figures/")
    frame = desk.page.get_by_role("region", name="各地")

    frame.focus()
    desk.page.keyboard.press("ArrowRight")

    assert "linear-gradient" in frame.evaluate("(one) => getComputedStyle(one).backgroundImage")
    assert frame.evaluate("(one) => document.activeElement === one && one.scrollWidth > one.clientWidth")


DESKS = {
    "210902-zjj.handler": ("/desk/",),
    "city-centre.dispatcher1": ("/desk/",),
    "210902-centre.supervisor": ("/desk/",),
    "city-centre.analyst": ("/desk/figures/",),
    "city-centre.system-admin": ("/desk/notices/", "/desk/areas/", "/desk/reference/"),
    "city-centre.security-admin": ("/desk/people/", "/desk/sign-ins/"),
    "city-centre.audit-admin": ("/desk/access/", "/desk/sign-ins/"),
}


@pytest.mark.parametrize("login", list(DESKS))
def test_every_desk_is_whole_at_any_width(people: Any, login: str) -> None:
    for width, height in ((320, 700), (1280, 760)):
        desk = people(width, height)
        desk.sign_in(login)
        for path in (*DESKS[login], "/desk/procedure/", "/desk/me/"):
            answer = desk.goto(path)
            assert answer.status == 200, path
            if width == 1280:
                desk.picture(path.strip("/").replace("desk/", "").replace("/", "-"), full=path == "/desk/figures/")
            desk.check()
