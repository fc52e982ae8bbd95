"""Migrations: one line an app, none missing, each named by its purpose, and free of the code of today."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.utils import translation

from tests.repo import sources

APPS = sorted(config.label for config in apps.get_app_configs() if config.name.startswith("fuzhengtong."))
FILES = sorted(sources.PACKAGE.glob("*/migrations/0*.py"))


@pytest.fixture(scope="module")
def loader() -> MigrationLoader:
    return MigrationLoader(None, ignore_no_migrations=True)


@pytest.mark.parametrize("app", APPS)
def test_the_migrations_of_an_app_are_one_line(loader: MigrationLoader, app: str) -> None:
    of_app = sorted(name for label, name in loader.disk_migrations if label == app)
    before = {
        name: [other for label, other in loader.disk_migrations[app, name].dependencies if label == app]
        for name in of_app
    }

    assert [name[:4] for name in of_app] == [f"{nth:04}" for nth in range(1, len(of_app) + 1)]
    assert list(before.values()) == [[], *([name] for name in of_app[:-1])][: len(of_app)]
    assert len(loader.graph.leaf_nodes(app)) == min(len(of_app), 1)


def test_no_migration_is_missing(loader: MigrationLoader) -> None:
    with translation.override(None):
        detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
        changes = detector.changes(graph=loader.graph)

    assert {app: [migration.name for migration in found] for app, found in changes.items()} == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_a_migration_is_named_by_its_purpose(path: Path) -> None:
    assert re.fullmatch(r"\d{4}_[a-z][a-z0-9_]{3,40}", path.stem)
    assert "auto" not in path.stem.split("_")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_a_migration_uses_no_code_that_changes_later(path: Path) -> None:
    tree = ast.parse(sources.texts()[path])
    imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]

    assert [name for name in imported if name.startswith("fuzhengtong")] == []
