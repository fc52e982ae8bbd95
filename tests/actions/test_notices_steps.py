"""Every row of the table on a real entry: the follower finds whom to tell and has all that the sentence needs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fuzhengtong.cases import models as cases_models
from fuzhengtong.cases import steps
from fuzhengtong.cases.actions import Followed
from fuzhengtong.cases.states import Satisfaction, Solved, State
from fuzhengtong.chain import followers
from fuzhengtong.charter.moment import Moment
from fuzhengtong.mailroom import models
from fuzhengtong.notices import actions, rules
from fuzhengtong.oversight import actions as oversight_actions
from fuzhengtong.visits import actions as visits_actions
from tests.builders import City, Told, tell

pytestmark = pytest.mark.usefixtures("db")


def topics_after(moment: Moment) -> set[str]:
    while followers.run("notices", moment=moment):
        pass
    assert not cases_models.Follow.objects.filter(follower="notices").exists()
    return set(models.Parcel.objects.values_list("topic", flat=True))


def expect(word: str) -> set[str]:
    return {row.key for row in rules.notices_of(word)}


def asked(told: Told) -> Told:
    told.take(steps.ASK_INFO, told.by("dispatcher"), texts={"question": "在哪一栋楼？"})
    return told


def test_a_question_and_its_answer(city: City, moment: Moment):
    told = asked(tell(city, moment))
    told.take(steps.ANSWER, told.teller, texts={"answer": "三号楼。"}, appeal_id=told.appeal_id)

    assert topics_after(told.moment) >= expect("ask_info") | expect("answer")


def test_a_question_that_nobody_answers(city: City, moment: Moment):
    told = asked(tell(city, moment))
    silent = next(duty for duty in told.snapshot().duties if duty.kind == "info")
    late = replace(moment, at=silent.due_at + timedelta(minutes=1))

    oversight_actions.tick(moment=late)

    seen = topics_after(late)
    assert seen >= expect("lapse")
    # The desk was down all the while: to be reminded of what has lapsed by then helps nobody.
    assert not seen & expect("remind")


def test_a_telling_that_a_person_has_to_sort(city: City, moment: Moment):
    told = tell(city, moment)
    told.take(steps.TO_DESK, told.moment)

    assert topics_after(told.moment) >= expect("to_desk")


def test_all_that_may_happen_while_an_office_works(city: City, moment: Moment):
    told = tell(city, moment).walk_to(State.WORKING)
    of_mine = {"appeal_id": told.appeal_id}
    told.take(steps.ARRIVE, told.by("handler"))
    told.take(steps.INTERIM_REPLY, told.by("handler"), texts={"reply": "正在采购灯头。"}, promised_on=20261130)
    told.take(steps.SUPPLEMENT, told.teller, texts={"note": "还有一盏。"}, **of_mine)
    told.take(steps.CORRECT_PLACE, told.teller, texts={"place": "四号楼。"}, **of_mine)
    told.take(steps.URGE, told.teller, **of_mine)
    told.contact().finish().take(steps.SEND_BACK, told.by("reviewer"), texts={"reason": "没有照片。"})

    words = ("arrive", "interim_reply", "supplement", "correct_place", "urge", "finish", "send_back")
    assert topics_after(told.moment) >= set().union(*(expect(word) for word in words))


def test_a_rating_that_closes_and_one_that_sends_back(city: City, moment: Moment):
    for solved, felt in ((Solved.YES, Satisfaction.SATISFIED), (Solved.NO, Satisfaction.NOT)):
        told = tell(city, moment).walk_to(State.VISITING)
        visits_actions.rate(
            case_id=told.case_id, appeal_id=told.appeal_id, moment=told.teller, solved=solved, satisfaction=felt
        )

    assert topics_after(told.moment) >= expect("rate") | expect("close") | expect("redo")


def test_a_withdrawal(city: City, moment: Moment):
    told = tell(city, moment).walk_to(State.WORKING)
    told.take(steps.WITHDRAW, told.teller, appeal_id=told.appeal_id)

    assert topics_after(told.moment) >= expect("withdraw")


def test_a_promise_that_is_never_kept_climbs_the_whole_ladder(city: City, moment: Moment):
    told = tell(city, moment).walk_to(State.WORKING)
    seen: set[str] = set()

    for days in range(1, 30):
        late = replace(told.moment, at=told.moment.at + timedelta(days=days))
        oversight_actions.tick(moment=late)
        seen = topics_after(late)

    assert seen >= expect("remind") | expect("overdue") | expect("supervise") - {"notice.supervise.leader"}
    assert "notice.supervise.leader" in seen or rules.DIGEST in seen


def test_one_of_several_tellers_leaves(city: City, moment: Moment):
    told = tell(city, moment)
    entry = cases_models.Entry.objects.get(case_id=told.case_id, step="register")
    left = Followed(
        entry_id=entry.id, case_id=told.case_id, appeal_id=told.appeal_id, word="leave", at=moment.at, tries=0
    )

    actions.follow([left], moment=moment)

    assert set(models.Parcel.objects.values_list("topic", flat=True)) == expect("leave")
