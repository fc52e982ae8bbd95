"""What is put into the outbox, what may be read of it, and how it is forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from fuzhengtong.charter.moment import Actor, Moment
from fuzhengtong.mailroom import actions, models, queries
from fuzhengtong.mailroom.rules import Posting, Rung

pytestmark = pytest.mark.usefixtures("db")
PHONE = "13800000926"
WORDS = "阜政通：编号FX26 1120 0031 0的事已受理。"


def a_parcel(moment: Moment, dedup: str = "1|teller|1", **changes: object) -> Posting:
    made: dict[str, object] = {
        "topic": "notice.accept.teller",
        "dedup": dedup,
        "rung": Rung.SMS,
        "address": PHONE,
        "subject": "FX26112000310",
        "body": WORDS,
        "expires_at": moment.at + timedelta(hours=48),
    }
    return Posting(**(made | changes))  # type: ignore[arg-type]


def for_a_post(moment: Moment, dedup: str, office_id: int = 5, post_kind: str = "handler") -> Posting:
    return a_parcel(moment, dedup, rung=Rung.DESK, address="", office_id=office_id, post_kind=post_kind)


def test_a_parcel_posted_twice_is_there_once(moment: Moment):
    first = actions.post([a_parcel(moment), a_parcel(moment)], moment=moment)
    again = actions.post([a_parcel(moment, body="anything else")], moment=moment)

    assert (first, again) == (1, 0)
    assert models.Parcel.objects.count() == 1


def test_posting_takes_one_statement_whatever_the_number(moment: Moment):
    with CaptureQueriesContext(connection) as few:
        actions.post([a_parcel(moment, "1")], moment=moment)
    with CaptureQueriesContext(connection) as many:
        actions.post([a_parcel(moment, f"{number}|teller|1") for number in range(300)], moment=moment)
    with CaptureQueriesContext(connection) as none:
        actions.post([], moment=moment)

    assert (len(few), len(many), len(none)) == (1, 1, 0)


def test_the_table_holds_neither_address_nor_words(moment: Moment):
    actions.post([a_parcel(moment)], moment=moment)

    with connection.cursor() as cursor:
        columns = "p::text, encode(address_sealed, 'escape'), encode(body_sealed, 'escape')"
        cursor.execute(f"SELECT {columns} FROM mailroom_parcel p")
        held = str(cursor.fetchall())
    assert "0926" not in held
    assert "1380" not in held
    assert "受理" not in held
    assert PHONE.encode().hex() not in held


def test_equal_addresses_look_different(moment: Moment):
    actions.post([a_parcel(moment, "1"), a_parcel(moment, "2")], moment=moment)

    one, other = models.Parcel.objects.values_list("address_sealed", flat=True)
    assert bytes(one) != bytes(other)


def test_a_ciphertext_moved_to_another_parcel_does_not_open(moment: Moment):
    actions.post([for_a_post(moment, "1"), for_a_post(moment, "2")], moment=moment)
    one, other = models.Parcel.objects.order_by("id")

    models.Parcel.objects.filter(id=one.id).update(body_sealed=other.body_sealed)

    reader = Actor(kind="post", office=5, post_kind="handler")
    assert [told.text for told in queries.inbox(viewer=reader)] == [WORDS, queries.UNREADABLE]


def test_a_parcel_without_an_address_is_on_record_and_never_waits(moment: Moment):
    actions.post([a_parcel(moment, address="")], moment=moment)

    row = models.Parcel.objects.get()
    assert (row.outcome, row.set_aside_at, row.passed_on_at) == ("no_address", moment.at, moment.at)
    assert queries.set_aside() == []
    assert queries.backlog(at=moment.at, since=moment.at).failed == {"no_address": 1}


def test_what_is_posted_at_night_waits_for_the_morning(moment: Moment):
    night = replace(moment, at=moment.at + timedelta(hours=12))

    actions.post([a_parcel(night, "1"), a_parcel(night, "2", any_hour=True), for_a_post(night, "3")], moment=night)

    waits = dict(models.Parcel.objects.values_list("dedup", "not_before"))
    assert waits == {"1": night.at + timedelta(hours=10), "2": night.at, "3": night.at}


def test_a_page_of_the_administrator_shows_no_words_and_no_whole_address(moment: Moment):
    actions.post([a_parcel(moment, "1"), for_a_post(moment, "2")], moment=moment)

    lines = queries.newest()

    assert [(line.address, line.seat, line.subject) for line in lines] == [
        ("", (5, "handler"), "FX26112000310"),
        ("138" + "＊" * 8, (None, ""), "FX26112000310"),
    ]
    assert "受理" not in repr(lines)


def test_the_newest_come_first_page_by_page(moment: Moment):
    actions.post([a_parcel(moment, str(number)) for number in range(5)], moment=moment)

    first = queries.newest(limit=2)
    second = queries.newest(limit=2, before=first[-1].parcel_id)

    assert [line.parcel_id for line in first + second] == sorted(
        (line.parcel_id for line in first + second), reverse=True
    )
    assert len({line.parcel_id for line in first + second}) == 4


def test_a_notice_within_the_house_is_read_by_its_post_alone(moment: Moment):
    to_head = for_a_post(moment, "2", post_kind="head")
    actions.post([for_a_post(moment, "1"), to_head, a_parcel(moment, "3")], moment=moment)

    def seen_by(office: int | None, post_kind: str, kind: str = "post") -> list[str]:
        return [told.text for told in queries.inbox(viewer=Actor(kind=kind, office=office, post_kind=post_kind))]  # type: ignore[arg-type]

    assert seen_by(5, "handler") == [WORDS]
    assert seen_by(5, "head") == [WORDS]
    assert seen_by(6, "handler") == []
    assert seen_by(5, "system_admin") == []
    assert seen_by(None, "") == []
    assert seen_by(5, "handler", kind="resident") == []


def test_the_backlog_says_what_is_due_what_waits_and_since_when(moment: Moment):
    night = replace(moment, at=moment.at + timedelta(hours=12))
    actions.post([a_parcel(moment, "1"), for_a_post(moment, "2")], moment=moment)
    actions.post([a_parcel(night, "3")], moment=night)

    found = queries.backlog(at=moment.at + timedelta(minutes=5), since=moment.at)

    assert found == queries.Backlog(due={"desk": 1, "sms": 1}, later=1, oldest=moment.at, failed={})


@pytest.mark.parametrize(
    "columns",
    [
        {"outcome": "sent"},
        {"outcome": "lost"},
        {"rung": "pigeon"},
        {"sent_at": "2026-11-20T02:00:00Z"},
        {"address_sealed": None},
        {"passed_on_at": "2026-11-20T02:00:00Z"},
        {"tries": -1},
    ],
    ids=lambda columns: next(iter(columns)),
)
def test_the_database_refuses_an_impossible_parcel(moment: Moment, columns: dict[str, object]):
    actions.post([a_parcel(moment)], moment=moment)

    with pytest.raises(IntegrityError), transaction.atomic():
        models.Parcel.objects.update(**columns)


def test_what_is_done_with_is_forgotten_and_what_still_waits_is_not(moment: Moment):
    actions.post([a_parcel(moment, "1"), a_parcel(moment, "2"), a_parcel(moment, "3", address="")], moment=moment)
    models.Parcel.objects.filter(dedup="1").update(outcome="sent", sent_at=moment.at)
    models.Tally.objects.create(window_at=moment.at, address_index=b"index", n=3)

    early = actions.forget(before=moment.at)
    later = actions.forget(before=moment.at + timedelta(days=30))

    assert (early, later) == (0, 2)
    assert list(models.Parcel.objects.values_list("dedup", flat=True)) == ["2"]
    assert not models.Tally.objects.exists()
