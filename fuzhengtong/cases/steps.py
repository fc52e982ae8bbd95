"""The main procedure as a table: every step of a case, and the typed facts it needs.

A row says from which states to which, who may, which facts, which duties it meets, owes, voids or pauses, who must
be told and which followers want the entry. Adding a step is adding a row; nothing else of the spine changes.
Words and rules: `docs/procedure.md` (made from this table), charter editions under `charters/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from fuzhengtong.cases import permits
from fuzhengtong.cases.permits import Who
from fuzhengtong.cases.states import (
    IN_HAND,
    OPEN,
    UNASSIGNED,
    AppealState,
    AssignmentRow,
    AssignmentState,
    CaseKind,
    DutyKind,
    Lane,
    Role,
    Satisfaction,
    Snapshot,
    Solved,
    State,
    Urgency,
    VisitResult,
)
from fuzhengtong.charter.moment import Moment
from fuzhengtong.kernel.errors import AlreadyDone, Refused


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The typed facts of a step. No free text: a text is a passage, and the ledger holds its salted commitment."""


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed text as the ledger knows it: its row and the commitment to its words."""

    id: int
    commitment: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a step's effect does to the columns, beyond its state and its duties."""

    case: Mapping[str, Any] = {}
    appeals: Mapping[int, Mapping[str, Any]] = {}
    assignments: Mapping[int, Mapping[str, Any]] = {}
    assign: tuple[AssignmentRow, ...] = ()


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """From where a promise is counted anew that does not simply run from its beginning.

    A promise that was stopped goes on since `resumed_at` with what was `left` (minutes or days, by its unit). Work that
    was sent back goes on under the promise made before it, which under the new calendar runs until `carried`.
    """

    duty_id: int
    resumed_at: datetime | None = None
    left: int = 0
    carried: datetime | None = None


@dataclass(frozen=True, slots=True)
class Owe:
    """A duty that a step begins: its kind, who owes it, and when it is not owed at all.

    `by`: desk (the centre in charge), lead (the lead office), same (whoever owed the duty of the facts).
    `post`: the kind of post that answers. `each`: one for the case, one for every live appeal, or one an assignment.
    `due`: 'term' counts from now by the charter; 'finish' is the charter's finish rule; 'carry' keeps the due time
    that was promised before; 'interim' is the interim reply that a longer statutory term owes.
    """

    kind: DutyKind
    by: str
    post: str
    each: str = "case"
    due: str = "term"
    when: Callable[[Snapshot, Any], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One move in the procedure. Frozen; the ledger keeps its word and version for ever.

    `renews` are promises for the case as a whole that are made anew in place of the running one, from where it began,
    where the step has changed the urgency or the centre in charge.
    """

    word: str
    version: int = 1
    before: frozenset[State]
    after: State | None = None
    who: Who
    facts: type[Facts] = Facts
    check: Callable[[Snapshot, Any, Moment], None] | None = None
    effect: Callable[[Snapshot, Any, Moment], Change] | None = None
    meets: frozenset[DutyKind] = frozenset()
    owes: tuple[Owe, ...] = ()
    renews: tuple[Owe, ...] = ()
    voids: frozenset[DutyKind] = frozenset()
    pauses: frozenset[DutyKind] = frozenset()
    resumes: frozenset[DutyKind] = frozenset()
    climbs: bool = False
    recomputes: bool = False
    hears: bool = False
    tells: tuple[str, ...] = ()
    follow: tuple[str, ...] = ()
    public: bool = True
    opens: bool = False
    law: str = ""


@dataclass(frozen=True, slots=True)
class Coming:
    """A step of the domain that is not built yet, and the capability that brings it."""

    word: str
    capability: str


class ContactMissing(Refused):
    """Refuse to finish without evidence that the teller was contacted (办结要有联系记录)."""

    code = "contact_missing"


class ContactTimeWrong(Refused):
    """Refuse a contact that was before the matter was received, or is still to come: neither is evidence."""

    code = "contact_time_wrong"


class HandsNotDone(Refused):
    """Refuse to finish while an assisting office still owes its result."""

    code = "assists_not_done"


class RatingClosed(Refused):
    """Refuse a rating after the days in which the charter keeps it open."""

    code = "rating_closed"


class UrgedToday(AlreadyDone):
    """Refuse a second urging on the same day."""

    code = "urged_today"


class NoSuchAppeal(Refused):
    """Refuse a step about a telling that is not one of the case's."""

    code = "no_such_appeal"


class NothingProvisional(AlreadyDone):
    """Refuse to count promises anew where none waits for the calendar in force."""

    code = "nothing_provisional"


# The clock of a desk may differ from ours a little.
SKEW = timedelta(minutes=5)
WORK_OF_A_CASE = frozenset(kind for kind in DutyKind if kind != DutyKind.ARCHIVE)


# --- facts -----------------------------------------------------------------------------------------------------


class RegisterFacts(Facts, frozen=True, kw_only=True):
    """What intake knows of a telling before anybody has looked at it."""

    case_number: str
    appeal_id: int
    appeal_number: str
    channel: str
    city_id: int
    desk_id: int
    biz_day: int
    telling: Passage
    teller: str = ""
    principal: str = ""
    place: str = ""
    resident_id: int | None = None
    confidential: bool = False
    anonymous: bool = False
    datum: str = ""
    accuracy_m: int | None = None
    files: tuple[str, ...] = ()
    consent: str = ""
    source: str = ""
    data_key: str = ""


class HistoryFacts(RegisterFacts, frozen=True, kw_only=True):
    """What a matter brings along that was told, worked and closed before this city kept its ledger here.

    `note` is what the list said besides, in its own words.
    """

    received_at: datetime
    closed_at: datetime | None = None
    reply: Passage | None = None
    answered_at: datetime | None = None
    note: Passage | None = None
    category_id: int | None = None
    category_code: str = ""
    root: str = ""
    solved: Solved | None = None
    satisfaction: Satisfaction | None = None


class PlaceFacts(Facts, frozen=True, kw_only=True):
    """Area ids of every level; a missing level repeats its parent."""

    city_id: int
    county_id: int | None = None
    county_code: str = ""
    town_id: int | None = None
    community_id: int | None = None
    grid_id: int | None = None


class AcceptFacts(PlaceFacts, frozen=True, kw_only=True):
    category_id: int
    category_code: str
    category_days: int
    root: str
    urgency: Urgency
    lane: Lane
    desk_id: int
    automatic: bool = False
    explanation: Passage | None = None


class DeskFacts(Facts, frozen=True, kw_only=True):
    """Why the machine did not decide: reason keys, and what it would have proposed."""

    reasons: tuple[str, ...] = ()
    category_code: str = ""
    county_id: int | None = None
    county_code: str = ""
    town_id: int | None = None
    community_id: int | None = None
    desk_id: int | None = None
    urgency: Urgency = Urgency.ORDINARY
    explanation: Passage | None = None


class AssignFacts(Facts, frozen=True, kw_only=True):
    office_id: int
    route_id: int | None = None
    automatic: bool = False
    explanation: Passage | None = None


class SignFacts(Facts, frozen=True, kw_only=True):
    assignment_id: int


class NoteFacts(Facts, frozen=True, kw_only=True):
    note: Passage
    public: bool = False
    files: tuple[str, ...] = ()


class ContactFacts(Facts, frozen=True, kw_only=True):
    """Evidence that the teller was contacted: when, how, and what came of it."""

    contacted_at: datetime
    how: str
    reached: bool
    note: Passage | None = None
    files: tuple[str, ...] = ()


class ArriveFacts(Facts, frozen=True, kw_only=True):
    note: Passage | None = None
    files: tuple[str, ...] = ()


class ReplyFacts(Facts, frozen=True, kw_only=True):
    """An internal account (办理经过) and a public reply (答复): two texts, never one."""

    result: Passage
    reply: Passage
    true_account: bool = True
    files: tuple[str, ...] = ()


class InterimFacts(Facts, frozen=True, kw_only=True):
    reply: Passage
    promised_on: int


class ReviewFacts(Facts, frozen=True, kw_only=True):
    note: Passage | None = None


class SendBackFacts(Facts, frozen=True, kw_only=True):
    reason: Passage


class AskFacts(Facts, frozen=True, kw_only=True):
    question: Passage


class AppealFacts(Facts, frozen=True, kw_only=True):
    appeal_id: int


class AnswerFacts(AppealFacts, frozen=True, kw_only=True):
    answer: Passage
    files: tuple[str, ...] = ()


class SupplementFacts(AppealFacts, frozen=True, kw_only=True):
    note: Passage | None = None
    files: tuple[str, ...] = ()


class PlaceCorrectionFacts(AppealFacts, frozen=True, kw_only=True):
    place: Passage


class RateFacts(AppealFacts, frozen=True, kw_only=True):
    """The resident's own word by his query code."""

    solved: Solved
    satisfaction: Satisfaction
    words: Passage | None = None


class RedoFacts(Facts, frozen=True, kw_only=True):
    appeal_id: int
    is_hard: bool = False


class WithdrawFacts(AppealFacts, frozen=True, kw_only=True):
    reason: Passage | None = None


class LapseFacts(Facts, frozen=True, kw_only=True):
    duty_id: int


# --- checks and effects: pure ----------------------------------------------------------------------------------


def _appeal_is_here(snapshot: Snapshot, facts: Any, moment: Moment) -> None:
    if snapshot.appeal(facts.appeal_id) is None:
        raise NoSuchAppeal


class TimesOutOfOrder(Refused):
    """Refuse a closed matter whose times cannot be: not told before it was closed, or not both before now."""

    code = "times_out_of_order"


def _was_in_order(snapshot: Snapshot, facts: HistoryFacts, moment: Moment) -> None:
    times = [facts.received_at, *(at for at in (facts.answered_at, facts.closed_at) if at is not None)]
    if min(times) != facts.received_at or max(times) > moment.at:
        raise TimesOutOfOrder


def _register_history(snapshot: Snapshot, facts: HistoryFacts, moment: Moment) -> Change:
    is_rated = facts.solved is not None or facts.satisfaction is not None
    appeal: dict[str, Any] = {
        "received_at": facts.received_at,
        "state": AppealState.RATED if is_rated else AppealState.ANSWERED,
        "solved": facts.solved,
        "satisfaction": facts.satisfaction,
        "first_satisfaction": facts.satisfaction,
    }
    if facts.reply is not None:
        appeal |= {"answer_id": facts.reply.id, "answered_at": facts.answered_at}
    return Change(
        case={
            "kind": CaseKind.HISTORY,
            "received_at": facts.received_at,
            "closed_at": facts.closed_at,
            "category_id": facts.category_id,
            "category_code": facts.category_code,
            "root": facts.root,
        },
        appeals={facts.appeal_id: appeal},
    )


def _accept(snapshot: Snapshot, facts: AcceptFacts, moment: Moment) -> Change:
    urgency = facts.urgency
    return Change(
        case={
            "category_id": facts.category_id,
            "category_code": facts.category_code,
            "category_days": facts.category_days,
            "root": facts.root,
            "urgency": urgency,
            "lane": facts.lane,
            "city_id": facts.city_id,
            "county_id": facts.county_id,
            "county_code": facts.county_code,
            "town_id": facts.town_id,
            "community_id": facts.community_id,
            "grid_id": facts.grid_id,
            "desk_id": facts.desk_id,
            "automatic": facts.automatic,
            "accepted_at": moment.at,
        }
    )


def _to_desk(snapshot: Snapshot, facts: DeskFacts, moment: Moment) -> Change:
    case: dict[str, Any] = {"at_desk": True, "urgency": facts.urgency}
    if facts.county_id is not None:
        case |= {
            "county_id": facts.county_id,
            "county_code": facts.county_code,
            "town_id": facts.town_id,
            "community_id": facts.community_id,
        }
    if facts.desk_id is not None:
        case["desk_id"] = facts.desk_id
    return Change(case=case)


def _assign(snapshot: Snapshot, facts: AssignFacts, moment: Moment) -> Change:
    row = AssignmentRow(
        id=moment.mint.id(),
        case_id=snapshot.known.id,
        office_id=facts.office_id,
        role=Role.LEAD,
        assigned_at=moment.at,
    )
    return Change(case={"office_id": facts.office_id, "assigned_at": moment.at, "at_desk": False}, assign=(row,))


def _sign(snapshot: Snapshot, facts: SignFacts, moment: Moment) -> Change:
    return Change(
        case={"signed_at": snapshot.known.signed_at or moment.at},
        assignments={facts.assignment_id: {"state": AssignmentState.SIGNED, "signed_at": moment.at}},
    )


def _in_its_time(snapshot: Snapshot, facts: ContactFacts, moment: Moment) -> None:
    if not snapshot.known.received_at - SKEW <= facts.contacted_at <= moment.at + SKEW:
        raise ContactTimeWrong


def _contact(snapshot: Snapshot, facts: ContactFacts, moment: Moment) -> Change:
    if not facts.reached or snapshot.known.contacted_at is not None:
        return Change()
    return Change(case={"contacted_at": moment.at})


def _may_finish(snapshot: Snapshot, facts: ReplyFacts, moment: Moment) -> None:
    # No closing without contact evidence (domain: 办结 ≠ 解决 ≠ 满意, gaming detector 1); nobody can be contacted
    # where every teller is anonymous without a number.
    reachable = [row for row in snapshot.live_appeals if row.resident_id is not None]
    if snapshot.known.contacted_at is None and reachable:
        raise ContactMissing
    waiting = (AssignmentState.OPEN, AssignmentState.SIGNED)
    if any(row.role == Role.ASSIST and row.state in waiting for row in snapshot.assignments):
        raise HandsNotDone


def _finish(snapshot: Snapshot, facts: ReplyFacts, moment: Moment) -> Change:
    leads = {
        row.id: {"state": AssignmentState.DONE, "done_at": moment.at, "result_id": facts.result.id}
        for row in snapshot.assignments
        if row.role == Role.LEAD and row.state != AssignmentState.CANCELLED
    }
    return Change(
        case={"finished_at": moment.at},
        assignments=leads,
        appeals={row.id: {"answer_id": facts.reply.id, "answered_at": moment.at} for row in snapshot.live_appeals},
    )


def _review(snapshot: Snapshot, facts: ReviewFacts, moment: Moment) -> Change:
    case = snapshot.known
    late = bool(case.finish_late)
    if case.finish_late is None and case.finish_due_at is not None and case.finished_at is not None:
        late = case.finished_at > case.finish_due_at
    return Change(
        case={"passed_at": moment.at, "finish_late": late},
        appeals={row.id: {"state": AppealState.ANSWERED} for row in snapshot.live_appeals},
    )


def _back_to_work(snapshot: Snapshot, facts: Any, moment: Moment) -> Change:
    leads = {
        row.id: {"state": AssignmentState.SIGNED, "done_at": None}
        for row in snapshot.assignments
        if row.role == Role.LEAD and row.state == AssignmentState.DONE
    }
    return Change(case={"finished_at": None}, assignments=leads)


# A redo asks again: what was said of the first result stays in `first_satisfaction` and in the ledger.
_UNHEARD = {"state": AppealState.OPEN, "visit_result": None, "solved": None, "satisfaction": None, "rated_at": None}


def _redo(snapshot: Snapshot, facts: RedoFacts, moment: Moment) -> Change:
    back = _back_to_work(snapshot, facts, moment)
    case = snapshot.known
    return Change(
        case={
            **back.case,
            "passed_at": None,
            "closed_at": None,
            "redo_count": case.redo_count + 1,
            "is_hard": case.is_hard or facts.is_hard,
            "contacted_at": None,
        },
        assignments=back.assignments,
        appeals={row.id: dict(_UNHEARD) for row in snapshot.live_appeals},
    )


def _may_rate(snapshot: Snapshot, facts: RateFacts, moment: Moment) -> None:
    _appeal_is_here(snapshot, facts, moment)
    appeal = snapshot.appeal(facts.appeal_id)
    passed_at = snapshot.known.passed_at
    if appeal is None or passed_at is None:
        raise RatingClosed
    if appeal.state == AppealState.RATED:
        raise AlreadyDone
    if (moment.at - passed_at).days >= moment.charter.visits.rating_open_days:
        raise RatingClosed


def _rate(snapshot: Snapshot, facts: RateFacts, moment: Moment) -> Change:
    appeal = snapshot.appeal(facts.appeal_id)
    if appeal is None:
        raise NoSuchAppeal
    return Change(
        appeals={
            facts.appeal_id: {
                "state": AppealState.RATED,
                "solved": facts.solved,
                "satisfaction": facts.satisfaction,
                "first_satisfaction": appeal.first_satisfaction or facts.satisfaction,
                "visit_result": VisitResult.RATED,
                "rated_at": moment.at,
            }
        }
    )


def _close(snapshot: Snapshot, facts: Facts, moment: Moment) -> Change:
    return Change(case={"closed_at": moment.at})


def _withdraw(snapshot: Snapshot, facts: WithdrawFacts, moment: Moment) -> Change:
    return Change(case={"closed_at": moment.at}, appeals={facts.appeal_id: {"state": AppealState.WITHDRAWN}})


def _leave(snapshot: Snapshot, facts: WithdrawFacts, moment: Moment) -> Change:
    return Change(appeals={facts.appeal_id: {"state": AppealState.WITHDRAWN}})


def _is_last_teller(snapshot: Snapshot, facts: WithdrawFacts, moment: Moment) -> None:
    _appeal_is_here(snapshot, facts, moment)
    if any(row.id != facts.appeal_id for row in snapshot.live_appeals):
        raise OthersStillAsk


class OthersStillAsk(Refused):
    """Refuse to end a case by withdrawing while other tellers of the same matter still wait."""

    code = "others_still_ask"


def _has_company(snapshot: Snapshot, facts: WithdrawFacts, moment: Moment) -> None:
    _appeal_is_here(snapshot, facts, moment)
    if not any(row.id != facts.appeal_id for row in snapshot.live_appeals):
        raise LastTeller


class LastTeller(Refused):
    """Refuse to leave a case of which nobody else is left; withdrawing ends it."""

    code = "last_teller"


def _may_urge(snapshot: Snapshot, facts: AppealFacts, moment: Moment) -> None:
    _appeal_is_here(snapshot, facts, moment)
    appeal = snapshot.appeal(facts.appeal_id)
    zone = moment.charter.clock.zone
    if appeal and appeal.urged_at and appeal.urged_at.astimezone(zone).date() == moment.at.astimezone(zone).date():
        raise UrgedToday


def _urge(snapshot: Snapshot, facts: AppealFacts, moment: Moment) -> Change:
    return Change(
        case={"urge_count": snapshot.known.urge_count + 1}, appeals={facts.appeal_id: {"urged_at": moment.at}}
    )


def _not_critical(snapshot: Snapshot, facts: Any, moment: Moment) -> None:
    if snapshot.known.urgency == Urgency.CRITICAL:
        raise NeverPaused


class NeverPaused(Refused):
    """Refuse to stop the clock of a 特急 case for want of information."""

    code = "never_paused"


def _is_urgent(snapshot: Snapshot, facts: Any) -> bool:
    return snapshot.known.urgency == Urgency.URGENT


def _is_critical(snapshot: Snapshot, facts: Any) -> bool:
    return snapshot.known.urgency == Urgency.CRITICAL


def _becomes_hard(snapshot: Snapshot, facts: RedoFacts) -> bool:
    return facts.is_hard and snapshot.open_duty(DutyKind.HARD_VISIT) is None


# --- the table ---------------------------------------------------------------------------------------------------

DESK = ((permits.IS_SYSTEM,), (permits.holds("dispatcher", "duty"), permits.IN_AREA))
HANDLER: Who = ((permits.holds("handler", "head"), permits.OF_LEAD_OFFICE),)
REVIEWER: Who = ((permits.holds("reviewer"), permits.IN_AREA, permits.STANDS_APART),)
TELLER: Who = ((permits.IS_TELLER,),)
SYSTEM_ONLY: Who = ((permits.IS_SYSTEM,),)
ANY_DOOR: Who = (
    (permits.IS_RESIDENT,),
    (permits.IS_KEY,),
    (permits.IS_SYSTEM,),
    (permits.holds("agent", "window_clerk", "grid_worker", "dispatcher", "duty"),),
)

REGISTER = Step(
    word="register",
    before=frozenset(),
    after=State.RECEIVED,
    who=ANY_DOOR,
    facts=RegisterFacts,
    owes=(Owe(DutyKind.DISPATCH, "desk", "dispatcher"), Owe(DutyKind.ACCEPT, "desk", "dispatcher")),
    tells=("teller",),
    follow=("dispatch",),
    opens=True,
    law="Beijing 10",
)
REGISTER_HISTORY = Step(
    word="register_history",
    before=frozenset(),
    after=State.ARCHIVED,
    who=SYSTEM_ONLY,
    facts=HistoryFacts,
    check=_was_in_order,
    effect=_register_history,
    public=False,
    opens=True,
)
# By the machine alone: what it has looked at and left to a person is at the desk within the two minutes. A person who
# takes a telling before it was looked at keeps that promise by assigning it.
TO_DESK = Step(
    word="to_desk",
    before=frozenset({State.RECEIVED, State.ACCEPTED}),
    who=SYSTEM_ONLY,
    facts=DeskFacts,
    effect=_to_desk,
    meets=frozenset({DutyKind.DISPATCH}),
    # A telling is promised as an ordinary one until it has been read: 特急 waits for no working day.
    renews=(Owe(DutyKind.ACCEPT, "desk", "dispatcher"),),
    tells=("desk",),
    public=False,
)
ACCEPT = Step(
    word="accept",
    before=frozenset({State.RECEIVED, State.NEED_INFO}),
    after=State.ACCEPTED,
    who=DESK,
    facts=AcceptFacts,
    effect=_accept,
    meets=frozenset({DutyKind.ACCEPT, DutyKind.INFO}),
    owes=(Owe(DutyKind.ASSIGN, "desk", "dispatcher"),),
    tells=("teller",),
    law="Beijing 10–11",
)
ASK_INFO = Step(
    word="ask_info",
    before=frozenset({State.RECEIVED}),
    after=State.NEED_INFO,
    who=((permits.holds("dispatcher", "duty"), permits.IN_AREA),),
    facts=AskFacts,
    check=_not_critical,
    meets=frozenset({DutyKind.DISPATCH}),
    pauses=frozenset({DutyKind.ACCEPT}),
    owes=(Owe(DutyKind.INFO, "desk", "dispatcher"),),
    tells=("teller",),
)
ANSWER = Step(
    word="answer",
    before=frozenset({State.NEED_INFO}),
    after=State.RECEIVED,
    who=TELLER,
    facts=AnswerFacts,
    check=_appeal_is_here,
    meets=frozenset({DutyKind.INFO}),
    resumes=frozenset({DutyKind.ACCEPT}),
    tells=("desk",),
)
LAPSE = Step(
    word="lapse",
    before=frozenset({State.NEED_INFO}),
    after=State.RECEIVED,
    who=SYSTEM_ONLY,
    facts=LapseFacts,
    meets=frozenset({DutyKind.INFO}),
    resumes=frozenset({DutyKind.ACCEPT}),
    tells=("desk", "teller"),
)
ASSIGN = Step(
    word="assign",
    before=frozenset({State.ACCEPTED}),
    after=State.ASSIGNED,
    who=DESK,
    facts=AssignFacts,
    effect=_assign,
    meets=frozenset({DutyKind.DISPATCH, DutyKind.ASSIGN}),
    owes=(
        Owe(DutyKind.SIGN, "lead", "handler", each="assignment"),
        Owe(DutyKind.FINISH, "lead", "handler", due="finish"),
        Owe(DutyKind.INTERIM_REPLY, "lead", "handler", due="interim"),
        Owe(DutyKind.ON_SITE, "lead", "handler", when=_is_critical),
        Owe(DutyKind.FIRST_RESPONSE, "lead", "handler", when=_is_urgent),
        Owe(DutyKind.PROGRESS_VISIT, "desk", "visitor", each="appeal"),
    ),
    tells=("teller", "office", "leader"),
    law="Beijing 11–13",
)
SIGN = Step(
    word="sign",
    before=frozenset({State.ASSIGNED}),
    after=State.WORKING,
    who=HANDLER,
    facts=SignFacts,
    effect=_sign,
    meets=frozenset({DutyKind.SIGN}),
    tells=("teller",),
)
NOTE = Step(
    word="note",
    before=IN_HAND | {State.REVIEW},
    who=HANDLER,
    facts=NoteFacts,
    tells=(),
)
CONTACT = Step(
    word="contact",
    before=IN_HAND,
    who=HANDLER,
    facts=ContactFacts,
    check=_in_its_time,
    effect=_contact,
    meets=frozenset({DutyKind.FIRST_RESPONSE}),
)
ARRIVE = Step(
    word="arrive",
    before=IN_HAND,
    who=HANDLER,
    facts=ArriveFacts,
    meets=frozenset({DutyKind.ON_SITE}),
    tells=("teller", "desk"),
)
INTERIM_REPLY = Step(
    word="interim_reply",
    before=IN_HAND,
    who=HANDLER,
    facts=InterimFacts,
    meets=frozenset({DutyKind.INTERIM_REPLY}),
    tells=("teller",),
    law="Jinan 24(三)",
)
FINISH = Step(
    word="finish",
    before=frozenset({State.WORKING, State.REDO}),
    after=State.REVIEW,
    who=HANDLER,
    facts=ReplyFacts,
    check=_may_finish,
    effect=_finish,
    meets=frozenset(
        {DutyKind.FINISH, DutyKind.REDO, DutyKind.FIRST_RESPONSE, DutyKind.ON_SITE, DutyKind.INTERIM_REPLY}
    ),
    owes=(Owe(DutyKind.REVIEW, "desk", "reviewer"),),
    tells=("desk",),
    law="Jinan 27",
)
REVIEW = Step(
    word="review",
    before=frozenset({State.REVIEW}),
    after=State.VISITING,
    who=REVIEWER,
    facts=ReviewFacts,
    effect=_review,
    meets=frozenset({DutyKind.REVIEW}),
    voids=frozenset({DutyKind.PROGRESS_VISIT}),
    owes=(Owe(DutyKind.SATISFACTION_VISIT, "desk", "visitor", each="appeal"),),
    tells=("teller",),
    law="Jinan 27",
)
SEND_BACK = Step(
    word="send_back",
    before=frozenset({State.REVIEW}),
    after=State.WORKING,
    who=REVIEWER,
    facts=SendBackFacts,
    effect=_back_to_work,
    meets=frozenset({DutyKind.REVIEW}),
    owes=(Owe(DutyKind.FINISH, "lead", "handler", due="carry"),),
    tells=("office",),
    law="Jinan 27",
)
RATE = Step(
    word="rate",
    before=frozenset({State.VISITING, State.CLOSED}),
    who=TELLER,
    facts=RateFacts,
    check=_may_rate,
    effect=_rate,
    meets=frozenset({DutyKind.SATISFACTION_VISIT}),
    hears=True,
    tells=("desk",),
)
REDO = Step(
    word="redo",
    before=frozenset({State.VISITING, State.CLOSED}),
    after=State.REDO,
    who=SYSTEM_ONLY,
    facts=RedoFacts,
    effect=_redo,
    voids=frozenset({DutyKind.SATISFACTION_VISIT, DutyKind.ARCHIVE}),
    owes=(
        Owe(DutyKind.REDO, "lead", "handler"),
        Owe(DutyKind.HARD_VISIT, "desk", "visitor", when=_becomes_hard),
    ),
    tells=("teller", "office"),
    follow=("oversight",),
    law="Jinan 27",
)
CLOSE = Step(
    word="close",
    before=frozenset({State.VISITING}),
    after=State.CLOSED,
    who=SYSTEM_ONLY,
    effect=_close,
    voids=WORK_OF_A_CASE,
    owes=(Owe(DutyKind.ARCHIVE, "desk", "system"),),
    tells=("teller",),
)
ARCHIVE = Step(
    word="archive",
    before=frozenset({State.CLOSED, State.WITHDRAWN}),
    after=State.ARCHIVED,
    who=SYSTEM_ONLY,
    meets=frozenset({DutyKind.ARCHIVE}),
    public=False,
    law="Binzhou 14",
)
SUPPLEMENT = Step(
    word="supplement",
    before=OPEN,
    who=TELLER,
    facts=SupplementFacts,
    check=_appeal_is_here,
    tells=("office", "desk"),
)
CORRECT_PLACE = Step(
    word="correct_place",
    before=UNASSIGNED | IN_HAND,
    who=TELLER,
    facts=PlaceCorrectionFacts,
    check=_appeal_is_here,
    tells=("desk", "office"),
)
URGE = Step(
    word="urge",
    before=OPEN - {State.NEED_INFO},
    who=TELLER,
    facts=AppealFacts,
    check=_may_urge,
    effect=_urge,
    tells=("office", "desk"),
)
WITHDRAW = Step(
    word="withdraw",
    before=OPEN,
    after=State.WITHDRAWN,
    who=TELLER,
    facts=WithdrawFacts,
    check=_is_last_teller,
    effect=_withdraw,
    voids=WORK_OF_A_CASE,
    owes=(Owe(DutyKind.ARCHIVE, "desk", "system"),),
    tells=("teller", "office"),
)
LEAVE = Step(
    word="leave",
    before=OPEN,
    who=TELLER,
    facts=WithdrawFacts,
    check=_has_company,
    effect=_leave,
    hears=True,
    tells=("desk",),
)

STEPS: tuple[Step, ...] = (
    REGISTER,
    REGISTER_HISTORY,
    TO_DESK,
    ACCEPT,
    ASK_INFO,
    ANSWER,
    LAPSE,
    ASSIGN,
    SIGN,
    CONTACT,
    ARRIVE,
    NOTE,
    INTERIM_REPLY,
    FINISH,
    REVIEW,
    SEND_BACK,
    RATE,
    REDO,
    CLOSE,
    ARCHIVE,
    SUPPLEMENT,
    CORRECT_PLACE,
    URGE,
    LEAVE,
    WITHDRAW,
)
# With one of these the ledger of a case begins; the entry names what the telling brought.
OPENING: tuple[str, ...] = tuple(step.word for step in STEPS if step.opens)

# Steps of the domain that the main procedure will gain, and what brings them (a repository test keeps this whole).
COMING: tuple[Coming, ...] = (
    Coming("sort", "the desks"),
    Coming("answer_at_once", "the desks"),
    Coming("decline", "the desks"),
    Coming("object", "the desks"),
    Coming("return", "the desks"),
    Coming("designate", "the desks"),
    Coming("reassign", "the desks"),
    Coming("add", "the desks"),
    Coming("extend", "the desks"),
    Coming("on_account", "the desks"),
    Coming("merge", "the desks"),
    Coming("unmerge", "the desks"),
    Coming("split", "the desks"),
    Coming("end", "the desks"),
    Coming("move", "the desks"),
    Coming("forward", "the desks"),
    Coming("stop_repeat", "the desks"),
    Coming("avoid", "the desks"),
    Coming("first_receiver", "handling together"),
    Coming("whistle", "handling together"),
    Coming("consult", "handling together"),
    Coming("raise", "handling together"),
    Coming("instruct", "handling together"),
    Coming("class_case", "prevention"),
    Coming("score_appeal", "insight"),
    Coming("exclude", "insight"),
)
