"""The inbox: queues, one page of a queue, filters, and the way to a case; each a subset of what its viewer may see."""

# ruff: noqa: F811 - fixtures of another module are asked for by name
from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.cases.states import State
from fuzhengtong.charter.moment import Actor, Moment
from fuzhengtong.web.desk import names
from tests.builders import City, Told, tell
from tests.conftest import NOON
from tests.web.test_desk_sign_in import Sit, noon, sentence, sit  # noqa: F401 - fixtures

MOST_STATEMENTS = 12
# Statements that the ledger sends past Django's own record of them.
UNSEEN = 1


@pytest.fixture
def told(noon: Any, city: City, moment: Moment) -> Told:
    return tell(city, moment)


def handler_of(told: Told) -> Actor:
    return told.by("handler").by


def dispatcher(city: City) -> Actor:
    return city.actor("dispatcher", city.desk.office_id, at=NOON)


def at(clock: Any, told: Told) -> None:
    clock.move_to(told.moment.at + timedelta(minutes=1))


def statements(client: Any, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as made:
        assert client.get(path).status_code == 200
    return len(made)


def shown(page: str) -> list[str]:
    return [number.replace(" ", "") for number in re.findall(r'<span class="number">(FX[0-9 ]+)</span>', page)]


def test_a_new_assignment_stands_in_the_queue_of_its_office(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.ASSIGNED)
    at(noon, told)

    page = sit(handler_of(told)).get("/desk/").content.decode()

    assert "待签收" in page
    assert shown(page) == [told.number]
    assert 'class="ribbon ribbon-s"' in page


def test_another_office_sees_nothing_of_it(sit: Sit, noon: Any, city: City, told: Told) -> None:
    told = told.walk_to(State.ASSIGNED)
    at(noon, told)
    other = city.actor("handler", city.office("210903-zjj").office_id, at=NOON)

    page = sit(other).get("/desk/").content.decode()

    assert shown(page) == []
    assert "没有等着签收的" in page


@pytest.mark.parametrize("queue", ["received", "critical", "open", "nonsense"])
def test_every_queue_answers_and_an_empty_one_says_what_to_do(sit: Sit, noon: Any, city: City, queue: str) -> None:
    answer = sit(dispatcher(city)).get(f"/desk/?queue={queue}")

    assert answer.status_code == 200
    assert 'class="empty"' in answer.content.decode()


def test_the_inbox_takes_the_same_few_statements_for_three_cases_and_for_thirty(
    sit: Sit, noon: Any, city: City, moment: Moment, told: Told
) -> None:
    told = told.walk_to(State.ASSIGNED)
    at(noon, told)
    client = sit(handler_of(told))
    few = statements(client, "/desk/?queue=to_sign")
    for n in range(30):
        tell(city, moment, f"海州区和平街道益民社区的路灯不亮了，第{n}盏").walk_to(State.ASSIGNED)
    names.forget()

    many = statements(client, "/desk/?queue=to_sign")

    assert few == many
    assert many <= MOST_STATEMENTS


def test_a_queue_goes_on_by_key_and_shows_each_case_once(
    sit: Sit, noon: Any, city: City, moment: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = {tell(city, moment, f"海州区的路灯不亮了，第{n}盏").number for n in range(cases_queries.PAGE + 3)}
    client = sit(dispatcher(city))

    first = client.get("/desk/?queue=open").content.decode()
    following = re.search(r'href="([^"]+)" rel="next"', first)
    assert following is not None
    second = client.get(following[1].replace("&amp;", "&")).content.decode()

    assert len(shown(first)) == cases_queries.PAGE
    assert sorted(shown(first) + shown(second)) == sorted(numbers)


@pytest.mark.parametrize(
    ("filters", "found"),
    [("urgency=ordinary", True), ("urgency=critical", False), ("channel=h5", True), ("channel=phone", False),
     ("category=E", True), ("category=A", False), ("town=1", False), ("town=x", True)],
)  # fmt: skip
def test_a_filter_stands_in_the_address_and_can_be_taken_off(
    sit: Sit, noon: Any, told: Told, filters: str, found: bool
) -> None:
    told = told.walk_to(State.ASSIGNED)
    at(noon, told)

    page = sit(handler_of(told)).get(f"/desk/?queue=to_sign&{filters}").content.decode()

    assert (told.number in shown(page)) is found
    assert "去掉筛选" in page


@pytest.mark.parametrize("name", ["urgency", "category", "town", "channel", "queue"])
def test_a_filter_that_nothing_can_be_called_is_no_filter(sit: Sit, noon: Any, city: City, name: str) -> None:
    answer = sit(dispatcher(city)).get("/desk/", {"queue": "open", name: "a\0b"})

    assert answer.status_code == 200
    assert "去掉筛选" not in answer.content.decode()


@pytest.mark.parametrize("after", ["x", "2026-11-20T00:00:00+00:00_x", "_", "99999999999999999999", "\x00", "%"])
def test_a_broken_key_shows_the_first_page(sit: Sit, noon: Any, city: City, told: Told, after: str) -> None:
    answer = sit(dispatcher(city)).get("/desk/", {"queue": "open", "after": after})

    assert answer.status_code == 200


@pytest.mark.parametrize("written", ["{0}", "{1}", "fx {2}"])
def test_a_number_written_in_any_way_leads_to_its_case(
    sit: Sit, noon: Any, city: City, told: Told, written: str
) -> None:
    number = told.number
    asked = written.format(number, number.lower(), number[2:])

    answer = sit(dispatcher(city)).get("/desk/find/", {"q": asked})

    assert answer.status_code == 302
    assert answer["Location"] == f"/desk/case/{number}/"


def test_a_number_outside_ones_view_is_answered_like_one_that_does_not_exist(
    sit: Sit, noon: Any, city: City, told: Told
) -> None:
    other = city.actor("handler", city.office("210903-zjj").office_id, at=NOON)
    client = sit(other)

    foreign = client.get("/desk/find/", {"q": told.number})
    nothing = client.get("/desk/find/", {"q": "FX26110199987"})
    wrong = client.get("/desk/find/", {"q": "什么"})

    assert foreign.status_code == 404
    assert nothing.status_code in (404,)
    assert wrong.status_code == 404


@pytest.mark.parametrize(
    ("lang", "promise", "others"),
    [("zh-CN", "编号", ("地址", "原话")), ("en", "number", ("address", "words"))],
)
def test_the_field_for_a_number_promises_numbers_and_nothing_else(
    sit: Sit, noon: Any, city: City, told: Told, lang: str, promise: str, others: tuple[str, ...]
) -> None:
    client = sit(dispatcher(city))

    page = client.get("/desk/", HTTP_ACCEPT_LANGUAGE=lang).content.decode()
    answers = [
        client.get("/desk/find/", {"q": asked}, HTTP_ACCEPT_LANGUAGE=lang) for asked in ("路灯", "FX26110199987")
    ]

    said = [page.split('class="bar-find"')[1].split("</form>")[0], *map(sentence, answers)]
    assert all(promise in one for one in said)
    assert not any(other in one for one in said for other in others)


def test_the_administrators_see_no_case_and_begin_with_their_own_pages(
    sit: Sit, noon: Any, city: City, told: Told
) -> None:
    for kind in ("system_admin", "security_admin", "audit_admin"):
        client = sit(city.actor(kind, city.desk.office_id, at=NOON))

        assert client.get("/desk/").status_code == 302
        assert client.get(client.get("/desk/")["Location"]).status_code == 200
        assert client.get(f"/desk/case/{told.number}/").status_code == 404


def test_a_look_changes_nothing(sit: Sit, noon: Any, city: City, told: Told) -> None:
    client = sit(dispatcher(city))
    paths = ["/desk/", "/desk/queues/", "/desk/brief/", f"/desk/case/{told.number}/", f"/desk/dispatch/{told.number}/",
             "/desk/me/", "/desk/procedure/", "/desk/figures/"]  # fmt: skip
    for path in paths:
        client.get(path)

    with CaptureQueriesContext(connection) as made:
        for path in paths:
            client.get(path)

    writes = [query["sql"] for query in made if re.match(r"\s*(INSERT|UPDATE|DELETE)", query["sql"], re.I)]
    assert writes == []


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_every_desk_of_a_post_answers_in_both_languages(sit: Sit, noon: Any, city: City, told: Told, lang: str) -> None:
    for kind in ("dispatcher", "reviewer", "visitor", "supervisor", "chief_clerk", "analyst", "agent", "duty",
                 "system_admin", "security_admin", "audit_admin"):  # fmt: skip
        client = sit(city.actor(kind, city.desk.office_id, at=NOON))
        page = client.get("/desk/procedure/", HTTP_ACCEPT_LANGUAGE=lang).content.decode()
        for href in re.findall(r'href="(/desk/[a-z-]*/?)"', page):
            assert client.get(href, HTTP_ACCEPT_LANGUAGE=lang).status_code in (200, 302), (kind, href)
