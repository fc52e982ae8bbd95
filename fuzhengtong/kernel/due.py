"""When a promise falls due: the one arithmetic of terms, pauses and reminders.

Called by the spine when a duty is owed, paused or resumed, by the ladder of supervision and by the reminders; the
due time it gives is frozen on the duty together with the calendar version. Everything here is counting over the
calendar and the office hours that are handed in: it never reads a clock, never stores, and refuses naive times.

Day terms end with their last day, hour terms at the exact instant. Working time is one number line: the office hours
of all working days laid end to end. A working-hour term is a step along that line, which makes it monotone and
additive without any walk over days. Office hours are read on the clock of the zone; summer time is not provided for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import assert_never
from zoneinfo import ZoneInfo

from fuzhengtong.kernel.calendar import Calendar

_MINUTE = 60_000_000  # in microseconds, as every span below
_DAY = 24 * 60 * _MINUTE


class Unit(StrEnum):
    """In what a term is counted; every rule of the charter names exactly one."""

    WALL_MINUTES = "wall_minutes"
    WALL_HOURS = "wall_hours"
    WORKING_HOURS = "working_hours"
    CALENDAR_DAYS = "calendar_days"
    CALENDAR_DAYS_ROLLED = "calendar_days_rolled"
    WORKING_DAYS = "working_days"


@dataclass(frozen=True, slots=True)
class Due:
    """A due instant in UTC, and whether a calendar still to be announced may move it."""

    at: datetime
    provisional: bool


def _span(clock: time) -> int:
    return ((clock.hour * 60 + clock.minute) * 60 + clock.second) * 1_000_000 + clock.microsecond


@dataclass(frozen=True, slots=True)
class Clock:
    """The city's zone, its office hours in order, and when the last day of a day term ends.

    `day_end` None means 24:00 (Civil Code 203), which is stored as 00:00 of the next day. Refuses empty, touching or
    disordered hours.
    """

    zone: ZoneInfo
    hours: tuple[tuple[time, time], ...]
    day_end: time | None = None
    _spans: tuple[tuple[int, int], ...] = field(init=False, repr=False, compare=False)
    _worked: int = field(init=False, repr=False, compare=False)
    _ends: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        spans = tuple((_span(opens), _span(closes)) for opens, closes in self.hours)
        edges = [edge for span in spans for edge in span]
        if not spans or any(later <= earlier for earlier, later in pairwise(edges)):
            raise ValueError("office hours must be given in order, each opening before it closes")
        if self.day_end is not None and not _span(self.day_end):
            raise ValueError("a day that ends at 24:00 is written as day_end=None")
        object.__setattr__(self, "_spans", spans)
        object.__setattr__(self, "_worked", sum(closes - opens for opens, closes in spans))
        object.__setattr__(self, "_ends", _DAY if self.day_end is None else _span(self.day_end))

    @property
    def worked(self) -> int:
        """The office time of one working day, in microseconds."""
        return self._worked

    def local(self, instant: datetime) -> datetime:
        """Show the instant on the city's clock; a naive time is refused."""
        if instant.tzinfo is None:
            raise ValueError("a time without a zone is refused")
        return instant.astimezone(self.zone)

    def end_of(self, day: date) -> datetime:
        """Return the instant with which a term ends whose last day is this one."""
        return self._at(day, self._ends)

    def last_day(self, due: datetime) -> date:
        """Return the last day of a term that ends at the instant: the inverse of `end_of`."""
        return (self.local(due) - timedelta(microseconds=1)).date()

    def worked_by(self, local: datetime) -> int:
        """Return the office time, in microseconds, of a working day that is past at the local time."""
        past = _span(local.time())
        return sum(min(past, closes) - opens for opens, closes in self._spans if past > opens)

    def is_open(self, local: datetime) -> bool:
        """Say whether the local time of a working day lies in office hours, both borders included."""
        past = _span(local.time())
        return any(opens <= past <= closes for opens, closes in self._spans)

    def when_worked(self, day: date, worked: int) -> datetime:
        """Return the first instant of a working day at which so much of its office time is past."""
        for opens, closes in self._spans:
            if worked <= closes - opens:
                return self._at(day, opens + worked)
            worked -= closes - opens
        raise ValueError("more office time than a day has")

    def when_going_on(self, day: date, worked: int) -> datetime:
        """Return the instant of a working day at which work goes on when so much of its office time is past."""
        for opens, closes in self._spans:
            if worked < closes - opens:
                return self._at(day, opens + worked)
            worked -= closes - opens
        raise ValueError("the office time of the day is past")

    def _at(self, day: date, span: int) -> datetime:
        local = datetime(day.year, day.month, day.day, tzinfo=self.zone) + timedelta(microseconds=span)
        return local.astimezone(UTC)


def due_at(
    *, start: datetime, length: int, unit: Unit, calendar: Calendar, clock: Clock, area: str | None = None
) -> Due:
    """Return when a term that starts at the instant falls due.

    Days: the opening day is not counted (Civil Code 201) and the last day ends with the clock's day end; rolled
    calendar days move off a rest day (203); a local closure of the area is a rest day. Hours and minutes run from the
    instant itself, working hours within office hours only. A length of 0 means at once. Refuses naive times and
    negative lengths. Provisional when a date touched on the way lies in a year that is not announced.
    """
    if length < 0:
        raise ValueError(f"a term runs forward, not {length}")
    local = clock.local(start)
    if length == 0:
        return Due(start.astimezone(UTC), provisional=False)
    match unit:
        case Unit.WALL_MINUTES:
            return Due(start.astimezone(UTC) + timedelta(minutes=length), provisional=False)
        case Unit.WALL_HOURS:
            return Due(start.astimezone(UTC) + timedelta(hours=length), provisional=False)
        case Unit.WORKING_HOURS:
            return _after_work(local, length * 60 * _MINUTE, calendar, clock, area)
        case Unit.CALENDAR_DAYS:
            return Due(clock.end_of(local.date() + timedelta(days=length)), provisional=False)
        case Unit.CALENDAR_DAYS_ROLLED:
            last, provisional = calendar.roll(local.date() + timedelta(days=length), area)
            return Due(clock.end_of(last), provisional)
        case Unit.WORKING_DAYS:
            last, provisional = calendar.add_working_days(local.date(), length, area)
            return Due(clock.end_of(last), provisional)
        case _:
            assert_never(unit)


def remaining(
    *, at: datetime, due: datetime, unit: Unit, calendar: Calendar, clock: Clock, area: str | None = None
) -> int:
    """Return what is left of a term when it is paused.

    Whole minutes for wall and working-hour units, a begun minute counting in full, so that a pause never takes time
    away; days for day units, the day of the pause not counted. 0 on the last day of a day term and when the term has
    run out. Refuses naive times.
    """
    local = clock.local(at)
    if due.tzinfo is None:
        raise ValueError("a time without a zone is refused")
    if at >= due:
        return 0
    match unit:
        case Unit.WALL_MINUTES | Unit.WALL_HOURS:
            return _begun_minutes((due.astimezone(UTC) - at.astimezone(UTC)) // timedelta(microseconds=1))
        case Unit.WORKING_HOURS:
            left = _worked_through(clock.local(due), calendar, clock, area)
            return _begun_minutes(left - _worked_through(local, calendar, clock, area))
        case Unit.CALENDAR_DAYS | Unit.CALENDAR_DAYS_ROLLED:
            return (clock.last_day(due) - local.date()).days
        case Unit.WORKING_DAYS:
            through = calendar.count_through(clock.last_day(due), area)
            return through - calendar.count_through(local.date(), area)
        case _:
            assert_never(unit)


def resume(
    *, at: datetime, remaining: int, unit: Unit, calendar: Calendar, clock: Clock, area: str | None = None
) -> Due:
    """Return when a paused term falls due that goes on at the instant with what was left.

    `remaining` is in the measure of the function of that name. A day term paused on its last day ends with the day
    on which it goes on, moved off a rest day where the unit asks for it. Refuses naive times and negative rests.
    """
    if remaining < 0:
        raise ValueError(f"a rest of {remaining} cannot be resumed")
    local = clock.local(at)
    match unit:
        case Unit.WALL_MINUTES | Unit.WALL_HOURS:
            return Due(at.astimezone(UTC) + timedelta(minutes=remaining), provisional=False)
        case Unit.WORKING_HOURS:
            if remaining == 0:
                return Due(at.astimezone(UTC), provisional=False)
            return _after_work(local, remaining * _MINUTE, calendar, clock, area)
        case Unit.CALENDAR_DAYS | Unit.CALENDAR_DAYS_ROLLED | Unit.WORKING_DAYS:
            if remaining:
                return due_at(start=at, length=remaining, unit=unit, calendar=calendar, clock=clock, area=area)
            return _end_of_this_day(local, unit, calendar, clock, area)
        case _:
            assert_never(unit)


def share_at(
    *,
    start: datetime,
    due: datetime,
    share: float,
    unit: Unit,
    calendar: Calendar,
    clock: Clock,
    area: str | None = None,
) -> datetime:
    """Return the instant, in UTC, at which the share of a term is used.

    Wall units: plain time. Working hours and working days: share of the office time between both ends. Calendar
    days: plain time, then moved to the next office hours, or back to the last ones where the next lie past the due
    time. Refuses naive times and a share outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a share lies between 0 and 1, not {share}")
    first, last = clock.local(start), clock.local(due)
    opening, closing = start.astimezone(UTC), due.astimezone(UTC)
    plain = opening + max(closing - opening, timedelta()) * share
    match unit:
        case Unit.WALL_MINUTES | Unit.WALL_HOURS:
            return plain
        case Unit.WORKING_HOURS | Unit.WORKING_DAYS:
            begun = _worked_through(first, calendar, clock, area)
            used = round((_worked_through(last, calendar, clock, area) - begun) * share)
            if used > 0:
                return _when_worked(begun + used, calendar, clock, area)
            return _in_office_hours(plain, opening, closing, calendar, clock, area)
        case Unit.CALENDAR_DAYS | Unit.CALENDAR_DAYS_ROLLED:
            return _in_office_hours(plain, opening, closing, calendar, clock, area)
        case _:
            assert_never(unit)


def _begun_minutes(span: int) -> int:
    return max(-(-span // _MINUTE), 0)


def _worked_through(local: datetime, calendar: Calendar, clock: Clock, area: str | None) -> int:
    """Where the local time stands on the line of office time; closed time adds nothing."""
    day = local.date()
    through = calendar.count_through(day, area)
    if calendar.is_working(day, area):
        return (through - 1) * clock.worked + clock.worked_by(local)
    return through * clock.worked


def _when_worked(worked: int, calendar: Calendar, clock: Clock, area: str | None) -> datetime:
    """Return the first instant that stands there on the line: at a border the closing, not the next opening."""
    days, rest = divmod(worked - 1, clock.worked)
    return clock.when_worked(calendar.nth(days + 1, area), rest + 1)


def _when_going_on(worked: int, calendar: Calendar, clock: Clock, area: str | None) -> datetime:
    """Return the last instant that stands there on the line: at a border the next opening."""
    days, rest = divmod(worked, clock.worked)
    return clock.when_going_on(calendar.nth(days + 1, area), rest)


def _after_work(local: datetime, span: int, calendar: Calendar, clock: Clock, area: str | None) -> Due:
    at = _when_worked(_worked_through(local, calendar, clock, area) + span, calendar, clock, area)
    return Due(at, provisional=not calendar.is_certain(local.date(), clock.local(at).date()))


def _end_of_this_day(local: datetime, unit: Unit, calendar: Calendar, clock: Clock, area: str | None) -> Due:
    day = local.date()
    if clock.end_of(day) <= local:
        day += timedelta(days=1)  # after a day end at the close of business the day is over
    if unit == Unit.CALENDAR_DAYS:  # not `is`: a unit read from a row may be its plain text
        return Due(clock.end_of(day), provisional=False)
    rolled, provisional = calendar.roll(day, area)
    return Due(clock.end_of(rolled), provisional)


def _in_office_hours(
    plain: datetime, opening: datetime, closing: datetime, calendar: Calendar, clock: Clock, area: str | None
) -> datetime:
    """Move the instant into office hours without leaving the term; a term without any keeps it where it is."""
    local = clock.local(plain)
    if calendar.is_working(local.date(), area) and clock.is_open(local):
        return plain
    stands = _worked_through(local, calendar, clock, area)
    ahead = _when_going_on(stands, calendar, clock, area)
    behind = _when_worked(stands, calendar, clock, area)
    if ahead < closing:
        return ahead
    return behind if behind > opening else plain
