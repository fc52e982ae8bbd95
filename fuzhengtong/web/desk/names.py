"""Names of offices, areas, categories and channels for pages, kept for half a minute in the memory of the process.

Every list names dozens of places and offices; they change weekly, and are read a hundred times a second. Called by the
modules of this folder. Holds nothing personal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory.queries import AreaRow, CategoryRow, OfficeRow, Unit
from fuzhengtong.intake import queries as intake_queries

KEPT = timedelta(seconds=30)
MOST = 20_000
T = TypeVar("T")

_lock = threading.Lock()
_held: dict[Hashable, tuple[datetime, Any]] = {}


def forget() -> None:
    """Forget everything: after this process has changed the directory, and between tests."""
    with _lock:
        _held.clear()


def _whole(key: str, at: datetime, read: Callable[[], T]) -> T:
    found = _held.get(key)
    if found is not None and abs(at - found[0]) < KEPT:
        return found[1]  # type: ignore[no-any-return]
    value = read()
    with _lock:
        _held[key] = (at, value)
    return value


def _some(kind: str, ids: Iterable[int], at: datetime, read: Callable[[list[int]], dict[int, T]]) -> dict[int, T]:
    found: dict[int, T] = {}
    missing = []
    for wanted in dict.fromkeys(ids):
        held = _held.get((kind, wanted))
        if held is not None and abs(at - held[0]) < KEPT:
            found[wanted] = held[1]
        else:
            missing.append(wanted)
    if missing:
        read_now = read(missing)
        with _lock:
            if len(_held) > MOST:
                _held.clear()
            _held.update({(kind, one): (at, row) for one, row in read_now.items()})
        found |= read_now
    return found


def offices(ids: Iterable[int | None], at: datetime) -> dict[int, OfficeRow]:
    """Return offices by id, closed ones too."""
    wanted = [one for one in ids if one is not None]
    return _some(
        "office", wanted, at, lambda missing: {row.office_id: row for row in directory_queries.offices(ids=missing)}
    )


def areas(ids: Iterable[int | None], at: datetime) -> dict[int, AreaRow]:
    """Return areas by id, former ones too."""
    return _some("area", [one for one in ids if one is not None], at, directory_queries.areas)


def categories(at: datetime) -> dict[int, CategoryRow]:
    """Return the categories in use, by id."""
    return _whole("categories", at, lambda: {row.category_id: row for row in directory_queries.categories(at=at)})


def category(category_id: int | None, at: datetime) -> CategoryRow | None:
    """Return one category, whether still in use or not."""
    if category_id is None:
        return None
    found = categories(at).get(category_id)
    return found or _whole(f"category {category_id}", at, lambda: directory_queries.category(category_id=category_id))


@dataclass(frozen=True, slots=True)
class Channel:
    code: str
    name: str
    name_en: str

    def said(self, lang: str) -> str:
        """Return the channel's name in a language."""
        return self.name_en if lang == "en" and self.name_en else self.name


def channels(at: datetime) -> dict[str, Channel]:
    """Return all channels by code, in their order."""
    return _whole(
        "channels",
        at,
        lambda: {row.code: Channel(row.code, row.name, row.name_en) for row in intake_queries.channels()},
    )


def channel(code: str, at: datetime, lang: str) -> str:
    """Say the name of a channel; a code nobody knows is said as it is."""
    found = channels(at).get(code)
    return found.said(lang) if found else code


def units(at: datetime) -> tuple[Unit, ...]:
    """Return every place with all its names, for pickers."""
    return _whole("units", at, lambda: directory_queries.gazetteer(at=at))


def all_offices(at: datetime) -> tuple[OfficeRow, ...]:
    """Return every office that exists, for pickers."""
    return _whole("offices", at, lambda: directory_queries.offices(at=at))


def office_name(office_id: int | None, at: datetime, *, short: bool = True) -> str:
    """Say an office by its short name (or in full); empty for none."""
    row = offices([office_id], at).get(office_id) if office_id is not None else None
    if row is None:
        return ""
    return (row.short or row.name) if short else row.name


def area_name(area_id: int | None, at: datetime) -> str:
    """Say an area by the name pages print; empty for none."""
    row = areas([area_id], at).get(area_id) if area_id is not None else None
    return (row.display_name or row.name) if row else ""


def place(area_ids: Iterable[int | None], at: datetime) -> str:
    """Say a place from its county down, each level once."""
    wanted = list(dict.fromkeys(one for one in area_ids if one is not None))
    found = areas(wanted, at)
    return " ".join(found[one].display_name or found[one].name for one in wanted if one in found)
