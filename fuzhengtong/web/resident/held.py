"""What the holder of a query code may see: his own telling of a case, and of the case what is public.

Every page under /q/ begins here. A code that does not exist is answered like any address that is not there; other
tellers of the same matter, notes of the offices and files that are not his stay out of sight.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.cases import steps as cases_steps
from fuzhengtong.cases.queries import CaseView, File, Line, Telling
from fuzhengtong.cases.states import AppealRow, CaseRow
from fuzhengtong.charter.moment import Moment
from fuzhengtong.kernel import numbers
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.procedure import catalogue
from fuzhengtong.web.moment import address_of, as_teller, moment_of
from fuzhengtong.web.rates import count_hit

# Of the office's files the teller sees the evidence of the work, and only once the review has passed it.
_EVIDENCE = frozenset({"finish"})


@dataclass(frozen=True)
class Held:
    """One appeal in the hand of who holds its query code, with the moment in which he acts as its teller."""

    code: str
    appeal_id: int
    view: CaseView
    telling: Telling
    moment: Moment

    @property
    def case(self) -> CaseRow:
        return self.view.case

    @property
    def appeal(self) -> AppealRow:
        """The columns of his appeal."""
        found = self.view.snapshot.appeal(self.appeal_id)
        if found is None:
            raise cases_actions.NotFound
        return found

    @property
    def lines(self) -> tuple[Line, ...]:
        """The public lines of the ledger that are his or the case's, oldest first."""
        return tuple(line for line in self.view.lines if _is_public(line) and self._is_his(line))

    @property
    def files(self) -> tuple[File, ...]:
        """The files he handed in, and the evidence of work that the review has passed."""
        passed = {line.seq for line in self.view.lines if line.step == "review"}
        last = max(passed, default=0)
        finished = max((line.at for line in self.view.lines if line.step == "finish" and line.seq < last), default=None)
        return tuple(
            file
            for file in self.view.files
            if file.appeal_id == self.appeal_id
            or (file.purpose in _EVIDENCE and finished is not None and file.at <= finished)
        )

    @property
    def receipt(self) -> str:
        """The hash that his receipt carries."""
        own = (line for line in self.view.lines if line.step == "register" and line.appeal_id == self.appeal_id)
        return next((line.hash for line in own), "")

    def may(self, step: cases_steps.Step) -> bool:
        """Tell whether the procedure offers a step to him now; the step's own check may still refuse."""
        return any(step.word == found.word for found in catalogue.offered(self.view.snapshot, self.moment.by))

    def why_not(self, step: cases_steps.Step, **facts: Any) -> Refused | None:
        """Return why a step cannot be taken now, its own check included, or nothing."""
        if not self.may(step):
            return cases_actions.NotFound()
        try:
            if step.check is not None:
                step.check(self.view.snapshot, step.facts(appeal_id=self.appeal_id, **facts), self.moment)
        except Refused as refused:
            return refused
        return None

    def _is_his(self, line: Line) -> bool:
        # A redo speaks of the teller whose word set it off, and concerns all of them.
        return line.appeal_id in (None, self.appeal_id) or line.step == "redo"


def _is_public(line: Line) -> bool:
    try:
        step = catalogue.step(line.step, line.step_version)
    except catalogue.NoSuchStep:
        return False
    if line.step == cases_steps.NOTE.word:
        return line.facts.get("public") is True
    return step.public


def find(request: HttpRequest, code: str) -> Held:
    """Return the appeal of a query code; refuses what is none like any address that is not there.

    Misses are counted for the caller's address (rate query_code_per_address): codes have 128 bits, so only somebody
    who guesses ever counts up.
    """
    moment = moment_of(request)
    found = cases_queries.by_query_code(numbers.code_hash(code))
    if found is None:
        count_hit(f"code|{address_of(request)}", moment.charter.rates.query_code_per_address, moment)
        raise cases_actions.NotFound
    teller = as_teller(request, found.appeal_id)
    view = cases_queries.case_view(viewer=teller.by, case_id=found.case_id)
    telling = next((row for row in view.tellings if row.appeal_id == found.appeal_id), None) if view else None
    if view is None or telling is None:
        raise cases_actions.NotFound
    return Held(code=code, appeal_id=found.appeal_id, view=view, telling=telling, moment=teller)


def holding(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Hand a view the appeal of the code in its address; a code typed in another spelling is led to its own."""

    @wraps(view)
    def held_view(request: HttpRequest, code: str, **more: Any) -> HttpResponse:
        try:
            plain = numbers.parse_code(code)
        except numbers.WrongCode as error:
            raise cases_actions.NotFound from error
        if plain != code and request.method in ("GET", "HEAD"):
            return HttpResponseRedirect(request.path.replace(f"/q/{code}/", f"/q/{plain}/", 1))
        return view(request, find(request, plain), **more)

    return held_view
