"""Every page takes few statements, and as many for a city of many cases as for a city of a few."""

# ruff: noqa: F811 - fixtures of another module are asked for by name
from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver

from fuzhengtong.cases import models
from fuzhengtong.cases.states import State
from fuzhengtong.chain import followers
from fuzhengtong.charter.moment import Actor, Moment
from fuzhengtong.web.desk import names
from tests.builders import LAMP, City, Told, tell
from tests.conftest import NOON
from tests.web.test_desk_sign_in import Sit, noon, sit  # noqa: F401 - fixtures

MOST = 12
# The page of a case reads its ledger past Django's record of statements, once.
UNSEEN = 1
VAGUE = "门口有水"
MANY = 8

# Whose page, and where; {working} is the number of a case, {at_desk} of one left to a person, {code} a query code.
PAGES = {
    "home": ("", "/"),
    "report": ("", "/report/"),
    "find": ("", "/find/"),
    "about": ("", "/about/"),
    "privacy": ("", "/privacy/"),
    "design": ("", "/design/"),
    "progress": ("", "/q/{code}/"),
    "receipt": ("", "/q/{code}/receipt/"),
    "verify": ("", "/q/{code}/verify/"),
    "who": ("", "/q/{code}/who/"),
    "add": ("", "/q/{code}/add/"),
    "urge": ("", "/q/{code}/urge/"),
    "place": ("", "/q/{fresh}/place/"),
    "withdraw": ("", "/q/{code}/withdraw/"),
    "rate": ("", "/q/{visiting}/rate/"),
    "desk-inbox": ("dispatcher", "/desk/?queue=open"),
    "desk-queues": ("dispatcher", "/desk/queues/"),
    "desk-find": ("dispatcher", "/desk/find/?q={working}"),
    "desk-brief": ("dispatcher", "/desk/brief/"),
    "desk-case": ("dispatcher", "/desk/case/{working}/"),
    "desk-dispatch": ("dispatcher", "/desk/dispatch/{at_desk}/"),
    "desk-me": ("dispatcher", "/desk/me/"),
    "desk-visits": ("visitor", "/desk/visits/"),
    "desk-figures": ("analyst", "/desk/figures/"),
    "desk-procedure": ("dispatcher", "/desk/procedure/"),
    "desk-notices": ("system_admin", "/desk/notices/"),
    "desk-areas": ("system_admin", "/desk/areas/"),
    "desk-reference": ("system_admin", "/desk/reference/"),
    "desk-people": ("security_admin", "/desk/people/"),
    "desk-person": ("security_admin", "/desk/people/{person}/"),
    "desk-access": ("audit_admin", "/desk/access/"),
    "desk-sign-ins": ("audit_admin", "/desk/sign-ins/"),
}
# Addresses that show no page of their own when opened, and why; what they write is counted where the step is tested.
NO_PAGE = {
    "elder": "sets a cookie",
    "lang": "sets a cookie",
    "answer": "a question must be open; the same page as `add`",
    "file": "bytes of a file",
    "desk-file": "bytes of a file",
    "desk-sign-in": "before anybody is known: the door counts tries",
    "desk-sign-out": "ends a session",
    "desk-post": "chooses a post, then the inbox",
    "desk-open": "a step",
    "desk-step": "a step",
}


def named(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from named(one.url_patterns)
        elif one.name:
            yield one.name


def test_no_page_is_left_out() -> None:
    found = set(named(get_resolver().url_patterns))

    assert found == PAGES.keys() | NO_PAGE.keys()
    assert not PAGES.keys() & NO_PAGE.keys()


def grown(city: City, moment: Moment, n: int) -> None:
    """Let the city have a few cases more in the states that its lists show."""
    for place in range(n):
        tell(city, moment, f"{VAGUE}，第{place}处")
    followers.run("dispatch", moment=moment)
    for place in range(n):
        tell(city, moment, f"{LAMP}，第{place}盏").walk_to(State.VISITING if place % 2 else State.WORKING)


def counted(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as made:
        answer = client.get(path)
    # A number found leads to its case.
    assert answer.status_code in {200, 302}, (path, answer.status_code)
    return len(made)


def test_every_page_takes_few_statements_and_no_more_when_the_city_grows(
    sit: Sit, noon: Any, city: City, moment: Moment
) -> None:
    vague = tell(city, moment, VAGUE)
    followers.run("dispatch", moment=moment)
    fresh, working = tell(city, moment), tell(city, moment).walk_to(State.WORKING)
    visiting = tell(city, moment, f"{LAMP}，又一盏").walk_to(State.VISITING)
    noon.move_to(visiting.moment.at + timedelta(minutes=1))
    people = {kind: city.actor(kind, office_of(city, kind, visiting), at=NOON) for kind, _ in PAGES.values() if kind}
    told = {
        "code": working.query_code,
        "fresh": fresh.query_code,
        "visiting": visiting.query_code,
        "working": working.number,
        "at_desk": vague.number,
        "person": people["dispatcher"].principal,
    }
    assert models.Case.objects.get(id=vague.case_id).at_desk

    few = every(sit, people, told)
    grown(city, moment, MANY)
    names.forget()
    many = every(sit, people, told)

    assert many == few
    assert {name: n for name, n in many.items() if n + UNSEEN > MOST} == {}


def office_of(city: City, kind: str, told: Told) -> int:
    return told.case.desk_id if kind == "visitor" else city.desk.office_id


def every(sit: Sit, people: dict[str, Actor], told: dict[str, Any]) -> dict[str, int]:
    made, resident = {}, Client()
    for name, (kind, path) in PAGES.items():
        seat = sit(people[kind]) if kind else resident
        made[name] = counted(seat, path.format(**told))
    return made
