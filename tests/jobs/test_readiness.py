"""The doctor names what a city lacks before it can take tellings, and the command that mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

import pytest

from fuzhengtong.accounts import models as accounts_models
from fuzhengtong.directory import models, queries, world
from fuzhengtong.intake import models as intake_models
from fuzhengtong.jobs import readiness
from tests.actions.directory_lists import empty
from tests.conftest import NOON

Look = Callable[[datetime], Iterator[readiness.Finding]]
LOOKS: tuple[Look, ...] = (
    readiness.city, readiness.routes, readiness.dispatchers, readiness.people, readiness.calendar,
)  # fmt: skip


def unsound(look: Look) -> str:
    return "\n".join(finding.said for finding in look(NOON) if not finding.sound)


def tenures(office: str, *kinds: str) -> None:
    """Let nobody be in these posts of an office any more."""
    models.Tenure.objects.filter(post__office__code=office, post__kind__in=kinds).delete()


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.__name__)
def test_the_made_city_lacks_nothing(db: None, look: Look) -> None:
    assert unsound(look) == ""
    assert list(look(NOON))


def test_a_city_that_is_not_founded_is_told_how(db: None) -> None:
    models.Installation.objects.all().delete()

    assert "fuzhengtong found --desk" in unsound(readiness.city)


def test_without_lists_each_of_them_is_asked_for(db: None) -> None:
    empty()
    intake_models.Channel.objects.all().delete()
    said = unsound(readiness.city)

    assert "fuzhengtong init" in said
    assert "import-areas" in said
    assert "import-reference offices" in said
    assert "import-reference routes" in unsound(readiness.routes)
    assert list(readiness.dispatchers(NOON)) == list(readiness.people(NOON)) == []


def test_a_charter_of_another_city_is_found_out(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    charters = world.charters()
    other = replace(charters, editions=tuple(replace(one, letters="SL") for one in charters.editions))
    monkeypatch.setattr(world, "charters", lambda: other)

    assert "FUZHENGTONG_CHARTERS" in unsound(readiness.city)


def test_routes_that_are_over_are_none(db: None) -> None:
    models.Route.objects.update(active_to=NOON)

    assert "import-reference routes" in unsound(readiness.routes)


def test_an_office_of_a_route_with_nobody_in_it_is_named(db: None) -> None:
    tenures("210902-zjj", "handler")
    assert unsound(readiness.routes) == ""

    tenures("210902-zjj", "head")
    said = unsound(readiness.routes)
    assert "（210902-zjj）" not in said and "210902-zjj" in said
    assert "import-reference posts" in said


def test_a_centre_with_nobody_to_dispatch_is_named(db: None) -> None:
    tenures("210902-centre", "dispatcher")

    said = unsound(readiness.dispatchers)
    assert "210902-centre" in said and "import-reference posts" in said


def test_of_many_offices_some_are_named_and_the_rest_counted(db: None) -> None:
    models.Tenure.objects.filter(post__kind="dispatcher").delete()
    centres = len(queries.offices(at=NOON, kind="centre"))

    said = unsound(readiness.dispatchers)
    assert f"等 {centres} 个" in said
    assert f"and {centres - readiness.NAMED} more" in said


def test_each_missing_administrator_is_asked_for_with_his_command(db: None) -> None:
    tenures("city-centre", "audit_admin", "system_admin")

    said = unsound(readiness.people)
    assert "createadmin 账号 --name 姓名 --post audit_admin" in said
    assert "--post system_admin" in said and "security_admin" not in said


def test_people_without_a_password_are_noted(db: None) -> None:
    login = "210902-zjj.handler"
    accounts_models.Principal.objects.filter(login=login).update(password="")

    said = [finding for finding in readiness.people(NOON) if "密码" in finding.said]
    assert [finding.sound for finding in said] == [True]
    assert "1 个还没有密码" in said[0].said


def test_each_finding_is_said_in_two_languages(db: None) -> None:
    models.Installation.objects.all().delete()
    models.Tenure.objects.all().delete()
    models.Route.objects.update(active_to=NOON)

    for look in LOOKS:
        for finding in look(NOON):
            chinese, slash, english = finding.said.partition(" / ")
            assert slash and chinese.endswith("。") and english.endswith(".")
            assert not any("\u4e00" <= sign <= "\u9fff" for sign in english)
