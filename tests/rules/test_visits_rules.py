"""Which attempts to reach a teller count before anybody may call him unreachable."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzhengtong.visits.rules import attempts_that_count

ZONE = ZoneInfo("Asia/Shanghai")


def tries(*texts: str) -> list[datetime]:
    return [datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=ZONE).astimezone(UTC) for text in texts]


def counted(attempts: list[datetime], *, days: bool = True, hours: bool = True) -> int:
    return attempts_that_count(attempts, zone=ZONE, different_days=days, different_hours=hours)


@pytest.mark.parametrize(
    ("attempts", "days", "hours", "both", "neither"),
    [
        ((), 0, 0, 0, 0),
        (("20T10:00",), 1, 1, 1, 1),
        (("20T10:00", "20T10:30", "20T10:45"), 1, 1, 1, 3),
        (("20T10:00", "20T11:00", "20T15:00"), 1, 3, 1, 3),
        (("20T10:00", "21T10:05", "22T10:10"), 3, 1, 1, 3),
        (("20T10:00", "21T15:00", "22T18:00"), 3, 3, 3, 3),
        (("20T09:59", "21T10:00"), 2, 2, 2, 2),
        # The first day gives its later try, so that the second day may keep the hour they share.
        (("20T10:00", "20T11:00", "21T10:00"), 2, 2, 2, 3),
        (("20T10:00", "20T11:00", "21T10:00", "22T11:00"), 3, 2, 2, 4),
    ],
)
def test_attempts_count_by_what_the_charter_asks_for(
    attempts: tuple[str, ...], days: int, hours: int, both: int, neither: int
) -> None:
    made = tries(*attempts)

    assert counted(made, hours=False) == days
    assert counted(made, days=False) == hours
    assert counted(made) == both
    assert counted(made, days=False, hours=False) == neither


def test_days_and_hours_are_those_of_the_citys_clock() -> None:
    # 15:30 and 16:30 in UTC lie on two days in the city.
    made = [datetime(2026, 11, 20, 15, 30, tzinfo=UTC), datetime(2026, 11, 20, 16, 30, tzinfo=UTC)]

    assert counted(made) == 2


moments = st.tuples(st.integers(1, 5), st.integers(0, 23), st.integers(0, 59)).map(
    lambda told: datetime(2026, 11, told[0], told[1], told[2], tzinfo=ZONE)
)


@given(st.lists(moments, max_size=7))
def test_no_choice_of_attempts_would_count_more(attempts: list[datetime]) -> None:
    def differ(chosen: tuple[datetime, ...]) -> bool:
        days, hours = {at.date() for at in chosen}, {at.hour for at in chosen}
        return len(days) == len(hours) == len(chosen)

    best = max(size for size in range(len(attempts) + 1) if any(map(differ, combinations(attempts, size))))

    assert counted(attempts) == best


@given(st.lists(moments, max_size=8), moments)
def test_one_more_attempt_never_counts_less(attempts: list[datetime], more: datetime) -> None:
    assert counted(attempts) <= counted([*attempts, more]) <= counted(attempts) + 1
