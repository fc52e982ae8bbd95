"""What a cell of a list says: every form in which offices write a time, and nothing that could be another one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzhengtong.cases.states import Satisfaction, Solved
from fuzhengtong.intake import cells

ZONE = ZoneInfo("Asia/Shanghai")
SECONDS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31, 23, 59, 59)).map(
    lambda at: at.replace(microsecond=0, tzinfo=ZONE)
)
HALVES = {"上午": "am", "下午": "pm"}


def half(at: datetime) -> str:
    return f"{'上午' if at.hour < 12 else '下午'} {at.hour % 12 or 12}:{at:%M:%S}"


WAYS = {
    "slashes": lambda at: f"{at.year}/{at.month}/{at.day} {at.hour}:{at:%M:%S}",
    "hyphens": lambda at: f"{at:%Y-%m-%d %H:%M:%S}",
    "points": lambda at: f"{at.year}.{at.month}.{at.day} {at:%H:%M:%S}",
    "chinese": lambda at: f"{at.year}年{at.month}月{at.day}日{at.hour}时{at.minute}分{at.second}秒",
    "chinese_day": lambda at: f"{at.year}年{at.month}月{at.day}日 {at:%H:%M:%S}",
    "with_weekday": lambda at: f"{at:%Y-%m-%d} 星期{'一二三四五六日'[at.weekday()]} {at:%H:%M:%S}",
    "halves": lambda at: f"{at.year}/{at.month}/{at.day} {half(at)}",
    "american_halves": lambda at: f"{at:%Y-%m-%d %I:%M:%S} {HALVES[half(at)[:2]].upper()}",
    "compact": lambda at: f"{at:%Y%m%d%H%M%S}",
    "iso": lambda at: at.isoformat(),
    "iso_utc": lambda at: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    "serial": lambda at: repr((at.replace(tzinfo=None) - datetime(1899, 12, 30)) / timedelta(days=1)),
    "full_width": lambda at: "".join(chr(ord(c) + 0xFEE0) if c in "0123456789:/" else c for c in f"{at:%Y/%m/%d %H:%M:%S}"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@given(at=SECONDS)
def test_an_instant_reads_the_same_however_it_is_written(way: str, at: datetime) -> None:
    assert cells.instant(WAYS[way](at), ZONE) == at


@given(at=SECONDS.filter(lambda at: at.timestamp() >= 1_000_000_000))
def test_counted_seconds_and_milliseconds_are_told_apart_by_their_length(at: datetime) -> None:
    counted = int(at.timestamp())

    assert cells.instant(str(counted), ZONE) == at
    assert cells.instant(str(counted * 1000 + 7), ZONE) == at + timedelta(milliseconds=7)


@given(at=SECONDS)
def test_a_day_alone_begins_at_midnight(at: datetime) -> None:
    midnight = at.replace(hour=0, minute=0, second=0)

    ways = (f"{at:%Y-%m-%d}", f"{at:%Y%m%d}", f"{at.year}/{at.month}/{at.day}", f"{at.year}年{at.month}月{at.day}日")
    assert {cells.instant(way, ZONE) for way in ways} == {midnight}


@given(st.text(max_size=30))
def test_any_text_is_an_instant_of_this_time_or_none(text: str) -> None:
    found = cells.instant(text, ZONE)

    assert found is None or found.tzinfo is not None


@pytest.mark.parametrize(
    "said",
    [
        "02/03/2019",
        "19/2/28",
        "2019/2/112:05",
        "2019-2/28",
        "2019-02-30",
        "2019-02-28 25:00",
        "2019-02-28 24:01",
        "2019/2/28 上午 13:05",
        "2019/2/28 晚上12点",
        "2019/2/28 上午 3:05 PM",
        "123",
        "00000",
        "99999",
        "昨天",
        "",
    ],
)
def test_what_is_no_time_or_could_be_two_is_none(said: str) -> None:
    assert cells.instant(said, ZONE) is None


@pytest.mark.parametrize(
    ("said", "hour"), [("上午12:05", 0), ("下午12:05", 12), ("凌晨3:05", 3), ("中午1:05", 13), ("晚上8:05", 20), ("下午15:05", 15)]
)  # fmt: skip
def test_the_half_of_the_day_decides_the_hour(said: str, hour: int) -> None:
    assert cells.instant(f"2019/2/28 {said}", ZONE) == datetime(2019, 2, 28, hour, 5, tzinfo=ZONE)


def test_twenty_four_hours_end_the_day() -> None:
    assert cells.instant("2019-02-28 24:00", ZONE) == datetime(2019, 3, 1, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("是", True),
        ("√", True),
        ("TRUE", True),
        (" １ ", True),
        ("否", False),
        ("", False),
        ("0", False),
        ("也许", None),
    ],
)
def test_a_yes_is_a_yes_and_an_empty_cell_a_no(said: str, meant: bool | None) -> None:
    assert cells.flag(said) is meant


def test_how_content_somebody_was_is_read_and_never_guessed() -> None:
    said = ("非常满意", "基本满意", "不满意", "一般", "未评价", "")

    assert [cells.content(word) for word in said] == [
        Satisfaction.SATISFIED, Satisfaction.BASICALLY, Satisfaction.NOT, None, None, None,
    ]  # fmt: skip
    assert [cells.solved(word) for word in ("已解决", "部分解决", "未解决", "不清楚")] == [
        Solved.YES, Solved.PARTLY, Solved.NO, None,
    ]  # fmt: skip


def test_a_cell_is_compared_in_one_form() -> None:
    assert cells.plain("　Ａ  b ") == "a b"
