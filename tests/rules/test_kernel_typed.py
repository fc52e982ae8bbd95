"""What anybody types into an address is read, or is nothing; never an error."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzhengtong.kernel import typed

NOON = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(("text", "found"), [("0", 0), ("7", 7), ("9" * 18, 10**18 - 1)])
def test_plain_digits_are_a_number(text: str, found: int) -> None:
    assert typed.number(text) == found


@pytest.mark.parametrize("text", [None, "", "²", "٣", "三", "-1", "1.0", " 1", "1_0", "9" * 19, "x"])
def test_everything_else_is_no_number(text: str | None) -> None:
    assert typed.number(text) is None


@pytest.mark.parametrize("text", ["2026-03-04T04:00:00+00:00", "2026-03-04T12:00:00+08:00"])
def test_an_instant_is_read_with_its_offset(text: str) -> None:
    found = typed.instant(text)
    assert found == NOON
    assert found is not None
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [None, "", "2026-03-04", "2026-03-04T12:00:00", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "soon"],
)
def test_a_time_without_offset_or_outside_the_years_is_no_instant(text: str | None) -> None:
    assert typed.instant(text) is None


def test_a_place_is_read_as_it_was_written() -> None:
    assert typed.place(f"{NOON.isoformat()}_12") == (NOON, 12)


@pytest.mark.parametrize("text", [None, "", "12", "_12", f"{NOON.isoformat()}_", f"{NOON.isoformat()}_²", "x_1"])
def test_half_a_place_is_none(text: str | None) -> None:
    assert typed.place(text) is None


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    for read in (typed.number, typed.instant, typed.place):
        read(text)
        read(f"{text}_{text}")
