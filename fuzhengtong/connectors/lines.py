"""Files of lines that stay small: what has grown too large or too old is put aside under a number, and the oldest goes.

Used by the local sink and by the watchdog's bell. A file `sms.jsonl` is put aside as `sms.1.jsonl`, then `sms.2.jsonl`,
and so on: the higher the number, the newer the lines. Ages are reckoned by the `at` of the lines themselves against an
instant that is handed in; no clock is read. Whoever shares a folder with others holds its lock while he calls.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import msgspec

ENDING: Final = ".jsonl"
# No line of ours is longer: the last one is looked for in so much of a file.
_LONGEST_LINE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How large one file may grow, how much all of one name may weigh, how long lines go into one file and stay."""

    bytes_each: int
    bytes_all: int
    span: timedelta
    kept: timedelta


class Piece(NamedTuple):
    """One file of a name; the number of the one that is written to is one more than the last put aside."""

    number: int
    path: Path


class _Dated(msgspec.Struct):
    at: Annotated[datetime, msgspec.Meta(tz=True)]


_DATED = msgspec.json.Decoder(_Dated)


def pieces(folder: Path, name: str) -> list[Piece]:
    """List the files of a name, the oldest first; the last is the one that is written to, perhaps not there yet."""
    numbered = re.compile(re.escape(name) + r"\.([0-9]{1,9})" + re.escape(ENDING))
    found = sorted((int(match[1]), match[0]) for match in map(numbered.fullmatch, _names(folder)) if match)
    aside = [Piece(number, folder / file) for number, file in found]
    return [*aside, Piece(aside[-1].number + 1 if aside else 1, folder / f"{name}{ENDING}")]


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def make_room(folder: Path, name: str, *, at: datetime, limits: Limits, spared: int = 0) -> bool:
    """Put the written file aside when it is too large or began too long ago; then the oldest go. Tell whether it was.

    `spared` bytes are not counted against the size of the written file (what was carried over into it).
    """
    *_, (number, written) = pieces(folder, name)
    size = _size(written)
    if size == 0 or not (size >= limits.bytes_each + spared or _began_before(written, at - limits.span)):
        return False
    os.replace(written, folder / f"{name}.{number}{ENDING}")
    _forget_oldest(pieces(folder, name)[:-1], at=at, limits=limits)
    return True


def _forget_oldest(aside: list[Piece], *, at: datetime, limits: Limits) -> None:
    sizes = {piece.number: _size(piece.path) for piece in aside}
    weight = sum(sizes.values())
    for piece in aside:
        is_light = weight <= limits.bytes_all - limits.bytes_each
        if sizes[piece.number] and is_light and not _ended_before(piece.path, at - limits.kept):
            continue
        weight -= sizes[piece.number]
        if piece is aside[-1]:
            # Emptied and not removed: its number must not be given twice, readers tell files apart by it.
            os.truncate(piece.path, 0)
        else:
            piece.path.unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _began_before(path: Path, instant: datetime) -> bool:
    with path.open("rb") as file:
        return any(at < instant for at in _first(file))


def _ended_before(path: Path, instant: datetime) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, _size(path) - _LONGEST_LINE))
        return any(at < instant for at in _first(reversed(file.read().splitlines())))


def _first(lines: Iterable[bytes]) -> list[datetime]:
    """Return the instant of the first line that has one, or nothing: what a crash cut off does not count."""
    for line in lines:
        try:
            return [_DATED.decode(line).at]
        except msgspec.DecodeError:
            continue
    return []
