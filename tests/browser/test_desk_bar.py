"""The bar of a desk: whole at any width, in both languages, for every post, with the longest names and by keyboard."""

from __future__ import annotations

from typing import Any

import pytest

from fuzhengtong.directory.tour import TOUR

pytestmark = pytest.mark.browser

OFFICE = "阜新蒙古族自治县社会治理综合服务和网格化管理指挥中心（接诉即办工作专班办公室）"
PERSON = "古丽娜尔·买买提依明·阿卜杜热合曼·吐尔逊江（示例）"
# Every word a bar can have, more than any post has today.
MANY = ["Inbox", "Visits", "Figures", "People", "Areas", "Reference", "Notices", "Openings", "Sign-ins", "Procedure"]
LENGTHEN = """([office, person]) => {
  const where = document.querySelector('.bar-where > :first-child'), who = document.querySelector('.bar-me b a');
  if (where) where.textContent = office;
  if (who) who.textContent = person;
}"""
FILL = """(words) => {
  const nav = document.querySelector('.bar-nav');
  nav.replaceChildren(...words.map((word) => {
    const link = document.createElement('a'); link.href = '#'; link.textContent = word; return link;
  }));
}"""
# What a person must see in full: every desk, the post, the way out, the field.
LOOK = """() => {
  const wide = innerWidth, found = [];
  const bar = document.querySelector('.bar').getBoundingClientRect();
  const parts = [...document.querySelectorAll('.bar .brand, .bar-nav a, .bar-where > :last-child, .bar-find .input, '
    + '.bar-me b, .bar-me button')];
  const boxes = parts.map((part) => [part, part.getBoundingClientRect()]);
  for (const [part, box] of boxes) {
    const name = part.className + ' ' + (part.textContent || part.placeholder).trim().slice(0, 20);
    if (box.left < -0.5 || box.right > wide + 0.5 || box.bottom > bar.bottom + 0.5) found.push('outside: ' + name);
    if (!part.matches('.bar-me b') && part.scrollWidth > part.clientWidth + 1 && part.clientWidth) found.push('cut: ' + name);
    if (part.matches('.bar-nav a, .bar-me button') && box.height > 48) found.push('broken: ' + name);
    // What an ancestor cuts off still has its box: whether it can be seen and pressed is asked at both of its ends.
    for (const line of part.getClientRects()) for (const x of [line.left + 3, line.right - 3]) {
      const at = document.elementFromPoint(x, (line.top + line.bottom) / 2);
      if (!at || !(part.contains(at) || at.contains(part) && at.closest('.bar-find'))) found.push('hidden: ' + name);
    }
    if (part.matches('.bar-me b') && box.width < 40) found.push('squeezed: ' + name);
  }
  boxes.forEach(([one, a], nth) => boxes.slice(nth + 1).forEach(([other, b]) => {
    if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
      found.push('over each other: ' + one.className + ' / ' + other.className);
  }));
  return found;
}"""


def in_language(person: Any, lang: str) -> None:
    person.context.add_cookies([{"name": "lang", "value": lang, "url": person.server.address}])


@pytest.mark.parametrize("login", [login for login, _title in TOUR])
def test_the_bar_of_every_post_is_whole_with_the_longest_names(people: Any, login: str) -> None:
    desk = people(1280, 800)
    desk.sign_in(login)
    page = desk.page
    found = {}

    for lang in ("zh-hans", "en"):
        in_language(desk, lang)
        for width in (320, 900, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            desk.goto("/desk/me/")
            short = page.evaluate(LOOK)
            page.evaluate(LENGTHEN, [OFFICE, PERSON])
            sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            found[lang, width] = [*short, *page.evaluate(LOOK), *([f"{sideways} px too wide"] if sideways > 0 else [])]

    assert {where: one for where, one in found.items() if one} == {}


@pytest.mark.parametrize("width", [320, 1280])
def test_more_desks_than_fit_go_to_a_row_of_their_own_and_none_is_cut_off(people: Any, width: int) -> None:
    desk = people(width, 800)
    in_language(desk, "en")
    desk.sign_in("210902-centre.visitor1")
    desk.goto("/desk/?queue=open")
    desk.page.evaluate(LENGTHEN, [OFFICE, PERSON])

    desk.page.evaluate(FILL, MANY)

    assert desk.page.evaluate(LOOK) == []
    assert desk.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    panes = desk.page.locator(".panes").bounding_box()
    bar = desk.page.locator(".bar").bounding_box()
    assert panes["y"] >= bar["y"] + bar["height"] - 1


def test_names_that_are_cut_say_themselves_in_full(people: Any) -> None:
    desk = people(1280, 800)
    desk.sign_in("city-centre.system-admin")
    desk.goto("/desk/me/")

    assert desk.page.locator(".bar-where").get_attribute("title")
    assert desk.page.locator(".bar-me b").get_attribute("title") == desk.page.locator(".bar-me b").inner_text()


def test_the_bar_is_walked_with_the_tab_key_and_every_stop_is_seen(people: Any) -> None:
    desk = people(1280, 800)
    desk.sign_in("210902-centre.visitor1")
    desk.goto("/desk/?queue=open")
    page = desk.page
    stops = []
    for _nth in range(9):
        page.keyboard.press("Tab")
        stops.append(
            page.evaluate(
                "(() => { const at = document.activeElement, look = getComputedStyle(at), box = at.getBoundingClientRect();"
                " return [(at.textContent || at.placeholder || '').trim(), look.outlineStyle !== 'none', box.top >= 0]; })()"
            )
        )

    words = [word for word, _ringed, _seen in stops]
    assert words[0] == "跳到正文" and words[1] == "阜政通"
    assert words[2:5] == ["回访", "收件台", "指标"]
    assert words[5] == "" or words[5] == "案件编号"
    assert words[7] == "退出"
    assert all(ringed and seen for _word, ringed, seen in stops[:8])

    page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.type("FX26 0000")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/find/**")
    assert "编号" in page.locator(".reply-title").inner_text()
    desk.check()
