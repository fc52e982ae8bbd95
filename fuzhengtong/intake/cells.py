"""What one cell of a list of tellings says: an instant, a yes or no, how content somebody was.

Pure; called by `columns` for every row. It reads what offices, boards and spreadsheets write, and nothing that could
mean two things: 02/03/2019 is no date here, and a cell it does not know is `None`, never a guess.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from fuzhengtong.cases.states import Satisfaction, Solved

# Days are counted from here in a spreadsheet (its 29 February 1900 lies before anything that may be told).
_SERIAL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no zone
_SERIALS = range(36526, 73051)  # the years 2000 to 2099
_SECONDS = range(946_684_800, 4_102_444_800)  # the same years, counted from 1970

_DAY = (
    r"(?P<year>\d{4})(?:(?P<sep>[-/.])(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})|年(?P<m2>\d{1,2})月(?P<d2>\d{1,2})日?)"
)
_HALF = r"(?P<half>上午|下午|凌晨|早上|中午|晚上|am|pm)"
_CLOCK = (
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<part>\d{1,9}))?)?"
    r"|[时点](?:(?P<mi2>\d{1,2})分?(?:(?P<s2>\d{1,2})秒?)?)?)"
)
# Behind a bare number the hour needs a gap: 2019/2/112:05 could be the first or the eleventh.
_WRITTEN = re.compile(
    rf"{_DAY}(?:(?:t| +|(?<=日) *){_HALF}? *{_CLOCK} *{_HALF.replace('half', 'after')}?"
    r" *(?P<zone>z|utc|gmt|[+-]\d{2}:?\d{2})?)?"
)
_WEEKDAY = re.compile(r" *\(?(?:星期|周)[一二三四五六日天]\)? *")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?")
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_COUNTED = re.compile(r"\d{10}|\d{13}")


def plain(text: str) -> str:
    """Return a cell in one form: widths and case folded, blanks at its ends gone, runs of blanks one."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def instant(text: str, zone: tzinfo) -> datetime | None:
    """Read an instant in any of the forms it comes in; nothing where it could be another one, or none.

    2019/2/28 11:25:05, 2019-02-28, 2019年2月28日 下午3点, 20190228112505, ISO 8601, the serial number of a spreadsheet,
    seconds or milliseconds since 1970. Where no zone is said it is the city's; a day alone begins at midnight.
    """
    said = plain(text)
    try:
        if _SERIAL.fullmatch(said):
            return _of_serial(float(said), zone)
        if found := _COMPACT.fullmatch(said):
            return _local(*(int(part or 0) for part in found.groups()), zone=zone)
        if _COUNTED.fullmatch(said):
            return _of_counted(int(said), milliseconds=len(said) > 10, zone=zone)
        if found := _WRITTEN.fullmatch(_WEEKDAY.sub(" ", said).strip()):
            return _of_written(found, zone)
    except (ValueError, OverflowError):
        # Right in its form, but no such day or hour.
        return None
    return None


def _local(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, *, zone: tzinfo
) -> datetime:
    # 24:00 is how a day ends in Chinese offices (Civil Code 203): the next day's midnight.
    whole_day = (hour, minute, second) == (24, 0, 0)
    at = datetime.combine(date(year, month, day), time(0 if whole_day else hour, minute, second), zone)
    return at + timedelta(days=1) if whole_day else at


def _of_serial(serial: float, zone: tzinfo) -> datetime | None:
    if int(serial) not in _SERIALS:
        return None
    # A second is no finite part of a day: 11:25:05 comes back as 11:25:04.9999.
    return (_SERIAL_ZERO + timedelta(seconds=round(serial * 86_400))).replace(tzinfo=zone)


def _of_counted(since: int, *, milliseconds: bool, zone: tzinfo) -> datetime | None:
    seconds = since // 1000 if milliseconds else since
    if seconds not in _SECONDS:
        return None
    part = since % 1000 if milliseconds else 0
    return (datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=part)).astimezone(zone)


def _of_written(found: re.Match[str], zone: tzinfo) -> datetime | None:
    part = found.groupdict()
    year, month, day = (int(part["year"]), int(part["month"] or part["m2"]), int(part["day"] or part["d2"]))
    hour = _hour(part)
    if hour is None:
        return None
    minute, second = int(part["minute"] or part["mi2"] or 0), int(part["second"] or part["s2"] or 0)
    at = _local(year, month, day, hour, minute, second, zone=zone)
    at += timedelta(milliseconds=int((part["part"] or "0").ljust(3, "0")[:3]))
    if part["zone"]:
        at = at.replace(tzinfo=_zone(part["zone"])).astimezone(zone)
    return at


def _hour(part: dict[str, str | None]) -> int | None:
    """Return the hour on a clock of 24, or nothing where morning and afternoon contradict it."""
    hour, halves = int(part["hour"] or 0), {part["half"], part["after"]} - {None}
    if len(halves) > 1:
        return None
    match next(iter(halves), None):
        case "上午" | "凌晨" | "早上" | "am":
            return hour % 12 if hour <= 12 else None
        case "晚上" if hour == 12:
            # Midnight, and of which of the two days nobody can tell.
            return None
        case "下午" | "晚上" | "pm":
            # 下午 15:20 is written too, and means what it says.
            return hour % 12 + 12 if hour <= 12 else hour
        case "中午":
            return hour + 12 if hour < 3 else hour
        case _:
            return hour


def _zone(said: str) -> tzinfo:
    return datetime.strptime("+0000" if said[0] not in "+-" else said.replace(":", ""), "%z").tzinfo or UTC


# --- words -------------------------------------------------------------------------------------------------------

_YES = frozenset({"是", "有", "要", "对", "y", "yes", "true", "t", "1", "√", "✓"})
_NO = frozenset({"否", "不", "无", "没有", "不要", "n", "no", "false", "f", "0", "×", "-", ""})


def flag(text: str) -> bool | None:
    """Read a yes or no; an empty cell is a no."""
    said = plain(text)
    if said in _YES:
        return True
    return False if said in _NO else None


_CONTENT = {
    "satisfied": Satisfaction.SATISFIED,
    "满意": Satisfaction.SATISFIED,
    "非常满意": Satisfaction.SATISFIED,
    "很满意": Satisfaction.SATISFIED,
    "十分满意": Satisfaction.SATISFIED,
    "basically": Satisfaction.BASICALLY,
    "基本满意": Satisfaction.BASICALLY,
    "比较满意": Satisfaction.BASICALLY,
    "较满意": Satisfaction.BASICALLY,
    "not": Satisfaction.NOT,
    "dissatisfied": Satisfaction.NOT,
    "不满意": Satisfaction.NOT,
    "非常不满意": Satisfaction.NOT,
    "很不满意": Satisfaction.NOT,
    "不太满意": Satisfaction.NOT,
}
_SOLVED = {
    "yes": Solved.YES,
    "是": Solved.YES,
    "解决": Solved.YES,
    "已解决": Solved.YES,
    "解决了": Solved.YES,
    "partly": Solved.PARTLY,
    "部分解决": Solved.PARTLY,
    "基本解决": Solved.PARTLY,
    "解决了一部分": Solved.PARTLY,
    "no": Solved.NO,
    "否": Solved.NO,
    "未解决": Solved.NO,
    "没解决": Solved.NO,
    "没有解决": Solved.NO,
}


def content(text: str) -> Satisfaction | None:
    """Read how content somebody was; 一般 and 未评价 are none of the three answers, and stay words."""
    return _CONTENT.get(plain(text))


def solved(text: str) -> Solved | None:
    """Read whether somebody said that it was solved."""
    return _SOLVED.get(plain(text))
