"""The proof that nothing sealed or masked lies where it must not (I6): planted strings that nobody may find.

Called by `verify` with strings that stand in sealed or masked fields alone. It looks for them in every table, as a dump
would write it, and in the files of the home, in the forms in which text hides; a finding never repeats the string.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import psycopg
from django.conf import settings
from django.db import connection

from fuzhengtong.jobs.findings import Report, select

SHORTEST = 8


class _Search(NamedTuple):
    """What to look for: the bytes by the canary they stand for, and all of them as one pattern."""

    canaries: Mapping[bytes, str]
    pattern: re.Pattern[bytes]

    def in_bytes(self, data: bytes) -> str | None:
        """Name the canary that lies in the bytes."""
        found = self.pattern.search(data)
        return self.canaries[found[0]] if found else None


def prove_tables(planted: Planted | None, report: Report, say: Callable[[str], None]) -> None:
    """Search every table; says so where no canaries were given."""
    if planted is None:
        report.unchecked.append("I6: no canary strings were given")
        return
    _search_tables(_search(planted), report, say)


def prove_files(planted: Planted | None, report: Report, *, deep: bool) -> None:
    """Search the files of the home, and those that were named; after the reading, which they would only hold open."""
    if planted is None:
        return
    home = settings.HOME.path
    alarms = sorted(home.glob("alarms*.jsonl"))
    usual = [home] if deep else [home / "logs", *alarms, home / "heartbeat.json", settings.STORE]
    for path in [*planted.paths, *usual]:
        _search_files(path, _search(planted), report, skip={planted.file.resolve()})


def _search(planted: Planted) -> _Search:
    forms = {form: f"canary {place}" for place, text in enumerate(planted.strings, start=1) for form in _forms(text)}
    return _Search(forms, re.compile(b"|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))))


class Planted(NamedTuple):
    file: Path
    strings: list[str]
    paths: list[Path]


def planted_in(file: Path) -> Planted:
    """Read the canaries; refuses, with ValueError, an empty list and strings too short to mean anything."""
    text = file.read_text(encoding="utf-8")
    paths: list[Path] = []
    if text.lstrip().startswith("{"):
        told = json.loads(text)
        strings, paths = list(told["strings"]), [Path(path) for path in told.get("paths", ())]
    else:
        strings = [line.strip() for line in text.splitlines() if line.strip()]
    short = [place for place, string in enumerate(strings, start=1) if len(string.encode()) < SHORTEST]
    if short or not strings:
        raise ValueError(f"a canary has at least {SHORTEST} bytes; too short: {short or 'there is none'}")
    return Planted(file, strings, paths)


def _forms(text: str) -> set[bytes]:
    """List the bytes a string can lie about as: plain, wide, as hexadecimal, escaped in JSON, in base64."""
    data = text.encode()
    forms = {data, text.encode("utf-16-le"), data.hex().encode(), json.dumps(text)[1:-1].encode()}
    for pad, hidden in ((0, 0), (1, 2), (2, 3)):
        encoded = b64encode(b"\0" * pad + data).rstrip(b"=")
        whole = len(encoded) - (1 if (pad + len(data)) % 3 else 0)
        forms.add(encoded[hidden:whole])
    return forms


def _search_files(path: Path, search: _Search, report: Report, *, skip: set[Path]) -> None:
    if not path.exists():
        return
    overlap = max(map(len, search.canaries))
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if not file.is_file() or file.resolve() in skip:
            continue
        try:
            with file.open("rb") as stream:
                report.counted["files"] += 1
                tail = b""
                while block := stream.read(1 << 20):
                    if canary := search.in_bytes(tail + block):
                        report.found("I6", "canary_in_file", detail=f"{canary} in {file}")
                        break
                    tail = block[-overlap:]
        except OSError as fault:
            report.unchecked.append(f"I6: {file} could not be read ({fault.strerror})")


_TABLES = """
SELECT tablename, has_table_privilege(format('%I', tablename), 'SELECT') FROM pg_tables
WHERE schemaname = current_schema() ORDER BY 1
"""


def _search_tables(search: _Search, report: Report, say: Callable[[str], None]) -> None:
    """Dump every table as text and search each row as it comes by."""
    for table, may_read in select(_TABLES):
        if not may_read:
            report.unchecked.append(f"I6: table {table} may not be read by this role")
            continue
        say(f"searching {table}")
        with psycopg.Cursor(connection.connection) as cursor, cursor.copy(f'COPY "{table}" TO STDOUT') as lines:
            for row in lines:
                report.counted["rows"] += 1
                if canary := search.in_bytes(bytes(row)):
                    first = bytes(row).split(b"\t", 1)[0][:40].decode(errors="replace")
                    report.found("I6", "canary_in_table", detail=f"{canary} in {table} {first}")
