"""The dispatch desk: the telling with the words that decided, three offices with reasons, and one key to confirm.

What the machine proposes is worked out again as things stand now; whatever the dispatcher changes stands in the
address, so every choice can be reached by keyboard, by link, and without JavaScript. What follows from the choice is
said for every urgency beforehand, and `dispatch.js` shows the one that is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.cases import rules as cases_rules
from fuzhengtong.cases.queries import CaseView
from fuzhengtong.cases.states import DutyKind, State
from fuzhengtong.charter.moment import Moment
from fuzhengtong.dispatch import actions as dispatch_actions
from fuzhengtong.dispatch import queries as dispatch_queries
from fuzhengtong.kernel import due, numbers, typed
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.procedure import catalogue
from fuzhengtong.web import guard
from fuzhengtong.web.desk import case, frame, inbox, lines, marks, names, picking, shown, taking
from fuzhengtong.web.desk.gate import desk_page
from fuzhengtong.web.moment import language_of


@dataclass(frozen=True, slots=True)
class OfferShown:
    """One office that might take the matter."""

    office_id: str
    name: str
    why: str
    percent: int | None
    digit: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the page stands on: the proposal, as far as the dispatcher has not chosen otherwise."""

    category: dispatch_queries.Kind | None
    path: dispatch_queries.Path | None
    urgency: str
    office_id: int | None


def _chosen(
    request: HttpRequest,
    view: CaseView,
    moment: Moment,
    sight: dispatch_queries.Sight,
    explained: Mapping[str, Any],
) -> Chosen:
    asked = request.POST if request.method == "POST" else request.GET
    place = explained.get("place", {})
    area_id = typed.number(asked.get("area")) or typed.number(place.get("area_id")) or typed.number(place.get("within"))
    code = explained.get("category", {}).get("code")
    proposed = next((row.category_id for row in names.categories(moment.at).values() if row.code == code), None)
    category_id = typed.number(asked.get("category")) or view.case.category_id or proposed
    urgency = asked.get("urgency", "")
    return Chosen(
        category=sight.kind(category_id) if category_id else None,
        path=sight.path(area_id) if area_id else None,
        urgency=urgency if urgency in inbox.URGENCIES else str(explained.get("urgency", {}).get("is", "ordinary")),
        office_id=typed.number(asked.get("office")),
    )


def _offers(
    request: HttpRequest,
    moment: Moment,
    sight: dispatch_queries.Sight,
    explained: Mapping[str, Any],
    chosen: Chosen,
) -> list[OfferShown]:
    """List the offices to choose from: the one picked by hand, the responsibility list's, the machine's, the centre."""
    found: dict[int, tuple[str, int | None]] = {}
    route = sight.route(chosen.category, chosen.path) if chosen.category and chosen.path else None
    proposed = {int(row["office_id"]): row for row in explained.get("offices", ())}
    # The centre has no confidence of its own: it takes what fits nowhere. Nor has a category chosen by hand.
    as_proposed = chosen.category is not None and chosen.category.code == explained.get("category", {}).get("code")
    sure = {
        office_id: round(100 * float(row["confidence"]))
        for office_id, row in proposed.items()
        if row["confidence"] is not None and as_proposed
    }
    if route is not None:
        found.setdefault(route[0], (route[2], sure.get(route[0])))
    for office_id, row in proposed.items():
        found.setdefault(office_id, (str(row["why"]), sure.get(office_id)))
    if chosen.path is not None:
        found.setdefault(chosen.path.desk_id, ("centre", None))
    if chosen.office_id and chosen.office_id not in found and sight.takes_work(chosen.office_id):
        found = {chosen.office_id: ("chosen", None)} | found
    offices = names.offices(found, moment.at)
    listed = [(office_id, why, sure_of) for office_id, (why, sure_of) in found.items() if office_id in offices]
    first = chosen.office_id if chosen.office_id in found else (listed[0][0] if listed else None)
    return [
        OfferShown(
            office_id=str(office_id),
            name=offices[office_id].name,
            why=lines.say(f"route.{why}", language_of(request)),
            percent=sure_of,
            digit=digit,
            chosen=office_id == first,
        )
        for digit, (office_id, why, sure_of) in enumerate(listed[:4], start=1)
    ]


def _consequence(request: HttpRequest, moment: Moment, chosen: Chosen, urgency: str) -> str:
    """Say what confirming promises: until when `{office}` signs and finishes, with unit and instant."""
    if chosen.category is None or chosen.path is None:
        return ""
    charter, lang, area = moment.charter, language_of(request), chosen.path.county_code or None
    sign = charter.term("sign", urgency)
    finish = charter.finish(urgency=urgency, category=chosen.category.code, category_days=chosen.category.days)
    said = {}
    for name, length, unit in (("sign", sign.length, sign.unit), ("finish", finish.length, finish.unit)):
        found = due.due_at(
            start=moment.at, length=length, unit=unit, calendar=moment.calendar, clock=charter.clock, area=area
        )
        counted = shown.counted(length, unit, lang)
        said[name] = (
            f"{shown.instant(found.at, moment, lang, ends=True)}（{counted}）"
            if lang != "en"
            else f"{shown.instant(found.at, moment, lang, ends=True)} ({counted})"
        )
    return _("确认以后：%(office)s要在 %(sign)s前签收，%(finish)s前办结。") % {"office": "{office}", **said}


# --- the page ------------------------------------------------------------------------------------------------------


@desk_page(methods=("GET", "POST"))
def dispatch(request: HttpRequest, moment: Moment, number: str) -> HttpResponse:
    """GET and POST /desk/dispatch/<number>/: propose, choose, confirm."""
    view = case.view_of(moment, number)
    if request.method == "POST" and taking.twin_took(taking.once_of(request, moment)):
        # The second of a double click: the matter is on its way, and the desk goes on with the next one.
        return _onward(request, moment, view)
    if "assign" not in {step.word for step in catalogue.offered(view.snapshot, moment.by)} and not _may_accept(
        view, moment
    ):
        # Dispatched already, or not this post's business: the case itself says where it stands.
        if request.method == "POST":
            return case.page(
                request, moment, view, case.Kept(word="", sentence=frame.say(request, "refusal.not_now"), status=409)
            )
        return HttpResponseRedirect(inbox.address("desk-case", view.case.number))
    if request.method != "POST":
        return _page(request, moment, view)
    return _confirm(request, moment, view)


def _may_accept(view: CaseView, moment: Moment) -> bool:
    return "accept" in {step.word for step in catalogue.offered(view.snapshot, moment.by)}


def _confirm(request: HttpRequest, moment: Moment, view: CaseView) -> HttpResponse:
    number, sent = view.case.number, request.POST
    once = taking.once_of(request, moment)
    category_id, area_id, office_id = (typed.number(sent.get(name)) for name in ("category", "area", "office"))
    missing = [
        word
        for value, word in ((area_id, _("地点")), (category_id, _("类别")), (office_id, _("单位")))
        if value is None
    ]
    if category_id is None or area_id is None or office_id is None:
        sentence = _("还没有定：%(what)s。") % {"what": _("、").join(missing)}
        return _page(request, moment, view, sentence=sentence, status=422)
    urgency = sent.get("urgency", "")
    try:
        if taking.was_taken(once):
            return _onward(request, moment, view)
        dispatch_actions.confirm(
            case_id=view.case.id,
            category_id=category_id,
            area_id=area_id,
            urgency=urgency if urgency in inbox.URGENCIES else "ordinary",
            office_id=office_id,
            moment=moment,
            expect=taking.expected(request),
            once=once,
        )
    except cases_actions.NotFound:
        raise
    except Refused as refused:
        if taking.twin_took(once):
            return _onward(request, moment, view)
        sentence = guard.sentence_of(refused, language_of(request))
        fresh = case.view_of(moment, number)
        if isinstance(refused, cases_rules.Overtaken) and fresh.case.state not in (State.RECEIVED, State.ACCEPTED):
            return case.page(request, moment, fresh, case.Kept(word="", sentence=sentence, status=409))
        return _page(request, moment, fresh, sentence=sentence, status=guard.status_of(refused))
    return _onward(request, moment, view)


def _onward(request: HttpRequest, moment: Moment, view: CaseView) -> HttpResponse:
    """Go on with the next matter of the queue, or with the list where none is left; either says what was done."""
    queue, done = inbox.queue_of(request, moment.by), view.case.number
    following = cases_queries.next_to_dispatch(
        viewer=moment.by, queue=queue, now=moment.at, day_end=shown.day_end(moment)
    )
    route = "desk-dispatch" if following else "desk-inbox"
    return HttpResponseRedirect(inbox.address(route, following, queue=queue, done=done), status=303)


def _page(
    request: HttpRequest, moment: Moment, view: CaseView, *, sentence: str = "", status: int = 200
) -> HttpResponse:
    number, first = view.case.number, view.tellings[0]
    point = (first.lat, first.lng) if first.lat is not None and first.lng is not None else None
    told = cases_queries.Told(text=first.text, place=first.place, point=point)
    explained = dispatch_actions.proposal_for(snapshot=view.snapshot, told=told, moment=moment)
    sight = dispatch_queries.sight(moment.at)
    chosen = _chosen(request, view, moment, sight, explained)
    lang = language_of(request)
    spans = [span for part in ("place", "category", "urgency") for span in explained.get(part, {}).get("spans", ())]
    words = marks.pieces(first.text, spans, "text")
    offers = _offers(request, moment, sight, explained, chosen)
    promised = next((duty for duty in view.duties if duty.kind == DutyKind.DISPATCH and duty.voided_at is None), None)
    candidates = [int(one) for one in explained.get("place", {}).get("candidates", ())][: picking.SHOWN]
    names.areas(candidates, moment.at)
    queue = inbox.queue_of(request, moment.by)
    path = chosen.path
    found = picking.picker(request, moment, number)
    why_not_ask = case.why_not("ask_info", view.snapshot)
    keys = [("1 2 3", _("选单位")), ("Enter", _("确认交办")), ("Q", _("请反映人补充"))]
    context = {
        "case": view.case,
        "number": numbers.grouped(number),
        "state": frame.say(request, f"state.{view.case.state.value}"),
        "chips": shown.chips(view.case, tellers=len(view.snapshot.live_appeals), lang=lang),
        "telling": case.telling_shown(request, view, first, moment),
        "words": marks.excerpt(words) if len(first.text) > marks.LONG else words,
        "whole": first.text if len(first.text) > marks.LONG else "",
        "place_words": marks.pieces(first.place, spans, "address"),
        "promised": promised,
        "offers": offers,
        "chosen": chosen,
        "place": names.place([path.county_id, path.town_id, path.community_id, path.grid_id], moment.at)
        if path
        else "",
        "candidates": [
            picking.Found(
                picking.link(request, number, area=str(one)), names.area_name(one, moment.at), _levels(one, moment)
            )
            for one in candidates
        ],
        "urgencies": [
            {
                "value": one,
                "word": frame.say(request, f"urgency.{one}"),
                "then": _consequence(request, moment, chosen, one),
            }
            for one in inbox.URGENCIES
        ],
        "doubts": lines.reasons(explained.get("doubts", ()), lang),
        "reasons": lines.why(explained, lang, kinds=("place", "category", "urgency")),
        "picker": found,
        "focus": picking.focus(request, found, has_place=path is not None, has_category=chosen.category is not None),
        "kept": [(name, value) for name, value in picking.kept(request).items() if value],
        "queue": queue,
        "list_href": inbox.address("desk-inbox", queue=queue),
        "brief_href": inbox.address("desk-brief", queue=queue, here=number),
        "case_href": inbox.address("desk-case", number, queue=queue),
        "why_not_ask": why_not_ask,
        "ask_href": inbox.address("desk-case", number, queue=queue, do="ask_info") + "#do",
        "key": moment.mint.token(16).hex(),
        "sentence": sentence,
        "keys": keys[:2] if why_not_ask else keys,
        "replies": inbox.given(request, moment),
    }
    return frame.page(request, moment, "dispatch.html", "desk-inbox", context, status=status)


def _levels(area_id: int, moment: Moment) -> str:
    row = names.areas([area_id], moment.at).get(area_id)
    if row is None:
        return ""
    above = [one for one in (row.levels.county, row.levels.town) if one not in (area_id, row.levels.city)]
    return names.place(above, moment.at)


@desk_page()
def brief(request: HttpRequest, moment: Moment) -> HttpResponse:
    """GET /desk/brief/: the list beside the dispatch desk, fetched after the page is shown."""
    queue = inbox.queue_of(request, moment.by)
    here = request.GET.get("here", "")[:40]
    context = inbox.listed(request, moment, queue=queue, here=here, route="desk-dispatch")
    return frame.part(request, "_brief.html", context)
