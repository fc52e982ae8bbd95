"""Take a step at a desk: parse the form, one action, back to the case. A refusal shows the case with the words kept.

Sent twice, a form changes nothing twice: its key is stored with the step, and the second sending leads to the same
page. Two people at once: the second one sees what the first one did, his own words still in the form.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.datastructures import MultiValueDict

from fuzhengtong.accounts import queries as accounts_queries
from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import ledger
from fuzhengtong.cases import rules as cases_rules
from fuzhengtong.cases import steps as cases_steps
from fuzhengtong.cases.queries import CaseView
from fuzhengtong.cases.states import AssignmentState, DutyKind
from fuzhengtong.charter.moment import Moment
from fuzhengtong.connectors.store import Folder
from fuzhengtong.intake import actions as intake_actions
from fuzhengtong.intake import rules as intake_rules
from fuzhengtong.kernel import typed
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.oversight import actions as oversight_actions
from fuzhengtong.procedure import catalogue
from fuzhengtong.visits import actions as visits_actions
from fuzhengtong.visits import steps as visits_steps
from fuzhengtong.web import guard, rates
from fuzhengtong.web import uploads as arriving
from fuzhengtong.web.desk import case, forms, frame, inbox
from fuzhengtong.web.desk.gate import desk_page
from fuzhengtong.web.moment import address_of, language_of

KEY_LENGTH = 64
UPLOAD = "upload"


@dataclass(frozen=True, slots=True)
class Sent:
    """One form as an action needs it."""

    view: CaseView
    facts: Mapping[str, Any]
    moment: Moment
    expect: int | None
    once: ledger.Once | None
    appeal_id: int | None = None
    files: tuple[cases_actions.Staged, ...] = ()

    def taken(self, step: cases_steps.Step, *, texts: tuple[str, ...] = (), **facts: Any) -> None:
        """Take a step of the main procedure with the form's facts; empty texts are left out."""
        said = {name: str(self.facts[name]) for name in texts if self.facts.get(name)}
        cases_actions.take(
            case_id=self.view.case.id,
            step=step,
            moment=self.moment,
            texts=said,
            files=self.files,
            expect=self.expect,
            once=self.once,
            **facts,
        )


def _sign(sent: Sent) -> None:
    own = [
        row
        for row in sent.view.snapshot.assignments
        if row.office_id == sent.moment.by.office and row.state == AssignmentState.OPEN
    ]
    if not own:
        raise cases_rules.NotNow(step="sign", state=sent.view.case.state.value)
    sent.taken(cases_steps.SIGN, assignment_id=own[0].id)


def _contact(sent: Sent) -> None:
    facts = sent.facts
    sent.taken(
        cases_steps.CONTACT,
        texts=("note",),
        contacted_at=facts["contacted_at"],
        how=facts["how"],
        reached=facts["reached"],
    )


def _finish(sent: Sent) -> None:
    sent.taken(cases_steps.FINISH, texts=("result", "reply"), true_account=sent.facts["true_account"])


def _attempt(sent: Sent) -> None:
    # The promise that the call was made for: the satisfaction visit before the progress visit.
    kinds = (DutyKind.SATISFACTION_VISIT, DutyKind.PROGRESS_VISIT, DutyKind.HARD_VISIT)
    owed = [kind for kind in kinds if _owes(sent, kind)]
    if not owed:
        raise visits_steps.NoVisitDue
    sent.taken(
        visits_steps.ATTEMPT,
        appeal_id=sent.appeal_id,
        kind=owed[0],
        how=sent.facts["how"],
        outcome=sent.facts["outcome"],
    )


def _owes(sent: Sent, kind: DutyKind) -> bool:
    about = None if kind == DutyKind.HARD_VISIT else sent.appeal_id
    return sent.view.snapshot.open_duty(kind, about) is not None


def _appeal(sent: Sent) -> int:
    if sent.appeal_id is None:
        raise cases_steps.NoSuchAppeal
    return sent.appeal_id


def _called(sent: Sent, step: cases_steps.Step) -> None:
    sent.taken(step, texts=("words",), appeal_id=_appeal(sent), result=sent.facts["result"], how=sent.facts["how"])


def _visit(sent: Sent) -> None:
    facts = sent.facts
    visits_actions.visit(
        case_id=sent.view.case.id,
        appeal_id=_appeal(sent),
        moment=sent.moment,
        expect=sent.expect,
        once=sent.once,
        **{
            name: facts[name]
            for name in ("result", "how", "contacted", "solved", "satisfaction", "account_true", "words")
        },
    )


def _supervise(sent: Sent) -> None:
    oversight_actions.supervise(
        case_id=sent.view.case.id,
        level=sent.facts["level"],
        reason=sent.facts["reason"],
        moment=sent.moment,
        expect=sent.expect,
        once=sent.once,
    )


def _reply(sent: Sent) -> None:
    owed = case.orders(sent.view.snapshot, sent.moment.by)
    if not owed:
        raise cases_rules.NotNow(step="reply_supervision", state=sent.view.case.state.value)
    oversight_actions.reply(
        case_id=sent.view.case.id,
        about=owed[0],
        text=sent.facts["reply"],
        moment=sent.moment,
        expect=sent.expect,
        once=sent.once,
    )


TAKE: dict[str, Callable[[Sent], None]] = {
    "sign": _sign,
    "contact": _contact,
    "arrive": lambda sent: sent.taken(cases_steps.ARRIVE, texts=("note",)),
    "note": lambda sent: sent.taken(cases_steps.NOTE, texts=("note",), public=sent.facts["public"]),
    "interim_reply": lambda sent: sent.taken(
        cases_steps.INTERIM_REPLY, texts=("reply",), promised_on=sent.facts["promised_on"]
    ),
    "finish": _finish,
    "review": lambda sent: sent.taken(cases_steps.REVIEW, texts=("note",)),
    "send_back": lambda sent: sent.taken(cases_steps.SEND_BACK, texts=("reason",)),
    "ask_info": lambda sent: sent.taken(cases_steps.ASK_INFO, texts=("question",)),
    "progress_visit": lambda sent: _called(sent, visits_steps.PROGRESS_VISIT),
    "visit": _visit,
    "hard_visit": lambda sent: _called(sent, visits_steps.HARD_VISIT),
    "attempt": _attempt,
    "supervise": _supervise,
    "reply_supervision": _reply,
}


def form_key(request: HttpRequest) -> str:
    """Return the key that a form carries; '' where it has none of ours."""
    key = request.POST.get("key", "")
    return key if 0 < len(key) <= KEY_LENGTH and key.isalnum() else ""


def once_of(request: HttpRequest, moment: Moment) -> ledger.Once | None:
    """Return the idempotency row of a form that was sent."""
    key = form_key(request)
    if not key:
        return None
    return ledger.Once(
        client=f"desk:{moment.by.principal}", key=key, body_hash=body_hash(request), status=303, answer=b""
    )


def body_hash(request: HttpRequest) -> bytes:
    """Return the hash of what was typed, without the token and the version of the page."""
    digest = hashlib.sha256(request.path.encode())
    for name, values in sorted(request.POST.lists()):
        if name not in ("csrfmiddlewaretoken", "expect", "back", UPLOAD):
            digest.update(repr((name, values)).encode())
    return digest.digest()


def was_taken(once: ledger.Once | None) -> bool:
    """Tell whether this very form was sent before; refuse its key where it says something else now."""
    if once is None:
        return False
    row = accounts_queries.remembered(client=once.client, key=once.key)
    if row is None:
        return False
    if bytes(row.body_hash) != once.body_hash:
        raise intake_actions.KeyReused
    return True


def twin_took(once: ledger.Once | None) -> bool:
    """Tell whether a twin of this form was faster: both clicks of a double click come in before either is stored."""
    row = accounts_queries.remembered(client=once.client, key=once.key) if once else None
    return row is not None and once is not None and bytes(row.body_hash) == once.body_hash


def expected(request: HttpRequest) -> int | None:
    """Return the version of the case that the page showed."""
    return typed.number(request.POST.get("expect"))


def _uploads(request: HttpRequest, moment: Moment) -> list[dict[str, str]]:
    """Stage the files of a form and return them with those staged before: token and name."""
    kept = []
    for pair in request.POST.getlist(UPLOAD)[:20]:
        token, _, name = pair.partition("|")
        kept.append({"token": token[:80], "name": name[:80]})
    files: MultiValueDict[str, UploadedFile] = request.FILES
    for given in files.getlist("files"):
        rates.count_hit(f"upload|{address_of(request)}", moment.charter.rates.upload_per_address, moment)
        name = given.name or ""
        token = intake_actions.stage(data=given.read(), name=name, moment=moment, store=Folder(settings.STORE))
        kept.append({"token": token, "name": name[:80]})
    return kept


@desk_page(methods=("GET", "POST"))
def take(request: HttpRequest, moment: Moment, number: str, word: str) -> HttpResponse:
    """POST /desk/case/<number>/<step>/: take one step; a GET leads to the page with its form."""
    form = forms.BY_WORD.get(word)
    if form is None:
        raise cases_actions.NotFound
    if request.method != "POST":
        return HttpResponseRedirect(inbox.address("desk-case", number, do=word))
    view = case.view_of(moment, number)
    read = forms.read(form, request.POST, moment)
    appeal = request.POST.get("appeal", "")
    kept = case.Kept(word=word, values=read.values, errors=read.errors, appeal=appeal)
    try:
        for words in forms.own_words(form, request.POST):
            intake_rules.screen(words, moment.charter)
    except intake_rules.Screened:
        # Before anything is written: the resident's words come through a colleague, and stay on the page alone.
        return case.page(request, moment, view, replace(kept, sentence=_route(request, moment), status=422))
    once = once_of(request, moment)
    try:
        if was_taken(once):
            return _onward(request, number, word)
        uploads = _uploads(request, moment) if "files" in catalogue.step(word).facts.__struct_fields__ else []
        left = [arriving.sentence_of(one, language_of(request)) for one in arriving.left_of(request)]
        kept = replace(kept, uploads=tuple(uploads), sentence=" ".join(left))
        if read.errors or left:
            return case.page(request, moment, view, replace(kept, status=422))
        files = intake_actions.staged(tokens=[one["token"] for one in uploads], moment=moment)
        appeal_id = typed.number(appeal)
        TAKE[word](
            Sent(
                view=view, facts=read.facts, moment=moment, expect=expected(request), once=once, appeal_id=appeal_id,
                files=files,
            )
        )  # fmt: skip
    except cases_actions.NotFound:
        raise
    except Refused as refused:
        if not twin_took(once):
            return _refused(request, moment, number, kept, refused)
    except IntegrityError:
        # Nothing but the key of the form can stand in the way of an entry that was planned under the lock.
        if not twin_took(once):
            raise
    return _onward(request, number, word)


def _route(request: HttpRequest, moment: Moment) -> str:
    """Say what to tell a resident whose words belong to the discipline authority, and that nothing was kept."""
    route = moment.charter.lawful_route
    body = route.body_en if language_of(request) == "en" else route.body
    return frame.say(request, "desk.screened", body=body, phone=route.phone, website=route.website)


def _refused(request: HttpRequest, moment: Moment, number: str, kept: case.Kept, refused: Refused) -> HttpResponse:
    """Show the case as it stands by now, with the sentence and everything that was typed."""
    fresh = case.view_of(moment, number)
    sentence = guard.sentence_of(refused, language_of(request))
    offered = {step.word for step in catalogue.offered(fresh.snapshot, moment.by)}
    if kept.word not in offered and isinstance(refused, cases_rules.Overtaken | cases_rules.NotNow):
        sentence = frame.say(request, "refusal.step_gone")
    return case.page(request, moment, fresh, replace(kept, sentence=sentence, status=guard.status_of(refused)))


def _onward(request: HttpRequest, number: str, word: str) -> HttpResponse:
    asked = {name: request.GET.get(name, "") for name in ("queue", "after")}
    return HttpResponseRedirect(inbox.address("desk-case", number, done=word, **asked), status=303)
