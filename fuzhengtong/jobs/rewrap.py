"""Wrap everything again under the city's current key, so that an older key can be removed.

Called by `fuzhengtong rewrap` beside the city at work: short transactions, each on a few rows that nobody holds. What
is left is what still names another key, so it can be stopped at any time and begun again. `doctor` asks it how many are
left, `city_keys` whether a key is still needed. It opens keys, secrets and parcels, never a text of a case, and it
touches no ledger: a data key is in no entry.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import connection, transaction

from fuzhengtong.accounts import actions as accounts_actions
from fuzhengtong.accounts import answers
from fuzhengtong.intake import actions as intake_actions
from fuzhengtong.jobs.findings import select
from fuzhengtong.jobs.readiness import Finding
from fuzhengtong.kernel import crypto
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.mailroom import keys as mailroom_keys
from fuzhengtong.people import keys as people_keys

log = logging.getLogger("fuzhengtong.rewrap")

# A batch holds its rows for some ten milliseconds: nobody who takes a step notices it.
BATCH = 200
# Rows that somebody held are come back to so often, with a pause between.
ROUNDS, PAUSE_S = 5, 1.0

Token = Callable[[int], bytes]
Again = Callable[[int, str, bytes, Token], bytes]


class OldProgramsRun(Refused):
    """Refuse while programs run that were started with another current key: they may not open what is wrapped anew."""

    code: ClassVar[str] = "old_programs_run"


# --- what is under the city's keys -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holding:
    """One column that is wrapped or sealed under a key of the ring, whose number stands in its first two bytes.

    `beside` is the column that the associated data needs besides the id.
    """

    table: str
    column: str
    again: Again
    beside: str = "''"

    @property
    def name(self) -> str:
        """Name the column as findings and lines of progress do."""
        return f"{self.table}.{self.column}"


def _wrapped(aad_of: Callable[[int, str], bytes]) -> Again:
    """Make the step for a column that holds one key, wrapped by the city's own."""

    def again(row_id: int, beside: str, held: bytes, token: Token) -> bytes:
        ring, aad = people_keys.keyring(), aad_of(row_id, beside)
        key = crypto.unwrap(keyring=ring, wrapped=held, aad=aad)
        made = crypto.wrap(keyring=ring, key=key, aad=aad, nonce=token(crypto.NONCE_BYTES))
        # What does not open again is never written over what does.
        if crypto.unwrap(keyring=ring, wrapped=made, aad=aad) != key:
            raise crypto.NotOpened
        return made

    return again


def _parcel(part: str) -> Again:
    """Make the step for a column of the mailroom, sealed by a key derived from the city's."""

    def again(row_id: int, beside: str, held: bytes, token: Token) -> bytes:
        aad = mailroom_keys.aad_of(part, row_id)
        plain = mailroom_keys.unseal(sealed=held, aad=aad)
        return mailroom_keys.seal(plain=plain, aad=aad, nonce=token(crypto.NONCE_BYTES))

    return again


_CODE = _wrapped(lambda row_id, _: accounts_actions.code_aad(row_id))

# Everything in the database that names a key of the ring; a test asks of every other column of bytes what it is.
HOLDINGS = (
    Holding("cases_case", "data_key", _wrapped(lambda _, number: number.encode()), beside="number"),
    Holding("accounts_principal", "totp_sealed", _CODE),
    Holding("accounts_principal", "totp_pending", _CODE),
    Holding("intake_upload", "wrapped_key", _wrapped(lambda row_id, _: intake_actions.upload_aad(row_id))),
    Holding("mailroom_parcel", "address_sealed", _parcel("address")),
    Holding("mailroom_parcel", "body_sealed", _parcel("body")),
)

# Text of an answer; an empty one, and one that says nothing, has nothing to seal.
_IN_CLEAR = "status <> 0 AND length(answer) > 2 AND get_byte(answer, 0) NOT IN (1, 2)"


def held() -> dict[Holding, dict[int, int]]:
    """Count what each column holds by the number of the key it is under. Reads whole tables."""
    return {
        holding: dict(
            select(
                f"SELECT get_byte({holding.column}, 0) * 256 + get_byte({holding.column}, 1), count(*) "
                f"FROM {holding.table} WHERE length({holding.column}) >= 2 GROUP BY 1 ORDER BY 1"
            )
        )
        for holding in HOLDINGS
    }


def by_key(found: Mapping[Holding, Mapping[int, int]]) -> Counter[int]:
    """Add up how much is under each key."""
    total: Counter[int] = Counter()
    for counted in found.values():
        total.update(counted)
    return total


def answers_in_clear() -> int:
    """Count the remembered answers that an earlier program kept in clear."""
    return int(select(f"SELECT count(*) FROM accounts_once WHERE {_IN_CLEAR}")[0][0])


def findings(at: datetime) -> Iterator[Finding]:
    """Say for the doctor what is still under an older key, under one that is not there, or under none."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Whole tables are read here; the role of the pages is given two seconds only.
        cursor.execute("SET LOCAL statement_timeout = '120s'")
        counted, in_clear = by_key(held()), answers_in_clear()
    ring = settings.FUZHENGTONG_KEYS
    current = ring["current"]
    lost = sum(count for number, count in counted.items() if number not in ring["keys"])
    older = {number: count for number, count in sorted(counted.items()) if number in ring["keys"] and number != current}
    if lost:
        said = f"有 {lost} 项用现在没有的密钥包着，打不开。请把那把密钥放回 keys.json 或 FUZHENGTONG_KEYS。"
        yield Finding(False, f"{said} / {lost} values are under a key that is not there: put that key back.")
    if older:
        listed = "、".join(f"{number} 号 {count} 项" for number, count in older.items())
        english = ", ".join(f"{count} under key {number}" for number, count in older.items())
        said = f"提醒：还有用旧密钥包着的（{listed}），运行 fuzhengtong rewrap 以后旧密钥才能删除。"
        yield Finding(True, f"{said} / Note: {english}; run fuzhengtong rewrap before an old key is removed.")
    elif not lost:
        yield Finding(True, f"全部用 {current} 号密钥包着。 / Everything is wrapped with key {current}.")
    if in_clear:
        said = f"有 {in_clear} 条记下的答复还没有加密，请运行 fuzhengtong rewrap。"
        yield Finding(False, f"{said} / {in_clear} remembered answers lie in clear: run fuzhengtong rewrap.")


# --- wrapping again ----------------------------------------------------------------------------------------------


@dataclass
class Report:
    """What was wrapped again, what did not open, and what is left under older keys; counted by column."""

    key: int
    done: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)

    @property
    def exit_code(self) -> int:
        """Return what the command ends with: 0 when nothing is left, else 1."""
        return 1 if self.left.total() or self.broken.total() else 0


def _to_log(line: str) -> None:
    log.info("%s", line)


def run(
    *,
    say: Callable[[str], None] = _to_log,
    token: Token = secrets.token_bytes,
    pause: Callable[[float], None] = time.sleep,
    batch: int = BATCH,
) -> Report:
    """Wrap under the current key all that is under another one, and seal answers that lie in clear.

    Between two batches it rests as long as it worked. Refused with OldProgramsRun while another program has another
    current key. What somebody holds at the time is come back to; what does not open is counted and left as it is.
    """
    ring = people_keys.keyring()
    refuse_old_programs(ring.current)
    report = Report(key=ring.current)
    for attempt in range(ROUNDS):
        if attempt:
            pause(PAUSE_S)
        for holding in HOLDINGS:
            _wrap_all(holding, ring.current, report, say=say, token=token, pause=pause, batch=batch)
        _seal_answers(report, say=say, token=token, pause=pause, batch=batch)
        report.left = _left(ring.current)
        # What does not open is left in every round.
        if report.left.total() <= report.broken.total():
            break
    return report


def _left(current: int) -> Counter[str]:
    left = Counter(
        {
            holding.name: sum(count for number, count in counted.items() if number != current)
            for holding, counted in held().items()
        }
    )
    left["accounts_once.answer"] = answers_in_clear()
    return +left


def _wrap_all(
    holding: Holding,
    current: int,
    report: Report,
    *,
    say: Callable[[str], None],
    token: Token,
    pause: Callable[[float], None],
    batch: int,
) -> None:
    after: int | None = -1
    report.broken.pop(holding.name, None)
    while after is not None:
        began = time.monotonic()
        after = _wrap_some(holding, current, after, report, token=token, batch=batch)
        if after is not None:
            say(f"{holding.name}: {report.done[holding.name]:,} under key {current}")
            pause(time.monotonic() - began)


def _wrap_some(holding: Holding, current: int, after: int, report: Report, *, token: Token, batch: int) -> int | None:
    """Wrap one batch anew in one transaction; return the last id looked at, or nothing where there is no more.

    Rows that somebody holds are passed by, so nobody waits for us and we for nobody; who waits for a row of ours waits
    for this one batch.
    """
    table, column = holding.table, holding.column
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, {holding.beside}, {column} FROM {table} "
            f"WHERE id > %s AND length({column}) >= 2 AND substring({column} FROM 1 FOR 2) <> %s "
            "ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED",
            [after, current.to_bytes(2, "big"), batch],
        )
        rows = cursor.fetchall()
        made: list[tuple[int, bytes]] = []
        for row_id, beside, sealed in rows:
            try:
                made.append((row_id, holding.again(row_id, beside, bytes(sealed), token)))
            except crypto.NotOpened:
                report.broken[holding.name] += 1
                log.error("%s of row %s does not open: left as it is", holding.name, row_id)
        if made:
            cursor.execute(
                f"UPDATE {table} t SET {column} = x.made FROM unnest(%s::bigint[], %s::bytea[]) x (id, made) "
                "WHERE t.id = x.id",
                [[row_id for row_id, _ in made], [bytes_ for _, bytes_ in made]],
            )
            report.done[holding.name] += len(made)
    return rows[-1][0] if rows else None


def _seal_answers(
    report: Report, *, say: Callable[[str], None], token: Token, pause: Callable[[float], None], batch: int
) -> None:
    """Seal the remembered answers that an earlier program kept in clear, in batches."""
    while True:
        began = time.monotonic()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"SELECT client, key, answer FROM accounts_once WHERE {_IN_CLEAR} "
                "ORDER BY client, key LIMIT %s FOR NO KEY UPDATE SKIP LOCKED",
                [batch],
            )
            rows = cursor.fetchall()
            sealed = [
                answers.seal(client=client, key=key, answer=bytes(kept), nonce=token(crypto.NONCE_BYTES))
                for client, key, kept in rows
            ]
            cursor.execute(
                "UPDATE accounts_once t SET answer = x.sealed "
                "FROM unnest(%s::text[], %s::text[], %s::bytea[]) x (client, key, sealed) "
                "WHERE t.client = x.client AND t.key = x.key",
                [[row[0] for row in rows], [row[1] for row in rows], sealed],
            )
        if not rows:
            return
        report.done["accounts_once.answer"] += len(rows)
        say(f"accounts_once.answer: {report.done['accounts_once.answer']:,} sealed")
        pause(time.monotonic() - began)


# What `config.settings` calls every connection of ours: the program, and the key it wraps with.
_PROGRAMS = """
SELECT application_name, count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'fuzhengtong%%'
GROUP BY 1 ORDER BY 1
"""


def refuse_old_programs(current: int) -> None:
    """Refuse while a connection to this database belongs to a program that was started with another current key."""
    with connection.cursor() as cursor:
        cursor.execute(_PROGRAMS, [])
        others = {name: count for name, count in cursor.fetchall() if name != settings.PROGRAM_NAME}
    if others:
        raise OldProgramsRun(connections=sum(others.values()), key=current)
