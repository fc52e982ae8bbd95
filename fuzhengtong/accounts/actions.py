"""Letting people and systems in, and remembering what was answered to them.

Called by the web's sign-in, account and API pages, by the command line and by the demo. Permission to change *another*
principal is asked by the caller; nothing here grants a post. Refusals of `sign_in` and `change_password` leave rows
behind, so these two must not be called inside a transaction that a refusal would roll back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import ClassVar

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest

from fuzhengtong.accounts import models, queries, rules
from fuzhengtong.accounts.rules import Outcome
from fuzhengtong.charter.moment import Moment
from fuzhengtong.kernel import crypto
from fuzhengtong.kernel.errors import AlreadyDone, Refused


class WrongLogin(Refused):
    """Refuse to come in; says the same for an unknown login as for a wrong password."""

    code: ClassVar[str] = "wrong_login"


class LockedOut(Refused):
    """Refuse to try a password while the account is shut after too many failures."""

    code: ClassVar[str] = "locked_out"


class AccountDisabled(Refused):
    """Refuse the right password of an account that was closed."""

    code: ClassVar[str] = "account_disabled"


class CodeNeeded(Refused):
    """Ask for the one-time code that this account needs besides the password."""

    code: ClassVar[str] = "one_time_code_needed"


class WrongOneTimeCode(Refused):
    """Refuse a one-time code that is wrong, too old or used before."""

    code: ClassVar[str] = "wrong_one_time_code"


class NothingToConfirm(Refused):
    """Refuse to confirm a second factor that nobody began to enrol."""

    code: ClassVar[str] = "nothing_to_confirm"


class LoginTaken(Refused):
    """Refuse a login that somebody has."""

    code: ClassVar[str] = "login_taken"


class Hasher(Argon2PasswordHasher):
    """Argon2id with 46 MiB and one lane: OWASP's figure; Django's 100 MiB and eight lanes starve a two-core machine."""

    time_cost = 2
    memory_cost = 47_104
    parallelism = 1


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who came in, and with what."""

    principal_id: int
    login: str
    name: str
    second_factor: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A second factor waiting to be proved: shown once, as a QR code and as text."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class NewPerson:
    """One row of a list of people to let in at once."""

    login: str
    name: str
    is_made: bool


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key; the secret is shown this once."""

    key_id: int
    secret: str


@dataclass(frozen=True, slots=True)
class _Tried:
    """A principal whose next attempt is counted already."""

    row: models.Principal


def _log(*, outcome: Outcome, login: str, principal_id: int | None, address: str, moment: Moment) -> None:
    models.SignIn.objects.create(
        id=moment.mint.id(),
        at=moment.at,
        login=login,
        principal_id=principal_id,
        outcome=outcome.value,
        address=address,
    )


def _log_change(*, outcome: Outcome, row: models.Principal, moment: Moment) -> None:
    _log(outcome=outcome, login=row.login, principal_id=row.id, address="", moment=moment)


def hashed(*, password: str, moment: Moment) -> str:
    """Return the password as it is kept."""
    return str(Hasher().encode(password, moment.mint.token(16).hex()))


@lru_cache(maxsize=1)
def _decoy() -> str:
    """Return a hash nobody's password has: an unknown login costs the same time as a wrong password."""
    return str(Hasher().encode("no password at all", "0" * 32))


def _matches(password: str, encoded: str) -> bool:
    # Cut first: the work must not grow with what a stranger sends. The kept ones are never longer.
    tried = password[: rules.NUMBERS.longest + 1]
    right = Hasher().verify(tried, encoded or _decoy())
    return bool(right) and encoded != ""


def create_principal(*, login: str, name: str, password: str, moment: Moment, is_made: bool = False) -> int:
    """Let a new person in under a login, and return his id.

    Refuses a login in use or ill-formed, a blank name, and a password against the rules.
    """
    login = rules.login_of(login)
    refusal = rules.why_not_login(login) or rules.why_not_password(password, login=login, name=name)
    if not name.strip():
        refusal = refusal or rules.NameMissing()
    if refusal is not None:
        raise refusal
    made = create_people(
        people=[NewPerson(login=login, name=name, is_made=is_made)],
        password_hash=hashed(password=password, moment=moment),
        moment=moment,
    )
    if login not in made:
        raise LoginTaken(login=login)
    return made[login]


def create_people(*, people: Sequence[NewPerson], password_hash: str, moment: Moment) -> dict[str, int]:
    """Let many people in with one kept password (empty: nobody can sign in yet); return the ids of the new ones.

    A login that exists is left alone. Refuses an ill-formed login.
    """
    for person in people:
        refusal = rules.why_not_login(person.login)
        if refusal is not None:
            raise refusal
    rows = [
        models.Principal(
            id=moment.mint.id(),
            login=person.login,
            name=person.name,
            password=password_hash,
            is_made=person.is_made,
            failed_count=0,
            sessions_from=moment.at,
            created_at=moment.at,
        )
        for person in people
    ]
    with transaction.atomic():
        # Two at once: the second one's rows give way, and are found by their foreign ids below.
        models.Principal.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
        kept = queries.ids_by_login(row.login for row in rows)
        new = [row for row in rows if kept.get(row.login) == row.id]
        models.SignIn.objects.bulk_create(
            [
                models.SignIn(
                    id=moment.mint.id(),
                    at=moment.at,
                    login=row.login,
                    principal_id=row.id,
                    outcome=Outcome.CREATED.value,
                    address="",
                )
                for row in new
            ],
            batch_size=1000,
        )
    return {row.login: row.id for row in new}


def _unknown_login(*, login: str, keyring: crypto.Keyring) -> str:
    return "?" + crypto.blind_index(keyring=keyring, field="login", value=login).hex()


def _refuse_unknown(*, login: str, password: str, address: str, keyring: crypto.Keyring, moment: Moment) -> Refused:
    """Treat a login nobody has exactly like one with a wrong password, locks included (no enumeration, ASVS 6.3.8)."""
    hidden = _unknown_login(login=login, keyring=keyring)
    numbers = rules.NUMBERS
    failures = list(
        models.SignIn.objects.filter(login=hidden, outcome__in=[item.value for item in rules.FAILURES])
        .order_by("-at", "-id")
        .values_list("at", flat=True)[: numbers.failures + 16]
    )
    until = rules.locked_until(failures=len(failures), at=failures[0]) if failures else None
    locked = until is not None and until > moment.at
    if not locked:
        _matches(password, "")
    outcome = Outcome.LOCKED if locked else Outcome.WRONG
    _log(outcome=outcome, login=hidden, principal_id=None, address=address, moment=moment)
    return LockedOut(until=until) if locked else WrongLogin()


def _count_try(*, login: str, moment: Moment) -> _Tried | None:
    """Count the attempt before the password is looked at, so that a hundred guesses at once count as a hundred.

    Raises LockedOut; returns nothing for a login nobody has.
    """
    with transaction.atomic():
        row = models.Principal.objects.select_for_update(no_key=True).filter(login=login).first()
        if row is None:
            return None
        if row.locked_until is not None and row.locked_until > moment.at:
            raise LockedOut(until=row.locked_until)
        row.failed_count += 1
        row.locked_until = rules.locked_until(failures=row.failed_count, at=moment.at)
        row.save(update_fields=["failed_count", "locked_until"])
        return _Tried(row=row)


def _take_back(tried: _Tried) -> None:
    """Uncount an attempt that was no failure, without forgetting those counted meanwhile."""
    models.Principal.objects.filter(id=tried.row.id).update(
        failed_count=Greatest(F("failed_count") - 1, 0), locked_until=None
    )


def _check_password(*, login: str, password: str, address: str, moment: Moment) -> _Tried | None:
    """Check a password, counting the attempt; raises LockedOut or WrongLogin and leaves a row for either."""
    try:
        tried = _count_try(login=login, moment=moment)
    except LockedOut:
        owner = models.Principal.objects.only("id").get(login=login)
        _log(outcome=Outcome.LOCKED, login=login, principal_id=owner.id, address=address, moment=moment)
        raise
    if tried is not None and not _matches(password, tried.row.password):
        _log(outcome=Outcome.WRONG, login=login, principal_id=tried.row.id, address=address, moment=moment)
        raise WrongLogin
    return tried


def _secret(*, sealed: bytes, principal_id: int, keyring: crypto.Keyring) -> bytes:
    return crypto.unwrap(keyring=keyring, wrapped=bytes(sealed), aad=code_aad(principal_id))


def code_aad(principal_id: int) -> bytes:
    """Bind a second factor's secret to its account, so that none can be moved to another."""
    return f"principal:{principal_id}:one-time-code".encode()


def _check_code(*, row: models.Principal, totp: str, keyring: crypto.Keyring, moment: Moment) -> int | None:
    """Return the step of the right code; nothing where the account has no second factor."""
    if row.totp_sealed is None:
        return None
    if not totp.strip():
        raise CodeNeeded
    secret = _secret(sealed=row.totp_sealed, principal_id=row.id, keyring=keyring)
    step = rules.matching_step(secret=secret, code=totp, at=moment.at, used_step=row.totp_used_step)
    if step is None:
        raise WrongOneTimeCode
    # A second browser with the same code in the same second: one of the two uses it.
    used = models.Principal.objects.filter(id=row.id).exclude(totp_used_step__gte=step).update(totp_used_step=step)
    if used == 0:
        raise WrongOneTimeCode
    return step


def sign_in(*, login: str, password: str, totp: str, address: str, keyring: crypto.Keyring, moment: Moment) -> SignedIn:
    """Check login, password and (where enrolled) one-time code, and leave a row of what came of it.

    Refuses with WrongLogin, LockedOut (from the fifth failure in a row, 15 minutes and doubling), AccountDisabled,
    CodeNeeded and WrongOneTimeCode. An unknown login takes as long as a known one and locks like one.
    """
    login = rules.login_of(login)
    if not login:
        # Nobody's: counted, its lock would be one that all who forget the field share.
        raise WrongLogin
    tried = _check_password(login=login, password=password, address=address, moment=moment)
    if tried is None:
        raise _refuse_unknown(login=login, password=password, address=address, keyring=keyring, moment=moment)
    row = tried.row

    def leave(outcome: Outcome) -> None:
        _log(outcome=outcome, login=login, principal_id=row.id, address=address, moment=moment)

    if row.disabled_at is not None:
        _take_back(tried)
        leave(Outcome.DISABLED)
        raise AccountDisabled
    try:
        step = _check_code(row=row, totp=totp, keyring=keyring, moment=moment)
    except CodeNeeded:
        _take_back(tried)
        leave(Outcome.CODE_NEEDED)
        raise
    except WrongOneTimeCode:
        leave(Outcome.CODE_WRONG)
        raise
    with transaction.atomic():
        changed: dict[str, object] = {"failed_count": 0, "locked_until": None}
        if Hasher().must_update(row.password):
            changed["password"] = hashed(password=password, moment=moment)
        models.Principal.objects.filter(id=row.id).update(**changed)
        leave(Outcome.SIGNED_IN)
    return SignedIn(principal_id=row.id, login=login, name=row.name, second_factor=step is not None, at=moment.at)


def change_password(*, principal_id: int, current: str, new: str, address: str, moment: Moment) -> None:
    """Replace one's own password; every session opened before is over.

    Refuses a wrong current one (counted like a failed sign-in), and a new one against the rules or equal to the old.
    """
    row = models.Principal.objects.get(id=principal_id)
    refusal = rules.why_not_password(new, login=row.login, name=row.name)
    if refusal is not None:
        raise refusal
    tried = _check_password(login=row.login, password=current, address=address, moment=moment)
    if tried is None:
        raise WrongLogin
    _take_back(tried)
    if current == new:
        raise AlreadyDone
    _store_password(row=row, password=new, outcome=Outcome.PASSWORD_CHANGED, moment=moment)


def set_password(*, principal_id: int, password: str, moment: Moment) -> None:
    """Set a password without the old one, for the command line and for a reset the person himself completes.

    Unlocks the account and ends its sessions; the second factor stays (ASVS 6.4.3).
    """
    row = models.Principal.objects.get(id=principal_id)
    refusal = rules.why_not_password(password, login=row.login, name=row.name)
    if refusal is not None:
        raise refusal
    _store_password(row=row, password=password, outcome=Outcome.PASSWORD_SET, moment=moment)


def _store_password(*, row: models.Principal, password: str, outcome: Outcome, moment: Moment) -> None:
    with transaction.atomic():
        models.Principal.objects.filter(id=row.id).update(
            password=hashed(password=password, moment=moment),
            failed_count=0,
            locked_until=None,
            sessions_from=moment.at,
        )
        _log_change(outcome=outcome, row=row, moment=moment)


def enrol_totp(*, principal_id: int, issuer: str, keyring: crypto.Keyring, moment: Moment) -> Enrolment:
    """Begin a second factor: make its secret and show it once. The old one stays in force until this one is proved."""
    secret = moment.mint.token(32)
    with transaction.atomic():
        row = models.Principal.objects.select_for_update(no_key=True).get(id=principal_id)
        row.totp_pending = crypto.wrap(
            keyring=keyring, key=secret, aad=code_aad(principal_id), nonce=moment.mint.token(12)
        )
        row.save(update_fields=["totp_pending"])
        _log_change(outcome=Outcome.CODE_ENROLLED, row=row, moment=moment)
    return Enrolment(
        secret=rules.secret_text(secret), uri=rules.enrolment_uri(secret=secret, login=row.login, issuer=issuer)
    )


def confirm_totp(*, principal_id: int, code: str, keyring: crypto.Keyring, moment: Moment) -> None:
    """Put the enrolled second factor in force by a first right code, and end the sessions opened without it.

    Refuses NothingToConfirm and WrongOneTimeCode.
    """
    with transaction.atomic():
        row = models.Principal.objects.select_for_update(no_key=True).get(id=principal_id)
        if row.totp_pending is None:
            raise NothingToConfirm
        secret = _secret(sealed=row.totp_pending, principal_id=row.id, keyring=keyring)
        step = rules.matching_step(secret=secret, code=code, at=moment.at, used_step=None)
        if step is None:
            raise WrongOneTimeCode
        row.totp_sealed, row.totp_pending, row.totp_used_step = row.totp_pending, None, step
        row.sessions_from = moment.at
        row.save(update_fields=["totp_sealed", "totp_pending", "totp_used_step", "sessions_from"])
        _log_change(outcome=Outcome.CODE_CONFIRMED, row=row, moment=moment)


def drop_totp(*, principal_id: int, moment: Moment) -> None:
    """Take a lost second factor away, after the person was identified as at enrolment (ASVS 6.4.4); ends sessions."""
    with transaction.atomic():
        row = models.Principal.objects.select_for_update(no_key=True).get(id=principal_id)
        if row.totp_sealed is None and row.totp_pending is None:
            raise AlreadyDone
        row.totp_sealed = row.totp_pending = row.totp_used_step = None
        row.sessions_from = moment.at
        row.save(update_fields=["totp_sealed", "totp_pending", "totp_used_step", "sessions_from"])
        _log_change(outcome=Outcome.CODE_DROPPED, row=row, moment=moment)


def disable_principal(*, principal_id: int, moment: Moment) -> None:
    """Close an account and end all its sessions; refuses one already closed."""
    _switch(principal_id=principal_id, disabled=True, outcome=Outcome.DISABLED_NOW, moment=moment)


def enable_principal(*, principal_id: int, moment: Moment) -> None:
    """Open a closed account again; refuses one that is open."""
    _switch(principal_id=principal_id, disabled=False, outcome=Outcome.ENABLED_NOW, moment=moment)


def _switch(*, principal_id: int, disabled: bool, outcome: Outcome, moment: Moment) -> None:
    with transaction.atomic():
        row = models.Principal.objects.select_for_update(no_key=True).get(id=principal_id)
        if (row.disabled_at is not None) == disabled:
            raise AlreadyDone
        row.disabled_at = moment.at if disabled else None
        row.sessions_from = moment.at
        row.save(update_fields=["disabled_at", "sessions_from"])
        _log_change(outcome=outcome, row=row, moment=moment)


def end_sessions(*, principal_id: int, moment: Moment) -> None:
    """End every session the principal has open."""
    with transaction.atomic():
        row = models.Principal.objects.select_for_update(no_key=True).get(id=principal_id)
        row.sessions_from = moment.at
        row.save(update_fields=["sessions_from"])
        _log_change(outcome=Outcome.SESSIONS_ENDED, row=row, moment=moment)


def make_key(*, name: str, channel: str, principal_id: int | None, moment: Moment) -> MadeKey:
    """Make a key for another system and return its secret, which is shown this once."""
    secret = "fzt_" + rules.secret_text(moment.mint.token(32)).lower()
    row = models.ApiKey.objects.create(
        id=moment.mint.id(),
        name=name,
        key_hash=queries.key_hash(secret),
        channel=channel,
        principal_id=principal_id,
        created_at=moment.at,
    )
    return MadeKey(key_id=row.id, secret=secret)


def disable_key(*, key_id: int, moment: Moment) -> None:
    """Put a key out of force; refuses one that is."""
    if models.ApiKey.objects.filter(id=key_id, disabled_at__isnull=True).update(disabled_at=moment.at) == 0:
        raise AlreadyDone


def count_hit(key: str, *, window_seconds: int, limit: int, at: datetime) -> bool:
    """Count one use of a key in its window of time and say whether it is still within the limit.

    Windows are fixed and start at whole multiples since 1970 on the clock of `at`'s own zone: handed in by the city's
    clock, a window of a day begins at the city's midnight. Keys that would name a person are to be blind indexes.
    Called outside the transaction of the work, or a refusal would uncount what it refuses. Refuses naive times.
    """
    offset = at.utcoffset()
    if offset is None:
        raise ValueError("a time without a zone is refused")
    ahead = int(offset.total_seconds())
    begins = (int(at.timestamp()) + ahead) // window_seconds * window_seconds - ahead
    starts_at = datetime.fromtimestamp(begins, UTC)
    statement = (
        "INSERT INTO accounts_ratewindow AS w (key, starts_at, n) VALUES (%s, %s, 1)"
        " ON CONFLICT (key, starts_at) DO UPDATE SET n = w.n + 1 RETURNING n"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [key, starts_at])
        (n,) = cursor.fetchone()
    return bool(n <= limit)


def forget_before(*, windows: datetime, answers: datetime) -> tuple[int, int]:
    """Remove counting windows and remembered answers older than these instants; return how many of each.

    The caller keeps answers 30 days: a field worker's telephone may have been without a network for that long.
    """
    gone, _ = models.RateWindow.objects.filter(starts_at__lt=windows).delete()
    forgotten, _ = models.Once.objects.filter(at__lt=answers).delete()
    return gone, forgotten
