"""The ledger of a case as a desk reads it: when, who in which office, which step, and what its facts say.

Words stand in the texts (`step.<word>.name`, `entry.<word>`); a step without a sentence of its own is told by its name.
Pure over frozen values; called by the case page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from fuzhengtong.cases.queries import Line
from fuzhengtong.charter.moment import Moment
from fuzhengtong.charter.texts import Unsaid
from fuzhengtong.directory import world
from fuzhengtong.kernel import typed
from fuzhengtong.web.desk import names, shown

# Told elsewhere on the page, or for machines: the telling itself, and the reasons of dispatch.
UNTOLD = frozenset({"telling", "explanation"})


@dataclass(frozen=True, slots=True)
class Said:
    """One free text that a line speaks of, with what it is."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the ledger in words."""

    at: datetime
    who: str
    step: str
    detail: str
    said: tuple[Said, ...]
    is_public: bool
    seq: int


def told(lines: Iterable[Line], *, moment: Moment, lang: str, public: Callable[[str], bool]) -> list[Told]:
    """Tell the ledger in words, the newest first. `public` says of a step whether its teller sees it."""
    listed = list(lines)
    offices = [line.by_office for line in listed]
    offices += [_id(line.facts.get(name)) for line in listed for name in ("office_id", "owed_by", "by_office")]
    names.offices(offices, moment.at)
    return [_told(line, moment, lang, public) for line in reversed(listed)]


def _told(line: Line, moment: Moment, lang: str, public: Callable[[str], bool]) -> Told:
    return Told(
        at=line.at,
        who=_who(line, moment.at, lang),
        step=say(f"step.{line.step}.name", lang) or line.step,
        detail=_detail(line, moment, lang),
        said=tuple(
            Said(label=_LABELS[name]() if name in _LABELS else "", text=text)
            for name, text in line.texts.items()
            if text and name not in UNTOLD
        ),
        is_public=public(line.step) and (line.step != "note" or bool(line.facts.get("public"))),
        seq=line.seq,
    )


def _who(line: Line, at: datetime, lang: str) -> str:
    if line.by_kind == "system":
        return _("系统")
    if line.by_kind == "resident":
        return _("反映人")
    if line.by_kind == "key":
        return _("别的系统")
    office = names.office_name(line.by_office, at)
    post = say(f"post.{line.by_post_kind}", lang)
    return f"{office} {post}".strip()


def say(key: str, lang: str, **facts: object) -> str:
    """Say a sentence, or nothing where nobody wrote it."""
    try:
        return world.texts().say(key, lang, **facts)
    except Unsaid:
        return ""


def _id(value: Any) -> int | None:
    return typed.number(str(value)) or None


def _instant(value: Any) -> datetime | None:
    """Return an instant of the facts; nothing where no page could show it: what is stored never breaks the page."""
    try:
        found = datetime.fromtimestamp(int(value) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    # A day from either end of what can be told, every zone still can.
    return found if 1 < found.year < MAXYEAR else None


def _day(value: Any) -> str:
    text = str(value)
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 else text


def _detail(line: Line, moment: Moment, lang: str) -> str:
    """Say what the facts of a line add to its step."""
    facts, at = line.facts, moment.at
    word = _WORDS(lang)
    match line.step:
        case "register":
            return say("entry.register", lang, channel=names.channel(str(facts.get("channel", "")), at, lang))
        case "register_history":
            channel = names.channel(str(facts.get("channel", "")), at, lang)
            return say("entry.register_history", lang, channel=channel)
        case "to_desk":
            return reasons(facts.get("reasons", ()), lang)
        case "accept":
            category = names.category(_id(facts.get("category_id")), at)
            name = category.name if category else str(facts.get("category_code", ""))
            return say("entry.accept", lang, category=name, urgency=word("urgency", facts.get("urgency")))
        case "assign":
            return say("entry.assign", lang, office=names.office_name(_id(facts.get("office_id")), at))
        case "contact":
            part = "reached" if facts.get("reached") else "missed"
            contacted = _instant(facts.get("contacted_at"))
            when = shown.instant(contacted, moment, lang) if contacted else ""
            return say(f"entry.contact.{part}", lang, how=word("desk.how", facts.get("how")), when=when)
        case "note":
            return say("entry.note.public" if facts.get("public") else "entry.note.kept", lang)
        case "interim_reply":
            return say("entry.interim_reply", lang, day=_day(facts.get("promised_on", "")))
        case "finish":
            return say("entry.finish.true" if facts.get("true_account", True) else "entry.finish.untrue", lang)
        case "redo":
            return say("entry.redo.hard" if facts.get("is_hard") else "entry.redo.again", lang)
        case "supervise":
            return _supervised(facts, at, lang)
        case "remind" | "overdue":
            return say(f"entry.{line.step}", lang, duty=word("duty", facts.get("kind")))
        case "attempt" | "progress_visit" | "hard_visit" | "visit" | "rate":
            return _visited(line.step, facts, word)
        case _:
            return ""


def _supervised(facts: Mapping[str, Any], at: datetime, lang: str) -> str:
    office = names.office_name(_id(facts.get("by_office")), at)
    level = shown.level_word(int(facts.get("level", 0)), lang)
    if not facts.get("kind"):
        return say("entry.supervise.by_hand", lang, office=office, level=level)
    return say("entry.supervise", lang, office=office, level=level, duty=say(f"duty.{facts['kind']}", lang))


def _visited(step: str, facts: Mapping[str, Any], word: Callable[[str, Any], str]) -> str:
    how = word("desk.how", facts.get("how"))
    heard = {
        "solved": word("desk.solved", facts.get("solved")),
        "satisfaction": word("desk.satisfaction", facts.get("satisfaction")),
    }
    lang = word("", "")
    if step == "attempt":
        outcome = word("desk.outcome", facts.get("outcome"))
        return say("entry.attempt", lang, duty=word("duty", facts.get("kind")), how=how, outcome=outcome)
    if step == "rate":
        return say("entry.rate", lang, **heard)
    part = "reached" if facts.get("result") == "reached" else "missed"
    return say(f"entry.{step}.{part}", lang, how=how, attempts=facts.get("attempts", 0), **heard)


def _WORDS(lang: str) -> Callable[[str, Any], str]:  # noqa: N802 - makes a small dictionary of one language
    def word(group: str, code: Any) -> str:
        if not group:
            return lang
        return say(f"{group}.{code}", lang) or str(code or "")

    return word


def reasons(kinds: Iterable[str], lang: str) -> str:
    """Say why dispatch was unsure."""
    said = [say(f"reason.{kind}", lang) or kind for kind in kinds]
    return ("; " if lang == "en" else "；").join(said)


_LABELS: dict[str, Callable[[], str]] = {
    "note": lambda: _("说明"),
    "result": lambda: _("办理经过"),
    "reply": lambda: _("答复"),
    "reason": lambda: _("理由"),
    "question": lambda: _("问题"),
    "answer": lambda: _("补充"),
    "words": lambda: _("原话"),
    "place": lambda: _("地点"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of dispatch in words, with the words of the telling it rests on."""

    text: str
    words: str


def explanation(lines: Iterable[Line]) -> dict[str, Any]:
    """Return the newest explanation that lies with the case, or an empty one."""
    for line in reversed(list(lines)):
        if text := line.texts.get("explanation"):
            held = msgspec.json.decode(text)
            return held if isinstance(held, dict) else {}
    return {}


def why(explained: Mapping[str, Any], lang: str, *, kinds: tuple[str, ...]) -> list[Reason]:
    """Say the reasons of some kinds ('place', 'category', 'urgency', 'unsure')."""
    found = []
    for reason in explained.get("reasons", ()):
        kind = str(reason.get("kind", ""))
        if not kind.startswith(kinds):
            continue
        facts = dict(reason.get("params", {}))
        if "urgency" in facts:
            facts["urgency"] = say(f"urgency.{facts['urgency']}", lang).lower()
        text = say(f"reason.{kind}", lang, **facts)
        if text:
            words = (
                "" if kind == "unsure_discipline" else _("、").join(dict.fromkeys(map(str, reason.get("words", ()))))
            )
            found.append(Reason(text=text, words=words))
    return found
