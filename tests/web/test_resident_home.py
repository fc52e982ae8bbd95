"""The resident's first pages and switches; and the clock on which all tests of the resident's pages are played."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client, RequestFactory
from django.urls import get_resolver

from fuzhengtong.charter.load import load_charters
from fuzhengtong.directory import world
from fuzhengtong.kernel import numbers
from fuzhengtong.procedure import catalogue
from fuzhengtong.web import moment as web_moment
from tests.conftest import NOON


@pytest.fixture
def noon(db: None) -> Iterator[Any]:
    """The pages' clock stands at the tests' noon and runs on; a process of its own began there."""
    kept, web_moment._world = web_moment._world, None
    with time_machine.travel(NOON, tick=True) as clock:
        yield clock
    web_moment._world = kept


@pytest.fixture
def phone(noon: Any, client: Client) -> Client:
    """A resident's browser that reads Chinese."""
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"
    return client


PAGES = ("/", "/report/", "/report/?photo=1", "/find/", "/about/", "/privacy/", "/design/")


@pytest.mark.parametrize("path", PAGES)
def test_every_open_page_answers_in_both_languages_and_in_large_letters(phone: Client, path: str) -> None:
    chinese = phone.get(path)
    english = phone.get(path, HTTP_ACCEPT_LANGUAGE="en")
    phone.cookies["elder"] = "1"
    large = phone.get(path)

    assert (chinese.status_code, english.status_code, large.status_code) == (200, 200, 200)
    assert 'lang="zh-Hans"' in chinese.content.decode()
    assert 'lang="en"' in english.content.decode()
    assert 'class="elder' in large.content.decode() or path == "/design/"


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/design/"])
def test_no_chinese_page_text_is_left_on_an_english_page(phone: Client, path: str) -> None:
    page = phone.get(path, HTTP_ACCEPT_LANGUAGE="en").content.decode()
    without_names = re.sub(r"简体中文|阜新市|阜政通服务制度（2022年10月版）|《[^》]*》[^<]*", "", page)

    assert re.findall(r"[\u4e00-\u9fff]+", without_names) == []


def test_home_offers_three_ways_to_tell_and_one_to_look(phone: Client) -> None:
    page = phone.get("/").content.decode()
    hotline = load_charters(world.settings.CHARTERS).in_force(NOON).contact("hotline")

    assert page.count('class="button primary door"') + page.count('class="button door"') == 3
    assert f'href="tel:{hotline.number}"' in page
    assert 'href="/find/"' in page


@pytest.mark.parametrize(
    "wanted", ["https://example.org/", "//example.org", "/\\example.org", "javascript:alert(1)", "example", "\r\nX: y"]
)
@pytest.mark.parametrize("switch", ["/elder/", "/lang/"])
def test_a_switch_leads_to_no_other_site(phone: Client, switch: str, wanted: str) -> None:
    answer = phone.post(switch, {"next": wanted, "elder": "1", "language": "en"})

    assert (answer.status_code, answer["Location"]) == (303, "/")


def test_large_letters_and_language_are_kept_and_lead_back(phone: Client) -> None:
    large = phone.post("/elder/", {"next": "/report/?photo=1", "elder": "1"})
    english = phone.post("/language/", {"next": "/find/", "language": "en"})

    assert large["Location"] == "/report/?photo=1" and phone.cookies["elder"].value == "1"
    assert english["Location"] == "/find/"
    assert 'lang="en"' in phone.get("/").content.decode()


def test_the_number_shown_as_an_example_is_one_and_everywhere_the_same(phone: Client) -> None:
    shown = {
        path: re.findall(r"FX\d\d \d{4} [\d ]+\d", phone.get(path).content.decode()) for path in ("/find/", "/design/")
    }
    (example,) = {number for found in shown.values() for number in found}

    assert all(shown.values())
    assert numbers.grouped(numbers.parse(example)) == example


def test_a_switch_is_never_thrown_by_a_look(phone: Client) -> None:
    typed = phone.get("/elder/?elder=1")
    came = phone.get("/language/?language=en", HTTP_REFERER="http://testserver/report/?photo=1")
    elsewhere = phone.get("/elder/", HTTP_REFERER="https://example.org/report/")
    again = phone.get("/elder/", HTTP_REFERER="http://testserver/elder/")

    assert [one.status_code for one in (typed, came, elsewhere, again)] == [303] * 4
    assert [one["Location"] for one in (typed, came, elsewhere, again)] == ["/", "/report/?photo=1", "/", "/"]
    assert "elder" not in phone.cookies and "lang" not in phone.cookies


def test_an_address_that_takes_no_look_says_so_in_the_language_of_the_page(phone: Client) -> None:
    chinese, english = phone.post("/about/"), phone.post("/about/", HTTP_ACCEPT_LANGUAGE="en")

    assert (chinese.status_code, chinese["Allow"]) == (405, "GET, HEAD")
    assert "请从页面上的按钮进去" in chinese.content.decode()
    assert "use the button on its page" in english.content.decode()


def test_what_is_not_ones_own_is_a_page_of_ours_too(noon: Any) -> None:
    answer = get_resolver().resolve_error_handler(403)(RequestFactory().get("/"))

    assert answer.status_code == 403 and 'href="/report/"' in answer.content.decode()


def test_an_address_that_is_not_there_says_what_to_do_next(phone: Client) -> None:
    answer = phone.get("/nowhere/")

    assert answer.status_code == 404
    assert 'href="/find/"' in answer.content.decode() and 'href="/report/"' in answer.content.decode()


def test_a_form_that_is_sent_from_another_site_changes_nothing(noon: Any) -> None:
    answer = Client(enforce_csrf_checks=True).post("/report/", {"text": "x"}, HTTP_ORIGIN="https://example.org")

    assert answer.status_code == 403
    assert "存在您这台手机上" in answer.content.decode()


def test_the_promises_page_says_each_term_of_the_charter_with_its_unit(phone: Client) -> None:
    page = phone.get("/about/").content.decode()
    charter = load_charters(world.settings.CHARTERS).in_force(NOON)

    assert f"{charter.term('finish').length} 个工作日" in page
    assert f"{charter.term('accept', 'critical').length} 分钟" in page


def test_every_public_step_of_the_procedure_has_a_sentence_for_its_teller() -> None:
    said = world.texts().keys("story.")

    assert [step.word for step in catalogue.CATALOGUE.current if step.public and f"story.{step.word}" not in said] == []
