"""The charter's red lines: words that decide before any model, and how they are looked for in a telling.

Read by the screening at every door (`discipline`) and by whoever sorts a telling by urgency (`critical`, `urgent`).
Pure text work: it stores nothing, logs nothing, and says which words decided so that a person can be told why.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal, get_args

from fuzhengtong.charter.bounds import Between

Kind = Literal["discipline", "critical", "urgent"]
KINDS: tuple[str, ...] = get_args(Kind)

GAP = "…"
_MASK = "□"
_ENDS = "。!?;"
# A gap stays inside one clause: 收…钱 is 收了老板的钱, not 收了,没钱.
_WITHIN = f"[^{_ENDS},{_MASK}]{{0,6}}?"
_SENTENCE_END = re.compile(f"[{_ENDS}]")


@dataclass(frozen=True, slots=True)
class Discipline:
    """What reads as a report about a person in public office: a post near a misconduct, or words that stand alone.

    A post may stand at most `distance` characters before the misconduct or `distance_back` after it, in the same
    sentence, and with none of `unless_between` between the two or just before: then another is the accused.
    """

    roles: tuple[str, ...]
    misconduct: tuple[str, ...]
    standalone: tuple[str, ...]
    unless_between: tuple[str, ...]
    distance: Annotated[int, Between(0, 60)]
    distance_back: Annotated[int, Between(0, 60)]


@dataclass(frozen=True, slots=True)
class Redlines:
    """All red lines of one edition; `harmless` is taken out of a text before anything is looked for.

    The words are in simplified characters; `traditional` holds, place by place, other forms of those in `simplified`.
    """

    critical: tuple[str, ...]
    urgent: tuple[str, ...]
    harmless: tuple[str, ...]
    discipline: Discipline
    traditional: str
    simplified: str
    source: str

    def __getitem__(self, kind: Kind) -> tuple[str, ...]:
        """Return the words of a kind that decide alone; `discipline` has pairs beside them, see `found`."""
        if kind not in KINDS:
            raise KeyError(kind)
        return self.discipline.standalone if kind == "discipline" else getattr(self, kind)

    def found(self, kind: Kind, text: str) -> tuple[str, ...]:
        """Return the words of the text that decide for this kind, in their order, each once; none: an empty tuple.

        A pair is given as the post and the misconduct joined by a gap, in the order in which they stand.
        """
        plain = _masked(_plain(text).translate(_forms(self.traditional, self.simplified)), self.harmless)
        hits = [(span, plain[span[0] : span[1]]) for span in _spans(self[kind], plain)]
        if kind == "discipline":
            hits.extend(_accusations(self.discipline, plain))
        return tuple(dict.fromkeys(words for _, words in sorted(hits)))


Span = tuple[int, int]


def _plain(text: str) -> str:
    """Fold widths and case and drop blanks and invisible characters, so that 收 钱 is 收钱."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if not char.isspace() and unicodedata.category(char) != "Cf")


def _masked(plain: str, harmless: tuple[str, ...]) -> str:
    covered = list(plain)
    for start, end in _spans(harmless, plain):
        covered[start:end] = _MASK * (end - start)
    return "".join(covered)


@lru_cache(maxsize=64)
def _forms(traditional: str, simplified: str) -> dict[int, int]:
    return str.maketrans(traditional, simplified)


@lru_cache(maxsize=256)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    # Longest first, and as a lookahead, so that overlapping words are all seen; only literals and one bounded gap,
    # so that no text can make it slow.
    longest = sorted((re.escape(_plain_word(word)) for word in words), key=len, reverse=True)
    firsts = re.escape("".join(sorted({word[:1] for word in map(_plain_word, words)})))
    return re.compile(f"(?=[{firsts}])(?=({'|'.join(longest).replace(re.escape(GAP), _WITHIN)}))")


def _plain_word(word: str) -> str:
    return GAP.join(_plain(part) for part in word.split(GAP))


def _spans(words: tuple[str, ...], plain: str) -> list[Span]:
    return [match.span(1) for match in _pattern(words).finditer(plain)] if words else []


@dataclass(frozen=True, slots=True)
class _Obstacles:
    """What parts a post from a misconduct: the ends of sentences, and words for somebody else."""

    ends: list[int]
    words: list[Span]

    def within(self, start: int, end: int) -> bool:
        """Say whether an obstacle lies wholly in the passage."""
        if bisect_left(self.ends, start) < bisect_left(self.ends, end):
            return True
        first, beyond = (bisect_left(self.words, (edge, 0)) for edge in (start, end))
        return any(word[1] <= end for word in self.words[first:beyond])

    def sentence_start(self, at: int) -> int:
        """Return where the sentence begins in which the position lies."""
        before = bisect_left(self.ends, at)
        return self.ends[before - 1] + 1 if before else 0


def _accusations(rule: Discipline, plain: str) -> Iterator[tuple[Span, str]]:
    posts = sorted(_spans(rule.roles, plain), key=lambda post: post[1])
    ends = [post[1] for post in posts]
    longest = max((end - start for start, end in posts), default=0)
    obstacles = _Obstacles([end.start() for end in _SENTENCE_END.finditer(plain)], _spans(rule.unless_between, plain))
    for misconduct in _spans(rule.misconduct, plain):
        # Only the posts within reach: a telling that repeats both words a thousand times stays quick.
        near = bisect_left(ends, misconduct[0] - rule.distance)
        beyond = bisect_right(ends, misconduct[1] + rule.distance_back + longest)
        for post in posts[near:beyond]:
            if _accuses(rule, obstacles, post, misconduct):
                first, last = sorted((post, misconduct))
                yield (first[0], last[1]), GAP.join(plain[start:end] for start, end in (first, last))


def _accuses(rule: Discipline, obstacles: _Obstacles, post: Span, misconduct: Span) -> bool:
    if post[1] <= misconduct[0] <= post[1] + rule.distance:
        return not obstacles.within(post[1], misconduct[0])
    if misconduct[1] <= post[0] <= misconduct[1] + rule.distance_back:
        # 物业收钱，村书记不管: the accused stands before the misconduct, so the words before it count as well.
        before = max(misconduct[0] - rule.distance, obstacles.sentence_start(misconduct[0]))
        return not (obstacles.within(misconduct[1], post[0]) or obstacles.within(before, misconduct[0]))
    return False
