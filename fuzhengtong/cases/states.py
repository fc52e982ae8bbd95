"""The words a case can be in, and the frozen rows every rule is given.

Lowest module of the spine: enums of `docs/procedure.md` (states, flags, duty kinds) and the value types that
`ledger.read` fills and `rules.plan` returns. It knows no table, no clock and no charter.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class State(StrEnum):
    """The one state of a case (件)."""

    RECEIVED = "received"
    NEED_INFO = "need_info"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    MOVED = "moved"
    ASSIGNED = "assigned"
    WORKING = "working"
    OBJECTING = "objecting"
    DESIGNATING = "designating"
    REVIEW = "review"
    VISITING = "visiting"
    REDO = "redo"
    ON_ACCOUNT = "on_account"
    CLOSED = "closed"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"
    ARCHIVED = "archived"


FINAL = frozenset(
    {State.DECLINED, State.MOVED, State.CLOSED, State.MERGED, State.WITHDRAWN, State.ENDED, State.ARCHIVED}
)
OPEN = frozenset(State) - FINAL
UNASSIGNED = frozenset({State.RECEIVED, State.NEED_INFO, State.ACCEPTED})
IN_HAND = frozenset({State.ASSIGNED, State.WORKING, State.REDO})


class AppealState(StrEnum):
    """The state of one telling (诉求): what its teller is waiting for."""

    DRAFT = "draft"
    OPEN = "open"
    ANSWERED = "answered"
    VISITED = "visited"
    RATED = "rated"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Urgency(StrEnum):
    """特急, 紧急, 一般."""

    CRITICAL = "critical"
    URGENT = "urgent"
    ORDINARY = "ordinary"


class Lane(StrEnum):
    """The route class of a case (通道)."""

    ORDINARY = "ordinary"
    EMERGENCY = "emergency"
    MEDIATION = "mediation"
    LAW_AND_LITIGATION = "law_and_litigation"
    ARBITRATION = "arbitration"
    ADMINISTRATIVE_REVIEW = "administrative_review"
    PETITION = "petition"
    DISCIPLINE = "discipline"
    INVALID = "invalid"


class CaseKind(StrEnum):
    """What owes something is a case; later capabilities add class, care, inspection and reception.

    A `history` was closed before it came here: it owes nothing, and no figure of this city's work counts it.
    """

    MATTER = "matter"
    HISTORY = "history"


class DutyKind(StrEnum):
    """Every kind of promise that some step owes."""

    DISPATCH = "dispatch"
    ACCEPT = "accept"
    INFO = "info"
    ASSIGN = "assign"
    SIGN = "sign"
    ON_SITE = "on_site"
    FIRST_RESPONSE = "first_response"
    INTERIM_REPLY = "interim_reply"
    FINISH = "finish"
    REDO = "redo"
    REVIEW = "review"
    PROGRESS_VISIT = "progress_visit"
    SATISFACTION_VISIT = "satisfaction_visit"
    HARD_VISIT = "hard_visit"
    SUPERVISION_REPLY = "supervision_reply"
    ARCHIVE = "archive"


class DutyClass(StrEnum):
    """What sort of promise a duty is: only housekeeping may outlive an open case."""

    WORK = "work"
    VISIT = "visit"
    FOLLOW_UP = "follow_up"
    HOUSEKEEPING = "housekeeping"


CLASS_OF: dict[DutyKind, DutyClass] = {
    DutyKind.PROGRESS_VISIT: DutyClass.VISIT,
    DutyKind.SATISFACTION_VISIT: DutyClass.VISIT,
    DutyKind.HARD_VISIT: DutyClass.VISIT,
    DutyKind.INFO: DutyClass.FOLLOW_UP,
    DutyKind.SUPERVISION_REPLY: DutyClass.FOLLOW_UP,
    DutyKind.ARCHIVE: DutyClass.HOUSEKEEPING,
}


def class_of(kind: DutyKind) -> DutyClass:
    """Tell the class of a duty kind; what is not named above is work."""
    return CLASS_OF.get(kind, DutyClass.WORK)


class Look(StrEnum):
    """What the ticker does when it next looks at an open duty."""

    REMIND = "remind"
    OVERDUE = "overdue"
    SUPERVISE = "supervise"
    AT_DUE = "at_due"
    NONE = "none"


class Role(StrEnum):
    """The role of an office in an assignment: 主办, 协办."""

    LEAD = "lead"
    ASSIST = "assist"


class AssignmentState(StrEnum):
    OPEN = "open"
    SIGNED = "signed"
    DONE = "done"
    CANCELLED = "cancelled"


class Solved(StrEnum):
    """What the teller says became of the matter (解决), apart from what the office says (办结)."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


class Satisfaction(StrEnum):
    SATISFIED = "satisfied"
    BASICALLY = "basically"
    NOT = "not"


class VisitResult(StrEnum):
    REACHED = "reached"
    UNREACHABLE = "unreachable"
    RATED = "rated"


class CaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a case that `take()` keeps. `head` and `data_key` are hexadecimal."""

    id: int
    number: str
    kind: CaseKind = CaseKind.MATTER
    state: State
    is_open: bool = True
    lane: Lane = Lane.ORDINARY
    urgency: Urgency = Urgency.ORDINARY
    category_id: int | None = None
    category_code: str = ""
    category_days: int = 0
    root: str = ""
    city_id: int
    county_id: int | None = None
    county_code: str = ""
    town_id: int | None = None
    community_id: int | None = None
    grid_id: int | None = None
    desk_id: int
    office_id: int | None = None
    confidential: bool = False
    supervision: int = 0
    redo_count: int = 0
    urge_count: int = 0
    is_hard: bool = False
    at_desk: bool = False
    automatic: bool = False
    received_at: datetime
    biz_day: int
    biz_month: int
    accepted_at: datetime | None = None
    assigned_at: datetime | None = None
    signed_at: datetime | None = None
    contacted_at: datetime | None = None
    response_late: bool | None = None
    finish_due_at: datetime | None = None
    due_month: int | None = None
    redo_due_at: datetime | None = None
    finished_at: datetime | None = None
    finish_late: bool | None = None
    passed_at: datetime | None = None
    closed_at: datetime | None = None
    next_due_at: datetime | None = None
    version: int = 0
    head: str = ""
    data_key: str = ""


class AppealRow(msgspec.Struct, frozen=True, kw_only=True):
    """One telling. Only the columns a rule needs; its text lies in passages."""

    id: int
    case_id: int
    number: str
    state: AppealState = AppealState.OPEN
    channel: str
    resident_id: int | None = None
    confidential: bool = False
    anonymous: bool = False
    received_at: datetime
    biz_month: int
    answer_id: int | None = None
    answered_at: datetime | None = None
    visit_result: VisitResult | None = None
    solved: Solved | None = None
    satisfaction: Satisfaction | None = None
    first_satisfaction: Satisfaction | None = None
    rated_at: datetime | None = None
    urged_at: datetime | None = None


class DutyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One promise: what, of whom, from when, how long, until when; met, voided or still owed."""

    id: int
    case_id: int
    appeal_id: int | None = None
    assignment_id: int | None = None
    about: int = 0
    kind: DutyKind
    klass: DutyClass
    owed_by: int
    owed_by_post: str
    owed_from: datetime
    length: int
    unit: str
    due_at: datetime
    paused_at: datetime | None = None
    remaining: int | None = None
    provisional: bool = False
    urgency: Urgency = Urgency.ORDINARY
    edition: str
    calendar: str
    rung: int = 0
    look: Look = Look.NONE
    look_at: datetime | None = None
    met_at: datetime | None = None
    met_by: int | None = None
    voided_at: datetime | None = None
    voided_by: int | None = None

    @property
    def is_open(self) -> bool:
        return self.met_at is None and self.voided_at is None


class AssignmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One case given to one office with a role and a required result."""

    id: int
    case_id: int
    office_id: int
    role: Role
    state: AssignmentState = AssignmentState.OPEN
    assigned_at: datetime
    signed_at: datetime | None = None
    done_at: datetime | None = None
    result_id: int | None = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All of one case that a rule may look at: its columns, its appeals, its open duties, its assignments."""

    case: CaseRow | None = None
    appeals: tuple[AppealRow, ...] = ()
    duties: tuple[DutyRow, ...] = ()
    assignments: tuple[AssignmentRow, ...] = ()

    @property
    def known(self) -> CaseRow:
        """The case, where there is one; a bug where there is none."""
        assert self.case is not None  # noqa: S101 - a rule was given an empty snapshot
        return self.case

    def open_duty(self, kind: DutyKind, appeal_id: int | None = None) -> DutyRow | None:
        """Find the open duty of a kind, of one appeal where that is said."""
        for duty in self.duties:
            if duty.kind == kind and duty.is_open and (appeal_id is None or duty.appeal_id == appeal_id):
                return duty
        return None

    def appeal(self, appeal_id: int) -> AppealRow | None:
        """Find one of the case's appeals."""
        return next((row for row in self.appeals if row.id == appeal_id), None)

    @property
    def live_appeals(self) -> tuple[AppealRow, ...]:
        """The appeals that still await an answer, a visit or a rating."""
        gone = (AppealState.WITHDRAWN, AppealState.DECLINED)
        return tuple(row for row in self.appeals if row.state not in gone)
