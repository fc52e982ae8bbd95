"""Which column of a list says what, and what a row tells."""

from __future__ import annotations

import io
import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from fuzhengtong.directory.sheets import Lines, Problem, Sheet
from fuzhengtong.intake import columns, headings, rules

ZONE = ZoneInfo("Asia/Shanghai")
CHANNELS = {"电话": "phone", "phone": "phone", "telephone": "phone"}


def csv(text: str, encoding: str = "utf-8") -> Lines:
    return columns.read(Sheet("list.csv", text.encode(encoding)))


def workbook(*rows: list[object]) -> Lines:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    page = book.add_worksheet()
    as_time = book.add_format({"num_format": "yyyy/m/d h:mm"})
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            if isinstance(value, datetime):
                page.write_datetime(number, place, value, as_time)
            else:
                page.write(number, place, value)
    book.close()
    return columns.read(Sheet("list.xlsx", file.getvalue()))


def rows(
    lines: Lines, told: dict[str, str] | None = None, *, past: bool = False
) -> list[tuple[columns.Row, list[str]]]:
    known, problems = columns.recognise(lines, told or {})
    assert problems == ()
    reader = columns.Reader(
        sheet=lines.sheet, columns=known, zone=ZONE, channel="file_import", channels=CHANNELS, of_the_past=past
    )
    read = [reader.row(line) for line in lines.lines]
    return [(row, [f"{problem.column}: {problem.key}" for problem in problems]) for row, problems in read]


def row(lines: Lines, **how: Any) -> columns.Row:
    (found, problems), *others = rows(lines, **how)
    assert not others
    assert problems == []
    return found


def keys(problems: tuple[Problem, ...]) -> list[tuple[int, str, str]]:
    return [(problem.row, problem.column, problem.key) for problem in problems]


# --- names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "fields"),
    [
        ("留言编号,留言用户,留言主题,留言时间,留言详情,答复意见,答复时间", "id name title created text reply replied_at"),
        ("工单号,来电人,联系电话,诉求内容,事发地址,诉求来源,办结时间,满意度", "id name phone text address channel closed_at satisfaction"),
        ("ID,Title,Description,Created_At,Name,Phone Number,Address,Lat,Long", "id title text created name phone address lat lng"),
        ("编号（必填）,标题*, 内 容 ,联系电话(手机)", "id title text phone"),
        ("requested_datetime,service_request_id,description,address_string", "created id text address"),
    ],
)  # fmt: skip
def test_the_usual_names_are_known_in_any_dress(heading: str, fields: str) -> None:
    known, problems = columns.recognise(csv(f"{heading}\n" + "x," * heading.count(",") + "x\n"), {})

    assert problems == ()
    assert " ".join(sorted(known.of, key=list(known.of).index)) == fields


@given(name=st.sampled_from([name for names in headings.FIELDS.values() for name in names]), data=st.data())
def test_a_known_name_is_known_with_blanks_marks_and_remarks(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name)))
    dressed = data.draw(st.sampled_from(["{}", " {}", "{}*", "{}：", "{}（必填）", "{} (必填)", "{}[1]"]))
    joint = data.draw(st.sampled_from(["", " ", "_", "-", "　"]))

    folded = headings.folded(dressed.format(name[:at] + joint + name[at:]).upper())

    assert headings.KNOWN[folded] == headings.KNOWN[name]


def test_no_name_means_two_fields() -> None:
    listed = [headings.folded(name) for names in headings.FIELDS.values() for name in names]

    assert len(listed) == len(set(listed))


def test_a_running_number_is_no_id() -> None:
    known, _ = columns.recognise(csv("序号,内容\n1,x\n"), {})

    assert "id" not in known.of
    assert known.left_out == ("序号",)


def test_two_columns_of_one_field_are_asked_about_and_one_word_answers() -> None:
    lines = csv("内容,诉求内容,姓名\na,b,c\n")

    _, problems = columns.recognise(lines, {})
    known, settled = columns.recognise(lines, columns.mapping(["诉求内容=text"], lines))

    assert keys(problems) == [(1, "诉求内容", "import.columns_of_one_field")]
    assert settled == ()
    assert known.of == {"text": "诉求内容", "name": "姓名"}
    assert known.left_out == ("内容",)


def test_a_list_without_anybodys_words_is_none() -> None:
    assert keys(columns.recognise(csv("编号,姓名\n1,示例\n"), {})[1]) == [(1, "", "import.no_telling_column")]


def test_the_operators_word_goes_before_what_a_name_suggests() -> None:
    lines = csv("Ref No.,说了什么,内容\n7,灯不亮,备注\n")
    told = columns.mapping(["ref no.=工单号", "说了什么=text", "内容="], lines)

    known, problems = columns.recognise(lines, told)

    assert problems == ()
    assert known.of == {"id": "ref no.", "text": "说了什么"}


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("没有的列=text", "import.map_no_column"),
        ("内容=nothing", "import.map_no_field"),
        ("内容", "import.map_no_field"),
    ],
)
def test_a_word_that_names_nothing_is_refused(word: str, key: str) -> None:
    lines = csv("内容,说明\nx,y\n")

    assert key in {problem.key for problem in columns.recognise(lines, columns.mapping([word], lines))[1]}


# --- reading -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_words_come_in_as_they_were_told_in_every_encoding(encoding: str) -> None:
    told = "Ａ座３楼　水管“爆”了，\n第二行"

    found = row(csv(f'编号,内容\n1,"{told}"\n', encoding))

    assert found.submission.text == told


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_one_object_a_line_is_a_row(encoding: str) -> None:
    listed = [{"id": 7, "text": "灯\u2028不亮", "lat": 42.0, "phone": None}, {"text": "没水", "anonymous": True}]
    data = "\n".join(json.dumps(one, ensure_ascii=False) for one in listed).encode(encoding)

    first, second = rows(columns.read(Sheet("list.jsonl", data)))

    assert (first[0].number, first[0].submission.source_ref) == (1, "7")
    assert first[0].submission.text == "灯\n不亮"
    assert (second[0].number, second[0].submission.anonymous) == (2, True)


def test_a_line_that_is_no_object_and_a_nested_value_are_named_and_the_rest_is_read() -> None:
    deep = "[" * 100_000
    data = '{"text": "a"}\n{"text": \n\n{"text": {"b": 1}}\n{"x": ' + deep + '\n{"text": "c"}'

    lines = columns.read(Sheet("list.jsonl", data.encode()))

    assert keys(lines.problems) == [
        (2, "", "import.not_an_object"),
        (4, "text", "import.not_a_plain_value"),
        (5, "", "import.not_an_object"),
    ]
    assert [line.number for line in lines.lines] == [1, 4, 6]


def test_a_workbook_gives_times_numbers_and_texts() -> None:
    at = datetime(2019, 2, 28, 11, 25)

    lines = workbook(
        ["工单号", "内容", "时间", "电话"], [188006, "灯不亮", at, 13800000001], [2, "没水", 43524.4757523148, ""]
    )

    first, second = (read for read, _ in rows(lines))
    assert (first.submission.source_ref, first.submission.taken_at) == ("188006", at.replace(tzinfo=ZONE))
    assert first.submission.reporter == rules.Person(phone="13800000001")
    assert second.submission.taken_at == datetime(2019, 2, 28, 11, 25, 5, tzinfo=ZONE)


# --- rows --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "text", "told"),
    [
        ("路灯不亮", "益民社区楼前", "路灯不亮\n益民社区楼前"),
        ("路灯不亮", "路灯不亮，好几天了", "路灯不亮，好几天了"),
        ("路灯不亮", "", "路灯不亮"),
        ("", "路灯不亮", "路灯不亮"),
        (" 路灯\n不亮 ", "\n\t  楼前  \n\n", "路灯 不亮\n楼前"),
    ],
)
def test_the_title_is_the_first_line_and_is_said_once(title: str, text: str, told: str) -> None:
    assert row(csv(f'id,主题,内容\n1,"{title}","{text}"\n')).submission.text == told


def test_what_cannot_be_read_is_named_by_row_and_column_and_never_repeated() -> None:
    lines = csv("内容,时间,渠道,纬度,经度,是否匿名\n灯不亮,02/03/2019,飞鸽,北纬,121.6,也许\n")

    ((_, problems),) = rows(lines)

    assert sorted(problems) == [
        "时间: import.not_an_instant", "是否匿名: import.not_yes_or_no", "渠道: import.channel_unknown",
        "纬度: import.not_degrees",
    ]  # fmt: skip


def test_a_channel_comes_by_code_or_by_name() -> None:
    read = rows(csv("内容,渠道\na,电话\nb,PHONE\nc,\n"))

    assert [found.submission.channel for found, _ in read] == ["phone", "phone", "file_import"]


def test_who_is_anonymous_and_named_all_the_same_is_kept_from_the_office() -> None:
    named, nobody = (read.submission for read, _ in rows(csv("内容,姓名,匿名\na,示例王,是\nb,,是\n")))

    assert (named.confidential, named.anonymous) == (True, False)
    assert (nobody.confidential, nobody.anonymous) == (False, True)


def test_nobody_lives_where_latitude_and_longitude_are_nought() -> None:
    nowhere, somewhere = (
        read.submission for read, _ in rows(csv("内容,纬度,经度,坐标系\na,0,0,\nb,42.01,121.65,gcj02\n"))
    )

    assert nowhere.location is None
    assert somewhere.location == rules.Location(lat=42.01, lng=121.65, datum="GCJ-02")


def test_a_living_matter_brings_nothing_of_its_end() -> None:
    found = row(csv("内容,答复,办结时间,承办单位\n灯不亮,修好了,2019-03-01,示例局\n"))

    assert (found.reply, found.closed_at, found.besides) == ("", None, ())


def test_a_closed_matter_brings_its_end_and_what_nobody_has_a_column_for() -> None:
    found = row(
        csv(
            "内容,答复,答复时间,办结时间,承办单位,满意度,是否解决,类别\n灯不亮,修好了,2019-02-28,2019-03-01,示例局,一般,是,路灯\n"
        ),
        past=True,
    )

    assert found.reply == "修好了"
    assert found.closed_at == datetime(2019, 3, 1, tzinfo=ZONE)
    assert (found.solved, found.satisfaction, found.category) == ("yes", None, "路灯")
    assert found.besides == (("承办单位", "示例局"), ("满意度", "一般"))


def test_every_word_of_a_row_goes_before_the_screen() -> None:
    heading = "内容,姓名,地址,编号,委托人,答复,承办单位,类别,满意度"
    found = row(csv(f"{heading}\n一,二,三,四,五,六,七,八,九\n"), past=True)

    assert set(found.texts) >= set("一二三四五六七八九")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=6, max_size=6))
def test_a_row_is_known_by_its_telling_and_by_nothing_that_comes_later(cells: list[str]) -> None:
    listed = dict(zip(("title", "text", "created", "name", "phone", "address"), cells, strict=True))

    def identity(**more: str) -> str:
        lines = columns.read(Sheet("x", json.dumps({"text": "", **listed, "reply": "", **more}).encode()))
        return rows(lines)[0][0].identity

    assert identity() == identity(reply="办好了", 满意度="满意")
    assert identity() != identity(text=listed["text"] + "!")
