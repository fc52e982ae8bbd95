"""The calendar that ships: without gaps, and honest about the year that nobody has announced."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from fuzhengtong.charter.load import find_folder, load_charters
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import actions as directory_actions
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory.imports import package
from fuzhengtong.directory.lists.notices import NoticeRow, parse_notice
from fuzhengtong.directory.sheets import Sheet
from fuzhengtong.jobs import found
from fuzhengtong.kernel.calendar import Calendar, DayKind


def notices() -> dict[int, NoticeRow]:
    read = [parse_notice(sheet) for sheet in package.calendar_sheets()]
    assert not any(one.problems for one in read)
    return {row.year: row for one in read for row in one.rows}


NOTICES = notices()
ANNOUNCED = sorted(year for year, row in NOTICES.items() if row.source)


def calendar() -> Calendar:
    days = {day.day: DayKind.OFF if day.is_off else DayKind.INLIEU for row in NOTICES.values() for day in row.days}
    return Calendar(version="package", days=days, announced=frozenset(ANNOUNCED))


def test_the_calendar_begins_before_the_first_edition_and_has_no_gap() -> None:
    first = load_charters(find_folder("charters/fuxin")).editions[0].active_from.year

    assert ANNOUNCED[0] <= first
    assert sorted(NOTICES) == list(range(min(NOTICES), max(NOTICES) + 1))
    assert [year for year in range(min(NOTICES), ANNOUNCED[-1] + 1) if year not in ANNOUNCED] == []


def test_the_year_after_the_last_announced_one_is_there_and_says_that_it_is_not_announced() -> None:
    following = ANNOUNCED[-1] + 1

    assert following in NOTICES
    assert not NOTICES[following].days
    assert not calendar().is_announced(following)


def test_a_promise_that_reaches_into_a_year_not_announced_is_provisional() -> None:
    last_day = date(ANNOUNCED[-1], 12, 31)

    _, provisional = calendar().add_working_days(last_day, 1)

    assert provisional


def test_an_announced_year_names_its_paper_and_its_days() -> None:
    for year in ANNOUNCED:
        assert NOTICES[year].source.startswith("http")
        assert any(day.is_off for day in NOTICES[year].days)


def test_what_a_city_has_announced_outlives_the_next_start(db: None, moment: Moment) -> None:
    following = ANNOUNCED[-1] + 1
    days = [{"name": "元旦", "date": f"{following}-01-01", "isOffDay": True}]
    told = {"year": following, "papers": ["https://www.gov.cn/made-up"], "days": days}
    sheet = Sheet(f"{following}.json", json.dumps(told).encode())
    directory_actions.import_calendar(sheets=[sheet], moment=moment, apply=True)

    found.found(made=False)

    assert directory_queries.calendar().is_announced(following)


def test_the_calendar_reaches_the_year_to_come() -> None:
    this_year = datetime.now(UTC).year
    if this_year + 1 not in NOTICES:
        pytest.skip(f"the calendar ends with {max(NOTICES)}: docs/how-to/announce-the-next-year.md says what to do")

    assert this_year + 1 in NOTICES
