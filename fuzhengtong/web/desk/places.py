"""The system administrator's pages: the tree of areas, and the reference data with the lists that change it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from fuzhengtong.accounts import queries as accounts_queries
from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.kernel import typed
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.web import guard
from fuzhengtong.web.desk import frame, inbox, lines, lists, names
from fuzhengtong.web.desk.gate import desk_page
from fuzhengtong.web.moment import language_of

AREA_LISTS = ("grids", "areas")
REFERENCE_LISTS = ("categories", "routes", "offices", "calendar")
MOST_OFFICES = 100
# The calendar of the coming year is owed before it begins: shown as not announced until then.
AHEAD_YEARS = 1


def _handed_in(request: HttpRequest, moment: Moment, allowed: tuple[str, ...]) -> tuple[dict[str, Any], int]:
    """Look at a list that was handed in, or say in a sentence why that was not possible."""
    if request.method != "POST":
        return {}, 200
    code = request.POST.get("kind", "")
    if code not in allowed:
        raise cases_actions.NotFound
    try:
        looked = lists.look(request, moment, lists.KINDS[code])
    except Refused as refused:
        return {"sentence": guard.sentence_of(refused, language_of(request))}, guard.status_of(refused)
    if looked.report.applied:
        names.forget()
    words = {"added": _("新增"), "changed": _("改动"), "moved": _("换位置"), "closed": _("停用")}
    parts = [(words[what], n, rows) for what, n, rows in looked.parts]
    return {"looked": looked, "parts": parts, "shown": lists.SHOWN}, 422 if looked.bad else 200


def _kinds(codes: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"code": code, "word": _(lists.KINDS[code].word), "hint": _(lists.KINDS[code].hint)} for code in codes]


@desk_page("edit_reference", methods=("GET", "POST"))
def areas(request: HttpRequest, moment: Moment) -> HttpResponse:
    """GET and POST /desk/areas/: walk the tree of areas, and hand in lists of areas or grids."""
    more, status = _handed_in(request, moment, AREA_LISTS)
    city = directory_queries.city()
    asked = typed.number(request.GET.get("area", ""))
    here = asked or (city.area_id if city else None)
    path = directory_queries.area_path(here) if here is not None else ()
    if asked is not None and not path:
        raise cases_actions.NotFound
    below = directory_queries.areas_below(here, at=moment.at) if here is not None else ()
    counted = Counter(unit.kind for unit in names.units(moment.at))
    lang = language_of(request)
    context = {
        "path": [(inbox.address("desk-areas", area=str(row.area_id)), row.display_name or row.name) for row in path],
        "here": path[-1] if path else None,
        "below": [
            {
                "href": inbox.address("desk-areas", area=str(row.area_id)),
                "name": row.display_name or row.name,
                "code": row.code,
                "kind": lines.say(f"desk.level.{row.kind}", lang) or row.kind,
                "is_made": row.is_made,
            }
            for row in below
        ],
        "counted": [(lines.say(f"desk.level.{kind}", lang) or kind, n) for kind, n in counted.items()],
        "kinds": _kinds(AREA_LISTS),
        "action": inbox.address("desk-areas"),
    }
    return frame.page(request, moment, "areas.html", "desk-areas", context | more, status=status)


@desk_page("edit_reference", methods=("GET", "POST"))
def reference(request: HttpRequest, moment: Moment) -> HttpResponse:
    """GET and POST /desk/reference/: categories, offices, calendar, last changes; and the lists that change them."""
    more, status = _handed_in(request, moment, REFERENCE_LISTS)
    lang = language_of(request)
    known = {year: (announced, source) for year, announced, source in directory_queries.calendar_years()}
    this_year = moment.charter.clock.local(moment.at).year
    years = sorted({*known, *range(this_year, this_year + AHEAD_YEARS + 1)}, reverse=True)
    asked = request.GET.get("office", "").strip()[:40]
    offices = [row for row in names.all_offices(moment.at) if asked and (asked in row.name or asked in row.short)]
    names.areas([row.area_id for row in offices[:MOST_OFFICES]], moment.at)
    context = {
        "years": [
            {
                "year": year,
                "announced": known.get(year, (False, ""))[0],
                "source": known.get(year, (False, ""))[1],
                "is_near": this_year <= year <= this_year + AHEAD_YEARS,
            }
            for year in years
        ],
        "version": moment.calendar.version,
        "categories": _tree(moment, lang),
        "category_count": len(names.categories(moment.at)),
        "office_asked": asked,
        "office_count": len(names.all_offices(moment.at)),
        "offices": [
            {
                "name": row.name,
                "code": row.code,
                "place": names.area_name(row.area_id, moment.at),
                "phone": row.duty_phone,
            }
            for row in offices[:MOST_OFFICES]
        ],
        "entries": _changes(lang),
        "kinds": _kinds(REFERENCE_LISTS),
        "action": inbox.address("desk-reference"),
    }
    return frame.page(request, moment, "reference.html", "desk-reference", context | more, status=status)


def _tree(moment: Moment, lang: str) -> list[tuple[str, list[dict[str, object]]]]:
    found: dict[str, list[dict[str, object]]] = {}
    for row in names.categories(moment.at).values():
        found.setdefault(f"{row.root} {row.level1}", []).append(
            {
                "code": row.code,
                "name": row.name,
                "urgency": lines.say(f"urgency.{row.urgency}", lang),
                "lane": lines.say(f"lane.{row.lane}", lang),
                "days": row.default_days,
                "lead": row.lead_function,
                "unconfirmed": row.is_unconfirmed,
            }
        )
    return sorted(found.items())


def _changes(lang: str) -> list[dict[str, object]]:
    """List the last changes in words: what was done to which row, by whom and why; never the id of a row."""
    what = {"added": _("新增"), "changed": _("改动"), "moved": _("换位置"), "closed": _("停用")}
    rows = directory_queries.entries(limit=12)
    people = accounts_queries.people({row.by for row in rows if row.by})
    return [
        {
            "at": row.at,
            "what": what.get(row.what, what["changed"]),
            "table": lines.say(f"desk.table.{row.table}", lang) or _("资料"),
            "name": str((row.after or row.before or {}).get("name", "")),
            "by": people[row.by].name if row.by in people else _("系统"),
            "reason": row.reason,
        }
        for row in rows
    ]
