"""Drawn ribbons for the design page: every state, size and hard case, from one made-up week.

Called by the view of `/design/` and by tests that look at pictures; the people, offices and dates are invented.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from django.utils.safestring import SafeString

from fuzhengtong.web import ribbon
from fuzhengtong.web.ribbon import Ribbon, Size, Stack, Tick, Words

Group = Literal["legend", "large", "numbered", "medium", "small", "phone", "elder", "stack"]

_ZONE = ZoneInfo("Asia/Shanghai")
_NOW = datetime(2026, 11, 24, 10, 32, tzinfo=_ZONE)
_START = datetime(2026, 11, 20, 8, 14, tzinfo=_ZONE)
_DESK, _STREET, _VISITORS = "细河区社会治理综合服务中心", "玉新街道办事处", "细河区回访岗"


@dataclass(frozen=True, slots=True)
class Sample:
    """One drawing with its heading; `group` says in which part of the page it stands."""

    title: str
    group: Group
    ribbon: Ribbon | None = None
    stack: Stack | None = None
    legend: tuple[tuple[SafeString, str], ...] = ()


def _at(text: str) -> datetime:
    """Read 'month-day hour:minute' of the sample year; 24:00 is the start of the next day."""
    day, clock = text.split(" ")
    month, number = day.split("-")
    hour, minute = clock.split(":")
    midnight = datetime(2027 if month == "01" else 2026, int(month), int(number), tzinfo=_ZONE)
    return midnight + timedelta(hours=int(hour), minutes=int(minute))


def _is_working(day: date) -> bool:
    return day.weekday() < 5 and (day.month, day.day) != (1, 1)


def _closed(until: datetime) -> list[tuple[datetime, datetime]]:
    first = _START.replace(hour=0, minute=0) - timedelta(days=10)
    days = (first + timedelta(days=step) for step in range((until - first).days + 1))
    return [(day, day + timedelta(days=1)) for day in days if not _is_working(day.date())]


def _draw(
    ticks: tuple[Tick, ...], *, size: Size, width: int, words: Words, ended: bool = False, text: int = 14,
    start: datetime = _START,
) -> Ribbon:  # fmt: skip
    last = max([_NOW, *(tick.due for tick in ticks)])
    return ribbon.draw(
        start=start, now=_NOW, ticks=ticks, closed_days=_closed(last), size=size, width=width, words=words,
        zone=_ZONE, is_working=_is_working, ended=ended, text=text,
    )  # fmt: skip


_ACCEPT = Tick("受理", "accept", _at("11-23 24:00"), met=_at("11-20 08:52"), owner=_DESK)
_ASSIGN = Tick("交办", "assign", _at("11-23 24:00"), met=_at("11-20 09:03"), owner=_DESK)
_FINISH = Tick("办结", "finish", _at("12-01 24:00"), owner=_STREET)
_VISIT = Tick("回访", "satisfaction_visit", _at("12-03 24:00"), owner=_VISITORS, unit="calendar_days_rolled")

_CASES: tuple[tuple[str, tuple[Tick, ...], bool], ...] = (
    ("按时走", (_ACCEPT, _ASSIGN, _FINISH, _VISIT), False),
    (
        "今天到期",
        (_ACCEPT, _ASSIGN, replace(_FINISH, due=_at("11-24 17:00")), replace(_VISIT, due=_at("11-26 24:00"))),
        False,
    ),
    (
        "逾期",
        (_ACCEPT, _ASSIGN, replace(_FINISH, due=_at("11-20 24:00")), replace(_VISIT, due=_at("11-25 24:00"))),
        False,
    ),
    (
        "暂停",
        (
            Tick("受理", "accept", _at("11-24 24:00"), paused_from=_at("11-23 09:00"), owner=_DESK),
            replace(_ASSIGN, due=_at("11-25 24:00"), met=None),
            replace(_FINISH, due=_at("12-03 24:00")),
            replace(_VISIT, due=_at("12-05 24:00")),
        ),
        False,
    ),
    (
        "办结晚了，在等回访",
        (
            _ACCEPT,
            _ASSIGN,
            replace(_FINISH, due=_at("11-20 24:00"), met=_at("11-23 15:20")),
            replace(_VISIT, due=_at("11-25 24:00")),
        ),
        False,
    ),
    (
        "都办到了",
        (
            _ACCEPT,
            _ASSIGN,
            replace(_FINISH, due=_at("11-24 24:00"), met=_at("11-23 15:20")),
            replace(_VISIT, due=_at("11-25 24:00"), met=_at("11-24 09:10")),
        ),
        True,
    ),
    (
        "日期暂定",
        (
            _ACCEPT,
            _ASSIGN,
            replace(_FINISH, due=_at("01-04 24:00"), provisional=True),
            replace(_VISIT, due=_at("01-06 24:00"), provisional=True),
        ),
        False,
    ),
    (
        "刚收到",
        (
            Tick("分拨", "dispatch", _NOW + timedelta(seconds=73), owner="市中心值班岗", unit="wall_minutes"),
            replace(_ACCEPT, due=_at("11-25 24:00"), met=None),
        ),
        False,
    ),
)

_LONG: tuple[Tick, ...] = (
    Tick("分拨", "dispatch", _at("11-20 08:16"), met=_at("11-20 08:15"), owner=_DESK, unit="wall_minutes"),
    _ACCEPT,
    _ASSIGN,
    Tick("签收", "sign", _at("11-20 14:03"), met=_at("11-20 09:41"), owner=_STREET, unit="working_hours"),
    Tick("首次联系", "first_response", _at("11-21 09:03"), met=_at("11-21 11:20"), owner=_STREET, unit="wall_hours"),
    Tick("进度回访", "progress_visit", _at("11-21 09:03"), met=_at("11-21 08:47"), owner=_VISITORS, unit="wall_hours"),
    Tick("督办回复", "supervision_reply", _at("11-23 24:00"), owner="玉新街道办事处负责人"),
    Tick("阶段性答复", "interim_reply", _at("12-01 24:00"), owner=_STREET),
    Tick("办结", "finish", _at("12-15 24:00"), owner=_STREET),
    Tick("满意回访", "satisfaction_visit", _at("12-17 24:00"), owner=_VISITORS, unit="calendar_days_rolled"),
)


def samples(*, words: Words = ribbon.ZH) -> tuple[Sample, ...]:
    """Draw the samples of the design page, in the order of the page."""
    first, overdue = _CASES[0][1], _CASES[2][1]
    found = [
        Sample("怎么读", "legend", legend=ribbon.legend(words=words)),
        Sample("按时走：宽处连日期一起写", "large", _draw(first, size="l", width=720, words=words)),
        Sample("逾期：晚了多少，谁欠着", "large", _draw(overdue, size="l", width=720, words=words)),
        Sample(
            "十个承诺，名字也长：都列在下面，窄处编上号", "numbered", _draw(_LONG, size="l", width=720, words=words)
        ),
    ]
    for title, ticks, ended in _CASES:
        start = _NOW - timedelta(seconds=47) if title == "刚收到" else _START
        found.append(Sample(title, "medium", _draw(ticks, size="m", width=288, words=words, ended=ended, start=start)))
        found.append(Sample(title, "small", _draw(ticks, size="s", width=120, words=words, ended=ended, start=start)))
    found.append(Sample("十个承诺", "small", _draw(_LONG, size="s", width=120, words=words)))
    found += [
        Sample("手机上", "phone", _draw(overdue, size="l", width=288, words=words, text=16)),
        Sample("手机上，十个承诺", "phone", _draw(_LONG, size="l", width=288, words=words, text=16)),
        Sample("大字版", "elder", _draw(first, size="l", width=288, words=words, text=20)),
        Sample(
            "今日到期", "stack",
            stack=ribbon.stack(done=180, running=29, late=5, words=words, title="今日到期", width=440, height=20),
        ),
        Sample(
            "今日应访", "stack",
            stack=ribbon.stack(done=97, running=64, late=2, words=words, title="今日应访", width=440, height=20),
        ),
    ]  # fmt: skip
    return tuple(found)
