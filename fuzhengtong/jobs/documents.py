"""The generated documents: which there are, whether they are fresh, and how they are written anew."""

from __future__ import annotations

from pathlib import Path

from fuzhengtong.procedure import documents

ROOT = Path(__file__).resolve().parents[2]
PROCEDURE = ROOT / "docs" / "procedure.md"


def stale() -> tuple[str, ...]:
    """Name the generated documents that no longer say what the program does."""
    return ("docs/procedure.md",) if documents.stale(PROCEDURE) else ()


def write() -> None:
    """Write every generated document anew."""
    PROCEDURE.parent.mkdir(parents=True, exist_ok=True)
    documents.write(PROCEDURE)
