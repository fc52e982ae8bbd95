"""Read a JSON body strictly: sizes, encodings, duplicate keys, unknown fields, types; every fault named.

Pure. The one parser of the API: what it refuses is answered with the field and a sentence, never with a 500.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

import msgspec

from fuzhengtong.intake.rules import BadInput, Fault

T = TypeVar("T")

DEPTH = 12
_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`")
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]*)`")
_MISSING = re.compile(r"missing required field `(?P<name>[^`]*)`")


class _Twice(ValueError):
    pass


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Twice(name)
            seen.add(name)
    # A name that no encoding can carry is nobody's field; said so, instead of failing on it.
    return {name.encode(errors="replace").decode(): value for name, value in found.items()}


def _no_such_number(name: str) -> None:
    raise ValueError(name)


def parse(body: bytes, kind: type[T]) -> T:
    """Return the body as a value of this kind, or raise BadInput."""
    try:
        held = json.loads(body.decode(), object_pairs_hook=_once_each, parse_constant=_no_such_number)
    except UnicodeDecodeError as error:
        raise BadInput((Fault("", "not_utf8"),)) from error
    except _Twice as error:
        raise BadInput((Fault(str(error)[:60], "field_twice"),)) from error
    except (ValueError, RecursionError) as error:
        raise BadInput((Fault("", "not_json"),)) from error
    if not isinstance(held, dict):
        raise BadInput((Fault("", "not_an_object"),))
    if _deep(held) > DEPTH:
        raise BadInput((Fault("", "too_deep"),))
    try:
        return msgspec.convert(held, kind, strict=True)
    except msgspec.ValidationError as error:
        raise BadInput((_fault(str(error)),)) from error
    except UnicodeEncodeError as error:
        raise BadInput((Fault(_unsayable(held)[:80], "broken_characters"),)) from error


def _deep(value: Any) -> int:
    level, depth = [value], 0
    while level and depth <= DEPTH:
        depth += 1
        level = [
            item
            for held in level
            for item in (held.values() if isinstance(held, dict) else held)
            if isinstance(item, dict | list)
        ]
    return depth


def _unsayable(held: Any, path: str = "") -> str:
    """Return the field whose text no encoding can carry."""
    if isinstance(held, str):
        return path if held != held.encode(errors="replace").decode() else ""
    pairs = held.items() if isinstance(held, dict) else enumerate(held) if isinstance(held, list) else ()
    found = (_unsayable(inner, _joined(path, str(name))) for name, inner in pairs)
    return next(filter(None, found), "")


def _fault(said: str) -> Fault:
    path = found["path"] if (found := _AT.search(said)) else ""
    if found := _UNKNOWN.search(said):
        return Fault(_joined(path, found["name"])[:80], "unknown_field")
    if found := _MISSING.search(said):
        return Fault(_joined(path, found["name"])[:80], "field_missing")
    return Fault(path[:80], "wrong_type")


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
