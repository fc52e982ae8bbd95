"""Look at promises when their time has come: remind, declare overdue, climb the ladder, give and take orders.

And count anew, in batches, what was promised by a guess before its year was announced: who imports a calendar has
nothing more to do, and a ticker that dies on the way is followed by one that finds the rest.

`tick` is called by the ticker every second; many tickers at once are safe, since a case that another holds is left
to it, and a look that was done is no longer due. Whatever was missed while the machine was down is done once, late,
and says how late.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, connection

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import ledger
from fuzhengtong.cases import rules as cases_rules
from fuzhengtong.cases import steps as cases_steps
from fuzhengtong.cases.actions import Desk, Followed, Taken
from fuzhengtong.cases.states import DutyKind, DutyRow, Look
from fuzhengtong.charter.moment import SYSTEM, Moment
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.oversight import queries, rules, steps

log = logging.getLogger("fuzhengtong.oversight")

# Enough for all looks a duty can have; a duty that still asks for more is a bug and not an endless loop.
MOST_LOOKS = 12
# A case that cannot be looked at is tried again after this long; meanwhile the watchdog rings for its missed looks.
LEFT_FOR = timedelta(minutes=5)
_DUE = """
SELECT case_id FROM cases_duty
WHERE look_at IS NOT NULL AND look_at <= %s AND NOT case_id = ANY(%s) ORDER BY look_at, id LIMIT %s
"""
# Cases that could not be looked at, until when this process leaves them alone.
_left: dict[int, datetime] = {}
# All promises are looked through at once when another calendar is in force, and then this often: for some seconds a
# process may still promise by the calendar before.
LOOKED_THROUGH_EVERY = timedelta(minutes=1)
_looked_through: tuple[str, datetime] | None = None


@dataclass(frozen=True)
class Ticked:
    """What one tick did: cases looked at, steps taken."""

    cases: int
    steps: int


def tick(*, moment: Moment, limit: int = 100) -> Ticked:
    """Do every look whose time has come, at most `limit` cases in one transaction.

    Promises whose year has been announced are counted anew, before anybody is called late by the guess they were.
    Where a batch fails, each of its cases is looked at alone: one broken case never stops the clocks of the others.
    """
    moment = moment.acting(SYSTEM)
    left = [case_id for case_id, until in _left.items() if until > moment.at]
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [moment.at, left, limit])
        found = {row[0] for row in cursor.fetchall()}
    case_ids = sorted(found | set(_guessed(moment, left, limit - len(found))))
    if not case_ids:
        return Ticked(cases=0, steps=0)
    try:
        done_at_once = _tick(case_ids, moment)
    except cases_actions.Busy:
        return Ticked(cases=0, steps=0)
    except (OperationalError, InterfaceError):
        raise
    # The edge of a loop: whatever is wrong with one case, the others are looked at.
    except Exception:
        log.exception("a tick failed on a batch of %s cases; each is looked at alone", len(case_ids))
    else:
        for case_id in case_ids:
            _left.pop(case_id, None)
        return done_at_once
    done = [_tick_alone(case_id, moment) for case_id in case_ids]
    return Ticked(cases=sum(one.cases for one in done), steps=sum(one.steps for one in done))


def _guessed(moment: Moment, left: Sequence[int], limit: int) -> list[int]:
    """List cases that owe something by a guess which the calendar in force has overtaken."""
    global _looked_through
    calendar = moment.calendar
    if limit <= 0 or not calendar.announced:
        return []
    if _looked_through is not None:
        version, at = _looked_through
        if version == calendar.version and abs(moment.at - at) < LOOKED_THROUGH_EVERY:
            return []
    found = queries.guessed(calendar=calendar, zone=moment.charter.clock.zone, left=left, limit=limit)
    if len(found) < limit:
        _looked_through = (calendar.version, moment.at)
    return found


def _tick_alone(case_id: int, moment: Moment) -> Ticked:
    try:
        done = _tick([case_id], moment)
    except cases_actions.Busy:
        return Ticked(cases=0, steps=0)
    except (OperationalError, InterfaceError):
        raise
    except Exception as trouble:
        log.error("case %s cannot be looked at (%s)", case_id, type(trouble).__name__)
        _left[case_id] = moment.at + LEFT_FOR
        return Ticked(cases=0, steps=0)
    _left.pop(case_id, None)
    return done


def _tick(case_ids: Sequence[int], moment: Moment) -> Ticked:
    with cases_actions.deciding():
        desks = [Desk(snapshot, moment) for snapshot in ledger.read(case_ids, skip_locked=True)]
        _recompute(desks, moment)
        for desk in desks:
            look_at(desk)
        plans = [plan for desk in desks for plan in desk.plans]
        if plans:
            passages = [row for desk in desks for row in desk.passages]
            ledger.write(plans, moment=moment, passages=passages)
    return Ticked(cases=len(desks), steps=len(plans))


def _recompute(desks: Sequence[Desk], moment: Moment) -> None:
    """Count anew, on each case, what was promised by a guess and can be known by now: one step a case."""
    waiting = {
        desk: [
            duty
            for duty in desk.snapshot.duties
            if cases_rules.is_announced_since(duty, moment.charters.edition(duty.edition), moment.calendar)
        ]
        for desk in desks
    }
    named = [(duty.case_id, duty.id, duty.kind) for duties in waiting.values() for duty in duties]
    if not named:
        return
    stopped, earlier = queries.stopped(named), queries.earlier(named)
    for desk, duties in waiting.items():
        if duties:
            from_where = (
                rules.since(
                    duty,
                    stopped=stopped.get(duty.id),
                    earlier=earlier.get(duty.id),
                    charters=moment.charters,
                    calendar=moment.calendar,
                    area=desk.snapshot.known.county_code or None,
                )
                for duty in duties
            )
            since = tuple(one for one in from_where if one is not None)
            desk.take(steps.RECOMPUTE, calendar=moment.calendar.version, since=since)


def look_at(desk: Desk) -> None:
    """Take, on one case, every look that is due, the earliest first."""
    for _ in range(MOST_LOOKS * max(1, len(desk.snapshot.duties))):
        due = [
            duty
            for duty in desk.snapshot.duties
            if duty.is_open and duty.look_at is not None and duty.look_at <= desk.moment.at
        ]
        if not due:
            return
        _look(desk, min(due, key=lambda duty: (duty.look_at, duty.id)))


def _look(desk: Desk, duty: DutyRow) -> None:
    late = rules.late_by(duty, desk.moment.at)
    if duty.look == Look.AT_DUE:
        if duty.kind == DutyKind.INFO:
            desk.take(cases_steps.LAPSE, duty_id=duty.id)
        else:
            desk.take(cases_steps.ARCHIVE)
    elif duty.look == Look.SUPERVISE:
        rung = rules.rung_of(duty, desk.moment.charters.edition(duty.edition))
        supervise_duty(desk, duty=duty, level=rung.level, by=rung.by, late_by_s=late)
    else:
        step = steps.REMIND if duty.look == Look.REMIND else steps.OVERDUE
        desk.take(step, duty_id=duty.id, kind=duty.kind, due_at=duty.due_at, late_by_s=late)


def supervise_duty(desk: Desk, *, duty: DutyRow, level: int, by: str, late_by_s: int = 0) -> None:
    """Give one order about one missed duty, by the office that the charter names for the level."""
    case = desk.snapshot.known
    desk.take(
        steps.SUPERVISE,
        duty_id=duty.id,
        kind=duty.kind,
        level=level,
        about=desk.moment.mint.id(),
        by_office=directory_queries.supervising_office(by=by, county_id=case.county_id),
        owed_by=duty.owed_by,
        owed_by_post=duty.owed_by_post,
        late_by_s=late_by_s,
    )


def supervise(
    *,
    case_id: int,
    level: int,
    reason: str,
    moment: Moment,
    expect: int | None = None,
    once: ledger.Once | None = None,
) -> Taken:
    """Order supervision by hand: a supervisor's or chief clerk's order to the lead office, with its reason.

    Raises AlreadySupervised when an order of this or a higher degree stands.
    """
    with cases_actions.at_desk(case_id=case_id, moment=moment, expect=expect) as desk:
        case = desk.snapshot.known
        if case.supervision and case.supervision <= level:
            raise steps.AlreadySupervised(level=case.supervision)
        plan = desk.take(
            steps.SUPERVISE,
            texts={"reason": reason},
            level=level,
            about=moment.mint.id(),
            by_office=moment.by.office or case.desk_id,
            owed_by=case.office_id or case.desk_id,
            owed_by_post="handler" if case.office_id else "dispatcher",
        )
        desk.write(once)
        return Taken(entry=plan.entry, after=desk.snapshot)


def reply(
    *,
    case_id: int,
    about: int,
    text: str,
    moment: Moment,
    expect: int | None = None,
    once: ledger.Once | None = None,
) -> Taken:
    """Answer an order of supervision."""
    return cases_actions.take(
        case_id=case_id,
        step=steps.REPLY_SUPERVISION,
        moment=moment,
        texts={"reply": text},
        expect=expect,
        once=once,
        about=about,
    )


def follow(followed: Sequence[Followed], *, moment: Moment) -> None:
    """Follow a redo: the charter's last redo brings supervision, never a third silent one."""
    case_ids = sorted({one.case_id for one in followed})
    desks = [Desk(snapshot, moment.acting(SYSTEM)) for snapshot in ledger.read(case_ids)]
    for desk in desks:
        _after_redo(desk)
    _write(desks, moment)


def _after_redo(desk: Desk) -> None:
    case, charter = desk.snapshot.known, desk.moment.charter
    level = charter.redo.then_supervision_level
    stands = case.supervision and case.supervision <= level
    if not case.is_open or case.redo_count < charter.redo.at_most or stands:
        return
    duty = desk.snapshot.open_duty(DutyKind.REDO)
    desk.take(
        steps.SUPERVISE,
        kind=DutyKind.REDO,
        level=level,
        about=desk.moment.mint.id(),
        by_office=directory_queries.supervising_office(by="city_centre", county_id=case.county_id),
        owed_by=duty.owed_by if duty else case.office_id or case.desk_id,
        owed_by_post=duty.owed_by_post if duty else "handler",
    )


def _write(desks: Sequence[Desk], moment: Moment) -> None:
    plans = [plan for desk in desks for plan in desk.plans]
    if plans:
        ledger.write(plans, moment=moment)
