"""What every import and action of the directory shares: one writer at a time, and an entry for every change.

Called by the modules beside it, by `actions`, and by `jobs.accounts` for the keys of other systems. It never decides
what changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError, connection, transaction
from psycopg import errors as pg
from psycopg import sql

from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import rules
from fuzhengtong.directory.sheets import Problem
from fuzhengtong.kernel.errors import Refused

BATCH = 2000
# Any number will do, as long as nothing else in the city's database takes the same advisory lock.
_LOCK = 0x46_5A_54_44
_COLUMNS = ("id", "at", "by_id", "table", "row_id", "what", "before", "after", "reason")
_COPY = sql.SQL("COPY directory_referenceentry ({}) FROM STDIN")


class DirectoryBusy(Refused):
    """Refuse to change the directory while somebody else is changing it; it takes seconds."""

    code: ClassVar[str] = "directory_busy"


@contextmanager
def one_writer() -> Iterator[None]:
    """Open a transaction in which nobody else changes the directory; raises DirectoryBusy after the wait is up.

    The rules between rows (three administrators apart, no circle of offices, one route a place) are checked before the
    write: two writers at once could each keep the rule and break it together.
    """
    with transaction.atomic():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        except OperationalError as error:
            if isinstance(error.__cause__, pg.LockNotAvailable):
                raise DirectoryBusy from error
            raise
        yield


def enter(*, table: str, row_id: object, what: str, change: rules.Change, moment: Moment, reason: str) -> None:
    """Write the entry of one change."""
    enter_all([(table, row_id, what, change)], moment=moment, reason=reason)


def enter_all(changes: Iterable[tuple[str, object, str, rules.Change]], *, moment: Moment, reason: str) -> None:
    """Write the entries of many changes: table, row, what was done to it, the difference.

    By COPY: a city's first lists are some ten thousand entries, and row by row they took a third of the time.
    """
    columns = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
    with connection.cursor() as cursor, cursor.copy(_COPY.format(columns)) as copy:
        for table, row_id, what, change in changes:
            told = (_json(change.before), _json(change.after))
            copy.write_row((moment.mint.id(), moment.at, moment.by.principal, table, str(row_id), what, *told, reason))


def _json(record: rules.Record) -> str | None:
    return json.dumps(dict(record), cls=DjangoJSONEncoder, ensure_ascii=False) if record else None


def kinds_of(report: rules.Report) -> Iterator[tuple[str, rules.Change]]:
    """Walk through every difference of a report with the word for it."""
    for what in ("added", "changed", "moved", "closed"):
        for change in getattr(report, what):
            yield what, change


def refused(problems: Iterable[Problem]) -> rules.Report:
    """Return the report of a list that changes nothing because something in it is wrong."""
    return rules.Report(errors=tuple(sorted(problems, key=lambda p: (p.sheet, p.row, p.column, p.key))))


def joined(one: rules.Report, other: rules.Report) -> rules.Report:
    """Return two reports of one import as one."""
    return replace(
        one,
        added=one.added + other.added,
        changed=one.changed + other.changed,
        moved=one.moved + other.moved,
        closed=one.closed + other.closed,
        unchanged=one.unchanged + other.unchanged,
    )
