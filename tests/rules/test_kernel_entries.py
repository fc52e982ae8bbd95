"""Ledger bytes: one fact, one spelling, for ever; one touched byte, another chain."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzhengtong.kernel.entries import GENESIS, canonical, chain

AT = datetime(2026, 11, 20, 0, 14, 5, 123000, tzinfo=UTC)


def written(**changed: object) -> bytes:
    facts: dict[str, object] = {
        "city": "fuxin",
        "case_id": 646_000_000_000_000_001,
        "seq": 3,
        "at": AT,
        "told_at": None,
        "by": {"kind": "post", "post": "12", "principal": "7"},
        "step": "accept",
        "step_version": 1,
        "body": {"office": "41", "named": "高德街道", "sure": True, "list": [1, None, "b"]},
    }
    return canonical(**(facts | changed))  # type: ignore[arg-type]


def test_the_bytes_of_format_one_never_change() -> None:
    assert written().decode() == (
        '{"at":1795133645123,"body":{"list":[1,null,"b"],"named":"高德街道","office":"41","sure":true},'
        '"by":{"kind":"post","post":"12","principal":"7"},"case":"646000000000000001","city":"fuxin","format":1,'
        '"seq":3,"step":"accept","step_version":1,"told_at":null}'
    )
    assert chain(GENESIS, written()).hex() == hashlib.sha256(bytes(32) + written()).hexdigest()


def test_the_order_in_which_facts_are_given_does_not_matter() -> None:
    one = written(body={"a": 1, "b": {"c": 2, "d": 3}}, by={"kind": "system", "name": "system"})
    other = written(body={"b": {"d": 3, "c": 2}, "a": 1}, by={"name": "system", "kind": "system"})

    assert one == other


def test_an_instant_is_written_alike_in_every_zone_and_to_the_millisecond() -> None:
    assert written(at=AT.astimezone(ZoneInfo("Asia/Shanghai"))) == written()
    assert written(at=AT.replace(microsecond=123999)) == written()
    assert written(told_at=AT) != written()


def test_a_naive_time_is_refused() -> None:
    for name in ("at", "told_at"):
        with pytest.raises(ValueError, match="zone"):
            written(**{name: AT.replace(tzinfo=None)})


@pytest.mark.parametrize("value", [1.5, float("nan"), {1, 2}, AT, Decimal(1), b"bytes", object()])
def test_values_that_could_be_written_in_two_ways_are_refused(value: object) -> None:
    for body in ({"it": value}, {"deep": [{"it": value}]}):
        with pytest.raises(TypeError, match="holds no"):
            written(body=body)
    with pytest.raises(TypeError, match="holds no"):
        written(by={"it": value})


@pytest.mark.parametrize("value", [2**53, -(2**53), 10**30])
def test_numbers_another_reader_would_round_are_refused(value: int) -> None:
    with pytest.raises(ValueError, match="as text"):
        written(body={"it": value})


def test_facts_are_keyed_by_text_alone() -> None:
    with pytest.raises(TypeError, match="keyed"):
        written(body={1: "a"})


def test_a_code_from_a_list_is_written_as_its_text() -> None:
    class Urgency(StrEnum):
        CRITICAL = "critical"

    assert written(body={"urgency": Urgency.CRITICAL}) == written(body={"urgency": "critical"})


plain = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=10)
bodies = st.dictionaries(
    st.text(max_size=6),
    st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=4,
    ),
    max_size=4,
)


@settings(deadline=None, max_examples=60)
@given(bodies)
def test_the_bytes_read_back_as_the_same_facts_and_write_again_as_the_same_bytes(body: dict[str, object]) -> None:
    data = written(body=body)

    back = json.loads(data)
    assert back["body"] == body
    assert written(body=back["body"]) == data


def test_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        written(body={"it": "\ud800"})


def test_each_link_holds_all_that_came_before() -> None:
    first = chain(GENESIS, b"one")

    assert chain(first, b"two") != chain(GENESIS, b"two")
    assert chain(first, b"two") != chain(first, b"twO")
    assert len(first) == len(GENESIS) == 32


def test_a_chain_hangs_on_a_whole_hash_alone() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        chain(b"", b"one")
