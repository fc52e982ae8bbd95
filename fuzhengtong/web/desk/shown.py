"""How a case is shown at a desk: its ribbon, its row in a list, its flags, and how long things take in words.

Pure presentation over frozen values of `cases.queries`; called by the pages of this folder. It decides nothing and
never opens what is masked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fuzhengtong.cases.queries import DutyView, Row
from fuzhengtong.cases.states import CaseKind, CaseRow, DutyKind
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import world
from fuzhengtong.kernel import numbers
from fuzhengtong.kernel.due import Unit
from fuzhengtong.web import ribbon
from fuzhengtong.web.desk import names

# What a resident was promised stands on every ribbon; the rest only while it is owed, or where it was late.
MAIN = frozenset({DutyKind.ACCEPT, DutyKind.ASSIGN, DutyKind.FINISH, DutyKind.REDO, DutyKind.SATISFACTION_VISIT})
NEVER = frozenset({DutyKind.ARCHIVE})
LONGEST = timedelta(days=120)


@dataclass(frozen=True, slots=True)
class Chip:
    """One flag in a word; `kind` is late, warn, info, good or nothing."""

    word: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class ListRow:
    """One case as a list shows it."""

    href: str
    number: str
    headline: str
    place: str
    category: str
    channel: str
    chips: tuple[Chip, ...]
    ribbon: ribbon.Ribbon
    here: bool


def term(kind: str, moment: Moment, *, urgency: str = "ordinary", lang: str = "zh-Hans") -> str:
    """Say how long the charter gives for a duty: '1 个工作日'."""
    found = moment.charter.term(kind, urgency)
    return counted(found.length, found.unit, lang)


def counted(length: int, unit: Unit, lang: str) -> str:
    """Say a length with its unit: '3 个工作日'; one of something has its own form in English."""
    part = "one" if length == 1 else "count"
    return world.texts().say(f"unit.{unit.value}.{part}", lang, n=length)


def terms(moment: Moment, *, urgency: str, lang: str) -> dict[str, str]:
    """Say every length that the sentences about consequences may name."""
    kinds = ("sign", "review", "satisfaction_visit", "redo", "info", "supervision_reply")
    return {kind: term(kind, moment, urgency=urgency, lang=lang) for kind in kinds}


def _on_ribbon(duty: DutyView, now: datetime) -> bool:
    if duty.voided_at is not None or duty.kind in NEVER:
        return False
    if duty.kind in MAIN or duty.met_at is None:
        return True
    # The two minutes of dispatch are the desk's own affair once they are over.
    return duty.met_at > duty.due_at and duty.kind != DutyKind.DISPATCH


def ticks(duties: Iterable[DutyView], moment: Moment, lang: str) -> list[ribbon.Tick]:
    """Return the duties of a case as the ribbon draws them; one tick for the same promise to several tellers."""
    shown = [duty for duty in duties if _on_ribbon(duty, moment.at)]
    owners = names.offices([duty.owed_by for duty in shown], moment.at)
    seen: dict[tuple[object, ...], ribbon.Tick] = {}
    for duty in shown:
        office = owners.get(duty.owed_by)
        tick = ribbon.Tick(
            name=world.texts().say(f"duty.{duty.kind}", lang),
            kind=duty.kind,
            due=duty.due_at,
            met=duty.met_at,
            paused_from=duty.paused_at,
            owner=(office.short or office.name) if office else "",
            unit=duty.unit,
            provisional=duty.provisional,
        )
        seen.setdefault((duty.kind, duty.due_at, duty.met_at, duty.paused_at), tick)
    return list(seen.values())


def _rest(moment: Moment, start: datetime, end: datetime, area: str | None) -> list[tuple[datetime, datetime]]:
    zone = moment.charter.clock.zone
    day, last = start.astimezone(zone).date(), min(end, start + LONGEST).astimezone(zone).date()
    found = []
    while day <= last:
        if not moment.calendar.is_working(day, area):
            midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
            found.append((midnight, midnight + timedelta(days=1)))
        day += timedelta(days=1)
    return found


def draw(
    duties: Sequence[DutyView],
    *,
    start: datetime,
    moment: Moment,
    lang: str,
    size: ribbon.Size,
    width: int,
    ended: bool,
    area: str | None = None,
) -> ribbon.Ribbon:
    """Draw the promise ribbon of a case."""
    drawn = ticks(duties, moment, lang)
    last = max([moment.at, *(tick.due for tick in drawn)])

    def is_working(day: date) -> bool:
        return moment.calendar.is_working(day, area)

    return ribbon.draw(
        start=start,
        now=moment.at,
        ticks=drawn,
        closed_days=_rest(moment, start, last, area),
        size=size,
        width=width,
        words=ribbon.WORDS[lang],
        zone=moment.charter.clock.zone,
        is_working=is_working,
        ended=ended,
    )


def chips(case: Row | CaseRow, *, tellers: int, lang: str, anonymous: bool = False) -> tuple[Chip, ...]:
    """Return the flags of a case in words, the gravest first."""
    texts = world.texts()
    found = []
    if case.urgency == "critical":
        found.append(Chip(texts.say("urgency.critical", lang), "late"))
    if case.supervision:
        found.append(Chip(_("%(level)s级督办") % {"level": level_word(case.supervision, lang)}, "late"))
    if case.urgency == "urgent":
        found.append(Chip(texts.say("urgency.urgent", lang), "warn"))
    if case.redo_count:
        found.append(Chip(ngettext("重办 %(n)s 次", "重办 %(n)s 次", case.redo_count) % {"n": case.redo_count}, "warn"))
    if case.is_hard:
        found.append(Chip(_("疑难"), "warn"))
    if case.confidential:
        found.append(Chip(_("匿名") if anonymous else _("要求保密"), "info"))
    if case.kind == CaseKind.HISTORY:
        found.append(Chip(texts.say("desk.case_kind.history", lang)))
    if tellers > 1:
        found.append(Chip(ngettext("%(n)s 人同诉", "%(n)s 人同诉", tellers) % {"n": tellers}))
    return tuple(found)


def level_word(level: int, lang: str) -> str:
    """Say a level of supervision: 一, 二, 三; in English the digit."""
    return str(level) if lang == "en" else "零一二三"[level] if 0 <= level <= 3 else str(level)


def list_row(row: Row, *, href: str, moment: Moment, lang: str, here: bool = False) -> ListRow:
    """Return one case of a list as the page shows it."""
    category = names.category(row.category_id, moment.at)
    return ListRow(
        href=href,
        number=numbers.grouped(row.number),
        headline=row.headline,
        place=names.area_name(row.area_id, moment.at),
        category=category.name if category else "",
        channel=names.channel(row.channel, moment.at, lang),
        chips=chips(row, tellers=row.appeal_count, lang=lang),
        ribbon=draw(
            row.duties,
            start=row.received_at,
            moment=moment,
            lang=lang,
            size="s",
            width=120,
            ended=row.next_due_at is None,
        ),
        here=here,
    )


def warm(rows: Iterable[Row], moment: Moment) -> None:
    """Fetch all names that a list needs in two statements at most, instead of one for each row."""
    listed = list(rows)
    names.areas([row.area_id for row in listed], moment.at)
    names.offices([duty.owed_by for row in listed for duty in row.duties], moment.at)


def ago(instant: datetime, moment: Moment) -> str:
    """Say how long ago something was, for people: '2 小时前', '昨天'."""
    zone = moment.charter.clock.zone
    seconds = int((moment.at - instant).total_seconds())
    days = (moment.at.astimezone(zone).date() - instant.astimezone(zone).date()).days
    if seconds < 60:
        return _("刚刚")
    if seconds < 3600:
        return ngettext("%(n)s 分钟前", "%(n)s 分钟前", seconds // 60) % {"n": seconds // 60}
    if days == 0:
        return ngettext("%(n)s 小时前", "%(n)s 小时前", seconds // 3600) % {"n": seconds // 3600}
    if days == 1:
        return _("昨天")
    return ngettext("%(n)s 天前", "%(n)s 天前", days) % {"n": days}


def day_end(moment: Moment) -> datetime:
    """Return the instant at which today ends on the city's clock."""
    zone = moment.charter.clock.zone
    today = moment.at.astimezone(zone).date() + timedelta(days=1)
    return datetime(today.year, today.month, today.day, tzinfo=zone)


def instant(at: datetime, moment: Moment, lang: str, *, ends: bool = False) -> str:
    """Say an instant in the page's language; with `ends`, midnight is 24:00 of the day it closes (Civil Code 203)."""
    words = ribbon.WORDS[lang]
    local = at.astimezone(moment.charter.clock.zone)
    clock = f"{local:%H:%M}"
    if ends and clock == "00:00":
        local, clock = local - timedelta(days=1), "24:00"
    day = words.date.format(day=local.day, month=words.months[local.month - 1])
    return words.moment.format(date=day, time=clock)
