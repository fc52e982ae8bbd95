from __future__ import annotations

from collections import Counter
from contextlib import contextmanager

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzhengtong.cases import models, permits, queries, rules
from fuzhengtong.cases.states import FINAL, OPEN, DutyClass, State
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.jobs import verify, watchdog
from fuzhengtong.reporting import queries as reporting_queries
from tests.laws import walks

WALKS = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
SEEDS = st.integers(min_value=0, max_value=2**32)
TURNS = 16


@contextmanager
def one_walk():
    """Undo a walk when it has been looked at."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@WALKS
@given(seed=SEEDS)
def test_an_open_case_owes_somebody_something_and_a_closed_one_owes_no_work(db, city, moment, seed) -> None:
    with one_walk():
        for snapshot in walks.begin(city, moment, seed).on(TURNS):
            owed = [duty for duty in snapshot.duties if duty.is_open]
            case = snapshot.known

            if case.state in OPEN:
                assert [duty for duty in owed if duty.klass != DutyClass.HOUSEKEEPING], case.state
                assert case.next_due_at is not None
            else:
                assert case.state in FINAL
                assert all(duty.klass == DutyClass.HOUSEKEEPING for duty in owed), case.state
            assert case.is_open == (case.state in OPEN)


@WALKS
@given(seed=SEEDS)
def test_every_open_duty_can_be_asked_of_somebody(db, city, moment, seed) -> None:
    with one_walk():
        walk = walks.begin(city, moment, seed)
        for snapshot in walk.on(TURNS):
            owed = {(duty.owed_by, duty.owed_by_post) for duty in snapshot.duties if duty.is_open}
            owed = {(office, post) for office, post in owed if post != "system"}

            answering = directory_queries.who_answers_many(owed, at=walk.moment.at)

            assert all(answering[pair] for pair in owed), owed


@WALKS
@given(seed=SEEDS)
def test_every_step_is_an_entry_and_the_chain_of_all_of_them_holds(db, city, moment, seed) -> None:
    with one_walk():
        walk = walks.begin(city, moment, seed)
        for _ in walk.on(TURNS):
            pass

        found = queries.proof(appeal_id=walk.told.appeal_id, receipt=walk.told.receipt)

        assert found.stands
        assert found.entries == walk.told.case.version
        assert models.Entry.objects.filter(case_id=walk.told.case_id).count() == found.entries


@WALKS
@given(seed=SEEDS)
def test_figures_equal_the_raw_rows_after_any_walk(db, city, moment, seed) -> None:
    with one_walk():
        for _ in walks.begin(city, moment, seed).on(TURNS):
            pass

        assert reporting_queries.recount() == ()


@WALKS
@given(seed=SEEDS)
def test_whatever_a_list_shows_the_record_shows_too(db, city, moment, seed) -> None:
    with one_walk():
        walk = walks.begin(city, moment, seed)
        for snapshot in walk.on(TURNS):
            for viewer in walk._people(snapshot):
                listed = queries.scope(viewer).filter(id=walk.told.case_id).exists()
                shown = permits.may("see_case", viewer, snapshot)

                assert listed == shown, (viewer.post_kind, viewer.level, snapshot.known.state)


@WALKS
@given(seed=SEEDS)
def test_spine_ledger_and_watchdog_tell_one_story_of_every_promise(db, city, moment, seed) -> None:
    with one_walk():
        walk = walks.begin(city, moment, seed)
        for _ in walk.on(TURNS):
            pass
        walk.tick()
        at = walk.moment.at

        report = verify.verify(acknowledged=None, canaries=None, deep=False, clock=lambda: at, say=lambda line: None)
        alarms = watchdog.pass_over(moment=walk.moment, beat_at=at)

        assert report.findings == []
        assert alarms == []


@WALKS
@given(seed=SEEDS)
def test_no_running_promise_is_a_guess_once_its_year_is_announced(db, city, moment, seed) -> None:
    with one_walk():
        walk = walks.begin(city, moment, seed)
        for _ in walk.on(TURNS):
            pass
        walk.told = walk.told.later(minutes=2)
        walk.tick()

        calendar, charters = walk.moment.calendar, walk.moment.charters
        for duty in walk.told.snapshot().duties:
            assert not rules.is_announced_since(duty, charters.edition(duty.edition), calendar)
            if walks.YEAR in calendar.announced and duty.paused_at is None:
                assert not duty.provisional


def test_the_walks_reach_the_whole_of_the_procedure(db, city, moment) -> None:
    reached: Counter[str] = Counter()
    states: set[State] = set()
    for seed in range(60):
        with one_walk():
            walk = walks.begin(city, moment, seed)
            states |= {snapshot.known.state for snapshot in walk.on(TURNS)}
            reached += Counter(walk.taken)
            reached += Counter(models.Entry.objects.filter(case_id=walk.told.case_id).values_list("step", flat=True))

    assert {State.NEED_INFO, State.WORKING, State.REVIEW, State.VISITING, State.CLOSED, State.WITHDRAWN} <= states
    assert {
        "sign",
        "contact",
        "finish",
        "review",
        "visit",
        "supplement",
        "ask_info",
        "supervise",
        "tick",
        "announce",
        "recompute",
    } <= set(reached)
