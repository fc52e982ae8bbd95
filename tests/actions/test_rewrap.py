"""A change of the city's key: everything is wrapped again beside the work, nothing is lost, and the old key can go."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, connections, transaction
from django.test import override_settings
from PIL import Image

from fuzhengtong.accounts import actions as accounts_actions
from fuzhengtong.accounts import models as accounts_models
from fuzhengtong.cases import ledger, models, queries, steps
from fuzhengtong.cases.states import State
from fuzhengtong.charter.moment import Moment
from fuzhengtong.config import home as homes
from fuzhengtong.connectors.sink import Sink
from fuzhengtong.connectors.store import Folder
from fuzhengtong.intake import actions as intake_actions
from fuzhengtong.jobs import city_keys, rewrap
from fuzhengtong.jobs.verify import verify
from fuzhengtong.kernel import crypto
from fuzhengtong.mailroom import actions as mailroom_actions
from fuzhengtong.mailroom import keys as mailroom_keys
from fuzhengtong.people import keys as people_keys
from tests.builders import City, Told, tell

Use = Callable[..., None]
NEW = bytes(range(32))


@pytest.fixture
def use() -> Iterator[Use]:
    """Let the programs of the test know these keys, as after a new start."""
    before = settings.FUZHENGTONG_KEYS
    own = before["keys"][before["current"]]

    def forget() -> None:
        people_keys.keyring.cache_clear()
        mailroom_keys._ring.cache_clear()
        queries._stand_in.cache_clear()

    def known(*numbers: int, current: int) -> None:
        every = {1: own, 2: NEW, 3: bytes(32)}
        settings.FUZHENGTONG_KEYS = {**before, "keys": {n: every[n] for n in numbers}, "current": current}
        forget()

    known(1, current=1)
    yield known
    settings.FUZHENGTONG_KEYS = before
    forget()


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "store")


@pytest.fixture
def lived(own_database: str, use: Use, city: City, moment: Moment, store: Folder) -> Told:
    """A city in which something lies in every column that names a key."""
    told = tell(city, moment, key="one", store=store).walk_to(State.WORKING)
    intake_actions.stage(data=picture(), name="灯.jpg", moment=moment, store=store)
    people = [accounts_actions.NewPerson("anna.key", "安娜（示例）", True)]
    (anna,) = accounts_actions.create_people(people=people, password_hash="", moment=moment).values()
    ring = people_keys.keyring()
    accounts_actions.enrol_totp(principal_id=anna, issuer="x", keyring=ring, moment=moment)
    row = accounts_models.Principal.objects.get(id=anna)
    accounts_models.Principal.objects.filter(id=anna).update(totp_sealed=row.totp_pending)
    Posting, Rung = mailroom_actions.Posting, mailroom_actions.Rung
    parcel = Posting(
        topic="notice.registered", dedup="1", rung=Rung.SMS, address="13800000001", subject="FX26112000310",
        body="已受理", expires_at=moment.at + timedelta(days=30),
    )  # fmt: skip
    mailroom_actions.post([parcel], moment=moment)
    return told


def wrapped(**more: Any) -> rewrap.Report:
    return rewrap.run(say=lambda line: None, pause=lambda seconds: None, **more)


def under() -> dict[int, int]:
    return {number: count for number, count in rewrap.by_key(rewrap.held()).items() if count}


def proved(moment: Moment) -> Any:
    return verify(acknowledged=None, canaries=None, deep=True, clock=lambda: moment.at, say=lambda line: None)


def test_there_is_something_in_every_column_that_names_a_key(lived: Told) -> None:
    assert [holding.name for holding, counted in rewrap.held().items() if counted.get(1, 0) == 0] == []


# Every column of bytes in the database: under the city's key itself (HOLDINGS), or why not.
OTHERWISE = {
    "hashes and indexes": {
        "cases_case.head", "cases_appeal.query_hash", "cases_appeal.receipt", "cases_entry.prev", "cases_entry.hash",
        "accounts_apikey.key_hash", "accounts_once.body_hash", "intake_upload.token_hash",
        "people_resident.phone_index", "mailroom_tally.address_index",
    },
    "under the data key of its case, or a key below that": {
        "cases_passage.wrapped_key", "cases_passage.sealed", "cases_attachment.name", "cases_attachment.wrapped_key",
    },
    "under the key of its own row": {"intake_upload.name"},
    "under the index key, which never changes": {"accounts_once.answer"},
    "open bytes": {"cases_passage.salt", "cases_entry.body"},
}  # fmt: skip


def test_of_every_column_of_bytes_it_is_known_under_which_key_it_lies() -> None:
    columns = {
        f"{model._meta.db_table}.{field.column}"
        for model in apps.get_models()
        if model.__module__.startswith("fuzhengtong.")
        for field in model._meta.concrete_fields
        if field.get_internal_type() == "BinaryField"
    }
    known = {holding.name for holding in rewrap.HOLDINGS}.union(*OTHERWISE.values())

    assert columns == known


def test_everything_is_wrapped_again_and_opens_without_the_old_key(
    lived: Told, use: Use, moment: Moment, store: Folder
) -> None:
    use(1, 2, current=2)
    before = under()

    report = wrapped()
    use(2, current=2)

    assert set(before) == {1} and under() == {2: before[1]}
    assert (report.exit_code, report.done.total(), report.left.total()) == (0, before[1], 0)
    assert proved(moment).ok
    assert lived.later(hours=1).contact().case.version > 1
    sink = Sink()
    mailroom_actions.send(moment=moment, outward=sink, limit=50)
    assert "13800000001" in {message.to for message in sink.delivered}
    staged = intake_actions._opened(intake_actions.models.Upload.objects.get())
    assert crypto.unseal(key=staged.key, sealed=store.get(staged.address), aad=b"file")[:2] == b"\xff\xd8"
    anna = accounts_models.Principal.objects.get(login="anna.key")
    for sealed in (anna.totp_sealed, anna.totp_pending):
        assert len(accounts_actions._secret(sealed=sealed, principal_id=anna.id, keyring=people_keys.keyring())) == 32


def test_the_ledger_and_every_other_column_stay_as_they_were(lived: Told, use: Use, moment: Moment) -> None:
    def rows() -> dict[str, list[Any]]:
        found = {}
        with connection.cursor() as cursor:
            for model in apps.get_models():
                if not model.__module__.startswith("fuzhengtong."):
                    continue
                table = model._meta.db_table
                held = {holding.column for holding in rewrap.HOLDINGS if holding.table == table}
                columns = [f.column for f in model._meta.concrete_fields if f.column not in held]
                cursor.execute(f"SELECT {', '.join(f'{chr(34)}{c}{chr(34)}' for c in columns)} FROM {table} ORDER BY 1")
                found[table] = cursor.fetchall()
        return found

    use(1, 2, current=2)
    before, proof = rows(), proved(moment)

    wrapped()

    assert rows() == before
    assert (proved(moment).totals, proof.totals) == ({}, {})


def test_it_can_be_stopped_after_any_batch_and_goes_on_where_it_was(
    lived: Told, use: Use, city: City, moment: Moment, store: Folder
) -> None:
    for nth in range(5):
        tell(city, moment, f"第 {nth} 盏路灯不亮", store=store)
    use(1, 2, current=2)
    before = under()[1]

    class Stop(Exception):
        pass

    def stop(seconds: float) -> None:
        raise Stop

    for _ in range(3):
        with pytest.raises(Stop):
            rewrap.run(say=lambda line: None, pause=stop, batch=2)
    half = under()
    report = wrapped(batch=2)

    assert half[1] == before - half[2] and 0 < half[2] < before
    assert report.done.total() == half[1] and under() == {2: before}


def test_a_second_run_changes_nothing(lived: Told, use: Use) -> None:
    use(1, 2, current=2)
    wrapped()
    kept = bytes(models.Case.objects.get().data_key)

    report = wrapped()

    assert report.done.total() == 0
    assert bytes(models.Case.objects.get().data_key) == kept


def test_two_runs_at_once_share_the_work(lived: Told, use: Use, city: City, moment: Moment, store: Folder) -> None:
    for nth in range(20):
        tell(city, moment, f"第 {nth} 盏路灯不亮", store=store)
    use(1, 2, current=2)
    before = under()[1]

    def run(_: int) -> int:
        try:
            return wrapped(batch=3).done.total()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        done = sum(threads.map(run, range(2)))

    assert done == before and under() == {2: before}


def test_a_case_that_somebody_works_on_is_come_back_to_and_nobody_waits(lived: Told, use: Use, moment: Moment) -> None:
    use(1, 2, current=2)
    seen: list[int] = []

    def run() -> rewrap.Report:
        try:
            return rewrap.run(say=lambda line: None, pause=lambda seconds: seen.append(1) if seconds >= 1 else None)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            ledger.read([lived.case_id])
            held = threads.submit(run).result(timeout=30)
        after = threads.submit(run).result(timeout=30)

    assert held.left == {"cases_case.data_key": 1} and held.exit_code == 1
    assert len(seen) == rewrap.ROUNDS - 1
    assert after.exit_code == 0 and after.done == {"cases_case.data_key": 1}


def test_a_step_taken_on_an_older_reading_of_the_case_does_not_bring_the_old_wrap_back(lived: Told, use: Use) -> None:
    use(1, 2, current=2)
    with transaction.atomic():
        snapshot = ledger.look([lived.case_id])[0]
        wrapped()
        assert snapshot.known.data_key != ledger.look([lived.case_id])[0].known.data_key
    lived.later(hours=1).take(steps.NOTE, lived.by("handler"), texts={"note": "到了现场"}, public=False)

    assert under().keys() == {2}


def test_what_does_not_open_is_left_as_it_is_and_named(lived: Told, use: Use, caplog: Any) -> None:
    use(1, 2, current=2)
    damaged = b"\x00\x01" + bytes(60)
    models.Case.objects.update(data_key=damaged)

    report = wrapped()

    assert bytes(models.Case.objects.get().data_key) == damaged
    assert report.broken == {"cases_case.data_key": 1} and report.exit_code == 1
    assert f"row {lived.case_id} does not open" in caplog.text


def test_answers_that_an_earlier_program_kept_in_clear_are_sealed(lived: Told, use: Use, moment: Moment) -> None:
    row = accounts_models.Once.objects.get(key="one")
    plain = accounts_actions.queries.remembered(client="test", key="one")
    assert plain is not None
    accounts_models.Once.objects.filter(key="one").update(answer=plain.answer)
    assert rewrap.answers_in_clear() == 1

    report = wrapped()

    held = accounts_models.Once.objects.get(key="one")
    assert report.done == {"accounts_once.answer": 1}
    assert plain.answer not in bytes(held.answer) and bytes(held.answer)[:1] == bytes(row.answer)[:1]
    assert accounts_actions.queries.remembered(client="test", key="one") == plain
    assert msgspec.json.decode(plain.answer)["query_code"] == lived.query_code


def test_while_a_program_of_before_runs_nothing_is_wrapped(lived: Told, use: Use) -> None:
    use(1, 2, current=2)

    with override_settings(PROGRAM_NAME="fuzhengtong key 2"), ThreadPoolExecutor(1) as threads:
        # The test's own connections were made under key 1: they are the program that was not started again.
        connection.ensure_connection()
        refused = threads.submit(_run_and_leave).result()

    assert isinstance(refused, rewrap.OldProgramsRun)
    assert refused.params["key"] == 2 and int(str(refused.params["connections"])) >= 1
    assert under().keys() == {1}


def _run_and_leave() -> object:
    try:
        return wrapped()
    except rewrap.OldProgramsRun as refused:
        return refused
    finally:
        connections.close_all()


# --- the doctor --------------------------------------------------------------------------------------------------


def said(moment: Moment) -> list[tuple[bool, str]]:
    return [(finding.sound, finding.said) for finding in rewrap.findings(moment.at)]


def test_the_doctor_counts_what_is_under_an_older_key_under_a_lost_one_and_in_clear(
    lived: Told, use: Use, moment: Moment
) -> None:
    total = under()[1]
    assert said(moment) == [(True, "全部用 1 号密钥包着。 / Everything is wrapped with key 1.")]

    use(1, 2, current=2)
    [(sound, older)] = said(moment)
    assert sound and f"1 号 {total} 项" in older and f"{total} under key 1" in older

    use(2, current=2)
    [(sound, lost)] = said(moment)
    assert not sound and f"有 {total} 项" in lost

    use(1, current=1)
    accounts_models.Once.objects.filter(key="one").update(answer=b'{"number":"x"}')
    assert [sound for sound, _ in said(moment)] == [True, False]


# --- the file of keys --------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Iterator[homes.Home]:
    made = homes.at(tmp_path / "home")
    made.prepare()
    made.secret("keys.json", make=lambda: json.dumps({"keys": {"1": "11" * 32}, "current": 1, "index_key": "22" * 32}))
    with override_settings(HOME=made):
        yield made


def keys_of(home: homes.Home) -> dict[str, Any]:
    return dict(json.loads((home.secrets / "keys.json").read_text()))


def test_a_key_is_added_put_in_force_and_kept_for_its_owner_alone(own_database, home, use) -> None:
    assert city_keys.add_key(token=bytes) == 2

    held = keys_of(home)
    assert held == {"keys": {"1": "11" * 32, "2": "00" * 32}, "current": 2, "index_key": "22" * 32}
    assert (home.secrets / "keys.json").stat().st_mode & 0o777 == 0o600
    with connection.cursor() as cursor:
        cursor.execute("SELECT what, row_id, after::text FROM directory_referenceentry WHERE \"table\" = 'city_key'")
        entries = cursor.fetchall()
    assert entries == [("added", "2", '{"name": "2"}')]


def test_no_key_goes_that_is_in_force_that_something_needs_or_that_is_not_there(lived, home, use) -> None:
    city_keys.add_key()
    before = keys_of(home)

    with override_settings(PROGRAM_NAME=settings.PROGRAM_NAME):
        for number, refusal in (
            (2, city_keys.KeyInForce),
            (1, city_keys.KeyInForce),
            (9, city_keys.NoSuchCityKey),
        ):
            with pytest.raises(refusal):
                city_keys.drop_key(number)
        use(1, 2, current=2)
        with pytest.raises(city_keys.KeyStillNeeded) as needed:
            city_keys.drop_key(1)

    assert int(str(needed.value.params["count"])) > 5
    assert keys_of(home) == before


def test_a_key_that_wraps_nothing_any_more_goes(lived, home, use) -> None:
    city_keys.add_key()
    use(1, 2, current=2)
    wrapped()

    city_keys.drop_key(1)

    assert keys_of(home)["keys"].keys() == {"2"}


def test_keys_of_a_secret_store_are_not_touched(db, home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUZHENGTONG_KEYS", "{}")

    with pytest.raises(city_keys.KeysElsewhere):
        city_keys.add_key()
    with pytest.raises(city_keys.KeysElsewhere):
        city_keys.drop_key(1)
