"""A second city is founded by the commands of docs/how-to/found-a-city.md, in their order, and takes tellings."""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.chain import followers
from fuzhengtong.charter.load import load_charters
from fuzhengtong.charter.moment import SYSTEM, Actor, Moment
from fuzhengtong.connectors.store import Folder
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory import world
from fuzhengtong.dispatch import queries as dispatch_queries
from fuzhengtong.intake import actions as intake_actions
from fuzhengtong.intake import queries as intake_queries
from tests.builders import submission
from tests.cluster import Databases, with_name
from tests.conftest import point_to
from tests.repo import sources

PAGE = sources.DOCS / "how-to" / "found-a-city.md"
PASSWORD = "three-apart-9901"
LAMP = "松风街道望湖社区门口的路灯不亮了"


@dataclass(frozen=True)
class Ran:
    """One command of the page, as it went."""

    line: str
    status: int
    out: str
    err: str


@dataclass
class Second:
    """The second city: its folder, its database, and what each command of the page said."""

    folder: Path
    app_url: str
    environ: dict[str, str]
    port: int
    ran: list[Ran] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)

    def run(self, line: str) -> Ran:
        """Run one command in a shell, with the variables that the page has set before it."""
        script = "\n".join(["set -euo pipefail", *self.exports, line])
        done = subprocess.run(
            ["bash", "-c", script], env=self.environ, cwd=self.folder, capture_output=True, text=True, timeout=120
        )
        return Ran(line, done.returncode, done.stdout, done.stderr)

    def serve(self, line: str) -> subprocess.Popen[bytes]:
        script = "\n".join([*self.exports, f"exec {line}"])
        with (self.folder / "serve.log").open("wb") as log:
            process = subprocess.Popen(
                ["bash", "-c", script], env=self.environ, cwd=self.folder, stdout=log, stderr=log
            )
        assert wait_until(lambda: process.poll() is not None or self.is_well(), 60), self.log()
        assert process.poll() is None, self.log()
        return process

    def is_well(self) -> bool:
        asked = http.client.HTTPConnection("localhost", self.port, timeout=5)
        try:
            asked.request("GET", "/api/v1/health")
            return asked.getresponse().status == 200
        except OSError:
            return False
        finally:
            asked.close()

    def log(self) -> str:
        return (self.folder / "serve.log").read_text()[-3000:]

    def said(self, words: str) -> list[Ran]:
        """Return the commands of the page that have these words, in their order."""
        return [one for one in self.ran if words in one.line]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.app_url) as own:
            return own.execute(sql.encode()).fetchall()

    @property
    def charters(self) -> Path:
        return self.folder / "my-city" / "charters"


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < ends:
        time.sleep(0.1)
    return found


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("localhost", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def empty(databases: Databases) -> Iterator[str]:
    """A database with nothing in it; its name."""
    name = f"fz_s_{os.getpid()}_{secrets.token_hex(3)}"
    with databases._admin() as connection:
        databases._create(connection, name)
    yield name
    databases.drop(name)


@pytest.fixture(scope="module")
def second(databases: Databases, empty: str) -> Iterator[Second]:
    """The page, walked from its first command to its last."""
    if not shutil.which("curl"):
        pytest.skip("the page tells something with curl, which is not here")
    folder = Path(tempfile.mkdtemp(prefix="fz-second-", dir="/tmp"))
    for name in (".venv", "charters", "docs"):
        (folder / name).symlink_to(sources.ROOT / name)
    left = ("FUZHENGTONG_", "DATABASE_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(left)} | {
        "DATABASE_URL": databases.app_url(empty),
        "DATABASE_JOBS_URL": with_name(databases.dsns.jobs_url, empty),
        "DATABASE_OWNER_URL": databases.owner_url(empty),
        "FUZHENGTONG_TESTING": "1",
        "FUZHENGTONG_PASSWORD": PASSWORD,
        "PORT": str(free_port()),
    }
    city = Second(folder, databases.app_url(empty), environ, int(environ["PORT"]))
    served = None
    try:
        for line in sources.commands(PAGE):
            if line.startswith("export "):
                city.exports.append(line)
            elif line.endswith(" serve"):
                served = city.serve(line)
            else:
                city.ran.append(city.run(line.replace("localhost:8000", f"localhost:{city.port}")))
        yield city
    finally:
        if served is not None:
            served.send_signal(signal.SIGTERM)
            served.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def inside(second: Second, databases: Databases, worker_database: str) -> Iterator[Moment]:
    """Django led to the second city, and a moment under its charter."""
    point_to(second.app_url)
    forget()
    made = world.World(clock=lambda: datetime.now(UTC)).moment(by=SYSTEM)
    yield replace(made, charters=load_charters(second.charters))
    point_to(databases.app_url(worker_database))
    forget()


def forget() -> None:
    """Drop what this process keeps of the city it was led to before."""
    directory_queries.city_kept.forget()
    intake_queries.lanes_kept.forget()
    dispatch_queries._sight = None


# --- the page ----------------------------------------------------------------------------------------------------


def test_every_command_of_the_page_does_what_it_is_told(second: Second) -> None:
    # The doctor is asked before anything is there, and on a cluster of the tests, which does without fsync.
    failed = [one for one in second.ran if one.status and not one.line.endswith(" doctor")]

    assert failed == []
    assert len(second.ran) > 20


def test_the_city_is_the_one_of_its_charter_with_its_own_areas_alone(second: Second) -> None:
    row = (
        "SELECT i.city_code, i.letters, i.name, i.zone, a.code, o.code FROM directory_installation i"
        " JOIN directory_area a ON a.id = i.city_area_id JOIN directory_office o ON o.id = i.desk_office_id"
    )

    assert second.rows(row) == [("shili", "SL", "示例市", "Asia/Shanghai", "9901", "city-centre")]
    assert second.rows("SELECT count(*) FROM directory_area") == [(8,)]
    assert second.rows("SELECT count(*) FROM directory_category WHERE code = 'E03'") == [(1,)]
    assert second.rows("SELECT announced FROM directory_calendaryear WHERE year = 2026") == [(True,)]


def test_before_the_lists_the_doctor_names_each_missing_thing_with_its_command(second: Second) -> None:
    before, after = (one.out for one in second.said(" doctor"))
    unsound = "\n".join(line for line in before.splitlines() if line.startswith("✗"))

    for command in ("import-areas", "import-reference offices", "import-reference routes", "found --desk"):
        assert f"fuzhengtong {command}" in unsound
    still = [line for line in after.splitlines() if line.startswith("✗")]
    assert [line.split(" ")[1] for line in still] == ["fsync", "full_page_writes"]
    assert "已建市：示例市（shili SL）" in after
    assert "还没有密码" in after


def test_the_first_telling_reached_the_office_of_its_route(second: Second) -> None:
    answer = json.loads(second.said("/api/v1/appeals")[0].out)
    number = answer["number"]

    assert number.startswith("SL")
    case = f"SELECT o.code FROM cases_case c JOIN directory_office o ON o.id = c.office_id WHERE c.number = '{number}'"
    assert wait_until(lambda: bool(second.rows(case)), 30)
    assert second.rows(case) == [("990102-zjj",)]


def test_a_telling_through_the_door_of_intake_is_dispatched_by_route(second: Second, inside: Moment) -> None:
    told = intake_actions.submit(
        submission=submission(LAMP),
        moment=inside.acting(Actor(kind="resident")),
        store=Folder(second.folder / "store"),
        client="test",
    ).answer
    followers.run_at_once(entry_id=int(told.entry_id), moment=inside, budget_s=30)

    assert told.number.startswith("SL")
    case_id = cases_queries.case_id_of(told.number)
    row = "SELECT o.code, c.desk_id = d.id FROM cases_case c JOIN directory_office o ON o.id = c.office_id"
    desk = f"{row} JOIN directory_office d ON d.code = '990102-centre' WHERE c.id = {case_id}"
    assert second.rows(desk) == [("990102-zjj", True)]


def test_the_first_administrators_hold_their_posts(second: Second) -> None:
    held = (
        "SELECT who.login, p.kind FROM directory_tenure t JOIN directory_post p ON p.id = t.post_id"
        " JOIN accounts_principal who ON who.id = t.principal_id WHERE p.kind LIKE '%\\_admin' ORDER BY who.login"
    )

    assert second.rows(held) == [("anquan", "security_admin"), ("shenji", "audit_admin"), ("xitong", "system_admin")]


def test_the_key_of_the_page_was_shown_once_and_is_out_of_force(second: Second) -> None:
    made, listed, _ = (one.out for one in second.said("createkey"))
    found = re.search(r"fzt_[a-z2-7]{52}", made)

    assert found is not None
    assert "示例热线" in listed and found[0] not in listed
    assert second.rows("SELECT disabled_at IS NOT NULL FROM accounts_apikey") == [(True,)]


# --- said again, or wrongly --------------------------------------------------------------------------------------


def test_to_found_the_same_city_again_changes_nothing(second: Second) -> None:
    entries = second.rows("SELECT count(*) FROM directory_referenceentry")

    again = second.run(".venv/bin/fuzhengtong found --desk city-centre --area 9901 --json")

    assert again.status == 0
    assert json.loads(again.out.splitlines()[-1]) == {
        "ok": True, "city": "shili", "letters": "SL", "name": "示例市", "area": "9901", "desk": "city-centre",
        "again": True,
    }  # fmt: skip
    assert second.rows("SELECT count(*) FROM directory_referenceentry") == entries


def test_what_comes_with_every_city_is_loaded_once_however_often_init_runs(second: Second) -> None:
    counted = "SELECT (SELECT count(*) FROM directory_area), (SELECT count(*) FROM directory_referenceentry)"
    before = second.rows(counted)

    again = second.run(".venv/bin/fuzhengtong init --json")

    assert json.loads(again.out.splitlines()[-1])["ok"]
    assert second.rows(counted) == before


def test_a_refusal_is_a_sentence_in_two_languages(second: Second) -> None:
    refused = second.run(".venv/bin/fuzhengtong found --desk 990102-zjj")

    assert (refused.status, refused.out) == (2, "")
    assert refused.err == (
        "“样板区住房和城乡建设局”不是“示例市”的中心，不能替全市分拨。请选 kind 为 centre、区域为该市的单位。\n"
        "“样板区住房和城乡建设局” is not a centre of “示例市” itself and cannot dispatch for all of it."
        " Choose an office whose kind is centre and whose area is the city.\n"
    )


def test_a_database_is_of_one_city_for_good(second: Second) -> None:
    other = second.run("FUZHENGTONG_CHARTERS=charters/fuxin .venv/bin/fuzhengtong found --desk city-centre")
    looked = second.run("FUZHENGTONG_CHARTERS=charters/fuxin .venv/bin/fuzhengtong doctor")

    assert other.status == 2
    assert "已经建成示例市（代码 shili，编号字母 SL" in other.err
    assert "数据库属于 shili SL，生效的制度却是 fuxin FX 的" in looked.out


def test_a_charter_with_a_fault_is_refused_with_its_line(second: Second) -> None:
    wrong = second.folder / "wrong"
    wrong.mkdir()
    text = (second.charters / "2022-10.toml").read_text()
    (wrong / "2022-10.toml").write_text(text.replace('letters = "SL"', 'letters = "sl"'))

    refused = second.run("FUZHENGTONG_CHARTERS=wrong .venv/bin/fuzhengtong found --desk city-centre")

    assert refused.status == 2
    assert re.match(r"wrong/2022-10\.toml:\d+: letters: found 'sl'", refused.err)
    assert "Traceback" not in refused.err
