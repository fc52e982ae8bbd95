"""The response rate counts a first contact within the charter's limit, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fuzhengtong.cases import steps
from fuzhengtong.cases.states import Satisfaction, Solved
from fuzhengtong.charter.moment import Actor, Moment
from fuzhengtong.jobs import verify
from fuzhengtong.reporting import actions, queries
from tests.builders import City, Told, tell

ZONE = ZoneInfo("Asia/Shanghai")


def on(told: Told, text: str) -> Told:
    return told.at(replace(told.moment, at=datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)))


def response(city: City, moment: Moment) -> tuple[float, int]:
    viewer = Actor(kind="post", post_kind="analyst", office=city.desk.office_id, level="city")
    found = queries.figures(viewer=viewer, since=202611, until=202611, area=None, charter=moment.charter)
    assert found is not None
    figure = found.total.figure("response")
    return figure.numerator, figure.denominator


def whole(told: Told) -> bool:
    report = verify.verify(acknowledged=None, canaries=None, deep=False, clock=lambda: told.moment.at, say=print)
    return queries.recount() == () and not {one for one in report.totals if one[0] in ("I5", "I8")}


# Assigned on Friday at ten: the working day of a first response ends on Monday, 24:00.
@pytest.mark.parametrize(
    ("signed", "contacted", "counted"),
    [
        ("2026-11-20T11:00", "2026-11-20T12:00", 1),
        ("2026-11-20T11:00", "2026-11-23T23:59", 1),
        ("2026-11-20T11:00", "2026-11-24T00:01", 0),
        ("2026-11-24T09:00", "2026-11-20T12:00", 0),
        ("2026-11-23T23:00", "2026-11-20T12:00", 1),
    ],
)
def test_signed_and_reached_within_one_working_day(
    db: None, city: City, moment: Moment, signed: str, contacted: str, counted: int
) -> None:
    told = tell(city, moment).dispatch()

    for at, act in sorted([(signed, "sign"), (contacted, "contact")]):
        told = on(told, at)
        getattr(told, act)()

    assert response(city, moment) == (counted, 1)
    assert whole(told)
    while actions.fold():
        pass
    assert response(city, moment) == (counted, 1) and whole(told)


def test_who_was_tried_in_vain_or_not_at_all_is_below_the_line_only(db: None, city: City, moment: Moment) -> None:
    tell(city, moment).dispatch()
    told = tell(city, moment).dispatch().later(minutes=5).sign()
    told.take(steps.CONTACT, told.by("handler"), contacted_at=told.moment.at, how="phone", reached=False)

    assert response(city, moment) == (0, 2)
    assert whole(told)


@pytest.mark.parametrize(("first", "counted"), [("2026-11-20T12:00", 1), ("2026-11-25T12:00", 0)])
def test_a_redo_leaves_the_first_response_as_it_was(
    db: None, city: City, moment: Moment, first: str, counted: int
) -> None:
    told = on(tell(city, moment).dispatch().later(minutes=5).sign(), first).contact().finish().later(hours=1).review()
    told.later(hours=1).visit(solved=Solved.NO, satisfaction=Satisfaction.NOT)
    assert response(city, moment) == (counted, 1)

    told = told.later(hours=2).contact()

    assert response(city, moment) == (counted, 1)
    assert whole(told)


def test_an_urgent_matter_is_counted_from_its_receipt_around_the_clock(db: None, city: City, moment: Moment) -> None:
    def answered(text: str) -> Told:
        told = tell(city, moment)
        urgent(told)
        return on(told.later(minutes=5).sign(), text).contact()

    answered("2026-11-21T09:59")
    answered("2026-11-21T10:01")

    assert response(city, moment) == (1, 2)


def urgent(told: Told) -> Any:
    from fuzhengtong.dispatch import actions as dispatch_actions

    return dispatch_actions.confirm(
        case_id=told.case_id,
        category_id=told.city.category("E03").category_id,
        area_id=told.city.area("210902003001").area_id,
        urgency="urgent",
        office_id=told.city.office("210902-zjj").office_id,
        moment=told.by("dispatcher", office_id=told.city.desk.office_id),
    )
