"""Which promise a notice tells of, who hears it, which way it goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from fuzhengtong.cases.states import AppealRow, AppealState, CaseRow, Snapshot, State
from fuzhengtong.kernel.due import Unit
from fuzhengtong.mailroom.rules import Rung
from fuzhengtong.notices import rules
from fuzhengtong.notices.rules import Audience, Promised, Spoken

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
DESK, LEAD, CENTRE = 10, 20, 30


def row(step: str, audience: Audience) -> rules.Notice:
    return next(row for row in rules.notices_of(step) if row.audience is audience)


def promised(id: int, kind: str, **changes: object) -> Promised:
    made: dict[str, object] = {
        "id": id,
        "kind": kind,
        "appeal_id": None,
        "owed_by": LEAD,
        "owed_by_post": "handler",
        "owed_from": AT,
        "due_at": AT + timedelta(days=1),
        "length": 1,
        "unit": Unit.WORKING_DAYS,
        "provisional": False,
        "is_open": True,
    }
    return Promised(**(made | changes))  # type: ignore[arg-type]


def a_case(office_id: int | None = LEAD) -> CaseRow:
    return CaseRow(
        id=1,
        number="FX26112000310",
        state=State.WORKING,
        city_id=1,
        desk_id=DESK,
        office_id=office_id,
        received_at=AT,
        biz_day=20261120,
        biz_month=202611,
    )


def an_appeal(id: int, **changes: object) -> AppealRow:
    made = AppealRow(id=id, case_id=1, number=f"N{id}", channel="h5", received_at=AT, biz_month=202611)
    return msgspec.structs.replace(made, **changes)


def snapshot(*appeals: AppealRow) -> Snapshot:
    return Snapshot(case=a_case(), appeals=appeals)


# --- the promise -------------------------------------------------------------------------------------------------


def test_the_newest_promise_of_the_kind_is_told():
    promises = [promised(1, "finish"), promised(2, "finish", due_at=AT + timedelta(days=9)), promised(3, "sign")]

    found = rules.promise_of(row("assign", Audience.TELLER), promises, appeal_id=None, at=AT, told=Spoken())

    assert found is promises[1]


def test_a_promise_made_after_the_entry_is_not_told():
    promises = [promised(1, "finish"), promised(2, "finish", owed_from=AT + timedelta(seconds=1))]

    found = rules.promise_of(row("assign", Audience.TELLER), promises, appeal_id=None, at=AT, told=Spoken())

    assert found is promises[0]


def test_each_teller_hears_of_his_own_visit():
    promises = [promised(1, "satisfaction_visit", appeal_id=7), promised(2, "satisfaction_visit", appeal_id=8)]

    found = rules.promise_of(row("review", Audience.TELLER), promises, appeal_id=7, at=AT, told=Spoken())

    assert found is promises[0]


def test_the_first_kind_that_the_case_has_is_told():
    notice = row("to_desk", Audience.DESK)
    received, accepted = [promised(1, "accept")], [promised(1, "accept"), promised(2, "assign")]

    assert rules.promise_of(notice, received, appeal_id=None, at=AT, told=Spoken()) is received[0]
    assert rules.promise_of(notice, accepted, appeal_id=None, at=AT, told=Spoken()) is accepted[1]


def test_a_reminder_tells_of_the_very_promise_it_is_about():
    promises = [promised(1, "sign"), promised(2, "finish")]

    found = rules.promise_of(row("remind", Audience.OWNER), promises, appeal_id=None, at=AT, told=Spoken(duty_id=1))

    assert found is promises[0]


def test_a_case_without_such_a_promise_tells_none():
    found = rules.promise_of(row("assign", Audience.TELLER), [], appeal_id=None, at=AT, told=Spoken())

    assert found is None


def test_a_reminder_of_a_kept_promise_has_nothing_left_to_say():
    notice, kept = row("remind", Audience.OWNER), [promised(1, "sign", is_open=False)]

    assert rules.is_moot(notice, kept, Spoken(duty_id=1))
    assert not rules.is_moot(notice, [promised(1, "sign")], Spoken(duty_id=1))


def test_of_promises_counted_anew_a_teller_hears_of_one_that_moved_and_is_still_owed():
    notice = row("recompute", Audience.TELLER)
    promises = [promised(1, "finish"), promised(2, "assign"), promised(3, "satisfaction_visit", appeal_id=7)]
    told = rules.spoken(
        {"calendar": "new"},
        [
            {"id": "1", "due_at": 5, "before": {"due_at": 5}},
            {"id": "2", "due_at": 6, "before": {"due_at": 5}},
            {"id": "3", "due_at": 7, "before": {"due_at": 5}},
        ],
    )

    assert told.moved == (2, 3)
    assert rules.promise_of(notice, promises, appeal_id=7, at=AT, told=told) is promises[1]
    assert not rules.is_moot(notice, promises, told)
    assert rules.is_moot(notice, [promised(2, "assign", is_open=False), *promises[::2]], told)
    assert rules.is_moot(notice, promises, Spoken())


def test_that_a_promise_was_missed_is_told_even_when_it_was_kept_meanwhile():
    assert not rules.is_moot(row("overdue", Audience.HEAD), [promised(1, "sign", is_open=False)], Spoken(duty_id=1))


# --- who ---------------------------------------------------------------------------------------------------------


def test_a_telling_that_joined_later_hears_nothing_of_what_was_before():
    early, late = an_appeal(7), an_appeal(8, received_at=AT + timedelta(hours=1))

    found = rules.tellers(row("assign", Audience.TELLER), snapshot(early, late), appeal_id=None, at=AT)

    assert found == (early,)


def test_all_tellers_who_still_wait_hear_of_a_redo_whoever_asked_for_it():
    one, other, gone = an_appeal(7), an_appeal(8), an_appeal(9, state=AppealState.WITHDRAWN)

    found = rules.tellers(row("redo", Audience.TELLER), snapshot(one, other, gone), appeal_id=7, at=AT)

    assert found == (one, other)


def test_who_withdraws_is_the_only_one_told_and_still_is_told():
    one, gone = an_appeal(7), an_appeal(9, state=AppealState.WITHDRAWN)
    notice = row("withdraw", Audience.TELLER)

    assert rules.tellers(notice, snapshot(one, gone), appeal_id=9, at=AT) == (gone,)
    assert rules.tellers(notice, snapshot(one), appeal_id=9, at=AT) == ()


def seat(step: str, audience: Audience, told: Spoken = Spoken(), office_id: int | None = LEAD, charter: object = None):  # noqa: B008
    return rules.seat(row(step, audience), a_case(office_id), told, [promised(1, "sign")], charter)  # type: ignore[arg-type]


def test_the_desk_hears_in_the_post_that_acts_next():
    assert seat("finish", Audience.DESK) == rules.Seat(DESK, "reviewer")
    assert seat("rate", Audience.DESK) == rules.Seat(DESK, "visitor")
    assert seat("to_desk", Audience.DESK) == rules.Seat(DESK, "dispatcher")


def test_before_an_office_was_given_the_case_no_office_hears():
    assert seat("supplement", Audience.OFFICE, office_id=None) is None
    assert seat("supplement", Audience.OFFICE) == rules.Seat(LEAD, "handler")


def test_a_reminder_goes_to_the_post_that_owes_the_promise():
    assert seat("remind", Audience.OWNER, Spoken(duty_id=1)) == rules.Seat(LEAD, "handler")
    assert seat("overdue", Audience.HEAD, Spoken(duty_id=1)) == rules.Seat(LEAD, "head")
    assert seat("remind", Audience.OWNER, Spoken(duty_id=2)) is None


def test_an_order_goes_to_whom_it_names_and_to_the_chief_clerk_of_the_office_that_gave_it():
    told = Spoken(level=3, by_office=CENTRE, owed_by=40, owed_by_post="visitor")

    assert seat("supervise", Audience.OWNER, told) == rules.Seat(40, "visitor")
    assert seat("supervise", Audience.HEAD, told) == rules.Seat(40, "head")
    assert seat("supervise", Audience.LEADER, told) == rules.Seat(CENTRE, "chief_clerk")
    assert seat("supervise", Audience.LEADER) is None


class Told:
    def __init__(self, *told: str) -> None:
        self.assigning = self
        self.told = told


def test_the_leader_hears_of_an_assignment_where_the_charter_says_so():
    assert seat("assign", Audience.LEADER, charter=Told("leader_in_charge")) == rules.Seat(LEAD, "head")
    assert seat("assign", Audience.LEADER, charter=Told()) is None
    assert seat("assign", Audience.LEADER, office_id=None, charter=Told("leader_in_charge")) is None


def test_what_an_order_says_is_read_from_the_ledgers_texts():
    told = rules.spoken({"duty_id": "77", "level": 2, "by_office": "30", "owed_by": "40", "owed_by_post": "handler"})

    assert told == Spoken(duty_id=77, level=2, by_office=30, owed_by=40, owed_by_post="handler")
    assert rules.spoken({}) == Spoken()


# --- which way ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phone", "rung"),
    [("13800000001", Rung.SMS), ("04180000001", Rung.DESK), ("", None)],
    ids=["mobile", "landline", "none"],
)
def test_a_mobile_gets_a_message_a_landline_a_call_and_nobody_nothing(phone: str, rung: Rung | None):
    notice = row("accept", Audience.TELLER)

    assert rules.next_rung(notice, after=None, addresses=rules.addresses_of(phone)) is rung


def test_after_a_failed_message_the_desk_calls_and_after_that_there_is_nothing():
    notice, known = row("accept", Audience.TELLER), rules.addresses_of("13800000001")

    assert rules.next_rung(notice, after=Rung.SMS, addresses=known) is Rung.DESK
    assert rules.next_rung(notice, after=Rung.DESK, addresses=known) is None


def test_the_ladder_is_climbed_from_below():
    notice = row("accept", Audience.TELLER)

    assert rules.next_rung(notice, after=None, addresses=[Rung.DESK, Rung.SMS, Rung.WECHAT]) is Rung.WECHAT


def test_a_name_is_read_back_as_it_was_given():
    name = rules.dedup(5, Audience.TELLER, 7)

    assert name == "5|teller|7"
    assert rules.named(name) == rules.Named(5, Audience.TELLER, "7")


@pytest.mark.parametrize("name", ["", "5|teller|7|desk", "x|teller|7", "5|nobody|7"])
def test_what_is_no_name_of_a_notice_is_not_read_as_one(name: str):
    assert rules.named(name) is None
