from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from fuzhengtong.cases.states import State
from fuzhengtong.charter.moment import Moment
from fuzhengtong.jobs import watchdog
from fuzhengtong.jobs.watchdog import Alarm
from fuzhengtong.oversight import actions as oversight_actions
from tests.builders import City, tell
from tests.cluster import Databases
from tests.conftest import point_to


def passed(moment: Moment) -> list[Alarm]:
    return watchdog.pass_over(moment=moment, beat_at=moment.at, batch=2)


def codes(alarms: list[Alarm]) -> set[tuple[str, str]]:
    return {(alarm.code, alarm.kind) for alarm in alarms}


def later(moment: Moment, **span: float) -> Moment:
    return replace(moment, at=moment.at + timedelta(**span))


def ticked(moment: Moment) -> Moment:
    while oversight_actions.tick(moment=moment).steps:
        pass
    return moment


def test_a_city_whose_ticker_works_rings_nothing(db: None, city: City, moment: Moment) -> None:
    for state in (State.RECEIVED, State.ASSIGNED, State.REVIEW, State.VISITING, State.CLOSED):
        tell(city, moment).walk_to(state)

    for days in (0.2, 1, 5, 40):
        assert passed(ticked(later(moment, days=days))) == []


def test_a_city_whose_ticker_stands_still_rings_for_every_promise_and_for_the_ticker(
    db: None, city: City, moment: Moment
) -> None:
    told = tell(city, moment)
    asleep = later(moment, hours=1)

    found = watchdog.pass_over(moment=asleep, beat_at=moment.at)

    assert codes(found) == {("heartbeat_old", ""), ("look_missed", "dispatch")}
    assert {alarm.case for alarm in found} == {"", told.number}


@pytest.fixture
def owner(databases: Databases, own_database: str) -> Iterator[None]:
    """Act as the owner of the tables of a database of one's own."""
    point_to(databases.owner_url(own_database))
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def by_hand(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


PLANTED = {
    "a_due_time_moved": (
        "UPDATE cases_duty SET due_at = due_at + interval '1 day' WHERE kind = 'accept'",
        {("due_differs", "accept")},
    ),
    "a_look_put_off": (
        "UPDATE cases_duty SET look_at = look_at + interval '1 day' WHERE kind = 'dispatch'",
        {("look_differs", "dispatch")},
    ),
    "a_rung_skipped": ("UPDATE cases_duty SET rung = rung + 1 WHERE kind = 'accept'", {("rung_differs", "accept")}),
    "a_duty_met_by_nobody": (
        "UPDATE cases_duty SET met_at = owed_from, met_by = 1, look_at = NULL WHERE kind = 'accept'",
        {("row_missing", "accept")},
    ),
    "a_clock_stopped": (
        "UPDATE cases_duty SET paused_at = owed_from, remaining = 1 WHERE kind = 'accept'",
        {("pause_differs", "accept")},
    ),
    "bytes_that_cannot_be_read": (
        "SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE cases_entry DISABLE TRIGGER USER; "
        "UPDATE cases_entry SET body = '\\x00'",
        {("ledger_unreadable", "")},
    ),
}


@pytest.mark.parametrize(("sql", "found"), PLANTED.values(), ids=PLANTED)
def test_a_planted_fault_rings(owner: None, city: City, moment: Moment, sql: str, found: set[tuple[str, str]]) -> None:
    tell(city, moment)
    before = passed(moment)
    by_hand(sql)

    assert before == []
    assert codes(passed(moment)) == found


def test_the_loop_rings_once_for_a_fault_and_once_when_it_is_over(
    db: None, city: City, moment: Moment, tmp_path: Path
) -> None:
    tell(city, moment)
    turns = iter([timedelta(hours=1), timedelta(hours=1, minutes=1), timedelta(hours=1, minutes=2)])
    clock = iter([moment.at])
    slept: list[float] = []

    def now() -> datetime:
        at = next(clock, None) or moment.at + next(turns)
        watchdog.beat(home=tmp_path, at=at)
        if len(slept) == 2:
            ticked(replace(moment, at=at))
        return at

    watchdog.run_forever(home=tmp_path, clock=now, pause=slept.append, stop=lambda: len(slept) == 3)

    written: list[dict[str, Any]] = [json.loads(line) for line in (tmp_path / watchdog.ALARMS).read_text().splitlines()]
    assert [(line["what"], line["code"]) for line in written] == [("begun", "look_missed"), ("over", "look_missed")]
    assert all(seconds >= watchdog.SHORTEST_SLEEP_S for seconds in slept)
