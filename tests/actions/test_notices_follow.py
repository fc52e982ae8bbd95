"""Following the ledger: who is told of a step, in which words, and who is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import models as cases_models
from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.cases import steps
from fuzhengtong.cases.states import Satisfaction, Solved, State
from fuzhengtong.chain import followers
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import models as directory_models
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.intake.rules import Person
from fuzhengtong.kernel import numbers
from fuzhengtong.mailroom import actions as mailroom_actions
from fuzhengtong.mailroom import keys, models
from fuzhengtong.notices import actions
from fuzhengtong.oversight import actions as oversight_actions
from fuzhengtong.visits import steps as visits_steps
from tests.builders import City, tell

pytestmark = pytest.mark.usefixtures("db")
PHONE = "13800000001"


def follow(moment: Moment) -> None:
    while followers.run("notices", moment=moment):
        pass
    assert not troubles(), "a follower set an entry back"


def troubles() -> list[str]:
    return list(cases_models.Follow.objects.filter(follower="notices").values_list("trouble", flat=True))


def parcels(topic: str = "notice") -> list[models.Parcel]:
    return list(models.Parcel.objects.filter(topic__startswith=topic).order_by("id"))


def words(parcel: models.Parcel) -> str:
    return keys.unseal(sealed=bytes(parcel.body_sealed), aad=keys.aad_of("body", parcel.id))


def address(parcel: models.Parcel) -> str:
    return keys.unseal(sealed=bytes(parcel.address_sealed), aad=keys.aad_of("address", parcel.id))


def only(topic: str) -> models.Parcel:
    found = parcels(topic)
    assert len(found) == 1, [parcel.dedup for parcel in found]
    return found[0]


# --- tellers -----------------------------------------------------------------------------------------------------


def test_who_tells_something_hears_that_it_arrived_and_by_when_it_is_taken_up(city: City, moment: Moment):
    told = tell(city, moment)

    follow(moment)

    parcel = only("notice.register.teller")
    assert (parcel.rung, address(parcel), parcel.subject) == ("sms", PHONE, told.number)
    assert numbers.grouped(told.number) in words(parcel)
    # Told on a Friday: one working day ends on Monday.
    assert "最迟11月23日受理（1个工作日）" in words(parcel)


def test_on_the_whole_road_every_step_is_told_and_nothing_of_the_matter_leaves(city: City, moment: Moment):
    told = tell(city, moment).walk_to(State.VISITING)
    told = told.later(hours=1).visit(solved=Solved.NO, satisfaction=Satisfaction.NOT)

    follow(told.moment)

    topics = {parcel.topic for parcel in parcels() if parcel.topic.endswith(".teller")}
    assert topics == {f"notice.{step}.teller" for step in ("register", "accept", "assign", "sign", "review", "redo")}
    office = directory_queries.office(told.case.office_id or 0)
    assert office is not None
    private = ("路灯", "益民", "和平", "修", "示例王", PHONE, "0001", told.query_code, office.name, "换", "亮")
    for parcel in parcels():
        assert not [word for word in private if word in words(parcel).replace(numbers.grouped(told.number), "")]


def test_the_promise_of_the_office_is_told_with_its_unit(city: City, moment: Moment):
    told = tell(city, moment).walk_to(State.ASSIGNED)

    follow(told.moment)

    due_on = moment.charter.clock.last_day(told.case.finish_due_at)
    assert f"最迟{due_on.month}月{due_on.day}日办结" in words(only("notice.assign.teller"))
    assert "个工作日）" in words(only("notice.assign.teller"))
    # Signing is counted in hours: its time of day is told.
    assert "最迟11月20日16:00签收（4个工作小时）" in words(only("notice.assign.office"))


def test_a_notice_followed_twice_is_there_once(city: City, moment: Moment):
    told = tell(city, moment)
    entry = cases_actions.claim(follower="notices", at=told.moment.at, limit=1)[0]

    actions.follow([entry], moment=moment)
    actions.follow([entry], moment=moment)

    assert len(parcels("notice.register.teller")) == 1


def test_who_did_not_want_to_be_known_is_never_written_to_and_that_is_on_record(city: City, moment: Moment):
    tell(city, moment, anonymous=True, reporter=None)

    follow(moment)

    parcel = only("notice.register.teller")
    assert (parcel.outcome, parcel.address_sealed) == ("no_address", None)


def test_who_left_no_number_is_not_told_and_that_is_on_record(city: City, moment: Moment):
    tell(city, moment, reporter=Person(name="示例李"), channel="h5")

    follow(moment)

    assert only("notice.register.teller").outcome == "no_address"


def test_who_has_a_landline_is_called_by_the_visitors_of_the_desk(city: City, moment: Moment):
    told = tell(city, moment, reporter=Person(name="示例李", phone="0418-0000123"))

    follow(moment)

    parcel = only("notice.unreached.desk")
    assert (parcel.rung, parcel.office_id, parcel.post_kind) == ("desk", told.case.desk_id, "visitor")
    assert parcel.address_sealed is None
    assert "0000123" not in words(parcel)
    assert not parcels("notice.register.teller")


def test_for_whom_something_is_told_is_told_and_not_the_worker_who_told_it(city: City, moment: Moment):
    told = tell(
        city,
        moment,
        reporter=Person(name="示例工", phone="13800000002"),
        principal=Person(name="示例婶", phone="13800000003"),
    )

    found = cases_queries.tellers_of([told.case_id])

    assert found == {told.appeal_id: cases_queries.Teller(name="示例婶", phone="13800000003")}


def test_tellers_of_many_cases_are_found_in_one_statement(city: City, moment: Moment):
    cases = [tell(city, moment, reporter=Person(name="示例王", phone=f"1380000000{n}")) for n in range(5)]

    with CaptureQueriesContext(connection) as statements:
        found = cases_queries.tellers_of([told.case_id for told in cases])

    assert len(statements) == 1
    assert {told.appeal_id: found[told.appeal_id].phone for told in cases} == {
        told.appeal_id: f"1380000000{n}" for n, told in enumerate(cases)
    }


def test_a_teller_whose_data_were_erased_is_not_written_to(city: City, moment: Moment):
    told = tell(city, moment)
    cases_models.Passage.objects.filter(case_id=told.case_id, kind="teller").update(wrapped_key=None)

    follow(moment)

    assert cases_queries.tellers_of([told.case_id]) == {}
    assert only("notice.register.teller").outcome == "no_address"


def test_an_old_entry_brings_no_late_news(city: City, moment: Moment):
    tell(city, moment)

    follow(replace(moment, at=moment.at + timedelta(days=3)))

    assert only("notice.register.teller").expires_at == moment.at + timedelta(hours=48)


def test_a_critical_matter_is_told_at_any_hour(city: City, moment: Moment):
    night = replace(moment, at=moment.at + timedelta(hours=14))
    told = tell(city, night)
    cases_models.Case.objects.filter(id=told.case_id).update(urgency="critical")

    follow(night)

    assert only("notice.register.teller").not_before == night.at


# --- within the house --------------------------------------------------------------------------------------------


def test_the_office_and_its_head_hear_of_an_assignment(city: City, moment: Moment):
    told = tell(city, moment).walk_to(State.ASSIGNED)

    follow(told.moment)

    office = told.case.office_id
    for topic, post_kind in (("notice.assign.office", "handler"), ("notice.assign.leader", "head")):
        assert (only(topic).office_id, only(topic).post_kind, only(topic).rung) == (office, post_kind, "desk")


def test_nothing_to_the_office_names_the_teller_of_a_confidential_matter(city: City, moment: Moment):
    told = tell(city, moment, confidential=True).walk_to(State.ASSIGNED)
    told.take(steps.URGE, told.teller, appeal_id=told.appeal_id)

    follow(told.moment)

    for parcel in parcels():
        if parcel.rung == "desk":
            assert parcel.address_sealed is None
            assert not [word for word in ("示例王", PHONE, str(told.appeal_id)) if word in words(parcel)]
            assert str(told.appeal_id) not in parcel.dedup


def vacate(office_id: int, *kinds: str, at: object) -> None:
    rows = directory_models.Tenure.objects.filter(post__office_id=office_id)
    (rows.filter(post__kind__in=kinds) if kinds else rows).update(active_to=at)


def test_where_no_handler_is_there_the_head_hears_and_then_the_duty_post_above(city: City, moment: Moment):
    told = tell(city, moment).walk_to(State.ASSIGNED)
    office = told.case.office_id
    vacate(office, "handler", at=moment.at)
    follow(told.moment)
    vacate(office, at=moment.at)
    told.take(steps.URGE, told.teller, appeal_id=told.appeal_id)
    follow(told.moment)

    to_head, to_duty = only("notice.assign.office"), only("notice.urge.office")
    assert (to_head.office_id, to_head.post_kind) == (office, "head")
    assert to_duty.post_kind == "duty"
    assert to_duty.office_id != office
    # Whoever stands in, the notice keeps the name of the seat that was meant: it can never be told twice.
    assert to_duty.dedup.endswith(f"|office|{office}.handler")


def test_where_nobody_answers_at_all_the_operator_is_rung(city: City, moment: Moment):
    told = tell(city, moment).walk_to(State.ASSIGNED)
    directory_models.Tenure.objects.update(active_to=moment.at)

    follow(told.moment)

    alarms = parcels("notice.nobody.local")
    assert {(parcel.rung, parcel.post_kind) for parcel in alarms} == {("local", "system_admin")}
    assert numbers.grouped(told.number) in words(alarms[0])


def test_a_missed_promise_is_told_to_who_owes_it_and_to_his_head(city: City, moment: Moment):
    told = tell(city, moment).walk_to(State.ASSIGNED)
    follow(told.moment)
    signing = next(duty for duty in told.snapshot().duties if duty.kind == "sign")
    late = replace(told.moment, at=signing.due_at + timedelta(minutes=1))

    oversight_actions.tick(moment=late)
    follow(late)

    office = told.case.office_id
    assert (only("notice.overdue.owner").office_id, only("notice.overdue.owner").post_kind) == (office, "handler")
    assert only("notice.overdue.head").post_kind == "head"
    assert "“签收”" in words(only("notice.overdue.owner"))


def test_an_order_of_supervision_says_its_level_and_by_when_to_answer(city: City, moment: Moment):
    told = tell(city, moment).walk_to(State.ASSIGNED)
    ordering = told.by("supervisor", office_id=city.desk.office_id)

    oversight_actions.supervise(case_id=told.case_id, level=2, reason="久拖不决，群众多次催办", moment=ordering)
    follow(told.moment)

    assert "2级督办" in words(only("notice.supervise.owner"))
    assert "回复督办" in words(only("notice.supervise.owner"))
    leader = only("notice.supervise.leader")
    assert (leader.office_id, leader.post_kind) == (city.desk.office_id, "chief_clerk")
    assert "久拖" not in "".join(words(parcel) for parcel in parcels())


def test_many_assignments_at_once_reach_a_leader_as_one_notice(city: City, moment: Moment):
    cases = [tell(city, moment).dispatch() for _ in range(8)]

    follow(cases[-1].moment)

    assert not parcels("notice.assign.leader")
    assert "8件" in words(only("notice.digest.leader"))
    assert len(parcels("notice.assign.office")) == 8


# --- statements --------------------------------------------------------------------------------------------------


def test_the_number_of_statements_does_not_grow_with_the_number_of_entries(city: City, moment: Moment):
    def statements(count: int) -> int:
        for _ in range(count):
            tell(city, moment).walk_to(State.ASSIGNED)
        entries = cases_actions.claim(follower="notices", at=moment.at + timedelta(days=1), limit=200)
        with CaptureQueriesContext(connection) as seen:
            actions.follow(entries, moment=moment)
        cases_actions.done_with(follower="notices", entry_ids=[one.entry_id for one in entries])
        return len(seen)

    few, many = statements(1), statements(12)

    assert few == many
    # The snapshots are read on the raw connection and come on top: seven in all.
    assert many <= 6


# --- the next rung -----------------------------------------------------------------------------------------------


def fail(topic: str, outcome: str, moment: Moment) -> None:
    models.Parcel.objects.filter(topic=topic).update(outcome=outcome, set_aside_at=moment.at)


@pytest.mark.parametrize("outcome", ["refused", "expired", "exhausted", "unreadable"])
def test_a_teller_whom_no_message_reached_comes_on_the_list_of_the_desk(city: City, moment: Moment, outcome: str):
    told = tell(city, moment)
    follow(moment)
    fail("notice.register.teller", outcome, moment)

    first, again = actions.climb(moment=moment), actions.climb(moment=moment)

    assert (first, again) == (1, 0)
    parcel = only("notice.unreached.desk")
    assert (parcel.office_id, parcel.post_kind, parcel.subject) == (told.case.desk_id, "visitor", told.number)
    assert PHONE not in words(parcel)


def test_a_notice_that_failed_on_the_last_rung_ends_there(city: City, moment: Moment):
    tell(city, moment, reporter=Person(name="示例李", phone="0418-0000123"))
    follow(moment)
    fail("notice.unreached.desk", "expired", moment)

    looked_at = actions.climb(moment=moment)

    assert looked_at == 1
    assert len(parcels()) == 1


def test_two_tellers_of_one_entry_both_come_on_the_list(city: City, moment: Moment):
    told = tell(city, moment)
    follow(moment)
    parcel = only("notice.register.teller")
    entry_id = parcel.dedup.split("|")[0]
    mailroom_actions.post(
        [
            mailroom_actions.Posting(
                topic=parcel.topic,
                dedup=f"{entry_id}|teller|77",
                rung=mailroom_actions.Rung.SMS,
                address="13800000002",
                subject=told.number,
                body="",
                expires_at=moment.at,
            )
        ],
        moment=moment,
    )
    fail("notice.register.teller", "refused", moment)

    actions.climb(moment=moment)

    assert len(parcels("notice.unreached.desk")) == 2


def test_a_visit_that_is_only_tried_tells_nobody(city: City, moment: Moment):
    told = tell(city, moment).walk_to(State.VISITING)
    follow(told.moment)
    before = len(parcels())

    cases_actions.take(
        case_id=told.case_id,
        step=visits_steps.ATTEMPT,
        moment=told.by("visitor"),
        appeal_id=told.appeal_id,
        kind="satisfaction_visit",
        how="phone",
        outcome="no_answer",
    )
    follow(told.moment)

    assert len(parcels()) == before
