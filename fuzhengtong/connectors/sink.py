"""The local sink: a gateway that ships with the platform and delivers into a folder, so that all of it runs offline.

Used by trials, the demo, rehearsals and tests wherever no real gateway is configured. Each way out has a file of JSON
lines, put aside before it grows large; the oldest lines go. A message that comes again under its `dedup` is counted
and marked, never delivered twice, as long as its line is kept: much longer than a sender tries. Faults can be put in by
argument or through `control.json` in the folder, while the platform runs. In a file an address is cut down to its
first signs: the sink may stand in a backup, and nobody's number belongs there.
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import msgspec

from fuzhengtong.connectors import lines
from fuzhengtong.connectors.outward import Message, Undelivered
from fuzhengtong.kernel import masks

CONTROL, LOCK = "control.json", ".lock"
ANY_WAY = "*"
# For one way out. A sender gives a message up after a day; a trial is read within weeks.
LIMITS = lines.Limits(bytes_each=4 * 2**20, bytes_all=32 * 2**20, span=timedelta(days=7), kept=timedelta(days=30))
# So many of the last messages a sink keeps at hand in its process, for who looks at them there.
KEPT_AT_HAND = 1000
_SHOWN = 3
# An address within the house: which office, which desk. It belongs to nobody.
_SEAT = re.compile(r"[0-9]+\.[a-z_]+")


class Kind(StrEnum):
    """What can go wrong with a gateway."""

    DOWN = "down"  # nobody answers; nothing was delivered
    SLOW = "slow"  # it takes `seconds`, then delivers
    PERMANENT = "permanent"  # it refuses the message for good
    GARBAGE = "garbage"  # it delivers, and its answer cannot be read: the sender does not know


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault of one way out: what, for how many messages (none: until it is taken away), and how slow."""

    fault: Kind
    times: int | None = None
    seconds: float = 1.0


class Line(msgspec.Struct, frozen=True):
    """One accepted message as a file holds it; `again` marks one that had been delivered before."""

    at: str
    dedup: str
    to: str
    subject: str
    text: str
    again: bool


@dataclass(slots=True)
class _Read:
    """How far one file has been read by this process, and which messages its lines deliver."""

    to: int = 0
    counts: Counter[str] = field(default_factory=Counter)


_FAULTS = msgspec.json.Decoder(dict[str, Fault])
_LINE = msgspec.json.Decoder(Line)


class Sink:
    """A gateway into a folder, or, without one, into this process alone. Threads and processes may share a folder."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        faults: Mapping[str, Fault] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        limits: lines.Limits = LIMITS,
    ) -> None:
        self.delivered: list[Message] = []
        self._folder = folder
        self._limits = limits
        self._faults: dict[str, Fault] = dict(faults or {})
        self._sleep = sleep
        self._lock = threading.Lock()
        # Without a folder: what was delivered in this process.
        self._counts: Counter[str] = Counter()
        # With one: what was read of each file of a way, by the file's number.
        self._files: dict[str, dict[int, _Read]] = {}
        self._used: Counter[str] = Counter()
        self._control = (0, 0)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def send(self, message: Message) -> None:
        """Deliver one message, or fail as scripted. Raises Undelivered."""
        with self._lock:
            fault = self._fault(message.way)
        if fault is not None and fault.fault is Kind.DOWN:
            raise Undelivered("down", permanent=False)
        if fault is not None and fault.fault is Kind.PERMANENT:
            raise Undelivered("refused", permanent=True)
        if fault is not None and fault.fault is Kind.SLOW:
            self._sleep(fault.seconds)
        with self._lock:
            self._deliver(message)
        if fault is not None and fault.fault is Kind.GARBAGE:
            raise Undelivered("unreadable_answer", permanent=False)

    def break_down(self, way: str, fault: Fault | None) -> None:
        """Put a fault into a way out ("*" for all), or take it away."""
        with self._lock:
            self._used.pop(way, None)
            if fault is None:
                self._faults.pop(way, None)
            else:
                self._faults[way] = fault

    def counts(self) -> dict[str, int]:
        """Return how often each message was accepted, by dedup; more than once is a sender's repetition."""
        with self._lock:
            if self._folder is None:
                return dict(self._counts)
            found: Counter[str] = Counter()
            with self._alone(self._folder):
                for way in sorted({path.name.split(".")[0] for path in self._folder.glob(f"*{lines.ENDING}")}):
                    self._catch_up(self._folder, way)
                    for read in self._files[way].values():
                        found.update(read.counts)
            return dict(found)

    def _deliver(self, message: Message) -> None:
        if self._folder is None:
            again = self._counts[message.dedup] > 0
            self._counts[message.dedup] += 1
        else:
            with self._alone(self._folder):
                again = self._write(self._folder, _name(message.way), message)
        if not again:
            self.delivered.append(message)
            if self._folder is not None:
                del self.delivered[:-KEPT_AT_HAND]

    @contextmanager
    def _alone(self, folder: Path) -> Iterator[None]:
        """Keep other processes out of the folder: they may put a file aside, and count its lines elsewhere."""
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _write(self, folder: Path, way: str, message: Message) -> bool:
        """Append one line; tell whether the message had been delivered before."""
        lines.make_room(folder, way, at=message.at, limits=self._limits)
        number, path = self._catch_up(folder, way)
        again = any(read.counts[message.dedup] for read in self._files[way].values())
        line = Line(
            at=message.at.isoformat(),
            dedup=message.dedup,
            to=shown(message.to),
            subject=message.subject,
            text=message.text,
            again=again,
        )
        read = self._files[way].setdefault(number, _Read())
        with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b", buffering=0) as file:
            # What a crash cut off stays a line of its own and never swallows the next one.
            start = b"" if file.seek(0, os.SEEK_END) == read.to else b"\n"
            file.write(start + msgspec.json.encode(line) + b"\n")
            read.to = file.seek(0, os.SEEK_END)
        read.counts[message.dedup] += 1
        return again

    def _catch_up(self, folder: Path, way: str) -> lines.Piece:
        """Count what other processes have delivered since, forget what was removed; return the file to write to."""
        found = lines.pieces(folder, way)
        known = self._files.get(way, {})
        self._files[way] = {number: known.get(number, _Read()) for number, _ in found}
        for number, path in found:
            if path.exists():
                with open(path, "rb") as file:
                    _read_on(self._files[way][number], file)
        return found[-1]

    def _fault(self, way: str) -> Fault | None:
        self._look_at_control()
        for name in (way, ANY_WAY):
            fault = self._faults.get(name)
            if fault is not None and (fault.times is None or self._used[name] < fault.times):
                self._used[name] += 1
                return fault
        return None

    def _look_at_control(self) -> None:
        """Take the faults of the control file whenever it has changed; without the file all is well again."""
        if self._folder is None:
            return
        path = self._folder / CONTROL
        try:
            found = path.stat()
            state = (found.st_mtime_ns, found.st_size)
        except FileNotFoundError:
            state = (0, 0)
        if state == self._control:
            return
        self._used.clear()
        try:
            self._faults = _FAULTS.decode(path.read_bytes()) if state != (0, 0) else {}
        except (OSError, msgspec.DecodeError) as trouble:
            raise Undelivered("control_unreadable", permanent=False) from trouble
        self._control = state


def _read_on(read: _Read, file: BinaryIO) -> None:
    """Count the lines that are new; one cut off by a crash was not delivered."""
    if file.seek(0, os.SEEK_END) < read.to:
        # Emptied for its age.
        read.to, read.counts = 0, Counter()
    file.seek(read.to)
    for line in file:
        if not line.endswith(b"\n"):
            break
        read.to += len(line)
        try:
            read.counts[_LINE.decode(line).dedup] += 1
        except msgspec.DecodeError:
            continue


def shown(address: str) -> str:
    """Cut an address down to what may stand in a file: three signs, and a star for each other; a seat stays whole.

    The last digits go too: number and last four digits together open the state of a matter.
    """
    if _SEAT.fullmatch(address):
        return address
    return address[:_SHOWN] + masks.STAR * max(0, len(address) - _SHOWN)


def _name(way: str) -> str:
    return "".join(sign for sign in way if sign.isalnum() or sign in "-_") or "unnamed"
