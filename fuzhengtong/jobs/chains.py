"""The proof of every case by itself: its chain of bytes, the promises it owes, the columns its ledger tells.

Called by `verify` alone, inside its reading as of one instant. Batches by id keep memory flat; rows are read by SQL of
its own, so that a fault of the spine's reading does not hide itself. It repairs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from django.core.exceptions import ObjectDoesNotExist

from fuzhengtong.cases import ledger, rules, states
from fuzhengtong.cases.steps import OPENING
from fuzhengtong.charter.editions import NoEdition
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory import world
from fuzhengtong.jobs import replay
from fuzhengtong.jobs.findings import Report, select
from fuzhengtong.kernel import crypto, entries
from fuzhengtong.kernel.calendar import Calendar

BATCH = 400


class _Entry(NamedTuple):
    id: int
    case_id: int
    appeal_id: int | None
    seq: int
    at: datetime
    told_at: datetime | None
    by_kind: str
    by_principal: int | None
    by_post: int | None
    by_post_kind: str
    by_office: int | None
    step: str
    step_version: int
    edition: str
    body: bytes
    prev: bytes
    hash: bytes


class _Passage(NamedTuple):
    id: int
    case_id: int
    kind: str
    salt: bytes
    commitment: str
    wrapped_key: bytes | None
    sealed: bytes | None


_CASE = tuple(states.CaseRow.__struct_fields__)
_APPEAL = (*states.AppealRow.__struct_fields__, "receipt", "telling_id")
_DUTY = tuple(states.DutyRow.__struct_fields__)
_ASSIGNMENT = tuple(states.AssignmentRow.__struct_fields__)
# What the ledger tells of each row: all but keys, links to people, and what is worked out anew from the rest.
_TOLD_CASE = tuple(name for name in _CASE if name not in ("head", "data_key"))
_TOLD_APPEAL = tuple(name for name in states.AppealRow.__struct_fields__ if name != "resident_id")
_TOLD_DUTY = tuple(name for name in _DUTY if name not in ("look", "look_at"))

_LINE = msgspec.json.Decoder()


@dataclass
class _Batch:
    """The rows of some cases, by case."""

    cases: list[dict[str, Any]]
    appeals: dict[int, list[dict[str, Any]]]
    duties: dict[int, list[dict[str, Any]]]
    assignments: dict[int, list[dict[str, Any]]]
    entries: dict[int, list[_Entry]]
    passages: dict[int, list[_Passage]]


def _of_cases(names: Sequence[str], table: str) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    return f"SELECT {listed} FROM {table} WHERE case_id = ANY(%s) ORDER BY case_id, id"  # noqa: S608 - names of our own


def _read(after: int, deep: bool) -> _Batch | None:
    listed = ", ".join(f'"{name}"' for name in _CASE)
    sql = f"SELECT {listed} FROM cases_case WHERE id > %s ORDER BY id LIMIT %s"  # noqa: S608 - names of our own
    cases = [dict(zip(_CASE, row, strict=True)) for row in select(sql, [after, BATCH], binary=True)]
    if not cases:
        return None
    ids = [case["id"] for case in cases]

    def of(names: Sequence[str], table: str) -> dict[int, list[dict[str, Any]]]:
        grouped: dict[int, list[dict[str, Any]]] = {case_id: [] for case_id in ids}
        for row in select(_of_cases(names, table), [ids], binary=True):
            held = dict(zip(names, row, strict=True))
            grouped[held["case_id"]].append(held)
        return grouped

    def lines(kind: Any, table: str, order: str, blank: Iterable[str] = ()) -> dict[int, list[Any]]:
        listed = ", ".join(f"NULL::bytea AS {name}" if name in blank else name for name in kind._fields)
        sql = f"SELECT {listed} FROM {table} WHERE case_id = ANY(%s) ORDER BY case_id, {order}"  # noqa: S608 - as above
        grouped: dict[int, list[Any]] = {case_id: [] for case_id in ids}
        for row in select(sql, [ids], binary=True):
            grouped[row[1]].append(kind(*row))
        return grouped

    return _Batch(
        cases=cases,
        appeals=of(_APPEAL, "cases_appeal"),
        duties=of(_DUTY, "cases_duty"),
        assignments=of(_ASSIGNMENT, "cases_assignment"),
        entries=lines(_Entry, "cases_entry", "seq"),
        passages=lines(_Passage, "cases_passage", "id", () if deep else ("wrapped_key", "sealed")),
    )


def prove(report: Report, *, deep: bool, say: Callable[[str], None]) -> None:
    """Prove every case: its chain (I4), its promises (I3) and its columns (I8); `deep` also opens its texts."""
    total = select("SELECT count(*) FROM cases_case")[0][0]
    city = world.charters().editions[0].city
    after, told_at = 0, time.monotonic()
    while (batch := _read(after, deep)) is not None:
        for case in batch.cases:
            _case(case, batch, report, city, deep)
        report.counted["cases"] += len(batch.cases)
        after = batch.cases[-1]["id"]
        if time.monotonic() - told_at > 2:
            say(f"{report.counted['cases']:,} of {total:,} cases, {report.counted['entries']:,} entries")
            told_at = time.monotonic()
    _lost(report)
    report.unchecked.append("I4: no anchors are kept yet")
    if not deep:
        report.unchecked.append("I4: texts were not opened and compared with their commitments (--deep does)")


_ORPHANS = {
    "entry_without_case": "cases_entry",
    "appeal_without_case": "cases_appeal",
    "duty_without_case": "cases_duty",
}


def _lost(report: Report) -> None:
    """Look for rows whose case is gone: a restore or a hand may have passed the foreign keys by."""
    for what, table in _ORPHANS.items():
        sql = (
            f"SELECT count(*) FROM {table} t WHERE NOT EXISTS "  # noqa: S608 - names of our own
            "(SELECT FROM cases_case c WHERE c.id = t.case_id)"
        )
        if count := select(sql)[0][0]:
            report.found("I4", what, detail=f"{count} rows")


def _case(case: dict[str, Any], batch: _Batch, report: Report, city: str, deep: bool) -> None:
    case_id, number = case["id"], case["number"]
    appeals, duties, lines = batch.appeals[case_id], batch.duties[case_id], batch.entries[case_id]
    passages = {row.id: row for row in batch.passages[case_id]}
    rebuilt = _chain(case, lines, passages, report, city)
    _receipts(number, appeals, lines, passages, report)
    if deep:
        _texts(case, passages.values(), report)
    _promises(case, duties, rebuilt, report)
    if rebuilt is not None:
        _columns(case, appeals, duties, batch.assignments[case_id], rebuilt, report)


def _chain(
    case: Mapping[str, Any],
    lines: Sequence[_Entry],
    passages: Mapping[int, _Passage],
    report: Report,
    city: str,
) -> replay.Rebuilt | None:
    """Hash the chain anew from its stored bytes and rebuild the case from them; nothing where it cannot be."""
    number, prev, rebuilt = case["number"], entries.GENESIS, replay.Rebuilt()
    is_whole = True
    for place, line in enumerate(lines, start=1):
        report.counted["entries"] += 1
        if line.seq != place:
            report.found("I4", "entry_missing", case=number, seq=place, detail=f"next is {line.seq}")
            return None
        if line.prev != prev or line.hash != entries.chain(prev, line.body):
            report.found("I4", "chain_broken", case=number, seq=line.seq)
            is_whole = False
        # The bytes as they stand go on into the chain, so that one fault is named once and not on every later line.
        prev = line.hash
        try:
            told = _LINE.decode(line.body)
            if wrong := _unlike(line, told, city):
                report.found("I4", "columns_unlike_bytes", case=number, seq=line.seq, detail=", ".join(wrong))
            _committed(number, line, told, passages, report)
            rebuilt.apply(line.id, told)
        except (msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError) as fault:
            report.found("I4", "bytes_unreadable", case=number, seq=line.seq, detail=type(fault).__name__)
            return None
    if not lines:
        report.found("I4", "no_ledger", case=number)
        return None
    if case["head"] != prev or case["version"] != len(lines):
        report.found("I4", "head_differs", case=number, seq=len(lines), detail=f"version {case['version']}")
    return rebuilt if is_whole else None


def _unlike(line: _Entry, told: Mapping[str, Any], city: str) -> list[str]:
    """Name the columns of an entry that are not what its bytes say."""
    by, body = told["by"], told["body"]
    said = {
        "format": (entries.FORMAT, told["format"]),
        "city": (city, told["city"]),
        "case_id": (str(line.case_id), told["case"]),
        "seq": (line.seq, told["seq"]),
        "at": (replay.written(line.at), told["at"]),
        "told_at": (replay.written(line.told_at), told["told_at"]),
        "by_kind": (line.by_kind, by["kind"]),
        "by_principal": (replay.written(line.by_principal), by.get("principal")),
        "by_post": (replay.written(line.by_post), by.get("post")),
        "by_post_kind": (line.by_post_kind, by["as"]),
        "by_office": (replay.written(line.by_office), by.get("office")),
        "step": (line.step, told["step"]),
        "step_version": (line.step_version, told["step_version"]),
        "edition": (line.edition, body["edition"]),
        "appeal_id": (replay.written(line.appeal_id), body.get("facts", {}).get("appeal_id")),
    }
    return [name for name, (column, in_bytes) in said.items() if column != in_bytes]


def _committed(
    number: str, line: _Entry, told: Mapping[str, Any], passages: Mapping[int, _Passage], report: Report
) -> None:
    """Check that every text an entry speaks of is there, under the commitment that the entry holds."""
    for held in told["body"].get("facts", {}).values():
        if not isinstance(held, dict) or "commitment" not in held:
            continue
        passage = passages.get(int(held["id"]))
        if passage is None or passage.commitment != held["commitment"]:
            report.found("I4", "text_unlike_commitment", case=number, seq=line.seq, detail=f"passage {held['id']}")


def _receipts(
    number: str,
    appeals: Sequence[Mapping[str, Any]],
    lines: Sequence[_Entry],
    passages: Mapping[int, _Passage],
    report: Report,
) -> None:
    first = {line.appeal_id: line for line in lines if line.step in OPENING}
    for appeal in appeals:
        report.counted["appeals"] += 1
        line = first.get(appeal["id"])
        if line is None:
            report.found("I4", "appeal_without_entry", case=number, detail=appeal["number"])
        elif appeal["receipt"] != line.hash:
            report.found("I4", "receipt_differs", case=number, seq=line.seq, detail=appeal["number"])
        if appeal["telling_id"] not in passages:
            report.found("I4", "telling_missing", case=number, detail=appeal["number"])


def _texts(case: Mapping[str, Any], passages: Iterable[_Passage], report: Report) -> None:
    """Open every text whose key was not destroyed, and compare its words with the commitment of the ledger."""
    try:
        key = ledger.data_key(case["number"], case["data_key"])
    except (crypto.NotOpened, ValueError):
        report.found("I4", "case_key_not_opened", case=case["number"])
        return
    for passage in passages:
        if passage.wrapped_key is None:
            continue
        report.counted["texts"] += 1
        try:
            plain = ledger.unseal(key=key, passage=passage)  # type: ignore[arg-type]
        except crypto.NotOpened:
            report.found("I4", "text_not_opened", case=case["number"], detail=f"passage {passage.id}")
            continue
        said = crypto.commitment(salt=passage.salt, data=(plain or "").encode())
        if said != passage.commitment:
            report.found("I4", "text_unlike_commitment", case=case["number"], detail=f"passage {passage.id}")


# --- I3: no promise is silent ------------------------------------------------------------------------------------


def _promises(
    case: Mapping[str, Any], duties: Sequence[Mapping[str, Any]], rebuilt: replay.Rebuilt | None, report: Report
) -> None:
    number = case["number"]
    owed = [row for row in duties if row["met_at"] is None and row["voided_at"] is None]
    work = [row for row in owed if row["klass"] != states.DutyClass.HOUSEKEEPING]
    if case["is_open"] != (case["state"] in states.OPEN):
        report.found("I3", "open_is_not_state", case=number, detail=case["state"])
    if case["is_open"] and not work:
        report.found("I3", "open_case_owes_nothing", case=number, detail=case["state"])
    if not case["is_open"] and work:
        report.found("I3", "closed_case_owes_work", case=number, detail=", ".join(row["kind"] for row in work))
    running = [row["due_at"] for row in work if row["paused_at"] is None]
    due = min(running or [row["due_at"] for row in work], default=None) if case["is_open"] else None
    if case["next_due_at"] != due:
        report.found("I3", "next_due_differs", case=number, detail=f"{case['next_due_at']} is {due}")
    for row in duties:
        report.counted["duties"] += 1
        _look(case, row, row in owed, rebuilt, report)


def _look(
    case: Mapping[str, Any],
    row: Mapping[str, Any],
    is_open: bool,
    rebuilt: replay.Rebuilt | None,
    report: Report,
) -> None:
    """Work out when the ticker looks at a duty next, as it was when that was last decided, and compare."""
    number, label = case["number"], f"{row['kind']} {row['id']}"
    if not is_open:
        if row["look_at"] is not None:
            report.found("I3", "settled_duty_still_looked_at", case=number, detail=label)
        return
    version, area = rebuilt.looked.get(row["id"], ("", "")) if rebuilt else (row["calendar"], case["county_code"])
    calendar = _calendar(version, report)
    if calendar is None:
        return
    duty = states.DutyRow(**{**row, "kind": states.DutyKind(row["kind"]), "klass": states.DutyClass(row["klass"])})
    try:
        charter = world.charters().edition(row["edition"])
    except NoEdition:
        report.found("I3", "edition_unknown", case=number, detail=f"{label}: {row['edition']}")
        return
    look, at = rules.next_look(duty, charter, calendar, area or None)
    if row["look"] != look or not _same(row["look_at"], at):
        report.found(
            "I3", "look_differs", case=number, detail=f"{label}: {row['look']} {row['look_at']} is {look} {at}"
        )


def _same(one: datetime | None, other: datetime | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) < timedelta(milliseconds=1)


def _calendar(version: str, report: Report) -> Calendar | None:
    try:
        return directory_queries.calendar_version(version)
    except ObjectDoesNotExist:
        said = f"I3: calendar version {version!r} is not in the database, looks under it were not worked out"
        if said not in report.unchecked:
            report.unchecked.append(said)
        return None


# --- I8: the ledger tells the same columns ------------------------------------------------------------------------


def _columns(
    case: Mapping[str, Any],
    appeals: Sequence[Mapping[str, Any]],
    duties: Sequence[Mapping[str, Any]],
    assignments: Sequence[Mapping[str, Any]],
    rebuilt: replay.Rebuilt,
    report: Report,
) -> None:
    """Compare every column the ledger tells of with the rows of the database."""
    number = case["number"]
    if wrong := replay.differences(rebuilt.case, case, _TOLD_CASE):
        report.found("I8", "case_differs", case=number, seq=case["version"], detail=", ".join(wrong))
    tables = (
        ("appeal", appeals, rebuilt.appeals, _TOLD_APPEAL),
        ("duty", duties, rebuilt.duties, _TOLD_DUTY),
        ("assignment", assignments, rebuilt.assignments, _ASSIGNMENT),
    )
    for name, rows, told, columns in tables:
        held = {row["id"]: row for row in rows}
        for key in told.keys() - held.keys():
            report.found("I8", f"{name}_missing", case=number, detail=str(key))
        for key in held.keys() - told.keys():
            report.found("I8", f"{name}_untold", case=number, detail=str(key))
        for key in told.keys() & held.keys():
            if wrong := replay.differences(told[key], held[key], columns):
                report.found("I8", f"{name}_differs", case=number, detail=f"{key}: {', '.join(wrong)}")
