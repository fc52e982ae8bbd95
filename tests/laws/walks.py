"""Random walks through the procedure: whoever may do something does it, and time goes on.

One seed is one walk. Every step is offered by the same rule that the pages use, taken through the same actions, by
people of the made city; between steps minutes or weeks pass and the ticker looks. Walks begin late in 2026, and in most
of them the days off of 2027 are announced on the way: what was promised into that year was a guess until then.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from fuzhengtong.cases import actions, rules, steps
from fuzhengtong.cases.states import DutyKind, Satisfaction, Snapshot, Solved, State, VisitResult
from fuzhengtong.charter.moment import SYSTEM, Actor, Moment
from fuzhengtong.directory import actions as directory_actions
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory.sheets import Sheet
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.oversight import actions as oversight_actions
from fuzhengtong.oversight import steps as oversight_steps
from fuzhengtong.visits import actions as visits_actions
from fuzhengtong.visits import steps as visits_steps
from tests.builders import City, Told, tell

TABLE = (*steps.STEPS, *visits_steps.STEPS, *oversight_steps.STEPS)
# What people do; the system's own steps follow from these and from the ticker.
CHOSEN = {step.word for step in TABLE} - {
    "register", "redo", "close", "archive", "lapse", "remind", "overdue", "recompute", "accept", "assign", "to_desk",
}  # fmt: skip
PASSING = (
    timedelta(minutes=1), timedelta(minutes=30), timedelta(hours=3), timedelta(hours=3), timedelta(days=1),
    timedelta(days=4), timedelta(days=15),
)  # fmt: skip


YEAR = 2027
ONWARD = {"confirm", "sign", "contact", "finish", "review", "visit", "rate", "answer"}
_people: dict[tuple[str, int], Actor | None] = {}


def person(city: City, kind: str, office_id: int, moment: Moment) -> Actor | None:
    """Return who holds a post of a kind in an office of the made city, if anybody does."""
    if (kind, office_id) not in _people:
        try:
            _people[kind, office_id] = city.actor(kind, office_id, at=moment.at)
        except IndexError:
            _people[kind, office_id] = None
    return _people[kind, office_id]


@dataclass
class Walk:
    """One walk of one case: what was taken, what was refused."""

    city: City
    told: Told
    dice: random.Random
    taken: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def moment(self) -> Moment:
        return self.told.moment

    def on(self, count: int) -> Iterator[Snapshot]:
        """Go on for so many turns; yield the case after each."""
        for _ in range(count):
            self.turn()
            yield self.told.snapshot()

    def turn(self) -> None:
        self.told = self.told.at(replace(self.moment, at=self.moment.at + self.dice.choice(PASSING)))
        if not self.moment.calendar.is_announced(YEAR) and self.dice.random() < 0.15:
            self.announce()
        if self.dice.random() < 0.5:
            self.tick()
        snapshot = self.told.snapshot()
        ways = list(self._ways(snapshot))
        if not ways:
            return
        onward = [way for way in ways if way[0] in ONWARD]
        # Most of the time things go on, or no walk would ever see a visit.
        word, by = self.dice.choice(onward if onward and self.dice.random() < 0.6 else ways)
        try:
            self._take(word, by, snapshot)
            self.taken.append(word)
        except Refused as refused:
            self.refused.append(f"{word}:{refused.code}")

    def announce(self) -> None:
        """Let the days off of the next year be announced: some weekdays off, some weekends worked."""
        first = date(YEAR, 1, 1)
        days = {first + timedelta(days=self.dice.randrange(120)) for _ in range(20)}
        told = [{"name": "节日", "date": str(day), "isOffDay": day.weekday() < 5} for day in sorted(days)]
        notice = {"year": YEAR, "papers": ["https://example.org/notice"], "days": told}
        sheet = Sheet("notice.json", json.dumps(notice).encode())
        report = directory_actions.import_calendar(sheets=[sheet], moment=self.moment.acting(SYSTEM), apply=True)
        assert report.applied, report
        self.told = self.told.at(replace(self.moment, calendar=directory_queries.calendar()))
        self.taken.append("announce")

    def tick(self) -> None:
        """Let the ticker do all that is due."""
        while oversight_actions.tick(moment=self.moment).steps:
            self.taken.append("tick")

    def _people(self, snapshot: Snapshot) -> Iterator[Actor]:
        case = snapshot.known
        yield Actor(kind="resident", appeal_id=self.told.appeal_id)
        yield Actor(kind="resident", appeal_id=1)
        offices = {case.desk_id, case.office_id or case.desk_id, self.city.desk.office_id}
        for office_id in offices:
            for kind in ("dispatcher", "handler", "head", "reviewer", "visitor", "supervisor"):
                if (found := person(self.city, kind, office_id, self.moment)) is not None:
                    yield found

    def _ways(self, snapshot: Snapshot) -> Iterator[tuple[str, Actor]]:
        for actor in self._people(snapshot):
            for step in TABLE:
                if step.word in CHOSEN and rules.why_not(step, snapshot, actor) is None:
                    yield step.word, actor
            if rules.why_not(steps.ACCEPT, snapshot, actor) is None and snapshot.known.state == State.RECEIVED:
                yield "confirm", actor

    def _take(self, word: str, by: Actor, snapshot: Snapshot) -> None:
        moment = self.moment.acting(by)
        case_id = self.told.case_id
        if word == "confirm":
            self.told.dispatch(category=self.dice.choice(("E03", "T06", "E02", "B04", "S09")))
        elif word == "rate":
            visits_actions.rate(case_id=case_id, appeal_id=self.told.appeal_id, moment=moment, **self._heard())
        elif word == "visit":
            visits_actions.visit(
                case_id=case_id,
                appeal_id=self.told.appeal_id,
                moment=moment,
                result=VisitResult.REACHED,
                how="phone",
                contacted=True,
                account_true=True,
                **self._heard(),
            )
        elif word == "supervise":
            oversight_actions.supervise(
                case_id=case_id, level=self.dice.choice((1, 2, 3)), reason="催一催", moment=moment
            )
        else:
            step = next(step for step in TABLE if step.word == word)
            texts, facts = self._facts(step, snapshot)
            actions.take(case_id=case_id, step=step, moment=moment, texts=texts, **facts)

    def _heard(self) -> dict[str, Any]:
        happy = self.dice.random() < 0.5
        return {
            "solved": Solved.YES if happy else self.dice.choice(list(Solved)),
            "satisfaction": Satisfaction.SATISFIED if happy else self.dice.choice(list(Satisfaction)),
        }

    def _facts(self, step: steps.Step, snapshot: Snapshot) -> tuple[dict[str, str], dict[str, Any]]:
        """Make facts of the right types for a step, by the names of its fields."""
        texts: dict[str, str] = {}
        facts: dict[str, Any] = {}
        replies = [duty.about for duty in snapshot.duties if duty.kind == DutyKind.SUPERVISION_REPLY and duty.is_open]
        made = {
            "appeal_id": self.told.appeal_id,
            "assignment_id": snapshot.assignments[0].id if snapshot.assignments else 0,
            "contacted_at": self.moment.at,
            "how": "phone",
            "reached": True,
            "promised_on": 20261201,
            "result": VisitResult.REACHED,
            "kind": DutyKind.PROGRESS_VISIT,
            "outcome": "no_answer",
            "about": self.dice.choice(replies) if replies else 1,
            "reasons": (),
        }
        passages = ("note", "question", "answer", "place", "reply", "reason", "words")
        for name in step.facts.__struct_fields__:
            if name in passages or (name == "result" and step.word == "finish"):
                texts[name] = f"{step.word} 说的话"
            elif name in made:
                facts[name] = made[name]
        return texts, facts


def begin(city: City, moment: Moment, seed: int) -> Walk:
    """Begin a walk: one telling, received, and a ticker that has just started."""
    oversight_actions._looked_through = None
    oversight_actions._left.clear()
    dice = random.Random(seed)  # noqa: S311
    started = replace(moment, at=moment.at + timedelta(minutes=dice.randrange(60 * 24 * 30)))
    told = tell(city, started, anonymous=True, reporter=None) if dice.random() < 0.15 else tell(city, started)
    return Walk(city=city, told=told, dice=dice)
