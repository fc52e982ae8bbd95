"""Pure rules of the visits: which attempts count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo


def attempts_that_count(
    attempts: Sequence[datetime], *, zone: ZoneInfo, different_days: bool, different_hours: bool
) -> int:
    """Count attempts to reach a teller, as many as differ in what the charter asks for.

    Days are those of the city, hours the hours of its clock (09:59 and 10:00 differ). Where both are asked for, no two
    of those counted may share a day or an hour: the most that can be chosen so are counted, whatever their order.
    """
    local = [attempt.astimezone(zone) for attempt in attempts]
    if different_days and different_hours:
        hours: dict[date, set[int]] = {}
        for at in local:
            hours.setdefault(at.date(), set()).add(at.hour)
        return _paired(hours)
    if different_days:
        return len({at.date() for at in local})
    if different_hours:
        return len({at.hour for at in local})
    return len(local)


def _paired(hours: Mapping[date, set[int]]) -> int:
    """Count the days to which an hour of their own can be given (the largest matching, by augmenting paths)."""
    day_of: dict[int, date] = {}

    def place(day: date, seen: set[int]) -> bool:
        for hour in hours[day]:
            if hour in seen:
                continue
            seen.add(hour)
            if hour not in day_of or place(day_of[hour], seen):
                day_of[hour] = day
                return True
        return False

    return sum(place(day, set()) for day in hours)
