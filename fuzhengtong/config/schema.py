"""Bring the schema up to date: migrations as its owner, then the rights of the role that serves pages.

Called by `fuzhengtong init`, and so by `serve` at its start. Without DATABASE_OWNER_URL the schema is left to whoever
runs the server, and a schema behind the code is said so.
"""

from __future__ import annotations

import os

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from fuzhengtong.config import grants
from fuzhengtong.config.home import Unusable
from fuzhengtong.config.settings import database_of


def provide() -> None:
    """Migrate where something is to be done; refused with a sentence where nobody may."""
    if not is_behind():
        return
    owner = os.environ.get("DATABASE_OWNER_URL", "")
    if not owner:
        raise Unusable(
            "数据库结构落后于程序。请设置 DATABASE_OWNER_URL 后运行 fuzhengtong init。",
            "The schema is behind the program. Set DATABASE_OWNER_URL and run fuzhengtong init.",
        )
    _migrate(owner)


def is_behind() -> bool:
    """Tell whether the schema is behind the code."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _migrate(owner_url: str) -> None:
    serving = settings.DATABASES["default"]["USER"]
    serving = {"fz_jobs": "fz_app"}.get(serving, serving)  # the jobs' role is a member of the application's
    _lead_to(owner_url, "DATABASE_OWNER_URL")
    try:
        call_command("migrate", verbosity=0, interactive=False)
        with connection.cursor() as cursor:
            grants.apply(cursor, role=serving)
    finally:
        _lead_to(os.environ["DATABASE_URL"], "DATABASE_URL")


def _lead_to(url: str, name: str) -> None:
    found = database_of(url, name)
    connections.close_all()
    connection.settings_dict.update(found)
