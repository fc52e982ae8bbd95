"""Working days: the announced years agree with the notices, and the years beyond say that they are a guess."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from fuzhengtong.kernel.calendar import Calendar, DayKind
from tests.rules.holidays import public_calendar

COUNTY = "210921000000"


@pytest.fixture
def public() -> Calendar:
    return public_calendar()


def made(**kinds: DayKind) -> Calendar:
    days = {date.fromisoformat(day.strip("d").replace("_", "-")): kind for day, kind in kinds.items()}
    return Calendar(version="made", days=days, announced=frozenset({2026}))


def worked_in(calendar: Calendar, first: date, last: date) -> int:
    return calendar.count_through(last) - calendar.count_through(first - timedelta(days=1))


@pytest.mark.parametrize(("year", "count"), [(2024, 251), (2025, 248), (2026, 248)])
def test_each_announced_year_has_its_published_number_of_working_days(public: Calendar, year: int, count: int) -> None:
    assert worked_in(public, date(year, 1, 1), date(year, 12, 31)) == count


@pytest.mark.parametrize(
    ("year", "months"),
    [
        (2024, [22, 18, 21, 22, 21, 19, 23, 22, 21, 19, 21, 22]),
        (2025, [19, 19, 21, 22, 19, 20, 23, 21, 23, 18, 20, 23]),
        (2026, [21, 16, 22, 21, 19, 21, 23, 21, 22, 18, 21, 23]),
    ],
)
def test_each_month_has_its_published_number_of_working_days(public: Calendar, year: int, months: list[int]) -> None:
    firsts = [date(year, month, 1) for month in range(1, 13)] + [date(year + 1, 1, 1)]

    counted = [worked_in(public, first, after - timedelta(days=1)) for first, after in pairwise(firsts)]

    assert counted == months


def test_counting_agrees_with_asking_every_single_day(public: Calendar) -> None:
    day = date(2016, 6, 1)
    before = public.count_through(day - timedelta(days=1))

    for _ in range(12 * 366):
        counted = public.count_through(day)
        assert counted - before == public.is_working(day)
        if counted > before:
            assert public.nth(counted) == day
        before, day = counted, day + timedelta(days=1)


def test_a_year_with_an_empty_notice_is_not_announced(public: Calendar) -> None:
    assert public.is_announced(2026)
    assert not public.is_announced(2027)


def test_an_in_lieu_weekend_is_worked_and_an_announced_weekday_is_not() -> None:
    calendar = made(d2026_02_14=DayKind.INLIEU, d2026_02_16=DayKind.OFF)

    assert calendar.is_working(date(2026, 2, 14))
    assert not calendar.is_working(date(2026, 2, 15))
    assert not calendar.is_working(date(2026, 2, 16))
    assert calendar.add_working_days(date(2026, 2, 13), 2) == (date(2026, 2, 17), False)


def test_a_notice_about_a_day_that_was_free_or_worked_anyway_changes_nothing() -> None:
    calendar = made(d2026_03_07=DayKind.OFF, d2026_03_09=DayKind.INLIEU)

    assert calendar.add_working_days(date(2026, 3, 6), 1) == (date(2026, 3, 9), False)
    assert worked_in(calendar, date(2026, 3, 6), date(2026, 3, 9)) == 2


def test_a_local_closure_holds_in_its_area_alone_and_wins_over_an_in_lieu_day() -> None:
    calendar = Calendar(
        version="made",
        days={date(2026, 4, 11): DayKind.INLIEU},
        announced=frozenset({2026}),
        local={COUNTY: frozenset({date(2026, 4, 7), date(2026, 4, 11)})},
    )

    assert calendar.is_working(date(2026, 4, 7))
    assert not calendar.is_working(date(2026, 4, 7), COUNTY)
    assert not calendar.is_working(date(2026, 4, 11), COUNTY)
    assert calendar.add_working_days(date(2026, 4, 6), 1, COUNTY) == (date(2026, 4, 8), False)
    assert calendar.add_working_days(date(2026, 4, 10), 1, COUNTY) == (date(2026, 4, 13), False)
    assert calendar.add_working_days(date(2026, 4, 10), 1, "210922000000") == (date(2026, 4, 11), False)


def test_a_closure_of_the_whole_city_is_no_working_day() -> None:
    assert not made(d2026_04_07=DayKind.LOCAL_OFF).is_working(date(2026, 4, 7), COUNTY)


def test_any_day_of_a_year_not_announced_makes_the_answer_provisional() -> None:
    calendar = made()

    assert calendar.add_working_days(date(2026, 12, 30), 1) == (date(2026, 12, 31), False)
    assert calendar.add_working_days(date(2026, 12, 31), 1) == (date(2027, 1, 1), True)
    assert calendar.roll(date(2026, 12, 31)) == (date(2026, 12, 31), False)
    assert calendar.roll(date(2027, 1, 2)) == (date(2027, 1, 4), True)


def test_the_opening_day_is_not_counted_so_its_own_year_does_not_matter() -> None:
    assert made().add_working_days(date(2025, 12, 31), 1) == (date(2026, 1, 1), False)


def test_a_rest_period_that_reaches_into_an_unknown_year_is_provisional() -> None:
    calendar = made(d2026_12_31=DayKind.OFF)

    assert calendar.roll(date(2026, 12, 31)) == (date(2027, 1, 1), True)


def test_no_working_days_is_the_day_itself_and_fewer_are_refused() -> None:
    assert made().add_working_days(date(2026, 3, 7), 0) == (date(2026, 3, 7), False)
    with pytest.raises(ValueError, match="forward"):
        made().add_working_days(date(2026, 3, 7), -1)


def test_a_mapping_changed_afterwards_does_not_reach_the_calendar() -> None:
    days = {date(2026, 2, 16): DayKind.OFF}
    calendar = Calendar(version="made", days=days, announced=frozenset({2026}))

    days[date(2026, 2, 17)] = DayKind.OFF

    assert calendar.is_working(date(2026, 2, 17))
    assert calendar.add_working_days(date(2026, 2, 16), 1) == (date(2026, 2, 17), False)


def test_calendars_are_values() -> None:
    assert made() == made()
    assert hash(made()) == hash(made())
    assert made() != made(d2026_02_14=DayKind.INLIEU)
