"""Turn the plain values of a TOML file into frozen types, or refuse them at their line.

What a key may hold is said once, by the annotations of the dataclass: whole numbers between bounds, one word of a
list, a unit, a time, a table. Called by `load` alone; it knows no rule of any city.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from fuzhengtong.charter import lines
from fuzhengtong.charter.bounds import Between
from fuzhengtong.charter.editions import CharterError
from fuzhengtong.charter.lines import Key, Lines

_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")

# Up to here every whole number is a float of the same value.
_EXACT = 2**53

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """One file being read: its name, and where its keys stand."""

    file: str
    at: Lines

    def refuse(self, key: Key, found: str, allowed: str) -> CharterError:
        """Make the refusal of what stands at a key; the caller raises it."""
        return CharterError(file=self.file, line=self.at.of(key), key=lines.dotted(key), found=found, allowed=allowed)


def check_keys(found: Mapping[str, object], allowed: Mapping[str, bool], key: Key, page: Page) -> None:
    """Refuse unknown keys, then missing ones; `allowed` says of each key whether it is needed."""
    for name in found:
        if name not in allowed:
            raise page.refuse((*key, name), f"an unknown key {name!r}", one_of(allowed))
    for name, is_needed in allowed.items():
        if is_needed and name not in found:
            raise CharterError(
                file=page.file,
                line=page.at.of(key),
                key=lines.dotted((*key, name)),
                found="nothing: the rule is missing",
                allowed=f"the key {name!r}",
            )


def table(kind: type[T], found: object, key: Key, page: Page) -> T:
    """Return the dataclass that a table describes; a field with a default may be left out."""
    if not isinstance(found, dict):
        raise page.refuse(key, shown(found), "a table")
    hints = get_type_hints(kind, include_extras=True)
    known = {field.name: field.default is MISSING for field in fields(kind) if field.init}  # type: ignore[arg-type]
    check_keys(found, known, key, page)
    return kind(**{name: value(hints[name], inner, (*key, name), page) for name, inner in found.items()})


def value(kind: Any, found: object, key: Key, page: Page) -> Any:
    """Return what the annotation asks for, or refuse what was found instead."""
    bounds = None
    if get_origin(kind) is Annotated:
        kind, bounds = get_args(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        return table(kind, found, key, page)
    if get_origin(kind) is tuple:
        return members(get_args(kind)[0], found, key, page)
    if get_origin(kind) is Literal:
        return _one(get_args(kind), found, key, page)
    if issubclass(kind, StrEnum):
        return kind(_one(tuple(kind), found, key, page))
    if kind is time:
        return clock_time(found, key, page)
    return _plain(kind, bounds, found, key, page)


def _plain(kind: type, bounds: Between | None, found: object, key: Key, page: Page) -> Any:
    allowed = _wanted(kind, bounds)
    if kind is float and type(found) is int and abs(found) < _EXACT:
        found = float(found)
    # Exact types: TOML's true is no number, and a date with a time is no date.
    if type(found) is not kind or (isinstance(found, str) and not found.strip()):
        raise page.refuse(key, shown(found), allowed)
    if bounds and not (isinstance(found, int | float) and bounds.hold(found)):
        raise page.refuse(key, shown(found), allowed)
    return found


def members(kind: Any, found: object, key: Key, page: Page) -> tuple[Any, ...]:
    """Return the members of a list, each of the same kind and each once."""
    if not isinstance(found, list):
        raise page.refuse(key, shown(found), "a list")
    read = tuple(value(kind, inner, (*key, nth), page) for nth, inner in enumerate(found))
    for nth, inner in enumerate(read):
        if inner in read[:nth]:
            raise page.refuse((*key, nth), f"{shown(found[nth])} a second time", "each once")
    return read


def _one(allowed: tuple[Any, ...], found: object, key: Key, page: Page) -> Any:
    for word in allowed:
        if type(found) in (type(word), str) and found == word:
            return word
    raise page.refuse(key, shown(found), one_of(allowed))


def clock_time(found: object, key: Key, page: Page) -> time:
    """Return a time of the day written as hours and minutes."""
    if not isinstance(found, str) or not _TIME.fullmatch(found):
        raise page.refuse(key, shown(found), 'a time such as "08:30"')
    return time.fromisoformat(found)


def _wanted(kind: type, bounds: Between | None) -> str:
    plain = {
        bool: "true or false",
        str: "a text that is not empty",
        date: "a date such as 2022-10-01",
        int: "a whole number",
        float: "a number",
    }[kind]
    if bounds is None:
        return plain
    return f"{plain} from {bounds.least}" + ("" if bounds.most is None else f" to {bounds.most}")


def shown(found: object) -> str:
    """Write what was found as a person wrote it."""
    if isinstance(found, dict):
        return "a table"
    if isinstance(found, list):
        return "a list"
    if isinstance(found, bool):
        return "true" if found else "false"
    return found.isoformat() if isinstance(found, date | datetime | time) else repr(found)


def one_of(allowed: Iterable[object]) -> str:
    """Write a list of allowed words."""
    return ", ".join(str(word).lower() if isinstance(word, bool) else str(word) for word in allowed)
