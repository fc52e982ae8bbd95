"""Let a loop stand back behind those who wait for an answer, and step forward again when a promise is at stake.

Called by the ticker and the watchdog on themselves. Where the kernel shares the processor among sessions (autogroup),
the niceness of a process counts only within its own, and every program of the city has a session of its own: there the
session's niceness is set, which may also be lowered again. Elsewhere the process stands back a little for good.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_AUTOGROUP = Path("/proc/self/autogroup")
# Where only the process can be made nice: it cannot be taken back, so it is little.
_FOR_GOOD = 5
_stands: int | None = None


def stand(by: int) -> None:
    """Stand back by so many degrees of niceness (0 to 19); 0 is beside everybody else."""
    global _stands
    if by == _stands:
        return
    if _stands is None and by:
        os.nice(_FOR_GOOD)
    _stands = by
    if os.getsid(0) != os.getpid():
        # Started by hand from a terminal: that session is not ours to slow down.
        return
    with suppress(OSError):
        _AUTOGROUP.write_text(str(by))
