"""Reading lists of offices, of posts and of the people who hold them.

Pure: called by the imports of offices and posts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fuzhengtong.accounts import rules as accounts_rules
from fuzhengtong.directory import rules, sheets
from fuzhengtong.directory.lists.cells import Cells, Origin, Parsed, read, unique
from fuzhengtong.directory.sheets import Sheet

_PHONE: Final = re.compile(r"[0-9+() -]{3,20}")


@dataclass(frozen=True, slots=True)
class OfficeRow:
    """One office."""

    code: str
    name: str
    short: str
    kind: rules.OfficeKind
    parent: str
    area: str
    level: rules.Level
    functions: tuple[str, ...]
    duty_phone: str
    is_made: bool
    active_from: datetime | None
    active_to: datetime | None
    succeeded_by: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class PostRow:
    """One post of an office, with the logins of its holder and his deputies; nothing where the list is silent."""

    office: str
    kind: rules.PostKind
    name: str
    holder: str | None
    deputies: tuple[str, ...] | None
    is_made: bool
    active_from: datetime | None
    active_to: datetime | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person to let in."""

    login: str
    name: str
    is_made: bool
    origin: Origin


_OFFICE_KINDS = {kind.value: kind for kind in rules.OfficeKind}
_LEVELS = {level.value: level for level in rules.Level}


def _office(cells: Cells) -> OfficeRow:
    active_from, active_to = cells.period()
    return OfficeRow(
        code=cells.code("code"),
        name=cells.text("name"),
        short=cells.text("short", longest=40),
        kind=cells.one_of("kind", _OFFICE_KINDS, default=rules.OfficeKind.BUREAU),
        parent=cells.code("parent", needed=False),
        area=cells.code("area"),
        level=cells.one_of("level", _LEVELS, default=rules.Level.CITY),
        functions=cells.several("functions"),
        duty_phone=cells.shaped("duty_phone", _PHONE, "import.not_a_phone", needed=False),
        is_made=cells.flag("is_made"),
        active_from=active_from,
        active_to=active_to,
        succeeded_by=cells.code("succeeded_by", needed=False),
        origin=cells.origin,
    )


def parse_offices(sheet: Sheet) -> Parsed[OfficeRow]:
    """Read offices: code, name, short, kind, parent, area, level, functions (by |), duty_phone, dates, successor."""
    needed = ("code", "name", "short", "kind", "parent", "area", "level", "functions", "duty_phone")
    optional = ("is_made", "active_from", "active_to", "succeeded_by")
    found = read(sheets.read(sheet), needed, optional, _office)
    return unique(found, lambda row: row.code, lambda row: row.origin, "code")


_POST_KINDS = {kind.value: kind for kind in rules.PostKind}


def _post(cells: Cells) -> PostRow:
    active_from, active_to = cells.period()
    return PostRow(
        office=cells.code("office"),
        kind=cells.one_of("kind", _POST_KINDS, default=rules.PostKind.HANDLER),
        name=cells.text("name", longest=60),
        holder=cells.text("holder", longest=64, needed=False).lower() if cells.has("holder") else None,
        deputies=(
            tuple(sorted(login.lower() for login in cells.several("deputies", longest=64)))
            if cells.has("deputies")
            else None
        ),
        is_made=cells.flag("is_made"),
        active_from=active_from,
        active_to=active_to,
        origin=cells.origin,
    )


def post_key(office: str, kind: str, name: str) -> str:
    """Return the key of a post in a list: a post has no code of its own."""
    return f"{office} {kind} {name}"


def parse_posts(sheet: Sheet) -> Parsed[PostRow]:
    """Read posts: office, kind, name, and optionally the logins of holder and deputies (by |), and dates."""
    optional = ("holder", "deputies", "is_made", "active_from", "active_to")
    found = read(sheets.read(sheet), ("office", "kind", "name"), optional, _post)
    return unique(found, lambda row: post_key(row.office, row.kind, row.name), lambda row: row.origin, "name")


def _is_login(text: str) -> bool:
    return accounts_rules.why_not_login(text.lower()) is None


def _person(cells: Cells) -> PersonRow:
    return PersonRow(
        login=cells.fitting("login", _is_login, "import.not_a_login").lower(),
        name=cells.text("name", longest=60),
        is_made=cells.flag("is_made"),
        origin=cells.origin,
    )


def parse_people(sheet: Sheet) -> Parsed[PersonRow]:
    """Read people to let in: login, name, is_made."""
    found = read(sheets.read(sheet), ("login", "name"), ("is_made",), _person)
    return unique(found, lambda row: row.login, lambda row: row.origin, "login")
