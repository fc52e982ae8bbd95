"""A promise that reached into a year not announced is counted again when its calendar comes, and never in silence."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connections

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import models, rules, steps
from fuzhengtong.cases.states import DutyKind, Satisfaction, Solved, State
from fuzhengtong.chain import followers
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import actions as directory_actions
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory.sheets import Sheet
from fuzhengtong.jobs import verify, watchdog
from fuzhengtong.kernel.ids import SeededMint
from fuzhengtong.mailroom import models as mailroom_models
from fuzhengtong.notices import rules as notices_rules
from fuzhengtong.oversight import actions
from fuzhengtong.oversight import steps as oversight_steps
from fuzhengtong.reporting import queries as reporting_queries
from tests.builders import City, Told, tell

ZONE = ZoneInfo("Asia/Shanghai")
# The first of January 2027 is a Friday: by weekdays it would be worked.
NEW_YEAR = {"2027-01-01": True, "2027-01-02": True, "2027-01-03": True}


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


def midnight_after(day: str) -> datetime:
    """The end of a day: its 24:00."""
    return local(day) + timedelta(days=1)


@pytest.fixture(autouse=True)
def nothing_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ticker that has just started."""
    monkeypatch.setattr(actions, "_looked_through", None)
    monkeypatch.setattr(actions, "_left", {})


@pytest.fixture
def december(db: None, moment: Moment) -> Moment:
    """Tuesday, 29 December 2026, ten in the morning; nobody has announced 2027."""
    assert not moment.calendar.is_announced(2027)
    at = local("2026-12-29 10:00")
    return replace(moment, at=at, mint=SeededMint(seed=5, start_ms=int(at.timestamp() * 1000), node=62))


def announce(days: dict[str, bool] = NEW_YEAR, *, year: int = 2027, at: Moment) -> Moment:
    told = [{"name": "节日", "date": day, "isOffDay": is_off} for day, is_off in days.items()]
    notice = {"year": year, "papers": [f"https://example.org/{year}"], "days": told}
    sheet = Sheet(f"holiday-cn_{year}.json", json.dumps(notice).encode())
    assert directory_actions.import_calendar(sheets=[sheet], moment=at, apply=True).applied
    return replace(at, calendar=directory_queries.calendar())


def on(moment: Moment, text: str) -> Moment:
    return replace(moment, at=local(text))


def tick(moment: Moment) -> int:
    taken = 0
    while found := actions.tick(moment=moment).steps:
        taken += found
    return taken


def duty(told: Told, kind: DutyKind) -> models.Duty:
    return models.Duty.objects.filter(case_id=told.case_id, kind=kind).latest("id")


def recomputed(told: Told) -> list[dict[str, Any]]:
    rows = models.Entry.objects.filter(case_id=told.case_id, step="recompute").order_by("seq")
    return [json.loads(bytes(row.body))["body"] for row in rows]


def of(body: dict[str, Any], row: models.Duty) -> dict[str, Any]:
    return next(told for told in body["recomputes"] if told["id"] == str(row.id))


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def is_whole(moment: Moment) -> bool:
    """The ledger tells the same columns, the watchdog reckons the same times, the figures are those of the rows."""
    report = verify.verify(acknowledged=None, canaries=None, deep=False, clock=lambda: moment.at, say=lambda line: None)
    alarms = watchdog.pass_over(moment=moment, beat_at=moment.at)
    assert (report.findings, alarms, reporting_queries.recount()) == ([], [], ())
    return True


def in_work(city: City, december: Moment, *, category: str = "E03") -> Told:
    """A lamp assigned on Tuesday: three working days end with Friday, by weekdays."""
    told = tell(city, december).dispatch(category=category).later(minutes=1).sign()
    assert duty(told, DutyKind.FINISH).provisional
    return told


# --- what moves --------------------------------------------------------------------------------------------------


def test_a_guessed_promise_is_counted_again_from_its_start_with_before_and_after(city, december) -> None:
    told = in_work(city, december)
    guess = duty(told, DutyKind.FINISH)
    assert guess.due_at == midnight_after("2027-01-01")

    later = announce(at=on(december, "2026-12-30 09:00"))
    assert tick(later) >= 1

    row, case = duty(told, DutyKind.FINISH), told.case
    (body,) = recomputed(told)
    assert (row.due_at, row.provisional, row.calendar) == (midnight_after("2027-01-04"), False, later.calendar.version)
    assert of(body, row)["due_at"] == ms(row.due_at)
    assert of(body, row)["before"] == {
        "due_at": ms(guess.due_at), "provisional": True, "rung": 0, "calendar": december.calendar.version,
    }  # fmt: skip
    assert body["facts"] == {"calendar": later.calendar.version, "since": []}
    assert (case.finish_due_at, case.due_month) == (row.due_at, 202701)
    assert row.look_at is not None and row.look_at > guess.look_at
    assert is_whole(later)


def test_who_recomputes_is_the_system_and_one_entry_tells_all_promises_of_a_case(city, december) -> None:
    told = in_work(city, december, category="T06")
    guessed = set(models.Duty.objects.filter(case_id=told.case_id, provisional=True).values_list("id", flat=True))

    tick(announce(at=on(december, "2026-12-30 09:00")))

    (body,) = recomputed(told)
    entry = models.Entry.objects.get(case_id=told.case_id, step="recompute")
    assert (entry.by_kind, entry.by_post_kind) == ("system", "system")
    assert {int(told["id"]) for told in body["recomputes"]} == guessed
    assert not models.Duty.objects.filter(case_id=told.case_id, provisional=True).exists()


def test_a_promise_that_only_becomes_certain_says_so_and_keeps_its_day(city, december) -> None:
    told = in_work(city, december)

    later = announce({"2027-10-01": True}, at=on(december, "2026-12-30 09:00"))
    tick(later)

    (body,) = recomputed(told)
    row = duty(told, DutyKind.FINISH)
    assert of(body, row)["due_at"] == of(body, row)["before"]["due_at"]
    assert (row.due_at, row.provisional) == (midnight_after("2027-01-01"), False)
    assert is_whole(later)


def test_it_is_done_once(city, december) -> None:
    told = in_work(city, december)
    later = announce(at=on(december, "2026-12-30 09:00"))
    tick(later)

    actions._looked_through = None
    again = tick(later)

    assert again == 0
    assert len(recomputed(told)) == 1


def test_a_promise_into_a_year_still_unknown_stays_a_guess(city, december) -> None:
    told = in_work(city, december)

    later = announce({"2028-01-03": True}, year=2028, at=on(december, "2026-12-30 09:00"))
    tick(later)

    assert recomputed(told) == []
    assert duty(told, DutyKind.FINISH).provisional


def test_a_corrected_notice_moves_no_promise_that_was_counted_for_good(city, december) -> None:
    told = in_work(city, december)
    tick(announce(at=on(december, "2026-12-30 09:00")))
    before = duty(told, DutyKind.FINISH).due_at

    later = announce({**NEW_YEAR, "2027-01-04": True}, at=on(december, "2026-12-30 15:00"))
    tick(later)

    assert duty(told, DutyKind.FINISH).due_at == before
    assert len(recomputed(told)) == 1
    assert is_whole(later)


def test_met_and_given_up_promises_are_left_as_they_were(city, december) -> None:
    told = in_work(city, december).later(hours=20).contact().finish()
    gone = in_work(city, december)
    gone.take(steps.WITHDRAW, gone.teller, appeal_id=gone.appeal_id)
    kept = list(models.Duty.objects.filter(kind=DutyKind.FINISH).order_by("id").values())

    later = announce(at=on(december, "2026-12-30 11:00"))
    tick(later)

    assert list(models.Duty.objects.filter(kind=DutyKind.FINISH).order_by("id").values()) == kept
    assert recomputed(told) == recomputed(gone) == []
    assert is_whole(later)


# --- what does not run from its beginning ------------------------------------------------------------------------


def asked(city: City, december: Moment) -> Told:
    """Received on Wednesday, asked an hour later: one working day of the acceptance is left."""
    told = tell(city, on(december, "2026-12-30 10:00")).later(hours=1)
    told.take(steps.ASK_INFO, told.by("dispatcher"), texts={"question": "在哪一栋楼？"})
    return told


def answered(told: Told, text: str) -> Told:
    told = told.at(on(told.moment, text))
    told.take(steps.ANSWER, told.teller, texts={"answer": "三号楼。"}, appeal_id=told.appeal_id)
    return told


def test_a_paused_promise_waits_and_goes_on_under_the_new_calendar(city, december) -> None:
    told = asked(city, december)
    later = announce(at=on(december, "2026-12-30 15:00"))
    tick(later)
    stopped = duty(told, DutyKind.ACCEPT)

    told = answered(told.at(later), "2026-12-31 10:00")

    assert stopped.paused_at is not None
    assert all(str(stopped.id) not in {one["id"] for one in body["recomputes"]} for body in recomputed(told))
    row = duty(told, DutyKind.ACCEPT)
    assert (row.due_at, row.provisional) == (midnight_after("2027-01-04"), False)
    tick(told.moment)
    assert is_whole(told.moment)


@pytest.mark.parametrize("resumed", ["2026-12-31 10:00", "2027-01-02 10:00"])
def test_a_promise_that_was_stopped_is_counted_from_where_it_goes_on(city, december, resumed: str) -> None:
    told = answered(asked(city, december), resumed)
    guess = duty(told, DutyKind.ACCEPT)
    assert guess.provisional

    later = announce({**NEW_YEAR, "2027-01-04": True}, at=replace(told.moment, at=told.moment.at + timedelta(hours=2)))
    tick(later)

    row = duty(told, DutyKind.ACCEPT)
    (body,) = recomputed(told)
    assert row.due_at == midnight_after("2027-01-05") > guess.due_at
    assert body["facts"]["since"] == [{"duty_id": str(row.id), "resumed_at": ms(local(resumed)), "left": 1}]
    assert is_whole(later)


def sent_back(told: Told, text: str) -> Told:
    told = told.at(on(told.moment, text)).contact().finish().later(minutes=5)
    told.take(steps.SEND_BACK, told.by("reviewer"), texts={"reason": "没有照片。"})
    return told


@pytest.mark.parametrize("day", ["2026-12-30", "2026-12-31"])
def test_work_sent_back_goes_on_under_the_promise_before_it_counted_anew(city, december, day: str) -> None:
    told = sent_back(in_work(city, december, category="E05"), f"{day} 14:00")
    guess, first = duty(told, DutyKind.FINISH), told.case.finish_due_at
    assert guess.provisional and guess.due_at == first > midnight_after("2027-01-01")

    later = announce(at=on(december, f"{day} 16:00"))
    tick(later)

    row = duty(told, DutyKind.FINISH)
    days = models.Duty.objects.filter(case_id=told.case_id, kind=DutyKind.FINISH).earliest("id").length
    charter = december.charter
    last, _ = later.calendar.add_working_days(datetime(2026, 12, 29).date(), days, "210902")
    assert (row.due_at, row.provisional) == (charter.clock.end_of(last), False)
    assert told.case.finish_due_at == row.due_at > first
    assert is_whole(later)


def test_redone_work_sent_back_goes_on_under_the_redos_promise(city, december) -> None:
    told = tell(city, on(december, "2026-12-30 08:40")).dispatch().later(minutes=1).sign().contact().finish()
    told = told.later(minutes=5).review().later(minutes=5)
    told.visit(solved=Solved.NO, satisfaction=Satisfaction.NOT)
    first = told.case.finish_due_at
    told = sent_back(told, "2026-12-31 09:00")
    assert duty(told, DutyKind.FINISH).due_at == midnight_after("2027-01-04")

    later = announce(at=on(december, "2026-12-31 12:00"))
    tick(later)

    row, case = duty(told, DutyKind.FINISH), told.case
    assert (row.due_at, row.provisional) == (midnight_after("2027-01-05"), False)
    assert (case.redo_due_at, case.finish_due_at) == (row.due_at, first)
    assert is_whole(later)


# --- reminders, the ladder, the figures --------------------------------------------------------------------------


def looks(told: Told) -> list[str]:
    rows = models.Entry.objects.filter(case_id=told.case_id, step__in=("remind", "overdue", "supervise"))
    kinds = [(row.step, json.loads(bytes(row.body))["body"]["facts"].get("kind")) for row in rows.order_by("seq")]
    return [step for step, kind in kinds if kind == "finish"]


def late_counts() -> list[tuple[int, int]]:
    rows = models.Delta.objects.filter(measure="late").values_list("month", "n")
    totals: dict[int, int] = {}
    for month, n in rows:
        totals[month] = totals.get(month, 0) + n
    return [(month, n) for month, n in sorted(totals.items()) if n]


def test_what_was_called_late_by_a_guess_is_taken_back_and_called_late_in_its_time(city, december) -> None:
    told = in_work(city, december)
    guessing = on(december, "2027-01-02 12:00")
    tick(guessing)
    assert looks(told) == ["remind", "overdue"]
    assert told.case.finish_late is True and late_counts() == [(202701, 1)]

    later = announce(at=guessing)
    tick(later)

    row = duty(told, DutyKind.FINISH)
    assert told.case.finish_late is None and late_counts() == []
    assert row.due_at == midnight_after("2027-01-04") and row.look_at > later.at
    assert looks(told) == ["remind", "overdue"]
    assert is_whole(later)

    in_time = replace(later, at=row.due_at - timedelta(milliseconds=1))
    tick(in_time)
    assert "overdue" not in looks(told)[2:]
    overdue = replace(later, at=row.due_at)
    tick(overdue)
    assert looks(told)[-1] == "overdue" and told.case.finish_late is True
    assert is_whole(overdue)


def test_what_is_late_by_the_new_calendar_too_stays_late(city, december) -> None:
    told = in_work(city, december)
    guessing = on(december, "2027-01-05 00:00")
    tick(guessing)
    orders = told.case.supervision

    later = announce(at=guessing)
    tick(later)

    assert duty(told, DutyKind.FINISH).due_at == midnight_after("2027-01-04") == later.at
    assert told.case.finish_late is True
    # The order that was given by the guess stands; the ladder begins again at its time.
    assert told.case.supervision == orders
    assert is_whole(later)


def test_a_guess_is_counted_anew_before_anybody_is_called_late_by_it(city, december) -> None:
    told = in_work(city, december)
    asleep = announce(at=on(december, "2027-01-02 12:00"))

    actions.tick(moment=asleep)

    steps_taken = list(models.Entry.objects.filter(case_id=told.case_id).order_by("seq").values_list("step", flat=True))
    assert "recompute" in steps_taken
    assert not {"overdue"} & {step for step in looks(told)}
    assert told.case.finish_late is None


def test_an_earlier_day_is_late_at_once_where_it_is_past(city, december) -> None:
    # Where the weekend is worked, five working days end on Sunday instead of Tuesday.
    told = in_work(city, december, category="E07")
    guess = duty(told, DutyKind.FINISH)
    worked = {"2027-01-02": False, "2027-01-03": False}
    later = announce(worked, at=replace(december, at=guess.due_at - timedelta(hours=1)))

    tick(later)

    assert duty(told, DutyKind.FINISH).due_at < guess.due_at
    assert "overdue" in looks(told) and told.case.finish_late is True
    assert is_whole(later)


# --- in batches, and after a kill --------------------------------------------------------------------------------


def test_a_ticker_that_dies_on_the_way_is_followed_by_one_that_does_the_rest(city, december) -> None:
    many = [in_work(city, december) for _ in range(5)]
    later = announce(at=on(december, "2026-12-30 08:00"))

    actions.tick(moment=later, limit=2)
    done = sum(len(recomputed(told)) for told in many)
    actions._looked_through = None
    tick(later)

    assert done == 2
    assert [len(recomputed(told)) for told in many] == [1] * 5
    assert is_whole(later)


def test_what_another_process_still_promised_by_the_old_calendar_is_found_within_a_minute(city, december) -> None:
    later = announce(at=on(december, "2026-12-30 10:00"))
    tick(later)
    told = in_work(city, replace(december, at=later.at + timedelta(seconds=5)))

    at_once = tick(replace(later, at=later.at + timedelta(seconds=10)))
    in_a_minute = tick(replace(later, at=later.at + timedelta(seconds=61)))

    assert (at_once, in_a_minute) == (0, 1)
    assert len(recomputed(told)) == 1


def test_one_broken_case_does_not_keep_the_others_from_being_counted(city, december) -> None:
    bad, good = in_work(city, december), in_work(city, december)
    models.Duty.objects.filter(id=duty(bad, DutyKind.FINISH).id).update(edition="1999-01")
    later = announce(at=on(december, "2026-12-30 08:00"))

    tick(later)

    assert len(recomputed(good)) == 1
    assert recomputed(bad) == []


def test_two_tickers_at_once_count_a_promise_once(own_database, city, moment) -> None:
    at = local("2026-12-29 10:00")
    told = in_work(city, replace(moment, at=at, mint=SeededMint(seed=5, start_ms=ms(at), node=62)))
    later = announce(at=replace(told.moment, at=local("2026-12-30 08:00")))

    def once(_: int) -> object:
        try:
            return actions.tick(moment=later)
        except cases_actions.Busy as busy:
            return busy
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(once, range(3)))
    actions._looked_through = None
    tick(later)

    assert len(recomputed(told)) == 1


# --- refusals ----------------------------------------------------------------------------------------------------


def test_nothing_to_count_anew_is_refused_and_leaves_no_entry(city, december) -> None:
    told = in_work(city, december)
    before = told.case.version

    for calendar in (december.calendar.version, "another"):
        with pytest.raises(steps.NothingProvisional):
            told.take(oversight_steps.RECOMPUTE, told.moment, calendar=calendar)

    assert told.case.version == before


@pytest.mark.parametrize("kind", ["dispatcher", "supervisor", "reviewer"])
def test_no_person_counts_promises_anew(city, december, kind: str) -> None:
    told = in_work(city, december)

    with pytest.raises(rules.NotYours):
        told.take(oversight_steps.RECOMPUTE, told.by(kind, office_id=city.desk.office_id), calendar="")


# --- who hears of it ---------------------------------------------------------------------------------------------


def parcels(moment: Moment) -> list[str]:
    while followers.run("notices", moment=moment):
        pass
    topic = next(row.key for row in notices_rules.notices_of("recompute"))
    return list(mailroom_models.Parcel.objects.filter(topic=topic).values_list("topic", flat=True))


@pytest.mark.parametrize(("days", "told_of_it"), [(NEW_YEAR, 1), ({"2027-10-01": True}, 0)])
def test_a_teller_hears_only_of_a_promise_that_moved(city, december, days: dict[str, bool], told_of_it: int) -> None:
    in_work(city, december)
    later = announce(days, at=on(december, "2026-12-30 09:00"))
    tick(later)

    assert len(parcels(later)) == told_of_it


def test_a_promise_kept_before_the_notice_went_out_is_told_to_nobody(city, december) -> None:
    told = in_work(city, december)
    later = announce(at=on(december, "2026-12-30 09:00"))
    tick(later)
    told.at(later).contact().finish()

    assert parcels(later) == []


def test_every_state_in_which_something_is_owed_can_be_counted_anew() -> None:
    may = oversight_steps.RECOMPUTE.before

    assert {State.RECEIVED, State.NEED_INFO, State.ACCEPTED, State.WORKING, State.VISITING, State.REDO} <= may
    assert {State.CLOSED, State.WITHDRAWN} <= may and State.ARCHIVED not in may
