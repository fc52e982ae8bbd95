"""The gate before every page of a desk: who acts in a post comes in; everybody else signs in first.

`desk_page` wraps the views of this folder. Whoever was signed out in the middle of a sentence gets the sign-in page
with his words still on it; what a post may not see does not exist for it (404).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import permits
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import world
from fuzhengtong.web.moment import language_of, moment_of

View = Callable[..., HttpResponse]
# Never shown back: secrets, and what no person typed.
UNSHOWN = frozenset({"csrfmiddlewaretoken", "expect", "key", "current", "new", "again", "code", "password", "held"})
MOST_SHOWN = 20_000


def safe_next(path: str) -> str:
    """Return a path of the desks to go on to after signing in; anything else leads to the first page."""
    parts = urlsplit(path)
    plain = not parts.scheme and not parts.netloc and path.startswith("/desk/") and "\\" not in path
    return path if plain and path.isprintable() and not path.startswith("/desk/sign-") else reverse("desk-inbox")


def sign_in_path(path: str) -> str:
    """Return the address of the sign-in page that leads back to a path."""
    return reverse("desk-sign-in") + "?" + urlencode({"next": path})


def typed(request: HttpRequest) -> tuple[tuple[str, str], ...]:
    """Return the texts that a person typed into a form, so that a refusal never loses a sentence."""
    found = []
    for name, values in request.POST.lists():
        for value in values:
            if name not in UNSHOWN and len(value) > 1 and not value.isdigit():
                found.append((name, value[:MOST_SHOWN]))
    return tuple(pair for pair in found if len(pair[1]) > 12 or " " in pair[1] or not pair[1].isascii())


def desk_page(permit: str = "", *, methods: tuple[str, ...] = ("GET",)) -> Callable[[View], View]:
    """Let a view run for a person in a post that has the permit; the view gets the request and its moment."""
    allowed = (*methods, "HEAD") if "GET" in methods else methods

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **parts: object) -> HttpResponse:
            if request.method not in allowed:
                return HttpResponseNotAllowed(allowed)
            moment = moment_of(request)
            if moment.by.kind != "post":
                return _sign_in_first(request)
            if permit and not permits.may(permit, moment.by):
                raise cases_actions.NotFound
            return view(request, moment, **parts)

        # A repository test walks all routes and asks each view for this.
        guarded.guarded_by = permit or "post"  # type: ignore[attr-defined]
        return guarded

    return wrap


def _sign_in_first(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=401)
        response["X-Signed-Out"] = "1"
        return response
    if request.method in ("GET", "HEAD"):
        return HttpResponseRedirect(sign_in_path(request.get_full_path()))
    back = came_from(request)
    lang = language_of(request)
    return render(
        request,
        "desk/sign_in.html",
        {
            "next": safe_next(back),
            "sentence": world.texts().say("refusal.sign_in_again", lang),
            "typed": typed(request),
        },
        status=401,
    )


def came_from(request: HttpRequest) -> str:
    """Return the page whose form was sent: what the form says in `back`, else the address itself."""
    return str(request.POST.get("back") or request.path)


def seat(moment: Moment) -> tuple[int, int]:
    """Return who acts and in which post; the gate has seen to it that there is one."""
    by = moment.by
    if by.principal is None or by.post is None:
        raise cases_actions.NotFound
    return by.principal, by.post
