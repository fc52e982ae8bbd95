"""A list of tellings from another system: which column says what, and what each row tells.

Pure; called by `bulk`. Columns are known by their names (`headings`) or by an operator's word, and a row becomes the
same `Submission` that every door hands in. What cannot be read is a problem with the row's number and its column, never
with the cell's words: a report of it lies on a disk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from fuzhengtong.cases.states import Satisfaction, Solved
from fuzhengtong.directory import sheets
from fuzhengtong.directory.sheets import Line, Lines, Problem, Sheet
from fuzhengtong.intake import cells, headings, rules

# A year of a city's hotline; more comes in several files.
LARGEST_BYTES: Final = 100_000_000

# By these a row without an id is known again; an export of a later day says more of its handling, never of these.
_OF_THE_TELLING: Final = ("title", "text", "created", "name", "phone", "address")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column says which field (`field` → column), and the columns that nobody asked for."""

    of: Mapping[str, str]
    left_out: tuple[str, ...]

    def cell(self, line: Line, field: str) -> str:
        """Return what a row says of a field, or nothing."""
        return line.cells.get(self.of.get(field, ""), "") if field in self.of else ""

    def named(self, field: str) -> str:
        """Name the column of a field as the list does; a field that has none by itself."""
        return self.of.get(field, field)


def recognise(lines: Lines, told: Mapping[str, str]) -> tuple[Columns, tuple[Problem, ...]]:
    """Find out which column says what; `told` (column → field, '' for none) goes before what the names suggest.

    Wrong is a column or field that is told and does not exist, two columns of one field, and a list without the words
    of anybody.
    """
    problems = [
        Problem(lines.sheet, 0, column, "import.map_no_column") for column in told if column not in lines.columns
    ]
    for column, field in told.items():
        if field and field not in headings.FIELDS:
            known = ", ".join(headings.FIELDS)
            problems.append(Problem(lines.sheet, 0, column, "import.map_no_field", {"known": known}))
    found: dict[str, list[str]] = {}
    for column in lines.columns:
        field = told.get(column, "") if column in told else headings.KNOWN.get(headings.folded(column), "")
        # A column that was named for a field leaves no doubt about those whose names merely suggest it.
        if field and (column in told or field not in told.values()):
            found.setdefault(field, []).append(column)
    for field, columns in found.items():
        if len(columns) > 1:
            facts = {"columns": "、".join(columns), "field": field}
            problems.append(Problem(lines.sheet, 1, columns[1], "import.columns_of_one_field", facts))
    if not found.keys() & {"title", "text"}:
        problems.append(Problem(lines.sheet, 1, "", "import.no_telling_column"))
    of = {field: columns[0] for field, columns in found.items()}
    left_out = tuple(column for column in lines.columns if column and column not in of.values())
    return Columns(of, left_out), tuple(problems)


def mapping(words: Sequence[str], lines: Lines) -> dict[str, str]:
    """Read "column=field" as an operator types it; the column in any width and case, the field by one of its names."""
    spelled = {headings.folded(column): column for column in lines.columns}
    told = {}
    for word in words:
        column, equals, field = word.rpartition("=")
        exact = column.strip().lower()
        named = exact if exact in lines.columns else spelled.get(headings.folded(column), column)
        # A word without an equals sign names no field, and is told so.
        told[named if equals else word] = headings.KNOWN.get(headings.folded(field), field.strip()) if equals else "="
    return told


# --- reading -----------------------------------------------------------------------------------------------------


def read(sheet: Sheet) -> Lines:
    """Read a list: CSV, Excel, or one JSON object a line."""
    if sheet.data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{":
        return sheets.read(sheet, as_told=True, largest=LARGEST_BYTES)
    if len(sheet.data) > LARGEST_BYTES:
        return Lines(sheet.name, (), (), (Problem(sheet.name, 0, "", "import.too_big", {"largest": LARGEST_BYTES}),))
    try:
        text = sheets.text_of(sheet.data)
    except UnicodeDecodeError:
        return Lines(sheet.name, (), (), (Problem(sheet.name, 0, "", "import.not_text"),))
    return _objects(sheet.name, text)


def _objects(name: str, text: str) -> Lines:
    columns: dict[str, None] = {}
    lines, problems = [], []
    # Not by `splitlines`: a separator of Unicode may stand inside somebody's words.
    for number, row in enumerate(text.split("\n"), start=1):
        if not row.strip():
            continue
        held = _object(row)
        if held is None:
            problems.append(Problem(name, number, "", "import.not_an_object"))
            continue
        told = {key.strip().lower(): _plain(value) for key, value in held.items()}
        problems += [Problem(name, number, key, "import.not_a_plain_value") for key, it in told.items() if it is None]
        columns |= dict.fromkeys(told)
        lines.append(Line(number=number, cells={key: value or "" for key, value in told.items()}))
    return Lines(name, tuple(columns), tuple(lines), tuple(problems))


def _object(row: str) -> dict[str, Any] | None:
    try:
        held = json.loads(row)
    except (ValueError, RecursionError):
        return None
    return held if isinstance(held, dict) else None


def _plain(value: Any) -> str | None:
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case float() if value.is_integer():
            return str(int(value))
        case str() | int() | float():
            return str(value)
        case _:
            return None


# --- rows --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """What one row tells: the submission, and what a closed matter has besides. `besides` is (column, cell)."""

    number: int
    submission: rules.Submission
    identity: str
    closed_at: datetime | None = None
    replied_at: datetime | None = None
    reply: str = ""
    category: str = ""
    solved: Solved | None = None
    satisfaction: Satisfaction | None = None
    besides: tuple[tuple[str, str], ...] = ()

    @property
    def texts(self) -> Iterator[str]:
        """Every free text that a record of this row would hold: the screen reads them all."""
        yield from rules.texts_of(self.submission)
        yield from (self.reply, self.category)
        yield from (cell for _, cell in self.besides)


@dataclass(frozen=True, slots=True)
class Reader:
    """How the rows of one list are read. `channels` leads from every name of a channel to its code."""

    sheet: str
    columns: Columns
    zone: tzinfo
    channel: str
    channels: Mapping[str, str]
    of_the_past: bool

    def row(self, line: Line) -> tuple[Row, list[Problem]]:
        """Return what a row tells, as far as it can be read, and what cannot."""
        problems: list[Problem] = []
        read = _Cells(self, line, problems)
        name, phone = read("name"), read("phone")
        is_hidden = read.flag("anonymous")
        submission = rules.Submission(
            channel=self._channel(read),
            text=_words(read("title"), read("text")),
            reporter=_person(name, phone),
            principal=_person(read("principal_name"), read("principal_phone")),
            location=read.location(),
            # Who is called anonymous and named all the same is a name to be kept from the handling office.
            confidential=read.flag("confidential") or (is_hidden and bool(name or phone)),
            anonymous=is_hidden and not (name or phone),
            taken_at=read.instant("created"),
            source_ref=read("id"),
        )
        identity = json.dumps([read(field) for field in _OF_THE_TELLING])
        if not self.of_the_past:
            return Row(line.number, submission, identity), problems
        content, solved = cells.content(read("satisfaction")), cells.solved(read("solved"))
        besides = [("office", True), ("satisfaction", content is None), ("solved", solved is None)]
        row = Row(
            number=line.number,
            submission=submission,
            identity=identity,
            closed_at=read.instant("closed_at"),
            replied_at=read.instant("replied_at"),
            reply=rules.clean(read("reply")),
            category=read("category"),
            solved=solved,
            satisfaction=content,
            besides=tuple((self.columns.named(field), read(field)) for field, kept in besides if kept and read(field)),
        )
        return row, problems

    def _channel(self, read: _Cells) -> str:
        said = read("channel")
        if not said:
            return self.channel
        code = self.channels.get(cells.plain(said))
        if code is None:
            read.wrong("channel", "import.channel_unknown")
        return code or self.channel

    def wrong(self, row: int, fault: rules.Fault) -> Problem:
        """Turn a fault of the one door into a problem of a column."""
        field = _FIELD_OF.get(fault.field, fault.field)
        if field == "text" and "text" not in self.columns.of:
            field = "title"
        return Problem(self.sheet, row, self.columns.named(field), f"input.{fault.key}", dict(fault.facts))


_FIELD_OF = {
    "reporter.name": "name",
    "reporter.phone": "phone",
    "principal.name": "principal_name",
    "principal.phone": "principal_phone",
    "location": "lat",
    "location.address": "address",
    "location.datum": "datum",
    "source_ref": "id",
    "taken_at": "created",
}
_DATUMS = {re.sub("[^A-Z0-9]", "", datum): datum for datum in rules.DATUMS}


class _Cells:
    """The cells of one row while it is being read; what is wrong in one is noted."""

    def __init__(self, reader: Reader, line: Line, problems: list[Problem]) -> None:
        self._reader, self._line, self._problems = reader, line, problems

    def __call__(self, field: str) -> str:
        return self._reader.columns.cell(self._line, field).strip()

    def wrong(self, field: str, key: str) -> None:
        column = self._reader.columns.named(field)
        self._problems.append(Problem(self._reader.sheet, self._line.number, column, key))

    def instant(self, field: str) -> datetime | None:
        found = cells.instant(self(field), self._reader.zone)
        if found is None and self(field):
            self.wrong(field, "import.not_an_instant")
        return found

    def flag(self, field: str) -> bool:
        found = cells.flag(self(field))
        if found is None:
            self.wrong(field, "import.not_yes_or_no")
        return bool(found)

    def location(self) -> rules.Location | None:
        lat, lng = self._degrees("lat"), self._degrees("lng")
        if not lat and not lng:
            # A point in the sea off Africa is how a map says that nobody marked one.
            lat = lng = None
        datum = re.sub("[^A-Z0-9]", "", self("datum").upper())
        known = _DATUMS.get(datum, datum) if datum else rules.DATUMS[0]
        address = self("address")
        return rules.Location(address=address, lat=lat, lng=lng, datum=known) if address or lat or lng else None

    def _degrees(self, field: str) -> float | None:
        said = self(field)
        if not said:
            return None
        try:
            return float(cells.plain(said))
        except ValueError:
            self.wrong(field, "import.not_degrees")
            return None


def _words(title: str, text: str) -> str:
    """Join title and words, the title as the first line; a title that the words begin with is said once."""
    title, text = " ".join(title.split()), rules.clean(text)
    return "\n".join(part for part in ("" if text.startswith(title) else title, text) if part)


def _person(name: str, phone: str) -> rules.Person | None:
    return rules.Person(name=name, phone=phone) if name or phone else None
