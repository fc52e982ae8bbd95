"""The pages that belong to nobody's case: home, what the promises mean, the privacy notice, the two switches."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from fuzhengtong.charter.editions import URGENCIES, Charter
from fuzhengtong.directory import world
from fuzhengtong.web import design_samples
from fuzhengtong.web.moment import language_of, moment_of
from fuzhengtong.web.resident import fields, wording

YEAR_S = 365 * 24 * 3600
_PROMISED = ("accept", "assign", "first_response", "on_site", "finish", "progress_visit", "satisfaction_visit", "redo")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """/: three ways to tell, and the way to look."""
    charter = moment_of(request).charter
    return render(request, "resident/home.html", {"hotline": charter.contact("hotline")})


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """/about/: what the city promises, with every number from the charter in force."""
    moment, lang = moment_of(request), language_of(request)
    charter = moment.charter
    english = lang == "en"
    context = {
        "charter": charter,
        "rows": _rows(charter, lang),
        "urgencies": [world.texts().say(f"urgency.{one}", lang) for one in reversed(URGENCIES)],
        "attempts": charter.visits.attempts,
        "rating_days": charter.visits.rating_open_days,
        "redo_at_most": charter.redo.at_most,
        "hours": "、".join(f"{opens:%H:%M}–{closes:%H:%M}" for opens, closes in charter.clock.hours),
        "ladder": [
            wording.span(rung.after, rung.unit, lang)
            for rung in charter.supervision.ladder
            if rung.level and rung.after
        ],
        "statutory": [
            {"length": wording.span(row.length, row.unit, lang), "law": row.law} for row in charter.statutory.values()
        ],
        "contacts": [
            {
                "name": contact.name_en if english else contact.name,
                "number": contact.number,
                "is_phone": contact.kind != "sms",
                "confirmed": contact.confirmed,
            }
            for contact in charter.contacts
        ],
    }
    return render(request, "resident/about.html", context)


def _rows(charter: Charter, lang: str) -> list[dict[str, Any]]:
    return [
        {
            "name": world.texts().say(f"duty.{kind}", lang),
            "means": _means()[kind],
            "terms": [_term(charter, kind, urgency, lang) for urgency in reversed(URGENCIES)],
        }
        for kind in _PROMISED
    ]


def _term(charter: Charter, kind: str, urgency: str, lang: str) -> str:
    try:
        return wording.term(charter, kind, urgency, lang)
    except ValueError:
        return "—"


def _means() -> dict[str, str]:
    return {
        "accept": _("从您说完算起，告诉您受理没有"),
        "assign": _("从受理算起，交给办理单位"),
        "first_response": _("办理单位先联系您"),
        "on_site": _("有人到现场"),
        "finish": _("从交办算起，办完并答复您"),
        "progress_visit": _("交办以后，跟您说一次进展"),
        "satisfaction_visit": _("核对过后，问您解决了没有"),
        "redo": _("您说没解决，重新办好"),
    }


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """/privacy/: what becomes of personal data; the version that a telling's consent names."""
    charter = moment_of(request).charter
    context = {
        "charter": charter,
        "hotline": charter.contact("hotline"),
        "version": fields.NOTICE,
        "staged": wording.span(charter.uploads.staged.length, charter.uploads.staged.unit, language_of(request)),
    }
    return render(request, "resident/privacy.html", context)


@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """/design/: every token and component, alive."""
    return render(request, "design.html", {"samples": design_samples.samples()})


def _back(request: HttpRequest) -> HttpResponse:
    """Lead back to a page of this site; any other address leads home (no open redirect)."""
    wanted = request.POST.get("next", "/") if request.method == "POST" else _came_from(request)
    plain = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    if not plain or not url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        wanted = "/"
    response = HttpResponseRedirect(wanted)
    response.status_code = 303
    return response


def _came_from(request: HttpRequest) -> str:
    """Return the page of this site that led here, or home: a switch opened by its address throws nothing."""
    parts = urlsplit(request.headers.get("Referer", ""))
    known = parts.netloc == request.get_host() and parts.path != request.path
    return f"{parts.path}?{parts.query}" if known and parts.query else parts.path if known else "/"


def _keep(response: HttpResponse, name: str, value: str, *, script: bool = False) -> None:
    response.set_cookie(name, value, max_age=YEAR_S, samesite="Lax", secure=settings.HTTPS, httponly=not script)


@require_http_methods(["GET", "HEAD", "POST"])
def elder(request: HttpRequest) -> HttpResponse:
    """/elder/: larger letters on or off, kept in a cookie."""
    response = _back(request)
    if request.method == "POST":
        _keep(response, "elder", "1" if request.POST.get("elder") == "1" else "0")
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def language(request: HttpRequest) -> HttpResponse:
    """/language/: the language of the pages, kept in a cookie."""
    response = _back(request)
    wanted = request.POST.get("language", "")
    if wanted in dict(settings.LANGUAGES):
        _keep(response, settings.LANGUAGE_COOKIE_NAME, wanted)
    return response
