"""The rules of coming in: what a password must not be, when an account locks, which codes are good, when all is over.

Pure: called by the actions of this app and by the web's sign-in and session pages. It never stores, never reads a
clock and never decides what a person may do once he is in; that is the business of the post he holds.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from urllib.parse import quote

from fuzhengtong.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class SignInNumbers:
    """The numbers of coming in, in one place for the sign-in page, the manual and the tests."""

    shortest: int = 8
    longest: int = 128
    failures: int = 5
    lock_minutes: int = 15
    # A lock that grows without end would let a stranger shut a colleague out for good.
    longest_lock_minutes: int = 8 * 60
    idle_minutes: int = 30
    absolute_hours: int = 12
    code_digits: int = 6
    code_seconds: int = 30
    # One step either way: telephones drift by some seconds, a code lives a minute and a half at most.
    code_steps_either_way: int = 1


NUMBERS = SignInNumbers()


class Outcome(StrEnum):
    """What came of an attempt to come in, or which of a person's keys was changed."""

    SIGNED_IN = "signed_in"
    WRONG = "wrong"
    LOCKED = "locked"
    DISABLED = "disabled"
    CODE_NEEDED = "code_needed"
    CODE_WRONG = "code_wrong"
    CREATED = "created"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an outcome
    PASSWORD_SET = "password_set"  # noqa: S105 - the name of an outcome
    CODE_ENROLLED = "code_enrolled"
    CODE_CONFIRMED = "code_confirmed"
    CODE_DROPPED = "code_dropped"
    DISABLED_NOW = "disabled_now"
    ENABLED_NOW = "enabled_now"
    SESSIONS_ENDED = "sessions_ended"


# Outcomes that stand in an unbroken row of failures; a success or an administrator's hand ends the row.
FAILURES = frozenset({Outcome.WRONG, Outcome.CODE_WRONG})


class WrongLoginName(Refused):
    """Refuse a login of other characters than a-z, 0-9, dot, underscore and hyphen, or of the wrong length."""

    code: ClassVar[str] = "wrong_login_name"


class NameMissing(Refused):
    """Refuse a person without a name: every line of the ledger says who."""

    code: ClassVar[str] = "name_missing"


class PasswordTooShort(Refused):
    """Refuse a password shorter than the rule."""

    code: ClassVar[str] = "password_too_short"


class PasswordTooLong(Refused):
    """Refuse a password longer than the rule."""

    code: ClassVar[str] = "password_too_long"


class PasswordTooCommon(Refused):
    """Refuse a password that stands at the head of every guesser's list."""

    code: ClassVar[str] = "password_too_common"


class PasswordNamesItself(Refused):
    """Refuse a password that contains the login, the name, the city or the platform."""

    code: ClassVar[str] = "password_names_itself"


_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")

# Words a stranger would try first here (ASVS 5.0, 6.2.11).
CONTEXT_WORDS: tuple[str, ...] = ("阜政通", "fuzhengtong", "阜新", "fuxin", "12345", "接诉即办", "jiesujiban")

# Of the commonest passwords only those of eight and more characters need a list; the patterns are rules below.
_COMMONEST = frozenset(
    """
    password password1 password12 password123 password! passw0rd p@ssw0rd p@ssword p@55w0rd pass1234 pass@123
    admin123 admin1234 admin888 admin666 admin@123 admin123456 administrator adminadmin root1234 rootroot toor1234
    test1234 testtest test@123 user1234 guest123 guestguest default1 default123 changeme changeme1 letmein1 letmein123
    welcome1 welcome123 welcome@1 system123 manager1 manager123 oracle123 huawei123 huawei@123 cisco123 h3c@2024
    qwer1234 qwer123456 qwerty12 qwerty123 qwerty1234 qwertyui qwertyuiop qweasdzxc 123qweasd qwe123456 qweqweqwe
    1qaz2wsx 1qaz@wsx !qaz2wsx !qaz@wsx zaq12wsx zaq1xsw2 1q2w3e4r 1q2w3e4r5t q1w2e3r4 1234qwer 12qwaszx asdf1234
    asdfasdf asdfghjkl asdfghjk zxcvbnm1 zxcvbnm123 zxcvbnm, 1qazxsw2 qazwsxedc 147258369 159357159 741852963
    abc12345 abc123456 abcd1234 abc@1234 abcd@1234 a1234567 a12345678 a123456789 aa123456 aa12345678 aaa12345 as123456
    123456aa 123456ab 123456abc 12345678a 123456789a 1234567a 1a2b3c4d a1b2c3d4 a123456a qq123456 qq123456789 q1234567
    z1234567 x1234567 w1234567 wo123456 zz123456 wang1234 wang123456 zhang123 zhang123456 li123456 liu123456 chen1234
    woaini123 woaini520 woaini1314 woaini521 iloveyou iloveyou1 iloveyou2 loveyou123 love1314 love5201314 5201314520
    5201314a a5201314 1314520a aini1314 woaiwojia woshishui woaini99 nihao123 nihao1234 meiyoumima wangjile mima1234
    china123 china2008 beijing1 beijing2008 shenyang1 liaoning1 liaoning123 zhongguo woaizhongguo zhonghua1
    sunshine sunshine1 princess princess1 football football1 baseball baseball1 superman superman1 trustno1 starwars
    dragon123 monkey123 master123 shadow123 michael1 michelle jennifer jordan23 charlie1 computer computer1 internet
    whatever whatever1 freedom1 hello123 hello1234 helloworld secret123 samsung1 nintendo pokemon1 mustang1 corvette
    government zhengfu123 zhengwu123 gov12345 dangwei123 shizheng1 bangong123 office123 office365 windows10 windows7
    """.split()  # noqa: SIM905 - a list of words reads better than a list of quotation marks
)
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "abcdefghijklmnopqrstuvwxyz", "01234567890")
_BIRTHDAY = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_MOBILE = re.compile(r"1[3-9]\d{9}")


def login_of(text: str) -> str:
    """Return the login as it is kept: trimmed and in lower case; what no database can hold is nobody's login."""
    return text.strip().lower().replace("\0", "\ufffd")


def why_not_login(login: str) -> Refused | None:
    """Return why this cannot be a login, or nothing."""
    return None if _LOGIN.fullmatch(login) else WrongLoginName(shortest=2, longest=64)


def _is_run(text: str) -> bool:
    """Say whether the text walks along one row of the keyboard, of the digits or of the alphabet, either way."""
    return any(text in row * 2 or text in row[::-1] * 2 for row in _ROWS)


def _is_repetition(text: str) -> bool:
    """Say whether the text is one short piece said again and again (11111111, abcabcabc, 12341234)."""
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, len(text) // 2 + 1))


def is_guessable(password: str) -> bool:
    """Say whether a guesser would try this among the first: lists, runs, repetitions, birthdays, telephone numbers."""
    plain = password.casefold()
    return (
        plain in _COMMONEST
        or _is_run(plain)
        or _is_repetition(plain)
        or len(set(plain)) <= 2
        or _BIRTHDAY.fullmatch(plain) is not None
        or _MOBILE.fullmatch(plain) is not None
    )


def why_not_password(
    password: str, *, login: str, name: str, context: Iterable[str] = CONTEXT_WORDS, numbers: SignInNumbers = NUMBERS
) -> Refused | None:
    """Return why this cannot be the password, or nothing.

    No rule of composition and no ageing (ASVS 5.0, 6.2.5 and 6.2.10): length, no common one, nothing that names itself.
    """
    if len(password) < numbers.shortest:
        return PasswordTooShort(shortest=numbers.shortest)
    if len(password) > numbers.longest:
        return PasswordTooLong(longest=numbers.longest)
    if is_guessable(password):
        return PasswordTooCommon()
    plain = password.casefold()
    # Short Latin logins ("li") hide in too many good passwords; two Chinese characters are already a name.
    words = {word.casefold() for word in (login, name, *context) if len(word) >= (4 if word.isascii() else 2)}
    return PasswordNamesItself() if any(word in plain for word in words) else None


def locked_until(*, failures: int, at: datetime, numbers: SignInNumbers = NUMBERS) -> datetime | None:
    """Return until when the account stays shut after this many failures in a row; each further one doubles the time."""
    if failures < numbers.failures:
        return None
    # The exponent is capped before the power: a million failures must not make a million-digit number.
    doublings = min(failures - numbers.failures, 16)
    minutes = min(numbers.lock_minutes * 2**doublings, numbers.longest_lock_minutes)
    return at + timedelta(minutes=minutes)


def session_over(*, began: datetime, seen: datetime, at: datetime, numbers: SignInNumbers = NUMBERS) -> bool:
    """Say whether a session has ended by itself: left idle, or too old.

    That it began before the principal's `sessions_from` (a new password or factor, an administrator) is asked by the
    query that finds out who acts.
    """
    return at - seen >= timedelta(minutes=numbers.idle_minutes) or at - began >= timedelta(hours=numbers.absolute_hours)


def code_at(*, secret: bytes, step: int, digits: int = NUMBERS.code_digits) -> str:
    """Return the one-time code of a step (RFC 6238 over RFC 4226, HMAC-SHA-1: what every authenticator reads)."""
    mac = hmac.new(secret, step.to_bytes(8, "big"), hashlib.sha1).digest()
    start = mac[-1] & 0x0F
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def step_of(at: datetime, *, numbers: SignInNumbers = NUMBERS) -> int:
    """Return the half-minute of an instant, counted from 1970."""
    return int(at.timestamp()) // numbers.code_seconds


def matching_step(
    *, secret: bytes, code: str, at: datetime, used_step: int | None, numbers: SignInNumbers = NUMBERS
) -> int | None:
    """Return the step whose code this is, if it lies close to the instant and after the last one used; else nothing."""
    # A Chinese input method types full-width digits.
    typed = "".join(unicodedata.normalize("NFKC", code).split())
    now = step_of(at, numbers=numbers)
    found = None
    for step in range(now - numbers.code_steps_either_way, now + numbers.code_steps_either_way + 1):
        # All candidates are compared, each in constant time.
        same = hmac.compare_digest(
            code_at(secret=secret, step=step, digits=numbers.code_digits).encode(), typed.encode("utf-8", "replace")
        )
        if same and (used_step is None or step > used_step):
            found = step
    return found


def secret_text(secret: bytes) -> str:
    """Return the secret as authenticators take it by hand: base32 without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def enrolment_uri(*, secret: bytes, login: str, issuer: str, numbers: SignInNumbers = NUMBERS) -> str:
    """Return the otpauth address that an authenticator reads from a QR code."""
    label = f"{quote(issuer)}:{quote(login)}"
    return (
        f"otpauth://totp/{label}?secret={secret_text(secret)}&issuer={quote(issuer)}"
        f"&algorithm=SHA1&digits={numbers.code_digits}&period={numbers.code_seconds}"
    )
