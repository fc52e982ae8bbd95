from __future__ import annotations

from collections import Counter

from fuzhengtong.cases import models
from fuzhengtong.jobs import seed


def test_the_made_cases_stand_in_every_state_they_were_made_for(db, worker_database) -> None:
    made = seed.few()

    states = Counter(models.Case.objects.values_list("state", flat=True))
    assert made == len(seed.PLAYS)
    assert states.keys() == {
        "received", "need_info", "assigned", "working", "review", "visiting", "redo", "closed", "archived", "withdrawn",
    }  # fmt: skip


def test_a_city_with_cases_gets_no_made_ones(db, worker_database) -> None:
    seed.few()

    assert seed.few() == 0
