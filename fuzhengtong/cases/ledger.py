"""Read and write cases in a fixed number of statements: the hot path of the city.

`read` locks the case rows in id order and then, in a second statement, reads what a rule may look at (one statement
that waited for its lock would still see the duties of before the wait). `write` settles old rows in one statement
and inserts new ones in another (a partial-unique slot cannot be freed and refilled in one). Called by actions
inside their transaction; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from fuzhengtong.accounts import hot
from fuzhengtong.cases import models, rules, states, steps
from fuzhengtong.charter.moment import Moment
from fuzhengtong.kernel import crypto
from fuzhengtong.people import keys


class PassageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed text ready to be inserted; bytes are hexadecimal."""

    id: int
    case_id: int
    kind: str
    at: datetime
    salt: str
    commitment: str
    wrapped_key: str
    sealed: str

    @property
    def told(self) -> steps.Passage:
        """What the ledger may know of the text."""
        return steps.Passage(id=self.id, commitment=self.commitment)


class AttachmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stored file ready to be bound to a case; `name` and `wrapped_key` are hexadecimal."""

    id: int
    case_id: int
    appeal_id: int | None = None
    entry_id: int | None = None
    purpose: str
    address: str
    media_type: str
    size: int
    name: str
    wrapped_key: str
    at: datetime


class Once(msgspec.Struct, frozen=True, kw_only=True):
    """An idempotency row that commits with the step: who asked, under which key, for what, and the answer given."""

    client: str
    key: str
    body_hash: bytes
    status: int
    answer: bytes


# --- sealing -----------------------------------------------------------------------------------------------------


def new_data_key(*, case_ref: str, moment: Moment) -> tuple[bytes, str]:
    """Make the data key of a new case: the key itself, and the same wrapped under the city's key (hex)."""
    key = moment.mint.token(32)
    wrapped = crypto.wrap(keyring=keys.keyring(), key=key, aad=case_ref.encode(), nonce=moment.mint.token(12))
    return key, wrapped.hex()


def data_key(number: str, wrapped: str | bytes) -> bytes:
    """Unwrap the data key of a case, bound to the case's number."""
    raw = bytes.fromhex(wrapped) if isinstance(wrapped, str) else bytes(wrapped)
    return crypto.unwrap(keyring=keys.keyring(), wrapped=raw, aad=number.encode())


def seal(*, key: bytes, case_id: int, kind: str, text: str, moment: Moment) -> PassageRow:
    """Seal a text under a key of its own, wrapped by the case's data key, and commit to its words with a salt."""
    mint = moment.mint
    passage_id, own, salt = mint.id(), mint.token(32), mint.token(16)
    aad = passage_aad(passage_id, kind)
    plain = text.encode()
    return PassageRow(
        id=passage_id,
        case_id=case_id,
        kind=kind,
        at=moment.at,
        salt=salt.hex(),
        commitment=crypto.commitment(salt=salt, data=plain),
        wrapped_key=crypto.seal(key=key, plain=own, aad=aad, nonce=mint.token(12)).hex(),
        sealed=crypto.seal(key=own, plain=plain, aad=aad, nonce=mint.token(12)).hex(),
    )


def unseal(*, key: bytes, passage: models.Passage) -> str | None:
    """Open a passage with the data key of its case; None where its own key was destroyed (erased)."""
    if passage.wrapped_key is None:
        return None
    aad = passage_aad(passage.id, passage.kind)
    own = crypto.unseal(key=key, sealed=bytes(passage.wrapped_key), aad=aad)
    return crypto.unseal(key=own, sealed=bytes(passage.sealed), aad=aad).decode()


def passage_aad(passage_id: int, kind: str) -> bytes:
    return f"passage|{passage_id}|{kind}".encode()


# --- reading -----------------------------------------------------------------------------------------------------


def _columns(model: type, row: type[msgspec.Struct], alias: str) -> str:
    """Name the columns of a value row, bytes as hexadecimal."""
    table = {field.attname: field for field in model._meta.concrete_fields}  # type: ignore[attr-defined]
    listed = []
    for name in row.__struct_fields__:
        field = table[_ATTNAMES.get(name, name)]
        column = f'{alias}."{field.column}"'
        if field.get_internal_type() == "BinaryField":
            column = f"encode({column}, 'hex')"
        listed.append(f'{column} AS "{name}"')
    return ", ".join(listed)


# Value rows say `owed_by` for the office; the model's attribute is `owed_by_id`.
_ATTNAMES = {"owed_by": "owed_by_id"}
_LOCK = "SELECT id FROM cases_case WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


def _part(table: str, model: type, row: type[msgspec.Struct], where: str = "") -> str:
    inner = f"SELECT {_columns(model, row, 'x')} FROM {table} x WHERE x.case_id = c.id {where} ORDER BY x.id"
    return f"COALESCE((SELECT json_agg(to_json(r)) FROM ({inner}) r), '[]'::json)"


_READ = (
    "SELECT json_build_object("
    f"'case', (SELECT to_json(r) FROM (SELECT {_columns(models.Case, states.CaseRow, 'c')}) r), "
    f"'appeals', {_part('cases_appeal', models.Appeal, states.AppealRow)}, "
    "'duties', "
    + _part("cases_duty", models.Duty, states.DutyRow, "AND x.met_at IS NULL AND x.voided_at IS NULL")
    + f", 'assignments', {_part('cases_assignment', models.Assignment, states.AssignmentRow)}"
    ")::text FROM cases_case c WHERE c.id = ANY(%s) ORDER BY c.id"
)
_SNAPSHOT = msgspec.json.Decoder(states.Snapshot)


def read(case_ids: Sequence[int], *, skip_locked: bool = False) -> list[states.Snapshot]:
    """Lock cases in id order and return their snapshots in id order; ids that do not exist are left out.

    With `skip_locked` a case that another transaction holds is left to it.
    """
    locked = hot.run(_LOCK + (" SKIP LOCKED" if skip_locked else ""), (list(case_ids),))
    return look([row[0] for row in locked])


def look(case_ids: Sequence[int]) -> list[states.Snapshot]:
    """Return snapshots without a lock, for pages that only show."""
    return [_SNAPSHOT.decode(row[0]) for row in hot.run(_READ, (list(case_ids),))]


# --- writing -----------------------------------------------------------------------------------------------------


class _Table:
    """How the value rows of one table become one JSON parameter and one INSERT or UPDATE."""

    def __init__(self, name: str, model: type, only: Iterable[str] = ()) -> None:
        fields = list(model._meta.concrete_fields)  # type: ignore[attr-defined]
        self.name, self.table = name, model._meta.db_table  # type: ignore[attr-defined]
        self.binary = {field.attname for field in fields if field.get_internal_type() == "BinaryField"}
        self.column = {field.attname: field.column for field in fields}
        self.columns = [field.column for field in fields]
        self.settable = [f'"{self.column[name]}" = x."{self.column[name]}"' for name in only]

    def insert(self) -> str:
        listed = ", ".join(f'"{column}"' for column in self.columns)
        taken = ", ".join(f'x."{column}"' for column in self.columns)
        source = f"json_populate_recordset(NULL::{self.table}, %({self.name})s::json) x"
        return f"{self.name} AS (INSERT INTO {self.table} ({listed}) SELECT {taken} FROM {source})"

    def update(self) -> str:
        source = f"json_populate_recordset(NULL::{self.table}, %({self.name})s::json) x"
        return f"{self.name} AS (UPDATE {self.table} t SET {', '.join(self.settable)} FROM {source} WHERE t.id = x.id)"

    def wire(self, rows: Iterable[Any], extra: Mapping[int, Mapping[str, Any]] | None = None) -> str:
        listed = []
        for row in rows:
            values = {_ATTNAMES.get(name, name): getattr(row, name) for name in row.__struct_fields__}
            if extra and row.id in extra:
                values |= extra[row.id]
            listed.append({self.column[name]: self._value(name, value) for name, value in values.items()})
        return _json(listed)

    def _value(self, name: str, value: Any) -> Any:
        if name in self.binary and value is not None:
            return "\\x" + (value if isinstance(value, str) else bytes(value).hex())
        return value


_CASE_KEPT = [name for name in states.CaseRow.__struct_fields__ if name not in ("id", "data_key", "number", "kind")]
_APPEAL_KEPT = [
    name
    for name in states.AppealRow.__struct_fields__
    if name not in ("id", "number", "channel", "resident_id", "received_at", "biz_month", "confidential", "anonymous")
]
_DUTY_KEPT = [
    "due_at", "paused_at", "remaining", "provisional", "calendar", "rung", "look", "look_at",
    "met_at", "met_by", "voided_at", "voided_by",
]  # fmt: skip
_ASSIGNMENT_KEPT = ["state", "signed_at", "done_at", "result_id"]

_CASES = _Table("cases", models.Case, _CASE_KEPT)
_APPEALS = _Table("appeals", models.Appeal, _APPEAL_KEPT)
_DUTIES = _Table("duties", models.Duty, _DUTY_KEPT)
_ASSIGNMENTS = _Table("assignments", models.Assignment, _ASSIGNMENT_KEPT)
_ENTRIES = _Table("entries", models.Entry)
_PASSAGES = _Table("passages", models.Passage)
_ATTACHMENTS = _Table("attachments", models.Attachment)

_FOLLOW = (
    "follows AS (INSERT INTO cases_follow (entry_id, follower, tries, not_before, trouble) "
    "SELECT x.entry_id, x.follower, 0, x.not_before, '' FROM "
    "json_to_recordset(%(follows)s::json) x(entry_id bigint, follower text, not_before timestamptz))"
)
_DELTA = (
    "deltas AS (INSERT INTO cases_delta (id, month, area_id, root, measure, n) "
    "SELECT x.id, x.month, x.area_id, x.root, x.measure, x.n FROM json_to_recordset(%(deltas)s::json) "
    "x(id bigint, month int, area_id bigint, root text, measure text, n int))"
)
_ONCE = (
    "onces AS (INSERT INTO accounts_once (client, key, body_hash, status, answer, at) "
    "SELECT x.client, x.key, x.body_hash, x.status, x.answer, x.at FROM json_to_recordset(%(onces)s::json) "
    "x(client text, key text, body_hash bytea, status int, answer bytea, at timestamptz))"
)
# A part that has no rows is left out of the statement: starting it costs the database more than a row in it.
_SETTLED = {
    "duties": _DUTIES.update(),
    "cases": _CASES.update(),
    "appeals": _APPEALS.update(),
    "assignments": _ASSIGNMENTS.update(),
}
_INSERTED = {
    "cases": _CASES.insert(),
    "appeals": _APPEALS.insert(),
    "passages": _PASSAGES.insert(),
    "entries": _ENTRIES.insert(),
    "assignments": _ASSIGNMENTS.insert(),
    "duties": _DUTIES.insert(),
    "attachments": _ATTACHMENTS.insert(),
    "follows": _FOLLOW,
    "deltas": _DELTA,
    "onces": _ONCE,
}


def _run(parts: Mapping[str, str], rows: Mapping[str, str]) -> None:
    """Run the parts that have rows as one statement; every mixture of parts is prepared once."""
    given = {name: wired for name, wired in rows.items() if wired != "[]"}
    if given:
        hot.run(f"WITH {', '.join(parts[name] for name in parts if name in given)} SELECT 1", given)


def write(
    plans: Sequence[rules.Plan],
    *,
    moment: Moment,
    passages: Sequence[PassageRow] = (),
    attachments: Sequence[AttachmentRow] = (),
    appeals: Mapping[int, Mapping[str, Any]] | None = None,
    once: Once | None = None,
) -> None:
    """Write plans of one or many cases in at most two statements; several plans of one case in their order.

    `appeals` adds to new appeal rows what no rule looks at (query hash, passages, place). An idempotency row that
    stands already raises IntegrityError and undoes everything: the caller answers what was answered before.
    """
    old, new = _folded(plans)
    _run(
        _SETTLED,
        {
            "duties": _DUTIES.wire(old["duties"]),
            "cases": _CASES.wire(old["cases"]),
            "appeals": _APPEALS.wire(old["appeals"]),
            "assignments": _ASSIGNMENTS.wire(old["assignments"]),
        },
    )
    _run(
        _INSERTED,
        {
            "cases": _CASES.wire(new["cases"]),
            "appeals": _APPEALS.wire(new["appeals"], appeals),
            "passages": _PASSAGES.wire(passages),
            "entries": _ENTRIES.wire(plan.entry for plan in plans),
            "assignments": _ASSIGNMENTS.wire(new["assignments"]),
            "duties": _DUTIES.wire(new["duties"]),
            "attachments": _ATTACHMENTS.wire(attachments),
            "follows": _json(
                [
                    {"entry_id": plan.entry.id, "follower": name, "not_before": moment.at}
                    for plan in plans
                    for name in plan.follow
                ]
            ),
            "deltas": _json(
                [
                    {
                        "id": moment.mint.id(),
                        "month": count.month,
                        "area_id": count.area_id,
                        "root": count.root,
                        "measure": count.measure,
                        "n": count.n,
                    }
                    for plan in plans
                    for count in plan.counts
                ]
            ),
            "onces": _json(_once(once, moment)),
        },
    )


def _json(rows: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(rows).decode()


def _once(once: Once | None, moment: Moment) -> list[dict[str, Any]]:
    if once is None:
        return []
    return [
        {
            "client": once.client,
            "key": once.key,
            "body_hash": "\\x" + once.body_hash.hex(),
            "status": once.status,
            "answer": "\\x" + once.answer.hex(),
            "at": moment.at,
        }
    ]


def _folded(plans: Sequence[rules.Plan]) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Fold the plans of each case into rows to update and rows to insert."""
    old: dict[str, list[Any]] = {"cases": [], "appeals": [], "duties": [], "assignments": []}
    new: dict[str, list[Any]] = {"cases": [], "appeals": [], "duties": [], "assignments": []}
    first: dict[int, states.Snapshot] = {}
    last: dict[int, rules.Plan] = {}
    kept: dict[int, dict[int, states.DutyRow]] = {}
    for plan in plans:
        case_id = plan.entry.case_id
        first.setdefault(case_id, plan.before)
        last[case_id] = plan
        kept.setdefault(case_id, {}).update({row.id: row for row in plan.after.duties})
    for case_id, plan in last.items():
        before, after = first[case_id], plan.after
        (new if before.case is None else old)["cases"].append(after.case)
        pairs = (
            ("appeals", before.appeals, after.appeals),
            ("assignments", before.assignments, after.assignments),
            ("duties", before.duties, tuple(kept[case_id].values())),
        )
        for name, rows_before, rows_after in pairs:
            known = {row.id: row for row in rows_before}
            for row in rows_after:
                if row.id not in known:
                    new[name].append(row)
                elif row != known[row.id]:
                    old[name].append(row)
    return old, new
