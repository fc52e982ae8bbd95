"""Count working days and office hours one after the other: the watchdog's own arithmetic of time.

It knows the calendar's answer for single days and the charter's clock, and walks; it shares no line with `kernel.due`,
so that a fault in one of the two is seen. Slow where a term is long, and plain enough to be read in one go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from fuzhengtong.kernel.calendar import Calendar
from fuzhengtong.kernel.due import Clock

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_TICK = timedelta(microseconds=1)
_WALL = {"wall_minutes": _MINUTE, "wall_hours": timedelta(hours=1)}
_OFFICE = ("working_hours", "working_days")


@dataclass(frozen=True, slots=True)
class Days:
    """The working days and office hours of one county under one calendar and one charter's clock."""

    calendar: Calendar
    clock: Clock
    area: str | None

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.clock.zone)

    def works(self, day: date) -> bool:
        return self.calendar.is_working(day, self.area)

    def end(self, day: date) -> datetime:
        """Return the instant with which a day ends: its 24:00, or the hour the charter sets."""
        closes = self.clock.day_end
        local = datetime(day.year, day.month, day.day, tzinfo=self.clock.zone)
        if closes is None:
            return (local + _DAY).astimezone(UTC)
        return local.replace(hour=closes.hour, minute=closes.minute, second=closes.second).astimezone(UTC)

    def hours(self, day: date, step: int = 1) -> Iterator[tuple[datetime, datetime]]:
        """Yield the office hours from a day on, one opening after the other; backwards with a step of -1."""
        while True:
            if self.works(day):
                spans = [
                    (
                        datetime.combine(day, opens, self.clock.zone).astimezone(UTC),
                        datetime.combine(day, closes, self.clock.zone).astimezone(UTC),
                    )
                    for opens, closes in self.clock.hours
                ]
                yield from spans[::step]
            day += _DAY * step

    def worked(self, start: datetime, until: datetime) -> timedelta:
        """Add up the office time between two instants."""
        total = timedelta()
        for opens, closes in self.hours(self.local(start).date()):
            if opens >= until:
                return total
            total += max(min(closes, until) - max(opens, start), timedelta())
        raise AssertionError("the days never end")

    def after(self, start: datetime, span: timedelta) -> datetime:
        """Return when so much office time has passed since an instant."""
        for opens, closes in self.hours(self.local(start).date()):
            begins = max(opens, start)
            if begins < closes:
                if span <= closes - begins:
                    return begins + span
                span -= closes - begins
        raise AssertionError("the days never end")

    def due(self, start: datetime, length: int, unit: str) -> datetime:
        """Return when a term falls due (Civil Code 201 and 203; hours from the instant itself)."""
        if length == 0:
            return start
        if unit in _WALL:
            return start + length * _WALL[unit]
        if unit == "working_hours":
            return self.after(start, length * 60 * _MINUTE)
        day = self.local(start).date()
        if unit == "working_days":
            while length:
                day += _DAY
                length -= self.works(day)
            return self.end(day)
        day += length * _DAY
        return self.end(self.rolled(day) if unit == "calendar_days_rolled" else day)

    def rolled(self, day: date) -> date:
        """Move a rest day to the next working day."""
        while not self.works(day):
            day += _DAY
        return day

    def left(self, at: datetime, due: datetime, unit: str) -> int:
        """Return what is left of a term at a pause: begun minutes, or days without the day of the pause."""
        if at >= due:
            return 0
        if unit in _WALL:
            return -((at - due) // _MINUTE)
        if unit == "working_hours":
            return -(-self.worked(at, due) // _MINUTE)
        day, last = self.local(at).date(), self.local(due - _TICK).date()
        if unit == "working_days":
            return sum(self.works(day + n * _DAY) for n in range(1, (last - day).days + 1))
        return (last - day).days

    def resumed(self, at: datetime, left: int, unit: str) -> datetime:
        """Return when a term falls due that goes on with what was left."""
        if unit in _WALL:
            return at + left * _MINUTE
        if unit == "working_hours":
            return self.after(at, left * _MINUTE) if left else at
        if left:
            return self.due(at, left, unit)
        day = self.local(at).date()
        day += _DAY * (self.end(day) <= at)
        return self.end(day if unit == "calendar_days" else self.rolled(day))

    def share(self, start: datetime, due: datetime, share: float, unit: str) -> datetime:
        """Return when a share of a term is used; office time for terms in office time, else moved into office hours."""
        plain = start + max(due - start, timedelta()) * share
        if unit in _WALL:
            return plain
        if unit in _OFFICE:
            used = round(self.worked(start, due) / _TICK * share) * _TICK
            if used > timedelta():
                return self.after(start, used)
        day = self.local(plain).date()
        opens, closes = next(span for span in self.hours(day) if span[1] >= plain)
        if opens <= plain:
            return plain
        if opens < due:
            return opens
        last = next(span[1] for span in self.hours(day, -1) if span[1] < plain)
        return last if last > start else plain
