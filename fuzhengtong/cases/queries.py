"""Everything that is read of cases: for desks by viewer, for the resident by his query code, for the machine.

Whatever a list shows is a subset of what the record view allows: `scope` is the same rule as `permits.PERMITS`
written for the database, and a law test walks both. Frozen values go to the web; QuerySets stay in here.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from fuzhengtong.cases import ledger, models, permits, states
from fuzhengtong.cases.steps import OPENING
from fuzhengtong.charter.moment import Actor
from fuzhengtong.kernel import crypto, masks, typed
from fuzhengtong.kernel import entries as kernel_entries
from fuzhengtong.people import keys as people_keys

PAGE = 50
HEADLINE = 40
BOUND = 99


@dataclass(frozen=True)
class Teller:
    """Who told, in clear. Handed out by `cases.actions.opened` alone, and by notices to the mailroom."""

    name: str
    phone: str


@dataclass(frozen=True)
class ForOpening:
    snapshot: states.Snapshot
    resident_id: int | None
    teller: Teller


@dataclass(frozen=True)
class DutyView:
    """A duty as ribbons and lists show it."""

    id: int
    case_id: int
    appeal_id: int | None
    kind: str
    klass: str
    owed_by: int
    owed_by_post: str
    owed_from: datetime
    length: int
    unit: str
    due_at: datetime
    paused_at: datetime | None
    provisional: bool
    rung: int
    met_at: datetime | None
    voided_at: datetime | None


@dataclass(frozen=True)
class Row:
    """One case as a list shows it."""

    id: int
    number: str
    kind: str
    state: str
    urgency: str
    headline: str
    channel: str
    category_code: str
    category_id: int | None
    area_id: int
    office_id: int | None
    received_at: datetime
    next_due_at: datetime | None
    appeal_count: int
    redo_count: int
    supervision: int
    confidential: bool
    is_hard: bool
    at_desk: bool
    duties: tuple[DutyView, ...]


@dataclass(frozen=True)
class Page:
    """One page of a list, and the key of the next one."""

    rows: tuple[Row, ...]
    after: str


@dataclass(frozen=True)
class Telling:
    """One telling as a desk sees it: the words in full, the teller masked."""

    appeal_id: int
    number: str
    state: str
    channel: str
    received_at: datetime
    told_at: datetime | None
    text: str
    place: str
    masked_name: str
    masked_phone: str
    principal_masked: str
    confidential: bool
    anonymous: bool
    lat: float | None
    lng: float | None
    answer: str
    visit_result: str | None
    solved: str | None
    satisfaction: str | None
    rated_at: datetime | None
    source_ref: str


@dataclass(frozen=True)
class Line:
    """One line of the ledger, with the texts it speaks of."""

    id: int
    seq: int
    at: datetime
    told_at: datetime | None
    step: str
    step_version: int
    by_kind: str
    by_principal: int | None
    by_post: int | None
    by_post_kind: str
    by_office: int | None
    appeal_id: int | None
    facts: dict[str, Any]
    texts: dict[str, str]
    hash: str


@dataclass(frozen=True)
class File:
    id: int
    appeal_id: int | None
    purpose: str
    name: str
    media_type: str
    size: int
    at: datetime


@dataclass(frozen=True)
class CaseView:
    """One case in full, for a viewer who may see it."""

    snapshot: states.Snapshot
    tellings: tuple[Telling, ...]
    duties: tuple[DutyView, ...]
    lines: tuple[Line, ...]
    files: tuple[File, ...]

    @property
    def case(self) -> states.CaseRow:
        return self.snapshot.known


# --- scope -------------------------------------------------------------------------------------------------------


def scope(viewer: Actor) -> QuerySet[models.Case]:
    """Return the cases a viewer may see at all: PERMITS["see_case"] for the database."""
    cases = models.Case.objects.all()
    if viewer.kind == "resident" and viewer.appeal_id is not None:
        return cases.filter(appeals__id=viewer.appeal_id)
    if viewer.post_kind in permits.DESK_POSTS:
        if viewer.level == "city":
            return cases
        column = {"county": "county_id", "town": "town_id", "community": "community_id"}.get(viewer.level)
        if column is not None and viewer.area is not None:
            return cases.filter(**{column: viewer.area})
    if viewer.post_kind in permits.OFFICE_POSTS and viewer.office is not None:
        given = models.Assignment.objects.filter(case_id=OuterRef("id"), office_id=viewer.office)
        owing = models.Duty.objects.filter(
            case_id=OuterRef("id"), owed_by_id=viewer.office, met_at__isnull=True, voided_at__isnull=True
        )
        return cases.filter(Exists(given.exclude(state=states.AssignmentState.CANCELLED)) | Exists(owing))
    return cases.none()


def _branch(viewer: Actor) -> QuerySet[models.Case]:
    """Return the cases a viewer's own lists draw from: a subset of `scope` that one partial index serves."""
    if viewer.post_kind in permits.OFFICE_POSTS and viewer.office is not None:
        return models.Case.objects.filter(office_id=viewer.office)
    return scope(viewer)


# The queues of the desks, by post kind, in the order in which they are worked.
QUEUES: dict[str, tuple[str, ...]] = {
    "handler": ("to_sign", "working", "due_today", "overdue", "redo", "in_review", "done"),
    "head": ("to_sign", "working", "due_today", "overdue", "redo", "in_review", "done"),
    "dispatcher": ("at_desk", "received", "need_info", "critical", "overdue", "open"),
    "duty": ("at_desk", "received", "need_info", "critical", "overdue", "open"),
    "reviewer": ("to_review", "overdue", "open"),
    "visitor": ("overdue", "open"),
    "supervisor": ("overdue", "supervised", "critical", "open"),
    "chief_clerk": ("overdue", "supervised", "critical", "open"),
    "agent": ("open", "need_info"),
    "window_clerk": ("open", "need_info"),
    "analyst": ("open", "overdue"),
}
LIST_FILTERS = ("urgency", "category", "town", "channel")


def _in_queue(queue: str, now: datetime, day_end: datetime) -> Q:
    table = {
        "to_sign": Q(state="assigned"),
        "working": Q(state="working"),
        "redo": Q(state="redo"),
        "in_review": Q(state="review"),
        "to_review": Q(state="review"),
        "due_today": Q(next_due_at__gte=now, next_due_at__lte=day_end),
        "overdue": Q(next_due_at__lt=now),
        "at_desk": Q(at_desk=True, state__in=("received", "accepted")),
        "received": Q(state__in=("received", "accepted")),
        "need_info": Q(state="need_info"),
        "critical": Q(urgency="critical"),
        "supervised": Q(supervision__gt=0),
        "open": Q(),
    }
    return table[queue]


def queues(*, viewer: Actor, now: datetime, day_end: datetime) -> list[tuple[str, int]]:
    """Count each queue of the viewer's post, at most BOUND + 1 of each (a page shows "99+"). One statement each."""
    found = []
    for name in QUEUES.get(viewer.post_kind, ()):
        rows = _queue(viewer, name, now, day_end)
        found.append((name, len(rows.values_list("id")[: BOUND + 1])))
    return found


def _queue(viewer: Actor, name: str, now: datetime, day_end: datetime) -> QuerySet[models.Case]:
    if name == "done":
        return _branch(viewer).filter(is_open=False)
    return _branch(viewer).filter(is_open=True).filter(_in_queue(name, now, day_end))


def inbox(
    *,
    viewer: Actor,
    queue: str,
    now: datetime,
    day_end: datetime,
    filters: dict[str, str] | None = None,
    after: str = "",
    limit: int = PAGE,
) -> Page:
    """Return one page of a queue, the next due first (done ones: the newest first), keyset by (due, id).

    Four statements, whatever the number of cases. An unknown queue of this post is an empty page.
    """
    if queue not in QUEUES.get(viewer.post_kind, ()):
        return Page(rows=(), after="")
    rows = _filtered(_queue(viewer, queue, now, day_end), filters or {})
    if queue == "done":
        rows = rows.order_by("-id")
        if (last := typed.number(after)) is not None:
            rows = rows.filter(id__lt=last)
    else:
        rows = rows.order_by("next_due_at", "id")
        if key := typed.place(after):
            # The lower bound alone lets the index be entered; the second part only cuts ties.
            rows = rows.filter(next_due_at__gte=key[0]).filter(Q(next_due_at__gt=key[0]) | Q(id__gt=key[1]))
    found = list(rows[: limit + 1])
    more = len(found) > limit
    shown = _rows(found[:limit])
    return Page(rows=shown, after=_after(found[limit - 1], queue) if more else "")


def next_to_dispatch(*, viewer: Actor, queue: str, now: datetime, day_end: datetime) -> str:
    """Return the number of the first case of a queue that still waits for its office; '' for none. One statement."""
    if queue not in QUEUES.get(viewer.post_kind, ()):
        return ""
    rows = _queue(viewer, queue, now, day_end).filter(state__in=("received", "accepted"))
    return next(iter(rows.order_by("next_due_at", "id").values_list("number", flat=True)[:1]), "")


def office_of(*, viewer: Actor, number: str) -> int | None:
    """Return the office that has a case which the viewer may see. One statement."""
    return next(iter(scope(viewer).filter(number=number).values_list("office_id", flat=True)[:1]), None)


def _filtered(rows: QuerySet[models.Case], filters: dict[str, str]) -> QuerySet[models.Case]:
    if value := filters.get("urgency"):
        rows = rows.filter(urgency=value)
    if value := filters.get("category"):
        rows = rows.filter(category_code=value) if len(value) > 1 else rows.filter(root=value)
    if (town := typed.number(filters.get("town"))) is not None:
        rows = rows.filter(town_id=town)
    if value := filters.get("channel"):
        told = models.Appeal.objects.filter(case_id=OuterRef("id"), channel=value)
        rows = rows.filter(Exists(told))
    return rows


def _after(row: models.Case, queue: str) -> str:
    if queue == "done" or row.next_due_at is None:
        return str(row.id)
    return f"{row.next_due_at.isoformat()}_{row.id}"


def rows_of(*, viewer: Actor, case_ids: Sequence[int]) -> dict[int, Row]:
    """Return list rows of given cases, of those the viewer may see."""
    found = list(scope(viewer).filter(id__in=list(case_ids)))
    return {row.id: row for row in _rows(found)}


def _rows(found: list[models.Case]) -> tuple[Row, ...]:
    ids = [row.id for row in found]
    duties = duties_of(ids)
    tellings: dict[int, list[models.Appeal]] = defaultdict(list)
    for appeal in models.Appeal.objects.filter(case_id__in=ids).select_related("telling").order_by("id"):
        tellings[appeal.case_id].append(appeal)
    return tuple(_row(case, tellings[case.id], duties[case.id]) for case in found)


def _row(case: models.Case, appeals: list[models.Appeal], duties: tuple[DutyView, ...]) -> Row:
    key = ledger.data_key(case.number, bytes(case.data_key))
    return Row(
        id=case.id,
        number=case.number,
        kind=case.kind,
        state=case.state,
        urgency=case.urgency,
        headline=headline(ledger.unseal(key=key, passage=appeals[0].telling) or "") if appeals else "",
        channel=appeals[0].channel if appeals else "",
        category_code=case.category_code,
        category_id=case.category_id,
        area_id=case.grid_id or case.community_id or case.town_id or case.county_id or case.city_id,
        office_id=case.office_id,
        received_at=case.received_at,
        next_due_at=case.next_due_at,
        appeal_count=len(appeals),
        redo_count=case.redo_count,
        supervision=case.supervision,
        confidential=case.confidential,
        is_hard=case.is_hard,
        at_desk=case.at_desk,
        duties=duties,
    )


def headline(text: str) -> str:
    """Return the first words of a telling as a list shows them: one line, numbers of people removed."""
    line = masks.redact(" ".join(text.split()))
    return line if len(line) <= HEADLINE else line[: HEADLINE - 1] + "…"


def duties_of(case_ids: Iterable[int]) -> dict[int, tuple[DutyView, ...]]:
    """Return all duties of cases, in the order in which they began."""
    found: dict[int, list[DutyView]] = {case_id: [] for case_id in case_ids}
    for row in models.Duty.objects.filter(case_id__in=list(found)).order_by("case_id", "id"):
        found[row.case_id].append(
            DutyView(
                id=row.id,
                case_id=row.case_id,
                appeal_id=row.appeal_id,
                kind=row.kind,
                klass=row.klass,
                owed_by=row.owed_by_id,
                owed_by_post=row.owed_by_post,
                owed_from=row.owed_from,
                length=row.length,
                unit=row.unit,
                due_at=row.due_at,
                paused_at=row.paused_at,
                provisional=row.provisional,
                rung=row.rung,
                met_at=row.met_at,
                voided_at=row.voided_at,
            )
        )
    return {case_id: tuple(duties) for case_id, duties in found.items()}


# --- one case ----------------------------------------------------------------------------------------------------


def case_id_of(number: str) -> int | None:
    """Find a case by its own number or by the number of a telling it gathers."""
    row = models.Appeal.objects.filter(number=number).values_list("case_id", flat=True)[:1]
    return next(iter(row), None) or next(
        iter(models.Case.objects.filter(number=number).values_list("id", flat=True)[:1]), None
    )


def case_view(*, viewer: Actor, case_id: int) -> CaseView | None:
    """Return one case in full, or nothing where it does not exist for this viewer. Six statements."""
    found = ledger.look([case_id])
    if not found or not permits.may("see_case", viewer, found[0]):
        return None
    snapshot = found[0]
    case = snapshot.known
    key = ledger.data_key(case.number, case.data_key)
    passages = list(models.Passage.objects.filter(case_id=case_id).order_by("id"))
    texts = {row.id: ledger.unseal(key=key, passage=row) or "" for row in passages}
    appeals = list(models.Appeal.objects.filter(case_id=case_id).order_by("id"))
    tellers = {row.commitment: texts[row.id] for row in passages if row.kind in ("teller", "principal")}
    lines = _lines(case_id, texts)
    return CaseView(
        snapshot=snapshot,
        tellings=tuple(_telling(row, texts, tellers, lines, viewer) for row in appeals),
        duties=duties_of([case_id])[case_id],
        lines=lines,
        files=_files(case_id, key),
    )


def _telling(
    appeal: models.Appeal,
    texts: dict[int, str],
    tellers: dict[str, str],
    lines: tuple[Line, ...],
    viewer: Actor,
) -> Telling:
    facts = next((line.facts for line in lines if line.step in OPENING and line.appeal_id == appeal.id), {})
    name, phone = person(tellers.get(facts.get("teller", ""), ""))
    principal, _ = person(tellers.get(facts.get("principal", ""), ""))
    if viewer.post_kind in permits.OFFICE_POSTS and (appeal.confidential or appeal.anonymous):
        # Not even a surname: the handling office of a confidential telling learns nothing of its teller.
        name = phone = principal = ""
    return Telling(
        appeal_id=appeal.id,
        number=appeal.number,
        state=appeal.state,
        channel=appeal.channel,
        received_at=appeal.received_at,
        told_at=appeal.told_at,
        text=texts.get(appeal.telling_id, ""),
        place=texts.get(appeal.place_id, "") if appeal.place_id else "",
        masked_name=masks.mask_name(name) if name else "",
        masked_phone=masks.mask_phone(phone) if phone else "",
        principal_masked=masks.mask_name(principal) if principal else "",
        confidential=appeal.confidential,
        anonymous=appeal.anonymous,
        lat=appeal.lat,
        lng=appeal.lng,
        answer=texts.get(appeal.answer_id, "") if appeal.answer_id else "",
        visit_result=appeal.visit_result,
        solved=appeal.solved,
        satisfaction=appeal.satisfaction,
        rated_at=appeal.rated_at,
        source_ref=appeal.source_ref,
    )


def person(sealed: str) -> tuple[str, str]:
    """Split the text of a `teller` passage into name and phone."""
    if not sealed:
        return "", ""
    held = msgspec.json.decode(sealed)
    return str(held.get("name", "")), str(held.get("phone", ""))


def _lines(case_id: int, texts: dict[int, str]) -> tuple[Line, ...]:
    return tuple(_line(row, texts) for row in models.Entry.objects.filter(case_id=case_id).order_by("seq"))


def _line(row: models.Entry, texts: dict[int, str]) -> Line:
    body = msgspec.json.decode(bytes(row.body)).get("body", {})
    facts = body.get("facts", {})
    said = {
        name: texts.get(int(held["id"]), "")
        for name, held in facts.items()
        if isinstance(held, dict) and "commitment" in held
    }
    return Line(
        id=row.id,
        seq=row.seq,
        at=row.at,
        told_at=row.told_at,
        step=row.step,
        step_version=row.step_version,
        by_kind=row.by_kind,
        by_principal=row.by_principal,
        by_post=row.by_post,
        by_post_kind=row.by_post_kind,
        by_office=row.by_office,
        appeal_id=row.appeal_id,
        facts=facts,
        texts=said,
        hash=bytes(row.hash).hex(),
    )


def _files(case_id: int, key: bytes) -> tuple[File, ...]:
    return tuple(
        File(
            id=row.id,
            appeal_id=row.appeal_id,
            purpose=row.purpose,
            name=_file_name(row, key),
            media_type=row.media_type,
            size=row.size,
            at=row.at,
        )
        for row in models.Attachment.objects.filter(case_id=case_id).order_by("id")
    )


def _file_name(row: models.Attachment, key: bytes) -> str:
    return crypto.unseal(key=key, sealed=bytes(row.name), aad=f"file|{row.address}".encode()).decode()


@dataclass(frozen=True)
class Content:
    """A bound file with the key that opens it, for the page that streams it to a viewer who may see the case."""

    address: str
    key: bytes
    media_type: str
    name: str
    size: int


def content(*, viewer: Actor, file_id: int) -> Content | None:
    """Return how to open a file, or nothing where its case does not exist for this viewer."""
    row = models.Attachment.objects.filter(id=file_id, case__in=scope(viewer)).select_related("case").first()
    if row is None or row.wrapped_key is None:
        return None
    key = ledger.data_key(row.case.number, bytes(row.case.data_key))
    aad = f"file|{row.address}".encode()
    return Content(
        address=row.address,
        key=crypto.unseal(key=key, sealed=bytes(row.wrapped_key), aad=aad),
        media_type=row.media_type,
        name=_file_name(row, key),
        size=row.size,
    )


# --- the teller --------------------------------------------------------------------------------------------------


def appeal_for_opening(*, viewer: Actor, appeal_id: int) -> ForOpening | None:
    """Return what `cases.actions.opened` judges by; nothing outside the viewer's scope. Never called by a page."""
    appeal = models.Appeal.objects.filter(id=appeal_id, case__in=scope(viewer)).first()
    if appeal is None:
        return None
    snapshot = ledger.look([appeal.case_id])[0]
    if not permits.may("see_case", viewer, snapshot):
        return None
    return ForOpening(snapshot=snapshot, resident_id=appeal.resident_id, teller=teller_of(snapshot, appeal_id))


def teller_of(snapshot: states.Snapshot, appeal_id: int) -> Teller:
    """Return name and phone of the teller of one appeal, in clear; for `opened`."""
    case = snapshot.known
    key = ledger.data_key(case.number, case.data_key)
    first = models.Entry.objects.filter(case_id=case.id, appeal_id=appeal_id, step__in=OPENING).first()
    if first is None:
        return Teller(name="", phone="")
    facts = msgspec.json.decode(bytes(first.body)).get("body", {}).get("facts", {})
    passage = models.Passage.objects.filter(case_id=case.id, kind="teller", commitment=facts.get("teller", "")).first()
    name, phone = person(ledger.unseal(key=key, passage=passage) or "") if passage else ("", "")
    return Teller(name=name, phone=phone)


@dataclass(frozen=True)
class Found:
    """An appeal found by its code or number: which, and of which case."""

    appeal_id: int
    case_id: int
    number: str


def by_query_code(code_hash: bytes) -> Found | None:
    """Find the appeal whose query code has this hash."""
    row = models.Appeal.objects.filter(query_hash=code_hash).values("id", "case_id", "number").first()
    return Found(appeal_id=row["id"], case_id=row["case_id"], number=row["number"]) if row else None


# What is opened where there is nothing to open: who asks for a number that does not exist must not be answered sooner.
_NOBODY = "-"
_NOTHING_TOLD = b'{"body":{"facts":{}}}'
_PEOPLE_TOLD = ("teller", "principal")


@cache
def _stand_in() -> tuple[bytes, models.Passage]:
    """Return a wrapped data key and a sealed person like those of a case; made once, of nobody, kept in no table."""
    key, own, nonce = bytes(crypto.KEY_BYTES), bytes(crypto.KEY_BYTES), bytes(crypto.NONCE_BYTES)
    wrapped = crypto.wrap(keyring=people_keys.keyring(), key=key, aad=_NOBODY.encode(), nonce=nonce)
    aad = ledger.passage_aad(0, "teller")
    passage = models.Passage(
        id=0,
        kind="teller",
        wrapped_key=crypto.seal(key=key, plain=own, aad=aad, nonce=nonce),
        sealed=crypto.seal(key=own, plain=b'{"name":"--------","phone":"-----------"}', aad=aad, nonce=nonce),
    )
    return wrapped, passage


def by_number_and_tail(*, number: str, tail: str) -> Found | None:
    """Find an appeal by its number, if a phone told with it ends in these four digits. Shows state and dates only.

    Both the teller's phone and that of the person he told for will do: either may hold the notice. The work is the same
    for every number, with one teller, with two, with none, and for one that does not exist: three statements, five
    openings, two comparisons.
    """
    if len(tail) != 4:
        return None
    appeal = models.Appeal.objects.filter(number=number).select_related("case").first()
    case_id, appeal_id = (appeal.case_id, appeal.id) if appeal else (0, 0)
    first = models.Entry.objects.filter(case_id=case_id, appeal_id=appeal_id, step__in=OPENING).first()
    facts = msgspec.json.decode(bytes(first.body) if first else _NOTHING_TOLD).get("body", {}).get("facts", {})
    told = [facts.get(name) or "" for name in _PEOPLE_TOLD]
    rows = [row for row in models.Passage.objects.filter(case_id=case_id, commitment__in=told) if row.wrapped_key]
    wrapped, nobody = _stand_in()
    case_key = (appeal.case.number, bytes(appeal.case.data_key)) if appeal else (_NOBODY, wrapped)
    key = ledger.data_key(*case_key)
    phones = [_phone_in(key, row) for row in rows]
    phones += [_phone_in(bytes(crypto.KEY_BYTES), nobody) for _ in range(len(_PEOPLE_TOLD) - len(rows))]
    matching = [hmac.compare_digest(phone[-4:].encode(), tail.encode()) for phone in phones]
    if appeal is None or not any(matching):
        return None
    return Found(appeal_id=appeal.id, case_id=appeal.case_id, number=appeal.number)


def _phone_in(key: bytes, passage: models.Passage) -> str:
    return person(ledger.unseal(key=key, passage=passage) or "")[1]


# --- the ledger itself -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proof:
    """What a receipt proves: whether the entry stands in an unbroken ledger, and how long it has grown."""

    stands: bool
    entries: int
    at: datetime | None


def proof(*, appeal_id: int, receipt: str) -> Proof:
    """Check a resident's receipt against the ledger of his case, from the first entry to the last."""
    rows = models.Entry.objects.filter(case__appeals__id=appeal_id).order_by("seq")
    prev, found, count = kernel_entries.GENESIS, None, 0
    for row in rows:
        chained = kernel_entries.chain(prev, bytes(row.body))
        if bytes(row.prev) != prev or bytes(row.hash) != chained:
            return Proof(stands=False, entries=count, at=None)
        if chained.hex() == receipt:
            found = row.at
        prev, count = chained, count + 1
    return Proof(stands=found is not None, entries=count, at=found)


# --- for dispatch ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """What dispatch reads of the first telling of a case."""

    text: str
    place: str
    point: tuple[float, float] | None


def told(case_ids: Sequence[int]) -> dict[int, Told]:
    """Return words, place and point of the first telling of each case, in one statement; for dispatch alone."""
    rows = (
        models.Appeal.objects.filter(case_id__in=list(case_ids))
        .select_related("case", "telling", "place")
        .only("case__number", "case__data_key", "telling", "place", "lat", "lng")
        .order_by("-id")
    )
    found = {}
    for row in rows:
        key = ledger.data_key(row.case.number, bytes(row.case.data_key))
        found[row.case_id] = Told(
            text=ledger.unseal(key=key, passage=row.telling) or "",
            place=(ledger.unseal(key=key, passage=row.place) or "") if row.place else "",
            point=(row.lat, row.lng) if row.lat is not None and row.lng is not None else None,
        )
    return found


# --- for figures -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DispatchTimes:
    """How long tellings waited to be dispatched, in seconds, and how many the machine accepted by itself."""

    n: int
    p50_s: float | None
    p90_s: float | None
    p99_s: float | None
    automatic: int


_DISPATCH_TIMES = """
SELECT count(*),
       percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM d.met_at - d.owed_from)),
       count(*) FILTER (WHERE c.automatic)
FROM cases_duty d JOIN cases_case c ON c.id = d.case_id
WHERE d.kind = 'dispatch' AND d.met_at IS NOT NULL AND d.owed_from >= %(since)s AND d.owed_from < %(until)s
  AND (%(county)s::bigint IS NULL OR c.county_id = %(county)s::bigint)
"""


def dispatch_times(*, since: datetime, until: datetime, county_id: int | None = None) -> DispatchTimes:
    """Return how fast the tellings received from `since` (included) to `until` (not) were dispatched; one statement.

    Those still waiting are no part of it: they stand in the queues, and late ones under supervision.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DISPATCH_TIMES, {"since": since, "until": until, "county": county_id})
        n, times, automatic = cursor.fetchone()
    p50, p90, p99 = [float(value) for value in times] if times else (None, None, None)
    return DispatchTimes(n=n, p50_s=p50, p90_s=p90, p99_s=p99, automatic=automatic)


# --- for notices -------------------------------------------------------------------------------------------------


# Kept together in one statement for a batch of notices; a register entry names its passages by their commitments.
_TELLERS = """
SELECT e.appeal_id, c.number, c.data_key, p.id, p.kind, p.wrapped_key, p.sealed
FROM cases_entry e
JOIN cases_case c ON c.id = e.case_id
CROSS JOIN LATERAL (SELECT convert_from(e.body, 'UTF8')::json #> '{body,facts}' AS facts) told
JOIN cases_passage p ON p.case_id = e.case_id AND p.kind IN ('teller', 'principal')
  AND p.commitment IN (told.facts ->> 'teller', told.facts ->> 'principal')
WHERE e.case_id = ANY(%s) AND e.step = ANY(%s) AND p.wrapped_key IS NOT NULL
"""


def tellers_of(case_ids: Sequence[int]) -> dict[int, Teller]:
    """Return whom to tell about each appeal of cases, in clear, by appeal; for notices to the mailroom alone.

    One statement. The person for whom a telling was made comes before the worker who made it, where he has a phone.
    Who did not want to be known, and whose data were erased, is not in it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TELLERS, [list(case_ids), list(OPENING)])
        rows = cursor.fetchall()
    found: dict[int, dict[str, Teller]] = defaultdict(dict)
    for appeal_id, number, data_key, passage_id, kind, wrapped_key, sealed in rows:
        passage = models.Passage(id=passage_id, kind=kind, wrapped_key=wrapped_key, sealed=sealed)
        text = ledger.unseal(key=ledger.data_key(number, bytes(data_key)), passage=passage) or ""
        name, phone = person(text)
        found[appeal_id][kind] = Teller(name=name, phone=phone)
    return {appeal_id: _to_tell(held) for appeal_id, held in found.items()}


def _to_tell(held: dict[str, Teller]) -> Teller:
    principal = held.get("principal")
    if principal is not None and (principal.phone or "teller" not in held):
        return principal
    return held["teller"]


# --- for jobs ----------------------------------------------------------------------------------------------------


def waiting_since(*, follower: str, at: datetime) -> datetime | None:
    """Return since when the oldest entry waits for a follower that may work on it now; None where none waits."""
    rows = models.Follow.objects.filter(follower=follower, set_aside_at__isnull=True, not_before__lte=at)
    return rows.order_by("not_before").values_list("not_before", flat=True).first()


def any_case() -> bool:
    """Tell whether the city has a case at all."""
    return models.Case.objects.exists()


def snapshot_of(case_id: int) -> states.Snapshot:
    """Return one case as rules see it, without a lock; for jobs. Raises IndexError where there is none."""
    return ledger.look([case_id])[0]


def some_open(*, limit: int) -> list[tuple[int, int]]:
    """Return case and appeal ids of some open cases, the newest first; for measures."""
    rows = models.Appeal.objects.filter(case__is_open=True).order_by("-id")
    return list(rows.values_list("case_id", "id")[:limit])
