"""Rebuild the columns of a case from its ledger alone, by code that shares nothing with the spine.

Called by `verify` (I8). An entry records what it changed: here those changes are applied in order, in the form in which
the ledger's bytes hold them, and `written` turns a column of the database into the same form. It never writes and never
decides: what the spine would have done is not asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Columns = dict[str, Any]

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_LARGEST_NUMBER = 1 << 53


def written(value: Any) -> Any:
    """Turn a column's value into the form of the ledger: instants as epoch milliseconds, ids as text."""
    if isinstance(value, datetime):
        return (value - _UNIX) // _MS
    if type(value) is int and value >= _LARGEST_NUMBER:
        return str(value)
    return value


@dataclass(slots=True)
class Rebuilt:
    """One case as its ledger tells it: columns in the ledger's own form, rows by id.

    `looked` says for each duty under which calendar and in which county its next look was last worked out.
    """

    case: Columns = field(default_factory=dict)
    appeals: dict[int, Columns] = field(default_factory=dict)
    duties: dict[int, Columns] = field(default_factory=dict)
    assignments: dict[int, Columns] = field(default_factory=dict)
    looked: dict[int, tuple[str, str]] = field(default_factory=dict)

    def apply(self, entry_id: int, line: Mapping[str, Any]) -> None:
        """Apply one entry, given as the value its bytes hold; raises KeyError where it speaks of an unknown row."""
        body, at = line["body"], line["at"]
        self.case.update(body.get("set", {}))
        for name, rows in (("appeals", self.appeals), ("assignments", self.assignments)):
            for key, columns in body.get(name, {}).items():
                rows.setdefault(int(key), {}).update(columns)
        for verb, by in (("meets", "met"), ("voids", "voided")):
            for key in body.get(verb, ()):
                self.duties[int(key)].update({f"{by}_at": at, f"{by}_by": written(entry_id)})
        area = self.case.get("county_code", "")
        for verb in ("pauses", "resumes", "climbs", "recomputes"):
            for columns in body.get(verb, ()):
                key = int(columns["id"])
                # What a promise was before it was counted anew stands there for people, not for the columns.
                self.duties[key].update(
                    {name: value for name, value in columns.items() if name not in ("id", "before")}
                )
                if verb in ("resumes", "recomputes"):
                    self.duties[key]["calendar"] = body["calendar"]
                self.looked[key] = (body["calendar"], area)
        for columns in body.get("owes", ()):
            self.duties[int(columns["id"])] = dict(columns)
            self.looked[int(columns["id"])] = (body["calendar"], area)


def differences(told: Mapping[str, Any], row: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    """Name the columns in which a row of the database is not what the ledger tells; nothing told means empty."""
    # Most columns read the same in both; only what does not is turned into the ledger's form.
    return tuple(name for name in names if told.get(name) != row[name] and told.get(name) != written(row[name]))
