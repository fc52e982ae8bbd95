"""Models hold fields and constraints, and nothing that acts behind anybody's back."""

from __future__ import annotations

import ast

import pytest
from django.apps import apps
from django.db.models import AutoField, Field, Model

from tests.repo import sources

MODELS = [model for model in apps.get_models() if model.__module__.startswith("fuzhengtong.")]
# What a model may define in its body besides fields and Meta.
_SAID = {"__str__", "__repr__"}


def bodies() -> list[tuple[sources.Module, ast.ClassDef]]:
    return [
        (module, node)
        for module in sources.modules()
        if module.name.endswith(".models")
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and "Model" in {sources.last_name(base) for base in node.bases}
    ]


def test_the_models_are_found() -> None:
    assert len(bodies()) == len(MODELS)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_a_model_has_no_behaviour_of_its_own(model: type[Model]) -> None:
    assert model.save is Model.save
    assert model.delete is Model.delete
    assert model.full_clean is Model.full_clean


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_the_order_of_rows_is_said_where_they_are_read(model: type[Model]) -> None:
    assert model._meta.ordering == []
    assert model._meta.get_latest_by is None


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_id_comes_from_the_database(model: type[Model]) -> None:
    made = [field.name for field in model._meta.concrete_fields if isinstance(field, AutoField)]

    assert made == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_instant_comes_from_a_clock_of_the_database_or_of_django(model: type[Model]) -> None:
    def by_itself(field: Field[object, object]) -> bool:
        return bool(getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False))

    defaults = {field.name: field.default for field in model._meta.concrete_fields if field.has_default()}

    assert [field.name for field in model._meta.concrete_fields if by_itself(field)] == []
    assert [name for name, default in defaults.items() if callable(default)] == []
    assert [field.name for field in model._meta.concrete_fields if field.has_db_default()] == []


def test_a_model_defines_no_methods_and_no_managers() -> None:
    found = [
        f"{module.file}:{node.lineno} {owner.name}.{node.name}"
        for module, owner in bodies()
        for node in owner.body
        if isinstance(node, ast.FunctionDef) and node.name not in _SAID
    ]
    managers = [
        f"{module.file}:{node.lineno} {owner.name}"
        for module, owner in bodies()
        for node in owner.body
        if isinstance(node, ast.Assign) and "objects" in {sources.last_name(target) for target in node.targets}
    ]

    assert found == []
    assert managers == []


def test_no_row_is_stamped_by_now() -> None:
    found = [
        f"{module.file}:{call.lineno}"
        for module in sources.modules()
        for name, call in sources.calls(module)
        if name == "Now"
    ]

    assert found == []


def test_nothing_listens_to_signals() -> None:
    found = [
        f"{module.file}:{node.lineno} {node.module}"
        for module in sources.modules()
        for node in module.nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(("signals", "django.dispatch"))
    ]
    calls = [
        f"{module.file}:{call.lineno} {name}"
        for module in sources.modules()
        for name, call in sources.calls(module)
        if name == "receiver" or ast.unparse(call.func).endswith("signals.connect")
    ]

    assert found == []
    assert calls == []
