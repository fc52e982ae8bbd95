"""The hours of quiet, the pauses, the windows and the cap of the outbox: pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from fuzhengtong.charter.editions import Quiet, Rate
from fuzhengtong.kernel.due import Clock
from fuzhengtong.mailroom import rules
from fuzhengtong.mailroom.rules import Posting, Rung

CLOCK = Clock(zone=ZoneInfo("Asia/Shanghai"), hours=((time(8, 30), time(17)),))
NIGHT = Quiet(begins=time(21), ends=time(8), except_for=("critical",), source="")
NAP = Quiet(begins=time(12), ends=time(14), except_for=(), source="")


def here(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=CLOCK.zone).astimezone(UTC)


def posting(**changes: object) -> Posting:
    made: dict[str, object] = {
        "topic": "notice.test",
        "dedup": "1",
        "rung": Rung.SMS,
        "address": "13800000001",
        "subject": "FX",
        "body": "words",
        "expires_at": here(22, 0),
    }
    return Posting(**(made | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (here(20, 20, 59), None),
        (here(20, 21), here(21, 8)),
        (here(20, 23, 59), here(21, 8)),
        (here(21, 0), here(21, 8)),
        (here(21, 7, 59), here(21, 8)),
        (here(21, 8), None),
    ],
)
def test_the_night_is_quiet_from_its_begin_to_its_end(at: datetime, until: datetime | None):
    assert rules.quiet_until(at=at, quiet=NIGHT, clock=CLOCK) == until


@pytest.mark.parametrize(("at", "until"), [(here(20, 11), None), (here(20, 12), here(20, 14)), (here(20, 14), None)])
def test_hours_of_quiet_within_a_day_end_on_that_day(at: datetime, until: datetime | None):
    assert rules.quiet_until(at=at, quiet=NAP, clock=CLOCK) == until


def test_hours_of_quiet_without_length_are_none():
    none = Quiet(begins=time(8), ends=time(8), except_for=(), source="")

    assert rules.quiet_until(at=here(20, 8), quiet=none, clock=CLOCK) is None


def test_a_message_to_a_pocket_waits_for_the_morning_and_a_page_does_not():
    night = here(20, 22)

    def earliest(made: Posting) -> datetime:
        return rules.earliest(posting=made, at=night, quiet=NIGHT, clock=CLOCK)

    assert earliest(posting()) == here(21, 8)
    assert earliest(posting(any_hour=True)) == night
    assert earliest(posting(rung=Rung.DESK, address="", post_kind="handler")) == night


def test_a_parcel_for_later_is_judged_by_the_hour_at_which_it_would_go():
    made = posting(not_before=here(20, 23))

    assert rules.earliest(posting=made, at=here(20, 10), quiet=NIGHT, clock=CLOCK) == here(21, 8)


def test_pauses_grow_and_stay_at_half_an_hour():
    pauses = [rules.pause(tries) for tries in range(1, 10)]

    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(seconds=5)
    assert pauses[-1] == timedelta(minutes=30)


def test_a_window_of_a_day_begins_at_midnight_in_the_city():
    rate = Rate(limit=10, length=1, unit="calendar_days")

    assert rules.window_of(rate=rate, at=here(20, 0), clock=CLOCK) == here(20, 0)
    assert rules.window_of(rate=rate, at=here(20, 23, 59), clock=CLOCK) == here(20, 0)


@pytest.mark.parametrize("unit", ["calendar_days", "wall_hours", "wall_minutes"])
def test_every_instant_lies_in_the_window_it_is_counted_in(unit: str):
    rate = Rate(limit=10, length=3, unit=unit)  # type: ignore[arg-type]
    spans = {"calendar_days": timedelta(days=3), "wall_hours": timedelta(hours=3), "wall_minutes": timedelta(minutes=3)}

    for minutes in range(0, 10_000, 77):
        at = here(20, 0) + timedelta(minutes=minutes)
        begin = rules.window_of(rate=rate, at=at, clock=CLOCK)
        assert begin <= at < begin + spans[unit]
        assert rules.window_of(rate=rate, at=begin, clock=CLOCK) == begin


@pytest.mark.parametrize(
    ("asked", "counted", "may"), [(1, 1, 1), (3, 10, 3), (3, 11, 2), (3, 13, 0), (3, 40, 0), (20, 20, 10)]
)
def test_no_more_go_than_the_window_has_left(asked: int, counted: int, may: int):
    assert rules.allowed(asked=asked, counted=counted, limit=10) == may


def test_not_even_the_end_of_an_address_is_shown():
    assert rules.shown("13800000926") == "138" + "＊" * 8
    assert rules.shown("") == ""


def test_an_address_and_the_words_stay_out_of_every_trace():
    assert "13800000001" not in repr(posting())
    assert "words" not in repr(posting())
