"""How templates say words and times: sentences by key, instants on the city's clock."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django import template
from django.utils.translation import get_language

from fuzhengtong.directory import world
from fuzhengtong.kernel import numbers
from fuzhengtong.web.ribbon import WORDS

register = template.Library()
# The day and the serial of the number that pages show as an example.
EXAMPLE = (date(2026, 11, 20), 31)


def _lang(context: Any) -> str:
    return str(context.get("lang", "zh-Hans"))


@register.simple_tag(takes_context=True)
def say(context: Any, key: str, **facts: Any) -> str:
    """Say the sentence of a key in the page's language."""
    return world.texts().say(key, _lang(context), **facts)


@register.simple_tag(takes_context=True)
def say_of(context: Any, group: str, word: str, part: str = "", **facts: Any) -> str:
    """Say the sentence of `group.word` (or `group.word.part`): a state, a duty, a post."""
    key = f"{group}.{word}.{part}" if part else f"{group}.{word}"
    return world.texts().say(key, _lang(context), **facts)


@register.simple_tag
def example_number() -> str:
    """Write a number as an example of one: with the city's letters, and a check digit that is right."""
    letters = world.charters().editions[0].letters
    return numbers.grouped(numbers.case_number(letters=letters, day=EXAMPLE[0], serial=EXAMPLE[1]))


def local(instant: datetime) -> datetime:
    """Return an instant on the city's clock."""
    return world.charters().editions[0].clock.local(instant)


def _instant(shown: datetime, time: str) -> str:
    """Say a day and a time in the language of the page: a filter is not told which one."""
    words = WORDS["en" if (get_language() or "").startswith("en") else "zh-Hans"]
    day = words.date.format(day=shown.day, month=words.months[shown.month - 1])
    return words.moment.format(date=day, time=time)


@register.filter
def clock(instant: datetime | None) -> str:
    """Show an instant as "11 月 22 日 14:03" or "22 Nov, 14:03"; midnight that ends a term is shown by `due`."""
    if instant is None:
        return ""
    shown = local(instant)
    return _instant(shown, f"{shown:%H:%M}")


@register.filter
def stamp(instant: datetime | None) -> str:
    """Show an instant for lists and tables: "11-22 14:03"."""
    return f"{local(instant):%m-%d %H:%M}" if instant else ""


@register.filter
def full_stamp(instant: datetime | None) -> str:
    """Show an instant for tables that go back for years: "2026-11-22 14:03"."""
    return f"{local(instant):%Y-%m-%d %H:%M}" if instant else ""


@register.filter
def exact(instant: datetime | None) -> str:
    """Show an instant in full, for machines and titles."""
    return local(instant).isoformat(timespec="seconds") if instant else ""


@register.filter
def due(instant: datetime | None) -> str:
    """Show a due time; 00:00 is shown as 24:00 of the day before (Civil Code 203)."""
    if instant is None:
        return ""
    shown = local(instant)
    if (shown.hour, shown.minute) == (0, 0):
        return _instant(shown - timedelta(days=1), "24:00")
    return _instant(shown, f"{shown:%H:%M}")


@register.filter
def grouped(number: str) -> str:
    """Show a case number in groups."""
    return numbers.grouped(number)


@register.filter
def grouped_code(code: str) -> str:
    """Show a query code in groups."""
    return numbers.grouped_code(code)
