"""The page of one case: its tellings, facts, work and ledger, and everything this post may do with it now.

One GET shows it (12 statements at most, the list beside it included); `taking` shows it again when a step was refused,
with the words that were typed. Names and phones stay masked: opening them is an action of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import permits
from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.cases.queries import CaseView, Telling
from fuzhengtong.cases.states import AssignmentState, CaseKind, DutyKind, Snapshot, Urgency
from fuzhengtong.cases.steps import Step
from fuzhengtong.charter.moment import Actor, Moment
from fuzhengtong.kernel import numbers
from fuzhengtong.procedure import catalogue
from fuzhengtong.web import ribbon
from fuzhengtong.web.desk import forms, frame, inbox, lines, names, shown
from fuzhengtong.web.desk.gate import desk_page
from fuzhengtong.web.moment import language_of

REASONS = ("contact", "visit", "verify", "other")
# What of the ledger is shown at once; the rest is one press away.
NEWEST = 8
# Taken on the page of dispatch, together.
DISPATCHED = frozenset({"accept", "assign"})
# What the desk does first in each state; the first that is offered is the one red button of the page.
FIRST = (
    "dispatch",
    "sign",
    "visit",
    "progress_visit",
    "hard_visit",
    "finish",
    "review",
    "contact",
    "reply_supervision",
)


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that must be so before a step: whether it is, and the sentence."""

    met: bool
    word: str


@dataclass(frozen=True, slots=True)
class Act:
    """One thing the viewer may do now: its word, consequence, key and address; `why_not` where it cannot be yet.

    `key` is the key of the keyboard; `once` the key of its form, where one press does it.
    """

    word: str
    name: str
    then: str
    href: str
    key: str = ""
    why_not: str = ""
    needs: tuple[Need, ...] = ()
    at_once: bool = False
    once: str = ""
    here: bool = False


@dataclass(frozen=True, slots=True)
class Input:
    """One field of an open form, ready for the page."""

    name: str
    kind: str
    label: str
    value: str = ""
    error: str = ""
    hint: str = ""
    required: bool = False
    rows: int = 3
    long: bool = False
    options: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """The form that is open on the page."""

    word: str
    name: str
    then: str
    action: str
    key: str
    expect: int
    inputs: tuple[Input, ...]
    appeal: str = ""
    appeal_word: str = ""
    script: tuple[str, ...] = ()
    uploads: tuple[Mapping[str, str], ...] = ()
    close: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was typed before a step was refused: shown again, so that no sentence is lost."""

    word: str
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    sentence: str = ""
    uploads: tuple[Mapping[str, str], ...] = ()
    appeal: str = ""
    status: int = 200


# --- what may be done ----------------------------------------------------------------------------------------------


def _may_really(word: str, snapshot: Snapshot, by: Actor) -> bool:
    """Tell whether a step that is offered has something to speak of: an assignment, a promise, an order."""
    owed = {duty.kind for duty in snapshot.duties if duty.is_open}
    match word:
        case "sign":
            return any(row.office_id == by.office and row.state == AssignmentState.OPEN for row in snapshot.assignments)
        case "arrive":
            return DutyKind.ON_SITE in owed
        case "progress_visit":
            return DutyKind.PROGRESS_VISIT in owed
        case "visit":
            return DutyKind.SATISFACTION_VISIT in owed
        case "hard_visit":
            return DutyKind.HARD_VISIT in owed
        case "attempt":
            return bool(owed & {DutyKind.PROGRESS_VISIT, DutyKind.SATISFACTION_VISIT, DutyKind.HARD_VISIT})
        case "reply_supervision":
            return bool(orders(snapshot, by))
        case _:
            return word in forms.BY_WORD


def orders(snapshot: Snapshot, by: Actor) -> list[int]:
    """List the orders of supervision that the viewer's office has still to answer, the oldest first."""
    return [
        duty.about
        for duty in snapshot.duties
        if duty.is_open and duty.kind == DutyKind.SUPERVISION_REPLY and duty.owed_by == by.office
    ]


def appeals_for(word: str, snapshot: Snapshot) -> list[int]:
    """List the tellings that a visit may speak of: those to whom it is owed."""
    kinds = {
        "progress_visit": (DutyKind.PROGRESS_VISIT,),
        "visit": (DutyKind.SATISFACTION_VISIT,),
        "hard_visit": (DutyKind.HARD_VISIT,),
        "attempt": (DutyKind.SATISFACTION_VISIT, DutyKind.PROGRESS_VISIT, DutyKind.HARD_VISIT),
    }.get(word, ())
    found = []
    for duty in snapshot.duties:
        if duty.is_open and duty.kind in kinds:
            found += [duty.appeal_id] if duty.appeal_id else [row.id for row in snapshot.live_appeals]
    return list(dict.fromkeys(found))


def _needs(word: str, snapshot: Snapshot) -> tuple[Need, ...]:
    if word != "finish":
        return ()
    case = snapshot.known
    found = []
    if any(row.resident_id is not None for row in snapshot.live_appeals):
        found.append(Need(case.contacted_at is not None, _("联系过反映人")))
    assists = [row for row in snapshot.assignments if row.role.value == "assist"]
    if assists:
        done = sum(row.state not in (AssignmentState.OPEN, AssignmentState.SIGNED) for row in assists)
        found.append(Need(done == len(assists), _("协办结果 %(done)s / %(all)s") % {"done": done, "all": len(assists)}))
    return tuple(found)


def why_not(word: str, snapshot: Snapshot) -> str:
    """Say why a step that this post is offered cannot be taken of this case; empty where it can."""
    if word == "ask_info" and snapshot.known.urgency == Urgency.CRITICAL:
        return _("特急的事不能停下等补充")
    return ""


def acts(request: HttpRequest, view: CaseView, moment: Moment, *, doing: str) -> list[Act]:
    """List what the viewer may do with the case now, from the table of steps, the first thing first."""
    snapshot, by, lang = view.snapshot, moment.by, language_of(request)
    case = snapshot.known
    offered: Sequence[Step] = catalogue.offered(snapshot, by)
    words = [step.word for step in offered if _may_really(step.word, snapshot, by)]
    if DISPATCHED & {step.word for step in offered}:
        words.insert(0, "dispatch")
    facts = shown.terms(moment, urgency=case.urgency.value, lang=lang)
    found = []
    for word in sorted(words, key=lambda one: FIRST.index(one) if one in FIRST else len(FIRST)):
        if word == "dispatch":
            href = inbox.address("desk-dispatch", case.number, queue=request.GET.get("queue", ""))
            then = _("看原话、定地点和类别，一键交给单位")
            found.append(Act(word, _("分拨"), then, href, key="a"))
            continue
        form = forms.BY_WORD[word]
        needs = _needs(word, snapshot)
        found.append(
            Act(
                word=word,
                name=frame.say(request, f"step.{word}.name"),
                then=frame.say(request, f"step.{word}.then", **facts),
                href=_here(request, case.number, do=word) + "#do",
                key=form.key,
                why_not=why_not(word, snapshot),
                needs=needs,
                at_once=not form.fields,
                once="" if form.fields else moment.mint.token(16).hex(),
                here=word == doing,
            )
        )
    return found


def address_of_case(request: HttpRequest, number: str) -> str:
    """Return the address of a case in the list from which it was opened."""
    return _here(request, number)


def _here(request: HttpRequest, number: str, **more: str) -> str:
    asked = {name: request.GET.get(name, "") for name in ("queue", "after", *cases_queries.LIST_FILTERS)}
    return inbox.address("desk-case", number, **(asked | more))


# --- the open form -------------------------------------------------------------------------------------------------


def _input(one: forms.Field, kept: Kept, moment: Moment, lang: str) -> Input:
    value = kept.values.get(one.name, "")
    if not value and not kept.values:
        value = _first_value(one, moment)
    options = tuple(
        {"value": code, "word": lines.say(f"desk.{one.group}.{code}", lang) or code} for code in one.options
    )
    return Input(
        name=one.name,
        kind=one.kind,
        label=_(one.label),
        value=value,
        error=kept.errors.get(one.name, ""),
        hint=_(one.hint) if one.hint else "",
        required=one.required,
        rows=one.rows,
        long=one.long,
        options=options,
    )


def _first_value(one: forms.Field, moment: Moment) -> str:
    local = moment.charter.clock.local(moment.at)
    if one.kind == "datetime":
        return f"{local:%Y-%m-%dT%H:%M}"
    if one.kind != "segments":
        return ""
    return {"result": "reached", "true_account": "yes", "level": "3"}.get(one.name, "")


def opened_form(request: HttpRequest, view: CaseView, moment: Moment, kept: Kept, act: Act | None) -> Open | None:
    """Return the form that the address asks for, where the viewer may take that step now."""
    form = forms.BY_WORD.get(kept.word)
    if form is None or act is None or act.why_not:
        return None
    lang, case = language_of(request), view.case
    appeals = [str(one) for one in appeals_for(form.word, view.snapshot)] if form.about_appeal else []
    wanted = kept.appeal or request.GET.get("appeal", "")
    appeal = wanted if wanted in appeals else (appeals[0] if appeals else "")
    telling = next((row for row in view.tellings if str(row.appeal_id) == appeal), None)
    takes_files = "files" in catalogue.step(form.word).facts.__struct_fields__
    return Open(
        word=form.word,
        name=act.name,
        then=act.then,
        action=_here(request, case.number).replace(f"/{case.number}/", f"/{case.number}/{form.word}/", 1),
        key=moment.mint.token(16).hex(),
        expect=case.version,
        inputs=tuple(_input(one, kept, moment, lang) for one in form.fields if one.kind != "files" or takes_files),
        appeal=appeal,
        appeal_word=f"{telling.masked_name} {telling.masked_phone}".strip() if telling and len(appeals) > 1 else "",
        script=tuple(_(sentence) for sentence in form.script),
        uploads=kept.uploads,
        close=_here(request, case.number),
    )


# --- the page ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Work:
    """One office at work on the case."""

    role: str
    office: str
    phone: str
    state: str
    when: datetime | None
    is_done: bool


@dataclass(frozen=True, slots=True)
class TellingShown:
    """One telling with its teller masked, or hidden where he asked for that and this post may not open him."""

    telling: Telling
    who: str
    channel: str
    may_open: bool
    open_href: str
    heard: str
    photos: tuple[cases_queries.File, ...]


def view_of(moment: Moment, number: str) -> CaseView:
    """Return a case by its number for this viewer; what he may not see does not exist (404)."""
    try:
        wanted = numbers.parse(number)
    except numbers.WrongNumber as error:
        raise cases_actions.NotFound from error
    case_id = cases_queries.case_id_of(wanted)
    view = cases_queries.case_view(viewer=moment.by, case_id=case_id) if case_id is not None else None
    if view is None:
        raise cases_actions.NotFound
    return view


def telling_shown(request: HttpRequest, view: CaseView, row: Telling, moment: Moment) -> TellingShown:
    """Return one telling as this post may see it: words in full, the teller masked or hidden."""
    lang = language_of(request)
    may_open = permits.may("open_teller", moment.by, view.snapshot) and not row.anonymous
    hidden = (row.confidential or row.anonymous) and not permits.may("open_teller", moment.by, view.snapshot)
    who = f"{row.masked_name} {row.masked_phone}".strip()
    if row.anonymous:
        who = _("匿名")
    elif hidden:
        # A surname and four digits are enough to know a neighbour by.
        who = _("要求保密")
    elif not who:
        who = _("没有留姓名和电话")
    heard = [
        lines.say(f"desk.{group}.{value}", lang)
        for group, value in (
            ("result", row.visit_result if row.visit_result == "unreachable" else None),
            ("solved", row.solved),
            ("satisfaction", row.satisfaction),
        )
        if value
    ]
    return TellingShown(
        telling=row,
        who=who,
        channel=names.channel(row.channel, moment.at, lang),
        may_open=may_open and bool(row.masked_name or row.masked_phone),
        open_href=_here(request, view.case.number, open=str(row.appeal_id)) + "#do",
        heard=_("，").join(heard),
        photos=tuple(one for one in view.files if one.appeal_id == row.appeal_id and one.purpose == "register"),
    )


def _work(request: HttpRequest, view: CaseView, moment: Moment) -> list[Work]:
    lang = language_of(request)
    offices = names.offices([row.office_id for row in view.snapshot.assignments], moment.at)
    found = []
    for row in view.snapshot.assignments:
        office = offices.get(row.office_id)
        when = {"signed": row.signed_at, "done": row.done_at, "open": row.assigned_at}.get(row.state.value)
        found.append(
            Work(
                role=lines.say(f"desk.role.{row.role.value}", lang),
                office=office.name if office else "",
                phone=office.duty_phone if office else "",
                state=lines.say(f"desk.assignment.{row.state.value}", lang),
                when=when,
                is_done=row.state == AssignmentState.DONE,
            )
        )
    return found


def _is_public(word: str) -> bool:
    try:
        return catalogue.step(word).public
    except catalogue.NoSuchStep:
        return False


def _facts(request: HttpRequest, view: CaseView, moment: Moment) -> list[tuple[str, str, list[lines.Reason]]]:
    """List what is settled about the case, each with the reasons that lie with it."""
    case, lang = view.case, language_of(request)
    explained = lines.explanation(view.lines)
    category = names.category(case.category_id, moment.at)
    levels = [case.county_id, case.town_id, case.community_id, case.grid_id]
    place = names.place([one for one in levels if one is not None], moment.at)
    guess = ""
    if category is None and (code := explained.get("category", {}).get("code")):
        found = next((row for row in names.categories(moment.at).values() if row.code == code), None)
        guess = _("可能是%(name)s") % {"name": found.name} if found else ""
    return [
        (_("地点"), place or _("还没有定"), lines.why(explained, lang, kinds=("place",))),
        (
            _("类别"),
            f"{category.name}{_('（')}{category.level1}{_('）')}" if category else (guess or _("还没有定")),
            lines.why(explained, lang, kinds=("category",)),
        ),
        (
            _("紧要"),
            frame.say(request, f"urgency.{case.urgency.value}"),
            lines.why(explained, lang, kinds=("urgency",)),
        ),
        (_("平台"), names.office_name(case.desk_id, moment.at), []),
        *_past(view, moment),
    ]


def _past(view: CaseView, moment: Moment) -> list[tuple[str, str, list[lines.Reason]]]:
    """Say with their years when a matter was told and closed that came here closed."""
    case = view.case
    if case.kind != CaseKind.HISTORY:
        return []
    times = ((_("收到"), case.received_at), (_("办结"), case.closed_at))
    return [(word, f"{moment.charter.clock.local(at):%Y-%m-%d %H:%M}", []) for word, at in times if at is not None]


def shown_ribbon(view: CaseView, moment: Moment, lang: str) -> ribbon.Ribbon:
    """Draw the large ribbon of a case."""
    case = view.case
    return shown.draw(
        view.duties, start=case.received_at, moment=moment, lang=lang, size="l", width=560, ended=not case.is_open,
        area=case.county_code or None,
    )  # fmt: skip


# In which queue a case stands that was opened by its number, by its state; the first that the post has.
QUEUES_OF = {
    "received": ("at_desk", "received"),
    "accepted": ("at_desk", "received"),
    "need_info": ("need_info",),
    "assigned": ("to_sign",),
    "working": ("working",),
    "redo": ("redo",),
    "review": ("in_review", "to_review"),
}


def _queue(request: HttpRequest, moment: Moment, state: str) -> str:
    """Return the queue to show beside a case: the one it was opened from, else one in which it stands."""
    has = cases_queries.QUEUES.get(moment.by.post_kind, ())
    if request.GET.get("queue", "") in has:
        return request.GET["queue"]
    fitting = [name for name in (*QUEUES_OF.get(state, ()), "open", "done") if name in has]
    return fitting[0] if fitting else inbox.queue_of(request, moment.by)


def page(request: HttpRequest, moment: Moment, view: CaseView, kept: Kept | None = None) -> HttpResponse:
    """Show a case, with the list beside it and the form that is open."""
    lang, case = language_of(request), view.case
    kept = kept or Kept(word=request.GET.get("do", ""))
    queue = _queue(request, moment, case.state.value)
    doable = acts(request, view, moment, doing=kept.word)
    act = next((one for one in doable if one.word == kept.word), None)
    form = opened_form(request, view, moment, kept, act)
    opening = request.GET.get("open", "")
    tellings = [telling_shown(request, view, row, moment) for row in view.tellings]
    done = request.GET.get("done", "")
    ledger = lines.told(view.lines, moment=moment, lang=lang, public=_is_public)
    context: dict[str, Any] = {
        "case": case,
        "number": numbers.grouped(case.number),
        "state": frame.say(request, f"state.{case.state.value}"),
        "chips": shown.chips(
            case, tellers=len(view.snapshot.live_appeals), lang=lang,
            anonymous=bool(view.tellings) and all(row.anonymous for row in view.tellings),
        ),
        "headline": cases_queries.headline(view.tellings[0].text) if view.tellings else "",
        # Nothing was promised here for what came closed.
        "ribbon": None if case.kind == CaseKind.HISTORY else shown_ribbon(view, moment, lang),
        "tellings": tellings,
        "opening": next((row for row in tellings if str(row.telling.appeal_id) == opening and row.may_open), None),
        "reasons": [(code, frame.say(request, f"opening.{code}")) for code in REASONS],
        "facts": _facts(request, view, moment),
        "work": _work(request, view, moment),
        "evidence": [one for one in view.files if one.purpose != "register"],
        "answer": next((row.answer for row in view.tellings if row.answer), ""),
        "ledger": ledger[:NEWEST],
        "earlier": ledger[NEWEST:],
        "ledger_length": len(ledger),
        "acts": doable,
        "form": form,
        "lost": kept.values if kept.values and form is None else {},
        "sentence": kept.sentence,
        "is_open": case.is_open,
        "back": _here(request, case.number, do=kept.word if form else ""),
        "done": frame.say(request, f"step.{done}.name") if done in forms.BY_WORD else "",
        "list_href": inbox.address("desk-inbox", queue=queue, **inbox.filters_of(request)),
        "queues": inbox.queues(request, moment, queue, counted=False),
        "counts_href": inbox.address("desk-queues", queue=queue),
        "keys": inbox.KEYS(),
    }  # fmt: skip
    context |= inbox.listed(request, moment, queue=queue, here=case.number) if queue else {"rows": []}
    return frame.page(request, moment, "case.html", "desk-inbox", context, status=kept.status)


@desk_page()
def case(request: HttpRequest, moment: Moment, number: str) -> HttpResponse:
    """GET /desk/case/<number>/: one case."""
    return page(request, moment, view_of(moment, number))


__all__ = ["Kept", "acts", "appeals_for", "case", "orders", "page", "view_of", "why_not"]
