"""Coming in to a desk and going out; and how the tests of all desks sit down at one."""

# ruff: noqa: F811 - fixtures of another module are asked for by name
from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, override_settings

from fuzhengtong.accounts import actions as accounts_actions
from fuzhengtong.accounts import rules as accounts_rules
from fuzhengtong.charter.moment import Actor, Moment
from fuzhengtong.directory import actions as directory_actions
from fuzhengtong.directory import models as directory_models
from fuzhengtong.people import keys
from fuzhengtong.web import moment as web_moment
from fuzhengtong.web.desk import names
from tests.builders import FAR, City
from tests.web.test_resident_home import noon  # noqa: F401 - a fixture

PASSWORD = "lamp river agate"
LOGIN = "city-centre.dispatcher1"
Sit = Callable[[Actor], Client]


@pytest.fixture
def sit(noon: Any, client: Client) -> Sit:
    """Sit down at a desk: the client acts in a post from now on."""
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"
    names.forget()

    def seated(actor: Actor) -> Client:
        client.cookies[settings.SESSION_COOKIE_NAME] = session_of(actor)
        return client

    return seated


def session_of(actor: Actor) -> str:
    """Begin a session of somebody in his post, and return its key."""
    session = SessionStore()
    session[web_moment.SESSION_PRINCIPAL] = actor.principal
    session[web_moment.SESSION_POST] = actor.post
    # The made people were let in after the day the tests play on.
    session[web_moment.SESSION_BEGAN] = FAR.isoformat()
    session[web_moment.SESSION_SEEN] = web_moment.now().isoformat()
    session.save()
    return str(session.session_key)


@pytest.fixture
def person(moment: Moment, noon: Any, client: Client) -> int:
    """A person who can sign in, without a post."""
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"
    return accounts_actions.create_principal(login="ning", name="宁示例", password=PASSWORD, moment=moment)


def give_post(city: City, moment: Moment, principal_id: int, kind: str = "dispatcher", nth: int = 0) -> int:
    """Take a post from whoever holds it and give it to this person; return the post."""
    post = directory_models.Post.objects.filter(office_id=city.desk.office_id, kind=kind).order_by("id")[nth]
    directory_models.Tenure.objects.filter(post=post).delete()
    directory_actions.hold_post(post_id=post.id, principal_id=principal_id, moment=moment)
    return int(post.id)


def come_in(client: Client, **form: str) -> Any:
    return client.post("/desk/sign-in/", {"login": "ning", "password": PASSWORD, **form})


def sentence(answer: Any) -> str:
    found = re.search(r'class="reply-title">.*?<span>(.*?)</span>', answer.content.decode(), re.DOTALL)
    return found[1] if found else ""


def test_the_right_password_opens_the_desk_under_a_new_token(
    client: Client, city: City, moment: Moment, person: int
) -> None:
    give_post(city, moment, person)
    client.get("/desk/sign-in/")
    before = SessionStore()
    before["stranger"] = 1
    before.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = before.session_key

    answer = come_in(client)

    assert answer.status_code == 303 and answer["Location"] == "/desk/"
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != before.session_key
    assert not SessionStore().exists(before.session_key)
    assert client.get("/desk/").status_code == 200


def test_a_wrong_login_and_a_wrong_password_get_the_same_answer(
    client: Client, city: City, moment: Moment, person: int
) -> None:
    give_post(city, moment, person)

    unknown = client.post("/desk/sign-in/", {"login": "nobody", "password": PASSWORD})
    wrong = client.post("/desk/sign-in/", {"login": "nobody", "password": "something else"})
    known = client.post("/desk/sign-in/", {"login": "ning", "password": "something else"})

    assert unknown.status_code == wrong.status_code == known.status_code
    assert sentence(unknown) == sentence(wrong) == sentence(known) != ""


def test_an_unknown_login_locks_like_a_known_one(client: Client, person: int) -> None:
    for _ in range(accounts_rules.NUMBERS.failures):
        come_in(client, password="wrong and wrong")
        come_in(client, login="nobody", password="wrong and wrong")

    known, unknown = come_in(client), come_in(client, login="nobody")

    assert sentence(known) == sentence(unknown)
    assert known.status_code == unknown.status_code


def test_the_one_time_code_is_a_second_screen_that_carries_no_password(
    client: Client, city: City, moment: Moment, person: int
) -> None:
    give_post(city, moment, person)
    secret = _enrolled(person, moment)

    first = come_in(client)
    page = first.content.decode()
    held = re.search(r'name="held" value="([0-9a-f]+)"', page)
    assert held is not None
    step = accounts_rules.step_of(web_moment.now())
    code = accounts_rules.code_at(secret=secret, step=step)
    wrong = client.post("/desk/sign-in/", {"held": held[1], "code": "000000"})
    right = client.post("/desk/sign-in/", {"held": held[1], "code": code})

    assert first.status_code == 200 and PASSWORD not in page
    assert wrong.status_code == 422 and 'name="held"' in wrong.content.decode()
    assert right.status_code == 303


def _enrolled(principal_id: int, moment: Moment) -> bytes:
    made = accounts_actions.enrol_totp(principal_id=principal_id, issuer="试", keyring=keys.keyring(), moment=moment)
    secret = base64.b32decode(made.secret + "=" * (-len(made.secret) % 8))
    code = accounts_rules.code_at(secret=secret, step=accounts_rules.step_of(moment.at) - 1)
    accounts_actions.confirm_totp(principal_id=principal_id, code=code, keyring=keys.keyring(), moment=moment)
    return secret


def test_what_the_first_screen_sealed_is_good_for_a_short_while_alone(
    client: Client, city: City, moment: Moment, person: int, noon: Any
) -> None:
    give_post(city, moment, person)
    _enrolled(person, moment)
    held = re.search(r'name="held" value="([0-9a-f]+)"', come_in(client).content.decode())
    assert held is not None

    noon.shift(600)
    late = client.post("/desk/sign-in/", {"held": held[1], "code": "000000"})
    forged = client.post("/desk/sign-in/", {"held": held[1][:-2] + "00", "code": "000000"})

    assert 'name="password"' in late.content.decode()
    assert 'name="password"' in forged.content.decode()


def test_signing_out_ends_the_session_on_the_server_and_clears_the_browser(
    client: Client, city: City, moment: Moment, person: int
) -> None:
    give_post(city, moment, person)
    come_in(client)
    token = client.cookies[settings.SESSION_COOKIE_NAME].value

    answer = client.post("/desk/sign-out/")
    client.cookies[settings.SESSION_COOKIE_NAME] = token

    assert answer["Location"] == "/desk/sign-in/"
    assert "storage" in answer["Clear-Site-Data"]
    assert client.get("/desk/").status_code == 302


def test_a_person_without_a_post_does_not_come_in(client: Client, person: int) -> None:
    answer = come_in(client)

    assert answer.status_code == 422
    assert "还没有岗位" in sentence(answer)
    assert client.get("/desk/").status_code == 302


@pytest.mark.parametrize(
    "wanted", ["https://example.org/", "//example.org/desk/", "/q/", "/desk/../", "javascript:1", "/desk/\\x"]
)
def test_signing_in_leads_to_a_desk_and_nowhere_else(
    client: Client, city: City, moment: Moment, person: int, wanted: str
) -> None:
    give_post(city, moment, person)

    location = come_in(client, next=wanted)["Location"]

    assert location.startswith("/desk/") and "example.org" not in location and "\\" not in location


def test_who_holds_two_posts_chooses_one_and_acts_in_it(
    client: Client, city: City, moment: Moment, person: int
) -> None:
    give_post(city, moment, person, "dispatcher")
    second = give_post(city, moment, person, "reviewer")

    asked = come_in(client)
    page = client.get(asked["Location"]).content.decode()
    chosen = client.post("/desk/post/", {"post": str(second), "next": "/desk/"})

    assert asked["Location"].startswith("/desk/post/")
    assert page.count('name="post"') == 2
    assert chosen.status_code == 303
    assert "审核岗" in client.get("/desk/").content.decode()


def test_nobody_chooses_a_post_that_is_not_his(client: Client, city: City, moment: Moment, person: int) -> None:
    give_post(city, moment, person, "dispatcher")
    other = directory_models.Post.objects.filter(kind="security_admin").first()
    come_in(client)

    answer = client.post("/desk/post/", {"post": str(other.id if other else 0)})

    assert answer.status_code == 200
    assert client.get("/desk/people/").status_code == 404


def test_a_post_that_is_taken_away_is_gone_at_the_next_look(
    client: Client, city: City, moment: Moment, person: int
) -> None:
    post = give_post(city, moment, person)
    come_in(client)

    directory_models.Tenure.objects.filter(post_id=post).delete()

    assert client.get("/desk/").status_code == 302


def test_whoever_was_signed_out_keeps_his_words_and_the_way_back(client: Client, noon: Any) -> None:
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"
    words = "写了很久的办理经过，不能丢。"

    answer = client.post(
        "/desk/case/FX26112000010/finish/", {"result": words, "back": "/desk/case/FX26112000010/?do=finish"}
    )
    page = answer.content.decode()

    assert answer.status_code == 401
    assert words in page and "data-sign-in" in page
    assert "/desk/case/FX26112000010/?do=finish" in page


def test_a_part_of_a_page_says_that_one_is_signed_out(client: Client, noon: Any) -> None:
    answer = client.get("/desk/queues/", HTTP_HX_REQUEST="true")

    assert answer.status_code == 401 and answer["X-Signed-Out"] == "1"


def test_a_new_password_ends_every_other_session_and_keeps_this_one(
    client: Client, city: City, moment: Moment, person: int
) -> None:
    give_post(city, moment, person)
    come_in(client)
    other = Client(HTTP_ACCEPT_LANGUAGE="zh-CN")
    come_in(other)

    answer = client.post("/desk/me/", {"do": "password", "current": PASSWORD, "new": "another river of lamps"})

    assert answer.status_code == 303
    assert client.get("/desk/me/").status_code == 200
    assert other.get("/desk/me/").status_code == 302


def test_a_second_factor_is_enrolled_with_a_picture_and_proved_by_a_first_code(
    client: Client, city: City, moment: Moment, person: int
) -> None:
    give_post(city, moment, person)
    come_in(client)

    page = client.post("/desk/me/", {"do": "enrol"}).content.decode()
    found = re.search(r'<p class="code gap">([A-Z2-7 ]+)</p>', page)
    assert found is not None
    text = found[1].replace(" ", "")
    secret = base64.b32decode(text + "=" * (-len(text) % 8))
    code = accounts_rules.code_at(secret=secret, step=accounts_rules.step_of(web_moment.now()))
    wrong = client.post("/desk/me/", {"do": "confirm", "code": "000000"})
    right = client.post("/desk/me/", {"do": "confirm", "code": code})

    assert "<svg" in page and "style=" not in page
    assert wrong.status_code == 422
    assert right.status_code == 303
    assert client.get("/desk/me/").status_code == 200


def test_the_demo_shows_its_made_accounts_and_a_city_at_work_shows_none(client: Client, noon: Any) -> None:
    with override_settings(DEMO=True):
        made = client.get("/desk/sign-in/").content.decode()
    with override_settings(DEMO=False):
        real = client.get("/desk/sign-in/").content.decode()

    assert LOGIN in made
    assert LOGIN not in real


def test_the_language_is_switched_at_the_desk_and_comes_back_to_it(
    client: Client, city: City, moment: Moment, person: int
) -> None:
    give_post(city, moment, person)
    come_in(client)
    page = client.get("/desk/me/").content.decode()

    answer = client.post("/language/", {"language": "en", "next": "/desk/me/"})

    assert 'name="language" value="en"' in page
    assert answer["Location"] == "/desk/me/"
    assert 'lang="en"' in client.get("/desk/me/").content.decode()
