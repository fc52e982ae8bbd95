"""Read what visitors need: the attempts made, the calls owed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fuzhengtong.cases import models as cases_models
from fuzhengtong.cases import permits
from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.cases.states import DutyClass
from fuzhengtong.charter.moment import Actor


@dataclass(frozen=True)
class Call:
    """One visit that is owed: which duty, of which telling, and how often it was tried."""

    duty_id: int
    kind: str
    case: cases_queries.Row
    appeal_id: int | None
    due_at: datetime
    attempts: int


def attempts(*, case_id: int, appeal_id: int, since: datetime | None = None) -> list[datetime]:
    """List when a teller was tried in vain (since his case was last answered)."""
    rows = cases_models.Entry.objects.filter(case_id=case_id, appeal_id=appeal_id, step="attempt")
    if since is not None:
        rows = rows.filter(at__gte=since)
    return list(rows.order_by("at").values_list("at", flat=True))


def calls(*, viewer: Actor, limit: int = 50) -> list[Call]:
    """List the visits the viewer's centre owes, the next due first. Six statements."""
    if viewer.office is None or viewer.post_kind not in permits.DESK_POSTS:
        return []
    owed = cases_models.Duty.objects.filter(
        owed_by_id=viewer.office, klass=DutyClass.VISIT, met_at__isnull=True, voided_at__isnull=True
    ).order_by("due_at", "id")[:limit]
    duties = list(owed)
    rows = cases_queries.rows_of(viewer=viewer, case_ids=[duty.case_id for duty in duties])
    tried = cases_models.Entry.objects.filter(case_id__in=list(rows), step="attempt").values_list(
        "appeal_id", flat=True
    )
    made = list(tried)
    return [
        Call(
            duty_id=duty.id,
            kind=duty.kind,
            case=rows[duty.case_id],
            appeal_id=duty.appeal_id,
            due_at=duty.due_at,
            attempts=made.count(duty.appeal_id) if duty.appeal_id else 0,
        )
        for duty in duties
        if duty.case_id in rows
    ]
