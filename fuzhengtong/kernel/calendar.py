"""The working calendar of a city: which days are worked, and where the announced years end.

Built at the edge from the imported calendar rows (State Council notices, in-lieu working days, local closures) and
handed down with the Moment; called by `due` and by every rule that counts working days. It never reads a file or a
clock, and it never answers for a year that is not announced without saying so: such a year follows the plain weekdays
and every answer that passed through it is marked provisional.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum


class DayKind(StrEnum):
    """What a notice says about one date; a date without a notice follows its weekday."""

    OFF = "off"
    INLIEU = "inlieu"
    LOCAL_OFF = "local_off"


def _weekdays_through(ordinal: int) -> int:
    # Ordinal 1, the first of January of the year 1, is a Monday in Python's calendar.
    return 5 * (ordinal // 7) + min(ordinal % 7, 5)


def _nth_weekday(count: int) -> int:
    weeks, rest = divmod(count - 1, 5)
    return 7 * weeks + rest + 1


class _Line:
    """The working days of one area as a counting line: plain weekdays plus the few dates that differ.

    Both directions (how many through this day, which is the n-th) take one binary search over a few dozen dates a
    year, so that a term of sixty working days costs as much as one of a single day.
    """

    __slots__ = ("counts", "ordinals", "shifts")

    def __init__(self, worked: Mapping[date, bool]) -> None:
        # Only real exceptions stay: a Saturday announced as a day off changes nothing.
        exceptions = sorted((day.toordinal(), works) for day, works in worked.items() if works != (day.weekday() < 5))
        self.ordinals: list[int] = []
        self.shifts: list[int] = [0]
        self.counts: list[int] = []
        for ordinal, works in exceptions:
            shift = self.shifts[-1] + (1 if works else -1)
            self.ordinals.append(ordinal)
            self.shifts.append(shift)
            self.counts.append(_weekdays_through(ordinal) + shift)

    def through(self, ordinal: int) -> int:
        return _weekdays_through(ordinal) + self.shifts[bisect_right(self.ordinals, ordinal)]

    def nth(self, count: int) -> int:
        # The first exception by which the count is reached bounds the answer; before it only weekdays count.
        place = bisect_left(self.counts, count)
        ordinal = _nth_weekday(count - self.shifts[place])
        if place < len(self.ordinals) and ordinal >= self.ordinals[place]:
            return self.ordinals[place]
        return ordinal


@dataclass(frozen=True)
class Calendar:
    """One version of the working calendar, with the years that are announced and the closures of single areas.

    `local` holds closed days by the code of the area they hold for (a county); they win over any notice.
    """

    version: str
    days: Mapping[date, DayKind] = field(hash=False)
    announced: frozenset[int]
    local: Mapping[str, frozenset[date]] = field(default_factory=dict, hash=False)
    _city: _Line = field(init=False, repr=False, compare=False)
    _areas: Mapping[str, _Line] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Copies: the counting lines are built once, so a mapping changed from outside must not contradict them.
        days = {day: DayKind(kind) for day, kind in self.days.items()}
        local = {area: frozenset(closed) for area, closed in self.local.items()}
        object.__setattr__(self, "days", days)
        object.__setattr__(self, "local", local)
        object.__setattr__(self, "announced", frozenset(self.announced))
        worked = {day: kind is DayKind.INLIEU for day, kind in days.items()}
        object.__setattr__(self, "_city", _Line(worked))
        areas = {area: _Line(worked | dict.fromkeys(closed, False)) for area, closed in local.items()}
        object.__setattr__(self, "_areas", areas)

    def is_announced(self, year: int) -> bool:
        """Say whether the State Council's notice for the year is in this calendar."""
        return year in self.announced

    def is_working(self, day: date, area: str | None = None) -> bool:
        """Say whether the day is worked in the area; a year not announced follows its weekdays."""
        if area is not None and day in self.local.get(area, ()):
            return False
        kind = self.days.get(day)
        return day.weekday() < 5 if kind is None else kind is DayKind.INLIEU

    def is_certain(self, first: date, last: date) -> bool:
        """Say whether every year from the first date to the last is announced."""
        if first.year == last.year:
            return first.year in self.announced
        return self.announced.issuperset(range(first.year, last.year + 1))

    def count_through(self, day: date, area: str | None = None) -> int:
        """Count the working days up to and including the day; only differences of two counts have a meaning."""
        return self._line(area).through(day.toordinal())

    def nth(self, count: int, area: str | None = None) -> date:
        """Return the working day by which `count_through` reaches the count."""
        return date.fromordinal(self._line(area).nth(count))

    def add_working_days(self, day: date, n: int, area: str | None = None) -> tuple[date, bool]:
        """Return the n-th working day after the day, and whether that is provisional.

        The opening day is not counted (Civil Code 201). Zero gives the day itself. A negative number is refused.
        Provisional: a date after the opening day, up to the answer, lies in a year that is not announced.
        """
        if n < 0:
            raise ValueError(f"working days are counted forward, not {n}")
        if n == 0:
            return day, False
        line = self._line(area)
        opening = day.toordinal()
        last = date.fromordinal(line.nth(line.through(opening) + n))
        return last, not self.is_certain(date.fromordinal(opening + 1), last)

    def roll(self, day: date, area: str | None = None) -> tuple[date, bool]:
        """Move a rest day to the first working day after it (Civil Code 203), and say whether that is provisional."""
        rolled, _ = self.add_working_days(day - timedelta(days=1), 1, area)
        return rolled, not self.is_certain(day, rolled)

    def _line(self, area: str | None) -> _Line:
        return self._city if area is None else self._areas.get(area, self._city)
