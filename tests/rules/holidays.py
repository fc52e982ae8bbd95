"""Read the public holiday files (holiday-cn) into a Calendar for tests: the test side's own small reader.

Skips the test that asks when the files are in none of the known places: the folder of `FUZHENGTONG_TESTDATA`, the
shared data beside the repository, the copy in the package.
"""

from __future__ import annotations

import functools
import json
import os
from datetime import date
from pathlib import Path

import pytest

from fuzhengtong.kernel.calendar import Calendar, DayKind

_ROOT = Path(__file__).resolve().parents[2]


def _places() -> list[Path]:
    told = os.environ.get("FUZHENGTONG_TESTDATA")
    places = [Path(told) / "calendar"] if told else []
    return [*places, _ROOT.parent / "shared" / "data" / "calendar", _ROOT / "fuzhengtong" / "data" / "calendar"]


@functools.cache
def _read() -> Calendar | None:
    for place in _places():
        if files := sorted(place.glob("*20[0-9][0-9].json")):
            return _calendar(files)
    return None


def _calendar(files: list[Path]) -> Calendar:
    days: dict[date, DayKind] = {}
    announced: set[int] = set()
    for file in files:
        notice = json.loads(file.read_text(encoding="utf-8"))
        if notice["papers"]:  # an empty list is a year not announced, not a year without holidays
            announced.add(notice["year"])
        for day in notice["days"]:
            days[date.fromisoformat(day["date"])] = DayKind.OFF if day["isOffDay"] else DayKind.INLIEU
    return Calendar(version="holiday-cn", days=days, announced=frozenset(announced))


def public_calendar() -> Calendar:
    calendar = _read()
    if calendar is None:
        pytest.skip(f"no holiday-cn files in {', '.join(map(str, _places()))}")
    return calendar
