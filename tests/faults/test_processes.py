"""The process group of `serve` under faults: its programs, its database and itself are killed, and nothing is left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fuzhengtong.config.embedded import Cluster

REPOSITORY = Path(__file__).resolve().parents[2]
TESTING = {"FUZHENGTONG_TESTING": "1"}

SERVE = """
import json, pathlib, sys
from fuzhengtong.config.embedded import Cluster
from fuzhengtong.config.processes import Group, Program
told = json.loads(sys.argv[1])
cluster = Cluster(pathlib.Path(told["home"]), supervise=True) if told["home"] else None
if cluster:
    cluster.start()
programs = [Program(name, tuple(argv)) for name, argv in told["programs"].items()]
sys.exit(Group(programs, cluster=cluster, grace=1.0).run())
"""

Serve = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="fz-test-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def serve(folder: Path) -> Iterator[Serve]:
    """Give a starter of a group of scripts or programs, in a process of its own that is ended afterwards."""
    started: list[subprocess.Popen[str]] = []

    def a_group(programs: dict[str, str], *, home: Path | None = None) -> subprocess.Popen[str]:
        argv = {name: [words] if words.startswith("/") else ["sh", "-c", words] for name, words in programs.items()}
        told = json.dumps({"programs": argv, "home": str(home or "")})
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, told],
            env={**os.environ, **TESTING, "PYTHONPATH": os.pathsep.join(sys.path)},
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield a_group
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=20)


def living(name: str) -> str:
    """Write a script that notes its process number and stays."""
    return f"echo $$ >> {name}; exec sleep 600"


def orderly(name: str) -> str:
    """Write a script that notes when it was asked to stop."""
    return f"trap 'echo {name} >> order; exit 0' TERM; echo $$ >> {name}; while :; do sleep 0.05; done"


def numbers(folder: Path, name: str) -> list[int]:
    path = folder / name
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(true: Callable[[], bool], seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def test_a_killed_program_is_started_again_and_the_others_stay(serve: Serve, folder: Path) -> None:
    serve({"web": living("web"), "tick": living("tick")})
    assert wait_until(lambda: bool(numbers(folder, "web") and numbers(folder, "tick")))
    os.kill(numbers(folder, "web")[0], signal.SIGKILL)

    assert wait_until(lambda: len(numbers(folder, "web")) == 2)

    assert alive(numbers(folder, "web")[1])
    assert [alive(pid) for pid in numbers(folder, "tick")] == [True]


def test_the_workers_of_a_killed_program_do_not_outlive_it(serve: Serve, folder: Path) -> None:
    serve({"web": "sleep 600 & echo $! >> worker; echo $$ >> web; wait"})
    assert wait_until(lambda: bool(numbers(folder, "web")))
    os.kill(numbers(folder, "web")[0], signal.SIGKILL)

    assert wait_until(lambda: not alive(numbers(folder, "worker")[0]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_the_programs_end_in_their_order(serve: Serve, folder: Path, number: signal.Signals) -> None:
    names = ("web", "tick", "watchdog")
    group = serve({name: orderly(name) for name in names})
    assert wait_until(lambda: all(numbers(folder, name) for name in names))

    group.send_signal(number)

    assert group.wait(10) == 0
    assert (folder / "order").read_text().split() == list(names)


def test_a_program_that_does_not_stop_is_killed_and_bars_no_other(serve: Serve, folder: Path) -> None:
    stubborn = "trap '' TERM; echo $$ >> web; while :; do sleep 0.05; done"
    group = serve({"web": stubborn, "tick": orderly("tick")})
    assert wait_until(lambda: bool(numbers(folder, "web") and numbers(folder, "tick")))

    group.terminate()

    assert group.wait(10) == 0
    assert not alive(numbers(folder, "web")[0])
    assert (folder / "order").read_text().split() == ["tick"]


@pytest.mark.parametrize("script", ["exit 3", "/nonexistent/program"])
def test_a_program_that_never_starts_ends_the_group_with_a_sentence(serve: Serve, folder: Path, script: str) -> None:
    group = serve({"tick": living("tick"), "web": script})

    told = group.communicate(timeout=15)[1]

    assert group.returncode == 1
    assert "web does not start" in told
    assert not alive(numbers(folder, "tick")[0])


def test_when_the_group_is_killed_its_programs_and_its_database_end_and_the_next_one_starts(
    serve: Serve, folder: Path
) -> None:
    home = folder / "home"
    group = serve({"web": living("web"), "tick": living("tick")}, home=home)
    assert wait_until(lambda: bool(numbers(folder, "web") and numbers(folder, "tick")))

    group.kill()

    assert wait_until(lambda: not any(alive(pid) for name in ("web", "tick") for pid in numbers(folder, name)))
    assert wait_until(lambda: not Cluster(home, environ=TESTING).status().running)
    serve({"web": living("web")}, home=home)
    assert wait_until(lambda: len(numbers(folder, "web")) == 2)
    assert Cluster(home, environ=TESTING).answers()


def test_a_killed_database_is_started_again_under_the_group_and_stopped_last(serve: Serve, folder: Path) -> None:
    home = folder / "home"
    looking = Cluster(home, environ=TESTING)
    group = serve({"web": living("web")}, home=home)
    assert wait_until(lambda: bool(numbers(folder, "web")))
    before = looking.status()
    assert before.pid
    os.kill(before.pid, signal.SIGKILL)

    assert wait_until(lambda: looking.answers() and looking.status().pid != before.pid)

    assert looking.status().sockets == before.sockets
    group.terminate()
    assert group.wait(10) == 0
    assert not looking.status().running
