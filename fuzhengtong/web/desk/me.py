"""One's own account: a new password, the second factor, the last sign-ins, the posts one holds."""

from __future__ import annotations

import io
from typing import Any

import segno
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from fuzhengtong.accounts import actions as accounts_actions
from fuzhengtong.accounts import queries as accounts_queries
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.people import keys
from fuzhengtong.web import guard
from fuzhengtong.web.desk import frame
from fuzhengtong.web.desk.gate import desk_page, seat
from fuzhengtong.web.desk.sign_in import begin
from fuzhengtong.web.moment import address_of, language_of

SHOWN = 12


def qr(text: str, label: str) -> SafeString:
    """Draw a QR code as SVG without any style attribute: the page's policy forbids them."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", xmldecl=False, svgns=True, scale=5, border=4, title=label)
    # Made from our own text by the library; nothing a person typed is markup here.
    return mark_safe(out.getvalue().decode())  # noqa: S308


@desk_page(methods=("GET", "POST"))
def me(request: HttpRequest, moment: Moment) -> HttpResponse:
    """GET and POST /desk/me/: see and change one's own way in. One action a POST."""
    if request.method != "POST":
        return _page(request, moment, {})
    do = {"password": _password, "enrol": _enrol, "confirm": _confirm, "end": _end}.get(request.POST.get("do", ""))
    if do is None:
        return _page(request, moment, {})
    try:
        return do(request, moment)
    except Refused as refused:
        context = {"refused": request.POST["do"], "sentence": guard.sentence_of(refused, language_of(request))}
        return _page(request, moment, context, status=guard.status_of(refused))


def _principal(moment: Moment) -> int:
    return seat(moment)[0]


def _stay(request: HttpRequest, moment: Moment, done: str) -> HttpResponse:
    """Begin this session anew: the change has ended every other one, and this one with them."""
    principal_id, post_id = seat(moment)
    begin(request, principal_id=principal_id, post_id=post_id, at=moment.at)
    return HttpResponseRedirect(f"{reverse('desk-me')}?done={done}", status=303)


def _password(request: HttpRequest, moment: Moment) -> HttpResponse:
    accounts_actions.change_password(
        principal_id=_principal(moment),
        current=request.POST.get("current", "")[:1000],
        new=request.POST.get("new", "")[:1000],
        address=address_of(request),
        moment=moment,
    )
    return _stay(request, moment, "password")


def _enrol(request: HttpRequest, moment: Moment) -> HttpResponse:
    issuer = moment.charter.name + _("阜政通")
    made = accounts_actions.enrol_totp(
        principal_id=_principal(moment), issuer=issuer, keyring=keys.keyring(), moment=moment
    )
    spaced = " ".join(made.secret[n : n + 4] for n in range(0, len(made.secret), 4))
    return _page(request, moment, {"secret": spaced, "qr": qr(made.uri, _("动态验证码"))})


def _confirm(request: HttpRequest, moment: Moment) -> HttpResponse:
    accounts_actions.confirm_totp(
        principal_id=_principal(moment), code=request.POST.get("code", "")[:40], keyring=keys.keyring(), moment=moment
    )
    return _stay(request, moment, "confirm")


def _end(request: HttpRequest, moment: Moment) -> HttpResponse:
    accounts_actions.end_sessions(principal_id=_principal(moment), moment=moment)
    return _stay(request, moment, "end")


DONE = {"password", "confirm", "end"}


def _page(request: HttpRequest, moment: Moment, more: dict[str, Any], status: int = 200) -> HttpResponse:
    principal_id = _principal(moment)
    done = request.GET.get("done", "")
    context = {
        "account": accounts_queries.person(principal_id),
        "posts": [
            {
                "office": row.office_name,
                "word": frame.post_word(request, row.kind, row.name),
                "deputy": row.deputy,
            }
            for row in directory_queries.posts_of(principal_id, at=moment.at)
        ],
        "attempts": [
            {"at": row.at, "address": row.address, "word": frame.say(request, f"sign_in.{row.outcome}")}
            for row in accounts_queries.attempts_of(principal_id, limit=SHOWN)
        ],
        "done": done if done in DONE else "",
    }
    return frame.page(request, moment, "me.html", "desk-me", context | more, status=status)
