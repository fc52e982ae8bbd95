"""Coming in and going out: login and password, the one-time code as a second screen, the post one acts in.

The answers say nothing about which part was wrong. The session lives on the server; its token is new after every
sign-in, and it holds who, in which post, since when, and when last seen (see `web/moment.py`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from fuzhengtong.accounts import actions as accounts_actions
from fuzhengtong.accounts import queries as accounts_queries
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory import tour
from fuzhengtong.directory.queries import HeldPost
from fuzhengtong.kernel import crypto
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.people import keys
from fuzhengtong.web import guard, rates
from fuzhengtong.web.desk import frame
from fuzhengtong.web.desk.gate import desk_page, safe_next, seat
from fuzhengtong.web.moment import (
    SESSION_BEGAN,
    SESSION_POST,
    SESSION_PRINCIPAL,
    SESSION_SEEN,
    address_of,
    language_of,
    moment_of,
)

# The second screen must follow the first soon; what it carries is sealed and good for nothing afterwards.
SECOND_SCREEN = timedelta(minutes=5)


class NoPost(Refused):
    """Refuse to come in to somebody who holds no post: whoever acts in an office acts in a post."""

    code = "no_post"


class _Held(msgspec.Struct, frozen=True):
    login: str
    password: str
    at: datetime


def _sealing_key() -> bytes:
    return hashlib.sha256(b"desk|second screen|" + settings.SECRET_KEY.encode()).digest()


def _hold(login: str, password: str, moment: Moment) -> str:
    """Seal what the first screen said, so that the second one can be sent without the password in the page."""
    plain = msgspec.json.encode(_Held(login=login, password=password, at=moment.at))
    sealed = crypto.seal(key=_sealing_key(), plain=plain, aad=b"second screen", nonce=moment.mint.token(12))
    return sealed.hex()


def _held(text: str, moment: Moment) -> _Held | None:
    try:
        sealed = bytes.fromhex(text)
        plain = crypto.unseal(key=_sealing_key(), sealed=sealed, aad=b"second screen")
    except (ValueError, crypto.NotOpened):
        return None
    held = msgspec.json.decode(plain, type=_Held)
    return held if moment.at - held.at <= SECOND_SCREEN else None


@dataclass(frozen=True, slots=True)
class Account:
    """One made account that the demo shows on its sign-in page."""

    login: str
    post: str


def demo_accounts() -> list[Account]:
    """List whom a newcomer can be in a demo; nobody in a city at work."""
    if not settings.DEMO:
        return []
    known = accounts_queries.ids_by_login(login for login, _title in tour.TOUR)
    return [Account(login=login, post=title) for login, title in tour.TOUR if login in known]


def sign_in(request: HttpRequest) -> HttpResponse:
    """GET and POST /desk/sign-in/: come in, or be told in one sentence that it did not work."""
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    moment = moment_of(request)
    onward = safe_next(request.POST.get("next") or request.GET.get("next", ""))
    if request.method != "POST":
        if moment.by.kind == "post":
            return HttpResponseRedirect(onward)
        return _first_screen(request, moment, onward)
    try:
        rates.count_hit(f"sign-in|{address_of(request)}", moment.charter.rates.sign_in_per_address, moment)
        login, password = _told(request, moment)
        signed_in = accounts_actions.sign_in(
            login=login,
            password=password,
            totp=request.POST.get("code", "")[:40],
            address=address_of(request),
            keyring=keys.keyring(),
            moment=moment,
        )
        posts = directory_queries.posts_of(signed_in.principal_id, at=moment.at)
        if not posts:
            raise NoPost
    except accounts_actions.CodeNeeded:
        return _second_screen(request, moment, onward, _hold(login, password, moment))
    except accounts_actions.WrongOneTimeCode as refused:
        held = request.POST.get("held") or _hold(login, password, moment)
        return _second_screen(request, moment, onward, held, refused)
    except Refused as refused:
        return _first_screen(request, moment, onward, refused)
    begin(request, principal_id=signed_in.principal_id, post_id=posts[0].post_id, at=moment.at)
    if len(posts) > 1:
        return HttpResponseRedirect(f"{reverse('desk-post')}?next={onward}", status=303)
    return HttpResponseRedirect(onward, status=303)


def _told(request: HttpRequest, moment: Moment) -> tuple[str, str]:
    """Return login and password, from the form or from what the first screen left sealed."""
    if "held" in request.POST:
        held = _held(request.POST["held"], moment)
        if held is None:
            raise accounts_actions.WrongLogin
        return held.login, held.password
    return request.POST.get("login", "")[:200], request.POST.get("password", "")[:1000]


def _first_screen(request: HttpRequest, moment: Moment, onward: str, refused: Refused | None = None) -> HttpResponse:
    context: dict[str, Any] = {
        "next": onward,
        "login": request.POST.get("login", "")[:64],
        "sentence": guard.sentence_of(refused, language_of(request)) if refused else "",
        "accounts": demo_accounts(),
        "demo_password": tour.DEMO_PASSWORD,
    }
    # What a wrong answer gets is a page like the first, so that nothing but the sentence differs.
    return render(request, "desk/sign_in.html", context, status=guard.status_of(refused) if refused else 200)


def _second_screen(
    request: HttpRequest, moment: Moment, onward: str, held: str, refused: Refused | None = None
) -> HttpResponse:
    context = {
        "next": onward,
        "held": held,
        "sentence": guard.sentence_of(refused, language_of(request)) if refused else "",
    }
    return render(request, "desk/sign_in_code.html", context, status=guard.status_of(refused) if refused else 200)


def begin(request: HttpRequest, *, principal_id: int, post_id: int, at: datetime) -> None:
    """Begin a session under a new token; what stood under the old one is gone."""
    request.session.flush()
    request.session[SESSION_PRINCIPAL] = principal_id
    request.session[SESSION_POST] = post_id
    request.session[SESSION_BEGAN] = at.isoformat()
    request.session[SESSION_SEEN] = at.isoformat()
    rotate_token(request)


def sign_out(request: HttpRequest) -> HttpResponse:
    """POST /desk/sign-out/: end the session on the server, and clear what the browser kept; a GET ends nothing."""
    if request.method in ("GET", "HEAD"):
        return HttpResponseRedirect(reverse("desk-inbox"))
    if request.method != "POST":
        return HttpResponseNotAllowed(["GET", "POST"])
    request.session.flush()
    response = HttpResponseRedirect(reverse("desk-sign-in"), status=303)
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


@dataclass(frozen=True, slots=True)
class PostChoice:
    """One post to act in, as a choice on a page."""

    value: str
    word: str
    note: str


def _choices(request: HttpRequest, posts: tuple[HeldPost, ...]) -> list[PostChoice]:
    return [
        PostChoice(
            value=str(row.post_id),
            word=f"{row.office_name} · {frame.post_word(request, row.kind, row.name)}",
            note=_("代班") if row.deputy else "",
        )
        for row in posts
    ]


@desk_page(methods=("GET", "POST"))
def post(request: HttpRequest, moment: Moment) -> HttpResponse:
    """GET and POST /desk/post/: choose which of one's posts one acts in."""
    principal_id, _post_id = seat(moment)
    posts = directory_queries.posts_of(principal_id, at=moment.at)
    onward = safe_next(request.POST.get("next") or request.GET.get("next", ""))
    if request.method == "POST":
        chosen = next((row for row in posts if str(row.post_id) == request.POST.get("post")), None)
        if chosen is not None:
            began = datetime.fromisoformat(request.session[SESSION_BEGAN])
            # Another post is another set of rights: a new token, and the age of the session stays what it is.
            begin(request, principal_id=principal_id, post_id=chosen.post_id, at=began)
            request.session[SESSION_SEEN] = moment.at.isoformat()
            return HttpResponseRedirect(onward, status=303)
    context = {"posts": _choices(request, posts), "chosen": str(moment.by.post), "next": onward}
    return frame.page(request, moment, "post.html", "desk-post", context)
