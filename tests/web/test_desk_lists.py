"""Visits, figures, the procedure, and the pages of the three administrators."""

# ruff: noqa: F811 - fixtures of another module are asked for by name
from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fuzhengtong.accounts import models as accounts_models
from fuzhengtong.accounts import queries as accounts_queries
from fuzhengtong.accounts import rules as accounts_rules
from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases.states import State
from fuzhengtong.chain import followers
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import models as directory_models
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.kernel import numbers
from fuzhengtong.mailroom import rules as mailroom_rules
from fuzhengtong.notices import rules as notices_rules
from fuzhengtong.procedure.catalogue import CATALOGUE
from fuzhengtong.web.desk import lines, watching
from tests.builders import City, Told, tell
from tests.conftest import NOON
from tests.web.test_desk_inbox import MOST_STATEMENTS, at
from tests.web.test_desk_sign_in import Sit, noon, sentence, sit  # noqa: F401 - fixtures

GRID = "210902003001901"


@pytest.fixture
def told(noon: Any, city: City, moment: Moment) -> Told:
    return tell(city, moment)


def sat(sit: Sit, city: City, kind: str) -> Client:
    return sit(city.actor(kind, city.desk.office_id, at=NOON))


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


# --- visits and figures --------------------------------------------------------------------------------------------


def test_the_calls_owed_are_listed_with_attempts_and_lead_to_their_form(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.VISITING)
    at(noon, told)
    client = sit(told.by("visitor").by)
    page = text_of(client.get("/desk/visits/"))
    href = re.search(r'class="row-open" href="([^"#]+)', page)
    assert href is not None

    assert "满意回访" in page and "还没打过" in page
    assert 'data-keep="visit"' in client.get(href[1]).content.decode()


def test_an_attempt_is_counted_in_the_list(sit: Sit, noon: Any, told: Told) -> None:
    from tests.web.test_desk_case import send

    told = told.walk_to(State.VISITING)
    at(noon, told)
    client = sit(told.by("visitor").by)
    send(client, told, "attempt", how="phone", outcome="no_answer")

    assert "试过 1 次" in text_of(client.get("/desk/visits/"))


def test_no_calls_owed_says_so(sit: Sit, noon: Any, city: City) -> None:
    assert "都打完了" in text_of(sat(sit, city, "visitor").get("/desk/visits/"))


def test_a_visitor_begins_with_the_calls_he_owes_and_no_queue_counts_them_otherwise(
    sit: Sit, noon: Any, told: Told
) -> None:
    told = told.walk_to(State.VISITING)
    at(noon, told)
    client = sit(told.by("visitor").by)

    first = client.get("/desk/")
    calls = text_of(client.get(first["Location"]))
    inbox = re.search(r'<nav class="bar-nav".*?href="(/desk/\?queue=[a-z]+)"', calls)
    assert inbox is not None
    queues = text_of(client.get(inbox[1]))

    assert (first.status_code, first["Location"]) == (302, "/desk/visits/")
    assert "1 个，先到期的在前" in calls
    assert "待回访" not in queues and "在办的" in queues


def test_every_figure_shows_both_of_its_numbers_and_how_it_is_counted(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.CLOSED)
    at(noon, told)

    page = text_of(sit(told.by("analyst").by).get("/desk/figures/"))

    for words in ("按时办结率", "解决率", "满意率", "1 ÷ 1", "95% 区间", "算在到期的那个月", "三次没联系上"):
        assert words in page
    assert "和平街道" in page


def test_figures_of_an_area_outside_ones_own_do_not_exist(sit: Sit, noon: Any, city: City) -> None:
    county = city.county_centre("210902")
    client = sit(city.actor("analyst", county.office_id, at=NOON))

    own = client.get("/desk/figures/")
    other = client.get(f"/desk/figures/?area={city.area('210903').area_id}")
    none = client.get("/desk/figures/?area=1")

    assert own.status_code == 200
    assert other.status_code == none.status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        "since=2026-13",
        "since=x&until=y",
        "since=2027-01&until=2020-01",
        "area=x",
        "since=9999-12",
        "since=0001-01&until=2199-12",
        "",
    ],
)
def test_a_broken_month_is_no_failure(sit: Sit, noon: Any, city: City, asked: str) -> None:
    assert sat(sit, city, "analyst").get(f"/desk/figures/?{asked}").status_code == 200


def test_the_procedure_shows_every_step_and_every_state(sit: Sit, noon: Any, city: City) -> None:
    page = sat(sit, city, "analyst").get("/desk/procedure/").content.decode()

    for step in CATALOGUE.current:
        assert re.search(rf'<tr id="step-{step.word}"><th scope="row">[^<]*[\u4e00-\u9fff]', page), step.word
    assert "<svg" in page and "待受理" in page


def test_one_of_a_unit_is_singular_in_english_and_nothing_says_both(sit: Sit, noon: Any, city: City) -> None:
    page = text_of(sat(sit, city, "analyst").get("/desk/procedure/", HTTP_ACCEPT_LANGUAGE="en"))

    assert "1 working day" in page and "7 working days" in page
    assert not re.search(r"\b1 (working )?(day|hour|minute)s\b|\(s\)", page)


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_a_notice_is_listed_in_words_and_its_number_in_groups(
    sit: Sit, noon: Any, city: City, told: Told, lang: str
) -> None:
    told = told.walk_to(State.ASSIGNED)
    followers.run("notices", moment=told.moment)
    at(noon, told)

    page = text_of(sat(sit, city, "system_admin").get("/desk/notices/", HTTP_ACCEPT_LANGUAGE=lang))
    plain = re.sub(r"<[^>]+>", " ", page.split("<tbody>")[1].split("</tbody>")[0])

    assert numbers.grouped(told.number) in plain
    assert ("Assigned" if lang == "en" else "交办") in plain
    assert not re.search(r"notice\.|[a-z]_[a-z]", plain)


@pytest.mark.parametrize("lang", ["zh-Hans", "en"])
def test_every_notice_there_is_has_words_for_what_it_is_about_and_for_whom(lang: str) -> None:
    topics = {row.key for row in notices_rules.NOTICES}
    topics |= {notices_rules.DIGEST, notices_rules.UNREACHED, notices_rules.NOBODY}
    unknown = watching.topic_words("notice.nothing.nobody", lang)

    said = {topic: watching.topic_words(topic, lang) for topic in topics}

    assert [topic for topic, words in said.items() if not all(words) or words[0] == unknown[0]] == []
    assert not any(topic in " ".join(words) for topic, words in said.items())


@pytest.mark.parametrize("lang", ["zh-Hans", "en"])
def test_every_way_and_every_outcome_of_a_notice_has_a_word(lang: str) -> None:
    keys = [f"desk.rung.{one.value}" for one in mailroom_rules.Rung]
    keys += [f"desk.parcel.{one.value or 'waiting'}" for one in mailroom_rules.Outcome]
    keys += [f"sign_in.{one.value}" for one in accounts_rules.Outcome]

    assert [key for key in keys if not lines.say(key, lang)] == []


def test_what_changed_last_is_told_by_name_and_never_by_the_id_of_a_row(sit: Sit, noon: Any, city: City) -> None:
    entries = directory_queries.entries(limit=12)

    page = text_of(sat(sit, city, "system_admin").get("/desk/reference/"))
    changes = page.split("最近的改动", 1)[1]

    assert entries and not any(row.row_id in changes for row in entries if len(row.row_id) > 4)
    assert not re.search(r"\b(route|area_alias|calendar_day|category|office|installation)\b", changes)


def test_the_differences_of_a_list_are_said_in_words(sit: Sit, noon: Any, city: City) -> None:
    client = sat(sit, city, "system_admin")
    parent = city.area("210902003001")

    looked = handed_in(client, "/desk/areas/", "grids", f"code,name,parent\n{GRID},益民第九网格,{parent.code}\n")
    plain = re.sub(r"<[^>]+>", " ", text_of(looked).split('id="looked">')[1].split("<form")[0])

    assert re.search(r"名称\s+益民第九网格", plain) and re.search(r"种类\s+网格", plain)
    assert not re.search(r"\b(name|kind|core|suffix|display_name|aliases|grid)\b", plain)


def test_a_handler_has_no_figures(sit: Sit, noon: Any, told: Told) -> None:
    told = told.walk_to(State.ASSIGNED)

    assert sit(told.by("handler").by).get("/desk/figures/").status_code == 404


# --- who may see what ------------------------------------------------------------------------------------------------

PAGES = {
    "/desk/notices/": {"system_admin"},
    "/desk/areas/": {"system_admin"},
    "/desk/reference/": {"system_admin"},
    "/desk/people/": {"security_admin"},
    "/desk/access/": {"audit_admin"},
    "/desk/sign-ins/": {"audit_admin", "security_admin"},
}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_an_administrator_exists_for_him_alone(sit: Sit, noon: Any, city: City, path: str) -> None:
    for kind in ("system_admin", "security_admin", "audit_admin", "dispatcher", "head", "chief_clerk"):
        client = sat(sit, city, kind)
        expected = 200 if kind in PAGES[path] else 404
        client.get(path)

        with CaptureQueriesContext(connection) as made:
            answer = client.get(path)

        assert answer.status_code == expected, kind
        assert len(made) <= MOST_STATEMENTS


def test_an_opening_is_seen_by_the_auditor_with_its_reason(sit: Sit, noon: Any, city: City, told: Told) -> None:
    told = told.walk_to(State.WORKING)
    cases_actions.opened(appeal_id=told.appeal_id, moment=told.by("handler"), reason="要上门看灯")

    page = text_of(sat(sit, city, "audit_admin").get("/desk/access/"))

    assert "要上门看灯" in page and "海州区" in page
    assert "13800000001" not in page and "示例王" not in page


# --- who came in -----------------------------------------------------------------------------------------------------

# A day of the city on which nothing else happened, and the one after it.
QUIET, NEXT = "2025-03-05", "2025-03-06"
MORNING = datetime(2025, 3, 5, 1, 0, tzinfo=UTC)


def lines_of(page: str) -> list[tuple[str, str]]:
    """Return login and outcome of every line that the list of sign-ins shows; no login for one that nobody has."""
    found = []
    for row in page.split("<tr>")[2:]:
        login = re.search(r'<a class="code"[^>]*>([^<]+)</a>', row)
        outcome = re.search(r'<td(?: class="late")?>(?:▲ )?([^<]+)</td><td class="number">', row)
        found.append((login[1] if login else "", outcome[1].strip() if outcome else ""))
    return found


def log(moment: Moment, login: str, outcome: str, at: datetime) -> None:
    owner = accounts_models.Principal.objects.filter(login=login).values_list("id", flat=True).first()
    accounts_models.SignIn.objects.create(
        id=moment.mint.id(), at=at, login=login, principal_id=owner, outcome=outcome, address="192.0.2.9"
    )


@pytest.fixture
def logged(noon: Any, city: City, moment: Moment) -> None:
    log(moment, "city-centre.analyst", "wrong", MORNING)
    log(moment, "city-centre.analyst", "signed_in", MORNING + timedelta(hours=2))
    log(moment, "?0123456789abcdef", "wrong", MORNING + timedelta(hours=3))
    # 23:30 and 00:30 in the city: the day ends by its clock and not by Greenwich's.
    log(moment, "210902-zjj.handler", "signed_in", datetime(2025, 3, 5, 15, 30, tzinfo=UTC))
    log(moment, "210902-zjj.handler", "password_changed", datetime(2025, 3, 5, 16, 30, tzinfo=UTC))


def test_all_sign_ins_stand_in_one_list_the_newest_first(sit: Sit, city: City, logged: None) -> None:
    page = text_of(sat(sit, city, "audit_admin").get(f"/desk/sign-ins/?day={QUIET}"))

    assert lines_of(page) == [
        ("210902-zjj.handler", "登录"),
        ("", "账号或密码不对"),
        ("city-centre.analyst", "登录"),
        ("city-centre.analyst", "账号或密码不对"),
    ]
    assert "2025-03-05 23:30" in page and "192.0.2.9" in page
    assert "0123456789abcdef" not in page and "没有这个账号" in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (f"day={NEXT}", [("210902-zjj.handler", "本人改密码")]),
        (f"day={QUIET}&outcome=wrong", [("", "账号或密码不对"), ("city-centre.analyst", "账号或密码不对")]),
        (f"day={QUIET}&outcome=wrong&login=city-centre.analyst", [("city-centre.analyst", "账号或密码不对")]),
        (f"day={QUIET}&login=City-Centre.Analyst ", [("city-centre.analyst", "登录"), ("city-centre.analyst", "账号或密码不对")]),
        ("login=210902-zjj.handler&outcome=password_changed", [("210902-zjj.handler", "本人改密码")]),
    ],
)  # fmt: skip
def test_sign_ins_are_narrowed_by_account_outcome_and_day(
    sit: Sit, city: City, logged: None, asked: str, found: list[tuple[str, str]]
) -> None:
    page = text_of(sat(sit, city, "audit_admin").get(f"/desk/sign-ins/?{asked}"))

    assert lines_of(page) == found
    assert "去掉筛选" in page


@pytest.mark.parametrize(
    ("asked", "said"),
    [("login=nobody", "没有这个登录名"), ("day=2024-02-29", "筛选以后没有了"), ("outcome=locked&day=2024-02-29", "筛选以后没有了")],
)  # fmt: skip
def test_nothing_found_says_why_and_leads_back_to_all(sit: Sit, noon: Any, city: City, asked: str, said: str) -> None:
    page = text_of(sat(sit, city, "security_admin").get(f"/desk/sign-ins/?{asked}"))

    assert said in page and 'href="/desk/sign-ins/"' in page


@pytest.mark.parametrize(
    "asked",
    ["day=2025-13-40", "day=0001-01-01", "day=9999-12-31", "outcome=nothing", "login=%00", "after=x", "after=_", "after=2025_1",
     "after=2025-03-05T00:00:00%2B00:00_99999999999999999999", "after=0001-01-01T00:00:00%2B14:00_1"],
)  # fmt: skip
def test_a_broken_question_about_sign_ins_is_no_failure(sit: Sit, noon: Any, city: City, asked: str) -> None:
    assert sat(sit, city, "audit_admin").get(f"/desk/sign-ins/?{asked}").status_code == 200


def test_the_list_of_sign_ins_goes_on_by_key_and_shows_each_line_once(
    sit: Sit, noon: Any, city: City, moment: Moment
) -> None:
    # Many at the very same instant: a key of the instant alone would lose some.
    for n in range(2 * watching.PAGE + 7):
        log(moment, "city-centre.analyst", "signed_in" if n % 2 else "wrong", MORNING + timedelta(minutes=n // 40))
    client = sat(sit, city, "audit_admin")
    path, pages = f"/desk/sign-ins/?login=city-centre.analyst&day={QUIET}", []
    costs = set()
    while path:
        with CaptureQueriesContext(connection) as made:
            page = client.get(path).content.decode()
        costs.add(len(made))
        pages.append(lines_of(page))
        following = re.search(r'href="([^"]+)" rel="next"', page)
        path = html.unescape(following[1]) if following else ""

    assert [len(one) for one in pages] == [watching.PAGE, watching.PAGE, 7]
    whole = [line for one in pages for line in one]
    assert sum(word == "登录" for _login, word in whole) == watching.PAGE + 3
    assert max(costs) <= MOST_STATEMENTS


def test_what_happens_at_the_door_reaches_the_list_at_once(sit: Sit, noon: Any, city: City) -> None:
    client = sat(sit, city, "audit_admin")
    client.post("/desk/sign-in/", {"login": "city-centre.analyst", "password": "wrong and wrong"})

    page = text_of(client.get("/desk/sign-ins/?login=city-centre.analyst&outcome=wrong"))

    assert lines_of(page) == [("city-centre.analyst", "账号或密码不对")]


# --- people and posts ------------------------------------------------------------------------------------------------


def made_person(client: Client, login: str = "newcomer") -> tuple[int, str]:
    page = text_of(client.post("/desk/people/", {"login": login, "name": "新示例"}))
    password = re.search(r'slip-number code">([a-z2-7-]+)<', page)
    found = accounts_queries.person_by_login(login)
    assert password is not None and found is not None
    return found.principal_id, password[1]


def free_post(city: City, kind: str) -> int:
    post = directory_models.Post.objects.filter(office_id=city.desk.office_id, kind=kind).order_by("id")[0]
    directory_models.Tenure.objects.filter(post=post).delete()
    return int(post.id)


def test_a_newcomer_gets_a_password_nobody_chose_and_a_post(sit: Sit, noon: Any, city: City) -> None:
    client = sat(sit, city, "security_admin")
    principal_id, password = made_person(client)
    answer = client.post(f"/desk/people/{principal_id}/", {"do": "hold", "post": str(free_post(city, "visitor"))})
    newcomer = Client(HTTP_ACCEPT_LANGUAGE="zh-CN")

    came = newcomer.post("/desk/sign-in/", {"login": "newcomer", "password": password})

    assert answer.status_code == 303
    assert came.status_code == 303
    assert "回访岗" in newcomer.get("/desk/", follow=True).content.decode()


@pytest.mark.parametrize("name", ["", "   ", "\u3000\u200b", "\0", "\x01\u202e"])
def test_a_newcomer_without_a_name_is_refused_in_words(sit: Sit, noon: Any, city: City, name: str) -> None:
    answer = sat(sit, city, "security_admin").post("/desk/people/", {"login": "newcomer", "name": name})

    assert answer.status_code == 422
    assert "还没有写姓名" in sentence(answer)
    assert 'value="newcomer"' in answer.content.decode()
    assert accounts_queries.person_by_login("newcomer") is None


def test_small_texts_of_the_people_page_are_kept_without_what_cannot_be_stored_or_seen(
    sit: Sit, noon: Any, city: City
) -> None:
    client = sat(sit, city, "security_admin")
    client.post("/desk/people/", {"login": "newcomer", "name": "新\0示\u202e例\n二"})
    found = accounts_queries.person_by_login("newcomer")
    assert found is not None
    post = str(free_post(city, "visitor"))

    held = client.post(f"/desk/people/{found.principal_id}/", {"do": "hold", "post": post, "reason": "接\0班"})
    left = client.post(f"/desk/people/{found.principal_id}/", {"do": "leave", "post": post, "reason": "调\0走\x1b"})

    assert found.name == "新示例 二"
    assert (held.status_code, left.status_code) == (303, 303)


def test_two_of_the_three_administrators_are_never_one_person(sit: Sit, noon: Any, city: City) -> None:
    client = sat(sit, city, "security_admin")
    principal_id, _password = made_person(client)
    client.post(f"/desk/people/{principal_id}/", {"do": "hold", "post": str(free_post(city, "system_admin"))})

    answer = client.post(f"/desk/people/{principal_id}/", {"do": "hold", "post": str(free_post(city, "audit_admin"))})

    assert answer.status_code == 422
    assert "必须由三个人担任" in sentence(answer)
    assert len(directory_queries.posts_of(principal_id, at=NOON)) <= 1


def test_a_post_that_somebody_holds_is_refused_and_one_that_does_not_exist_is_not_found(
    sit: Sit, noon: Any, city: City
) -> None:
    client = sat(sit, city, "security_admin")
    principal_id, _password = made_person(client)
    held = city.actor("dispatcher", city.desk.office_id, at=NOON).post

    taken = client.post(f"/desk/people/{principal_id}/", {"do": "hold", "post": str(held)})
    nothing = client.post(f"/desk/people/{principal_id}/", {"do": "hold", "post": "1"})
    nobody = client.get("/desk/people/1/")

    assert taken.status_code == 422 and sentence(taken)
    assert nothing.status_code == nobody.status_code == 404


def test_a_closed_account_and_a_post_left_act_at_once(sit: Sit, noon: Any, city: City) -> None:
    client = sat(sit, city, "security_admin")
    principal_id, password = made_person(client)
    post = str(free_post(city, "visitor"))
    client.post(f"/desk/people/{principal_id}/", {"do": "hold", "post": post})
    newcomer = Client(HTTP_ACCEPT_LANGUAGE="zh-CN")
    newcomer.post("/desk/sign-in/", {"login": "newcomer", "password": password})
    assert newcomer.get("/desk/visits/").status_code == 200

    client.post(f"/desk/people/{principal_id}/", {"do": "disable"})
    closed = newcomer.get("/desk/visits/").status_code
    twice = client.post(f"/desk/people/{principal_id}/", {"do": "disable"})
    client.post(f"/desk/people/{principal_id}/", {"do": "enable"})
    client.post(f"/desk/people/{principal_id}/", {"do": "leave", "post": post})

    assert closed == 302
    assert twice.status_code == 409
    assert newcomer.post("/desk/sign-in/", {"login": "newcomer", "password": password}).status_code == 422


def test_a_reset_gives_another_password_and_leaves_the_second_factor(sit: Sit, noon: Any, city: City) -> None:
    client = sat(sit, city, "security_admin")
    principal_id, first = made_person(client)

    page = text_of(client.post(f"/desk/people/{principal_id}/", {"do": "reset"}))

    second = re.search(r'slip-number code">([a-z2-7-]+)<', page)
    assert second is not None and second[1] != first


# --- lists -----------------------------------------------------------------------------------------------------------


def handed_in(client: Client, path: str, kind: str, text: str, name: str = "list.csv") -> Any:
    return client.post(path, {"kind": kind, "sheet": SimpleUploadedFile(name, text.encode())})


def confirmed(client: Client, path: str, page: str) -> Any:
    form = page.split('name="do" value="apply"')[0].rsplit("<form", 1)[1] + page.split('name="do" value="apply"')[1]
    fields = dict(re.findall(r'name="(kind|name|carried)" value="([^"]*)"', form.split("</form>")[0]))
    return client.post(path, {"do": "apply", **{name: html.unescape(value) for name, value in fields.items()}})


def test_a_list_of_grids_is_shown_as_differences_first_and_changes_the_city_second(
    sit: Sit, noon: Any, city: City
) -> None:
    client = sat(sit, city, "system_admin")
    parent = city.area("210902003001")
    listed = f"code,name,parent\n{GRID},益民第九网格,{parent.code}\n"

    looked = handed_in(client, "/desk/areas/", "grids", listed)
    page = looked.content.decode()
    before = directory_queries.area_by_code(GRID)
    done = confirmed(client, "/desk/areas/", page)
    again = handed_in(client, "/desk/areas/", "grids", listed)

    assert looked.status_code == 200 and "益民第九网格" in page and "还没有改" in page
    assert before is None
    assert done.status_code == 200 and "改好了" in done.content.decode()
    assert directory_queries.area_by_code(GRID) is not None
    assert "没有要改的" in again.content.decode()
    assert "益民第九网格" in text_of(client.get(f"/desk/areas/?area={parent.area_id}"))


def test_every_bad_row_is_shown_and_nothing_is_changed(sit: Sit, noon: Any, city: City) -> None:
    client = sat(sit, city, "system_admin")
    listed = f"code,name,parent\n{GRID},甲,999999999999\nxx,乙,210902003001\n,丙,\n"

    answer = handed_in(client, "/desk/areas/", "grids", listed)
    page = text_of(answer)

    assert answer.status_code == 422
    rows = set(re.findall(r'<td class="figure">(\d)</td>', page))
    assert {"3", "4"} <= rows
    assert 'value="apply"' not in page
    assert directory_queries.area_by_code(GRID) is None


@pytest.mark.parametrize("kind", ["categories", "routes", "offices", "calendar"])
def test_a_file_that_is_no_list_is_refused_in_words(sit: Sit, noon: Any, city: City, kind: str) -> None:
    client = sat(sit, city, "system_admin")

    nonsense = handed_in(client, "/desk/reference/", kind, "\x00\x01 no list")
    nothing = client.post("/desk/reference/", {"kind": kind})
    forged = client.post("/desk/reference/", {"kind": kind, "do": "apply", "carried": "@@@"})

    assert nonsense.status_code == 422 and "处不对" in nonsense.content.decode()
    assert nothing.status_code == forged.status_code == 422
    assert sentence(nothing)


def test_a_kind_of_list_of_another_page_does_not_exist(sit: Sit, noon: Any, city: City) -> None:
    client = sat(sit, city, "system_admin")

    assert handed_in(client, "/desk/areas/", "calendar", "{}").status_code == 404
    assert handed_in(client, "/desk/reference/", "nothing", "{}").status_code == 404


def test_a_year_that_is_not_announced_is_said_to_be_so(sit: Sit, noon: Any, city: City) -> None:
    page = text_of(sat(sit, city, "system_admin").get("/desk/reference/"))

    assert re.search(r"<b>2027</b><span class=\"warn\">未公布", page)
    assert re.search(r"<b>2026</b><span class=\"good\">✓ 已公布", page)


# --- addresses that nobody gave out --------------------------------------------------------------------------------

ODD = (
    "²",
    "٣",
    "-1",
    "9" * 19,
    "0001-01-01T00:00:00+23:00_5",
    "9999-12-31T23:59:59-23:00_5",
    "2026-01-01T00:00_²",
    "x",
)
ODD_ADDRESSES = [
    ("dispatcher", "/desk/", {"queue": "open"}, "town"),
    ("dispatcher", "/desk/", {"queue": "open"}, "after"),
    ("handler", "/desk/", {"queue": "done"}, "after"),
    ("dispatcher", "/desk/figures/", {}, "area"),
    ("dispatcher", "/desk/dispatch/{number}/", {}, "area"),
    ("dispatcher", "/desk/dispatch/{number}/", {}, "category"),
    ("dispatcher", "/desk/dispatch/{number}/", {}, "office"),
    ("system_admin", "/desk/areas/", {}, "area"),
    ("system_admin", "/desk/notices/", {}, "before"),
    ("system_admin", "/desk/notices/", {"kind": watching.GIVEN_UP}, "before"),
    ("security_admin", "/desk/people/", {}, "office"),
    ("audit_admin", "/desk/access/", {}, "before"),
    ("audit_admin", "/desk/sign-ins/", {}, "after"),
]


@pytest.mark.parametrize(("kind", "address", "asked", "name"), ODD_ADDRESSES)
def test_an_address_typed_wrong_is_a_first_page_or_not_found(
    sit: Sit, city: City, told: Told, kind: str, address: str, asked: dict[str, str], name: str
) -> None:
    client = sat(sit, city, kind)
    page = address.format(number=told.number)
    assert client.get(page, asked).status_code == 200
    for odd in ODD:
        answer = client.get(page, {**asked, name: odd})
        assert answer.status_code in {200, 404}, odd
