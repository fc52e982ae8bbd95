"""How a telling is written down, evened out for reading by machine, and how what was found points back into it.

Used by the three readers of dispatch (places, words, urgency). Full width becomes half width, traditional characters
become simplified, stray spaces vanish and spoken numbers before a counter become digits; every character keeps the
place where it stood, so that a page can mark the teller's own words. It never corrects spelling and never guesses.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import opencc

BLANK = "\n"  # stands in no word, and separates what stood apart
Source = Literal["text", "address"]


@dataclass(frozen=True, slots=True)
class Word:
    """Words of the teller, exactly as he wrote them: characters `start` to `end` (exclusive) of the text or address."""

    text: str
    start: int
    end: int
    source: Source = "text"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was proposed: a key that pages turn into a sentence, the deciding words, the facts to fill in."""

    kind: str
    words: tuple[Word, ...] = ()
    params: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Normal:
    """A normalised text; `at[i]` is the place of its character `i` in the original, with the end as the last item."""

    text: str
    original: str
    at: Sequence[int]
    source: Source = "text"

    def word(self, start: int, end: int) -> Word:
        """Return the original words behind the normalised characters `start` to `end`."""
        first = self.at[start]
        # A space that was dropped behind the last character belongs to no word.
        text = self.original[first : self.at[end]].rstrip()
        return Word(text, first, first + len(text), self.source)

    def without(self, intervals: Sequence[tuple[int, int]]) -> str:
        """Return the normalised text with these intervals blanked, as long as before, so that positions stay."""
        pieces, done = [], 0
        for start, end in sorted(intervals):
            if end > done:
                pieces += [self.text[done:start], BLANK * (end - max(start, done))]
                done = end
        return "".join((*pieces, self.text[done:]))


def normalise(text: str, *, source: Source = "text") -> Normal:
    """Even out a text for matching, and remember where each character stood."""
    even = text.translate(_characters())
    if _CHANGES.search(even) is None:
        return Normal(even, text, range(len(even) + 1), source)
    pieces: list[str] = []
    at: list[int] = []
    done = 0
    for change in _CHANGES.finditer(even):
        start, end = change.span()
        pieces.append(even[done:start])
        at.extend(range(done, start))
        digits = "" if change.lastgroup == "space" else _digits(even[start:end], counter=even[end])
        pieces.append(digits)
        at.extend(min(start + i, end - 1) for i in range(len(digits)))
        done = end
    pieces.append(even[done:])
    at.extend(range(done, len(even) + 1))
    return Normal("".join(pieces), text, tuple(at), source)


def listed(words: str) -> frozenset[str]:
    """Return the set of words written with spaces between them; only a short way of writing a table."""
    return frozenset(words.split())


class Finder:
    """Finds which of many known words stand in a text, in plain Python and in one pass.

    The longest word counts: a word inside a longer known word, or overlapping one, is not reported.
    """

    __slots__ = ("_heads", "_single", "_words")

    def __init__(self, words: Iterable[str]) -> None:
        known = frozenset(word for word in words if word)
        lengths: dict[str, set[int]] = {}
        for word in known:
            if len(word) > 1:
                lengths.setdefault(word[:2], set()).add(len(word))
        self._words: Collection[str] = known
        self._heads = {head: tuple(sorted(found, reverse=True)) for head, found in lengths.items()}
        self._single = frozenset(word for word in known if len(word) == 1)

    def find(self, text: str) -> list[tuple[int, int]]:
        """Return start and end of the known words of the text, in order, none overlapping another."""
        heads, words = self._heads, self._words
        found = []
        for start in [i for i in range(len(text) - 1) if text[i : i + 2] in heads]:
            for length in heads[text[start : start + 2]]:
                end = start + length
                if text[start:end] in words and end <= len(text):
                    found.append((start, end))
                    break
        if not self._single.isdisjoint(text):
            found.extend((i, i + 1) for i, character in enumerate(text) if character in self._single)
        return _longest_first(found)


def _longest_first(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Keep of each knot of overlapping words the longest, then the longest that still fits, and so on."""
    kept: list[tuple[int, int]] = []
    knot: list[tuple[int, int]] = []
    reach = 0
    for span in sorted(found):
        if knot and span[0] >= reach:
            kept.extend(_untangle(knot))
            knot = []
        knot.append(span)
        reach = max(reach, span[1])
    kept.extend(_untangle(knot))
    return kept


def _untangle(knot: list[tuple[int, int]]) -> list[tuple[int, int]]:
    if len(knot) < 2:
        return knot
    origin = knot[0][0]
    # A page of "哈哈哈哈" is one knot of thousands: marking characters keeps the work linear.
    taken = bytearray(max(end for _, end in knot) - origin)
    kept = []
    for start, end in sorted(knot, key=lambda span: (span[0] - span[1], span[0])):
        if not any(taken[start - origin : end - origin]):
            taken[start - origin : end - origin] = b"\x01" * (end - start)
            kept.append((start, end))
    return sorted(kept)


@cache
def _characters() -> dict[int, str]:
    """Build the one-to-one character table: full width to half width, capitals to small, traditional to simplified."""
    simplify = opencc.OpenCC("t2s")
    written = [chr(code) for block in _HAN for code in range(*block)]
    # One call for all; a line each, so that no neighbouring characters are read as a phrase.
    simplified = simplify.convert("\n".join(written)).split("\n")
    table = {ord(old): new for old, new in zip(written, simplified, strict=True) if old != new and len(new) == 1}
    table |= {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    table |= {code: chr(code).lower() for code in range(ord("A"), ord("Z") + 1)}
    table |= {0xFEE0 + code: chr(code).lower() for code in range(ord("A"), ord("Z") + 1)}
    return table


_HAN = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00))  # unified, extension A, compatibility ideographs

# Spaces of all widths and invisible marks, but not the end of a line: that is a pause like a full stop.
_SPACE = r"[ \t\r\f\v\u00a0\u00ad\u1680\u2000-\u200f\u202f\u205f\u2060\u3000\ufeff]+"
# Only before a counter: names of places are full of numerals (二门得力, 六家子, 三一八) and must stay as they are.
_COUNTER = "组|号|栋|幢|单元|室|层|队|度"
_CHANGES = re.compile(rf"(?P<space>{_SPACE})|(?P<number>[〇零一二两三四五六七八九幺十百]{{1,8}})(?={_COUNTER})")
_TENS = re.compile(
    "(?:(?P<hundreds>[一二两三四五六七八九])百零?)?(?:(?P<tens>[一二三四五六七八九]?)(?P<ten>十))?(?P<ones>[一二两三四五六七八九]?)"
)
_VALUE = {numeral: value for value, numeral in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "幺": 1}


def _digits(spoken: str, *, counter: str) -> str:
    """Write a spoken number in digits; what is no plain number (七八度, 百度) stays as it is."""
    parts = _TENS.fullmatch(spoken)
    if parts is not None and not (parts["hundreds"] and parts["ones"] and not parts["ten"] and "零" not in spoken):
        hundreds, ones = _VALUE.get(parts["hundreds"] or "", 0), _VALUE.get(parts["ones"], 0)
        tens = _VALUE.get(parts["tens"] or "", 1) if parts["ten"] else 0
        return str(hundreds * 100 + tens * 10 + ones)
    if any(numeral in "十百" for numeral in spoken) or counter == "度":
        return spoken
    return "".join(str(_VALUE[numeral]) for numeral in spoken)
