"""The rules of the directory: levels of areas, posts that exclude each other, who does what, differences.

Pure: called by the imports, actions and queries of this app, and by dispatch for the office behind a function. Reading
the lists themselves is `lists`; names are `names`. It never looks anything up: what is known comes as an argument.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final, TypeVar
from zoneinfo import ZoneInfo

from fuzhengtong.directory.names import AreaKind
from fuzhengtong.directory.sheets import Problem
from fuzhengtong.kernel.errors import Refused

# One legal time in the whole country: a date in a list begins at this zone's midnight.
CHINA: Final = ZoneInfo("Asia/Shanghai")


class Level(StrEnum):
    """On which level an office works."""

    CITY = "city"
    COUNTY = "county"
    TOWN = "town"
    COMMUNITY = "community"


class OfficeKind(StrEnum):
    """What sort of organisation an office is."""

    CENTRE = "centre"
    PARTY = "party"
    BUREAU = "bureau"
    JUDICIAL = "judicial"
    TOWN = "town"
    COMMUNITY = "community"
    INSTITUTION = "institution"
    ENTERPRISE = "enterprise"


class PostKind(StrEnum):
    """What a post is for; powers belong to it and not to the person."""

    DISPATCHER = "dispatcher"
    HANDLER = "handler"
    HEAD = "head"
    REVIEWER = "reviewer"
    VISITOR = "visitor"
    SUPERVISOR = "supervisor"
    CHIEF_CLERK = "chief_clerk"
    AGENT = "agent"
    WINDOW_CLERK = "window_clerk"
    GRID_WORKER = "grid_worker"
    DUTY = "duty"
    ANALYST = "analyst"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"


class Sensitivity(StrEnum):
    """How far what is told in a category must be kept."""

    ORDINARY = "ordinary"
    PRIVATE = "private"
    CONFIDENTIAL = "confidential"
    SEALED = "sealed"


# The codes of urgency and lane belong to the spine; here they are the vocabulary of a list.
URGENCIES: Final[Mapping[str, str]] = {"特急": "critical", "紧急": "urgent", "一般": "ordinary"}
SENSITIVITIES: Final[Mapping[str, Sensitivity]] = {
    "普通": Sensitivity.ORDINARY,
    "隐私": Sensitivity.PRIVATE,
    "举报保密": Sensitivity.CONFIDENTIAL,
    "涉纪封存": Sensitivity.SEALED,
}
LANES: Final[Mapping[str, str]] = {
    "普通": "ordinary",
    "紧急联动": "emergency",
    "调解": "mediation",
    "涉法涉诉": "law_and_litigation",
    "仲裁": "arbitration",
    "行政复议": "administrative_review",
    "信访": "petition",
    "纪检监察": "discipline",
    "无效": "invalid",
}

# System, security and audit administration are three people (GB/T 22239-2019, level 3).
ADMIN_POSTS: Final = frozenset({PostKind.SYSTEM_ADMIN, PostKind.SECURITY_ADMIN, PostKind.AUDIT_ADMIN})


class AdminPostsApart(Refused):
    """Refuse to give two of the three administrators' posts to one person at one time."""

    code: ClassVar[str] = "admin_posts_apart"


@dataclass(frozen=True, slots=True)
class Held:
    """One post held for a time; no end means: still."""

    kind: str
    active_from: datetime
    active_to: datetime | None


def do_overlap(one: Held, other: Held) -> bool:
    """Say whether the two times share an instant; ends are exclusive."""
    return (other.active_to is None or one.active_from < other.active_to) and (
        one.active_to is None or other.active_from < one.active_to
    )


def why_not_hold(wanted: Held, held: Iterable[Held]) -> AdminPostsApart | None:
    """Return why a person with these tenures, past and to come, may not have this one, or nothing."""
    if wanted.kind not in ADMIN_POSTS:
        return None
    for tenure in held:
        if tenure.kind in ADMIN_POSTS and tenure.kind != wanted.kind and do_overlap(wanted, tenure):
            return AdminPostsApart(wanted=wanted.kind, held=tenure.kind)
    return None


@dataclass(frozen=True, slots=True)
class Levels:
    """The areas of every level around one area, itself included; a missing level repeats the one above it."""

    city: int
    county: int
    town: int
    community: int
    grid: int

    def path(self) -> tuple[int, ...]:
        """Return the distinct areas from the city down."""
        return tuple(dict.fromkeys((self.city, self.county, self.town, self.community, self.grid)))


_DEPTH: Final[Mapping[AreaKind, int]] = {
    AreaKind.CITY: 0,
    AreaKind.COUNTY: 1,
    AreaKind.TOWN: 2,
    AreaKind.COMMUNITY: 3,
    AreaKind.VILLAGE: 3,
    AreaKind.GRID: 4,
}


def depth_of(kind: AreaKind, parent_depth: int | None) -> int | None:
    """Return the level an area stands on, 0 for the city to 4 for a grid; nothing where it cannot stand so low.

    A functional area (a development zone) stands one level below its parent, whatever that is.
    """
    if parent_depth is None:
        return 0 if kind is AreaKind.CITY else None
    if kind is AreaKind.FUNCTIONAL:
        return parent_depth + 1 if parent_depth < _DEPTH[AreaKind.COMMUNITY] else None
    depth = _DEPTH[kind]
    return depth if depth > parent_depth else None


def levels_of(*, area_id: int, depth: int, parent: Levels | None) -> Levels:
    """Return the level columns of an area below its parent.

    Levels missing between the two repeat the parent; levels below the area repeat itself, so that a case located only
    so far can take all five columns as they are.
    """
    above = (0,) * 5 if parent is None else (parent.city, parent.county, parent.town, parent.community, parent.grid)
    return Levels(*(above[n] if n < depth else area_id for n in range(5)))


Key = TypeVar("Key", bound=Hashable)


def resolve(function: str, *, areas: Iterable[Key], offices: Mapping[tuple[str, Key], Key]) -> Key | None:
    """Return the office that does a function in a place; nothing where there is none.

    `areas` runs from the narrowest area to the city, `offices` is by function and area: a county's own office comes
    before the city's. Names of the category tree that are roles (属地街道(乡镇), 被反映单位, 原承办单位) are functions
    like any other, held by the town offices and the centres: whoever is complained about is never found by a table.
    """
    return next((offices[function, area] for area in areas if (function, area) in offices), None)


# The columns of a row by name: what they hold is for the table to say.
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One row that is new, different, elsewhere or over: what stood in the columns that differ, and what will."""

    table: str
    code: str
    name: str
    before: Record = field(default_factory=dict)
    after: Record = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """What an import will do, or did: shown as a list of differences before it is applied.

    With `errors` nothing was changed. `version` is that of the calendar, empty for other lists.
    """

    added: tuple[Change, ...] = ()
    changed: tuple[Change, ...] = ()
    moved: tuple[Change, ...] = ()
    closed: tuple[Change, ...] = ()
    unchanged: int = 0
    errors: tuple[Problem, ...] = ()
    applied: bool = False
    version: str = ""

    @property
    def is_different(self) -> bool:
        """Say whether there is anything to apply."""
        return bool(self.added or self.changed or self.moved or self.closed)


def compare(
    *,
    table: str,
    current: Mapping[str, Record],
    wanted: Mapping[str, Record],
    moving: frozenset[str] = frozenset(),
    closing: Iterable[str] = (),
    closed_at: datetime | None = None,
) -> Report:
    """Compare the rows that stand with the rows that are wanted, both by code.

    A wanted row speaks for the columns it has and no others. A difference in a `moving` column is a move; a row whose
    `active_to` is newly set is closed. Rows in `closing` that nobody wants are closed at `closed_at`.
    """
    found: dict[str, list[Change]] = {"added": [], "changed": [], "moved": [], "closed": []}
    unchanged = 0
    for code, record in wanted.items():
        old = current.get(code)
        if old is None:
            found["added"].append(Change(table, code, str(record.get("name", "")), {}, dict(record)))
            continue
        differing = [column for column, value in record.items() if old.get(column) != value]
        if not differing:
            unchanged += 1
            continue
        before, after = {c: old.get(c) for c in differing}, {c: record[c] for c in differing}
        change = Change(table, code, str(record.get("name", old.get("name", ""))), before, after)
        if after.get("active_to") is not None and before["active_to"] is None:
            found["closed"].append(change)
        elif moving.intersection(differing):
            found["moved"].append(change)
        else:
            found["changed"].append(change)
    for code in closing:
        if code not in wanted:
            name = str(current[code].get("name", ""))
            found["closed"].append(Change(table, code, name, {"active_to": None}, {"active_to": closed_at}))
    return Report(
        added=tuple(found["added"]),
        changed=tuple(found["changed"]),
        moved=tuple(found["moved"]),
        closed=tuple(found["closed"]),
        unchanged=unchanged,
    )


def season_months(text: str) -> frozenset[int] | None:
    """Return the months of a season such as 11-3 or 3-5,10-11 (it may wrap over the year); nothing if ill-formed."""
    months: set[int] = set()
    for part in filter(None, text.split(",")):
        first, hyphen, last = part.strip().partition("-")
        last = last if hyphen else first
        if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= 12 and 1 <= int(last) <= 12):
            return None
        length = (int(last) - int(first)) % 12 + 1
        months.update((int(first) + n - 1) % 12 + 1 for n in range(length))
    return frozenset(months)
