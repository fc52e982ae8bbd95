"""Who answers for an office: in one order, at one instant, and never nobody while the desk is held."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from fuzhengtong.accounts import actions as accounts_actions
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import actions, models, queries, rules
from fuzhengtong.kernel.errors import AlreadyDone
from tests.actions.directory_lists import DAY, OFFICES, SINCE, at, empty, office, people, post, sheet, small_city, whole


@pytest.fixture
def city(db: None, moment: Moment) -> dict[str, int]:
    empty()
    return small_city(moment)


def asked(office_code: str, kind: str, moment: Moment) -> list[tuple[str, str]]:
    names = {row.id: row.login for row in models.Tenure._meta.get_field("principal").related_model.objects.all()}
    found = queries.who_answers(office_id=office(office_code), post_kind=kind, at=moment.at)
    return [(names[one.principal_id], one.how) for one in found]


def test_holder_deputy_head_and_the_duty_posts_above_answer_in_this_order(city: dict[str, int], moment: Moment) -> None:
    assert asked("heat-east", "handler", moment) == [
        ("heat-one", "holder"),
        ("heat-two", "deputy"),
        ("heat-head", "head"),
        ("east-duty", "superior"),
        ("east-night", "superior"),
        ("desk-duty", "superior"),
    ]


def test_an_absent_person_is_passed_over_until_he_is_back(city: dict[str, int], moment: Moment) -> None:
    away = actions.record_absence(
        principal_id=city["heat-one"], since=moment.at, until=moment.at + 3 * DAY, moment=moment, reason="出差"
    )

    assert asked("heat-east", "handler", moment)[0] == ("heat-two", "deputy")
    assert asked("heat-east", "handler", at(moment, moment.at + 3 * DAY))[0] == ("heat-one", "holder")
    actions.end_absence(absence_id=away, moment=at(moment, moment.at + DAY))
    assert asked("heat-east", "handler", at(moment, moment.at + DAY))[0] == ("heat-one", "holder")
    with pytest.raises(AlreadyDone):
        actions.end_absence(absence_id=away, moment=at(moment, moment.at + 2 * DAY))


def test_an_absence_without_an_end_goes_on(city: dict[str, int], moment: Moment) -> None:
    actions.record_absence(principal_id=city["heat-one"], since=moment.at, moment=moment)

    assert asked("heat-east", "handler", at(moment, moment.at + 400 * DAY))[0] == ("heat-two", "deputy")


def test_an_absence_without_an_instant_is_refused(city: dict[str, int], moment: Moment) -> None:
    with pytest.raises(actions.EndsBeforeItBegins):
        actions.record_absence(principal_id=city["heat-one"], since=moment.at, until=moment.at, moment=moment)


def test_a_vacant_post_falls_to_the_head_and_then_upwards(city: dict[str, int], moment: Moment) -> None:
    for person in ("heat-one", "heat-two"):
        actions.leave_post(post_id=post("heat-east", "handler"), principal_id=city[person], moment=moment)

    assert asked("heat-east", "handler", moment)[0] == ("heat-head", "head")
    actions.leave_post(post_id=post("heat-east", "head"), principal_id=city["heat-head"], moment=moment)
    assert asked("heat-east", "handler", moment)[0] == ("east-duty", "superior")


def test_a_closed_account_answers_no_more(city: dict[str, int], moment: Moment) -> None:
    accounts_actions.disable_principal(principal_id=city["heat-one"], moment=moment)

    assert asked("heat-east", "handler", moment)[0] == ("heat-two", "deputy")


def test_the_desk_is_asked_last_even_by_an_office_that_stands_below_nothing(
    city: dict[str, int], moment: Moment
) -> None:
    lonely = "lonely,孤单位,孤单位,bureau,,9000,city,,\n"
    whole(actions.import_offices(sheet=sheet(OFFICES.splitlines()[0] + "\n" + lonely), moment=moment, apply=True))

    assert asked("lonely", "handler", moment) == [("desk-duty", "superior")]


def test_a_person_in_several_places_of_the_order_stands_in_the_first(city: dict[str, int], moment: Moment) -> None:
    actions.hold_post(post_id=post("heat-east", "handler"), principal_id=city["east-duty"], deputy=True, moment=moment)

    names = [name for name, _ in asked("heat-east", "handler", moment)]

    assert names.count("east-duty") == 1
    assert names.index("east-duty") < names.index("heat-head")


def test_the_successor_of_a_merged_office_answers_in_its_place(city: dict[str, int], moment: Moment) -> None:
    people(moment, ["city-heat"])
    whole(
        actions.import_posts(
            sheet=sheet("office,kind,name,holder\nheat-city,handler,承办岗,city-heat\n"), moment=moment, apply=True
        )
    )
    merged = (
        "code,name,short,kind,parent,area,level,functions,duty_phone,active_to,succeeded_by\n"
        "heat-east,东区供热办,东区供热办,bureau,east,900001,county,供热,,2026-11-01,heat-city\n"
    )
    whole(actions.import_offices(sheet=sheet(merged), moment=moment, apply=True))
    for kind, person in (("handler", "heat-one"), ("handler", "heat-two"), ("head", "heat-head")):
        actions.leave_post(post_id=post("heat-east", kind), principal_id=city[person], moment=moment)

    assert asked("heat-east", "handler", moment) == [("city-heat", "holder"), ("desk-duty", "superior")]


def test_a_tenure_ends_with_the_instant_it_names(city: dict[str, int], moment: Moment) -> None:
    end = moment.at + DAY
    actions.leave_post(post_id=post("bank", "head"), principal_id=city["bank-head"], at=end, moment=moment)

    assert asked("bank", "head", moment)[0] == ("bank-head", "holder")
    assert asked("bank", "head", at(moment, end))[0] == ("east-duty", "superior")


def test_before_anybody_held_anything_nobody_answers(city: dict[str, int], moment: Moment) -> None:
    assert asked("heat-east", "handler", at(moment, SINCE - DAY)) == []


def test_many_questions_cost_one_statement_and_get_the_same_answers(city: dict[str, int], moment: Moment) -> None:
    pairs = [(row.id, kind) for row in models.Office.objects.all() for kind in rules.PostKind]

    with CaptureQueriesContext(connection) as statements:
        many = queries.who_answers_many([*pairs, pairs[0]], at=moment.at)

    assert len(statements) == 1
    assert len(many) == len(pairs)
    for (office_id, kind), answers in many.items():
        assert list(answers) == queries.who_answers(office_id=office_id, post_kind=kind, at=moment.at)
        assert answers
    assert queries.who_answers_many([], at=moment.at) == {}


# Holding and leaving a post


def test_a_held_post_is_refused_and_a_free_time_is_not(city: dict[str, int], moment: Moment) -> None:
    head = post("bank", "head")

    with pytest.raises(actions.PostHeld):
        actions.hold_post(post_id=head, principal_id=city["heat-one"], moment=moment)
    actions.leave_post(post_id=head, principal_id=city["bank-head"], moment=moment)
    tenure = actions.hold_post(post_id=head, principal_id=city["heat-one"], moment=moment, reason="接任")

    assert asked("bank", "head", moment)[0] == ("heat-one", "holder")
    (entry,) = queries.entries(table="tenure", row_id=tenure)
    assert (entry.what, entry.reason) == ("added", "接任")


def test_a_post_may_be_promised_for_later_and_given_back_before_it_begins(city: dict[str, int], moment: Moment) -> None:
    head = post("bank", "head")
    actions.leave_post(post_id=head, principal_id=city["bank-head"], at=moment.at + DAY, moment=moment)
    tenure = actions.hold_post(post_id=head, principal_id=city["heat-one"], since=moment.at + DAY, moment=moment)

    actions.leave_post(post_id=head, principal_id=city["heat-one"], moment=moment)

    assert not models.Tenure.objects.filter(id=tenure).exists()
    with pytest.raises(actions.NotHeld):
        actions.leave_post(post_id=head, principal_id=city["heat-one"], moment=moment)


def test_a_post_is_held_only_while_it_exists(city: dict[str, int], moment: Moment) -> None:
    with pytest.raises(actions.PostClosed):
        actions.hold_post(post_id=post("bank", "head"), principal_id=city["heat-one"], since=SINCE - DAY, moment=moment)
    with pytest.raises(actions.EndsBeforeItBegins):
        actions.hold_post(post_id=post("bank", "head"), principal_id=city["heat-one"], until=SINCE, moment=moment)


@pytest.fixture
def admin_posts(city: dict[str, int], moment: Moment) -> dict[str, int]:
    text = "office,kind,name\n" + "".join(f"desk,{kind},{kind}\n" for kind in sorted(rules.ADMIN_POSTS))
    whole(actions.import_posts(sheet=sheet(text), moment=moment, apply=True, since=SINCE))
    return {kind: post("desk", kind) for kind in rules.ADMIN_POSTS}


def test_nobody_holds_two_administrations_at_once(
    city: dict[str, int], admin_posts: dict[str, int], moment: Moment
) -> None:
    anna = city["heat-one"]
    actions.hold_post(post_id=admin_posts["system_admin"], principal_id=anna, moment=moment)

    for kind in ("security_admin", "audit_admin"):
        with pytest.raises(rules.AdminPostsApart):
            actions.hold_post(post_id=admin_posts[kind], principal_id=anna, deputy=True, moment=moment)
    actions.hold_post(post_id=admin_posts["audit_admin"], principal_id=city["heat-two"], moment=moment)


def test_an_administration_held_in_the_past_bars_another_in_an_overlapping_time(
    city: dict[str, int], admin_posts: dict[str, int], moment: Moment
) -> None:
    anna = city["heat-one"]
    actions.hold_post(
        post_id=admin_posts["system_admin"],
        principal_id=anna,
        since=SINCE,
        until=moment.at - 10 * DAY,
        moment=moment,
    )

    with pytest.raises(rules.AdminPostsApart):
        actions.hold_post(
            post_id=admin_posts["audit_admin"], principal_id=anna, since=moment.at - 20 * DAY, moment=moment
        )
    actions.hold_post(post_id=admin_posts["audit_admin"], principal_id=anna, moment=moment)


# Who acts in a session


def test_a_session_acts_in_a_post_while_it_is_held(city: dict[str, int], moment: Moment) -> None:
    facts = {"principal_id": city["heat-one"], "post_id": post("heat-east", "handler"), "began": moment.at}

    actor = queries.actor_of(at=moment.at, **facts)

    assert actor is not None
    assert (actor.post_kind, actor.office, actor.level) == ("handler", office("heat-east"), "county")
    actions.leave_post(post_id=facts["post_id"], principal_id=city["heat-one"], moment=moment)
    assert queries.actor_of(at=moment.at, **facts) is None


def test_a_session_from_before_the_sessions_were_ended_is_nobody(city: dict[str, int], moment: Moment) -> None:
    facts = {"principal_id": city["heat-one"], "post_id": post("heat-east", "handler")}
    later = at(moment, moment.at + DAY)
    accounts_actions.end_sessions(principal_id=city["heat-one"], moment=later)

    assert queries.actor_of(began=moment.at, at=later.at, **facts) is None
    assert queries.actor_of(began=later.at, at=later.at, **facts) is not None


def test_orders_of_supervision_come_from_the_centre_of_the_county_or_the_desk(
    city: dict[str, int], moment: Moment
) -> None:
    east = queries.area_by_code("900001")
    west = queries.area_by_code("900002")
    assert east is not None
    assert west is not None

    assert queries.supervising_office(by="county_centre", county_id=east.area_id) == office("east")
    assert queries.supervising_office(by="county_centre", county_id=west.area_id) == office("desk")
    assert queries.supervising_office(by="city_centre", county_id=east.area_id) == office("desk")


def test_of_two_who_take_a_free_post_at_once_one_gets_it(own_database: str, moment: Moment) -> None:
    free, contenders = _free_post(moment)
    start = threading.Barrier(len(contenders))

    def contend(principal_id: int) -> str:
        start.wait()
        try:
            actions.hold_post(post_id=free, principal_id=principal_id, moment=moment)
        except actions.PostHeld as refusal:
            return refusal.code
        finally:
            connections.close_all()
        return "held"

    with ThreadPoolExecutor(len(contenders)) as threads:
        outcomes = sorted(threads.map(contend, contenders))

    assert outcomes == ["held", *["post_held"] * (len(contenders) - 1)]


def _free_post(moment: Moment) -> tuple[int, list[int]]:
    """Make a post nobody holds, whatever city this database has."""
    first = models.Office.objects.order_by("id").first()
    if first is None:
        small_city(moment)
        first = models.Office.objects.order_by("id").first()
    assert first is not None
    free = models.Post.objects.create(
        id=moment.mint.id(), office=first, kind="analyst", name="新岗", is_made=True, active_from=SINCE
    )
    return free.id, list(people(moment, [f"contender-{n}" for n in range(4)]).values())
