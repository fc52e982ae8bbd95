"""Tellings from a file: every row in once, what is wrong said by row and column, nothing of a screened row anywhere."""

# ruff: noqa: F811 - fixtures of another module are asked for by name
from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fuzhengtong.cases import ledger, models
from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.cases.states import CaseKind, State
from fuzhengtong.chain import followers
from fuzhengtong.charter.moment import SYSTEM
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory.sheets import Sheet
from fuzhengtong.intake import bulk
from fuzhengtong.intake import queries as intake_queries
from fuzhengtong.jobs import appeals, tick, verify, watchdog
from fuzhengtong.people import models as people_models
from fuzhengtong.procedure import catalogue
from fuzhengtong.reporting import queries as reporting_queries
from tests.actions.test_races import at_once, refusals
from tests.builders import LAMP, City, tell
from tests.conftest import NOON, ROOT
from tests.rules import dispatch_city
from tests.web.test_desk_sign_in import Sit, noon, sit  # noqa: F401 - fixtures

TOLD_AT = datetime(2019, 2, 28, 3, 25, 5, tzinfo=UTC)
SECRET = "村支书收了开发商的红包"
HEADING = "编号,留言用户,留言主题,留言时间,留言详情,电话\n"


@pytest.fixture(autouse=True)
def channels_read_anew() -> Iterator[None]:
    intake_queries.lanes_kept.forget()
    yield
    intake_queries.lanes_kept.forget()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


Take = Callable[..., appeals.Outcome]


@pytest.fixture
def take(home: Path) -> Take:
    def taken(text: str | bytes, *, name: str = "list.csv", mode: str = "live", **how: Any) -> appeals.Outcome:
        file = home / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        how.setdefault("stream", io.StringIO())
        return appeals.run(file=file, mode=mode, home=home, **how)

    return taken


def made(count: int, *, told: str = LAMP) -> str:
    """A list of made tellings, in two forms of dates as in life."""
    ways = ("2019/2/28 11:25:05", "2019-02-28 11:25:05")
    rows = (f"{n},示例{n},第 {n} 件,{ways[n % 2]},{told} {n},1380000{n:04}\n" for n in range(1, count + 1))
    return HEADING + "".join(rows)


def refs() -> list[str]:
    return sorted(models.Appeal.objects.values_list("source_ref", flat=True))


def the_case() -> models.Case:
    return models.Case.objects.get()


def text_of(case: models.Case) -> str:
    return cases_queries.told([case.id])[case.id].text


def everything() -> dict[str, int]:
    """Count the rows of every table that a telling leaves something in."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename ~ '^(cases|people|mailroom|accounts)'"
        )
        names = [row[0] for row in cursor.fetchall()]
        counts = {}
        for name in names:
            cursor.execute(f'SELECT count(*) FROM "{name}"')
            counts[name] = cursor.fetchone()[0]
    return counts


def assert_whole() -> None:
    report = verify.verify(acknowledged=None, canaries=None, deep=True, say=lambda line: None)
    assert report.ok, report.as_text()


def said(outcome: appeals.Outcome) -> str:
    return "\n".join(appeals.lines(outcome))


# --- live --------------------------------------------------------------------------------------------------------


def test_every_row_is_in_dispatched_and_proved(db, take) -> None:
    outcome = take(made(230))

    assert (outcome.taken, outcome.again, outcome.bad, outcome.screened) == (230, 0, 0, [])
    assert refs() == sorted(str(n) for n in range(1, 231))
    assert set(models.Case.objects.values_list("state", flat=True)) == {State.ASSIGNED}
    assert people_models.Resident.objects.count() == 230
    assert not models.Follow.objects.filter(follower="dispatch").exists()
    assert_whole()


def test_the_clocks_start_at_the_import_and_the_claimed_time_is_kept(db, take) -> None:
    take(HEADING + "7,示例王,路灯,2019/2/28 11:25:05,益民社区楼前不亮,13800000001\n", clock=lambda: NOON)

    appeal = models.Appeal.objects.get()
    entry = models.Entry.objects.get(step="register")
    assert (appeal.received_at, appeal.told_at) == (NOON, TOLD_AT)
    assert (entry.at, entry.told_at) == (NOON, TOLD_AT)
    assert the_case().biz_day == 20261120
    accept = models.Duty.objects.get(kind="accept")
    assert accept.owed_from == NOON


def test_the_title_is_the_first_line_of_what_was_told(db, take) -> None:
    take(HEADING + "7,示例王,路灯不亮,2019-02-28,益民社区楼前,\n")

    assert text_of(the_case()) == "路灯不亮\n益民社区楼前"


def test_a_list_names_teller_place_and_channel_like_any_door(db, take) -> None:
    take("内容,姓名,电话,地址,纬度,经度,渠道,是否保密\n灯不亮,示例王,+86 138 0000 0001,益民社区,42.01,121.65,电话,是\n")

    appeal = models.Appeal.objects.get()
    view = cases_queries.case_view(viewer=dispatcher_of_the_city(), case_id=appeal.case_id)
    assert view is not None
    telling = view.tellings[0]
    assert (telling.masked_name, telling.masked_phone) == ("示＊＊", "138＊＊＊＊0001")
    assert (telling.place, telling.channel, telling.lat, telling.confidential) == ("益民社区", "phone", 42.01, True)


def dispatcher_of_the_city() -> Any:
    city = City()
    return city.actor("dispatcher", city.desk.office_id, at=NOON)


def test_two_rows_of_one_phone_are_two_tellings_of_one_resident(db, take) -> None:
    take("编号,内容,电话\n1,灯不亮,13800000001\n2,没有水,13800000001\n3,没有电,\n")

    residents = list(models.Appeal.objects.order_by("source_ref").values_list("resident_id", flat=True))
    assert residents[0] == residents[1] is not None
    assert residents[2] is None


def test_who_has_told_here_before_is_known_again(db, take, city, moment) -> None:
    told = tell(city, moment)

    take("编号,内容,电话\n1,灯又不亮了,13800000001\n")

    assert people_models.Resident.objects.count() == 1
    residents = set(models.Appeal.objects.values_list("resident_id", flat=True))
    assert residents == {told.snapshot().appeals[0].resident_id}


# --- again -------------------------------------------------------------------------------------------------------


def test_a_list_handed_in_again_changes_nothing(db, take) -> None:
    take(made(230))
    before = everything()

    outcome = take(made(230))

    assert (outcome.taken, outcome.again) == (0, 230)
    assert everything() == before


def test_a_longer_list_brings_what_is_new(db, take) -> None:
    take(made(5))

    outcome = take(made(9))

    assert (outcome.taken, outcome.again) == (4, 5)


def test_of_two_rows_with_one_id_the_first_is_taken(db, take) -> None:
    outcome = take("编号,内容\n1,灯不亮\n1,没有水\n")

    assert (outcome.taken, outcome.again) == (1, 1)
    assert text_of(the_case()) == "灯不亮"


def test_a_row_without_an_id_is_known_again_whatever_was_added_to_it(db, take) -> None:
    take("内容,时间,姓名\n灯不亮,2019-02-28,示例王\n没有水,2019-02-28,示例王\n")

    outcome = take("姓名,时间,内容,答复,点赞数\n示例王,2019-02-28,灯不亮,修好了,3\n示例王,2019-02-28,停气了,,4\n")

    assert (outcome.taken, outcome.again) == (1, 1)
    assert all(ref.startswith("row-") and len(ref) == 36 for ref in refs())


def test_one_number_on_two_channels_is_two_matters(db, take) -> None:
    outcome = take("编号,内容,渠道\n1,灯不亮,电话\n1,灯不亮,邮件\n")

    assert outcome.taken == 2


def test_two_imports_at_once_take_every_row_once(own_database, home) -> None:
    file = home / "list.csv"
    file.write_text(made(230))

    found = at_once([lambda: appeals.run(file=file, mode="live", home=home, stream=io.StringIO())] * 2)

    assert refusals(found) == []
    assert sum(one.taken for one in found) == 230
    assert sum(one.again for one in found) == 230
    assert models.Appeal.objects.count() == 230
    assert_whole()


# --- what is wrong -----------------------------------------------------------------------------------------------

BAD = (
    HEADING
    + "1,示例,灯,2019/2/28 11:25:05,不亮,13800000001\n"
    + "2,示例,灯,28.02.2019,不亮,13800000001\n"
    + "3,示例,,2019-02-28,,13800000001\n"
    + "4,示例,灯,2019-02-28,不亮,138****0001\n"
    + f"5,示例,灯,2019-02-28,{'长' * 10_001},\n"
    + "6,示例,灯,2099-02-28,不亮,,多的\n"
    + "7,示例,灯,2099-02-28,不亮,\n"
    + "8,示例,灯,2019-02-28,不亮,\n"
)
FAULTS = [
    (3, "留言时间", "import.not_an_instant"),
    (4, "留言详情", "input.text_missing"),
    (5, "电话", "input.no_phone"),
    (6, "留言详情", "input.too_long"),
    (7, "", "import.too_many_cells"),
    (7, "留言时间", "input.in_the_future"),
    (8, "留言时间", "input.in_the_future"),
]


def test_bad_rows_are_named_by_row_and_column_and_the_rest_comes_in(db, take) -> None:
    outcome = take(BAD)

    assert [(problem.row, problem.column, problem.key) for problem in outcome.problems] == FAULTS
    assert (outcome.taken, outcome.bad) == (2, 6)
    assert refs() == ["1", "8"]
    assert not outcome.is_sound


def test_the_report_of_bad_rows_lies_in_the_home_for_its_owner_and_repeats_no_word(db, take, home) -> None:
    outcome = take(BAD)

    assert outcome.report is not None and outcome.report.parent == home / "imports"
    assert outcome.report.stat().st_mode & 0o777 == 0o600
    assert outcome.report.parent.stat().st_mode & 0o777 == 0o700
    with outcome.report.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert [(int(row[0]), row[1]) for row in rows[1:]] == [fault[:2] for fault in FAULTS]
    assert all(len(row) == 4 and row[2] and row[3] for row in rows)
    whole = outcome.report.read_text(encoding="utf-8-sig") + said(outcome)
    assert not any(word in whole for word in ("示例", "138", "28.02.2019", "多的"))


def test_what_was_mended_comes_in_with_the_same_file(db, take) -> None:
    take(BAD)

    outcome = take(BAD.replace("28.02.2019", "2019-02-28"))

    assert (outcome.taken, outcome.again, outcome.bad) == (1, 2, 5)


def test_strict_changes_nothing_when_one_row_is_bad(db, take) -> None:
    before = everything()

    outcome = take(BAD, strict=True)

    assert (outcome.taken, outcome.bad, outcome.written) == (0, 6, False)
    assert everything() == before
    assert "什么都没有写入" in said(outcome)
    assert take(made(3), strict=True).taken == 3


def test_a_look_writes_nothing(db, take) -> None:
    before = everything()

    outcome = take(made(3), look=True)

    assert (outcome.rows, outcome.taken, outcome.is_sound) == (3, 0, True)
    assert everything() == before


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("编号,姓名\n1,示例\n", "import.no_telling_column"),
        ("内容,诉求内容\na,b\n", "import.columns_of_one_field"),
        ("内容,内容\na,b\n", "import.column_twice"),
        ("", "import.no_heading"),
        (b"\xff\xfe\xff", "import.not_text"),
        (b"PK\x03\x04 no workbook", "import.not_a_workbook"),
    ],
)
def test_a_list_that_is_wrong_as_a_whole_is_refused_as_a_whole(db, take, text: str | bytes, key: str) -> None:
    outcome = take(text)

    assert key in {problem.key for problem in outcome.problems}
    assert (outcome.whole, outcome.taken, outcome.report) == (True, 0, None)
    assert "什么都没有导入" in said(outcome)


def test_a_file_that_is_not_there_is_said_so(db, home) -> None:
    outcome = appeals.run(file=home / "none.csv", mode="live", home=home)

    assert [problem.key for problem in outcome.problems] == ["import.no_such_file"]


def test_a_channel_that_is_none_is_refused(db, take) -> None:
    with pytest.raises(bulk.NoSuchChannel) as refused:
        take(made(1), channel="pigeon")

    assert "file_import" in str(refused.value.params["known"])


def test_the_first_line_of_a_nameless_column_is_no_fault(db, take) -> None:
    assert take(",内容\n0,灯不亮\n").taken == 1


def test_a_line_of_json_that_is_none_is_a_bad_row(db, take) -> None:
    outcome = take('{"text": "灯不亮"}\nnothing\n{"text": "没有水"}\n', name="list.jsonl")

    assert (outcome.rows, outcome.taken, outcome.bad) == (3, 2, 1)
    assert [(problem.row, problem.key) for problem in outcome.problems] == [(2, "import.not_an_object")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_every_encoding_of_chinese_offices_comes_in(db, take, encoding: str) -> None:
    assert take(made(2).encode(encoding)).taken == 2
    assert text_of(models.Case.objects.order_by("id")[0]) == f"第 1 件\n{LAMP} 1"


# --- the screen --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["live", "history"])
def test_of_a_report_on_a_person_in_office_nothing_is_kept_but_the_number_of_its_row(db, take, home, mode: str) -> None:
    rows = [f"1,示例王,灯,2019-02-28,{SECRET},13800000001\n", f"2,示例王,{SECRET},昨天,,13800000001\n"]
    before = everything()

    outcome = take(HEADING + "".join(rows), mode=mode, strict=True)

    assert (outcome.screened, outcome.taken, outcome.problems, outcome.report) == ([2, 3], 0, [], None)
    assert everything() == before
    whole = said(outcome) + json.dumps(outcome.as_json(), ensure_ascii=False)
    assert "2, 3" in whole
    assert "收" not in whole and "示例王" not in whole
    assert sorted(path.name for path in home.iterdir()) == ["list.csv"]


@pytest.mark.parametrize("column", ["姓名", "地址", "编号", "委托人"])
def test_the_screen_reads_every_word_of_a_row(db, take, column: str) -> None:
    assert take(f"内容,{column}\n灯不亮,{SECRET}\n").screened == [2]


def test_a_reply_that_repeats_such_a_report_keeps_the_row_out_of_history(db, take) -> None:
    text = f"内容,时间,答复,答复时间\n灯不亮,2019-02-28,您反映的{SECRET}已核实,2019-03-01\n"

    assert take(text, mode="history").screened == [2]
    assert take(text).taken == 1


# --- the machine -------------------------------------------------------------------------------------------------


def test_a_batch_costs_the_same_statements_whatever_its_size(db, moment) -> None:
    def statements(count: int, begin: int) -> int:
        text = made(begin + count).split("\n")
        sheet = Sheet("x", "\n".join([text[0], *text[begin + 1 :]]).encode())
        listing = bulk.Listing(sheet=sheet, told=(), of_the_past=False, channel="", moment=moment)
        ready = [row for row in listing.rows() if isinstance(row, bulk.Ready)]
        with CaptureQueriesContext(connection) as made_here:
            assert len(bulk.take(ready=ready, moment=moment).entry_ids) == count
        return len(made_here)

    statements(1, 1)

    assert statements(150, 300) == statements(3, 10)


def test_what_a_killed_import_had_not_sent_on_is_dispatched_by_the_next(db, take, moment) -> None:
    take(made(3))
    listing = bulk.Listing(sheet=Sheet("x", made(6).encode()), told=(), of_the_past=False, channel="", moment=moment)
    bulk.take(ready=[row for row in listing.rows() if isinstance(row, bulk.Ready)], moment=moment)
    assert models.Case.objects.filter(state=State.RECEIVED).count() == 3

    outcome = take(made(6))

    assert (outcome.taken, outcome.again) == (0, 6)
    assert not models.Case.objects.filter(state=State.RECEIVED).exists()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_far_it_has_come_and_a_pipe_sees_nothing(db, take) -> None:
    terminal, pipe = Terminal(), io.StringIO()

    take(made(3), stream=terminal)
    take(made(3), stream=pipe)

    assert "3 / 3" in terminal.getvalue() and "█" in terminal.getvalue()
    assert pipe.getvalue() == ""


# --- history -----------------------------------------------------------------------------------------------------

PAST = (
    "编号,留言用户,留言主题,留言时间,留言详情,电话,类别,办结时间,答复,答复时间,满意度,是否解决,承办单位\n"
    "9,示例王,路灯不亮,2019/2/28 11:25:05,益民社区楼前,13800000001,E03,2019-03-08 16:00,已经修好。,2019-03-07 9:30,满意,是,示例局\n"
)


def test_a_closed_matter_keeps_its_own_times_its_category_and_its_reply(db, take, city) -> None:
    outcome = take(PAST, mode="history")

    assert (outcome.taken, outcome.left_out) == (1, ())
    case, appeal = the_case(), models.Appeal.objects.get()
    assert (case.kind, case.state, case.is_open) == (CaseKind.HISTORY, State.ARCHIVED, False)
    assert (case.received_at, case.closed_at) == (TOLD_AT, datetime(2019, 3, 8, 8, tzinfo=UTC))
    assert (case.biz_day, case.biz_month) == (20190228, 201902)
    assert (case.category_id, case.root) == (city.category("E03").category_id, "E")
    assert (appeal.received_at, appeal.biz_month, appeal.channel) == (TOLD_AT, 201902, "history_import")
    assert appeal.answered_at == datetime(2019, 3, 7, 1, 30, tzinfo=UTC)
    assert (appeal.state, appeal.satisfaction, appeal.solved) == ("rated", "satisfied", "yes")
    view = cases_queries.case_view(viewer=dispatcher_of_the_city(), case_id=case.id)
    assert view is not None
    assert (view.tellings[0].answer, view.tellings[0].text) == ("已经修好。", "路灯不亮\n益民社区楼前")
    assert view.lines[0].texts["note"] == "承办单位：示例局"


def test_history_owes_nothing_sends_nothing_and_counts_nowhere(db, take, city, moment) -> None:
    tell(city, moment)
    counted = list(models.Delta.objects.values_list("month", "measure", "n"))
    duties = models.Duty.objects.count()
    waiting = models.Follow.objects.count()

    take(PAST, mode="history")

    assert models.Duty.objects.count() == duties
    assert models.Follow.objects.count() == waiting
    assert list(models.Delta.objects.values_list("month", "measure", "n")) == counted
    assert reporting_queries.recount() == ()


def test_time_does_nothing_to_history(db, take, moment) -> None:
    take(PAST, mode="history")
    before = everything()
    later = replace(moment, at=datetime.now(UTC) + timedelta(days=400))

    tick.turn(lambda: later)

    assert everything() == before
    assert followers.run("notices", moment=later) == 0


def test_history_is_proved_like_every_ledger(db, take) -> None:
    take(PAST + "".join(f"{n},,示例,2019-01-0{n},灯不亮,,,,,,,,\n" for n in range(1, 8)), mode="history")

    assert models.Case.objects.filter(kind=CaseKind.HISTORY).count() == 8
    assert_whole()


def test_the_watchdog_has_nothing_to_say_of_history(db, take, moment) -> None:
    take(PAST, mode="history")

    at = datetime.now(UTC)
    assert watchdog.pass_over(moment=replace(moment, at=at), beat_at=at) == []


@pytest.mark.parametrize(
    ("row", "faults"),
    [
        ("灯不亮,,,", [("留言时间", "import.history_needs_time")]),
        ("灯不亮,昨天,,", [("留言时间", "import.not_an_instant")]),
        ("灯不亮,2019-02-28,修好了,", [("答复", "import.reply_without_time")]),
        ("灯不亮,2019-02-28,修好了,2019-02-27", [("办结时间", "import.times_out_of_order")]),
        ("灯不亮,2019-02-28,修好了,2099-01-01", [("办结时间", "import.times_out_of_order")]),
        (f"灯不亮,2019-02-28,{'长' * 10_001},2019-03-01", [("答复", "input.too_long")]),
    ],
)
def test_history_without_its_times_is_no_history(db, take, row: str, faults: list[tuple[str, str]]) -> None:
    outcome = take(f"内容,留言时间,答复,办结时间\n{row}\n", mode="history")

    assert [(problem.column, problem.key) for problem in outcome.problems] == faults
    assert not models.Case.objects.exists()


def test_a_matter_of_which_only_the_telling_is_known_is_history_too(db, take) -> None:
    take("内容,时间,类别\n灯不亮,2019-02-28,城乡建设\n", mode="history")

    case = the_case()
    view = cases_queries.case_view(viewer=dispatcher_of_the_city(), case_id=case.id)
    assert (case.closed_at, case.category_id) == (None, None)
    assert view is not None and view.lines[0].texts["note"] == "类别：城乡建设"


def test_nobody_can_move_history(db, take) -> None:
    take(PAST, mode="history")

    snapshot = ledger.look([the_case().id])[0]
    city = City()
    people = [city.actor(kind, city.desk.office_id, at=NOON) for kind in ("dispatcher", "reviewer", "supervisor")]
    assert [catalogue.offered(snapshot, actor) for actor in (*people, SYSTEM)] == [()] * 4


def test_the_page_of_a_closed_matter_shows_its_own_years_and_the_reply(
    db, sit: Sit, noon: Any, city: City, take
) -> None:
    take(PAST, mode="history", clock=lambda: NOON)

    page = sit(dispatcher_of_the_city()).get(f"/desk/case/{the_case().number}/")

    shown = page.content.decode()
    assert page.status_code == 200
    for word in (
        "历史件",
        "2019-02-28 11:25",
        "2019-03-08 16:00",
        "已经修好。",
        "录入历史件",
        "承办单位：示例局",
    ):
        assert word in shown, word
    assert "13800000001" not in shown


def test_with_history_in_it_no_list_of_the_desks_shows_one_as_work(db, take) -> None:
    take(PAST, mode="history")
    at = datetime.now(UTC)

    shown = [
        row.id
        for queue in cases_queries.QUEUES["dispatcher"]
        for row in cases_queries.inbox(
            viewer=dispatcher_of_the_city(), queue=queue, now=at, day_end=at + timedelta(days=1)
        ).rows
    ]

    assert shown == []


# --- another city's board ----------------------------------------------------------------------------------------

SOME = 300


def test_the_board_of_another_city_lands_at_the_desk_and_in_no_town_it_does_not_name(db, take) -> None:
    listed = dispatch_city.rows("appeals-zh/messages_4326.csv")
    # Both forms of dates, the longest texts, and the one that names a community which Fuxin has as well.
    some = sorted(listed, key=lambda row: (-len(row["留言详情"]), row["id"]))[:20] + listed[:: len(listed) // SOME]
    some += [row for row in listed if "金地社区" in row["留言详情"]]
    told = {row["id"]: row for row in some}
    text = io.StringIO()
    out = csv.DictWriter(text, fieldnames=list(listed[0]))
    out.writeheader()
    out.writerows(told.values())

    outcome = take(text.getvalue())

    assert outcome.problems == []
    assert outcome.taken == len(told) - len(outcome.screened)
    assert outcome.left_out == ("反对数", "点赞数")
    states = Counter(models.Case.objects.values_list("state", "at_desk", "automatic"))
    assert set(states) == {("received", True, False)}
    for case in models.Case.objects.filter(town_id__isnull=False):
        lowest = case.community_id or case.town_id
        if lowest != case.county_id:
            area = directory_queries.area(lowest)
            assert area is not None and area.display_name in text_of(case), text_of(case)[:80]
    first = models.Appeal.objects.select_related("telling").get(source_ref=some[0]["id"])
    assert text_of(first.case).startswith(" ".join(some[0]["留言主题"].split()))
    assert first.told_at is not None and first.told_at < datetime(2020, 2, 1, tzinfo=UTC)
    assert_whole()


def test_the_replies_of_another_city_become_history(db, take) -> None:
    listed = dispatch_city.rows("appeals-zh/replies_2816.csv")[::20]
    text = io.StringIO()
    out = csv.DictWriter(text, fieldnames=list(listed[0]))
    out.writeheader()
    out.writerows(listed)

    outcome = take(text.getvalue(), mode="history")

    assert (outcome.problems, outcome.left_out) == ([], ())
    assert outcome.taken + len(outcome.screened) == len(listed)
    assert models.Appeal.objects.filter(answered_at__lt=datetime(2020, 6, 1, tzinfo=UTC)).count() == outcome.taken
    assert_whole()


# --- the command -------------------------------------------------------------------------------------------------


def command(databases: Any, name: str, home: Path, *words: str) -> subprocess.Popen[str]:
    environ = os.environ | {"DATABASE_URL": databases.app_url(name), "PYTHONWARNINGS": "default"}
    return subprocess.Popen(
        [sys.executable, "-m", "fuzhengtong", "import-appeals", *words],
        env=environ, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finished(process: subprocess.Popen[str]) -> tuple[int, list[str], str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out.splitlines(), err


def test_the_command_ends_with_one_line_of_json_and_its_status(databases, own_database, home) -> None:
    file = home / "list.csv"
    file.write_text(made(3).replace("留言详情", "说了什么") + "4,示例,x,昨天,灯不亮,\n")

    status, lines, err = finished(
        command(databases, own_database, home, str(file), "--map", "说了什么=text", "--channel", "letter", "--json")
    )

    told = json.loads(lines[-1])
    assert (status, told["taken"], told["bad"], told["as"], told["ok"]) == (1, 3, 1, "live", False), err
    assert set(models.Appeal.objects.values_list("channel", flat=True)) == {"letter"}
    Path(told["report"]).unlink()


def test_the_command_refuses_a_channel_in_both_languages(databases, own_database, home) -> None:
    file = home / "list.csv"
    file.write_text(made(1))

    status, _, err = finished(command(databases, own_database, home, str(file), "--channel", "pigeon"))

    assert status == 2
    assert "没有渠道 pigeon" in err and "no channel pigeon" in err


def test_an_import_killed_on_its_way_goes_on_where_it_stopped(databases, own_database, home) -> None:
    file, count = home / "list.csv", 1600
    file.write_text(made(count))
    process = command(databases, own_database, home, str(file))
    ends = time.monotonic() + 60
    while models.Appeal.objects.count() < 200 and time.monotonic() < ends:
        time.sleep(0.01)

    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    arrived = models.Appeal.objects.count()
    status, lines, err = finished(command(databases, own_database, home, str(file), "--json"))

    told = json.loads(lines[-1])
    assert 200 <= arrived < count and arrived % bulk.BATCH == 0
    assert (status, told["already"], told["taken"]) == (0, arrived, count - arrived), err
    assert models.Appeal.objects.count() == count
    assert not models.Follow.objects.filter(follower="dispatch").exists()
    assert_whole()
