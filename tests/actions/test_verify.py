from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from fuzhengtong.cases import steps
from fuzhengtong.cases.states import Satisfaction, Solved, State
from fuzhengtong.charter.moment import SYSTEM, Moment
from fuzhengtong.directory import queries, world
from fuzhengtong.jobs.verify import Report, verify
from fuzhengtong.kernel import entries
from fuzhengtong.kernel.ids import SeededMint
from fuzhengtong.oversight import actions as oversight_actions
from fuzhengtong.reporting import actions as reporting_actions
from tests.builders import City, Told, tell
from tests.cluster import Databases
from tests.conftest import NOON, point_to


def checked(moment: Moment, **asked: Any) -> Report:
    said: list[str] = []
    given: dict[str, Any] = {"acknowledged": None, "canaries": None, "deep": False, **asked}
    return verify(**given, clock=lambda: moment.at, say=said.append)


def broken(report: Report) -> set[tuple[str, str]]:
    return set(report.totals)


@pytest.fixture(scope="module")
def walked(databases: Databases, worker_database: str) -> Iterator[tuple[str, Told]]:
    """A database of this file with one case in work."""
    name = databases.clone("o")
    point_to(databases.app_url(name))
    mint = SeededMint(seed=2, start_ms=int(NOON.timestamp() * 1000), node=63)
    moment = Moment(at=NOON, by=SYSTEM, charters=world.charters(), calendar=queries.calendar(), mint=mint)
    told = tell(City(), moment, key="walked").walk_to(State.WORKING)
    reporting_actions.fold()
    point_to(databases.app_url(worker_database))
    yield name, told
    databases.drop(name)


@pytest.fixture
def told(databases: Databases, worker_database: str, walked: tuple[str, Told]) -> Iterator[Told]:
    """The same case in the hands of the owner of its tables, whom no grant stops; what he does is undone."""
    name, found = walked
    point_to(databases.owner_url(name))
    with transaction.atomic():
        by_hand("ALTER TABLE cases_entry DISABLE TRIGGER USER")
        yield found
        transaction.set_rollback(True)
    point_to(databases.app_url(worker_database))


def by_hand(sql: str, *params: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.rowcount


def test_a_city_in_which_every_road_was_walked_is_whole(own_database: str, city: City, moment: Moment) -> None:
    for state in (State.RECEIVED, State.ASSIGNED, State.REVIEW, State.CLOSED):
        tell(city, moment, key=f"road-{state}").walk_to(state)
    redone = tell(city, moment).walk_to(State.VISITING).later(hours=1)
    redone.visit(solved=Solved.NO, satisfaction=Satisfaction.NOT)
    sent_back = tell(city, moment).walk_to(State.REVIEW).later(hours=1)
    sent_back.take(steps.SEND_BACK, sent_back.by("reviewer"), texts={"reason": "没有写清楚是哪天修的。"})
    for answered in (True, False):
        asked = tell(city, moment).later(hours=1)
        asked.take(steps.ASK_INFO, asked.by("dispatcher"), texts={"question": "是哪一栋楼？"})
        if answered:
            later = asked.later(hours=5)
            later.take(steps.ANSWER, later.teller, appeal_id=later.appeal_id, texts={"answer": "三号楼。"})
    gone = tell(city, moment).walk_to(State.WORKING)
    gone.take(steps.URGE, gone.teller, appeal_id=gone.appeal_id)
    gone.take(steps.WITHDRAW, gone.teller, appeal_id=gone.appeal_id)
    late = replace(moment, at=moment.at + timedelta(days=40))
    while oversight_actions.tick(moment=late).steps:
        pass

    report = checked(late, deep=True)

    assert report.findings == []
    assert report.exit_code == 0
    assert report.counted["cases"] == 9
    assert report.counted["texts"] >= 10
    assert report.counted["answers"] == 4


def test_what_was_not_checked_is_said(told: Told) -> None:
    report = checked(told.moment)

    said = "\n".join(report.unchecked)
    assert report.ok
    assert "I1: no list of acknowledged appeals" in said
    assert "I6: no canary strings" in said
    assert "I4: texts were not opened" in said


class TestEveryAcknowledgedAppeal:
    def test_that_is_present_is_counted(self, told: Told, tmp_path: Path) -> None:
        file = tmp_path / "acknowledged"
        file.write_text(told.number + "\n" + json.dumps({"number": told.number, "key": "k"}) + "\n")

        report = checked(told.moment, acknowledged=file)

        assert report.ok
        assert report.counted["acknowledged"] == 2

    def test_that_is_lost_is_named(self, told: Told, tmp_path: Path) -> None:
        file = tmp_path / "acknowledged"
        file.write_text(f"{told.number}\nFX26112099993\n")

        report = checked(told.moment, acknowledged=file)

        assert broken(report) == {("I1", "acknowledged_not_present_once")}
        assert report.findings[0].case == "FX26112099993"
        assert report.exit_code == 1

    def test_must_have_been_answered_with_its_own_number(
        self, own_database: str, city: City, moment: Moment, tmp_path: Path
    ) -> None:
        first, second = tell(city, moment, key="one"), tell(city, moment, key="two")
        file = tmp_path / "acknowledged"
        file.write_text(json.dumps({"number": second.number, "key": "one"}) + "\n")

        report = checked(moment, acknowledged=file)

        assert broken(report) == {("I2", "key_answered_otherwise")}
        assert report.findings[0].detail == first.number


BREAKS: dict[str, tuple[str, set[tuple[str, str]]]] = {
    "one_byte_of_an_entry": (
        "UPDATE cases_entry SET body = set_byte(body, 12, get_byte(body, 12) # 1) WHERE seq = 2",
        {("I4", "chain_broken"), ("I4", "columns_unlike_bytes")},
    ),
    "the_author_of_an_entry": (
        "UPDATE cases_entry SET by_post_kind = 'head' WHERE seq = 3",
        {("I4", "columns_unlike_bytes")},
    ),
    "the_time_of_an_entry": (
        "UPDATE cases_entry SET at = at + interval '1 minute' WHERE seq = 2",
        {("I4", "columns_unlike_bytes")},
    ),
    "a_line_left_out": ("DELETE FROM cases_entry WHERE seq = 3", {("I4", "entry_missing")}),
    "the_last_line_left_out": (
        "DELETE FROM cases_entry WHERE seq = 4",
        {("I4", "head_differs"), ("I8", "case_differs"), ("I8", "duty_differs"), ("I8", "assignment_differs")},
    ),
    "the_head_of_the_chain": ("UPDATE cases_case SET head = decode(repeat('00', 32), 'hex')", {("I4", "head_differs")}),
    "a_receipt": (
        "UPDATE cases_appeal SET receipt = decode(repeat('00', 32), 'hex')",
        {("I4", "receipt_differs"), ("I2", "answer_is_of_another")},
    ),
    "a_text": (
        "UPDATE cases_passage SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) WHERE kind = 'telling'",
        {("I4", "text_not_opened")},
    ),
    "a_commitment": (
        "UPDATE cases_passage SET commitment = repeat('0', 64) WHERE kind = 'telling'",
        {("I4", "text_unlike_commitment")},
    ),
    "a_due_time": (
        "UPDATE cases_duty SET due_at = due_at + interval '9 days' WHERE kind = 'progress_visit'",
        {("I3", "look_differs"), ("I3", "next_due_differs"), ("I8", "duty_differs")},
    ),
    "a_look_put_off": (
        "UPDATE cases_duty SET look_at = look_at + interval '9 days' WHERE kind = 'finish'",
        {("I3", "look_differs")},
    ),
    "a_duty_silenced": (
        "UPDATE cases_duty SET look_at = NULL, look = 'none' WHERE kind = 'finish'",
        {("I3", "look_differs")},
    ),
    "a_duty_taken_away": (
        "DELETE FROM cases_duty WHERE kind = 'progress_visit'",
        {("I3", "next_due_differs"), ("I8", "duty_missing")},
    ),
    "a_state": ("UPDATE cases_case SET state = 'review'", {("I8", "case_differs")}),
    "an_office": (
        "UPDATE cases_assignment SET office_id = (SELECT min(id) FROM directory_office)",
        {("I8", "assignment_differs")},
    ),
    "a_rating": (
        "UPDATE cases_appeal SET satisfaction = 'satisfied'",
        {("I5", "count_differs"), ("I8", "appeal_differs")},
    ),
    "a_figure": ("UPDATE reporting_rollup SET n = n + 1 WHERE measure = 'accepted'", {("I5", "count_differs")}),
    "a_promise_nobody_answers_for": (
        "UPDATE accounts_principal SET disabled_at = '2026-01-01'",
        {("I3", "nobody_answers")},
    ),
}


@pytest.mark.parametrize(("sql", "found"), BREAKS.values(), ids=BREAKS)
def test_what_was_changed_by_hand_is_named(told: Told, sql: str, found: set[tuple[str, str]]) -> None:
    changed = by_hand(sql)

    report = checked(told.moment, deep="sealed" in sql)

    assert changed >= 1
    assert broken(report) == found
    assert any(finding.case == told.number for finding in report.findings) or found == {("I5", "count_differs")}


def test_a_broken_line_is_named_by_case_and_place(told: Told) -> None:
    by_hand("UPDATE cases_entry SET body = body || '\\x20'::bytea WHERE seq = 2")

    report = checked(told.moment)

    assert [(finding.what, finding.case, finding.seq) for finding in report.findings] == [
        ("chain_broken", told.number, 2)
    ]
    assert told.number in report.as_text()
    assert json.loads(report.as_json())["findings"][0]["seq"] == 2


def test_a_forged_chain_is_found_by_the_receipt_a_resident_holds(told: Told) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, body FROM cases_entry ORDER BY seq")
        lines = cursor.fetchall()
    prev = entries.GENESIS
    for row_id, body in lines:
        forged = bytes(body).replace(b'"channel":"h5"', b'"channel":"h6"')
        head = entries.chain(prev, forged)
        by_hand("UPDATE cases_entry SET body = %s, prev = %s, hash = %s WHERE id = %s", forged, prev, head, row_id)
        prev = head
    by_hand("UPDATE cases_case SET head = %s", prev)
    by_hand("UPDATE cases_appeal SET channel = 'h6'")

    report = checked(told.moment)

    assert broken(report) == {("I4", "receipt_differs")}


def test_a_telling_doubled_by_hand_is_found(told: Told) -> None:
    by_hand("DROP INDEX IF EXISTS appeal_source_ref")
    by_hand("CREATE TABLE doubled AS SELECT * FROM cases_appeal")
    by_hand("UPDATE doubled SET id = id + 1, number = 'FX26112000024', query_hash = decode(repeat('01', 32), 'hex')")
    by_hand("INSERT INTO cases_appeal SELECT * FROM doubled")
    by_hand("UPDATE cases_appeal SET source_ref = 'A-1'")

    report = checked(told.moment)

    assert {("I2", "source_doubled"), ("I2", "registered_not_once")} <= broken(report)


class TestACanary:
    def test_that_is_nowhere_is_no_finding(self, told: Told, tmp_path: Path) -> None:
        file = tmp_path / "canaries"
        file.write_text("13800000001\n示例王\nnobody ever wrote this\n", encoding="utf-8")

        report = checked(told.moment, canaries=file)

        assert report.ok
        assert report.counted["rows"] > 100

    @pytest.mark.parametrize("form", ["示例的金丝雀在这里", "示例的金丝雀在这里".encode().hex()])
    def test_that_lies_in_a_table_is_found_in_any_form(self, told: Told, tmp_path: Path, form: str) -> None:
        file = tmp_path / "canaries"
        file.write_text("示例的金丝雀在这里", encoding="utf-8")
        by_hand("UPDATE cases_appeal SET datum = %s", form)

        report = checked(told.moment, canaries=file)

        assert broken(report) >= {("I6", "canary_in_table")}
        assert "cases_appeal" in report.as_text()
        assert "金丝雀" not in report.as_text()

    def test_that_lies_in_a_file_is_found_across_the_border_of_two_blocks(self, told: Told, tmp_path: Path) -> None:
        canary = "示例的金丝雀在这里"
        (tmp_path / "logs").mkdir()
        (tmp_path / "logs" / "web.log").write_bytes(b"x" * ((1 << 20) - 5) + canary.encode() + b"x" * 100)
        file = tmp_path / "canaries"
        file.write_text(json.dumps({"strings": [canary], "paths": [str(tmp_path / "logs")]}), encoding="utf-8")

        report = checked(told.moment, canaries=file)

        assert broken(report) == {("I6", "canary_in_file")}

    def test_that_is_too_short_to_mean_anything_is_refused(self, told: Told, tmp_path: Path) -> None:
        file = tmp_path / "canaries"
        file.write_text("灯")

        with pytest.raises(ValueError, match="at least"):
            checked(told.moment, canaries=file)
