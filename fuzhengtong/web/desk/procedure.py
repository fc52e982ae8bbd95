"""The procedure as the staff reads it: the diagram of states and the tables, made from the catalogue of steps.

Nobody writes these pages: what stands here is what the buttons, the refusals and the ledger obey.
"""

from __future__ import annotations

from collections import defaultdict
from html import escape

from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import world
from fuzhengtong.procedure import documents
from fuzhengtong.web.desk import frame
from fuzhengtong.web.desk.gate import desk_page
from fuzhengtong.web.moment import language_of

BOX, GAP, HIGH, ROW, EDGE = 124, 34, 46, 100, 72
MANY = 4


def diagram(manual: documents.Manual) -> SafeString:
    """Draw the states: the usual way in one line, side ways above, ends below; every arrow with its step."""
    rows = {row.state.code: row for row in manual.states if not row.waits_for}
    main: list[str] = [state.value for state in documents.MAIN_PATH if state.value in rows]
    column: dict[str, int] = {code: index for index, code in enumerate(main)}
    line: dict[str, int] = {code: 1 for code in main}
    for code, row in rows.items():
        if code in column:
            continue
        linked = [column[a.before] for a in manual.arrows if a.after == code and a.before in main]
        column[code] = min(linked, default=0)
        line[code] = 2 if row.is_final else 0
    width = 2 * EDGE + len(main) * (BOX + GAP) - GAP
    height = 2 * ROW + HIGH + 44

    def middle(code: str) -> tuple[float, float]:
        return EDGE + column[code] * (BOX + GAP) + BOX / 2, 20 + line[code] * ROW + HIGH / 2

    parts = [_arrow_head()]
    joined: dict[tuple[str, str], list[str]] = defaultdict(list)
    for arrow in manual.arrows:
        if arrow.before in rows and arrow.after in rows:
            joined[arrow.before, arrow.after].append(arrow.step.name)
    into: dict[str, int] = defaultdict(int)
    for _before, after in joined:
        into[after] += 1
    for (before, after), steps in joined.items():
        if into[after] > MANY and line[after] == 2:
            continue
        parts.append(_arrow(middle(before), middle(after), steps, line[before] == line[after] == 1))
    for code in rows:
        if into[code] > MANY and line[code] == 2:
            names = [step for (_b, after), steps in joined.items() if after == code for step in steps]
            x, y = middle(code)
            words = _("、").join(dict.fromkeys(names)) + _("（") + _("没走完时都可以") + _("）")
            parts.append(_text(x + BOX / 2 + 10, y + 20, words, anchor="start"))
    parts += [_box(middle(code), row) for code, row in rows.items()]
    label = escape(_("状态图：") + " → ".join(rows[code].state.name for code in main), quote=True)
    return mark_safe(  # noqa: S308 - our own words, escaped
        f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="{label}" '
        f'font-size="13">{"".join(parts)}</svg>'
    )


def _arrow_head() -> str:
    return (
        '<defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8Z" fill="currentColor"/></marker></defs>'
    )


def _text(x: float, y: float, words: str, *, anchor: str = "middle", weight: int = 400, most: int = 0) -> str:
    """Write words; with `most`, squeezed into so many px where they would be wider."""
    wide = sum(7.4 if letter.isascii() else 13 for letter in words)
    fit = f' textLength="{most}" lengthAdjust="spacingAndGlyphs"' if most and wide > most else ""
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-weight="{weight}" fill="currentColor"{fit}>'
        f"{escape(words)}</text>"
    )


def _box(at: tuple[float, float], row: documents.StateRow) -> str:
    x, y = at[0] - BOX / 2, at[1] - HIGH / 2
    stroke = 2 if row.on_main_path else 1
    ends = (
        f'<rect x="{x + 3}" y="{y + 3}" width="{BOX - 6}" height="{HIGH - 6}" rx="4" fill="none" '
        f'stroke="currentColor" stroke-opacity="0.5"/>'
    )
    owes = _("、").join(word.name for word in row.owes)
    most = 19 if owes.isascii() else 9
    short = owes if len(owes) <= most else owes[: most - 1] + "…"
    return (
        f'<g><rect x="{x}" y="{y}" width="{BOX}" height="{HIGH}" rx="6" fill="none" stroke="currentColor" '
        f'stroke-width="{stroke}"/>'
        + (ends if row.is_final else "")
        + _text(at[0], at[1] + (5 if not owes else -3), row.state.name, weight=600, most=BOX - 12)
        + (_text(at[0], at[1] + 15, short, most=BOX - 12) if owes else "")
        + "</g>"
    )


def _arrow(before: tuple[float, float], after: tuple[float, float], steps: list[str], on_main: bool) -> str:
    (x1, y1), (x2, y2) = before, after
    half, high = BOX / 2, HIGH / 2
    said = [_("、").join(steps)]
    if on_main and x2 > x1:
        path, at, anchor = f"M{x1 + half} {y1}H{x2 - half - 2}", ((x1 + x2) / 2, y1 - 28), "middle"
    elif on_main:
        low = y1 + high + 22
        path = f"M{x1} {y1 + high}V{low}H{x2}V{y2 + high + 2}"
        at, anchor = ((x1 + x2) / 2, low + 15), "middle"
    elif abs(x1 - x2) < 1:
        up = y2 < y1
        x = x1 + (-24 if up else 24)
        path = f"M{x} {y1 - high if up else y1 + high}V{y2 + high + 2 if up else y2 - high - 2}"
        # Beside a short arrow there is no room for a long line: one step below the other.
        said = steps
        at, anchor = (x + (-6 if up else 6), (y1 + y2) / 2 + 4 - 7 * len(said)), "end" if up else "start"
    elif y2 < y1 and y1 > 20 + ROW + high:
        # From an end below the line: along its own row, and up where the line is free.
        path = f"M{x1 + (half if x2 > x1 else -half)} {y1}H{x2}V{y2 + high + 2}"
        at, anchor = (x2 - 8, y1 - 8), "end"
    elif y2 < y1:
        path = f"M{x1} {y1 - high}V{y2}H{x2 + (half if x1 > x2 else -half) + 2}"
        at, anchor = (x1 + 6, (y1 + y2) / 2 + 5), "start"
    else:
        path = f"M{x1 + (half if x2 > x1 else -half)} {y1}H{x2}V{y2 - high - 2}"
        at, anchor = ((x1 + x2) / 2 + (half if x2 > x1 else -half) / 2, y1 - 6), "middle"
    weight = 2 if on_main and x2 > x1 else 1
    return (
        f'<path d="{path}" fill="none" stroke="currentColor" stroke-width="{weight}" marker-end="url(#to)"/>'
        + "".join(_text(at[0], at[1] + 14 * n, words, anchor=anchor) for n, words in enumerate(said))
    )


@desk_page()
def procedure(request: HttpRequest, moment: Moment) -> HttpResponse:
    """GET /desk/procedure/: states, steps, who may, duties, notices, in the edition in force."""
    lang = language_of(request)
    manual = documents.manual(texts=world.texts(), charter=moment.charter, lang=lang)
    conditions: list[tuple[str, ...]] = []

    def mark(cell: documents.Cell) -> str:
        if not cell.is_allowed:
            return ""
        if not cell.conditions:
            return "●"
        found = []
        for words in cell.conditions:
            said = tuple(word.name for word in words)
            if said not in conditions:
                conditions.append(said)
            found.append(str(conditions.index(said) + 1))
        return ", ".join(found)

    def matrix(rows: tuple[documents.MatrixRow, ...]) -> list[tuple[str, list[str]]]:
        return [(row.word.name, [mark(cell) for cell in row.cells]) for row in rows]

    context = {
        "manual": manual,
        "diagram": diagram(manual),
        "matrix": matrix(manual.matrix),
        "permits": matrix(manual.permits),
        "conditions": conditions,
        "built": [row for row in manual.states if not row.waits_for],
        "title": moment.charter.title,
    }
    return frame.page(request, moment, "procedure.html", "desk-procedure", context)
