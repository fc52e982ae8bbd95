"""Who may do and who may see: small pure claims about an actor and a snapshot, joined as an OR of ANDs.

A step names its own `who` in `steps.py`; what a *read* allows stands in PERMITS below. Buttons, refusals, lists,
imports and the permission matrix of `docs/procedure.md` all come from these claims.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fuzhengtong.cases.states import AssignmentState, Role, Snapshot
from fuzhengtong.charter.moment import Actor


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim about who acts: a word for the manual, a pure test, and the post kinds it speaks of."""

    word: str
    test: Callable[[Actor, Snapshot], bool]
    posts: frozenset[str] = frozenset()


Who = tuple[tuple[Claim, ...], ...]

# Posts of the centres, which see the cases of their area; handlers and heads see those of their office.
DESK_POSTS = frozenset(
    {"dispatcher", "reviewer", "visitor", "supervisor", "duty", "chief_clerk", "agent", "window_clerk", "analyst"}
)
OFFICE_POSTS = frozenset({"handler", "head"})
# The three administrators run the machine and see no case (GB/T 22239: separated powers).
ADMIN_POSTS = frozenset({"system_admin", "security_admin", "audit_admin"})


def _column_of(level: str) -> str:
    return {"county": "county_id", "town": "town_id", "community": "community_id"}.get(level, "")


def covers(actor: Actor, snapshot: Snapshot) -> bool:
    """Tell whether the area of the actor's post covers the case; a city post covers all of the city."""
    case = snapshot.case
    if case is None:
        return True
    if actor.level == "city":
        return True
    column = _column_of(actor.level)
    return bool(column) and actor.area is not None and getattr(case, column) == actor.area


def assigned(actor: Actor, snapshot: Snapshot) -> bool:
    return any(row.office_id == actor.office and row.state != AssignmentState.CANCELLED for row in snapshot.assignments)


def leads(actor: Actor, snapshot: Snapshot) -> bool:
    return any(
        row.office_id == actor.office and row.role == Role.LEAD and row.state != AssignmentState.CANCELLED
        for row in snapshot.assignments
    )


def owes(actor: Actor, snapshot: Snapshot) -> bool:
    return any(duty.is_open and duty.owed_by == actor.office for duty in snapshot.duties)


def stands_apart(actor: Actor, snapshot: Snapshot) -> bool:
    """Tell whether neither the post nor any other post of the person belongs to an office that handled the case."""
    handling = {row.office_id for row in snapshot.assignments if row.state != AssignmentState.CANCELLED}
    return actor.office not in handling and not (actor.offices & handling)


def tells(actor: Actor, snapshot: Snapshot) -> bool:
    return actor.appeal_id is not None and snapshot.appeal(actor.appeal_id) is not None


def is_open_to_office(actor: Actor, snapshot: Snapshot) -> bool:
    """Tell whether no telling of the case asked to be kept from the office that handles it."""
    return not any(row.confidential or row.anonymous for row in snapshot.appeals)


def holds(*kinds: str) -> Claim:
    """Claim that the actor acts in a post of one of these kinds."""
    wanted = frozenset(kinds)
    return Claim("holds_" + "_or_".join(kinds), lambda actor, _: actor.post_kind in wanted, wanted)


IS_SYSTEM = Claim("is_system", lambda actor, _: actor.kind == "system", frozenset({"system"}))
IS_RESIDENT = Claim("is_resident", lambda actor, _: actor.kind == "resident", frozenset({"resident"}))
IS_KEY = Claim("is_key", lambda actor, _: actor.kind == "key", frozenset({"key"}))
IS_TELLER = Claim("is_teller", tells, frozenset({"resident"}))
IN_AREA = Claim("in_area", covers)
OF_ASSIGNED_OFFICE = Claim("of_assigned_office", assigned)
OF_LEAD_OFFICE = Claim("of_lead_office", leads)
OWES_A_DUTY = Claim("owes_a_duty", owes)
STANDS_APART = Claim("stands_apart", stands_apart)
OPEN_TO_OFFICE = Claim("open_to_office", is_open_to_office)
HOLDS_DESK_POST = Claim("holds_desk_post", lambda actor, _: actor.post_kind in DESK_POSTS, DESK_POSTS)
HOLDS_OFFICE_POST = Claim("holds_office_post", lambda actor, _: actor.post_kind in OFFICE_POSTS, OFFICE_POSTS)

_SEES: Who = (
    (HOLDS_DESK_POST, IN_AREA),
    (HOLDS_OFFICE_POST, OF_ASSIGNED_OFFICE),
    (HOLDS_OFFICE_POST, OWES_A_DUTY),
    (IS_TELLER,),
)

# What a read allows. Outside of it a record does not exist (404), for lists, counts, exports and pages alike.
PERMITS: dict[str, Who] = {
    "see_case": _SEES,
    "see_ledger": _SEES,
    "open_teller": (
        (holds("dispatcher", "reviewer", "visitor", "supervisor", "duty", "agent"), IN_AREA),
        (HOLDS_OFFICE_POST, OF_LEAD_OFFICE, OPEN_TO_OFFICE),
    ),
    "see_figures": ((HOLDS_DESK_POST,), (holds("head"),)),
    "see_notices": ((holds("system_admin"),),),
    "see_access": ((holds("audit_admin"),),),
    "see_sign_ins": ((holds("audit_admin"),), (holds("security_admin"),)),
    "edit_people": ((holds("security_admin"),),),
    "edit_reference": ((holds("system_admin"),),),
}


def allows(who: Who, actor: Actor, snapshot: Snapshot) -> bool:
    """Tell whether one of the ways holds with all of its claims."""
    return any(all(claim.test(actor, snapshot) for claim in way) for way in who)


def may(permit: str, actor: Actor, snapshot: Snapshot | None = None) -> bool:
    """Tell whether the actor may do this read; an unknown permit is a bug (KeyError)."""
    return allows(PERMITS[permit], actor, snapshot or Snapshot())
