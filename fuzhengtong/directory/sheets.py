"""Reading the lists a city hands in: CSV in UTF-8 (with or without mark) or GB18030, and Excel workbooks.

Pure: bytes in, rows of text out, with the row numbers a clerk sees in his spreadsheet. Called by `rules` for every
import. A workbook's formulas are never computed and its links never followed; what cannot be read is a problem with a
row number, never a guess.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final

import python_calamine

# A list of a city has some thousand rows; a workbook may be small outside and huge inside.
LARGEST_BYTES: Final = 20_000_000
LARGEST_UNPACKED_BYTES: Final = 200_000_000
MOST_ROWS: Final = 200_000
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_CALLED_WORKBOOKS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One list as handed in."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a cell: row as in the spreadsheet (the heading is row 1; 0 is the file), text key and facts."""

    sheet: str
    row: int
    column: str
    key: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a list: the text of every column. Times that a spreadsheet made of a text are in `mangled`."""

    number: int
    cells: Mapping[str, str]
    mangled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Lines:
    """A list that was read: its columns, its rows, and what could not be read."""

    sheet: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]


def _unreadable(sheet: Sheet, key: str, **facts: object) -> Lines:
    return Lines(sheet.name, (), (), (Problem(sheet.name, 0, "", key, facts),))


def text_of(data: bytes) -> str:
    """Return the text of bytes in UTF-8, with or without mark, or else in GB18030; raises UnicodeDecodeError."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What spreadsheets of Chinese offices write by default.
        return data.decode("gb18030")


def _cell(value: object) -> tuple[str, bool]:
    """Return the text of a workbook's cell, and whether the spreadsheet had made a date or time of it."""
    match value:
        case None:
            return "", False
        case bool():
            return ("1" if value else "0"), False
        case float() if value.is_integer():
            # A code typed as a number comes back as 210902003001.0.
            return str(int(value)), False
        case datetime():
            return (value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")), True
        case date():
            return value.isoformat(), True
        case time() | timedelta():
            return str(value), True
        case _:
            return str(value), False


def _tidy(text: str) -> str:
    # Full-width letters and digits, no-break spaces: what comes from forms and mobile telephones. Only look-alikes of
    # ASCII are changed; Chinese punctuation inside a name stays.
    narrowed = "".join(unicodedata.normalize("NFKC", c) if "Ａ" <= c <= "ｚ" or "０" <= c <= "９" else c for c in text)
    return narrowed.replace("\u00a0", " ").replace("\u3000", " ").strip()


def _workbook(sheet: Sheet) -> list[list[tuple[str, bool]]]:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sheet.data))
    rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    return [[_cell(value) for value in row] for row in rows]


def _is_called_workbook(sheet: Sheet) -> bool:
    return sheet.name.lower().endswith(_CALLED_WORKBOOKS)


def _is_too_big(sheet: Sheet, largest: int) -> bool:
    if len(sheet.data) > largest:
        return True
    if not sheet.data.startswith(b"PK"):
        return False
    with zipfile.ZipFile(io.BytesIO(sheet.data)) as packed:
        return sum(part.file_size for part in packed.infolist()) > LARGEST_UNPACKED_BYTES


class _BrokenWorkbook(Exception):
    """What is called a workbook and is neither one nor a table of text, as some programs write under that name."""


def _raw_rows(sheet: Sheet) -> list[list[tuple[str, bool]]]:
    if sheet.data.startswith(_WORKBOOKS):
        return _workbook(sheet)
    text = text_of(sheet.data)
    if _is_called_workbook(sheet) and (not text or _NO_TEXT.search(text)):
        raise _BrokenWorkbook
    return [[(cell, False) for cell in row] for row in csv.reader(io.StringIO(text, newline=""), strict=True)]


def read(sheet: Sheet, *, as_told: bool = False, largest: int = LARGEST_BYTES) -> Lines:
    """Read a list whose first row names its columns; empty rows are left out, too long ones are problems.

    With `as_told` the cells below the heading stay as they stand: they are somebody's words, not codes.
    """
    try:
        if _is_too_big(sheet, largest):
            return _unreadable(sheet, "import.too_big", largest=largest)
        rows = _raw_rows(sheet)
    except (UnicodeDecodeError, csv.Error, zipfile.BadZipFile, python_calamine.CalamineError, _BrokenWorkbook) as error:
        if sheet.data.startswith(_WORKBOOKS) or _is_called_workbook(sheet):
            return _unreadable(sheet, "import.not_a_workbook")
        return _unreadable(sheet, "import.not_text" if isinstance(error, UnicodeDecodeError) else "import.not_a_table")
    if len(rows) > MOST_ROWS:
        return _unreadable(sheet, "import.too_many_rows", most=MOST_ROWS)
    tidy = [[(_tidy(text), mangled) for text, mangled in row] for row in (rows[:1] if as_told else rows)]
    if as_told:
        tidy += [[("" if text.isspace() else text, mangled) for text, mangled in row] for row in rows[1:]]
    if not tidy or not any(text for text, _ in tidy[0]):
        return _unreadable(sheet, "import.no_heading")
    return _under_heading(sheet, tidy)


def _under_heading(sheet: Sheet, rows: list[list[tuple[str, bool]]]) -> Lines:
    heading = [text.lower() for text, _ in rows[0]]
    while heading and not heading[-1]:
        heading.pop()
    problems = [
        Problem(sheet.name, 1, column, "import.column_twice")
        for column in dict.fromkeys(heading)
        if column and heading.count(column) > 1
    ]
    if "" in heading:
        problems.append(Problem(sheet.name, 1, "", "import.column_unnamed", {"place": heading.index("") + 1}))
    lines = []
    for number, row in enumerate(rows[1:], start=2):
        if not any(text for text, _ in row):
            continue
        if any(text for text, _ in row[len(heading) :]):
            problems.append(Problem(sheet.name, number, "", "import.too_many_cells", {"columns": len(heading)}))
        cells = row + [("", False)] * (len(heading) - len(row))
        lines.append(
            Line(
                number=number,
                cells=dict(zip(heading, (text for text, _ in cells), strict=False)),
                mangled=frozenset(c for c, (_, mangled) in zip(heading, cells, strict=False) if mangled),
            )
        )
    return Lines(sheet.name, tuple(heading), tuple(lines), tuple(problems))
