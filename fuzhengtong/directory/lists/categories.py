"""Reading the category tree and the responsibility list.

Pure: called by the imports of categories and routes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from fuzhengtong.directory import rules, sheets
from fuzhengtong.directory.lists.cells import Cells, Origin, Parsed, further, read, unique
from fuzhengtong.directory.sheets import Sheet

_CATEGORY: Final = re.compile(r"[A-Z]\d{2}")
_ROOT: Final = re.compile(r"[A-Z]")
_FROM_MEMORY: Final = re.compile(r"\(记忆[^)]*\)")
_SAME_AS_ABOVE: Final = "同上"
_FIRST_LIST: Final = (
    "code",
    "level1",
    "level2",
    "lead_department",
    "co_departments",
    "urgency",
    "sensitivity",
    "default_days",
    "keywords",
)
_SECOND_LIST: Final = (
    "code",
    "level2",
    "route",
    "legal_basis",
    "statutory_limit",
    "mediation",
    "small_fund",
    "season",
)


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """One second-level category. Columns that stand in the second list alone are nothing when it is not handed in."""

    code: str
    level1: str
    name: str
    lead_function: str
    assists: tuple[str, ...]
    urgency: str
    sensitivity: rules.Sensitivity
    default_days: int
    words: tuple[str, ...]
    origin: Origin
    more: CategoryMore | None = None


@dataclass(frozen=True, slots=True)
class CategoryMore:
    """What the second list says of a category."""

    lane: str
    legal_basis: str
    statutory_text: str
    is_unconfirmed: bool
    mediation: bool
    small_fund: bool
    season: str
    codes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RouteRow:
    """One line of the responsibility list: category, or top category, or neither for anything."""

    category: str
    root: str
    area: str
    office: str
    source: str
    active_from: datetime | None
    active_to: datetime | None
    origin: Origin


def _category(cells: Cells) -> CategoryRow:
    leads = cells.several("lead_department")
    if not leads:
        cells.wrong("lead_department", "import.empty")
    return CategoryRow(
        code=cells.shaped("code", _CATEGORY, "import.not_a_category_code"),
        level1=cells.text("level1", longest=40),
        name=cells.text("level2", longest=40),
        lead_function=leads[0] if leads else "",
        # Where a list names two leading offices, the first leads: one office answers for a case.
        assists=tuple(dict.fromkeys((*leads[1:], *cells.several("co_departments")))),
        urgency=cells.one_of("urgency", rules.URGENCIES, default="ordinary"),
        sensitivity=cells.one_of("sensitivity", rules.SENSITIVITIES, default=rules.Sensitivity.ORDINARY),
        default_days=cells.whole("default_days", least=0, most=90),
        words=cells.several("keywords"),
        origin=cells.origin,
    )


@dataclass(frozen=True, slots=True)
class _More:
    """One row of the second list of categories."""

    code: str
    name: str
    more: CategoryMore
    origin: Origin


def _more(cells: Cells) -> _More:
    season = cells.text("season", longest=20, needed=False)
    if rules.season_months(season) is None:
        cells.wrong("season", "import.not_a_season", found=season)
    legal_basis = cells.text("legal_basis", longest=300, needed=False)
    statutory = cells.text("statutory_limit", longest=300, needed=False)
    other = cells.text("tipdm_level1", longest=40, needed=False)
    more = CategoryMore(
        lane=cells.one_of("route", rules.LANES, default="ordinary"),
        legal_basis=_FROM_MEMORY.sub("", legal_basis),
        statutory_text=_FROM_MEMORY.sub("", statutory),
        is_unconfirmed=_FROM_MEMORY.search(legal_basis + statutory) is not None,
        mediation=cells.flag("mediation"),
        small_fund=cells.flag("small_fund"),
        season=season,
        codes=(("tipdm", other),) if other else (),
    )
    code = cells.shaped("code", _CATEGORY, "import.not_a_category_code")
    return _More(code=code, name=cells.text("level2", longest=40), more=more, origin=cells.origin)


def _with_above(found: Iterable[_More]) -> dict[str, _More]:
    """Put the words of the row above where a row says 同上."""
    told: dict[str, _More] = {}
    above = ""
    for row in found:
        if row.more.statutory_text == _SAME_AS_ABOVE:
            row = replace(row, more=replace(row.more, statutory_text=above))
        above = row.more.statutory_text
        told[row.code] = row
    return told


def _joined(found: Parsed[CategoryRow], second: Parsed[_More]) -> Parsed[CategoryRow]:
    """Join the two lists on the code; both must name the same categories."""
    told = _with_above(second.rows)
    called: dict[str, list[str]] = {}
    rows, problems = [], []
    for row in found.rows:
        called.setdefault(row.code, []).append(row.name)
        other = told.get(row.code)
        if other is None:
            problems.append(row.origin.problem("code", "import.not_in_both", code=row.code))
        else:
            rows.append(replace(row, more=other.more))
    for other in second.rows:
        if other.code not in called:
            problems.append(other.origin.problem("code", "import.not_in_both", code=other.code))
        for name in called.get(other.code, ()):
            if name != other.name:
                problems.append(
                    other.origin.problem("level2", "import.two_names", code=other.code, one=name, other=other.name)
                )
    return Parsed(tuple(rows), tuple(further([*found.problems, *second.problems], problems)))


def parse_categories(sheet: Sheet, more: Sheet | None = None) -> Parsed[CategoryRow]:
    """Read categories, and from a second list their lanes, legal bases, flags and codes in other schemes.

    Cells written from memory carry a mark in the list; the mark is taken off and the row says so.
    """
    found = read(sheets.read(sheet), _FIRST_LIST, (), _category)
    found = unique(found, lambda row: row.code, lambda row: row.origin, "code")
    if more is None:
        return found
    second = read(sheets.read(more), _SECOND_LIST, ("tipdm_level1",), _more)
    second = unique(second, lambda row: row.code, lambda row: row.origin, "code")
    return _joined(found, second)


def _route(cells: Cells) -> RouteRow:
    active_from, active_to = cells.period()
    category = cells.shaped("category", _CATEGORY, "import.not_a_category_code", needed=False)
    root = cells.shaped("root", _ROOT, "import.not_a_letter", needed=False)
    if category and root:
        cells.wrong("root", "import.category_and_root")
    return RouteRow(
        category=category,
        root=root,
        area=cells.code("area"),
        office=cells.code("office"),
        source=cells.text("source", longest=200, needed=False),
        active_from=active_from,
        active_to=active_to,
        origin=cells.origin,
    )


def route_key(category: str, root: str, area: str) -> str:
    """Return the key of a route in a list: what it matches and where."""
    return f"{category + root or '*'} {area}"


def parse_routes(sheet: Sheet) -> Parsed[RouteRow]:
    """Read the responsibility list: category or root or neither, area, office, source, dates."""
    optional = ("source", "active_from", "active_to")
    found = read(sheets.read(sheet), ("category", "root", "area", "office"), optional, _route)
    return unique(found, lambda row: route_key(row.category, row.root, row.area), lambda row: row.origin, "area")
