"""Rules of the directory: levels, administrators apart, who does what, differences, seasons."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzhengtong.directory import rules
from fuzhengtong.directory.names import AreaKind
from fuzhengtong.directory.rules import Held, Levels, PostKind

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def held(kind: str, first: int, last: int | None) -> Held:
    return Held(kind, START + first * DAY, None if last is None else START + last * DAY)


# Levels


def test_levels_below_an_area_repeat_it() -> None:
    city = rules.levels_of(area_id=1, depth=0, parent=None)
    county = rules.levels_of(area_id=2, depth=1, parent=city)
    town = rules.levels_of(area_id=3, depth=2, parent=county)

    assert town == Levels(city=1, county=2, town=3, community=3, grid=3)


def test_a_missing_level_repeats_its_parent() -> None:
    city = rules.levels_of(area_id=1, depth=0, parent=None)
    county = rules.levels_of(area_id=2, depth=1, parent=city)

    community = rules.levels_of(area_id=4, depth=3, parent=county)

    assert community == Levels(city=1, county=2, town=2, community=4, grid=4)
    assert community.path() == (1, 2, 4)


def test_a_development_zone_stands_one_level_below_its_parent() -> None:
    assert rules.depth_of(AreaKind.FUNCTIONAL, 0) == 1
    assert rules.depth_of(AreaKind.FUNCTIONAL, 1) == 2


@pytest.mark.parametrize(
    ("kind", "parent_depth"),
    [
        (AreaKind.TOWN, None),
        (AreaKind.CITY, 0),
        (AreaKind.COUNTY, 1),
        (AreaKind.TOWN, 3),
        (AreaKind.GRID, 4),
        (AreaKind.FUNCTIONAL, 3),
    ],
)
def test_nothing_stands_below_what_is_smaller(kind: AreaKind, parent_depth: int | None) -> None:
    assert rules.depth_of(kind, parent_depth) is None


# Three administrators


@pytest.mark.parametrize("other", sorted(rules.ADMIN_POSTS - {PostKind.SYSTEM_ADMIN}))
def test_system_security_and_audit_are_three_people(other: PostKind) -> None:
    refusal = rules.why_not_hold(held(PostKind.SYSTEM_ADMIN, 0, None), [held(other, -10, None)])

    assert refusal is not None
    assert refusal.code == "admin_posts_apart"


def test_an_administration_that_is_over_when_the_other_begins_is_no_hindrance() -> None:
    assert rules.why_not_hold(held(PostKind.AUDIT_ADMIN, 5, None), [held(PostKind.SYSTEM_ADMIN, 0, 5)]) is None


def test_one_that_overlaps_by_a_day_in_the_past_is_a_hindrance() -> None:
    wanted, before = held(PostKind.AUDIT_ADMIN, 4, 9), held(PostKind.SYSTEM_ADMIN, 0, 5)

    assert rules.why_not_hold(wanted, [before]) is not None


def test_one_that_is_yet_to_come_is_a_hindrance() -> None:
    assert rules.why_not_hold(held(PostKind.AUDIT_ADMIN, 0, None), [held(PostKind.SYSTEM_ADMIN, 30, None)]) is not None


def test_other_posts_may_be_joined_with_an_administration() -> None:
    assert rules.why_not_hold(held(PostKind.SYSTEM_ADMIN, 0, None), [held(PostKind.HANDLER, 0, None)]) is None
    assert rules.why_not_hold(held(PostKind.HANDLER, 0, None), [held(PostKind.SYSTEM_ADMIN, 0, None)]) is None


def test_one_administration_may_be_held_in_two_offices() -> None:
    assert rules.why_not_hold(held(PostKind.AUDIT_ADMIN, 0, None), [held(PostKind.AUDIT_ADMIN, 0, None)]) is None


periods = st.tuples(st.integers(-50, 50), st.one_of(st.none(), st.integers(1, 60))).map(
    lambda pair: held("handler", pair[0], None if pair[1] is None else pair[0] + pair[1])
)


@given(periods, periods)
def test_periods_overlap_exactly_when_some_day_lies_in_both(one: Held, other: Held) -> None:
    def holds(period: Held, day: int) -> bool:
        at = START + day * DAY
        return period.active_from <= at and (period.active_to is None or at < period.active_to)

    shared = any(holds(one, day) and holds(other, day) for day in range(-60, 130))

    assert rules.do_overlap(one, other) == rules.do_overlap(other, one) == shared


# Who does what


def test_the_countys_own_office_comes_before_the_citys() -> None:
    offices = {("供热", "city"): "city-heat", ("供热", "county"): "county-heat"}

    assert rules.resolve("供热", areas=("town", "county", "city"), offices=offices) == "county-heat"
    assert rules.resolve("供热", areas=("elsewhere", "city"), offices=offices) == "city-heat"


def test_a_function_nobody_has_resolves_to_nothing() -> None:
    assert rules.resolve("供热", areas=("city",), offices={}) is None


# Differences


def test_a_list_speaks_only_for_the_columns_it_has() -> None:
    report = rules.compare(table="t", current={"a": {"name": "甲", "phone": "1"}}, wanted={"a": {"name": "甲"}})

    assert report.unchanged == 1
    assert not report.is_different


def test_differences_are_told_apart_as_added_changed_moved_and_closed() -> None:
    current = {
        "same": {"name": "同", "parent": "p", "active_to": None},
        "changed": {"name": "旧", "parent": "p", "active_to": None},
        "moved": {"name": "迁", "parent": "p", "active_to": None},
        "closed": {"name": "撤", "parent": "p", "active_to": None},
        "missing": {"name": "缺", "parent": "p", "active_to": None},
    }
    wanted = {
        "same": {"name": "同"},
        "changed": {"name": "新"},
        "moved": {"name": "迁", "parent": "q"},
        "closed": {"name": "撤", "active_to": START},
        "added": {"name": "增"},
    }

    report = rules.compare(
        table="t", current=current, wanted=wanted, moving=frozenset({"parent"}), closing=current, closed_at=START
    )

    assert [change.code for change in report.added] == ["added"]
    assert [(change.code, change.before, change.after) for change in report.changed] == [
        ("changed", {"name": "旧"}, {"name": "新"})
    ]
    assert [change.code for change in report.moved] == ["moved"]
    assert [change.code for change in report.closed] == ["closed", "missing"]
    assert report.unchanged == 1


# Seasons


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("6-9", {6, 7, 8, 9}),
        ("11-3", {11, 12, 1, 2, 3}),
        ("3-5,10-11", {3, 4, 5, 10, 11}),
        ("7", {7}),
        ("", set()),
    ],
)
def test_a_season_may_wrap_over_the_year(text: str, months: set[int]) -> None:
    assert rules.season_months(text) == months


@pytest.mark.parametrize("text", ["13-2", "0", "6-", "六月", "6-9-11"])
def test_what_is_no_season_is_nothing(text: str) -> None:
    assert rules.season_months(text) is None
