from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fuzhengtong.cases import rules, steps
from fuzhengtong.cases.states import DutyKind, State
from fuzhengtong.cases.steps import Coming, Step
from fuzhengtong.charter.moment import SYSTEM, Actor
from fuzhengtong.procedure import catalogue
from fuzhengtong.procedure.catalogue import CATALOGUE, DoubledWord, NoSuchStep, broken_laws, joined, offered
from fuzhengtong.procedure.flags import STATES_COMING
from tests.rules.procedure_cases import DESK, DISPATCHER, HANDLER, REVIEWER, VISITOR, walking


def words(found: tuple[Step, ...]) -> set[str]:
    return {step.word for step in found}


class TestACatalogue:
    def test_finds_a_step_by_its_name_and_the_version_the_ledger_keeps(self) -> None:
        newer = replace(steps.ACCEPT, version=2)
        found = joined((steps.ACCEPT, newer, steps.ASSIGN), ())

        assert found.step("accept", 1) is steps.ACCEPT
        assert found.step("accept") is newer
        assert found.current == (newer, steps.ASSIGN)

    @pytest.mark.parametrize(("word", "version"), [("dance", None), ("accept", 9)])
    def test_knows_no_step_that_is_not_in_the_tables(self, word: str, version: int | None) -> None:
        with pytest.raises(NoSuchStep):
            catalogue.step(word, version)

    def test_refuses_one_word_twice(self) -> None:
        with pytest.raises(DoubledWord, match="accept v1"):
            joined((steps.ACCEPT, replace(steps.ASSIGN, word="accept")), ())

    @pytest.mark.parametrize("coming", [("accept",), ("whistle", "whistle")])
    def test_refuses_a_word_that_is_announced_and_stands_already_or_twice(self, coming: tuple[str, ...]) -> None:
        with pytest.raises(DoubledWord):
            joined((steps.ACCEPT,), [Coming(word, "the desks") for word in coming])


class TestTheButtons:
    def test_of_a_handler_are_the_steps_of_his_office(self) -> None:
        walk = walking().to(State.WORKING)

        assert words(offered(walk.snapshot, HANDLER)) == {*("contact", "arrive", "note", "interim_reply", "finish")}

    def test_of_another_office_are_none(self) -> None:
        walk = walking().to(State.WORKING)

        assert offered(walk.snapshot, Actor(kind="post", post_kind="handler", office=77)) == ()

    def test_of_a_reviewer_who_also_sits_in_the_handling_office_are_none(self) -> None:
        walk = walking().to(State.REVIEW)
        assigned = walk.snapshot.assignments[0].office_id

        assert words(offered(walk.snapshot, REVIEWER)) >= {"review", "send_back"}
        sits_in_both = replace(REVIEWER, offices=frozenset({DESK, assigned}))
        assert not words(offered(walk.snapshot, sits_in_both)) & {"review", "send_back"}

    def test_before_there_is_a_case_are_the_one_door(self) -> None:
        walk = walking()

        assert words(offered(walk.snapshot, Actor(kind="resident"))) == {"register"}

    @pytest.mark.parametrize("state", [State.RECEIVED, State.ASSIGNED, State.REVIEW, State.VISITING, State.CLOSED])
    @pytest.mark.parametrize("actor", [HANDLER, REVIEWER, VISITOR, DISPATCHER, SYSTEM], ids=lambda one: one.post_kind)
    def test_are_what_a_plan_does_not_refuse(self, state: State, actor: Actor) -> None:
        walk = walking().to(state)

        shown = words(offered(walk.snapshot, actor))

        for step in CATALOGUE.current:
            assert (rules.why_not(step, walk.snapshot, actor) is None) == (step.word in shown)


def broken_by(*changed: Step, without: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What the laws say of a table in which some rows are changed or left out."""
    by_word = {step.word: step for step in changed}
    kept = (by_word.get(step.word, step) for step in CATALOGUE.current if step.word not in without)
    return broken_laws(joined(kept, CATALOGUE.coming), STATES_COMING)


class TestTheLaws:
    def test_hold_for_the_tables_of_the_city(self) -> None:
        assert broken_laws(CATALOGUE, STATES_COMING) == ()

    def test_find_a_state_nothing_leads_to(self) -> None:
        assert "no step leads to need_info" in broken_by(without=("ask_info",))

    def test_find_a_state_that_was_promised_and_has_come(self) -> None:
        found = broken_laws(CATALOGUE, {**STATES_COMING, State.REDO: "object"})

        assert found == ("redo waits for object but can be reached",)

    def test_find_a_state_that_waits_for_a_step_nobody_announces(self) -> None:
        found = broken_laws(CATALOGUE, {**STATES_COMING, State.MERGED: "marry"})

        assert found == ("merged waits for marry, which nobody announces",)

    def test_find_a_state_without_an_exit(self) -> None:
        withdraw = replace(steps.WITHDRAW, before=steps.WITHDRAW.before - {State.REVIEW})

        found = broken_by(withdraw, without=("review", "send_back"))

        assert "no way leads from review to an end" in found

    def test_find_a_promise_nobody_makes(self) -> None:
        register = replace(steps.REGISTER, owes=steps.REGISTER.owes[1:])

        assert broken_by(register) == ("no step owes dispatch",)

    def test_find_a_promise_nobody_can_keep(self) -> None:
        found = broken_by(
            replace(steps.TO_DESK, meets=frozenset()),
            replace(steps.ASK_INFO, meets=frozenset()),
            replace(steps.ASSIGN, meets=frozenset({DutyKind.ASSIGN})),
        )

        assert "no step meets dispatch" in found
        assert "dispatch, owed by register in received, cannot be met" in found

    def test_find_a_promise_that_is_only_met_where_it_can_no_longer_be_open(self) -> None:
        found = broken_by(
            replace(steps.FINISH, meets=steps.FINISH.meets - {DutyKind.FINISH}),
            replace(steps.REVIEW, voids=steps.REVIEW.voids | {DutyKind.FINISH}),
            replace(steps.CLOSE, meets=frozenset({DutyKind.FINISH}), voids=steps.CLOSE.voids - {DutyKind.FINISH}),
        )

        assert "finish, owed by assign in assigned, cannot be met" in found

    def test_find_an_end_that_leaves_work(self) -> None:
        close = replace(steps.CLOSE, voids=steps.CLOSE.voids - {DutyKind.HARD_VISIT})

        assert broken_by(close) == ("close ends a case in visiting and leaves hard_visit",)

    def test_find_a_clock_that_never_runs_again(self) -> None:
        found = broken_by(
            replace(steps.ANSWER, resumes=frozenset()),
            replace(steps.LAPSE, resumes=frozenset()),
        )

        assert found == ("ask_info stops accept in need_info, and nothing resumes it",)


class TestAContact:
    @pytest.mark.parametrize("minutes", [-5, 0, 60, 65])
    def test_is_evidence_from_the_receiving_to_now_by_a_clock_a_little_off(self, minutes: int) -> None:
        walk = walking().to(State.WORKING)
        received = walk.snapshot.known.received_at
        walk.at = received + timedelta(hours=1)

        walk.take(steps.CONTACT, HANDLER, contacted_at=received + timedelta(minutes=minutes), how="phone", reached=True)

        assert walk.snapshot.known.contacted_at == walk.at

    @pytest.mark.parametrize("minutes", [-60 * 24 * 365 * 100, -60, -5.1, 65.1, 60 * 24])
    def test_is_refused_before_the_matter_was_received_and_after_now(self, minutes: float) -> None:
        walk = walking().to(State.WORKING)
        received = walk.snapshot.known.received_at
        walk.at = received + timedelta(hours=1)

        with pytest.raises(steps.ContactTimeWrong):
            walk.take(
                steps.CONTACT, HANDLER, contacted_at=received + timedelta(minutes=minutes), how="phone", reached=True
            )
