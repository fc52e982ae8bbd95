"""The one door in: what is taken, how it is kept, and what is shown the lawful route without leaving a trace."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client, override_settings
from PIL import Image

from fuzhengtong.cases import ledger, models
from fuzhengtong.cases.states import DutyKind, State
from fuzhengtong.charter.moment import Actor
from fuzhengtong.config import logs
from fuzhengtong.connectors.store import Folder
from fuzhengtong.intake import actions, lanes, queries, rules
from fuzhengtong.intake import models as intake_models
from fuzhengtong.jobs import verify
from fuzhengtong.kernel import geodesy
from fuzhengtong.people import models as people_models
from fuzhengtong.web import moment as web_moment
from tests.builders import LAMP, submission, tell

RESIDENT = Actor(kind="resident")


def submit(moment: Any, store: Folder, told: rules.Submission, **more: Any) -> actions.Told:
    return actions.submit(submission=told, moment=moment.acting(RESIDENT), store=store, client="test", **more)


@pytest.fixture
def store(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "store")


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG")
    return out.getvalue()


def files_in(store_path: Path) -> list[Path]:
    return [path for path in store_path.rglob("*") if path.is_file()]


def counts() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        names = [row[0] for row in cursor.fetchall()]
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in names))
        return dict(cursor.fetchall())


# --- what is taken -----------------------------------------------------------------------------------------------


def test_a_telling_is_one_case_with_its_clock_started_at_the_moment_of_receipt(db, city, moment, store) -> None:
    answer = submit(moment, store, submission()).answer

    appeal = models.Appeal.objects.get()
    case = models.Case.objects.get()
    duties = {duty.kind: duty for duty in models.Duty.objects.all()}
    assert (appeal.number, appeal.channel, appeal.case_id) == (answer.number, "h5", case.id)
    assert case.state == State.RECEIVED and case.received_at == moment.at
    assert set(duties) == {DutyKind.DISPATCH, DutyKind.ACCEPT}
    assert duties[DutyKind.DISPATCH].due_at == moment.at + timedelta(minutes=2)
    assert all(duty.owed_by_id == city.desk.office_id and duty.owed_from == moment.at for duty in duties.values())


@pytest.mark.parametrize("channel", [row.code for row in lanes.FIRST])
def test_every_channel_ends_in_one_case_of_that_channel(db, moment, store, channel: str) -> None:
    told = submission(channel=channel)

    actions.submit(submission=told, moment=moment.acting(Actor(kind="key", name="door")), store=store, client="test")

    assert models.Appeal.objects.get().channel == channel
    assert models.Case.objects.count() == 1


@pytest.mark.parametrize("channel", [row.code for row in lanes.FIRST if not row.is_public])
def test_a_resident_does_not_come_in_by_the_door_of_a_post(db, moment, store, channel: str) -> None:
    before = counts()

    with pytest.raises(rules.NotThisDoor):
        submit(moment, store, submission(channel=channel))

    assert counts() == before


def test_a_channel_is_a_row_and_a_closed_one_takes_nothing(db, moment, store) -> None:
    queries.lanes_kept.forget()
    intake_models.Channel.objects.filter(code="h5").update(closed_at=moment.at)
    try:
        with pytest.raises(rules.BadInput) as refused:
            submit(moment, store, submission())
    finally:
        queries.lanes_kept.forget()

    assert [fault.key for fault in refused.value.faults] == ["unknown_channel"]
    assert not models.Case.objects.exists()


def test_what_is_told_is_kept_sealed_and_opens_as_it_was_said(db, moment, store) -> None:
    said = "第一行\r\n第二行\u200b<b>灯</b>"

    submit(moment, store, submission(said))

    case, passage = models.Case.objects.get(), models.Passage.objects.get(kind="telling")
    key = ledger.data_key(case.number, bytes(case.data_key))
    assert ledger.unseal(key=key, passage=passage) == "第一行\n第二行<b>灯</b>"
    assert "第二行".encode() not in bytes(passage.sealed)


def test_phone_and_name_lie_nowhere_in_clear(db, moment, store) -> None:
    submit(moment, store, submission(reporter=rules.Person(name="示例欧阳", phone="13800000926")))

    everything = dump()
    assert b"13800000926" not in everything
    assert "示例欧阳".encode() not in everything
    assert b"3133383030303030393236" not in everything


def dump() -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        found = []
        for (name,) in cursor.fetchall():
            with cursor.copy(f'COPY "{name}" TO STDOUT') as rows:
                found += [bytes(row) for row in rows]
    return b"\n".join(found)


def test_who_stays_anonymous_is_no_resident_and_leaves_no_number(db, moment, store) -> None:
    submit(moment, store, submission(anonymous=True, reporter=None))

    assert models.Appeal.objects.get().resident_id is None
    assert not people_models.Resident.objects.exists()
    assert not models.Passage.objects.filter(kind="teller").exists()


def test_one_number_is_one_resident_however_it_is_written(db, moment, store) -> None:
    for place, phone in enumerate(("13800000001", "+86 138-0000-0001", "１３８００００ ０００１")):
        told = submission(f"{LAMP}，第 {place} 盏", reporter=rules.Person(name="示例", phone=phone))
        submit(moment, store, told)

    assert people_models.Resident.objects.count() == 1


@pytest.mark.parametrize("datum", rules.DATUMS)
def test_a_point_is_converted_once_and_its_datum_is_kept(db, moment, store, datum: str) -> None:
    lat, lng = geodesy.from_wgs84(42.0217, 121.6708, datum) if datum != "WGS-84" else (42.0217, 121.6708)

    submit(moment, store, submission(location=rules.Location(lat=lat, lng=lng, datum=datum)))

    appeal = models.Appeal.objects.get()
    assert appeal.datum == datum
    assert geodesy.distance_m(appeal.lat, appeal.lng, 42.0217, 121.6708) < 2


def test_the_claimed_time_is_kept_beside_the_time_of_receipt(db, moment, store) -> None:
    claimed = moment.at - timedelta(days=6, microseconds=1234)

    submit(moment, store, submission(taken_at=claimed))

    entry, appeal = models.Entry.objects.get(), models.Appeal.objects.get()
    assert entry.at == appeal.received_at == moment.at
    assert entry.told_at == appeal.told_at == claimed.replace(microsecond=claimed.microsecond // 1000 * 1000)
    report = verify.verify(acknowledged=None, canaries=None, deep=False, say=lambda line: None)
    assert report.ok, report.as_text()


@pytest.mark.parametrize(("length", "taken"), [(1, True), (10_000, True), (10_001, False)])
def test_a_telling_has_at_most_ten_thousand_characters(db, moment, store, length: int, taken: bool) -> None:
    told = submission("灯" * length)

    if taken:
        submit(moment, store, told)
    else:
        with pytest.raises(rules.BadInput):
            submit(moment, store, told)

    assert models.Appeal.objects.count() == taken


def test_a_repeated_request_is_answered_as_before_even_when_its_files_have_expired(db, moment, store) -> None:
    token = actions.stage(data=picture(), name="灯.jpg", moment=moment, store=store)
    told = submission(files=(token,))
    first = submit(moment, store, told, key="k", body_hash=b"h")

    later = replace(moment, at=moment.at + timedelta(days=3))
    actions.sweep(moment=later, store=store)
    again = submit(later, store, told, key="k", body_hash=b"h")

    assert again.again and again.answer == first.answer
    assert models.Appeal.objects.count() == 1


def test_a_bound_file_outlives_its_staging_and_an_unbound_one_goes(db, moment, store) -> None:
    bound, left = (actions.stage(data=picture(), name="灯.jpg", moment=moment, store=store) for _ in range(2))
    submit(moment, store, submission(files=(bound,)))

    swept = actions.sweep(moment=replace(moment, at=moment.at + timedelta(hours=25)), store=store)

    assert swept == 2
    assert [store.get(row.address) for row in models.Attachment.objects.all()]
    assert len(files_in(store.path)) == 1
    with pytest.raises(actions.UploadGone):
        submit(moment, store, submission(files=(left,)))


def test_nothing_is_written_when_one_thing_of_it_cannot_be(db, moment, store) -> None:
    before = counts()

    with pytest.raises(actions.UploadGone):
        submit(moment, store, submission(files=("0" * 26,)), key="k", body_hash=b"h")

    assert counts() == before


# --- what is not ours to take ------------------------------------------------------------------------------------

CANARY = "CANARY-7b1f9e"
SEALED = f"{CANARY}：村支书收了五万块好处费"
HIDDEN = (
    "村支书收了五万块好处费",
    "村 支 书 收 了 好 处 费",
    "村支\u200b书收了好处\u00ad费",
    "村支書收了好處費",
    "镇领导貪汙了修路的钱",
    "举报局长受贿",
)


DOORS: dict[str, Callable[[], rules.Submission]] = {
    "text": lambda: submission(SEALED),
    "name": lambda: submission(reporter=rules.Person(name=SEALED, phone="13800000001")),
    "name of another": lambda: submission(principal=rules.Person(name=SEALED)),
    "address": lambda: submission(location=rules.Location(address=SEALED)),
    "reference": lambda: submission(source_ref=SEALED),
    "text with a broken rest": lambda: submission(SEALED, location=rules.Location(lat=1.0)),
    "text in a channel that is none": lambda: submission(SEALED, channel="pigeon"),
    "text of nobody": lambda: submission(SEALED, anonymous=True, reporter=None),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_discipline_report_is_screened_wherever_in_a_telling_it_stands(db, moment, store, door: str) -> None:
    before, admitted = counts(), []

    with pytest.raises(rules.Screened):
        submit(moment, store, DOORS[door](), key="k", body_hash=b"h", admit=lambda: admitted.append(1))

    assert counts() == before
    assert admitted == []


@pytest.mark.parametrize("said", HIDDEN)
def test_a_discipline_report_is_screened_however_it_is_written(moment, said: str) -> None:
    with pytest.raises(rules.Screened):
        rules.screen(said, moment.charter)


def test_the_files_of_a_screened_telling_go_at_once(db, moment, store) -> None:
    token = actions.stage(data=picture(), name=f"{CANARY}.jpg", moment=moment, store=store)

    with pytest.raises(rules.Screened):
        submit(moment, store, submission(SEALED, files=(token, "no token", "0" * 26)))

    assert not intake_models.Upload.objects.exists()
    assert files_in(store.path) == []


def test_a_screened_telling_does_not_take_away_the_files_of_a_case(db, moment, store) -> None:
    token = actions.stage(data=picture(), name="灯.jpg", moment=moment, store=store)
    submit(moment, store, submission(files=(token,)))

    with pytest.raises(rules.Screened):
        submit(moment, store, submission(SEALED, files=(token,)))

    assert store.get(models.Attachment.objects.get().address)


@pytest.fixture
def doors(own_database: str, tmp_path: Path) -> Any:
    """A client and a city of its own whose every byte can be searched."""
    held, web_moment._world = web_moment._world, None
    with override_settings(STORE=tmp_path / "store"):
        yield Client()
    web_moment._world = held


def by_api(client: Client, **fields: Any) -> Any:
    body = {"channel": "h5", "text": LAMP, "reporter": {"name": "示例", "phone": "13800000001"}} | fields
    return client.post(
        "/api/v1/appeals",
        data=json.dumps(body),
        content_type="application/json",
        headers={"Idempotency-Key": f"key {CANARY[-6:]}"},
    )


def by_form(client: Client, **fields: Any) -> Any:
    person = {"name": "示例", "phone": "13800000001", "whose": "other", "other_name": "示例"}
    form = {"text": LAMP, "consent": "privacy-1", **person}
    photo = SimpleUploadedFile(f"{CANARY}.jpg", picture())
    return client.post("/report/", form | fields | {"photos": photo})


def test_at_no_door_does_a_discipline_report_leave_a_trace(doors: Client, city, moment, tmp_path, caplog) -> None:
    caplog.set_level(logging.INFO)
    by_api(doors, text=LAMP)
    told = tell(city, moment, store=Folder(settings.STORE))
    token = doors.post("/api/v1/uploads", {"file": SimpleUploadedFile("灯.jpg", picture())}).json()["upload"]
    before = counts()
    before["intake_upload"] -= 1
    kept = len(files_in(settings.STORE)) - 1

    answers = [
        by_api(doors, text=SEALED, files=[token]),
        by_api(doors, reporter={"name": SEALED}),
        by_api(doors, principal={"name": SEALED}),
        by_api(doors, location={"address": SEALED}),
        by_api(doors, source_ref=SEALED),
        *(by_form(doors, **{name: SEALED}) for name in ("text", "place", "name", "other_name")),
        doors.post(f"/q/{told.query_code}/add/", {"text": SEALED}),
        doors.post(f"/q/{told.query_code}/place/", {"place": SEALED}),
        doors.post(f"/q/{told.query_code}/withdraw/", {"reason": SEALED}),
    ]

    assert [answer.status_code for answer in answers] == [422] * len(answers)
    assert answers[0].json()["code"] == "screened"
    assert answers[0].json()["route"]["phone"]
    assert counts() == before
    assert len(files_in(settings.STORE)) == kept
    assert CANARY not in caplog.text
    planted = tmp_path / "planted.json"
    planted.write_text(json.dumps({"strings": [CANARY, SEALED], "paths": []}), encoding="utf-8")
    report = verify.verify(acknowledged=None, canaries=planted, deep=False, say=lambda line: None)
    assert report.ok, report.as_text()


def test_the_rate_of_a_door_does_not_count_who_was_sent_the_lawful_way(doors: Client) -> None:
    by_api(doors, text=LAMP)
    before = counts()["accounts_ratewindow"]

    found = [by_api(doors, text=SEALED).status_code for _ in range(3)]

    assert found == [422, 422, 422]
    assert counts()["accounts_ratewindow"] == before


def fail_on_a_row(said: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE told (words text CHECK (words = '')) ON COMMIT DROP")
        cursor.execute("INSERT INTO told VALUES (%s)", [said])


def fail_on_a_value(said: str) -> None:
    raise ValueError(f"could not take {said!r}")


def fail_on_a_reason(said: str) -> None:
    try:
        fail_on_a_value(said)
    except ValueError as error:
        raise LookupError("looked in vain") from error


@pytest.mark.parametrize("fail", [fail_on_a_row, fail_on_a_value, fail_on_a_reason])
@pytest.mark.parametrize("said", ["村支书收了五万块", "13800000926", "138 0000 0926"])
def test_a_trace_in_the_log_tells_code_and_never_what_somebody_said(db, fail: Any, said: str) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs._OneLine("%(message)s"))
    record = None

    try:
        fail(said)
    except Exception as error:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), (type(error), error, error.__traceback__))

    assert record is not None
    handler.handle(record)
    assert said not in stream.getvalue()
    assert fail.__name__ in stream.getvalue()
