"""The inbox of every desk: the queues of one's post, one page of a queue, and the way to a case by its number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.charter.moment import Actor, Moment
from fuzhengtong.kernel import numbers
from fuzhengtong.web.desk import frame, names, shown
from fuzhengtong.web.desk.gate import desk_page
from fuzhengtong.web.moment import language_of

URGENCIES = ("critical", "urgent", "ordinary")
LATE_QUEUES = frozenset({"overdue", "critical"})


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue in the left pane; `count` is empty where it is not counted on this page."""

    key: str
    name: str
    href: str
    here: bool
    count: str = ""
    is_late: bool = False
    is_empty: bool = False


def queue_of(request: HttpRequest, viewer: Actor) -> str:
    """Return the queue that the address or form names, else the post's first; '' for a post without queues."""
    listed = cases_queries.QUEUES.get(viewer.post_kind, ())
    asked = request.GET.get("queue", "") or request.POST.get("queue", "")
    return asked if asked in listed else (listed[0] if listed else "")


def filters_of(request: HttpRequest) -> dict[str, str]:
    """Return the filters that the address names; what is no filter is left out."""
    found = {name: request.GET.get(name, "").strip()[:40] for name in cases_queries.LIST_FILTERS}
    return {name: value for name, value in found.items() if value and value.isprintable()}


def address(route: str, number: str = "", **query: str) -> str:
    """Return the address of a page with what is asked of it; empty questions are left out."""
    path = reverse(route, kwargs={"number": number}) if number else reverse(route)
    asked = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{asked}" if asked else path


def given(request: HttpRequest, moment: Moment) -> list[dict[str, str]]:
    """Say to whom the matter that the address names (`done`) was just given, with the way to it."""
    try:
        number = numbers.parse(request.GET.get("done", "")[:40])
    except numbers.WrongNumber:
        return []
    office = names.office_name(cases_queries.office_of(viewer=moment.by, number=number), moment.at, short=False)
    if not office:
        return []
    title = _("%(number)s 已交给%(office)s") % {"number": numbers.grouped(number), "office": office}
    href = address("desk-case", number, queue=queue_of(request, moment.by))
    return [{"title": title, "kind": "good", "href": href, "link": _("看一眼这件")}]


def queues(request: HttpRequest, moment: Moment, here: str, *, counted: bool) -> list[Queue]:
    """List the queues of the post, with bounded counts where wanted (one statement each)."""
    viewer = moment.by
    if counted:
        held = cases_queries.queues(viewer=viewer, now=moment.at, day_end=shown.day_end(moment))
    else:
        held = [(name, -1) for name in cases_queries.QUEUES.get(viewer.post_kind, ())]
    return [
        Queue(
            key=name,
            name=frame.say(request, f"queue.{name}.name"),
            href=address("desk-inbox", queue=name),
            here=name == here,
            count="" if n < 0 else f"{cases_queries.BOUND}+" if n > cases_queries.BOUND else str(n),
            is_late=n > 0 and name in LATE_QUEUES,
            is_empty=n == 0,
        )
        for name, n in held
    ]


def listed(
    request: HttpRequest, moment: Moment, *, queue: str, here: str = "", route: str = "desk-case"
) -> dict[str, Any]:
    """Return the context of the list pane: one page of a queue, its filters and its pager. Three statements."""
    filters, after = filters_of(request), request.GET.get("after", "")[:80]
    found = cases_queries.inbox(
        viewer=moment.by,
        queue=queue,
        now=moment.at,
        day_end=shown.day_end(moment),
        filters=filters,
        after=after,
    )
    shown.warm(found.rows, moment)
    lang = language_of(request)
    rows = [
        shown.list_row(
            row,
            href=address(route, row.number, queue=queue, after=after, **filters),
            moment=moment,
            lang=lang,
            here=row.number == here,
        )
        for row in found.rows
    ]
    return {
        "queue": queue,
        "queue_name": frame.say(request, f"queue.{queue}.name") if queue else "",
        "queue_empty": frame.say(request, f"queue.{queue}.empty") if queue else "",
        "rows": rows,
        "first_page": address("desk-inbox", queue=queue, **filters) if after else "",
        "next_page": address("desk-inbox", queue=queue, after=found.after, **filters) if found.after else "",
        "order": _("新的在前") if queue == "done" else _("先到期的在前"),
        "filters": _filters(request, moment, queue, filters, lang),
    }


def _filters(request: HttpRequest, moment: Moment, queue: str, chosen: dict[str, str], lang: str) -> dict[str, Any]:
    roots: dict[str, str] = {}
    for row in names.categories(moment.at).values():
        roots.setdefault(row.root, row.level1)
    towns = [("", _("各乡镇街道"))] + _towns(moment)
    fields = [
        ("urgency", _("紧要"), [("", _("不限"))] + [(u, frame.say(request, f"urgency.{u}")) for u in URGENCIES]),
        ("category", _("类别"), [("", _("各类"))] + sorted(roots.items())),
        ("town", _("乡镇街道"), towns),
        (
            "channel",
            _("渠道"),
            [("", _("各渠道"))] + [(c.code, c.said(lang)) for c in names.channels(moment.at).values()],
        ),
    ]
    words = {name: dict(options) for name, _label, options in fields}
    removable = [
        {
            "word": words[name].get(value) or value,
            "href": address("desk-inbox", queue=queue, **{k: v for k, v in chosen.items() if k != name}),
        }
        for name, value in chosen.items()
    ]
    return {
        "fields": [
            {"name": name, "label": label, "options": options, "value": chosen.get(name, "")}
            for name, label, options in fields
        ],
        "chosen": removable,
        "clear": address("desk-inbox", queue=queue),
    }


def _towns(moment: Moment) -> list[tuple[str, str]]:
    """List the towns of the viewer's own area: whoever works in one town has no choice to make."""
    viewer = moment.by
    found = []
    for unit in names.units(moment.at):
        if unit.kind != "town":
            continue
        if viewer.level == "county" and unit.county_id != viewer.area:
            continue
        if viewer.level in ("town", "community"):
            continue
        name = unit.display_name if viewer.level == "county" else f"{unit.county} {unit.display_name}"
        found.append((str(unit.area_id), name))
    return found


@desk_page()
def inbox(request: HttpRequest, moment: Moment) -> HttpResponse:
    """GET /desk/: the queues with their counts, and one page of the chosen one."""
    queue, first = queue_of(request, moment.by), frame.nav_of(moment.by)[0][0]
    if not queue or (first != "desk-inbox" and "queue" not in request.GET):
        # A visitor begins with the calls he owes; the three administrators see no case, and begin with their own pages.
        return HttpResponseRedirect(reverse(first))
    context = listed(request, moment, queue=queue) | {
        "queues": queues(request, moment, queue, counted=True),
        "keys": KEYS(),
        "replies": given(request, moment),
    }
    return frame.page(request, moment, "inbox.html", "desk-inbox", context)


def KEYS() -> list[tuple[str, str]]:  # noqa: N802 - a table that waits for the language of the page
    """List the keys of a case page, for the foot and the key sheet."""
    return [("A", _("签收、分拨")), ("F", _("报办结、审核")), ("C", _("联系")), ("N", _("记一笔"))]


@desk_page()
def counts(request: HttpRequest, moment: Moment) -> HttpResponse:
    """GET /desk/queues/: the left pane alone, with counts; a case page fetches it after it is shown."""
    queue = queue_of(request, moment.by)
    context = {"queues": queues(request, moment, queue, counted=True), "made": settings.DEMO}
    return frame.part(request, "_queues.html", context)


@desk_page()
def find(request: HttpRequest, moment: Moment) -> HttpResponse:
    """GET /desk/find/?q=: go to the case of a number, or say why not. Numbers only: nothing else is searched."""
    asked = request.GET.get("q", "").strip()[:60]
    problem = ""
    if asked:
        try:
            number = numbers.parse(asked)
        except numbers.WrongNumber:
            number = ""
            problem = _("这不是案件编号。请对着清单或回执核对。")
        if number:
            case_id = cases_queries.case_id_of(number)
            found = cases_queries.rows_of(viewer=moment.by, case_ids=[case_id]) if case_id else {}
            for row in found.values():
                return HttpResponseRedirect(address("desk-case", row.number))
            # One sentence for both, so that nobody learns whether a number outside his view exists.
            problem = _("没有这个编号的件，或者不归您看。请核对编号。")
    context = {"find": asked, "problem": problem}
    return frame.page(request, moment, "find.html", "desk-inbox", context, status=404 if problem else 200)
