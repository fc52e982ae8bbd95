"""Who must be told what, and how: one row for every audience that a step of the procedure names.

Pure: read by `notices.actions` when an entry is followed, by the notice list of the manual and by tests. A sentence
names the number of the matter, where it stands and by when; what was told, answered or noted, who told it and where he
lives never leave in a notice. The rows speak of steps by their words; a repository test holds them against the tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from fuzhengtong.cases.states import AppealRow, CaseRow, Snapshot
from fuzhengtong.charter.editions import Charter
from fuzhengtong.kernel.due import Unit
from fuzhengtong.mailroom.rules import Rung


class Audience(StrEnum):
    """For whom a step has news, as `Step.tells` names it."""

    TELLER = "teller"
    OFFICE = "office"  # the lead office
    DESK = "desk"  # the centre in charge
    OWNER = "owner"  # the post that owes the promise spoken of
    HEAD = "head"  # the head of that office
    LEADER = "leader"  # who is above it


class Fact(StrEnum):
    """All that a notice may say. Whatever is not here cannot leave, whatever a sentence asks for."""

    NUMBER = "number"
    DUE = "due"  # until when, in the city's time
    TERM = "term"  # how long that was, with its unit
    DUTY = "duty"  # which promise
    LEVEL = "level"  # which degree of supervision


# How a notice climbs: the first rung that has an address, and the next one when that fails. For a teller the last one
# is the list of those whom the desk has to call; a notice within the house lies on the page of its post.
_TO_TELLERS: Final = (Rung.WECHAT, Rung.SMS, Rung.DESK)
_IN_HOUSE: Final = (Rung.DESK,)
# From so many notices of one kind to one leader on, in one turn: one notice with their count (after a standstill).
DIGEST_FROM: Final = 6
_TOLD_WITHIN: Final = timedelta(hours=48)
SEEN_WITHIN: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Seat:
    """A kind of post in an office: where a notice within the house goes."""

    office_id: int
    post_kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One row: the step, for whom, what the sentence may say, of which promise, and which seat of the audience.

    `due_of` names the kinds of promise whose due time is told, the first that the case has. `one`: only the teller of
    the entry's own telling is told, not all of the case. `post` is the kind of post of a desk or an office.
    """

    step: str
    audience: Audience
    facts: frozenset[Fact] = frozenset({Fact.NUMBER})
    due_of: tuple[str, ...] = ()
    one: bool = False
    post: str = ""

    @property
    def key(self) -> str:
        """The key of its sentence."""
        return f"notice.{self.step}.{self.audience.value}"

    @property
    def ladder(self) -> tuple[Rung, ...]:
        """The ways it may take, the first one first."""
        return _TO_TELLERS if self.audience is Audience.TELLER else _IN_HOUSE

    @property
    def valid(self) -> timedelta:
        """How long after the entry it is still news; later it is dropped and never sent."""
        return _TOLD_WITHIN if self.audience is Audience.TELLER else SEEN_WITHIN


_PLAIN: Final = frozenset({Fact.NUMBER})
_BY_WHEN: Final = frozenset({Fact.NUMBER, Fact.DUE})
_PROMISED: Final = frozenset({Fact.NUMBER, Fact.DUE, Fact.TERM})
_OF_A_DUTY: Final = frozenset({Fact.NUMBER, Fact.DUE, Fact.DUTY})


def _teller(step: str, facts: frozenset[Fact] = _PLAIN, *due_of: str, one: bool = False) -> Notice:
    return Notice(step=step, audience=Audience.TELLER, facts=facts, due_of=due_of, one=one)


def _desk(step: str, post: str, facts: frozenset[Fact] = _PLAIN, *due_of: str) -> Notice:
    return Notice(step=step, audience=Audience.DESK, facts=facts, due_of=due_of, post=post)


def _office(step: str, facts: frozenset[Fact] = _PLAIN, *due_of: str) -> Notice:
    return Notice(step=step, audience=Audience.OFFICE, facts=facts, due_of=due_of, post="handler")


def _leader(step: str, post: str, facts: frozenset[Fact], *due_of: str) -> Notice:
    return Notice(step=step, audience=Audience.LEADER, facts=facts, due_of=due_of, post=post)


def _owner(step: str, facts: frozenset[Fact], *due_of: str) -> Notice:
    return Notice(step=step, audience=Audience.OWNER, facts=facts, due_of=due_of)


def _head(step: str, facts: frozenset[Fact], *due_of: str) -> Notice:
    return Notice(step=step, audience=Audience.HEAD, facts=facts, due_of=due_of, post="head")


NOTICES: Final[tuple[Notice, ...]] = (
    _teller("register", _PROMISED, "accept", one=True),
    _desk("to_desk", "dispatcher", _BY_WHEN, "assign", "accept"),
    _teller("accept", _PROMISED, "assign"),
    _teller("ask_info", _PROMISED, "info"),
    _desk("answer", "dispatcher", _BY_WHEN, "accept"),
    _desk("lapse", "dispatcher", _BY_WHEN, "accept"),
    _teller("lapse", _BY_WHEN, "accept"),
    _teller("assign", _PROMISED, "finish"),
    _office("assign", _PROMISED, "sign"),
    _leader("assign", "head", _PROMISED, "finish"),
    _teller("sign", _BY_WHEN, "finish"),
    _teller("arrive"),
    _desk("arrive", "dispatcher"),
    _teller("interim_reply"),
    _desk("finish", "reviewer", _PROMISED, "review"),
    _teller("review", _BY_WHEN, "satisfaction_visit"),
    _office("send_back", _BY_WHEN, "finish"),
    _desk("rate", "visitor"),
    _teller("redo", _PROMISED, "redo"),
    _office("redo", _PROMISED, "redo"),
    _teller("close"),
    _office("supplement"),
    _desk("supplement", "dispatcher"),
    _office("correct_place"),
    _desk("correct_place", "dispatcher"),
    _office("urge"),
    _desk("urge", "dispatcher"),
    _teller("withdraw", one=True),
    _office("withdraw"),
    _desk("leave", "dispatcher"),
    _owner("remind", _OF_A_DUTY),
    _owner("overdue", _OF_A_DUTY),
    _head("overdue", _OF_A_DUTY),
    _owner("supervise", frozenset({Fact.NUMBER, Fact.LEVEL, Fact.DUE}), "supervision_reply"),
    _head("supervise", frozenset({Fact.NUMBER, Fact.LEVEL, Fact.DUE}), "supervision_reply"),
    _leader("supervise", "chief_clerk", frozenset({Fact.NUMBER, Fact.LEVEL})),
    # Of what moved, the promise that a teller waits for most; a visit calls him anyway.
    _teller("recompute", _BY_WHEN, "redo", "finish", "interim_reply", "assign", "accept"),
)

# Sentences beside the table: a teller whom no message reaches, a seat where nobody answers, many at once.
UNREACHED: Final = "notice.unreached.desk"
NOBODY: Final = "notice.nobody.local"
DIGEST: Final = "notice.digest.leader"
# The parts of which facts are made: a day, a day with its time, a time that a calendar to come may move.
DAY: Final = "notice.when.day"
TIME: Final = "notice.when.time"
PROVISIONAL: Final = "notice.when.provisional"
# Who calls a teller whom no message reaches; who is rung when a seat has nobody.
CALLER: Final = "visitor"
OPERATOR: Final = "system_admin"

_BY_WORD: Final[Mapping[str, tuple[Notice, ...]]] = MappingProxyType(
    {word: tuple(row for row in NOTICES if row.step == word) for word in {row.step for row in NOTICES}}
)
# Steps whose notices need to know which promise or order the entry spoke of.
OF_A_PROMISE: Final = frozenset({"remind", "overdue", "supervise", "recompute"})


def notices_of(word: str) -> tuple[Notice, ...]:
    """Return the notices of a step; a step without a row tells nobody and its entry is never followed (KeyError)."""
    return _BY_WORD[word]


@dataclass(frozen=True, slots=True)
class Promised:
    """One promise as a notice may speak of it."""

    id: int
    kind: str
    appeal_id: int | None
    owed_by: int
    owed_by_post: str
    owed_from: datetime
    due_at: datetime
    length: int
    unit: Unit
    provisional: bool
    is_open: bool


@dataclass(frozen=True, slots=True)
class Spoken:
    """What an entry of supervision speaks of; zero where it says nothing. `moved` are promises with a new due time."""

    duty_id: int = 0
    level: int = 0
    by_office: int = 0
    owed_by: int = 0
    owed_by_post: str = ""
    moved: tuple[int, ...] = ()


def spoken(facts: Mapping[str, Any], recomputes: Iterable[Mapping[str, Any]] = ()) -> Spoken:
    """Read what an entry speaks of from its facts and effects as the ledger holds them: ids are texts there."""
    return Spoken(
        duty_id=int(facts.get("duty_id") or 0),
        level=int(facts.get("level") or 0),
        by_office=int(facts.get("by_office") or 0),
        owed_by=int(facts.get("owed_by") or 0),
        owed_by_post=str(facts.get("owed_by_post") or ""),
        moved=tuple(int(told["id"]) for told in recomputes if told["due_at"] != told["before"]["due_at"]),
    )


def promise_of(
    notice: Notice, promises: Iterable[Promised], *, appeal_id: int | None, at: datetime, told: Spoken
) -> Promised | None:
    """Return the promise whose time a notice tells: the entry's own, else the newest of the kinds the row names.

    Only promises that stood when the entry was made; of a promise to each teller, that to this one; where promises were
    counted anew, only those that moved.
    """
    if told.duty_id and not notice.due_of:
        return next((promise for promise in promises if promise.id == told.duty_id), None)
    stood = [
        promise
        for promise in promises
        if promise.owed_from <= at
        and (None in (promise.appeal_id, appeal_id) or promise.appeal_id == appeal_id)
        and (notice.step != "recompute" or promise.id in told.moved)
    ]
    for kind in notice.due_of:
        found = [promise for promise in stood if promise.kind == kind]
        if found:
            return max(found, key=lambda promise: promise.id)
    return None


def is_moot(notice: Notice, promises: Iterable[Promised], told: Spoken) -> bool:
    """Say whether a notice has nothing left to say: of promises kept meanwhile, or counted anew without moving."""
    if notice.step == "recompute":
        return not any(row.is_open and row.id in told.moved and row.kind in notice.due_of for row in promises)
    return notice.step == "remind" and not any(promise.is_open for promise in promises if promise.id == told.duty_id)


def tellers(notice: Notice, snapshot: Snapshot, *, appeal_id: int | None, at: datetime) -> tuple[AppealRow, ...]:
    """Return the tellings whose tellers are to be told: that of the entry alone, or all that wait since before it."""
    if notice.one and appeal_id is not None:
        found = snapshot.appeal(appeal_id)
        return () if found is None else (found,)
    return tuple(row for row in snapshot.live_appeals if row.received_at <= at)


def seat(notice: Notice, case: CaseRow, told: Spoken, promises: Iterable[Promised], charter: Charter) -> Seat | None:
    """Return the seat a notice within the house goes to; nothing where the case has no such office yet.

    The leader is told of an assignment where the charter says so: there the head of the lead office; in supervision
    the chief clerk of the office that ordered it.
    """
    if notice.audience is Audience.DESK:
        return Seat(case.desk_id, notice.post)
    if notice.audience is Audience.OFFICE:
        return None if case.office_id is None else Seat(case.office_id, notice.post)
    if notice.audience is Audience.LEADER:
        if notice.step != "assign":
            return Seat(told.by_office, notice.post) if told.by_office else None
        is_told = case.office_id is not None and "leader_in_charge" in charter.assigning.told
        return Seat(case.office_id or 0, notice.post) if is_told else None
    return _owner_seat(notice, told, promises)


def _owner_seat(notice: Notice, told: Spoken, promises: Iterable[Promised]) -> Seat | None:
    office_id, post_kind = told.owed_by, told.owed_by_post
    if not office_id:
        owed = next((promise for promise in promises if promise.id == told.duty_id), None)
        if owed is None:
            return None
        office_id, post_kind = owed.owed_by, owed.owed_by_post
    return Seat(office_id, notice.post or post_kind)


def next_rung(notice: Notice, *, after: Rung | None, addresses: Iterable[Rung]) -> Rung | None:
    """Return the first rung of the ladder that has an address, or after a failed one the next such; else nothing."""
    known = set(addresses)
    begin = 0 if after is None else notice.ladder.index(after) + 1
    return next((rung for rung in notice.ladder[begin:] if rung in known), None)


def addresses_of(phone: str) -> frozenset[Rung]:
    """Return the rungs by which a teller of this phone (in its normal form) can be reached; none without one.

    A landline takes no text message: the desk calls it.
    """
    if not phone:
        return frozenset()
    return frozenset({Rung.SMS, Rung.DESK}) if phone.startswith("1") else frozenset({Rung.DESK})


def dedup(entry_id: int, audience: Audience, recipient: object) -> str:
    """Name a notice: one entry, one audience, one recipient are told once, however often it is tried.

    The recipient is a telling or a seat, never a person.
    """
    return f"{entry_id}|{audience.value}|{recipient}"


@dataclass(frozen=True, slots=True)
class Named:
    """What the name of a notice says: the entry, the audience, the recipient."""

    entry_id: int
    audience: Audience
    recipient: str


def named(text: str) -> Named | None:
    """Read the name of a notice back; nothing where it is none of ours, or one that has climbed already."""
    parts = text.split("|")
    if len(parts) != 3 or not parts[0].isdigit() or parts[1] not in set(Audience):
        return None
    return Named(int(parts[0]), Audience(parts[1]), parts[2])
