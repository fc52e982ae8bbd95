"""Dispatch: what happens between a telling and its office, by the machine where it is sure, else by a person.

`follow` is run by the chain on every registered telling: propose, then accept and assign as two entries of the
system post, or hand over to the desk with what is known; both meet the two-minute promise. `confirm` is the
dispatcher's one key. The explanation lies with the case, sealed, since it names words of the telling.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import ledger, states
from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.cases import steps as cases_steps
from fuzhengtong.cases.actions import Desk, Followed, Taken
from fuzhengtong.cases.states import Snapshot, State, Urgency
from fuzhengtong.charter.moment import SYSTEM, Moment
from fuzhengtong.dispatch import queries, rules
from fuzhengtong.kernel.errors import Refused


class NoSuchPlace(Refused):
    """Refuse an area that is not, or no longer, one of the city's."""

    code = "no_such_place"


class NoSuchCategory(Refused):
    """Refuse a category that is not, or no longer, in force."""

    code = "no_such_category"


class NoSuchOffice(Refused):
    """Refuse an office that cannot take work."""

    code = "no_such_office"


class NotByDispatch(Refused):
    """Refuse to dispatch into a lane that this desk does not open (discipline)."""

    code = "not_by_dispatch"


def follow(followed: Sequence[Followed], *, moment: Moment) -> None:
    """Dispatch every telling of a batch that still waits: in one lock, one reading and one writing."""
    sight = queries.sight(moment.at)
    case_ids = sorted({one.case_id for one in followed})
    told = cases_queries.told(case_ids)
    desks = []
    for snapshot in ledger.read(case_ids):
        if snapshot.known.state != State.RECEIVED or snapshot.open_duty(states.DutyKind.DISPATCH) is None:
            continue
        desk = Desk(snapshot, moment.acting(SYSTEM))
        _dispatch(desk, told[snapshot.known.id], sight)
        desks.append(desk)
    plans = [plan for desk in desks for plan in desk.plans]
    if plans:
        ledger.write(plans, moment=moment, passages=[row for desk in desks for row in desk.passages])


def _dispatch(desk: Desk, told: cases_queries.Told, sight: queries.Sight) -> None:
    proposal = sight.propose(text=told.text, address=told.place, point=told.point, charter=desk.moment.charter)
    choice = sight.choose(proposal, at=desk.moment.at)
    explanation = {"explanation": msgspec.json.encode(sight.explained(proposal, choice)).decode()}
    automatic = proposal.urgency in desk.moment.charter.automatic.accept_and_assign
    if choice.sure and automatic and choice.category is not None and choice.path is not None and choice.office_id:
        desk.take(
            cases_steps.ACCEPT, texts=explanation, **_accepting(choice.category, choice.path, proposal.urgency, True)
        )
        desk.take(cases_steps.ASSIGN, office_id=choice.office_id, route_id=choice.route_id, automatic=True)
        return
    desk.take(
        cases_steps.TO_DESK,
        texts=explanation,
        reasons=choice.doubts,
        category_code=choice.category.code if choice.category else "",
        urgency=Urgency(proposal.urgency),
        **_known(choice.path),
    )


def _accepting(category: queries.Kind, path: queries.Path, urgency: str, automatic: bool) -> dict[str, Any]:
    return {
        "category_id": category.id,
        "category_code": category.code,
        "category_days": category.days,
        "root": category.root,
        "lane": states.Lane(category.lane),
        "urgency": Urgency(urgency),
        "city_id": path.city_id,
        "county_id": path.county_id,
        "county_code": path.county_code,
        "town_id": path.town_id,
        "community_id": path.community_id,
        "grid_id": path.grid_id,
        "desk_id": path.desk_id,
        "automatic": automatic,
    }


def _known(path: queries.Path | None) -> dict[str, Any]:
    if path is None or path.county_id is None:
        return {}
    return {
        "county_id": path.county_id,
        "county_code": path.county_code,
        "town_id": path.town_id,
        "community_id": path.community_id,
        "desk_id": path.desk_id,
    }


def confirm(
    *,
    case_id: int,
    category_id: int,
    area_id: int,
    urgency: str,
    office_id: int,
    moment: Moment,
    expect: int | None = None,
    once: ledger.Once | None = None,
) -> Taken:
    """Accept and assign a telling as a dispatcher decided, in one transaction of two entries.

    Refused with NoSuchPlace, NoSuchCategory, NoSuchOffice, NotByDispatch, or what the steps refuse. A case that
    was accepted before is only assigned.
    """
    sight = queries.sight(moment.at)
    category, path = sight.kind(category_id), sight.path(area_id)
    if category is None:
        raise NoSuchCategory
    if category.lane == states.Lane.DISCIPLINE:
        raise NotByDispatch
    if path is None:
        raise NoSuchPlace
    if not sight.takes_work(office_id):
        raise NoSuchOffice
    with cases_actions.at_desk(case_id=case_id, moment=moment, expect=expect) as desk:
        if desk.snapshot.known.state != State.ACCEPTED:
            desk.take(cases_steps.ACCEPT, **_accepting(category, path, urgency, False))
        plan = desk.take(cases_steps.ASSIGN, office_id=office_id, route_id=sight.route_id(category, path, office_id))
        desk.write(once)
        return Taken(entry=plan.entry, after=desk.snapshot)


def proposal_for(*, snapshot: Snapshot, told: cases_queries.Told, moment: Moment) -> dict[str, Any]:
    """Propose again for the desk, as things stand now: three offices with reasons, place, category, urgency."""
    sight = queries.sight(moment.at)
    proposal: rules.Proposal = sight.propose(
        text=told.text, address=told.place, point=told.point, charter=moment.charter
    )
    return sight.explained(proposal, sight.choose(proposal, at=moment.at))
