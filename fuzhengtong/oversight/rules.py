"""Pure rules of supervision: which order follows a missed promise, and from where a promise is counted anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fuzhengtong.cases.rules import looks
from fuzhengtong.cases.states import DutyRow, Look
from fuzhengtong.cases.steps import Since
from fuzhengtong.charter.editions import Charter, Charters, Rung
from fuzhengtong.kernel import due
from fuzhengtong.kernel.calendar import Calendar


def rung_of(duty: DutyRow, charter: Charter) -> Rung:
    """Return the charter's rung that a duty stands before; only where its next look is SUPERVISE."""
    look, _, index = looks(duty.kind, charter)[duty.rung]
    if look != Look.SUPERVISE:
        raise ValueError(f"duty {duty.id} stands before {look}, not before a rung")
    return charter.ladder[index]


def late_by(duty: DutyRow, at: datetime) -> int:
    """Return how many whole seconds after its time a look comes."""
    if duty.look_at is None:
        return 0
    return max(0, int((at - duty.look_at).total_seconds()))


@dataclass(frozen=True, slots=True)
class Stopped:
    """A promise that was stopped and goes on: since when, and with what was left (minutes or days, by its unit)."""

    at: datetime
    left: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """A promise of work made earlier in the same case, kept or not: its term, and until when it was promised."""

    owed_from: datetime
    length: int
    unit: str
    edition: str
    due_at: datetime
    provisional: bool


def since(
    duty: DutyRow,
    *,
    stopped: Stopped | None,
    earlier: Earlier | None,
    charters: Charters,
    calendar: Calendar,
    area: str | None,
) -> Since | None:
    """Return from where a promise is counted anew; nothing where it simply runs from its beginning.

    `earlier` is the promise under which sent-back work goes on: counted anew too where it was a guess, else as told.
    """
    if stopped is None and earlier is None:
        return None
    return Since(
        duty_id=duty.id,
        resumed_at=stopped.at if stopped else None,
        left=stopped.left if stopped else 0,
        carried=_stands(earlier, charters, calendar, area) if earlier else None,
    )


def _stands(earlier: Earlier, charters: Charters, calendar: Calendar, area: str | None) -> datetime:
    if not earlier.provisional:
        return earlier.due_at
    return due.due_at(
        start=earlier.owed_from,
        length=earlier.length,
        unit=due.Unit(earlier.unit),
        calendar=calendar,
        clock=charters.edition(earlier.edition).clock,
        area=area,
    ).at
