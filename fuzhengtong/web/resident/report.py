"""Telling something: the form, what stands before it is taken, and the calm page for what belongs elsewhere.

The order is the promise: screen, check, stage, one action. Whatever goes wrong, what was typed and what has arrived
stays on the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from fuzhengtong.accounts import queries as accounts_queries
from fuzhengtong.chain import followers
from fuzhengtong.charter.moment import Moment
from fuzhengtong.connectors.store import Folder
from fuzhengtong.intake import actions as intake_actions
from fuzhengtong.intake import queries as intake_queries
from fuzhengtong.intake import rules as intake_rules
from fuzhengtong.kernel import numbers
from fuzhengtong.web import guard
from fuzhengtong.web.calm import calm
from fuzhengtong.web.moment import address_of, language_of, moment_of
from fuzhengtong.web.rates import count_telling
from fuzhengtong.web.resident import fields
from fuzhengtong.web.resident.fields import Given

AT_ONCE_S = 0.5
_ANSWER = msgspec.json.Decoder(intake_actions.Answer)


@dataclass(frozen=True)
class Reply:
    """What happened and what to do next, at the top of a page."""

    title: str
    text: str = ""
    kind: str = ""
    href: str = ""
    link: str = ""
    alert: bool = False


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """/report/: show the form, or take one telling and lead to its receipt."""
    moment = moment_of(request)
    if request.method != "POST":
        return _page(request, Given(key=fields.form_key(moment), text=_again(request)))
    telling = fields.given(request, moment)
    if "back" in request.POST:
        return _page(request, telling)
    body = fields.body_hash(
        request, [*msgspec.structs.astuple(telling.submission.location or _NOWHERE), *_said(telling)]
    )
    try:
        if done := _taken_before(telling.key, body):
            return done
    except intake_actions.KeyReused:
        return _changed_since(request, telling, moment)
    except Exception as error:
        return _not_now(request, telling, error)
    try:
        for text in telling.texts:
            intake_rules.screen(text, moment.charter)
    except intake_rules.Screened:
        return screened(request, telling)
    return _take(request, telling, body, moment)


_NOWHERE = intake_rules.Location()


def _said(telling: Given) -> list[str]:
    """List what the form says, for the key that makes sending twice harmless."""
    return [
        *telling.texts,
        telling.phone,
        telling.whose,
        telling.secrecy,
        telling.consent,
        *(file.token for file in telling.staged),
    ]


def _again(request: HttpRequest) -> str:
    """Begin a telling with the number of the matter that is not solved."""
    try:
        number = numbers.grouped(numbers.parse(request.GET.get("again", "")))
    except numbers.WrongNumber:
        return ""
    return _("上次的编号是 %(number)s，还没有解决：") % {"number": number} + "\n"


def _take(request: HttpRequest, telling: Given, body: bytes, moment: Moment) -> HttpResponse:
    charter, lang = moment.charter, language_of(request)
    try:
        arrived, unfit = fields.stage_photos(request, telling.staged, moment)
        telling = replace(telling, staged=arrived)
        lane = intake_queries.lane(fields.CHANNEL, at=moment.at)
        errors = fields.said(fields.faults_of(telling, lane=lane, charter=charter, moment=moment), lang)
        if unfit:
            errors["photos"] = " ".join(unfit)
        if errors:
            return _page(request, telling, errors=errors, status=422)
        told = intake_actions.submit(
            submission=telling.submission,
            moment=moment,
            store=Folder(settings.STORE),
            client=fields.CHANNEL,
            key=telling.key,
            body_hash=body,
            admit=lambda: count_telling(address=address_of(request), phone=telling.phone, moment=moment),
        )
    except intake_actions.UploadGone:
        errors = {"photos": guard.sentence_of(intake_actions.UploadGone(), lang)}
        return _page(request, replace(telling, staged=()), errors=errors, status=422)
    except intake_actions.KeyReused:
        return _changed_since(request, telling, moment)
    except intake_rules.BadInput as bad:
        return _page(request, telling, errors=fields.said(bad.faults, lang), status=422)
    except Exception as error:
        return _not_now(request, telling, error)
    if not told.again and calm(moment.at):
        followers.run_at_once(entry_id=int(told.answer.entry_id), moment=moment, budget_s=AT_ONCE_S)
    return _to_receipt(told.answer)


def _not_now(request: HttpRequest, telling: Given, error: Exception) -> HttpResponse:
    """Show the form again with what was typed where something expected went wrong; what is not expected still rises."""
    refused = guard.refusal_of(error)
    if refused is None:
        raise error
    reply = Reply(title=guard.sentence_of(refused, language_of(request)), kind="late", alert=True)
    response = _page(request, telling, reply=reply, status=guard.status_of(refused))
    if response.status_code in (409, 429, 503):
        response.headers.setdefault("Retry-After", "2")
    return response


def _to_receipt(answer: intake_actions.Answer) -> HttpResponse:
    response = HttpResponseRedirect(reverse("receipt", kwargs={"code": answer.query_code}))
    response.status_code = 303
    return response


def _before(key: str) -> tuple[intake_actions.Answer, bytes] | None:
    row = accounts_queries.remembered(client=fields.CHANNEL, key=key)
    return (_ANSWER.decode(row.answer), row.body_hash) if row else None


def _taken_before(key: str, body: bytes) -> HttpResponse | None:
    """Lead to the receipt of the same form sent before; refuse the key where the form says something else now."""
    before = _before(key)
    if before is None:
        return None
    if before[1] != body:
        raise intake_actions.KeyReused
    return _to_receipt(before[0])


def _changed_since(request: HttpRequest, telling: Given, moment: Moment) -> HttpResponse:
    """Show the form again where it has arrived before and was changed since: both are kept, neither is lost."""
    before = _before(telling.key)
    reply = Reply(
        title=_("上一次交的已经收到了"),
        text=_("现在写的和上次不一样。要是同一件事，请打开回执，在进度里补充；要是另一件事，再交一次就行。"),
        kind="warn",
        href=reverse("receipt", kwargs={"code": before[0].query_code}) if before else "",
        link=_("打开上一次的回执"),
        alert=True,
    )
    return _page(request, replace(telling, key=fields.form_key(moment)), reply=reply, status=422)


def _page(
    request: HttpRequest,
    telling: Given,
    *,
    errors: Mapping[str, str] | None = None,
    reply: Reply | None = None,
    status: int = 200,
) -> HttpResponse:
    charter = moment_of(request).charter
    replies = [reply] if reply else []
    if errors:
        replies.append(
            Reply(title=_("还差一点，您写的都在"), text=_("请看标着 ▲ 的地方，改好再交。"), kind="late", alert=True)
        )
    context = {
        "given": telling,
        "errors": errors or {},
        "replies": replies,
        "limits": {"characters": charter.text.characters, "photos": charter.uploads.count},
        "photo_first": "photo" in request.GET or request.POST.get("photo") == "1",
        "whose": [
            {"value": "self", "word": _("我自己的事")},
            {"value": "other", "word": _("替家人或邻居说"), "note": _("请写上他的姓名，先跟他说好")},
        ],
        "secrecy": [
            {"value": "open", "word": _("可以让办理单位知道我是谁"), "note": _("他们好直接跟您联系")},
            {
                "value": "confidential",
                "word": _("请替我保密"),
                "note": _("办理单位看不到您是谁，由社会治理中心跟您联系"),
            },
            {
                "value": "anonymous",
                "word": _("不留姓名电话"),
                "note": _("不能告诉您结果，只能凭回执上的查询码自己查"),
            },
        ],
    }
    return render(request, "resident/report.html", context, status=status)


_REST = ("place", "lat", "lng", "accuracy", "name", "phone", "whose", "other_name", "secrecy", "consent")


def screened(request: HttpRequest, telling: Given) -> HttpResponse:
    """Show the lawful route for a report on a person in public office; nothing of it is kept, staged files go too."""
    intake_actions.discard(tokens=[file.token for file in telling.staged], store=Folder(settings.STORE))
    telling = replace(telling, staged=())
    return render(
        request,
        "resident/screened.html",
        {
            "route": route_of(request),
            "given": telling,
            "field": "text",
            "rest": [(name, getattr(telling, name)) for name in _REST],
            "form": reverse("report"),
            "draft": "report",
        },
        status=422,
    )


def route_of(request: HttpRequest) -> dict[str, str]:
    """Return the charter's lawful route in the language of the page."""
    route = moment_of(request).charter.lawful_route
    english = language_of(request) == "en"
    return {
        "body": route.body_en if english else route.body,
        "phone": route.phone,
        "website": route.website,
        "sentence": route.sentence_en if english else route.sentence,
        "not_stored": route.not_stored_en if english else route.not_stored,
    }
