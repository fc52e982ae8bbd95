"""The page of one appeal: where it stands, the answer, the story, and what its teller may look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.cases import steps as cases_steps
from fuzhengtong.cases.queries import File
from fuzhengtong.cases.states import Satisfaction, Solved, State
from fuzhengtong.connectors.store import Folder, NotStored
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory import world
from fuzhengtong.kernel import crypto, numbers
from fuzhengtong.people import queries as people_queries
from fuzhengtong.web.moment import language_of
from fuzhengtong.web.resident import fields, promises, story, wording
from fuzhengtong.web.resident.held import Held, holding
from fuzhengtong.web.resident.receipt import names_for

_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})


@dataclass(frozen=True)
class Shown:
    """A file on the page."""

    href: str
    name: str
    is_picture: bool
    when: str
    alt: str


@dataclass(frozen=True)
class Way:
    """One more thing the teller can do, as a line that leads to its own page."""

    href: str
    word: str
    icon: str
    note: str = ""


def state_sentence(held: Held, office: str) -> str:
    """Say in one sentence where a matter stands and whose turn it is."""
    somebody = office or _("办理单位")
    return {
        State.RECEIVED: _("收到了，正在看该交给谁办。"),
        State.NEED_INFO: _("有个问题要问您，回答了才好往下办。"),
        State.ACCEPTED: _("受理了，正在交给办理单位。"),
        State.ASSIGNED: _("已经交给%(office)s，等他们签收。") % {"office": somebody},
        State.WORKING: _("%(office)s正在办。") % {"office": somebody},
        State.OBJECTING: _("%(office)s说不归他们管，正在裁定由谁办。") % {"office": somebody},
        State.DESIGNATING: _("正在定由哪个单位办。"),
        State.REVIEW: _("%(office)s说办完了，正在核对。") % {"office": somebody},
        State.VISITING: _("核对过了，等您说一句：解决了吗？"),
        State.REDO: _("没办好，退回%(office)s重新办。") % {"office": somebody},
        State.ON_ACCOUNT: _("眼下条件还不够，已经记在账上，定期再看。"),
        State.CLOSED: _("办结了。"),
        State.ARCHIVED: _("办结了，材料已经归档。"),
        State.WITHDRAWN: _("您撤回了这件事，不再往下办。"),
        State.DECLINED: _("这件事不归这里办，原因和该找谁写在下面。"),
        State.MOVED: _("已经转给该管的地方。"),
        State.MERGED: _("和别人说的是同一件事，一起办，答复还是各有各的。"),
        State.ENDED: _("停止办理了，原因写在下面。"),
    }[held.case.state]


def rating_of(held: Held, lang: str) -> str:
    """Say what the teller said of the result, or nothing."""
    solved, satisfied = held.telling.solved, held.telling.satisfaction
    if not solved or not satisfied:
        return ""
    texts = world.texts()
    comma = ", " if lang == "en" else "，"
    return texts.say(f"solved.{solved}", lang) + comma + texts.say(f"satisfaction.{satisfied}", lang)


def rating_questions(chosen: dict[str, str]) -> list[dict[str, Any]]:
    """Return the two questions of the rating with their answers."""
    solved = {Solved.YES: _("解决了"), Solved.PARTLY: _("一部分"), Solved.NO: _("没解决")}
    satisfied = {
        Satisfaction.SATISFIED: _("满意"),
        Satisfaction.BASICALLY: _("基本满意"),
        Satisfaction.NOT: _("不满意"),
    }
    asked = (("solved", _("解决了吗？"), solved), ("satisfaction", _("满意吗？"), satisfied))
    return [
        {
            "name": name,
            "legend": legend,
            "chosen": chosen.get(name, ""),
            "options": [{"value": one.value, "word": word} for one, word in words.items()],
        }
        for name, legend, words in asked
    ]


def may_rate(held: Held) -> bool:
    """Tell whether the teller may rate now."""
    return held.why_not(cases_steps.RATE, solved=Solved.YES, satisfaction=Satisfaction.SATISFIED) is None


def context_of(request: HttpRequest, held: Held) -> dict[str, Any]:
    """Return everything the page of an appeal shows."""
    lang, names = language_of(request), names_for(held)
    office = names.get(held.case.office_id or 0, "")
    told = held.telling
    rating = may_rate(held)
    answers = story.answers(held, names=names, lang=lang)
    return {
        "held": held,
        "number": numbers.grouped(told.number),
        "headline": cases_queries.headline(told.text),
        "state_word": world.texts().say(f"state.{held.case.state.value}", lang),
        "state_sentence": state_sentence(held, office),
        "ribbon": promises.drawn(held, names=names, lang=lang, elder=request.COOKIES.get("elder") == "1"),
        "coming": promises.coming(held, names=names, lang=lang) if held.case.is_open else (),
        "rating_open": rating,
        "questions": rating_questions({}) if rating else [],
        "redo_term": wording.term(held.moment.charter, "redo", held.case.urgency.value, lang),
        "rated": rating_of(held, lang),
        "key": fields.form_key(held.moment),
        "question": story.question(held),
        "answers": answers,
        "story": story.told(held, names=names, lang=lang),
        "ways": ways(held),
        "photos": [one for one in shown(held, lang) if one.is_picture],
        "papers": [one for one in shown(held, lang) if not one.is_picture],
        "openings": len(people_queries.openings_of(held.appeal_id)),
        "office": office,
        "hotline": held.moment.charter.contact("hotline"),
        "unsolved_href": unsolved_href(held, rating),
        "limit": held.moment.charter.text.characters,
    }


def unsolved_href(held: Held, rating: bool) -> str:
    """Return where "not solved" leads once a rating is no longer taken: a new telling that names this one."""
    over = held.case.state in (State.CLOSED, State.ARCHIVED) and not rating
    return f"{reverse('report')}?again={held.telling.number}" if over else ""


def ways(held: Held) -> list[Way]:
    """List what the teller may do besides, as the procedure offers it to him."""

    def to(name: str) -> str:
        return reverse(name, kwargs={"code": held.code})

    found = []
    if held.may(cases_steps.SUPPLEMENT):
        found.append(Way(to("add"), _("补充几句、再传照片"), "plus"))
    if held.may(cases_steps.URGE):
        refused = held.why_not(cases_steps.URGE)
        if refused is None:
            found.append(Way(to("urge"), _("催一催"), "clock"))
        elif isinstance(refused, cases_steps.UrgedToday):
            found.append(Way("", _("今天催过了"), "clock", _("明天还没有回音，可以再催。")))
    if held.may(cases_steps.CORRECT_PLACE):
        found.append(Way(to("place"), _("地点不对，改一改"), "place"))
    if held.may(cases_steps.WITHDRAW) or held.may(cases_steps.LEAVE):
        found.append(Way(to("withdraw"), _("不办了，撤回"), "close"))
    return found


def shown(held: Held, lang: str) -> list[Shown]:
    """Return the files of the page, oldest first."""
    telling = wording.telling_of(held.moment, lang)
    return [_shown(held, file, telling) for file in held.files]


def _shown(held: Held, file: File, telling: wording.said.Saying) -> Shown:
    when = wording.instant(file.at, telling)
    by = _("办完以后") if file.purpose == "finish" else _("您传的")
    return Shown(
        href=reverse("file", kwargs={"code": held.code, "file_id": file.id}),
        name=file.name,
        is_picture=file.media_type in _PICTURES,
        when=when,
        alt=f"{by} · {when}",
    )


@require_safe
@holding
def progress(request: HttpRequest, held: Held) -> HttpResponse:
    """/q/<code>/: the page of one appeal."""
    return render(request, "resident/progress.html", context_of(request, held))


@require_safe
@holding
def who(request: HttpRequest, held: Held) -> HttpResponse:
    """/q/<code>/who/: who opened the teller's name and number, when and why."""
    lang = language_of(request)
    telling = wording.telling_of(held.moment, lang)
    openings = people_queries.openings_of(held.appeal_id)
    ids = {row.office_id for row in openings if row.office_id}
    names = {row.office_id: row.name for row in directory_queries.offices(ids=ids)} if ids else {}
    rows = [
        {
            "at": row.at.isoformat(),
            "when": wording.ago(row.at, telling),
            "office": names.get(row.office_id or 0, "") or _("工作人员"),
            "reason": row.reason,
        }
        for row in openings
    ]
    context = {"held": held, "number": numbers.grouped(held.telling.number), "rows": rows}
    return render(request, "resident/who.html", context)


@require_safe
@holding
def file(request: HttpRequest, held: Held, file_id: int) -> HttpResponse:
    """/q/<code>/file/<id>/: one file of the appeal; pictures are shown, everything else is saved."""
    if file_id not in {one.id for one in held.files}:
        raise cases_actions.NotFound
    content = cases_queries.content(viewer=held.moment.by, file_id=file_id)
    if content is None:
        raise cases_actions.NotFound
    try:
        sealed = Folder(settings.STORE).get(content.address)
    except NotStored as error:
        raise cases_actions.NotFound from error
    plain = crypto.unseal(key=content.key, sealed=sealed, aad=b"file")
    response = HttpResponse(plain, content_type=content.media_type)
    is_picture = content.media_type in _PICTURES
    disposition = content_disposition_header(not is_picture, content.name)
    if disposition:
        response["Content-Disposition"] = disposition
    # Whatever a file holds, it runs nothing in our name (ASVS 3.2.1).
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    return response
