"""Ids: unique, ordered, refused under a wrong clock or a lost lease; and the same again from the same seed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import date
from itertools import count

import pytest

from fuzhengtong.kernel.ids import EPOCH_MS, STEP_BACK_MS, ClockWentBack, LeaseEnded, LiveMint, SeededMint

NOW = EPOCH_MS + 150_000_000_000
FOR_EVER = EPOCH_MS + 2**41
A_MILLISECOND = 1 << 16


class Hands:
    """A clock that shows what the test sets, or the given readings one after the other."""

    def __init__(self, ms: int = NOW, readings: Iterable[int] = ()) -> None:
        self.ms = ms
        self.readings = iter(readings)

    def __call__(self) -> int:
        self.ms = next(self.readings, self.ms)
        return self.ms


def a_mint(clock: Hands, *, node: int = 5, valid_until: int = FOR_EVER) -> LiveMint:
    return LiveMint(node=node, clock_ms=clock, valid_until_ms=lambda: valid_until, serials=lambda day: day.day)


def parts(made: int) -> tuple[int, int, int]:
    return (made >> 22) + EPOCH_MS, made >> 16 & 63, made & 0xFFFF


def test_an_id_tells_its_millisecond_its_node_and_its_place() -> None:
    clock = Hands()
    mint = a_mint(clock)

    made = [mint.id(), mint.id()]
    clock.ms += 7
    made.append(mint.id())

    assert [parts(one) for one in made] == [(NOW, 5, 0), (NOW, 5, 1), (NOW + 7, 5, 0)]


def test_ids_fit_a_signed_big_integer_until_the_last_year() -> None:
    made = a_mint(Hands(FOR_EVER - 1), node=63, valid_until=FOR_EVER + 1).id()

    assert 2**62 < made < 2**63


def test_two_nodes_in_one_millisecond_never_make_the_same_id() -> None:
    one, other = a_mint(Hands(), node=0), a_mint(Hands(), node=63)

    assert not {one.id() for _ in range(1000)} & {other.id() for _ in range(1000)}


def test_a_full_millisecond_waits_for_the_next() -> None:
    clock = Hands()
    mint = a_mint(clock)
    for _ in range(A_MILLISECOND):
        last = mint.id()
    assert parts(last) == (NOW, 5, A_MILLISECOND - 1)

    clock.readings = iter([NOW, NOW, NOW, NOW + 1])
    made = mint.id()

    assert parts(made) == (NOW + 1, 5, 0)


def test_a_small_step_back_keeps_the_last_millisecond() -> None:
    clock = Hands()
    mint = a_mint(clock)
    before = mint.id()

    clock.ms -= STEP_BACK_MS
    made = mint.id()

    assert parts(made) == (NOW, 5, 1)
    assert made > before


def test_a_large_step_back_is_refused_until_the_clock_is_right_again() -> None:
    clock = Hands()
    mint = a_mint(clock)
    before = mint.id()

    clock.ms -= STEP_BACK_MS + 1
    with pytest.raises(ClockWentBack):
        mint.id()
    clock.ms = NOW

    assert mint.id() > before


def test_no_id_is_made_after_the_lease() -> None:
    clock = Hands()
    mint = a_mint(clock, valid_until=NOW + 1)
    mint.id()

    clock.ms = NOW + 1
    with pytest.raises(LeaseEnded):
        mint.id()


def test_a_clock_that_steps_back_does_not_stretch_the_lease() -> None:
    clock, until = Hands(), [NOW + 1]
    mint = LiveMint(node=0, clock_ms=clock, valid_until_ms=lambda: until[0], serials=lambda day: 1)
    mint.id()

    until[0] = NOW - 5
    clock.ms = NOW - 6
    with pytest.raises(LeaseEnded):
        mint.id()


@pytest.mark.parametrize("ms", [EPOCH_MS - 1, FOR_EVER])
def test_a_clock_outside_the_years_of_the_ids_is_refused(ms: int) -> None:
    with pytest.raises(ValueError, match="years"):
        a_mint(Hands(ms), valid_until=FOR_EVER + 1).id()
    with pytest.raises(ValueError, match="years"):
        SeededMint(1, ms)


@pytest.mark.parametrize("node", [-1, 64])
def test_a_node_outside_its_six_bits_is_refused(node: int) -> None:
    with pytest.raises(ValueError, match="node"):
        a_mint(Hands(), node=node)
    with pytest.raises(ValueError, match="node"):
        SeededMint(1, NOW, node)


def test_threads_share_a_mint_without_a_double() -> None:
    ticks = count(NOW * 50)

    def clock() -> int:
        time.sleep(0)  # hands over to the other threads in the middle of making an id
        return next(ticks) // 50

    mint = LiveMint(node=5, clock_ms=clock, valid_until_ms=lambda: FOR_EVER, serials=lambda day: 1)
    made: list[list[int]] = [[] for _ in range(4)]

    def work(own: list[int]) -> None:
        own.extend(mint.id() for _ in range(2000))

    threads = [threading.Thread(target=work, args=(own,)) for own in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({one for own in made for one in own}) == 8000
    assert all(own == sorted(own) for own in made)


def test_secrets_have_their_length_and_never_repeat() -> None:
    mint = a_mint(Hands())

    drawn = {mint.token(16) for _ in range(100)}

    assert len(drawn) == 100
    assert {len(secret) for secret in drawn} == {16}


def test_serials_come_from_the_block_of_the_process() -> None:
    assert a_mint(Hands()).serial(date(2026, 11, 20)) == 20


def test_the_same_seed_makes_the_same_city() -> None:
    def drawn(seed: int) -> list[object]:
        mint = SeededMint(seed, NOW, node=3)
        return [mint.id(), mint.token(16), mint.serial(date(2026, 11, 20)), mint.token(12), mint.id()]

    assert drawn(7) == drawn(7)
    assert drawn(7)[1] != drawn(8)[1]


def test_a_seeded_mint_counts_its_serials_by_the_day() -> None:
    mint = SeededMint(1, NOW)

    serials = [mint.serial(date(2026, 11, day)) for day in (20, 20, 21, 20)]

    assert serials == [1, 2, 1, 3]


def test_a_seeded_mint_goes_on_in_the_next_millisecond_under_its_own_node() -> None:
    mint = SeededMint(1, NOW, node=3)

    made = [mint.id() for _ in range(A_MILLISECOND + 1)]

    assert parts(made[0]) == (NOW, 3, 0)
    assert parts(made[-2]) == (NOW, 3, A_MILLISECOND - 1)
    assert parts(made[-1]) == (NOW + 1, 3, 0)
    assert made == sorted(set(made))


def test_secrets_of_a_seed_do_not_repeat() -> None:
    mint = SeededMint(1, NOW)

    assert len({mint.token(12) for _ in range(500)}) == 500
