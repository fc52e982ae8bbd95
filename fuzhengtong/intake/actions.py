"""The one door in: every channel ends in `submit`, which screens, checks and registers one telling.

Also stages uploads. Writes nothing before the screen has passed; answers a repeated request with the stored answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from threading import BoundedSemaphore
from typing import Protocol

import msgspec
from django.db import IntegrityError

from fuzhengtong.accounts import answers
from fuzhengtong.accounts import queries as accounts_queries
from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import ledger, steps
from fuzhengtong.charter.moment import Moment
from fuzhengtong.connectors.store import Store
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.intake import lanes, models, pictures, queries, rules
from fuzhengtong.kernel import crypto, due, numbers
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.people import keys


class KeyReused(Refused):
    """Refuse an idempotency key that came before with another body (422)."""

    code = "key_reused"


class AlreadyTold(Refused):
    """Refuse a telling of another system that has been taken under this reference (409)."""

    code = "already_told"


class UploadGone(Refused):
    """Refuse a telling that names a file which is not, or no longer, there."""

    code = "upload_gone"


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    due_at: datetime
    provisional: bool


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the person gets: kept, sealed, with the idempotency key and given again for the same request."""

    number: str
    query_code: str
    appeal_id: str
    entry_id: str
    received_at: datetime
    receipt: str
    promises: tuple[Promise, ...]


@dataclass(frozen=True)
class Told:
    """The answer, whether it was given before, and the entry that followers may run on at once."""

    answer: Answer
    again: bool


MOST_DISCARDED = 20
_ANSWER = msgspec.json.Decoder(Answer)


def submit(
    *,
    submission: rules.Submission,
    moment: Moment,
    store: Store,
    client: str,
    key: str = "",
    body_hash: bytes = b"",
    admit: Callable[[], None] | None = None,
) -> Told:
    """Take one telling and return number, query code and receipt.

    The order is the promise: screen (pure), check (pure), then one transaction. Refused with Screened (nothing was
    stored), BadInput, NotThisDoor, UploadGone, AlreadyTold, KeyReused. With `key`, the same request again is
    answered with the stored answer. `admit` counts the telling at its door; it is called when the screen has passed,
    since even a count would say that somebody was there.
    """
    charter = moment.charter
    try:
        for text in rules.texts_of(submission):
            rules.screen(text, charter)
    except rules.Screened:
        # What was staged for such a telling goes as well: nothing of it stays with us.
        discard(tokens=submission.files, store=store)
        raise
    lane = queries.lane(submission.channel, at=moment.at)
    checked = rules.check(submission, lane=lane, charter=charter, at=moment.at)
    if lane is not None and not lane.is_public and moment.by.kind == "resident":
        raise rules.NotThisDoor(channel=submission.channel)
    if admit is not None:
        try:
            admit()
        except Refused:
            # Too many tellings: but the same request again is no further one.
            if key and (told := _recalled(client, key, body_hash)):
                return told
            raise
    try:
        uploads = _staged(checked.files, moment)
    except UploadGone:
        # Swept since: but if this very request was answered before, that answer stands.
        if key and (told := _recalled(client, key, body_hash)):
            return told
        raise
    code = numbers.query_code(moment.mint.token(16))

    def once(taken: cases_actions.Taken) -> ledger.Once:
        answer = msgspec.json.encode(_answer(taken, code))
        # Sealed: the code in it opens the telling, and the table it rests in for a month may be stolen.
        nonce = moment.mint.token(crypto.NONCE_BYTES)
        sealed = answers.seal(client=client, key=key, answer=answer, nonce=nonce)
        return ledger.Once(client=client, key=key, body_hash=body_hash, status=201, answer=sealed)

    try:
        taken = cases_actions.register(
            step=steps.REGISTER,
            telling=telling_of(checked, uploads=uploads, code=code, moment=moment),
            moment=replace(moment, told_at=checked.told_at),
            once=once if key else None,
        )
    except IntegrityError as error:
        if key and (told := _recalled(client, key, body_hash)):
            return told
        if "appeal_source_ref" in str(error):
            raise AlreadyTold from error
        raise
    return Told(answer=_answer(taken, code), again=False)


def _answer(taken: cases_actions.Taken, code: str) -> Answer:
    case, appeal = taken.after.known, taken.after.appeals[0]
    return Answer(
        number=case.number,
        query_code=code,
        appeal_id=str(appeal.id),
        entry_id=str(taken.entry.id),
        received_at=case.received_at,
        receipt=taken.entry.hash,
        promises=tuple(
            Promise(kind=duty.kind.value, due_at=duty.due_at, provisional=duty.provisional)
            for duty in taken.after.duties
        ),
    )


def _recalled(client: str, key: str, body_hash: bytes) -> Told | None:
    """Return the answer given to the same request before; refuse the key where the body differs."""
    row = accounts_queries.remembered(client=client, key=key)
    if row is None:
        return None
    if row.body_hash != body_hash:
        raise KeyReused
    return Told(answer=_ANSWER.decode(row.answer), again=True)


def telling_of(
    checked: rules.Checked, *, code: str, moment: Moment, uploads: tuple[cases_actions.Staged, ...] = ()
) -> cases_actions.Telling:
    """Make a checked telling ready for the spine: its number of the day, the city's desk. Outside any transaction."""
    city = directory_queries.city_kept.at(moment.at)
    if city is None or city.area_id is None or city.desk_office_id is None:
        raise LookupError("the city has not been founded")
    day = moment.at.astimezone(moment.charter.clock.zone).date()
    number = numbers.case_number(letters=moment.charter.letters, day=day, serial=moment.mint.serial(day))
    return cases_actions.Telling(
        case_number=number,
        query_hash=numbers.code_hash(code),
        channel=checked.channel,
        text=checked.text,
        city_id=city.area_id,
        desk_id=city.desk_office_id,
        biz_day=day.year * 10000 + day.month * 100 + day.day,
        name=checked.name,
        phone=checked.phone,
        principal_name=checked.principal_name,
        principal_phone=checked.principal_phone,
        address=checked.address,
        lat=checked.lat,
        lng=checked.lng,
        datum=checked.datum,
        accuracy_m=checked.accuracy_m,
        told_at=checked.told_at,
        confidential=checked.confidential,
        anonymous=checked.anonymous,
        notice=checked.consent,
        source_ref=checked.source_ref,
        files=uploads,
    )


# --- uploads -----------------------------------------------------------------------------------------------------


class Source(Protocol):
    """Where the bytes of a file come from, read when their turn has come."""

    def read(self) -> bytes: ...


# So many files are in memory at once in one process, whole and drawn: a picture unpacks to many times its weight.
AT_ONCE = 2
_turns = BoundedSemaphore(AT_ONCE)


def stage(*, data: bytes | Source, name: str, moment: Moment, store: Store) -> str:
    """Check, clean, seal and store one file, and return the token by which a telling may name it.

    Pictures are written anew, smaller and without their metadata. Refused with pictures.BadFile. The file is on
    disk before its row is: a row never names what is not there. Waits while AT_ONCE others are being staged.
    """
    mint = moment.mint
    key, upload_id = mint.token(32), mint.id()
    with _turns:
        whole = data if isinstance(data, bytes) else data.read()
        file = pictures.checked(data=whole, name=name, limits=moment.charter.uploads)
        sealed = crypto.seal(key=key, plain=file.data, aad=b"file", nonce=mint.token(12))
        address = store.put(sealed)
    token = numbers.query_code(mint.token(16))
    aad = upload_aad(upload_id)
    models.Upload.objects.create(
        id=upload_id,
        token_hash=numbers.code_hash(token),
        address=address,
        wrapped_key=crypto.wrap(keyring=keys.keyring(), key=key, aad=aad, nonce=mint.token(12)),
        media_type=file.media_type,
        size=len(file.data),
        name=crypto.seal(key=key, plain=file.name.encode(), aad=aad, nonce=mint.token(12)),
        staged_at=moment.at,
        expires_at=_expiry(moment),
    )
    return token


def upload_aad(upload_id: int) -> bytes:
    """Bind the key and the name of a staged file to its row, so that none can be moved to another."""
    return f"upload|{upload_id}".encode()


def _expiry(moment: Moment) -> datetime:
    charter, span = moment.charter, moment.charter.uploads.staged
    return due.due_at(
        start=moment.at, length=span.length, unit=span.unit, calendar=moment.calendar, clock=charter.clock
    ).at


def _staged(tokens: Sequence[str], moment: Moment) -> tuple[cases_actions.Staged, ...]:
    """Return the staged files a telling names, in its order; refuse one that is not there (any more)."""
    if not tokens:
        return ()
    try:
        hashes = [numbers.code_hash(numbers.parse_code(token)) for token in tokens]
    except numbers.WrongCode as error:
        raise UploadGone from error
    rows = {bytes(row.token_hash): row for row in models.Upload.objects.filter(token_hash__in=hashes)}
    found = []
    for token_hash in dict.fromkeys(hashes):
        row = rows.get(token_hash)
        if row is None or row.expires_at <= moment.at:
            raise UploadGone
        found.append(_opened(row))
    return tuple(found)


def staged(*, tokens: Sequence[str], moment: Moment) -> tuple[cases_actions.Staged, ...]:
    """Return staged files for a step other than telling (a supplement, evidence of the work)."""
    return _staged(tokens, moment)


def discard(*, tokens: Sequence[str], store: Store) -> None:
    """Remove staged files at once; a token that names nothing is passed over."""
    hashes = []
    for token in tokens[:MOST_DISCARDED]:
        with suppress(numbers.WrongCode):
            hashes.append(numbers.code_hash(token))
    rows = list(models.Upload.objects.filter(token_hash__in=hashes))
    bound = queries.bound_addresses([row.address for row in rows])
    models.Upload.objects.filter(id__in=[row.id for row in rows]).delete()
    for row in rows:
        if row.address not in bound:
            store.remove(row.address)


def _opened(row: models.Upload) -> cases_actions.Staged:
    aad = upload_aad(row.id)
    key = crypto.unwrap(keyring=keys.keyring(), wrapped=bytes(row.wrapped_key), aad=aad)
    name = crypto.unseal(key=key, sealed=bytes(row.name), aad=aad).decode()
    return cases_actions.Staged(address=row.address, key=key, media_type=row.media_type, size=row.size, name=name)


def sweep(*, moment: Moment, store: Store, limit: int = 200) -> int:
    """Remove expired uploads: rows, and files that no case has bound; return how many rows went."""
    rows = list(models.Upload.objects.filter(expires_at__lt=moment.at).order_by("expires_at")[:limit])
    bound = queries.bound_addresses([row.address for row in rows])
    models.Upload.objects.filter(id__in=[row.id for row in rows]).delete()
    for row in rows:
        if row.address not in bound:
            store.remove(row.address)
    return len(rows)


def open_channels(rows: Sequence[lanes.Row]) -> int:
    """Add channels that are not there yet, in their order; return how many were added."""
    known = set(models.Channel.objects.values_list("code", flat=True))
    added = [models.Channel(rank=rank, **row._asdict()) for rank, row in enumerate(rows) if row.code not in known]
    models.Channel.objects.bulk_create(added)
    return len(added)
