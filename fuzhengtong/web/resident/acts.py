"""What a teller does with his own appeal: rate, add, answer, urge, correct the place, withdraw.

Each is one page with one small form: parse, one action, and back to the progress page. A form sent twice is answered
once; a refusal keeps what was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from fuzhengtong.accounts import queries as accounts_queries
from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import ledger
from fuzhengtong.cases import steps as cases_steps
from fuzhengtong.cases.actions import Staged
from fuzhengtong.cases.states import Satisfaction, Solved
from fuzhengtong.connectors.store import Folder
from fuzhengtong.directory import world
from fuzhengtong.intake import actions as intake_actions
from fuzhengtong.intake import rules as intake_rules
from fuzhengtong.kernel import numbers
from fuzhengtong.kernel.errors import AlreadyDone
from fuzhengtong.visits import actions as visits_actions
from fuzhengtong.web import guard
from fuzhengtong.web.moment import address_of, language_of
from fuzhengtong.web.rates import count_hit
from fuzhengtong.web.resident import fields, progress, story, wording
from fuzhengtong.web.resident.fields import Small, Words
from fuzhengtong.web.resident.held import Held, holding
from fuzhengtong.web.resident.report import Reply, route_of

Action = Callable[[ledger.Once, tuple[Staged, ...]], object]


@dataclass(frozen=True)
class Act:
    """One small form: which page shows it, which step it takes, what is said when it is done."""

    word: str
    template: str
    step: cases_steps.Step
    texts: tuple[str, ...] = ()
    takes_files: bool = False


RATE = Act("rate", "resident/rate.html", cases_steps.RATE, texts=("words",))
ADD = Act("add", "resident/add.html", cases_steps.SUPPLEMENT, texts=("text",), takes_files=True)
ANSWER = Act("answer", "resident/answer.html", cases_steps.ANSWER, texts=("text",), takes_files=True)
URGE = Act("urge", "resident/urge.html", cases_steps.URGE)
PLACE = Act("place", "resident/place.html", cases_steps.CORRECT_PLACE, texts=("place",))
WITHDRAW = Act("withdraw", "resident/withdraw.html", cases_steps.WITHDRAW, texts=("reason",))


def _to_progress(held: Held) -> HttpResponse:
    response = HttpResponseRedirect(reverse("progress", kwargs={"code": held.code}))
    response.status_code = 303
    return response


def _done(request: HttpRequest, held: Held, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return _to_progress(held)


def _page(
    request: HttpRequest,
    held: Held,
    act: Act,
    form: Small,
    *,
    more: Mapping[str, Any] | None = None,
    reply: Reply | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "held": held,
        "number": numbers.grouped(held.telling.number),
        "back": reverse("progress", kwargs={"code": held.code}),
        "form": form,
        "replies": [reply] if reply else [],
        "limits": {"characters": held.moment.charter.text.characters, "photos": held.moment.charter.uploads.count},
        **(more or {}),
    }
    return render(request, act.template, context, status=status)


def _open(request: HttpRequest, held: Held, act: Act) -> HttpResponse | None:
    """Lead back, with the reason, where the procedure does not offer the step now."""
    if held.may(act.step) or (act is WITHDRAW and held.may(cases_steps.LEAVE)):
        return None
    messages.warning(request, world.texts().say("refusal.not_now", language_of(request)))
    return _to_progress(held)


def _send(
    request: HttpRequest,
    held: Held,
    act: Act,
    form: Small,
    said: Mapping[str, Words],
    action: Action,
    *,
    done: str,
    more: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Take one act: screen, check, stage, one action; whatever is refused keeps what was typed."""
    moment, lang = held.moment, language_of(request)
    client = f"teller:{held.appeal_id}"
    body = fields.body_hash(request, [act.word, *form.values.values(), *(file.token for file in form.staged)])
    before = accounts_queries.remembered(client=client, key=form.key)
    if before is not None and before.body_hash == body:
        return _done(request, held, done)
    if before is not None:
        reply = Reply(
            title=_("上一次交的已经收到了"), text=_("现在写的和上次不一样。要再交一次，就再按一下。"), kind="warn"
        )
        fresh = replace(form, key=fields.form_key(moment))
        return _page(request, held, act, fresh, more=more, reply=reply, status=422)
    try:
        for words in said.values():
            intake_rules.screen(words.typed, moment.charter)
    except intake_rules.Screened:
        return _screened(request, held, act, form)
    errors = fields.said([words.fault for words in said.values() if words.fault], lang)
    errors = {**form.errors, **errors}
    try:
        if act.takes_files:
            arrived, unfit = fields.stage_photos(request, form.staged, moment)
            form = replace(form, staged=arrived)
            if unfit:
                errors["photos"] = " ".join(unfit)
        if not errors and act is ADD and not said["text"].clean and not form.staged:
            errors["text"] = world.texts().say("input.text_or_photo_missing", lang)
        if errors:
            return _page(request, held, act, form.with_errors(errors), more=more, status=422)
        files = intake_actions.staged(tokens=[file.token for file in form.staged], moment=moment)
        action(ledger.Once(client=client, key=form.key, body_hash=body, status=303, answer=b"{}"), files)
    except IntegrityError:
        # The same form twice at the same instant: the other one has won, and says the same.
        if accounts_queries.remembered(client=client, key=form.key) is None:
            raise
    except AlreadyDone as refused:
        messages.info(request, guard.sentence_of(refused, lang))
        return _to_progress(held)
    # Nothing that is expected may cost a person what he typed; what is not expected still rises.
    except Exception as error:
        refused_ = guard.refusal_of(error)
        if refused_ is None:
            raise
        if isinstance(refused_, intake_actions.UploadGone):
            form = replace(form, staged=())
        reply = Reply(title=guard.sentence_of(refused_, lang), kind="late", alert=True)
        return _page(request, held, act, form, more=more, reply=reply, status=guard.status_of(refused_))
    return _done(request, held, done)


def _screened(request: HttpRequest, held: Held, act: Act, form: Small) -> HttpResponse:
    """Show the lawful route; nothing of what was typed is kept, staged files go too."""
    intake_actions.discard(tokens=[file.token for file in form.staged], store=Folder(settings.STORE))
    field = act.texts[0]
    context = {
        "route": route_of(request),
        "given": {"text": form.values[field], "key": form.key},
        "field": field,
        "rest": [(name, value) for name, value in form.values.items() if name != field],
        "form": reverse(act.word, kwargs={"code": held.code}),
        "draft": f"act-{held.appeal_id}",
    }
    return render(request, "resident/screened.html", context, status=422)


def _form(request: HttpRequest, held: Held, *names: str) -> Small:
    values = {name: request.POST.get(name, "") for name in names}
    return Small(key=fields.key_of(request, held.moment), values=values, staged=fields.staged_before(request))


# --- the acts ----------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@holding
def rate(request: HttpRequest, held: Held) -> HttpResponse:
    """/q/<code>/rate/: the resident's own word on the result."""
    lang, charter = language_of(request), held.moment.charter
    form = _form(request, held, "solved", "satisfaction", "words")
    more = {
        "questions": progress.rating_questions(dict(form.values)),
        "redo_term": wording.term(charter, "redo", held.case.urgency.value, lang),
    }
    if not progress.may_rate(held):
        if progress.rating_of(held, lang):
            messages.info(request, world.texts().say("refusal.already_done", lang))
        else:
            messages.warning(request, world.texts().say("refusal.rating_closed", lang))
        return _to_progress(held)
    if request.method != "POST":
        more["questions"] = progress.rating_questions({"solved": request.GET.get("solved", "")})
    if request.method != "POST" or "back" in request.POST:
        return _page(request, held, RATE, form, more=more)
    own = fields.words(request, "words", limit=charter.text.characters)
    missing = {
        name: world.texts().say(f"input.{name}_missing", lang)
        for name, kind in (("solved", Solved), ("satisfaction", Satisfaction))
        if form.values[name] not in {one.value for one in kind}
    }

    def action(once: ledger.Once, files: tuple[Staged, ...]) -> object:
        count_hit(f"rating|{address_of(request)}", charter.rates.rating_per_address, held.moment)
        return visits_actions.rate(
            case_id=held.case.id,
            appeal_id=held.appeal_id,
            moment=held.moment,
            solved=Solved(form.values["solved"]),
            satisfaction=Satisfaction(form.values["satisfaction"]),
            words=own.clean,
            once=once,
        )

    unhappy = form.values["solved"] == Solved.NO or form.values["satisfaction"] == Satisfaction.NOT
    done = _("记下了，会重新办。") if unhappy else _("记下了，谢谢您。")
    return _send(request, held, RATE, form.with_errors(missing), {"words": own}, action, done=done, more=more)


@require_http_methods(["GET", "HEAD", "POST"])
@holding
def add(request: HttpRequest, held: Held) -> HttpResponse:
    """/q/<code>/add/: more words or pictures."""
    if away := _open(request, held, ADD):
        return away
    form = _form(request, held, "text")
    if request.method != "POST" or "back" in request.POST:
        return _page(request, held, ADD, form)
    said = fields.words(request, "text", limit=held.moment.charter.text.characters)

    def action(once: ledger.Once, files: tuple[Staged, ...]) -> object:
        return cases_actions.take(
            case_id=held.case.id,
            step=cases_steps.SUPPLEMENT,
            moment=held.moment,
            texts={"note": said.clean} if said.clean else {},
            files=files,
            once=once,
            appeal_id=held.appeal_id,
        )

    return _send(request, held, ADD, form, {"text": said}, action, done=_("补充的收到了，办的人会看到。"))


@require_http_methods(["GET", "HEAD", "POST"])
@holding
def answer(request: HttpRequest, held: Held) -> HttpResponse:
    """/q/<code>/answer/: the answer to what the centre asked."""
    if away := _open(request, held, ANSWER):
        return away
    form, more = _form(request, held, "text"), {"question": story.question(held)}
    if request.method != "POST" or "back" in request.POST:
        return _page(request, held, ANSWER, form, more=more)
    limit = held.moment.charter.text.characters
    said = fields.words(request, "text", limit=limit, needed="answer_missing")

    def action(once: ledger.Once, files: tuple[Staged, ...]) -> object:
        return cases_actions.take(
            case_id=held.case.id,
            step=cases_steps.ANSWER,
            moment=held.moment,
            texts={"answer": said.clean},
            files=files,
            once=once,
            appeal_id=held.appeal_id,
        )

    done = _("回答收到了，接着往下办。")
    return _send(request, held, ANSWER, form, {"text": said}, action, done=done, more=more)


@require_http_methods(["GET", "HEAD", "POST"])
@holding
def urge(request: HttpRequest, held: Held) -> HttpResponse:
    """/q/<code>/urge/: ask them to hurry, once a day."""
    if away := _open(request, held, URGE):
        return away
    form = _form(request, held)
    if request.method != "POST":
        refused = held.why_not(cases_steps.URGE)
        if refused is not None:
            messages.info(request, guard.sentence_of(refused, language_of(request)))
            return _to_progress(held)
        return _page(request, held, URGE, form)

    def action(once: ledger.Once, files: tuple[Staged, ...]) -> object:
        return cases_actions.take(
            case_id=held.case.id, step=cases_steps.URGE, moment=held.moment, once=once, appeal_id=held.appeal_id
        )

    return _send(request, held, URGE, form, {}, action, done=_("替您催了，他们会看到。"))


@require_http_methods(["GET", "HEAD", "POST"])
@holding
def place(request: HttpRequest, held: Held) -> HttpResponse:
    """/q/<code>/place/: the place was wrong."""
    if away := _open(request, held, PLACE):
        return away
    form = _form(request, held, "place")
    if request.method != "POST" or "back" in request.POST:
        return _page(request, held, PLACE, form)
    said = fields.words(request, "place", limit=intake_rules.ADDRESS_LENGTH, needed="place_missing")

    def action(once: ledger.Once, files: tuple[Staged, ...]) -> object:
        return cases_actions.take(
            case_id=held.case.id,
            step=cases_steps.CORRECT_PLACE,
            moment=held.moment,
            texts={"place": said.clean},
            once=once,
            appeal_id=held.appeal_id,
        )

    done = _("改好的地点记下了，办的人会看到。")
    return _send(request, held, PLACE, form, {"place": said}, action, done=done)


@require_http_methods(["GET", "HEAD", "POST"])
@holding
def withdraw(request: HttpRequest, held: Held) -> HttpResponse:
    """/q/<code>/withdraw/: take the telling back, after a question whether that is meant."""
    if away := _open(request, held, WITHDRAW):
        return away
    form = _form(request, held, "reason")
    # Others may tell of the same matter: then he leaves it, and it goes on for them.
    others = isinstance(held.why_not(cases_steps.WITHDRAW), cases_steps.OthersStillAsk)
    step = cases_steps.LEAVE if others else cases_steps.WITHDRAW
    more = {"others": others}
    if request.method != "POST" or "back" in request.POST:
        return _page(request, held, WITHDRAW, form, more=more)
    said = fields.words(request, "reason", limit=held.moment.charter.text.characters)

    def action(once: ledger.Once, files: tuple[Staged, ...]) -> object:
        return cases_actions.take(
            case_id=held.case.id,
            step=step,
            moment=held.moment,
            texts={"reason": said.clean} if said.clean else {},
            once=once,
            appeal_id=held.appeal_id,
        )

    return _send(request, held, WITHDRAW, form, {"reason": said}, action, done=_("撤回了。"), more=more)
