"""What one process keeps of the world between moments: charters, texts, the calendar, a leased mint.

Made once by each edge (`web/moment.py`, `jobs`), which hands in its clock; nothing in here reads one. Leases and
blocks of numbers are taken outside of any transaction, before a moment is made: an id must never rest on a lease
that a rollback undid.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from fuzhengtong.charter.editions import Charters
from fuzhengtong.charter.load import load_charters
from fuzhengtong.charter.moment import Actor, Moment
from fuzhengtong.charter.texts import Texts, load_texts
from fuzhengtong.directory import actions, queries
from fuzhengtong.kernel.calendar import Calendar
from fuzhengtong.kernel.ids import LiveMint

LEASE = timedelta(minutes=10)
# Renewed while this much is left, so that no request can outlive the lease it began under.
RENEW_BEFORE = timedelta(minutes=5)
# A process takes numbers of the day in blocks; what a stopped process leaves of a block is never used.
SMALL_BLOCK, LARGE_BLOCK = 4, 64
CALENDAR_FOR = timedelta(seconds=10)
# While the database cannot be reached or written, it is not asked again by every request.
TRY_AGAIN = timedelta(seconds=1)
NEVER = datetime(2000, 1, 1, tzinfo=UTC)


@cache
def charters() -> Charters:
    """Return all editions of the city's charter, read once; refused at the start where a file is wrong."""
    return load_charters(settings.CHARTERS)


@cache
def texts() -> Texts:
    """Return all sentences, read once."""
    return load_texts(settings.TEXTS)


class World:
    """The kept parts of one process. Threads share it."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{id(self):x}"
        self._mint: LiveMint | None = None
        self._node = -1
        self._lease_until = NEVER
        self._calendar: Calendar | None = None
        self._calendar_at = NEVER
        self._tried_at = NEVER
        self._blocks: dict[date, tuple[int, int, int]] = {}

    def moment(self, *, by: Actor) -> Moment:
        """Make the moment of one request or one turn of a loop: now, this actor, and the rules in force.

        Refuses to be called inside a transaction, which could undo the lease it takes.
        """
        at = self._now()
        self._keep(at)
        if self._mint is None or self._calendar is None:
            raise RuntimeError("the world was not prepared")
        return Moment(at=at, by=by, charters=charters(), calendar=self._calendar, mint=self._mint)

    def _now(self) -> datetime:
        # Whole milliseconds: the ledger's bytes and the database must hold the same instant.
        at = self._clock().astimezone(UTC)
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    def _keep(self, at: datetime) -> None:
        if at < self._lease_until - RENEW_BEFORE and at < self._calendar_at + CALENDAR_FOR:
            return
        with self._lock:
            if self._mint is not None and self._calendar is not None and at < self._tried_at + TRY_AGAIN:
                return
            if at >= self._lease_until - RENEW_BEFORE:
                self._lease_or_do_without(at)
            if at >= self._calendar_at + CALENDAR_FOR or self._calendar is None:
                self._refresh(at)

    def _lease_or_do_without(self, at: datetime) -> None:
        """Take or renew the lease; where nothing can be written, pages go on, and an id is refused by the mint."""
        try:
            self._lease(at)
        except (DatabaseError, InterfaceError, actions.NoNodeFree):
            self._tried_at = at
            if self._mint is None:
                self._mint = self._minting(node=0)

    def _refresh(self, at: datetime) -> None:
        """Read the calendar again; the one that is kept serves on where the database cannot be asked."""
        try:
            self._calendar = queries.calendar()
            self._calendar_at = at
        except (DatabaseError, InterfaceError):
            self._tried_at = at
            if self._calendar is None:
                raise

    def _lease(self, at: datetime) -> None:
        now_ms, for_ms = _ms(at), _ms_of(LEASE)
        if self._mint is not None:
            until_ms = actions.renew_node(node=self._node, holder=self._holder, now_ms=now_ms, for_ms=for_ms)
            if until_ms is not None:
                self._lease_until = _at(until_ms)
                return
        node, until_ms = actions.lease_node(holder=self._holder, now_ms=now_ms, for_ms=for_ms)
        self._node, self._lease_until = node, _at(until_ms)
        self._mint = self._minting(node=node)

    def _minting(self, *, node: int) -> LiveMint:
        return LiveMint(
            node=node,
            clock_ms=lambda: _ms(self._clock()),
            valid_until_ms=lambda: _ms(self._lease_until),
            serials=self._serial,
        )

    def _serial(self, day: date) -> int:
        with self._lock:
            following, end, size = self._blocks.get(day, (0, 0, 0))
            if following >= end:
                size = min(size * 2, LARGE_BLOCK) if size else SMALL_BLOCK
                following = actions.take_numbers(day=day, count=size)
                end = following + size
                self._blocks = {day: (following, end, size)}
            self._blocks[day] = (following + 1, end, size)
            return following


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _ms_of(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
