"""Remembered answers: a table that is stolen opens no telling, and who asks again hears what he heard before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings

from fuzhengtong.accounts import answers, models, queries
from fuzhengtong.charter.moment import SYSTEM, Actor, Moment
from fuzhengtong.connectors.store import Folder
from fuzhengtong.intake import actions
from fuzhengtong.jobs.verify import verify
from fuzhengtong.kernel import crypto
from fuzhengtong.web import moment as web_moment
from tests.builders import LAMP, submission

ASKED = {"client": "public", "key": "5c1b7f", "body_hash": b"h"}


@pytest.fixture
def store(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "store")


def told(moment: Moment, store: Folder) -> actions.Told:
    teller = moment.acting(Actor(kind="resident"))
    return actions.submit(submission=submission(), moment=teller, store=store, **ASKED)


def table() -> bytes:
    with connection.cursor() as cursor, cursor.copy("COPY accounts_once TO STDOUT") as rows:
        return b"\n".join(bytes(row) for row in rows)


def lie_in_clear(answer: bytes) -> None:
    """Put an answer back as a program of before this rule kept it."""
    models.Once.objects.filter(client=ASKED["client"], key=ASKED["key"]).update(answer=answer)


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[Any]:
    def file(code: str) -> Path:
        path = tmp_path / "planted"
        path.write_text(code)
        return path

    yield file


def report_of(moment: Moment, canaries: Path | None = None) -> Any:
    return verify(acknowledged=None, canaries=canaries, deep=False, clock=lambda: moment.at, say=lambda line: None)


def test_no_table_of_the_city_holds_a_query_code_in_any_form(db, moment, store, planted) -> None:
    code = told(moment, store).answer.query_code

    report = report_of(moment, planted(code))

    assert code.encode() not in table()
    assert code.encode().hex().encode() not in table()
    assert report.ok, report.as_text()
    assert report.counted["answers"] == 1


def test_the_same_request_again_is_answered_byte_for_byte(db, moment, store) -> None:
    first, again = told(moment, store), told(moment, store)

    assert again.again
    assert msgspec.json.encode(again.answer) == msgspec.json.encode(first.answer)


def test_a_caller_of_the_interface_who_asks_twice_more_gets_the_same_bytes(client: Client, tmp_path: Path) -> None:
    web_moment.the_world().moment(by=SYSTEM)

    def post() -> bytes:
        body = json.dumps({"channel": "h5", "text": LAMP, "reporter": {"phone": "13800000001"}, "consent": "privacy-1"})
        headers = {"Idempotency-Key": "5c1b7f"}
        return client.post("/api/v1/appeals", data=body, content_type="application/json", headers=headers).content

    with override_settings(STORE=tmp_path / "store"):
        first, second, third = post(), post(), post()

    assert second == third
    assert {**json.loads(first), "repeated": True} == json.loads(second)


def test_what_stands_beside_an_answer_does_not_open_it(db, moment, store) -> None:
    told(moment, store)
    row = models.Once.objects.get(client=ASKED["client"], key=ASKED["key"])
    kept = bytes(row.answer)

    for client, key in (("public", "other"), ("other", "5c1b7f"), ("publi", "c5c1b7f")):
        with pytest.raises(crypto.NotOpened):
            answers.opened(client=client, key=key, kept=kept)
    for guessed in (row.key.encode(), row.client.encode() + row.key.encode(), bytes(row.body_hash)):
        with pytest.raises(crypto.NotOpened):
            crypto.unseal(key=guessed.ljust(32, b"\0")[:32], sealed=kept, aad=b"answer")


def test_another_city_opens_no_answer_of_this_one(db, moment, store) -> None:
    told(moment, store)
    kept = bytes(models.Once.objects.get(client="public", key="5c1b7f").answer)
    answers._root.cache_clear()
    try:
        with (
            override_settings(FUZHENGTONG_KEYS={**settings.FUZHENGTONG_KEYS, "index_key": bytes(32)}),
            pytest.raises(crypto.NotOpened),
        ):
            answers.opened(client="public", key="5c1b7f", kept=kept)
    finally:
        answers._root.cache_clear()


def test_two_answers_of_one_text_look_different(db, moment) -> None:
    mint = moment.mint
    both = {answers.seal(client="a", key="b", answer=b"same", nonce=mint.token(12)) for _ in range(2)}

    assert len(both) == 2


def test_an_answer_kept_in_clear_by_an_earlier_program_is_still_given(db, moment, store) -> None:
    first = told(moment, store)
    lie_in_clear(msgspec.json.encode(first.answer))

    again = told(moment, store)

    assert again.again and again.answer == first.answer
    held = queries.remembered(client="public", key="5c1b7f")
    assert held is not None and held.answer == msgspec.json.encode(first.answer)


def test_an_answer_in_clear_is_named_by_verify_with_and_without_its_code(db, moment, store, planted) -> None:
    first = told(moment, store).answer
    lie_in_clear(msgspec.json.encode(first))

    plain, with_code = report_of(moment), report_of(moment, planted(first.query_code))

    assert set(plain.totals) == {("I6", "answer_in_clear")}
    assert plain.findings[0].case == first.number
    assert set(with_code.totals) == {("I6", "answer_in_clear"), ("I6", "canary_in_table")}
    assert first.query_code not in with_code.as_text()


def test_an_answer_that_does_not_open_is_named_by_verify(db, moment, store) -> None:
    told(moment, store)
    lie_in_clear(answers.seal(client="somebody", key="else", answer=b"{}", nonce=bytes(12)))

    assert set(report_of(moment).totals) == {("I2", "answer_not_opened")}
