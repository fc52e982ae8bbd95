"""Visits: who could not be reached and after how many tries, and what follows when one of several tellers leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import models, steps
from fuzhengtong.cases.states import DutyKind, Satisfaction, Solved, State, VisitResult
from fuzhengtong.charter.moment import Actor
from fuzhengtong.visits import actions
from fuzhengtong.visits import steps as visits_steps
from tests.builders import City, Told, tell

ZONE = ZoneInfo("Asia/Shanghai")


def on(told: Told, text: str) -> Told:
    return told.at(replace(told.moment, at=datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)))


def tried(told: Told, *texts: str) -> Told:
    for text in texts:
        told = on(told, text)
        cases_actions.take(
            case_id=told.case_id,
            step=visits_steps.ATTEMPT,
            appeal_id=told.appeal_id,
            moment=told.by("visitor"),
            kind=DutyKind.SATISFACTION_VISIT,
            how="phone",
            outcome="no_answer",
        )
    return told


def unreachable(told: Told, text: str) -> cases_actions.Taken:
    told = on(told, text)
    return actions.visit(
        case_id=told.case_id,
        appeal_id=told.appeal_id,
        moment=told.by("visitor"),
        result=VisitResult.UNREACHABLE,
        how="phone",
    )


# --- unreachable -------------------------------------------------------------------------------------------------


def test_three_days_and_three_hours_make_a_teller_unreachable_and_close_the_case(db, city, moment) -> None:
    told = tried(tell(city, moment).walk_to(State.VISITING), "2026-11-21T09:30", "2026-11-22T15:00")

    unreachable(told, "2026-11-23T18:10")

    assert told.case.state == State.CLOSED
    assert told.snapshot().appeals[0].visit_result == VisitResult.UNREACHABLE


@pytest.mark.parametrize(
    ("attempts", "last", "counted"),
    [
        (("2026-11-21T09:30", "2026-11-21T15:00"), "2026-11-21T18:00", 1),
        (("2026-11-21T09:30", "2026-11-22T09:40"), "2026-11-23T09:50", 1),
        (("2026-11-21T09:30", "2026-11-22T15:00"), "2026-11-23T15:30", 2),
    ],
)
def test_tries_of_one_day_or_of_one_hour_are_one_try(
    db, city, moment, attempts: tuple[str, ...], last: str, counted: int
) -> None:
    told = tried(tell(city, moment).walk_to(State.VISITING), *attempts)

    with pytest.raises(visits_steps.TooFewAttempts) as refused:
        unreachable(told, last)

    assert refused.value.params == {"attempts": counted, "needed": 3}
    assert told.case.state == State.VISITING


def test_tries_made_before_the_answer_was_given_do_not_count(db, city, moment) -> None:
    told = tell(city, moment).walk_to(State.VISITING)
    told = tried(told, "2026-11-21T09:30", "2026-11-22T15:00")
    told = on(told, "2026-11-22T16:00").visit(solved=Solved.NO, satisfaction=Satisfaction.NOT)
    told = told.later(hours=1).contact().finish().later(hours=1).review()

    with pytest.raises(visits_steps.TooFewAttempts):
        unreachable(told, "2026-11-23T18:10")


# --- one of several leaves ---------------------------------------------------------------------------------------


def joined(told: Told, name: str = "B") -> int:
    """Let a further telling hang on the case, as one that told of the same matter; return its id."""
    row = models.Appeal.objects.get(id=told.appeal_id)
    row.id = told.moment.mint.id()
    row.number, row.query_hash = f"{row.number}{name}", name.encode() * 32
    row.save(force_insert=True)
    return row.id


def two_tellers(city: City, moment: Any) -> tuple[Told, int]:
    told = tell(city, moment)
    other = joined(told)
    told = told.later(hours=1).dispatch().later(hours=1).sign().contact().finish().later(hours=1).review()
    visits = [duty for duty in told.snapshot().duties if duty.kind == DutyKind.SATISFACTION_VISIT and duty.is_open]
    assert {duty.appeal_id for duty in visits} == {told.appeal_id, other}
    return told.later(hours=1), other


def leaves(told: Told, appeal_id: int) -> cases_actions.Taken:
    teller = told.moment.acting(Actor(kind="resident", appeal_id=appeal_id))
    return told.take(steps.LEAVE, teller, appeal_id=appeal_id)


def words(told: Told) -> list[str]:
    return list(models.Entry.objects.filter(case_id=told.case_id).order_by("seq").values_list("step", flat=True))


def test_the_last_one_not_yet_heard_leaves_and_the_case_is_closed_by_what_the_others_said(db, city, moment) -> None:
    told, other = two_tellers(city, moment)
    told.visit()
    assert told.case.state == State.VISITING

    taken = leaves(told, other)

    assert taken.after.known.state == State.CLOSED == told.case.state
    assert words(told)[-2:] == ["leave", "close"]
    assert {duty.kind for duty in told.snapshot().duties if duty.is_open} == {DutyKind.ARCHIVE}


def test_who_leaves_makes_the_voice_of_one_who_is_not_content_weigh_more(db, city, moment) -> None:
    told = tell(city, moment)
    others = [joined(told, name) for name in ("B", "C")]
    told = told.later(hours=1).dispatch().later(hours=1).sign().contact().finish().later(hours=1).review()
    told.visit(solved=Solved.NO, satisfaction=Satisfaction.NOT)
    assert told.case.state == State.VISITING, "one of three is below the charter's share"

    leaves(told, others[0])

    assert told.case.state == State.REDO
    assert words(told)[-2:] == ["leave", "redo"]
    entry = models.Entry.objects.get(case_id=told.case_id, step="redo")
    assert entry.appeal_id == told.appeal_id, "the redo speaks of who asked for it, not of who left"


def test_who_leaves_while_another_still_waits_changes_nothing_for_him(db, city, moment) -> None:
    told, other = two_tellers(city, moment)

    leaves(told, other)

    case = told.case
    owed = [duty for duty in told.snapshot().duties if duty.is_open]
    assert (case.state, words(told)[-1]) == (State.VISITING, "leave")
    assert [(duty.kind, duty.appeal_id) for duty in owed] == [(DutyKind.SATISFACTION_VISIT, told.appeal_id)]
    assert case.next_due_at == owed[0].due_at


def test_who_leaves_before_there_is_an_answer_ends_nothing(db, city, moment) -> None:
    told = tell(city, moment)
    other = joined(told)
    told = told.later(hours=1).dispatch()

    leaves(told, other)

    assert told.case.state == State.ASSIGNED
    assert words(told)[-1] == "leave"
