"""The public interface, version 1: tell, upload, look whether it is well. Answers are JSON; ids are text.

What a request must be is judged from the outside in: method, content type, size, key, body, fields. Nothing is
written before all of it has passed, and every refusal says what to do in the caller's language.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from django.conf import settings
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from fuzhengtong.accounts import queries as accounts_queries
from fuzhengtong.chain import followers
from fuzhengtong.charter.moment import Actor, Moment
from fuzhengtong.connectors.store import Folder
from fuzhengtong.directory import world
from fuzhengtong.intake import actions as intake_actions
from fuzhengtong.intake import rules as intake_rules
from fuzhengtong.intake.pictures import BadFile
from fuzhengtong.kernel import numbers
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.web import guard
from fuzhengtong.web.api import health as health_of
from fuzhengtong.web.api import reading
from fuzhengtong.web.calm import calm
from fuzhengtong.web.moment import address_of, language_of, moment_of
from fuzhengtong.web.rates import count_hit, count_telling

BODY_BYTES = 256 * 1024
KEY_LENGTH = 128
# What a multipart form weighs beside its file.
FORM_BYTES = 64 * 1024
AT_ONCE_S = 0.5
_ENCODE = msgspec.json.Encoder(enc_hook=str)


class WrongMethod(Refused):
    code = "wrong_method"


class WrongContentType(Refused):
    """Refuse a body of another kind than the address takes (415)."""

    code = "wrong_content_type"


class KeyMissing(Refused):
    """Refuse a state-changing request without an idempotency key."""

    code = "idempotency_key_missing"


class UnknownKey(Refused):
    """Refuse a key that is not, or no longer, known (401)."""

    code = "unknown_key"


STATUS = {
    "wrong_method": 405,
    "wrong_content_type": 415,
    "unknown_key": 401,
    "idempotency_key_missing": 400,
    "not_durable": 503,
}

View = Callable[[HttpRequest], HttpResponse]


def _address(*methods: str) -> Callable[[View], View]:
    """Make an address of the interface: these methods alone, no cookies, every refusal answered as JSON."""

    def wrap(view: View) -> View:
        @csrf_exempt  # no cookie is looked at here: the caller shows a key, or is one of the public
        @wraps(view)
        def answer(request: HttpRequest) -> HttpResponse:
            try:
                if request.method not in methods:
                    raise WrongMethod
                return view(request)
            except UnreadablePostError:
                # The caller has hung up; nobody reads this, and it is no fault of ours.
                return _refused(request, guard.Garbled())
            except Refused as refused:
                response = _refused(request, refused)
                if isinstance(refused, WrongMethod):
                    response.headers["Allow"] = ", ".join(methods)
                return response

        return answer

    return wrap


def _json(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(_ENCODE.encode(value), status=status, content_type="application/json; charset=utf-8")


def _refused(request: HttpRequest, refused: Refused) -> HttpResponse:
    lang = language_of(request)
    body: dict[str, Any] = {"code": refused.code, "description": _sentence(refused, lang)}
    if isinstance(refused, intake_rules.BadInput):
        body["faults"] = [
            {"field": _shown(fault.field), "code": fault.key, "description": _said(fault, lang)}
            for fault in refused.faults
        ]
    if isinstance(refused, BadFile):
        fault = {"field": "file", "code": refused.params["why"], "description": body["description"]}
        body["faults"] = [fault]
    if isinstance(refused, intake_rules.Screened):
        route = moment_of(request).charter.lawful_route
        english = lang == "en"
        body["route"] = {
            "body": route.body_en if english else route.body,
            "phone": route.phone,
            "website": route.website,
            "sentence": route.sentence_en if english else route.sentence,
            "not_stored": route.not_stored_en if english else route.not_stored,
        }
    response = _json(body, STATUS.get(refused.code) or guard.status_of(refused))
    if response.status_code in (409, 429, 503):
        response.headers["Retry-After"] = "2"
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _sentence(refused: Refused, lang: str) -> str:
    if isinstance(refused, BadFile):
        facts = {"limit": "", **refused.params, "name": _shown(str(refused.params["name"]))}
        return world.texts().say(f"refusal.bad_file.{refused.params['why']}", lang, **facts)
    if isinstance(refused, intake_actions.KeyReused):
        # A program has no page to load again.
        return world.texts().say("input.key_reused", lang)
    return guard.sentence_of(refused, lang)


def _said(fault: intake_rules.Fault, lang: str) -> str:
    facts = {name: _shown(value) if isinstance(value, str) else value for name, value in fault.facts}
    return world.texts().say(f"input.{fault.key}", lang, **facts)


def _shown(text: str) -> str:
    """Return what a caller wrote as it may stand in an answer: without what cannot be encoded or seen."""
    return intake_rules.clean(text.encode(errors="replace").decode())


def _caller(request: HttpRequest, moment: Moment) -> tuple[Moment, str, str]:
    """Return the moment of the caller, the client that idempotency keys belong to, and the channel of his key."""
    given = request.headers.get("Authorization", "")
    if not given:
        return moment, "public", ""
    key = accounts_queries.key_for(given.removeprefix("Bearer ").strip())
    if key is None:
        raise UnknownKey
    actor = Actor(kind="key", principal=key.principal_id, name=key.name)
    return moment.acting(actor), f"key:{key.key_id}", key.channel


def _weighed(request: HttpRequest, content_type: str, most: int) -> None:
    """Refuse a body of the wrong kind or of more bytes than this, before any of it is read."""
    for name in request.GET:
        raise intake_rules.BadInput((intake_rules.Fault(name[:60], "unknown_field"),))
    if request.content_type != content_type:
        raise WrongContentType
    told = request.META.get("CONTENT_LENGTH") or "0"
    if not told.isdecimal() or int(told) > most:
        raise guard.TooLarge


@_address("POST")
def appeals(request: HttpRequest) -> HttpResponse:
    """POST /api/v1/appeals: take one telling; 201 with number, query code and receipt."""
    _weighed(request, "application/json", BODY_BYTES)
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key:
        raise KeyMissing
    if len(key) > KEY_LENGTH or not (key.isascii() and key.isprintable()):
        raise intake_rules.BadInput((intake_rules.Fault("Idempotency-Key", "bad_key"),))
    body = request.body
    submission = reading.parse(body, intake_rules.Submission)
    moment, client, channel = _caller(request, moment_of(request))
    if channel and channel != submission.channel:
        raise intake_rules.NotThisDoor(channel=submission.channel[:40])

    def admit() -> None:
        if client == "public":
            phone = submission.reporter.phone if submission.reporter else ""
            count_telling(address=address_of(request), phone=phone, moment=moment)

    told = intake_actions.submit(
        submission=submission,
        moment=moment,
        store=Folder(settings.STORE),
        client=client,
        key=key,
        body_hash=hashlib.sha256(body).digest(),
        admit=admit,
    )
    if not told.again and calm(moment.at):
        followers.run_at_once(entry_id=int(told.answer.entry_id), moment=moment, budget_s=AT_ONCE_S)
    return _json(told_of(told), 201)


def told_of(told: intake_actions.Told) -> dict[str, Any]:
    """Return the answer to a telling as the public format has it."""
    answer = told.answer
    return {
        "number": answer.number,
        "number_grouped": numbers.grouped(answer.number),
        "query_code": answer.query_code,
        "received_at": answer.received_at,
        "receipt": answer.receipt,
        "progress": f"/q/{answer.query_code}/",
        "promises": answer.promises,
        "repeated": told.again,
    }


class _InMemory(MemoryFileUploadHandler):
    """Keeps the one file in memory, never on the disk in clear; its weight was judged before."""

    def handle_raw_input(self, *arguments: Any, **named: Any) -> None:
        self.activated = True


@_address("POST")
def uploads(request: HttpRequest) -> HttpResponse:
    """POST /api/v1/uploads (multipart, field `file`): stage one file; 201 with the token a telling may name."""
    moment = moment_of(request)
    _weighed(request, "multipart/form-data", moment.charter.uploads.bytes_each + FORM_BYTES)
    moment, _, _ = _caller(request, moment)
    request.upload_handlers = [_InMemory(request)]
    given = request.FILES.getlist("file")
    if len(given) != 1 or len(request.FILES) != 1 or request.POST:
        raise intake_rules.BadInput((intake_rules.Fault("file", "one_file"),))
    count_hit(f"upload|{address_of(request)}", moment.charter.rates.upload_per_address, moment)
    token = intake_actions.stage(
        data=given[0].read(), name=given[0].name or "", moment=moment, store=Folder(settings.STORE)
    )
    return _json({"upload": token}, 201)


@_address("GET", "HEAD")
def health(request: HttpRequest) -> HttpResponse:
    """GET /api/v1/health: alive, able to reach the database now, founded, and durable; 503 where not."""
    health_of.check()
    return _json({"ok": True})
