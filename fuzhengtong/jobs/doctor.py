"""Say whether an installation is sound: server, rights, keys, charter, city, disk, and whether its work flows.

Called by `fuzhengtong doctor`. It looks and says, Chinese first; it changes nothing and repairs nothing. Each finding
that is not sound says what to do. What a look could not see is itself a finding.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor

from fuzhengtong.cases import ledger
from fuzhengtong.charter.lines import FileRefused
from fuzhengtong.charter.load import check_released
from fuzhengtong.directory import world
from fuzhengtong.directory.actions import NODES
from fuzhengtong.jobs import readiness, rewrap, watchdog
from fuzhengtong.jobs.readiness import Finding
from fuzhengtong.kernel import crypto
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.mailroom import queries as mailroom_queries
from fuzhengtong.mailroom.rules import Outcome

MAJORS = range(15, 19)
DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
# Lines of these are added and read, never changed, by the role that serves pages.
UNCHANGED = ("cases_entry", "people_access", "people_consent")
LEAST_FREE, LEAST_SHARE = 2 * 2**30, 0.05
# Every telling is at its office or at a desk within two minutes; what waits longer than this is stuck.
STUCK_AFTER = timedelta(minutes=5)
POST_STUCK_AFTER = timedelta(minutes=30)
ALARM_BYTES = 4_000_000
READINESS = (readiness.city, readiness.routes, readiness.dispatchers, readiness.people, readiness.calendar)


class Status(Protocol):
    """Where a cluster of our own lies; what `config.embedded` says of it."""

    running: bool
    data: Path
    outside: bool
    sockets: Path | None
    major: str
    pid: int | None


class Looked(Protocol):
    """A cluster that can be looked at without touching it."""

    def status(self) -> Any: ...


def now() -> datetime:
    """Read the clock of the machine."""
    return datetime.now(UTC)


def examine(cluster: Looked | None, *, clock: Callable[[], datetime] = now) -> list[Finding]:
    """Look at everything and return what was found, the sound as well as the rest.

    `cluster` is the private one of this home, or nothing where DATABASE_URL names a server.
    """
    at = clock()
    findings = [*_cluster(cluster), *_looked(_crypto, at), *_looked(_charter, at), *_looked(_texts, at)]
    findings += [*_looked(_store, at), *_looked(_disk, at, cluster)]
    try:
        connection.ensure_connection()
    except (DatabaseError, InterfaceError) as trouble:
        kind = type(trouble.__cause__ or trouble).__name__
        said = f"连不上数据库（{kind}），请核对 DATABASE_URL 和服务器。"
        return [*findings, Finding(False, f"{said} / The database is not to be reached: see DATABASE_URL.")]
    for look in (_server, _rights, _schema):
        findings += _looked(look, at)
    if not all(finding.sound for finding in _looked(_schema, at)):
        return findings
    for look in (_keys, rewrap.findings, *READINESS, _leases, _ticker, _alarms, _followers, _post):
        findings += _looked(look, at)
    return findings


def _looked(look: Callable[..., Iterator[Finding]], *arguments: Any) -> list[Finding]:
    try:
        return list(look(*arguments))
    # The edge of each look: what fails here must not hide what the others see.
    except Exception as trouble:
        what, kind = look.__name__.strip("_"), type(trouble).__name__
        return [Finding(False, f"“{what}”没能检查（{kind}）。 / {what} could not be looked at ({kind}).")]


def _rows(query: str, *params: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, params or None)
        return list(cursor.fetchall())


def _one(query: str, *params: object) -> Any:
    return _rows(query, *params)[0][0]


# --- the machine -------------------------------------------------------------------------------------------------


def _cluster(cluster: Looked | None) -> Iterator[Finding]:
    if cluster is None:
        yield Finding(True, "使用 DATABASE_URL 指定的服务器。 / The server of DATABASE_URL is used.")
        return
    status: Status = cluster.status()
    place = f"{status.data}{'（不在主目录内）' if status.outside else ''}"
    if status.running:
        said = f"自带数据库在 {place}，PostgreSQL {status.major}，进程 {status.pid}。"
        yield Finding(True, f"{said} / Own cluster in {status.data}, PostgreSQL {status.major}, process {status.pid}.")
    else:
        yield Finding(
            False,
            f"自带数据库在 {place}，没有运行。请运行 serve。 / Own cluster in {status.data}, not running: run serve.",
        )


def _store(at: datetime) -> Iterator[Finding]:
    place = _standing(settings.STORE)
    # A folder of a file system that keeps nothing, such as /proc, is all full and all empty.
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK) and shutil.disk_usage(place).total:
        yield Finding(True, f"文件存放在 {settings.STORE}。 / Files are kept in {settings.STORE}.")
    else:
        said = f"文件目录 {settings.STORE} 不能写入，请改正权限或 FUZHENGTONG_STORE。"
        yield Finding(False, f"{said} / The store {settings.STORE} cannot be written: see FUZHENGTONG_STORE.")


def _standing(path: Path) -> Path:
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def _disk(at: datetime, cluster: Looked | None) -> Iterator[Finding]:
    places = {"主目录 / home": settings.HOME.path, "文件 / files": settings.STORE}
    if cluster is not None:
        places["数据库 / database"] = cluster.status().data
    seen = set()
    for name, path in places.items():
        usage = shutil.disk_usage(_standing(path))
        if not usage.total or (usage.total, usage.free) in seen:
            continue
        seen.add((usage.total, usage.free))
        free, share = usage.free / 2**30, usage.free / usage.total
        sound = usage.free >= LEAST_FREE and share >= LEAST_SHARE
        chinese, english = name.split(" / ")
        more = ("", "") if sound else ("，快满了，请清理或扩容", ", nearly full: make room")
        said = f"{chinese}所在磁盘还有 {free:.1f} GiB（{share:.0%}）{more[0]}。"
        yield Finding(sound, f"{said} / {free:.1f} GiB ({share:.0%}) are free for the {english}{more[1]}.")


def _crypto(at: datetime) -> Iterator[Finding]:
    found = crypto.probe()
    if not found.aes_256_gcm:
        yield Finding(
            False,
            "AES-256-GCM 自检不通过，请重装 cryptography。 / AES-256-GCM fails its check: reinstall cryptography.",
        )
        return
    national = "可用" if found.sm4_gcm and found.sm3 else "不可用（本机的密码库没有）"
    word = "available" if found.sm4_gcm and found.sm3 else "not available here"
    yield Finding(
        True, f"加密自检通过；国密 SM4-GCM、SM3 {national}。 / AES-256-GCM holds; SM4-GCM and SM3 are {word}."
    )


# --- the rules ---------------------------------------------------------------------------------------------------


def _charter(at: datetime) -> Iterator[Finding]:
    try:
        drafts = check_released(settings.CHARTERS)
        charters = world.charters()
        edition = charters.in_force(at).edition
    except (FileRefused, Refused) as refused:
        yield Finding(False, f"制度文件有误，请改正：{refused} / The charter is refused: {refused}")
        return
    yield Finding(
        True, f"制度 {edition} 版生效，已发布的各版未被改动。 / Edition {edition} is in force; none was edited."
    )
    for draft in drafts:
        yield Finding(
            True, f"制度 {draft} 版还是草稿，没有列入 RELEASED。 / Edition {draft} is a draft, not in RELEASED."
        )


def _texts(at: datetime) -> Iterator[Finding]:
    try:
        known = set(world.texts().keys())
    except FileRefused as refused:
        yield Finding(False, f"文案有误，请改正：{refused} / The texts are refused: {refused}")
        return
    missing = sorted({kind.code for kind in _refusals(Refused) if f"refusal.{kind.code}" not in known})
    if missing:
        listed = "、".join(missing)
        yield Finding(False, f"缺少这些提示语：{listed}。 / Sentences are missing for: {', '.join(missing)}.")
    else:
        yield Finding(True, f"文案齐全，共 {len(known)} 句。 / The texts are complete: {len(known)} sentences.")


def _refusals(kind: type[Refused]) -> Iterator[type[Refused]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _refusals(below)


# --- the server --------------------------------------------------------------------------------------------------


def _server(at: datetime) -> Iterator[Finding]:
    version = _one("SHOW server_version")
    major = int(_one("SHOW server_version_num")) // 10000
    if major in MAJORS:
        yield Finding(True, f"PostgreSQL {version}。 / PostgreSQL {version}.")
    else:
        yield Finding(
            False,
            f"PostgreSQL {version} 不受支持，请用 15 至 18 版。 / PostgreSQL {version} is not supported: use 15 to 18.",
        )
    for name in DURABLE:
        value = _one(f"SHOW {name}")
        if value == "off":
            said = f"{name} 是 off：断电会丢失已经答复的诉求。请改为 on 并重启。"
            yield Finding(False, f"{said} / {name} is off: a power cut would lose what was acknowledged. Turn it on.")
        else:
            yield Finding(True, f"{name} 是 {value}。 / {name} is {value}.")
    encoding = _one("SHOW server_encoding")
    if encoding != "UTF8":
        yield Finding(False, f"数据库编码是 {encoding}，必须是 UTF8。 / The encoding is {encoding}; it must be UTF8.")
    else:
        yield Finding(True, "数据库编码是 UTF8。 / The encoding is UTF8.")
    if _one("SHOW data_checksums") == "off":
        said = "提醒：数据页校验没有开启，坏盘不会被及时发现。停库后可用 pg_checksums --enable 开启。"
        yield Finding(True, f"{said} / Note: data checksums are off; pg_checksums --enable turns them on.")
    else:
        yield Finding(True, "数据页校验已开启。 / Data checksums are on.")


_ROLE = """
SELECT current_user::text, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls,
  (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = current_schema() AND pg_has_role(current_user, c.relowner, 'USAGE'))
FROM pg_roles WHERE rolname = current_user
"""


def _rights(at: datetime) -> Iterator[Finding]:
    name, special, owned = _rows(_ROLE)[0]
    if special or owned:
        said = f"应用使用的角色 {name} 权限过大（超级用户或表的所有者）。请按手册换用普通角色。"
        yield Finding(False, f"{said} / The role {name} is a superuser or owns tables: give it none of that.")
    else:
        yield Finding(
            True, f"应用角色 {name} 不是超级用户，也不拥有表。 / The role {name} is no superuser and no owner."
        )
    may = [
        f"{table} {right}"
        for table in UNCHANGED
        for right in ("UPDATE", "DELETE", "TRUNCATE")
        if _one("SELECT to_regclass(%s) IS NOT NULL AND has_table_privilege(to_regclass(%s), %s)", table, table, right)
    ]
    if may:
        said = f"应用角色可以改动台账（{'、'.join(may)}）。请运行 fuzhengtong init 收回权限。"
        yield Finding(False, f"{said} / The role may change the ledger: run fuzhengtong init to take that back.")
    else:
        yield Finding(True, "应用角色不能改动或删除台账。 / The role can neither change nor remove ledger lines.")


def _schema(at: datetime) -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if behind:
        said = f"数据库结构落后于程序 {len(behind)} 步。请运行 fuzhengtong init。"
        yield Finding(False, f"{said} / The schema is {len(behind)} migrations behind: run fuzhengtong init.")
    else:
        yield Finding(True, "数据库结构与程序一致。 / The schema is that of the program.")


# --- the city ----------------------------------------------------------------------------------------------------


def _keys(at: datetime) -> Iterator[Finding]:
    rows = _rows("SELECT number, data_key FROM cases_case ORDER BY id DESC LIMIT 1")
    try:
        for number, sealed in rows:
            ledger.data_key(number, bytes(sealed))
    except (crypto.NotOpened, ValueError):
        said = "现在的密钥打不开最近的一件：密钥和数据库不是一套。请恢复 keys.json 或 FUZHENGTONG_KEYS。"
        yield Finding(False, f"{said} / The keys do not open the newest case: restore those of this database.")
        return
    yield Finding(True, "密钥与数据库相符。 / The keys fit the database.")


def _leases(at: datetime) -> Iterator[Finding]:
    taken = _one("SELECT count(*) FROM directory_nodelease WHERE until_ms >= %s", int(at.timestamp() * 1000))
    if taken > NODES - 4:
        said = f"{NODES} 个编号机位已占用 {taken} 个，进程反复重启会用尽；最多 10 分钟后自行释放。"
        yield Finding(False, f"{said} / {taken} of {NODES} node numbers are taken: processes restart too often.")
    else:
        yield Finding(True, f"编号机位占用 {taken}/{NODES}。 / {taken} of {NODES} node numbers are taken.")


# --- whether the work flows --------------------------------------------------------------------------------------


def _ticker(at: datetime) -> Iterator[Finding]:
    beat_at = watchdog.last_beat(settings.HOME.path)
    if beat_at is None:
        said = "计时程序还没有在这里运行过；没有它，时限不会提醒和督办。请运行 serve。"
        yield Finding(True, f"{said} / The ticker never ran here; without it no promise is watched: run serve.")
        return
    ago = at - beat_at
    if abs(ago) > watchdog.PATIENCE:
        said = f"计时程序最后一次心跳在 {beat_at.isoformat()}，已经停了或卡住了。请运行 serve 并看它的日志。"
        yield Finding(False, f"{said} / The ticker last beat at {beat_at.isoformat()}: run serve, and see its log.")
    else:
        yield Finding(
            True, f"计时程序 {ago.total_seconds():.0f} 秒前有心跳。 / The ticker beat {ago.total_seconds():.0f} s ago."
        )


def _alarms(at: datetime) -> Iterator[Finding]:
    ringing: dict[tuple[str, ...], str] = {}
    path = settings.HOME.path / watchdog.ALARMS
    if path.exists():
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - ALARM_BYTES))
            told = file.read().decode(errors="replace").splitlines()
        for line in told:
            try:
                alarm = json.loads(line)
                key = (alarm["code"], alarm["case"], alarm["duty"])
            except (ValueError, KeyError, TypeError):
                continue  # the first line of the piece that was read, or one cut off by a crash
            if alarm.get("what") == "begun":
                ringing[key] = alarm["code"]
            else:
                ringing.pop(key, None)
    if not ringing:
        yield Finding(True, "没有未解除的警报。 / No alarm is standing.")
        return
    codes = ", ".join(sorted(set(ringing.values())))
    said = f"有 {len(ringing)} 条未解除的警报（{codes}），详见 {path}。"
    yield Finding(False, f"{said} / {len(ringing)} alarms are standing ({codes}): see {path}.")


_WAITING = """
SELECT follower, count(*) FILTER (WHERE set_aside_at IS NOT NULL),
       count(*) FILTER (WHERE set_aside_at IS NULL AND not_before < %s)
FROM cases_follow GROUP BY follower ORDER BY follower
"""


def _followers(at: datetime) -> Iterator[Finding]:
    rows = _rows(_WAITING, at - STUCK_AFTER)
    aside = [f"{name} {count}" for name, count, _ in rows if count]
    stuck = [f"{name} {count}" for name, _, count in rows if count]
    if aside:
        listed = "、".join(aside)
        said = f"有后续工作多次失败被搁置（{listed}），请看日志里的原因，处理后重试。"
        yield Finding(False, f"{said} / Work was set aside after many tries ({', '.join(aside)}): see the log.")
    if stuck:
        listed, minutes = "、".join(stuck), STUCK_AFTER.seconds // 60
        said = f"有后续工作等了 {minutes} 分钟以上（{listed}），请检查计时程序。"
        yield Finding(False, f"{said} / Work has waited over {minutes} minutes ({', '.join(stuck)}): see the ticker.")
    if not aside and not stuck:
        yield Finding(True, "后续工作没有积压，也没有搁置。 / No work is waiting long or set aside.")


def _post(at: datetime) -> Iterator[Finding]:
    found = mailroom_queries.backlog(at=at, since=at - timedelta(days=1))
    # Who left no address is told on the page of his matter: nothing failed.
    nowhere = found.failed.get(Outcome.NO_ADDRESS, 0)
    due, failed = sum(found.due.values()), sum(found.failed.values()) - nowhere
    counted = f"待发 {due} 条，定时 {found.later} 条，近一日未送达 {failed} 条，未留联系方式而不必发 {nowhere} 条"
    english = f"{due} due, {found.later} for later; within a day {failed} failed, {nowhere} had no address to go to"
    if found.oldest is not None and at - found.oldest > POST_STUCK_AFTER:
        said = f"通知积压：{counted}，最早的在 {found.oldest.isoformat()}。请检查短信和邮件通道。"
        yield Finding(False, f"{said} / Notices are stuck: {english}; see the gateways.")
    else:
        yield Finding(True, f"通知：{counted}。 / Notices: {english}.")
