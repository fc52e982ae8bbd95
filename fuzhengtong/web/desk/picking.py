"""The pickers of the dispatch desk: find a place, a category or an office by a word, as links that keep the rest.

What a dispatcher has chosen stands in the address; a picker's answer is the same address with one choice changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from fuzhengtong.charter.moment import Moment
from fuzhengtong.web.desk import inbox, names

SHOWN = 12
CHOICES = ("area", "category", "urgency", "office", "queue")


@dataclass(frozen=True, slots=True)
class Found:
    """One answer of a picker."""

    href: str
    word: str
    note: str


def _areas(request: HttpRequest, moment: Moment, asked: str, number: str) -> list[Found]:
    """Find places whose name, or a name people use, contains what was asked."""
    found = []
    for unit in names.units(moment.at):
        said = (unit.display_name, unit.name, *(text for text, _kind in unit.aliases))
        if any(asked in one for one in said):
            where = " ".join(part for part in (unit.county, unit.town) if part)
            found.append(Found(link(request, number, area=str(unit.area_id)), unit.display_name or unit.name, where))
    return found[:SHOWN]


def _categories(request: HttpRequest, moment: Moment, asked: str, number: str) -> list[Found]:
    """Find categories by name, group, code or one of their words."""
    found = []
    for row in names.categories(moment.at).values():
        if row.lane == "discipline":
            continue
        if asked in row.name or asked in row.level1 or asked.upper() == row.code or any(asked in w for w in row.words):
            found.append(Found(link(request, number, category=str(row.category_id)), row.name, row.level1))
    return found[:SHOWN]


def _offices(request: HttpRequest, moment: Moment, asked: str, number: str) -> list[Found]:
    """Find offices by name."""
    found = []
    for row in names.all_offices(moment.at):
        if asked in row.name or asked in row.short:
            found.append(
                Found(
                    link(request, number, office=str(row.office_id)), row.name, names.area_name(row.area_id, moment.at)
                )
            )
        if len(found) == SHOWN:
            break
    return found


PICKERS = {"place": _areas, "kind": _categories, "whom": _offices}


def kept(request: HttpRequest) -> dict[str, str]:
    """Return what was chosen so far: in the address, or in the form that was sent and refused."""
    asked = request.POST if request.method == "POST" else request.GET
    return {name: asked.get(name, "") for name in CHOICES}


def link(request: HttpRequest, number: str, **changed: str) -> str:
    """Return the address with some of its choices changed."""
    return inbox.address("desk-dispatch", number, **(kept(request) | changed))


def picker(request: HttpRequest, moment: Moment, number: str) -> dict[str, Any]:
    """Return what the picker in use was asked and found; nothing where none is."""
    for name, find in PICKERS.items():
        asked = request.GET.get(name, "").strip()[:40]
        if asked:
            if name == "whom":
                names.areas([row.area_id for row in names.all_offices(moment.at) if asked in row.name], moment.at)
            return {"kind": name, "asked": asked, "found": find(request, moment, asked, number)}
    return {}


def focus(request: HttpRequest, found: dict[str, Any], *, has_place: bool, has_category: bool) -> str:
    """Return the picker whose field takes the keys: one that found nothing; after a choice, the next undecided one.

    A page that was just opened gives them to nobody, so that single keys work at once.
    """
    if found:
        return "" if found["found"] else str(found["kind"])
    if not any(request.GET.get(name) for name in ("area", "category", "office")):
        return ""
    return "place" if not has_place else "kind" if not has_category else ""
