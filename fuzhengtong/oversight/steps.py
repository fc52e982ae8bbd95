"""Supervision over the whole course (全程督办) as rows of the procedure: reminder, overdue, the ladder, the reply.

And the promise that was a guess, counted anew when the year it waited for has been announced.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fuzhengtong.cases import permits
from fuzhengtong.cases.permits import Who
from fuzhengtong.cases.states import OPEN, DutyKind, Snapshot
from fuzhengtong.cases.steps import ARCHIVE, Change, Coming, Facts, NothingProvisional, Owe, Passage, Since, Step
from fuzhengtong.charter.moment import Actor, Moment
from fuzhengtong.kernel.errors import Refused


class NoSuchDuty(Refused):
    """Refuse to supervise a promise that is not, or no longer, owed."""

    code = "no_such_duty"


class AlreadySupervised(Refused):
    """Refuse a second order of the same or a lower degree for one cause."""

    code = "already_supervised"


class LookFacts(Facts, frozen=True, kw_only=True):
    """The duty looked at; `late_by_s` is how many seconds after its time the ticker came."""

    duty_id: int
    kind: DutyKind
    due_at: datetime
    late_by_s: int = 0


class SuperviseFacts(Facts, frozen=True, kw_only=True):
    """One order: its id (`about` of the reply it owes), its level (3 yellow, 2, 1 red), by which office, to whom."""

    duty_id: int = 0
    kind: DutyKind | None = None
    level: int
    about: int
    by_office: int
    owed_by: int
    owed_by_post: str
    late_by_s: int = 0
    reason: Passage | None = None


class SupervisionReplyFacts(Facts, frozen=True, kw_only=True):
    about: int
    reply: Passage


class RecomputeFacts(Facts, frozen=True, kw_only=True):
    """By which calendar promises are counted anew, and from where those that do not run from their beginning."""

    calendar: str
    since: tuple[Since, ...] = ()


def _is_owed(snapshot: Snapshot, facts: Any, moment: Moment) -> None:
    if not any(duty.id == facts.duty_id and duty.is_open for duty in snapshot.duties):
        raise NoSuchDuty


def _overdue(snapshot: Snapshot, facts: LookFacts, moment: Moment) -> Change:
    # A late redo is told by its own duty; what was promised at the assignment was kept or not before.
    if facts.kind == DutyKind.FINISH:
        return Change(case={"finish_late": True})
    return Change()


def _is_in_force(snapshot: Snapshot, facts: RecomputeFacts, moment: Moment) -> None:
    if facts.calendar != moment.calendar.version:
        raise NothingProvisional(step="recompute")


def _may_supervise(snapshot: Snapshot, facts: SuperviseFacts, moment: Moment) -> None:
    if facts.duty_id:
        _is_owed(snapshot, facts, moment)


def _supervise(snapshot: Snapshot, facts: SuperviseFacts, moment: Moment) -> Change:
    standing = snapshot.known.supervision
    return Change(case={"supervision": min(standing, facts.level) if standing else facts.level})


def _may_reply(snapshot: Snapshot, facts: SupervisionReplyFacts, moment: Moment) -> None:
    owed = (duty for duty in snapshot.duties if duty.kind == DutyKind.SUPERVISION_REPLY and duty.is_open)
    found = next((duty for duty in owed if duty.about == facts.about), None)
    if found is None or found.owed_by != moment.by.office:
        raise NoSuchDuty


def owes_a_reply(actor: Actor, snapshot: Snapshot) -> bool:
    """Tell whether the actor's office still owes the reply to an order."""
    owed = (duty for duty in snapshot.duties if duty.kind == DutyKind.SUPERVISION_REPLY and duty.is_open)
    return any(duty.owed_by == actor.office for duty in owed)


OWES_A_REPLY = permits.Claim("owes_a_reply", owes_a_reply)
SYSTEM_ONLY: Who = ((permits.IS_SYSTEM,),)

REMIND = Step(
    word="remind",
    before=OPEN,
    who=SYSTEM_ONLY,
    facts=LookFacts,
    check=_is_owed,
    climbs=True,
    tells=("owner",),
    public=False,
)
OVERDUE = Step(
    word="overdue",
    before=OPEN,
    who=SYSTEM_ONLY,
    facts=LookFacts,
    check=_is_owed,
    effect=_overdue,
    climbs=True,
    tells=("owner", "head"),
    law="Weifang 26",
)
SUPERVISE = Step(
    word="supervise",
    before=OPEN,
    who=((permits.IS_SYSTEM,), (permits.holds("supervisor", "chief_clerk"), permits.IN_AREA)),
    facts=SuperviseFacts,
    check=_may_supervise,
    effect=_supervise,
    climbs=True,
    owes=(Owe(DutyKind.SUPERVISION_REPLY, "same", "handler"),),
    tells=("owner", "head", "leader"),
    law="Petition Rules 39, Weifang 26",
)
REPLY_SUPERVISION = Step(
    word="reply_supervision",
    before=OPEN,
    who=((permits.HOLDS_OFFICE_POST, OWES_A_REPLY), (permits.HOLDS_DESK_POST, OWES_A_REPLY)),
    facts=SupervisionReplyFacts,
    check=_may_reply,
    meets=frozenset({DutyKind.SUPERVISION_REPLY}),
    public=False,
)
# Whatever still owes something may owe it by a guess: an open case its work, a closed one its archiving.
RECOMPUTE = Step(
    word="recompute",
    before=OPEN | ARCHIVE.before,
    who=SYSTEM_ONLY,
    facts=RecomputeFacts,
    check=_is_in_force,
    recomputes=True,
    tells=("teller",),
)
STEPS: tuple[Step, ...] = (REMIND, OVERDUE, SUPERVISE, REPLY_SUPERVISION, RECOMPUTE)
COMING: tuple[Coming, ...] = (
    Coming("urge_office", "the desks"),
    Coming("talk", "the desks"),
)
