"""A small closed-loop load client for the benchmark: many connections, each sends its next request after the answer.

Knows HTTP/1.1 with Content-Length and nothing of the city. Sends to the loopback alone.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Measured:
    """What came of a load: seconds it took, milliseconds of each answer, statuses, broken connections."""

    seconds: float = 0.0
    cpu: float = 0.0
    times: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds if self.seconds else 0.0

    def share(self, percent: float) -> float:
        """Return the milliseconds within which this share of all answers came."""
        if not self.times:
            return 0.0
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def run(
    *, port: int, connections: int, seconds: float, request: Callable[[int], bytes], warm_up: float = 2.0
) -> Measured:
    """Send for so many seconds after a warm-up that does not count; `request` gives the bytes of the nth request."""
    return asyncio.run(_run(port, connections, seconds, request, warm_up))


async def _run(
    port: int, connections: int, seconds: float, request: Callable[[int], bytes], warm_up: float
) -> Measured:
    measured = Measured()
    begun = time.monotonic()
    counts_from, ends = begun + warm_up, begun + warm_up + seconds
    numbers = iter(range(1 << 62))
    cpu = time.process_time()
    workers = [_client(port, numbers, request, measured, counts_from, ends) for _ in range(connections)]
    await asyncio.gather(*workers)
    measured.seconds = seconds
    measured.cpu = (time.process_time() - cpu) / (time.monotonic() - begun)
    return measured


async def _client(port, numbers, request, measured, counts_from, ends) -> None:  # type: ignore[no-untyped-def]
    reader: Any = None
    writer: Any = None
    while (started := time.monotonic()) < ends:
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request(next(numbers)))
            await writer.drain()
            status = await _answer(reader)
        except (OSError, ValueError, asyncio.IncompleteReadError):
            measured.broken += 1
            if writer is not None:
                writer.close()
            writer = None
            await asyncio.sleep(0.05)
            continue
        if started >= counts_from:
            measured.times.append((time.monotonic() - started) * 1000)
            measured.statuses[status] += 1
    if writer is not None:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    status = int(lines[0].split(b" ", 2)[1])
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            await reader.readexactly(int(value))
            return status
    raise ValueError("an answer without a length")
