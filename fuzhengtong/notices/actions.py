"""Follow the ledger: whoever must be told of an entry gets a parcel in the mailroom, in the follower's transaction.

Called by `chain` for entries whose step tells somebody, and by the ticker for notices that did not arrive. It sends
nothing itself, and writes nothing but parcels. The number of statements does not depend on the number of entries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from fuzhengtong.cases import ledger
from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.cases.actions import Followed
from fuzhengtong.cases.states import AppealRow, Snapshot
from fuzhengtong.charter.moment import Moment
from fuzhengtong.charter.texts import Texts
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory import world
from fuzhengtong.kernel import numbers
from fuzhengtong.kernel.due import Unit
from fuzhengtong.mailroom import actions as mailroom_actions
from fuzhengtong.mailroom.rules import FAILED, Posting, Rung
from fuzhengtong.notices import queries, rules
from fuzhengtong.notices.rules import Audience, Fact, Notice, Promised, Seat, Spoken


@dataclass(frozen=True, slots=True)
class _News:
    """One entry for one audience, with what the case was read to be."""

    entry: Followed
    notice: Notice
    snapshot: Snapshot
    promises: tuple[Promised, ...]
    told: Spoken


def follow(followed: Sequence[Followed], *, moment: Moment) -> None:
    """Post the notices of entries. At most seven statements, whatever their number.

    A teller without a phone, and one who did not want to be known, gets none: that is on record as a parcel that had
    no address. Where nobody answers in a seat, the operator of the installation is rung.
    """
    news = _news(followed)
    told = [one for one in news if one.notice.audience is Audience.TELLER]
    case_ids = sorted({one.entry.case_id for one in told})
    known = cases_queries.tellers_of(case_ids) if case_ids else {}
    parcels = [posting for one in told for posting in _to_tellers(one, known, moment)]
    parcels += _to_seats((one for one in news if one.notice.audience is not Audience.TELLER), moment)
    mailroom_actions.post(_folded(_seated(parcels, moment)), moment=moment)


def _news(followed: Sequence[Followed]) -> list[_News]:
    """Read the cases of the entries and pair each entry with the audiences it has news for."""
    case_ids = sorted({one.case_id for one in followed})
    snapshots = {snapshot.known.id: snapshot for snapshot in ledger.look(case_ids)}
    promises = {case_id: _promises(views) for case_id, views in cases_queries.duties_of(case_ids).items()}
    spoken = queries.spoken_of(one.entry_id for one in followed if one.word in rules.OF_A_PROMISE)
    news = [
        _News(entry, notice, snapshots[entry.case_id], promises[entry.case_id], spoken.get(entry.entry_id, Spoken()))
        for entry in followed
        for notice in rules.notices_of(entry.word)
    ]
    return [one for one in news if not rules.is_moot(one.notice, one.promises, one.told)]


def _promises(views: Iterable[cases_queries.DutyView]) -> tuple[Promised, ...]:
    return tuple(
        Promised(
            id=view.id,
            kind=view.kind,
            appeal_id=view.appeal_id,
            owed_by=view.owed_by,
            owed_by_post=view.owed_by_post,
            owed_from=view.owed_from,
            due_at=view.due_at,
            length=view.length,
            unit=Unit(view.unit),
            provisional=view.provisional,
            is_open=view.met_at is None and view.voided_at is None,
        )
        for view in views
    )


# --- tellers -----------------------------------------------------------------------------------------------------


def _to_tellers(one: _News, known: Mapping[int, cases_queries.Teller], moment: Moment) -> Iterable[Posting]:
    tellings = rules.tellers(one.notice, one.snapshot, appeal_id=one.entry.appeal_id, at=one.entry.at)
    for appeal in tellings:
        teller = known.get(appeal.id)
        phone = "" if teller is None or appeal.anonymous else teller.phone
        yield _to_teller(one, appeal, phone, moment)


def _to_teller(one: _News, appeal: AppealRow, phone: str, moment: Moment) -> Posting:
    rung = rules.next_rung(one.notice, after=None, addresses=rules.addresses_of(phone))
    posting = Posting(
        topic=one.notice.key,
        dedup=rules.dedup(one.entry.entry_id, Audience.TELLER, appeal.id),
        # Without an address it is posted all the same: the mailroom keeps on record who was not told.
        rung=rung or Rung.SMS,
        address=phone,
        subject=appeal.number,
        body=_said(one, appeal.number, appeal.id, moment),
        expires_at=one.entry.at + one.notice.valid,
        any_hour=_at_any_hour(one.snapshot, moment),
    )
    if rung is Rung.DESK:
        return _to_be_called(posting, one.snapshot)
    return posting


def _to_be_called(posting: Posting, snapshot: Snapshot) -> Posting:
    """Turn a teller's notice into one for the desk that has to call him: the number of the matter and no more."""
    return replace(
        posting,
        topic=rules.UNREACHED,
        rung=Rung.DESK,
        address="",
        office_id=snapshot.known.desk_id,
        post_kind=rules.CALLER,
        body=_texts().say(rules.UNREACHED, number=numbers.grouped(posting.subject)),
    )


def _at_any_hour(snapshot: Snapshot, moment: Moment) -> bool:
    return snapshot.known.urgency.value in moment.charter.quiet.except_for


# --- within the house --------------------------------------------------------------------------------------------


def _to_seats(news: Iterable[_News], moment: Moment) -> Iterable[Posting]:
    """Address notices within the house. The recipient is the seat that is meant, whoever stands in for it."""
    for one in news:
        seat = rules.seat(one.notice, one.snapshot.known, one.told, one.promises, moment.charter)
        if seat is None:
            continue
        number = one.snapshot.known.number
        yield Posting(
            topic=one.notice.key,
            dedup=rules.dedup(one.entry.entry_id, one.notice.audience, f"{seat.office_id}.{seat.post_kind}"),
            rung=Rung.DESK,
            office_id=seat.office_id,
            post_kind=seat.post_kind,
            subject=number,
            body=_said(one, number, one.entry.appeal_id, moment),
            expires_at=one.entry.at + one.notice.valid,
        )


def _seated(postings: Sequence[Posting], moment: Moment) -> list[Posting]:
    """Send each notice within the house to where its seat is answered now; ring the operator where nobody does."""
    answering = _answering({_seat_of(posting) for posting in postings if posting.rung is Rung.DESK}, moment)
    found = []
    for posting in postings:
        if posting.rung is not Rung.DESK:
            found.append(posting)
        elif (seat := answering[_seat_of(posting)]) is not None:
            found.append(replace(posting, office_id=seat.office_id, post_kind=seat.post_kind))
        else:
            alarm = _texts().say(rules.NOBODY, number=numbers.grouped(posting.subject))
            found.append(replace(posting, topic=rules.NOBODY, rung=Rung.LOCAL, post_kind=rules.OPERATOR, body=alarm))
    return found


def _seat_of(posting: Posting) -> Seat:
    return Seat(posting.office_id or 0, posting.post_kind)


def _answering(seats: Iterable[Seat], moment: Moment) -> dict[Seat, Seat | None]:
    """Find who answers for each seat now: the seat itself, the head of its office, a superior's duty post, nobody."""
    asked = {(seat.office_id, seat.post_kind): seat for seat in seats}
    answers = directory_queries.who_answers_many(asked, at=moment.at) if asked else {}
    first = {seat: answers[pair][0] if answers[pair] else None for pair, seat in asked.items()}
    posts = queries.seats_of(who.post_id for who in first.values() if who and who.how in ("head", "superior"))
    return {seat: None if who is None else posts.get(who.post_id, seat) for seat, who in first.items()}


def _folded(postings: Sequence[Posting]) -> list[Posting]:
    """Fold many notices of one kind to one leader into a single one that says how many."""
    kept: list[Posting] = []
    to_leaders: dict[tuple[str, int | None, str], list[Posting]] = defaultdict(list)
    for posting in postings:
        if f"|{Audience.LEADER.value}|" in posting.dedup and posting.rung is Rung.DESK:
            to_leaders[posting.topic, posting.office_id, posting.post_kind].append(posting)
        else:
            kept.append(posting)
    for several in to_leaders.values():
        if len(several) < rules.DIGEST_FROM:
            kept += several
        else:
            body = _texts().say(rules.DIGEST, count=len(several))
            latest = max(posting.expires_at for posting in several)
            kept.append(replace(several[0], topic=rules.DIGEST, subject="", body=body, expires_at=latest))
    return kept


# --- sentences ---------------------------------------------------------------------------------------------------


def _texts() -> Texts:
    return world.texts()


def _said(one: _News, number: str, appeal_id: int | None, moment: Moment) -> str:
    """Say the sentence of a notice: it is handed the facts of its row and no others."""
    notice, facts = one.notice, dict[str, Any]()
    promise = rules.promise_of(notice, one.promises, appeal_id=appeal_id, at=one.entry.at, told=one.told)
    if Fact.NUMBER in notice.facts:
        facts[Fact.NUMBER] = numbers.grouped(number)
    if Fact.LEVEL in notice.facts:
        facts[Fact.LEVEL] = one.told.level
    if promise is not None and Fact.DUE in notice.facts:
        facts[Fact.DUE] = _when(promise, moment)
    if promise is not None and Fact.TERM in notice.facts:
        # A message is written close, as its dates are: it is paid for by the character.
        facts[Fact.TERM] = _texts().say(f"unit.{promise.unit.value}.count", n=promise.length).replace(" ", "")
    if promise is not None and Fact.DUTY in notice.facts:
        facts[Fact.DUTY] = _texts().say(f"duty.{promise.kind}")
    return _texts().say(notice.key, **facts)


_BY_THE_CLOCK = (Unit.WALL_MINUTES, Unit.WALL_HOURS, Unit.WORKING_HOURS)


def _when(promise: Promised, moment: Moment) -> str:
    """Say until when: the last day of a promise in days, day and time of one in hours, and that it may still move."""
    clock = moment.charter.clock
    if promise.unit in _BY_THE_CLOCK:
        local = clock.local(promise.due_at)
        said = _texts().say(rules.TIME, month=local.month, day=local.day, time=f"{local:%H:%M}")
    else:
        last = clock.last_day(promise.due_at)
        said = _texts().say(rules.DAY, month=last.month, day=last.day)
    return _texts().say(rules.PROVISIONAL, when=said) if promise.provisional else said


# --- the next rung -----------------------------------------------------------------------------------------------


def climb(*, moment: Moment, limit: int = 100) -> int:
    """Take notices that did not arrive one rung higher; return how many were looked at.

    A teller whom no message reached comes on the list of those the desk calls. Called by the ticker; at most seven
    statements a turn.
    """
    with transaction.atomic():
        failed = mailroom_actions.claim_failed(limit=limit)
        if not failed:
            return 0
        lost = [(one, name) for one in failed if (name := _climbs(one)) is not None]
        cases = queries.cases_of({name.entry_id for _, name in lost})
        snapshots = {snapshot.known.id: snapshot for snapshot in ledger.look(sorted(set(cases.values())))}
        parcels = [_higher(one, snapshots[cases[name.entry_id]], moment) for one, name in lost]
        mailroom_actions.post(_seated(parcels, moment), moment=moment)
        mailroom_actions.passed_on(parcel_ids=[one.parcel_id for one in failed], moment=moment)
        return len(failed)


def _climbs(failed: mailroom_actions.Failed) -> rules.Named | None:
    """Read the name of a failed notice that has a rung above it; nothing for all others."""
    name = rules.named(failed.dedup)
    notice = next((row for row in rules.NOTICES if row.key == failed.topic), None)
    if name is None or notice is None or failed.outcome not in FAILED:
        return None
    higher = rules.next_rung(notice, after=Rung(failed.rung), addresses=[Rung.DESK])
    return None if higher is None else name


def _higher(failed: mailroom_actions.Failed, snapshot: Snapshot, moment: Moment) -> Posting:
    posting = Posting(
        topic=failed.topic,
        dedup=f"{failed.dedup}|{Rung.DESK.value}",
        rung=Rung.DESK,
        subject=failed.subject,
        body="",
        expires_at=moment.at + rules.SEEN_WITHIN,
    )
    return _to_be_called(posting, snapshot)
