"""The append-only ledger: nobody who serves pages can change a line, and whoever else does is found out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from fuzhengtong.cases import actions, ledger, models, queries, rules, steps
from fuzhengtong.cases.states import State
from fuzhengtong.charter.moment import SYSTEM, Moment
from fuzhengtong.config.grants import APPEND_ONLY
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory import world
from fuzhengtong.jobs import chains
from fuzhengtong.jobs.findings import Report
from fuzhengtong.jobs.verify import verify
from fuzhengtong.kernel.ids import SeededMint
from fuzhengtong.reporting import actions as reporting_actions
from fuzhengtong.reporting.queries import still_view
from tests.builders import City, Told, tell
from tests.cluster import Databases
from tests.conftest import NOON, point_to

REFUSED = "42501"  # insufficient_privilege


def state_of(sql: str) -> str | None:
    """Run a statement and return the state with which the server refuses it; nothing where it does not."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    except DatabaseError as error:
        cause = error.__cause__
        assert isinstance(cause, psycopg.Error)
        return cause.sqlstate
    return None


@contextmanager
def as_owner(databases: Databases, name: str) -> Iterator[None]:
    point_to(databases.owner_url(name))
    yield
    point_to(databases.app_url(name))


def by_hand(sql: str, *params: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.rowcount


def checked() -> Any:
    return verify(acknowledged=None, canaries=None, deep=False, say=lambda line: None)


def checked_chains(moment: Moment) -> Report:
    """Look at the ledgers alone, and open every text."""
    report = Report(at=moment.at)
    with still_view():
        chains.prove(report, deep=True, say=lambda line: None)
    return report


# --- the first line: the grant -----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE {} SET id = id",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "TRUNCATE {} CASCADE",
        "SELECT * FROM {} FOR UPDATE",
        "SELECT * FROM {} FOR NO KEY UPDATE",
        "MERGE INTO {} t USING (SELECT 1) x ON true WHEN MATCHED THEN DELETE",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "ALTER TABLE {} ADD COLUMN more text",
        "ALTER TABLE {} ENABLE ROW LEVEL SECURITY",
        "DROP TABLE {}",
        "CREATE RULE hide AS ON INSERT TO {} DO INSTEAD NOTHING",
        "GRANT UPDATE ON {} TO fz_app",
    ],
)
def test_who_serves_pages_cannot_change_what_is_append_only(db, table: str, sql: str) -> None:
    found = state_of(sql.format(table))

    # A grant that is not one's own to give is answered with a warning and gives nothing.
    if sql.startswith("GRANT"):
        assert state_of(f"UPDATE {table} SET id = id") == REFUSED
    else:
        assert found == REFUSED


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TRIGGER entry_append_only ON cases_entry",
        "DROP FUNCTION ledger_is_append_only() CASCADE",
        "CREATE OR REPLACE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
        "SET session_replication_role = replica",
        "SET ROLE fz_owner",
        "SET SESSION AUTHORIZATION fz_owner",
        "CREATE TABLE public.mine (id int)",
        "COPY cases_entry TO PROGRAM 'cat'",
        "COPY cases_entry TO '/tmp/entries'",
        "INSERT INTO django_migrations VALUES (0, 'cases', '9999', now())",
    ],
)
def test_who_serves_pages_cannot_go_round_the_ledger(db, sql: str) -> None:
    assert state_of(sql) == REFUSED


def test_who_serves_pages_owns_nothing_and_is_nobody_special(db) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls, current_user"
            " FROM pg_roles WHERE rolname = current_user"
        )
        special, name = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = %s::regrole", [name])
        (owned,) = cursor.fetchone()

    assert (special, owned) == (False, 0)


# --- the second line: the trigger --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql", ["UPDATE cases_entry SET seq = seq", "DELETE FROM cases_entry", "TRUNCATE cases_entry CASCADE"]
)
def test_the_owner_is_stopped_by_the_trigger(owned: Told, sql: str) -> None:
    before = models.Entry.objects.count()

    assert state_of(sql) == REFUSED

    assert models.Entry.objects.count() == before > 0


def test_nothing_relies_on_the_triggers(databases, own_database, city, moment) -> None:
    with as_owner(databases, own_database):
        by_hand("DROP FUNCTION ledger_is_append_only() CASCADE")

    told = tell(city, moment).walk_to(State.CLOSED)

    reporting_actions.fold()
    assert state_of("UPDATE cases_entry SET seq = seq") == REFUSED
    assert state_of("DELETE FROM cases_entry") == REFUSED
    assert state_of("TRUNCATE cases_entry") == REFUSED
    assert told.case.state == State.CLOSED
    assert checked().ok
    assert checked_chains(moment).ok


# --- the third line: the chain -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def walked(databases: Databases, worker_database: str) -> Iterator[tuple[str, Told]]:
    name = databases.clone("o")
    point_to(databases.app_url(name))
    mint = SeededMint(seed=3, start_ms=int(NOON.timestamp() * 1000), node=63)
    moment = Moment(at=NOON, by=SYSTEM, charters=world.charters(), calendar=directory_queries.calendar(), mint=mint)
    tell(City(), moment, "和平街道光明社区的下水道堵了")
    told = tell(City(), moment).walk_to(State.WORKING)
    reporting_actions.fold()
    point_to(databases.app_url(worker_database))
    yield name, told
    databases.drop(name)


@pytest.fixture
def owned(databases: Databases, worker_database: str, walked: tuple[str, Told]) -> Iterator[Told]:
    """A case in the hands of the owner of its table; what he does is undone."""
    name, told = walked
    point_to(databases.owner_url(name))
    with transaction.atomic():
        yield told
        transaction.set_rollback(True)
    point_to(databases.app_url(worker_database))


@pytest.fixture
def in_hand(owned: Told) -> Told:
    """The same, with the trigger switched off."""
    by_hand("ALTER TABLE cases_entry DISABLE TRIGGER USER")
    return owned


FLIP = "set_byte(body, %s, get_byte(body, %s) # 1)"


@pytest.mark.parametrize("seq", [1, 2, 4])
def test_one_changed_bit_is_found_with_its_case_and_place(in_hand: Told, seq: int) -> None:
    sql = f"UPDATE cases_entry SET body = {FLIP} WHERE case_id = %s AND seq = %s"
    assert by_hand(sql, 40, 40, in_hand.case_id, seq) == 1

    report = checked_chains(in_hand.moment)

    found = {(one.invariant, one.what, one.case, one.seq) for one in report.findings if one.invariant == "I4"}
    assert ("I4", "chain_broken", in_hand.number, seq) in found
    assert {one[3] for one in found} == {seq}
    assert report.exit_code == 1


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("DELETE FROM cases_entry WHERE case_id = %s AND seq = 3", "entry_missing"),
        ("DELETE FROM cases_entry WHERE case_id = %s AND seq = 4", "head_differs"),
        ("UPDATE cases_entry SET by_office = 1 WHERE case_id = %s AND seq = 4", "columns_unlike_bytes"),
        ("UPDATE cases_entry SET at = at - interval '1 hour' WHERE case_id = %s AND seq = 2", "columns_unlike_bytes"),
        ("UPDATE cases_entry SET hash = sha256(hash) WHERE case_id = %s AND seq = 4", "chain_broken"),
    ],
)
def test_a_line_taken_out_or_turned_is_found(in_hand: Told, sql: str, what: str) -> None:
    by_hand("DELETE FROM cases_follow")
    by_hand(sql, in_hand.case_id)

    found = {(one.what, one.case) for one in checked_chains(in_hand.moment).findings}

    assert (what, in_hand.number) in found


def test_the_receipt_of_a_telling_is_proved_and_a_forged_one_is_not(db, city, moment) -> None:
    told, other = tell(city, moment), tell(city, moment, "和平街道光明社区的下水道堵了")
    told = told.walk_to(State.REVIEW)
    forged = ("0" if told.receipt[0] != "0" else "1") + told.receipt[1:]

    proof = queries.proof(appeal_id=told.appeal_id, receipt=told.receipt)

    assert proof.stands and proof.at == moment.at and proof.entries == told.case.version
    assert not queries.proof(appeal_id=told.appeal_id, receipt=forged).stands
    assert not queries.proof(appeal_id=told.appeal_id, receipt=other.receipt).stands
    assert not queries.proof(appeal_id=told.appeal_id, receipt="").stands
    assert not queries.proof(appeal_id=0, receipt=told.receipt).stands


def test_a_receipt_no_longer_stands_when_a_later_line_was_changed(in_hand: Told) -> None:
    by_hand(f"UPDATE cases_entry SET body = {FLIP} WHERE case_id = %s AND seq = 3", 40, 40, in_hand.case_id)

    assert not queries.proof(appeal_id=in_hand.appeal_id, receipt=in_hand.receipt).stands


# --- what may go -------------------------------------------------------------------------------------------------


def test_an_erased_text_is_gone_and_the_chain_stays_whole(db, city, moment) -> None:
    told = tell(city, moment).walk_to(State.CLOSED)
    reporting_actions.fold()
    passage = models.Passage.objects.get(case_id=told.case_id, kind="telling")

    models.Passage.objects.filter(id=passage.id).update(wrapped_key=None)

    passage.refresh_from_db()
    case = models.Case.objects.get(id=told.case_id)
    assert ledger.unseal(key=ledger.data_key(case.number, bytes(case.data_key)), passage=passage) is None
    assert queries.proof(appeal_id=told.appeal_id, receipt=told.receipt).stands
    report = checked_chains(moment)
    assert report.ok and report.counted["texts"] == models.Passage.objects.count() - 1


def test_the_ledger_holds_no_word_that_somebody_wrote(db, city, moment) -> None:
    told = tell(city, moment, "瑯琊一路灯", source_ref="瑯琊零", location=None).dispatch().sign()
    told.take(steps.NOTE, told.by("handler"), texts={"note": "瑯琊二"})
    told.contact()
    told.take(steps.FINISH, told.by("handler"), texts={"result": "瑯琊三", "reply": "瑯琊四"})
    told.take(steps.SEND_BACK, told.by("reviewer"), texts={"reason": "瑯琊五"})
    told.take(steps.SUPPLEMENT, told.teller, appeal_id=told.appeal_id, texts={"note": "瑯琊六"})
    told.take(steps.WITHDRAW, told.teller, appeal_id=told.appeal_id, texts={"reason": "瑯琊七"})

    bodies = b"".join(bytes(body) for body in models.Entry.objects.values_list("body", flat=True))

    assert models.Passage.objects.filter(case_id=told.case_id).count() >= 8
    assert "瑯琊".encode() not in bodies
    assert b"\\u7405" not in bodies
    assert "示例".encode() not in bodies


def test_the_same_words_twice_are_committed_to_differently(db, city, moment) -> None:
    for _ in range(2):
        tell(city, moment, "路灯不亮")

    commitments = set(models.Passage.objects.filter(kind="telling").values_list("commitment", flat=True))
    assert len(commitments) == 2


def test_a_step_that_is_refused_leaves_no_line(db, city, moment) -> None:
    told = tell(city, moment)
    before = models.Entry.objects.count()

    for step in (steps.REVIEW, steps.ARRIVE, steps.CLOSE, steps.ARCHIVE):
        with pytest.raises(rules.NotYours):
            actions.take(case_id=told.case_id, step=step, moment=told.teller)

    assert models.Entry.objects.count() == before
    assert told.case.version == before
