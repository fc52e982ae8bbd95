"""Read what the ticker needs beside the cases: which promises were a guess, and from where they are counted anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection

from fuzhengtong.cases import models as cases_models
from fuzhengtong.cases import steps as cases_steps
from fuzhengtong.cases.states import DutyKind
from fuzhengtong.kernel.calendar import Calendar
from fuzhengtong.oversight.rules import Earlier, Stopped

# A promise ends with the last moment of its day: 24:00 on New Year's Eve is still of the old year.
_GUESSED = """
SELECT DISTINCT case_id FROM cases_duty
WHERE provisional AND met_at IS NULL AND voided_at IS NULL AND paused_at IS NULL AND calendar <> %(version)s
  AND EXTRACT(YEAR FROM owed_from AT TIME ZONE %(zone)s)::int = ANY(%(announced)s)
  AND EXTRACT(YEAR FROM (due_at - interval '1 millisecond') AT TIME ZONE %(zone)s)::int = ANY(%(announced)s)
  AND NOT case_id = ANY(%(left)s)
ORDER BY case_id LIMIT %(limit)s
"""
# Which promises a clock is stopped for, and in which steps that stands in the ledger.
_STOPPED_KINDS = frozenset(kind for step in cases_steps.STEPS for kind in step.pauses)
_STOPPING = tuple(step.word for step in cases_steps.STEPS if step.pauses or step.resumes)


def guessed(*, calendar: Calendar, zone: ZoneInfo, left: Sequence[int], limit: int) -> list[int]:
    """List cases with a running promise that was a guess and whose years are announced by now, the oldest first.

    A promise counted under this very calendar is not one of them; `left` are cases to pass over. One statement.
    """
    given = {
        "version": calendar.version,
        "announced": sorted(calendar.announced),
        "zone": zone.key,
        "left": list(left),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_GUESSED, given)
        return [row[0] for row in cursor.fetchall()]


def stopped(duties: Iterable[tuple[int, int, DutyKind]]) -> Mapping[int, Stopped]:
    """Return, for duties given as (case, duty, kind), since when those that were stopped go on, and with what.

    Read from the ledger, which alone remembers a pause that is over. One statement, none where nothing can stop.
    """
    wanted = {duty_id: case_id for case_id, duty_id, kind in duties if kind in _STOPPED_KINDS}
    if not wanted:
        return {}
    rows = cases_models.Entry.objects.filter(case_id__in=set(wanted.values()), step__in=_STOPPING)
    left: dict[int, int] = {}
    found: dict[int, Stopped] = {}
    for body in rows.order_by("case_id", "seq").values_list("body", flat=True):
        line = msgspec.json.decode(bytes(body))
        for told in line["body"].get("pauses", ()):
            left[int(told["id"])] = told["remaining"]
        for told in line["body"].get("resumes", ()):
            duty_id = int(told["id"])
            if duty_id in wanted:
                found[duty_id] = Stopped(at=datetime.fromtimestamp(line["at"] / 1000, UTC), left=left[duty_id])
    return found


def earlier(duties: Iterable[tuple[int, int, DutyKind]]) -> Mapping[int, Earlier]:
    """Return, for duties given as (case, duty, kind), the promise under which sent-back work goes on.

    That is the last redo made before it, or else the first promise to finish. One statement, none for other kinds.
    """
    wanted = {duty_id: case_id for case_id, duty_id, kind in duties if kind == DutyKind.FINISH}
    if not wanted:
        return {}
    rows = (
        cases_models.Duty.objects.filter(
            case_id__in=set(wanted.values()), kind__in=(DutyKind.FINISH.value, DutyKind.REDO.value)
        )
        .order_by("case_id", "id")
        .values_list("case_id", "id", "kind", "owed_from", "length", "unit", "edition", "due_at", "provisional")
    )
    made: dict[int, list[tuple[int, str, Earlier]]] = {}
    for case_id, duty_id, kind, *columns in rows:
        made.setdefault(case_id, []).append((duty_id, kind, Earlier(*columns)))
    found: dict[int, Earlier] = {}
    for duty_id, case_id in wanted.items():
        before = [(kind, one) for held_id, kind, one in made.get(case_id, ()) if held_id < duty_id]
        redone = [one for kind, one in before if kind == DutyKind.REDO]
        if before:
            found[duty_id] = redone[-1] if redone else before[0][1]
    return found
