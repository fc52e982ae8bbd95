"""What dispatch keeps in sight: the city's places, categories, routes and offices, read again when they change.

One `Sight` per process, rebuilt when the directory's audit list moves; the reading itself is pure (`rules.propose`).
A telling is located, classified and routed without a further statement.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, Q

from fuzhengtong.charter.editions import Charter
from fuzhengtong.directory import models as directory_models
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.dispatch import gazetteer, keywords, normal, rules
from fuzhengtong.dispatch.outlines import Outlines


@dataclass(frozen=True)
class Kind:
    """A category as a case carries it."""

    id: int
    code: str
    root: str
    name: str
    days: int
    lane: str
    urgency: str
    sensitivity: str


@dataclass(frozen=True)
class Path:
    """The area ids of every level of a place (a missing level repeats its parent), and the centre in charge."""

    area_id: int
    city_id: int
    county_id: int | None
    county_code: str
    town_id: int | None
    community_id: int | None
    grid_id: int | None
    desk_id: int


@dataclass(frozen=True)
class Offer:
    """One office that might take the matter, why, and how sure that is."""

    office_id: int
    route_id: int | None
    why: str
    confidence: float | None


@dataclass(frozen=True)
class Choice:
    """What dispatch would do with a proposal."""

    category: Kind | None
    path: Path | None
    office_id: int | None
    route_id: int | None
    offers: tuple[Offer, ...]
    doubts: tuple[str, ...]

    @property
    def sure(self) -> bool:
        return not self.doubts


class Sight:
    """Everything that dispatch looks at, as it stood at one version of the directory."""

    def __init__(self, *, version: int, at: datetime) -> None:
        self.version = version
        self._areas = {row.area_id: row for row in _areas(at)}
        units = directory_queries.gazetteer(at=at)
        self._gazetteer = gazetteer.Gazetteer.build(_unit(row, self._areas) for row in units)
        found = directory_queries.categories(at=at)
        self._kinds = {
            row.category_id: Kind(
                id=row.category_id,
                code=row.code,
                root=row.root,
                name=row.name,
                days=row.default_days,
                lane=row.lane,
                urgency=row.urgency,
                sensitivity=row.sensitivity,
            )
            for row in found
        }
        self._by_code = {kind.code: kind for kind in self._kinds.values()}
        self._lexicon = keywords.Lexicon.build(
            keywords.Category(code=row.code, name=row.name, lane=row.lane, urgency=row.urgency, words=row.words)
            for row in found
        )
        self._outlines = Outlines.build(directory_queries.outlines(self._areas).items())  # type: ignore[arg-type]
        self._offices = {row.office_id: row for row in directory_queries.offices(at=at)}
        city = directory_queries.city()
        self._city_id = city.area_id if city else None
        self._city_desk = city.desk_office_id if city else None
        centres = (row for row in self._offices.values() if row.kind == "centre" and row.level == "county")
        self._centres = {row.area_id: row.office_id for row in centres}
        self._routes = _routes(at)

    def propose(
        self, *, text: str, address: str, point: tuple[float, float] | None, charter: Charter
    ) -> rules.Proposal:
        """Propose place, category and urgency of a telling by the charter's red lines."""
        lines = charter.redlines
        return rules.propose(
            text=text,
            address=address,
            point=point,
            gazetteer=self._gazetteer,
            words=self._lexicon,
            outlines=self._outlines,
            charter_redlines={
                "critical": lines["critical"],
                "urgent": lines["urgent"],
                "discipline": lines["discipline"],
                "harmless": lines.harmless,
            },
            sure_at=charter.automatic.confidence_from,
        )

    def choose(self, proposal: rules.Proposal, *, at: datetime) -> Choice:
        """Choose the office by the routes, and say every doubt that keeps the machine from deciding."""
        place, found = proposal.place, proposal.category
        category = self._by_code.get(found.code or "")
        area_id = place.area_id if place.status == "found" else place.within
        path = self.path(area_id) if area_id is not None else None
        doubts = [reason.kind for reason in proposal.reasons if reason.kind.startswith("unsure_")]
        second = self._by_code.get(found.second or "")
        offers = self._offers(((category, found.confidence), (second, found.second_confidence)), path)
        first = offers[0] if offers else None
        if first is None or category is None or path is None or path.county_id is None:
            doubts.append("unsure_route")
        elif category.sensitivity == "sealed":
            doubts.append("unsure_discipline")
        return Choice(
            category=category,
            path=path,
            office_id=first.office_id if first else None,
            route_id=first.route_id if first else None,
            offers=offers,
            doubts=tuple(dict.fromkeys(doubts)),
        )

    def _offers(self, ranked: tuple[tuple[Kind | None, float | None], ...], path: Path | None) -> tuple[Offer, ...]:
        if path is None:
            return ()
        offers: list[Offer] = []
        for kind, confidence in ranked:
            found = self.route(kind, path) if kind else None
            if found is not None:
                sure = None if confidence is None else round(confidence, 2)
                offers.append(Offer(found[0], found[1], found[2], sure))
        # The centre in charge stands last: it takes what fits nowhere, and nothing is unroutable.
        offers.append(Offer(path.desk_id, None, "centre", None))
        unique: dict[int, Offer] = {}
        for offer in offers:
            unique.setdefault(offer.office_id, offer)
        return tuple(unique.values())[:3]

    def route(self, category: Kind, path: Path) -> tuple[int, int, str] | None:
        """Return office, route and why for a category in a place: the narrowest area first, then the closest match."""
        if category.sensitivity == "sealed":
            return None
        levels = dict(zip(path_levels(path), ("grid", "community", "town", "county", "city"), strict=True))
        # A missing level repeats its parent: the widest level that an id stands for is what it is called.
        for area_id, level in levels.items():
            if area_id is None:
                continue
            for width, key in (("category", category.id), ("root", category.root), ("any", None)):
                found = self._routes.get((area_id, key))
                if found is not None:
                    return found[0], found[1], f"{width}.{level}"
        return None

    def route_id(self, category: Kind, path: Path, office_id: int) -> int | None:
        """Return the route that leads to this office, where the one chosen is the route's own."""
        found = self.route(category, path)
        return found[1] if found and found[0] == office_id else None

    def kind(self, category_id: int) -> Kind | None:
        return self._kinds.get(category_id)

    def takes_work(self, office_id: int) -> bool:
        """Tell whether an office exists at this time."""
        return office_id in self._offices

    def path(self, area_id: int) -> Path | None:
        """Return the levels around an area and the centre in charge of it: the county's, else the city's."""
        row = self._areas.get(area_id)
        if row is None or self._city_id is None or self._city_desk is None:
            return None
        levels = row.levels
        county_id = levels.county if levels.county != levels.city else None
        county = self._areas.get(county_id) if county_id else None
        town_id = levels.town if county_id and levels.town != county_id else county_id
        return Path(
            area_id=area_id,
            city_id=self._city_id,
            county_id=county_id,
            county_code=county.code if county else "",
            town_id=town_id,
            community_id=levels.community if county_id else None,
            grid_id=levels.grid if row.kind == "grid" else None,
            desk_id=self._centres.get(county_id or 0, self._city_desk),
        )

    def explained(self, proposal: rules.Proposal, choice: Choice) -> dict[str, Any]:
        """Return the explanation as plain values: what lies with the case and what the desk shows."""
        place, category = proposal.place, proposal.category
        return {
            "v": 1,
            "sure": choice.sure,
            "doubts": list(choice.doubts),
            "place": {
                "status": place.status,
                "area_id": _text(place.area_id),
                "level": place.level,
                "candidates": [str(area_id) for area_id in place.candidates],
                "within": _text(place.within),
                "rest": place.rest,
                "confidence": place.confidence,
                "spans": [_span(word, "place") for word in place.spans],
            },
            "category": {
                "code": category.code,
                "second": category.second,
                "confidence": category.confidence,
                "spans": [_span(word, "matter") for reason in category.reasons for word in reason.words],
            },
            "urgency": {
                "is": proposal.urgency,
                "spans": [_span(word, "urgency") for reason in proposal.urgency_reasons for word in reason.words],
            },
            "offices": [
                {
                    "office_id": str(offer.office_id),
                    "route_id": _text(offer.route_id),
                    "why": offer.why,
                    "confidence": offer.confidence,
                }
                for offer in choice.offers
            ],
            "reasons": [
                {
                    "kind": reason.kind,
                    "words": [word.text for word in reason.words],
                    "params": dict(reason.params),
                }
                for reason in proposal.reasons
            ],
        }


def path_levels(path: Path) -> tuple[int | None, ...]:
    return (path.grid_id, path.community_id, path.town_id, path.county_id, path.city_id)


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _span(word: normal.Word, label: str) -> list[Any]:
    return [word.start, word.end, label, word.source]


def _unit(row: directory_queries.Unit, areas: dict[int, directory_queries.AreaRow]) -> gazetteer.Unit:
    held = areas.get(row.area_id)
    return gazetteer.Unit(
        id=row.area_id,
        code=row.code,
        name=row.name,
        display_name=row.display_name,
        core=row.core,
        kind=row.kind,
        suffix=row.suffix,
        town_id=row.town_id,
        town_name=row.town,
        county_id=row.county_id,
        county_name=row.county,
        unit_id=held.levels.community if held and row.kind == "grid" else None,
        aliases=row.aliases,
    )


def _areas(at: datetime) -> list[directory_queries.AreaRow]:
    ids = directory_models.Area.objects.filter(_in_force(at)).values_list("id", flat=True)
    return list(directory_queries.areas(ids).values())


def _in_force(at: datetime) -> Q:
    return Q(active_from__lte=at) & (Q(active_to__isnull=True) | Q(active_to__gt=at))


def _routes(at: datetime) -> dict[tuple[int, int | str | None], tuple[int, int]]:
    """Read all routes in force; a merged office is followed to its successor."""
    heirs = dict(
        directory_models.Office.objects.filter(active_to__lte=at, succeeded_by__isnull=False).values_list(
            "id", "succeeded_by_id"
        )
    )
    found: dict[tuple[int, int | str | None], tuple[int, int]] = {}
    rows = directory_models.Route.objects.filter(_in_force(at)).order_by("active_from", "id")
    for route_id, category_id, root, area_id, office_id in rows.values_list(
        "id", "category_id", "root", "area_id", "office_id"
    ):
        seen = set()
        while office_id in heirs and office_id not in seen:
            seen.add(office_id)
            office_id = heirs[office_id]
        found[area_id, category_id or root or None] = (office_id, route_id)
    return found


_lock = threading.Lock()
_sight: Sight | None = None


def sight(at: datetime) -> Sight:
    """Return what dispatch has in sight, read again when the directory has changed. One statement when it has not."""
    global _sight
    newest = directory_models.ReferenceEntry.objects.aggregate(newest=Max("id"))["newest"] or 0
    held = _sight
    if held is not None and held.version == newest:
        return held
    with _lock:
        if _sight is None or _sight.version != newest:
            _sight = Sight(version=newest, at=at)
        return _sight
