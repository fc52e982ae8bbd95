"""Read what an address or a form asks for: a number, an instant, the place where a page of a list goes on.

Anybody can type them, so what cannot be read is nothing (None), never an error: the caller shows its first page.
"""

from __future__ import annotations

from datetime import UTC, datetime

# Any id of ours has fewer digits; a longer number is beyond the database's 64 bits.
MOST_DIGITS = 18


def number(text: str | None) -> int | None:
    """Return a number of plain digits, 0 to 18 nines, or None; digits of other scripts and powers are no digits."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def instant(text: str | None) -> datetime | None:
    """Return an instant in UTC from ISO 8601 with its offset, or None; one without an offset is nobody's instant."""
    try:
        found = datetime.fromisoformat(text or "")
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def place(text: str | None) -> tuple[datetime, int] | None:
    """Return the instant and the id of the last row of a page, from `instant_id`, or None."""
    told, _line, last = (text or "").rpartition("_")
    at, row = instant(told), number(last)
    return None if at is None or row is None else (at, row)
