"""What a telling is about: the words of the category tree, weighed.

The baseline reader behind `rules.propose`, to be replaced by a trained one with the same answer. Called with the
categories in force that the caller has read; names of places are left out by the caller's intervals. Deterministic,
and modest: what it is not sure of says so, and a person decides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fuzhengtong.dispatch import normal


@dataclass(frozen=True, slots=True)
class Category:
    """One second-level category as the reader needs it; lane and urgency are the codes of the directory."""

    code: str
    name: str
    lane: str
    urgency: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CategoryFound:
    """What the telling is about (`code` None: nothing recognised), and the runner-up.

    `confidence` is 0 to 1 and grows with the margin over the second; `second_confidence` is the runner-up by the same
    measure, and never above it. `lane` and `urgency` are the category's own.
    """

    code: str | None
    confidence: float = 0.0
    second: str | None = None
    second_confidence: float | None = None
    lane: str = "ordinary"
    urgency: str = "ordinary"
    reasons: tuple[normal.Reason, ...] = ()


class Lexicon:
    """The words of all categories with their weights; immutable once built."""

    __slots__ = ("_categories", "_finder", "_order", "_pairs", "_words")

    def __init__(
        self,
        categories: dict[str, Category],
        words: dict[str, tuple[tuple[str, float], ...]],
        pairs: dict[str, tuple[tuple[str, float], ...]],
    ) -> None:
        self._categories = categories
        self._order = {code: place for place, code in enumerate(sorted(categories))}
        self._words = words
        self._pairs = pairs
        self._finder = normal.Finder(words)

    @classmethod
    def build(cls, categories: Iterable[Category]) -> Lexicon:
        """Weigh the words of the categories: long ones more, shared ones less, single characters next to nothing."""
        rows = {category.code: category for category in categories}
        words: dict[str, dict[str, float]] = {}
        pairs: dict[str, dict[str, float]] = {}
        for code in sorted(rows):
            for word, weight in _words_of(rows[code]):
                known = words.setdefault(word, {})
                known[code] = max(weight, known.get(code, 0.0))
                for pair in _pairs_of(word) if len(word) > 2 else ():
                    pairs.setdefault(pair, {})[code] = _PAIR
        return cls(rows, _shared(words), _shared(pairs))

    def classify(self, text: normal.Normal, *, names: Sequence[tuple[int, int]] = ()) -> CategoryFound:
        """Find the category of a text; `names` are intervals that are names of places and say nothing of the matter.

        Greetings, thanks at the end and words that are denied (不是投诉物业) do not count.
        """
        told = _COURTESY.sub(lambda said: normal.BLANK * len(said[0]), text.without(names))
        scores: dict[str, float] = {}
        found: dict[str, list[tuple[int, int]]] = {}
        spans = self._finder.find(told)
        seen: dict[str, int] = {}
        for start, end in spans:
            word = told[start:end]
            if _DENIED.search(told[max(0, start - 5) : start]):
                continue
            seen[word] = seen.get(word, 0) + 1
            for code, weight in self._words[word]:
                # Saying it again adds little: a long story repeats its nouns.
                scores[code] = scores.get(code, 0.0) + weight / seen[word] ** 2
                found.setdefault(code, []).append((start, end))
        rest = normal.Normal(told, "", ()).without(spans)
        for pair in sorted({rest[i : i + 2] for i in range(len(rest) - 1)} & self._pairs.keys()):
            for code, weight in self._pairs[pair]:
                scores[code] = scores.get(code, 0.0) + weight
        return self._answer(text, scores, found)

    def _answer(
        self, text: normal.Normal, scores: dict[str, float], found: dict[str, list[tuple[int, int]]]
    ) -> CategoryFound:
        ranked = sorted(scores, key=lambda code: (-scores[code], self._order[code]))[:2]
        if not ranked or scores[ranked[0]] < _FLOOR:
            return CategoryFound(None, reasons=(normal.Reason("category_none"),))
        best = self._categories[ranked[0]]
        second = ranked[1] if len(ranked) > 1 else None
        top, next_best = scores[best.code], scores[second] if second is not None else 0.0
        words = tuple(text.word(start, end) for start, end in found.get(best.code, ()))
        return CategoryFound(
            best.code,
            _confidence(top, next_best, top, len(text.text)),
            second,
            None if second is None else _confidence(next_best, top, top, len(text.text)),
            best.lane,
            best.urgency,
            (normal.Reason("category_words", words, {"code": best.code, "name": best.name}),),
        )


def _confidence(own: float, other: float, top: float, length: int) -> float:
    """Turn a score and its margin over the other, as a part of the best of the two, into 0 to 1.

    Measured on public tellings of another city (long ones, mapped to 7 tops): 69 % right from 0.5, 80 % from 0.7.
    """
    needed = _SCALE * (1 + length / _LONG)  # a long story holds words of many matters by chance
    return round((1 - math.exp(-own / needed)) * (0.5 + 0.5 * (own - other) / top), 3)


def _words_of(category: Category) -> Iterator[tuple[str, float]]:
    for word in category.words:
        plain = normal.normalise(word).text
        vague = plain in _SAID_OF_ANYTHING or not plain.isalnum()  # "。。。" stands in any telling
        yield plain, _WEIGHT[min(len(plain), len(_WEIGHT) - 1)] * (_VAGUE if vague else 1)
    for part in _NAME_PARTS.split(category.name):
        plain = normal.normalise(part).text
        if len(plain) > 1:
            yield plain, _NAME * _WEIGHT[min(len(plain), len(_WEIGHT) - 1)]


def _pairs_of(word: str) -> Iterator[str]:
    return (word[i : i + 2] for i in range(len(word) - 1))


def _shared(weights: dict[str, dict[str, float]]) -> dict[str, tuple[tuple[str, float], ...]]:
    return {
        word: tuple((code, weight / len(codes) ** _SHARING) for code, weight in codes.items())
        for word, codes in weights.items()
        if word
    }


_WEIGHT = (0.0, 0.1, 1.0, 1.7, 2.3, 2.8)  # by length of the word
_NAME = 0.8
_PAIR = 0.25
_VAGUE = 0.3
# What tellers say about any matter: it decides only where nothing else is said.
_SAID_OF_ANYTHING = normal.listed(
    """
    建议 意见 应该 希望增设 能不能考虑 咨询 怎么办 流程 其他 不作为 推诿 踢皮球 没人管 没解决 不满意 糊弄 进度 催 补充
    啥时候 项目 移动 网络 曝光 证明 登记 收费 质量 态度 事故 安全隐患 赔偿 老人 处罚 测试
    """
)
_SHARING = 0.8
_FLOOR = 0.5
_SCALE = 1.5
_LONG = 400
_NAME_PARTS = re.compile(r"[与和及、/()]")
_DENIED = re.compile(r"(?:(?<!是)不是|并非|不属于|不涉及|没有涉及|不要求|除了)(?:要|来|说|因为|投诉|反映)?\Z")
_COURTESY = re.compile(
    "尊敬的[^,。:!\n]{0,12}|[领导同志们各位]{2,6}[您你]们?好|[您你]好|请问|麻烦[您你]?|打扰了"
    "|(?:非常|万分|十分|不胜|再次|表示|深表|先){0,3}(?:感谢|谢谢|感激)(?:不尽|万分)?(?=[了啦您你领政党各大!。,~]|$|\n)(?:了|啦|您|你们|领导|政府|大家|各位){0,4}"
)
