"""The promises of a case as a resident sees them: the ribbon, and what happens next with its times.

Drawn from the duties and from nothing else. What an office owes another office (signing, reviewing, dispatching) is no
promise to the resident and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from fuzhengtong.cases.queries import DutyView
from fuzhengtong.cases.states import State
from fuzhengtong.directory import world
from fuzhengtong.web import ribbon
from fuzhengtong.web.resident import wording
from fuzhengtong.web.resident.held import Held

TO_RESIDENTS = (
    "accept",
    "info",
    "assign",
    "on_site",
    "first_response",
    "progress_visit",
    "interim_reply",
    "finish",
    "redo",
    "satisfaction_visit",
    "hard_visit",
)
# The steps every matter still has before it, where no duty speaks of them yet.
_FOLLOWING: Mapping[State, tuple[str, ...]] = {
    State.RECEIVED: ("assign", "finish", "satisfaction_visit"),
    State.NEED_INFO: ("accept", "assign", "finish", "satisfaction_visit"),
    State.ACCEPTED: ("finish", "satisfaction_visit"),
    State.ASSIGNED: ("satisfaction_visit",),
    State.WORKING: ("satisfaction_visit",),
    State.REDO: ("satisfaction_visit",),
    State.REVIEW: ("satisfaction_visit",),
}
# The narrowest column there is: 320 px less the margins of the page.
_WIDTH = 288
_FARTHEST = timedelta(days=800)


def of_resident(held: Held) -> tuple[DutyView, ...]:
    """Return the promises made to this teller, kept and open, without those that were given up."""
    return tuple(
        duty
        for duty in held.view.duties
        if duty.kind in TO_RESIDENTS and duty.voided_at is None and duty.appeal_id in (None, held.appeal_id)
    )


def drawn(held: Held, *, names: Mapping[int, str], lang: str, elder: bool) -> ribbon.Ribbon:
    """Draw the promise ribbon of an appeal, large."""
    moment, case = held.moment, held.case
    telling = wording.telling_of(moment, lang, case.county_code)
    ticks = [_tick(duty, names, lang) for duty in of_resident(held)]
    last = max([moment.at, *(tick.due for tick in ticks)])
    return ribbon.draw(
        start=held.telling.received_at,
        now=moment.at,
        ticks=ticks,
        closed_days=_closed(held.telling.received_at, min(last, held.telling.received_at + _FARTHEST), telling),
        size="l",
        width=_WIDTH,
        words=telling.words,
        zone=telling.zone,
        is_working=telling.is_working,
        ended=not case.is_open,
        text=20 if elder else 16,
    )


def _tick(duty: DutyView, names: Mapping[int, str], lang: str) -> ribbon.Tick:
    return ribbon.Tick(
        name=world.texts().say(f"duty.{duty.kind}", lang),
        kind=duty.kind,
        due=duty.due_at,
        met=duty.met_at,
        paused_from=duty.paused_at,
        owner=names.get(duty.owed_by, ""),
        unit=duty.unit,
        provisional=duty.provisional,
    )


def _closed(start: datetime, end: datetime, telling: wording.said.Saying) -> list[tuple[datetime, datetime]]:
    local = start.astimezone(telling.zone)
    first = local.replace(hour=0, minute=0, second=0, microsecond=0)
    days = (first + timedelta(days=step) for step in range((end - start).days + 2))
    return [(day, day + timedelta(days=1)) for day in days if not telling.is_working(day.date())]


@dataclass(frozen=True)
class Next:
    """One thing that will happen: when, and what it means for the resident."""

    kind: str
    when: str
    what: str


def coming(held: Held, *, names: Mapping[int, str], lang: str) -> tuple[Next, ...]:
    """Say what happens next, in order: open promises with their times, then what follows them by the charter."""
    telling = wording.telling_of(held.moment, lang, held.case.county_code)
    owed = [duty for duty in of_resident(held) if duty.met_at is None and duty.paused_at is None]
    said = [
        Next(duty.kind, *_said(duty, wording.term_end(duty.due_at, telling), names, held, lang))
        for duty in sorted(owed, key=lambda duty: (duty.due_at, duty.id))
    ]
    there = {duty.kind for duty in owed}
    charter, urgency = held.moment.charter, held.case.urgency.value
    said += [
        Next(kind, *_LATER[kind](wording.term(charter, kind, urgency, lang)))
        for kind in _FOLLOWING.get(held.case.state, ())
        if kind not in there
    ]
    return tuple(said)


def _said(duty: DutyView, due: str, names: Mapping[int, str], held: Held, lang: str) -> tuple[str, str]:
    who = names.get(duty.owed_by, "")
    if duty.due_at < held.moment.at:
        name = world.texts().say(f"duty.{duty.kind}", lang)
        return _("“%(duty)s”晚了，还欠着您") % {"duty": name}, _("应在 %(due)s 前，%(who)s") % {"due": due, "who": who}
    return _OPEN[duty.kind](due, who)


def _open_accept(due: str, who: str) -> tuple[str, str]:
    return _("%(due)s 前，告诉您受理没有") % {"due": due}, _("受理了，就正式开始办。不归我们管的，告诉您该找谁。")


def _open_assign(due: str, who: str) -> tuple[str, str]:
    return _("%(due)s 前，交给办理单位") % {"due": due}, _("交给哪个单位，这里会写明。")


def _open_on_site(due: str, who: str) -> tuple[str, str]:
    return _("%(due)s 前，有人到现场") % {"due": due}, who


def _open_first_response(due: str, who: str) -> tuple[str, str]:
    return _("%(due)s 前，先联系您") % {"due": due}, who


def _open_progress(due: str, who: str) -> tuple[str, str]:
    return _("%(due)s 前，跟您说一次进展") % {"due": due}, who


def _open_interim(due: str, who: str) -> tuple[str, str]:
    return _("%(due)s 前，先给一个阶段性答复") % {"due": due}, who


def _open_finish(due: str, who: str) -> tuple[str, str]:
    return _("最晚 %(due)s，办完并答复您") % {"due": due}, who


def _open_redo(due: str, who: str) -> tuple[str, str]:
    return _("最晚 %(due)s，重新办好") % {"due": due}, who


def _open_visit(due: str, who: str) -> tuple[str, str]:
    return _("%(due)s 前，问您解决了没有、满不满意") % {"due": due}, _("您说没解决，就重新办。")


def _open_hard(due: str, who: str) -> tuple[str, str]:
    return _("%(due)s 前，专门回访您一次") % {"due": due}, who


def _open_info(due: str, who: str) -> tuple[str, str]:
    return _("%(due)s 前，请您回答一个问题") % {"due": due}, _("不回答也会办，只是可能办不准。")


def _later_accept(span: str) -> tuple[str, str]:
    return _("您回答以后，接着受理"), _("受理的时限这会儿停着，不算您的时间。")


def _later_assign(span: str) -> tuple[str, str]:
    return _("受理后 %(span)s内，交给办理单位") % {"span": span}, _("交给哪个单位，这里会写明。")


def _later_finish(span: str) -> tuple[str, str]:
    return _("交办后 %(span)s内，办完并答复您") % {"span": span}, _(
        "早交办，就早到期。法律另有规定的，会告诉您是哪一条。"
    )


def _later_visit(span: str) -> tuple[str, str]:
    return _("办完后 %(span)s内，问您解决了没有") % {"span": span}, _("您说没解决，就重新办。")


_OPEN: Mapping[str, Callable[[str, str], tuple[str, str]]] = {
    "accept": _open_accept,
    "info": _open_info,
    "assign": _open_assign,
    "on_site": _open_on_site,
    "first_response": _open_first_response,
    "progress_visit": _open_progress,
    "interim_reply": _open_interim,
    "finish": _open_finish,
    "redo": _open_redo,
    "satisfaction_visit": _open_visit,
    "hard_visit": _open_hard,
}
_LATER: Mapping[str, Callable[[str], tuple[str, str]]] = {
    "accept": _later_accept,
    "assign": _later_assign,
    "finish": _later_finish,
    "satisfaction_visit": _later_visit,
}
