"""What a proof found: the report that `verify` and its parts fill, for a person and for a machine.

Nothing in here checks anything. A finding names where something is broken and never what a person told.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from django.db import connection

# More findings than a person reads of one kind are counted and not kept.
KEPT_OF_A_KIND = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise: the invariant, what is wrong as a stable word, and where."""

    invariant: str
    what: str
    case: str = ""
    seq: int | None = None
    detail: str = ""

    def __str__(self) -> str:
        where = [f"case {self.case}"] if self.case else []
        where += [f"entry {self.seq}"] if self.seq is not None else []
        return " · ".join(
            [self.invariant, self.what.replace("_", " "), *where, *([self.detail] if self.detail else [])]
        )


@dataclass
class Report:
    """What was proved, what is broken, and what could not be checked."""

    at: datetime
    findings: list[Finding] = field(default_factory=list)
    totals: Counter[tuple[str, str]] = field(default_factory=Counter)
    unchecked: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Tell whether nothing that was checked is broken."""
        return not self.totals

    @property
    def exit_code(self) -> int:
        """Return what the command ends with: 0 when all that was checked holds, else 1."""
        return 0 if self.ok else 1

    def found(self, invariant: str, what: str, *, case: str = "", seq: int | None = None, detail: str = "") -> None:
        """Note one broken promise."""
        self.totals[invariant, what] += 1
        if self.totals[invariant, what] <= KEPT_OF_A_KIND:
            self.findings.append(Finding(invariant, what, case, seq, detail))

    def as_json(self) -> str:
        """Write the report for a machine."""
        return json.dumps(
            {
                "at": self.at.isoformat(),
                "ok": self.ok,
                "seconds": round(self.seconds, 3),
                "counted": dict(self.counted),
                "broken": [
                    {"invariant": key[0], "what": key[1], "count": count} for key, count in sorted(self.totals.items())
                ],
                "findings": [msgspec.to_builtins(finding) for finding in self.findings],
                "unchecked": self.unchecked,
            },
            ensure_ascii=False,
            indent=2,
        )

    def as_text(self) -> str:
        """Write the report for a person."""
        counted = ", ".join(f"{count:,} {what}" for what, count in self.counted.items())
        lines = [f"{self.at.isoformat()}: {counted or 'nothing'} in {self.seconds:.1f} s"]
        lines += [f"  not checked: {what}" for what in self.unchecked]
        lines += [f"  BROKEN {finding}" for finding in self.findings]
        hidden = sum(self.totals.values()) - len(self.findings)
        if hidden:
            lines.append(f"  … and {hidden:,} more of the same kinds")
        lines.append("all that was checked holds" if self.ok else f"{sum(self.totals.values()):,} findings")
        return "\n".join(lines)


def select(sql: str, params: Sequence[Any] = (), *, binary: bool = False) -> list[tuple[Any, ...]]:
    """Read rows for a proof by SQL of its own; `binary` where there are many."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql.encode(), params or None, binary=binary)
        return cursor.fetchall()
