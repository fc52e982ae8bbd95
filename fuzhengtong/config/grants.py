"""What the application's role may do with each table: applied by `init` after every migration, in one place.

The first line of the append-only tables (the trigger is the second, the chain the proof): the role that serves pages
may read and add there, and nothing else. It owns nothing and is no superuser.
"""

from __future__ import annotations

from typing import Any

# Nobody but the owner may change or remove a line of these.
APPEND_ONLY = ("cases_entry", "people_access", "people_consent", "accounts_signin", "directory_referenceentry")
HIDDEN = ("django_migrations",)


def apply(cursor: Any, *, role: str) -> None:
    """Grant the application's role its rights on every table of the schema, and take back all others."""
    name = '"' + role.replace('"', '""') + '"'
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")
    tables = [row[0] for row in cursor.fetchall()]
    for table in tables:
        cursor.execute(f'REVOKE ALL ON "{table}" FROM {name}')
        cursor.execute(f'GRANT {rights_of(table)} ON "{table}" TO {name}')
    cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}")


def rights_of(table: str) -> str:
    """Name the rights of the application's role on a table."""
    if table in HIDDEN:
        return "SELECT"
    if table in APPEND_ONLY:
        return "SELECT, INSERT"
    return "SELECT, INSERT, UPDATE, DELETE"
