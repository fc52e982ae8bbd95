"""The runbook of the city's keys, command by command: after it the city is whole, and the old key opens nothing."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, connections

from fuzhengtong.cases.states import State
from fuzhengtong.charter.moment import Moment
from fuzhengtong.connectors.store import Folder
from fuzhengtong.kernel import crypto
from tests.builders import City, Told, tell
from tests.cluster import Databases
from tests.repo import sources

PAGE = sources.DOCS / "runbooks" / "rotate-keys.md"
RESTART = "systemctl restart fuzhengtong"


def commands() -> list[str]:
    """Return the lines that the runbook tells to type, in its order; its blocks stand inside of numbered steps."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


@pytest.fixture
def told(own_database: str, city: City, moment: Moment, tmp_path: Path) -> Told:
    return tell(city, moment, key="one", store=Folder(tmp_path / "store")).walk_to(State.WORKING)


class Machine:
    """A machine on which the runbook is worked: a home with the keys of the tests, and the test's own database."""

    def __init__(self, folder: Path, databases: Databases, name: str) -> None:
        self.home, self.medium = folder / "srv", folder / "medium"
        for path in (self.home / "secrets", self.medium):
            path.mkdir(parents=True, mode=0o700)
        shutil.copy(settings.HOME.secrets / "keys.json", self.home / "secrets" / "keys.json")
        self.environ = {
            **os.environ,
            "FUZHENGTONG_HOME": str(self.home),
            "DATABASE_URL": databases.app_url(name),
            "DATABASE_JOBS_URL": "",
        }

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        words = shlex.split(line.removeprefix("sudo "))
        words = [word.replace("/srv/fuzhengtong", str(self.home)) for word in words]
        words = [word.replace("/media/keys-of-the-city", str(self.medium)) for word in words]
        if words[0] == ".venv/bin/fuzhengtong":
            words = [sys.executable, "-m", "fuzhengtong", *words[1:]]
        return subprocess.run(words, env=self.environ, cwd=sources.ROOT, capture_output=True, text=True, timeout=120)

    def keys(self, name: str = "") -> dict[str, object]:
        path = self.medium / name if name else self.home / "secrets" / "keys.json"
        return dict(json.loads(path.read_text()))


def test_the_runbook_changes_the_key_and_loses_nothing(
    told: Told, databases: Databases, own_database: str, tmp_path: Path
) -> None:
    connections.close_all()
    machine = Machine(tmp_path, databases, own_database)
    before = machine.keys()
    said: dict[str, str] = {}

    for line in commands():
        if RESTART in line:
            continue
        done = machine.run(line)
        said[line] = done.stdout + done.stderr
        # A city of the tests does without fsync, and its doctor says so; everything else must be done.
        assert done.returncode == 0 or line.endswith("doctor"), (line, said[line])

    after = machine.keys()
    assert re.search(r"left: 0\nbroken: 0", said[".venv/bin/fuzhengtong rewrap"])
    assert "all that was checked holds" in said[".venv/bin/fuzhengtong verify --deep"]
    assert list(after["keys"]) == ["2"] and after["current"] == 2
    assert after["index_key"] == before["index_key"]
    assert machine.keys("keys-before.json") == before and machine.keys("keys.json") == after
    assert set(machine.keys("keys-both.json")["keys"]) == {"1", "2"}
    assert "Everything is wrapped with key 2" in machine.run(".venv/bin/fuzhengtong doctor").stdout
    assert machine.run(".venv/bin/fuzhengtong verify --deep").returncode == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT number, data_key FROM cases_case")
        number, wrapped = cursor.fetchone()
    old = crypto.Keyring(keys={1: bytes.fromhex(before["keys"]["1"])}, current=1, index_key=bytes(32))
    with pytest.raises(crypto.NotOpened):
        crypto.unwrap(keyring=old, wrapped=bytes(wrapped), aad=number.encode())


def test_each_refusal_of_the_way_is_a_sentence_and_changes_nothing(
    told: Told, databases: Databases, own_database: str, tmp_path: Path
) -> None:
    connections.close_all()
    machine = Machine(tmp_path, databases, own_database)
    fuzhengtong = ".venv/bin/fuzhengtong rewrap"

    in_force = machine.run(f"{fuzhengtong} --drop-key 1")
    machine.run(f"{fuzhengtong} --new-key")
    needed = machine.run(f"{fuzhengtong} --drop-key 1")
    connection.ensure_connection()
    not_started_again = machine.run(fuzhengtong)
    connections.close_all()
    both = machine.run(f"{fuzhengtong} --new-key --drop-key 1")

    assert [done.returncode for done in (in_force, needed, not_started_again, both)] == [2, 2, 2, 2]
    assert "正在使用" in in_force.stderr and "is the one in use" in in_force.stderr
    assert "项用 1 号密钥包着" in needed.stderr
    assert "请先重启所有程序" in not_started_again.stderr
    assert set(machine.keys()["keys"]) == {"1", "2"}


def test_the_programs_are_started_again_wherever_the_keys_have_changed() -> None:
    lines = commands()

    changed = [place for place, line in enumerate(lines) if "--new-key" in line or "--drop-key" in line]
    assert len(changed) == 2
    assert all(any(RESTART in line for line in lines[place : place + 3]) for place in changed)
