"""Promises and their clocks: reminded, overdue, supervised, lapsed, archived: each look once, however late it comes."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connection

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import models, rules, steps
from fuzhengtong.cases.states import DutyKind, Satisfaction, Solved, State, VisitResult
from fuzhengtong.chain import followers
from fuzhengtong.charter.load import load_charters
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.jobs import verify
from fuzhengtong.oversight import actions
from fuzhengtong.oversight import steps as oversight_steps
from fuzhengtong.reporting import actions as reporting_actions
from fuzhengtong.visits import steps as visits_steps
from tests.builders import LAMP, Told, tell

CITY = ZoneInfo("Asia/Shanghai")


def local(text: str) -> datetime:
    """An instant of the city's clock, as 2026-11-20 10:00."""
    return datetime.fromisoformat(text).replace(tzinfo=CITY).astimezone(UTC)


def tick(told: Told, at: datetime) -> int:
    """Let the ticker look until nothing is left to do at an instant; return how many steps it took."""
    moment, taken = replace(told.moment, at=at), 0
    while found := actions.tick(moment=moment).steps:
        taken += found
    return taken


def looks(told: Told, kind: DutyKind | None = None) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for entry in models.Entry.objects.filter(case_id=told.case_id).order_by("seq"):
        facts = json.loads(bytes(entry.body))["body"].get("facts", {})
        if entry.step in ("remind", "overdue", "supervise") and kind in (None, facts.get("kind")):
            found.append((entry.step, {**facts, "at": entry.at}))
    return found


def duty(told: Told, kind: DutyKind) -> models.Duty:
    return models.Duty.objects.filter(case_id=told.case_id, kind=kind).latest("id")


def in_work(city: Any, moment: Any, text: str = LAMP) -> Told:
    """A case that owes its finish alone: signed, contacted, and its progress visit made."""
    told = tell(city, moment, text).walk_to(State.WORKING).contact()
    cases_actions.take(
        case_id=told.case_id,
        step=visits_steps.PROGRESS_VISIT,
        appeal_id=told.appeal_id,
        moment=told.by("visitor"),
        result=VisitResult.REACHED,
        how="phone",
    )
    assert {row.kind for row in told.snapshot().duties if row.is_open} == {DutyKind.FINISH}
    return told


# --- the ladder of one promise -----------------------------------------------------------------------------------

# A lamp assigned on Friday, 20 November 2026: the three working days of its category end with Wednesday.
DUE = local("2026-11-26 00:00")
RUNGS = (
    ("overdue", 0, local("2026-11-26 00:00")),
    ("supervise", 3, local("2026-11-27 00:00")),
    ("supervise", 2, local("2026-11-28 00:00")),
    ("supervise", 1, local("2026-12-02 00:00")),
)


def test_a_promise_is_reminded_of_at_three_quarters_in_office_hours(db, city, moment) -> None:
    told = in_work(city, moment)
    at = duty(told, DutyKind.FINISH).look_at

    assert duty(told, DutyKind.FINISH).due_at == DUE
    before = tick(told, at - timedelta(milliseconds=1))
    once = tick(told, at)
    again = tick(told, at + timedelta(hours=3))

    assert (before, once, again) == (0, 1, 0)
    assert [step for step, _ in looks(told)] == ["remind"]
    clock = at.astimezone(CITY)
    assert clock.weekday() < 5 and any(opens <= clock.time() <= closes for opens, closes in moment.charter.clock.hours)
    # Three quarters of Friday's rest and three working days lie in the third of them.
    assert local("2026-11-24 13:00") <= at <= local("2026-11-25 12:00")


def test_a_missed_promise_is_overdue_at_its_end_and_climbs_the_ladder_once_a_rung(db, city, moment) -> None:
    told = in_work(city, moment)
    tick(told, DUE - timedelta(milliseconds=1))

    for place, (step, level, at) in enumerate(RUNGS, start=1):
        tick(told, at - timedelta(milliseconds=1))
        assert len(looks(told, DutyKind.FINISH)) == place
        assert tick(told, at) >= 1
        assert tick(told, at) == 0
        found = looks(told, DutyKind.FINISH)[place]
        assert (found[0], found[1].get("level", 0)) == (step, level)
        assert told.case.supervision == (level or told.case.supervision)

    assert Counter(step for step, _ in looks(told, DutyKind.FINISH)) == {"remind": 1, "overdue": 1, "supervise": 3}
    tick(told, RUNGS[-1][2] + timedelta(days=60))
    assert len(looks(told, DutyKind.FINISH)) == 5


def test_each_order_is_given_by_the_office_of_its_level_and_owes_a_reply(db, city, moment) -> None:
    told = in_work(city, moment)

    tick(told, RUNGS[-1][2])

    orders = {facts["level"]: facts for step, facts in looks(told) if step == "supervise"}
    assert orders[3]["by_office"] == str(city.county_centre("210902").office_id)
    assert orders[2]["by_office"] == str(city.desk.office_id)
    assert orders[1]["by_office"] == str(
        directory_queries.supervising_office(by="chief_clerk", county_id=told.case.county_id)
    )
    replies = models.Duty.objects.filter(case_id=told.case_id, kind=DutyKind.SUPERVISION_REPLY)
    assert {str(row.about) for row in replies} == {facts["about"] for facts in orders.values()}
    assert {row.owed_by_id for row in replies} == {told.case.office_id}
    assert told.case.supervision == 1


def test_an_order_is_met_by_its_reply_and_by_no_other(db, city, moment) -> None:
    told = in_work(city, moment)
    tick(told, RUNGS[2][2])
    told = told.at(replace(told.moment, at=RUNGS[2][2] + timedelta(hours=10)))
    first, second = models.Duty.objects.filter(kind=DutyKind.SUPERVISION_REPLY).order_by("id")

    with pytest.raises(oversight_steps.NoSuchDuty):
        actions.reply(case_id=told.case_id, about=1, text="已经安排。", moment=told.by("handler"))
    actions.reply(case_id=told.case_id, about=second.about, text="灯杆周一到货，当天装。", moment=told.by("handler"))

    first.refresh_from_db()
    second.refresh_from_db()
    assert second.met_at is not None and first.met_at is None
    with pytest.raises(oversight_steps.NoSuchDuty):
        actions.reply(case_id=told.case_id, about=second.about, text="再报一次。", moment=told.by("handler"))


def test_another_office_does_not_answer_an_order(db, city, moment) -> None:
    told = in_work(city, moment)
    tick(told, RUNGS[1][2])
    order = models.Duty.objects.get(kind=DutyKind.SUPERVISION_REPLY)
    stranger = city.actor("handler", city.office("210922-zjj").office_id, at=moment.at)

    with pytest.raises(rules.NotYours):
        actions.reply(case_id=told.case_id, about=order.about, text="不归我们。", moment=told.moment.acting(stranger))


def test_a_promise_kept_in_time_is_left_in_peace(db, city, moment) -> None:
    told = in_work(city, moment)
    at = local("2026-11-25 10:00")
    told.at(replace(told.moment, at=at)).finish().review().visit()

    tick(told, RUNGS[-1][2])

    assert looks(told) == []
    assert told.case.finish_late is False


def test_an_order_by_hand_has_its_reason_and_no_second_one_of_its_degree(db, city, moment) -> None:
    told = in_work(city, moment)
    supervisor = told.moment.acting(city.actor("supervisor", city.desk.office_id, at=moment.at))

    actions.supervise(case_id=told.case_id, level=2, reason="居民两次来电。", moment=supervisor)

    with pytest.raises(oversight_steps.AlreadySupervised):
        actions.supervise(case_id=told.case_id, level=3, reason="再督办。", moment=supervisor)
    actions.supervise(case_id=told.case_id, level=1, reason="升级。", moment=supervisor)
    assert told.case.supervision == 1
    assert models.Passage.objects.filter(kind="reason").count() == 2


# --- late --------------------------------------------------------------------------------------------------------


def test_after_three_days_of_downtime_each_look_comes_once_and_says_how_late(db, city, moment) -> None:
    told = in_work(city, moment)
    due = duty(told, DutyKind.FINISH).look_at
    back = RUNGS[1][2] + timedelta(days=3)

    tick(told, back)

    found = looks(told, DutyKind.FINISH)
    assert [step for step, _ in found] == ["remind", "overdue", "supervise", "supervise"]
    late = [int((back - at).total_seconds()) for at in (due, DUE, RUNGS[1][2], RUNGS[2][2])]
    assert [facts["late_by_s"] for _, facts in found] == late
    assert {facts["at"] for _, facts in found} == {back}
    assert tick(told, back) == 0


def test_a_late_finish_is_counted_late_in_the_month_it_fell_due(db, city, moment) -> None:
    told = in_work(city, moment)
    tick(told, DUE)
    assert told.case.finish_late is True

    told = told.at(replace(told.moment, at=DUE + timedelta(hours=12))).finish().review()
    reporting_actions.fold()

    assert told.case.finish_late is True
    with connection.cursor() as cursor:
        cursor.execute("SELECT month, measure, n FROM reporting_rollup WHERE measure IN ('late', 'on_time') AND n <> 0")
        assert cursor.fetchall() == [(202611, "late", 1)]


def test_the_last_moment_of_the_day_is_still_in_time(db, city, moment) -> None:
    told = in_work(city, moment)

    told.at(replace(told.moment, at=DUE)).finish().review()

    assert told.case.finish_late is False


def test_what_is_missed_before_dispatch_climbs_as_well(db, city, moment) -> None:
    told = tell(city, moment)

    tick(told, moment.at + timedelta(minutes=2))

    assert looks(told, DutyKind.DISPATCH)[0][0] == "overdue"
    assert told.case.finish_late is None


# --- waiting and resting -----------------------------------------------------------------------------------------


def asked(city: Any, moment: Any) -> Told:
    told = tell(city, moment).later(hours=1)
    told.take(steps.ASK_INFO, told.by("dispatcher"), texts={"question": "是哪一栋楼？"})
    return told


def test_a_question_without_an_answer_lapses_after_three_working_days(db, city, moment) -> None:
    told = asked(city, moment)
    info = duty(told, DutyKind.INFO)

    assert info.due_at == local("2026-11-26 00:00")
    tick(told, info.due_at - timedelta(milliseconds=1))
    assert told.case.state == State.NEED_INFO
    assert [step for step, _ in looks(told, DutyKind.INFO)] == ["remind"] * moment.charter.need_info.reminders
    tick(told, info.due_at)

    assert told.case.state == State.RECEIVED
    accept = duty(told, DutyKind.ACCEPT)
    assert accept.paused_at is None and accept.due_at > info.due_at
    assert duty(told, DutyKind.INFO).met_at == info.due_at


def test_the_clock_stands_still_while_a_question_is_open(db, city, moment) -> None:
    told = asked(city, moment)

    tick(told, local("2026-11-25 23:00"))

    assert looks(told, DutyKind.ACCEPT) == []
    assert duty(told, DutyKind.ACCEPT).look_at is None


def test_a_closed_case_is_archived_after_thirty_days_and_rests(db, city, moment) -> None:
    told = tell(city, moment).walk_to(State.CLOSED)
    archive = duty(told, DutyKind.ARCHIVE)

    assert archive.due_at == local("2026-12-21 00:00")
    tick(told, archive.due_at - timedelta(milliseconds=1))
    assert told.case.state == State.CLOSED
    tick(told, archive.due_at)

    assert told.case.state == State.ARCHIVED
    assert not models.Duty.objects.filter(met_at=None, voided_at=None).exists()
    assert tick(told, archive.due_at + timedelta(days=400)) == 0


# --- done again --------------------------------------------------------------------------------------------------


def unhappy(told: Told, hours: int) -> Told:
    return told.later(hours=hours).visit(solved=Solved.NO, satisfaction=Satisfaction.NOT)


def done_again(told: Told) -> Told:
    told = told.later(hours=3)
    return told.contact().finish().review()


def test_the_first_redo_asks_again_and_the_second_brings_a_hard_visit_and_supervision(db, city, moment) -> None:
    told = unhappy(tell(city, moment).walk_to(State.VISITING), 1)
    followers.run("oversight", moment=told.moment)

    case = told.case
    assert (case.state, case.redo_count, case.is_hard, case.supervision) == (State.REDO, 1, False, 0)
    assert not models.Duty.objects.filter(kind=DutyKind.HARD_VISIT).exists()

    told = unhappy(done_again(told), 1)
    followers.run("oversight", moment=told.moment)
    followers.run("oversight", moment=told.moment)

    case = told.case
    assert (case.state, case.redo_count, case.is_hard, case.supervision) == (State.REDO, 2, True, 2)
    hard = models.Duty.objects.get(kind=DutyKind.HARD_VISIT)
    assert hard.met_at is None and hard.owed_by_id == case.desk_id
    assert [facts["level"] for step, facts in looks(told) if step == "supervise"] == [2]
    assert models.Duty.objects.filter(kind=DutyKind.SUPERVISION_REPLY, met_at=None).count() == 1


def test_a_hard_case_does_not_close_before_its_hard_visit(db, city, moment) -> None:
    told = tell(city, moment).walk_to(State.VISITING)
    told = unhappy(done_again(unhappy(told, 1)), 1)
    told = done_again(told).later(hours=1).visit()
    assert told.case.state == State.VISITING

    cases_actions.take(
        case_id=told.case_id,
        step=visits_steps.HARD_VISIT,
        appeal_id=told.appeal_id,
        moment=told.by("visitor"),
        result=VisitResult.REACHED,
        how="on_site",
    )

    assert told.case.state == State.CLOSED


# --- one broken case ---------------------------------------------------------------------------------------------


def test_a_broken_case_does_not_stop_the_clocks_of_the_others(own_database, city, moment, caplog) -> None:
    bad, *good = [in_work(city, moment, f"{LAMP}，第 {place} 盏") for place in range(4)]
    models.Duty.objects.filter(case_id=bad.case_id, kind=DutyKind.FINISH).update(edition="1999-01")

    taken = actions.tick(moment=replace(moment, at=DUE))

    assert [[step for step, _ in looks(told)] for told in good] == [["remind", "overdue"]] * 3
    assert taken.steps == 6
    assert looks(bad) == []
    assert str(bad.case_id) in caplog.text
    assert actions.tick(moment=replace(moment, at=DUE)).cases == 0

    models.Duty.objects.filter(case_id=bad.case_id, kind=DutyKind.FINISH).update(edition="2022-10")
    tick(bad, DUE + actions.LEFT_FOR)
    assert [step for step, _ in looks(bad)] == ["remind", "overdue"]


def test_a_case_that_somebody_holds_is_left_to_him(own_database, city, moment) -> None:
    import threading

    from django.db import connections

    held, free = (in_work(city, moment, f"{LAMP}，第 {place} 盏") for place in range(2))
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with cases_actions.at_desk(case_id=held.case_id, moment=moment):
                entered.set()
                leave.wait(10)
        finally:
            connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(10)
    try:
        actions.tick(moment=replace(moment, at=DUE))
    finally:
        leave.set()
        holder.join()

    assert [step for step, _ in looks(free)] == ["remind", "overdue"]
    assert looks(held) == []
    tick(held, DUE)
    assert [step for step, _ in looks(held)] == ["remind", "overdue"]


# --- a new charter -----------------------------------------------------------------------------------------------


@pytest.fixture
def two_editions(tmp_path: Path) -> Any:
    """The founding edition, and one from 23 November that promises two working days and has a slower ladder."""
    first = (settings.CHARTERS / "2022-10.toml").read_text(encoding="utf-8")
    second = first.replace('edition = "2022-10"', 'edition = "2026-11"')
    second = second.replace("active_from = 2022-10-01", "active_from = 2026-11-23")
    second = second.replace("[terms.finish]\nlength = 7", "[terms.finish]\nlength = 2")
    second = second.replace("level = 3\nafter = 1\n", "level = 3\nafter = 3\n")
    second = second.replace("level = 2\nafter = 2\n", "level = 2\nafter = 5\n")
    second = second.replace("level = 1\nafter = 4\n", "level = 1\nafter = 9\n")
    (tmp_path / "2022-10.toml").write_text(first, encoding="utf-8")
    (tmp_path / "2026-11.toml").write_text(second, encoding="utf-8")
    return load_charters(tmp_path)


def test_a_new_edition_leaves_a_running_promise_as_it_was_made(db, city, moment, two_editions) -> None:
    moment = replace(moment, charters=two_editions)
    old = in_work(city, moment)
    monday = replace(moment, at=local("2026-11-23 09:00"))
    new = in_work(city, monday)

    assert duty(old, DutyKind.FINISH).edition == "2022-10"
    assert duty(old, DutyKind.FINISH).due_at == DUE
    assert duty(new, DutyKind.FINISH).edition == "2026-11"
    assert duty(new, DutyKind.FINISH).due_at == local("2026-11-26 00:00")
    tick(old, RUNGS[-1][2])

    reached = [facts["level"] for step, facts in looks(old, DutyKind.FINISH) if step == "supervise"]
    assert reached == [3, 2, 1]
    # Three working days after Wednesday, 25 November end with the 30th, five with 2 December.
    reached = [facts["level"] for step, facts in looks(new, DutyKind.FINISH) if step == "supervise"]
    assert reached == [3]
    entry = models.Entry.objects.filter(case_id=old.case_id, step="supervise").latest("id")
    assert entry.edition == "2026-11", "the order is given under the rules of its day"


def test_a_city_that_was_looked_at_late_is_whole(own_database, city, moment) -> None:
    for place in range(3):
        in_work(city, moment, f"{LAMP}，第 {place} 盏")
    told = asked(city, moment)
    unhappy(done_again(unhappy(tell(city, moment).walk_to(State.VISITING), 1)), 1)
    followers.run("oversight", moment=told.moment)

    tick(told, local("2027-01-20 09:00"))

    report = verify.verify(acknowledged=None, canaries=None, deep=False, say=lambda line: None)
    assert report.ok, report.as_text()
