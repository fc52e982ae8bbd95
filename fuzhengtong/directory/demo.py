"""The offices of a made city: who could stand behind the functions of the category tree, with invented people.

Pure: from the real areas and categories and a table of functions it makes the lists a city would hand in itself, so
that the demo is loaded through the same imports as a real city. Everything it makes is marked as made: people carry
（示例） in their names, telephone numbers are 0418-0000xxx, enterprises are called 示例. No city at work calls it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from fuzhengtong.directory import names, rules, sheets
from fuzhengtong.directory.lists.areas import AliasRow, AreaRow
from fuzhengtong.directory.lists.categories import CategoryRow
from fuzhengtong.directory.lists.cells import Cells, Parsed, read
from fuzhengtong.directory.names import AreaKind
from fuzhengtong.directory.rules import Level, OfficeKind, PostKind
from fuzhengtong.directory.sheets import Sheet

MADE: Final = "（示例）"
TOWN_ROLE: Final = "属地街道(乡镇)"
CENTRE: Final = "centre"
_SOURCE: Final = "示例责任清单"
_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_FIRST: Final = "建立文春晓志国玉海明永德秀桂淑丽佳子思雨"
_SECOND: Final = "华军平强辉宁芳红梅燕霞兰涛波龙成林阳怡然彤宇"

POST_NAMES: Final[Mapping[PostKind, str]] = {
    PostKind.DISPATCHER: "分拨岗",
    PostKind.HANDLER: "承办岗",
    PostKind.HEAD: "负责人岗",
    PostKind.REVIEWER: "审核岗",
    PostKind.VISITOR: "回访岗",
    PostKind.SUPERVISOR: "督办岗",
    PostKind.CHIEF_CLERK: "首席办事员",
    PostKind.AGENT: "话务岗",
    PostKind.WINDOW_CLERK: "窗口岗",
    PostKind.GRID_WORKER: "网格员",
    PostKind.DUTY: "值班岗",
    PostKind.ANALYST: "分析岗",
    PostKind.SYSTEM_ADMIN: "系统管理员",
    PostKind.SECURITY_ADMIN: "安全管理员",
    PostKind.AUDIT_ADMIN: "审计管理员",
}
# How many posts of each kind an office of a sort has; each has a person of his own.
_CITY_CENTRE: Final[Mapping[PostKind, int]] = {
    PostKind.HEAD: 1,
    PostKind.CHIEF_CLERK: 1,
    PostKind.DISPATCHER: 4,
    PostKind.AGENT: 6,
    PostKind.WINDOW_CLERK: 2,
    PostKind.HANDLER: 2,
    PostKind.REVIEWER: 2,
    PostKind.VISITOR: 3,
    PostKind.SUPERVISOR: 2,
    PostKind.DUTY: 2,
    PostKind.ANALYST: 1,
    PostKind.SYSTEM_ADMIN: 1,
    PostKind.SECURITY_ADMIN: 1,
    PostKind.AUDIT_ADMIN: 1,
}
_COUNTY_CENTRE: Final[Mapping[PostKind, int]] = {
    PostKind.HEAD: 1,
    PostKind.CHIEF_CLERK: 1,
    PostKind.DISPATCHER: 2,
    PostKind.WINDOW_CLERK: 2,
    PostKind.HANDLER: 2,
    PostKind.REVIEWER: 1,
    PostKind.VISITOR: 2,
    PostKind.SUPERVISOR: 1,
    PostKind.DUTY: 1,
    PostKind.ANALYST: 1,
}
_CITY_OFFICE: Final[Mapping[PostKind, int]] = {
    PostKind.HEAD: 1,
    PostKind.HANDLER: 2,
    PostKind.REVIEWER: 1,
    PostKind.DUTY: 1,
}
_COUNTY_OFFICE: Final[Mapping[PostKind, int]] = {PostKind.HEAD: 1, PostKind.HANDLER: 1, PostKind.REVIEWER: 1}
_TOWN_OFFICE: Final[Mapping[PostKind, int]] = {
    PostKind.HEAD: 1,
    PostKind.HANDLER: 2,
    PostKind.REVIEWER: 1,
    PostKind.DUTY: 1,
}
_COMMUNITY_OFFICE: Final[Mapping[PostKind, int]] = {PostKind.HEAD: 1, PostKind.HANDLER: 1, PostKind.GRID_WORKER: 1}
_GRID_COUNT: Final = 3
_GRID_NAMES: Final = ("第一网格", "第二网格", "第三网格")
# A corner inside the built-up area of the city, and the size of the drawn squares in degrees.
_MAP_CORNER: Final = (121.60, 42.00)
_MAP_STEP: Final = (0.012, 0.009)
_MAP_COLUMNS: Final = 8


@dataclass(frozen=True, slots=True)
class Function:
    """One line of the table of functions: who does it in the city, and (where named) in each county."""

    code: str
    functions: tuple[str, ...]
    kind: OfficeKind
    short: str
    city_name: str
    county_name: str


@dataclass(frozen=True, slots=True)
class MadeLists:
    """The lists of a made city, in the formats of the imports, and the codes of its city and desk."""

    people: Sheet
    offices: Sheet
    posts: Sheet
    routes: Sheet
    grids: Sheet
    city_area: str
    desk_office: str


@dataclass(frozen=True, slots=True)
class _Office:
    code: str
    name: str
    short: str
    kind: OfficeKind
    parent: str
    area: str
    level: Level
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    code: str
    name: str
    short: str
    parent: str


_KINDS: Final = {kind.value: kind for kind in OfficeKind}


def _function(cells: Cells) -> Function:
    return Function(
        code=cells.code("code"),
        functions=cells.several("functions"),
        kind=cells.one_of("kind", _KINDS, default=OfficeKind.BUREAU),
        short=cells.text("short"),
        city_name=cells.text("city_name"),
        county_name=cells.text("county_name", needed=False),
    )


def parse_functions(sheet: Sheet) -> Parsed[Function]:
    """Read the table of functions: code, functions (by |), kind, short, city_name, county_name."""
    return read(sheets.read(sheet), ("code", "functions", "kind", "short", "city_name", "county_name"), (), _function)


def make(
    *,
    areas: Sequence[AreaRow],
    aliases: Iterable[AliasRow],
    categories: Iterable[CategoryRow],
    functions: Sequence[Function],
    grids_in: str,
) -> MadeLists:
    """Make the lists of a made city: offices, people, posts, routes, and grids in the communities of one county.

    The same areas, categories and functions always give the same lists.
    """
    everyday = {alias.code: alias.text for alias in reversed(list(aliases)) if alias.kind is names.AliasKind.EVERYDAY}
    (city,) = _places(areas, {AreaKind.CITY}, everyday)
    counties = _places(areas, {AreaKind.COUNTY}, everyday)
    towns = _places(areas, {AreaKind.TOWN}, everyday)
    units = _places(areas, {AreaKind.COMMUNITY, AreaKind.VILLAGE}, everyday)
    offices = [
        *_of_functions(city, counties, functions),
        *_of_towns(towns),
        *_of_units(units),
    ]
    posts = [row for office in offices for row in _posts(office)]
    return MadeLists(
        people=_sheet("people.csv", ("login", "name", "is_made"), _people(posts)),
        offices=_sheet("offices.csv", _OFFICE_COLUMNS, _office_cells(offices)),
        posts=_sheet(
            "posts.csv",
            ("office", "kind", "name", "holder", "deputies", "is_made"),
            ((p.office, p.kind.value, p.name, p.holder, p.deputy, "1") for p in posts),
        ),
        routes=_sheet(
            "routes.csv",
            ("category", "root", "area", "office", "source"),
            _routes(city, counties, towns, offices, categories),
        ),
        grids=_grids([unit for unit in units if unit.code.startswith(grids_in)]),
        city_area=city.code,
        desk_office=_office_code(city, city, CENTRE),
    )


def _places(areas: Iterable[AreaRow], kinds: set[AreaKind], everyday: Mapping[str, str]) -> list[_Place]:
    found = []
    for row in areas:
        if row.kind in kinds:
            shown = names.take_apart(row.name, row.kind).shown
            found.append(_Place(row.code, shown, everyday.get(row.code, shown), row.parent or ""))
    return sorted(found, key=lambda place: place.code)


def _office_code(place: _Place, city: _Place, code: str) -> str:
    return f"city-{code}" if place is city else f"{place.code}-{code}"


def _of_functions(city: _Place, counties: Sequence[_Place], functions: Sequence[Function]) -> Iterator[_Office]:
    desk = _office_code(city, city, CENTRE)
    for function in functions:
        is_centre = function.code == CENTRE
        yield _Office(
            code=_office_code(city, city, function.code),
            name=function.city_name.format(city=city.name),
            short=function.short,
            kind=function.kind,
            parent="" if is_centre else desk,
            area=city.code,
            level=Level.CITY,
            functions=function.functions,
        )
        for county in counties if function.county_name else ():
            yield _Office(
                code=_office_code(county, city, function.code),
                name=function.county_name.format(county=county.name),
                short=f"{county.short}{function.short}",
                kind=function.kind,
                parent=desk if is_centre else _office_code(county, city, CENTRE),
                area=county.code,
                level=Level.COUNTY,
                functions=function.functions,
            )


def _of_towns(towns: Iterable[_Place]) -> Iterator[_Office]:
    for town in towns:
        ending = "办事处" if town.name.endswith("街道") else "人民政府"
        county = town.code[:6]
        yield _Office(
            town.code,
            town.name + ending,
            town.name,
            OfficeKind.TOWN,
            f"{county}-{CENTRE}",
            town.code,
            Level.TOWN,
            (TOWN_ROLE,),
        )


def _of_units(units: Iterable[_Place]) -> Iterator[_Office]:
    for unit in units:
        ending = "居委会" if unit.name.endswith("社区") else "委会"
        yield _Office(
            unit.code, unit.name + ending, unit.name, OfficeKind.COMMUNITY, unit.parent, unit.code, Level.COMMUNITY, ()
        )


_OFFICE_COLUMNS = ("code", "name", "short", "kind", "parent", "area", "level", "functions", "duty_phone", "is_made")


def _office_cells(offices: Iterable[_Office]) -> Iterator[tuple[str, ...]]:
    for n, o in enumerate(offices):
        phone = f"0418-0000{n % 1000:03}"
        functions = "|".join(o.functions)
        yield o.code, o.name, o.short, o.kind.value, o.parent, o.area, o.level.value, functions, phone, "1"


@dataclass(frozen=True, slots=True)
class _Post:
    office: str
    kind: PostKind
    name: str
    holder: str
    deputy: str


def _staff(office: _Office) -> Mapping[PostKind, int]:
    if office.kind is OfficeKind.CENTRE:
        return _CITY_CENTRE if office.level is Level.CITY else _COUNTY_CENTRE
    return {
        Level.CITY: _CITY_OFFICE,
        Level.COUNTY: _COUNTY_OFFICE,
        Level.TOWN: _TOWN_OFFICE,
        Level.COMMUNITY: _COMMUNITY_OFFICE,
    }[office.level]


def _posts(office: _Office) -> Iterator[_Post]:
    staff = _staff(office)
    for kind, count in staff.items():
        for n in range(1, count + 1):
            mark = str(n) if count > 1 else ""
            holder = f"{office.code}.{kind.value.replace('_', '-')}{mark}"
            # The second of two stands in for the first; a lone handler is stood in for by whoever reviews or walks.
            deputy = ""
            if kind is PostKind.HANDLER and count > 1:
                deputy = f"{office.code}.handler{n % count + 1}"
            elif kind is PostKind.HANDLER:
                deputy = f"{office.code}.{'reviewer' if PostKind.REVIEWER in staff else 'grid-worker'}"
            elif kind is PostKind.DUTY and count > 1:
                deputy = f"{office.code}.duty{n % count + 1}"
            yield _Post(office.code, kind, POST_NAMES[kind] + mark, holder, deputy)


def _people(posts: Iterable[_Post]) -> Iterator[tuple[str, str, str]]:
    for n, post in enumerate(posts):
        surname = _SURNAMES[n % len(_SURNAMES)]
        first = _FIRST[n // len(_SURNAMES) % len(_FIRST)]
        second = _SECOND[(n // (len(_SURNAMES) * len(_FIRST)) + n) % len(_SECOND)]
        yield post.holder, f"{surname}{first}{second}{MADE}", "1"


def _routes(
    city: _Place,
    counties: Sequence[_Place],
    towns: Sequence[_Place],
    offices: Iterable[_Office],
    categories: Iterable[CategoryRow],
) -> Iterator[tuple[str, str, str, str, str]]:
    """Make the responsibility list: each category in each county and in the city, town matters in each town, the rest.

    Sealed categories have no route: the ordinary program never sends a discipline report anywhere.
    """
    book = {(function, office.area): office.code for office in offices for function in office.functions}
    for category in categories:
        if category.sensitivity is rules.Sensitivity.SEALED:
            continue
        for county in counties:
            office = rules.resolve(category.lead_function, areas=(county.code, city.code), offices=book)
            if office is not None:
                yield category.code, "", county.code, office, _SOURCE
        for town in towns if category.lead_function == TOWN_ROLE else ():
            yield category.code, "", town.code, town.code, _SOURCE
        office = rules.resolve(category.lead_function, areas=(city.code,), offices=book)
        yield category.code, "", city.code, office or _office_code(city, city, CENTRE), _SOURCE
    for place in (*counties, city):
        yield "", "", place.code, _office_code(place, city, CENTRE), _SOURCE


def _grids(units: Sequence[_Place]) -> Sheet:
    """Draw a few squares side by side below each community: nobody's real borders, and marked so."""
    features = []
    for n, unit in enumerate(units):
        west = _MAP_CORNER[0] + n % _MAP_COLUMNS * _MAP_STEP[0]
        south = _MAP_CORNER[1] + n // _MAP_COLUMNS * _MAP_STEP[1]
        width = _MAP_STEP[0] / _GRID_COUNT
        for part in range(_GRID_COUNT):
            left, right = round(west + part * width, 6), round(west + (part + 1) * width, 6)
            low, high = round(south, 6), round(south + _MAP_STEP[1], 6)
            ring = [[left, low], [right, low], [right, high], [left, high], [left, low]]
            facts = {
                "code": f"{unit.code}{part + 1:03}",
                "name": unit.name + _GRID_NAMES[part],
                "parent": unit.code,
                "is_made": True,
            }
            features.append(
                {"type": "Feature", "properties": facts, "geometry": {"type": "Polygon", "coordinates": [ring]}}
            )
    return Sheet("grids.geojson", msgspec.json.encode({"type": "FeatureCollection", "features": features}))


def _sheet(name: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Sheet:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return Sheet(name, text.getvalue().encode())
