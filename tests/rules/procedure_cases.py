"""Walk one case through the procedure without a database: plan after plan, each on what the last one left."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from fuzhengtong.cases import rules, states, steps
from fuzhengtong.cases.states import Look, State
from fuzhengtong.charter.editions import Charters
from fuzhengtong.charter.load import find_folder, load_charters
from fuzhengtong.charter.moment import SYSTEM, Actor, Moment
from fuzhengtong.jobs.watchdog import Held
from fuzhengtong.kernel.calendar import Calendar
from fuzhengtong.kernel.ids import SeededMint
from fuzhengtong.oversight import rules as oversight_rules
from fuzhengtong.oversight import steps as oversight_steps
from fuzhengtong.visits import steps as visits_steps
from tests.rules.holidays import public_calendar

CITY, COUNTY, TOWN, DESK, OFFICE, CATEGORY = 1, 2, 3, 11, 12, 21
COUNTY_CODE = "210921000000"
# A plain Monday, ten in the morning.
MONDAY = datetime(2026, 11, 16, 2, 0, tzinfo=UTC)
TEXT = steps.Passage(id=99, commitment="0" * 64)
CHARTERS: Charters = load_charters(find_folder("charters/fuxin"))

HANDLER = Actor(kind="post", post_kind="handler", office=OFFICE, level="county", area=COUNTY)
REVIEWER = Actor(kind="post", post_kind="reviewer", office=DESK, level="city", area=CITY)
VISITOR = Actor(kind="post", post_kind="visitor", office=DESK, level="city", area=CITY)
DISPATCHER = Actor(kind="post", post_kind="dispatcher", office=DESK, level="city", area=CITY)


@dataclass
class Walk:
    """One case on its way; `lines` are the values of its ledger's bytes."""

    calendar: Calendar
    at: datetime = MONDAY
    mint: SeededMint = field(default_factory=lambda: SeededMint(seed=3, start_ms=int(MONDAY.timestamp() * 1000)))
    snapshot: states.Snapshot = field(default_factory=states.Snapshot)
    lines: list[dict[str, Any]] = field(default_factory=list)
    plans: list[rules.Plan] = field(default_factory=list)

    def moment(self, by: Actor = SYSTEM) -> Moment:
        return Moment(at=self.at, by=by, charters=CHARTERS, calendar=self.calendar, mint=self.mint)

    def later(self, **span: float) -> Walk:
        self.at += timedelta(**span)
        return self

    def take(self, step: steps.Step, by: Actor = SYSTEM, **facts: Any) -> rules.Plan:
        plan = rules.plan(step, self.snapshot, step.facts(**facts), self.moment(by))
        # The next reading sees open duties alone, as `ledger.read` does.
        owed = tuple(duty for duty in plan.after.duties if duty.is_open)
        self.snapshot = msgspec.structs.replace(plan.after, duties=owed)
        self.lines.append(msgspec.json.decode(plan.entry.body))
        self.plans.append(plan)
        return plan

    @property
    def appeal_id(self) -> int:
        return self.snapshot.appeals[0].id

    @property
    def teller(self) -> Actor:
        return Actor(kind="resident", appeal_id=self.appeal_id)

    def duty(self, kind: states.DutyKind) -> states.DutyRow:
        found = self.snapshot.open_duty(kind)
        assert found is not None, kind
        return found

    def held(self) -> list[Held]:
        return [
            Held(duty.id, duty.kind, duty.due_at, duty.paused_at, duty.rung, duty.look_at)
            for duty in self.snapshot.duties
        ]

    def look(self) -> bool:
        """Do the earliest look that is due, as the ticker does; tell whether there was one."""
        due = [duty for duty in self.snapshot.duties if duty.look_at is not None and duty.look_at <= self.at]
        if not due:
            return False
        duty = min(due, key=lambda duty: (duty.look_at, duty.id))
        if duty.look == Look.AT_DUE:
            if duty.kind == states.DutyKind.INFO:
                self.take(steps.LAPSE, duty_id=duty.id)
            else:
                self.take(steps.ARCHIVE)
        elif duty.look == Look.SUPERVISE:
            rung = oversight_rules.rung_of(duty, CHARTERS.edition(duty.edition))
            self.take(
                oversight_steps.SUPERVISE,
                duty_id=duty.id,
                kind=duty.kind,
                level=rung.level,
                about=self.mint.id(),
                by_office=DESK,
                owed_by=duty.owed_by,
                owed_by_post=duty.owed_by_post,
            )
        else:
            step = oversight_steps.REMIND if duty.look == Look.REMIND else oversight_steps.OVERDUE
            self.take(step, duty_id=duty.id, kind=duty.kind, due_at=duty.due_at)
        return True

    def tick(self) -> Walk:
        while self.look():
            pass
        return self

    def pass_time(self, until: datetime) -> Walk:
        """Let time pass with a ticker that does every look at its very moment."""
        while True:
            looks = [duty.look_at for duty in self.snapshot.duties if duty.look_at is not None]
            if not looks or min(looks) > until:
                self.at = until
                return self
            # The ledger holds whole milliseconds, so the ticker comes at the next one.
            self.at = max(self.at, min(looks).replace(microsecond=min(looks).microsecond // 1000 * 1000))
            self.at += timedelta(milliseconds=1)
            self.tick()

    def register(self) -> Walk:
        self.take(
            steps.REGISTER,
            Actor(kind="resident"),
            case_number="FX26111600010",
            appeal_id=self.mint.id(),
            appeal_number="FX26111600010",
            channel="h5",
            city_id=CITY,
            desk_id=DESK,
            biz_day=20261116,
            telling=TEXT,
            resident_id=31,
        )
        return self

    def accept(self, *, urgency: str = "ordinary", category: str = "E05", days: int = 7) -> Walk:
        self.take(
            steps.ACCEPT,
            DISPATCHER,
            city_id=CITY,
            county_id=COUNTY,
            county_code=COUNTY_CODE,
            town_id=TOWN,
            category_id=CATEGORY,
            category_code=category,
            category_days=days,
            root=category[0],
            urgency=states.Urgency(urgency),
            lane=states.Lane.ORDINARY,
            desk_id=DESK,
        )
        return self

    def assign(self) -> Walk:
        self.take(steps.ASSIGN, DISPATCHER, office_id=OFFICE)
        return self

    def sign(self) -> Walk:
        self.take(steps.SIGN, HANDLER, assignment_id=self.snapshot.assignments[0].id)
        return self

    def finish(self) -> Walk:
        if self.snapshot.known.contacted_at is None:
            self.take(steps.CONTACT, HANDLER, contacted_at=self.at, how="phone", reached=True)
        self.take(steps.FINISH, HANDLER, result=TEXT, reply=TEXT)
        return self

    def review(self) -> Walk:
        self.take(steps.REVIEW, REVIEWER)
        return self

    def visit(self, *, solved: str = "yes", satisfaction: str = "satisfied") -> Walk:
        self.take(
            visits_steps.VISIT,
            VISITOR,
            appeal_id=self.appeal_id,
            result=states.VisitResult.REACHED,
            how="phone",
            contacted=True,
            solved=states.Solved(solved),
            satisfaction=states.Satisfaction(satisfaction),
            account_true=True,
        )
        return self

    def close(self) -> Walk:
        self.take(steps.CLOSE)
        return self

    def to(self, state: State, *, urgency: str = "ordinary", hours: float = 0) -> Walk:
        """Walk the plain road to a state, some hours a step."""
        road = (
            (State.RECEIVED, self.register),
            (State.ACCEPTED, lambda: self.accept(urgency=urgency)),
            (State.ASSIGNED, self.assign),
            (State.WORKING, self.sign),
            (State.REVIEW, self.finish),
            (State.VISITING, self.review),
            (State.CLOSED, lambda: self.visit().close()),
        )
        for reached, walk in road:
            walk()
            if reached == state:
                return self
            self.later(hours=hours)
        raise AssertionError(f"no plain road leads to {state}")


def walking(**changes: Any) -> Walk:
    return replace(Walk(calendar=public_calendar()), **changes)
