"""One appeal, whole: from telling to figure, as the founding promise describes it."""

from __future__ import annotations

from fuzhengtong.cases import queries
from fuzhengtong.cases.states import DutyKind, State
from fuzhengtong.chain import followers
from tests.builders import tell


def test_a_lamp_is_told_of_assigned_mended_visited_and_closed(db, city, moment) -> None:
    told = tell(city, moment)

    told = told.walk_to(State.CLOSED)

    case = told.case
    assert case.state == State.CLOSED
    assert case.finish_late is False
    owed = [duty.kind for duty in told.snapshot().duties if duty.is_open]
    assert owed == [DutyKind.ARCHIVE]
    assert queries.proof(appeal_id=told.appeal_id, receipt=told.receipt).stands


def test_a_clear_telling_is_at_its_office_without_a_hand(db, city, moment) -> None:
    told = tell(city, moment)

    assert followers.run("dispatch", moment=moment) == 1

    case = told.case
    assert case.state == State.ASSIGNED
    assert case.automatic
    assert case.community_id == city.area("210902003001").area_id
