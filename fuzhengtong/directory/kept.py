"""A value read from the database and kept for some seconds, by the moment's own clock.

For small tables that every request looks at and that change weekly: channels, the city itself. A change is seen
within the seconds named; nothing that decides about a case is kept so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """One kept value; threads share it."""

    def __init__(self, read: Callable[[], T], *, seconds: float) -> None:
        self._read = read
        self._for = timedelta(seconds=seconds)
        self._lock = threading.Lock()
        self._held: tuple[datetime, T] | None = None

    def at(self, instant: datetime) -> T:
        """Return the value, read again when it is older than its seconds (or newer than the moment)."""
        held = self._held
        if held is not None and timedelta() <= instant - held[0] < self._for:
            return held[1]
        with self._lock:
            self._held = (instant, self._read())
            return self._held[1]

    def forget(self) -> None:
        """Read again at the next look."""
        self._held = None
