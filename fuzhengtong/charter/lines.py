"""Where the keys of a TOML text stand, and the one error that tells a person where to look.

The charter and the sentences are written by people who need a line number when a file is refused, and `tomllib`
gives none for anything but syntax. Called by `load` and `texts` alone, on a text that `tomllib` has already read; it
looks at the shape of the text only and never at the meaning of a value.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from pathlib import Path

Key = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\r\n]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")' r"|'''.*?'{3,5}(?!')" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'", re.DOTALL
)
_PAIR = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=")
_HEADER = re.compile(r"\[{1,2}\s*([A-Za-z0-9_. -]+?)\s*(?:\]|$)")
_SYNTAX = re.compile(r"^(?P<what>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


class FileRefused(Exception):
    """Refuse a file of rules or sentences: which file, line and key, what was found there, what is allowed."""

    def __init__(self, *, file: str, line: int, key: str, found: str, allowed: str) -> None:
        where = f"{file}:{line}" if line else file
        what = f"{key}: " if key else ""
        super().__init__(f"{where}: {what}found {found}; allowed: {allowed}")
        self.file = file
        self.line = line
        self.key = key
        self.found = found
        self.allowed = allowed


def read(file: Path, refusal: type[FileRefused]) -> str:
    """Read a file of the repository as text; refuse bytes that are not UTF-8 at their line."""
    data = file.read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as bad:
        line = data[: bad.start].count(b"\n") + 1
        raise refusal(file=str(file), line=line, key="", found="bytes that are not UTF-8", allowed="UTF-8") from bad


def parse(text: str, file: str, refusal: type[FileRefused]) -> dict[str, object]:
    """Read the TOML text; refuse wrong syntax, double keys and impossible dates at their line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as bad:
        said = _SYNTAX.match(str(bad))
        rows = text.splitlines() or [""]
        line = int(said["line"]) if said and said["line"] else len(rows)
        what, row = said["what"] if said else str(bad), rows[min(line, len(rows)) - 1].strip()
        found = f"{what[:1].lower()}{what[1:]} in {row!r}"
        raise refusal(file=file, line=line, key=_key_near(rows, line), found=found, allowed="TOML 1.0") from bad


def _key_near(rows: list[str], line: int) -> str:
    """Guess the key of a row that cannot be parsed, from its beginning and the last header above it."""
    pair = _PAIR.match(rows[min(line, len(rows)) - 1])
    headers = [found[1] for found in map(_HEADER.match, rows[:line]) if found]
    return ".".join(([headers[-1]] if headers else []) + ([pair[1]] if pair else []))


def dotted(key: Key) -> str:
    """Write a key as people read it: `supervision.ladder[2].after`."""
    written = ""
    for part in key:
        written += f"[{part}]" if isinstance(part, int) else f".{part}" if written else part
    return written


class Lines:
    """The line of every key and list element of one TOML text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self._lines: dict[Key, int] = {}
        self._lists: dict[Key, int] = {}
        self._document()

    def of(self, key: Key) -> int:
        """Return the line of the key, else that of the nearest table around it, else 1."""
        while key and key not in self._lines:
            key = key[:-1]
        return self._lines.get(key, 1)

    def _document(self) -> None:
        table: Key = ()
        at = self._skip(_BLANK, 0)
        while at < len(self._text):
            if self._text[at] == "[":
                table, at = self._header(at)
            else:
                at = self._pair(table, at)
            at = self._skip(_BLANK, at)

    def _header(self, at: int) -> tuple[Key, int]:
        is_list = self._text.startswith("[[", at)
        parts, end = self._key(self._skip(_SPACE, at + 1 + is_list))
        table = self._through_lists(parts[:-1]) + parts[-1:]
        if is_list:
            nth = self._lists.get(table, -1) + 1
            self._lists[table] = nth
            table = (*table, nth)
        for depth in range(1, len(table) + 1):
            self._note(table[:depth], at)
        return table, self._skip(_SPACE, end) + 1 + is_list

    def _through_lists(self, parts: Key) -> Key:
        table: Key = ()
        for part in parts:
            table = (*table, part)
            if table in self._lists:
                table = (*table, self._lists[table])
        return table

    def _pair(self, table: Key, at: int) -> int:
        parts, end = self._key(at)
        for depth in range(1, len(parts) + 1):
            self._note(table + parts[:depth], at)
        after_equals = self._skip(_SPACE, end) + 1
        return self._value(table + parts, self._skip(_SPACE, after_equals))

    def _key(self, at: int) -> tuple[Key, int]:
        parts: list[str] = []
        while True:
            found = _BARE.match(self._text, at) or _STRING.match(self._text, at)
            assert found is not None, "the text was read by tomllib before"
            parts.append(found[0] if found.re is _BARE else _unquoted(found[0]))
            dot = self._skip(_SPACE, found.end())
            if self._text[dot] != ".":
                return tuple(parts), found.end()
            at = self._skip(_SPACE, dot + 1)

    def _value(self, key: Key, at: int) -> int:
        match self._text[at]:
            case "[":
                return self._members(key, at, "]")
            case "{":
                return self._members(key, at, "}")
            case '"' | "'":
                found = _STRING.match(self._text, at)
            case _:
                found = _SCALAR.match(self._text, at)
        assert found is not None, "the text was read by tomllib before"
        return found.end()

    def _members(self, key: Key, at: int, closing: str) -> int:
        nth = 0
        at = self._skip(_BLANK, at + 1)
        while self._text[at] != closing:
            if closing == "]":
                self._note((*key, nth), at)
                at = self._value((*key, nth), at)
            else:
                at = self._pair(key, at)
            nth += 1
            at = self._skip(_BLANK, at)
            if self._text[at] == ",":
                at = self._skip(_BLANK, at + 1)
        return at + 1

    def _note(self, key: Key, at: int) -> None:
        self._lines.setdefault(key, bisect_right(self._starts, at))

    def _skip(self, blank: re.Pattern[str], at: int) -> int:
        found = blank.match(self._text, at)
        return found.end() if found else at


def _unquoted(key: str) -> str:
    read = tomllib.loads(f"{key} = 0")
    return next(iter(read))
