"""What stands beside the one state of a case: its flags, and the states and capabilities that are still to come.

A flag is a column the spine keeps, or is named here with the capability that brings it, so that no word of the domain
is forgotten in silence. Read by the procedure manual and by the repository's own tests; nothing decides by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fuzhengtong.cases.states import State

# In the order in which they are built: what a Coming step or a flag may wait for.
CAPABILITIES = ("the desks", "handling together", "the lanes", "prevention", "insight")


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag: the column that keeps it (table and column), or else the capability that brings it."""

    word: str
    column: str = ""
    capability: str = ""


FLAGS: tuple[Flag, ...] = (
    Flag("supervision", column="case.supervision"),
    Flag("extended", capability="the desks"),
    Flag("hard", column="case.is_hard"),
    Flag("group", capability="the desks"),
    Flag("repeat", capability="the desks"),
    Flag("frequent_teller", capability="insight"),
    Flag("urgency", column="case.urgency"),
    Flag("secrecy", column="case.confidential"),
    Flag("instruction", capability="handling together"),
    Flag("unreasonable", capability="insight"),
    Flag("excluded", capability="insight"),
    Flag("no_objection", capability="the desks"),
    # The number another system gave, with the channel that names the system.
    Flag("government_line_number", column="appeal.source_ref"),
    Flag("provincial_number", column="appeal.source_ref"),
    Flag("grant", capability="handling together"),
    Flag("mediation_number", capability="the lanes"),
    Flag("consultation_number", capability="handling together"),
)

# States of the domain that no step leads to yet, and the coming step that will.
STATES_COMING: Mapping[State, str] = MappingProxyType(
    {
        State.DECLINED: "decline",
        State.MOVED: "move",
        State.OBJECTING: "object",
        State.DESIGNATING: "designate",
        State.ON_ACCOUNT: "on_account",
        State.MERGED: "merge",
        State.ENDED: "end",
    }
)
