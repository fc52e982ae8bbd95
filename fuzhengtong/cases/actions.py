"""The only writers of cases: `register` opens one, `take` moves one step, `opened` notes who looked.

Every change of a case anywhere in the city ends here. An action is one transaction; it writes at least one entry
or raises a refusal, and leaves nothing half-written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F
from psycopg import errors as pg

from fuzhengtong.cases import ledger, models, permits, queries, rules, states, steps
from fuzhengtong.charter.moment import SYSTEM, Moment
from fuzhengtong.kernel import crypto
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.people import actions as people_actions


class NotFound(Refused):
    """Refuse to speak of a case that does not exist, or not for this viewer (404)."""

    code = "not_found"


class Busy(Refused):
    """Ask to try again: another step holds the case, or the database is under way (409, Retry-After)."""

    code = "busy"


class ReasonMissing(Refused):
    """Refuse to open masked data without a reason."""

    code = "reason_missing"


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """A file that lies in the store, sealed, and waits to be bound to a case."""

    address: str
    key: bytes
    media_type: str
    size: int
    name: str


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What a step left behind: its entry and the case after it."""

    entry: rules.EntryRow
    after: states.Snapshot


@contextmanager
def deciding() -> Iterator[None]:
    """Open the transaction of one action; a lock not to be had in time becomes a clear refusal, never a 500."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise
    except DatabaseError as error:
        if isinstance(error.__cause__, pg.LockNotAvailable | pg.DeadlockDetected | pg.SerializationFailure):
            raise Busy from error
        raise


class Desk:
    """One case under the lock of a transaction, on which several steps may be taken before one write.

    Made by `at_desk`: a step, and what follows from it by rule, in one transaction.
    """

    def __init__(self, snapshot: states.Snapshot, moment: Moment) -> None:
        self.snapshot = snapshot
        self.moment = moment
        self.plans: list[rules.Plan] = []
        self.passages: list[ledger.PassageRow] = []
        self.attachments: list[ledger.AttachmentRow] = []
        self._key: bytes | None = None

    def seal(self, kind: str, text: str) -> steps.Passage:
        """Seal a text under the case's key, to be written with the plans; return what the ledger may know."""
        case = self.snapshot.known
        if self._key is None:
            self._key = ledger.data_key(case.number, case.data_key)
        row = ledger.seal(key=self._key, case_id=case.id, kind=kind, text=text, moment=self.moment)
        self.passages.append(row)
        return row.told

    def take(
        self,
        step: steps.Step,
        *,
        texts: Mapping[str, str] | None = None,
        files: Sequence[Staged] = (),
        moment: Moment | None = None,
        **facts: Any,
    ) -> rules.Plan:
        """Plan a step on what the case is by now; `texts` are sealed under the names of the facts.

        Where a teller was heard, or one of several left, what follows by rule is planned after it: redo, or close.
        """
        moment = moment or self.moment
        for name, text in (texts or {}).items():
            facts[name] = self.seal(name, text)
        if files:
            facts["files"] = tuple(file.address for file in files)
        plan = rules.plan(step, self.snapshot, step.facts(**facts), moment)
        self.plans.append(plan)
        self.snapshot = plan.after
        if files:
            self._bind(files, plan, moment, step.word)
        if step.hears:
            self._conclude(plan, moment)
        return plan

    def _conclude(self, plan: rules.Plan, moment: Moment) -> None:
        case = self.snapshot.known
        if case.state not in steps.REDO.before:
            return
        follows = rules.ends_visiting(self.snapshot, moment.charter)
        if follows == "redo":
            # The one who was just heard, where it is he who is not content; else the first who is not.
            unhappy = [row.id for row in rules.unhappy(self.snapshot)]
            appeal_id = plan.entry.appeal_id if plan.entry.appeal_id in unhappy else unhappy[0]
            is_hard = case.redo_count + 1 >= moment.charter.hard.redo_count
            self.take(steps.REDO, moment=moment.acting(SYSTEM), appeal_id=appeal_id, is_hard=is_hard)
        elif follows == "close" and case.state in steps.CLOSE.before:
            self.take(steps.CLOSE, moment=moment.acting(SYSTEM))

    def _bind(self, files: Sequence[Staged], plan: rules.Plan, moment: Moment, purpose: str) -> None:
        case = self.snapshot.known
        key = self._key or ledger.data_key(case.number, case.data_key)
        self.attachments += [
            bound(
                file,
                key=key,
                case_id=case.id,
                appeal_id=plan.entry.appeal_id,
                entry_id=plan.entry.id,
                purpose=purpose,
                moment=moment,
            )
            for file in files
        ]

    def write(self, once: ledger.Once | None = None) -> None:
        """Write all that was planned."""
        ledger.write(
            self.plans,
            moment=self.moment,
            passages=self.passages,
            attachments=self.attachments,
            once=once,
        )


def bound(
    file: Staged,
    *,
    key: bytes,
    case_id: int,
    appeal_id: int | None,
    entry_id: int,
    purpose: str,
    moment: Moment,
) -> ledger.AttachmentRow:
    """Bind a staged file to a case: its key and name are sealed again under the case's data key."""
    aad = f"file|{file.address}".encode()
    return ledger.AttachmentRow(
        id=moment.mint.id(),
        case_id=case_id,
        appeal_id=appeal_id,
        entry_id=entry_id,
        purpose=purpose,
        address=file.address,
        media_type=file.media_type,
        size=file.size,
        name=crypto.seal(key=key, plain=file.name.encode(), aad=aad, nonce=moment.mint.token(12)).hex(),
        wrapped_key=crypto.seal(key=key, plain=file.key, aad=aad, nonce=moment.mint.token(12)).hex(),
        at=moment.at,
    )


@contextmanager
def at_desk(*, case_id: int, moment: Moment, expect: int | None = None) -> Iterator[Desk]:
    """Lock one case and hand out its desk; the caller ends with `desk.write`, or nothing is changed.

    Refused with NotFound, with Overtaken where `expect` names an older version than the case has, with Busy.
    """
    with deciding():
        found = ledger.read([case_id])
        if not found:
            raise NotFound
        desk = Desk(found[0], moment)
        if expect is not None and expect != desk.snapshot.known.version:
            raise rules.Overtaken(version=desk.snapshot.known.version)
        yield desk


def take(
    *,
    case_id: int,
    step: steps.Step,
    moment: Moment,
    texts: Mapping[str, str] | None = None,
    files: Sequence[Staged] = (),
    expect: int | None = None,
    once: ledger.Once | None = None,
    **facts: Any,
) -> Taken:
    """Move the case one step, and settle and create the duties that follow.

    `texts` are sealed before the step is planned. Refused with NotFound, NotYours, NotNow, Overtaken (the page is older
    than the case), Busy, or the step's own refusal.
    """
    with at_desk(case_id=case_id, moment=moment, expect=expect) as desk:
        plan = desk.take(step, texts=texts, files=files, **facts)
        desk.write(once)
        return Taken(entry=plan.entry, after=desk.snapshot)


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What a telling brings that was answered and closed before it came here; `note` is what its list said besides."""

    received_at: datetime
    closed_at: datetime | None = None
    reply: str = ""
    answered_at: datetime | None = None
    note: str = ""
    category_id: int | None = None
    category_code: str = ""
    root: str = ""
    solved: states.Solved | None = None
    satisfaction: states.Satisfaction | None = None


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """One telling as intake hands it over: checked, screened, normalised."""

    case_number: str
    query_hash: bytes
    channel: str
    text: str
    city_id: int
    desk_id: int
    biz_day: int
    name: str = ""
    phone: str | None = None
    principal_name: str = ""
    principal_phone: str | None = None
    address: str = ""
    lat: float | None = None
    lng: float | None = None
    datum: str = ""
    accuracy_m: int | None = None
    told_at: datetime | None = None
    confidential: bool = False
    anonymous: bool = False
    notice: str = ""
    source_ref: str = ""
    files: tuple[Staged, ...] = ()
    past: Past | None = None


def register(
    *,
    step: steps.Step,
    telling: Telling,
    moment: Moment,
    once: Callable[[Taken], ledger.Once] | None = None,
) -> Taken:
    """Open a case for one telling: appeal, sealed texts, first entry, first duties, all in one transaction.

    `once` makes the idempotency row from what is about to be written, so that the stored answer can name it.
    """
    mint = moment.mint
    appeal_id = mint.id()
    with deciding():
        resident_id = people_actions.meet(
            phone=None if telling.anonymous else telling.phone,
            about=appeal_id,
            notice=telling.notice,
            channel=telling.channel,
            moment=moment,
        )
        key, wrapped = ledger.new_data_key(case_ref=telling.case_number, moment=moment)
        plan, passages = _registered(step, telling, appeal_id, resident_id, key, wrapped, moment)
        taken = Taken(entry=plan.entry, after=plan.after)
        case_id = plan.entry.case_id
        attachments = [
            bound(
                file,
                key=key,
                case_id=case_id,
                appeal_id=appeal_id,
                entry_id=plan.entry.id,
                purpose="register",
                moment=moment,
            )
            for file in telling.files
        ]
        ledger.write(
            [plan],
            moment=moment,
            passages=[msgspec.structs.replace(row, case_id=case_id) for row in passages.values()],
            attachments=attachments,
            appeals={appeal_id: _appeal_columns(telling, passages, plan)},
            once=once(taken) if once else None,
        )
    return taken


def register_all(*, step: steps.Step, tellings: Sequence[Telling], moment: Moment) -> tuple[Taken, ...]:
    """Open a case for each telling of a list, all in one transaction of three statements; all of them, or none.

    As `register`, for up to some hundred tellings. A list brings no files, and nobody was shown a privacy notice.
    """
    phones = [telling.phone for telling in tellings if telling.phone and not telling.anonymous]
    plans, passages, columns = list[rules.Plan](), list[ledger.PassageRow](), dict[int, Mapping[str, Any]]()
    with deciding():
        residents = people_actions.meet_all(phones=phones, moment=moment)
        for telling in tellings:
            appeal_id = moment.mint.id()
            resident_id = None if telling.anonymous else residents.get(telling.phone or "")
            key, wrapped = ledger.new_data_key(case_ref=telling.case_number, moment=moment)
            at = replace(moment, told_at=telling.told_at)
            plan, sealed = _registered(step, telling, appeal_id, resident_id, key, wrapped, at)
            plans.append(plan)
            passages += [msgspec.structs.replace(row, case_id=plan.entry.case_id) for row in sealed.values()]
            columns[appeal_id] = _appeal_columns(telling, sealed, plan)
        ledger.write(plans, moment=moment, passages=passages, appeals=columns)
    return tuple(Taken(entry=plan.entry, after=plan.after) for plan in plans)


def _registered(
    step: steps.Step,
    telling: Telling,
    appeal_id: int,
    resident_id: int | None,
    key: bytes,
    wrapped: str,
    moment: Moment,
) -> tuple[rules.Plan, dict[str, ledger.PassageRow]]:
    def sealed(kind: str, text: str) -> ledger.PassageRow:
        return ledger.seal(key=key, case_id=0, kind=kind, text=text, moment=moment)

    passages = {"telling": sealed("telling", telling.text)}
    if not telling.anonymous and (telling.name or telling.phone):
        passages["teller"] = sealed("teller", _person(telling.name, telling.phone))
    if telling.principal_name or telling.principal_phone:
        passages["principal"] = sealed("principal", _person(telling.principal_name, telling.principal_phone))
    if telling.address:
        passages["place"] = sealed("place", telling.address)
    facts = dict[str, Any](
        case_number=telling.case_number,
        appeal_id=appeal_id,
        appeal_number=telling.case_number,
        channel=telling.channel,
        city_id=telling.city_id,
        desk_id=telling.desk_id,
        biz_day=telling.biz_day,
        telling=passages["telling"].told,
        teller=passages["teller"].commitment if "teller" in passages else "",
        principal=passages["principal"].commitment if "principal" in passages else "",
        place=passages["place"].commitment if "place" in passages else "",
        resident_id=resident_id,
        confidential=telling.confidential,
        anonymous=telling.anonymous,
        datum=telling.datum,
        accuracy_m=telling.accuracy_m,
        files=tuple(file.address for file in telling.files),
        consent=telling.notice,
        data_key=wrapped,
    )
    if telling.past is not None:
        for kind, text in (("reply", telling.past.reply), ("note", telling.past.note)):
            if text:
                passages[kind] = sealed(kind, text)
                facts[kind] = passages[kind].told
        facts |= _past(telling.past)
    return rules.plan(step, states.Snapshot(), step.facts(**facts), moment), passages


def _past(past: Past) -> dict[str, Any]:
    """Name the facts of a closed matter; its texts are sealed and named apart."""
    return {name: getattr(past, name) for name in past.__struct_fields__ if name not in ("reply", "note")}


def _person(name: str, phone: str | None) -> str:
    return msgspec.json.encode({"name": name, "phone": phone or ""}).decode()


def _appeal_columns(telling: Telling, passages: Mapping[str, ledger.PassageRow], plan: rules.Plan) -> dict[str, Any]:
    return {
        "query_hash": telling.query_hash,
        "principal_id": None,
        "told_at": telling.told_at,
        "telling_id": passages["telling"].id,
        "place_id": passages["place"].id if "place" in passages else None,
        "lat": telling.lat,
        "lng": telling.lng,
        "datum": telling.datum,
        "accuracy_m": telling.accuracy_m,
        "source_ref": telling.source_ref,
        "receipt": plan.entry.hash,
    }


def opened(*, appeal_id: int, moment: Moment, reason: str) -> queries.Teller:
    """Open the teller of an appeal: check the permit, note who and why, and return name and phone.

    The one write that a look may do. Refused with NotFound outside the viewer's scope, with NotYours where the
    handling office asks about a confidential telling, with ReasonMissing without a reason of four characters.
    """
    if len(reason.strip()) < 4:
        raise ReasonMissing
    with deciding():
        found = queries.appeal_for_opening(viewer=moment.by, appeal_id=appeal_id)
        if found is None:
            raise NotFound
        if not permits.may("open_teller", moment.by, found.snapshot):
            raise rules.NotYours(step="open_teller")
        people_actions.note_opening(
            resident_id=found.resident_id,
            case_id=found.snapshot.known.id,
            appeal_id=appeal_id,
            fields="name,phone",
            reason=reason.strip(),
            moment=moment,
        )
    return found.teller


# --- followers ---------------------------------------------------------------------------------------------------


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that a follower has to work on."""

    entry_id: int
    case_id: int
    appeal_id: int | None
    word: str
    at: datetime
    tries: int


_CLAIM = """
SELECT f.entry_id, e.case_id, e.appeal_id, e.step, e.at, f.tries
FROM cases_follow f JOIN cases_entry e ON e.id = f.entry_id
WHERE f.follower = %(follower)s AND f.set_aside_at IS NULL AND f.not_before <= %(at)s
  AND (%(entries)s::bigint[] IS NULL OR f.entry_id = ANY(%(entries)s::bigint[]))
ORDER BY f.not_before, f.entry_id LIMIT %(limit)s FOR UPDATE OF f SKIP LOCKED
"""


def claim(*, follower: str, at: datetime, limit: int, entry_ids: Sequence[int] | None = None) -> list[Followed]:
    """Claim entries that wait for a follower, the oldest first; held until the transaction ends."""
    with connection.cursor() as cursor:
        entries = list(entry_ids) if entry_ids is not None else None
        cursor.execute(_CLAIM, {"follower": follower, "at": at, "limit": limit, "entries": entries})
        return [
            Followed(entry_id=row[0], case_id=row[1], appeal_id=row[2], word=row[3], at=row[4], tries=row[5])
            for row in cursor.fetchall()
        ]


def done_with(*, follower: str, entry_ids: Sequence[int]) -> None:
    """Remove what a follower has worked on, in the transaction of its work."""
    models.Follow.objects.filter(follower=follower, entry_id__in=list(entry_ids)).delete()


def troubled(*, follower: str, entry_id: int, trouble: str, retry_at: datetime | None, at: datetime) -> None:
    """Note that a follower failed on an entry: try again later, or set it aside visibly (`retry_at` None)."""
    row = models.Follow.objects.filter(follower=follower, entry_id=entry_id)
    if retry_at is None:
        row.update(tries=F("tries") + 1, set_aside_at=at, trouble=trouble[:500])
    else:
        row.update(tries=F("tries") + 1, not_before=retry_at, trouble=trouble[:500])
