"""The small form of every step a person takes at a desk: its fields, and how they are read into typed facts.

A table like the table of steps: one row a step. `case` shows the form, `taking` reads it. Reading refuses nothing by
rule: it finds what is missing or unreadable; what is allowed is the step's own business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from fuzhengtong.cases.states import Satisfaction, Solved, VisitResult
from fuzhengtong.cases.steps import SKEW
from fuzhengtong.charter.moment import Moment
from fuzhengtong.intake import rules as intake_rules

HOWS = ("phone", "in_person", "message", "video")
OUTCOMES = ("no_answer", "busy", "off", "refused", "wrong_number", "later")
LONGEST = 10_000
# So far ahead a promise of an office may lie at most.
AT_MOST = timedelta(days=366)
# No clock of a desk stands outside of these years; what lies beyond cannot be shown in every zone.
YEARS = range(2000, 2200)


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `kind` is text, textarea, date, datetime, segments, check or files. Labels wait for the language.

    `group` names the texts of the options (`desk.<group>.<option>`); `only` names the field and value beside which
    this one is asked. `own` says that the field takes down the resident's own words: the screen reads it.
    """

    name: str
    kind: str
    label: str
    required: bool = False
    options: tuple[str, ...] = ()
    group: str = ""
    hint: str = ""
    rows: int = 3
    long: bool = False
    own: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one step: its key on the keyboard, its fields, and whether it speaks of one telling."""

    word: str
    key: str
    fields: tuple[Field, ...] = ()
    about_appeal: bool = False
    script: tuple[str, ...] = ()


_HOW = Field("how", "segments", gettext_noop("怎么联系的"), True, HOWS, "how", long=True)
_WORDS = Field("words", "textarea", gettext_noop("反映人的原话"), rows=3, own=True)
_FILES = Field("files", "files", gettext_noop("照片或文件"))
_FOUR = (
    gettext_noop("您好，我是阜政通回访员。您反映的这件事，想跟您核对四个问题，大约一分钟。"),
    gettext_noop("承办单位的人联系过您吗？"),
    gettext_noop("事情解决了吗？"),
    gettext_noop("对办理满意吗？"),
    gettext_noop("答复里写的属实吗？"),
)

FORMS: tuple[Form, ...] = (
    Form("sign", "a"),
    Form(
        "contact", "c",
        (
            Field("contacted_at", "datetime", gettext_noop("什么时候"), True),
            _HOW,
            Field("reached", "segments", gettext_noop("联系上了吗"), True, ("yes", "no"), "yes_no"),
            Field("note", "textarea", gettext_noop("说了什么"), hint=gettext_noop("写进台账，只在内部看")),
            _FILES,
        ),
    ),
    Form("arrive", "r", (Field("note", "textarea", gettext_noop("现场情况")), _FILES)),
    Form(
        "note", "n",
        (
            Field("note", "textarea", gettext_noop("内容"), True, rows=4),
            Field("public", "check", gettext_noop("让反映人看到")),
            _FILES,
        ),
    ),
    Form(
        "interim_reply", "i",
        (
            Field("reply", "textarea", gettext_noop("给反映人的话"), True, rows=5,
                  hint=gettext_noop("做了什么、到哪一步、什么时候再答复")),
            Field("promised_on", "date", gettext_noop("哪天再答复"), True),
        ),
    ),
    Form(
        "finish", "f",
        (
            Field("true_account", "segments", gettext_noop("反映的情况属实吗"), True, ("yes", "no"), "true"),
            Field("result", "textarea", gettext_noop("办理经过"), True, rows=5,
                  hint=gettext_noop("谁去的、做了什么、依据什么；只在内部看")),
            Field("reply", "textarea", gettext_noop("给反映人的答复"), True, rows=5,
                  hint=gettext_noop("原样发给反映人：一句话说结果，再说怎么办的，有问题找谁")),
            Field("files", "files", gettext_noop("办理后的照片")),
        ),
    ),
    Form("review", "f", (Field("note", "textarea", gettext_noop("审核意见")),)),
    Form(
        "send_back", "b",
        (Field("reason", "textarea", gettext_noop("退回的理由"), True, rows=4,
               hint=gettext_noop("哪一条没办、差什么，承办单位会看到")),),
    ),
    Form(
        "ask_info", "q",
        (Field("question", "textarea", gettext_noop("请他补充什么"), True, rows=4,
               hint=gettext_noop("一次问全；原样发给反映人")),),
    ),
    Form(
        "progress_visit", "p",
        (
            Field("result", "segments", gettext_noop("联系上了吗"), True, ("reached", "unreachable"), "result"),
            _HOW,
            _WORDS,
        ),
        about_appeal=True,
    ),
    Form(
        "visit", "v",
        (
            Field("result", "segments", gettext_noop("联系上了吗"), True, ("reached", "unreachable"), "result",
                  hint=gettext_noop("联系不上：要在不同的日子试够次数")),
            _HOW,
            Field("contacted", "segments", gettext_noop("一、承办单位联系过您吗"), options=("yes", "no"),
                  group="yes_no"),
            Field("solved", "segments", gettext_noop("二、解决了吗"), options=tuple(one.value for one in Solved),
                  group="solved", long=True),
            Field("satisfaction", "segments", gettext_noop("三、满意吗"),
                  options=tuple(one.value for one in Satisfaction), group="satisfaction", long=True),
            Field("account_true", "segments", gettext_noop("四、答复里写的属实吗"), options=("yes", "no"),
                  group="yes_no"),
            _WORDS,
        ),
        about_appeal=True,
        script=_FOUR,
    ),
    Form(
        "hard_visit", "h",
        (
            Field("result", "segments", gettext_noop("联系上了吗"), True, ("reached", "unreachable"), "result"),
            _HOW,
            _WORDS,
        ),
        about_appeal=True,
    ),
    Form(
        "attempt", "m",
        (
            _HOW,
            Field("outcome", "segments", gettext_noop("怎么没成"), True, OUTCOMES, "outcome", long=True),
        ),
        about_appeal=True,
    ),
    Form(
        "supervise", "s",
        (
            Field("level", "segments", gettext_noop("几级督办"), True, ("3", "2", "1"), "supervision"),
            Field("reason", "textarea", gettext_noop("为什么督办"), True, rows=4),
        ),
    ),
    Form(
        "reply_supervision", "y",
        (Field("reply", "textarea", gettext_noop("怎么回复督办"), True, rows=4,
               hint=gettext_noop("做了什么、为什么晚了、哪天办完")),),
    ),
)  # fmt: skip
BY_WORD: dict[str, Form] = {form.word: form for form in FORMS}
_TEXTS = ("text", "textarea")
_TRUTH = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Read:
    """A form as it was sent: the values typed, the facts read, and what is wrong beside which field."""

    values: Mapping[str, str]
    facts: Mapping[str, Any]
    errors: Mapping[str, str]


def read(form: Form, data: QueryDict, moment: Moment) -> Read:
    """Read a form that was sent."""
    values = {field.name: data.get(field.name, "").strip() for field in form.fields if field.kind != "files"}
    facts: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field in form.fields:
        if field.kind == "files":
            continue
        value = values[field.name]
        if not (intake_rules.clean(value) if field.kind in _TEXTS else value):
            if field.required:
                errors[field.name] = _("这里还没有填") if field.kind in _TEXTS else _("请选一个")
            facts[field.name] = False if field.kind == "check" else ("" if field.kind == "textarea" else None)
            continue
        try:
            facts[field.name] = _READERS[field.kind](field, value, moment)
        except _Unreadable as wrong:
            errors[field.name] = str(wrong)
    return Read(values=values, facts=facts, errors=errors)


def own_words(form: Form, data: QueryDict) -> list[str]:
    """List what a form takes down of the resident's own words, as it was typed."""
    return [data.get(field.name, "") for field in form.fields if field.own]


def short(text: str, longest: int) -> str:
    """Return a small text of a desk (a name, a reason) as it is kept: cleaned like a telling, on one line, cut."""
    storable = text.encode(errors="ignore").decode().replace("\0", "")
    return " ".join(intake_rules.clean(storable).split())[:longest]


class _Unreadable(ValueError):
    pass


def _text(field: Field, value: str, moment: Moment) -> str:
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise _Unreadable(_("有存不了的字符，请删掉重写"))
    # As a resident's words: plain line ends, and nothing that cannot be seen or turns what is shown.
    value = intake_rules.clean(value)
    if len(value) > LONGEST:
        raise _Unreadable(_("太长了，最多 %(n)s 个字") % {"n": LONGEST})
    return value


def _choice(field: Field, value: str, moment: Moment) -> Any:
    if value not in field.options:
        raise _Unreadable(_("请从这几个里选"))
    if set(field.options) == {"yes", "no"}:
        return _TRUTH[value]
    typed: dict[str, Callable[[str], Any]] = {
        "result": VisitResult, "solved": Solved, "satisfaction": Satisfaction, "level": int,
    }  # fmt: skip
    return typed.get(field.name, str)(value)


def _day(field: Field, value: str, moment: Moment) -> int:
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise _Unreadable(_("日期不对，例如 2026-01-31")) from error
    today = moment.charter.clock.local(moment.at).date()
    if day < today:
        raise _Unreadable(_("这一天已经过去了"))
    if day > today + AT_MOST:
        raise _Unreadable(_("这一天太远了，请写一年以内的日子"))
    return day.year * 10000 + day.month * 100 + day.day


def _instant(field: Field, value: str, moment: Moment) -> datetime:
    try:
        local = datetime.fromisoformat(value)
        if local.year not in YEARS:
            raise ValueError(value)
        at = (local if local.tzinfo else local.replace(tzinfo=moment.charter.clock.zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _Unreadable(_("时间不对，例如 2026-01-31 09:30")) from error
    if at > moment.at + SKEW:
        raise _Unreadable(_("这个时间还没到"))
    return at


def _checked(field: Field, value: str, moment: Moment) -> bool:
    return value == "1"


_READERS: dict[str, Callable[[Field, str, Moment], Any]] = {
    "text": _text,
    "textarea": _text,
    "segments": _choice,
    "date": _day,
    "datetime": _instant,
    "check": _checked,
}
