"""Reading lists of areas and of their other names.

Pure: called by the import of areas. Two published formats (towns; communities and villages), a plain one for the city,
its counties and functional areas, and a list of aliases; which one a sheet has is told by its columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fuzhengtong.directory import names, sheets
from fuzhengtong.directory.lists.cells import Cells, Origin, are_digits, read, twice
from fuzhengtong.directory.names import AliasKind, AreaKind
from fuzhengtong.directory.sheets import Problem, Sheet


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area. `parent` is nothing where the list does not say: what stands is kept."""

    code: str
    name: str
    kind: AreaKind
    parent: str | None
    active_from: datetime | None
    active_to: datetime | None
    succeeded_by: str
    is_made: bool
    origin: Origin
    outline: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class AliasRow:
    """Another name of an area, as people who know the place say it."""

    text: str
    code: str
    kind: AliasKind
    source: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class AreaLists:
    """Several area lists read together.

    `complete` names what the lists claim to hold in full: pairs of county code and what (towns or units) is listed.
    """

    areas: tuple[AreaRow, ...]
    aliases: tuple[AliasRow, ...]
    complete: frozenset[tuple[str, str]]
    problems: tuple[Problem, ...]


_TOWN_KINDS = {"街道": AreaKind.TOWN, "镇": AreaKind.TOWN, "乡": AreaKind.TOWN, "": AreaKind.TOWN}
_UNIT_WORDS = {"community": AreaKind.COMMUNITY, "village": AreaKind.VILLAGE}
# How many digits the statistical codes have; functional areas have codes of the city's own.
_DIGITS = {AreaKind.CITY: 4, AreaKind.COUNTY: 6, AreaKind.TOWN: 9, AreaKind.COMMUNITY: 12, AreaKind.VILLAGE: 12}
_UNITS = (AreaKind.COMMUNITY, AreaKind.VILLAGE)
_PLAIN_KINDS = {kind.value: kind for kind in AreaKind if kind is not AreaKind.GRID}
_ALIAS_KINDS = {kind.value: kind for kind in AliasKind if kind is not AliasKind.FORM}


def _area(cells: Cells, *, code: str, kind: AreaKind, parent: str | None) -> AreaRow:
    return AreaRow(
        code=code,
        name=cells.text("name"),
        kind=kind,
        parent=parent,
        active_from=None,
        active_to=None,
        succeeded_by="",
        is_made=False,
        origin=cells.origin,
    )


def below(cells: Cells, code: str, column: str, parent: str) -> None:
    # A code that is none lies nowhere: that it is none was told already.
    if code.isdecimal() and parent.isdecimal() and not code.startswith(parent):
        cells.wrong(column, "import.not_below", code=code, parent=parent)


def _town(cells: Cells) -> AreaRow:
    code, county = cells.digits("code", 9), cells.digits("county_code", 6)
    cells.one_of("kind", _TOWN_KINDS, default=AreaKind.TOWN)
    below(cells, code, "county_code", county)
    return _area(cells, code=code, kind=AreaKind.TOWN, parent=county)


def _unit(cells: Cells) -> AreaRow:
    code, town = cells.digits("code", 12), cells.digits("town_code", 9)
    county = cells.digits("county_code", 6)
    below(cells, code, "town_code", town)
    below(cells, town, "county_code", county)
    kind = _unit_kind(cells, code)
    said = cells.one_of("codekind", {"": kind, **_UNIT_WORDS}, default=kind)
    _same_kind(cells, "codekind", code, kind, said)
    return _area(cells, code=code, kind=kind or said or AreaKind.COMMUNITY, parent=town)


def _unit_kind(cells: Cells, code: str) -> AreaKind | None:
    """Return the kind that a unit's code says; nothing where it is no such code."""
    if not are_digits(code, _DIGITS[AreaKind.VILLAGE]):
        return None
    try:
        return names.unit_kind(code)
    except ValueError:
        cells.wrong("code", "import.not_a_unit_code", found=code)
        return None


def _same_kind(cells: Cells, column: str, code: str, kind: AreaKind | None, said: AreaKind | None) -> None:
    if kind is not None and said is not None and said is not kind:
        cells.wrong(column, "import.kind_against_code", code=code, found=said.value)


def _plain_code(cells: Cells, kind: AreaKind, *, is_over: bool) -> str:
    length = _DIGITS.get(kind)
    # A code that came in before codes were checked can still be closed.
    if length is None or is_over:
        return cells.code("code")
    code = cells.digits("code", length)
    if kind in _UNITS:
        _same_kind(cells, "kind", code, _unit_kind(cells, code), kind)
    return code


def _plain_area(cells: Cells) -> AreaRow:
    active_from, active_to = cells.period()
    # A kind that nobody knows asks for no number of digits.
    kind = cells.one_of("kind", _PLAIN_KINDS, default=AreaKind.FUNCTIONAL)
    return AreaRow(
        code=_plain_code(cells, kind, is_over=active_to is not None),
        name=cells.text("name"),
        kind=kind,
        parent=cells.code("parent", needed=False),
        active_from=active_from,
        active_to=active_to,
        succeeded_by=cells.code("succeeded_by", needed=False),
        is_made=cells.flag("is_made"),
        origin=cells.origin,
    )


def _alias(cells: Cells) -> AliasRow:
    return AliasRow(
        text=cells.text("text", longest=60),
        code=cells.code("code"),
        kind=cells.one_of("kind", _ALIAS_KINDS, default=AliasKind.EVERYDAY),
        source=cells.text("source"),
        origin=cells.origin,
    )


def _counties(lines: sheets.Lines, problems: list[Problem]) -> dict[str, AreaRow]:
    """Return the counties named beside the towns or units; the list does not say below which city they lie."""
    found: dict[str, AreaRow] = {}
    for line in lines.lines:
        cells = Cells(lines.sheet, line, problems)
        code, name = line.cells.get("county_code", ""), cells.text("county")
        known = found.get(code)
        if known is None:
            found[code] = AreaRow(code, name, AreaKind.COUNTY, None, None, None, "", False, cells.origin)
        elif known.name != name:
            cells.wrong("county", "import.two_names", code=code, one=known.name, other=name)
    return found


def parse_areas(lists: Sequence[Sheet]) -> AreaLists:
    """Read area lists together; which of the formats each has is told by its columns.

    Towns: code (9), name, kind, county_code, county. Units: code (12), name, kind, codekind, town_code, town,
    town_kind, county_code, county. Plain: code, name, kind, parent and the optional dates, for the city, counties and
    functional areas. Aliases: text, code, kind, source. A unit's kind is told by digit 10 of its code.
    """
    areas: list[AreaRow] = []
    aliases: list[AliasRow] = []
    counties: dict[str, AreaRow] = {}
    complete: set[tuple[str, str]] = set()
    problems: list[Problem] = []
    for sheet in lists:
        lines = sheets.read(sheet)
        if "text" in lines.columns:
            names_read = read(lines, ("text", "code", "kind", "source"), (), _alias)
            aliases += names_read.rows
            problems += names_read.problems
            continue
        if "parent" in lines.columns:
            optional = ("active_from", "active_to", "succeeded_by", "is_made")
            found = read(lines, ("code", "name", "kind", "parent"), optional, _plain_area)
        elif "town_code" in lines.columns:
            needed = ("code", "name", "town_code", "county_code", "county")
            found = read(lines, needed, ("kind", "codekind", "town", "town_kind"), _unit)
            complete |= {(row.code[:6], "units") for row in found.rows}
        else:
            found = read(lines, ("code", "name", "county_code", "county"), ("kind",), _town)
            complete |= {(row.code[:6], "towns") for row in found.rows}
        areas += found.rows
        problems += found.problems
        if found.rows and "county_code" in lines.columns:
            for code, county in _counties(lines, problems).items():
                known = counties.setdefault(code, county)
                if known.name != county.name:
                    problems.append(
                        county.origin.problem(
                            "county", "import.two_names", code=code, one=known.name, other=county.name
                        )
                    )
    listed = {row.code for row in areas}
    problems += twice(((row.code, row.origin) for row in areas), "code")
    problems += twice(((f"{row.text} {row.code}", row.origin) for row in aliases), "text")
    areas += [county for code, county in counties.items() if code not in listed]
    return AreaLists(tuple(areas), tuple(aliases), frozenset(complete), tuple(problems))
