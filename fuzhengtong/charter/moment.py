"""The world as an argument: one frozen Moment is made at the edge and passed down to every rule and action.

Made by `web/moment.py`, `jobs` and tests alone; nothing below reads a clock, draws a number or asks who is there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fuzhengtong.charter.editions import Charter, Charters
    from fuzhengtong.kernel.calendar import Calendar
    from fuzhengtong.kernel.ids import Mint

ActorKind = Literal["post", "resident", "key", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person in a post, a resident holding the code of his appeal, a key of another system, or the system.

    `office`, `level` and `area` are those of the post; `offices` are all in which the person holds a post at this
    instant (nobody visits the work of his own house); `appeal_id` is the appeal whose query code the resident holds.
    """

    kind: ActorKind
    principal: int | None = None
    post: int | None = None
    post_kind: str = ""
    office: int | None = None
    level: str = ""
    area: int | None = None
    offices: frozenset[int] = frozenset()
    appeal_id: int | None = None
    name: str = ""


SYSTEM = Actor(kind="system", post_kind="system", name="system")


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant of the city: when, when it is claimed to have been, who acts, and the rules and numbers in force.

    `at` is aware and cut to whole milliseconds, so that the ledger's bytes and the database hold the same instant.
    """

    at: datetime
    by: Actor
    charters: Charters
    calendar: Calendar
    mint: Mint
    told_at: datetime | None = None

    @property
    def charter(self) -> Charter:
        """The edition in force at this moment; a running duty is ruled by its own."""
        return self.charters.in_force(self.at)

    def acting(self, by: Actor) -> Moment:
        """Return the same moment with another actor, for the steps that follow from a person's step by rule."""
        return replace(self, by=by)
