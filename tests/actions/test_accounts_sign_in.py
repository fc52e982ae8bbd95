"""Coming in: counted, locked, logged whatever comes of it, and silent about who exists."""

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connections

from fuzhengtong.accounts import actions, models, queries, rules
from fuzhengtong.charter.moment import Moment
from fuzhengtong.kernel.crypto import Keyring, NotOpened
from fuzhengtong.kernel.errors import AlreadyDone, Refused

PASSWORD = "nine warm winters"
KEYRING = Keyring(keys={1: b"k" * 32}, current=1, index_key=b"i" * 32)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def anna(db: None, moment: Moment) -> int:
    return actions.create_principal(login=" Anna.Test ", name="安娜（示例）", password=PASSWORD, moment=moment)


def later(moment: Moment, by: timedelta) -> Moment:
    return replace(moment, at=moment.at + by)


def come_in(moment: Moment, *, login: str = "anna.test", password: str = PASSWORD, totp: str = "") -> str:
    """Try to come in, and say what came of it."""
    try:
        actions.sign_in(login=login, password=password, totp=totp, address="192.0.2.7", keyring=KEYRING, moment=moment)
    except Refused as refusal:
        return refusal.code
    return "in"


def outcomes(principal_id: int) -> list[str]:
    return [attempt.outcome for attempt in reversed(queries.attempts_of(principal_id))]


def second_factor(principal_id: int, moment: Moment) -> bytes:
    """Enrol and confirm a second factor, and return its secret."""
    enrolment = actions.enrol_totp(principal_id=principal_id, issuer="阜政通", keyring=KEYRING, moment=moment)
    secret = base64.b32decode(enrolment.secret + "=" * (-len(enrolment.secret) % 8))
    code = rules.code_at(secret=secret, step=rules.step_of(moment.at))
    actions.confirm_totp(principal_id=principal_id, code=code, keyring=KEYRING, moment=moment)
    return secret


def test_the_right_password_lets_in_and_says_who(anna: int, moment: Moment) -> None:
    came = actions.sign_in(
        login="ANNA.test ", password=PASSWORD, totp="", address="192.0.2.7", keyring=KEYRING, moment=moment
    )

    assert (came.principal_id, came.name, came.second_factor) == (anna, "安娜（示例）", False)
    assert outcomes(anna) == ["created", "signed_in"]
    assert queries.attempts_of(anna, limit=1)[0].address == "192.0.2.7"


def test_a_login_is_had_by_one_person(anna: int, moment: Moment) -> None:
    with pytest.raises(actions.LoginTaken):
        actions.create_principal(login="anna.test", name="另一人", password=PASSWORD, moment=moment)
    with pytest.raises(rules.PasswordTooShort):
        actions.create_principal(login="bert", name="伯特", password="short", moment=moment)
    with pytest.raises(rules.WrongLoginName):
        actions.create_principal(login="伯特", name="伯特", password=PASSWORD, moment=moment)


def test_the_kept_password_is_salted_argon2_and_never_the_password(anna: int, moment: Moment) -> None:
    other = actions.create_principal(login="bert", name="伯特", password=PASSWORD, moment=moment)

    kept = dict(models.Principal.objects.filter(id__in=[anna, other]).values_list("id", "password"))

    assert kept[anna].startswith("argon2$argon2id$")
    assert PASSWORD not in kept[anna]
    assert kept[anna] != kept[other]


def test_an_unknown_login_is_refused_in_the_same_words_as_a_wrong_password(anna: int, moment: Moment) -> None:
    known = come_in(moment, password="wrong")
    unknown = come_in(moment, login="nobody", password="wrong")

    assert known == unknown == "wrong_login"


def test_what_was_typed_as_an_unknown_login_is_not_kept_in_clear(anna: int, moment: Moment) -> None:
    come_in(moment, login=PASSWORD)

    logins = models.SignIn.objects.values_list("login", flat=True)

    assert not [login for login in logins if PASSWORD in login]


def test_five_failures_lock_and_the_right_password_waits_too(anna: int, moment: Moment) -> None:
    tried = [come_in(moment, password="wrong") for _ in range(5)]

    assert tried == ["wrong_login"] * 5
    assert come_in(moment) == "locked_out"
    assert come_in(later(moment, 14 * MINUTE)) == "locked_out"
    assert come_in(later(moment, 15 * MINUTE)) == "in"
    assert outcomes(anna)[-3:] == ["locked", "locked", "signed_in"]


def test_each_failure_after_a_lock_doubles_it_and_a_success_forgives(anna: int, moment: Moment) -> None:
    for _ in range(5):
        come_in(moment, password="wrong")
    after = later(moment, 15 * MINUTE)

    come_in(after, password="wrong")

    assert come_in(later(after, 29 * MINUTE)) == "locked_out"
    assert come_in(later(after, 30 * MINUTE)) == "in"
    assert come_in(later(after, 31 * MINUTE), password="wrong") == "wrong_login"
    assert come_in(later(after, 31 * MINUTE)) == "in"


def test_an_unknown_login_locks_exactly_like_a_known_one(anna: int, moment: Moment) -> None:
    def course(login: str) -> list[str]:
        first = [come_in(moment, login=login, password="wrong") for _ in range(6)]
        after = [come_in(later(moment, n * MINUTE), login=login, password="wrong") for n in (14, 15, 44, 45)]
        return first + after

    assert course("nobody") == course("anna.test")


@pytest.mark.parametrize("login", ["", "  "])
def test_an_empty_login_is_refused_and_counts_for_nobody(anna: int, moment: Moment, login: str) -> None:
    before = models.SignIn.objects.count()

    tried = [come_in(moment, login=login, password="wrong") for _ in range(7)]

    assert tried == ["wrong_login"] * 7
    assert models.SignIn.objects.count() == before


def test_a_person_without_a_name_is_not_let_in(db: None, moment: Moment) -> None:
    with pytest.raises(rules.NameMissing):
        actions.create_principal(login="bert", name=" \u3000", password=PASSWORD, moment=moment)


def test_a_person_without_a_password_yet_cannot_come_in(db: None, moment: Moment) -> None:
    actions.create_people(people=[actions.NewPerson("carl", "卡尔", True)], password_hash="", moment=moment)

    assert come_in(moment, login="carl", password="") == "wrong_login"


def test_a_closed_account_is_told_so_only_with_the_right_password(anna: int, moment: Moment) -> None:
    actions.disable_principal(principal_id=anna, moment=moment)

    assert come_in(moment, password="wrong") == "wrong_login"
    assert come_in(moment) == "account_disabled"
    with pytest.raises(AlreadyDone):
        actions.disable_principal(principal_id=anna, moment=moment)
    actions.enable_principal(principal_id=anna, moment=moment)
    assert come_in(moment) == "in"


# The second factor


def test_with_a_second_factor_the_password_alone_asks_for_the_code_and_counts_as_no_failure(
    anna: int, moment: Moment
) -> None:
    secret = second_factor(anna, moment)
    after = later(moment, MINUTE)

    asked = [come_in(after) for _ in range(6)]

    assert asked == ["one_time_code_needed"] * 6
    code = rules.code_at(secret=secret, step=rules.step_of(after.at))
    assert come_in(after, totp=code) == "in"


def test_a_code_lets_in_once(anna: int, moment: Moment) -> None:
    secret = second_factor(anna, moment)
    after = later(moment, MINUTE)
    code = rules.code_at(secret=secret, step=rules.step_of(after.at))

    assert come_in(after, totp=code) == "in"
    assert come_in(after, totp=code) == "wrong_one_time_code"
    assert outcomes(anna)[-2:] == ["signed_in", "code_wrong"]


def test_the_code_that_confirmed_the_factor_is_used_up(anna: int, moment: Moment) -> None:
    secret = second_factor(anna, moment)

    assert come_in(moment, totp=rules.code_at(secret=secret, step=rules.step_of(moment.at))) == "wrong_one_time_code"


def test_wrong_codes_lock_the_account_like_wrong_passwords(anna: int, moment: Moment) -> None:
    second_factor(anna, moment)

    tried = [come_in(moment, totp="not it") for _ in range(6)]

    assert tried == ["wrong_one_time_code"] * 5 + ["locked_out"]


def test_a_factor_that_is_not_confirmed_is_not_in_force(anna: int, moment: Moment) -> None:
    actions.enrol_totp(principal_id=anna, issuer="阜政通", keyring=KEYRING, moment=moment)

    assert come_in(moment) == "in"
    with pytest.raises(actions.WrongOneTimeCode):
        actions.confirm_totp(principal_id=anna, code="000000", keyring=KEYRING, moment=moment)


def test_the_old_factor_stays_until_the_new_one_is_confirmed(anna: int, moment: Moment) -> None:
    old = second_factor(anna, moment)
    after = later(moment, MINUTE)
    actions.enrol_totp(principal_id=anna, issuer="阜政通", keyring=KEYRING, moment=after)

    assert come_in(after, totp=rules.code_at(secret=old, step=rules.step_of(after.at))) == "in"


def test_nothing_is_confirmed_that_nobody_enrolled(anna: int, moment: Moment) -> None:
    with pytest.raises(actions.NothingToConfirm):
        actions.confirm_totp(principal_id=anna, code="000000", keyring=KEYRING, moment=moment)
    with pytest.raises(AlreadyDone):
        actions.drop_totp(principal_id=anna, moment=moment)


def test_a_lost_factor_is_dropped_and_the_sessions_with_it(anna: int, moment: Moment) -> None:
    second_factor(anna, moment)
    after = later(moment, MINUTE)

    actions.drop_totp(principal_id=anna, moment=after)

    found = queries.person(anna)
    assert found is not None
    assert (found.has_second_factor, found.sessions_from) == (False, after.at)
    assert come_in(after) == "in"


def test_the_secret_of_a_factor_is_kept_sealed_to_its_person(anna: int, moment: Moment) -> None:
    secret = second_factor(anna, moment)
    bert = actions.create_principal(login="bert", name="伯特", password=PASSWORD, moment=moment)
    sealed = bytes(models.Principal.objects.get(id=anna).totp_sealed)
    models.Principal.objects.filter(id=bert).update(totp_sealed=sealed)

    assert secret not in sealed
    with pytest.raises(NotOpened):
        come_in(moment, login="bert", totp="000000")


# Passwords and sessions


def test_a_new_password_needs_the_old_one_and_ends_the_sessions(anna: int, moment: Moment) -> None:
    after = later(moment, MINUTE)
    new = "ten cold springs"

    with pytest.raises(actions.WrongLogin):
        actions.change_password(principal_id=anna, current="wrong", new=new, address="", moment=after)
    with pytest.raises(AlreadyDone):
        actions.change_password(principal_id=anna, current=PASSWORD, new=PASSWORD, address="", moment=after)
    with pytest.raises(rules.PasswordTooCommon):
        actions.change_password(principal_id=anna, current=PASSWORD, new="88888888", address="", moment=after)
    actions.change_password(principal_id=anna, current=PASSWORD, new=new, address="", moment=after)

    assert come_in(after) == "wrong_login"
    assert come_in(after, password=new) == "in"
    found = queries.person(anna)
    assert found is not None
    assert found.sessions_from == after.at


def test_guessing_the_old_password_in_a_session_locks_too(anna: int, moment: Moment) -> None:
    for _ in range(5):
        with pytest.raises(actions.WrongLogin):
            actions.change_password(
                principal_id=anna, current="wrong", new="ten cold springs", address="", moment=moment
            )

    assert come_in(moment) == "locked_out"


def test_a_password_set_anew_unlocks_but_leaves_the_second_factor(anna: int, moment: Moment) -> None:
    second_factor(anna, moment)
    for _ in range(5):
        come_in(moment, password="wrong")

    actions.set_password(principal_id=anna, password="ten cold springs", moment=moment)

    assert come_in(moment, password="ten cold springs") == "one_time_code_needed"


def test_people_are_found_by_login_and_id_without_their_secrets(anna: int, moment: Moment) -> None:
    found = queries.person_by_login("ANNA.test")

    assert found == queries.person(anna) == queries.people([anna])[anna]
    assert found is not None
    assert not {"password", "totp_sealed"} & set(type(found).__dataclass_fields__)
    assert queries.person(1) is None
    assert queries.person_by_login("nobody") is None


def test_a_hundred_guesses_at_once_count_as_a_hundred(own_database: str, moment: Moment) -> None:
    anna = actions.create_principal(login="anna.race", name="安娜（示例）", password=PASSWORD, moment=moment)

    def guess(_: int) -> str:
        try:
            return come_in(moment, login="anna.race", password="wrong")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        tried = list(threads.map(guess, range(16)))

    assert tried.count("wrong_login") == 5
    assert tried.count("locked_out") == 11
    assert len(outcomes(anna)) == 17
