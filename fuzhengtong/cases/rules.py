"""The pure heart: what one step does to one case, at one moment.

`plan` is all there is: it refuses, or returns the entry with its bytes, the columns after, the duties met, owed,
voided and paused, the followers and the counts. Nobody calls it but `cases.actions`, `verify`, replay and tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from fuzhengtong.cases import permits
from fuzhengtong.cases.states import (
    OPEN,
    AppealRow,
    AppealState,
    AssignmentRow,
    CaseKind,
    CaseRow,
    DutyClass,
    DutyKind,
    DutyRow,
    Look,
    Satisfaction,
    Snapshot,
    Solved,
    State,
    VisitResult,
    class_of,
)
from fuzhengtong.cases.steps import Change, Facts, NothingProvisional, Owe, Since, Step
from fuzhengtong.charter.editions import Charter
from fuzhengtong.charter.moment import Actor, Moment
from fuzhengtong.kernel import due, entries
from fuzhengtong.kernel.calendar import Calendar
from fuzhengtong.kernel.errors import Refused


class NotNow(Refused):
    """Refuse a step that the state of the case does not allow."""

    code = "not_now"


class NotYours(Refused):
    """Refuse a step to somebody whose post does not allow it."""

    code = "not_yours"


class Overtaken(Refused):
    """Refuse a step decided on a page that somebody else has overtaken."""

    code = "overtaken"


class WrongFacts(Refused):
    """Refuse facts of another step; a page never gets here."""

    code = "wrong_facts"


class EntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger, ready to be inserted. `prev` and `hash` are hexadecimal."""

    id: int
    case_id: int
    appeal_id: int | None
    seq: int
    at: datetime
    told_at: datetime | None
    by_kind: str
    by_principal: int | None
    by_post: int | None
    by_post_kind: str
    by_office: int | None
    step: str
    step_version: int
    edition: str
    body: bytes
    prev: str
    hash: str


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """One signed count for the roll-up: attribution month, area, root category, measure, how many."""

    month: int
    area_id: int
    root: str
    measure: str
    n: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one step does, before anything is written."""

    before: Snapshot
    after: Snapshot
    entry: EntryRow
    follow: tuple[str, ...]
    counts: tuple[Count, ...]


# --- whether -----------------------------------------------------------------------------------------------------


def why_not(step: Step, snapshot: Snapshot, by: Actor) -> Refused | None:
    """Return the refusal of a step for this actor and this case, or nothing.

    Buttons hide by it and `plan` refuses by it. The post is judged before the state, so that a stranger learns
    nothing of a case he may not move.
    """
    if not permits.allows(step.who, by, snapshot):
        return NotYours(step=step.word)
    state = snapshot.case.state if snapshot.case else None
    if step.opens != (state is None) or (state is not None and state not in step.before):
        return NotNow(step=step.word, state=state or "")
    return None


# --- promises ----------------------------------------------------------------------------------------------------


def looks(kind: DutyKind, charter: Charter) -> tuple[tuple[Look, float, int], ...]:
    """List what the ticker does with an open duty of a kind: (look, share of the term or 0, index of the rung).

    Housekeeping and the wait for information act by themselves when due; every other promise is reminded of,
    declared overdue and then climbs the charter's ladder. A supervision's own reply is only declared overdue: the
    ladder of the promise it speaks of goes on.
    """
    if kind == DutyKind.ARCHIVE:
        return ((Look.AT_DUE, 0, 0),)
    if kind == DutyKind.INFO:
        times = charter.need_info.reminders
        reminders = tuple((Look.REMIND, (index + 1) / (times + 1), 0) for index in range(times))
        return (*reminders, (Look.AT_DUE, 0, 0))
    overdue = (Look.OVERDUE, 0.0, 0)
    if kind == DutyKind.SUPERVISION_REPLY:
        return (overdue,)
    climb = tuple((Look.SUPERVISE, 0.0, index) for index, rung in enumerate(charter.ladder) if rung.level > 0)
    if kind == DutyKind.DISPATCH:
        return (overdue, *climb)
    return ((Look.REMIND, charter.reminder_share, 0), overdue, *climb)


def next_look(duty: DutyRow, charter: Charter, calendar: Calendar, area: str | None) -> tuple[Look, datetime | None]:
    """Tell what the ticker does next with an open duty, and when (UTC)."""
    steps = looks(duty.kind, charter)
    if duty.paused_at is not None or duty.rung >= len(steps):
        return Look.NONE, None
    look, share, index = steps[duty.rung]
    if look == Look.REMIND:
        unit = due.Unit(duty.unit)
        if unit in _WALL and duty.urgency not in charter.reminder.any_hour_for:
            # Nobody is reminded at night of what is no emergency: the share moves into office hours.
            unit = due.Unit.CALENDAR_DAYS
        at = due.share_at(
            start=duty.owed_from,
            due=duty.due_at,
            share=share,
            unit=unit,
            calendar=calendar,
            clock=charter.clock,
            area=area,
        )
        return look, at
    if look == Look.SUPERVISE:
        rung = charter.ladder[index]
        at = due.due_at(
            start=last_moment(duty.due_at),
            length=rung.after,
            unit=rung.unit,
            calendar=calendar,
            clock=charter.clock,
            area=area,
        ).at
        return look, at
    return look, duty.due_at


_WALL = (due.Unit.WALL_MINUTES, due.Unit.WALL_HOURS)
# What counts by the calendar of working days, and is a guess where a year is not announced.
_BY_CALENDAR = (due.Unit.WORKING_HOURS, due.Unit.WORKING_DAYS, due.Unit.CALENDAR_DAYS_ROLLED)


def last_moment(due_at: datetime) -> datetime:
    """Return the last millisecond of a promise: 24:00 belongs to the day that ends with it (Civil Code 203)."""
    return due_at - timedelta(milliseconds=1)


def _owed(owe: Owe, draft: _Draft, facts: Any, moment: Moment) -> Iterable[DutyRow]:
    case = draft.case
    if owe.when is not None and not owe.when(draft.snapshot(), facts):
        return
    charter, promised = moment.charter, _promise(owe, case, moment.charter)
    if promised is None:
        return
    kind, length, unit = promised
    area = case.county_code or None
    start = _start(owe, case, moment)
    found = due.due_at(start=start, length=length, unit=unit, calendar=moment.calendar, clock=charter.clock, area=area)
    if owe.due == "carry":
        before = case.redo_due_at or case.finish_due_at
        found = _at_least(found, before, start=start, unit=unit, charter=charter, calendar=moment.calendar)
    for appeal_id, assignment_id in _each(owe, draft):
        row = DutyRow(
            id=moment.mint.id(),
            case_id=case.id,
            appeal_id=appeal_id,
            assignment_id=assignment_id,
            about=int(getattr(facts, "about", 0) or 0),
            kind=kind,
            klass=class_of(kind),
            owed_by=_owner(owe, case, facts),
            owed_by_post=getattr(facts, "owed_by_post", owe.post) if owe.by == "same" else owe.post,
            owed_from=start,
            length=length,
            unit=unit.value,
            due_at=found.at,
            provisional=found.provisional,
            urgency=case.urgency,
            edition=charter.edition,
            calendar=moment.calendar.version,
        )
        yield _looked(row, charter, moment.calendar, area)


def _at_least(
    found: due.Due, before: datetime | None, *, start: datetime, unit: due.Unit, charter: Charter, calendar: Calendar
) -> due.Due:
    """Let the promise made before stand where it reaches further than the least time of what was sent back.

    It is a guess where it reaches into a year that is not announced.
    """
    if before is None or before <= found.at:
        return found
    clock = charter.clock
    is_certain = calendar.is_certain(clock.local(start).date(), clock.last_day(before))
    return due.Due(before, unit in _BY_CALENDAR and not is_certain)


def _start(owe: Owe, case: CaseRow, moment: Moment) -> datetime:
    """Return when a promise begins: now, or at the receipt where the charter counts from there."""
    if owe.due == "term" and moment.charter.term(owe.kind.value, case.urgency.value).starts == "received":
        return case.received_at
    return moment.at


def _looked(row: DutyRow, charter: Charter, calendar: Calendar, area: str | None) -> DutyRow:
    look, at = next_look(row, charter, calendar, area)
    return msgspec.structs.replace(row, look=look, look_at=at)


def _promise(owe: Owe, case: CaseRow, charter: Charter) -> tuple[DutyKind, int, due.Unit] | None:
    if owe.due == "carry":
        least = charter.term(DutyKind.REVIEW.value, case.urgency.value)
        return owe.kind, least.length, least.unit
    if owe.due in ("finish", "interim"):
        term = charter.finish(urgency=case.urgency.value, category=case.category_code, category_days=case.category_days)
        if owe.due == "interim":
            return (owe.kind, term.interim.length, term.interim.unit) if term.interim else None
        return owe.kind, term.length, term.unit
    found = charter.term(owe.kind.value, case.urgency.value)
    return owe.kind, found.length, found.unit


def _owner(owe: Owe, case: CaseRow, facts: Any) -> int:
    if owe.by == "lead" and case.office_id is not None:
        return case.office_id
    if owe.by == "same":
        return int(facts.owed_by)
    return case.desk_id


def _each(owe: Owe, draft: _Draft) -> Iterable[tuple[int | None, int | None]]:
    if owe.each == "appeal":
        return [(row.id, None) for row in draft.snapshot().live_appeals]
    if owe.each == "assignment":
        return [(None, row.id) for row in draft.new_assignments]
    return [(None, None)]


# --- the plan ----------------------------------------------------------------------------------------------------


class _Draft:
    """The case while one step is being planned. Lives inside `plan` alone."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.before = snapshot
        self._case = snapshot.case
        self.appeals = {row.id: row for row in snapshot.appeals}
        self.duties = {row.id: row for row in snapshot.duties}
        self.assignments = {row.id: row for row in snapshot.assignments}
        self.new_assignments: list[AssignmentRow] = []

    @property
    def case(self) -> CaseRow:
        assert self._case is not None  # noqa: S101 - `register` has made it
        return self._case

    @case.setter
    def case(self, row: CaseRow) -> None:
        self._case = row

    def snapshot(self) -> Snapshot:
        return Snapshot(
            case=self._case,
            appeals=tuple(self.appeals.values()),
            duties=tuple(self.duties.values()),
            assignments=tuple(self.assignments.values()),
        )

    def open(self) -> list[DutyRow]:
        return [row for row in self.duties.values() if row.is_open]

    def apply(self, change: Change, moment: Moment) -> None:
        if change.case:
            self.case = msgspec.structs.replace(self.case, **change.case)
        for key, columns in change.appeals.items():
            self.appeals[key] = msgspec.structs.replace(self.appeals[key], **columns)
        for key, columns in change.assignments.items():
            self.assignments[key] = msgspec.structs.replace(self.assignments[key], **columns)
        for row in change.assign:
            self.assignments[row.id] = row
            self.new_assignments.append(row)


def plan(step: Step, snapshot: Snapshot, facts: Facts, moment: Moment) -> Plan:
    """Plan one step of one case: pure, complete, or refused with NotYours, NotNow or the step's own refusal."""
    if refusal := why_not(step, snapshot, moment.by):
        raise refusal
    if not isinstance(facts, step.facts):
        raise WrongFacts(step=step.word)
    if step.check is not None:
        step.check(snapshot, facts, moment)
    draft = _Draft(snapshot)
    entry_id = moment.mint.id()
    if step.opens:
        _open_case(draft, facts, moment)
        snapshot = draft.snapshot()
    if step.effect is not None:
        draft.apply(step.effect(snapshot, facts, moment), moment)
    _move(draft, step)
    _keep_response(draft, moment)
    renewed = tuple(owe for owe in step.renews if _is_outdated(owe, draft))
    settled = _settle(draft, step, facts, entry_id, moment, renewed)
    if step.recomputes and not settled["recomputes"]:
        raise NothingProvisional(step=step.word)
    owed = [row for owe in (*step.owes, *renewed) for row in _owed(owe, draft, facts, moment)]
    draft.duties.update({row.id: row for row in owed})
    _keep_due_columns(draft, owed, settled["recomputes"], facts, moment)
    return _written(draft, step, facts, moment, entry_id, settled, owed)


def _open_case(draft: _Draft, facts: Any, moment: Moment) -> None:
    case_id = moment.mint.id()
    month = facts.biz_day // 100
    draft.case = CaseRow(
        id=case_id,
        number=facts.case_number,
        state=State.RECEIVED,
        city_id=facts.city_id,
        desk_id=facts.desk_id,
        confidential=facts.confidential or facts.anonymous,
        received_at=moment.at,
        biz_day=facts.biz_day,
        biz_month=month,
        data_key=facts.data_key,
    )
    draft.appeals[facts.appeal_id] = AppealRow(
        id=facts.appeal_id,
        case_id=case_id,
        number=facts.appeal_number,
        channel=facts.channel,
        resident_id=facts.resident_id,
        confidential=facts.confidential,
        anonymous=facts.anonymous,
        received_at=moment.at,
        biz_month=month,
    )


def _move(draft: _Draft, step: Step) -> None:
    state = step.after or draft.case.state
    draft.case = msgspec.structs.replace(draft.case, state=state, is_open=state in OPEN, version=draft.case.version + 1)


def _keep_response(draft: _Draft, moment: Moment) -> None:
    """Note, once, whether the first response came in time: signed for and the teller reached, whichever came last.

    The limit is the term `first_response` of the edition under which the case was assigned. A redo asks for another
    contact and leaves the first response as it was.
    """
    case = draft.case
    if case.response_late is None and case.signed_at and case.contacted_at and case.assigned_at:
        charter = moment.charters.in_force(case.assigned_at)
        term = charter.term(DutyKind.FIRST_RESPONSE.value, case.urgency.value)
        limit = due.due_at(
            start=case.received_at if term.starts == "received" else case.assigned_at,
            length=term.length,
            unit=term.unit,
            calendar=moment.calendar,
            clock=charter.clock,
            area=case.county_code or None,
        )
        draft.case = msgspec.structs.replace(case, response_late=moment.at > limit.at)


def _speaks_of(duty: DutyRow, facts: Any) -> bool:
    """Tell whether a duty is one the facts speak of: its appeal, its assignment, its order."""
    for name in ("appeal_id", "assignment_id"):
        said, held = getattr(facts, name, None), getattr(duty, name)
        if said is not None and held is not None and said != held:
            return False
    about = getattr(facts, "about", None)
    return about is None or duty.about == about


def _is_outdated(owe: Owe, draft: _Draft) -> bool:
    """Tell whether a running promise was made for another urgency, or by another centre, than the case has now."""
    case = draft.case
    running = [duty for duty in draft.open() if duty.kind == owe.kind]
    return any((duty.urgency, duty.owed_by) != (case.urgency, _owner(owe, case, None)) for duty in running)


def _settle(
    draft: _Draft, step: Step, facts: Any, entry_id: int, moment: Moment, renewed: Sequence[Owe]
) -> dict[str, list[DutyRow]]:
    """Meet, void, pause, resume, climb and count anew the open duties of the case; tell which."""
    voids = step.voids | {owe.kind for owe in renewed}
    done: dict[str, list[DutyRow]] = {
        verb: [] for verb in ("meets", "voids", "pauses", "resumes", "climbs", "recomputes")
    }
    charter_of = moment.charters.edition
    area = draft.case.county_code or None
    gone = {key for key, row in draft.appeals.items() if row.state == AppealState.WITHDRAWN}
    for duty in draft.open():
        if duty.kind in step.meets and _speaks_of(duty, facts):
            row = msgspec.structs.replace(duty, met_at=moment.at, met_by=entry_id, look=Look.NONE, look_at=None)
            done["meets"].append(row)
        elif duty.kind in voids or duty.appeal_id in gone:
            row = msgspec.structs.replace(duty, voided_at=moment.at, voided_by=entry_id, look=Look.NONE, look_at=None)
            done["voids"].append(row)
        elif duty.kind in step.pauses and duty.paused_at is None:
            row = _paused(duty, charter_of(duty.edition), moment, area)
            done["pauses"].append(row)
        elif duty.kind in step.resumes and duty.paused_at is not None:
            row = _resumed(duty, charter_of(duty.edition), moment, area)
            done["resumes"].append(row)
        elif step.climbs and duty.id == getattr(facts, "duty_id", None):
            climbed = msgspec.structs.replace(duty, rung=duty.rung + 1)
            row = _looked(climbed, charter_of(duty.edition), moment.calendar, area)
            done["climbs"].append(row)
        elif step.recomputes and is_announced_since(duty, charter_of(duty.edition), moment.calendar):
            row = _recomputed(duty, _since(facts, duty.id), charter_of(duty.edition), moment, area)
            done["recomputes"].append(row)
        else:
            continue
        draft.duties[row.id] = row
    return done


def _paused(duty: DutyRow, charter: Charter, moment: Moment, area: str | None) -> DutyRow:
    left = due.remaining(
        at=moment.at,
        due=duty.due_at,
        unit=due.Unit(duty.unit),
        calendar=moment.calendar,
        clock=charter.clock,
        area=area,
    )
    return msgspec.structs.replace(duty, paused_at=moment.at, remaining=left, look=Look.NONE, look_at=None)


def _resumed(duty: DutyRow, charter: Charter, moment: Moment, area: str | None) -> DutyRow:
    found = due.resume(
        at=moment.at,
        remaining=duty.remaining or 0,
        unit=due.Unit(duty.unit),
        calendar=moment.calendar,
        clock=charter.clock,
        area=area,
    )
    row = msgspec.structs.replace(
        duty,
        paused_at=None,
        remaining=None,
        due_at=found.at,
        provisional=found.provisional,
        calendar=moment.calendar.version,
    )
    return _looked(row, charter, moment.calendar, area)


def is_announced_since(duty: DutyRow, charter: Charter, calendar: Calendar) -> bool:
    """Tell whether a running promise was a guess, and every year it touches is announced in the calendar in force.

    Met, voided and paused promises never are; nor is one that was counted for good, whatever the calendar says now.
    """
    if not duty.provisional or not duty.is_open or duty.paused_at is not None or duty.calendar == calendar.version:
        return False
    clock = charter.clock
    return calendar.is_certain(clock.local(duty.owed_from).date(), clock.last_day(duty.due_at))


def _since(facts: Any, duty_id: int) -> Since:
    told: Iterable[Since] = getattr(facts, "since", ())
    return next((since for since in told if since.duty_id == duty_id), Since(duty_id=duty_id))


def _recomputed(duty: DutyRow, since: Since, charter: Charter, moment: Moment, area: str | None) -> DutyRow:
    """Count a promise anew from where it began, by its own edition's clock and the calendar in force."""
    unit, calendar, clock = due.Unit(duty.unit), moment.calendar, charter.clock
    start = since.resumed_at or duty.owed_from
    if since.resumed_at is None:
        found = due.due_at(start=start, length=duty.length, unit=unit, calendar=calendar, clock=clock, area=area)
    else:
        found = due.resume(at=start, remaining=since.left, unit=unit, calendar=calendar, clock=clock, area=area)
    found = _at_least(found, since.carried, start=start, unit=unit, charter=charter, calendar=calendar)
    row = msgspec.structs.replace(duty, due_at=found.at, provisional=found.provisional, calendar=calendar.version)
    row = msgspec.structs.replace(row, rung=_looks_come(row, charter, moment, area))
    return _looked(row, charter, calendar, area)


def _looks_come(duty: DutyRow, charter: Charter, moment: Moment, area: str | None) -> int:
    """Count the looks taken whose time has come by the due time as it is now; the others will be taken again."""
    for rung in range(duty.rung):
        _, at = next_look(msgspec.structs.replace(duty, rung=rung), charter, moment.calendar, area)
        if at is not None and at > moment.at:
            return rung
    return duty.rung


def _keep_due_columns(
    draft: _Draft, owed: list[DutyRow], recomputed: list[DutyRow], facts: Any, moment: Moment
) -> None:
    """Keep the columns that lists sort by and figures judge by."""
    case = draft.case
    running = [row.due_at for row in draft.open() if row.klass != DutyClass.HOUSEKEEPING and row.paused_at is None]
    waiting = [row.due_at for row in draft.open() if row.klass != DutyClass.HOUSEKEEPING]
    changes: dict[str, Any] = {"next_due_at": min(running or waiting, default=None) if case.is_open else None}
    for row in owed:
        if row.kind == DutyKind.REDO:
            changes["redo_due_at"] = row.due_at
        if row.kind == DutyKind.FINISH and case.finish_due_at is None:
            changes |= _finish_promised(row.due_at, moment)
    for row in recomputed:
        # Work sent back goes on under the last redo or, where there was none, under the first promise to finish.
        carried = _since(facts, row.id).carried
        promised = carried or row.due_at
        if row.kind == DutyKind.REDO or (carried is not None and case.redo_due_at is not None):
            changes["redo_due_at"] = promised
        elif row.kind == DutyKind.FINISH:
            changes |= _finish_promised(promised, moment)
            if case.finish_late and promised > moment.at:
                # It was declared overdue by a guess; what was promised still lies ahead.
                changes["finish_late"] = None
    draft.case = msgspec.structs.replace(case, **changes)


def _finish_promised(due_at: datetime, moment: Moment) -> dict[str, Any]:
    day = last_moment(due_at).astimezone(moment.charter.clock.zone)
    return {"finish_due_at": due_at, "due_month": day.year * 100 + day.month}


def _written(
    draft: _Draft,
    step: Step,
    facts: Facts,
    moment: Moment,
    entry_id: int,
    settled: Mapping[str, list[DutyRow]],
    owed: list[DutyRow],
) -> Plan:
    before, case = draft.before, draft.case
    prev = before.case.head if before.case else entries.GENESIS.hex()
    by = moment.by
    body = _body(draft, facts, moment, settled, owed)
    data = entries.canonical(
        city=moment.charter.city,
        case_id=case.id,
        seq=case.version,
        at=moment.at,
        told_at=moment.told_at,
        by=_wire(
            {"kind": by.kind, "principal": by.principal, "post": by.post, "as": by.post_kind, "office": by.office}
        ),
        step=step.word,
        step_version=step.version,
        body=body,
    )
    head = entries.chain(bytes.fromhex(prev), data).hex()
    draft.case = msgspec.structs.replace(case, head=head)
    after = draft.snapshot()
    entry = EntryRow(
        id=entry_id,
        case_id=case.id,
        appeal_id=getattr(facts, "appeal_id", None),
        seq=case.version,
        at=moment.at,
        told_at=moment.told_at,
        by_kind=by.kind,
        by_principal=by.principal,
        by_post=by.post,
        by_post_kind=by.post_kind,
        by_office=by.office,
        step=step.word,
        step_version=step.version,
        edition=moment.charter.edition,
        body=data,
        prev=prev,
        hash=head,
    )
    follow = (*step.follow, *(("notices",) if step.tells else ()))
    return Plan(before=before, after=after, entry=entry, follow=follow, counts=moved(before, after))


# Never in the ledger: keys, links to people, and what the chain itself keeps.
_UNTOLD = frozenset({"head", "data_key", "resident_id"})
_DUTY_COLUMNS = ("due_at", "paused_at", "remaining", "provisional", "rung")
# What a promise was before it was counted anew: it never moves without the ledger saying from where to where.
_MOVED_COLUMNS = ("due_at", "provisional", "rung", "calendar")


def _body(
    draft: _Draft,
    facts: Facts,
    moment: Moment,
    settled: Mapping[str, list[DutyRow]],
    owed: list[DutyRow],
) -> dict[str, Any]:
    before = draft.before
    body: dict[str, Any] = {
        "edition": moment.charter.edition,
        "calendar": moment.calendar.version,
        "facts": _wire(facts),
        "set": _differences(before.case, draft.case),
    }
    old_appeals = {row.id: row for row in before.appeals}
    old_assignments = {row.id: row for row in before.assignments}
    appeals = {str(key): _differences(old_appeals.get(key), row) for key, row in draft.appeals.items()}
    assignments = {str(key): _differences(old_assignments.get(key), row) for key, row in draft.assignments.items()}
    body["appeals"] = {key: found for key, found in appeals.items() if found}
    body["assignments"] = {key: found for key, found in assignments.items() if found}
    for name in ("meets", "voids"):
        body[name] = [str(row.id) for row in settled[name]]
    for name in ("pauses", "resumes", "climbs"):
        body[name] = [
            {"id": str(row.id), **{column: _wire(getattr(row, column)) for column in _DUTY_COLUMNS}}
            for row in settled[name]
        ]
    old_duties = {row.id: row for row in before.duties}
    body["recomputes"] = [
        {
            "id": str(row.id),
            "before": {column: _wire(getattr(old_duties[row.id], column)) for column in _MOVED_COLUMNS},
            **{column: _wire(getattr(row, column)) for column in _DUTY_COLUMNS},
        }
        for row in settled["recomputes"]
    ]
    body["owes"] = [_differences(None, row) for row in owed]
    return {name: value for name, value in body.items() if value not in ([], {}, None)}


def _differences(old: Any, new: Any) -> dict[str, Any]:
    """Name the columns of a row that changed; of a new row, all that are not empty."""
    found = {}
    for name in new.__struct_fields__:
        value = getattr(new, name)
        unchanged = value is None if old is None else value == getattr(old, name)
        if name not in _UNTOLD and not unchanged and not name.startswith("look"):
            found[name] = _wire(value)
    return found


def _wire(value: Any) -> Any:
    """Turn a value into what the ledger's bytes hold: instants as milliseconds, ids as text."""
    if isinstance(value, msgspec.Struct):
        fields = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: _wire(held) for name, held in fields if held is not None and name not in _UNTOLD}
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value >= 1 << 53:
        return str(value)
    if isinstance(value, tuple | list):
        return [_wire(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _wire(item) for key, item in value.items()}
    return value


# --- counts ------------------------------------------------------------------------------------------------------

_SAID = {Solved.YES: "solved", Solved.PARTLY: "partly", Solved.NO: "unsolved"}
_FELT = {Satisfaction.SATISFIED: "satisfied", Satisfaction.BASICALLY: "basically", Satisfaction.NOT: "dissatisfied"}


def counts(appeal: AppealRow, case: CaseRow) -> dict[tuple[int, int, str, str], int]:
    """Count one appeal: {(month, area, root category, measure): 1}. Pure; the only place that knows a measure.

    Anchor: the month the appeal was received, but `on_time` and `late` stand in the month the promise fell due, so
    that an open overdue case stays in the denominator. Unit: appeals. The area is the town, else the county, else
    the city. What was closed before it came here is counted nowhere: no figure of ours speaks of that work.
    """
    if case.kind == CaseKind.HISTORY:
        return {}
    area = case.town_id or case.county_id or case.city_id
    month = appeal.biz_month
    found = ["received"]
    if case.state == State.DECLINED:
        found.append("declined")
    if appeal.state == AppealState.WITHDRAWN:
        found.append("withdrawn")
    if case.accepted_at is not None:
        found.append("accepted")
    if case.signed_at is not None and case.contacted_at is not None:
        found.append("contacted")
    if case.response_late is False:
        found.append("responded")
    if case.passed_at is not None:
        found.append("finished")
    if case.state in (State.CLOSED, State.ARCHIVED):
        found.append("closed")
    if case.redo_count:
        found.append("redone")
    if appeal.visit_result == VisitResult.UNREACHABLE:
        found.append("unreachable")
    if appeal.solved is not None:
        found.append(_SAID[appeal.solved])
    if appeal.satisfaction is not None:
        found.append(_FELT[appeal.satisfaction])
    result = {(month, area, case.root, measure): 1 for measure in found}
    if case.finish_late is not None and case.due_month is not None:
        result[case.due_month, area, case.root, "late" if case.finish_late else "on_time"] = 1
    return result


def moved(before: Snapshot, after: Snapshot) -> tuple[Count, ...]:
    """Return counts(after) − counts(before) over all appeals of the case, without what did not move."""
    total: dict[tuple[int, int, str, str], int] = {}
    for sign, snapshot in ((-1, before), (1, after)):
        if snapshot.case is None:
            continue
        for row in snapshot.appeals:
            for key, n in counts(row, snapshot.case).items():
                total[key] = total.get(key, 0) + sign * n
    return tuple(Count(month=key[0], area_id=key[1], root=key[2], measure=key[3], n=n) for key, n in total.items() if n)


def ends_visiting(snapshot: Snapshot, charter: Charter) -> str:
    """Say what follows when a teller has been heard: 'redo', 'close', or '' while a visit is still open.

    Not satisfied or not solved means redo (Jinan 27, charter 重办) as soon as the charter's share of the tellers says
    so; below it the case waits until all are heard, and a single dissatisfied one still sends it back.
    """
    count = len(unhappy(snapshot))
    if count and count >= charter.redo.dissatisfied_share * len(snapshot.live_appeals):
        return "redo"
    waits = (DutyKind.SATISFACTION_VISIT, DutyKind.HARD_VISIT)
    if any(duty.is_open and duty.kind in waits for duty in snapshot.duties):
        return ""
    return "redo" if count else "close"


def unhappy(snapshot: Snapshot) -> tuple[AppealRow, ...]:
    """Return the tellings whose tellers were heard and said that it is not solved, or that they are not content."""
    heard = (row for row in snapshot.live_appeals if row.visit_result is not None)
    return tuple(row for row in heard if row.solved == Solved.NO or row.satisfaction == Satisfaction.NOT)
