"""Looking up by number and last digits: a number that nobody has costs exactly the work of one that somebody has.

Counted and not timed: statements, and openings of sealed bytes.
"""

# ruff: noqa: F811 - fixtures of another module are asked for by name
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection
from django.test import Client

from fuzhengtong.cases import models, queries
from fuzhengtong.charter.moment import Moment
from fuzhengtong.intake.rules import Person
from fuzhengtong.kernel import crypto, numbers
from tests.builders import City, tell
from tests.web.test_resident_home import noon, phone  # noqa: F401 - fixtures

TELLER = Person(name="示例王", phone="13800000001")
OTHER = Person(name="示例李", phone="13800000002")


@dataclass
class Work:
    """What one look-up cost."""

    tables: list[str]
    openings: list[int]


@pytest.fixture
def cost(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], Any]], Work]]:
    opened: list[int] = []

    class Noting:
        def __init__(self, key: bytes) -> None:
            self.cipher = AESGCM(key)

        def encrypt(self, *arguments: Any) -> bytes:
            return self.cipher.encrypt(*arguments)

        def decrypt(self, nonce: bytes, data: bytes, aad: bytes) -> bytes:
            opened.append(len(data))
            return self.cipher.decrypt(nonce, data, aad)

    monkeypatch.setattr(crypto, "AESGCM", Noting)

    def count(work: Callable[[], Any]) -> Work:
        opened.clear()
        tables: list[str] = []

        def note(execute: Any, sql: str, *arguments: Any) -> Any:
            tables.append(sql.split(" FROM ")[1].split(" ")[0] if " FROM " in sql else sql.split(" (")[0])
            return execute(sql, *arguments)

        with connection.execute_wrapper(note):
            work()
        return Work(tables=tables, openings=list(opened))

    yield count


@pytest.fixture
def unknown(moment: Moment) -> str:
    return numbers.case_number(letters="FX", day=moment.at.date(), serial=987654)


TELLINGS: dict[str, dict[str, Any]] = {
    "one teller": {"reporter": TELLER},
    "a teller and one told for": {"reporter": TELLER, "principal": OTHER},
    "a name without a phone": {"reporter": Person(name="示例王")},
    "nobody who is known": {"reporter": None, "anonymous": True},
}


@pytest.mark.parametrize("kind", TELLINGS)
def test_a_wrong_tail_and_an_unknown_number_cost_the_same(
    db: None, city: City, moment: Moment, unknown: str, cost: Any, kind: str
) -> None:
    told = tell(city, moment, **TELLINGS[kind])
    queries.by_number_and_tail(number=unknown, tail="9999")

    known = cost(lambda: queries.by_number_and_tail(number=told.number, tail="9999"))
    nobody = cost(lambda: queries.by_number_and_tail(number=unknown, tail="9999"))

    assert known.tables == nobody.tables
    assert len(known.openings) == len(nobody.openings) == 5


def test_a_telling_that_was_erased_costs_the_same(
    db: None, city: City, moment: Moment, unknown: str, cost: Any
) -> None:
    told = tell(city, moment)
    models.Passage.objects.filter(kind="teller").update(wrapped_key=None)

    found = cost(lambda: queries.by_number_and_tail(number=told.number, tail="0001"))
    nobody = cost(lambda: queries.by_number_and_tail(number=unknown, tail="0001"))

    assert (found.tables, len(found.openings)) == (nobody.tables, len(nobody.openings))
    assert queries.by_number_and_tail(number=told.number, tail="0001") is None


def test_the_whole_page_costs_the_same_for_a_number_that_nobody_has(
    phone: Client, city: City, moment: Moment, unknown: str, cost: Any
) -> None:
    told = tell(city, moment)

    def asked(number: str) -> Callable[[], Any]:
        return lambda: phone.post("/find/", {"number": number, "tail": "9999"})

    asked(unknown)()
    known, nobody = cost(asked(told.number)), cost(asked(unknown))

    assert known.tables == nobody.tables
    assert known.openings and len(known.openings) == len(nobody.openings)


@pytest.mark.parametrize(("tail", "found"), [("0001", True), ("0002", True), ("0003", False), ("----", False)])
def test_either_phone_opens_the_state_and_no_other(
    db: None, city: City, moment: Moment, tail: str, found: bool
) -> None:
    told = tell(city, moment, reporter=TELLER, principal=OTHER)

    assert (queries.by_number_and_tail(number=told.number, tail=tail) is not None) is found


@pytest.mark.parametrize("tail", ["----", "", "0", "00000", "\uff10\uff10\uff10\uff11", "²²²²"])
def test_no_tail_finds_a_number_that_nobody_has(db: None, unknown: str, tail: str) -> None:
    assert queries.by_number_and_tail(number=unknown, tail=tail) is None
