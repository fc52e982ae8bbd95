"""Reading the cells of a list by what they must be: text, code, digits, one of several, a day, a period.

Pure: called by the modules beside it, one for each kind of list. What is wrong is noted with row, column and a text
key, and reading goes on, so that a clerk sees all of it at once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final, Generic, TypeVar

from fuzhengtong.directory import rules, sheets
from fuzhengtong.directory.sheets import Problem

Row = TypeVar("Row")
Meaning = TypeVar("Meaning")

TWICE: Final = "import.twice"
_SEPARATOR: Final = "|"
_SPREADSHEET_SIGNS: Final = ("=", "+", "-", "@")
_CODE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,47}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row stood: its list and its row number there."""

    sheet: str
    row: int

    def problem(self, column: str, key: str, **facts: object) -> Problem:
        """Name what is wrong in a cell of this row."""
        return Problem(self.sheet, self.row, column, key, facts)


@dataclass(frozen=True, slots=True)
class Parsed(Generic[Row]):
    """The rows of one kind of list, and everything that is wrong in it."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]


class Cells:
    """The cells of one row, read by what they must be; what is wrong is noted and reading goes on."""

    def __init__(self, sheet: str, line: sheets.Line, problems: list[Problem]) -> None:
        self.origin = Origin(sheet, line.number)
        self._line = line
        self._problems = problems

    def has(self, column: str) -> bool:
        return column in self._line.cells

    def wrong(self, column: str, key: str, **facts: object) -> None:
        self._problems.append(self.origin.problem(column, key, **facts))

    def text(self, column: str, *, longest: int = 100, needed: bool = True, signs: bool = False) -> str:
        text = self._line.cells.get(column, "")
        if not text:
            if needed:
                self.wrong(column, "import.empty")
            return ""
        if column in self._line.mangled:
            self.wrong(column, "import.became_a_date", found=text)
        elif len(text) > longest:
            self.wrong(column, "import.too_long", longest=longest, length=len(text))
        elif any(unicodedata.category(c) in ("Cc", "Cs", "Co") for c in text):
            self.wrong(column, "import.control_character")
        elif not signs and text.startswith(_SPREADSHEET_SIGNS):
            self.wrong(column, "import.formula", found=text[:20])
        return text

    def fitting(self, column: str, fits: Callable[[str], bool], key: str, *, needed: bool = True) -> str:
        text = self._line.cells.get(column, "")
        if not text and needed:
            self.wrong(column, "import.empty")
        elif text and not fits(text):
            self.wrong(column, key, found=text[:40])
        return text

    def shaped(self, column: str, shape: re.Pattern[str], key: str, *, needed: bool = True) -> str:
        return self.fitting(column, lambda text: shape.fullmatch(text) is not None, key, needed=needed)

    def code(self, column: str, *, needed: bool = True) -> str:
        return self.shaped(column, _CODE, "import.not_a_code", needed=needed)

    def digits(self, column: str, length: int) -> str:
        text = self._line.cells.get(column, "")
        if not text:
            self.wrong(column, "import.empty")
        elif not are_digits(text, length):
            self.wrong(column, "import.not_digits", length=length, found=text[:40])
        return text

    def one_of(self, column: str, meanings: Mapping[str, Meaning], *, default: Meaning) -> Meaning:
        text = self._line.cells.get(column, "")
        if text in meanings:
            return meanings[text]
        self.wrong(
            column,
            "import.not_one_of" if text else "import.empty",
            found=text[:40],
            known="、".join(filter(None, meanings)),
        )
        return default

    def several(self, column: str, *, longest: int = 60) -> tuple[str, ...]:
        parts = [part.strip() for part in self._line.cells.get(column, "").split(_SEPARATOR)]
        found = [part for part in parts if part]
        for part in found:
            if len(part) > longest or any(unicodedata.category(c) == "Cc" for c in part):
                self.wrong(column, "import.too_long", longest=longest, length=len(part))
        return tuple(dict.fromkeys(found))

    def flag(self, column: str) -> bool:
        return self.one_of(column, {"": False, "0": False, "1": True}, default=False)

    def whole(self, column: str, *, least: int, most: int) -> int:
        text = self._line.cells.get(column, "")
        if not (text.isascii() and text.isdecimal()) or not least <= int(text) <= most:
            self.wrong(column, "import.not_a_number", least=least, most=most, found=text[:20])
            return least
        return int(text)

    def day(self, column: str) -> datetime | None:
        text = self._line.cells.get(column, "")
        if not text:
            return None
        try:
            return midnight(date.fromisoformat(text[:10]))
        except ValueError:
            self.wrong(column, "import.not_a_date", found=text[:20])
            return None

    def period(self) -> tuple[datetime | None, datetime | None]:
        start, end = self.day("active_from"), self.day("active_to")
        if start is not None and end is not None and end <= start:
            self.wrong("active_to", "import.ends_before_it_begins")
        return start, end


def are_digits(text: str, length: int) -> bool:
    """Say whether a text is so many digits and nothing else."""
    return text.isascii() and text.isdecimal() and len(text) == length


def midnight(day: date) -> datetime:
    """Return the instant at which a day begins in the country's legal time."""
    return datetime.combine(day, time(), rules.CHINA)


def _columns(lines: sheets.Lines, needed: Iterable[str], allowed: Iterable[str]) -> list[Problem]:
    if not lines.columns:
        return []
    known = {*needed, *allowed}
    told = {"known": "、".join(sorted(known))}
    missing = [column for column in needed if column not in lines.columns]
    # An unknown column is refused: a misspelt optional one would be lost without a word.
    unknown = [column for column in lines.columns if column and column not in known]
    return [Problem(lines.sheet, 1, column, "import.column_missing") for column in missing] + [
        Problem(lines.sheet, 1, column, "import.column_unknown", told) for column in unknown
    ]


def read(
    lines: sheets.Lines, needed: Sequence[str], allowed: Sequence[str], build: Callable[[Cells], Row | None]
) -> Parsed[Row]:
    problems = [*lines.problems, *_columns(lines, needed, allowed)]
    if problems and not set(needed) <= set(lines.columns):
        return Parsed((), tuple(problems))
    rows = [build(Cells(lines.sheet, line, problems)) for line in lines.lines]
    return Parsed(tuple(row for row in rows if row is not None), tuple(problems))


def twice(origins: Iterable[tuple[str, Origin]], column: str) -> list[Problem]:
    """Name the rows whose key stood in an earlier row."""
    first: dict[str, Origin] = {}
    problems = []
    for key, origin in origins:
        if key in first:
            problems.append(origin.problem(column, TWICE, found=key, first_row=first[key].row))
        elif key:
            first[key] = origin
    return problems


def further(told: Iterable[Problem], found: Iterable[Problem]) -> list[Problem]:
    """Return what was told of the cells, and what was found later in cells that nothing was told of.

    A cell that is empty or no code names nothing that could exist: that is one fault, not two. A row that stands twice
    is no fault of a cell.
    """
    problems = list(told)
    named = {(problem.sheet, problem.row, problem.column) for problem in problems if problem.key != TWICE}
    return problems + [problem for problem in found if (problem.sheet, problem.row, problem.column) not in named]


def unique(found: Parsed[Row], key: Callable[[Row], str], origin: Callable[[Row], Origin], column: str) -> Parsed[Row]:
    return Parsed(found.rows, (*found.problems, *twice(((key(row), origin(row)) for row in found.rows), column)))
