"""What is known about principals and keys, as frozen values for the web and the apps above.

Called by the session and key checks of the web and by the pages that list people. It never writes and never hands out
a password, a secret or a sealed column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from fuzhengtong.accounts import answers, models, rules


@dataclass(frozen=True, slots=True)
class Person:
    """A principal as pages may know him."""

    principal_id: int
    login: str
    name: str
    is_made: bool
    has_second_factor: bool
    disabled_at: datetime | None
    locked_until: datetime | None
    sessions_from: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Key:
    """A key of another system that is in force."""

    key_id: int
    name: str
    channel: str
    principal_id: int | None


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key of another system in the list of all there were, in force or not."""

    key_id: int
    name: str
    channel: str
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of the sign-in log."""

    at: datetime
    login: str
    principal_id: int | None
    outcome: str
    address: str
    attempt_id: int


@dataclass(frozen=True, slots=True)
class Remembered:
    """The answer given to one request, with the hash of the body it answered."""

    body_hash: bytes
    status: int
    answer: bytes


_SHOWN = (
    "id",
    "login",
    "name",
    "is_made",
    "totp_sealed",
    "disabled_at",
    "locked_until",
    "sessions_from",
    "created_at",
)


def _person(row: models.Principal) -> Person:
    return Person(
        principal_id=row.id,
        login=row.login,
        name=row.name,
        is_made=row.is_made,
        has_second_factor=row.totp_sealed is not None,
        disabled_at=row.disabled_at,
        locked_until=row.locked_until,
        sessions_from=row.sessions_from,
        created_at=row.created_at,
    )


def person(principal_id: int) -> Person | None:
    """Return the principal of this id, or nothing."""
    row = models.Principal.objects.only(*_SHOWN).filter(id=principal_id).first()
    return None if row is None else _person(row)


def person_by_login(login: str) -> Person | None:
    """Return the principal who signs in under this name, or nothing."""
    row = models.Principal.objects.only(*_SHOWN).filter(login=rules.login_of(login)).first()
    return None if row is None else _person(row)


def people(principal_ids: Iterable[int]) -> dict[int, Person]:
    """Return the principals of these ids, by id."""
    rows = models.Principal.objects.only(*_SHOWN).filter(id__in=list(principal_ids))
    return {row.id: _person(row) for row in rows}


def ids_by_login(logins: Iterable[str]) -> dict[str, int]:
    """Return the ids of those of these logins that exist."""
    wanted = [rules.login_of(login) for login in logins]
    return dict(models.Principal.objects.filter(login__in=wanted).values_list("login", "id"))


def key_hash(secret: str) -> bytes:
    """Return what is kept of a key's secret: keys have 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(secret.strip().encode("utf-8", "replace")).digest()


def key_for(secret: str) -> Key | None:
    """Return the key whose secret this is, while neither it nor its principal is disabled; else nothing."""
    row = (
        models.ApiKey.objects.filter(key_hash=key_hash(secret), disabled_at__isnull=True)
        .exclude(principal__disabled_at__isnull=False)
        .values_list("id", "name", "channel", "principal_id")
        .first()
    )
    return None if row is None else Key(*row)


def listed_keys() -> tuple[ListedKey, ...]:
    """Return every key of another system, in force or not, the oldest first."""
    rows = models.ApiKey.objects.order_by("created_at", "id")
    return tuple(ListedKey(*row) for row in rows.values_list("id", "name", "channel", "created_at", "disabled_at"))


def attempts_of(principal_id: int, *, limit: int = 50) -> list[Attempt]:
    """Return the newest attempts and changes of one principal, for himself and the auditor."""
    rows = models.SignIn.objects.filter(principal_id=principal_id).order_by("-at", "-id")[:limit]
    return [_attempt(row) for row in rows]


def attempts(
    *,
    principal_id: int | None = None,
    outcome: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> list[Attempt]:
    """Return the newest attempts and changes of everybody, keyset by instant and id; `until` is exclusive.

    One statement, for a page behind the permit `see_sign_ins`. May be narrowed to a principal, an outcome, some days.
    """
    rows = models.SignIn.objects.order_by("-at", "-id")
    if principal_id is not None:
        rows = rows.filter(principal_id=principal_id)
    if outcome:
        rows = rows.filter(outcome=outcome)
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until)
    if before is not None:
        at, attempt_id = before
        # The instant stands alone as well, so that the index on it bounds the scan.
        rows = rows.filter(Q(at__lte=at) & (Q(at__lt=at) | Q(id__lt=attempt_id)))
    return [_attempt(row) for row in rows[:limit]]


def _attempt(row: models.SignIn) -> Attempt:
    return Attempt(row.at, row.login, row.principal_id, row.outcome, row.address, row.id)


def remembered(*, client: str, key: str) -> Remembered | None:
    """Return what was answered to a client under a request key, opened, or nothing."""
    row = models.Once.objects.filter(client=client, key=key).values_list("body_hash", "status", "answer").first()
    if row is None:
        return None
    return Remembered(bytes(row[0]), row[1], answers.opened(client=client, key=key, kept=bytes(row[2])))
