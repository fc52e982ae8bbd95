"""Importing offices, people and posts: all or nothing, dated, and never two administrations in one hand."""

import pytest
from django.db import IntegrityError, transaction

from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import actions, models, queries
from fuzhengtong.kernel.errors import AlreadyDone
from tests.actions.directory_lists import (
    DAY,
    OFFICES,
    POSTS,
    SINCE,
    area,
    areas,
    at,
    codes,
    empty,
    office,
    people,
    post,
    sheet,
    small_city,
    told,
    whole,
)


@pytest.fixture(autouse=True)
def nothing_yet(db: None) -> None:
    empty()


def holders(office_code: str, moment: Moment) -> dict[str, str]:
    rows = queries.posts_in(office(office_code), at=moment.at)
    return {row.kind: row.holder[1].removesuffix("（示例）") if row.holder else "" for row in rows}


def test_offices_stand_below_each_other_in_their_areas_with_their_functions(moment: Moment) -> None:
    areas(moment)

    report = whole(actions.import_offices(sheet=sheet(OFFICES), moment=moment, apply=True, since=SINCE))

    assert report.applied
    heat = queries.office_by_code("heat-east")
    assert heat is not None
    assert (heat.parent_id, heat.area_id, heat.active_from) == (office("east"), area("900001"), SINCE)
    assert queries.functions_of(heat.office_id) == ("供热",)
    assert [row.code for row in queries.offices(at=moment.at, function="供热")] == ["heat-city", "heat-east"]
    assert [row.code for row in queries.offices(kind="centre", level="county")] == ["east"]
    found = queries.offices_by_function(["供热"], area_ids=[area("900001"), area("9000")], at=moment.at)
    assert found == {("供热", area("900001")): heat.office_id, ("供热", area("9000")): office("heat-city")}


def test_the_same_offices_handed_in_twice_change_nothing(moment: Moment) -> None:
    small_city(moment)

    again = actions.import_offices(sheet=sheet(OFFICES), moment=moment, apply=True)

    assert (again.is_different, again.unchanged) == (False, 5)


def test_every_office_that_does_not_fit_is_named_and_nothing_is_changed(moment: Moment) -> None:
    areas(moment)
    text = OFFICES + (
        "a,甲,甲,bureau,nobody,9000,city,,\n"
        "b,乙,乙,bureau,,9999,city,,\n"
        "c,丙,丙,bureau,,900001,city,,\n"
        "d,丁,丁,bureau,e,9000,city,,\n"
        "e,戊,戊,bureau,d,9000,city,,\n"
    )

    report = actions.import_offices(sheet=sheet(text), moment=moment, apply=True)

    assert told(report.errors) == [
        (7, "parent", "import.parent_unknown"),
        (8, "area", "import.area_unknown"),
        (9, "level", "import.level_against_area"),
        (10, "parent", "import.circle"),
        (11, "parent", "import.circle"),
    ]
    assert models.Office.objects.count() == 0


def test_an_office_that_stands_twice_hides_no_fault_of_the_earlier_row(moment: Moment) -> None:
    areas(moment)
    text = OFFICES + (
        "a,甲,甲,bureau,,9000,county,,\n"
        "a,甲,甲,bureau,,9000,city,,\n"
        "b,乙,乙,bureau,b,9000,city,,\n"
        "b,乙,乙,bureau,,9000,city,,\n"
    )

    report = actions.import_offices(sheet=sheet(text), moment=moment, apply=True)

    assert told(report.errors) == [
        (7, "level", "import.level_against_area"),
        (8, "code", "import.twice"),
        (9, "parent", "import.circle"),
        (10, "code", "import.twice"),
    ]


def test_a_cell_that_is_wrong_in_itself_is_named_once(moment: Moment) -> None:
    areas(moment)

    report = actions.import_offices(
        sheet=sheet(OFFICES + "a,甲,甲,bureau,,,city,,\nb,乙,乙,bureau,a b,900001,heaven,,\n"),
        moment=moment,
        apply=True,
    )

    assert told(report.errors) == [
        (7, "area", "import.empty"),
        (8, "level", "import.not_one_of"),
        (8, "parent", "import.not_a_code"),
    ]


def test_a_circle_that_closes_through_an_office_that_stands_is_refused(moment: Moment) -> None:
    small_city(moment)
    heading, desk = OFFICES.splitlines()[:2]

    report = actions.import_offices(
        sheet=sheet(f"{heading}\n{desk.replace('centre,,9000', 'centre,heat-east,9000')}\n"), moment=moment, apply=True
    )

    assert told(report.errors) == [(2, "parent", "import.circle")]


def test_a_changed_office_is_told_apart_from_a_moved_and_a_merged_one(moment: Moment) -> None:
    small_city(moment)
    text = (
        "code,name,short,kind,parent,area,level,functions,duty_phone,active_to,succeeded_by\n"
        "heat-city,示例市供热服务中心,市供热办,bureau,desk,9000,city,供热|供水,,,\n"
        "bank,河岸街道办事处,河岸街道,town,desk,900001001,town,属地街道(乡镇),,,\n"
        "heat-east,东区供热办,东区供热办,bureau,east,900001,county,供热,,2026-11-01,heat-city\n"
    )

    report = whole(actions.import_offices(sheet=sheet(text), moment=moment, apply=True))

    assert codes(report.changed) == {"heat-city"}
    assert codes(report.moved) == {"bank"}
    assert codes(report.closed) == {"heat-east"}
    assert queries.functions_of(office("heat-city")) == ("供水", "供热")
    (entry,) = queries.entries(table="office", row_id=office("heat-city"), limit=1)
    assert entry.before == {"name": "示例市供热办", "functions": ["供热"]}


def test_only_a_list_that_says_it_is_complete_closes_the_offices_it_leaves_out(moment: Moment) -> None:
    small_city(moment)
    shorter = sheet("\n".join(line for line in OFFICES.splitlines() if not line.startswith("bank")))

    partial = actions.import_offices(sheet=shorter, moment=moment, apply=False)
    complete = actions.import_offices(sheet=shorter, moment=moment, apply=False, complete=True)

    assert partial.closed == ()
    assert codes(complete.closed) == {"bank"}


def test_people_of_a_list_are_let_in_once(moment: Moment) -> None:
    text = sheet("login,name,is_made\nanna,安娜（示例）,1\nBert,伯特（示例）,1\n")

    first = whole(actions.import_people(sheet=text, password_hash="", moment=moment, apply=True))
    second = whole(actions.import_people(sheet=text, password_hash="", moment=moment, apply=True))
    wrong = actions.import_people(sheet=sheet("login,name\nx,甲\n"), password_hash="", moment=moment, apply=True)

    assert codes(first.added) == {"anna", "bert"}
    assert (second.is_different, second.unchanged) == (False, 2)
    assert told(wrong.errors) == [(2, "login", "import.not_a_login")]


def test_posts_have_their_holders_and_deputies_from_the_day_the_list_says(moment: Moment) -> None:
    ids = small_city(moment)

    (held,) = queries.posts_of(ids["heat-one"], at=moment.at)
    (stood_in,) = queries.posts_of(ids["heat-two"], at=moment.at)

    assert (held.kind, held.office_name, held.deputy, held.active_from) == ("handler", "东区供热办", False, SINCE)
    assert stood_in.deputy
    assert queries.posts_of(ids["heat-one"], at=SINCE - DAY) == ()


def test_a_new_holder_ends_the_tenure_of_the_old_one(moment: Moment) -> None:
    ids = small_city(moment)

    report = whole(
        actions.import_posts(
            sheet=sheet(POSTS.replace("heat-one,heat-two", "heat-two,heat-one")), moment=moment, apply=True
        )
    )

    assert codes(report.changed) == {"heat-east handler 承办岗"}
    assert holders("heat-east", moment)["handler"] == "heat-two"
    assert not queries.posts_of(ids["heat-one"], at=moment.at - DAY)[0].deputy
    assert queries.posts_of(ids["heat-one"], at=moment.at)[0].deputy


def test_a_list_that_is_silent_about_holders_leaves_them(moment: Moment) -> None:
    small_city(moment)

    report = actions.import_posts(
        sheet=sheet("office,kind,name\nheat-east,handler,承办岗\n"), moment=moment, apply=True
    )

    assert not report.is_different
    assert holders("heat-east", moment)["handler"] == "heat-one"


def test_a_closed_post_is_held_by_nobody_and_may_open_again(moment: Moment) -> None:
    small_city(moment)
    line = "office,kind,name,holder,deputies,active_to\nheat-east,handler,承办岗,heat-one,heat-two,{}\n"

    closed = whole(actions.import_posts(sheet=sheet(line.format("2026-11-01")), moment=moment, apply=True))
    again = actions.import_posts(sheet=sheet(line.format("2026-11-01")), moment=moment, apply=True)
    while_closed = holders("heat-east", moment)
    opened = whole(actions.import_posts(sheet=sheet(line.format("")), moment=moment, apply=True))

    assert codes(closed.closed) == {"heat-east handler 承办岗"}
    assert not again.is_different
    assert "handler" not in while_closed
    assert codes(opened.changed) == {"heat-east handler 承办岗"}
    assert holders("heat-east", moment)["handler"] == "heat-one"


def test_a_post_that_stands_twice_hides_no_fault_of_the_earlier_row(moment: Moment) -> None:
    small_city(moment)
    text = (
        "office,kind,name,holder\n"
        "bank,handler,承办岗,ghost\n"
        "bank,handler,承办岗,heat-two\n"
        "desk,system_admin,系统岗,anna.ghost\n"
        "desk,security_admin,安全岗,bert.ghost\n"
        "desk,system_admin,甲岗,heat-one\n"
        "desk,security_admin,乙岗,heat-one\n"
        "desk,security_admin,乙岗,heat-two\n"
    )

    report = actions.import_posts(sheet=sheet(text), moment=moment, apply=True)

    assert told(report.errors) == [
        (2, "holder", "import.login_unknown"),
        (3, "name", "import.twice"),
        (4, "holder", "import.login_unknown"),
        (5, "holder", "import.login_unknown"),
        (7, "holder", "import.admin_posts_apart"),
        (8, "name", "import.twice"),
    ]


def test_every_post_that_does_not_fit_is_named_and_nothing_is_changed(moment: Moment) -> None:
    small_city(moment)
    before = models.Tenure.objects.count()
    text = (
        "office,kind,name,holder,deputies\n"
        "nowhere,head,负责人岗,desk-head,\n"
        "bank,handler,承办岗,stranger,\n"
        "bank,reviewer,审核岗,bank-head,bank-head\n"
    )

    report = actions.import_posts(sheet=sheet(text), moment=moment, apply=True)

    assert told(report.errors) == [
        (2, "office", "import.office_unknown"),
        (3, "holder", "import.login_unknown"),
        (4, "deputies", "import.holder_is_deputy"),
    ]
    assert models.Tenure.objects.count() == before


def test_a_list_cannot_put_two_administrations_into_one_hand(moment: Moment) -> None:
    ids = small_city(moment)
    one = "office,kind,name,holder\ndesk,system_admin,系统管理员,desk-head\n"
    whole(actions.import_posts(sheet=sheet(one), moment=moment, apply=True))

    within = actions.import_posts(
        sheet=sheet("office,kind,name,holder\ndesk,audit_admin,审计,heat-one\ndesk,security_admin,安全,heat-one\n"),
        moment=moment,
        apply=True,
    )
    against = actions.import_posts(
        sheet=sheet("office,kind,name,holder\ndesk,audit_admin,审计,desk-head\n"), moment=moment, apply=True
    )
    silent = actions.import_posts(
        sheet=sheet(
            "office,kind,name,holder\ndesk,audit_admin,审计,desk-head\ndesk,system_admin,系统管理员,heat-one\n"
        ),
        moment=moment,
        apply=False,
    )

    assert told(within.errors) == [(3, "holder", "import.admin_posts_apart")]
    assert told(against.errors) == [(2, "holder", "import.admin_posts_apart")]
    assert silent.errors == ()
    assert len(queries.posts_of(ids["desk-head"], at=moment.at)) == 2


def test_the_city_is_founded_once_and_keeps_its_code(moment: Moment) -> None:
    small_city(moment)
    told_now = {"letters": "SL", "name": "示例市", "city_area_id": area("9000"), "desk_office_id": office("east")}

    actions.found_city(code="90", moment=moment, **told_now)  # type: ignore[arg-type]

    found = queries.city()
    assert found is not None
    assert (found.code, found.desk_office_id) == ("90", office("east"))
    with pytest.raises(AlreadyDone):
        actions.found_city(code="91", moment=moment, **told_now)  # type: ignore[arg-type]
    with pytest.raises(AlreadyDone):
        actions.found_city(code="90", moment=moment, **told_now)  # type: ignore[arg-type]


def test_the_database_itself_keeps_two_holders_from_one_post(moment: Moment) -> None:
    ids = small_city(moment)
    facts = {"post_id": post("bank", "head"), "principal_id": ids["heat-one"], "deputy": False}

    with pytest.raises(IntegrityError, match="tenure_one_holder"), transaction.atomic():
        models.Tenure.objects.create(id=moment.mint.id(), active_from=moment.at, **facts)


def test_the_database_itself_keeps_one_person_from_holding_a_post_twice(moment: Moment) -> None:
    ids = small_city(moment)
    facts = {"post_id": post("bank", "head"), "principal_id": ids["bank-head"], "deputy": True}

    with pytest.raises(IntegrityError, match="tenure_person_once"), transaction.atomic():
        models.Tenure.objects.create(id=moment.mint.id(), active_from=moment.at, **facts)


def test_a_list_handed_in_later_leaves_what_held_before_to_be_seen(moment: Moment) -> None:
    small_city(moment)
    people(moment, ["new-head"])
    later = at(moment, moment.at + 30 * DAY)

    whole(actions.import_posts(sheet=sheet(POSTS.replace("bank-head", "new-head")), moment=later, apply=True))

    assert holders("bank", moment)["head"] == "bank-head"
    assert holders("bank", later)["head"] == "new-head"
