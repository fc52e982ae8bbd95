from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzhengtong.cases import steps
from fuzhengtong.cases.states import DutyKind, State
from fuzhengtong.connectors.lines import Limits
from fuzhengtong.jobs import watchdog
from fuzhengtong.jobs.days import Days
from fuzhengtong.jobs.watchdog import Alarm, Bell
from fuzhengtong.kernel import due
from fuzhengtong.kernel.calendar import Calendar, DayKind
from tests.rules.procedure_cases import CHARTERS, DISPATCHER, MONDAY, REVIEWER, TEXT, Walk, walking

law = settings(deadline=None, max_examples=120)

HOURS = ((time(8, 30), time(12)), (time(13), time(17)))
CLOCKS = (
    due.Clock(zone=ZoneInfo("Asia/Shanghai"), hours=HOURS),
    due.Clock(zone=ZoneInfo("Asia/Shanghai"), hours=HOURS, day_end=time(17)),
    due.Clock(zone=ZoneInfo("Asia/Urumqi"), hours=((time(9), time(17, 20)),)),
)
AREA = "210921000000"
dates = st.dates(date(2026, 1, 1), date(2026, 12, 31))
calendars = st.builds(
    Calendar,
    version=st.just("made"),
    days=st.dictionaries(dates, st.sampled_from([DayKind.OFF, DayKind.INLIEU]), max_size=30),
    announced=st.just(frozenset({2026})),
    local=st.frozensets(dates, max_size=8).map(lambda closed: {AREA: closed}),
)
instants = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 - the zone follows
    datetime(2026, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
units = st.sampled_from(due.Unit)
areas = st.sampled_from([None, AREA])


class TestItsOwnArithmetic:
    """Two ways of counting that share no line agree on every term, pause and reminder."""

    @law
    @given(calendars, st.sampled_from(CLOCKS), areas, instants, st.integers(0, 40), units)
    def test_falls_due_when_the_spine_says(
        self, calendar: Calendar, clock: due.Clock, area: str | None, start: datetime, length: int, unit: due.Unit
    ) -> None:
        ours = Days(calendar, clock, area).due(start, length, unit.value)

        assert ours == due.due_at(start=start, length=length, unit=unit, calendar=calendar, clock=clock, area=area).at

    @law
    @given(calendars, st.sampled_from(CLOCKS), areas, instants, st.integers(1, 20), units, st.floats(0, 1.2))
    def test_stops_and_goes_on_as_the_spine_does(
        self,
        calendar: Calendar,
        clock: due.Clock,
        area: str | None,
        start: datetime,
        length: int,
        unit: due.Unit,
        share: float,
    ) -> None:
        days = Days(calendar, clock, area)
        ends = days.due(start, length, unit.value)
        paused = start + (ends - start) * share
        resumed = paused + timedelta(days=3, hours=5)

        left = days.left(paused, ends, unit.value)

        rest = due.remaining(at=paused, due=ends, unit=unit, calendar=calendar, clock=clock, area=area)
        assert left == rest
        assert (
            days.resumed(resumed, left, unit.value)
            == due.resume(at=resumed, remaining=rest, unit=unit, calendar=calendar, clock=clock, area=area).at
        )

    @law
    @given(calendars, st.sampled_from(CLOCKS), areas, instants, st.integers(1, 20), units, st.floats(0, 1))
    def test_reminds_when_the_spine_does(
        self,
        calendar: Calendar,
        clock: due.Clock,
        area: str | None,
        start: datetime,
        length: int,
        unit: due.Unit,
        share: float,
    ) -> None:
        days = Days(calendar, clock, area)
        ends = days.due(start, length, unit.value)

        ours = days.share(start, ends, share, unit.value)

        theirs = due.share_at(start=start, due=ends, share=share, unit=unit, calendar=calendar, clock=clock, area=area)
        assert abs(ours - theirs) <= timedelta(milliseconds=1)


def judged(walk: Walk, **changes: Any) -> list[Alarm]:
    asked: dict[str, Any] = {
        "case": walk.snapshot.known.number,
        "is_open": walk.snapshot.known.is_open,
        "lines": walk.lines,
        "rows": walk.held(),
        "at": walk.at,
        "charters": CHARTERS,
        "calendars": lambda version: walk.calendar,
    }
    return watchdog.judge(**(asked | changes))


def codes(alarms: list[Alarm]) -> list[tuple[str, str]]:
    return [(alarm.code, alarm.kind) for alarm in alarms]


ROAD = [State.RECEIVED, State.ACCEPTED, State.ASSIGNED, State.WORKING, State.REVIEW, State.VISITING, State.CLOSED]


@pytest.mark.parametrize("urgency", ["ordinary", "urgent", "critical"])
@pytest.mark.parametrize("state", ROAD)
def test_a_case_on_its_way_rings_nothing(state: State, urgency: str) -> None:
    walk = walking().to(state, urgency=urgency)

    assert judged(walk) == []


@pytest.mark.parametrize("state", ROAD)
def test_a_case_that_is_left_lying_rings_nothing_while_the_ticker_climbs(state: State) -> None:
    walk = walking().to(state)

    for _ in range(40):
        walk.pass_time(walk.at + timedelta(days=1))

        assert judged(walk) == []


@pytest.mark.parametrize("state", ROAD)
def test_a_ticker_that_slept_for_weeks_and_caught_up_rings_nothing_more(state: State) -> None:
    walk = walking().to(state).later(days=45)
    asleep = judged(walk)

    walk.tick()

    assert asleep != []
    assert judged(walk) == []


def test_a_redo_and_an_answer_sent_back_keep_their_promises() -> None:
    walk = walking().to(State.REVIEW)
    walk.later(hours=2).take(steps.SEND_BACK, REVIEWER, reason=TEXT)
    sent_back = judged(walk)
    walk.later(hours=2).finish().review().visit(solved="no", satisfaction="not")
    walk.take(steps.REDO, appeal_id=walk.appeal_id)

    assert sent_back == judged(walk) == []


@pytest.mark.parametrize("hours", [1, 20, 90])
def test_a_promise_that_was_paused_goes_on_with_what_was_left(hours: int) -> None:
    walk = walking().register().later(hours=3)
    walk.take(steps.ASK_INFO, DISPATCHER, question=TEXT)
    paused = judged(walk)
    walk.pass_time(walk.at + timedelta(hours=hours))
    if walk.snapshot.known.state == State.NEED_INFO:
        walk.take(steps.ANSWER, walk.teller, appeal_id=walk.appeal_id, answer=TEXT)

    assert paused == judged(walk) == []


def test_a_term_longer_by_law_owes_an_interim_reply() -> None:
    walk = walking().register().accept(category="S09", days=7).assign()

    assert walk.snapshot.open_duty(DutyKind.INTERIM_REPLY) is not None
    assert judged(walk) == []


class TestItRings:
    def test_when_the_ticker_sleeps(self) -> None:
        walk = walking().to(State.WORKING)
        walk.later(days=1)

        found = judged(walk)

        assert codes(found) == [("look_missed", "progress_visit")]
        assert found[0].expected.startswith("remind at 2026-11-17 00:30")

    def test_when_a_look_is_not_yet_late_enough_it_waits(self) -> None:
        walk = walking().register()
        walk.at = walk.duty(DutyKind.DISPATCH).due_at + timedelta(seconds=30)

        assert judged(walk) == []
        assert codes(judged(walk, grace=timedelta(seconds=10))) == [("look_missed", "dispatch")]

    def test_when_a_due_time_was_moved_by_hand(self) -> None:
        walk = walking().to(State.WORKING)
        rows = [replace(row, due_at=row.due_at + timedelta(days=2)) for row in walk.held()]

        found = judged(walk, rows=rows)

        assert set(codes(found)) == {("due_differs", "finish"), ("due_differs", "progress_visit")}

    def test_when_a_look_was_put_off_or_taken_away(self) -> None:
        walk = walking().register()
        later = [replace(row, look_at=row.look_at and row.look_at + timedelta(days=2)) for row in walk.held()]
        never = [replace(row, look_at=None) for row in walk.held()]

        assert codes(judged(walk, rows=later)) == [("look_differs", "dispatch"), ("look_differs", "accept")]
        assert codes(judged(walk, rows=never)) == [("look_differs", "dispatch"), ("look_differs", "accept")]

    def test_when_a_row_is_gone_or_was_never_promised(self) -> None:
        walk = walking().register()
        first, second = walk.held()

        assert codes(judged(walk, rows=[first])) == [("row_missing", "accept")]
        assert codes(judged(walk, rows=[first, second, replace(second, id=7)])) == [("row_without_promise", "accept")]

    def test_when_a_row_stays_open_that_the_ledger_ended(self) -> None:
        walk = walking().register()
        before = walk.held()
        walk.accept()

        found = judged(walk, rows=[*before, *walk.held()[1:]])

        assert codes(found) == [("still_owed_after_the_end", "accept")]

    def test_when_the_bytes_promise_another_day_than_the_charter(self) -> None:
        walk = walking().to(State.ASSIGNED)
        owed = next(one for one in walk.lines[-1]["body"]["owes"] if one["kind"] == "finish")
        owed["due_at"] += 86_400_000
        owed["length"] = 8

        found = judged(walk)

        assert ("term_differs", "finish") in codes(found)

    def test_when_a_told_due_time_does_not_follow_from_its_term(self) -> None:
        walk = walking().to(State.ASSIGNED)
        owed = next(one for one in walk.lines[-1]["body"]["owes"] if one["kind"] == "finish")
        owed["due_at"] += 86_400_000

        assert codes(judged(walk)) == [("told_due_differs", "finish")]

    def test_when_a_rung_was_skipped(self) -> None:
        walk = walking().to(State.WORKING)
        walk.pass_time(walk.at + timedelta(days=20))
        climbs = [
            line for line in walk.lines if line["step"] == "supervise" and line["body"]["facts"]["kind"] == "finish"
        ]
        del climbs[0]["body"]["climbs"]

        found = judged(walk)

        assert ("rung_skipped", "finish") in codes(found)
        assert ("rung_differs", "finish") in codes(found)

    def test_when_somebody_was_supervised_too_early(self) -> None:
        walk = walking().to(State.WORKING)
        walk.pass_time(walk.at + timedelta(days=20))
        line = next(
            line for line in walk.lines if line["step"] == "overdue" and line["body"]["facts"]["kind"] == "finish"
        )
        line["at"] -= 86_400_000

        assert ("acted_early", "finish") in codes(judged(walk))

    def test_when_an_open_case_owes_nobody_anything(self) -> None:
        walk = walking().to(State.CLOSED)

        assert codes(judged(walk, is_open=True)) == [("owes_nothing", "")]


class TestTheHeartbeat:
    def test_that_is_fresh_is_quiet(self, tmp_path: Path) -> None:
        watchdog.beat(home=tmp_path, at=MONDAY, cases=3, steps=4)

        found = watchdog.last_beat(tmp_path)

        assert found == MONDAY
        assert watchdog.pulse(beat_at=found, at=MONDAY + timedelta(seconds=59)) == []

    def test_that_is_old_rings(self, tmp_path: Path) -> None:
        watchdog.beat(home=tmp_path, at=MONDAY)

        found = watchdog.pulse(beat_at=watchdog.last_beat(tmp_path), at=MONDAY + timedelta(minutes=2))

        assert codes(found) == [("heartbeat_old", "")]

    def test_of_a_clock_that_runs_ahead_rings(self, tmp_path: Path) -> None:
        assert codes(watchdog.pulse(beat_at=MONDAY + timedelta(hours=1), at=MONDAY)) == [("heartbeat_old", "")]

    @pytest.mark.parametrize("content", ["", "{}", '{"at": 3}', '{"at": "soon"}', None])
    def test_that_cannot_be_read_is_missing(self, tmp_path: Path, content: str | None) -> None:
        if content is not None:
            (tmp_path / watchdog.HEARTBEAT).write_text(content)

        found = watchdog.pulse(beat_at=watchdog.last_beat(tmp_path), at=MONDAY)

        assert codes(found) == [("heartbeat_missing", "")]


def test_an_alarm_is_written_when_it_begins_and_when_it_is_over_and_not_in_between(tmp_path: Path) -> None:
    bell = Bell(tmp_path)
    alarm = Alarm("look_missed", MONDAY, "FX26111600010", 5, "finish", "remind", "not done")

    bell.hear([alarm], MONDAY)
    bell.hear([replace(alarm, at=MONDAY + timedelta(minutes=1))], MONDAY + timedelta(minutes=1))
    bell.hear([], MONDAY + timedelta(minutes=2))

    written = [json.loads(line) for line in (tmp_path / watchdog.ALARMS).read_text().splitlines()]
    assert [(line["what"], line["code"], line["duty"]) for line in written] == [
        ("begun", "look_missed", "5"),
        ("over", "look_missed", "5"),
    ]


SMALL = Limits(bytes_each=2000, bytes_all=8000, span=timedelta(days=90), kept=timedelta(days=400))


def alarm_files(home: Path) -> list[Path]:
    return sorted(home.glob("alarms*.jsonl"))


def test_alarms_come_and_go_for_years_and_their_files_stay_within_the_limit(tmp_path: Path) -> None:
    bell = Bell(tmp_path, limits=SMALL)

    for nth in range(200):
        at = MONDAY + timedelta(minutes=nth)
        bell.hear([Alarm("look_missed", at, f"FX2611160{nth:04}", nth, "finish")] if nth % 2 else [], at)
        assert sum(path.stat().st_size for path in alarm_files(tmp_path)) <= SMALL.bytes_all + 1000

    last = json.loads((tmp_path / watchdog.ALARMS).read_text().splitlines()[-1])
    assert (last["case"], last["what"]) == ("FX26111600199", "begun")
    assert len(alarm_files(tmp_path)) > 2


def test_what_stands_when_a_file_is_put_aside_begins_the_next_one_with_its_own_time(tmp_path: Path) -> None:
    bell = Bell(tmp_path, limits=SMALL)
    standing = Alarm("due_differs", MONDAY, "FX26111600010", 5, "finish")

    for nth in range(40):
        at = MONDAY + timedelta(minutes=nth)
        bell.hear([replace(standing, at=at), Alarm("look_missed", at, "FX26111600028", nth + 10)], at)

    written = [json.loads(line) for line in (tmp_path / watchdog.ALARMS).read_text().splitlines()]
    assert (written[0]["code"], written[0]["what"], written[0]["carried"]) == ("due_differs", "begun", True)
    assert written[0]["at"] == MONDAY.isoformat()
    ringing = {line["duty"] for line in written if line["what"] == "begun"}
    over = {line["duty"] for line in written if line["what"] == "over"}
    assert ringing - over == {"5", "49"}


def test_a_thousand_standing_alarms_do_not_push_out_what_was_written_before(tmp_path: Path) -> None:
    bell = Bell(tmp_path, limits=replace(SMALL, bytes_all=10**6))
    many = [Alarm("look_missed", MONDAY, "FX26111600010", nth) for nth in range(1000)]
    bell.hear(many, MONDAY)

    for nth in range(20):
        at = MONDAY + timedelta(minutes=nth + 1)
        bell.hear([*many, Alarm("due_differs", at, "FX26111600028", nth)] if nth % 2 else many, at)

    assert 2 <= len(alarm_files(tmp_path)) <= 4


def test_alarms_of_more_than_a_year_ago_go(tmp_path: Path) -> None:
    bell = Bell(tmp_path)
    for nth in range(12):
        at = MONDAY + timedelta(days=100 * nth)
        bell.hear([Alarm("look_missed", at, f"FX2611160{nth:04}", nth)], at)

    told = "".join(path.read_text() for path in alarm_files(tmp_path))
    assert "FX26111600000" not in told
    assert "FX26111600011" in told and "FX26111600009" in told
