"""Run one of the few hand-written statements of the hot path: bound by the server, prepared after its first use.

Called by the ledger and by what commits with it. Works on Django's own connection and inside its transaction; a
database error becomes Django's, as everywhere.
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connection


def run(sql: str, params: Any) -> list[tuple[Any, ...]]:
    """Run a statement that returns rows, and return them."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, params, prepare=True)
        return cursor.fetchall()
