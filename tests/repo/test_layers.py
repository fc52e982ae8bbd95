"""The contracts of `.importlinter`, where import-linter itself does not look: relations, grants, followers."""

from __future__ import annotations

import ast
from typing import Any

from django.apps import apps
from django.db.models import Field

from fuzhengtong.cases import models as cases_models
from fuzhengtong.chain.followers import FOLLOWERS
from fuzhengtong.config import grants
from fuzhengtong.jobs import tick
from fuzhengtong.procedure.catalogue import CATALOGUE
from tests.builders import tell
from tests.repo import sources


def depth(package: str) -> int:
    return next(nth for nth, layer in enumerate(sources.layers()) if package in layer)


def relations() -> list[tuple[str, str, Field[Any, Any]]]:
    return [
        (model._meta.app_label, field.related_model._meta.app_label, field)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and field.related_model is not None
        if model.__module__.startswith("fuzhengtong.")
    ]


def test_every_package_stands_in_one_layer() -> None:
    packages = {path.parent.name for path in sources.PACKAGE.glob("*/__init__.py")}
    listed = [name for layer in sources.layers() for name in layer]

    assert sorted(listed) == sorted(packages)


def test_relations_point_down_or_stay_in_their_app() -> None:
    upward = [str(field) for app, other, field in relations() if app != other and depth(other) >= depth(app)]

    assert relations()
    assert upward == []


def test_no_relation_is_many_to_many() -> None:
    # A hidden table has no dates, no constraint of its own and no place in the grants.
    assert [str(field) for _, _, field in relations() if field.many_to_many] == []


def test_tables_of_the_grants_exist() -> None:
    tables = {model._meta.db_table for model in apps.get_models()}

    assert set(grants.APPEND_ONLY) <= tables


def test_a_log_is_granted_as_one() -> None:
    said = {
        model._meta.db_table
        for model in apps.get_models()
        if "append only" in (model.__doc__ or "").lower().replace("-", " ")
    }
    # Deltas are added alone as well, but the folder takes them away.
    assert said - {cases_models.Delta._meta.db_table} <= set(grants.APPEND_ONLY)


# --- followers ---------------------------------------------------------------------------------------------------


def test_every_follower_of_a_step_is_run_by_the_chain() -> None:
    named = {name for step in CATALOGUE.steps for name in step.follow}

    assert named <= set(FOLLOWERS)


def test_every_step_that_tells_somebody_is_followed_by_the_notices() -> None:
    # `rules.plan` adds the follower of this name to every step with an audience.
    assert "notices" in FOLLOWERS


def test_no_follower_is_there_for_nothing() -> None:
    named = {name for step in CATALOGUE.steps for name in step.follow}

    assert set(FOLLOWERS) - {"notices"} <= named


def test_one_turn_of_the_ticker_serves_every_follower(db: None, city: Any, moment: Any) -> None:
    told = tell(city, moment)
    entry_id = cases_models.Entry.objects.get(case_id=told.case_id).id
    cases_models.Follow.objects.filter(entry_id=entry_id).delete()
    for name in FOLLOWERS:
        cases_models.Follow.objects.create(entry_id=entry_id, follower=name, not_before=moment.at)

    tick.turn(lambda: moment)

    assert list(cases_models.Follow.objects.values_list("follower", flat=True)) == []


# --- the one clock -----------------------------------------------------------------------------------------------


def test_no_module_below_the_edges_reads_a_clock_or_draws_a_number() -> None:
    edges = ("fuzhengtong.web.moment", "fuzhengtong.jobs", "fuzhengtong.config", "fuzhengtong.kernel.ids")
    banned = {"now", "utcnow", "today", "uuid4", "urandom", "getrandbits", "randint", "choice"}
    owners = {"datetime", "date", "timezone", "random", "secrets", "os", "uuid"}
    found = []
    for module in sources.modules():
        if module.name.startswith(edges):
            continue
        for node in module.nodes:
            if isinstance(node, ast.Attribute) and node.attr in banned and sources.last_name(node.value) in owners:
                found.append(f"{module.file}:{node.lineno} {ast.unparse(node)}")

    assert found == []
