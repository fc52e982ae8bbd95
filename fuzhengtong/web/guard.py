"""What stands before every view: security headers, and refusals turned into pages a person can use.

A refusal is expected and shown; anything else that rises is a bug, answered with a page that reveals nothing.
"""

from __future__ import annotations

import codecs
import logging
from collections.abc import Callable

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFilesSent
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from psycopg import errors as pg
from psycopg_pool import PoolTimeout

from fuzhengtong.directory import world
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.kernel.ids import ClockWentBack, LeaseEnded
from fuzhengtong.web import uploads
from fuzhengtong.web.moment import language_of, now

log = logging.getLogger("fuzhengtong.web")

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
STATUS = {
    "not_found": 404,
    "not_yours": 403,
    "not_now": 409,
    "overtaken": 409,
    "already_done": 409,
    "already_told": 409,
    "busy": 409,
    "too_many": 429,
    "too_large": 413,
    "text_too_long": 413,
    "out_of_order": 503,
    "no_node_free": 503,
}


class Headers:
    """Set the headers that browsers protect people by (ASVS 3.4)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.streaming:
            response.headers.setdefault("Content-Length", str(len(response.content)))
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        # With `no-referrer` browsers send `Origin: null` with a form, and every form of ours would be refused.
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("X-Frame-Options", "DENY")
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        if request.is_secure():
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        return response


class Busy(Refused):
    code = "busy"


class OutOfOrder(Refused):
    """The database is not to be reached: nothing was stored, and the person is told to come back."""

    code = "out_of_order"


class Failed(Refused):
    """A bug of ours: the person is told that nothing is lost by trying again, and nothing of what went wrong."""

    code = "failed"


class TooLarge(Refused):
    code = "too_large"


class TextTooLong(Refused):
    """Refuse words that weigh more than a form may; of files it is TooLarge."""

    code = "text_too_long"


class Garbled(Refused):
    code = "garbled"


class OnlyByButton(Refused):
    """An address that takes a form was opened by itself."""

    code = "only_by_button"


def refusal_of(error: Exception) -> Refused | None:
    """Return the refusal that an error means to a person, or nothing where it is a bug."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, uploads.FormTooHeavy | TooManyFilesSent):
        return TooLarge()
    if isinstance(error, RequestDataTooBig):
        # Django weighs the fields of a form alone; its files are weighed as they arrive.
        return TextTooLong(limit=world.charters().in_force(now()).text.characters)
    if isinstance(error, MultiPartParserError | SuspiciousOperation | UnicodeError):
        return Garbled()
    if isinstance(error, PoolTimeout | OperationalError):
        if isinstance(error.__cause__, pg.LockNotAvailable | pg.DeadlockDetected):
            return Busy()
        return OutOfOrder()
    if isinstance(error, DatabaseError) and isinstance(error.__cause__, pg.QueryCanceled | pg.ReadOnlySqlTransaction):
        return OutOfOrder()
    if isinstance(error, InterfaceError | LeaseEnded | ClockWentBack):
        # A broken connection, or a process that may make no ids (any more): nothing was written, and it passes.
        return OutOfOrder()
    return None


def status_of(refused: Refused) -> int:
    """Return the HTTP status of a refusal: 422 unless its code says otherwise."""
    return STATUS.get(refused.code, 422)


def sentence_of(refused: Refused, lang: str) -> str:
    """Return what a person is told, in his language."""
    facts = {name: value for name, value in refused.params.items() if isinstance(value, str | int | float)}
    return world.texts().say(f"refusal.{refused.code}", lang, **facts)


class Refusals:
    """Turn what views raise into answers: refusals with their sentence, everything else with a quiet 500."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _is_foreign(request):
            return answer(request, Garbled())
        response = self.get_response(request)
        if response.status_code != 405 or request.path.startswith("/api/"):
            return response
        # Django's own answer has no words; a person who typed the address gets a page, a program still the header.
        page = answer(request, OnlyByButton(), status=405)
        page.headers["Allow"] = response.headers.get("Allow", "")
        return page

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        refused = refusal_of(error)
        if refused is None:
            # The trace names code, not people: request bodies and local values are never logged.
            log.exception("a view failed")
            return answer(request, Failed(), status=500)
        return answer(request, refused)


def _is_foreign(request: HttpRequest) -> bool:
    """Tell whether a form with files claims to be written in anything but UTF-8, before any of it is read.

    Other encodings can say what no text of ours can hold, such as half a character. Forms without files are refused
    by Django itself.
    """
    charset = (request.content_params or {}).get("charset")
    if request.content_type != "multipart/form-data" or charset is None:
        return False
    try:
        return codecs.lookup(charset).name != "utf-8"
    except (LookupError, ValueError):
        return True


def answer(request: HttpRequest, refused: Refused, status: int | None = None) -> HttpResponse:
    """Answer a refusal: JSON under /api/, a page elsewhere."""
    status = status or status_of(refused)
    lang = language_of(request)
    sentence = sentence_of(refused, lang)
    if request.path.startswith("/api/"):
        response: HttpResponse = JsonResponse(
            {"code": refused.code, "description": sentence}, status=status, json_dumps_params={"ensure_ascii": False}
        )
    else:
        response = render(request, "refused.html", {"sentence": sentence, "code": refused.code}, status=status)
    if status in (409, 429, 503):
        response.headers.setdefault("Retry-After", "2")
    return response


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that did not come from our page, or came after its cookie had gone."""

    class Stale(Refused):
        code = "stale_form"

    return answer(request, Stale(), status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer an address that is not there, or not for this viewer."""

    class NotThere(Refused):
        code = "not_found"

    return answer(request, NotThere(), status=404)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer what is not for this viewer, where he may know that it is there."""

    class NotYours(Refused):
        code = "not_yours"

    return answer(request, NotYours(), status=403)


def unreadable(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request that could not be read before any page was asked: too large, or broken."""
    return answer(request, (refusal_of(exception) if exception else None) or Garbled())


def failed(request: HttpRequest) -> HttpResponse:
    """Answer when everything else failed."""
    return answer(request, Failed(), status=500)
