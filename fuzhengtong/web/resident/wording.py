"""Times and lengths as a resident reads them, in his language.

Pure: the instant, the city's clock and the language are arguments. Used by every page of this package, so that the
ribbon, the story and the receipt say a time in the same way.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from fuzhengtong.charter.editions import Charter
from fuzhengtong.charter.moment import Moment
from fuzhengtong.kernel.due import Unit
from fuzhengtong.web import ribbon_words as said

_RECENT = timedelta(hours=24)
_FORMS = {
    Unit.WALL_MINUTES: "minutes",
    Unit.WALL_HOURS: "hours",
    Unit.CALENDAR_DAYS: "days",
    Unit.CALENDAR_DAYS_ROLLED: "days",
    Unit.WORKING_DAYS: "working_days",
}


def words_of(lang: str) -> said.Words:
    """Return the ribbon's words in a language."""
    return said.WORDS.get(lang, said.ZH)


def telling_of(moment: Moment, lang: str, area: str = "") -> said.Saying:
    """Return everything a sentence about time depends on, for one page."""
    return said.Saying(
        now=moment.at,
        zone=moment.charter.clock.zone,
        is_working=lambda day: moment.calendar.is_working(day, area or None),
        words=words_of(lang),
    )


def instant(at: datetime, telling: said.Saying) -> str:
    """Say when something happened: "11 月 22 日 14:03"."""
    return said.moment_of(at, telling, ends=False)


def dated(at: datetime, telling: said.Saying) -> str:
    """Say when something happened with its year, for paper: "2026 年 11 月 22 日 14:03"."""
    local, words = at.astimezone(telling.zone), telling.words
    day = words.date_of_year.format(year=local.year, month=words.months[local.month - 1], day=local.day)
    return words.moment.format(date=day, time=f"{local:%H:%M}")


def term_end(at: datetime, telling: said.Saying) -> str:
    """Say when a term ends; midnight belongs to the day that ends with it (Civil Code 203)."""
    return said.moment_of(at, telling)


def ago(at: datetime, telling: said.Saying) -> str:
    """Say when something happened, relative and exact: "2 小时前 · 11 月 22 日 14:03"."""
    exact = instant(at, telling)
    gone = telling.now - at
    if gone < timedelta(minutes=1):
        return _("刚刚") + " · " + exact
    if gone >= _RECENT:
        return exact
    minutes = int(gone.total_seconds()) // 60
    words = telling.words
    span = said.count(words.minutes, minutes) if minutes < 60 else said.count(words.hours, minutes // 60)
    return _("%(span)s前") % {"span": span} + " · " + exact


def span(length: int, unit: Unit, lang: str) -> str:
    """Say a length with its unit: "7 个工作日", "24 小时"."""
    words = words_of(lang)
    if unit is Unit.WALL_HOURS and length >= 48 and length % 24 == 0:
        return said.count(words.days, length // 24)
    if unit is Unit.WORKING_HOURS:
        return _("%(n)s 个工作小时") % {"n": length}
    return said.count(getattr(words, _FORMS[unit]), length)


def term(charter: Charter, kind: str, urgency: str, lang: str) -> str:
    """Say the charter's term of a duty kind: "1 个工作日"."""
    found = charter.term(kind, urgency)
    return span(found.length, found.unit, lang)
