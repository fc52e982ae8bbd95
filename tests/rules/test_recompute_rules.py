"""Counting a guessed promise anew, without a database: what qualifies, what the ledger says, what the watchdog hears."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from fuzhengtong.cases import rules, steps
from fuzhengtong.cases.states import DutyKind, DutyRow, State
from fuzhengtong.jobs import watchdog
from fuzhengtong.jobs.replay import Rebuilt, written
from fuzhengtong.jobs.watchdog import Alarm
from fuzhengtong.kernel.calendar import Calendar, DayKind
from fuzhengtong.oversight import rules as oversight_rules
from fuzhengtong.oversight import steps as oversight_steps
from tests.rules.holidays import public_calendar
from tests.rules.procedure_cases import CHARTERS, COUNTY_CODE, REVIEWER, TEXT, Walk

# Tuesday, 29 December 2026, ten in the morning in the city.
TUESDAY = datetime(2026, 12, 29, 2, 0, tzinfo=UTC)
GUESSING = replace(public_calendar(), announced=frozenset(range(2024, 2027)), version="guessing")


def announced(*off: str, worked: tuple[str, ...] = ()) -> Calendar:
    days = {date.fromisoformat(day): DayKind.OFF for day in off}
    days |= {date.fromisoformat(day): DayKind.INLIEU for day in worked}
    return Calendar(version="announced", days={**GUESSING.days, **days}, announced=GUESSING.announced | {2027})


ANNOUNCED = announced("2027-01-01")
CALENDARS = {calendar.version: calendar for calendar in (GUESSING, ANNOUNCED)}


def working() -> Walk:
    """A case whose work was promised for seven working days from Tuesday on: a guess."""
    return Walk(calendar=GUESSING, at=TUESDAY).to(State.WORKING)


def recompute(walk: Walk, calendar: Calendar = ANNOUNCED, **facts: Any) -> rules.Plan:
    walk.calendar = calendar
    return walk.take(oversight_steps.RECOMPUTE, calendar=calendar.version, **facts)


def judged(walk: Walk, lines: list[dict[str, Any]] | None = None) -> list[Alarm]:
    return watchdog.judge(
        case=walk.snapshot.known.number,
        is_open=walk.snapshot.known.is_open,
        lines=walk.lines if lines is None else lines,
        rows=walk.held(),
        at=walk.at,
        charters=CHARTERS,
        calendars=lambda version: CALENDARS[version],
    )


def finish(walk: Walk) -> DutyRow:
    return walk.duty(DutyKind.FINISH)


@pytest.mark.parametrize(
    ("changes", "calendar", "found"),
    [
        ({}, ANNOUNCED, True),
        ({}, GUESSING, False),
        ({}, replace(GUESSING, version="another"), False),
        ({"provisional": False}, ANNOUNCED, False),
        ({"calendar": "announced"}, ANNOUNCED, False),
        ({"paused_at": TUESDAY, "remaining": 3}, ANNOUNCED, False),
        ({"met_at": TUESDAY, "met_by": 1}, ANNOUNCED, False),
        ({"voided_at": TUESDAY, "voided_by": 1}, ANNOUNCED, False),
        ({"due_at": datetime(2027, 12, 31, 16, 0, tzinfo=UTC)}, ANNOUNCED, True),
        ({"due_at": datetime(2028, 1, 4, 16, 0, tzinfo=UTC)}, ANNOUNCED, False),
    ],
    ids=lambda one: getattr(one, "version", one) if not isinstance(one, dict) else ",".join(one) or "as it was made",
)
def test_a_running_guess_whose_years_are_announced_can_be_counted(
    changes: dict[str, Any], calendar: Calendar, found: bool
) -> None:
    duty = msgspec.structs.replace(finish(working()), **changes)

    assert rules.is_announced_since(duty, CHARTERS.editions[-1], calendar) is found


def test_the_entry_holds_each_promise_before_and_after_and_the_columns_follow() -> None:
    walk = working()
    before = finish(walk)

    plan = recompute(walk)

    after, body = finish(walk), walk.lines[-1]["body"]
    (moved,) = [one for one in body["recomputes"] if one["id"] == written(before.id)]
    assert after.due_at == before.due_at + timedelta(days=1)
    assert (moved["before"]["due_at"], moved["due_at"]) == (written(before.due_at), written(after.due_at))
    assert (moved["before"]["calendar"], body["calendar"]) == ("guessing", "announced")
    assert body["set"]["finish_due_at"] == written(after.due_at)
    assert walk.snapshot.known.finish_due_at == after.due_at
    assert plan.follow == ("notices",)
    assert judged(walk) == []


def test_the_ledger_alone_rebuilds_what_was_counted_anew() -> None:
    walk = working()
    recompute(walk)

    rebuilt = Rebuilt()
    for number, line in enumerate(walk.lines, start=1):
        rebuilt.apply(number, line)

    row = finish(walk)
    told = rebuilt.duties[row.id]
    for column in ("due_at", "provisional", "rung", "calendar"):
        assert told[column] == written(getattr(row, column))
    assert "before" not in told
    assert rebuilt.looked[row.id] == ("announced", COUNTY_CODE)


def test_with_nothing_to_count_there_is_no_entry() -> None:
    walk = working()

    with pytest.raises(steps.NothingProvisional):
        recompute(walk, GUESSING)
    with pytest.raises(steps.NothingProvisional):
        walk.take(oversight_steps.RECOMPUTE, calendar="announced")
    recompute(walk)
    with pytest.raises(steps.NothingProvisional):
        recompute(walk)


def test_looks_taken_too_soon_are_taken_again_and_the_others_are_not() -> None:
    walk = working()
    guess = finish(walk)
    walk.pass_time(guess.due_at + timedelta(hours=1))
    assert finish(walk).rung == 2 and walk.snapshot.known.finish_late is True

    recompute(walk)

    row = finish(walk)
    # It was reminded of in time by the new day too; that it is overdue was said a day too soon.
    assert (row.rung, row.look, row.look_at) == (1, "overdue", row.due_at)
    assert walk.snapshot.known.finish_late is None
    assert judged(walk) == []
    walk.pass_time(row.due_at + timedelta(minutes=1))
    assert finish(walk).rung == 2 and walk.snapshot.known.finish_late is True
    assert judged(walk) == []


def test_sent_back_work_is_a_guess_where_the_promise_before_it_reaches_into_an_unknown_year() -> None:
    walk = working().finish()
    plan = walk.take(steps.SEND_BACK, REVIEWER, reason=TEXT)

    (owed,) = [duty for duty in plan.after.duties if duty.kind == DutyKind.FINISH and duty.is_open]
    assert owed.due_at == walk.snapshot.known.finish_due_at
    assert owed.provisional
    assert judged(walk) == []


def test_the_promise_before_is_counted_anew_only_where_it_was_a_guess() -> None:
    duty = finish(working())
    told = oversight_rules.Earlier(
        owed_from=TUESDAY, length=7, unit="working_days", edition=duty.edition, due_at=duty.due_at, provisional=True
    )

    def carried(earlier: oversight_rules.Earlier) -> datetime | None:
        since = oversight_rules.since(
            duty, stopped=None, earlier=earlier, charters=CHARTERS, calendar=ANNOUNCED, area=COUNTY_CODE
        )
        return since.carried if since else None

    assert carried(told) == duty.due_at + timedelta(days=1)
    assert carried(replace(told, provisional=False)) == duty.due_at


class TestTheWatchdogRings:
    def test_when_a_promise_moves_that_was_no_guess(self) -> None:
        walk = working()
        recompute(walk)
        lines = copy.deepcopy(walk.lines)
        for line in lines:
            for owed in line["body"].get("owes", ()):
                owed["provisional"] = False

        found = judged(walk, lines)

        assert {alarm.code for alarm in found} == {"moved_without_reason"}

    def test_when_it_was_moved_elsewhere_than_its_calendar_says(self) -> None:
        walk = working()
        recompute(walk)
        lines = copy.deepcopy(walk.lines)
        for told in lines[-1]["body"]["recomputes"]:
            told["due_at"] += 86_400_000

        found = judged(walk, lines)

        assert {alarm.code for alarm in found} == {"told_due_differs"}

    def test_when_a_row_stayed_where_the_guess_had_put_it(self) -> None:
        walk = working()
        guess = finish(walk)
        recompute(walk)
        duties = tuple(guess if duty.id == guess.id else duty for duty in walk.snapshot.duties)
        walk.snapshot = msgspec.structs.replace(walk.snapshot, duties=duties)

        found = judged(walk)

        assert {alarm.code for alarm in found} == {"due_differs", "look_differs"}
