"""Reading grids from a table or from GeoJSON with their outlines.

Pure: called by the import of grids. A point is kept in WGS-84 whatever datum the map was drawn in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from fuzhengtong.directory import sheets
from fuzhengtong.directory.lists.areas import AreaRow, below
from fuzhengtong.directory.lists.cells import Cells, Parsed, read, unique
from fuzhengtong.directory.names import AreaKind
from fuzhengtong.directory.sheets import Problem, Sheet
from fuzhengtong.kernel import geodesy

_GRID: Final = re.compile(r"\d{12}\d{1,8}")
# Generously around the country: a latitude typed as a longitude falls outside.
_LONGITUDES: Final = (73.0, 136.0)
_LATITUDES: Final = (3.0, 54.0)


class _Geometry(msgspec.Struct):
    type: str
    coordinates: list[object]


class _GridFacts(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    name: str
    parent: str
    is_made: bool = False


class _Feature(msgspec.Struct):
    properties: _GridFacts
    geometry: _Geometry | None = None


class _Features(msgspec.Struct):
    type: str
    features: list[object]
    datum: str = geodesy.Datum.WGS_84.value


class _WrongOutline(Exception):
    """A polygon that is none: not closed, too short, outside the country, or no numbers."""


def _ring(points: object, datum: str) -> list[list[float]]:
    if not isinstance(points, list) or len(points) < 4 or points[0] != points[-1]:
        raise _WrongOutline
    ring = []
    for point in points:
        if not isinstance(point, list) or len(point) < 2 or not all(isinstance(n, int | float) for n in point[:2]):
            raise _WrongOutline
        lng, lat = float(point[0]), float(point[1])
        if not (_LONGITUDES[0] <= lng <= _LONGITUDES[1] and _LATITUDES[0] <= lat <= _LATITUDES[1]):
            raise _WrongOutline
        lat, lng = geodesy.to_wgs84(lat, lng, datum)
        ring.append([round(lng, 7), round(lat, 7)])
    return ring


def _outline(geometry: _Geometry | None, datum: str) -> Mapping[str, object] | None:
    """Return a polygon in WGS-84; raises _WrongOutline for anything else than one or several polygons."""
    if geometry is None:
        return None
    match geometry.type:
        case "Polygon":
            return {"type": "Polygon", "coordinates": [_ring(ring, datum) for ring in geometry.coordinates]}
        case "MultiPolygon":
            shapes = [shape if isinstance(shape, list) else [] for shape in geometry.coordinates]
            return {"type": "MultiPolygon", "coordinates": [[_ring(r, datum) for r in shape] for shape in shapes]}
        case _:
            raise _WrongOutline


def _grid(cells: Cells) -> AreaRow:
    active_from, active_to = cells.period()
    code, parent = cells.shaped("code", _GRID, "import.not_a_grid_code"), cells.digits("parent", 12)
    below(cells, code, "parent", parent)
    return AreaRow(
        code=code,
        name=cells.text("name"),
        kind=AreaKind.GRID,
        parent=parent,
        active_from=active_from,
        active_to=active_to,
        succeeded_by="",
        is_made=cells.flag("is_made"),
        origin=cells.origin,
    )


def _grids_on_map(sheet: Sheet) -> Parsed[AreaRow]:
    try:
        found = msgspec.json.decode(sheet.data.removeprefix(b"\xef\xbb\xbf"), type=_Features)
        if found.type != "FeatureCollection" or found.datum not in {item.value for item in geodesy.Datum}:
            raise ValueError(f"{found.type}, {found.datum}")
    except (msgspec.DecodeError, ValueError, RecursionError):
        return Parsed((), (Problem(sheet.name, 0, "", "import.not_geojson"),))
    rows: list[AreaRow] = []
    problems: list[Problem] = []
    for number, told in enumerate(found.features, start=1):
        try:
            feature = msgspec.convert(told, _Feature)
        except msgspec.ValidationError:
            problems.append(Problem(sheet.name, number, "properties", "import.not_a_feature", {"number": number}))
            continue
        facts = feature.properties
        line = sheets.Line(number, {"code": facts.code, "name": facts.name, "parent": facts.parent})
        cells = Cells(sheet.name, line, problems)
        row = _grid(cells)
        try:
            outline = _outline(feature.geometry, found.datum)
        except _WrongOutline:
            outline = None
            cells.wrong("geometry", "import.wrong_outline")
        rows.append(
            AreaRow(
                row.code, row.name, row.kind, row.parent, None, None, "", facts.is_made, row.origin, outline=outline
            )
        )
    return Parsed(tuple(rows), tuple(problems))


def parse_grids(sheet: Sheet) -> Parsed[AreaRow]:
    """Read grids from a table (code, name, parent, is_made, dates) or from GeoJSON with the same properties.

    A grid's code is the 12 digits of its community or village and a serial of the city's own. In GeoJSON the row number
    is the place of the feature, and `datum` beside `features` names another datum than WGS-84.
    """
    if sheet.data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
        found = _grids_on_map(sheet)
    else:
        found = read(sheets.read(sheet), ("code", "name", "parent"), ("is_made", "active_from", "active_to"), _grid)
    return unique(found, lambda row: row.code, lambda row: row.origin, "code")
