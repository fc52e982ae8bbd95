from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import psycopg
import pytest
from django.db import connection, connections

from fuzhengtong.cases import models as cases_models
from fuzhengtong.cases.states import Satisfaction, Solved, State
from fuzhengtong.charter.moment import Actor, Moment
from fuzhengtong.reporting import actions, models, queries
from tests.builders import City, tell

MONTH = 202611


def rollup() -> dict[tuple[Any, ...], int]:
    rows = models.Rollup.objects.values_list("month", "area_id", "root", "measure", "n")
    return {row[:4]: row[4] for row in rows if row[4]}


def analyst(city: City, *, level: str = "city", area: int | None = None) -> Actor:
    return Actor(kind="post", post_kind="analyst", office=city.desk.office_id, level=level, area=area)


def test_folding_moves_every_waiting_count_into_the_rollup(db: None, city: City, moment: Moment) -> None:
    tell(city, moment).walk_to(State.CLOSED)

    while actions.fold(limit=3):
        pass

    assert not cases_models.Delta.objects.exists()
    assert {key[3] for key in rollup()} >= {"received", "accepted", "finished", "closed", "solved", "satisfied"}
    assert queries.recount() == ()


def test_a_step_moves_the_figures_before_anything_is_folded(db: None, city: City, moment: Moment) -> None:
    viewer = analyst(city)
    told = tell(city, moment)

    before = queries.figures(viewer=viewer, since=MONTH, until=MONTH, area=None, charter=moment.charter)
    actions.fold()
    told.walk_to(State.CLOSED)
    after = queries.figures(viewer=viewer, since=MONTH, until=MONTH, area=None, charter=moment.charter)

    assert before is not None and after is not None
    assert (before.total.counts["received"], before.total.counts["finished"]) == (1, 0)
    assert (after.total.counts["received"], after.total.counts["finished"]) == (1, 1)
    assert after.total.figure("solved").rate == 1.0
    assert after.edition == moment.charter.edition


def test_a_redo_takes_back_what_was_counted_of_the_first_result(db: None, city: City, moment: Moment) -> None:
    told = tell(city, moment).walk_to(State.VISITING)
    told.later(hours=1).visit(solved=Solved.NO, satisfaction=Satisfaction.NOT)
    while actions.fold():
        pass

    found = queries.figures(viewer=analyst(city), since=MONTH, until=MONTH, area=None, charter=moment.charter)

    assert found is not None
    assert found.total.counts["unsolved"] == found.total.counts["finished"] == 0
    assert found.total.counts["redone"] == 1
    assert queries.recount() == ()


def test_the_proof_names_a_count_that_was_changed_by_hand(db: None, city: City, moment: Moment) -> None:
    tell(city, moment)
    actions.fold()
    models.Rollup.objects.filter(measure="received").update(n=7)

    found = queries.recount()

    assert [(one.measure, one.counted, one.kept) for one in found] == [("received", 1, 7)]


def test_a_county_sees_its_own_figures_and_never_its_neighbours(db: None, city: City, moment: Moment) -> None:
    haizhou, xinqiu = city.area("210902").area_id, city.area("210903").area_id
    tell(city, moment).walk_to(State.ASSIGNED)
    viewer = analyst(city, level="county", area=haizhou)

    own = queries.figures(viewer=viewer, since=MONTH, until=MONTH, area=None, charter=moment.charter)
    other = queries.figures(viewer=viewer, since=MONTH, until=MONTH, area=xinqiu, charter=moment.charter)
    above = queries.figures(viewer=analyst(city), since=MONTH, until=MONTH, area=haizhou, charter=moment.charter)

    assert own is not None and above is not None
    assert own.area_id == haizhou
    assert own.total.counts["accepted"] == above.total.counts["accepted"] == 1
    assert other is None


def test_the_city_is_told_by_counties_and_a_county_by_towns(db: None, city: City, moment: Moment) -> None:
    haizhou = city.area("210902").area_id
    tell(city, moment).walk_to(State.ASSIGNED)
    tell(city, moment)

    whole = queries.figures(viewer=analyst(city), since=MONTH, until=MONTH, area=None, charter=moment.charter)
    county = queries.figures(viewer=analyst(city), since=MONTH, until=MONTH, area=haizhou, charter=moment.charter)

    assert whole is not None and county is not None
    assert {line.key: line.counts["received"] for line in whole.by_area} == {
        str(haizhou): 1,
        str(whole.area_id): 1,
    }
    assert [line.key for line in county.by_area] == [str(city.area("210902003").area_id)]
    assert {line.key: line.counts["received"] for line in whole.by_root} == {"E": 1, "": 1}


def test_posts_without_the_permit_see_no_figures(db: None, city: City, moment: Moment) -> None:
    handler = Actor(kind="post", post_kind="handler", office=city.desk.office_id, level="city")

    found = queries.figures(viewer=handler, since=MONTH, until=MONTH, area=None, charter=moment.charter)

    assert found is None


def test_months_outside_the_time_count_in_the_cumulative_line_alone(db: None, city: City, moment: Moment) -> None:
    area = city.desk.area_id
    models.Rollup.objects.create(month=202610, area_id=area, root="E", measure="accepted", n=4)
    models.Rollup.objects.create(month=202610, area_id=area, root="E", measure="finished", n=3)
    models.Rollup.objects.create(month=202612, area_id=area, root="E", measure="accepted", n=9)

    found = queries.figures(viewer=analyst(city), since=MONTH, until=MONTH, area=None, charter=moment.charter)

    assert found is not None
    assert found.total.counts["accepted"] == 0
    assert found.so_far.figure("finished").rate == 0.75


def test_dispatch_times_are_those_of_the_tellings_received_in_the_time(db: None, city: City, moment: Moment) -> None:
    for minutes in (1, 2, 30):
        tell(city, moment).later(minutes=minutes).dispatch()
    tell(city, moment)

    found = queries.figures(viewer=analyst(city), since=MONTH, until=MONTH, area=None, charter=moment.charter)
    before = queries.figures(viewer=analyst(city), since=202610, until=202610, area=None, charter=moment.charter)

    assert found is not None and found.dispatch is not None and before is not None and before.dispatch is not None
    assert (found.dispatch.n, found.dispatch.p50_s, found.dispatch.automatic) == (3, 120.0, 0)
    assert (before.dispatch.n, before.dispatch.p50_s) == (0, None)


def test_folders_side_by_side_fold_every_count_once(own_database: str, city: City, moment: Moment) -> None:
    area = city.desk.area_id
    cases_models.Delta.objects.bulk_create(
        cases_models.Delta(id=moment.mint.id(), month=MONTH, area_id=area, root="ABCDE"[n % 5], measure="late", n=1)
        for n in range(1000)
    )

    def work() -> None:
        try:
            while actions.fold(limit=7):
                pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(rollup().values()) == 1000
    assert not cases_models.Delta.objects.exists()


FOLDER = """
import sys, psycopg
from fuzhengtong.reporting.actions import _FOLD
with psycopg.connect(sys.argv[1]) as connection:
    connection.execute(_FOLD, [100])
    print("folded", flush=True)
    sys.stdin.read()
"""


def test_a_folder_that_is_killed_before_its_commit_loses_and_doubles_nothing(
    own_database: str, databases: Any, city: City, moment: Moment
) -> None:
    area = city.desk.area_id
    cases_models.Delta.objects.bulk_create(
        cases_models.Delta(id=moment.mint.id(), month=MONTH, area_id=area, root="E", measure="received", n=1)
        for _ in range(150)
    )
    folder = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", FOLDER, databases.app_url(own_database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert folder.stdout is not None and folder.stdin is not None
    assert folder.stdout.readline() == "folded\n"

    folder.kill()
    folder.wait()
    folder.stdin.close()
    folder.stdout.close()
    # Its locks fall with its connection; until then they are left to it.
    while actions.fold(limit=10) or cases_models.Delta.objects.exists():
        pass

    assert rollup() == {(MONTH, area, "E", "received"): 150}


def test_what_another_folder_holds_is_left_to_it(own_database: str, databases: Any, city: City, moment: Moment) -> None:
    area = city.desk.area_id
    cases_models.Delta.objects.bulk_create(
        cases_models.Delta(id=moment.mint.id(), month=MONTH, area_id=area, root="E", measure="received", n=1)
        for _ in range(5)
    )
    with psycopg.connect(databases.app_url(own_database)) as other:
        other.execute(actions._FOLD, [3])  # type: ignore[arg-type]

        with pytest.raises(Exception, match="lock"), connection.cursor() as cursor:
            # The row of the roll-up is the other's until it commits; the counts themselves are skipped.
            cursor.execute("SET lock_timeout = '200ms'")
            actions.fold()
        other.rollback()

    assert actions.fold() == 5
