"""Reading lists: every format of a spreadsheet, and every wrong cell named with its row, column and what is wrong."""

import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import xlsxwriter

from fuzhengtong.directory import sheets
from fuzhengtong.directory.lists import areas, categories, grids, notices, offices
from fuzhengtong.directory.names import AreaKind
from fuzhengtong.directory.sheets import Problem, Sheet

DATA = Path(sheets.__file__).resolve().parents[1] / "data"
TOWNS = "code,name,kind,county_code,county\n"
UNITS = "code,name,kind,codekind,town_code,town,town_kind,county_code,county\n"
OFFICES = "code,name,short,kind,parent,area,level,functions,duty_phone\n"
POSTS = "office,kind,name,holder,deputies\n"


def sheet(text: str, name: str = "list.csv", encoding: str = "utf-8") -> Sheet:
    return Sheet(name, text.encode(encoding))


def shipped(path: str) -> Sheet:
    return Sheet(Path(path).name, (DATA / path).read_bytes())


def workbook(rows: Iterable[Sequence[object]]) -> Sheet:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    page = book.add_worksheet()
    as_date = book.add_format({"num_format": "yyyy-mm-dd"})
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            if isinstance(value, datetime):
                page.write_datetime(number, place, value, as_date)
            else:
                page.write(number, place, value)
    book.close()
    return Sheet("list.xlsx", file.getvalue())


def told(problems: Iterable[Problem]) -> list[tuple[int, str, str]]:
    return [(problem.row, problem.column, problem.key) for problem in problems]


# How a list may come


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_is_read_in_every_encoding_offices_write(encoding: str) -> None:
    found = areas.parse_areas([sheet(TOWNS + "210921101,大巴镇,镇,210921,阜新蒙古族自治县\n", encoding=encoding)])

    assert found.problems == ()
    assert [(row.code, row.name) for row in found.areas] == [
        ("210921101", "大巴镇"),
        ("210921", "阜新蒙古族自治县"),
    ]


def test_a_workbook_is_read_like_a_table_even_where_codes_became_numbers() -> None:
    rows = [TOWNS.strip().split(","), [210921101, "大巴镇", "镇", 210921, "阜新蒙古族自治县"]]

    found = areas.parse_areas([workbook(rows)])

    assert found == areas.parse_areas(
        [sheet(TOWNS + "210921101,大巴镇,镇,210921,阜新蒙古族自治县\n", name="list.xlsx")]
    )


def test_full_width_digits_and_stray_spaces_are_put_right() -> None:
    found = areas.parse_areas([sheet(TOWNS + "２１０９２１１０１, 大巴镇\u3000,镇,210921,阜新蒙古族自治县\n")])

    assert found.problems == ()
    assert (found.areas[0].code, found.areas[0].name) == ("210921101", "大巴镇")


def test_empty_rows_are_passed_over_and_row_numbers_stay_those_of_the_spreadsheet() -> None:
    found = offices.parse_people(sheet("login,name\n\n,\nnobody here,甲\n"))

    assert told(found.problems) == [(4, "login", "import.not_a_login")]


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"", "import.no_heading"),
        (b"\xff\xfe\x00\x80", "import.not_text"),
        (b'login,name\n"open', "import.not_a_table"),
        (b"PK\x03\x04nothing", "import.not_a_workbook"),
        (b"\xd0\xcf\x11\xe0nothing", "import.not_a_workbook"),
        (b"login,login\na,b\n", "import.column_twice"),
        (b"login,,name\na,b,c\n", "import.column_unnamed"),
        (b"x" * (sheets.LARGEST_BYTES + 1), "import.too_big"),
    ],
)
def test_what_is_no_list_is_refused_as_a_whole(data: bytes, key: str) -> None:
    assert key in [problem.key for problem in offices.parse_people(Sheet("list", data)).problems]


@pytest.mark.parametrize("name", ["list.xlsx", "LIST.XLS", "list.ods"])
@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00\x80", b"\x00\x03\x04 half a file", b"PK\x03\x04nothing"])
def test_a_broken_workbook_is_told_to_be_saved_again_as_one(name: str, data: bytes) -> None:
    assert told(offices.parse_people(Sheet(name, data)).problems) == [(0, "", "import.not_a_workbook")]


def test_a_table_of_text_that_is_called_a_workbook_is_still_read() -> None:
    assert len(offices.parse_people(sheet("login,name\nanna,甲\n", name="list.xls")).rows) == 1


def test_a_workbook_that_is_huge_inside_is_never_unpacked() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for part in range(3):
            packed.writestr(f"xl/sheet{part}.xml", b"0" * 80_000_000)

    found = offices.parse_people(Sheet("bomb.xlsx", file.getvalue()))

    assert told(found.problems) == [(0, "", "import.too_big")]


def test_a_misspelt_column_is_refused_and_not_lost() -> None:
    found = offices.parse_people(sheet("login,name,ismade\nanna,甲,1\n"))

    assert told(found.problems) == [(1, "ismade", "import.column_unknown")]


def test_a_missing_column_is_named() -> None:
    found = offices.parse_people(sheet("login\nanna\n"))

    assert told(found.problems) == [(1, "name", "import.column_missing")]
    assert found.rows == ()


def test_a_cell_beyond_the_heading_is_named() -> None:
    found = offices.parse_people(sheet("login,name\nanna,甲,1\n"))

    assert told(found.problems) == [(2, "", "import.too_many_cells")]


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)"])
def test_a_formula_is_no_name(text: str) -> None:
    assert told(offices.parse_people(sheet(f"login,name\nanna,{text}\n")).problems) == [(2, "name", "import.formula")]


def test_control_characters_and_overlong_names_are_named() -> None:
    found = offices.parse_people(sheet(f"login,name\nanna,甲\x07\nbert,{'乙' * 61}\n"))

    assert told(found.problems) == [(2, "name", "import.control_character"), (3, "name", "import.too_long")]


# Areas


def test_the_published_lists_are_read_without_a_problem() -> None:
    found = areas.parse_areas([shipped(f"areas/fuxin_{name}.csv") for name in ("city", "towns", "villages", "aliases")])

    assert found.problems == ()
    assert len(found.areas) == 1 + 7 + 83 + 813
    assert len(found.complete) == 14


def test_every_wrong_row_of_an_area_list_is_named() -> None:
    text = UNITS + "\n".join(
        [
            "210921108201,二门得力村委会,village,village,210921108,大巴镇,镇,210921,阜新蒙古族自治县",
            "21092110820,少一位村委会,village,village,210921108,大巴镇,镇,210921,阜新蒙古族自治县",
            "210921109202,别处村委会,village,village,210921108,大巴镇,镇,210921,阜新蒙古族自治县",
            "210921108203,类别不符社区居委会,community,community,210921108,大巴镇,镇,210921,阜新蒙古族自治县",
            "210921108204,,village,village,210921108,大巴镇,镇,210921,阜新蒙古族自治县",
            "210921108205,另一县名村委会,village,village,210921108,大巴镇,镇,210921,阜蒙县",
            "210921108201,重复村委会,village,village,210921108,大巴镇,镇,210921,阜新蒙古族自治县",
            "210921108501,第十位不对,village,village,210921108,大巴镇,镇,210921,阜新蒙古族自治县",
        ]
    )

    found = areas.parse_areas([sheet(text)])

    assert set(told(found.problems)) >= {
        (3, "code", "import.not_digits"),
        (4, "town_code", "import.not_below"),
        (5, "codekind", "import.kind_against_code"),
        (6, "name", "import.empty"),
        (7, "county", "import.two_names"),
        (8, "code", "import.twice"),
        (9, "code", "import.not_a_unit_code"),
    }
    assert not [problem for problem in found.problems if problem.row == 2]


def test_the_kind_of_a_unit_is_read_from_its_code_and_not_from_its_name() -> None:
    row = "210921108001,新城村委会,,,210921108,大巴镇,镇,210921,阜新蒙古族自治县\n"

    found = areas.parse_areas([sheet(UNITS + row)])

    assert found.areas[0].kind is AreaKind.COMMUNITY


def test_two_lists_that_call_one_county_by_two_names_are_refused() -> None:
    found = areas.parse_areas(
        [
            sheet(TOWNS + "210921101,大巴镇,镇,210921,阜新蒙古族自治县\n", name="one.csv"),
            sheet(TOWNS + "210921102,佛寺镇,镇,210921,阜蒙县\n", name="two.csv"),
        ]
    )

    assert [(problem.sheet, problem.key) for problem in found.problems] == [("two.csv", "import.two_names")]


def test_a_plain_list_may_end_an_area_and_name_its_heir() -> None:
    text = "code,name,kind,parent,active_to,succeeded_by\n210921999,旧镇,town,210921,2026-03-01,210921101\n"

    (row,) = areas.parse_areas([sheet(text)]).areas

    assert row.active_to == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert row.succeeded_by == "210921101"


def test_a_period_that_ends_before_it_begins_is_named() -> None:
    text = (
        "code,name,kind,parent,active_from,active_to\na,旧区,functional,b,2026-03-01,2026-03-01\n990102,区,county,,x,\n"
    )

    problems = areas.parse_areas([sheet(text)]).problems

    assert told(problems) == [(2, "active_to", "import.ends_before_it_begins"), (3, "active_from", "import.not_a_date")]


def test_a_plain_list_asks_for_the_digits_of_each_kind() -> None:
    text = (
        "code,name,kind,parent\n"
        "99,短市,city,\n"
        "990102x,样板区,county,9901\n"
        "99010300,短镇,town,990103\n"
        "990121100200,柳溪村委会,community,990121100\n"
        "990121100500,第十位不对,village,990121100\n"
        "99012110020,少一位村委会,village,990121100\n"
        "fx-kfq,开发区,functional,9901\n"
        "990104,不认识,planet,9901\n"
    )

    assert told(areas.parse_areas([sheet(text)]).problems) == [
        (2, "code", "import.not_digits"),
        (3, "code", "import.not_digits"),
        (4, "code", "import.not_digits"),
        (5, "kind", "import.kind_against_code"),
        (6, "code", "import.not_a_unit_code"),
        (7, "code", "import.not_digits"),
        (9, "kind", "import.not_one_of"),
    ]


def test_an_area_whose_code_came_in_wrong_can_still_be_closed() -> None:
    text = "code,name,kind,parent,active_to\n990102x,样板区,county,9901,2026-03-01\n"

    assert areas.parse_areas([sheet(text)]).problems == ()


# Grids


def on_map(ring: object, **more: object) -> Sheet:
    facts = {"code": "210911001001001", "name": "第一网格", "parent": "210911001001", "is_made": True}
    feature = {"type": "Feature", "properties": facts, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    return Sheet("grids.geojson", json.dumps({"type": "FeatureCollection", "features": [feature], **more}).encode())


SQUARE = [[121.6, 42.0], [121.61, 42.0], [121.61, 42.01], [121.6, 42.01], [121.6, 42.0]]


def test_a_grid_may_come_as_a_row_or_as_a_shape_on_a_map() -> None:
    (plain,) = grids.parse_grids(sheet("code,name,parent,is_made\n210911001001001,第一网格,210911001001,1\n")).rows
    (drawn,) = grids.parse_grids(on_map(SQUARE)).rows

    assert (plain.code, plain.name, plain.parent, plain.is_made) == (
        drawn.code,
        drawn.name,
        drawn.parent,
        drawn.is_made,
    )
    assert plain.outline is None
    assert drawn.outline == {"type": "Polygon", "coordinates": [SQUARE]}


def test_a_map_in_another_datum_is_moved_to_wgs_84() -> None:
    (row,) = grids.parse_grids(on_map(SQUARE, datum="GCJ-02")).rows

    assert row.outline is not None
    shift = abs(row.outline["coordinates"][0][0][0] - SQUARE[0][0])  # type: ignore[index]
    assert 0.001 < shift < 0.01


@pytest.mark.parametrize(
    "ring",
    [
        SQUARE[:-1],
        SQUARE[:2] + SQUARE[:1],
        [[lat, lng] for lng, lat in SQUARE],
        [["121.6", 42.0]] * 4,
        [[121.6]] * 4,
        "POLYGON",
    ],
    ids=["open", "two corners", "latitude first", "text", "no latitude", "no ring"],
)
def test_a_shape_that_is_no_polygon_of_this_country_is_named(ring: object) -> None:
    assert told(grids.parse_grids(on_map(ring)).problems) == [(1, "geometry", "import.wrong_outline")]


@pytest.mark.parametrize("data", [b"{", b'{"type": "Feature"}', b'{"type": "Topology", "features": []}', b"{" * 5000])
def test_what_is_no_geojson_is_refused_as_a_whole(data: bytes) -> None:
    assert told(grids.parse_grids(Sheet("map", data)).problems) == [(0, "", "import.not_geojson")]


def test_a_grid_stands_below_the_unit_its_code_begins_with() -> None:
    found = grids.parse_grids(
        sheet("code,name,parent\n210911001001001,甲,210911001002\n210911001001,乙,210911001001\n")
    )

    assert told(found.problems) == [(2, "parent", "import.not_below"), (3, "code", "import.not_a_grid_code")]


def test_every_feature_that_is_none_is_named_and_the_others_are_read() -> None:
    good = {"code": "210911001001001", "name": "甲", "parent": "210911001001"}
    told_ = [{"properties": good}, {"properties": good | {"code": 1}}, 7, {"properties": good | {"code": "x"}}]
    data = json.dumps({"type": "FeatureCollection", "features": told_}).encode()

    assert told(grids.parse_grids(Sheet("map", data)).problems) == [
        (2, "properties", "import.not_a_feature"),
        (3, "properties", "import.not_a_feature"),
        (4, "code", "import.not_a_grid_code"),
    ]


# Offices and posts


def test_every_wrong_cell_of_an_office_is_named() -> None:
    text = OFFICES + "a b,甲,甲,palace,,210902,city,,call me\n,乙,,bureau,,,heaven,,\n"

    found = offices.parse_offices(sheet(text))

    assert told(found.problems) == [
        (2, "code", "import.not_a_code"),
        (2, "kind", "import.not_one_of"),
        (2, "duty_phone", "import.not_a_phone"),
        (3, "code", "import.empty"),
        (3, "short", "import.empty"),
        (3, "area", "import.empty"),
        (3, "level", "import.not_one_of"),
    ]


@pytest.mark.parametrize(
    ("login", "key"), [("", "import.empty"), ("A B", "import.not_a_login"), ("A", "import.not_a_login")]
)
def test_a_login_that_is_none_is_named_once_as_it_was_written(login: str, key: str) -> None:
    (problem,) = offices.parse_people(sheet(f"login,name\n{login},甲\n")).problems

    assert (problem.row, problem.column, problem.key) == (2, "login", key)
    assert problem.facts == ({"found": login} if login else {})


def test_functions_are_parted_by_a_bar() -> None:
    (row,) = offices.parse_offices(sheet(OFFICES + "a,甲,甲,bureau,,2109,city,供热|园林 | 供热,0418-0000001\n")).rows

    assert row.functions == ("供热", "园林")


def test_a_list_of_posts_without_holders_is_silent_about_them() -> None:
    (silent,) = offices.parse_posts(sheet("office,kind,name\na,head,负责人岗\n")).rows
    (spoken,) = offices.parse_posts(sheet(POSTS + "a,head,负责人岗,,\n")).rows

    assert (silent.holder, silent.deputies) == (None, None)
    assert (spoken.holder, spoken.deputies) == ("", ())


def test_one_post_stands_once_in_a_list() -> None:
    found = offices.parse_posts(sheet(POSTS + "a,head,负责人岗,,\na,head,负责人岗,anna,\n"))

    assert told(found.problems) == [(3, "name", "import.twice")]


# Categories and routes


def test_the_shipped_tree_is_read_without_a_problem() -> None:
    found = categories.parse_categories(shipped("categories/categories.csv"), shipped("categories/categories_ext.csv"))

    assert found.problems == ()
    assert len(found.rows) == 150
    assert len({row.code[0] for row in found.rows}) == 19


def test_where_two_offices_lead_the_first_leads_and_the_second_assists() -> None:
    rows = {row.code: row for row in categories.parse_categories(shipped("categories/categories.csv")).rows}

    assert rows["R09"].lead_function == "市公安局"
    assert rows["R09"].assists[0] == "120急救中心"


def test_what_was_written_from_memory_loses_the_mark_and_is_unconfirmed() -> None:
    found = categories.parse_categories(shipped("categories/categories.csv"), shipped("categories/categories_ext.csv"))
    told_of = {row.code: row.more for row in found.rows}

    assert not [row.code for row in found.rows if row.more and "记忆" in row.more.legal_basis + row.more.statutory_text]
    assert told_of["H05"].is_unconfirmed
    assert (told_of["H05"].legal_basis, told_of["H05"].statutory_text) == ("工伤保险条例:60日认定", "60日")
    assert not told_of["H06"].is_unconfirmed


def test_the_same_as_above_is_written_out() -> None:
    found = categories.parse_categories(shipped("categories/categories.csv"), shipped("categories/categories_ext.csv"))
    told_of = {row.code: row.more for row in found.rows}

    assert told_of["H02"].statutory_text == told_of["H01"].statutory_text != ""


def test_a_season_that_a_spreadsheet_made_a_date_of_is_named() -> None:
    heading = ["code", "level2", "route", "legal_basis", "statutory_limit", "mediation", "small_fund", "season"]
    first = sheet(
        "code,level1,level2,lead_department,co_departments,urgency,sensitivity,default_days,keywords\n"
        "A01,住房,甲,市住房局,,一般,普通,7,房\n"
    )
    second = workbook([heading, ["A01", "甲", "普通", "", "", 0, 0, datetime(2026, 6, 9)]])  # noqa: DTZ001

    found = categories.parse_categories(first, second)

    assert (2, "season", "import.became_a_date") in told(found.problems)


def test_both_lists_must_name_the_same_categories() -> None:
    first = (
        "code,level1,level2,lead_department,co_departments,urgency,sensitivity,default_days,keywords\n"
        "A01,住房,甲,市住房局,,一般,普通,7,房\nA02,住房,乙,市住房局,,一般,普通,7,房\n"
    )
    second = (
        "code,level2,route,legal_basis,statutory_limit,mediation,small_fund,season\n"
        "A01,丙,普通,,,0,0,\nA03,丁,普通,,,0,0,\n"
    )

    found = categories.parse_categories(sheet(first, "one.csv"), sheet(second, "two.csv"))

    assert [(problem.sheet, problem.row, problem.key) for problem in found.problems] == [
        ("one.csv", 3, "import.not_in_both"),
        ("two.csv", 2, "import.two_names"),
        ("two.csv", 3, "import.not_in_both"),
    ]


def test_a_category_that_stands_twice_hides_no_fault_of_either_row() -> None:
    first = (
        "code,level1,level2,lead_department,co_departments,urgency,sensitivity,default_days,keywords\n"
        "A01,住房,甲,市住房局,,一般,普通,7,房\nA01,住房,甲,市住房局,,一般,普通,7,房\n"
    )
    second = (
        "code,level2,route,legal_basis,statutory_limit,mediation,small_fund,season\n"
        "A01,丙,普通,,,0,0,\nA01,甲,普通,,,0,0,\n"
    )

    found = categories.parse_categories(sheet(first, "one.csv"), sheet(second, "two.csv"))

    assert {(problem.sheet, problem.row, problem.key) for problem in found.problems} == {
        ("one.csv", 3, "import.twice"),
        ("two.csv", 2, "import.two_names"),
        ("two.csv", 3, "import.twice"),
    }


def test_every_wrong_cell_of_a_category_is_named() -> None:
    text = (
        "code,level1,level2,lead_department,co_departments,urgency,sensitivity,default_days,keywords\n"
        "1A,住房,甲,,,很急,公开,七天,房\n"
    )

    assert told(categories.parse_categories(sheet(text)).problems) == [
        (2, "lead_department", "import.empty"),
        (2, "code", "import.not_a_category_code"),
        (2, "urgency", "import.not_one_of"),
        (2, "sensitivity", "import.not_one_of"),
        (2, "default_days", "import.not_a_number"),
    ]


def test_a_route_matches_a_category_or_a_letter_or_anything_but_never_two() -> None:
    found = categories.parse_routes(
        sheet("category,root,area,office\nA01,A,2109,a\nA01,,2109,a\n,A,2109,a\n,,2109,a\n")
    )

    assert told(found.problems) == [(2, "root", "import.category_and_root")]
    assert len(found.rows) == 4


# Notices of days off


def notice(**facts: object) -> Sheet:
    return Sheet(
        "notice.json", json.dumps({"year": 2030, "papers": ["https://example.org/1"], "days": []} | facts).encode()
    )


def day(text: str, is_off: bool = True) -> dict[str, object]:
    return {"name": "元旦", "date": text, "isOffDay": is_off}


def test_every_shipped_notice_is_read_without_a_problem() -> None:
    for path in sorted((DATA / "calendar").glob("*.json")):
        found = notices.parse_notice(Sheet(path.name, path.read_bytes()))

        assert found.problems == ()
        assert len(found.rows[0].days) == len(json.loads(path.read_text())["days"])


def test_a_notice_may_begin_in_december_before_and_no_earlier() -> None:
    fine = notices.parse_notice(notice(days=[day("2029-12-31")]))
    wrong = notices.parse_notice(notice(days=[day("2029-11-30"), day("2031-01-01"), day("2030-02-30")]))

    assert fine.rows[0].days[0].day == date(2029, 12, 31)
    assert told(wrong.problems) == [(n, "date", "import.not_in_the_year") for n in (1, 2, 3)]


def test_days_without_a_notice_are_refused() -> None:
    assert told(notices.parse_notice(notice(papers=[], days=[day("2030-01-01")])).problems) == [
        (0, "papers", "import.days_without_paper")
    ]


def test_a_date_stands_once_in_a_notice() -> None:
    found = notices.parse_notice(notice(days=[day("2030-01-01"), day("2030-01-01", is_off=False)]))

    assert told(found.problems) == [(2, "date", "import.twice")]


def test_a_county_may_close_for_a_day_but_not_order_one_to_be_worked() -> None:
    found = notices.parse_notice(notice(area="210921", days=[day("2030-04-07"), day("2030-04-06", is_off=False)]))

    assert told(found.problems) == [(2, "isOffDay", "import.local_day_worked")]


def test_every_fault_of_a_notice_is_named_by_its_day() -> None:
    days = [
        day("2030-01-01") | {"isOffDay": "true"},
        day("2030-13-01"),
        {"name": 7, "date": "2030-02-01"},
        {"name": "元旦", "isOffDay": True, "extra": 1},
        "2030-03-01",
        day("2030-01-01"),
    ]

    problems = notices.parse_notice(notice(days=days, papers=["example.org"], area=5)).problems

    assert {(problem.row, problem.facts["where"], problem.column, problem.key) for problem in problems} == {
        (0, "notice.json", "papers", "import.not_an_address"),
        (0, "notice.json", "area", "import.notice_not_text"),
        (1, "2030-01-01", "isOffDay", "import.notice_not_true_or_false"),
        (2, "2030-13-01", "date", "import.not_in_the_year"),
        (3, "2030-02-01", "name", "import.notice_not_text"),
        (3, "2030-02-01", "isOffDay", "import.notice_field_missing"),
        (4, "#4", "date", "import.notice_field_missing"),
        (4, "#4", "extra", "import.notice_field_unknown"),
        (5, "#5", "days", "import.notice_not_a_day"),
        (6, "2030-01-01", "date", "import.twice"),
    }


def test_what_a_notice_lacks_is_named_field_by_field() -> None:
    found = notices.parse_notice(
        Sheet("n.json", b'{"year": "2030", "days": [{"date": "1", "name": "", "isOffDay": true}]}')
    )

    assert told(found.problems) == [
        (0, "papers", "import.notice_field_missing"),
        (0, "year", "import.not_a_number"),
        (1, "date", "import.not_a_date"),
    ]


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"[" * 5000])
def test_what_is_no_notice_is_refused_as_a_whole(data: bytes) -> None:
    assert told(notices.parse_notice(Sheet("notice.json", data)).problems) == [(0, "", "import.not_a_notice")]
