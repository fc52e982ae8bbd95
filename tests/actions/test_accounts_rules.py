"""What a password must not be, when an account locks, which codes are good, when a session is over."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from fuzhengtong.accounts import rules

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
# The shared secret of RFC 6238, appendix B.
SECRET = b"12345678901234567890"


def why_not(password: str, login: str = "zhao.ming", name: str = "赵明") -> str | None:
    refusal = rules.why_not_password(password, login=login, name=name)
    return None if refusal is None else refusal.code


@pytest.mark.parametrize(
    "password", ["correct horse battery", "供暖季开始之前检查", "tR9#kk2m", "a" * 3 + "b7" * 30, "x7" + "长" * 126]
)
def test_a_long_enough_password_without_a_pattern_is_taken_whatever_it_is_made_of(password: str) -> None:
    assert why_not(password) is None


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("tR9#kk2", "password_too_short"),
        ("x7" + "长" * 127, "password_too_long"),
        ("Password1", "password_too_common"),
        ("1QAZ2wsx", "password_too_common"),
        ("woaini1314", "password_too_common"),
        ("88888888", "password_too_common"),
        ("abcabcabc", "password_too_common"),
        ("12121212", "password_too_common"),
        ("23456789", "password_too_common"),
        ("87654321", "password_too_common"),
        ("qwertyuiop", "password_too_common"),
        ("lkjhgfdsa", "password_too_common"),
        ("19840723", "password_too_common"),
        ("13800000001", "password_too_common"),
        ("ababbaab", "password_too_common"),
        ("zhao.ming7#", "password_names_itself"),
        ("我是赵明没错的呀", "password_names_itself"),
        ("FuXin-winter-9", "password_names_itself"),
        ("阜政通用户一二三", "password_names_itself"),
        ("x-12345-x-heat", "password_names_itself"),
    ],
)
def test_a_password_a_guesser_tries_first_is_refused(password: str, code: str) -> None:
    assert why_not(password) == code


def test_a_login_of_two_letters_spoils_no_password() -> None:
    assert why_not("little lamb 7", login="li") is None


@pytest.mark.parametrize("login", ["zhao", "210902-zjj.handler", "a1", "city-centre.dispatcher1"])
def test_a_login_is_made_of_plain_small_letters_and_digits(login: str) -> None:
    assert rules.why_not_login(login) is None


@pytest.mark.parametrize("login", ["", "a", "-a", "Zhao", "赵", "a b", "a" * 65, "a\n"])
def test_any_other_login_is_refused(login: str) -> None:
    refusal = rules.why_not_login(login)

    assert refusal is not None
    assert refusal.code == "wrong_login_name"


def test_the_fifth_failure_locks_for_a_quarter_of_an_hour_and_each_further_one_doubles_it() -> None:
    minutes = [
        None if until is None else (until - NOW) / timedelta(minutes=1)
        for until in (rules.locked_until(failures=n, at=NOW) for n in range(4, 9))
    ]

    assert minutes == [None, 15, 30, 60, 120]


def test_no_number_of_failures_shuts_an_account_for_good() -> None:
    for failures in (20, 1_000_000):
        assert rules.locked_until(failures=failures, at=NOW) == NOW + timedelta(hours=8)


def test_a_session_ends_after_half_an_hour_idle_and_twelve_hours_in_all() -> None:
    def over(began: timedelta, seen: timedelta) -> bool:
        return rules.session_over(began=NOW - began, seen=NOW - seen, at=NOW)

    assert not over(timedelta(hours=11, minutes=59), timedelta(minutes=29))
    assert over(timedelta(hours=1), timedelta(minutes=30))
    assert over(timedelta(hours=12), timedelta(0))


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_one_time_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    step = rules.step_of(datetime.fromtimestamp(seconds, UTC))

    assert rules.code_at(secret=SECRET, step=step, digits=8) == code


def test_a_code_is_good_one_half_minute_either_way_and_no_further() -> None:
    now = rules.step_of(NOW)
    good = [
        step - now
        for step in range(now - 3, now + 4)
        if rules.matching_step(secret=SECRET, code=rules.code_at(secret=SECRET, step=step), at=NOW, used_step=None)
    ]

    assert good == [-1, 0, 1]


def test_a_code_used_once_and_every_older_one_are_good_no_more() -> None:
    now = rules.step_of(NOW)

    def tried(step: int) -> int | None:
        code = rules.code_at(secret=SECRET, step=step)
        return rules.matching_step(secret=SECRET, code=code, at=NOW, used_step=now)

    assert (tried(now - 1), tried(now), tried(now + 1)) == (None, None, now + 1)


def test_a_code_typed_with_spaces_or_full_width_digits_is_read() -> None:
    code = rules.code_at(secret=SECRET, step=rules.step_of(NOW))
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)

    for typed in (f" {code[:3]} {code[3:]}", wide):
        assert rules.matching_step(secret=SECRET, code=typed, at=NOW, used_step=None) is not None
    assert rules.matching_step(secret=SECRET, code="", at=NOW, used_step=None) is None


def test_the_enrolment_names_the_city_the_login_and_a_secret_that_authenticators_read() -> None:
    uri = rules.enrolment_uri(secret=SECRET, login="zhao.ming", issuer="阜政通")

    assert uri.startswith("otpauth://totp/%E9%98%9C%E6%94%BF%E9%80%9A:zhao.ming?secret=")
    assert base64.b32decode(rules.secret_text(SECRET) + "=" * (-len(rules.secret_text(SECRET)) % 8)) == SECRET
