"""Whether a request may also do the first work of its followers: only while this process is calm.

Under a burst the telling is taken and answered at once, and the ticker does the rest; so a flood of tellings slows
nobody's answer. Per process, in memory: a hint, never a promise.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime, timedelta

MOST = 5
WITHIN = timedelta(seconds=1)

_lock = threading.Lock()
_recent: deque[datetime] = deque()


def calm(at: datetime) -> bool:
    """Tell whether fewer than MOST tellings were taken by this process within the last second, and count this one."""
    with _lock:
        # A clock that was set back leaves nothing behind that would count for ever.
        while _recent and not at - WITHIN <= _recent[0] <= at:
            _recent.popleft()
        _recent.append(at)
        return len(_recent) <= MOST


def forget() -> None:
    """Begin anew, as a process that has taken nothing yet."""
    with _lock:
        _recent.clear()
