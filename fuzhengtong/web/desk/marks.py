"""A telling with the words that decided marked in it, whole or shortened around them.

Pure: called by the dispatch desk with the spans that the machine gives as its reasons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

# A telling longer than this is shown in parts, so that the offices stay in sight.
LONG, AROUND, MOST_MARKS = 240, 24, 5
LABELS = {"place": "is-place", "matter": "is-matter", "urgency": "is-urgent"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the telling; `kind` is the class of the mark, empty for plain words, `word` what it decided."""

    text: str
    kind: str = ""
    word: str = ""


def pieces(text: str, spans: list[list[Any]], source: str) -> list[Piece]:
    """Cut a text at the words that decided; where two marks overlap, the graver one stays."""
    rank = {"urgency": 0, "place": 1, "matter": 2}
    words = {"urgency": _("急"), "place": _("地点"), "matter": _("事项")}
    wanted = sorted(
        (
            (int(a), int(b), str(label))
            for a, b, label, of in spans
            if of == source and 0 <= int(a) < int(b) <= len(text)
        ),
        key=lambda one: (rank.get(one[2], 9), one[0]),
    )
    taken: list[tuple[int, int, str]] = []
    for start, end, label in wanted:
        if all(end <= a or start >= b for a, b, _label in taken):
            taken.append((start, end, label))
    found, at = [], 0
    for start, end, label in _joined(sorted(taken)):
        if start > at:
            found.append(Piece(text[at:start]))
        found.append(Piece(text[start:end], LABELS.get(label, ""), words.get(label, "")))
        at = end
    if at < len(text):
        found.append(Piece(text[at:]))
    return found


def excerpt(found: list[Piece]) -> list[Piece]:
    """Shorten a long telling to the words that decided and what stands around them; the whole stays a press away."""
    kept: list[Piece] = []
    for piece in _once(found):
        text = piece.text.replace("\n", " ")
        if not piece.kind and len(text) > 2 * AROUND:
            text = f"{text[:AROUND]}…{text[-AROUND:]}" if kept else f"{text[: 2 * AROUND]}…"
        kept.append(Piece(text, piece.kind, piece.word))
    return kept


def _once(found: list[Piece]) -> list[Piece]:
    """Keep the first mark of every word, and no more than a few; the others become plain words again."""
    seen: set[str] = set()
    kept: list[Piece] = []
    for piece in found:
        is_new = bool(piece.kind) and piece.text not in seen and len(seen) < MOST_MARKS
        seen |= {piece.text} if is_new else set()
        if not is_new and kept and not kept[-1].kind:
            kept[-1] = Piece(kept[-1].text + piece.text)
        else:
            kept.append(piece if is_new else Piece(piece.text))
    return kept


def _joined(taken: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Join marks of one kind that touch: a county, a town and a village in one breath are one place."""
    found: list[tuple[int, int, str]] = []
    for start, end, label in taken:
        if found and found[-1][1] == start and found[-1][2] == label:
            found[-1] = (found[-1][0], end, label)
        else:
            found.append((start, end, label))
    return found
