from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fuzhengtong.cases import permits
from fuzhengtong.cases.states import OPEN, State
from fuzhengtong.charter.load import find_folder
from fuzhengtong.charter.texts import Texts, load_texts
from fuzhengtong.procedure import documents
from fuzhengtong.procedure.catalogue import CATALOGUE
from fuzhengtong.procedure.documents import Manual, manual
from tests.rules.procedure_cases import CHARTERS, DISPATCHER, HANDLER, REVIEWER, VISITOR, walking

TEXTS: Texts = load_texts(find_folder("texts"))


@pytest.fixture(scope="module")
def shown() -> Manual:
    return manual(texts=TEXTS, charter=CHARTERS.editions[-1])


class TestTheManual:
    def test_shows_every_state_step_duty_and_flag_once(self, shown: Manual) -> None:
        assert [row.state.code for row in shown.states] == [state.value for state in State]
        assert [row.step.code for row in shown.steps] == [step.word for step in CATALOGUE.current]
        assert len({row.kind.code for row in shown.duties}) == len(shown.duties) == 16

    def test_says_names_in_the_language_asked_for(self, shown: Manual) -> None:
        english = manual(texts=TEXTS, charter=CHARTERS.editions[-1], lang="en")

        assert shown.states[0].state.name == "待受理"
        assert english.states[0].state.name == TEXTS.say("state.received", "en")

    def test_shows_a_word_nobody_wrote_by_its_code(self) -> None:
        silent = Texts({"zh-Hans": {}})

        found = manual(texts=silent, charter=CHARTERS.editions[-1])

        assert found.states[0].state.name == "received"
        assert set(documents.unsaid(silent)) == set(documents.needed_keys())

    def test_says_of_every_open_state_that_can_be_reached_what_is_owed_in_it(self, shown: Manual) -> None:
        for row in shown.states:
            if State(row.state.code) in OPEN and not row.waits_for:
                assert row.owes, row.state.code

    def test_draws_no_arrow_into_the_dark(self, shown: Manual) -> None:
        left = {arrow.before for arrow in shown.arrows}
        waiting = {row.state.code for row in shown.states if row.waits_for}

        assert not left & waiting
        assert "" in left

    def test_tells_the_lengths_of_the_charter(self, shown: Manual) -> None:
        finish = next(row for row in shown.duties if row.kind.code == "finish")

        assert [(term.urgency, term.length, term.unit.code) for term in finish.terms] == [
            ("", 7, "working_days"),
            ("紧急", 168, "wall_hours"),
            ("特急", 24, "wall_hours"),
        ]


ACTORS = {"handler": HANDLER, "reviewer": REVIEWER, "visitor": VISITOR, "dispatcher": DISPATCHER}


@pytest.mark.parametrize("state", [State.RECEIVED, State.ASSIGNED, State.REVIEW, State.VISITING])
def test_whom_the_matrix_leaves_blank_the_step_refuses(shown: Manual, state: State) -> None:
    snapshot = walking().to(state).snapshot
    columns = [actor.code for actor in shown.actors]

    for step, row in zip(CATALOGUE.current, shown.matrix, strict=True):
        for kind, actor in ACTORS.items():
            if not row.cells[columns.index(kind)].is_allowed:
                assert not permits.allows(step.who, actor, snapshot), (step.word, kind)


def test_a_resident_needs_the_code_of_his_appeal_for_all_but_telling(shown: Manual) -> None:
    place = [actor.code for actor in shown.actors].index("resident")
    rows = {row.word.code: row.cells[place] for row in (*shown.matrix, *shown.permits)}

    assert rows["register"].is_allowed and not rows["register"].conditions
    for word in ("rate", "withdraw", "urge", "see_case"):
        assert [word.code for word in rows[word].conditions[0]] == ["is_teller"]


class TestTheDocument:
    def test_names_every_step_and_every_state(self, shown: Manual) -> None:
        said = documents.written(shown)

        assert all(f"`{row.step.code}`" in said for row in (*shown.steps, *shown.coming))
        assert all(f"`{row.state.code}`" in said for row in shown.states)

    def test_is_one_table_row_for_one_line(self, shown: Manual) -> None:
        for line in documents.written(shown).splitlines():
            assert not line.startswith("|") or line.endswith("|")

    def test_is_the_same_bytes_in_every_process(self, tmp_path: Path) -> None:
        script = "import sys; from fuzhengtong.procedure import documents; sys.stdout.write(documents.made())"
        said = {
            subprocess.run(  # noqa: S603
                [sys.executable, "-c", script],
                env={"PYTHONHASHSEED": seed, "PATH": "", "PYTHONIOENCODING": "utf-8"},
                cwd=Path(__file__).resolve().parents[2],
                check=True,
                capture_output=True,
            ).stdout
            for seed in ("1", "2", "77")
        }

        assert len(said) == 1

    def test_is_stale_when_missing_or_touched_and_fresh_when_written(self, tmp_path: Path) -> None:
        path = tmp_path / "docs" / "procedure.md"
        missing = documents.stale(path)
        documents.write(path)
        fresh = documents.stale(path)
        path.write_text(path.read_text(encoding="utf-8") + "by hand", encoding="utf-8")

        assert (missing, fresh, documents.stale(path)) == (True, False, True)
