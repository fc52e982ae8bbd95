"""Read a city's charter from its folder of dated files, check every rule, and freeze it.

Called once at the start of each program, and by tests and what-if runs with a text of their own. A file that is wrong
in any way is refused with its line, its key, what was found and what is allowed; nothing is repaired, guessed or
filled in. Reads files, never writes one.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fuzhengtong.charter import lines, reading
from fuzhengtong.charter.editions import (
    DUTIES_OF_THE_CRITICAL,
    DUTY_KINDS,
    URGENCIES,
    Charter,
    CharterError,
    Charters,
    Count,
    Start,
    Statutory,
    Term,
)
from fuzhengtong.charter.lines import Key, Lines
from fuzhengtong.kernel.due import Clock, Unit

RELEASED = "RELEASED"

_EDITION = re.compile(r"20\d\d-(?:0[1-9]|1[0-2])")
_LETTERS = re.compile(r"[A-Z]{2}")
_CATEGORY = re.compile(r"[A-HJ-NP-TZ]\d\d")
_MIDNIGHT = "24:00"
# Matters of danger run around the clock: no night, weekend or holiday stops them.
_AROUND_THE_CLOCK = ("critical", "urgent")
_WALL = (Unit.WALL_MINUTES, Unit.WALL_HOURS)
_FINISH = (Unit.WORKING_DAYS, Unit.CALENDAR_DAYS, Unit.CALENDAR_DAYS_ROLLED, Unit.WALL_HOURS)


@dataclass(frozen=True, slots=True)
class _TermRow:
    length: Count
    unit: Unit
    starts: Start
    source: str


@dataclass(frozen=True, slots=True)
class _StatutoryRow:
    category: str
    length: Count
    unit: Unit
    law: str


@dataclass(frozen=True, slots=True)
class _Hours:
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class _ClockRow:
    zone: str
    hours: tuple[_Hours, ...]
    day_end: str
    source: str


def find_folder(name: str) -> Path:
    """Return the folder of this name beside the package, or where an installation put it.

    `charters/fuxin` and `texts` stand at the root of the repository; a wheel carries them in the package's data.
    Raises FileNotFoundError with the places that were looked at.
    """
    package = Path(__file__).resolve().parents[1]
    places = [
        package.parent / name,
        package / "data" / name,
        Path(sys.prefix) / "share" / package.name / name,
    ]
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(f"no folder {name!r}; looked at: {', '.join(str(place) for place in places)}")


def load_charters(folder: Path) -> Charters:
    """Read all editions in the folder.

    Refuses, with CharterError, a released edition that was edited or is missing, any fault of a file, editions of
    different cities in one folder, and editions that overlap: a later name must begin later.
    """
    check_released(folder)
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise CharterError(file=str(folder), line=0, key="", found="no edition", allowed="files such as 2022-10.toml")
    read = [(file, lines.read(file, CharterError)) for file in files]
    editions = [parse_edition(text=text, file=str(file)) for file, text in read]
    for (earlier, later), (file, text) in zip(pairwise(editions), read[1:], strict=True):
        _follows(earlier, later, reading.Page(str(file), Lines(text)))
    return Charters(tuple(editions))


def parse_edition(*, text: str, file: str) -> Charter:
    """Read one edition from its text; `file` is its path, whose stem must be the edition's name."""
    found = lines.parse(text, file, CharterError)
    page = reading.Page(file, Lines(text))
    charter = _edition(found, page)
    _check_head(charter, page)
    _check_terms(charter, page)
    _check_ladder(charter, page)
    _check_sums(charter, page)
    _check_words(charter, page)
    return charter


def check_released(folder: Path) -> tuple[str, ...]:
    """Compare the editions with the folder's RELEASED list (in the format of sha256sum); return the drafts.

    A draft is an edition that is not listed yet. Refuses, with CharterError, a listed edition that is missing or
    whose bytes differ: a released edition is never edited, a new rule is a new edition.
    """
    released = folder / RELEASED
    listed: set[str] = set()
    for nth, row in enumerate(_rows(released), start=1):
        digest, _, name = row.partition("  ")
        if not re.fullmatch(r"[0-9a-f]{64}", digest) or not name:
            raise CharterError(
                file=str(released), line=nth, key="", found=repr(row), allowed="64 hex digits, two spaces, a file name"
            )
        file = folder / name
        actual = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "no such file"
        if actual != digest:
            raise CharterError(
                file=str(released), line=nth, key=name, found=actual, allowed=f"{digest}; write a new edition instead"
            )
        listed.add(name)
    return tuple(file.stem for file in sorted(folder.glob("*.toml")) if file.name not in listed)


def _rows(released: Path) -> list[str]:
    return lines.read(released, CharterError).splitlines() if released.is_file() else []


def _follows(earlier: Charter, later: Charter, page: reading.Page) -> None:
    if later.active_from <= earlier.active_from:
        raise page.refuse(
            ("active_from",),
            f"{later.active_from}, where edition {earlier.edition} begins on {earlier.active_from}",
            f"a day after {earlier.active_from}: editions may not overlap",
        )
    for key, before, now in (
        ("city", earlier.city, later.city),
        ("letters", earlier.letters, later.letters),
        ("clock", earlier.clock.zone.key, later.clock.zone.key),
    ):
        if before != now:
            raise page.refuse((key,), repr(now), f"{before!r}, as in edition {earlier.edition}")


# --- one edition -----------------------------------------------------------------------------------------------------


def _edition(found: dict[str, object], page: reading.Page) -> Charter:
    hints = get_type_hints(Charter, include_extras=True)
    reading.check_keys(found, dict.fromkeys(hints, True), (), page)
    special = {"clock": _clock, "terms": _terms, "statutory": _statutory}
    rules: dict[str, Any] = {}
    for name, hint in hints.items():
        value, key = found[name], (name,)
        rules[name] = special[name](value, key, page) if name in special else reading.value(hint, value, key, page)
    return Charter(**rules)


# --- the three sections whose shape in the file is not their shape in the code ---------------------------------------


def _clock(found: object, key: Key, page: reading.Page) -> Clock:
    row = reading.table(_ClockRow, found, key, page)
    try:
        zone = ZoneInfo(row.zone)
    except (ZoneInfoNotFoundError, ValueError) as unknown:
        raise page.refuse((*key, "zone"), repr(row.zone), "a time zone such as Asia/Shanghai") from unknown
    day_end = None if row.day_end == _MIDNIGHT else reading.clock_time(row.day_end, (*key, "day_end"), page)
    before: time | None = None
    for nth, hours in enumerate(row.hours):
        if hours.closes <= hours.opens or (before and hours.opens <= before):
            shown = f"{hours.opens:%H:%M} to {hours.closes:%H:%M}"
            raise page.refuse((*key, "hours", nth), shown, "hours in order, each opening before it closes")
        before = hours.closes
    if before is None:
        raise page.refuse((*key, "hours"), "no office hours", "at least one opening")
    if day_end is not None and day_end < before:
        raise page.refuse((*key, "day_end"), repr(row.day_end), f"24:00, or the close of business, {before:%H:%M}")
    return Clock(zone=zone, hours=tuple((hours.opens, hours.closes) for hours in row.hours), day_end=day_end)


def _terms(found: object, key: Key, page: reading.Page) -> Mapping[str, Term]:
    """Read `[terms.<kind>]` and `[terms.<kind>.<urgency>]` into the keys 'accept' and 'accept.critical'."""
    if not isinstance(found, dict):
        raise page.refuse(key, reading.shown(found), "a table")
    reading.check_keys(found, dict.fromkeys(DUTY_KINDS, True), key, page)
    terms: dict[str, Term] = {}
    for kind, table in found.items():
        here = (*key, kind)
        if not isinstance(table, dict):
            raise page.refuse(here, reading.shown(table), "a table")
        general = {name: value for name, value in table.items() if name not in URGENCIES}
        if general or not table:
            terms[kind] = _term(kind, general, here, page)
        for urgency in URGENCIES:
            if urgency in table:
                terms[f"{kind}.{urgency}"] = _term(kind, table[urgency], (*here, urgency), page)
    return MappingProxyType(terms)


def _term(kind: str, found: object, key: Key, page: reading.Page) -> Term:
    row = reading.table(_TermRow, found, key, page)
    return Term(kind=kind, length=row.length, unit=row.unit, source=row.source, starts=row.starts)


def _statutory(found: object, key: Key, page: reading.Page) -> Mapping[str, Statutory]:
    terms: dict[str, Statutory] = {}
    for nth, row in enumerate(reading.members(_StatutoryRow, found, key, page)):
        here = (*key, nth, "category")
        if not _CATEGORY.fullmatch(row.category):
            raise page.refuse(here, repr(row.category), "a category such as S09")
        if row.category in terms:
            raise page.refuse(here, f"{row.category!r} a second time", "each category once")
        terms[row.category] = Statutory(length=row.length, unit=row.unit, law=row.law)
    return MappingProxyType(terms)


# --- what the types cannot say ---------------------------------------------------------------------------------------


def _check_head(charter: Charter, page: reading.Page) -> None:
    stem = Path(page.file).stem
    if not _EDITION.fullmatch(stem):
        raise CharterError(
            file=page.file, line=0, key="", found=f"the file name {stem!r}", allowed="YYYY-MM, such as 2022-10.toml"
        )
    if charter.edition != stem:
        raise page.refuse(("edition",), repr(charter.edition), f"the name of the file, {stem!r}")
    if f"{charter.active_from:%Y-%m}" < charter.edition:
        raise page.refuse(
            ("active_from",), str(charter.active_from), f"a day from {charter.edition}-01 on: rules do not reach back"
        )
    if not _LETTERS.fullmatch(charter.letters):
        raise page.refuse(("letters",), repr(charter.letters), "two capital letters, such as FX")


def _check_terms(charter: Charter, page: reading.Page) -> None:
    for kind in DUTY_KINDS:
        for urgency in ("critical",) if kind in DUTIES_OF_THE_CRITICAL else URGENCIES:
            if f"{kind}.{urgency}" not in charter.terms and kind not in charter.terms:
                key: Key = ("terms", kind)
                raise page.refuse(key, f"no term for {urgency} matters", f"[terms.{kind}] or [terms.{kind}.{urgency}]")
    for name, term in charter.terms.items():
        key = ("terms", *name.split("."), "unit")
        if name.endswith(_AROUND_THE_CLOCK) and term.unit not in _WALL:
            raise page.refuse(key, repr(str(term.unit)), f"{reading.one_of(_WALL)}: danger knows no office hours")
        if term.kind == "finish" and term.unit not in _FINISH:
            raise page.refuse(key, repr(str(term.unit)), reading.one_of(_FINISH))


def _check_ladder(charter: Charter, page: reading.Page) -> None:
    if not charter.ladder:
        raise page.refuse(("supervision", "ladder"), "no rung", "at least one rung")
    wanted = {0: 0, 1: 3, 2: 2, 3: 1}
    for nth, rung in enumerate(charter.ladder):
        key: Key = ("supervision", "ladder", nth)
        if rung.level != wanted.get(nth):
            raise page.refuse((*key, "level"), str(rung.level), "the levels 0, 3, 2, 1 in this order")
        lower = charter.ladder[nth - 1] if nth else None
        if lower and rung.unit is not lower.unit:
            raise page.refuse((*key, "unit"), repr(str(rung.unit)), f"{lower.unit}, as for the rung before")
        if lower and rung.after <= lower.after:
            raise page.refuse((*key, "after"), str(rung.after), f"more than {lower.after}, that of the rung before")


def _check_sums(charter: Charter, page: reading.Page) -> None:
    scores = charter.scores
    total = scores.response + scores.solved + scores.satisfied
    if total != 100:
        raise page.refuse(("scores",), f"weights that add up to {total}", "weights that add up to 100")
    if not 0 < charter.reminder.share < 1:
        raise page.refuse(("reminder", "share"), str(charter.reminder.share), "a share between 0 and 1")
    extension = charter.extension
    if extension.centre_up_to.unit is not extension.at_most.unit:
        key: Key = ("extension", "centre_up_to", "unit")
        raise page.refuse(key, repr(str(extension.centre_up_to.unit)), f"{extension.at_most.unit}, as for at_most")
    if extension.centre_up_to.length > extension.at_most.length:
        key = ("extension", "centre_up_to", "length")
        raise page.refuse(key, str(extension.centre_up_to.length), f"at most {extension.at_most.length}, as at_most")
    uploads = charter.uploads
    if uploads.bytes_total < uploads.bytes_each:
        raise page.refuse(("uploads", "bytes_total"), str(uploads.bytes_total), f"at least {uploads.bytes_each}")
    kinds = [contact.kind for contact in charter.contacts]
    for nth, kind in enumerate(kinds):
        if kind in kinds[:nth]:
            raise page.refuse(("contacts", nth, "kind"), f"{kind!r} a second time", "each kind once")


def _check_words(charter: Charter, page: reading.Page) -> None:
    redlines = charter.redlines
    if len(redlines.traditional) != len(redlines.simplified):
        found = f"{len(redlines.simplified)} characters"
        raise page.refuse(("redlines", "simplified"), found, f"{len(redlines.traditional)}, one for each traditional")
    lists: list[tuple[Key, tuple[str, ...]]] = [
        (("redlines", name), getattr(redlines, name)) for name in ("critical", "urgent", "harmless")
    ]
    lists += [
        (("redlines", "discipline", name), getattr(redlines.discipline, name))
        for name in ("roles", "misconduct", "standalone")
    ]
    for key, words in lists:
        if not words:
            raise page.refuse(key, "no words", "at least one word")
        for nth, word in enumerate(words):
            if len(word) < 2 or word != word.strip() or word.startswith("…") or word.endswith("…"):
                raise page.refuse((*key, nth), repr(word), "a word of two characters or more, gaps inside it only")
