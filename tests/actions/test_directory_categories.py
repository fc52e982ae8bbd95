"""The category tree and the responsibility list: dated, and the narrowest place and closest match win."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import actions, models, queries, rules
from fuzhengtong.directory.imports import package
from tests.actions.directory_lists import (
    CATEGORIES,
    DAY,
    OFFICES,
    SINCE,
    area,
    areas,
    at,
    category,
    codes,
    empty,
    office,
    sheet,
    small_city,
    told,
    whole,
)

HEADING = "category,root,area,office,source\n"


@pytest.fixture(autouse=True)
def nothing_yet(db: None) -> None:
    empty()


def routes(moment: Moment, *lines: str, **more: object) -> rules.Report:
    text = HEADING + "\n".join(lines) + "\n"
    return whole(actions.import_routes(sheet=sheet(text), moment=moment, apply=True, **more))  # type: ignore[arg-type]


def way(code: str, place: str, moment: Moment) -> tuple[str, str] | None:
    """Return the office a category goes to from a place, and why."""
    path = [step.area_id for step in queries.area_path(area(place))]
    found = queries.route(category_id=category(code), area_ids=path, at=moment.at)
    if found is None:
        return None
    leads_to = queries.office(found.office_id)
    assert leads_to is not None
    return leads_to.code, found.why


# Categories


def test_the_shipped_tree_is_loaded_whole_and_only_once(moment: Moment) -> None:
    first, second = package.category_sheets()

    report = whole(actions.import_categories(sheet=first, more=second, moment=moment, apply=True, since=SINCE))
    again = actions.import_categories(sheet=first, more=second, moment=moment, apply=True)

    assert len(report.added) == 150
    assert (again.is_different, again.unchanged) == (False, 150)
    heat = queries.category(code="C01")
    assert heat is not None
    assert (heat.root, heat.urgency, heat.default_days, heat.lane) == ("C", "urgent", 1, "ordinary")
    assert heat.assists == ("供热企业", "属地街道(乡镇)")
    assert "暖气" in "".join(heat.words)
    assert len(queries.categories()) == 150


def test_a_changed_category_says_what_stood_before_and_keeps_what_the_list_does_not_speak_of(moment: Moment) -> None:
    first, second = package.category_sheets()
    whole(actions.import_categories(sheet=first, more=second, moment=moment, apply=True))
    changed = sheet(first.data.decode().replace("室温不达标", "室温偏低"))

    report = whole(actions.import_categories(sheet=changed, moment=moment, apply=True))

    assert codes(report.changed) == {"C01"}
    (entry,) = queries.entries(table="category", row_id=category("C01"), limit=1)
    assert entry.before == {"name": "室温不达标"}
    heat = queries.category(code="C01")
    assert heat is not None
    assert heat.season == "11-3"


def test_a_category_with_one_wrong_cell_changes_nothing(moment: Moment) -> None:
    report = actions.import_categories(
        sheet=sheet(CATEGORIES.replace("紧急,普通,1", "紧急,普通,很快")), moment=moment, apply=True
    )

    assert told(report.errors) == [(2, "default_days", "import.not_a_number")]
    assert models.Category.objects.count() == 0


def test_a_category_left_out_of_a_complete_tree_is_closed_and_may_come_back(moment: Moment) -> None:
    whole(actions.import_categories(sheet=sheet(CATEGORIES), moment=moment, apply=True, since=SINCE))
    shorter = sheet("\n".join(line for line in CATEGORIES.splitlines() if not line.startswith("C02")))

    report = whole(actions.import_categories(sheet=shorter, moment=moment, apply=True, complete=True))
    left = {row.code for row in queries.categories()}
    back = whole(actions.import_categories(sheet=sheet(CATEGORIES), moment=moment, apply=True))

    assert codes(report.closed) == {"C02"}
    assert left == {"C01", "S01", "T01"}
    assert "C02" in {row.code for row in queries.categories(at=moment.at - DAY)}
    assert codes(back.changed) == {"C02"}


def test_a_new_category_without_a_second_list_takes_the_ordinary_lane(moment: Moment) -> None:
    whole(actions.import_categories(sheet=sheet(CATEGORIES), moment=moment, apply=True))

    found = queries.category(category_id=category("S01"))

    assert found is not None
    assert (found.lane, found.sensitivity, found.mediation) == ("ordinary", "private", False)


# Routes


def test_the_narrowest_area_wins_and_within_it_the_closest_match(moment: Moment) -> None:
    small_city(moment)
    routes(
        moment, ",,9000,desk,", ",C,9000,heat-city,", "C01,,9000,heat-city,", ",,900001,east,", ",C,900001,heat-east,"
    )

    in_the_east = way("C01", "900001001", moment)
    elsewhere = way("C01", "900002001", moment)
    other_matter = way("S01", "900002001", moment)
    routes(moment, "C01,,900001,east,")

    assert in_the_east == ("heat-east", "route.root.county")
    assert elsewhere == ("heat-city", "route.category.city")
    assert other_matter == ("desk", "route.any.city")
    assert way("C01", "900001001", moment) == ("east", "route.category.county")
    routes(moment, ",,900001001,bank,")
    assert way("C01", "900001001001", moment) == ("bank", "route.any.town")


def test_a_route_of_a_community_is_narrower_than_one_of_its_town(moment: Moment) -> None:
    small_city(moment)
    routes(moment, "S01,,900001001001,east,", "S01,,900001001,bank,")

    assert way("S01", "900001001001", moment) == ("east", "route.category.community")
    assert way("S01", "900001001", moment) == ("bank", "route.category.town")


def test_a_sealed_category_goes_nowhere_even_where_anything_goes_somewhere(moment: Moment) -> None:
    small_city(moment)
    routes(moment, ",,9000,desk,")

    assert way("T01", "900001001", moment) is None


def test_without_a_route_there_is_no_guess(moment: Moment) -> None:
    small_city(moment)

    assert way("C01", "900001001", moment) is None


def test_a_route_is_found_by_one_statement(moment: Moment) -> None:
    small_city(moment)
    routes(moment, ",,9000,desk,")
    path, kind = [area("9000")], category("C01")

    with CaptureQueriesContext(connection) as statements:
        queries.route(category_id=kind, area_ids=path, at=moment.at)

    assert len(statements) == 1


def test_a_route_to_a_merged_office_leads_to_its_successor(moment: Moment) -> None:
    small_city(moment)
    routes(moment, ",,900001,heat-east,")
    merged = (
        "code,name,short,kind,parent,area,level,functions,duty_phone,active_to,succeeded_by\n"
        "heat-east,东区供热办,东区供热办,bureau,east,900001,county,,,2026-11-01,heat-city\n"
        "heat-city,示例市供热办,市供热办,bureau,desk,9000,city,,,2026-11-02,desk\n"
    )
    whole(actions.import_offices(sheet=sheet(merged), moment=moment, apply=True))

    assert way("C01", "900001001", moment) == ("desk", "route.any.county")
    assert way("C01", "900001001", at(moment, SINCE + 3000 * DAY)) == ("desk", "route.any.county")


def test_a_route_that_leads_elsewhere_ends_and_another_begins(moment: Moment) -> None:
    small_city(moment)
    routes(moment, "C01,,9000,heat-city,旧责任清单", since=SINCE)

    report = routes(moment, "C01,,9000,desk,新责任清单")

    assert codes(report.moved) == {"C01 9000"}
    assert way("C01", "900002001", at(moment, moment.at - DAY)) == ("heat-city", "route.category.city")
    assert way("C01", "900002001", moment) == ("desk", "route.category.city")
    assert models.Route.objects.count() == 2
    assert not routes(moment, "C01,,9000,desk,新责任清单").is_different


def test_another_source_of_the_same_route_is_a_change_and_no_new_route(moment: Moment) -> None:
    small_city(moment)
    routes(moment, "C01,,9000,desk,旧")

    report = routes(moment, "C01,,9000,desk,新")

    assert codes(report.changed) == {"C01 9000"}
    assert models.Route.objects.count() == 1


def test_a_route_may_be_ended_and_a_complete_list_ends_what_it_leaves_out(moment: Moment) -> None:
    small_city(moment)
    routes(moment, "C01,,9000,desk,", ",,9000,desk,", since=SINCE)
    ended = "category,root,area,office,active_to\nC01,,9000,desk,2026-11-01\n"

    closed = whole(actions.import_routes(sheet=sheet(ended), moment=moment, apply=True))
    preview = actions.import_routes(sheet=sheet(HEADING), moment=moment, apply=False, complete=True)

    assert codes(closed.closed) == {"C01 9000"}
    assert way("C01", "900001", moment) == ("desk", "route.any.city")
    assert codes(preview.closed) == {"* 9000"}


def test_a_route_that_stands_twice_hides_no_fault_of_the_earlier_row(moment: Moment) -> None:
    small_city(moment)

    report = actions.import_routes(
        sheet=sheet(HEADING + "C01,,9000,palace,\nC01,,9000,desk,\n"), moment=moment, apply=True
    )

    assert told(report.errors) == [(2, "office", "import.office_unknown"), (3, "area", "import.twice")]


def test_every_route_that_leads_nowhere_is_named_and_nothing_is_changed(moment: Moment) -> None:
    small_city(moment)
    text = "category,root,area,office,active_to\nX99,,9000,desk,\nC01,,77,desk,\nC01,,9000,palace,\nC02,,9000,desk,2026-11-01\n"

    report = actions.import_routes(sheet=sheet(text), moment=moment, apply=True)

    assert told(report.errors) == [
        (2, "category", "import.category_unknown"),
        (3, "area", "import.area_unknown"),
        (4, "office", "import.office_unknown"),
        (5, "active_to", "import.closes_nothing"),
    ]
    assert models.Route.objects.count() == 0


def test_the_database_itself_keeps_one_open_route_for_a_match_in_a_place(moment: Moment) -> None:
    small_city(moment)
    routes(moment, ",,9000,desk,")
    facts = {"area_id": area("9000"), "office_id": office("east"), "source": "", "active_from": moment.at}

    with pytest.raises(IntegrityError, match="route_once"), transaction.atomic():
        models.Route.objects.create(id=moment.mint.id(), **facts)


def test_functions_are_found_where_the_office_book_has_them(moment: Moment) -> None:
    areas(moment)
    whole(actions.import_offices(sheet=sheet(OFFICES), moment=moment, apply=True, since=SINCE))
    book = queries.offices_by_function(["供热"], area_ids=[area("900001"), area("9000")], at=moment.at)

    east = rules.resolve("供热", areas=(area("900001001"), area("900001"), area("9000")), offices=book)
    west = rules.resolve("供热", areas=(area("900002"), area("9000")), offices=book)

    assert (east, west) == (office("heat-east"), office("heat-city"))
