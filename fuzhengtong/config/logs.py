"""Where the program's own words go: one line each, to standard error; never a resident's words."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from types import TracebackType

# Whoever holds a query code may read the case: no line of a log may hold one.
_CODE = re.compile(r"/q/[0-9A-Za-z%-]+")
# An error may quote what it could not take: a row, a value, a text. What is not plainly ours is left out.
_OURS = re.compile(r"[ -~]{1,200}")
_QUOTED = re.compile(r"[0-9][0-9 ./-]{4,}[0-9]|\"[^\"]*\"")

Trouble = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure(name: str) -> None:
    """Send log lines to standard error with the program's name, escaped so that no text can forge a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine(f"%(asctime)s {name} %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("fuzhengtong").setLevel(logging.INFO)


class _OneLine(logging.Formatter):
    """Keep a forged line end in a message from looking like another line (ASVS 16.4.1); a trace names code alone."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is the library's
        line = super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")
        return _CODE.sub("/q/…", line)

    def formatException(self, ei: Trouble) -> str:  # noqa: N802 - the name is the library's
        told: list[str] = []
        error, seen = ei[1], set[int]()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            where = "".join(traceback.format_tb(error.__traceback__)).rstrip()
            told.insert(0, f"{where}\n{_said(error)}" if where else _said(error))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n-- then --\n".join(told)


def _said(error: BaseException) -> str:
    """Name an error; its words only where they are plainly our own: one line without quotations, numbers or Chinese."""
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    state = getattr(error, "sqlstate", None)
    constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
    if state:
        return f"{kind} {state} {constraint or ''}".rstrip()
    words = str(error).split("\n", 1)[0]
    if not _OURS.fullmatch(words):
        return kind
    return f"{kind}: {_QUOTED.sub('…', words)}"
