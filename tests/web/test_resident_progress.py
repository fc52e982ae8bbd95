"""What the holder of a query code sees and does: his own, all of it, and nothing of anybody else's."""

# ruff: noqa: F811 - fixtures of another module are asked for by name
from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import models as cases_models
from fuzhengtong.cases import steps
from fuzhengtong.cases.states import Satisfaction, Solved, State
from fuzhengtong.charter.moment import Moment
from fuzhengtong.kernel import numbers
from tests.builders import City, Told, tell
from tests.web.test_resident_home import noon, phone  # noqa: F401 - fixtures
from tests.web.test_resident_tell import ACCUSATION, key_of, photo

MOST_STATEMENTS = 12


@pytest.fixture
def told(noon: Any, city: City, moment: Moment) -> Told:  # noqa: F811
    return tell(city, moment)


def at(clock: Any, told: Told, **span: float) -> None:
    """Let the pages' clock stand a little after the case's last step."""
    clock.move_to(told.moment.at + timedelta(minutes=1) + timedelta(**span))


def page_of(phone: Client, told: Told, page: str = "") -> str:
    answer = phone.get(f"/q/{told.query_code}/{page}")
    assert answer.status_code == 200
    return answer.content.decode()


def send(phone: Client, told: Told, act: str, /, **form: Any) -> Any:
    key = key_of(phone.get(f"/q/{told.query_code}/{act}/").content.decode())
    return phone.post(f"/q/{told.query_code}/{act}/", {"key": key, **form})


@pytest.mark.parametrize(
    "state", [State.RECEIVED, State.ASSIGNED, State.WORKING, State.REVIEW, State.VISITING, State.CLOSED]
)
def test_every_state_has_a_page_with_ribbon_and_story_in_both_languages(
    phone: Client, noon: Any, told: Told, state: State
) -> None:
    told = told.walk_to(state)
    at(noon, told)

    chinese, english = page_of(phone, told), phone.get(f"/q/{told.query_code}/", HTTP_ACCEPT_LANGUAGE="en")

    assert numbers.grouped(told.number) in chinese
    assert 'class="ribbon ribbon-l' in chinese and "您说了这件事" in chinese
    assert english.status_code == 200 and "You told us about it" in english.content.decode()


@pytest.mark.parametrize("page", ["", "receipt/", "verify/", "who/", "add/", "urge/", "withdraw/"])
def test_no_page_of_an_appeal_takes_more_than_twelve_statements(
    phone: Client, noon: Any, told: Told, page: str
) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)
    page_of(phone, told, page)

    with CaptureQueriesContext(connection) as made:
        page_of(phone, told, page)

    assert len(made) <= MOST_STATEMENTS, [query["sql"][:90] for query in made]


def test_the_answer_is_shown_in_full_once_the_review_has_passed_it_and_not_before(
    phone: Client, noon: Any, told: Told
) -> None:
    finished = told.walk_to(State.REVIEW)
    at(noon, finished)
    before = page_of(phone, finished)
    reviewed = finished.later(hours=1).review()
    at(noon, reviewed)

    assert "当晚亮灯" not in before
    assert "当晚亮灯" in page_of(phone, reviewed)


def test_notes_of_the_office_are_shown_only_where_it_made_them_public(phone: Client, noon: Any, told: Told) -> None:
    told = told.walk_to(State.WORKING)
    told.take(steps.NOTE, told.by("handler"), texts={"note": "内部的话"}, public=False)
    told.take(steps.NOTE, told.by("handler"), texts={"note": "灯头已经订好"}, public=True)
    told.take(
        steps.CONTACT,
        told.by("handler"),
        texts={"note": "联系里的话"},
        contacted_at=told.moment.at,
        how="phone",
        reached=True,
    )
    at(noon, told)

    page = page_of(phone, told)

    assert "灯头已经订好" in page
    assert "内部的话" not in page and "联系里的话" not in page and "更换灯头" not in page


def test_the_internal_account_of_the_work_stays_inside(phone: Client, noon: Any, told: Told) -> None:
    told = told.walk_to(State.CLOSED)
    at(noon, told)

    assert "更换灯头一个" not in page_of(phone, told)


def test_a_rating_is_taken_once_and_closes_the_matter(phone: Client, noon: Any, told: Told) -> None:
    told = told.walk_to(State.VISITING)
    at(noon, told)
    form = {"solved": "yes", "satisfaction": "basically", "words": "谢谢", "key": key_of(page_of(phone, told))}

    first = phone.post(f"/q/{told.query_code}/rate/", form)
    again = phone.post(f"/q/{told.query_code}/rate/", form)

    assert (first.status_code, again.status_code) == (303, 303)
    assert told.case.state == State.CLOSED
    assert cases_models.Entry.objects.filter(step="rate").count() == 1
    assert "解决了，基本满意" in page_of(phone, told)


def test_not_solved_sends_the_matter_back_to_work_and_the_page_says_so(phone: Client, noon: Any, told: Told) -> None:
    told = told.walk_to(State.VISITING)
    at(noon, told)

    answer = send(phone, told, "rate", solved="no", satisfaction="not")
    page = phone.get(answer["Location"]).content.decode()

    assert told.case.state == State.REDO
    assert "记下了，会重新办" in page and "上一次的答复" in page


def test_a_rating_without_its_two_answers_is_asked_again_with_the_words_kept(
    phone: Client, noon: Any, told: Told
) -> None:
    told = told.walk_to(State.VISITING)
    at(noon, told)

    answer = send(phone, told, "rate", solved="yes", words="灯很亮")

    assert answer.status_code == 422 and "灯很亮" in answer.content.decode()
    assert told.case.state == State.VISITING


def test_a_look_rates_nothing_whoever_follows_the_link(phone: Client, noon: Any, told: Told) -> None:
    told = told.walk_to(State.VISITING)
    at(noon, told)

    phone.get(f"/q/{told.query_code}/rate/?solved=yes&satisfaction=satisfied")
    phone.head(f"/q/{told.query_code}/rate/?solved=yes&satisfaction=satisfied")

    assert told.case.state == State.VISITING


def test_once_the_days_for_rating_are_over_not_solved_becomes_a_new_telling(
    phone: Client, noon: Any, told: Told, moment: Moment
) -> None:
    told = told.walk_to(State.CLOSED)
    at(noon, told, days=moment.charter.visits.rating_open_days + 1)

    page = page_of(phone, told)
    again = phone.get(f"/report/?again={told.number}").content.decode()

    assert 'id="rate"' not in page and f"/report/?again={told.number}" in page
    assert numbers.grouped(told.number) in again


def test_more_words_and_photos_reach_the_ledger_once(phone: Client, noon: Any, told: Told) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)
    key = key_of(page_of(phone, told, "add/"))

    for _ in range(2):
        phone.post(f"/q/{told.query_code}/add/", {"key": key, "text": "又坏了一盏", "photos": [photo()]})

    page = page_of(phone, told)
    assert cases_models.Entry.objects.filter(step="supplement").count() == 1
    assert cases_models.Attachment.objects.count() == 1
    assert "您做了补充，附了 1 个文件" in page


def test_nothing_is_added_by_an_empty_form(phone: Client, noon: Any, told: Told) -> None:
    at(noon, told)

    assert send(phone, told, "add", text="  ").status_code == 422
    assert cases_models.Entry.objects.filter(step="supplement").count() == 0


@pytest.mark.parametrize(("act", "field"), [("add", "text"), ("place", "place"), ("withdraw", "reason")])
def test_the_screen_stands_before_every_small_form(phone: Client, noon: Any, told: Told, act: str, field: str) -> None:
    at(noon, told)
    answer = send(phone, told, act, **{field: ACCUSATION})

    assert answer.status_code == 422 and "12388" in answer.content.decode()
    assert f'<meta name="draft-done" content="act-{told.appeal_id}">' in answer.content.decode()
    assert cases_models.Entry.objects.count() == 1


def test_urging_works_once_a_day_and_then_says_so_kindly(phone: Client, noon: Any, told: Told) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)

    first = send(phone, told, "urge")
    second = phone.post(f"/q/{told.query_code}/urge/", {"key": ""})
    page = phone.get(second["Location"]).content.decode()

    assert (first.status_code, second.status_code) == (303, 303)
    assert "今天已经催过了" in page and "今天催过了" in page
    assert told.case.urge_count == 1


def test_a_question_is_answered_and_the_clock_runs_again(phone: Client, noon: Any, told: Told, city: City) -> None:
    asked = told.by("dispatcher", office_id=city.desk.office_id)
    told.take(steps.ASK_INFO, asked, texts={"question": "请问是几号楼？"})
    at(noon, told)

    page = page_of(phone, told)
    answer = send(phone, told, "answer", text="三号楼")

    assert "请问是几号楼？" in page and f"/q/{told.query_code}/answer/" in page
    assert answer.status_code == 303 and told.case.state == State.RECEIVED


def test_taking_back_is_asked_once_more_and_then_done(phone: Client, noon: Any, told: Told) -> None:
    at(noon, told)
    asked = page_of(phone, told, "withdraw/")

    send(phone, told, "withdraw", reason="自己修好了")

    assert "真的不办了" in asked
    assert told.case.state == State.WITHDRAWN
    assert "您撤回了这件事" in page_of(phone, told)


def test_a_step_that_is_not_offered_leads_back_with_its_reason(phone: Client, noon: Any, told: Told) -> None:
    told = told.walk_to(State.CLOSED)
    at(noon, told)

    for act in ("add", "urge", "place", "withdraw", "answer"):
        answer = phone.post(f"/q/{told.query_code}/{act}/", {"text": "x", "place": "x"})
        assert (answer.status_code, answer["Location"]) == (303, f"/q/{told.query_code}/")
    assert "这一步现在还不能办" in page_of(phone, told)


def test_who_opened_the_name_is_shown_with_office_and_reason(phone: Client, noon: Any, told: Told) -> None:
    told = told.walk_to(State.WORKING)
    cases_actions.opened(appeal_id=told.appeal_id, moment=told.by("handler"), reason="要打电话问清楚位置")
    at(noon, told)

    page = page_of(phone, told, "who/")

    assert "要打电话问清楚位置" in page and "住房和城乡建设局" in page


def test_the_receipt_is_proved_and_a_wrong_fingerprint_is_not(phone: Client, noon: Any, told: Told) -> None:
    told = told.walk_to(State.CLOSED)
    at(noon, told)

    assert "对得上，没有人改过" in page_of(phone, told, "verify/")
    assert "对得上，没有人改过" in page_of(phone, told, f"verify/?fingerprint={told.receipt[:8]}")
    assert "和这件事的回执对不上" in page_of(phone, told, "verify/?fingerprint=00000000")


@pytest.mark.parametrize("page", ["", "receipt/", "verify/", "who/", "rate/", "add/", "withdraw/", "file/1/"])
def test_a_code_nobody_has_is_an_address_that_is_not_there(phone: Client, noon: Any, page: str) -> None:
    nobody = numbers.query_code(bytes(16))

    answer = phone.get(f"/q/{nobody}/{page}")

    assert answer.status_code == 404
    assert nobody not in answer.content.decode().replace("next", "").split("<main")[1].split("</main>")[0]


def test_a_code_typed_in_small_letters_and_groups_leads_to_its_page(phone: Client, noon: Any, told: Told) -> None:
    typed = numbers.grouped_code(told.query_code).lower().replace(" ", "-")

    assert phone.get(f"/q/{typed}/receipt/")["Location"] == f"/q/{told.query_code}/receipt/"
    assert phone.post("/find/", {"code": typed})["Location"] == f"/q/{told.query_code}/"


def test_guessing_codes_is_stopped_for_the_address_that_guesses(phone: Client, noon: Any, moment: Moment) -> None:
    limit = moment.charter.rates.query_code_per_address.limit
    for number in range(limit):
        phone.get(f"/q/{numbers.query_code(number.to_bytes(16, 'big'))}/")

    assert phone.get(f"/q/{numbers.query_code(bytes(16))}/").status_code == 429


def test_number_and_last_digits_show_state_and_dates_alone(phone: Client, noon: Any, told: Told) -> None:
    told = told.walk_to(State.CLOSED)
    at(noon, told)

    page = phone.post("/find/", {"number": told.number, "tail": "0001"}).content.decode()

    assert "已办结" in page and "11\u00a0月\u00a020\u00a0日" in page
    for hidden in ("路灯", told.query_code, "示例", "当晚亮灯", "满意，"):
        assert hidden not in page


def test_a_wrong_number_and_wrong_digits_are_told_the_same(
    phone: Client, noon: Any, told: Told, moment: Moment
) -> None:
    at(noon, told)
    unknown = numbers.case_number(letters="FX", day=moment.at.date(), serial=987654)

    wrong_tail = phone.post("/find/", {"number": told.number, "tail": "9999"})
    wrong_number = phone.post("/find/", {"number": unknown, "tail": "0001"})

    def plain(answer: Any) -> str:
        page = answer.content.decode().replace(told.number, "").replace(unknown, "")
        return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", page)

    assert wrong_tail.status_code == wrong_number.status_code == 422
    assert plain(wrong_tail) == plain(wrong_number)


def test_five_tries_a_day_for_one_number_even_with_the_right_digits(
    phone: Client, noon: Any, told: Told, moment: Moment
) -> None:
    at(noon, told)
    for tail in range(moment.charter.rates.phone_tail_per_number.limit):
        phone.post("/find/", {"number": told.number, "tail": f"{tail + 5000}"})

    answer = phone.post("/find/", {"number": told.number, "tail": "0001"})

    assert answer.status_code == 429 and "待受理" not in answer.content.decode()


def test_a_photo_is_shown_to_who_holds_the_code_and_to_nobody_else(
    phone: Client, noon: Any, city: City, moment: Moment
) -> None:
    mine, other = tell(city, moment), tell(city, moment, "另一件事：井盖松了")
    at(noon, mine)
    send(phone, mine, "add", text="看照片", photos=[photo(name="灯 1.jpg")])
    file_id = cases_models.Attachment.objects.get().id

    own = phone.get(f"/q/{mine.query_code}/file/{file_id}/")
    foreign = phone.get(f"/q/{other.query_code}/file/{file_id}/")

    assert own.status_code == 200 and own["Content-Type"] == "image/jpeg" and own.content[:2] == b"\xff\xd8"
    assert own["X-Content-Type-Options"] == "nosniff" and "sandbox" in own["Content-Security-Policy"]
    assert foreign.status_code == 404


def test_pages_of_an_appeal_are_kept_by_no_cache_and_told_to_no_other_site(
    phone: Client, noon: Any, told: Told
) -> None:
    at(noon, told)
    answer = phone.get(f"/q/{told.query_code}/")

    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] in ("no-referrer", "same-origin")


def test_a_visit_that_heard_another_word_may_be_put_right_by_the_teller(phone: Client, noon: Any, told: Told) -> None:
    told = told.walk_to(State.VISITING).later(hours=1).visit(solved=Solved.YES, satisfaction=Satisfaction.SATISFIED)
    at(noon, told)

    page = page_of(phone, told)

    assert "解决了，满意" in page and f"/q/{told.query_code}/rate/" in page
