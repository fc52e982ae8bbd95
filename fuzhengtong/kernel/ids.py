"""Ids, serials and secrets: the one maker of everything that is new in the city.

The Moment carries a mint; actions and rules ask it for ids of rows, serials of case numbers, and the random bytes of
codes, salts, nonces and keys. `LiveMint` serves the running city, `SeededMint` gives tests and rehearsals the same
city again from the same seed. Ids are ordered by time and never secret; a mint never reads a clock of its own.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final, Protocol

EPOCH: Final = datetime(2022, 1, 1, tzinfo=UTC)
EPOCH_MS: Final = int(EPOCH.timestamp()) * 1000

_SEQUENCE_BITS: Final = 16
_NODE_BITS: Final = 6
_NODES: Final = 1 << _NODE_BITS
_SEQUENCES: Final = 1 << _SEQUENCE_BITS
_LAST_MS: Final = EPOCH_MS + (1 << 41) - 1

# A time server corrects in small steps; more than this is a wrong clock, and ids made under it would lie.
STEP_BACK_MS: Final = 10_000
_PAUSE_S: Final = 0.0001


class ClockWentBack(Exception):
    """The clock stands more than ten seconds before the last id: the node must stop and ask for help."""


class LeaseEnded(Exception):
    """The node's number is no longer its own: another process may be making ids under it."""


class Mint(Protocol):
    """What an action may ask for: ids, secrets and serials."""

    def id(self) -> int:
        """Make the id of a new row: 63 bits, greater than every id made here before."""

    def token(self, n: int) -> bytes:
        """Make n unguessable bytes: codes, salts, nonces, keys."""

    def serial(self, day: date) -> int:
        """Make the next serial of the day for a case number, from 1."""


def _joined(ms: int, node: int, sequence: int) -> int:
    return (ms - EPOCH_MS) << (_NODE_BITS + _SEQUENCE_BITS) | node << _SEQUENCE_BITS | sequence


def _checked(node: int) -> int:
    if not 0 <= node < _NODES:
        raise ValueError(f"a node is a number from 0 to {_NODES - 1}, not {node}")
    return node


class SeededMint:
    """A mint that gives the same ids, secrets and serials again: for tests, rehearsals and the demo, never for work."""

    def __init__(self, seed: int, start_ms: int, node: int = 0) -> None:
        if not EPOCH_MS <= start_ms <= _LAST_MS:
            raise ValueError("the start lies outside the years the ids can tell")
        self._lock = threading.Lock()
        self._seed = f"{seed}:{_checked(node)}:".encode("ascii")
        self._next = _joined(start_ms, node, 0)
        self._node = node
        self._drawn = 0
        self._serials: dict[date, int] = {}

    def id(self) -> int:
        """Make the next id; after 65,536 of them the millisecond moves on by itself."""
        with self._lock:
            made = self._next
            self._next += 1
            if not self._next % _SEQUENCES:  # the carry would run into the node
                self._next += (_NODES - 1) << _SEQUENCE_BITS
            return made

    def token(self, n: int) -> bytes:
        """Make n bytes that only the seed decides."""
        with self._lock:
            self._drawn += 1
            return hashlib.shake_256(self._seed + str(self._drawn).encode("ascii")).digest(n)

    def serial(self, day: date) -> int:
        """Make the next serial of the day."""
        with self._lock:
            self._serials[day] = self._serials.get(day, 0) + 1
            return self._serials[day]


class LiveMint:
    """The mint of one running process under a leased node number.

    `clock_ms` gives epoch milliseconds, `valid_until_ms` the end of the lease, `serials` the next serial of a day
    from the process's block; all three come from the edge.
    """

    def __init__(
        self,
        *,
        node: int,
        clock_ms: Callable[[], int],
        valid_until_ms: Callable[[], int],
        serials: Callable[[date], int],
    ) -> None:
        self._lock = threading.Lock()
        self._node = _checked(node)
        self._clock_ms = clock_ms
        self._valid_until_ms = valid_until_ms
        self._serials = serials
        self._last_ms = EPOCH_MS - 1
        self._sequence = 0

    def id(self) -> int:
        """Make the next id; waits for the next millisecond when 65,536 were made in this one.

        A small step back of the clock keeps the last millisecond. Raises ClockWentBack for a large one, and
        LeaseEnded when the lease does not cover the id.
        """
        with self._lock:
            ms = self._now()
            if ms > self._last_ms:
                self._last_ms, self._sequence = ms, 0
            elif self._sequence < _SEQUENCES - 1:
                self._sequence += 1
            else:
                self._last_ms, self._sequence = self._next_ms(), 0
            return _joined(self._last_ms, self._node, self._sequence)

    def token(self, n: int) -> bytes:
        """Make n bytes from the operating system's source of secrets."""
        return secrets.token_bytes(n)

    def serial(self, day: date) -> int:
        """Make the next serial of the day from the process's block."""
        return self._serials(day)

    def _now(self) -> int:
        ms = self._clock_ms()
        if self._last_ms - ms > STEP_BACK_MS:
            raise ClockWentBack(f"the clock stands {self._last_ms - ms} ms before the last id")
        if max(ms, self._last_ms) >= self._valid_until_ms():
            raise LeaseEnded(f"the lease of node {self._node} has run out")
        if not EPOCH_MS <= ms <= _LAST_MS:
            raise ValueError("the clock lies outside the years the ids can tell")
        return ms

    def _next_ms(self) -> int:
        while (ms := self._now()) <= self._last_ms:
            time.sleep(_PAUSE_S)
        return ms
