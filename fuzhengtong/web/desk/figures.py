"""The figures of a viewer's area: every rate with both of its numbers, its unit, its month and its formula.

Those who could not be reached stand apart and are no part of a rate; what is still open stays in the denominator.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.charter.moment import Moment
from fuzhengtong.kernel import typed
from fuzhengtong.reporting import queries as reporting_queries
from fuzhengtong.reporting.rules import Figure
from fuzhengtong.web.desk import forms, frame, inbox, names
from fuzhengtong.web.desk.gate import desk_page

# In the order of the page; the closing rate that the charter does not mean is left out.
ORDER = ("on_time", "solved", "satisfied", "acceptance", "response", "finished", "closed")
ASIDE = ("received", "declined", "withdrawn", "redone", "unreachable")
BAR_WIDTH = 140


@dataclass(frozen=True, slots=True)
class Rate:
    """One figure in words and numbers."""

    key: str
    name: str
    percent: str
    parts: str
    unit: str
    interval: str
    formula: str
    anchor: str
    bar: SafeString


@dataclass(frozen=True, slots=True)
class Line:
    """One area or one group of categories."""

    name: str
    href: str
    received: int
    unreachable: int
    rates: tuple[Rate, ...]


def _plain(number: float) -> str:
    return f"{number:,.1f}".removesuffix(".0")


def percent(share: float | None) -> str:
    """Say a share in percent with two decimals; a dash where nothing was counted."""
    return "—" if share is None else f"{100 * share:.2f}%"


def bar(figure: Figure) -> SafeString:
    """Draw a share as a dot on a line from 0 to 100 percent, with its interval where it is a sample."""
    if figure.rate is None:
        return mark_safe("")

    def x(share: float) -> float:
        return round(4 + (BAR_WIDTH - 8) * share, 1)

    parts = [f'<line x1="4" x2="{BAR_WIDTH - 4}" y1="8" y2="8" stroke="currentColor" stroke-opacity="0.25"/>']
    if figure.interval is not None:
        low, high = x(figure.interval.low), x(figure.interval.high)
        parts.append(f'<line x1="{low}" x2="{high}" y1="8" y2="8" stroke="currentColor" stroke-width="3"/>')
    parts.append(f'<circle cx="{x(figure.rate)}" cy="8" r="4" fill="currentColor"/>')
    # Only numbers of our own go in.
    return mark_safe(  # noqa: S308
        f'<svg width="{BAR_WIDTH}" height="16" viewBox="0 0 {BAR_WIDTH} 16" aria-hidden="true" focusable="false">'
        f"{''.join(parts)}</svg>"
    )


def _rate(request: HttpRequest, figure: Figure) -> Rate:
    interval = ""
    if figure.interval is not None:
        interval = f"{100 * figure.interval.low:.1f}–{100 * figure.interval.high:.1f}%"
    return Rate(
        key=figure.key,
        name=frame.say(request, f"figure.{figure.key}.name"),
        percent=percent(figure.rate),
        parts=f"{_plain(figure.numerator)} ÷ {figure.denominator:,}",
        unit=frame.say(request, f"figure_unit.{figure.unit}"),
        interval=interval,
        formula=frame.say(request, figure.formula),
        anchor=frame.say(request, f"figure_anchor.{figure.anchor}"),
        bar=bar(figure),
    )


def _month(text: str, default: int) -> int:
    """Read '2026-11' as 202611; a month of another century than these two is none."""
    try:
        day = date.fromisoformat(f"{text}-01")
    except ValueError:
        return default
    return day.year * 100 + day.month if day.year in forms.YEARS else default


def _shown_month(month: int) -> str:
    return f"{month // 100:04}-{month % 100:02}"


def _line(request: HttpRequest, line: reporting_queries.Line, *, name: str, href: str = "") -> Line:
    return Line(
        name=name,
        href=href,
        received=line.counts["received"],
        unreachable=line.counts["unreachable"],
        rates=tuple(_rate(request, line.figure(key)) for key in ("on_time", "solved", "satisfied")),
    )


@desk_page("see_figures")
def figures(request: HttpRequest, moment: Moment) -> HttpResponse:
    """GET /desk/figures/: the figures of some months, of the viewer's area or one below it."""
    today = moment.charter.clock.local(moment.at).date()
    this_month = today.year * 100 + today.month
    since = _month(request.GET.get("since", ""), this_month)
    until = _month(request.GET.get("until", ""), max(since, this_month))
    since, until = min(since, until), max(since, until)
    asked = request.GET.get("area", "")
    area = typed.number(asked)
    found = reporting_queries.figures(viewer=moment.by, since=since, until=until, area=area, charter=moment.charter)
    if found is None:
        raise cases_actions.NotFound
    months = {"since": _shown_month(since), "until": _shown_month(until)}
    places = [int(line.key) for line in found.by_area if line.key.isdigit()]
    names.areas([*places, found.area_id], moment.at)
    roots: dict[str, str] = {}
    for row in names.categories(moment.at).values():
        roots.setdefault(row.root, row.level1)
    by_area = [
        _line(
            request,
            line,
            name=names.area_name(int(line.key), moment.at) if line.key.isdigit() else _("还没有定地点"),
            href=inbox.address("desk-figures", area=line.key, **months)
            if line.key.isdigit() and int(line.key) != found.area_id
            else "",
        )
        for line in found.by_area
    ]
    closing = found.closing
    rates = [
        _rate(request, found.total.figure(key)) for key in ORDER if key not in ("finished", "closed") or key == closing
    ]
    context = {
        "place": names.area_name(found.area_id, moment.at),
        "whole": inbox.address("desk-figures", **months) if area is not None else "",
        "area": asked,
        "rates": rates,
        "aside": [(frame.say(request, f"measure.{key}"), found.total.counts[key]) for key in ASIDE],
        "by_area": by_area,
        "by_root": [_line(request, line, name=roots.get(line.key) or _("还没有分类")) for line in found.by_root],
        "total": _line(request, found.total, name=_("合计")),
        "so_far": _rate(request, found.so_far.figure(closing)),
        "dispatch": found.dispatch,
        "edition": found.edition,
        "partly": f"{moment.charter.scores.partly_solved:g}",
        **months,
    }
    return frame.page(request, moment, "figures.html", "desk-figures", context)
