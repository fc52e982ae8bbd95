"""The whole program under kill -9: processes die one by one and all together while people tell; nothing told is lost.

A real `serve` on a home of its own, with fsync on. Clients remember what was acknowledged to them, and ask again for
everything else under the same key. Processes are ended by their number alone.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fuzhengtong.config.embedded import Cluster

ROOT = Path(__file__).resolve().parents[2]
LONG = os.environ.get("FUZHENGTONG_LONG") == "1"
WORKERS_KILLED = 40 if LONG else 3
CONNECTIONS = 6
TEXTS = (
    "海州区和平街道益民社区的路灯不亮了，第 {} 盏",
    "和平街道光明社区下水道堵了，污水冒到楼道里，第 {} 处",
    "新邱村的自来水这两天发黄，第 {} 户",
    "我想问一下老年证在哪儿办，第 {} 次",
)


# --- the city ----------------------------------------------------------------------------------------------------


@dataclass
class Served:
    """One `serve` after the other on the same home."""

    home: Path
    port: int
    log: Path
    environ: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it, and return after how many seconds it is well."""
        began = time.monotonic()
        argv = [sys.executable, "-m", "fuzhengtong", "serve", "--demo", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                argv, env=self.environ, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        assert wait_until(self.is_well, 120), self.log.read_text()[-3000:]
        return time.monotonic() - began

    def is_well(self) -> bool:
        assert self.process is not None and self.process.poll() is None, self.log.read_text()[-3000:]
        try:
            return ask(self.port, "GET", "/api/v1/health")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def web(self) -> list[int]:
        return [pid for pid in children(self.pid) if "granian" in words(pid)]

    def workers(self) -> list[int]:
        return [pid for parent in self.web() for pid in children(parent) if "resource_tracker" not in words(pid)]

    def program(self, name: str) -> list[int]:
        return [pid for pid in children(self.pid) if words(pid).endswith(f"fuzhengtong\0{name}")]

    def postmaster(self) -> int:
        return int((self.home / "cluster" / "data" / "postmaster.pid").read_text().split("\n", 1)[0])

    def everything(self) -> list[int]:
        found, waiting = [self.pid], [self.pid]
        while waiting:
            below = children(waiting.pop())
            found += below
            waiting += below
        return found

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "fuzhengtong", *argv],
            env=self.environ, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip


def children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0")
    except OSError:
        return ""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill(*pids: int) -> None:
    for pid in filter(None, pids):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < ends:
        time.sleep(0.05)
    return found


@pytest.fixture
def served() -> Iterator[Served]:
    folder = Path(tempfile.mkdtemp(prefix="fz-kill-", dir="/tmp"))
    folder.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    left = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_JOBS_URL", "FUZHENGTONG_TESTING", "FUZHENGTONG_STORE")
    environ = {name: value for name, value in os.environ.items() if name not in left}
    environ |= {"FUZHENGTONG_HOME": str(folder / "home"), "FUZHENGTONG_RATE_LIMITS": "off"}
    city = Served(folder / "home", port, folder / "serve.log", environ)
    try:
        yield city
    finally:
        if city.process is not None and city.process.poll() is None:
            city.process.terminate()
            try:
                city.process.wait(40)
            except subprocess.TimeoutExpired:
                kill(*city.everything())
        looking = Cluster(city.home, environ=environ)
        assert wait_until(lambda: not looking.status().running, 30)
        shutil.rmtree(folder, ignore_errors=True)


# --- the people --------------------------------------------------------------------------------------------------


def ask(port: int, method: str, path: str, body: bytes | None = None, headers: Any = None) -> tuple[int, bytes, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=8)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


@dataclass
class People:
    """Tell and tell; keep what was acknowledged, and what is not known to have arrived."""

    port: int
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    wrong: list[tuple[int, bytes]] = field(default_factory=list)
    told_to_wait: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self) -> None:
        self._threads = [threading.Thread(target=self._pour, args=(place,)) for place in range(CONNECTIONS)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _pour(self, place: int) -> None:
        number = place
        while not self._stop.is_set():
            key = f"kill-{number}"
            answer = self.tell(key, number)
            if answer is None:
                with self._lock:
                    self.unknown[key] = number
                time.sleep(0.05)
            number += CONNECTIONS
            time.sleep(0.02)

    def tell(self, key: str, number: int) -> dict[str, Any] | None:
        body = {
            "channel": "h5",
            "text": TEXTS[number % len(TEXTS)].format(number),
            "reporter": {"name": "示例", "phone": f"138{number % 10**8:08d}"},
        }
        data = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        try:
            status, said, told = ask(self.port, "POST", "/api/v1/appeals", data, headers)
        except (OSError, http.client.HTTPException):
            return None
        with self._lock:
            if status == 201:
                answer = dict(json.loads(said))
                self.acknowledged.setdefault(key, answer)
                return answer
            if status in (409, 503) and told["Retry-After"]:
                self.told_to_wait += 1
            else:
                self.wrong.append((status, said[:300]))
        return None

    def flows_again(self, seconds: float = 30) -> float:
        """Wait until tellings are acknowledged again; return after how long."""
        began, before = time.monotonic(), len(self.acknowledged)
        assert wait_until(lambda: len(self.acknowledged) >= before + CONNECTIONS, seconds)
        return time.monotonic() - began


def busy() -> float:
    """Tell how many times slower than alone a program runs here: the bars are for a machine that has no other work."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def one_and_the_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return {**one, "repeated": None} == {**other, "repeated": None}


# --- what happens to them ----------------------------------------------------------------------------------------


def test_whatever_is_killed_under_them_nothing_that_was_acknowledged_is_lost_or_doubled(
    served: Served, tmp_path: Path
) -> None:
    chance = random.Random(20221001)
    served.start()
    people = People(served.port)
    people.begin()
    try:
        people.flows_again()
        for _ in range(WORKERS_KILLED):
            time.sleep(chance.uniform(0.1, 0.5))
            # After several in a row the web server gives up, and the supervisor starts a new one.
            assert wait_until(lambda: bool(served.workers()), 10 * busy())
            kill(chance.choice(served.workers() or [0]))
            people.flows_again()
        for victims in (served.web, lambda: served.program("tick"), lambda: [served.postmaster()]):
            time.sleep(chance.uniform(0.1, 0.5))
            assert wait_until(lambda victims=victims: bool(victims()), 10 * busy())
            kill(*victims())
            assert people.flows_again() < 10 * busy()
        time.sleep(0.3)
        kill(*served.everything(), served.postmaster())
        people_before = len(people.acknowledged)
        time.sleep(0.5)
    finally:
        people.end()

    back = served.start()

    assert back < 10 * busy(), f"back after {back:.1f} s"
    assert people.wrong == []
    assert people.unknown and people_before > 50

    first = {key: people.tell(key, number) for key, number in people.unknown.items()}
    again = {key: people.tell(key, number) for key, number in people.unknown.items()}
    assert all(answer is not None for answer in first.values())
    assert all(one_and_the_same(first[key] or {}, again[key] or {}) for key in first)
    for key in chance.sample(sorted(people.acknowledged), 20):
        assert one_and_the_same(people.tell(key, int(key.split("-")[1])) or {}, people.acknowledged[key])
    told = {answer["number"] for answer in people.acknowledged.values()}
    assert len(told) == len(people.acknowledged)

    dsns = Cluster(served.home, environ=served.environ)
    with dsns as ways, psycopg.connect(ways.app_url, autocommit=True) as connection:

        def one(sql: str) -> Any:
            row = connection.execute(sql.encode()).fetchone()
            return row[0] if row else None

        assert wait_until(lambda: one("SELECT count(*) FROM cases_follow WHERE follower = 'dispatch'") == 0, 40)
        assert one("SELECT count(*) FROM cases_follow WHERE set_aside_at IS NOT NULL") == 0
        assert one("SELECT count(*) FROM accounts_once WHERE key LIKE 'kill-%'") == len(people.acknowledged)
        assert (
            one("SELECT count(*) FROM cases_duty WHERE kind = 'dispatch' AND met_at IS NULL AND voided_at IS NULL") == 0
        )
        assert one("SHOW fsync") == "on"

    acknowledged = tmp_path / "acknowledged"
    acknowledged.write_text(
        "".join(
            json.dumps({"number": answer["number"], "key": key}) + "\n" for key, answer in people.acknowledged.items()
        )
    )
    verified = served.run("verify", "--acknowledged", str(acknowledged), "--json")
    report = json.loads(verified.stdout.splitlines()[-1])
    assert verified.returncode == 0, verified.stdout[-3000:] + verified.stderr[-3000:]
    assert report["ok"] and report["counted"]["acknowledged"] == len(people.acknowledged)
    # The watchdog rang rightly while it had no database; its next pass takes that back.
    said = ""

    def is_sound() -> bool:
        nonlocal said
        examined = served.run("doctor", "--json")
        said = examined.stdout + examined.stderr
        return examined.returncode == 0

    assert wait_until(is_sound, 90), said

    pids = served.everything()
    assert served.process is not None
    served.process.terminate()
    assert served.process.wait(20) == 0
    assert wait_until(lambda: not any(alive(pid) for pid in pids), 5)
