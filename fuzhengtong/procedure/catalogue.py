"""All steps of all tables as one frozen catalogue, and the laws that a table of steps must keep.

Asked by pages for the buttons of a case, by pages and jobs that hold the name of a step instead of the step itself,
and by the procedure manual; the spine never asks, since it is handed its step. Two tables that use one word are
refused at import. The laws return what is wrong, as sentences; a catalogue that keeps them returns nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fuzhengtong.cases import steps as cases_steps
from fuzhengtong.cases.rules import why_not
from fuzhengtong.cases.states import FINAL, OPEN, DutyClass, DutyKind, Snapshot, State, class_of
from fuzhengtong.cases.steps import Coming, Step
from fuzhengtong.charter.moment import Actor
from fuzhengtong.oversight import steps as oversight_steps
from fuzhengtong.visits import steps as visits_steps


class DoubledWord(ValueError):
    """Two rows of the procedure bear one name and version, or a row is still announced as coming."""


class NoSuchStep(KeyError):
    """The procedure has no step of this name and version."""


@dataclass(frozen=True)
class Catalogue:
    """Every step by name and version, in the order of the tables, and the steps that are still to come."""

    steps: tuple[Step, ...]
    coming: tuple[Coming, ...]
    _known: Mapping[tuple[str, int], Step]
    _current: Mapping[str, Step]

    @property
    def current(self) -> tuple[Step, ...]:
        """Return the newest version of every step, in the order of the tables."""
        return tuple(step for step in self.steps if self._current[step.word] is step)

    def step(self, word: str, version: int | None = None) -> Step:
        """Return the step of this name: the version the ledger names, or the newest; raises NoSuchStep."""
        found = self._current.get(word) if version is None else self._known.get((word, version))
        if found is None:
            raise NoSuchStep(word if version is None else f"{word} v{version}")
        return found


def joined(steps: Iterable[Step], coming: Iterable[Coming]) -> Catalogue:
    """Join rows into a catalogue; refuses, with DoubledWord, a word that two rows claim."""
    rows, announced = tuple(steps), tuple(coming)
    known: dict[tuple[str, int], Step] = {}
    current: dict[str, Step] = {}
    for step in rows:
        if (step.word, step.version) in known:
            raise DoubledWord(f"two steps are called {step.word} v{step.version}")
        known[step.word, step.version] = step
        if step.word not in current or current[step.word].version < step.version:
            current[step.word] = step
    words = [row.word for row in announced]
    for word in words:
        if word in current or words.count(word) > 1:
            raise DoubledWord(f"{word} is announced as coming, and stands elsewhere too")
    return Catalogue(rows, announced, MappingProxyType(known), MappingProxyType(current))


CATALOGUE = joined(
    (*cases_steps.STEPS, *visits_steps.STEPS, *oversight_steps.STEPS),
    (*cases_steps.COMING, *visits_steps.COMING, *oversight_steps.COMING),
)


def step(word: str, version: int | None = None) -> Step:
    """Return a step of the city's procedure by name; raises NoSuchStep."""
    return CATALOGUE.step(word, version)


def offered(snapshot: Snapshot, actor: Actor) -> tuple[Step, ...]:
    """List the steps that the actor may take on the case as it stands: its buttons, in the order of the tables.

    The same rule as the refusal of `rules.plan`, before the facts are known: a step's own check may still refuse.
    """
    return tuple(step for step in CATALOGUE.current if why_not(step, snapshot, actor) is None)


# --- walking the table -------------------------------------------------------------------------------------------


def ends(step: Step, state: State | None) -> State | None:
    """Return the state in which a step leaves a case that was in `state` (None: not yet a case)."""
    return step.after or state


def allowed(catalogue: Catalogue, state: State | None) -> tuple[Step, ...]:
    """List the steps that the table allows in a state, whoever may take them."""
    return tuple(
        step for step in catalogue.current if (step.opens if state is None else not step.opens and state in step.before)
    )


def reachable(catalogue: Catalogue, start: State | None = None, without: DutyKind | None = None) -> frozenset[State]:
    """Return the states a case can come into from `start`, itself included; not through a step that voids `without`."""
    found: set[State] = set() if start is None else {start}
    waiting: list[State | None] = [start]
    while waiting:
        state = waiting.pop()
        for step in allowed(catalogue, state):
            after = ends(step, state)
            if after is not None and after not in found and (without is None or without not in step.voids):
                found.add(after)
                waiting.append(after)
    return frozenset(found)


def may_owe(catalogue: Catalogue) -> Mapping[State, frozenset[DutyKind]]:
    """Return, for every state a case can come into, the duties that may be open in it."""
    # A duty owed to each teller or each office may outlive the step that meets one of them.
    many = frozenset(owe.kind for step in catalogue.current for owe in step.owes if owe.each != "case")
    open_in: dict[State, frozenset[DutyKind]] = {state: frozenset() for state in reachable(catalogue)}
    before: dict[State, frozenset[DutyKind]] = {}
    while open_in != before:
        before = dict(open_in)
        for state in (None, *before):
            held = frozenset[DutyKind]() if state is None else open_in[state]
            for step in allowed(catalogue, state):
                after = ends(step, state)
                left = held - step.voids - (step.meets - many) | {owe.kind for owe in step.owes}
                if after is not None:
                    open_in[after] |= left
    return MappingProxyType(open_in)


# --- the laws ----------------------------------------------------------------------------------------------------


def states_out_of_reach(catalogue: Catalogue, coming: Mapping[State, str]) -> tuple[str, ...]:
    """List the states no case can come into, except those that a step still to come will bring (state → its word).

    A state that is promised to a coming step but can be reached already, or whose step nobody announces, is listed too.
    """
    found = reachable(catalogue)
    announced = {row.word for row in catalogue.coming}
    faults = [f"no step leads to {state}" for state in State if state not in found and state not in coming]
    faults += [f"{state} waits for {word} but can be reached" for state, word in coming.items() if state in found]
    faults += [
        f"{state} waits for {word}, which nobody announces" for state, word in coming.items() if word not in announced
    ]
    return tuple(faults)


def states_without_exit(catalogue: Catalogue) -> tuple[str, ...]:
    """List the open states in which a case can get stuck: no way from them to an end."""
    return tuple(
        f"no way leads from {state} to an end"
        for state in State
        if state in OPEN and state in reachable(catalogue) and not reachable(catalogue, state) & FINAL
    )


def kinds_never_owed(catalogue: Catalogue) -> tuple[str, ...]:
    """List the duty kinds that no step owes: words without a promise behind them."""
    owed = {owe.kind for step in catalogue.current for owe in step.owes}
    return tuple(f"no step owes {kind}" for kind in DutyKind if kind not in owed)


def kinds_never_met(catalogue: Catalogue) -> tuple[str, ...]:
    """List the duty kinds that no step meets."""
    met = {kind for step in catalogue.current for kind in step.meets}
    return tuple(f"no step meets {kind}" for kind in DutyKind if kind not in met)


def duties_that_cannot_be_met(catalogue: Catalogue) -> tuple[str, ...]:
    """List the duties from whose beginning no way leads to a step that meets them, short of voiding them."""
    faults = []
    for step in catalogue.current:
        for kind in dict.fromkeys(owe.kind for owe in step.owes):
            starts = [step.after] if step.after else sorted(step.before & reachable(catalogue))
            for start in starts:
                onward = reachable(catalogue, start, without=kind)
                if not any(kind in other.meets for state in onward for other in allowed(catalogue, state)):
                    faults.append(f"{kind}, owed by {step.word} in {start}, cannot be met")
    return tuple(faults)


def ends_that_leave_work(catalogue: Catalogue) -> tuple[str, ...]:
    """List the steps that end a case and leave a duty open which is more than housekeeping."""
    open_in = may_owe(catalogue)
    faults = []
    for state, held in open_in.items():
        for step in allowed(catalogue, state):
            after = ends(step, state)
            if state in FINAL or after not in FINAL:
                continue
            left = (held - step.voids - step.meets) | {owe.kind for owe in step.owes}
            faults += [
                f"{step.word} ends a case in {state} and leaves {kind}"
                for kind in DutyKind
                if kind in left and class_of(kind) != DutyClass.HOUSEKEEPING
            ]
    return tuple(faults)


def clocks_stopped_for_ever(catalogue: Catalogue) -> tuple[str, ...]:
    """List the duties that a step pauses and that no later step resumes or meets before they are voided."""
    faults = []
    for step in catalogue.current:
        for kind in step.pauses:
            for start in [step.after] if step.after else sorted(step.before):
                onward = reachable(catalogue, start, without=kind)
                steps = [other for state in onward for other in allowed(catalogue, state)]
                if not any(kind in other.resumes for other in steps):
                    faults.append(f"{step.word} stops {kind} in {start}, and nothing resumes it")
    return tuple(faults)


def broken_laws(catalogue: Catalogue, coming: Mapping[State, str]) -> tuple[str, ...]:
    """List everything that is wrong with a table of steps."""
    return (
        *states_out_of_reach(catalogue, coming),
        *states_without_exit(catalogue),
        *kinds_never_owed(catalogue),
        *kinds_never_met(catalogue),
        *duties_that_cannot_be_met(catalogue),
        *ends_that_leave_work(catalogue),
        *clocks_stopped_for_ever(catalogue),
    )
