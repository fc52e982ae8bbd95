"""Record visits and the resident's own rating; what follows from them (redo, or close) is taken with them by rule."""

from __future__ import annotations

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import ledger
from fuzhengtong.cases import steps as cases_steps
from fuzhengtong.cases.actions import Desk, Taken
from fuzhengtong.cases.states import Satisfaction, Solved, VisitResult
from fuzhengtong.charter.moment import Moment
from fuzhengtong.visits import queries, rules, steps


def _texts(words: str) -> dict[str, str]:
    return {"words": words} if words.strip() else {}


def visit(
    *,
    case_id: int,
    appeal_id: int,
    moment: Moment,
    result: VisitResult,
    how: str,
    contacted: bool | None = None,
    solved: Solved | None = None,
    satisfaction: Satisfaction | None = None,
    account_true: bool | None = None,
    words: str = "",
    expect: int | None = None,
    once: ledger.Once | None = None,
) -> Taken:
    """Record the satisfaction visit: the four questions, or "unreachable" after the charter's attempts.

    Not solved or not satisfied takes the redo at once; the last one heard closes the case. Attempts are counted
    from the ledger, on different days and at different hours where the charter says so.
    """
    with cases_actions.at_desk(case_id=case_id, moment=moment, expect=expect) as desk:
        plan = desk.take(
            steps.VISIT,
            texts=_texts(words),
            appeal_id=appeal_id,
            result=result,
            how=how,
            attempts=_attempts(desk, appeal_id, moment),
            contacted=contacted,
            solved=solved,
            satisfaction=satisfaction,
            account_true=account_true,
        )
        desk.write(once)
        return Taken(entry=plan.entry, after=desk.snapshot)


def _attempts(desk: Desk, appeal_id: int, moment: Moment) -> int:
    since = desk.snapshot.known.passed_at
    made = queries.attempts(case_id=desk.snapshot.known.id, appeal_id=appeal_id, since=since)
    charter = moment.charter
    # The call in which the visitor says "unreachable" is itself an attempt.
    return rules.attempts_that_count(
        [*made, moment.at],
        zone=charter.clock.zone,
        different_days=charter.visits.different_days,
        different_hours=charter.visits.different_hours,
    )


def rate(
    *,
    case_id: int,
    appeal_id: int,
    moment: Moment,
    solved: Solved,
    satisfaction: Satisfaction,
    words: str = "",
    once: ledger.Once | None = None,
) -> Taken:
    """Take the resident's own rating, by his query code; it counts as his satisfaction visit."""
    return cases_actions.take(
        case_id=case_id,
        step=cases_steps.RATE,
        moment=moment,
        texts=_texts(words),
        once=once,
        appeal_id=appeal_id,
        solved=solved,
        satisfaction=satisfaction,
    )
