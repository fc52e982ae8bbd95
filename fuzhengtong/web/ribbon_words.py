"""A promise in words: where one duty stands, said in Chinese or English, with the length and the instant.

`web/ribbon.py` says its rows, labels and list lines through these functions. Nothing here reads a clock, a table or a
setting: the instant, the zone, the working days and the language arrive in one `Saying`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Literal

from fuzhengtong.kernel.due import Unit

State = Literal["none", "kept", "kept_late", "running", "due", "late", "paused"]
TickState = Literal["kept", "kept_late", "running", "owed", "late", "paused"]
Working = Callable[[date], bool]

_DAY = timedelta(days=1)
_WALL = frozenset({Unit.WALL_MINUTES, Unit.WALL_HOURS})
_CALENDAR = frozenset({Unit.CALENDAR_DAYS, Unit.CALENDAR_DAYS_ROLLED})


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of the ribbon in one language; a pair is the form for one and the form for several."""

    lang: str
    name: str
    nothing: str
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    date: str
    date_of_year: str
    moment: str
    today: str
    tomorrow: str
    this_week: str
    next_week: str
    under_a_minute: str
    minutes: tuple[str, str]
    hours: tuple[str, str]
    hours_minutes: str
    days: tuple[str, str]
    working_days: tuple[str, str]
    left: str
    left_until: str
    until: str
    by: str
    late: str
    late_since: str
    kept: str
    kept_late: str
    kept_late_brief: str
    kept_brief: str
    paused: str
    paused_since: str
    all_kept: str
    some_late: tuple[str, str]
    owner: str
    provisional: str
    provisional_why: str
    done_at: str
    late_at: str
    due_at: str
    overdue_at: str
    between: str
    end: str
    stack: str
    legend: tuple[str, ...]


ZH = Words(
    lang="zh-Hans",
    name="承诺带：",
    nothing="现在没有欠着的承诺",
    weekdays=("一", "二", "三", "四", "五", "六", "日"),
    months=tuple(str(number) for number in range(1, 13)),
    date="{month}\u00a0月\u00a0{day}\u00a0日",
    date_of_year="{year}\u00a0年\u00a0{month}\u00a0月\u00a0{day}\u00a0日",
    moment="{date} {time}",
    today="今天 {time}",
    tomorrow="明天 {time}",
    this_week="周{weekday} {time}",
    next_week="下周{weekday} {time}",
    under_a_minute="不到 1 分钟",
    minutes=("{n} 分钟", "{n} 分钟"),
    hours=("{n} 小时", "{n} 小时"),
    hours_minutes="{h} 小时 {m} 分",
    days=("{n} 天", "{n} 天"),
    working_days=("{n} 个工作日", "{n} 个工作日"),
    left="还剩{span}",
    left_until="还剩{span}，到{near}",
    until="到{near}",
    by="应在{moment} 前",
    late="逾期{span}",
    late_since="逾期{span}，应在{moment} 前",
    kept="{moment} 按时",
    kept_late="{moment}，晚了{span}",
    kept_late_brief="晚了{span}",
    kept_brief="按时",
    paused="暂停计时",
    paused_since="暂停计时，自{moment}",
    all_kept="全部按时办完",
    some_late=("全部办完，{n} 项晚了", "全部办完，{n} 项晚了"),
    owner="，由{owner}负责",
    provisional="（暂定）",
    provisional_why="（暂定，那年的放假安排还没公布）",
    done_at="{time} 已办",
    late_at="{time} 晚了",
    due_at="{time} 前",
    overdue_at="{time} 逾期",
    between="；",
    end="。",
    stack="{title}{total}：已办 {done} · 在办 {running} · 逾期 {late}",
    legend=("按时办到", "正在走", "还没轮到", "逾期", "办了，但晚了", "暂停", "日期暂定"),
)

EN = Words(
    lang="en",
    name="Promises: ",
    nothing="nothing is owed now",
    weekdays=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    date="{day}\u00a0{month}",
    date_of_year="{day}\u00a0{month}\u00a0{year}",
    moment="{date}, {time}",
    today="today {time}",
    tomorrow="tomorrow {time}",
    this_week="{weekday} {time}",
    next_week="{weekday} {date}, {time}",
    under_a_minute="under a minute",
    minutes=("{n} minute", "{n} minutes"),
    hours=("{n} hour", "{n} hours"),
    hours_minutes="{h} h {m} min",
    days=("{n} day", "{n} days"),
    working_days=("{n} working day", "{n} working days"),
    left="{span} left",
    left_until="{span} left, until {near}",
    until="by {near}",
    by="due by {moment}",
    late="{span} late",
    late_since="{span} late, was due by {moment}",
    kept="{moment}, on time",
    kept_late="{moment}, {span} late",
    kept_late_brief="{span} late",
    kept_brief="on time",
    paused="clock paused",
    paused_since="clock paused since {moment}",
    all_kept="all done on time",
    some_late=("all done, {n} late", "all done, {n} late"),
    owner=", owed by {owner}",
    provisional=" (provisional)",
    provisional_why=" (provisional: that year's holidays are not announced yet)",
    done_at="{time} done",
    late_at="{time} late",
    due_at="by {time}",
    overdue_at="{time} overdue",
    between="; ",
    end=".",
    stack="{title}{total}: done {done} · running {running} · late {late}",
    legend=("Kept on time", "Running", "Still to come", "Overdue", "Done, but late", "Paused", "Date provisional"),
)

WORDS: dict[str, Words] = {"zh-Hans": ZH, "en": EN}


@dataclass(frozen=True, slots=True)
class Tick:
    """One duty as the ribbon sees it. `kind` is the duty's code, `unit` a value of `kernel.due.Unit`.

    A duty that is not met and has `paused_from` is paused now, whatever its stored due time says.
    """

    name: str
    kind: str
    due: datetime
    met: datetime | None = None
    paused_from: datetime | None = None
    owner: str = ""
    unit: str = Unit.WORKING_DAYS
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Saying:
    """Everything a sentence about time depends on."""

    now: datetime
    zone: tzinfo
    is_working: Working
    words: Words


def state_of(tick: Tick, now: datetime) -> TickState:
    """Say where one duty stands; met at the very instant of its due time is kept."""
    if tick.met is not None:
        return "kept" if tick.met <= tick.due else "kept_late"
    if tick.paused_from is not None:
        return "paused"
    return "late" if now > tick.due else "owed"


def current(ticks: Sequence[Tick], now: datetime) -> int | None:
    """Choose the duty to speak of: the longest overdue, else a paused one, else the next to fall due."""
    rank = {"late": 0, "paused": 1, "owed": 2}
    still_open = [(rank[state_of(tick, now)], tick.due, index) for index, tick in enumerate(ticks) if tick.met is None]
    return min(still_open)[2] if still_open else None


def shown(instant: datetime, zone: tzinfo) -> tuple[date, str]:
    """Give the day and the clock time to show; midnight belongs to the day that ends, as 24:00."""
    local = instant.astimezone(zone)
    if local.time() == time(0):
        return local.date() - _DAY, "24:00"
    return local.date(), f"{local:%H:%M}"


def date_of(day: date, saying: Saying) -> str:
    """Write a day, with its year only where it is not the year of now."""
    words = saying.words
    here = saying.now.astimezone(saying.zone).year
    template = words.date if day.year == here else words.date_of_year
    return template.format(year=day.year, month=words.months[day.month - 1], day=day.day)


def moment_of(instant: datetime, saying: Saying, *, ends: bool = True) -> str:
    """Write an instant in full; one that does not end a term is shown as it is, 00:00 included."""
    local = instant.astimezone(saying.zone)
    day, clock = shown(instant, saying.zone) if ends else (local.date(), f"{local:%H:%M}")
    return saying.words.moment.format(date=date_of(day, saying), time=clock)


def _near(instant: datetime, saying: Saying) -> str:
    """Write a coming instant as a person would say it: today, tomorrow, the weekday, else the date."""
    words = saying.words
    day, clock = shown(instant, saying.zone)
    today = saying.now.astimezone(saying.zone).date()
    weeks = ((day - timedelta(days=day.weekday())) - (today - timedelta(days=today.weekday()))).days // 7
    if day == today:
        return words.today.format(time=clock)
    if day == today + _DAY:
        return words.tomorrow.format(time=clock)
    if day > today and weeks in (0, 1):
        template = words.next_week if weeks else words.this_week
        return template.format(weekday=words.weekdays[day.weekday()], date=date_of(day, saying), time=clock)
    return moment_of(instant, saying)


def count(forms: tuple[str, str], number: int) -> str:
    """Write a number with its noun, in the form for one or for several."""
    return forms[0 if number == 1 else 1].format(n=number)


def _span(length: timedelta, words: Words) -> str:
    """Write a length of wall time, rounded down to what a person would say."""
    minutes = int(length.total_seconds()) // 60
    hours, rest = divmod(minutes, 60)
    if minutes < 1:
        return words.under_a_minute
    if hours < 1:
        return count(words.minutes, minutes)
    if hours < 10 and rest:
        return words.hours_minutes.format(h=hours, m=rest)
    return count(words.hours, hours) if hours < 48 else count(words.days, hours // 24)


def _working_days(after: date, until: date, is_working: Working) -> int:
    """Count the working days after one day, up to and including the other."""
    return sum(is_working(after + timedelta(days=step)) for step in range(1, (until - after).days + 1))


def _left(tick: Tick, saying: Saying) -> str:
    """Say what is left in the duty's own unit; empty where a count would mislead (working hours of another day)."""
    words = saying.words
    day, _ = shown(tick.due, saying.zone)
    today = saying.now.astimezone(saying.zone).date()
    if day <= today or tick.unit in _WALL:
        return _span(tick.due - saying.now, words)
    if tick.unit == Unit.WORKING_HOURS:
        return ""
    if tick.unit in _CALENDAR:
        return count(words.days, (day - today).days)
    number = _working_days(today, day, saying.is_working)
    return count(words.working_days, number) if number else _span(tick.due - saying.now, words)


def _late_by(tick: Tick, end: datetime, saying: Saying) -> str:
    """Say how late, in whole working days where the duty counts working time and one has passed, else in wall time."""
    if tick.unit not in _WALL | _CALENDAR:
        due = tick.due.astimezone(saying.zone)
        last = end.astimezone(saying.zone)
        day, clock = shown(tick.due, saying.zone)
        # The day of `end` counts only from the hour at which the term ended: Tuesday 17:00 to Wednesday 18:00 is one.
        full = last.date() if clock != "24:00" and last.time() >= due.time() else last.date() - _DAY
        number = _working_days(day, full, saying.is_working)
        if number:
            return count(saying.words.working_days, number)
    return _span(end - tick.due, saying.words)


def fill(template: str, **facts: str) -> str:
    """Fill the blanks of a sentence; Chinese sets a space between a word and a figure, and none between words."""

    def blank(name: str, value: str) -> str:
        before = template[: template.find("{" + name + "}")][-1:]
        return f" {value}" if before.isalpha() and value[:1].isdigit() else value

    return template.format(**{name: blank(name, value) for name, value in facts.items()})


def brief(tick: Tick, saying: Saying) -> str:
    """Say where a duty stands in the few words a list row has room for."""
    words = saying.words
    match state_of(tick, saying.now):
        case "kept":
            return words.kept_brief
        case "kept_late":
            return fill(words.kept_late_brief, span=_late_by(tick, tick.met or saying.now, saying))
        case "paused":
            return words.paused
        case "late":
            return fill(words.late, span=_late_by(tick, saying.now, saying))
        case _:
            left = _left(tick, saying)
            said = fill(words.left, span=left) if left else fill(words.until, near=_near(tick.due, saying))
            return said + (words.provisional if tick.provisional else "")


def sentence(tick: Tick, saying: Saying) -> str:
    """Say where this duty stands, with both the length and the instant."""
    words = saying.words
    match state_of(tick, saying.now):
        case "kept":
            return fill(words.kept, moment=moment_of(tick.met or tick.due, saying, ends=False))
        case "kept_late":
            met = tick.met or saying.now
            return fill(words.kept_late, moment=moment_of(met, saying, ends=False), span=_late_by(tick, met, saying))
        case "paused":
            return fill(words.paused_since, moment=moment_of(tick.paused_from or saying.now, saying, ends=False))
        case "late":
            said = fill(words.late_since, span=_late_by(tick, saying.now, saying), moment=moment_of(tick.due, saying))
            return said + (fill(words.owner, owner=tick.owner) if tick.owner else "")
        case _:
            left, near = _left(tick, saying), _near(tick.due, saying)
            said = fill(words.left_until, near=near, span=left) if left else fill(words.until, near=near)
            return said + (words.provisional_why if tick.provisional else "")


def row_text(tick: Tick, current: bool, saying: Saying) -> str:
    """Say a duty in the list of all: a coming one by its date alone, because only the running one is counted down."""
    if current or state_of(tick, saying.now) != "owed":
        return sentence(tick, saying)
    said = fill(saying.words.by, moment=moment_of(tick.due, saying))
    return said + (saying.words.provisional if tick.provisional else "")


def whole_state(ticks: Sequence[Tick], current: int | None, saying: Saying) -> State:
    """Say where the case stands with its promises; `due` means at most one working day is left."""
    if not ticks:
        return "none"
    if current is None:
        return "kept_late" if any(state_of(tick, saying.now) == "kept_late" for tick in ticks) else "kept"
    tick = ticks[current]
    match state_of(tick, saying.now):
        case "late":
            return "late"
        case "paused":
            return "paused"
        case _:
            day, _ = shown(tick.due, saying.zone)
            today = saying.now.astimezone(saying.zone).date()
            return "due" if _working_days(today, day, saying.is_working) <= 1 else "running"
