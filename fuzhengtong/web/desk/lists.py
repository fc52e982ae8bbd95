"""Handing in a list: first what would change, row by row, then one press that changes it. Nothing is guessed.

Areas, grids, offices, categories, routes and the calendar go through the imports of the directory; every bad row is
shown with its number and what is wrong. Between the two presses the list travels in the page, so that nothing of it
is kept where nobody would clear it away.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import actions as directory_actions
from fuzhengtong.directory.rules import Change, Report
from fuzhengtong.directory.sheets import LARGEST_BYTES, Sheet
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.web.desk import lines
from fuzhengtong.web.moment import language_of

# A page carries this much of a list from the first press to the second; a larger one is chosen again.
CARRIED = 180_000
SHOWN = 200


class SheetMissing(Refused):
    """Refuse to look at a list that was not handed in."""

    code = "sheet_missing"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of list: its code, its word, what its columns are, and the import that reads it."""

    code: str
    word: str
    hint: str
    read: Callable[[Sheet, Moment, bool], Report]


KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            "grids", gettext_noop("网格"), gettext_noop("CSV：code、name、parent；或 GeoJSON，带边界"),
            lambda sheet, moment, apply: directory_actions.import_grids(sheet=sheet, moment=moment, apply=apply),
        ),
        Kind(
            "areas", gettext_noop("区划"), gettext_noop("CSV：code、name、kind、parent；只增改，不撤没写到的"),
            lambda sheet, moment, apply: directory_actions.import_areas(
                sheets=[sheet], moment=moment, apply=apply, complete=False
            ),
        ),
        Kind(
            "categories", gettext_noop("类别"), gettext_noop("CSV 或 Excel，和随软件的类别表同列"),
            lambda sheet, moment, apply: directory_actions.import_categories(sheet=sheet, moment=moment, apply=apply),
        ),
        Kind(
            "routes", gettext_noop("责任清单"), gettext_noop("CSV：category、root、area、office、source"),
            lambda sheet, moment, apply: directory_actions.import_routes(sheet=sheet, moment=moment, apply=apply),
        ),
        Kind(
            "offices", gettext_noop("单位"),
            gettext_noop("CSV：code、name、short、kind、parent、area、level、functions、duty_phone"),
            lambda sheet, moment, apply: directory_actions.import_offices(sheet=sheet, moment=moment, apply=apply),
        ),
        Kind(
            "calendar", gettext_noop("放假安排"), gettext_noop("JSON，一年一份，写明国务院通知的网址"),
            lambda sheet, moment, apply: directory_actions.import_calendar(
                sheets=[sheet], moment=moment, apply=apply
            ),
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bad:
    """One thing that is wrong in a list."""

    row: int
    column: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that would change, with what stands now and what would."""

    name: str
    code: str
    cells: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of a list that was handed in."""

    kind: Kind
    report: Report
    bad: tuple[Bad, ...]
    parts: tuple[tuple[str, int, tuple[Difference, ...]], ...]
    carried: str
    name: str


def _sheet(request: HttpRequest) -> Sheet:
    """Return the list: the file, or what the page carried from the first press."""
    files: MultiValueDict[str, UploadedFile] = request.FILES
    given = files.get("sheet")
    if given is not None:
        return Sheet(name=(given.name or "")[:120], data=given.read(LARGEST_BYTES + 1))
    carried = request.POST.get("carried", "")
    if not carried:
        raise SheetMissing
    try:
        opener = zlib.decompressobj()
        data = opener.decompress(base64.b85decode(carried), LARGEST_BYTES + 1)
    except (ValueError, zlib.error, binascii.Error) as error:
        raise SheetMissing from error
    return Sheet(name=request.POST.get("name", "")[:120], data=data)


def _carried(sheet: Sheet) -> str:
    packed = base64.b85encode(zlib.compress(sheet.data, 9)).decode()
    return packed if len(packed) <= CARRIED else ""


def look(request: HttpRequest, moment: Moment, kind: Kind) -> Looked:
    """Read a list that was handed in: say what would change, or change it where the second press asks for it."""
    sheet = _sheet(request)
    report = kind.read(sheet, moment, request.POST.get("do") == "apply")
    lang = language_of(request)
    bad = tuple(
        Bad(
            row=problem.row,
            column=problem.column,
            text=lines.say(problem.key, lang, **dict(problem.facts)) or problem.key,
        )
        for problem in report.errors
    )
    parts = tuple(
        (what, len(changes), tuple(_difference(one, lang) for one in changes[:SHOWN]))
        for what, changes in (
            ("added", report.added), ("changed", report.changed), ("moved", report.moved), ("closed", report.closed),
        )
        if changes
    )  # fmt: skip
    return Looked(kind=kind, report=report, bad=bad, parts=parts, carried=_carried(sheet), name=sheet.name)


def _difference(change: Change, lang: str) -> Difference:
    columns = list(dict.fromkeys([*change.before, *change.after]))
    cells = tuple(
        (
            lines.say(f"desk.column.{column}", lang) or column,
            _cell(column, change.before.get(column), lang),
            _cell(column, change.after.get(column), lang),
        )
        for column in columns
    )
    return Difference(name=change.name, code=change.code, cells=cells[:6] if not change.before else cells)


# Columns whose values are codes of ours, and where their words stand.
_WORDS = {
    "kind": ("desk.level", "desk.kind"),
    "level": ("desk.level",),
    "urgency": ("urgency",),
    "lane": ("lane",),
    "sensitivity": ("desk.sensitivity",),
}


def _cell(column: str, value: object, lang: str) -> str:
    """Say what stands in a cell: words for codes, yes or no for a mark, the names of a list."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, dict):
        return _("有") if value else ""
    if isinstance(value, list | tuple):
        # Of a pair (a name and what sort of name, a code and whose) both halves are said.
        said = [" ".join(map(str, one)) if isinstance(one, list | tuple) else str(one) for one in value]
        return _shortened(_("、").join(said))
    text = str(value)
    words = (lines.say(f"{group}.{text}", lang) for group in _WORDS.get(column, ()))
    return next((word for word in words if word), None) or _shortened(text)


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"
