"""Sending what is due: to whom, when, how often, and what becomes of what fails.

Each test has a database of its own: the sender commits, and refuses to work in anybody's transaction.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction

from fuzhengtong.charter.moment import Moment
from fuzhengtong.connectors.outward import Message, Undelivered
from fuzhengtong.connectors.sink import Fault, Kind, Sink
from fuzhengtong.mailroom import actions, keys, models, queries, rules
from fuzhengtong.mailroom.rules import Posting, Rung

pytestmark = pytest.mark.usefixtures("own_database")
PHONE = "13800000926"


@pytest.fixture
def sink() -> Sink:
    return Sink()


def post(moment: Moment, *dedups: str, **changes: object) -> None:
    made: dict[str, object] = {
        "topic": "notice.accept.teller",
        "rung": Rung.SMS,
        "address": PHONE,
        "subject": "FX26112000310",
        "body": "已受理",
        "expires_at": moment.at + timedelta(hours=48),
    }
    actions.post([Posting(**(made | {"dedup": dedup} | changes)) for dedup in dedups], moment=moment)  # type: ignore[arg-type]


def later(moment: Moment, **span: float) -> Moment:
    return replace(moment, at=moment.at + timedelta(**span))


def outcomes() -> dict[str, str]:
    return dict(models.Parcel.objects.values_list("dedup", "outcome"))


# --- the plain way -----------------------------------------------------------------------------------------------


def test_what_is_due_is_sent_once(moment: Moment, sink: Sink):
    post(moment, "1")
    post(moment, "2", rung=Rung.DESK, address="", office_id=5, post_kind="handler")

    dealt_with = actions.send(moment=moment, outward=sink, limit=50)
    again = actions.send(moment=later(moment, minutes=5), outward=sink, limit=50)

    assert (dealt_with, again) == (2, 0)
    assert sink.counts() == {"1": 1, "2": 1}
    assert {message.to for message in sink.delivered} == {PHONE, "5.handler"}
    assert set(models.Parcel.objects.values_list("sent_at", flat=True)) == {moment.at}


def test_a_turn_takes_no_more_than_its_limit_and_the_longest_waiting_first(moment: Moment, sink: Sink):
    post(later(moment, minutes=1), "late")
    post(moment, "early")

    actions.send(moment=later(moment, minutes=2), outward=sink, limit=1)

    assert list(sink.counts()) == ["early"]


def test_the_gateway_is_called_outside_of_any_transaction(moment: Moment):
    post(moment, "1")
    inside: list[bool] = []

    class Watching:
        def send(self, message: Message) -> None:
            inside.append(connection.in_atomic_block)

    actions.send(moment=moment, outward=Watching(), limit=50)

    assert inside == [False]


def test_the_sender_refuses_to_work_in_somebodys_transaction(moment: Moment, sink: Sink):
    with pytest.raises(RuntimeError), transaction.atomic():
        actions.send(moment=moment, outward=sink, limit=50)


# --- faults ------------------------------------------------------------------------------------------------------


def test_what_a_gateway_refuses_for_good_is_set_aside_at_once(moment: Moment):
    post(moment, "1", "2")
    sink = Sink(faults={"sms": Fault(Kind.PERMANENT, times=1)})

    actions.send(moment=moment, outward=sink, limit=50)

    assert outcomes() == {"1": "refused", "2": "sent"}
    assert [line.outcome for line in queries.set_aside()] == ["refused"]


def test_a_gateway_that_is_down_gets_everything_when_it_is_back(moment: Moment, sink: Sink):
    post(moment, *"1234567")
    sink.break_down("sms", Fault(Kind.DOWN))

    actions.send(moment=moment, outward=sink, limit=50)
    actions.send(moment=later(moment, minutes=2), outward=sink, limit=50)
    sink.break_down("sms", None)
    actions.send(moment=later(moment, minutes=30), outward=sink, limit=50)

    assert sink.counts() == dict.fromkeys("1234567", 1)
    assert set(outcomes().values()) == {"sent"}


def test_a_gateway_that_is_down_is_asked_three_times_a_turn_and_the_others_go_on(moment: Moment):
    post(moment, *"123456")
    post(moment, "7", rung=Rung.DESK, address="", office_id=5, post_kind="handler")
    asked: list[str] = []

    class Down:
        def send(self, message: Message) -> None:
            if message.way == "sms":
                asked.append(message.dedup)
                raise Undelivered("down", permanent=False)

    actions.send(moment=moment, outward=Down(), limit=50)

    assert len(asked) == rules.DOWN_AFTER
    assert outcomes()["7"] == "sent"
    assert set(models.Parcel.objects.filter(rung="sms").values_list("not_before", flat=True)) == {
        moment.at + timedelta(seconds=5)
    }


def test_the_pauses_grow_with_every_try(moment: Moment):
    post(moment, "1")
    sink = Sink(faults={"sms": Fault(Kind.DOWN)})
    waits = []

    for _ in range(4):
        moment = replace(moment, at=models.Parcel.objects.get().not_before)
        actions.send(moment=moment, outward=sink, limit=50)
        waits.append((models.Parcel.objects.get().not_before - moment.at).total_seconds())

    assert waits == [5, 30, 120, 300]


def test_what_was_tried_too_often_is_set_aside(moment: Moment):
    post(moment, "1", any_hour=True, expires_at=moment.at + timedelta(days=30))
    models.Parcel.objects.update(tries=rules.MOST_TRIES - 1)

    actions.send(moment=moment, outward=Sink(faults={"sms": Fault(Kind.DOWN)}), limit=50)

    assert outcomes() == {"1": "exhausted"}


def test_after_an_unreadable_answer_the_person_still_gets_one_message(moment: Moment):
    post(moment, "1")
    sink = Sink(faults={"sms": Fault(Kind.GARBAGE, times=1)})

    actions.send(moment=moment, outward=sink, limit=50)
    actions.send(moment=later(moment, minutes=1), outward=sink, limit=50)

    assert sink.counts() == {"1": 2}
    assert len(sink.delivered) == 1
    assert outcomes() == {"1": "sent"}


def test_a_connector_with_a_bug_holds_up_no_other_parcel(moment: Moment, caplog: pytest.LogCaptureFixture):
    post(moment, "1", "2")

    class Buggy:
        def send(self, message: Message) -> None:
            if message.dedup == "1":
                raise KeyError(message.to)

    actions.send(moment=moment, outward=Buggy(), limit=50)

    assert outcomes() == {"1": "", "2": "sent"}
    assert PHONE not in caplog.text


def test_no_log_line_holds_an_address_or_words(moment: Moment, caplog: pytest.LogCaptureFixture):
    post(moment, "1")

    with caplog.at_level("DEBUG", logger="fuzhengtong"):
        actions.send(moment=moment, outward=Sink(faults={"sms": Fault(Kind.PERMANENT)}), limit=50)

    assert "set aside" in caplog.text
    assert PHONE not in caplog.text
    assert "已受理" not in caplog.text


class Died(BaseException):
    """The process ends here."""


def test_a_sender_that_dies_between_sending_and_noting_delivers_once(moment: Moment, sink: Sink):
    post(moment, "1", "2", "3")

    class Dying:
        def send(self, message: Message) -> None:
            sink.send(message)
            if message.dedup == "2":
                raise Died

    with pytest.raises(Died):
        actions.send(moment=moment, outward=Dying(), limit=50)
    at_once = actions.send(moment=later(moment, seconds=1), outward=sink, limit=50)
    actions.send(moment=later(moment, minutes=3), outward=sink, limit=50)

    assert at_once == 0
    assert sink.counts() == {"1": 1, "2": 2, "3": 1}
    assert sorted(message.dedup for message in sink.delivered) == ["1", "2", "3"]
    assert set(outcomes().values()) == {"sent"}


def test_a_sender_that_froze_cannot_undo_what_another_noted(moment: Moment, sink: Sink):
    post(moment, "1")

    class Frozen:
        def send(self, message: Message) -> None:
            actions.send(moment=later(moment, minutes=3), outward=sink, limit=50)
            raise Undelivered("down", permanent=True)

    actions.send(moment=moment, outward=Frozen(), limit=50)

    assert outcomes() == {"1": "sent"}


def test_two_senders_at_once_send_everything_once(moment: Moment, sink: Sink):
    post(moment, *(str(number) for number in range(40)), rung=Rung.DESK, address="", office_id=5, post_kind="handler")
    together = threading.Barrier(2)

    def work() -> None:
        try:
            together.wait()
            while actions.send(moment=moment, outward=sink, limit=5):
                pass
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sink.counts() == {str(number): 1 for number in range(40)}
    assert set(outcomes().values()) == {"sent"}


def test_what_a_slow_gateway_left_over_is_due_in_the_next_turn(moment: Moment, sink: Sink):
    post(moment, "1", "2")

    actions.send(moment=moment, outward=sink, limit=50, turn_s=0)

    assert sink.counts() == {}
    assert set(models.Parcel.objects.values_list("not_before", flat=True)) == {moment.at}


def test_a_parcel_whose_key_is_gone_is_set_aside_and_the_others_go(moment: Moment, sink: Sink):
    post(moment, "1", "2")
    models.Parcel.objects.filter(dedup="1").update(address_sealed=keys.seal(plain=PHONE, aad=b"other", nonce=bytes(12)))

    actions.send(moment=moment, outward=sink, limit=50)

    assert outcomes() == {"1": "unreadable", "2": "sent"}


# --- expiry and quiet hours --------------------------------------------------------------------------------------


def test_an_old_notice_is_dropped_and_never_sent_late(moment: Moment, sink: Sink):
    post(moment, "1", expires_at=moment.at + timedelta(hours=2))

    actions.send(moment=later(moment, hours=2), outward=sink, limit=50)

    assert outcomes() == {"1": "expired"}
    assert sink.counts() == {}


def test_nobody_is_woken_at_night_by_a_notice_of_the_day(moment: Moment, sink: Sink):
    post(moment, "1", "2")
    post(moment, "3", any_hour=True)
    post(moment, "4", rung=Rung.DESK, address="", office_id=5, post_kind="handler")
    night, morning = later(moment, hours=12), later(moment, hours=22)

    actions.send(moment=night, outward=sink, limit=50)
    in_the_night = set(sink.counts())
    actions.send(moment=later(moment, hours=21, minutes=59), outward=sink, limit=50)
    before_the_morning = set(sink.counts())
    actions.send(moment=morning, outward=sink, limit=50)

    assert in_the_night == before_the_morning == {"3", "4"}
    assert set(sink.counts()) == {"1", "2", "3", "4"}


def test_a_try_again_that_falls_into_the_night_waits_for_the_morning(moment: Moment):
    evening = later(moment, hours=10, minutes=59)
    post(evening, "1")
    sink = Sink(faults={"sms": Fault(Kind.DOWN, times=1)})

    actions.send(moment=evening, outward=sink, limit=50)
    actions.send(moment=later(evening, minutes=5), outward=sink, limit=50)

    assert sink.counts() == {}
    assert models.Parcel.objects.get().not_before == moment.at + timedelta(hours=22)


# --- the cap -----------------------------------------------------------------------------------------------------


def limit_of(moment: Moment) -> int:
    return moment.charter.rates.notice_per_phone.limit


def test_nobody_can_make_the_platform_pester_a_victim(moment: Moment, sink: Sink):
    post(moment, *(str(number) for number in range(200)))

    while actions.send(moment=moment, outward=sink, limit=7):
        pass

    assert len(sink.counts()) == limit_of(moment)
    assert sorted(set(outcomes().values())) == ["capped", "sent"]


def test_a_capped_notice_climbs_to_no_other_rung(moment: Moment, sink: Sink):
    post(moment, *(str(number) for number in range(limit_of(moment) + 3)))

    actions.send(moment=moment, outward=sink, limit=50)

    with transaction.atomic():
        assert actions.claim_failed() == []


def test_the_cap_holds_for_one_address_and_not_for_its_neighbour(moment: Moment, sink: Sink):
    post(moment, *(str(number) for number in range(limit_of(moment) + 1)))
    post(moment, "neighbour", address="13800000001")

    actions.send(moment=moment, outward=sink, limit=50)

    assert outcomes()["neighbour"] == "sent"


def test_the_cap_begins_anew_with_the_next_day(moment: Moment, sink: Sink):
    post(moment, *(str(number) for number in range(limit_of(moment))))
    actions.send(moment=moment, outward=sink, limit=50)
    tomorrow = later(moment, days=1)
    post(tomorrow, "tomorrow")

    actions.send(moment=tomorrow, outward=sink, limit=50)

    assert outcomes()["tomorrow"] == "sent"


def test_tries_of_one_notice_count_once_for_the_cap(moment: Moment):
    post(moment, "1")
    sink = Sink(faults={"sms": Fault(Kind.DOWN)})

    for minutes in (0, 1, 10, 20, 40, 80, 120, 160, 200, 240, 280, 320):
        actions.send(moment=later(moment, minutes=minutes), outward=sink, limit=50)

    assert models.Tally.objects.get().n == 1


def test_what_is_counted_of_an_address_cannot_be_joined_over_two_days(moment: Moment, sink: Sink):
    for days in (0, 1):
        post(later(moment, days=days), str(days))
        actions.send(moment=later(moment, days=days), outward=sink, limit=50)

    indexes = [bytes(index) for index in models.Tally.objects.values_list("address_index", flat=True)]
    assert len(set(indexes)) == 2
    assert all(PHONE.encode() not in index for index in indexes)


def test_two_senders_at_once_keep_the_cap_together(moment: Moment, sink: Sink):
    post(moment, *(str(number) for number in range(40)))
    together = threading.Barrier(2)

    def work() -> None:
        try:
            together.wait()
            while actions.send(moment=moment, outward=sink, limit=3):
                pass
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(sink.counts()) == limit_of(moment)


# --- by hand -----------------------------------------------------------------------------------------------------


def set_aside_as(outcome: str, moment: Moment) -> None:
    post(moment, "1")
    models.Parcel.objects.update(outcome=outcome, set_aside_at=moment.at)


def test_an_administrator_takes_a_refused_parcel_back(moment: Moment, sink: Sink):
    set_aside_as("refused", moment)
    parcel_id = models.Parcel.objects.get().id
    tomorrow = later(moment, days=1)

    found = actions.try_again(parcel_id=parcel_id, expires_at=later(moment, days=2).at, moment=tomorrow)
    actions.send(moment=tomorrow, outward=sink, limit=50)

    assert found
    assert outcomes() == {"1": "sent"}


@pytest.mark.parametrize("outcome", ["expired", "capped"])
def test_what_is_too_old_or_too_much_stays_dropped(moment: Moment, outcome: str):
    set_aside_as(outcome, moment)

    found = actions.try_again(parcel_id=models.Parcel.objects.get().id, expires_at=moment.at, moment=moment)

    assert not found
    assert outcomes() == {"1": outcome}
