"""The programs that run until they are stopped (`serve`, `web`, `tick`, `watchdog`), and the database that each finds.

Called by the command line with its arguments. What would make a program stumble is refused before it is started: a setting
that cannot be read, a store that cannot be written, a port that another city listens on.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from fuzhengtong.config import home as homes
from fuzhengtong.config import listening, logs
from fuzhengtong.config.embedded import Cluster
from fuzhengtong.config.processes import Group, Program

SETTINGS = "fuzhengtong.config.settings"
WATCHDOG_NICE = 15


@contextmanager
def database(*, supervise: bool = False) -> Iterator[Cluster | None]:
    """Provide the database for this process and its children: DATABASE_URL, else the home's own cluster."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    os.environ.setdefault("FUZHENGTONG_HOME", str(homes.usual().path))
    if os.environ.get("DATABASE_URL"):
        yield None
        return
    cluster = Cluster(homes.usual().path, supervise=supervise)
    dsns = cluster.start()
    os.environ.update(dsns.environ())
    try:
        yield cluster
    finally:
        cluster.stop()


def ready(*, jobs: bool = False) -> None:
    """Start Django in this process; with `jobs` as the role of the long work."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    if jobs and (url := os.environ.get("DATABASE_JOBS_URL")):
        os.environ["DATABASE_URL"] = url
    django.setup()


def serve(arguments: argparse.Namespace) -> int:
    """Run everything: database, web, ticker, watchdog, until stopped."""
    if arguments.demo:
        os.environ["FUZHENGTONG_DEMO"] = "1"
    _settle(arguments)
    with database(supervise=True) as cluster:
        listening.refuse_taken(arguments.host, arguments.port)
        _prepare(arguments)
        python = sys.executable
        programs = [
            Program("web", tuple(_web_argv(arguments))),
            Program("tick", (python, "-m", "fuzhengtong", "tick"), _jobs_env()),
            Program("watchdog", (python, "-m", "fuzhengtong", "watchdog"), _jobs_env()),
        ]
        # Another city may have been prepared at the same time.
        listening.refuse_taken(arguments.host, arguments.port)
        _greet(arguments)
        return Group(programs, cluster=cluster).run()


def _settle(arguments: argparse.Namespace) -> None:
    """Read the settings before anything is started: the programs that would stumble over them are started again."""
    arguments.port = arguments.port or listening.usual_port()
    from fuzhengtong.config import settings

    homes.refuse_unwritable_store(settings.STORE)


def _jobs_env() -> dict[str, str]:
    url = os.environ.get("DATABASE_JOBS_URL") or os.environ["DATABASE_URL"]
    return {"DATABASE_URL": url}


def _prepare(arguments: argparse.Namespace) -> None:
    """Migrate, load and, for a demo, make a few cases; in a process of its own, which leaves nothing behind."""
    wishes = [f"--{name}" for name in ("demo", "json") if getattr(arguments, name)]
    command = [sys.executable, "-m", "fuzhengtong", "init", *wishes]
    done = subprocess.run(command, check=False)  # noqa: S603 - our own program
    if done.returncode:
        raise SystemExit(done.returncode)


def _greet(arguments: argparse.Namespace) -> None:
    address = listening.address(arguments.host, arguments.port)
    print(f"阜政通  {address}/   工作台 {address}/desk/", flush=True)
    if arguments.demo:
        from fuzhengtong.directory import tour

        for line in tour.demo_lines():
            print(line, flush=True)


def _web_argv(arguments: argparse.Namespace) -> list[str]:
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi",
        "--host", arguments.host, "--port", str(arguments.port),
        "--workers", str(arguments.workers), "--blocking-threads", str(arguments.threads),
        "--backlog", "1024", "--http", "1", "--no-ws", "--respawn-failed-workers", "--log-level", "warning",
        "fuzhengtong.config.wsgi:application",
    ]  # fmt: skip


def web(arguments: argparse.Namespace) -> int:
    """Run the web server alone."""
    _settle(arguments)
    listening.refuse_taken(arguments.host, arguments.port)
    with database() as cluster:
        return Group([Program("web", tuple(_web_argv(arguments)))], cluster=cluster).run()


def tick(arguments: argparse.Namespace) -> int:
    """Run the ticker alone."""
    with database():
        ready(jobs=True)
        logs.configure("tick")
        from fuzhengtong.jobs import tick as ticking

        ticking.run_forever()
    return 0


def watchdog(arguments: argparse.Namespace) -> int:
    """Run the watchdog alone."""
    with database():
        ready(jobs=True)
        logs.configure("watchdog")
        from fuzhengtong.jobs import standing
        from fuzhengtong.jobs import tick as ticking
        from fuzhengtong.jobs import watchdog as watching

        standing.stand(WATCHDOG_NICE)
        watching.run_forever(home=homes.usual().path, clock=ticking.now)
    return 0
