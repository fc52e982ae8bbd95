"""Two at once: real connections, real commits. One wins, the other hears why; nothing is lost and nothing doubled."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client, override_settings

from fuzhengtong.cases import actions, models, rules, steps
from fuzhengtong.cases.states import Satisfaction, Solved, State, VisitResult
from fuzhengtong.chain import followers
from fuzhengtong.charter.moment import Actor, Moment
from fuzhengtong.connectors.store import Folder
from fuzhengtong.intake import actions as intake_actions
from fuzhengtong.jobs import chains, verify
from fuzhengtong.jobs.findings import Report
from fuzhengtong.kernel.errors import AlreadyDone, Refused
from fuzhengtong.oversight import actions as oversight_actions
from fuzhengtong.people import models as people_models
from fuzhengtong.reporting.queries import still_view
from fuzhengtong.visits import actions as visits_actions
from fuzhengtong.web import moment as web_moment
from tests.builders import LAMP, Told, submission, tell

CLEAR = (rules.NotNow, rules.Overtaken, actions.Busy, AlreadyDone)


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run calls at the same instant, each on a connection of its own; return what each gave or raised."""
    barrier = threading.Barrier(len(calls))
    found: list[Any] = [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(10)
            found[place] = call()
        except BaseException as trouble:
            found[place] = trouble
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place, call)) for place, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


def refusals(found: Sequence[Any]) -> list[BaseException]:
    return [one for one in found if isinstance(one, BaseException)]


def words_of(told: Told) -> list[str]:
    return list(models.Entry.objects.filter(case_id=told.case_id).order_by("seq").values_list("step", flat=True))


def assert_whole() -> None:
    report = verify.verify(acknowledged=None, canaries=None, deep=False, say=lambda line: None)
    assert report.ok, report.as_text()


def assert_chained(moment: Moment) -> None:
    """Look at the ledgers, promises and columns alone: quicker than all invariants."""
    report = Report(at=moment.at)
    with still_view():
        chains.prove(report, deep=False, say=lambda line: None)
    assert report.ok, report.as_text()


@pytest.fixture
def fresh_world() -> Iterator[None]:
    # The kept lease and numbers of the web belong to another database.
    held, web_moment._world = web_moment._world, None
    yield
    web_moment._world = held


# --- two people, one case ----------------------------------------------------------------------------------------


def test_of_two_who_sign_at_once_one_signs_and_the_other_hears_that_it_is_done(own_database, city, moment) -> None:
    told = tell(city, moment).walk_to(State.ASSIGNED)
    assignment = told.snapshot().assignments[0]
    by = told.by("handler")

    found = at_once([lambda: told.take(steps.SIGN, by, assignment_id=assignment.id)] * 2)

    assert [type(one) for one in refusals(found)] in ([rules.NotNow], [actions.Busy])
    assert words_of(told).count("sign") == 1
    assert_chained(moment)


def test_of_two_reviewers_with_different_minds_one_wins_and_the_other_is_overtaken(own_database, city, moment) -> None:
    told = tell(city, moment).walk_to(State.REVIEW)
    seen, by = told.case.version, told.by("reviewer")

    found = at_once(
        [
            lambda: told.take(steps.REVIEW, by, expect=seen),
            lambda: told.take(steps.SEND_BACK, by, expect=seen, texts={"reason": "照片看不清。"}),
        ]
    )

    assert [type(one) for one in refusals(found)] in ([rules.Overtaken], [actions.Busy])
    assert words_of(told)[-1] in ("review", "send_back")
    assert told.case.version == seen + 1


@pytest.mark.parametrize("finished", [State.VISITING])
def test_fifty_ratings_at_once_are_one_rating(own_database, city, moment, finished) -> None:
    told = tell(city, moment).walk_to(finished)

    def rate() -> Any:
        return visits_actions.rate(
            case_id=told.case_id,
            appeal_id=told.appeal_id,
            moment=told.teller,
            solved=Solved.YES,
            satisfaction=Satisfaction.SATISFIED,
        )

    found = at_once([rate] * 40)

    assert len(refusals(found)) == 39
    assert all(isinstance(one, CLEAR) for one in refusals(found))
    assert Counter(words_of(told))["rate"] == 1
    assert Counter(words_of(told))["close"] == 1
    assert_whole()


def test_a_visit_and_a_rating_at_once_are_heard_once(own_database, city, moment) -> None:
    told = tell(city, moment).walk_to(State.VISITING)
    visitor = told.by("visitor")
    said = {"solved": Solved.NO, "satisfaction": Satisfaction.NOT}

    found = at_once(
        [
            lambda: visits_actions.rate(case_id=told.case_id, appeal_id=told.appeal_id, moment=told.teller, **said),
            lambda: visits_actions.visit(
                case_id=told.case_id,
                appeal_id=told.appeal_id,
                moment=visitor,
                result=VisitResult.REACHED,
                how="phone",
                contacted=True,
                account_true=False,
                **said,
            ),
        ]
    )

    assert len(refusals(found)) == 1
    assert isinstance(refusals(found)[0], CLEAR)
    assert words_of(told).count("redo") == 1
    assert told.case.redo_count == 1
    assert_chained(moment)


def test_many_notes_at_once_are_all_kept_in_one_unbroken_chain(own_database, city, moment) -> None:
    told = tell(city, moment).walk_to(State.WORKING)
    before, by = len(words_of(told)), told.by("handler")

    found = at_once([lambda: told.take(steps.NOTE, by, texts={"note": "到现场看过。"})] * 16)

    taken = [one for one in found if isinstance(one, actions.Taken)]
    assert all(isinstance(one, actions.Busy) for one in refusals(found))
    assert len(words_of(told)) == before + len(taken)
    assert told.case.version == len(words_of(told))
    assert_chained(moment)


def test_a_page_older_than_the_case_is_overtaken_and_nothing_of_it_is_written(own_database, city, moment) -> None:
    told = tell(city, moment).walk_to(State.WORKING)
    seen = told.case.version
    told.contact()
    passages = models.Passage.objects.count()

    with pytest.raises(rules.Overtaken):
        told.take(steps.NOTE, told.by("handler"), expect=seen, texts={"note": "写在旧页面上。"})

    assert models.Passage.objects.count() == passages


def test_a_case_that_is_held_is_busy_within_the_lock_time(own_database, city, moment) -> None:
    told = tell(city, moment).walk_to(State.WORKING)
    by, entered, leave = told.by("handler"), threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with actions.at_desk(case_id=told.case_id, moment=by):
                entered.set()
                leave.wait(10)
        finally:
            connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(10)
    try:
        with pytest.raises(actions.Busy):
            told.take(steps.NOTE, by, texts={"note": "等不到。"})
    finally:
        leave.set()
        holder.join()

    assert told.take(steps.NOTE, by, texts={"note": "现在可以了。"}).entry.step == "note"


# --- one request, many times -------------------------------------------------------------------------------------


def told_by_api(body: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
    response = Client().post(
        "/api/v1/appeals",
        data=json.dumps(body, ensure_ascii=False),
        content_type="application/json",
        headers={"Idempotency-Key": key},
    )
    return response.status_code, response.json()


BODY = {
    "channel": "h5",
    "text": LAMP,
    "reporter": {"name": "示例王", "phone": "13800000001"},
    "consent": "privacy-1",
}


@override_settings(RATE_LIMITS=False)
def test_the_same_request_twenty_times_at_once_is_one_appeal_with_one_answer(own_database, fresh_world) -> None:
    told_by_api(BODY | {"text": "和平街道光明社区的下水道堵了"}, "warm")
    before = models.Appeal.objects.count()

    found = at_once([lambda: told_by_api(BODY, "twenty")] * 20)

    assert refusals(found) == []
    assert {status for status, _ in found} <= {201, 409}
    answers = [{**answer, "repeated": None} for status, answer in found if status == 201]
    assert answers and all(answer == answers[0] for answer in answers)
    assert [answer["repeated"] for status, answer in found if status == 201].count(False) == 1
    assert told_by_api(BODY, "twenty")[1]["number"] == answers[0]["number"]
    assert models.Appeal.objects.count() == before + 1
    assert_whole()


@override_settings(RATE_LIMITS=False)
def test_the_same_key_for_two_bodies_at_once_takes_one_and_refuses_the_other(own_database, fresh_world) -> None:
    other = BODY | {"text": "和平街道光明社区的下水道堵了"}

    found = at_once([lambda: told_by_api(BODY, "reused"), lambda: told_by_api(other, "reused")])

    assert refusals(found) == []
    assert sorted(status for status, _ in found) in ([201, 422], [201, 409])
    again = [told_by_api(body, "reused") for body in (BODY, other)]
    assert sorted(status for status, _ in again) == [201, 422]
    assert [answer["code"] for status, answer in again if status == 422] == ["key_reused"]
    assert models.Appeal.objects.count() == 1


def test_one_person_who_tells_many_things_at_once_is_one_resident(own_database, city, moment) -> None:
    found = at_once([lambda place=place: tell(city, moment, f"{LAMP}，第 {place} 盏") for place in range(12)])

    assert refusals(found) == []
    assert people_models.Resident.objects.count() == 1
    assert models.Case.objects.values("number").distinct().count() == 12
    assert_chained(moment)


# --- the same matter of another system ---------------------------------------------------------------------------


def _from_another_system(moment, ref: str, key: str) -> intake_actions.Told:
    return intake_actions.submit(
        submission=submission(channel="hotline12345", source_ref=ref),
        moment=moment.acting(Actor(kind="key", name="12345")),
        store=Folder(settings.STORE),
        client="key:1",
        key=key,
        body_hash=hashlib.sha256(key.encode()).digest(),
    )


def test_a_matter_of_another_system_is_taken_once_whatever_the_key(db, moment) -> None:
    _from_another_system(moment, "12345-0001", "first")

    with pytest.raises(intake_actions.AlreadyTold):
        _from_another_system(moment, "12345-0001", "second")

    assert _from_another_system(moment, "12345-0001", "first").again
    assert models.Appeal.objects.count() == 1


def test_the_same_matter_of_another_system_at_once_is_taken_once(own_database, moment) -> None:
    found = at_once([lambda n=n: _from_another_system(moment, "12345-0002", f"key-{n}") for n in range(8)])

    assert sum(isinstance(one, intake_actions.Told) for one in found) == 1
    assert all(isinstance(one, intake_actions.AlreadyTold | actions.Busy) for one in refusals(found))
    assert models.Appeal.objects.count() == 1


def test_the_same_reference_in_two_channels_is_two_matters(db, moment, city) -> None:
    tell(city, moment, channel="h5", source_ref="A-1")
    _from_another_system(moment, "A-1", "one")

    assert models.Appeal.objects.count() == 2


# --- several tickers ---------------------------------------------------------------------------------------------


def test_two_tickers_look_at_each_overdue_promise_once(own_database, city, moment) -> None:
    tellings = [tell(city, moment, f"{LAMP}，第 {place} 盏").walk_to(State.ASSIGNED) for place in range(8)]
    later = replace(moment, at=moment.at + timedelta(days=2, hours=5))

    found = at_once([lambda: oversight_actions.tick(moment=later)] * 4)

    assert all(isinstance(one, oversight_actions.Ticked | actions.Busy) for one in found)
    oversight_actions.tick(moment=later)
    looks = Counter(
        (entry.case_id, entry.step, json.loads(bytes(entry.body))["body"]["facts"].get("duty_id"), entry.step)
        for entry in models.Entry.objects.filter(step__in=("remind", "overdue", "supervise"))
    )
    # A promise climbs several rungs, but stands on each once.
    assert {key for key, times in looks.items() if times > 1 and key[1] != "supervise"} == set()
    assert {key[0] for key in looks} == {told.case_id for told in tellings}
    assert not models.Duty.objects.filter(look_at__lte=later.at).exists()
    assert_whole()


def test_two_followers_dispatch_each_telling_once(own_database, city, moment) -> None:
    tellings = [tell(city, moment, f"{LAMP}，第 {place} 盏") for place in range(12)]

    found = at_once([lambda: followers.run("dispatch", moment=moment)] * 3)

    assert refusals(found) == []
    while followers.run("dispatch", moment=moment):
        pass
    assert [words_of(told) for told in tellings] == [["register", "accept", "assign"]] * 12
    assert not models.Follow.objects.filter(follower="dispatch").exists()
    assert_chained(moment)


def test_a_dispatcher_and_the_machine_at_once_assign_a_telling_once(own_database, city, moment) -> None:
    told = tell(city, moment)

    found = at_once([lambda: followers.run("dispatch", moment=moment), lambda: told.dispatch()])

    assert all(isinstance(one, Refused) for one in refusals(found))
    followers.run("dispatch", moment=moment)
    assert words_of(told) == ["register", "accept", "assign"]
    assert len(told.snapshot().assignments) == 1
    assert_chained(moment)


def test_two_folds_at_once_count_each_delta_once(own_database, city, moment) -> None:
    from fuzhengtong.reporting import actions as reporting_actions

    for place in range(6):
        tell(city, moment, f"{LAMP}，第 {place} 盏").walk_to(State.CLOSED)

    found = at_once([lambda: reporting_actions.fold(limit=10)] * 4)

    assert refusals(found) == []
    while reporting_actions.fold(limit=1000):
        pass
    assert_whole()
