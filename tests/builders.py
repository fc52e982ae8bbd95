"""Build what tests need by walking the real steps: people in their posts, and cases in any state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from fuzhengtong.cases import actions, states, steps
from fuzhengtong.cases import rules as cases_rules
from fuzhengtong.cases.states import Satisfaction, Solved, State, VisitResult
from fuzhengtong.charter.moment import SYSTEM, Actor, Moment
from fuzhengtong.connectors.store import Folder
from fuzhengtong.directory import models as directory_models
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.dispatch import actions as dispatch_actions
from fuzhengtong.intake import actions as intake_actions
from fuzhengtong.intake import rules as intake_rules
from fuzhengtong.visits import actions as visits_actions

# The made people were made when the template was: their sessions begin after any day the tests play on.
FAR = datetime(2100, 1, 1, tzinfo=UTC)
LAMP = "海州区和平街道益民社区的路灯不亮了"


class City:
    """The made city of the tests: areas and offices by code, people by the post they hold."""

    def area(self, code: str) -> directory_queries.AreaRow:
        found = directory_queries.area_by_code(code)
        assert found is not None, code
        return found

    def office(self, code: str) -> directory_queries.OfficeRow:
        found = directory_queries.office_by_code(code)
        assert found is not None, code
        return found

    def category(self, code: str) -> directory_queries.CategoryRow:
        found = directory_queries.category(code=code)
        assert found is not None, code
        return found

    @cached_property
    def desk(self) -> directory_queries.OfficeRow:
        city = directory_queries.city()
        assert city is not None
        found = directory_queries.office(city.desk_office_id or 0)
        assert found is not None
        return found

    def county_centre(self, code: str = "210902") -> directory_queries.OfficeRow:
        found = directory_queries.offices(kind="centre", level="county", area_id=self.area(code).area_id)
        return found[0]

    def actor(self, kind: str, office_id: int, *, at: datetime, nth: int = 0) -> Actor:
        """Return the nth person who holds a post of a kind in an office, as he acts in it."""
        tenures = directory_models.Tenure.objects.filter(
            post__kind=kind, post__office_id=office_id, deputy=False
        ).order_by("post_id")
        tenure = tenures[nth]
        found = directory_queries.actor_of(principal_id=tenure.principal_id, post_id=tenure.post_id, began=FAR, at=at)
        assert found is not None
        return found


@dataclass
class Told:
    """One case as a test walks it: who acts in it, and how far it has come."""

    city: City
    moment: Moment
    case_id: int
    appeal_id: int
    number: str
    query_code: str
    receipt: str

    def at(self, moment: Moment) -> Told:
        return replace(self, moment=moment)

    def later(self, **span: float) -> Told:
        """The same case later on."""
        return replace(self, moment=replace(self.moment, at=self.moment.at + timedelta(**span)))

    def snapshot(self) -> states.Snapshot:
        from fuzhengtong.cases import ledger

        return ledger.look([self.case_id])[0]

    @property
    def case(self) -> states.CaseRow:
        return self.snapshot().known

    @property
    def teller(self) -> Moment:
        return self.moment.acting(Actor(kind="resident", appeal_id=self.appeal_id))

    def by(self, kind: str, *, office_id: int | None = None, nth: int = 0) -> Moment:
        """The moment of a person of the office in charge: handlers of the lead office, else of the desk."""
        case = self.case
        if office_id is None:
            office_id = case.office_id if kind in ("handler", "head") else case.desk_id
        assert office_id is not None
        return self.moment.acting(self.city.actor(kind, office_id, at=self.moment.at, nth=nth))

    def take(self, step: steps.Step, by: Moment, **facts: Any) -> actions.Taken:
        return actions.take(case_id=self.case_id, step=step, moment=by, **facts)

    def dispatch(self, *, office: str = "210902-zjj", category: str = "E03", area: str = "210902003001") -> Told:
        """Accept and assign by hand, as a dispatcher of the city would."""
        dispatch_actions.confirm(
            case_id=self.case_id,
            category_id=self.city.category(category).category_id,
            area_id=self.city.area(area).area_id,
            urgency="ordinary",
            office_id=self.city.office(office).office_id if office else self.city.desk.office_id,
            moment=self.by("dispatcher", office_id=self.city.desk.office_id),
        )
        return self

    def sign(self) -> Told:
        assignment = self.snapshot().assignments[0]
        self.take(steps.SIGN, self.by("handler"), assignment_id=assignment.id)
        return self

    def contact(self) -> Told:
        self.take(steps.CONTACT, self.by("handler"), contacted_at=self.moment.at, how="phone", reached=True)
        return self

    def finish(self, *, reply: str = "路灯已经修好，当晚亮灯。") -> Told:
        self.take(steps.FINISH, self.by("handler"), texts={"result": "更换灯头一个。", "reply": reply})
        return self

    def review(self) -> Told:
        self.take(steps.REVIEW, self.by("reviewer"))
        return self

    def visit(self, *, solved: Solved = Solved.YES, satisfaction: Satisfaction = Satisfaction.SATISFIED) -> Told:
        visits_actions.visit(
            case_id=self.case_id,
            appeal_id=self.appeal_id,
            moment=self.by("visitor"),
            result=VisitResult.REACHED,
            how="phone",
            contacted=True,
            solved=solved,
            satisfaction=satisfaction,
            account_true=True,
        )
        return self

    def walk_to(self, state: State) -> Told:
        """Walk the plain road to a state, an hour a step."""
        road = (
            (State.RECEIVED, lambda told: told),
            (State.ASSIGNED, lambda told: told.dispatch()),
            (State.WORKING, lambda told: told.sign()),
            (State.REVIEW, lambda told: told.contact().finish()),
            (State.VISITING, lambda told: told.review()),
            (State.CLOSED, lambda told: told.visit()),
        )
        told = self
        for reached, walk in road:
            told = walk(told.later(hours=1) if reached != State.RECEIVED else told)
            if reached == state:
                return told
        if state == State.REDO:
            raise AssertionError("walk to VISITING and visit with solved=NO")
        raise AssertionError(f"no plain road leads to {state}")


def submission(text: str = LAMP, **changes: Any) -> intake_rules.Submission:
    """A telling by the resident's page."""
    told: dict[str, Any] = {
        "channel": "h5",
        "text": text,
        "reporter": intake_rules.Person(name="示例王", phone="13800000001"),
        "consent": "privacy-1",
    }
    return intake_rules.Submission(**(told | changes))


def tell(city: City, moment: Moment, text: str = LAMP, *, key: str = "", store: Any = None, **changes: Any) -> Told:
    """Tell something through the one door, and return it as received."""
    from django.conf import settings

    answer = intake_actions.submit(
        submission=submission(text, **changes),
        moment=moment.acting(Actor(kind="resident")),
        store=store or Folder(settings.STORE),
        client="test",
        key=key,
        body_hash=text.encode(),
    ).answer
    from fuzhengtong.cases import queries

    found = queries.case_id_of(answer.number)
    assert found is not None
    return Told(
        city=city,
        moment=moment.acting(SYSTEM),
        case_id=found,
        appeal_id=int(answer.appeal_id),
        number=answer.number,
        query_code=answer.query_code,
        receipt=answer.receipt,
    )


__all__ = ["City", "Told", "tell", "submission", "cases_rules", "LAMP"]
