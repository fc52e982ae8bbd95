"""The three visits (三查三访) as rows of the procedure: progress, satisfaction, hard case, and the attempt that failed.

A visit is never made by the office that handled the case, nor by a person who also holds a post there.
"""

from __future__ import annotations

from typing import Any

from fuzhengtong.cases import permits
from fuzhengtong.cases.permits import Who
from fuzhengtong.cases.states import (
    OPEN,
    AppealState,
    DutyKind,
    Satisfaction,
    Snapshot,
    Solved,
    State,
    VisitResult,
)
from fuzhengtong.cases.steps import AppealFacts, Change, Coming, NoSuchAppeal, Passage, Step
from fuzhengtong.charter.moment import Moment
from fuzhengtong.kernel.errors import AlreadyDone, Refused


class AnswersMissing(Refused):
    """Refuse a visit that reached the teller without the answers to the four questions."""

    code = "answers_missing"


class TooFewAttempts(Refused):
    """Refuse "unreachable" before the charter's attempts on different days were made."""

    code = "too_few_attempts"


class NoVisitDue(Refused):
    """Refuse a visit that is not owed."""

    code = "no_visit_due"


class AttemptFacts(AppealFacts, frozen=True, kw_only=True):
    """One attempt that did not reach the teller."""

    kind: DutyKind
    how: str
    outcome: str


class ProgressFacts(AppealFacts, frozen=True, kw_only=True):
    result: VisitResult
    how: str
    words: Passage | None = None


class VisitFacts(AppealFacts, frozen=True, kw_only=True):
    """The four questions: contacted, solved, satisfied, was the account true; and the teller's own words."""

    result: VisitResult
    how: str
    attempts: int = 0
    contacted: bool | None = None
    solved: Solved | None = None
    satisfaction: Satisfaction | None = None
    account_true: bool | None = None
    words: Passage | None = None


def _is_due(snapshot: Snapshot, facts: Any, kind: DutyKind) -> None:
    if snapshot.appeal(facts.appeal_id) is None:
        raise NoSuchAppeal
    if snapshot.open_duty(kind, None if kind == DutyKind.HARD_VISIT else facts.appeal_id) is None:
        raise NoVisitDue


def _may_attempt(snapshot: Snapshot, facts: AttemptFacts, moment: Moment) -> None:
    _is_due(snapshot, facts, facts.kind)


def _may_visit_progress(snapshot: Snapshot, facts: ProgressFacts, moment: Moment) -> None:
    _is_due(snapshot, facts, DutyKind.PROGRESS_VISIT)


def _may_visit(snapshot: Snapshot, facts: VisitFacts, moment: Moment) -> None:
    appeal = snapshot.appeal(facts.appeal_id)
    if appeal is not None and appeal.state in (AppealState.VISITED, AppealState.RATED):
        raise AlreadyDone
    _is_due(snapshot, facts, DutyKind.SATISFACTION_VISIT)
    if facts.result == VisitResult.UNREACHABLE:
        if facts.attempts < moment.charter.visits.attempts:
            raise TooFewAttempts(attempts=facts.attempts, needed=moment.charter.visits.attempts)
    elif None in (facts.contacted, facts.solved, facts.satisfaction, facts.account_true):
        raise AnswersMissing


def _may_visit_hard(snapshot: Snapshot, facts: ProgressFacts, moment: Moment) -> None:
    _is_due(snapshot, facts, DutyKind.HARD_VISIT)


def _visit(snapshot: Snapshot, facts: VisitFacts, moment: Moment) -> Change:
    appeal = snapshot.appeal(facts.appeal_id)
    if appeal is None:
        raise NoSuchAppeal
    if facts.result == VisitResult.UNREACHABLE:
        columns = {"state": AppealState.VISITED, "visit_result": VisitResult.UNREACHABLE}
        return Change(appeals={facts.appeal_id: columns})
    return Change(
        appeals={
            facts.appeal_id: {
                "state": AppealState.VISITED,
                "visit_result": VisitResult.REACHED,
                "solved": facts.solved,
                "satisfaction": facts.satisfaction,
                "first_satisfaction": appeal.first_satisfaction or facts.satisfaction,
                "rated_at": moment.at,
            }
        }
    )


VISITOR: Who = ((permits.holds("visitor"), permits.IN_AREA, permits.STANDS_APART),)
ASSIGNED = OPEN - {State.RECEIVED, State.NEED_INFO, State.ACCEPTED}

ATTEMPT = Step(
    word="attempt",
    before=ASSIGNED,
    who=VISITOR,
    facts=AttemptFacts,
    check=_may_attempt,
    public=False,
)
PROGRESS_VISIT = Step(
    word="progress_visit",
    before=ASSIGNED,
    who=VISITOR,
    facts=ProgressFacts,
    check=_may_visit_progress,
    meets=frozenset({DutyKind.PROGRESS_VISIT}),
)
VISIT = Step(
    word="visit",
    before=frozenset({State.VISITING}),
    who=VISITOR,
    facts=VisitFacts,
    check=_may_visit,
    effect=_visit,
    meets=frozenset({DutyKind.SATISFACTION_VISIT}),
    hears=True,
    law="Beijing 23",
)
HARD_VISIT = Step(
    word="hard_visit",
    before=ASSIGNED,
    who=VISITOR,
    facts=ProgressFacts,
    check=_may_visit_hard,
    meets=frozenset({DutyKind.HARD_VISIT}),
    hears=True,
)

STEPS: tuple[Step, ...] = (ATTEMPT, PROGRESS_VISIT, VISIT, HARD_VISIT)
COMING: tuple[Coming, ...] = ()
