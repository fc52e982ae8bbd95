"""The command line with what cannot be read or reached: a sentence that names it, exit 2, JSON where asked, no trace."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError

from fuzhengtong.config import cli, refusals
from fuzhengtong.config.embedded import Cluster

ROOT = Path(__file__).resolve().parents[2]
TESTING = {"FUZHENGTONG_TESTING": "1"}
KEY = "00" * 32
# Nobody listens at port 1 of this machine.
AWAY = "postgresql://shili:a-secret-9901@127.0.0.1:1/nothing"


def run(home: Path, *words: str, **environ: str) -> tuple[int, dict[str, Any], str]:
    """Run a command by itself: its status, its last line as JSON, and all that it said."""
    left = {name: value for name, value in os.environ.items() if not name.startswith(("FUZHENGTONG_", "DATABASE_"))}
    left.pop("PORT", None)
    done = subprocess.run(
        [sys.executable, "-m", "fuzhengtong", *words, "--json"],
        env=left | TESTING | {"FUZHENGTONG_HOME": str(home), "PYTHONPATH": str(ROOT)} | environ,
        cwd=home.parent, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, start_new_session=True,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stdout + done.stderr


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on and would share, as another city's web server does."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FUZHENGTONG_HTTPS", "perhaps"),
        ("FUZHENGTONG_RATE_LIMITS", "2"),
        ("FUZHENGTONG_POOL_SIZE", "²"),
        ("FUZHENGTONG_TEXTS", "/nonexistent"),
        ("FUZHENGTONG_CHARTERS", "/nonexistent"),
        ("FUZHENGTONG_KEYS", "{"),
        ("FUZHENGTONG_KEYS", "[1]"),
        ("FUZHENGTONG_KEYS", json.dumps({"keys": {"1": "not hex"}, "current": 1, "index_key": KEY})),
        ("FUZHENGTONG_KEYS", json.dumps({"keys": {"1": KEY}, "current": 2, "index_key": KEY})),
        ("FUZHENGTONG_KEYS", json.dumps({"keys": {"1": KEY[2:]}, "current": 1, "index_key": KEY})),
        ("DATABASE_URL", "mysql://shili:a-secret-9901@localhost/city"),
        ("DATABASE_URL", "postgresql://shili:a-secret-9901@localhost:99999/city"),
        ("DATABASE_URL", "postgresql://shili:a-secret-9901@localhost:x/city"),
        ("DATABASE_URL", "postgresql://shili:a-secret-9901@localhost"),
    ],
)
def test_a_setting_that_cannot_be_read_stops_the_program_with_its_name(home: Path, name: str, value: str) -> None:
    status, told, said = run(home, "docs", "--check", **{name: value})

    assert (status, told["ok"], told["code"]) == (2, False, "setting_refused")
    assert all(name in line for line in told["said"].splitlines())
    assert len(told["said"].splitlines()) == 2
    assert "a-secret-9901" not in said and KEY[2:] not in said


def test_a_wrong_address_of_the_long_work_is_named_as_such(home: Path) -> None:
    told = run(home, "verify", DATABASE_URL=AWAY, DATABASE_JOBS_URL="mysql://x/y")[1]

    assert "DATABASE_JOBS_URL" in told["said"]


def test_a_database_that_is_away_is_said_without_its_password(home: Path) -> None:
    status, told, said = run(home, "verify", DATABASE_URL=AWAY)

    assert (status, told["code"]) == (2, "database_away")
    assert "DATABASE_URL" in told["said"] and "a-secret-9901" not in said


def test_without_a_terminal_the_password_is_asked_for_by_its_variable(home: Path) -> None:
    status, told, _ = run(home, "createadmin", "shili", "--name", "示例")

    assert (status, told["code"]) == (2, "setting_refused")
    assert "FUZHENGTONG_PASSWORD" in told["said"]


@pytest.mark.parametrize("command", ["serve", "web"])
@pytest.mark.parametrize(("name", "value"), [("PORT", "abc"), ("FUZHENGTONG_STORE", "/proc/store")])
def test_nothing_is_started_with_a_wrong_port_or_store(home: Path, command: str, name: str, value: str) -> None:
    status, told, _ = run(home, command, **{name: value})

    assert (status, told["code"]) == (2, "setting_refused")
    assert name in told["said"]
    assert not (home / "cluster").exists()


@pytest.mark.parametrize("command", ["serve", "web"])
def test_a_second_city_on_a_port_is_refused_before_anything_is_announced(home: Path, taken: int, command: str) -> None:
    status, told, said = run(home, command, "--port", str(taken))

    assert (status, told["code"]) == (2, "port_taken")
    assert str(taken) in told["said"] and "--port" in told["said"]
    assert f"http://127.0.0.1:{taken}" not in said
    assert not Cluster(home, environ=TESTING).status().running


def test_an_argument_that_is_not_understood_is_told_as_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", "--deeper", "--json"]) == 2

    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["code"]) == (False, "not_understood")
    assert "--deeper" in told["said"]


def test_documents_that_are_looked_at_are_told_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["docs", "--check", "--json"]) == 0

    assert json.loads(capsys.readouterr().out) == {"ok": True, "stale": []}


# --- what is a person's to mend, and what is a bug ---------------------------------------------------------------


@pytest.mark.parametrize("word", ["./list.txt", "--acknowledged=list.txt"])
def test_a_file_that_was_named_and_is_not_there_is_said(word: str) -> None:
    missing = FileNotFoundError(2, "No such file or directory", "list.txt")

    told = refusals.told(missing, ["verify", word])

    assert told is not None
    assert told.code == "file_unreadable" and "list.txt" in told.said


def test_a_file_that_nobody_named_is_a_bug() -> None:
    assert refusals.told(FileNotFoundError(2, "No such file or directory", "ours.toml"), ["verify"]) is None


def test_a_statement_that_fails_is_a_bug_and_not_an_absent_database() -> None:
    slow = OperationalError("canceling statement due to statement timeout")
    slow.__cause__ = psycopg.errors.QueryCanceled("canceling statement due to statement timeout")

    assert refusals.told(slow, ["verify"]) is None
    assert refusals.told(KeyError("x"), ["verify"]) is None
    assert refusals.told(SystemExit(0), ["verify"]) is None
