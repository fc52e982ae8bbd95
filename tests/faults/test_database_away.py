"""The database goes away under requests and comes back: everybody is told to come again, and nothing is half-written."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import close_old_connections, connection, connections
from django.test import Client, override_settings

from fuzhengtong.cases import models
from fuzhengtong.config.embedded import Cluster
from fuzhengtong.config.roles import Dsns
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.dispatch import queries as dispatch_queries
from fuzhengtong.intake import queries as intake_queries
from fuzhengtong.jobs import chains
from fuzhengtong.jobs.findings import Report
from fuzhengtong.reporting.queries import still_view
from fuzhengtong.web import moment as web_moment
from tests.builders import LAMP
from tests.conftest import NOON, point_to

ROOT = Path(__file__).resolve().parents[2]
CHINESE = re.compile("[\u4e00-\u9fff]")
# Nothing of how we are made may stand in an answer.
INTERNALS = re.compile(
    r"psycopg|Traceback|OperationalError|InterfaceError|SELECT |INSERT |fz_app|\.s\.PGSQL|/fuzhengtong/|\.py\b|django"
)
PAGES = ("/", "/report/", "/find/", "/q/0000000000000000000000000A/", "/desk/", "/desk/sign-in/", "/api/v1/health")


# The smallest city that takes a telling: its areas, its channels, and the one desk that dispatches.
FOUND = """
import django
django.setup()
from fuzhengtong.config import schema
from fuzhengtong.directory import actions, queries
from fuzhengtong.directory.sheets import Sheet
from fuzhengtong.jobs import found
schema.provide()
found.load(made=False)
moment = found._moment()
desk = "code,name,short,kind,parent,area,level,functions,duty_phone\\ncentre,示例中心,中心,centre,,2109,city,,0418-0000000\\n"
report = actions.import_offices(sheet=Sheet("desk.csv", desk.encode()), moment=moment, apply=True)
assert not report.errors, report.errors
area, office = queries.area_by_code("2109"), queries.office_by_code("centre")
charter = moment.charter
actions.found_city(code=charter.city, letters=charter.letters, name=charter.name, moment=moment,
                   city_area_id=area.area_id, desk_office_id=office.office_id)
"""


@dataclass
class City:
    """A city in a cluster of its own, which this file may kill."""

    home: Path
    cluster: Cluster
    dsns: Dsns

    def kill(self, number: signal.Signals) -> None:
        pid = self.cluster.status().pid
        assert pid is not None
        os.kill(pid, number)
        ends = time.monotonic() + 10
        while self.cluster.status().running and time.monotonic() < ends:
            time.sleep(0.02)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsns.app_url) as own:
            return own.execute(sql.encode()).fetchall()


@pytest.fixture(scope="module")
def city(worker_database: str) -> Iterator[City]:
    folder = Path(tempfile.mkdtemp(prefix="fz-test-", dir="/tmp"))
    folder.chmod(0o755)
    environ = {**os.environ, "FUZHENGTONG_TESTING": "1", "FUZHENGTONG_HOME": str(folder / "home")}
    environ.pop("DATABASE_URL", None)
    cluster = Cluster(folder / "home", environ=environ)
    dsns = cluster.start()
    try:
        told = environ | dsns.environ() | {"DJANGO_SETTINGS_MODULE": "fuzhengtong.config.settings"}
        done = subprocess.run([sys.executable, "-c", FOUND], env=told, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        yield City(folder / "home", cluster, dsns)
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def served(city: City, databases: Any, worker_database: str) -> Iterator[City]:
    """The city with Django led to it, and a world of this process for it alone."""
    held, web_moment._world = web_moment._world, None
    point_to(city.dsns.app_url)
    forget_the_other_city()
    with override_settings(STORE=city.home / "store", RATE_LIMITS=False):
        yield city
    connections.close_all()
    point_to(databases.app_url(worker_database))
    web_moment._world = held
    forget_the_other_city()


def forget_the_other_city() -> None:
    """Drop what this process keeps of the city it was led to before."""
    directory_queries.city_kept.forget()
    intake_queries.lanes_kept.forget()
    dispatch_queries._sight = None


@dataclass
class Asked:
    """What a few visitors were answered."""

    answers: list[tuple[str, int, dict[str, str], str]] = field(default_factory=list)
    tellings: dict[str, int] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def statuses(self) -> set[int]:
        return {status for _, status, _, _ in self.answers}


def get(path: str) -> Any:
    close_old_connections()  # what the server does when a request begins
    return Client(raise_request_exception=False).get(path)


def tell(key: str, text: str = LAMP) -> Any:
    close_old_connections()
    body = {"channel": "h5", "text": text, "reporter": {"name": "示例", "phone": "13800000001"}}
    return Client(raise_request_exception=False).post(
        "/api/v1/appeals",
        data=json.dumps(body),
        content_type="application/json",
        headers={"Idempotency-Key": key},
    )


def patiently(key: str) -> Any:
    """Tell again as the answer asks, for as long as somebody would."""
    ends = time.monotonic() + 30
    while (response := tell(key)).status_code == 503 and time.monotonic() < ends:
        time.sleep(0.1)
    return response


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for what must come, however slow the machine is."""
    ends = time.monotonic() + seconds
    while not true() and time.monotonic() < ends:
        time.sleep(0.02)
    assert true()


def note(asked: Asked, path: str, response: Any) -> None:
    asked.answers.append((path, response.status_code, dict(response.headers), response.content.decode()))


def visitors(asked: Asked, run: str) -> list[threading.Thread]:
    def telling(place: int) -> None:
        number = 0
        while not asked.stop.is_set():
            key = f"{run}-{place}-{number}"
            response = tell(key)
            asked.tellings[key] = response.status_code
            note(asked, "/api/v1/appeals", response)
            number += 1
        connections.close_all()

    def looking() -> None:
        while not asked.stop.is_set():
            for path in PAGES:
                note(asked, path, get(path))
        connections.close_all()

    threads = [threading.Thread(target=telling, args=(place,)) for place in range(3)]
    return [*threads, threading.Thread(target=looking)]


def assert_told_to_come_again(asked: Asked) -> None:
    assert 503 in asked.statuses()
    assert asked.statuses() <= {200, 201, 302, 303, 404, 409, 503}, asked.statuses()
    for path, status, headers, body in asked.answers:
        if status in (409, 503):
            assert headers["Retry-After"]
            assert CHINESE.search(body)
            assert not INTERNALS.search(body), body
            if path.startswith("/api/"):
                assert set(json.loads(body)) == {"code", "description"}
            else:
                assert "<html" in body


def assert_nothing_half_written() -> None:
    report = Report(at=NOON)
    with still_view():
        chains.prove(report, deep=False, say=lambda line: None)
    assert report.ok, report.as_text()
    assert not models.Appeal.objects.filter(telling__isnull=True).exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])
def test_a_stop_under_requests_tells_everybody_to_come_again_and_loses_nothing(served: City, number: Any) -> None:
    asked = Asked()
    threads = visitors(asked, number.name)
    for thread in threads:
        thread.start()
    until(lambda: {200, 201} <= asked.statuses())

    served.kill(number)
    until(lambda: 503 in asked.statuses())
    served.cluster.recover()
    before = len(asked.answers)
    until(lambda: len(asked.answers) >= before + 20)
    asked.stop.set()
    for thread in threads:
        thread.join(20)

    assert_told_to_come_again(asked)
    assert 201 in asked.statuses() and 200 in asked.statuses()
    again = {key: patiently(key) for key in asked.tellings}
    assert {response.status_code for response in again.values()} == {201}
    numbers = {response.json()["number"] for response in again.values()}
    assert len(numbers) == len(asked.tellings)
    kept = served.rows(f"SELECT count(*) FROM accounts_once WHERE key LIKE '{number.name}-%'")
    assert kept == [(len(asked.tellings),)]
    for key, status in asked.tellings.items():
        assert again[key].json()["repeated"] or status != 201
    assert_nothing_half_written()


def test_while_the_database_is_away_every_door_says_so(served: City) -> None:
    assert tell("before").status_code == 201
    served.kill(signal.SIGQUIT)
    asked = Asked()
    try:
        for path in PAGES:
            note(asked, path, get(path))
        note(asked, "/api/v1/appeals", tell("away"))
        note(asked, "/report/", Client(raise_request_exception=False).post("/report/", {"text": LAMP}))
        health = get("/api/v1/health")
    finally:
        served.cluster.recover()

    assert health.status_code == 503
    assert_told_to_come_again(asked)
    assert patiently("away").status_code == 201
    assert get("/api/v1/health").json() == {"ok": True}


def test_what_was_typed_in_a_form_is_not_lost_with_the_database(served: City) -> None:
    close_old_connections()
    form = {"text": "瑯琊路灯不亮", "phone": "13800000001", "consent": "privacy-1"}
    client = Client(raise_request_exception=False)
    assert client.get("/report/").status_code == 200
    before = served.rows("SELECT count(*) FROM cases_appeal")
    served.kill(signal.SIGQUIT)
    try:
        response = client.post("/report/", form)
    finally:
        served.cluster.recover()

    assert response.status_code == 503
    assert response["Retry-After"]
    assert "瑯琊路灯不亮" in response.content.decode()
    assert served.rows("SELECT count(*) FROM cases_appeal") == before


def test_a_server_with_no_connection_left_says_come_again(served: City) -> None:
    assert tell("room").status_code == 201
    connections.close_all()
    held = []
    try:
        with pytest.raises(psycopg.OperationalError):
            while True:
                held.append(psycopg.connect(served.dsns.app_url))
        response = tell("full")
    finally:
        for one in held:
            one.close()

    assert response.status_code == 503
    assert response["Retry-After"] and not INTERNALS.search(response.content.decode())
    assert patiently("full").status_code == 201


def test_a_server_that_takes_no_writes_refuses_a_telling_and_still_shows_pages(served: City) -> None:
    before = models.Appeal.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    client = Client(raise_request_exception=False)

    body = json.dumps({"channel": "h5", "text": LAMP})
    told = client.post("/api/v1/appeals", data=body, content_type="application/json", headers={"Idempotency-Key": "ro"})
    home = client.get("/")

    assert (told.status_code, told.json()["code"]) == (503, "out_of_order")
    assert told["Retry-After"]
    assert home.status_code == 200
    connections.close_all()
    assert models.Appeal.objects.count() == before
    assert patiently("ro").status_code == 201
