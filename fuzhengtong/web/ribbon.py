"""The promise ribbon (承诺带): the duties of a case drawn as one line, with the same facts in words.

Views of every face call `draw` with the duties they may show, and `stack` with counted duties. Nothing here reads a
clock, a table or a setting: the instant, the zone, the working days and the language are arguments. The sentences
come from `ribbon_words`; marks, axis and drawing stay in one module, because a mark and its place change together.

How to read it: solid disc with a tick = kept; hollow ring = still owed, thick if it is the one running; solid
triangle = overdue; hollow triangle with a tick = done, but late; ring with two bars and a hatched line = paused;
broken outline = date provisional. The line is filled up to now, thicker where a duty is overdue, lighter on days of
rest.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from html import escape
from itertools import pairwise
from typing import Literal

from django.utils.safestring import SafeString, mark_safe

from fuzhengtong.web import ribbon_words as said
from fuzhengtong.web.ribbon_words import EN, WORDS, ZH, Saying, State, Tick, TickState, Words, Working

__all__ = ["EN", "WORDS", "ZH", "Ribbon", "Row", "Stack", "Tick", "Words", "draw", "legend", "stack"]

Size = Literal["s", "m", "l"]
Form = Literal["bare", "named", "numbered", "dated"]

# The shortest line a phone of 320 px can show beside its margins.
NARROWEST = 288


@dataclass(frozen=True, slots=True)
class Row:
    """One duty in words, in the order of the marks: the list under the narrow form and in print."""

    number: int
    name: str
    kind: str
    state: TickState
    text: str
    owner: str
    current: bool
    mark: SafeString


@dataclass(frozen=True, slots=True)
class Ribbon:
    """A drawn ribbon.

    `svg` carries the whole label; `narrow` is a second drawing for a phone, only where the first needs width;
    `words` is the running duty in a sentence (its name is `current.name`), `brief` the same for a list row;
    `numbered` says that a drawing calls its marks by the numbers of the rows; `listed`, that the rows must be shown at
    every width because the drawing alone does not say enough.
    """

    svg: SafeString
    narrow: SafeString
    words: str
    brief: str
    state: State
    label: str
    rows: tuple[Row, ...]
    current: Row | None
    size: Size
    form: Form
    numbered: bool
    listed: bool


@dataclass(frozen=True, slots=True)
class Stack:
    """Counted duties as one bar, with the sentence that says the same."""

    svg: SafeString
    label: str
    done: int
    running: int
    late: int

    @property
    def total(self) -> int:
        """Say of how many duties the bar speaks."""
        return self.done + self.running + self.late


# ---------------------------------------------------------------------------------------------------------------
# Marks


def _n(value: float) -> str:
    return f"{round(value, 1) + 0.0:g}"


# Paths in units of the mark's radius, around the origin.
_TRIANGLE = "M0 -1.16L1.22 0.9H-1.22z"
_TICK = "M-0.42 0.06l0.3 0.32l0.56 -0.66"
_LOW_TICK = "M-0.4 0.34l0.28 0.28l0.5 -0.6"
_BANG = "M0 -0.36v0.56M0 0.56v0.04"
_BARS = "M-0.27 -0.36v0.72M0.27 -0.36v0.72"


def _path(name: str, shape: str, r: float) -> str:
    return f'<path class="{name}" d="{re.sub("-?[0-9.]+", lambda found: _n(float(found[0]) * r), shape)}"/>'


def _mark(state: TickState, r: float, *, provisional: bool = False) -> str:
    """Draw one mark around the origin. Every state has a shape of its own, so no mark relies on its colour."""
    small = r < 5
    match state:
        case "kept":
            return f'<circle class="rb-solid" r="{_n(r)}"/>' + ("" if small else _path("rb-sign", _TICK, r))
        case "kept_late":
            return _path("rb-hollow", _TRIANGLE, r) + ("" if small else _path("rb-tick", _LOW_TICK, r))
        case "late":
            return _path("rb-solid", _TRIANGLE, r) + ("" if small else _path("rb-sign", _BANG, r))
        case "paused":
            return f'<circle class="rb-hollow" r="{_n(r - 0.8)}"/>' + ("" if small else _path("rb-tick", _BARS, r))
        case _:
            inset = (1.2 if small else 1.5) if state == "running" else 0.8
            broken = f' stroke-dasharray="{_n(r * 0.5)} {_n(r * 0.36)}"' if provisional else ""
            return f'<circle class="rb-hollow" r="{_n(r - inset)}"{broken}/>'


def _icon(state: TickState, *, provisional: bool = False) -> SafeString:
    """Draw a mark for the margin of a row; the row says the word."""
    inner = _mark(state, 8, provisional=provisional)
    return mark_safe(
        '<svg class="rb-icon" width="20" height="20" viewBox="-10 -10 20 20" aria-hidden="true" focusable="false">'
        f'<g class="rb-mark rb-{state}">{inner}</g></svg>'
    )


def legend(*, words: Words) -> tuple[tuple[SafeString, str], ...]:
    """Give every mark with its word, for the explanation beside a ribbon."""
    states: tuple[tuple[TickState, bool], ...] = (
        ("kept", False), ("running", False), ("owed", False), ("late", False),
        ("kept_late", False), ("paused", False), ("owed", True),
    )  # fmt: skip
    return tuple(
        (_icon(state, provisional=provisional), word)
        for (state, provisional), word in zip(states, words.legend, strict=True)
    )


# ---------------------------------------------------------------------------------------------------------------
# The axis


@dataclass(frozen=True, slots=True)
class _Stop:
    """A point of the axis that needs room: a mark (`tick` is its index), the now line, or the start."""

    at: datetime
    order: int
    tick: int | None
    half: float


@dataclass(frozen=True, slots=True)
class _Axis:
    stops: tuple[_Stop, ...]
    xs: tuple[float, ...]

    def x(self, at: datetime) -> float:
        """Place an instant between the stops around it, in proportion; of stops at one instant, the last counts."""
        here = max((index for index, stop in enumerate(self.stops) if stop.at <= at), default=0)
        if at <= self.stops[0].at or here == len(self.stops) - 1:
            return self.xs[here]
        left, right = self.stops[here], self.stops[here + 1]
        return self.xs[here] + (self.xs[here + 1] - self.xs[here]) * ((at - left.at) / (right.at - left.at))

    def of(self, tick: int) -> float:
        """Place the mark of a duty."""
        return next(x for stop, x in zip(self.stops, self.xs, strict=True) if stop.tick == tick)

    @property
    def now(self) -> float | None:
        """Place the now line, where there is one."""
        found = [x for stop, x in zip(self.stops, self.xs, strict=True) if stop.order == _NOW]
        return found[0] if found else None


_START, _MET, _NOW, _OPEN = 0, 1, 2, 3


def _gaps(stops: Sequence[_Stop], clear: float) -> list[float]:
    """Give the least distance from each stop to the next."""
    gaps = [clear if _NOW in (left.order, right.order) else left.half + right.half for left, right in pairwise(stops)]
    for here, stop in enumerate(stops):
        if stop.order != _NOW:
            continue
        before = stops[here - 1]
        if before.order == _START:
            gaps[here - 1] = 0.0
        if here < len(gaps):
            # The line is thin, but the names on its two sides must not touch each other.
            gaps[here] = max(clear, before.half + stops[here + 1].half - gaps[here - 1])
    return gaps


def _axis(
    *, start: datetime, now: datetime | None, ticks: Sequence[Tick], halves: Sequence[float], width: float,
    clear: float, squeeze: bool,
) -> _Axis | None:  # fmt: skip
    """Lay out the marks: least distances first, then what is left over in proportion to true time.

    Returns None when the least distances do not fit and `squeeze` is off.
    """
    stops = [
        _Stop(max(_end(tick), start), _OPEN if tick.met is None else _MET, index, halves[index])
        for index, tick in enumerate(ticks)
    ]
    if now is not None:
        stops.append(_Stop(now, _NOW, None, 1.0))
    stops.sort(key=lambda stop: (stop.at, stop.order, -1 if stop.tick is None else stop.tick))
    stops.insert(0, _Stop(start, _START, None, 0.0))
    gaps = _gaps(stops, clear)
    marks = [stop.half for stop in stops if stop.tick is not None]
    tail = max(stops[-1].half, marks[-1] - (gaps[-1] if stops[-1].order == _NOW else 0.0)) if marks else 0.0
    room, need = width - tail, sum(gaps)
    if need > room and not squeeze:
        return None
    if need > room:
        # Too many marks for this width: they keep their order and share it evenly.
        tail = min(tail, width / 4)
        room = width - tail
    factor = min(1.0, room / need) if need else 1.0
    spare = max(0.0, room - need)
    whole = (stops[-1].at - start).total_seconds()
    xs, x = [0.0], 0.0
    for gap, (left, right) in zip(gaps, pairwise(stops), strict=True):
        share = (right.at - left.at).total_seconds() / whole if whole else 1 / len(gaps)
        x += gap * factor + spare * share
        xs.append(min(x, width))
    return _Axis(tuple(stops), tuple(xs))


def _end(tick: Tick) -> datetime:
    return tick.met if tick.met is not None else tick.due


# ---------------------------------------------------------------------------------------------------------------
# Text in the drawing


def _wide(text: str, size: float) -> float:
    """Estimate the width of a text, on the generous side: names must never touch."""
    ems = 0.0
    for letter in text:
        if unicodedata.combining(letter):
            continue
        if unicodedata.east_asian_width(letter) in "WFA":
            ems += 1.0
        elif letter in " \u00a0":
            ems += 0.3
        else:
            ems += 0.72 if letter.isupper() else 0.6
    return ems * size * 1.04


# XML allows no control characters but these three; a name that was typed or imported may carry any.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _safe(text: str) -> str:
    return escape(_NOT_XML.sub("", text), quote=True)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Sizes in px of one drawing."""

    size: Size
    width: float
    text: float

    @property
    def r(self) -> float:
        return 3.5 if self.size == "s" else self.text * (0.5 if self.size == "m" else 0.62)

    @property
    def bar(self) -> float:
        return 4.0 if self.size == "s" else max(6.0, self.text * (0.42 if self.size == "m" else 0.55))

    @property
    def clear(self) -> float:
        """The distance a mark keeps from the now line."""
        return 5.0 if self.size == "s" else self.r + 6


@dataclass(frozen=True, slots=True)
class _Picture:
    """One laid-out drawing: how its marks are called, and where everything stands."""

    form: Form
    axis: _Axis
    scale: _Scale

    def pc(self, x: float) -> str:
        # Percentages let one drawing stretch with its column while text and marks keep their size.
        return f"{max(0.0, min(100.0, 100 * x / self.scale.width)):.2f}%"


def _lines(tick: Tick, state: TickState, saying: Saying) -> tuple[str, str]:
    """Write the two lines under a mark of the dated form: the day, and the hour with one word."""
    words = saying.words
    local = (tick.met or tick.due).astimezone(saying.zone)
    day, clock = (local.date(), f"{local:%H:%M}") if tick.met else said.shown(tick.due, saying.zone)
    template = {
        "kept": words.done_at, "kept_late": words.late_at, "late": words.overdue_at, "paused": words.paused,
    }.get(state, words.due_at)  # fmt: skip
    date_line = said.date_of(day, saying) + (words.provisional if tick.provisional and tick.met is None else "")
    return ("", words.paused) if state == "paused" else (date_line, template.format(time=clock))


def _picture(
    *, scale: _Scale, start: datetime, now: datetime | None, ticks: Sequence[Tick], states: Sequence[TickState],
    numbers: Sequence[int], saying: Saying,
) -> _Picture:  # fmt: skip
    """Choose the fullest form that is still legible at this width: dates, else names, else numbers."""

    def axis(halves: Sequence[float], *, squeeze: bool = False) -> _Axis | None:
        return _axis(
            start=start, now=now, ticks=ticks, halves=[max(half, scale.r) + 4 for half in halves],
            width=scale.width, clear=scale.clear, squeeze=squeeze,
        )  # fmt: skip

    names = [_wide(tick.name, scale.text) / 2 for tick in ticks]
    bare = [scale.r] * len(ticks)
    if scale.size == "s":
        small = _axis(
            start=start, now=now, ticks=ticks, halves=[4.5] * len(ticks), width=scale.width, clear=scale.clear,
            squeeze=True,
        )  # fmt: skip
        return _Picture("bare", _sure(small), scale)
    if scale.size == "l":
        dated = [
            max([name, *(_wide(line, scale.text) / 2 for line in _lines(tick, state, saying))])
            for name, tick, state in zip(names, ticks, states, strict=True)
        ]
        # Dates under the marks are worth it only when they leave the line room to show time.
        found = axis(dated) if scale.width >= 560 else None
        if found:
            return _Picture("dated", found, scale)
    found = axis(names)
    if found:
        return _Picture("named", found, scale)
    if scale.size == "m":
        return _Picture("named", _sure(axis(bare, squeeze=True)), scale)
    digits = [_wide(str(number), scale.text) / 2 for number in numbers]
    return _Picture("numbered", _sure(axis(digits, squeeze=True)), scale)


def _sure(axis: _Axis | None) -> _Axis:
    assert axis is not None, "a squeezed axis always fits"
    return axis


# ---------------------------------------------------------------------------------------------------------------
# The drawing


def _line(
    picture: _Picture, *, y: float, start: datetime, now: datetime, ticks: Sequence[Tick],
    states: Sequence[TickState], closed: Sequence[tuple[datetime, datetime]], running: bool,
) -> list[str]:  # fmt: skip
    """Draw the line itself: what is to come, kept, running, overdue, closed and paused, in that order."""
    axis, bar, pc = picture.axis, picture.scale.bar, picture.pc
    end = axis.stops[-1].at
    parts: list[str] = []

    def piece(left: datetime, right: datetime, name: str, *, thick: float = 0.0) -> None:
        a, b = axis.x(max(left, start)), axis.x(min(right, end))
        if b > a:
            parts.append(
                f'<rect class="rb-{name}" x="{pc(a)}" y="{_n(y - bar / 2 - thick)}" '
                f'width="{pc(b - a)}" height="{_n(bar + 2 * thick)}"/>'
            )

    piece(start, end, "track")
    met = [tick.met for tick in ticks if tick.met is not None]
    last = max([start, *met])
    piece(start, last, "line-kept")
    if running:
        piece(last, min(now, end), "line-now")
    overdue = 1.0 if picture.scale.size == "s" else 1.5
    for tick, state in zip(ticks, states, strict=True):
        if state == "late":
            piece(tick.due, now, "line-late", thick=overdue)
        elif state == "kept_late":
            piece(tick.due, tick.met or now, "line-late", thick=overdue)
    for left, right in closed:
        piece(left, right, "closed", thick=overdue)
    for tick, state in zip(ticks, states, strict=True):
        if state == "paused" and tick.paused_from is not None:
            piece(tick.paused_from, now, "pause", thick=overdue)
            a, b = axis.x(max(tick.paused_from, start)), axis.x(min(now, end))
            if b > a:
                # A dashed stroke, sheared around its own axis: hatching without a pattern, so without an id.
                parts.append(
                    f'<svg class="rb-hatch" y="{_n(y)}" overflow="visible"><line x1="{pc(a)}" x2="{pc(b)}" '
                    f'stroke-width="{_n(bar + 2 * overdue)}" stroke-dasharray="2.5 2.5" transform="skewX(-35)"/></svg>'
                )
    return parts


def _labels(
    picture: _Picture, *, y: float, order: Sequence[int], ticks: Sequence[Tick], shown: Sequence[TickState],
    numbers: Sequence[int], saying: Saying,
) -> tuple[list[str], float]:  # fmt: skip
    """Write the names, numbers or dates of the marks and say how high the drawing became."""
    scale, axis = picture.scale, picture.axis
    size, low = scale.text, y + scale.r
    parts: list[str] = []

    def write(index: int, text: str, base: float, kind: str = "") -> None:
        x = axis.of(index)
        half = _wide(text, size) / 2
        shift = max(0.0, half - x) - max(0.0, x + half - scale.width)
        dx = f' dx="{_n(shift)}"' if abs(shift) >= 0.05 else ""
        parts.append(
            f'<text class="rb-text{kind} rb-{shown[index]}" x="{picture.pc(x)}"{dx} y="{_n(base)}">{_safe(text)}</text>'
        )

    if picture.form == "bare":
        return parts, 14.0
    if picture.form == "dated":
        for index in order:
            day, hour = _lines(ticks[index], shown[index], saying)
            write(index, ticks[index].name, size)
            write(index, day or hour, low + size * 1.45, " rb-day" if day else "")
            if day:
                write(index, hour, low + size * 2.8, " rb-hour")
        return parts, low + size * 3.2
    base = low + size * 1.3
    if picture.form == "numbered":
        for index in _fitting(order, [str(number) for number in numbers], shown, picture):
            write(index, str(numbers[index]), base)
    else:
        for index in _fitting(order, [tick.name for tick in ticks], shown, picture):
            write(index, ticks[index].name, base)
    return parts, base + size * 0.45


def _fitting(order: Sequence[int], texts: Sequence[str], shown: Sequence[TickState], picture: _Picture) -> list[int]:
    """Choose the texts that can stand without touching: the late first, then the running, the last, the rest."""
    worth = {"late": 0, "running": 1, "paused": 1}
    ranked = sorted(order, key=lambda index: (worth.get(shown[index], 3 - (index == order[-1])), order.index(index)))
    size, width = picture.scale.text, picture.scale.width
    taken: list[tuple[float, float]] = []
    chosen: list[int] = []
    for index in ranked:
        wide = _wide(texts[index], size)
        left = max(0.0, min(width - wide, picture.axis.of(index) - wide / 2))
        if wide <= width and all(left >= b + 3 or left + wide <= a - 3 for a, b in taken):
            taken.append((left, left + wide))
            chosen.append(index)
    return sorted(chosen, key=order.index)


def _svg(
    picture: _Picture, *, start: datetime, now: datetime, ticks: Sequence[Tick], states: Sequence[TickState],
    shown: Sequence[TickState], order: Sequence[int], numbers: Sequence[int],
    closed: Sequence[tuple[datetime, datetime]], saying: Saying, running: bool, label: str, name: str,
) -> SafeString:  # fmt: skip
    scale = picture.scale
    above = scale.text * 1.5 if picture.form == "dated" else 0.0
    y = 7.0 if scale.size == "s" else above + scale.r * 1.2 + 3
    labels, height = _labels(picture, y=y, order=order, ticks=ticks, shown=shown, numbers=numbers, saying=saying)
    parts = _line(picture, y=y, start=start, now=now, ticks=ticks, states=states, closed=closed, running=running)
    if picture.axis.now is not None:
        x, reach = picture.pc(picture.axis.now), 6.0 if scale.size == "s" else scale.r + 3
        parts.append(f'<line class="rb-now" x1="{x}" x2="{x}" y1="{_n(y - reach)}" y2="{_n(y + reach)}"/>')
    for index in order:
        inner = _mark(shown[index], scale.r, provisional=ticks[index].provisional)
        parts.append(
            f'<svg class="rb-mark rb-{shown[index]}" x="{picture.pc(picture.axis.of(index))}" y="{_n(y)}" '
            f'overflow="visible">{inner}</svg>'
        )
    if labels:
        parts.append(f'<g font-size="{_n(scale.text)}" text-anchor="middle">{"".join(labels)}</g>')
    width = _n(scale.width) if scale.size == "s" else "100%"
    return mark_safe(
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{name}" role="img" aria-label="{_safe(label)}" '
        f'width="{width}" height="{_n(height)}">{"".join(parts)}</svg>'
    )


# ---------------------------------------------------------------------------------------------------------------
# The two public drawings


def draw(
    *, start: datetime, now: datetime, ticks: Sequence[Tick], closed_days: Sequence[tuple[datetime, datetime]],
    size: Size, width: int, words: Words, zone: tzinfo, is_working: Working, ended: bool = False, text: int = 14,
) -> Ribbon:  # fmt: skip
    """Draw the duties of a case from the moment of telling to the last promise.

    `width` is the narrowest column in px that will show it: distances are guaranteed there, and the drawing stretches
    in anything wider (size s keeps its width). `text` is the size of its words in px (20 in elder mode).
    `closed_days` are the spans drawn lighter; `is_working` counts the working days. `ended` drops the now line.
    Refuses naive instants, a width or text of nothing, an unknown size and a closed span that does not run forward.
    """
    _check(start, now, ticks, closed_days, size, width, text)
    saying = Saying(now, zone, is_working, words)
    order = sorted(
        range(len(ticks)), key=lambda index: (max(_end(ticks[index]), start), ticks[index].met is None, index)
    )
    numbers = [order.index(index) + 1 for index in range(len(ticks))]
    current = said.current(ticks, now)
    states = [said.state_of(tick, now) for tick in ticks]
    shown: list[TickState] = [
        "running" if index == current and state == "owed" else state for index, state in enumerate(states)
    ]
    rows = tuple(
        Row(
            number=numbers[index], name=ticks[index].name, kind=ticks[index].kind, state=shown[index],
            text=said.row_text(ticks[index], index == current, saying), owner=ticks[index].owner,
            current=index == current, mark=_icon(shown[index], provisional=ticks[index].provisional),
        )
        for index in order
    )  # fmt: skip
    label = _label(rows, words)
    running = current is not None and not ended
    # A page may be drawn in the same second as the saying, by a clock that runs a little behind.
    seen = max(now, start)
    at_now = seen if running else None

    def picture_at(wide: int) -> _Picture:
        return _picture(
            scale=_Scale(size, float(wide), float(text)), start=start, now=at_now, ticks=ticks, states=shown,
            numbers=numbers, saying=saying,
        )  # fmt: skip

    def svg_of(picture: _Picture, name: str) -> SafeString:
        return _svg(
            picture, start=start, now=seen, ticks=ticks, states=states, shown=shown, order=order,
            numbers=numbers, closed=_merged(closed_days), saying=saying, running=running, label=label, name=name,
        )  # fmt: skip

    picture = picture_at(width)
    needs_narrow = size == "l" and width > NARROWEST and (picture.form == "dated" or width > 480)
    narrow = picture_at(NARROWEST) if needs_narrow else None
    return Ribbon(
        svg=svg_of(picture, "rb rb-wide" if narrow else "rb"),
        narrow=svg_of(narrow, "rb rb-narrow") if narrow else mark_safe(""),
        words=_all_words(ticks, current, saying),
        brief=said.brief(ticks[current], saying) if current is not None else _all_words(ticks, current, saying),
        state=said.whole_state(ticks, current, saying),
        label=label,
        rows=rows,
        current=next((row for row in rows if row.current), None),
        size=size,
        form=picture.form,
        numbered="numbered" in (picture.form, narrow.form if narrow else ""),
        listed=size == "l" and picture.form != "dated",
    )


def _all_words(ticks: Sequence[Tick], current: int | None, saying: Saying) -> str:
    if current is not None:
        return said.sentence(ticks[current], saying)
    late = sum(said.state_of(tick, saying.now) == "kept_late" for tick in ticks)
    if late:
        return said.count(saying.words.some_late, late)
    return saying.words.all_kept if ticks else saying.words.nothing


def _label(rows: Iterable[Row], words: Words) -> str:
    """Say every duty: its name, where it stands, and who owes it while it is owed."""
    sentences = [
        f"{row.name} {row.text}"
        # An overdue sentence already names the owner.
        + (said.fill(words.owner, owner=row.owner) if row.owner and row.state in ("running", "owed", "paused") else "")
        for row in rows
    ]
    return words.name + (words.between.join(sentences) or words.nothing) + words.end


def _merged(spans: Sequence[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Join spans that touch: two veils over one day would make it lighter than its neighbours."""
    merged: list[tuple[datetime, datetime]] = []
    for left, right in sorted(spans):
        if merged and left <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], right))
        else:
            merged.append((left, right))
    return merged


def _check(
    start: datetime, now: datetime, ticks: Sequence[Tick], closed_days: Sequence[tuple[datetime, datetime]],
    size: str, width: int, text: int,
) -> None:  # fmt: skip
    instants = [start, now]
    for tick in ticks:
        instants += [at for at in (tick.due, tick.met, tick.paused_from) if at is not None]
    for left, right in closed_days:
        instants += [left, right]
        if right <= left:
            raise ValueError("a closed span must end after it begins")
    if any(at.tzinfo is None or at.utcoffset() is None for at in instants):
        raise ValueError("the ribbon takes aware instants only")
    if size not in ("s", "m", "l"):
        raise ValueError(f"unknown size {size!r}")
    if width < 1 or text < 1:
        raise ValueError("a drawing needs a width and a text size")


def stack(
    *, done: int, running: int, late: int, words: Words, title: str = "", width: int = 360, height: int = 14
) -> Stack:
    """Draw counted duties as one bar: done, running, late; the late part stands taller than the rest.

    A part that is not empty is never thinner than 4 px of `width`. Refuses negative counts.
    """
    if min(done, running, late) < 0:
        raise ValueError("a count cannot be negative")
    total = done + running + late
    label = words.stack.format(title=f"{title} " if title else "", total=total, done=done, running=running, late=late)
    parts: list[str] = []
    counts = [(name, number) for name, number in (("done", done), ("running", running), ("late", late)) if number]
    floor = 400 / width
    free = max(0.0, 100 - floor * len(counts))
    x = 0.0
    for name, number in counts:
        wide = floor + free * number / total
        inset = 0 if name == "late" else 2
        gap = 200 / width if x + wide < 99.99 else 0.0
        parts.append(
            f'<rect class="rb-stack-{name}" x="{x:.2f}%" y="{inset}" width="{max(0.1, wide - gap):.2f}%" '
            f'height="{height - 2 * inset}"/>'
        )
        x += wide
    if not counts:
        parts.append(f'<rect class="rb-track" width="100%" y="2" height="{height - 4}"/>')
    svg = mark_safe(
        f'<svg xmlns="http://www.w3.org/2000/svg" class="rb rb-stack" role="img" aria-label="{_safe(label)}" '
        f'width="100%" height="{height}">{"".join(parts)}</svg>'
    )
    return Stack(svg=svg, label=label, done=done, running=running, late=late)
