"""The working calendar: imported from notices, versioned by content, honest about years nobody has announced."""

import json
from datetime import date, timedelta

import pytest

from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import actions, models, queries, rules
from fuzhengtong.directory.imports import package
from fuzhengtong.directory.sheets import Sheet
from tests.actions.directory_lists import areas, at, codes, empty, told, whole


@pytest.fixture(autouse=True)
def nothing_yet(db: None) -> None:
    empty()


def notice(year: int, days: dict[str, bool], **more: object) -> Sheet:
    told_days = [{"name": "节日", "date": day, "isOffDay": is_off} for day, is_off in days.items()]
    papers = [f"https://example.org/{year}"]
    return Sheet(f"{year}.json", json.dumps({"year": year, "papers": papers, "days": told_days} | more).encode())


def take(moment: Moment, *sheets: Sheet) -> rules.Report:
    return whole(actions.import_calendar(sheets=sheets, moment=moment, apply=True))


def test_before_any_notice_no_year_is_announced() -> None:
    calendar = queries.calendar()

    assert (calendar.version, calendar.announced) == ("", frozenset())


def test_the_shipped_notices_make_the_calendar_of_ten_years(moment: Moment) -> None:
    report = take(moment, *package.calendar_sheets())

    calendar = queries.calendar()
    assert calendar.version == report.version
    assert calendar.announced == frozenset(range(2017, 2027))
    first, second = calendar.add_working_days(date(2026, 2, 13), 1), calendar.add_working_days(date(2026, 9, 24), 9)
    assert (first, second) == ((date(2026, 2, 14), False), (date(2026, 10, 14), False))
    counts = [sum(calendar.is_working(date(year, 1, 1) + timedelta(n)) for n in range(366)) for year in (2024,)]
    assert counts == [251]


def test_an_empty_notice_is_a_year_not_announced_and_no_year_without_days_off(moment: Moment) -> None:
    take(moment, *package.calendar_sheets())

    calendar = queries.calendar()

    assert not calendar.is_announced(2027)
    assert (2027, False, "") in queries.calendar_years()
    assert calendar.add_working_days(date(2026, 12, 31), 1)[1]


def test_the_same_notices_handed_in_twice_change_nothing(moment: Moment) -> None:
    first = take(moment, *package.calendar_sheets())
    entries = models.ReferenceEntry.objects.count()

    again = take(moment, *reversed(package.calendar_sheets()))

    assert (again.is_different, again.applied, again.version) == (False, False, first.version)
    assert models.ReferenceEntry.objects.count() == entries
    assert models.CalendarImport.objects.count() == 1


def test_a_preview_names_the_days_and_the_version_and_changes_nothing(moment: Moment) -> None:
    report = actions.import_calendar(sheets=[notice(2030, {"2030-01-01": True})], moment=moment, apply=False)

    assert codes(report.added) == {"2030", "2030-01-01"}
    assert report.version
    assert queries.calendar().version == ""


def test_a_year_once_announced_is_never_taken_back_by_an_empty_notice(moment: Moment) -> None:
    take(moment, notice(2030, {"2030-01-01": True}))

    report = actions.import_calendar(sheets=[notice(2030, {}, papers=[])], moment=moment, apply=True)

    assert told(report.errors) == [(0, "papers", "import.year_was_announced")]
    assert queries.calendar().is_announced(2030)


def test_a_corrected_notice_replaces_the_days_of_its_year_and_is_a_new_version(moment: Moment) -> None:
    old = take(moment, notice(2030, {"2030-01-01": True, "2030-01-05": False, "2030-01-02": True}))

    report = take(moment, notice(2030, {"2030-01-01": True, "2030-01-05": True, "2030-01-03": True}))

    assert codes(report.added) == {"2030-01-03"}
    assert codes(report.changed) == {"2030-01-05"}
    assert codes(report.closed) == {"2030-01-02"}
    assert report.version != old.version
    assert queries.calendar().is_working(date(2030, 1, 2))
    assert not queries.calendar_version(old.version).is_working(date(2030, 1, 2))


def test_a_calendar_that_comes_back_is_in_force_again_under_its_old_name(moment: Moment) -> None:
    first = take(moment, notice(2030, {"2030-01-01": True}))
    take(moment, notice(2030, {"2030-01-02": True}))

    third = take(moment, notice(2030, {"2030-01-01": True}))

    assert third.version == first.version
    assert queries.calendar().version == first.version


def test_the_later_years_word_holds_in_the_december_before(moment: Moment) -> None:
    take(moment, notice(2031, {"2030-12-31": True}))

    take(moment, notice(2030, {"2030-12-31": False}))

    assert not queries.calendar().is_working(date(2030, 12, 31))


def test_a_countys_own_closure_holds_for_the_county_alone(moment: Moment) -> None:
    areas(moment)

    unknown = actions.import_calendar(
        sheets=[notice(2030, {"2030-04-08": True}, area="7777")], moment=moment, apply=True
    )
    take(moment, notice(2030, {"2030-01-01": True}), notice(2030, {"2030-04-08": True}, area="900001"))

    calendar = queries.calendar()
    assert told(unknown.errors) == [(0, "area", "import.area_unknown")]
    assert not calendar.is_working(date(2030, 4, 8), "900001")
    assert calendar.is_working(date(2030, 4, 8), "900002")
    assert calendar.is_working(date(2030, 4, 8))


def test_a_notice_handed_in_twice_at_once_is_refused(moment: Moment) -> None:
    report = actions.import_calendar(
        sheets=[notice(2030, {"2030-01-01": True}), notice(2030, {"2030-01-02": True})], moment=moment, apply=True
    )

    assert told(report.errors) == [(0, "year", "import.twice")]


def test_every_day_that_changes_leaves_an_entry(moment: Moment) -> None:
    take(moment, notice(2030, {"2030-01-01": True}))

    (entry,) = queries.entries(table="calendar_day", row_id="2030-01-01")

    assert entry.what == "added"
    assert entry.at == moment.at


def test_a_newer_import_is_in_force_whatever_instant_it_was_made_at(moment: Moment) -> None:
    take(at(moment, moment.at + timedelta(days=3)), notice(2030, {"2030-01-01": True}))

    second = take(moment, notice(2031, {"2031-01-01": True}))

    assert queries.calendar().version == second.version
