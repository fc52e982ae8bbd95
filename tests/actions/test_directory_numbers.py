"""Node numbers and serials: never the same one twice, whoever asks at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import connections

from fuzhengtong.directory import actions, models
from fuzhengtong.kernel.ids import EPOCH_MS
from tests.actions.directory_lists import empty

NOW = EPOCH_MS + 1_000_000
TERM = 60_000
DAY = date(2026, 11, 20)


@pytest.fixture
def nothing_yet(db: None) -> None:
    empty()


@pytest.mark.usefixtures("nothing_yet")
def test_every_process_gets_the_lowest_free_number() -> None:
    leases = [actions.lease_node(f"process-{n}", NOW, TERM) for n in range(3)]

    assert leases == [(0, NOW + TERM), (1, NOW + TERM), (2, NOW + TERM)]


@pytest.mark.usefixtures("nothing_yet")
def test_a_number_is_leased_again_only_after_its_lease_is_over_even_to_the_same_holder() -> None:
    actions.lease_node("one", NOW, TERM)

    assert actions.lease_node("one", NOW + TERM, TERM)[0] == 1
    assert actions.lease_node("two", NOW + TERM + 1, TERM)[0] == 0


@pytest.mark.usefixtures("nothing_yet")
def test_a_running_lease_is_lengthened_and_a_lost_one_is_not() -> None:
    node, until = actions.lease_node("one", NOW, TERM)

    assert actions.renew_node(node, "one", NOW + 1000, TERM) == NOW + 1000 + TERM
    assert actions.renew_node(node, "one", NOW, 1) == NOW + 1000 + TERM
    assert actions.renew_node(node, "two", NOW, TERM) is None
    assert actions.renew_node(node, "one", until + 1001, TERM) is None


@pytest.mark.usefixtures("nothing_yet")
def test_a_number_given_back_is_free_from_the_next_millisecond() -> None:
    node, _ = actions.lease_node("one", NOW, TERM)

    actions.release_node(node, "two", NOW + 5)
    assert actions.lease_node("two", NOW + 6, TERM)[0] == 1
    actions.release_node(node, "one", NOW + 5)
    assert actions.lease_node("three", NOW + 5, TERM)[0] == 2
    assert actions.lease_node("three", NOW + 6, TERM)[0] == node


@pytest.mark.usefixtures("nothing_yet")
def test_the_sixty_fifth_process_is_refused() -> None:
    taken = {actions.lease_node(f"process-{n}", NOW, TERM)[0] for n in range(64)}

    assert taken == set(range(64))
    with pytest.raises(actions.NoNodeFree):
        actions.lease_node("one too many", NOW, TERM)


@pytest.mark.usefixtures("nothing_yet")
def test_serials_of_a_day_come_in_blocks_without_a_repetition() -> None:
    firsts = [actions.take_numbers(DAY, count) for count in (1, 50, 3)]

    assert firsts == [1, 2, 52]
    assert actions.take_numbers(date(2026, 11, 21), 4) == 1


def test_processes_that_start_at_once_get_different_numbers_and_blocks(own_database: str) -> None:
    def begin(n: int) -> tuple[int, int]:
        try:
            node, _ = actions.lease_node(f"process-{n}", NOW, TERM)
            return node, actions.take_numbers(DAY, 10)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        got = list(threads.map(begin, range(24)))

    assert len({node for node, _ in got}) == 24
    firsts = sorted(first for _, first in got)
    assert {later - first for first, later in zip(firsts, firsts[1:], strict=False)} == {10}
    assert models.NodeLease.objects.filter(holder__startswith="process-").count() == 24
