"""Reading the State Council's notices of days off, year by year, and a county's own closures.

Pure: called by the import of the calendar. An empty notice is a year that is not announced, never a year without days
off.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec

from fuzhengtong.directory.lists.cells import Origin, Parsed
from fuzhengtong.directory.sheets import Problem, Sheet

_NOTICE_NEEDS: Final = ("year", "papers", "days")
_NOTICE_MAY_HAVE: Final = ("area", "$schema", "$id")
_DAY_NEEDS: Final = ("name", "date", "isOffDay")
_FIRST_YEAR, _LAST_YEAR = 1949, 9999


@dataclass(frozen=True, slots=True)
class DayRow:
    """One date of a notice: off, or worked in lieu."""

    day: date
    is_off: bool
    name: str


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One year of days off; `area` is the code of a county for its own closures, empty for the whole city."""

    year: int
    area: str
    source: str
    days: tuple[DayRow, ...]
    origin: Origin


class _Fields:
    """The fields of one JSON object, read by what they must be; what is wrong is noted and reading goes on.

    `where` is what the sentences call the object: the file, or the date of a day.
    """

    def __init__(self, told: Mapping[str, object], origin: Origin, where: str, problems: list[Problem]) -> None:
        self._told, self._origin, self._where, self._problems = told, origin, where, problems

    def wrong(self, field: str, key: str, **facts: object) -> None:
        self._problems.append(self._origin.problem(field, key, where=self._where, field=field, **facts))

    def only(self, needed: Sequence[str], allowed: Sequence[str] = ()) -> None:
        known = (*needed, *allowed)
        for field in needed:
            if field not in self._told:
                self.wrong(field, "import.notice_field_missing")
        for field in self._told:
            if field not in known:
                self.wrong(field[:40], "import.notice_field_unknown", known="、".join(known))

    def text(self, field: str) -> str | None:
        value = self._told.get(field)
        if field not in self._told or (isinstance(value, str) and _is_printable(value)):
            return value if isinstance(value, str) else None
        key = "import.control_character" if isinstance(value, str) else "import.notice_not_text"
        self.wrong(field, key, found=_shown(value))
        return None

    def flag(self, field: str) -> bool | None:
        value = self._told.get(field)
        if field in self._told and not isinstance(value, bool):
            self.wrong(field, "import.notice_not_true_or_false", found=_shown(value))
        return value if isinstance(value, bool) else None

    def listed(self, field: str) -> list[object]:
        value = self._told.get(field)
        if field in self._told and not isinstance(value, list):
            self.wrong(field, "import.notice_not_a_list", found=_shown(value))
        return value if isinstance(value, list) else []

    def year(self, field: str) -> int | None:
        value = self._told.get(field)
        if isinstance(value, int) and not isinstance(value, bool) and _FIRST_YEAR <= value <= _LAST_YEAR:
            return value
        if field in self._told:
            self.wrong(field, "import.not_a_number", least=_FIRST_YEAR, most=_LAST_YEAR, found=_shown(value))
        return None


def _is_printable(text: str) -> bool:
    return not any(unicodedata.category(character) == "Cc" for character in text)


def _shown(value: object) -> str:
    """Return a value as it stands in the file, cut where it is long."""
    return msgspec.json.encode(value).decode()[:40]


def parse_notice(sheet: Sheet) -> Parsed[NoticeRow]:
    """Read one year of days off from JSON: year, papers, days (name, date, isOffDay), and for a county its area code.

    A year without papers is not announced; days without a paper are refused, and so are dates far from their year. The
    row of a problem is the place of the day among the days.
    """
    origin = Origin(sheet.name, 0)
    try:
        told = msgspec.json.decode(sheet.data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        return Parsed((), (origin.problem("", "import.not_a_notice"),))
    problems: list[Problem] = []
    fields = _Fields(told, origin, sheet.name, problems)
    fields.only(_NOTICE_NEEDS, _NOTICE_MAY_HAVE)
    for field in ("$schema", "$id"):
        fields.text(field)
    year, area, papers, listed = fields.year("year"), fields.text("area"), _papers(fields), fields.listed("days")
    if listed and told.get("papers") == []:
        fields.wrong("papers", "import.days_without_paper", year=_shown(told.get("year")))
    days: dict[date, DayRow] = {}
    for number, each in enumerate(listed, start=1):
        row = _day(each, Origin(sheet.name, number), year, is_local=bool(area), known=days, problems=problems)
        if row is not None:
            days[row.day] = row
    if year is None:
        return Parsed((), tuple(problems))
    ordered = tuple(days[day] for day in sorted(days))
    return Parsed((NoticeRow(year, area or "", " ".join(papers), ordered, origin),), tuple(problems))


def _papers(fields: _Fields) -> list[str]:
    papers = []
    for paper in fields.listed("papers"):
        if isinstance(paper, str) and paper.startswith(("https://", "http://")) and _is_printable(paper):
            papers.append(paper)
        else:
            fields.wrong("papers", "import.not_an_address", found=_shown(paper))
    return papers


def _day(
    told: object,
    origin: Origin,
    year: int | None,
    *,
    is_local: bool,
    known: Mapping[date, DayRow],
    problems: list[Problem],
) -> DayRow | None:
    """Read one day and note all that is wrong in it; nothing where it has no date."""
    if not isinstance(told, dict):
        problems.append(origin.problem("days", "import.notice_not_a_day", where=f"#{origin.row}", found=_shown(told)))
        return None
    text = told.get("date")
    fields = _Fields(told, origin, text[:20] if isinstance(text, str) and text else f"#{origin.row}", problems)
    fields.only(_DAY_NEEDS)
    name, dated, is_off = fields.text("name"), fields.text("date"), fields.flag("isOffDay")
    if is_local and is_off is False:
        fields.wrong("isOffDay", "import.local_day_worked", found=dated or f"#{origin.row}")
    if dated is None:
        return None
    day = _date(dated)
    if day is None and year is None:
        fields.wrong("date", "import.not_a_date", found=dated[:20])
    elif year is not None and (day is None or not _is_near(day, year)):
        fields.wrong("date", "import.not_in_the_year", found=dated[:20], year=year)
    elif day in known:
        fields.wrong("date", "import.twice", found=dated)
    if day is None:
        return None
    return DayRow(day=day, is_off=is_off is True, name=(name or "").strip()[:40])


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _is_near(day: date, year: int) -> bool:
    # A notice may begin with the last days of December before (as those of 2019 and 2023 did).
    return day.year == year or (day.year == year - 1 and day.month == 12)
