from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzhengtong.cases import rules as cases_rules
from fuzhengtong.cases.states import State
from fuzhengtong.reporting import rules
from fuzhengtong.reporting.rules import Counts, Interval, figures_of, wilson
from tests.rules.procedure_cases import CHARTERS, walking

CHARTER = CHARTERS.editions[0]


def figure(key: str, **counts: int) -> rules.Figure:
    return next(found for found in figures_of(Counts(counts), CHARTER) if found.key == key)


class TestWilson:
    @pytest.mark.parametrize(
        ("successes", "n", "low", "high"),
        # Worked out by hand from the formula with z = 1.96.
        [(1337, 1496, 0.8771, 0.9083), (1298, 1512, 0.8400, 0.8752), (63, 74, 0.7534, 0.9145), (0, 10, 0.0, 0.2775)],
    )
    def test_gives_the_published_interval(self, successes: int, n: int, low: float, high: float) -> None:
        found = wilson(successes, n)

        assert found is not None
        assert (found.low, found.high) == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))

    def test_of_an_empty_sample_is_nothing(self) -> None:
        assert wilson(0, 0) is None

    def test_refuses_more_answers_than_were_asked(self) -> None:
        with pytest.raises(ValueError, match="no share"):
            wilson(4, 3)

    @given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
    def test_holds_the_share_it_was_found_with(self, sample: tuple[int, int]) -> None:
        successes, n = sample

        found = wilson(successes, n)

        assert found is not None
        assert 0 <= found.low <= successes / n + 1e-12
        assert successes / n - 1e-12 <= found.high <= 1

    @given(st.integers(2, 1000), st.integers(2, 50))
    def test_narrows_as_the_sample_grows(self, n: int, times: int) -> None:
        def width(found: Interval | None) -> float:
            assert found is not None
            return found.high - found.low

        assert width(wilson(n * times // 2, n * times)) < width(wilson(n // 2, n))


class TestAFigure:
    def test_says_both_its_numbers_its_unit_its_anchor_its_formula_and_its_edition(self) -> None:
        found = figure("on_time", on_time=2331, late=81)

        assert (found.numerator, found.denominator) == (2331, 2412)
        assert found.rate is not None and math.isclose(found.rate, 0.96642, abs_tol=1e-5)
        assert (found.unit, found.anchor, found.formula) == ("appeals", "due", "figure.on_time.formula")
        assert found.edition == CHARTER.edition

    def test_of_nothing_has_no_rate(self) -> None:
        assert all(found.rate is None for found in figures_of(Counts({}), CHARTER))

    def test_keeps_open_cases_in_the_denominator_of_what_is_finished(self) -> None:
        # The city's own older figure: 53,182 of 54,088.
        found = figure("finished", accepted=54_088, finished=53_182)

        assert found.rate is not None and f"{found.rate:.2%}" == "98.32%"

    def test_keeps_late_open_cases_in_the_denominator_of_what_is_on_time(self) -> None:
        assert figure("on_time", on_time=1, late=1, finished=1).rate == 0.5

    def test_of_what_was_declined_lowers_the_acceptance_alone(self) -> None:
        assert figure("acceptance", accepted=3, declined=1).rate == 0.75
        assert figure("finished", accepted=3, declined=1, finished=3).rate == 1.0

    def test_never_counts_who_could_not_be_reached_as_an_answer(self) -> None:
        found = figure("solved", solved=3, unsolved=1, unreachable=6)

        assert (found.numerator, found.denominator, found.unit) == (3, 4, "visits")
        assert found.interval is not None

    def test_counts_basically_satisfied_with_the_satisfied(self) -> None:
        found = figure("satisfied", satisfied=72, basically=18, dissatisfied=10)

        assert (found.rate, found.unit) == (0.9, "ratings")

    def test_counts_a_partly_solved_matter_as_the_charter_says(self) -> None:
        counts = Counts({"solved": 2, "partly": 2, "unsolved": 0})
        half = replace(CHARTER, scores=replace(CHARTER.scores, partly_solved=0.5))

        by_ours = {found.key: found.rate for found in figures_of(counts, CHARTER)}
        by_half = {found.key: found.rate for found in figures_of(counts, half)}

        assert (by_ours["solved"], by_half["solved"]) == (0.5, 0.75)

    def test_of_closing_is_the_one_the_charter_names(self) -> None:
        visited = replace(CHARTER, scores=replace(CHARTER.scores, closed_means="visited"))

        assert (rules.closing(CHARTER), rules.closing(visited)) == ("finished", "closed")


def test_a_measure_nobody_knows_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Counts({})["happy"]


@pytest.mark.parametrize("state", [State.RECEIVED, State.ASSIGNED, State.REVIEW, State.VISITING, State.CLOSED])
def test_every_measure_the_spine_counts_is_known_here(state: State) -> None:
    snapshot = walking().to(state).snapshot

    counted = {key[3] for key in cases_rules.counts(snapshot.appeals[0], snapshot.known)}

    assert counted <= set(rules.MEASURES)


@pytest.mark.parametrize(("n", "hidden"), [(0, False), (1, True), (4, True), (5, False), (500, False)])
def test_a_few_people_are_not_published_and_none_are(n: int, hidden: bool) -> None:
    assert rules.suppressed(n) is hidden


class TestMonths:
    def test_follow_each_other_over_the_year(self) -> None:
        assert list(rules.months(202611, 202702)) == [202611, 202612, 202701, 202702]

    def test_begin_at_midnight_in_the_city(self) -> None:
        zone = ZoneInfo("Asia/Shanghai")

        assert rules.begins(202611, zone) == datetime(2026, 10, 31, 16, 0, tzinfo=UTC)

    def test_that_do_not_exist_are_refused(self) -> None:
        with pytest.raises(ValueError, match="month"):
            rules.first_day(202613)
