"""In which area a point lies, by the outlines that the city has loaded.

Called by `rules.propose` and by the map pages; built once from the areas in force. Points and outlines are WGS-84
(the edge converts). It reads no file, and a city without outlines gets no answer rather than a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import shapely  # type: ignore[import-untyped]


class Outlines:
    """The outlines of areas of all levels, findable by point; immutable once built."""

    __slots__ = ("_ids", "_sizes", "_tree")

    def __init__(self, ids: tuple[int, ...], shapes: list[Any]) -> None:
        self._ids = ids
        self._sizes = tuple(float(outline.area) for outline in shapes)
        self._tree = shapely.STRtree(shapes)

    @classmethod
    def build(cls, polygons: Iterable[tuple[int, Mapping[str, Any]]]) -> Outlines:
        """Build from (area id, GeoJSON Polygon, MultiPolygon or Feature of one); crossing lines are repaired."""
        drawn = [(area_id, shapely.geometry.shape(_geometry(outline))) for area_id, outline in polygons]
        ids = tuple(area_id for area_id, _ in drawn)
        return cls(ids, [outline if outline.is_valid else shapely.make_valid(outline) for _, outline in drawn])

    def find(self, lat: float, lng: float) -> int | None:
        """Return the area of the point, None outside all outlines.

        Of several (a village in its town, a shared border) the smallest outline, of equal ones the lowest id.
        """
        hits = self._tree.query(shapely.Point(lng, lat), predicate="intersects")
        return min(((self._sizes[hit], self._ids[hit]) for hit in hits), default=(0.0, None))[1]


def _geometry(outline: Mapping[str, Any]) -> Mapping[str, Any]:
    return outline["geometry"] if outline.get("type") == "Feature" else outline
