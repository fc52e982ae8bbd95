"""Laws of time, over made calendars and the announced one: what no table of examples can promise for every day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from fuzhengtong.kernel.calendar import Calendar, DayKind
from fuzhengtong.kernel.due import Clock, Unit, due_at, remaining, resume, share_at
from tests.rules.holidays import public_calendar

# Calendars are small but many; the time of one example says nothing on a shared machine.
law = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])

SHANGHAI = ZoneInfo("Asia/Shanghai")
AREA = "210921000000"
HOURS = ((time(8, 30), time(12)), (time(13), time(17)))
MINUTE = timedelta(minutes=1)

DAY_UNITS = (Unit.WORKING_DAYS, Unit.CALENDAR_DAYS, Unit.CALENDAR_DAYS_ROLLED)
ADDITIVE_ON_INSTANTS = (Unit.WALL_MINUTES, Unit.WALL_HOURS, Unit.WORKING_HOURS)
NEVER_ON_A_CLOSED_DAY = (Unit.WORKING_DAYS, Unit.WORKING_HOURS, Unit.CALENDAR_DAYS_ROLLED)

days = st.dates(date(2025, 12, 1), date(2027, 2, 28))
made_days: st.SearchStrategy[Mapping[date, DayKind]] = st.dictionaries(days, st.sampled_from(DayKind), max_size=40)
calendars = st.builds(
    Calendar,
    version=st.just("made"),
    days=made_days,
    announced=st.frozensets(st.sampled_from([2025, 2026, 2027])),
    local=st.one_of(st.just({}), st.frozensets(days, max_size=10).map(lambda closed: {AREA: closed})),
)
areas = st.sampled_from([None, AREA])
clocks = st.sampled_from(
    [
        Clock(zone=SHANGHAI, hours=HOURS),
        Clock(zone=SHANGHAI, hours=HOURS, day_end=time(17)),
        Clock(zone=SHANGHAI, hours=((time(9), time(17, 20)),)),
        Clock(zone=SHANGHAI, hours=((time(0), time(6)), (time(7), time(8)), (time(18), time(23, 59)))),
        Clock(zone=ZoneInfo("Asia/Urumqi"), hours=HOURS),
    ]
)
instants = st.datetimes(
    datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None),
    datetime(2026, 12, 31, tzinfo=UTC).replace(tzinfo=None),
    timezones=st.just(UTC),
)
minutes = instants.map(lambda at: at.replace(second=0, microsecond=0))
units = st.sampled_from(Unit)
lengths = st.integers(1, 40)


def slow_working_day(calendar: Calendar, day: date, n: int, area: str | None) -> date:
    while n:
        day += timedelta(days=1)
        n -= calendar.is_working(day, area)
    return day


def slow_working_minutes(calendar: Calendar, clock: Clock, at: datetime, n: int, area: str | None) -> datetime:
    """Walk minute by minute: a minute counts when it lies in office hours of a working day."""
    while n:
        here = at.astimezone(clock.zone)
        opens = calendar.is_working(here.date(), area) and any(a <= here.time() < b for a, b in clock.hours)
        at += MINUTE
        n -= opens
    return at


@law
@given(calendars, days, lengths, areas)
def test_counting_working_days_agrees_with_walking_them(
    calendar: Calendar, day: date, n: int, area: str | None
) -> None:
    last, provisional = calendar.add_working_days(day, n, area)

    assert last == slow_working_day(calendar, day, n, area)
    touched = {(day + timedelta(days=step)).year for step in range(1, (last - day).days + 1)}
    assert provisional == any(not calendar.is_announced(year) for year in touched)


@law
@given(calendars, minutes, st.integers(1, 900), areas)
@example(Calendar("made", {}, frozenset()), datetime(2026, 3, 6, 9, 0, tzinfo=UTC), 1, None)
def test_working_minutes_agree_with_walking_them(calendar: Calendar, start: datetime, n: int, area: str | None) -> None:
    clock = Clock(zone=SHANGHAI, hours=HOURS)

    due = resume(at=start, remaining=n, unit=Unit.WORKING_HOURS, calendar=calendar, clock=clock, area=area)

    assert due.at == slow_working_minutes(calendar, clock, start, n, area)


@law
@given(calendars, clocks, units, instants, instants, lengths, areas)
def test_who_starts_later_is_never_due_earlier(
    calendar: Calendar, clock: Clock, unit: Unit, one: datetime, other: datetime, length: int, area: str | None
) -> None:
    earlier, later = sorted((one, other))

    first = due_at(start=earlier, length=length, unit=unit, calendar=calendar, clock=clock, area=area)
    second = due_at(start=later, length=length, unit=unit, calendar=calendar, clock=clock, area=area)

    assert first.at <= second.at


@law
@given(calendars, clocks, units, instants, st.integers(0, 40), st.integers(0, 40), areas)
def test_a_longer_term_is_never_due_earlier(
    calendar: Calendar, clock: Clock, unit: Unit, start: datetime, one: int, other: int, area: str | None
) -> None:
    shorter, longer = sorted((one, other))

    first = due_at(start=start, length=shorter, unit=unit, calendar=calendar, clock=clock, area=area)
    second = due_at(start=start, length=longer, unit=unit, calendar=calendar, clock=clock, area=area)

    assert start <= first.at <= second.at


@law
@given(
    calendars, clocks, st.sampled_from(ADDITIVE_ON_INSTANTS), instants, st.integers(0, 60), st.integers(0, 60), areas
)
def test_two_terms_one_after_the_other_are_one_long_term_to_the_instant(
    calendar: Calendar, clock: Clock, unit: Unit, start: datetime, one: int, other: int, area: str | None
) -> None:
    def after(at: datetime, length: int) -> datetime:
        return due_at(start=at, length=length, unit=unit, calendar=calendar, clock=clock, area=area).at

    assert after(after(start, one), other) == after(start, one + other)


@law
@given(calendars, days, st.integers(0, 40), st.integers(0, 40), areas)
def test_working_days_one_after_the_other_add_up_on_dates(
    calendar: Calendar, day: date, one: int, other: int, area: str | None
) -> None:
    halfway, guess = calendar.add_working_days(day, one, area)
    last, more_guess = calendar.add_working_days(halfway, other, area)

    assert (last, guess or more_guess) == calendar.add_working_days(day, one + other, area)


@law
@given(calendars, clocks, st.sampled_from(NEVER_ON_A_CLOSED_DAY), instants, lengths, areas)
def test_nothing_that_asks_the_calendar_falls_due_on_a_closed_day(
    calendar: Calendar, clock: Clock, unit: Unit, start: datetime, length: int, area: str | None
) -> None:
    due = due_at(start=start, length=length, unit=unit, calendar=calendar, clock=clock, area=area)

    assert calendar.is_working(clock.last_day(due.at), area)


@law
@given(calendars, clocks, instants, lengths, areas)
def test_working_hours_fall_due_in_office_hours(
    calendar: Calendar, clock: Clock, start: datetime, length: int, area: str | None
) -> None:
    due = due_at(start=start, length=length, unit=Unit.WORKING_HOURS, calendar=calendar, clock=clock, area=area)

    assert clock.is_open(due.at.astimezone(clock.zone))


@law
@given(calendars, clocks, st.sampled_from(DAY_UNITS), instants, lengths, areas)
def test_a_day_term_ends_with_the_end_of_a_later_day(
    calendar: Calendar, clock: Clock, unit: Unit, start: datetime, length: int, area: str | None
) -> None:
    due = due_at(start=start, length=length, unit=unit, calendar=calendar, clock=clock, area=area)

    last = clock.last_day(due.at)
    assert due.at == clock.end_of(last)
    assert last > start.astimezone(clock.zone).date()


@law
@given(calendars, clocks, units, instants, lengths, areas)
def test_a_start_means_the_same_in_utc_and_on_the_clock_of_the_city(
    calendar: Calendar, clock: Clock, unit: Unit, start: datetime, length: int, area: str | None
) -> None:
    found = [
        due_at(start=told, length=length, unit=unit, calendar=calendar, clock=clock, area=area)
        for told in (start, start.astimezone(clock.zone), start.astimezone(ZoneInfo("America/New_York")))
    ]

    assert found[0] == found[1] == found[2]
    assert found[0].at.tzinfo is UTC


def pause_between(start: datetime, due: datetime, share: float) -> datetime:
    return start + (due - start) * share


@law
@given(calendars, clocks, units, minutes, lengths, st.floats(0, 0.999), areas)
def test_a_pause_that_ends_at_once_moves_no_promise(
    calendar: Calendar, clock: Clock, unit: Unit, start: datetime, length: int, share: float, area: str | None
) -> None:
    due = due_at(start=start, length=length, unit=unit, calendar=calendar, clock=clock, area=area)
    at = pause_between(start, due.at, share).replace(second=0, microsecond=0)
    assume(start <= at < due.at)

    rest = remaining(at=at, due=due.at, unit=unit, calendar=calendar, clock=clock, area=area)
    again = resume(at=at, remaining=rest, unit=unit, calendar=calendar, clock=clock, area=area)

    assert again.at == due.at


@law
@given(calendars, clocks, units, instants, instants, st.integers(1, 3000), areas)
def test_what_was_left_is_left_again_after_a_pause(
    calendar: Calendar, clock: Clock, unit: Unit, one: datetime, other: datetime, rest: int, area: str | None
) -> None:
    rest = rest % 60 + 1 if unit in DAY_UNITS else rest
    at, later = sorted((one, other))

    for goes_on in (at, later):
        due = resume(at=goes_on, remaining=rest, unit=unit, calendar=calendar, clock=clock, area=area)
        left = remaining(at=goes_on, due=due.at, unit=unit, calendar=calendar, clock=clock, area=area)
        if unit is Unit.CALENDAR_DAYS_ROLLED:  # rolling gives days, it never takes any
            assert left >= rest
        else:
            assert left == rest


@law
@given(calendars, clocks, units, instants, lengths, st.floats(0, 0.999), areas)
def test_a_pause_never_takes_time_away_and_gives_less_than_a_minute(
    calendar: Calendar, clock: Clock, unit: Unit, start: datetime, length: int, share: float, area: str | None
) -> None:
    assume(unit not in DAY_UNITS)
    due = due_at(start=start, length=length, unit=unit, calendar=calendar, clock=clock, area=area)
    at = pause_between(start, due.at, share)
    assume(at < due.at)

    rest = remaining(at=at, due=due.at, unit=unit, calendar=calendar, clock=clock, area=area)
    again = resume(at=at, remaining=rest, unit=unit, calendar=calendar, clock=clock, area=area)

    assert due.at <= again.at
    if unit is not Unit.WORKING_HOURS:  # there the begun minute may lie behind a night
        assert again.at - due.at < MINUTE


@law
@given(calendars, clocks, units, instants, lengths, st.floats(0, 1), st.floats(0, 1), areas)
def test_a_reminder_lies_in_its_term_and_a_larger_share_is_never_earlier(
    calendar: Calendar,
    clock: Clock,
    unit: Unit,
    start: datetime,
    length: int,
    one: float,
    other: float,
    area: str | None,
) -> None:
    due = due_at(start=start, length=length, unit=unit, calendar=calendar, clock=clock, area=area)

    found = [
        share_at(start=start, due=due.at, share=share, unit=unit, calendar=calendar, clock=clock, area=area)
        for share in sorted((one, other))
    ]

    assert start <= found[0] <= found[1] <= due.at


@law
@given(calendars, clocks, st.sampled_from((Unit.WORKING_DAYS, Unit.WORKING_HOURS)), instants, lengths, st.floats(0, 1))
def test_a_reminder_of_working_time_falls_into_office_hours(
    calendar: Calendar, clock: Clock, unit: Unit, start: datetime, length: int, share: float
) -> None:
    due = due_at(start=start, length=length, unit=unit, calendar=calendar, clock=clock)

    found = share_at(start=start, due=due.at, share=share, unit=unit, calendar=calendar, clock=clock)

    local = found.astimezone(clock.zone)
    assert clock.is_open(local)
    assert calendar.is_working(local.date())


@law
@given(instants, lengths, st.sampled_from(NEVER_ON_A_CLOSED_DAY))
def test_the_announced_calendar_keeps_the_laws_too(start: datetime, length: int, unit: Unit) -> None:
    calendar = public_calendar()
    clock = Clock(zone=SHANGHAI, hours=HOURS)

    due = due_at(start=start, length=length, unit=unit, calendar=calendar, clock=clock)

    assert calendar.is_working(clock.last_day(due.at))
    assert due.provisional == (clock.last_day(due.at).year > 2026)
    if unit is Unit.WORKING_DAYS:
        assert clock.last_day(due.at) == slow_working_day(calendar, start.astimezone(SHANGHAI).date(), length, None)


def test_the_clock_is_never_moved_for_summer_in_the_covered_years() -> None:
    noons = [datetime(year, month, 15, 12, tzinfo=SHANGHAI) for year in range(2007, 2040) for month in range(1, 13)]

    assert {noon.utcoffset() for noon in noons} == {timedelta(hours=8)}
