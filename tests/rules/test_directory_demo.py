"""The made city: everything in it is marked as made, nothing is missing, and it is the same every time."""

import csv
import io
from functools import cache

from fuzhengtong.directory import rules
from fuzhengtong.directory.demo import MADE, MadeLists
from fuzhengtong.directory.imports import package
from fuzhengtong.directory.lists import categories as category_lists
from fuzhengtong.directory.lists import grids, offices
from fuzhengtong.directory.rules import Level, OfficeKind, PostKind, Sensitivity
from fuzhengtong.directory.sheets import Sheet

COUNTIES = ("210902", "210903", "210904", "210905", "210911", "210921", "210922")


@cache
def made() -> MadeLists:
    return package.made_lists()


@cache
def found_offices() -> dict[str, offices.OfficeRow]:
    return {row.code: row for row in offices.parse_offices(made().offices).rows}


@cache
def tree() -> tuple[category_lists.CategoryRow, ...]:
    return category_lists.parse_categories(*package.category_sheets()).rows


def rows_of(sheet: Sheet) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(sheet.data.decode())))


def test_the_same_city_is_made_every_time() -> None:
    assert package.made_lists() == made()


def test_every_made_list_passes_the_reading_of_a_real_one() -> None:
    assert offices.parse_people(made().people).problems == ()
    assert offices.parse_offices(made().offices).problems == ()
    assert offices.parse_posts(made().posts).problems == ()
    assert category_lists.parse_routes(made().routes).problems == ()
    assert grids.parse_grids(made().grids).problems == ()


def test_nobody_and_nothing_made_could_be_taken_for_real() -> None:
    assert all(row["name"].endswith(MADE) and row["is_made"] == "1" for row in rows_of(made().people))
    assert all(row.is_made and row.duty_phone.startswith("0418-0000") for row in found_offices().values())
    assert all("示例" in row.name for row in found_offices().values() if row.kind is OfficeKind.ENTERPRISE)
    assert all(row.is_made for row in grids.parse_grids(made().grids).rows)


def test_no_two_made_people_have_one_login() -> None:
    logins = [row["login"] for row in rows_of(made().people)]

    assert len(set(logins)) == len(logins)


def test_every_town_and_unit_and_county_has_its_office() -> None:
    by_level = {level: 0 for level in Level}
    for row in found_offices().values():
        by_level[row.level] += 1

    assert by_level[Level.TOWN] == 83
    assert by_level[Level.COMMUNITY] == 813
    assert {row.area for row in found_offices().values() if row.kind is OfficeKind.CENTRE} == {*COUNTIES, "2109"}


def test_every_function_of_the_tree_leads_to_an_office_in_every_county() -> None:
    book = {(function, row.area): code for code, row in found_offices().items() for function in row.functions}
    wanted = {function for row in tree() for function in (row.lead_function, *row.assists)}

    nobody = [
        (function, county)
        for function in wanted
        for county in COUNTIES
        if rules.resolve(function, areas=(county, "2109"), offices=book) is None
    ]

    assert nobody == []


def test_who_is_complained_about_is_never_found_by_a_table_but_goes_to_the_centre() -> None:
    book = {(function, row.area): code for code, row in found_offices().items() for function in row.functions}

    for role in ("被反映单位", "原承办单位", "被表扬单位"):
        assert rules.resolve(role, areas=("210911", "2109"), offices=book) == "210911-centre"


def test_every_office_but_the_desk_leads_up_to_the_desk() -> None:
    for code, row in found_offices().items():
        steps = 0
        while row.parent:
            row = found_offices()[row.parent]
            steps += 1

        assert row.code == made().desk_office, code
        assert steps <= 3


def test_every_post_has_a_holder_of_its_own_kind_of_person() -> None:
    people = {row["login"] for row in rows_of(made().people)}
    posts = offices.parse_posts(made().posts).rows

    assert all(row.holder in people for row in posts)
    assert all(set(row.deputies or ()) <= people for row in posts)


def test_the_three_administrators_are_three_people() -> None:
    holders = [row.holder for row in offices.parse_posts(made().posts).rows if row.kind in rules.ADMIN_POSTS]

    assert len(holders) == len(set(holders)) == 3


def test_every_office_can_handle_and_has_a_head() -> None:
    kinds: dict[str, set[PostKind]] = {}
    for row in offices.parse_posts(made().posts).rows:
        kinds.setdefault(row.office, set()).add(row.kind)

    assert all({PostKind.HEAD, PostKind.HANDLER} <= kinds[code] for code in found_offices())


def test_every_open_category_has_a_way_in_every_county_and_a_sealed_one_has_none() -> None:
    routes = {(row["category"], row["area"]) for row in rows_of(made().routes)}

    for row in tree():
        ways = [(row.code, area) in routes for area in (*COUNTIES, "2109")]
        assert all(ways) if row.sensitivity is not Sensitivity.SEALED else not any(ways)


def test_matters_of_the_town_have_a_way_in_each_of_the_83_towns() -> None:
    towns = {row["area"] for row in rows_of(made().routes) if row["category"] == "S01" and len(row["area"]) == 9}

    assert len(towns) == 83


def test_every_route_leads_to_an_office_of_its_own_area_or_of_the_city() -> None:
    for row in rows_of(made().routes):
        office = found_offices()[row["office"]]

        assert office.area in (row["area"], "2109")
