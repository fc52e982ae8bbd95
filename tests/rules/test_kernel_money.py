"""Money is kept in fen and read in yuan."""

from __future__ import annotations

import pytest

from fuzhengtong.kernel.money import yuan


@pytest.mark.parametrize(
    ("fen", "written"),
    [
        (0, "0"),
        (5, "0.05"),
        (50, "0.50"),
        (100, "1"),
        (1_000_000, "10,000"),
        (123_456_789, "1,234,567.89"),
        (-5, "-0.05"),
        (-1_000_000, "-10,000"),
    ],
)
def test_an_amount_is_written_in_groups_and_with_its_fen(fen: int, written: str) -> None:
    assert yuan(fen) == written
