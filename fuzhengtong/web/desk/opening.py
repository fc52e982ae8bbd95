"""Open what is kept from sight: the teller of one appeal, with the reason written down before the name is shown.

Also streams the files of a case to whom may see it. Everything opened is shown once, in the answer to the POST, and
the teller can see who looked and why.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import content_disposition_header

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.charter.moment import Moment
from fuzhengtong.connectors.store import Folder, NotStored
from fuzhengtong.kernel import crypto, numbers
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.web import guard
from fuzhengtong.web.desk import case, forms, frame
from fuzhengtong.web.desk.gate import desk_page
from fuzhengtong.web.moment import language_of

NOTE_LENGTH = 200


@desk_page(methods=("GET", "POST"))
def teller(request: HttpRequest, moment: Moment, number: str) -> HttpResponse:
    """POST /desk/case/<number>/open/: show a teller's name and phone once, the reason kept; a GET leads to the case."""
    if request.method != "POST":
        return HttpResponseRedirect(case.address_of_case(request, number))
    view = case.view_of(moment, number)
    appeal_id = next((row.appeal_id for row in view.tellings if str(row.appeal_id) == request.POST.get("appeal")), None)
    if appeal_id is None:
        raise cases_actions.NotFound
    code, note = request.POST.get("reason", ""), forms.short(request.POST.get("note", ""), NOTE_LENGTH)
    said = frame.say(request, f"opening.{code}") if code in case.REASONS and code != "other" else ""
    reason = "：".join(part for part in (said, note) if part)
    context: dict[str, Any] = {
        "number": numbers.grouped(number),
        "back": case.address_of_case(request, number),
        "reason": reason,
    }
    try:
        found = cases_actions.opened(appeal_id=appeal_id, moment=moment, reason=reason)
    except cases_actions.NotFound:
        raise
    except Refused as refused:
        context |= {"sentence": guard.sentence_of(refused, language_of(request)), "appeal": str(appeal_id)}
        context["reasons"] = [(one, frame.say(request, f"opening.{one}")) for one in case.REASONS]
        context["action"] = request.get_full_path()
        return frame.page(request, moment, "opened.html", "desk-inbox", context, status=guard.status_of(refused))
    return frame.page(request, moment, "opened.html", "desk-inbox", context | {"teller": found})


@desk_page()
def file(request: HttpRequest, moment: Moment, file_id: int) -> HttpResponse:
    """GET /desk/file/<id>/: stream one file of a case; pictures are shown, everything else is saved."""
    found = cases_queries.content(viewer=moment.by, file_id=file_id)
    if found is None:
        raise cases_actions.NotFound
    try:
        sealed = Folder(settings.STORE).get(found.address)
    except (NotStored, FileNotFoundError) as error:
        raise cases_actions.NotFound from error
    plain = crypto.unseal(key=found.key, sealed=sealed, aad=b"file")
    response = HttpResponse(plain, content_type=found.media_type)
    inline = found.media_type in ("image/jpeg", "image/png")
    response["Content-Disposition"] = content_disposition_header(not inline, found.name) or "attachment"
    # A file that came from outside may never run as a page of ours.
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; img-src 'self'; style-src 'none'"
    return response


__all__ = ["file", "teller"]
