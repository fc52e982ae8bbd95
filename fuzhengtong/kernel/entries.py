"""The bytes of the ledger: how an entry is written down for ever, and how each is chained to the one before.

Called by the spine when an entry is planned, by `verify`, by the receipt a resident can check, and by the sealed
program for its own ledger. Format 1 is frozen: a new format is a new number beside it, never a change. It takes only
values whose bytes can mean one thing (no floats, sets, times or large numbers), so that the same facts give the same
hash in every year.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

FORMAT: Final = 1
GENESIS: Final[bytes] = bytes(32)

_UNIX: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
# Above this a JSON reader in another language may round: ids are written as strings.
_LARGEST: Final = 2**53 - 1
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


def canonical(
    *,
    city: str,
    case_id: int,
    seq: int,
    at: datetime,
    told_at: datetime | None,
    by: Mapping[str, object],
    step: str,
    step_version: int,
    body: Mapping[str, object],
) -> bytes:
    """Write an entry as its canonical bytes: UTF-8 JSON with sorted keys, ids as strings, instants as epoch ms.

    Instants are cut to whole milliseconds. Refuses naive times, and in `by` and `body` everything but text, true and
    false, null, whole numbers below 2^53, lists, and mappings by text.
    """
    _check(by)
    _check(body)
    return _ENCODER.encode(
        {
            "at": _epoch_ms(at),
            "body": body,
            "by": by,
            "case": str(case_id),
            "city": city,
            "format": FORMAT,
            "seq": seq,
            "step": step,
            "step_version": step_version,
            "told_at": None if told_at is None else _epoch_ms(told_at),
        }
    )


def chain(prev: bytes, data: bytes) -> bytes:
    """Hash an entry onto the one before it: SHA-256 of the previous hash and the entry's bytes.

    The first entry of a case follows GENESIS. Refuses a previous hash that is not 32 bytes long.
    """
    if len(prev) != 32:
        raise ValueError(f"a hash has 32 bytes, not {len(prev)}")
    return hashlib.sha256(prev + data).digest()


def _epoch_ms(instant: datetime) -> int:
    if instant.tzinfo is None:
        raise ValueError("a time without a zone is refused")
    return (instant - _UNIX) // _MS


def _check(value: object) -> None:
    # By exact type, commonest first: this runs for every value of every entry.
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return
    if kind is int:
        if not -_LARGEST <= value <= _LARGEST:  # type: ignore[operator]
            raise ValueError("a number this large is written as text")
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if type(name) is not str:
                raise TypeError(f"an entry is keyed by text, not {type(name).__name__}")
            _check(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner)
    elif not isinstance(value, str):  # a StrEnum is written as its text
        raise TypeError(f"an entry holds no {kind.__name__}")
