"""The edge of every request: reads the one clock, finds out who acts, and makes the request's Moment.

The only module of the web that knows what time it is. Views take `request.moment` and pass it down.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from fuzhengtong.accounts import rules as accounts_rules
from fuzhengtong.charter.moment import Actor, Moment
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory import world
from fuzhengtong.intake import actions as intake_actions  # noqa: F401 - loads the door before the first request

NOBODY = Actor(kind="resident", name="")
SESSION_PRINCIPAL, SESSION_POST, SESSION_BEGAN, SESSION_SEEN = "principal", "post", "began", "seen"
# The session's row is written again only when this much has passed: a look must not be a write.
TOUCH_AFTER = timedelta(minutes=1)


def now() -> datetime:
    """Read the clock of the machine."""
    return datetime.now(UTC)


_world: world.World | None = None


def the_world() -> world.World:
    """Return the kept parts of this process, made at first use (after a worker has been forked)."""
    global _world
    if _world is None:
        _world = world.World(clock=now)
    return _world


class Moments:
    """Give every request its moment: `request.moment`, lazily, so that a static or refused request costs nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.began = time.monotonic()  # type: ignore[attr-defined]
        return self.get_response(request)


def moment_of(request: HttpRequest) -> Moment:
    """Return the moment of a request, made once; the actor comes from the session, else it is nobody yet."""
    made: Moment | None = getattr(request, "_moment", None)
    if made is None:
        made = the_world().moment(by=NOBODY)
        actor = _signed_in(request, made.at)
        if actor is not None:
            made = made.acting(actor)
        request._moment = made  # type: ignore[attr-defined]
    return made


def as_teller(request: HttpRequest, appeal_id: int) -> Moment:
    """Return the moment of a resident who holds the query code of an appeal."""
    return moment_of(request).acting(Actor(kind="resident", appeal_id=appeal_id))


def _signed_in(request: HttpRequest, at: datetime) -> Actor | None:
    session = getattr(request, "session", None)
    if session is None or settings.SESSION_COOKIE_NAME not in request.COOKIES or SESSION_PRINCIPAL not in session:
        return None
    began = datetime.fromisoformat(session[SESSION_BEGAN])
    seen = datetime.fromisoformat(session[SESSION_SEEN])
    if accounts_rules.session_over(began=began, seen=seen, at=at):
        session.flush()
        return None
    actor = directory_queries.actor_of(
        principal_id=session[SESSION_PRINCIPAL], post_id=session[SESSION_POST], began=began, at=at
    )
    if actor is None:
        session.flush()
        return None
    if at - seen > TOUCH_AFTER:
        session[SESSION_SEEN] = at.isoformat()
    return actor


def language_of(request: HttpRequest) -> str:
    """Return the language of the texts for a request: 'zh-Hans' or 'en'."""
    return "en" if (translation.get_language() or "").startswith("en") else "zh-Hans"


def address_of(request: HttpRequest) -> str:
    """Return the caller's address; a forwarded one only where a trusted proxy stands before us."""
    if settings.TRUST_PROXY and (forwarded := request.META.get("HTTP_X_FORWARDED_FOR")):
        return str(forwarded).split(",")[-1].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def on_every_page(request: HttpRequest) -> dict[str, Any]:
    """Give every template who looks, in which language, how large, and whether the city is a made one."""
    made: Moment | None = getattr(request, "_moment", None)
    return {
        "viewer": made.by if made else NOBODY,
        "lang": language_of(request),
        "elder": request.COOKIES.get("elder") == "1",
        "demo": settings.DEMO,
    }
