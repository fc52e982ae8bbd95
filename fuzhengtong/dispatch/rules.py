"""What is proposed for a telling: place, category, urgency, and whether the system post may act on it alone.

One pure function, `propose`, called when a telling arrives and by the desk while a clerk types; a trained model takes
its place behind the same answer. It decides nothing: red lines raise urgency before and without any reading of the
category, an unsure proposal goes to a person, and words inside a telling are data, never orders.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from fuzhengtong.dispatch import gazetteer as places
from fuzhengtong.dispatch import keywords, normal
from fuzhengtong.dispatch.outlines import Outlines

Urgency = Literal["critical", "urgent", "ordinary"]
Reason = normal.Reason
Word = normal.Word

SURE_AT = 0.65  # confidence of the category from which nobody need look
URGENCIES: tuple[Urgency, ...] = ("ordinary", "urgent", "critical")
KINDS = (
    "place_named", "place_bare", "place_short_name", "place_by_parent", "place_not_in_parent", "place_ambiguous",
    "place_elsewhere", "place_none", "place_by_point", "place_point_differs", "category_words", "category_none",
    "urgency_category", "urgency_red_line", "urgency_red_line_too", "unsure_place", "unsure_point",
    "unsure_category", "unsure_lane", "unsure_raised", "unsure_discipline",
)  # fmt: skip
"""Every kind of reason; each has a sentence for pages under `reason.<kind>`."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What dispatch would do with a telling, and why; `sure` means that the system post may do it without a person."""

    place: places.PlaceFound
    category: keywords.CategoryFound
    urgency: Urgency
    urgency_reasons: tuple[Reason, ...]
    confidence: float
    sure: bool
    reasons: tuple[Reason, ...]


def propose(
    *,
    text: str,
    address: str,
    point: tuple[float, float] | None,
    gazetteer: places.Gazetteer,
    words: keywords.Lexicon,
    outlines: Outlines,
    charter_redlines: Mapping[str, tuple[str, ...]],
    sure_at: float = SURE_AT,
) -> Proposal:
    """Propose place, category and urgency of a telling.

    `point` is (latitude, longitude) in WGS-84. `charter_redlines` holds the words of `critical` and `urgent`, which
    raise the urgency of the category and never lower it, of `discipline`, which keep the telling from going on by
    itself, and of `harmless` (figures of speech), which are taken out first; `…` in a word is up to six characters of
    one clause. Never picks one of several places; unsure is an answer.
    """
    told = normal.normalise(text)
    place, names = gazetteer.locate(text=told, address=normal.normalise(address, source="address"))
    area_at = outlines.find(*point) if point is not None else None
    if area_at is not None:
        place = _with_point(place, area_at, gazetteer)
    category = words.classify(told, names=names)
    facts = _Facts(told, names, charter_redlines)
    urgency, urgency_reasons = _urgency(facts, category)
    doubts = _doubts(place, category, urgency, disciplined=bool(facts.crossing("discipline")), sure_at=sure_at)
    return Proposal(
        place,
        category,
        urgency,
        urgency_reasons,
        confidence=min(place.confidence, category.confidence),
        sure=not doubts,
        reasons=(*place.reasons, *category.reasons, *urgency_reasons, *doubts),
    )


def _with_point(place: places.PlaceFound, area_id: int, gazetteer: places.Gazetteer) -> places.PlaceFound:
    """Let the point on the map answer what the words leave open; against the words it is only noted."""
    unit = gazetteer.unit(area_id)
    if unit is None or unit.kind == "city":
        return place
    reason = Reason("place_by_point", params={"name": unit.display_name or unit.name, "level": unit.kind})
    at_point = replace(place, status="found", area_id=area_id, level=unit.kind, candidates=(), confidence=_POINT)
    if place.status == "none":
        return replace(at_point, reasons=(reason,))
    if place.status == "ambiguous":
        return _chosen_by_point(place, area_id, gazetteer, reason)
    if place.area_id is None or gazetteer.holds(area_id, place.area_id):
        return place
    if gazetteer.holds(place.area_id, area_id):
        return replace(at_point, reasons=(*place.reasons, reason))
    return replace(place, reasons=(*place.reasons, replace(reason, kind="place_point_differs")))


def _chosen_by_point(
    place: places.PlaceFound, area_id: int, gazetteer: places.Gazetteer, reason: Reason
) -> places.PlaceFound:
    fitting = [i for i in place.candidates if gazetteer.holds(area_id, i) or gazetteer.holds(i, area_id)]
    # Town and village of one name: a point in the village's outline means the village.
    finest = [i for i in fitting if not any(i != other and gazetteer.holds(i, other) for other in fitting)]
    chosen = gazetteer.unit(finest[0]) if len(finest) == 1 else None
    if chosen is None:
        return replace(place, candidates=tuple(fitting) or place.candidates)
    return replace(
        place,
        status="found",
        area_id=chosen.id,
        level=chosen.kind,
        candidates=(),
        confidence=_POINT,
        reasons=(*(known for known in place.reasons if known.kind != "place_ambiguous"), reason),
    )


class _Facts:
    """What a telling states, as the charter's red lines see it: without names of places and figures of speech."""

    def __init__(
        self, told: normal.Normal, names: tuple[tuple[int, int], ...], redlines: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._told = told
        self._redlines = redlines
        self._text = told.without(names)
        self._text = told.without([*names, *self._spans("harmless")])

    def crossing(self, kind: str) -> tuple[Word, ...]:
        """Return the words that cross the red lines of a kind, in their order."""
        return tuple(self._told.word(start, end) for start, end in self._spans(kind))

    def _spans(self, kind: str) -> list[tuple[int, int]]:
        words = self._redlines.get(kind, ())
        return [found.span(1) for found in _pattern(tuple(words)).finditer(self._text)] if words else []


@lru_cache(maxsize=32)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    # The longest first, and as a lookahead, so that overlapping words are all seen; literals and one bounded gap
    # alone, so that no text can make it slow.
    plain = sorted({normal.normalise(word).text for word in words if word.strip()}, key=lambda word: (-len(word), word))
    firsts = "".join(sorted({re.escape(word[0]) for word in plain}))
    choice = "|".join(re.escape(word).replace("…", r"[^。!?;,\n]{0,6}?") for word in plain)
    return re.compile(f"(?=[{firsts}])(?=({choice}))")


def _urgency(facts: _Facts, category: keywords.CategoryFound) -> tuple[Urgency, tuple[Reason, ...]]:
    reasons = [Reason("urgency_category", params={"urgency": category.urgency})] if category.code else []
    height = URGENCIES.index(category.urgency)
    for raised in (2, 1):
        crossing = facts.crossing(URGENCIES[raised])
        if crossing:
            # What stands as high already is not raised; the words are shown all the same.
            kind = "urgency_red_line" if raised > height else "urgency_red_line_too"
            reasons.append(Reason(kind, crossing, {"urgency": URGENCIES[raised]}))
            height = max(height, raised)
    return URGENCIES[height], tuple(reasons)


def _doubts(
    place: places.PlaceFound,
    category: keywords.CategoryFound,
    urgency: Urgency,
    *,
    disciplined: bool,
    sure_at: float,
) -> tuple[Reason, ...]:
    """Tell why a person must look; nothing to tell means sure."""
    doubts = []
    if place.status != "found":
        doubts.append(Reason("unsure_place"))
    if any(reason.kind == "place_point_differs" for reason in place.reasons):
        doubts.append(Reason("unsure_point"))
    if category.code is None or category.confidence < sure_at:
        doubts.append(Reason("unsure_category", params={"confidence": category.confidence}))
    if category.lane != "ordinary":
        doubts.append(Reason("unsure_lane", params={"lane": category.lane}))
    if urgency == "critical" and category.urgency != "critical":
        # A fact of life and death in an everyday category: the category is probably not the matter.
        doubts.append(Reason("unsure_raised"))
    if disciplined:
        # The words are not repeated: what should have been screened must not spread further.
        doubts.append(Reason("unsure_discipline"))
    return tuple(doubts)


_POINT = 0.8
