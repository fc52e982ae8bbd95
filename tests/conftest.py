"""What every test may ask for: a city of its own, a moment, a mint, a client.

`db` runs the test in a transaction that is rolled back; `own_database` gives a clone to which it may commit.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
os.environ["FUZHENGTONG_TESTING"] = "1"
os.environ.setdefault("FUZHENGTONG_HOME", str(ROOT / "var" / "test"))
os.environ["DJANGO_SETTINGS_MODULE"] = "fuzhengtong.config.settings"
os.environ.pop("DATABASE_URL", None)
# The browser's driver keeps an event loop in the test process; no test of ours runs inside it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

# A shell starts what it sends to the background deaf to Ctrl-C, and programs of ours would inherit that and stay so.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import django  # noqa: E402
import pytest  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, connections, transaction  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from django.utils import translation  # noqa: E402

from fuzhengtong.charter.moment import SYSTEM, Moment  # noqa: E402
from fuzhengtong.kernel.ids import SeededMint  # noqa: E402
from tests.cluster import Databases  # noqa: E402

setup_test_environment()

# Friday, 20 November 2026, 10:00 in the city: a plain working day with a weekend behind it.
NOON = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def city_language() -> None:
    """Begin in the city's language: a request of an earlier test leaves its own active in this thread."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    made = Databases()
    made.sweep()
    made.provide_template()
    yield made
    made.cluster.stop()


def point_to(url: str) -> None:
    """Let Django's connection lead to another database."""
    from fuzhengtong.config.settings import database_of

    connections.close_all()
    found = database_of(url)
    settings.DATABASES["default"].update(found)
    connection.settings_dict.update(found)
    connections.settings["default"].update(found)


@pytest.fixture(scope="session")
def worker_database(databases: Databases) -> Iterator[str]:
    name = databases.clone("w")
    point_to(databases.app_url(name))
    yield name
    connections.close_all()
    databases.drop(name)


@pytest.fixture
def db(worker_database: str) -> Iterator[None]:
    whole = transaction.atomic()
    # The outer transaction is the test's, not the program's: what refuses to run inside one may run here.
    whole._from_testcase = True
    with whole:
        yield
        transaction.set_rollback(True)


@pytest.fixture
def own_database(databases: Databases, worker_database: str) -> Iterator[str]:
    """A database of this test alone, to which it may commit; its name."""
    name = databases.clone("o")
    point_to(databases.app_url(name))
    yield name
    point_to(databases.app_url(worker_database))
    databases.drop(name)


@pytest.fixture
def mint() -> SeededMint:
    # Above every id of the city, which was founded earlier.
    return SeededMint(seed=1, start_ms=int(NOON.timestamp() * 1000), node=63)


@pytest.fixture
def moment(worker_database: str, mint: SeededMint) -> Moment:
    from fuzhengtong.directory import queries, world

    return Moment(at=NOON, by=SYSTEM, charters=world.charters(), calendar=queries.calendar(), mint=mint)


@pytest.fixture
def city(worker_database: str) -> Any:
    from tests.builders import City

    return City()


@pytest.fixture
def client(db: None) -> Any:
    from django.test import Client

    from fuzhengtong.web import calm

    # What other tests of this process told a moment ago must not count as a burst of this one.
    calm.forget()
    return Client()
