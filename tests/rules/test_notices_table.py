"""The table of notices against the tables of steps and the sentences of both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzhengtong.cases import steps as cases_steps
from fuzhengtong.cases.states import DutyKind
from fuzhengtong.charter.texts import FIRST_LANGUAGE, LANGUAGES, load_texts
from fuzhengtong.directory.rules import PostKind
from fuzhengtong.kernel.due import Unit
from fuzhengtong.mailroom.rules import Rung
from fuzhengtong.notices import rules
from fuzhengtong.notices.rules import Audience, Fact
from fuzhengtong.oversight import steps as oversight_steps
from fuzhengtong.visits import steps as visits_steps

ROOT = Path(__file__).resolve().parent.parent.parent
TEXTS = load_texts(ROOT / "texts")
STEPS = (*cases_steps.STEPS, *visits_steps.STEPS, *oversight_steps.STEPS)
ROWS = pytest.mark.parametrize("row", rules.NOTICES, ids=lambda row: row.key)
# The longest facts a notice can carry: a number with a serial of five digits, a due time that may still move.
LONGEST = {"number": "FX26 1120 10031 0", "due": "12月24日（暂定）", "term": "15个工作日"}


def test_every_audience_of_every_step_has_a_row_and_no_row_is_idle():
    wanted = {(step.word, audience) for step in STEPS for audience in step.tells}

    rows = {(row.step, row.audience.value) for row in rules.NOTICES}

    assert rows == wanted
    assert len(rules.NOTICES) == len(rows)


@pytest.mark.parametrize("lang", LANGUAGES)
@ROWS
def test_every_row_has_a_sentence_that_asks_for_exactly_its_facts(row: rules.Notice, lang: str):
    sentence = TEXTS.languages[lang][row.key]

    assert sentence.facts == {fact.value for fact in row.facts}


def test_every_sentence_belongs_to_a_row_or_stands_beside_the_table():
    beside = {rules.UNREACHED, rules.NOBODY, rules.DIGEST, rules.DAY, rules.TIME, rules.PROVISIONAL}

    assert set(TEXTS.keys("notice.")) == {row.key for row in rules.NOTICES} | beside


def test_a_notice_can_say_number_state_and_time_and_nothing_else():
    assert {fact.value for fact in Fact} == {"number", "due", "term", "duty", "level"}


@ROWS
def test_a_row_that_tells_a_time_says_of_which_promise(row: rules.Notice):
    tells_a_time = bool(row.facts & {Fact.DUE, Fact.TERM, Fact.DUTY})

    assert set(row.due_of) <= {kind.value for kind in DutyKind}
    assert tells_a_time == (bool(row.due_of) or (row.step in rules.OF_A_PROMISE and Fact.LEVEL not in row.facts))


@ROWS
def test_a_row_within_the_house_names_a_kind_of_post(row: rules.Notice):
    kinds = {kind.value for kind in PostKind}

    if row.audience in (Audience.TELLER, Audience.OWNER):
        assert row.post == ""
    else:
        assert row.post in kinds
    assert {rules.CALLER, rules.OPERATOR} <= kinds


@pytest.mark.parametrize(
    "row", [row for row in rules.NOTICES if row.audience is Audience.TELLER], ids=lambda row: row.key
)
def test_a_tellers_notice_is_one_message_with_its_number_and_how_to_look_it_up(row: rules.Notice):
    said = TEXTS.say(row.key, **LONGEST)

    assert LONGEST["number"] in said
    assert "查" in said
    assert len(said) <= 70


@pytest.mark.parametrize("word", ["举报", "投诉", "纪检", "密码", "http", "report of"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_sentence_betrays_what_a_matter_is_about_or_carries_a_link(word: str, lang: str):
    said = [TEXTS.languages[lang][key].text for key in TEXTS.keys("notice.")]

    assert not [text for text in said if word in text]


def test_units_and_duties_that_a_notice_may_name_have_their_words():
    for unit in Unit:
        assert TEXTS.say(f"unit.{unit.value}.count", n=7)
    for kind in DutyKind:
        assert TEXTS.say(f"duty.{kind.value}", FIRST_LANGUAGE)


def test_a_step_that_tells_nobody_has_no_notices():
    with pytest.raises(KeyError):
        rules.notices_of("note")


def test_every_notice_to_a_teller_ends_on_the_desks_list_and_none_in_the_house_leaves_it():
    ladders = {row.audience: row.ladder for row in rules.NOTICES}

    assert ladders[Audience.TELLER] == (Rung.WECHAT, Rung.SMS, Rung.DESK)
    assert {ladder for audience, ladder in ladders.items() if audience is not Audience.TELLER} == {(Rung.DESK,)}


@ROWS
def test_a_fact_that_looks_like_a_template_is_said_as_it_is(row: rules.Notice):
    hostile = {fact.value: "{due}{0.__class__}{{7*7}}%s" for fact in row.facts}

    assert TEXTS.say(row.key, **hostile).count("{due}{0.__class__}{{7*7}}%s") == len(row.facts)
