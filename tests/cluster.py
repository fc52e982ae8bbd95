"""The databases of the test run: a private cluster, a template with a whole city, a clone for each worker.

Test bodies run under the application's role, never as owner or superuser. The template is built once for each state
of migrations and reference data and kept between runs, so that a second run begins within a second.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from fuzhengtong.config import home as homes
from fuzhengtong.config.embedded import Cluster
from fuzhengtong.config.roles import Dsns

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "fuzhengtong"
# What a template depends on: when one of these files changes, a new one is built.
SOURCES = (
    "*/migrations/*.py",
    "directory/**/*.py",
    "data/**/*",
    "jobs/found.py",
    "intake/lanes.py",
    "config/grants.py",
    "config/schema.py",
)


def fingerprint() -> str:
    """Return the state of everything a template is made of."""
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(PACKAGE.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def with_name(url: str, name: str) -> str:
    """Return the same way in to another database."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path="/" + name))


class Databases:
    """The cluster of one test process, and what is made in it."""

    def __init__(self) -> None:
        self.home = homes.at(Path(os.environ["FUZHENGTONG_HOME"]))
        self.cluster = Cluster(self.home.path)
        self.dsns: Dsns = self.cluster.start()
        self.template = "fz_template_" + fingerprint()

    @contextmanager
    def _admin(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.dsns.admin_url, autocommit=True) as connection:
            yield connection

    def provide_template(self) -> None:
        """Build the template unless it stands; one process builds, the others wait."""
        with self._admin() as connection:
            connection.execute("SELECT pg_advisory_lock(20221001)")
            names = [row[0] for row in connection.execute("SELECT datname FROM pg_database").fetchall()]
            if self.template not in names:
                for name in names:
                    if name.startswith(("fz_template_", "fz_draft_")):
                        self._drop(connection, name)
                draft = f"fz_draft_{os.getpid()}"
                self._create(connection, draft)
                self._fill(draft)
                connection.execute(
                    sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                        sql.Identifier(draft), sql.Identifier(self.template)
                    )
                )

    def _fill(self, name: str) -> None:
        import subprocess
        import sys

        # A process of its own: the owner migrates and the application's role loads, each on its own connection.
        environ = os.environ | {
            "DATABASE_URL": with_name(self.dsns.app_url, name),
            "DATABASE_OWNER_URL": with_name(self.dsns.owner_url, name),
        }
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "fuzhengtong", "init", "--made"],
            env=environ,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"the test city could not be founded:\n{done.stdout}\n{done.stderr}")

    def clone(self, label: str) -> str:
        """Clone the template and return the new database's name."""
        name = f"fz_{label}_{os.getpid()}_{secrets.token_hex(3)}"
        with self._admin() as connection:
            connection.execute("SELECT pg_advisory_lock(20221001)")
            self._create(connection, name, self.template)
        return name

    def drop(self, name: str) -> None:
        """Remove a clone, whoever is still connected to it."""
        with self._admin() as connection:
            self._drop(connection, name)

    def sweep(self) -> None:
        """Remove clones of test processes that are gone."""
        with self._admin() as connection:
            for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'fz\\_%'").fetchall():
                parts = name.split("_")
                if len(parts) == 4 and parts[2].isdigit() and not Path(f"/proc/{parts[2]}").exists():
                    self._drop(connection, name)

    def _create(self, connection: psycopg.Connection, name: str, template: str = "template0") -> None:
        words = "CREATE DATABASE {} OWNER fz_owner TEMPLATE {}" + (
            " LOCALE 'C' ENCODING 'UTF8'" if template == "template0" else ""
        )
        connection.execute(sql.SQL(words).format(sql.Identifier(name), sql.Identifier(template)))

    def _drop(self, connection: psycopg.Connection, name: str) -> None:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def app_url(self, name: str) -> str:
        return with_name(self.dsns.app_url, name)

    def owner_url(self, name: str) -> str:
        return with_name(self.dsns.owner_url, name)
