"""Reading the State Council's notices of days off, year by year, and a county's own closures.

Pure: called by the import of the calendar. An empty notice is a year that is not announced, never a year without days
off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import msgspec

from fuzhengtong.directory.lists.cells import Origin, Parsed
from fuzhengtong.directory.sheets import Sheet


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


class _Day(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    date: str
    is_off: bool = msgspec.field(name="isOffDay")


class _Notice(msgspec.Struct, forbid_unknown_fields=True):
    year: int
    papers: list[str]
    days: list[_Day]
    schema: str = msgspec.field(name="$schema", default="")
    address: str = msgspec.field(name="$id", default="")
    area: str = ""


def parse_notice(sheet: Sheet) -> Parsed[NoticeRow]:
    """Read one year of days off from JSON: year, papers, days (name, date, isOffDay), and for a county its area code.

    A year without papers is not announced; days without a paper are refused, and so are dates far from their year.
    """
    origin = Origin(sheet.name, 0)
    try:
        notice = msgspec.json.decode(sheet.data.removeprefix(b"\xef\xbb\xbf"), type=_Notice)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return Parsed((), (origin.problem("", "import.not_a_notice", found=str(error)[:200]),))
    problems = []
    if notice.days and not notice.papers:
        problems.append(origin.problem("papers", "import.days_without_paper", year=notice.year))
    if any(not paper.startswith(("https://", "http://")) for paper in notice.papers):
        problems.append(origin.problem("papers", "import.not_an_address"))
    days: dict[date, DayRow] = {}
    for number, told in enumerate(notice.days, start=1):
        place = Origin(sheet.name, number)
        day = _notice_day(told.date, notice.year)
        if day is None:
            problems.append(place.problem("date", "import.not_in_the_year", found=told.date[:20], year=notice.year))
        elif day in days:
            problems.append(place.problem("date", "import.twice", found=told.date))
        elif notice.area and not told.is_off:
            problems.append(place.problem("isOffDay", "import.local_day_worked", found=told.date))
        else:
            days[day] = DayRow(day=day, is_off=told.is_off, name=told.name.strip()[:40])
    ordered = tuple(days[day] for day in sorted(days))
    row = NoticeRow(notice.year, notice.area, " ".join(notice.papers), ordered, origin)
    return Parsed((row,), tuple(problems))


def _notice_day(text: str, year: int) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # A notice may begin with the last days of December before (as those of 2019 and 2023 did).
    is_near = day.year == year or (day.year == year - 1 and day.month == 12)
    return day if is_near and len(text) == 10 else None
