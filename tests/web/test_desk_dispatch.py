"""The dispatch desk: the words that decided are marked, three offices are offered, one press confirms."""

# ruff: noqa: F811 - fixtures of another module are asked for by name
from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fuzhengtong.cases import steps
from fuzhengtong.cases.states import State, Urgency
from fuzhengtong.charter.moment import SYSTEM, Moment
from fuzhengtong.web.desk import marks
from tests.builders import City, Told, tell
from tests.web.test_desk_case import hidden, steps_of
from tests.web.test_desk_inbox import MOST_STATEMENTS, UNSEEN, dispatcher
from tests.web.test_desk_sign_in import Sit, noon, sentence, sit  # noqa: F401 - fixtures


@pytest.fixture
def told(noon: Any, city: City, moment: Moment) -> Told:
    return tell(city, moment)


def page_of(client: Client, told: Told, query: str = "") -> str:
    answer = client.get(f"/desk/dispatch/{told.number}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def form_of(page: str) -> dict[str, str]:
    form = {name: hidden(page, name) for name in ("expect", "key", "queue", "area", "category")}
    offices = re.findall(r'name="office" value="(\d+)" data-digit="(\d)"( checked)?', page)
    urgency = re.search(r'name="urgency" value="(\w+)" checked', page)
    return form | {
        "office": next((office for office, _digit, checked in offices if checked), ""),
        "urgency": urgency[1] if urgency else "",
    }


def test_the_words_that_decided_are_marked_in_the_telling(sit: Sit, city: City, told: Told) -> None:
    page = page_of(sit(dispatcher(city)), told)

    marked = dict(re.findall(r'<mark class="(is-[a-z]+)" data-word="[^"]+">([^<]+)</mark>', page))
    assert "益民社区" in marked["is-place"]
    assert "路灯" in marked["is-matter"]


def test_pieces_give_back_the_whole_text_whatever_the_spans() -> None:
    text = "海州区和平街道的路灯不亮"
    spans = [[0, 3, "place", "text"], [3, 7, "place", "text"], [2, 5, "matter", "text"], [8, 10, "matter", "text"],
             [9, 99, "urgency", "text"], [0, 2, "place", "address"], [5, 5, "place", "text"]]  # fmt: skip

    found = marks.pieces(text, spans, "text")

    assert "".join(piece.text for piece in found) == text
    assert [piece.text for piece in found if piece.kind == "is-place"] == ["海州区和平街道"]


def test_one_press_accepts_and_assigns_what_is_offered(sit: Sit, city: City, told: Told) -> None:
    client = sit(dispatcher(city))
    form = form_of(page_of(client, told))

    answer = client.post(f"/desk/dispatch/{told.number}/", form)

    assert answer.status_code == 303
    assert told.case.state == State.ASSIGNED
    assert str(told.case.office_id) == form["office"]
    assert steps_of(told)[-2:] == ["accept", "assign"]


def test_confirming_twice_assigns_once(sit: Sit, city: City, told: Told) -> None:
    client = sit(dispatcher(city))
    form = form_of(page_of(client, told))

    first = client.post(f"/desk/dispatch/{told.number}/", form)
    second = client.post(f"/desk/dispatch/{told.number}/", form)

    assert (first.status_code, second.status_code) == (303, 303)
    assert first["Location"] == second["Location"]
    assert steps_of(told).count("assign") == 1


def then_of(page: str) -> dict[str, str]:
    """What the page says of every urgency, for the line below its button."""
    return dict(re.findall(r'name="urgency" value="(\w+)"(?: checked)? data-then="([^"]*)"', page))


def test_until_when_is_said_in_english_with_its_unit_in_the_right_number(sit: Sit, city: City, told: Told) -> None:
    client = sit(dispatcher(city))

    page = client.get(f"/desk/dispatch/{told.number}/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    said = then_of(page)["ordinary"]

    assert re.search(r"by \d+\xa0\w+, \d\d:\d\d \(\d+ working (hours|days)\)", said)
    assert "(s)" not in page and not re.search("[月日前]", said)


def test_every_urgency_has_its_own_terms_and_every_office_its_name_for_the_line_and_the_button(
    sit: Sit, city: City, told: Told
) -> None:
    page = page_of(sit(dispatcher(city)), told)

    then = then_of(page)
    assert set(then) == {"critical", "urgent", "ordinary"} and len(set(then.values())) == 3
    assert all("{office}" in one for one in then.values())
    assert "（15 分钟）" in then["critical"] and "（4 个工作小时）" in then["ordinary"]
    named = re.findall(r'name="office" value="\d+" [^>]*data-name="([^"]+)"', page)
    assert named == re.findall(r"</kbd><span><b>([^<]+)</b>", page)


def test_without_a_script_the_line_and_the_button_say_nothing_that_another_choice_makes_false(
    sit: Sit, city: City, told: Told
) -> None:
    page = page_of(sit(dispatcher(city)), told)

    foot = re.sub(r"<[^>]+>", "", page.split('class="pane-foot dock">')[1].split("</section>")[0])
    assert "确认交办" in foot and "住房" not in foot and not re.search(r"\d", foot)


def test_the_second_of_two_dispatchers_is_told_that_it_is_done(sit: Sit, city: City, told: Told) -> None:
    client = sit(dispatcher(city))
    form = form_of(page_of(client, told))
    told.dispatch()

    answer = client.post(f"/desk/dispatch/{told.number}/", form | {"key": "a" * 32})

    assert answer.status_code == 409
    assert sentence(answer)
    assert steps_of(told).count("assign") == 1


def test_what_the_dispatcher_changes_stands_in_the_address_and_is_taken(sit: Sit, city: City, told: Told) -> None:
    client = sit(dispatcher(city))
    area, category = city.area("210911001001"), city.category("C01")
    office = city.office("210911-zjj")

    page = page_of(
        client, told, f"?area={area.area_id}&category={category.category_id}&urgency=urgent&office={office.office_id}"
    )
    form = form_of(page)
    client.post(f"/desk/dispatch/{told.number}/", form)

    assert form["office"] == str(office.office_id) and form["urgency"] == "urgent"
    case = told.case
    assert (case.category_code, case.urgency, case.office_id) == ("C01", Urgency.URGENT, office.office_id)
    assert case.community_id == area.levels.community


@pytest.mark.parametrize(("picker", "asked"), [("place", "益民"), ("kind", "路灯"), ("whom", "住房")])
def test_a_picker_finds_by_a_word_and_keeps_what_else_was_chosen(
    sit: Sit, city: City, told: Told, picker: str, asked: str
) -> None:
    office = city.office("210911-zjj").office_id
    page = page_of(sit(dispatcher(city)), told, f"?urgency=urgent&office={office}&{picker}={asked}")

    block = page.split(f'id="pick-{picker}"')[1].split("</form>")[0]
    links = re.findall(r'<li><a href="([^"]+)"[^>]*>([^<]+)</a>', block)
    assert links and all("urgency=urgent" in href and "office=" in href for href, _name in links)
    assert picker == "whom" or all(f"office={office}" in href for href, _name in links)
    assert any(asked in name for _href, name in links)
    for name, value in (("urgency", "urgent"), ("office", office)):
        assert page.count(f'<input type="hidden" name="{name}" value="{value}">') == 3


def test_what_was_chosen_stays_in_the_pickers_after_a_refusal(sit: Sit, city: City, told: Told) -> None:
    client = sit(dispatcher(city))
    form = form_of(page_of(client, told)) | {"urgency": "urgent", "area": ""}

    page = client.post(f"/desk/dispatch/{told.number}/", form).content.decode()

    block = page.split('id="pick-place"')[1].split("</form>")[0]
    assert hidden(block, "urgency") == "urgent" and hidden(block, "office") == form["office"]


def test_an_office_that_is_offered_keeps_its_place_and_its_reason_when_it_is_chosen(
    sit: Sit, city: City, told: Told
) -> None:
    client = sit(dispatcher(city))
    last = re.findall(r'name="office" value="(\d+)"', page_of(client, told))[-1]

    page = page_of(client, told, f"?office={last}")

    offices = re.findall(r'name="office" value="(\d+)" data-digit="\d"( checked)?', page)
    assert offices[-1] == (last, " checked") and "您选的" not in page


def focused(page: str) -> list[str]:
    return re.findall(r"<(?:input|a)\b[^>]*? (?:id|href)=\"([^\"]+)\"[^>]* autofocus", page)


def test_a_search_hands_the_keys_to_its_first_answer_and_a_choice_to_the_next_open_question(
    sit: Sit, city: City, moment: Moment, noon: Any
) -> None:
    told = tell(city, moment, "不知道该找谁，反正没人管")
    client = sit(dispatcher(city))
    area = city.area("210911001001").area_id

    searched = focused(page_of(client, told, "?place=益民"))
    missed = focused(page_of(client, told, "?place=没有这个地方"))
    placed = focused(page_of(client, told, f"?area={area}"))
    decided = focused(page_of(client, told, f"?area={area}&category={city.category('C01').category_id}"))

    assert focused(page_of(client, told)) == []
    assert len(searched) == 1 and "area=" in searched[0]
    assert (missed, placed, decided) == (["find-place"], ["find-kind"], [])


def percents(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'class="sure"><b>(\d+)%', page)]


@pytest.mark.parametrize("text", ["自来水发黄，水里有沙子", "的路灯不亮，垃圾也没人收", "自来水停水，物业不管"])
def test_no_office_is_surer_than_the_first_and_a_category_chosen_by_hand_has_no_percentage(
    sit: Sit, city: City, moment: Moment, noon: Any, text: str
) -> None:
    told = tell(city, moment, "海州区和平街道益民社区" + text)
    client = sit(dispatcher(city))

    found = percents(page_of(client, told))
    by_hand = percents(page_of(client, told, f"?category={city.category('C01').category_id}"))

    assert found and found == sorted(found, reverse=True) and sum(found) <= 100
    assert by_hand == []


def test_a_critical_matter_does_not_offer_to_wait_for_an_answer(
    sit: Sit, city: City, moment: Moment, noon: Any
) -> None:
    told = tell(city, moment, "和平街道益民社区着火了，有人被困")
    told.take(
        steps.TO_DESK, told.moment.acting(SYSTEM), reasons=("unsure_raised",), urgency=Urgency.CRITICAL,
        explanation="{}",
    )  # fmt: skip

    page = page_of(sit(dispatcher(city)), told)

    assert "特急的事不能停下等补充" in page
    assert 'data-key="q"' not in page and "<kbd>Q</kbd>" not in page


def test_after_one_matter_comes_the_next_and_says_where_the_last_one_went(
    sit: Sit, city: City, moment: Moment, noon: Any
) -> None:
    first, second = tell(city, moment), tell(city, moment, "益民社区的垃圾没人收")
    client = sit(dispatcher(city))
    form = form_of(page_of(client, first, "?queue=received"))

    onward = client.post(f"/desk/dispatch/{first.number}/", form)["Location"]
    page = client.get(onward).content.decode()

    assert onward == f"/desk/dispatch/{second.number}/?queue=received&done={first.number}"
    assert "已交给海州区住房和城乡建设局" in page
    assert f'href="/desk/case/{first.number}/?queue=received"' in page


def test_after_the_last_matter_the_list_says_where_it_went_and_nobody_else_learns_it(
    sit: Sit, city: City, told: Told
) -> None:
    client = sit(dispatcher(city))

    onward = client.post(f"/desk/dispatch/{told.number}/", form_of(page_of(client, told)))["Location"]
    page = client.get(onward).content.decode()
    elsewhere = city.actor("handler", city.office("210903-zjj").office_id, at=told.moment.at)

    assert onward == f"/desk/?queue=at_desk&done={told.number}"
    assert "已交给海州区住房和城乡建设局" in page
    assert "已交给" not in sit(elsewhere).get(onward).content.decode()


def test_without_a_place_nothing_can_be_confirmed_and_the_page_says_what_is_missing(
    sit: Sit, city: City, moment: Moment, noon: Any
) -> None:
    told = tell(city, moment, "不知道该找谁，反正没人管")
    client = sit(dispatcher(city))
    page = page_of(client, told)

    answer = client.post(f"/desk/dispatch/{told.number}/", form_of(page) | {"office": "", "area": ""})

    assert "还没有定" in page
    assert answer.status_code == 422 and "还没有定" in sentence(answer)
    assert told.case.state == State.RECEIVED


@pytest.mark.parametrize("wrong", [{"office": "1"}, {"area": "1"}, {"category": "1"}])
def test_what_does_not_exist_is_refused_in_a_sentence(sit: Sit, city: City, told: Told, wrong: dict[str, str]) -> None:
    client = sit(dispatcher(city))
    form = form_of(page_of(client, told))

    answer = client.post(f"/desk/dispatch/{told.number}/", form | wrong)

    assert answer.status_code == 422 and sentence(answer)
    assert told.case.state == State.RECEIVED


def test_two_minutes_run_on_the_page_until_they_are_kept(sit: Sit, city: City, told: Told) -> None:
    page = page_of(sit(dispatcher(city)), told)

    assert "data-countdown" in page and "目标 2 分钟" in page


def test_whoever_may_not_dispatch_is_led_to_the_case(sit: Sit, city: City, told: Told) -> None:
    client = sit(city.actor("reviewer", city.desk.office_id, at=told.moment.at))

    answer = client.get(f"/desk/dispatch/{told.number}/")

    assert answer.status_code == 302 and answer["Location"] == f"/desk/case/{told.number}/"


def test_the_page_keeps_to_its_statements(sit: Sit, city: City, told: Told) -> None:
    client = sit(dispatcher(city))
    page_of(client, told)

    with CaptureQueriesContext(connection) as made:
        page_of(client, told)

    assert len(made) + UNSEEN <= MOST_STATEMENTS


def test_the_page_keeps_to_its_statements_when_it_says_where_the_last_matter_went(
    sit: Sit, city: City, moment: Moment, told: Told
) -> None:
    given = tell(city, moment, "益民社区的垃圾没人收").dispatch()
    client = sit(dispatcher(city))
    page_of(client, told, f"?done={given.number}")

    with CaptureQueriesContext(connection) as made:
        page_of(client, told, f"?done={given.number}")

    assert len(made) + UNSEEN <= MOST_STATEMENTS


def test_a_long_telling_is_shortened_around_the_words_that_decided_and_stays_whole_below(
    sit: Sit, city: City, moment: Moment, noon: Any
) -> None:
    text = "海州区和平街道益民社区的路灯不亮了。" + "我们找过很多次，没有人管。" * 60 + "最后一句。"
    told = tell(city, moment, text)

    page = page_of(sit(dispatcher(city)), told)

    said = page.split('<p class="said">')[1].split("</p>")[0]
    assert "路灯" in said and len(re.sub(r"<[^>]+>", "", said)) < 200
    assert "最后一句。" in page.split("<summary>看全文")[1]
