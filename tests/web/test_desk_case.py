"""The page of a case: everybody sees his own, does his own, and loses no word when somebody was faster."""

# ruff: noqa: F811 - fixtures of another module are asked for by name
from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fuzhengtong.cases import models as cases_models
from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.cases import steps
from fuzhengtong.cases.states import Satisfaction, Solved, State
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import world
from fuzhengtong.oversight import actions as oversight_actions
from fuzhengtong.people import models as people_models
from fuzhengtong.web import moment as web_moment
from fuzhengtong.web.desk import lines, names
from tests.builders import City, Told, tell
from tests.conftest import NOON
from tests.web.test_desk_inbox import MOST_STATEMENTS, UNSEEN, at, dispatcher, handler_of
from tests.web.test_desk_sign_in import Sit, noon, sentence, session_of, sit  # noqa: F401 - fixtures
from tests.web.test_resident_tell import ACCUSATION

REPLY = "路灯已经修好，当晚亮灯，请您看看。"


@pytest.fixture
def told(noon: Any, city: City, moment: Moment) -> Told:
    return tell(city, moment)


def page_of(client: Client, told: Told, query: str = "") -> str:
    answer = client.get(f"/desk/case/{told.number}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return found[1] if found else ""


def send(client: Client, told: Told, word: str, **form: Any) -> Any:
    """Open the form of a step and send it as a person would."""
    page = page_of(client, told, f"?do={word}")
    kept = {name: hidden(page, name) for name in ("expect", "key", "appeal")}
    return client.post(f"/desk/case/{told.number}/{word}/", {**kept, **form})


def steps_of(told: Told) -> list[str]:
    return list(cases_models.Entry.objects.filter(case_id=told.case_id).order_by("seq").values_list("step", flat=True))


# --- the whole way through the forms -------------------------------------------------------------------------------


def test_a_case_goes_all_the_way_by_the_forms_of_the_desks(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.ASSIGNED)
    at(noon, told)
    client = sit(handler_of(told))
    assert send(client, told, "sign").status_code == 303
    assert (
        send(
            client, told, "contact", contacted_at="2026-11-20T10:30", how="phone", reached="yes", note="约好下午去看"
        ).status_code
        == 303
    )
    assert send(client, told, "note", note="已经派人", public="1").status_code == 303
    assert send(client, told, "finish", result="更换灯头", reply=REPLY, true_account="yes").status_code == 303
    client = sit(told.by("reviewer").by)
    assert send(client, told, "send_back", reason="没有写清是哪一盏灯").status_code == 303
    client = sit(handler_of(told))
    assert send(client, told, "finish", result="更换灯头两个", reply=REPLY, true_account="yes").status_code == 303
    client = sit(told.by("reviewer").by)
    assert send(client, told, "review", note="写清楚了").status_code == 303
    client = sit(told.by("visitor").by)
    assert send(client, told, "attempt", how="phone", outcome="no_answer").status_code == 303
    answer = send(
        client, told, "visit", result="reached", how="phone", contacted="yes", solved="yes", satisfaction="satisfied",
        account_true="yes", words="亮了，谢谢",
    )  # fmt: skip

    assert answer.status_code == 303
    assert told.case.state == State.CLOSED
    assert steps_of(told)[-3:] == ["attempt", "visit", "close"]
    assert told.snapshot().appeals[0].satisfaction == Satisfaction.SATISFIED


def test_an_address_that_takes_a_form_leads_back_to_the_case_when_it_is_opened_by_itself(
    sit: Sit, noon: Any, told: Told
) -> None:
    at(noon, told)
    client = sit(told.by("dispatcher").by)

    opened = client.get(f"/desk/case/{told.number}/open/?queue=open")
    step = client.get(f"/desk/case/{told.number}/note/")
    out = client.get("/desk/sign-out/")
    nothing = client.get(f"/desk/case/{told.number}/nonsense/")

    assert (opened.status_code, opened["Location"]) == (302, f"/desk/case/{told.number}/?queue=open")
    assert (step.status_code, step["Location"]) == (302, f"/desk/case/{told.number}/?do=note")
    assert (out.status_code, out["Location"]) == (302, "/desk/") and client.get("/desk/").status_code == 200
    assert nothing.status_code == 404 and "找不到这一页" in nothing.content.decode()
    assert people_models.Access.objects.count() == 0


def test_a_dissatisfied_teller_sends_it_back_to_work(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.VISITING)
    at(noon, told)
    client = sit(told.by("visitor").by)

    send(client, told, "visit", result="reached", how="phone", contacted="yes", solved="no", satisfaction="not",
         account_true="no")  # fmt: skip

    assert told.case.state == State.REDO
    assert told.case.redo_count == 1


def test_a_supervisor_orders_and_the_office_replies(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)
    ordered = send(sit(told.by("supervisor").by), told, "supervise", level="3", reason="多次催促没有动静")
    again = send(sit(told.by("supervisor").by), told, "supervise", level="3", reason="再催一次")
    client = sit(handler_of(told))
    page = page_of(client, told)
    replied = send(client, told, "reply_supervision", reply="今晚一定修好")

    assert ordered.status_code == 303
    assert again.status_code == 422 and "再催一次" in again.content.decode()
    assert "回复督办" in page and "三级督办" in page
    assert replied.status_code == 303
    assert "回复督办</a>" not in page_of(client, told)


def test_a_progress_visit_is_made_and_not_owed_twice(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)
    client = sit(told.by("visitor").by)

    first = send(client, told, "progress_visit", result="reached", how="phone", words="来人看过了")

    assert first.status_code == 303
    assert "do=progress_visit" not in page_of(client, told)


def test_a_question_to_the_teller_stops_the_clock_and_never_for_the_critical(
    sit: Sit, noon: Any, city: City, moment: Moment, told: Told
) -> None:
    client = sit(dispatcher(city))
    asked = send(client, told, "ask_info", question="是哪一栋楼下的灯？")
    urgent = tell(city, moment, "楼道里有煤气味，快来人")
    cases_models.Case.objects.filter(id=urgent.case_id).update(urgency="critical")
    page = page_of(client, urgent)

    assert asked.status_code == 303 and told.case.state == State.NEED_INFO
    assert 'class="act-not">请反映人补充' in page


# --- who sees what -------------------------------------------------------------------------------------------------


def test_outside_of_ones_view_a_case_is_answered_like_one_that_does_not_exist(
    sit: Sit, noon: Any, city: City, told: Told
) -> None:
    told = told.walk_to(State.ASSIGNED)
    at(noon, told)
    client = sit(city.actor("handler", city.office("210903-zjj").office_id, at=NOON))

    foreign = client.get(f"/desk/case/{told.number}/")
    nothing = client.get("/desk/case/FX26112099995/")
    garbled = client.get("/desk/case/什么/")
    step = client.post(f"/desk/case/{told.number}/sign/", {})
    dispatch = client.get(f"/desk/dispatch/{told.number}/")

    assert {one.status_code for one in (foreign, nothing, garbled, step, dispatch)} == {404}
    assert _bare(foreign) == _bare(nothing)
    assert told.case.state == State.ASSIGNED


def _bare(answer: Any) -> str:
    page = answer.content.decode()
    return re.sub(r'value="[^"]*"|href="[^"]*"', "", page)


@pytest.mark.parametrize("kind", ["reviewer", "visitor", "supervisor", "dispatcher", "head", "analyst"])
def test_the_panel_offers_only_what_the_table_allows(sit: Sit, noon: Any, told: Told, kind: str) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)
    client = sit(told.by(kind).by)

    offered = set(re.findall(r"[?&;]do=([a-z_]+)", page_of(client, told)))

    allowed = {
        "reviewer": set(), "visitor": {"progress_visit", "attempt"}, "supervisor": {"supervise"}, "dispatcher": set(),
        "head": {"contact", "note", "interim_reply", "finish"}, "analyst": set(),
    }  # fmt: skip
    assert offered == allowed[kind]


def test_a_step_that_is_not_offered_is_refused_when_it_is_sent_all_the_same(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)
    client = sit(told.by("reviewer").by)

    answer = client.post(f"/desk/case/{told.number}/finish/", {"result": "甲", "reply": "乙", "true_account": "yes"})

    assert answer.status_code == 403
    assert told.case.state == State.WORKING


def test_names_and_numbers_are_masked_until_a_reason_is_given(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)
    client = sit(handler_of(told))
    page = page_of(client, told)
    asked = page_of(client, told, f"?open={told.appeal_id}")

    unsaid = client.post(f"/desk/case/{told.number}/open/", {"appeal": told.appeal_id, "reason": "other", "note": ""})
    before = people_models.Access.objects.count()
    opened = client.post(f"/desk/case/{told.number}/open/", {"appeal": told.appeal_id, "reason": "contact"})

    assert "13800000001" not in page + asked and "示例王" not in page + asked
    assert "示＊＊" in page and "138＊＊＊＊0001" in page
    assert unsaid.status_code == 422 and before == 0
    assert opened.status_code == 200 and "13800000001" in opened.content.decode()
    row = people_models.Access.objects.get()
    assert (row.appeal_id, row.reason) == (told.appeal_id, "要联系反映人")


def test_the_reason_of_an_opening_is_kept_without_what_cannot_be_stored_or_seen(
    sit: Sit, noon: Any, told: Told
) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)
    client = sit(handler_of(told))
    form = {"appeal": told.appeal_id, "reason": "other"}

    nothing = client.post(f"/desk/case/{told.number}/open/", {**form, "note": "\0\u200b\u2060\x01\u202e"})
    opened = client.post(f"/desk/case/{told.number}/open/", {**form, "note": "核\0实\u202e门牌号"})

    assert nothing.status_code == 422
    assert opened.status_code == 200
    assert people_models.Access.objects.get().reason == "核实门牌号"


def test_the_handling_office_learns_nothing_of_a_teller_who_asked_to_be_kept_from_it(
    sit: Sit, noon: Any, city: City, moment: Moment
) -> None:
    told = tell(city, moment, confidential=True).walk_to(State.WORKING)
    at(noon, told)
    client = sit(handler_of(told))
    page = page_of(client, told)
    refused = client.post(f"/desk/case/{told.number}/open/", {"appeal": told.appeal_id, "reason": "contact"})

    assert "示＊＊" not in page and "＊0001" not in page
    assert "要求保密" in page and "看全名" not in page
    assert refused.status_code == 403
    assert people_models.Access.objects.count() == 0


def test_a_file_of_the_case_opens_for_who_may_see_it_and_for_nobody_else(
    sit: Sit, noon: Any, city: City, moment: Moment, tmp_path: Any
) -> None:
    from django.conf import settings

    from fuzhengtong.connectors.store import Folder
    from fuzhengtong.intake import actions as intake_actions
    from tests.web.test_resident_tell import photo

    store = Folder(settings.STORE)
    token = intake_actions.stage(data=photo().read(), name="灯.jpg", moment=moment, store=store)
    told = tell(city, moment, files=(token,)).walk_to(State.WORKING)
    at(noon, told)
    file_id = cases_models.Attachment.objects.get(case_id=told.case_id).id

    own = sit(handler_of(told)).get(f"/desk/file/{file_id}/")
    foreign = sit(city.actor("handler", city.office("210903-zjj").office_id, at=NOON)).get(f"/desk/file/{file_id}/")

    assert own.status_code == 200 and own["Content-Type"] == "image/jpeg"
    assert "sandbox" in own["Content-Security-Policy"]
    assert foreign.status_code == 404


# --- twice, at once, half-way ----------------------------------------------------------------------------------------


def test_a_form_sent_twice_takes_one_step_and_shows_the_same_page(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)
    client = sit(handler_of(told))
    page = page_of(client, told, "?do=note")
    form = {"expect": hidden(page, "expect"), "key": hidden(page, "key"), "note": "已经派人去了"}

    first = client.post(f"/desk/case/{told.number}/note/", form)
    second = client.post(f"/desk/case/{told.number}/note/", form)
    other = client.post(f"/desk/case/{told.number}/note/", {**form, "note": "换了一句话"})

    assert first.status_code == second.status_code == 303
    assert first["Location"] == second["Location"]
    assert steps_of(told).count("note") == 1
    assert other.status_code == 422 and "换了一句话" in other.content.decode()


def form_of(client: Client, told: Told, word: str, **typed: str) -> dict[str, str]:
    """Open the form of a step and fill it in, once: what a double click sends twice."""
    page = page_of(client, told, f"?do={word}")
    kept = {name: hidden(page, name) for name in ("expect", "key", "appeal")}
    assert kept["key"]
    return {**kept, **typed}


def hard_case(told: Told) -> Told:
    """Bring a case so far that the special visit of a hard case is owed: its teller did not agree, twice."""
    told = told.walk_to(State.VISITING)
    while not told.case.is_hard:
        told = told.later(hours=1).visit(solved=Solved.NO, satisfaction=Satisfaction.NOT)
        told = told.later(hours=1)
        if not told.case.is_hard:
            told = told.contact().finish().later(hours=1).review()
    return told


TWICE = [
    ("supervise", "supervisor", {"level": "3", "reason": "多次催促没有动静"}),
    ("reply_supervision", "handler", {"reply": "今晚一定修好"}),
    ("hard_visit", "visitor", {"result": "reached", "how": "phone", "words": "还在等"}),
    ("sign", "handler", {}),
]


def brought_to(told: Told, word: str) -> Told:
    """Bring a case so far that a step can be taken."""
    if word == "hard_visit":
        return hard_case(told)
    if word == "sign":
        return told.walk_to(State.ASSIGNED)
    told = told.walk_to(State.WORKING)
    if word == "reply_supervision":
        by = told.by("supervisor")
        oversight_actions.supervise(case_id=told.case_id, level=3, reason="催过没有动静", moment=by)
    return told


@pytest.mark.parametrize(("word", "kind", "typed"), TWICE)
def test_a_double_click_takes_the_step_once_and_leads_on_both_times(
    sit: Sit, noon: Any, told: Told, word: str, kind: str, typed: dict[str, str]
) -> None:
    told = brought_to(told, word)
    at(noon, told)
    client = sit(told.by(kind).by)
    form = form_of(client, told, word, **typed)

    first = client.post(f"/desk/case/{told.number}/{word}/", form)
    second = client.post(f"/desk/case/{told.number}/{word}/", form)

    assert (first.status_code, second.status_code) == (303, 303)
    assert first["Location"] == second["Location"]
    assert steps_of(told).count(word) == 1


@pytest.mark.parametrize(("word", "kind", "typed"), TWICE[:3])
def test_the_same_form_with_other_words_is_no_double_click(
    sit: Sit, noon: Any, told: Told, word: str, kind: str, typed: dict[str, str]
) -> None:
    told = brought_to(told, word)
    at(noon, told)
    client = sit(told.by(kind).by)
    form = form_of(client, told, word, **typed)
    field = [*typed][-1]

    client.post(f"/desk/case/{told.number}/{word}/", form)
    other = client.post(f"/desk/case/{told.number}/{word}/", {**form, field: "换成了别的一句话，不能丢"})

    assert other.status_code in (409, 422)
    assert "换成了别的一句话，不能丢" in other.content.decode()
    assert steps_of(told).count(word) == 1


@pytest.mark.parametrize(("word", "kind", "typed"), TWICE[:3])
def test_an_order_a_reply_and_a_visit_written_on_an_old_page_are_overtaken(
    sit: Sit, noon: Any, told: Told, word: str, kind: str, typed: dict[str, str]
) -> None:
    told = brought_to(told, word)
    at(noon, told)
    client = sit(told.by(kind).by)
    form = form_of(client, told, word, **typed)
    told.take(steps.NOTE, told.by("handler"), texts={"note": "别人先写了一笔"})

    answer = client.post(f"/desk/case/{told.number}/{word}/", form)

    assert answer.status_code == 409
    assert "别人先写了一笔" in answer.content.decode()
    assert word not in steps_of(told)


@pytest.fixture
def real(own_database: str) -> Iterator[Any]:
    """Pages that commit, at the tests' noon, in a process of their own."""
    held, web_moment._world = web_moment._world, None
    names.forget()
    with time_machine.travel(NOON, tick=True) as clock:
        yield clock
    web_moment._world = held
    names.forget()


def browser(key: str) -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE="zh-CN")
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    return client


@pytest.mark.parametrize(("word", "kind", "typed"), [*TWICE, ("note", "handler", {"note": "已经派人去了"})])
def test_both_clicks_of_a_double_click_that_come_in_at_once_lead_on(
    real: Any, city: City, moment: Moment, word: str, kind: str, typed: dict[str, str]
) -> None:
    told = brought_to(tell(city, moment), word)
    at(real, told)
    key = session_of(told.by(kind).by)
    form = form_of(browser(key), told, word, **typed)
    before = steps_of(told).count(word)

    def click(_nth: int) -> Any:
        try:
            return browser(key).post(f"/desk/case/{told.number}/{word}/", form)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as hands:
        with transaction.atomic():
            # Held until both clicks wait for it, so that neither finds the other one stored; but not for so long that
            # the first of them gives up on a busy machine. Whatever the order, both lead on.
            cases_models.Case.objects.select_for_update().get(id=told.case_id)
            clicks = [hands.submit(click, nth) for nth in range(2)]
            give_up = time.monotonic() + 0.6
            while waiting() < 2 and time.monotonic() < give_up:
                time.sleep(0.01)
        answers = [one.result(20) for one in clicks]

    assert [one.status_code for one in answers] == [303, 303]
    assert steps_of(told).count(word) == before + 1


def waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
            "WHERE NOT l.granted AND a.datname = current_database()"
        )
        return int(cursor.fetchone()[0])


def test_whoever_is_overtaken_sees_what_is_new_and_keeps_his_words(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)
    client = sit(handler_of(told))
    page = page_of(client, told, "?do=note")
    told.take(steps.NOTE, told.by("handler"), texts={"note": "别人先写了一笔"})

    answer = client.post(
        f"/desk/case/{told.number}/note/",
        {"expect": hidden(page, "expect"), "key": hidden(page, "key"), "note": "我写的也还在"},
    )
    shown = answer.content.decode()

    assert answer.status_code == 409
    assert "别人已经往前办了一步" in sentence(answer)
    assert "别人先写了一笔" in shown and "我写的也还在</textarea>" in shown
    again = {"expect": hidden(shown, "expect"), "key": hidden(shown, "key"), "note": "我写的也还在"}
    assert client.post(f"/desk/case/{told.number}/note/", again).status_code == 303


def test_words_for_a_step_that_is_gone_can_still_be_copied(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.REVIEW)
    at(noon, told)
    client = sit(told.by("reviewer").by)
    page = page_of(client, told, "?do=send_back")
    told.review()

    answer = client.post(
        f"/desk/case/{told.number}/send_back/",
        {"expect": hidden(page, "expect"), "key": hidden(page, "key"), "reason": "这一段退回理由很长，不能丢"},
    )

    assert answer.status_code == 409
    assert "这一段退回理由很长，不能丢" in answer.content.decode()


def test_what_is_missing_is_said_beside_the_field_and_the_rest_is_kept(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)
    client = sit(handler_of(told))

    answer = send(client, told, "finish", result="办理经过写好了", reply="", true_account="yes")
    page = answer.content.decode()

    assert answer.status_code == 422
    assert 'id="do-reply-error"' in page
    assert "办理经过写好了</textarea>" in page
    assert told.case.state == State.WORKING


@pytest.mark.parametrize(
    ("word", "form"),
    [
        ("contact", {"contacted_at": "2030-01-01T10:00", "how": "phone", "reached": "yes"}),
        ("contact", {"contacted_at": "0001-01-01T00:00", "how": "phone", "reached": "yes"}),
        ("contact", {"contacted_at": "1899-12-31T23:59", "how": "phone", "reached": "yes"}),
        ("contact", {"contacted_at": "9999-12-31T23:59-12:00", "how": "phone", "reached": "yes"}),
        ("contact", {"contacted_at": "昨天", "how": "phone", "reached": "yes"}),
        ("contact", {"contacted_at": "2026-11-20T10:00", "how": "pigeon", "reached": "yes"}),
        ("interim_reply", {"reply": "还在办", "promised_on": "2020-01-01"}),
        ("interim_reply", {"reply": "还在办", "promised_on": "9999-12-31"}),
        ("interim_reply", {"reply": "还在办", "promised_on": "2027-12-20"}),
        ("interim_reply", {"reply": "还在办", "promised_on": "soon"}),
        ("note", {"note": "字" * 10_001}),
        ("note", {"note": "   "}),
        ("note", {"note": "\u3000\u200b\u2060\x01"}),
        ("note", {"note": "甲\0"}),
        ("finish", {"result": "\u200b", "reply": "\u200b\u2060", "true_account": "yes"}),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(
    sit: Sit, noon: Any, told: Told, word: str, form: dict[str, str]
) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)
    before = steps_of(told)

    answer = send(sit(handler_of(told)), told, word, **form)

    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
    assert steps_of(told) == before


@pytest.mark.parametrize("time", ["2020-01-01T10:00", "2026-11-20T09:30"])
def test_a_contact_before_the_matter_was_received_is_no_evidence(sit: Sit, noon: Any, told: Told, time: str) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)
    client = sit(handler_of(told))

    answer = send(client, told, "contact", contacted_at=time, how="phone", reached="yes", note="早就打过电话")

    assert answer.status_code == 422
    assert "联系的时间不对" in sentence(answer)
    assert "早就打过电话</textarea>" in answer.content.decode()
    assert told.case.contacted_at is None


@pytest.mark.parametrize("stored", [-62_135_625_943_000, 253_402_300_799_000, 10**17, "²", None])
@pytest.mark.parametrize("lang", ["zh-Hans", "en"])
def test_a_time_that_no_page_can_say_breaks_none(noon: Any, told: Told, stored: Any, lang: str) -> None:
    told = told.walk_to(State.WORKING).contact()
    view = cases_queries.case_view(viewer=handler_of(told), case_id=told.case_id)
    assert view is not None
    kept = [replace(line, facts={**line.facts, "contacted_at": stored, "office_id": stored}) for line in view.lines]

    said = lines.told(kept, moment=told.moment, lang=lang, public=lambda word: True)

    assert [line.seq for line in said] == [line.seq for line in reversed(view.lines)]


def test_what_an_office_writes_is_kept_without_what_cannot_be_seen(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)
    client = sit(handler_of(told))

    answer = send(client, told, "note", note="电话\u202e1008\u202c\x01\x1b[31m好\r\n再说", public="1")
    view = cases_queries.case_view(viewer=handler_of(told), case_id=told.case_id)

    assert answer.status_code == 303
    assert view is not None and view.lines[-1].texts["note"] == "电话1008[31m好\n再说"


@pytest.mark.parametrize("word", ["visit", "progress_visit", "hard_visit"])
@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_the_tellers_words_are_screened_at_the_desk_too_and_stay_on_the_page_alone(
    sit: Sit, noon: Any, told: Told, word: str, lang: str
) -> None:
    told = (
        hard_case(told)
        if word == "hard_visit"
        else told.walk_to(State.WORKING if word == "progress_visit" else State.VISITING)
    )
    at(noon, told)
    client = sit(told.by("visitor").by)
    before, stored = steps_of(told), cases_models.Passage.objects.count()
    answered = {"contacted": "yes", "solved": "yes", "satisfaction": "satisfied", "account_true": "yes"}
    form = {"result": "reached", "how": "phone", **(answered if word == "visit" else {})}

    client.defaults["HTTP_ACCEPT_LANGUAGE"] = lang
    refused = send(client, told, word, words=ACCUSATION, **form)
    left = steps_of(told), cases_models.Passage.objects.count()
    page = refused.content.decode()
    taken = send(client, told, word, words="亮了", **form)

    assert refused.status_code == 422
    assert "12388" in sentence(refused) and ("没有保存" if lang == "zh-CN" else "nothing was stored") in page
    assert f"{ACCUSATION}</textarea>" in page
    assert left == (before, stored)
    assert taken.status_code == 303


def test_without_contact_nothing_is_reported_finished(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)

    answer = send(sit(handler_of(told)), told, "finish", result="甲", reply=REPLY, true_account="yes")

    assert answer.status_code == 422
    assert "还没有联系过反映人" in sentence(answer)
    assert REPLY in answer.content.decode()


def test_a_visit_that_reached_the_teller_wants_all_four_answers(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.VISITING)
    at(noon, told)
    client = sit(told.by("visitor").by)

    partly = send(client, told, "visit", result="reached", how="phone", solved="yes", words="挺好")
    early = send(client, told, "visit", result="unreachable", how="phone")

    assert partly.status_code == 422 and "四个问题" in sentence(partly) and "挺好" in partly.content.decode()
    assert early.status_code == 422 and "不同的日子" in sentence(early)
    assert told.case.state == State.VISITING


def test_markup_that_a_resident_wrote_is_shown_and_never_run(sit: Sit, noon: Any, city: City, moment: Moment) -> None:
    told = tell(city, moment, "<script>alert(1)</script>路灯不亮<img src=x onerror=alert(2)>").walk_to(State.WORKING)
    at(noon, told)

    page = page_of(sit(handler_of(told)), told)

    assert "<script>alert" not in page and "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page


# --- how much it costs -----------------------------------------------------------------------------------------------


def test_a_case_page_takes_the_same_few_statements_for_a_short_and_a_long_story(
    sit: Sit, noon: Any, city: City, moment: Moment, told: Told
) -> None:
    told = told.walk_to(State.WORKING)
    at(noon, told)
    client = sit(handler_of(told))
    short = _statements(client, told)
    for n in range(25):
        told.take(steps.NOTE, told.by("handler"), texts={"note": f"第{n}笔"})
        tell(city, moment, f"海州区和平街道益民社区的路灯不亮了，第{n}盏").walk_to(State.WORKING)
    names.forget()

    long = _statements(client, told)

    assert short == long
    assert long + UNSEEN <= MOST_STATEMENTS


def _statements(client: Client, told: Told) -> int:
    path = f"/desk/case/{told.number}/?queue=working"
    client.get(path)
    with CaptureQueriesContext(connection) as made:
        assert client.get(path).status_code == 200
    return len(made)


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
@pytest.mark.parametrize(
    "state", [State.RECEIVED, State.ASSIGNED, State.WORKING, State.REVIEW, State.VISITING, State.CLOSED]
)
def test_every_state_and_every_form_has_a_page_in_both_languages(
    sit: Sit, noon: Any, city: City, told: Told, state: State, lang: str
) -> None:
    told = told.walk_to(state)
    at(noon, told)
    kinds = ("dispatcher", "reviewer", "visitor", "supervisor") + (
        ("handler", "head") if state != State.RECEIVED else ()
    )
    for kind in kinds:
        client = sit(told.by(kind).by if state != State.RECEIVED else dispatcher(city))
        page = client.get(f"/desk/case/{told.number}/", HTTP_ACCEPT_LANGUAGE=lang).content.decode()
        for word in set(re.findall(r"[?&;]do=([a-z_]+)", page)):
            answer = client.get(f"/desk/case/{told.number}/?do={word}", HTTP_ACCEPT_LANGUAGE=lang)
            assert answer.status_code == 200
            assert f'data-keep="{word}"' in answer.content.decode()


def test_the_ledger_of_a_supervised_and_redone_case_is_told_in_words(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.VISITING).visit(solved=Solved.NO, satisfaction=Satisfaction.NOT)
    late = told.later(days=20)
    oversight_actions.tick(moment=late.moment)
    noon.move_to(late.moment.at + timedelta(minutes=5))

    page = page_of(sit(late.by("supervisor").by), told)

    for words in ("没解决", "不满意", "反映人没有认可", "过了期限", "级，为"):
        assert words in page
    assert not re.findall(r"entry\.|step\.|desk\.", re.sub(r"<[^>]+>", "", page))


def test_a_closed_case_owes_nothing_and_says_so(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.CLOSED)
    at(noon, told)

    page = page_of(sit(handler_of(told)), told)

    assert "这件事走完了" in page


def test_photos_go_with_the_result_and_outlive_a_refusal(sit: Sit, noon: Any, told: Told) -> None:
    from tests.web.test_resident_tell import photo

    told = told.walk_to(State.WORKING)
    at(noon, told)
    client = sit(handler_of(told))
    refused = send(client, told, "finish", result="甲", reply=REPLY, true_account="yes", files=photo())
    page = refused.content.decode()
    upload = hidden(page, "upload")
    told.contact()
    again = {name: hidden(page, name) for name in ("key",)}

    answer = client.post(
        f"/desk/case/{told.number}/finish/",
        {**again, "result": "甲", "reply": REPLY, "true_account": "yes", "upload": upload},
    )

    assert refused.status_code == 422 and upload
    assert answer.status_code == 303
    assert cases_models.Attachment.objects.get(case_id=told.case_id).purpose == "finish"
    assert "附件" in page_of(client, told)


def test_evidence_that_is_too_large_is_said_and_the_words_stay(
    sit: Sit, noon: Any, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.web.test_resident_tell import photo

    told = told.walk_to(State.WORKING).contact()
    at(noon, told)
    client = sit(handler_of(told))
    charters = world.charters()
    charter = charters.in_force(told.moment.at)
    narrower = replace(charter, uploads=replace(charter.uploads, bytes_each=100))
    monkeypatch.setattr(world, "charters", lambda: replace(charters, editions=(narrower,)))
    sent = send(client, told, "finish", result="换了灯", reply=REPLY, true_account="yes", files=photo())
    page = sent.content.decode()

    assert sent.status_code == 422
    assert "太大了" in page and "换了灯" in page
    assert "finish" not in steps_of(told)
