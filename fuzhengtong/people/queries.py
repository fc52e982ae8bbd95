"""Read residents and the log of openings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fuzhengtong.people import models


@dataclass(frozen=True)
class Opening:
    """One opening of masked data, as the resident and the auditor see it."""

    at: datetime
    office_id: int | None
    post_id: int | None
    principal_id: int | None
    case_id: int
    appeal_id: int
    fields: str
    reason: str


def openings_of(appeal_id: int) -> list[Opening]:
    """List who opened the teller of an appeal, newest first; for the teller himself."""
    rows = models.Access.objects.filter(appeal_id=appeal_id).order_by("-at", "-id")[:200]
    return [_opening(row) for row in rows]


def openings(*, before: datetime | None = None, limit: int = 50) -> list[Opening]:
    """List the newest openings for the audit administrator, keyset by time."""
    rows = models.Access.objects.order_by("-at", "-id")
    if before is not None:
        rows = rows.filter(at__lt=before)
    return [_opening(row) for row in rows[:limit]]


def _opening(row: models.Access) -> Opening:
    return Opening(
        at=row.at,
        office_id=row.by_office,
        post_id=row.by_post,
        principal_id=row.by_principal,
        case_id=row.case_id,
        appeal_id=row.appeal_id,
        fields=row.fields,
        reason=row.reason,
    )
