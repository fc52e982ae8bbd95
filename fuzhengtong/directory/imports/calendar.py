"""Writing the working calendar from the State Council's notices, year by year.

Called through `actions`. Every different state of the calendar is a version, kept whole under the hash of its content:
a duty names the version its due time was computed under. Due times that wait for a year are the spine's to compute
anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import msgspec
from django.db.models import Max

from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import models, rules
from fuzhengtong.directory.imports import writing
from fuzhengtong.directory.lists import notices as lists
from fuzhengtong.directory.sheets import Problem, Sheet
from fuzhengtong.kernel.calendar import DayKind

_DAYS, _YEARS = "calendar_day", "calendar_year"
_COUNTY = "county"


def import_calendar(*, sheets: Sequence[Sheet], moment: Moment, apply: bool, reason: str = "") -> rules.Report:
    """Compare notices of days off with what stands, and where told to apply, write the differences as a new version.

    A notice replaces every day of an earlier notice of its year; on a date that two years speak of, the later year's
    holds. A year whose notice is empty is not announced; one that was announced is never taken back. The report names
    the version the calendar will have.
    """
    read = [lists.parse_notice(sheet) for sheet in sheets]
    notices = sorted((row for found in read for row in found.rows), key=lambda row: (row.year, row.area))
    problems = [problem for found in read for problem in found.problems]
    with writing.one_writer():
        years = {row.year: row for row in models.CalendarYear.objects.all()}
        days = {(row.date, row.area): row for row in models.CalendarDay.objects.all()}
        problems += _links(notices, years)
        if problems:
            return writing.refused(problems)
        wanted_years = _wanted_years(notices)
        wanted_days, gone = _wanted_days(notices, days)
        report = writing.joined(
            rules.compare(table=_YEARS, current=_year_records(years), wanted=wanted_years),
            _days_report(days, wanted_days, gone),
        )
        content = _content(_year_records(years) | wanted_years, _all_days(days, wanted_days, gone))
        report = replace(report, version=version_of(content))
        if not apply or not report.is_different:
            return report
        _write(report, years, days, notices, content, moment=moment, reason=reason)
        return replace(report, applied=True)


def version_of(content: Mapping[str, object]) -> str:
    """Return the name of a state of the calendar: a hash of all of it, so that equal calendars have one name."""
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()[:16]


def _links(notices: Iterable[lists.NoticeRow], years: Mapping[int, models.CalendarYear]) -> list[Problem]:
    counties = set(models.Area.objects.filter(kind=_COUNTY).values_list("code", flat=True))
    problems = []
    seen = set()
    for row in notices:
        if (row.year, row.area) in seen:
            problems.append(row.origin.problem("year", "import.twice", found=row.year))
        seen.add((row.year, row.area))
        if row.area and row.area not in counties:
            problems.append(row.origin.problem("area", "import.area_unknown", found=row.area))
        standing = years.get(row.year)
        if not row.area and not row.source and standing is not None and standing.announced:
            problems.append(row.origin.problem("papers", "import.year_was_announced", year=row.year))
    return problems


def _year_records(years: Mapping[int, models.CalendarYear]) -> dict[str, rules.Record]:
    return {
        str(year): {"name": str(year), "announced": row.announced, "source": row.source} for year, row in years.items()
    }


def _wanted_years(notices: Iterable[lists.NoticeRow]) -> dict[str, rules.Record]:
    return {
        str(row.year): {"name": str(row.year), "announced": bool(row.source), "source": row.source}
        for row in notices
        if not row.area
    }


def _record(row: models.CalendarDay) -> rules.Record:
    return {"name": row.name, "kind": row.kind, "source": row.source, "notice_year": row.notice_year}


_Key = tuple[date, str]


def _kind(row: lists.NoticeRow, day: lists.DayRow) -> DayKind:
    if row.area:
        return DayKind.LOCAL_OFF
    return DayKind.OFF if day.is_off else DayKind.INLIEU


def _wanted_days(
    notices: Sequence[lists.NoticeRow], days: Mapping[_Key, models.CalendarDay]
) -> tuple[dict[_Key, rules.Record], set[_Key]]:
    """Return what the notices want on each date, and the dates their years no longer speak of."""
    wanted: dict[_Key, rules.Record] = {}
    for row in notices:
        for day in row.days:
            standing = days.get((day.day, row.area))
            if standing is not None and standing.notice_year > row.year:
                continue
            wanted[day.day, row.area] = {
                "name": day.name,
                "kind": _kind(row, day).value,
                "source": row.source,
                "notice_year": row.year,
            }
    spoken = {(row.year, row.area) for row in notices}
    gone = {key for key, row in days.items() if (row.notice_year, row.area) in spoken and key not in wanted}
    return wanted, gone


def _code(key: _Key) -> str:
    day, area = key
    return f"{day.isoformat()} {area}".strip()


def _days_report(
    days: Mapping[_Key, models.CalendarDay], wanted: Mapping[_Key, rules.Record], gone: Iterable[_Key]
) -> rules.Report:
    report = rules.compare(
        table=_DAYS,
        current={_code(key): _record(row) for key, row in days.items()},
        wanted={_code(key): record for key, record in wanted.items()},
    )
    closed = tuple(rules.Change(_DAYS, _code(key), days[key].name, _record(days[key]), {}) for key in sorted(gone))
    return replace(report, closed=closed)


def _all_days(
    days: Mapping[_Key, models.CalendarDay], wanted: Mapping[_Key, rules.Record], gone: Iterable[_Key]
) -> dict[_Key, rules.Record]:
    whole = {key: _record(row) for key, row in days.items()} | dict(wanted)
    for key in gone:
        whole.pop(key)
    return whole


def _content(years: Mapping[str, rules.Record], days: Mapping[_Key, rules.Record]) -> dict[str, object]:
    return {
        "years": [[int(year), record["announced"], record["source"]] for year, record in sorted(years.items())],
        "days": [
            [day.isoformat(), area, record["kind"], record["name"], record["source"], record["notice_year"]]
            for (day, area), record in sorted(days.items())
        ],
    }


def _write(
    report: rules.Report,
    years: Mapping[int, models.CalendarYear],
    days: Mapping[_Key, models.CalendarDay],
    notices: Sequence[lists.NoticeRow],
    content: Mapping[str, object],
    *,
    moment: Moment,
    reason: str,
) -> None:
    touched = [change for what, change in writing.kinds_of(report) if what != "closed"]
    models.CalendarYear.objects.bulk_create(
        [
            models.CalendarYear(year=row.year, announced=bool(row.source), source=row.source)
            for row in notices
            if not row.area
        ],
        update_conflicts=True,
        unique_fields=["year"],
        update_fields=["announced", "source"],
    )
    wanted, gone = _wanted_days(notices, days)
    changed = {change.code for change in touched if change.table == _DAYS}
    for day, area in gone:
        models.CalendarDay.objects.filter(date=day, area=area).delete()
    models.CalendarDay.objects.bulk_create(
        [
            models.CalendarDay(date=day, area=area, version=report.version, **record)
            for (day, area), record in wanted.items()
            if _code((day, area)) in changed
        ],
        update_conflicts=True,
        unique_fields=["date", "area"],
        update_fields=["kind", "name", "source", "notice_year", "version"],
    )
    # The calendar of an earlier version may come back: then that version is in force again, also within one instant.
    newest = models.CalendarImport.objects.aggregate(at=Max("imported_at"))["at"]
    imported_at = moment.at if newest is None else max(moment.at, newest + timedelta(microseconds=1))
    models.CalendarImport.objects.bulk_create(
        [
            models.CalendarImport(
                id=moment.mint.id(),
                version=report.version,
                source=", ".join(row.origin.sheet for row in notices),
                content=content,
                imported_at=imported_at,
            )
        ],
        update_conflicts=True,
        unique_fields=["version"],
        update_fields=["source", "imported_at"],
    )
    entries = [(change.table, change.code, what, change) for what, change in writing.kinds_of(report)]
    writing.enter_all(entries, moment=moment, reason=reason)
