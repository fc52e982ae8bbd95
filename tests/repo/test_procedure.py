"""The procedure against the words of the domain, which are written here once more so that the code cannot fool it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzhengtong.cases import models
from fuzhengtong.cases.states import FINAL, AppealState, DutyKind, Role, State
from fuzhengtong.charter.editions import DUTY_KINDS
from fuzhengtong.charter.load import find_folder, load_charters
from fuzhengtong.charter.texts import load_texts
from fuzhengtong.procedure import catalogue, documents
from fuzhengtong.procedure.catalogue import CATALOGUE
from fuzhengtong.procedure.flags import CAPABILITIES, FLAGS, STATES_COMING

ROOT = Path(__file__).resolve().parents[2]


def words(text: str) -> list[str]:
    return text.split()


# 2.1: the states of a case, and the one that a telling alone can be in.
STATES = words(
    """
received need_info accepted declined moved assigned working objecting designating review visiting redo on_account
closed merged withdrawn ended archived
"""
)
STATES_OF_A_TELLING = ["draft"]
ENDS = words("declined moved closed merged withdrawn ended archived")

# 2.2: the flags.
FLAG_WORDS = words(
    """
supervision extended hard group repeat frequent_teller urgency secrecy instruction unreasonable excluded no_objection
government_line_number provincial_number grant mediation_number consultation_number
"""
)

# 2.3: the steps; lead and assist are what an office is in an assignment.
STEP_WORDS = words(
    """
register accept decline sort answer_at_once assign sign object return reassign add first_receiver whistle consult raise
extend interim_reply on_account urge supervise instruct finish review visit redo merge score_appeal exclude stop_repeat
class_case avoid to_desk supplement rate move forward split unmerge withdraw end close archive
"""
)
ROLES = ["lead", "assist"]

# 3.1: the promises, as the charter's terms name them; the last ones come with later capabilities.
DUTIES = words(
    """
dispatch accept assign sign on_site first_response interim_reply finish review progress_visit satisfaction_visit
hard_visit redo supervision_reply info archive
"""
)
DUTIES_TO_COME = words("objection_ruling extension_ruling sheet on_account_review")


@pytest.mark.parametrize("word", STATES)
def test_every_state_of_the_domain_is_one_of_ours(word: str) -> None:
    assert State(word) in State


def test_no_state_is_ours_alone() -> None:
    assert {state.value for state in State} == set(STATES)
    assert {state.value for state in FINAL} == set(ENDS)
    assert all(AppealState(word) in AppealState for word in STATES_OF_A_TELLING)


@pytest.mark.parametrize("word", STEP_WORDS)
def test_every_step_of_the_domain_is_a_row_or_is_announced(word: str) -> None:
    rows = {step.word for step in CATALOGUE.current}
    announced = {row.word: row.capability for row in CATALOGUE.coming}

    assert word in rows or announced.get(word) in CAPABILITIES
    assert {role.value for role in Role} == set(ROLES)


@pytest.mark.parametrize("word", FLAG_WORDS)
def test_every_flag_of_the_domain_is_a_column_or_is_announced(word: str) -> None:
    flag = next(flag for flag in FLAGS if flag.word == word)
    table, _, column = flag.column.partition(".")
    tables = {"case": models.Case, "appeal": models.Appeal}

    if flag.column:
        assert column in {field.name for field in tables[table]._meta.concrete_fields}
        assert not flag.capability
    else:
        assert flag.capability in CAPABILITIES


def test_no_flag_is_named_twice_or_is_ours_alone() -> None:
    assert [flag.word for flag in FLAGS] == FLAG_WORDS


def test_every_promise_of_the_domain_is_a_duty_and_has_a_term_in_every_edition() -> None:
    charters = load_charters(find_folder("charters/fuxin"))

    assert {kind.value for kind in DutyKind} == set(DUTIES)
    assert set(DUTY_KINDS) == {*DUTIES, *DUTIES_TO_COME}
    for charter in charters.editions:
        named = {key.partition(".")[0] for key in charter.terms}
        assert set(DUTIES) <= named


@pytest.mark.parametrize(
    "law",
    [
        catalogue.states_without_exit,
        catalogue.kinds_never_owed,
        catalogue.kinds_never_met,
        catalogue.duties_that_cannot_be_met,
        catalogue.ends_that_leave_work,
        catalogue.clocks_stopped_for_ever,
    ],
    ids=lambda law: law.__name__,
)
def test_the_table_keeps_its_laws(law: object) -> None:
    assert callable(law)
    assert law(CATALOGUE) == ()


def test_every_state_can_be_reached_or_waits_for_a_step_to_come() -> None:
    assert catalogue.states_out_of_reach(CATALOGUE, STATES_COMING) == ()


def test_every_audience_of_a_step_is_one_the_manual_knows() -> None:
    told = {audience for step in CATALOGUE.current for audience in step.tells}

    assert told <= set(documents.AUDIENCES)


def test_every_word_of_the_manual_has_a_text() -> None:
    texts = load_texts(find_folder("texts"))

    assert documents.unsaid(texts) == ()


def test_the_procedure_document_is_what_the_tables_say_now() -> None:
    assert not documents.stale(ROOT / "docs" / "procedure.md")
