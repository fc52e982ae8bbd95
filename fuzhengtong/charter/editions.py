"""The charter of a city: every number, ladder and threshold of its promises, in dated editions that are never edited.

Built and checked by `load`, carried by the Moment, asked by every rule; a duty stores the name of its edition, so that
a later edition never moves an old promise. Nothing here reads a file or a clock, and no number of the city stands in
this module. Times that start as duties are `terms`; the other sections hold what is no duty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, ClassVar, Literal, get_args

from fuzhengtong.charter.bounds import Between
from fuzhengtong.charter.lines import FileRefused
from fuzhengtong.charter.redlines import Redlines
from fuzhengtong.kernel.due import Clock, Unit
from fuzhengtong.kernel.errors import Refused

Urgency = Literal["critical", "urgent", "ordinary"]
Lane = Literal[
    "ordinary",
    "emergency",
    "mediation",
    "law_and_litigation",
    "arbitration",
    "administrative_review",
    "petition",
    "discipline",
    "invalid",
]
DutyKind = Literal[
    "dispatch",
    "accept",
    "assign",
    "sign",
    "on_site",
    "first_response",
    "interim_reply",
    "finish",
    "review",
    "progress_visit",
    "satisfaction_visit",
    "hard_visit",
    "redo",
    "supervision_reply",
    "info",
    "archive",
    "objection_ruling",
    "extension_ruling",
    "sheet",
    "on_account_review",
]
Start = Literal[
    "received",
    "accepted",
    "assigned",
    "finished",
    "reviewed",
    "closed",
    "asked",
    "objected",
    "applied",
    "supervised",
    "hard",
    "returned",
    "on_account",
]
Holder = Literal["handler_and_head", "county_centre", "city_centre", "chief_clerk"]

URGENCIES: tuple[str, ...] = get_args(Urgency)
LANES: tuple[str, ...] = get_args(Lane)
DUTY_KINDS: tuple[str, ...] = get_args(DutyKind)
# On site is promised for matters of life and limb only; every other duty has a length for every urgency.
DUTIES_OF_THE_CRITICAL = frozenset({"on_site"})

Count = Annotated[int, Between(1)]
Level = Annotated[int, Between(0, 3)]
Share = Annotated[float, Between(0, 1)]
Percent = Annotated[int, Between(0, 100)]


class CharterError(FileRefused):
    """Refuse a charter: which file, line and key, what was found there, what is allowed."""


class NoEdition(Refused):
    """Refuse a day before the city's first edition, or the name of an edition that does not exist."""

    code: ClassVar[str] = "no_edition"


@dataclass(frozen=True, slots=True)
class Term:
    """One promised length: its duty kind, its unit, what starts it, and where the promise comes from."""

    kind: str
    length: int
    unit: Unit
    source: str
    starts: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time that is a limit or a window and no duty."""

    length: Count
    unit: Unit


@dataclass(frozen=True, slots=True)
class Statutory:
    """A term that law sets for a category, with the law and article that are told to the teller."""

    length: int
    unit: Unit
    law: str


@dataclass(frozen=True, slots=True)
class FinishTerm:
    """What is promised for finishing: the length, the law behind a longer one, and the interim reply it then owes."""

    length: int
    unit: Unit
    statutory: Statutory | None
    interim: Term | None


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of supervision after a missed duty; level 0 tells handler and head, 1 is the highest."""

    level: Level
    after: Annotated[int, Between(0)]
    unit: Unit
    by: Holder
    card: Literal["none", "yellow", "red"] = "none"


@dataclass(frozen=True, slots=True)
class Supervision:
    """The ladder after a missed duty, and the measures beyond it that only a ruling may order."""

    ladder: tuple[Rung, ...]
    by_ruling: tuple[Literal["talk", "listing", "circular"], ...]
    source: str


@dataclass(frozen=True, slots=True)
class Reminder:
    """At which share of a term its holder is reminded; outside office hours for the urgencies named only."""

    share: Share
    any_hour_for: tuple[Urgency, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Automatic:
    """What the system post may do alone: accept and assign when dispatch is sure enough, and never decline."""

    accept_and_assign: tuple[Urgency, ...]
    confidence_from: Share
    decline: Literal[False]
    source: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Who holds the desk of the dispatchers, in office hours and outside them."""

    in_hours: Literal["dispatcher"]
    out_of_hours: Literal["duty"]
    out_of_hours_office: Literal["city_centre", "county_centre"]
    source: str


@dataclass(frozen=True, slots=True)
class Assigning:
    """Whom an assignment tells beside the office itself."""

    told: tuple[Literal["leader_in_charge"], ...]
    source: str


@dataclass(frozen=True, slots=True)
class Joining:
    """What holds for tellings that join a case which is already being worked."""

    promise: Literal["earliest"]
    source: str


@dataclass(frozen=True, slots=True)
class NeedInfo:
    """Asking the teller for more: reminders within the term of the duty `info`, and what follows silence."""

    reminders: Annotated[int, Between(0)]
    after_silence: Literal["taken_as_it_stands"]
    never_for: tuple[Urgency, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Objection:
    """When an office may hand an assignment back; from the count named on, a consultation decides."""

    within: Span
    consultation_from: Count
    designated_may_object: bool
    source: str


@dataclass(frozen=True, slots=True)
class Extension:
    """How often and how long a term may be extended, and up to what the centre decides."""

    times: Count
    at_most: Span
    centre_up_to: Span
    beyond: Literal["chief_clerk_delegate"]
    before_due: bool
    interim_reply: bool
    source: str


@dataclass(frozen=True, slots=True)
class OnAccount:
    """What parking an objectively unsolvable matter takes; its review is the duty `on_account_review`."""

    signatures: Annotated[int, Between(2)]
    planned_within_months: Annotated[int, Between(1, 60)]
    interim_reply: bool
    public_list: bool
    source: str


@dataclass(frozen=True, slots=True)
class Visits:
    """How often a teller is tried before he counts as unreachable, and how long a rating stays open.

    Days are calendar days. A visit by the handling office is refused unless it is allowed here.
    """

    attempts: Count
    different_days: bool
    different_hours: bool
    rating_open_days: Count
    by_handling_office: bool
    three_checks: str
    three_checks_en: str
    source: str


@dataclass(frozen=True, slots=True)
class Redo:
    """When a matter goes back to work, and what a repeated return sets off.

    `dissatisfied_share` is the share of a case's tellings that must be dissatisfied to send the whole case back;
    below it the dissatisfied telling is split off. After `at_most` a consultation and supervision follow.
    """

    dissatisfied_share: Share
    at_most: Count
    then_supervision_level: Level
    then_consultation: bool
    source: str


@dataclass(frozen=True, slots=True)
class Hard:
    """What makes a matter a hard one; any single one is enough, and so is a ruling."""

    redo_count: Count
    objection_count: Count
    office_count: Count
    extension_over: Span
    history_over_months: Count
    by_ruling: bool
    source: str


@dataclass(frozen=True, slots=True)
class Group:
    """From how many people on a matter is a group matter, and how many may speak for them."""

    people_from: Annotated[int, Between(2)]
    representatives: Count
    source: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The chief clerk's daily list and the cases that need his instruction; unsigned it is the duty `sheet`."""

    lists: Literal["every_assigned_case"]
    instruction_for: tuple[Literal["hard", "group", "second_redo", "level_1", "chosen"], ...]
    delays_assigning: Literal[False]
    handwritten_mark: str
    source: str


@dataclass(frozen=True, slots=True)
class Grants:
    """The small special fund: what is given directly, what by consultation, and what looks like splitting."""

    direct_up_to_fen: Count
    signatures: Annotated[int, Between(2)]
    splitting_within: Span
    splitting_by: tuple[Literal["matter", "place", "payee"], ...]
    yearly_budget_per: Literal["county"]
    source: str


@dataclass(frozen=True, slots=True)
class Scores:
    """The weights of the three rates in percent, and how the rates are counted.

    The response limit is the term `first_response`; `partly_solved` is what a "partly" counts; all shares are of 1.
    """

    response: Percent
    solved: Percent
    satisfied: Percent
    partly_solved: Share
    closed_means: Literal["review_passed", "visited"]
    invited: Share
    source: str


@dataclass(frozen=True, slots=True)
class Number:
    """How a case number is written; `kernel.numbers` holds the arithmetic."""

    date: Literal["yymmdd"]
    serial_digits: Annotated[int, Between(4, 8)]
    check: Literal["iso7064_mod_11_10"]
    query_code_bits: Annotated[int, Between(128)]
    source: str


@dataclass(frozen=True, slots=True)
class Uploads:
    """What may be sent with one telling; `bytes_each` and `pixels` are per file, `staged` until it is bound."""

    count: Count
    bytes_each: Count
    bytes_total: Count
    pixels: Count
    kinds: tuple[str, ...]
    staged: Span
    source: str


@dataclass(frozen=True, slots=True)
class TextLimit:
    """How many characters a telling may have."""

    characters: Count
    source: str


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many within a window; a window of days is that day of the city's zone."""

    limit: Count
    length: Count
    unit: Literal["wall_minutes", "wall_hours", "calendar_days"]


@dataclass(frozen=True, slots=True)
class Rates:
    """What one address, person, number or key may do how often; a limit that is reached is always told."""

    appeal_per_address: Rate
    appeal_per_person: Rate
    upload_per_address: Rate
    urge_per_appeal: Rate
    phone_tail_per_number: Rate
    phone_tail_per_address: Rate
    query_code_per_address: Rate
    phone_code_per_phone: Rate
    phone_code_per_address: Rate
    rating_per_address: Rate
    search_per_address: Rate
    sign_in_per_login: Rate
    sign_in_per_address: Rate
    notice_per_phone: Rate
    call_per_key: Rate
    source: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """Between which hours of the city's clock no notice goes out, except for the urgencies named."""

    begins: time
    ends: time
    except_for: tuple[Urgency, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Contact:
    """One number or address residents may use; an unconfirmed one is shown with that word."""

    kind: Literal["hotline", "sms", "police", "fire", "ambulance", "traffic", "government_line"]
    number: str
    name: str
    name_en: str
    confirmed: bool
    source: str


@dataclass(frozen=True, slots=True)
class LawfulRoute:
    """What a person is shown whose telling is a report about officials: where it belongs and what was not stored."""

    body: str
    body_en: str
    phone: str
    website: str
    sentence: str
    sentence_en: str
    not_stored: str
    not_stored_en: str
    source: str


@dataclass(frozen=True, slots=True)
class Charter:
    """One edition of a city's charter, in force from `active_from` until the next edition begins."""

    edition: str
    city: str
    name: str
    letters: str
    active_from: date
    title: str
    clock: Clock
    terms: Mapping[str, Term]
    statutory: Mapping[str, Statutory]
    supervision: Supervision
    reminder: Reminder
    automatic: Automatic
    desk: Desk
    assigning: Assigning
    joining: Joining
    need_info: NeedInfo
    objection: Objection
    extension: Extension
    on_account: OnAccount
    visits: Visits
    redo: Redo
    hard: Hard
    group: Group
    sheet: Sheet
    grants: Grants
    scores: Scores
    number: Number
    uploads: Uploads
    text: TextLimit
    rates: Rates
    quiet: Quiet
    contacts: tuple[Contact, ...]
    redlines: Redlines
    lawful_route: LawfulRoute

    @property
    def ladder(self) -> tuple[Rung, ...]:
        """The rungs of supervision after a missed duty, lowest first."""
        return self.supervision.ladder

    @property
    def reminder_share(self) -> float:
        """The share of a term at which its holder is reminded."""
        return self.reminder.share

    def term(self, kind: str, urgency: str = "ordinary") -> Term:
        """Return the term of a duty kind for an urgency.

        Refuses, as a mistake of the caller, an unknown urgency and a duty that this urgency does not owe: only
        critical matters owe `on_site`.
        """
        if urgency not in URGENCIES:
            raise ValueError(f"{urgency!r} is no urgency; allowed: {', '.join(URGENCIES)}")
        found = self.terms.get(f"{kind}.{urgency}") or self.terms.get(kind)
        if found is None:
            raise ValueError(f"charter {self.edition} promises no {kind!r} for {urgency} matters")
        return found

    def finish(self, *, urgency: str, category: str, category_days: int) -> FinishTerm:
        """Return what is promised for finishing a matter of this urgency and category.

        The shorter of the charter's term and the category's days, counted in the charter's unit (24 hours a day on
        the wall clock); category_days 0 means at once, the critical term. A longer statutory term replaces it and
        then owes an interim reply at the charter's term; a shorter one replaces it alone. Refuses negative days.
        """
        if category_days < 0:
            raise ValueError(f"a category cannot have {category_days} days")
        pace = urgency if category_days else "critical"
        promised = self.term("finish", pace)
        length = min(promised.length, _counted(category_days, promised.unit)) if category_days else promised.length
        statutory = self.statutory.get(category)
        if statutory is None:
            return FinishTerm(length, promised.unit, statutory=None, interim=None)
        by_law, by_charter = _days(statutory.length, statutory.unit), _days(length, promised.unit)
        if by_law > by_charter:
            return FinishTerm(statutory.length, statutory.unit, statutory, interim=self.term("interim_reply", pace))
        if by_law < by_charter:
            return FinishTerm(statutory.length, statutory.unit, statutory, interim=None)
        return FinishTerm(length, promised.unit, statutory, interim=None)

    def contact(self, kind: str) -> Contact:
        """Return the contact of a kind; refuses, as a mistake of the caller, a kind the city has not named."""
        for contact in self.contacts:
            if contact.kind == kind:
                return contact
        raise ValueError(f"charter {self.edition} names no contact of kind {kind!r}")


@dataclass(frozen=True, slots=True)
class Charters:
    """All editions of one city, in the order in which they came into force."""

    editions: tuple[Charter, ...]

    def at(self, day: date) -> Charter:
        """Return the edition in force on a day of the city's calendar; raises NoEdition before the first one."""
        if isinstance(day, datetime):
            raise TypeError("an instant has no day without a zone: use in_force(at)")
        for charter in reversed(self.editions):
            if charter.active_from <= day:
                return charter
        raise NoEdition(asked=day.isoformat())

    def in_force(self, at: datetime) -> Charter:
        """Return the edition in force at an instant, by the city's own clock; naive times are refused."""
        return self.at(self.editions[0].clock.local(at).date())

    def edition(self, name: str) -> Charter:
        """Return the edition of this name, as a duty stores it; raises NoEdition when the city has none such."""
        for charter in self.editions:
            if charter.edition == name:
                return charter
        raise NoEdition(asked=name)


_HOURS_A_DAY = 24
# Only to say which of two promises is the longer one; due times are never computed with these.
_NOMINAL_DAYS = {
    Unit.WALL_MINUTES: 1 / (60 * _HOURS_A_DAY),
    Unit.WALL_HOURS: 1 / _HOURS_A_DAY,
    Unit.WORKING_HOURS: 7 / 5 / 8,
    Unit.CALENDAR_DAYS: 1.0,
    Unit.CALENDAR_DAYS_ROLLED: 1.0,
    Unit.WORKING_DAYS: 7 / 5,
}


def _days(length: int, unit: Unit) -> float:
    return length * _NOMINAL_DAYS[unit]


def _counted(days: int, unit: Unit) -> int:
    """Count a category's days in the unit of the charter's term."""
    return days * _HOURS_A_DAY if unit is Unit.WALL_HOURS else days
