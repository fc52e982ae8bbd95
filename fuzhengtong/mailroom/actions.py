"""Post parcels into the outbox, and send what is due: the only way by which words leave the platform.

`post` runs in the transaction of whoever has something to tell. `send` is called by the ticker and must not be: it
claims in one transaction, sends outside of any, and notes each outcome at once. A sender that dies in between leaves a
claim that ends by itself, and the receiver knows the repetition by its `dedup`.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection, transaction

from fuzhengtong.charter.moment import Moment
from fuzhengtong.connectors.outward import Message, Outward, Undelivered
from fuzhengtong.kernel import crypto
from fuzhengtong.mailroom import keys, models, rules
from fuzhengtong.mailroom.rules import Outcome, Posting, Rung

log = logging.getLogger("fuzhengtong.mailroom")

_COLUMNS = tuple(field.column for field in models.Parcel._meta.concrete_fields)
_POST = (
    f"INSERT INTO mailroom_parcel ({', '.join(_COLUMNS)}) SELECT {', '.join(_COLUMNS)} "  # noqa: S608 - own columns
    "FROM json_populate_recordset(NULL::mailroom_parcel, %s::json) ON CONFLICT (dedup) DO NOTHING"
)
# In the order of the index, so that two senders never wait for each other in a circle.
_COUNT = """
INSERT INTO mailroom_tally AS t (window_at, address_index, n)
SELECT %(window)s, x.address_index, x.n
FROM unnest(%(indexes)s::bytea[], %(asked)s::int[]) x (address_index, n) ORDER BY x.address_index
ON CONFLICT (window_at, address_index) DO UPDATE SET n = t.n + EXCLUDED.n
RETURNING address_index, n
"""
_FORGET = """
DELETE FROM mailroom_parcel WHERE id IN (
  SELECT id FROM mailroom_parcel
  WHERE at < %(before)s AND (sent_at IS NOT NULL OR passed_on_at IS NOT NULL)
  ORDER BY at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class Failed:
    """A parcel that never arrived, for whoever posted it to choose another way."""

    parcel_id: int
    topic: str
    dedup: str
    rung: str
    subject: str
    outcome: str


def post(parcels: Iterable[Posting], *, moment: Moment) -> int:
    """Put parcels into the outbox within the caller's transaction; return how many were not there before.

    One statement for any number. A parcel whose dedup stands already is left as it is. One that has nowhere to go is
    kept as set aside, so that every telling that could not be made is on record.
    """
    rows = [_row(posting, moment) for posting in parcels]
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_POST, [msgspec.json.encode(rows).decode()])
        return int(cursor.rowcount)


def _row(posting: Posting, moment: Moment) -> dict[str, Any]:
    charter, parcel_id = moment.charter, moment.mint.id()
    lost = not posting.has_address
    return {
        "id": parcel_id,
        "topic": posting.topic,
        "dedup": posting.dedup,
        "rung": posting.rung,
        "address_sealed": _sealed("address", parcel_id, posting.address, moment) if posting.address else None,
        "office_id": posting.office_id,
        "post_kind": posting.post_kind,
        "subject": posting.subject,
        "body_sealed": _sealed("body", parcel_id, posting.body, moment),
        "any_hour": posting.any_hour,
        "not_before": rules.earliest(posting=posting, at=moment.at, quiet=charter.quiet, clock=charter.clock),
        "expires_at": posting.expires_at,
        "tries": 0,
        "sent_at": None,
        "outcome": Outcome.NO_ADDRESS if lost else Outcome.WAITING,
        "set_aside_at": moment.at if lost else None,
        "passed_on_at": moment.at if lost else None,
        "at": moment.at,
    }


def _sealed(part: str, parcel_id: int, plain: str, moment: Moment) -> str:
    sealed = keys.seal(plain=plain, aad=keys.aad_of(part, parcel_id), nonce=moment.mint.token(crypto.NONCE_BYTES))
    return "\\x" + sealed.hex()


# --- sending -----------------------------------------------------------------------------------------------------


def send(*, moment: Moment, outward: Outward, limit: int = 50, turn_s: float = rules.TURN_S) -> int:
    """Send what is due, the longest waiting first, at most `limit` parcels; return how many were dealt with.

    Refuses to run inside a transaction (RuntimeError): a gateway is slow, and its answer cannot be rolled back. Many
    senders at once are safe. What a gateway refuses for good is set aside; what fails otherwise is tried again after a
    growing pause until it expires; a gateway that is down is not asked again in this turn, and after `turn_s` seconds
    no further message is begun, so that a slow one does not keep the ticker's other work waiting.
    """
    rows, claimed = _claim(moment, limit)
    ends = time.monotonic() + turn_s
    fails: Counter[str] = Counter()
    for parcel, message in claimed:
        if time.monotonic() >= ends:
            _note(parcel, not_before=moment.at)
        elif fails[parcel.rung] >= rules.DOWN_AFTER:
            _note(parcel, not_before=moment.at + rules.pause(parcel.tries))
        elif _send(parcel, message, outward, moment):
            fails[parcel.rung] = 0
        else:
            fails[parcel.rung] += 1
    return len(rows)


def _send(parcel: models.Parcel, message: Message, outward: Outward, moment: Moment) -> bool:
    """Send one claimed parcel and note what came of it; tell whether its gateway is alive."""
    try:
        outward.send(message)
    except Undelivered as trouble:
        if trouble.permanent:
            _give_up(parcel, Outcome.REFUSED, moment, trouble.code)
            return True
    # A connector has one error; anything else is a mistake in it. One parcel must not hold up the others for it.
    except Exception as trouble:
        # The kind of trouble alone: an error's own text may hold the address.
        log.error("parcel %s: the way %s failed with %s", parcel.id, parcel.rung, type(trouble).__name__)
    else:
        _note(parcel, sent_at=moment.at, outcome=Outcome.SENT)
        return True
    if parcel.tries >= rules.MOST_TRIES:
        _give_up(parcel, Outcome.EXHAUSTED, moment, "tried too often")
    else:
        _note(parcel, not_before=moment.at + rules.pause(parcel.tries))
    return False


def _give_up(parcel: models.Parcel, outcome: Outcome, moment: Moment, why: str) -> None:
    log.error("parcel %s by %s is set aside: %s (%s)", parcel.id, parcel.rung, outcome.value, why)
    _note(parcel, outcome=outcome, set_aside_at=moment.at)


def _note(parcel: models.Parcel, **columns: Any) -> None:
    """Note what came of a claimed parcel, unless its claim ended meanwhile and another sender has it.

    `tries` moves with every claim: a sender that froze and woke up no longer finds its own.
    """
    models.Parcel.objects.filter(
        id=parcel.id, tries=parcel.tries, sent_at__isnull=True, set_aside_at__isnull=True
    ).update(**columns)


def _claim(moment: Moment, limit: int) -> tuple[list[models.Parcel], list[tuple[models.Parcel, Message]]]:
    """Take what is due: judge it, open it, count it, and lend what may go to this sender for a while."""
    with transaction.atomic(durable=True):
        rows = list(
            models.Parcel.objects.select_for_update(skip_locked=True)
            .filter(sent_at__isnull=True, set_aside_at__isnull=True, not_before__lte=moment.at)
            .order_by("not_before", "id")[:limit]
        )
        if not rows:
            return [], []
        _judge(rows, moment)
        opened = _opened(rows, moment)
        capped = _capped(opened, moment)
        claimed = []
        for parcel, message in opened:
            if parcel.id in capped:
                _lay_aside(parcel, Outcome.CAPPED, moment)
                parcel.passed_on_at = moment.at
                continue
            parcel.tries += 1
            parcel.not_before = moment.at + rules.LEASE
            claimed.append((parcel, message))
        kept = ["tries", "not_before", "outcome", "set_aside_at", "passed_on_at"]
        models.Parcel.objects.bulk_update(rows, kept)
    return rows, claimed


def _judge(rows: Sequence[models.Parcel], moment: Moment) -> None:
    """Drop what is too old, and put off what would ring at night."""
    charter = moment.charter
    morning = rules.quiet_until(at=moment.at, quiet=charter.quiet, clock=charter.clock)
    for parcel in rows:
        if parcel.expires_at <= moment.at:
            _lay_aside(parcel, Outcome.EXPIRED, moment)
        elif morning is not None and parcel.rung in rules.PERSONAL and not parcel.any_hour:
            parcel.not_before = morning


def _opened(rows: Sequence[models.Parcel], moment: Moment) -> list[tuple[models.Parcel, Message]]:
    """Open what is to go now; a parcel that no longer opens is set aside."""
    found = []
    for parcel in rows:
        if parcel.set_aside_at is not None or parcel.not_before > moment.at:
            continue
        try:
            found.append((parcel, _message(parcel, moment)))
        except crypto.NotOpened:
            _lay_aside(parcel, Outcome.UNREADABLE, moment)
    return found


def _message(parcel: models.Parcel, moment: Moment) -> Message:
    def opened(part: str, sealed: bytes) -> str:
        return keys.unseal(sealed=bytes(sealed), aad=keys.aad_of(part, parcel.id))

    seat = f"{parcel.office_id or 0}.{parcel.post_kind}"
    return Message(
        dedup=parcel.dedup,
        way=parcel.rung,
        to=seat if parcel.address_sealed is None else opened("address", parcel.address_sealed),
        subject=parcel.subject,
        text=opened("body", parcel.body_sealed),
        at=moment.at,
    )


def _capped(opened: Sequence[tuple[models.Parcel, Message]], moment: Moment) -> set[int]:
    """Count what is about to go for the first time, by address, and tell which parcels are too many."""
    charter = moment.charter
    rate = charter.rates.notice_per_phone
    window = rules.window_of(rate=rate, at=moment.at, clock=charter.clock)
    asked: dict[bytes, list[int]] = {}
    for parcel, message in opened:
        if parcel.tries == 0 and parcel.rung in rules.PERSONAL:
            asked.setdefault(keys.address_index(address=message.to, window_at=window), []).append(parcel.id)
    if not asked:
        return set()
    with connection.cursor() as cursor:
        numbers = [len(parcels) for parcels in asked.values()]
        cursor.execute(_COUNT, {"window": window, "indexes": list(asked), "asked": numbers})
        counted = {bytes(index): n for index, n in cursor.fetchall()}
    too_many: set[int] = set()
    for index, parcels in asked.items():
        may = rules.allowed(asked=len(parcels), counted=counted[index], limit=rate.limit)
        too_many.update(parcels[may:])
    return too_many


def _lay_aside(parcel: models.Parcel, outcome: Outcome, moment: Moment) -> None:
    parcel.outcome, parcel.set_aside_at = outcome, moment.at


# --- what failed, and what is over -------------------------------------------------------------------------------


def claim_failed(*, limit: int = 100) -> list[Failed]:
    """Claim parcels that never arrived and whose sender has not looked at them yet; held until the transaction ends."""
    rows = (
        models.Parcel.objects.select_for_update(skip_locked=True)
        .filter(set_aside_at__isnull=False, passed_on_at__isnull=True)
        .order_by("set_aside_at", "id")[:limit]
    )
    return [Failed(row.id, row.topic, row.dedup, row.rung, row.subject, row.outcome) for row in rows]


def passed_on(*, parcel_ids: Sequence[int], moment: Moment) -> None:
    """Note that whoever posted these failed parcels has chosen another way, or wants none."""
    models.Parcel.objects.filter(id__in=list(parcel_ids), set_aside_at__isnull=False).update(passed_on_at=moment.at)


def try_again(*, parcel_id: int, expires_at: datetime, moment: Moment) -> bool:
    """Take one set-aside parcel back into the outbox, by an administrator's hand; tell whether it was there.

    Only one that a gateway refused or that was tried too often: an old notice stays dropped and a cap stays a cap.
    """
    back = models.Parcel.objects.filter(id=parcel_id, outcome__in=[Outcome.REFUSED, Outcome.EXHAUSTED])
    columns = {"outcome": Outcome.WAITING, "set_aside_at": None, "passed_on_at": None, "not_before": moment.at}
    return bool(back.update(expires_at=expires_at, **columns))


def forget(*, before: datetime, limit: int = 5000) -> int:
    """Remove parcels that are done with and older than an instant, and the tallies of that time; return how many.

    Addresses live no longer than they are needed. Call it again while it returns `limit`.
    """
    with transaction.atomic():
        models.Tally.objects.filter(window_at__lt=before).delete()
        with connection.cursor() as cursor:
            cursor.execute(_FORGET, {"before": before, "limit": limit})
            return int(cursor.rowcount)


__all__ = ["Failed", "Posting", "Rung", "claim_failed", "forget", "passed_on", "post", "send", "try_again"]
