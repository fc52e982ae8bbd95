"""Importing areas, their names and grids: differences first, all or nothing, and a trace of every change."""

import json

import pytest
from django.db import IntegrityError, transaction

from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import actions, models, queries
from fuzhengtong.directory.imports import package
from fuzhengtong.directory.sheets import Sheet
from fuzhengtong.kernel.errors import AlreadyDone
from tests.actions.directory_lists import AREAS, DAY, SINCE, area, areas, at, codes, empty, sheet, told, whole


@pytest.fixture(autouse=True)
def nothing_yet(db: None) -> None:
    empty()


def units() -> dict[str, queries.Unit]:
    return {unit.code: unit for unit in queries.gazetteer()}


def known_as(text: str) -> set[str]:
    return {u.code for u in queries.gazetteer() if text in (u.name, u.display_name, *(said for said, _ in u.aliases))}


def test_the_published_lists_become_the_tree_of_the_city(moment: Moment) -> None:
    report = actions.import_areas(sheets=package.area_sheets(), moment=moment, apply=True, since=SINCE)

    assert report.applied
    kinds = [row.kind for row in models.Area.objects.all()]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "city": 1,
        "county": 7,
        "town": 83,
        "community": 194,
        "village": 619,
    }
    path = queries.area_path(area("210921108201"))
    assert [step.display_name for step in path] == ["阜新市", "阜新蒙古族自治县", "大巴镇", "二门得力村"]
    assert path[2].levels.town == path[2].levels.community == path[2].levels.grid == path[2].area_id
    assert known_as("康四村") == {"210921125213"}
    assert known_as("新邱") == {"210903"}
    assert len(known_as("新邱村")) == 6
    assert known_as("六家子街道办") == {"210911401"}


def test_the_same_lists_handed_in_twice_change_nothing_and_leave_no_entry(moment: Moment) -> None:
    areas(moment)
    entries = models.ReferenceEntry.objects.count()

    again = areas(moment)

    assert (again.is_different, again.applied, again.unchanged) == (False, False, 7)
    assert models.ReferenceEntry.objects.count() == entries


def test_a_preview_shows_the_differences_and_changes_nothing(moment: Moment) -> None:
    report = actions.import_areas(sheets=[sheet(AREAS)], moment=moment, apply=False, since=SINCE)

    assert len(report.added) == 7
    assert not report.applied
    assert models.Area.objects.count() == 0


def test_one_wrong_row_changes_nothing_and_every_wrong_row_is_listed(moment: Moment) -> None:
    text = AREAS + "900003,,county,9000\n900003001,孤镇,town,900009\n900004,倒挂,county,900001001\n"

    first = actions.import_areas(sheets=[sheet(text)], moment=moment, apply=True, since=SINCE)
    mended = text.replace("900003,,", "900003,南县,").replace("900009", "900003")
    second = actions.import_areas(sheets=[sheet(mended)], moment=moment, apply=True, since=SINCE)

    assert told(first.errors) == [
        (9, "name", "import.empty"),
        (10, "parent", "import.parent_unknown"),
        (11, "parent", "import.cannot_stand_below"),
    ]
    assert told(second.errors) == [(11, "parent", "import.cannot_stand_below")]
    assert models.Area.objects.count() == 0


def test_an_area_that_stands_twice_hides_no_fault_of_the_earlier_row(moment: Moment) -> None:
    text = (
        AREAS
        + "900003,南县,county,9009\n900003,南县,county,9000\n"
        + "900004,北县,county,900001001\n900004,北县,county,9000\n"
    )

    report = actions.import_areas(sheets=[sheet(text)], moment=moment, apply=True, since=SINCE)

    assert told(report.errors) == [
        (9, "parent", "import.parent_unknown"),
        (10, "code", "import.twice"),
        (11, "parent", "import.cannot_stand_below"),
        (12, "code", "import.twice"),
    ]


def test_below_a_row_of_no_known_kind_the_levels_say_nothing(moment: Moment) -> None:
    text = AREAS + "900003,南县,planet,9000\n900003001,孤镇,town,900003\n"

    report = actions.import_areas(sheets=[sheet(text)], moment=moment, apply=True, since=SINCE)

    assert told(report.errors) == [(9, "kind", "import.not_one_of")]


def test_every_difference_leaves_an_entry_with_what_stood_before(moment: Moment) -> None:
    areas(moment)

    whole(
        actions.import_areas(sheets=[sheet(AREAS.replace("东区", "新东区"))], moment=moment, apply=True, reason="更名")
    )

    (entry,) = queries.entries(table="area", row_id=area("900001"), limit=1)
    assert (entry.what, entry.reason, entry.at) == ("changed", "更名", moment.at)
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["name"], entry.after["name"]) == ("东区", "新东区")


def test_a_renamed_area_answers_to_its_new_names_and_no_longer_to_the_old(moment: Moment) -> None:
    areas(moment)
    later = at(moment, moment.at + DAY)

    report = whole(
        actions.import_areas(sheets=[sheet(AREAS.replace("桥头村委会", "桥尾村委会"))], moment=later, apply=True)
    )

    assert codes(report.changed) == {"900002001201"}
    assert known_as("桥尾村民委员会") == {"900002001201"}
    assert known_as("桥头村民委员会") == set()
    before = {u.code: u for u in queries.gazetteer(at=moment.at)}["900002001201"]
    assert "桥头村民委员会" in [text for text, _ in before.aliases]


def test_a_moved_area_takes_everything_below_it_along(moment: Moment) -> None:
    areas(moment, AREAS + "900002001202,渡口村委会,village,900002001\n")
    whole(
        actions.import_grids(
            sheet=sheet("code,name,parent\n900002001202001,第一网格,900002001202\n"), moment=moment, apply=True
        )
    )

    moved = (AREAS + "900002001202,渡口村委会,village,900002001\n").replace("河岸镇,town,900002", "河岸镇,town,900001")
    report = areas(moment, moved)

    assert codes(report.moved) == {"900002001"}
    grid = queries.area_by_code("900002001202001")
    assert grid is not None
    assert grid.levels.county == area("900001")
    (entry,) = queries.entries(table="area", row_id=grid.area_id, limit=1)
    assert entry.what == "levels"


def test_a_complete_list_closes_what_it_no_longer_names_in_its_counties_only(moment: Moment) -> None:
    whole(actions.import_areas(sheets=package.area_sheets(), moment=moment, apply=True, since=SINCE))
    towns = Sheet("towns.csv", "code,name,kind,county_code,county\n210902003,和平街道,街道,210902,海州区\n".encode())

    preview = actions.import_areas(sheets=[towns], moment=moment, apply=False)
    partial = actions.import_areas(sheets=[towns], moment=moment, apply=False, complete=False)

    assert len(preview.closed) == 6
    assert all(change.code.startswith("210902") for change in preview.closed)
    assert partial.closed == ()


def test_a_closed_area_keeps_its_row_loses_its_names_and_may_come_back(moment: Moment) -> None:
    areas(moment)
    heading = "code,name,kind,parent,active_to,succeeded_by\n"
    ended = heading + "900002001,河岸镇,town,900002,2026-06-01,900001001\n"

    report = areas(moment, ended)
    again = areas(moment, ended)
    gone = queries.area_by_code("900002001")
    without = known_as("河岸镇政府")
    back = areas(moment, heading + "900002001,河岸镇,town,900002,,\n")

    assert codes(report.closed) == {"900002001"}
    assert not again.is_different
    assert gone is not None
    assert gone.succeeded_by == area("900001001")
    assert without == set()
    assert codes(back.changed) == {"900002001"}
    assert known_as("河岸镇政府") == {"900002001"}


def test_a_missing_level_repeats_its_parent(moment: Moment) -> None:
    areas(moment, AREAS + "900001190,产业园管委会,functional,900001\n900001190001,园区社区居委会,community,900001190\n")
    areas(moment, AREAS + "900001000001,直属社区居委会,community,900001\n")

    direct = queries.area_by_code("900001000001")
    zone = queries.area_by_code("900001190")
    inside = queries.area_by_code("900001190001")

    assert direct is not None
    assert zone is not None
    assert inside is not None
    assert direct.levels.town == direct.levels.county == area("900001")
    assert zone.levels.town == inside.levels.town == zone.area_id


def test_counties_of_a_bare_town_list_lie_below_the_one_city(moment: Moment) -> None:
    towns = sheet("code,name,kind,county_code,county\n900301101,南镇,镇,900301,南区\n")

    without = actions.import_areas(sheets=[towns], moment=moment, apply=True)
    areas(moment)
    found = actions.import_areas(sheets=[towns], moment=moment, apply=True)

    assert told(without.errors) == [(2, "county_code", "import.city_missing")]
    assert codes(found.added) == {"900301101", "900301"}
    assert queries.area_path(area("900301101"))[0].code == "9000"


def test_there_is_one_city(moment: Moment) -> None:
    areas(moment)

    report = actions.import_areas(
        sheets=[sheet("code,name,kind,parent\n9100,另一市,city,\n")], moment=moment, apply=True
    )

    assert told(report.errors) == [(2, "kind", "import.second_city")]


def test_zones_that_stand_below_each_other_in_a_circle_are_refused(moment: Moment) -> None:
    areas(moment)
    text = "code,name,kind,parent\n901,甲开发区,functional,902\n902,乙开发区,functional,901\n"

    report = actions.import_areas(sheets=[sheet(text)], moment=moment, apply=True)

    assert {problem.key for problem in report.errors} == {"import.cannot_stand_below"}


def test_an_outline_is_kept_and_marked_as_made(moment: Moment) -> None:
    areas(moment, AREAS + "900001001002,渡口社区居委会,community,900001001\n")
    ring = [[121.6, 42.0], [121.61, 42.0], [121.61, 42.01], [121.6, 42.0]]
    feature = {
        "type": "Feature",
        "properties": {"code": "900001001002001", "name": "第一网格", "parent": "900001001002", "is_made": True},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    drawn = Sheet("map.geojson", json.dumps({"type": "FeatureCollection", "features": [feature]}).encode())

    report = whole(actions.import_grids(sheet=drawn, moment=moment, apply=True))
    again = actions.import_grids(sheet=drawn, moment=moment, apply=True)

    grid = area("900001001002001")
    assert report.applied
    assert not again.is_different
    assert queries.outlines([grid]) == {grid: {"type": "Polygon", "coordinates": [ring]}}
    assert models.Area.objects.get(id=grid).is_made


def test_a_list_of_names_adds_what_people_say(moment: Moment) -> None:
    areas(moment)
    said = (
        "text,code,kind,source\n"
        "老桥头,900001001001,everyday,社区\n"
        "桥头社区,900001001001,everyday,重复规则\n"
        "甲,9999,everyday,无\n"
    )

    wrong = actions.import_areas(sheets=[sheet(said)], moment=moment, apply=True)
    right = whole(
        actions.import_areas(sheets=[sheet(said.replace("甲,9999", "新桥头,900001001001"))], moment=moment, apply=True)
    )

    assert told(wrong.errors) == [(4, "code", "import.area_unknown")]
    assert codes(right.added) == {"老桥头 900001001001", "新桥头 900001001001"}
    assert known_as("老桥头") == {"900001001001"}


def test_a_name_a_clerk_learnt_is_known_and_an_entry(moment: Moment) -> None:
    areas(moment)

    alias = actions.add_alias(area_id=area("900001001001"), text="大桥头", source="话务", moment=moment)

    assert known_as("大桥头") == {"900001001001"}
    (entry,) = queries.entries(table="area_alias", row_id=alias)
    assert entry.what == "added"
    with pytest.raises(AlreadyDone):
        actions.add_alias(area_id=area("900001001001"), text="大桥头", source="话务", moment=moment)


def test_one_name_may_mean_two_places_until_one_of_them_loses_it(moment: Moment) -> None:
    areas(moment)
    first = actions.add_alias(area_id=area("900001001001"), text="桥那边", source="话务", moment=moment)
    actions.add_alias(area_id=area("900002001201"), text="桥那边", source="话务", moment=moment)
    both = known_as("桥那边")

    actions.drop_alias(alias_id=first, moment=at(moment, moment.at + DAY))

    assert both == {"900001001001", "900002001201"}
    assert known_as("桥那边") == {"900002001201"}
    with pytest.raises(AlreadyDone):
        actions.drop_alias(alias_id=first, moment=at(moment, moment.at + 2 * DAY))


def test_a_unit_knows_its_town_and_county_and_a_county_has_no_town(moment: Moment) -> None:
    areas(moment)

    village, county, city = units()["900002001201"], units()["900002"], units()["9000"]

    assert (village.town, village.county) == ("河岸镇", "西县")
    assert (county.town_id, county.county) == (None, "西县")
    assert (city.town_id, city.county_id) == (None, None)


@pytest.mark.parametrize(
    "broken",
    [{"kind": "planet"}, {"active_to": SINCE}, {"kind": "town", "parent_id": None}],
    ids=["a kind nobody knows", "a period without an instant", "a town below nothing"],
)
def test_the_database_itself_refuses_an_impossible_area(moment: Moment, broken: dict[str, object]) -> None:
    areas(moment)
    facts: dict[str, object] = {"kind": "town", "parent_id": area("900001"), "active_to": None} | broken

    with pytest.raises(IntegrityError), transaction.atomic():
        models.Area.objects.create(id=moment.mint.id(), code="x", name="x", is_made=False, active_from=SINCE, **facts)
