"""The story of an appeal in plain sentences, newest first, and the answers in it, told from the ledger's public lines.

Sentences are texts (`story.<step>`); offices are named, persons never; what an office wrote for itself stays out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fuzhengtong.cases.queries import Line
from fuzhengtong.directory import world
from fuzhengtong.web.resident import wording
from fuzhengtong.web.resident.held import Held

NOBODY_NAMED, OTHER = "story.somebody", "story.other"


@dataclass(frozen=True)
class Said:
    """One line of the story."""

    at: str
    when: str
    text: str


@dataclass(frozen=True)
class Answer:
    """One public answer: by whom, when, the words; `current` unless the matter went back to work since."""

    text: str
    office: str
    when: str
    current: bool
    interim: bool = False
    promised: str = ""


def office_ids(held: Held) -> frozenset[int]:
    """Return the offices that the page of an appeal names."""
    found: set[int | None] = {held.case.desk_id, held.case.office_id}
    found |= {duty.owed_by for duty in held.view.duties}
    for line in held.lines:
        found.add(line.by_office)
        found |= {_id(line.facts.get(name)) for name in ("office_id", "by_office", "owed_by", "desk_id")}
    return frozenset(office for office in found if office)


def _id(value: Any) -> int | None:
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else None


def told(held: Held, *, names: Mapping[int, str], lang: str) -> tuple[Said, ...]:
    """Tell the story, newest first."""
    telling = wording.telling_of(held.moment, lang, held.case.county_code)
    return tuple(
        Said(
            at=line.at.isoformat(), when=wording.ago(line.at, telling), text=_sentence(line, held, names, lang, telling)
        )
        for line in reversed(held.lines)
    )


def _sentence(line: Line, held: Held, names: Mapping[int, str], lang: str, telling: wording.said.Saying) -> str:
    texts = world.texts()
    somebody = texts.say(NOBODY_NAMED, lang)
    facts: dict[str, object] = {
        "office": names.get(_office(line, held) or 0, somebody),
        "desk": names.get(held.case.desk_id, somebody),
        "files": len(line.facts.get("files", ())),
        "words": line.texts.get("note", ""),
    }
    if due_at := _promised(line, held):
        facts["due"] = wording.term_end(due_at, telling)
    if "solved" in line.facts and line.facts["solved"]:
        facts["solved"] = texts.say(f"solved.{line.facts['solved']}", lang)
        facts["satisfaction"] = texts.say(f"satisfaction.{line.facts['satisfaction']}", lang)
    if "kind" in line.facts:
        facts["duty"] = texts.say(f"duty.{line.facts['kind']}", lang)
    if "urgency" in line.facts:
        facts["urgency"] = texts.say(f"urgency.{line.facts['urgency']}", lang)
    if line.step == "supervise":
        facts["by"] = names.get(_id(line.facts.get("by_office")) or 0, somebody)
    key = f"story.{line.step}{_part(line, facts)}"
    # A step that is newer than its sentence must not cost a person the whole page.
    return texts.say(key if key in texts.keys("story.") else OTHER, lang, **facts)


def _part(line: Line, facts: Mapping[str, object]) -> str:
    """Choose the form of a sentence by the line's own facts."""
    match line.step:
        case "register":
            if line.by_kind == "post":
                return ".by_staff"
            return ".with_files" if facts["files"] else ""
        case "supplement":
            return ".with_files" if facts["files"] else ""
        case "accept":
            return ".raised" if line.facts.get("urgency") in ("critical", "urgent") else ""
        case "assign":
            return ".promised" if "due" in facts else ""
        case "contact":
            return "" if line.facts.get("reached") else ".missed"
        case "progress_visit" | "hard_visit":
            return ".missed" if line.facts.get("result") == "unreachable" else ""
        case "visit":
            return "" if "solved" in facts else ".missed"
    return ""


def _office(line: Line, held: Held) -> int | None:
    """Return the office a line speaks of: the one given the work, the one that owes, else the one that acted."""
    match line.step:
        case "assign":
            return _id(line.facts.get("office_id"))
        case "overdue":
            duty_id = _id(line.facts.get("duty_id"))
            return next((duty.owed_by for duty in held.view.duties if duty.id == duty_id), None)
        case "supervise":
            return _id(line.facts.get("owed_by"))
        case "redo" | "send_back" | "urge":
            return held.case.office_id or held.case.desk_id
    return line.by_office


def _promised(line: Line, held: Held) -> datetime | None:
    """Return until when the finish was promised with an assignment."""
    if line.step != "assign":
        return None
    owed = (duty.due_at for duty in held.view.duties if duty.kind == "finish" and duty.owed_from == line.at)
    return next(owed, None)


def answers(held: Held, *, names: Mapping[int, str], lang: str) -> tuple[Answer, ...]:
    """Return the public answers, newest first: interim replies as given, results only once the review passed them."""
    telling = wording.telling_of(held.moment, lang, held.case.county_code)
    found: list[Answer] = []
    waiting: Line | None = None
    for line in held.view.lines:
        if line.step == "finish":
            waiting = line
        elif line.step == "send_back":
            waiting = None
        elif line.step == "review" and waiting is not None:
            found.append(_answer(waiting, names, telling, current=held.case.passed_at == line.at))
            waiting = None
        elif line.step == "interim_reply":
            found.append(_answer(line, names, telling, current=held.case.passed_at is None and held.case.is_open))
    return tuple(answer for answer in reversed(found) if answer.text)


def _answer(line: Line, names: Mapping[int, str], telling: wording.said.Saying, *, current: bool) -> Answer:
    promised = str(line.facts.get("promised_on") or "")
    return Answer(
        text=line.texts.get("reply", ""),
        office=names.get(line.by_office or 0, ""),
        when=wording.instant(line.at, telling),
        current=current,
        interim=line.step == "interim_reply",
        promised=_day(promised, telling) if len(promised) == 8 else "",
    )


def _day(compact: str, telling: wording.said.Saying) -> str:
    return wording.said.date_of(datetime.strptime(compact, "%Y%m%d").date(), telling)  # noqa: DTZ007 - a day, no instant


def question(held: Held) -> str:
    """Return what the teller was asked last, while his answer is waited for."""
    asked = [line.texts.get("question", "") for line in held.lines if line.step == "ask_info"]
    return asked[-1] if asked and held.case.state == "need_info" else ""
