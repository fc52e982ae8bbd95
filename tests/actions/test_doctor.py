"""The doctor says what is sound and what is not, in two languages, and names what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from fuzhengtong.cases import models
from fuzhengtong.chain import followers
from fuzhengtong.config import home as homes
from fuzhengtong.directory import queries, world
from fuzhengtong.jobs import doctor, watchdog
from fuzhengtong.mailroom import actions as mailroom_actions
from fuzhengtong.mailroom import models as mailroom_models
from fuzhengtong.mailroom.rules import Posting, Rung
from tests.builders import tell
from tests.conftest import NOON, point_to


@dataclass
class Place:
    running: bool = True
    data: Path = Path("/var/lib/example/data")
    outside: bool = True
    sockets: Path | None = None
    major: str = "15"
    pid: int | None = 4711


@dataclass
class Own:
    place: Place

    def status(self) -> Any:
        return self.place


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    with override_settings(HOME=homes.at(tmp_path)):
        yield tmp_path


def examined(at: datetime = NOON, cluster: Any = None) -> list[doctor.Finding]:
    return doctor.examine(cluster, clock=lambda: at)


def unsound(at: datetime = NOON, cluster: Any = None) -> str:
    # The cluster of the tests does without fsync, and the doctor says so.
    said = [finding.said for finding in examined(at, cluster) if not finding.sound]
    return "\n".join(line for line in said if not line.startswith(("fsync", "full_page_writes")))


def test_a_sound_city_is_said_to_be_sound_in_two_languages(db, home) -> None:
    found = examined()

    assert unsound() == ""
    assert len(found) >= 18
    for finding in found:
        chinese, slash, english = finding.said.partition(" / ")
        assert slash and chinese.endswith("。") and english.endswith(".")
        assert not any("\u4e00" <= sign <= "\u9fff" for sign in english)


def test_a_server_that_may_lose_what_was_acknowledged_is_not_sound(db, home) -> None:
    said = [finding.said for finding in examined() if not finding.sound]

    assert [line.split(" ")[0] for line in said] == ["fsync", "full_page_writes"]
    assert all("断电" in line for line in said)


def test_where_the_cluster_lies_is_said(db, home) -> None:
    running = examined(cluster=Own(Place()))[0]
    stopped = examined(cluster=Own(Place(running=False)))[0]

    assert running.sound and "/var/lib/example/data" in running.said and "4711" in running.said
    assert not stopped.sound and "serve" in stopped.said


def test_a_role_that_owns_its_tables_is_not_sound(databases, own_database, home) -> None:
    point_to(databases.owner_url(own_database))
    said = unsound()
    point_to(databases.app_url(own_database))

    assert "权限过大" in said
    assert "cases_entry UPDATE" in said


def test_a_database_that_is_not_there_is_one_finding(databases, own_database, home) -> None:
    point_to(databases.app_url("fz_nothing"))
    try:
        said = unsound()
    finally:
        point_to(databases.app_url(own_database))

    assert "连不上数据库" in said
    assert len(said.splitlines()) == 1


def test_a_schema_behind_the_program_is_not_sound(databases, own_database, home) -> None:
    point_to(databases.owner_url(own_database))
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'cases'"
            " AND name = (SELECT max(name) FROM django_migrations WHERE app = 'cases')"
        )
    point_to(databases.app_url(own_database))

    assert "落后于程序 1 步" in unsound()


def test_next_year_is_asked_for_from_november_on_and_this_year_must_be_known(db, home) -> None:
    known = queries.calendar().announced
    this = max(known)
    october = datetime(this, 10, 31, 4, tzinfo=UTC)
    november = datetime(this, 11, 1, 4, tzinfo=UTC)
    beyond = datetime(this + 1, 1, 2, 4, tzinfo=UTC)
    asked = f"{this + 1} 年放假安排还没有导入"

    assert not any(asked in finding.said for finding in examined(october))
    told = [finding for finding in examined(november) if asked in finding.said]
    assert [finding.sound for finding in told] == [True]
    assert f"没有 {this + 1} 年的放假安排" in unsound(beyond)


def test_a_ticker_that_has_gone_silent_is_not_sound(db, home) -> None:
    watchdog.beat(home=home, at=NOON - timedelta(seconds=30))
    assert unsound() == ""

    watchdog.beat(home=home, at=NOON - timedelta(minutes=5))
    assert "已经停了或卡住了" in unsound()


def test_an_alarm_is_told_until_it_is_over(db, home) -> None:
    bell = watchdog.Bell(home)
    alarm = watchdog.Alarm("look_missed", NOON, "FX26112000019", 7)
    bell.hear([alarm], NOON)
    with (home / watchdog.ALARMS).open("a") as file:
        file.write("{ cut off\n")
    assert "look_missed" in unsound()

    bell.hear([], NOON)
    assert unsound() == ""


def test_work_that_was_set_aside_or_is_stuck_is_told(db, city, moment, home) -> None:
    tell(city, moment)
    assert unsound() == ""

    assert "dispatch 1" in unsound(NOON + timedelta(minutes=6))
    models.Follow.objects.filter(follower="dispatch").update(set_aside_at=NOON)
    said = unsound(NOON + timedelta(minutes=6))
    assert "搁置（dispatch 1）" in said


def test_notices_that_do_not_go_out_are_told(db, city, moment, home) -> None:
    tell(city, moment)
    for name in followers.FOLLOWERS:
        followers.run(name, moment=moment)
    mailroom_models.Parcel.objects.update(not_before=NOON)
    assert mailroom_models.Parcel.objects.exists()

    assert "通知积压" not in unsound(NOON + timedelta(minutes=20))
    assert "通知积压" in unsound(NOON + timedelta(minutes=40))


def test_notices_without_an_address_are_no_fault_and_counted_apart(db, moment, home) -> None:
    made = {"topic": "notice.accept.teller", "rung": Rung.SMS, "subject": "FX26112000310", "body": "示例"}
    made |= {"expires_at": moment.at + timedelta(hours=48)}
    mailroom_actions.post([Posting(dedup=name, address="", **made) for name in "ab"], moment=moment)
    mailroom_actions.post([Posting(dedup="c", address="13800000001", **made)], moment=moment)
    mailroom_models.Parcel.objects.filter(dedup="c").update(outcome="refused", set_aside_at=moment.at)

    said = next(finding.said for finding in examined() if finding.said.startswith("通知"))

    assert "未送达 1 条" in said and "不必发 2 条" in said
    assert "1 failed, 2 had no address" in said


def test_a_store_that_cannot_be_written_is_named(db, home, tmp_path) -> None:
    (tmp_path / "file").write_text("")

    for store in (tmp_path / "file" / "store", Path("/proc/store")):
        with override_settings(STORE=store):
            said = unsound()

        assert "FUZHENGTONG_STORE" in said and str(store) in said
        assert "没能检查" not in said


def test_keys_of_another_city_are_found_out(db, city, moment, home) -> None:
    from fuzhengtong.people import keys

    tell(city, moment)
    assert "密钥与数据库相符" in "".join(finding.said for finding in examined())

    models.Case.objects.update(data_key=bytes(60))
    assert "不是一套" in unsound()
    assert keys.keyring().current


def test_a_charter_that_was_edited_after_its_release_is_refused(db, home, tmp_path) -> None:
    folder = tmp_path / "charters"
    folder.mkdir()
    for file in settings.CHARTERS.iterdir():
        (folder / file.name).write_bytes(file.read_bytes().replace(b"length = 2\n", b"length = 3\n"))

    with override_settings(CHARTERS=folder):
        assert "制度文件有误" in unsound()


def test_node_numbers_that_run_out_are_told(db, home) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO directory_nodelease (node, holder, until_ms) SELECT n, 'x', %s FROM generate_series(0, 62) n"
            " ON CONFLICT (node) DO UPDATE SET until_ms = excluded.until_ms",
            [int(NOON.timestamp() * 1000) + 1000],
        )

    assert "63" in unsound()


def test_a_look_that_fails_is_itself_a_finding(home) -> None:
    def _broken(at: datetime) -> Iterator[doctor.Finding]:
        raise RuntimeError("村支书")
        yield

    look: Callable[..., Iterator[doctor.Finding]] = _broken
    found = doctor._looked(look, NOON)

    assert [finding.sound for finding in found] == [False]
    assert "RuntimeError" in found[0].said and "村支书" not in found[0].said


def test_looking_changes_nothing(db, home) -> None:
    world.charters()
    before = sorted(path.name for path in home.rglob("*"))

    json.dumps([finding.said for finding in examined()])

    assert sorted(path.name for path in home.rglob("*")) == before
