"""Finding one's appeal again: by query code all of it, by number and last four digits its state and dates alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.cases.actions import NotFound
from fuzhengtong.charter.moment import Actor
from fuzhengtong.directory import world
from fuzhengtong.kernel import numbers
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.web import guard
from fuzhengtong.web.moment import address_of, language_of, moment_of
from fuzhengtong.web.rates import TooMany, count_hit
from fuzhengtong.web.resident import held, wording


class WrongTail(Refused):
    """Refuse number and last digits that do not belong together, whichever of them is wrong."""

    code = "wrong_phone_tail"


@require_http_methods(["GET", "HEAD", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """/find/: two small forms; what is typed never stands in an address."""
    if request.method != "POST":
        return _page(request)
    return _by_code(request) if "code" in request.POST else _by_number(request)


def _page(
    request: HttpRequest, *, errors: Mapping[str, str] | None = None, status: int = 200, **more: Any
) -> HttpResponse:
    moment = moment_of(request)
    context = {
        "errors": errors or {},
        "typed": {name: request.POST.get(name, "")[:80] for name in ("code", "number")},
        "hotline": moment.charter.contact("hotline"),
        "tries": moment.charter.rates.phone_tail_per_number.limit,
        **more,
    }
    return render(request, "resident/find.html", context, status=status)


def _by_code(request: HttpRequest) -> HttpResponse:
    lang = language_of(request)
    try:
        code = numbers.parse_code(request.POST["code"])
        held.find(request, code)
    except (numbers.WrongCode, NotFound, TooMany) as refused:
        shown = refused if isinstance(refused, TooMany) else numbers.WrongCode()
        return _page(request, errors={"code": guard.sentence_of(shown, lang)}, status=guard.status_of(shown))
    response = HttpResponseRedirect(reverse("progress", kwargs={"code": code}))
    response.status_code = 303
    return response


def _by_number(request: HttpRequest) -> HttpResponse:
    moment, lang = moment_of(request), language_of(request)
    rates = moment.charter.rates
    try:
        number = numbers.parse(request.POST.get("number", ""))
    except numbers.WrongNumber as refused:
        return _page(request, errors={"number": guard.sentence_of(refused, lang)}, status=422)
    tail = "".join(sign for sign in request.POST.get("tail", "") if sign.isdigit())[:8]
    try:
        # Counted before anything is looked up, for numbers that exist and for those that do not.
        count_hit(f"tail|{address_of(request)}", rates.phone_tail_per_address, moment)
        count_hit(f"tail|{number}", rates.phone_tail_per_number, moment)
        found = cases_queries.by_number_and_tail(number=number, tail=tail)
        if found is None:
            raise WrongTail
    except (WrongTail, TooMany) as refused:
        return _page(request, errors={"tail": guard.sentence_of(refused, lang)}, status=guard.status_of(refused))
    return _page(request, found=_state_and_dates(found, request))


def _state_and_dates(found: cases_queries.Found, request: HttpRequest) -> dict[str, Any]:
    """Return the state and the dates of an appeal, and nothing else of it."""
    moment, lang = moment_of(request), language_of(request)
    view = cases_queries.case_view(viewer=Actor(kind="resident", appeal_id=found.appeal_id), case_id=found.case_id)
    if view is None:
        raise WrongTail
    case, telling = view.case, wording.telling_of(moment, lang)
    dates: list[tuple[str, datetime | None]] = [
        (_("收到"), case.received_at),
        (_("受理"), case.accepted_at),
        (_("交办"), case.assigned_at),
        (_("单位办完"), case.finished_at),
        (_("办结"), case.closed_at),
    ]
    due = case.finish_due_at if case.is_open and case.finished_at is None else None
    return {
        "number": numbers.grouped(found.number),
        "state": world.texts().say(f"state.{case.state.value}", lang),
        "dates": [(word, wording.instant(at, telling)) for word, at in dates if at is not None],
        "due": wording.term_end(due, telling) if due else "",
    }
