"""The roles of the database, and the database itself: who owns, who serves pages, who runs the long work.

Called by the cluster's supervisor at each start; for a server of one's own the same list tells what to set up. It makes
what is missing and mends what differs; it never grants anything on a table: the migrations do.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

DATABASE = "fuzhengtong"
ADMIN, OWNER, APP, JOBS = "fz_admin", "fz_owner", "fz_app", "fz_jobs"

# A page is given two seconds: the runaway list of one viewer must not hold the connections of all. A migration that
# waits longer than ten seconds for a lock makes every page behind it wait too.
SETTINGS: Mapping[str, Mapping[str, str]] = {
    OWNER: {"TimeZone": "UTC", "jit": "off", "lock_timeout": "10s"},
    APP: {
        "TimeZone": "UTC",
        "jit": "off",
        "statement_timeout": "2s",
        "lock_timeout": "1s",
        "idle_in_transaction_session_timeout": "10s",
    },
    JOBS: {
        "TimeZone": "UTC",
        "jit": "off",
        "statement_timeout": "5min",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "1min",
    },
}

_ROLE = """SELECT rolpassword, setconfig FROM pg_authid
LEFT JOIN pg_db_role_setting ON setrole = pg_authid.oid AND setdatabase = 0 WHERE rolname = %s"""


@dataclass(frozen=True, slots=True)
class Dsns:
    """Where each role reaches the database: URLs with the password and the folder of the socket."""

    app_url: str
    jobs_url: str
    owner_url: str
    admin_url: str

    def environ(self) -> dict[str, str]:
        """Return the variables by which the settings of a child process find the database."""
        return {
            "DATABASE_URL": self.app_url,
            "DATABASE_JOBS_URL": self.jobs_url,
            "DATABASE_OWNER_URL": self.owner_url,
        }


def dsns(sockets: Path, *, password: Callable[[str], str]) -> Dsns:
    """Write the ways in for the socket in this folder; the superuser's leads to the database that is always there."""

    def url(role: str, database: str) -> str:
        return f"postgresql://{role}:{quote(password(role), safe='')}@/{database}?host={quote(str(sockets), safe='')}"

    return Dsns(url(APP, DATABASE), url(JOBS, DATABASE), url(OWNER, DATABASE), url(ADMIN, "postgres"))


def provide(connection: psycopg.Connection, *, password: Callable[[str], str]) -> None:
    """Make the roles and the database where they are missing, and mend passwords and settings that differ.

    The connection is a superuser's, in autocommit; so a call that was cut off is completed by the next one.
    """
    for role in SETTINGS:
        _provide_role(connection, role, password(role))
    if not one(connection, "SELECT pg_has_role(%s, %s, 'USAGE')", JOBS, APP):
        _run(connection, "GRANT {} TO {}", APP, JOBS)
    if not one(connection, "SELECT count(*) FROM pg_database WHERE datname = %s", DATABASE):
        words = "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
        _run(connection, words, DATABASE, OWNER)
    _close_to_the_public(connection)


def one(connection: psycopg.Connection, query: str, *parameters: object) -> object:
    """Return the one value of a query."""
    row = connection.execute(query.encode(), parameters or None).fetchone()
    return row[0] if row else None


def _provide_role(connection: psycopg.Connection, role: str, password: str) -> None:
    row = connection.execute(_ROLE, (role,)).fetchone()
    if row is None:
        _run(connection, "CREATE ROLE {} LOGIN", role)
    verifier, present = row or ("", ())
    if not _fits(verifier or "", password):
        # Hashed here, so that the password itself never enters the server.
        verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier)))
    for name, value in SETTINGS[role].items():
        if f"{name}={value}" not in (present or ()):
            words = sql.SQL("ALTER ROLE {} SET {} = {}")
            connection.execute(words.format(sql.Identifier(role), sql.Identifier(name), sql.Literal(value)))


def _fits(verifier: str, password: str) -> bool:
    """Tell whether a stored verifier is this password's (RFC 5802 §3: StoredKey = H(HMAC(salted, "Client Key")))."""
    parts = re.fullmatch(r"SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):.+", verifier)
    if not parts:
        return False
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), b64decode(parts[2]), int(parts[1]))
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    return hmac.compare_digest(stored, b64decode(parts[3]))


def _close_to_the_public(connection: psycopg.Connection) -> None:
    """Leave the application the right to connect and no more: not even a temporary table."""
    for database in (DATABASE, "postgres"):
        if one(connection, "SELECT has_database_privilege(%s, %s, 'TEMP')", APP, database):
            _run(connection, "REVOKE ALL ON DATABASE {} FROM PUBLIC", database)
    if not one(connection, "SELECT has_database_privilege(%s, %s, 'CONNECT')", APP, DATABASE):
        _run(connection, "GRANT CONNECT ON DATABASE {} TO {}", DATABASE, APP)


def _run(connection: psycopg.Connection, words: str, *names: str) -> None:
    connection.execute(sql.SQL(words).format(*map(sql.Identifier, names)))
