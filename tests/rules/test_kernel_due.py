"""Due times: every vector of the city's rule book for terms, pauses and reminders."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from fuzhengtong.kernel.calendar import Calendar
from fuzhengtong.kernel.due import Clock, Due, Unit, due_at, remaining, resume, share_at
from tests.rules.holidays import public_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
CLOCK = Clock(zone=SHANGHAI, hours=((time(8, 30), time(12)), (time(13), time(17))))
BUSINESS = Clock(zone=SHANGHAI, hours=CLOCK.hours, day_end=time(17))
WEEKDAYS = Calendar(version="weekdays", days={}, announced=frozenset({2026}))
COUNTY = "210921000000"


@pytest.fixture
def public() -> Calendar:
    return public_calendar()


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def due(start: str, length: int, unit: Unit, calendar: Calendar = WEEKDAYS, clock: Clock = CLOCK) -> Due:
    return due_at(start=local(start), length=length, unit=unit, calendar=calendar, clock=clock)


def end_of(day: str) -> datetime:
    return (local(day) + timedelta(days=1)).astimezone(UTC)


# Start, then the last day of +1 and +2 working days, of nine (1+1+7), of 7 calendar days, and of those rolled.
DAYS = [
    ("2026-02-13T16:50", "2026-02-14", "2026-02-24", "2026-03-04", "2026-02-20", "2026-02-24"),
    ("2026-02-14T10:00", "2026-02-24", "2026-02-25", "2026-03-05", "2026-02-21", "2026-02-24"),
    ("2026-02-18", "2026-02-24", "2026-02-25", "2026-03-05", "2026-02-25", "2026-02-25"),
    ("2026-04-30T23:30", "2026-05-06", "2026-05-07", "2026-05-15", "2026-05-07", "2026-05-07"),
    ("2026-06-18T15:00", "2026-06-22", "2026-06-23", "2026-07-02", "2026-06-25", "2026-06-25"),
    ("2026-09-19", "2026-09-20", "2026-09-21", "2026-10-08", "2026-09-26", "2026-09-28"),
    ("2026-09-24T18:20", "2026-09-28", "2026-09-29", "2026-10-14", "2026-10-01", "2026-10-08"),
    ("2026-09-30T11:11", "2026-10-08", "2026-10-09", "2026-10-19", "2026-10-07", "2026-10-08"),
    ("2026-10-10", "2026-10-12", "2026-10-13", "2026-10-22", "2026-10-17", "2026-10-19"),
    ("2024-02-09", "2024-02-18", "2024-02-19", "2024-02-28", "2024-02-16", "2024-02-18"),
    ("2024-09-13", "2024-09-14", "2024-09-18", "2024-09-27", "2024-09-20", "2024-09-20"),
    ("2025-01-25", "2025-01-26", "2025-01-27", "2025-02-12", "2025-02-01", "2025-02-05"),
    ("2025-09-27", "2025-09-28", "2025-09-29", "2025-10-15", "2025-10-04", "2025-10-09"),
    ("2025-09-30", "2025-10-09", "2025-10-10", "2025-10-20", "2025-10-07", "2025-10-09"),
]


@pytest.mark.parametrize("row", DAYS, ids=[row[0] for row in DAYS])
def test_day_terms_end_with_the_published_days_over_holidays_and_in_lieu_days(
    public: Calendar, row: tuple[str, ...]
) -> None:
    start, *ends = row
    terms = [
        (1, Unit.WORKING_DAYS),
        (2, Unit.WORKING_DAYS),
        (9, Unit.WORKING_DAYS),
        (7, Unit.CALENDAR_DAYS),
        (7, Unit.CALENDAR_DAYS_ROLLED),
    ]

    found = [due(start, length, unit, public) for length, unit in terms]

    assert found == [Due(end_of(day), provisional=False) for day in ends]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-03-12", "2026-03-16"),
        ("2026-09-18", "2026-09-20"),
        ("2026-02-12", "2026-02-14"),
        ("2026-04-30", "2026-05-06"),
        ("2026-09-30", "2026-10-08"),
    ],
)
def test_two_rolled_calendar_days_leave_rest_days_but_stay_on_in_lieu_days(
    public: Calendar, start: str, end: str
) -> None:
    assert due(start, 2, Unit.CALENDAR_DAYS_ROLLED, public) == Due(end_of(end), provisional=False)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-02-13T13:00", "2026-02-13T17:00"),
        ("2026-02-13T16:50", "2026-02-14T13:20"),
        ("2026-02-14T15:00", "2026-02-24T10:30"),
        ("2026-04-30T23:30", "2026-05-06T13:30"),
        ("2026-09-19T10:00", "2026-09-20T13:30"),
        ("2026-09-30T11:11", "2026-09-30T16:11"),
        ("2026-10-10T12:30", "2026-10-10T17:00"),
    ],
)
def test_four_working_hours_run_in_office_hours_alone(public: Calendar, start: str, end: str) -> None:
    assert due(start, 4, Unit.WORKING_HOURS, public) == Due(local(end).astimezone(UTC), provisional=False)


def test_wall_time_knows_no_holiday(public: Calendar) -> None:
    assert due("2026-09-30T17:00", 24, Unit.WALL_HOURS, public).at == local("2026-10-01T17:00")
    assert due("2026-10-01T23:59", 2, Unit.WALL_MINUTES, public).at == local("2026-10-02T00:01")


@pytest.mark.parametrize("unit", [Unit.WORKING_DAYS, Unit.WORKING_HOURS, Unit.CALENDAR_DAYS_ROLLED])
def test_every_sum_that_asks_the_calendar_is_provisional_in_2027(public: Calendar, unit: Unit) -> None:
    assert due("2027-03-01T10:00", 1, unit, public).provisional


def test_a_term_that_crosses_into_a_year_not_announced_is_provisional(public: Calendar) -> None:
    assert not due("2026-12-30T10:00", 1, Unit.WORKING_DAYS, public).provisional
    assert due("2026-12-31T10:00", 1, Unit.WORKING_DAYS, public).provisional
    assert not due("2026-12-31T13:00", 4, Unit.WORKING_HOURS, public).provisional
    assert due("2026-12-31T13:01", 4, Unit.WORKING_HOURS, public).provisional


@pytest.mark.parametrize("unit", [Unit.WALL_MINUTES, Unit.WALL_HOURS, Unit.CALENDAR_DAYS])
def test_what_asks_no_calendar_is_never_provisional(unit: Unit) -> None:
    assert not due("2031-03-01T10:00", 9, unit).provisional


def test_a_receipt_late_in_the_evening_belongs_to_the_local_day_not_to_that_of_greenwich() -> None:
    evening_in_utc = datetime(2026, 3, 3, 15, 59, tzinfo=UTC)
    midnight_in_utc = datetime(2026, 3, 3, 16, 0, tzinfo=UTC)

    ends = [
        due_at(start=start, length=1, unit=Unit.WORKING_DAYS, calendar=WEEKDAYS, clock=CLOCK).at
        for start in (evening_in_utc, midnight_in_utc)
    ]

    assert ends == [end_of("2026-03-04"), end_of("2026-03-05")]


def test_a_city_whose_day_ends_with_business_has_its_terms_end_there() -> None:
    for unit in (Unit.WORKING_DAYS, Unit.CALENDAR_DAYS, Unit.CALENDAR_DAYS_ROLLED):
        assert due("2026-03-03T20:00", 1, unit, clock=BUSINESS).at == local("2026-03-04T17:00")


def test_a_length_of_nothing_is_at_once_even_on_a_rest_day() -> None:
    for unit in Unit:
        assert due("2026-03-07T03:00", 0, unit) == Due(local("2026-03-07T03:00").astimezone(UTC), provisional=False)


def test_a_local_closure_moves_the_terms_of_its_area_alone() -> None:
    calendar = Calendar("made", {}, frozenset({2026}), local={COUNTY: frozenset({date(2026, 4, 7)})})

    def ends(unit: Unit, length: int, area: str | None) -> datetime:
        start = local("2026-04-06T16:00")
        found = due_at(start=start, length=length, unit=unit, calendar=calendar, clock=CLOCK, area=area)
        return found.at.astimezone(SHANGHAI)

    assert ends(Unit.WORKING_DAYS, 1, None) == local("2026-04-08")
    assert ends(Unit.WORKING_DAYS, 1, COUNTY) == local("2026-04-09")
    assert ends(Unit.CALENDAR_DAYS_ROLLED, 1, COUNTY) == local("2026-04-09")
    assert ends(Unit.WORKING_HOURS, 2, None) == local("2026-04-07T09:30")
    assert ends(Unit.WORKING_HOURS, 2, COUNTY) == local("2026-04-08T09:30")


def test_a_unit_read_as_text_from_a_row_counts_alike() -> None:
    start = local("2026-03-07T10:00")

    for unit in Unit:
        told = cast(Unit, str(unit.value))
        found = due_at(start=start, length=3, unit=told, calendar=WEEKDAYS, clock=CLOCK)
        rest = remaining(at=start, due=found.at, unit=told, calendar=WEEKDAYS, clock=CLOCK)

        assert found == due_at(start=start, length=3, unit=unit, calendar=WEEKDAYS, clock=CLOCK)
        assert rest == remaining(at=start, due=found.at, unit=unit, calendar=WEEKDAYS, clock=CLOCK)
        for kept in (0, rest):
            assert resume(at=start, remaining=kept, unit=told, calendar=WEEKDAYS, clock=CLOCK) == resume(
                at=start, remaining=kept, unit=unit, calendar=WEEKDAYS, clock=CLOCK
            )


def test_seconds_are_kept_by_working_hours() -> None:
    assert due("2026-03-03T16:30:15", 1, Unit.WORKING_HOURS).at == local("2026-03-04T09:00:15")


def test_naive_times_and_negative_lengths_are_refused() -> None:
    naive = local("2026-03-03T10:00").replace(tzinfo=None)
    aware = local("2026-03-03T10:00")
    for unit in Unit:
        with pytest.raises(ValueError, match="zone"):
            due_at(start=naive, length=1, unit=unit, calendar=WEEKDAYS, clock=CLOCK)
        with pytest.raises(ValueError, match="zone"):
            remaining(at=naive, due=aware, unit=unit, calendar=WEEKDAYS, clock=CLOCK)
        with pytest.raises(ValueError, match="zone"):
            remaining(at=aware, due=naive, unit=unit, calendar=WEEKDAYS, clock=CLOCK)
        with pytest.raises(ValueError, match="zone"):
            resume(at=naive, remaining=1, unit=unit, calendar=WEEKDAYS, clock=CLOCK)
        with pytest.raises(ValueError, match="zone"):
            share_at(start=naive, due=aware, share=0.5, unit=unit, calendar=WEEKDAYS, clock=CLOCK)
        with pytest.raises(ValueError, match="forward"):
            due_at(start=aware, length=-1, unit=unit, calendar=WEEKDAYS, clock=CLOCK)
        with pytest.raises(ValueError, match="resumed"):
            resume(at=aware, remaining=-1, unit=unit, calendar=WEEKDAYS, clock=CLOCK)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_outside_the_term_is_refused(share: float) -> None:
    start = local("2026-03-03T10:00")
    with pytest.raises(ValueError, match="share"):
        share_at(start=start, due=start, share=share, unit=Unit.WALL_HOURS, calendar=WEEKDAYS, clock=CLOCK)


@pytest.mark.parametrize(
    "hours",
    [
        (),
        ((time(12), time(8)),),
        ((time(8), time(12)), (time(11), time(17))),
        ((time(13), time(17)), (time(8), time(12))),
        ((time(8), time(8)),),
    ],
)
def test_office_hours_out_of_order_are_refused(hours: tuple[tuple[time, time], ...]) -> None:
    with pytest.raises(ValueError, match="office hours"):
        Clock(zone=SHANGHAI, hours=hours)


def test_a_day_end_at_midnight_is_written_as_none() -> None:
    with pytest.raises(ValueError, match="24:00"):
        Clock(zone=SHANGHAI, hours=CLOCK.hours, day_end=time(0))


def left(at: str, ends: str, unit: Unit, clock: Clock = CLOCK) -> int:
    return remaining(at=local(at), due=local(ends), unit=unit, calendar=WEEKDAYS, clock=clock)


def goes_on(at: str, rest: int, unit: Unit, clock: Clock = CLOCK) -> datetime:
    found = resume(at=local(at), remaining=rest, unit=unit, calendar=WEEKDAYS, clock=clock)
    return found.at.astimezone(SHANGHAI)


def test_a_pause_over_the_weekend_keeps_the_working_days_that_were_left() -> None:
    # Owed on Tuesday for seven working days: through Thursday of the next week.
    ends = due("2026-03-03T10:00", 7, Unit.WORKING_DAYS).at.astimezone(SHANGHAI)
    assert ends == local("2026-03-13")

    rest = remaining(at=local("2026-03-06T15:00"), due=ends, unit=Unit.WORKING_DAYS, calendar=WEEKDAYS, clock=CLOCK)

    assert rest == 4
    assert goes_on("2026-03-10T09:00", rest, Unit.WORKING_DAYS) == local("2026-03-17")


def test_a_pause_keeps_minutes_of_office_time_for_working_hours() -> None:
    rest = left("2026-03-03T16:40", "2026-03-04T09:30", Unit.WORKING_HOURS)

    assert rest == 80
    assert goes_on("2026-03-06T16:30", rest, Unit.WORKING_HOURS) == local("2026-03-09T09:20")


def test_a_pause_keeps_minutes_of_plain_time_for_wall_units() -> None:
    assert left("2026-03-06T23:00", "2026-03-07T01:30", Unit.WALL_HOURS) == 150
    assert goes_on("2026-03-08T00:10", 150, Unit.WALL_HOURS) == local("2026-03-08T02:40")


def test_a_begun_minute_is_kept_in_full() -> None:
    assert left("2026-03-03T10:00:30", "2026-03-03T11:00", Unit.WALL_MINUTES) == 60
    assert left("2026-03-03T10:00:30", "2026-03-03T11:00", Unit.WORKING_HOURS) == 60


def test_a_day_term_paused_on_its_last_day_ends_with_the_day_it_goes_on() -> None:
    assert left("2026-03-06T10:00", "2026-03-07", Unit.WORKING_DAYS) == 0

    assert goes_on("2026-03-10T10:00", 0, Unit.WORKING_DAYS) == local("2026-03-11")
    assert goes_on("2026-03-07T10:00", 0, Unit.WORKING_DAYS) == local("2026-03-10")
    assert goes_on("2026-03-07T10:00", 0, Unit.CALENDAR_DAYS_ROLLED) == local("2026-03-10")
    assert goes_on("2026-03-07T10:00", 0, Unit.CALENDAR_DAYS) == local("2026-03-08")


def test_a_last_day_that_is_over_at_the_close_of_business_gives_the_next_one() -> None:
    assert goes_on("2026-03-06T16:59", 0, Unit.WORKING_DAYS, BUSINESS) == local("2026-03-06T17:00")
    assert goes_on("2026-03-06T17:00", 0, Unit.WORKING_DAYS, BUSINESS) == local("2026-03-09T17:00")
    assert goes_on("2026-03-06T18:00", 0, Unit.CALENDAR_DAYS, BUSINESS) == local("2026-03-07T17:00")


def test_nothing_is_left_of_a_term_that_has_run_out() -> None:
    for unit in Unit:
        assert left("2026-03-13T10:00", "2026-03-06T10:00", unit) == 0


def test_nothing_left_of_an_hour_term_goes_on_to_an_end_at_once() -> None:
    for unit in (Unit.WALL_MINUTES, Unit.WALL_HOURS, Unit.WORKING_HOURS):
        assert goes_on("2026-03-07T03:00", 0, unit) == local("2026-03-07T03:00")


def test_a_term_resumed_into_a_year_not_announced_is_provisional(public: Calendar) -> None:
    def found(at: str, rest: int, unit: Unit) -> bool:
        return resume(at=local(at), remaining=rest, unit=unit, calendar=public, clock=CLOCK).provisional

    assert found("2026-12-30T10:00", 2, Unit.WORKING_DAYS)
    assert found("2027-03-01T10:00", 0, Unit.WORKING_DAYS)
    assert not found("2026-12-30T10:00", 0, Unit.WORKING_DAYS)


def used(start: str, ends: str, share: float, unit: Unit, calendar: Calendar = WEEKDAYS) -> datetime:
    found = share_at(start=local(start), due=local(ends), share=share, unit=unit, calendar=calendar, clock=CLOCK)
    return found.astimezone(SHANGHAI)


def test_a_share_of_wall_time_is_plain_at_any_hour() -> None:
    assert used("2026-03-07T00:00", "2026-03-08T00:00", 0.75, Unit.WALL_HOURS) == local("2026-03-07T18:00")


def test_a_share_of_working_hours_is_a_share_of_office_time() -> None:
    # Four hours from half past three on Friday: three of them are over at ten on Monday.
    assert used("2026-03-06T15:30", "2026-03-09T11:00", 0.75, Unit.WORKING_HOURS) == local("2026-03-09T10:00")


def test_a_share_of_working_days_lies_in_office_hours() -> None:
    # Four whole working days, Tuesday to Friday: three are over when Thursday closes.
    assert used("2026-03-02T17:00", "2026-03-07", 0.75, Unit.WORKING_DAYS) == local("2026-03-05T17:00")
    assert used("2026-03-02T17:00", "2026-03-07", 0.5, Unit.WORKING_DAYS) == local("2026-03-04T17:00")


def test_a_share_of_calendar_days_moves_on_to_the_next_office_hours() -> None:
    assert used("2026-03-04T00:00", "2026-03-12", 0.5, Unit.CALENDAR_DAYS) == local("2026-03-09T08:30")
    assert used("2026-03-02T00:30", "2026-03-04T00:30", 0.25, Unit.CALENDAR_DAYS_ROLLED) == local("2026-03-02T13:00")
    assert used("2026-03-02T00:00", "2026-03-04", 0.7, Unit.CALENDAR_DAYS_ROLLED) == local("2026-03-03T09:36")


def test_a_share_that_would_move_past_the_due_time_moves_back_instead() -> None:
    assert used("2026-03-05T10:00", "2026-03-09", 0.75, Unit.CALENDAR_DAYS) == local("2026-03-06T17:00")


def test_a_term_without_office_hours_keeps_its_plain_share() -> None:
    assert used("2026-03-07T00:00", "2026-03-08", 0.5, Unit.CALENDAR_DAYS) == local("2026-03-07T12:00")
    assert used("2026-03-07T10:00", "2026-03-07T12:00", 0.5, Unit.WORKING_HOURS) == local("2026-03-07T11:00")


def test_no_share_is_the_beginning_moved_into_office_hours() -> None:
    assert used("2026-03-07T10:00", "2026-03-10", 0, Unit.WORKING_DAYS) == local("2026-03-09T08:30")
    assert used("2026-03-03T10:10", "2026-03-05", 0, Unit.WORKING_DAYS) == local("2026-03-03T10:10")
