"""Measure the platform on this machine, all its processes running, and print the figures beside the bars.

Makes a city of its own in a folder that it removes again; fsync is on, as in a city at work. Prints machine and data
size with every figure: a speed without them says nothing.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from fuzhengtong.jobs import load

CONNECTIONS = 8
TEXTS = (
    "海州区和平街道益民社区的路灯不亮了",
    "和平街道光明社区下水道堵了，污水冒到楼道里，老人孩子都不敢下楼",
    "彰武县冯家镇得力村村口的垃圾好几天没人清，味道很大，请来看看",
    "细河区玉新街道的小区暖气不热，屋里只有十四度，孩子都感冒了，供热公司说阀门坏了要等几天",
    "我想问一下老年证在哪儿办，要带什么材料",
)


Joined = Callable[[Path], AbstractContextManager[dict[str, str]]]


def main(*, seconds: int, json_line: bool, joined: Joined) -> int:
    """Run every measure and print it; the exit status says only whether the measures could be taken.

    `joined` leads to the database of a running home: the environment under which it is reached.
    """
    figures: dict[str, Any] = {"machine": machine()}
    with _server() as (port, home):
        figures["intake"] = intake(port, seconds)
        figures["dispatch"] = drained(home, joined, seconds_allowed=120)
        figures["bulk"] = bulk(home, joined)
        figures["steps"] = steps_of(home, joined)
        figures["data"] = sizes(home, joined)
    _show(figures)
    if json_line:
        print(json.dumps(figures, ensure_ascii=False))
    return 0


def machine() -> dict[str, Any]:
    """Say what this machine is."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "model": model,
        "memory_gib": round(memory, 1),
        "python": platform.python_version(),
    }


def intake(port: int, seconds: int) -> dict[str, Any]:
    """Measure intake over HTTP with all that it writes; 8 connections, each waits for its answer."""
    found = load.run(port=port, connections=CONNECTIONS, seconds=seconds, request=_request(port))
    taken = found.statuses[201]
    return {
        "seconds": seconds,
        "connections": CONNECTIONS,
        "per_s": round(taken / seconds, 1),
        "p50_ms": round(found.share(50), 1),
        "p95_ms": round(found.share(95), 1),
        "p99_ms": round(found.share(99), 1),
        "statuses": dict(found.statuses),
        "broken": found.broken,
        "client_cpu": round(found.cpu, 2),
        "bar": ">= 300/s, p99 < 100 ms",
    }


def _request(port: int) -> Callable[[int], bytes]:
    run = uuid.uuid4().hex[:8]

    def request(number: int) -> bytes:
        body = json.dumps(
            {
                "channel": "h5",
                "text": TEXTS[number % len(TEXTS)],
                "reporter": {"name": "示例", "phone": f"139{number % 100_000_000:08d}"},
                "consent": "privacy-1",
            },
            ensure_ascii=False,
        ).encode()
        head = (
            f"POST /api/v1/appeals HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {run}-{number}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    return request


def drained(home: Path, joined: Joined, *, seconds_allowed: float) -> dict[str, Any]:
    """Wait until every telling is assigned or at the desk; say how long that took after the load ended."""
    began = time.monotonic()
    waiting = first = _one(home, joined, "SELECT count(*) FROM cases_follow WHERE follower = 'dispatch'")
    while waiting and time.monotonic() - began < seconds_allowed:
        time.sleep(0.25)
        waiting = _one(home, joined, "SELECT count(*) FROM cases_follow WHERE follower = 'dispatch'")
    late = _one(
        home,
        joined,
        "SELECT count(*) FROM cases_duty WHERE kind = 'dispatch' AND met_at > due_at",
    )
    return {
        "waiting_at_the_end": first,
        "drained_after_s": round(time.monotonic() - began, 1),
        "left": waiting,
        "over_two_minutes": late,
        "bar": "drained within 120 s",
    }


def bulk(home: Path, joined: Joined, rows: int = 2000) -> dict[str, Any]:
    """Measure the import of a file of tellings, from reading it to the last one dispatched."""
    file = home / "bulk.jsonl"
    told = ({"id": f"bulk-{n}", "text": TEXTS[n % len(TEXTS)], "phone": f"139{n:08d}"} for n in range(rows))
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in told), encoding="utf-8")
    with joined(home) as environ:
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "fuzhengtong", "import-appeals", str(file), "--json"],
            env=environ, capture_output=True, text=True, check=True,
        )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    file.unlink()
    return {"rows": found["taken"], "seconds": found["seconds"], "per_s": found["per_s"], "bar": ">= 100/s"}


_STEPS = """
import os, sys, time, json
import django; django.setup()
from fuzhengtong.jobs.bench import measure_steps
print(json.dumps(measure_steps()))
"""


def steps_of(home: Path, joined: Joined) -> dict[str, Any]:
    """Measure one `take()` in a process of its own: application CPU and round trips."""
    with joined(home) as environ:
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", _STEPS], env=environ, capture_output=True, text=True, check=True
        )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure_steps(times: int = 200) -> dict[str, Any]:
    """Take a reversible-looking step (a supplement by the teller) many times and count what it costs."""
    from datetime import UTC, datetime

    import psycopg
    from django.db import connection

    from fuzhengtong.cases import actions, queries, steps
    from fuzhengtong.charter.moment import SYSTEM, Actor
    from fuzhengtong.directory import world

    kept = world.World(clock=lambda: datetime.now(UTC))
    rows = queries.some_open(limit=times)
    trips = 0
    counted = psycopg.Cursor.execute

    def counting(self: Any, *arguments: Any, **named: Any) -> Any:
        nonlocal trips
        trips += 1
        return counted(self, *arguments, **named)

    def step(case_id: int, appeal_id: int) -> None:
        moment = kept.moment(by=SYSTEM).acting(Actor(kind="resident", appeal_id=appeal_id))
        actions.take(
            case_id=case_id, step=steps.SUPPLEMENT, moment=moment, texts={"note": "又想起来一点"}, appeal_id=appeal_id
        )

    for case_id, appeal_id in rows[:20]:
        step(case_id, appeal_id)
    connection.ensure_connection()
    psycopg.Cursor.execute = counting  # type: ignore[method-assign]
    cpu, wall = time.process_time(), time.perf_counter()
    for case_id, appeal_id in rows:
        step(case_id, appeal_id)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    psycopg.Cursor.execute = counted  # type: ignore[method-assign]
    return {
        "taken": len(rows),
        "app_cpu_ms": round(cpu / len(rows) * 1000, 2),
        "wall_ms": round(wall / len(rows) * 1000, 2),
        # BEGIN and COMMIT are round trips of the driver beside the statements counted here.
        "round_trips": round(trips / len(rows) + 2, 1),
        "bar": "<= 1.5 ms, <= 6 round trips",
    }


def sizes(home: Path, joined: Joined) -> dict[str, Any]:
    """Say how much the city held."""
    names = ("cases_case", "cases_entry", "cases_duty", "cases_passage")
    found = {name: _one(home, joined, f"SELECT count(*) FROM {name}") for name in names}
    found["database_mb"] = round(_one(home, joined, "SELECT pg_database_size(current_database())") / 2**20)
    found["postgresql"] = _one(home, joined, "SHOW server_version")
    return found


# --- a city of its own -------------------------------------------------------------------------------------------


@contextmanager
def _server() -> Iterator[tuple[int, Path]]:
    """Run the whole program on a fresh home and a free port, and leave nothing behind."""
    home = Path(tempfile.mkdtemp(prefix="fuzhengtong-bench-"))
    home.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "FUZHENGTONG_TESTING")}
    environ |= {"FUZHENGTONG_HOME": str(home / "home"), "FUZHENGTONG_RATE_LIMITS": "off"}
    server = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "fuzhengtong", "serve", "--demo", "--port", str(port)],
        env=environ,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(port, server)
        yield port, home / "home"
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
        shutil.rmtree(home, ignore_errors=True)


def _wait_for(port: int, server: subprocess.Popen[bytes], seconds: float = 120) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if server.poll() is not None:
            raise SystemExit("the server did not start")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health", timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the server did not answer")


def _one(home: Path, joined: Joined, query: str) -> Any:
    import psycopg

    with joined(home) as environ, psycopg.connect(environ["DATABASE_URL"]) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


def _show(figures: dict[str, Any]) -> None:
    for part, held in figures.items():
        print(f"{part}:")
        for name, value in held.items():
            print(f"  {name}: {value}")
