"""Read the outbox: for the administrator's page, for the page of a post, for alarms.

What an administrator sees holds no words and no whole address. Only the post a notice was meant for reads its words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q, QuerySet

from fuzhengtong.charter.moment import Actor
from fuzhengtong.kernel import crypto
from fuzhengtong.mailroom import keys, models, rules

PAGE = 50
UNREADABLE = "—"


@dataclass(frozen=True, slots=True)
class Line:
    """One parcel as the administrator sees it. `address` is cut down; `seat` is office and post in the house."""

    parcel_id: int
    topic: str
    rung: str
    subject: str
    address: str
    seat: tuple[int | None, str]
    tries: int
    outcome: str
    not_before: datetime
    expires_at: datetime
    sent_at: datetime | None
    set_aside_at: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """One notice as the post reads it that it was meant for."""

    parcel_id: int
    topic: str
    subject: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits and what failed: due now by rung, waiting for a later hour, the oldest due, failures by outcome."""

    due: dict[str, int]
    later: int
    oldest: datetime | None
    failed: dict[str, int]


def newest(*, before: int | None = None, limit: int = PAGE) -> list[Line]:
    """Return the newest parcels, keyset by id. One statement. For a page behind the permit `see_notices`."""
    rows = models.Parcel.objects.order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    return _lines(rows, limit)


def set_aside(*, before: datetime | None = None, limit: int = PAGE) -> list[Line]:
    """Return the parcels that were given up, the latest first, keyset by that time; without those nobody could send.

    One statement. For a page behind the permit `see_notices`.
    """
    rows = models.Parcel.objects.filter(set_aside_at__isnull=False).exclude(outcome=rules.Outcome.NO_ADDRESS)
    if before is not None:
        rows = rows.filter(set_aside_at__lt=before)
    return _lines(rows.order_by("-set_aside_at", "-id"), limit)


def inbox(*, viewer: Actor, before: int | None = None, limit: int = PAGE) -> list[Told]:
    """Return the newest notices for the post the viewer acts in, keyset by id; nothing for who acts in none."""
    if viewer.kind != "post" or viewer.office is None or not viewer.post_kind:
        return []
    rows = models.Parcel.objects.filter(
        rung=rules.Rung.DESK, office_id=viewer.office, post_kind=viewer.post_kind
    ).order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    return [
        Told(row.id, row.topic, row.subject, _opened("body", row.id, row.body_sealed), row.at) for row in rows[:limit]
    ]


def backlog(*, at: datetime, since: datetime) -> Backlog:
    """Return what waits at an instant, and what failed since another. Two statements, each on a partial index.

    Counts in full: it is for alarms and one administrator's page, and what waits is little unless a gateway is down.
    """
    waiting = models.Parcel.objects.filter(sent_at__isnull=True, set_aside_at__isnull=True)
    by_rung = waiting.values("rung").annotate(
        due=Count("id", filter=Q(not_before__lte=at)),
        later=Count("id", filter=Q(not_before__gt=at)),
        oldest=Min("not_before", filter=Q(not_before__lte=at)),
    )
    rows = list(by_rung.order_by("rung"))
    failed = models.Parcel.objects.filter(set_aside_at__gte=since).values("outcome").annotate(n=Count("id"))
    return Backlog(
        due={row["rung"]: row["due"] for row in rows if row["due"]},
        later=sum(row["later"] for row in rows),
        oldest=min((row["oldest"] for row in rows if row["oldest"] is not None), default=None),
        failed={row["outcome"]: row["n"] for row in failed.order_by("outcome")},
    )


def _lines(rows: QuerySet[models.Parcel], limit: int) -> list[Line]:
    return [
        Line(
            parcel_id=row.id,
            topic=row.topic,
            rung=row.rung,
            subject=row.subject,
            address=rules.shown(_opened("address", row.id, row.address_sealed)) if row.address_sealed else "",
            seat=(row.office_id, row.post_kind),
            tries=row.tries,
            outcome=row.outcome,
            not_before=row.not_before,
            expires_at=row.expires_at,
            sent_at=row.sent_at,
            set_aside_at=row.set_aside_at,
            at=row.at,
        )
        for row in rows.defer("body_sealed")[:limit]
    ]


def _opened(part: str, parcel_id: int, sealed: bytes) -> str:
    try:
        return keys.unseal(sealed=bytes(sealed), aad=keys.aad_of(part, parcel_id))
    except crypto.NotOpened:
        return UNREADABLE
