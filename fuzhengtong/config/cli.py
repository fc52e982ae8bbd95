"""The command line of Fuzhengtong: `fuzhengtong COMMAND`. Parses, prepares the database, and hands over to `jobs`.

Without DATABASE_URL a private PostgreSQL in FUZHENGTONG_HOME is used; `serve` supervises it, every other command
joins it or starts it for its own time. With --json the last line of output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fuzhengtong.charter.lines import FileRefused
from fuzhengtong.config import home as homes
from fuzhengtong.config import logs
from fuzhengtong.config.embedded import Cluster
from fuzhengtong.config.home import Unusable
from fuzhengtong.config.processes import Group, Program
from fuzhengtong.kernel.errors import Refused

SETTINGS = "fuzhengtong.config.settings"
NAME_LENGTH = 60
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


def _django(*, jobs: bool = False) -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    if jobs and (url := os.environ.get("DATABASE_JOBS_URL")):
        os.environ["DATABASE_URL"] = url
    django.setup()


def _print(answer: dict[str, Any], arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(answer, ensure_ascii=False, default=str))
        return
    for name, value in answer.items():
        print(f"{name}: {value}")


# --- the programs ------------------------------------------------------------------------------------------------


def serve(arguments: argparse.Namespace) -> int:
    """Run everything: database, web, ticker, watchdog, until stopped."""
    if arguments.demo:
        os.environ["FUZHENGTONG_DEMO"] = "1"
    with database(supervise=True) as cluster:
        _prepare(made=arguments.demo)
        python = sys.executable
        programs = [
            Program("web", tuple(_web_argv(arguments))),
            Program("tick", (python, "-m", "fuzhengtong", "tick"), _jobs_env()),
            Program("watchdog", (python, "-m", "fuzhengtong", "watchdog"), _jobs_env()),
        ]
        _greet(arguments)
        return Group(programs, cluster=cluster).run()


def _jobs_env() -> dict[str, str]:
    url = os.environ.get("DATABASE_JOBS_URL") or os.environ["DATABASE_URL"]
    return {"DATABASE_URL": url}


def _prepare(*, made: bool) -> None:
    """Migrate, load and, for a demo, make a few cases; in a process of its own, which leaves nothing behind."""
    import subprocess

    command = [sys.executable, "-m", "fuzhengtong", "init", *(["--demo"] if made else [])]
    done = subprocess.run(command, check=False)  # noqa: S603 - our own program
    if done.returncode:
        raise SystemExit(done.returncode)


def _greet(arguments: argparse.Namespace) -> None:
    address = f"http://{arguments.host}:{arguments.port}"
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
    with database() as cluster:
        return Group([Program("web", tuple(_web_argv(arguments)))], cluster=cluster).run()


def tick(arguments: argparse.Namespace) -> int:
    """Run the ticker alone."""
    with database():
        _django(jobs=True)
        logs.configure("tick")
        from fuzhengtong.jobs import tick as ticking

        ticking.run_forever()
    return 0


def watchdog(arguments: argparse.Namespace) -> int:
    """Run the watchdog alone."""
    with database():
        _django(jobs=True)
        logs.configure("watchdog")
        from fuzhengtong.jobs import standing
        from fuzhengtong.jobs import tick as ticking
        from fuzhengtong.jobs import watchdog as watching

        standing.stand(WATCHDOG_NICE)
        watching.run_forever(home=homes.usual().path, clock=ticking.now)
    return 0


# --- the commands ------------------------------------------------------------------------------------------------


def init(arguments: argparse.Namespace) -> int:
    """Migrate and load what every city begins with; with --demo a made city with a few made cases."""
    with database():
        _django(jobs=True)
        logs.configure("init")
        from fuzhengtong.config import schema
        from fuzhengtong.jobs import found

        schema.provide()
        found.found(made=arguments.demo or arguments.made)
        made = 0
        if arguments.demo:
            from fuzhengtong.jobs import seed

            made = seed.few()
        _print({"ok": True, "made_cases": made}, arguments)
    return 0


def found(arguments: argparse.Namespace) -> int:
    """Say that this database is of the city of the charter in force, and whose desk dispatches; once, for good."""
    with database():
        _django(jobs=True)
        logs.configure("found")
        from fuzhengtong.jobs import found as founding

        _print({"ok": True, **asdict(founding.found_city(desk=arguments.desk, area=arguments.area))}, arguments)
    return 0


def import_areas(arguments: argparse.Namespace) -> int:
    """Import areas or grids from CSV or GeoJSON; without --apply only the differences are shown."""
    return _import("areas", arguments)


def import_calendar(arguments: argparse.Namespace) -> int:
    """Import notices of days off; without --apply only the differences are shown."""
    return _import("calendar", arguments)


def import_reference(arguments: argparse.Namespace) -> int:
    """Import offices, posts, people, categories or routes from CSV or Excel."""
    return _import(arguments.kind, arguments)


def _import(kind: str, arguments: argparse.Namespace) -> int:
    with database():
        _django(jobs=True)
        from fuzhengtong.jobs import importing

        report = importing.run(kind=kind, files=[Path(name) for name in arguments.files], apply=arguments.apply)
        for line in importing.lines(report):
            print(line)
        _print(importing.summary(report, applied=arguments.apply and not report.errors), arguments)
        return 1 if report.errors else 0


def import_appeals(arguments: argparse.Namespace) -> int:
    """Take the tellings of another system from CSV, Excel or JSON lines; safe to run again."""
    with database():
        _django(jobs=True)
        logs.configure("import-appeals")
        from fuzhengtong.jobs import appeals

        outcome = appeals.run(
            file=arguments.file,
            mode=arguments.mode,
            told=arguments.map,
            channel=arguments.channel,
            strict=arguments.strict,
            look=arguments.look,
            home=homes.usual().path,
        )
        for line in appeals.lines(outcome):
            print(line)
        if arguments.json:
            _print(outcome.as_json(), arguments)
        return 0 if outcome.is_sound else 1


def verify(arguments: argparse.Namespace) -> int:
    """Prove the invariants from the database; exit 1 and name what is broken where one does not hold."""
    with database():
        _django(jobs=True)
        logs.configure("verify")
        from fuzhengtong.jobs import verify as proving

        report = proving.verify(acknowledged=arguments.acknowledged, canaries=arguments.canaries, deep=arguments.deep)
        print(report.as_text())
        if arguments.json:
            print(json.dumps(json.loads(report.as_json()), ensure_ascii=False))
        return report.exit_code


def bench(arguments: argparse.Namespace) -> int:
    """Measure speed on this machine and print it beside the bars."""
    from fuzhengtong.jobs import bench as measuring

    return measuring.main(seconds=arguments.seconds, json_line=arguments.json, joined=_joined)


@contextmanager
def _joined(home: Path) -> Iterator[dict[str, str]]:
    """Join the database of a home that a program of ours runs on; the environment to reach it as the jobs do."""
    environ = {name: value for name, value in os.environ.items() if name != "FUZHENGTONG_TESTING"}
    with Cluster(home, environ=environ) as dsns:
        found = {"FUZHENGTONG_HOME": str(home), "DJANGO_SETTINGS_MODULE": SETTINGS}
        yield environ | dsns.environ() | found | {"DATABASE_URL": dsns.jobs_url}


def doctor(arguments: argparse.Namespace) -> int:
    """Say whether this installation is sound, and what to do where it is not."""
    with database() as cluster:
        _django()
        from fuzhengtong.jobs import doctor as examining

        findings = examining.examine(cluster)
        for finding in findings:
            print(("✓ " if finding.sound else "✗ ") + finding.said)
        _print({"sound": all(finding.sound for finding in findings)}, arguments)
        return 0 if all(finding.sound for finding in findings) else 1


def createadmin(arguments: argparse.Namespace) -> int:
    """Make a person and give him one of the three administrators' posts; the password is asked for."""
    import getpass

    password = os.environ.get("FUZHENGTONG_PASSWORD") or getpass.getpass("密码 / password: ")
    with database():
        _django()
        from fuzhengtong.jobs import accounts

        accounts.create_admin(login=arguments.login, name=arguments.name, kind=arguments.post, password=password)
        _print({"ok": True, "login": arguments.login}, arguments)
    return 0


def createkey(arguments: argparse.Namespace) -> int:
    """Make a key by which another system tells through one channel; --list shows all keys, --disable ends one."""
    with database():
        _django()
        from fuzhengtong.jobs import accounts

        if arguments.list:
            rows = [asdict(row) | {"key_id": str(row.key_id)} for row in accounts.listed_keys()]
            if not arguments.json:
                for row in rows:
                    print("  ".join(str(value or "—") for value in row.values()))
                return 0
            _print({"ok": True, "keys": rows}, arguments)
        elif arguments.disable:
            gone = accounts.disable_key(named=arguments.disable)
            _print({"ok": True, "id": str(gone.key_id), "name": gone.name, "disabled": True}, arguments)
        else:
            made = accounts.create_key(name=arguments.name, channel=arguments.channel)
            told = {"id": str(made.key_id), "name": arguments.name, "channel": arguments.channel, "key": made.secret}
            _print({"ok": True, **told}, arguments)
            if not arguments.json:
                print("密钥只显示这一次，请马上存好。 / The key is shown this once: store it now.")
    return 0


def rewrap(arguments: argparse.Namespace) -> int:
    """Wrap everything again under the current key; --new-key adds one first, --drop-key removes one that is done with."""
    with database():
        _django(jobs=True)
        logs.configure("rewrap")
        from fuzhengtong.jobs import city_keys
        from fuzhengtong.jobs import rewrap as wrapping

        if arguments.new_key:
            made = city_keys.add_key()
            _print({"ok": True, "current_key": made}, arguments)
            if not arguments.json:
                print("请备份 keys.json，重启所有程序，再运行 rewrap。 / Save keys.json, restart, then run rewrap.")
            return 0
        if arguments.drop_key is not None:
            city_keys.drop_key(arguments.drop_key)
            _print({"ok": True, "dropped_key": arguments.drop_key}, arguments)
            return 0
        report = wrapping.run(say=lambda line: print(line, file=sys.stderr))
        counted = {"done": +report.done, "left": report.left, "broken": +report.broken}
        totals = {name: count.total() for name, count in counted.items()}
        _print({"ok": report.exit_code == 0, "key": report.key, **totals}, arguments)
        return report.exit_code


def docs(arguments: argparse.Namespace) -> int:
    """Write the generated documents, or with --check say whether they are fresh."""
    _django()
    from fuzhengtong.jobs import documents

    stale = documents.stale()
    if not arguments.check:
        documents.write()
        stale = ()
    for path in stale:
        print(f"{path} is stale: run `make docs`", file=sys.stderr)
    return 1 if stale else 0


# --- parsing -----------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    parser = argparse.ArgumentParser(prog="fuzhengtong", description="阜政通 Fuzhengtong")
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        said = (run.__doc__ or "").split("\n")[0]
        made = commands.add_parser(name, parents=[common], help=said, description=said)
        made.set_defaults(run=run)
        return made

    for name, run in (("serve", serve), ("web", web)):
        made = add(name, run)
        made.add_argument("--host", default="127.0.0.1")
        made.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
        made.add_argument("--workers", type=int, default=2)
        made.add_argument("--threads", type=int, default=4)
        if name == "serve":
            made.add_argument("--demo", action="store_true", help="a made city with made cases")
    add("tick", tick)
    add("watchdog", watchdog)
    made = add("init", init)
    made.add_argument("--made", action="store_true", help="made offices and people for the areas of the package")
    made.add_argument("--demo", action="store_true", help="the same, with a few made cases")
    made = add("found", found)
    made.add_argument("--desk", required=True, metavar="CODE", help="the centre that dispatches what fits nowhere else")
    made.add_argument("--area", default="", metavar="CODE", help="the city's area; needless where there is one city")
    for name, importing in (("import-areas", import_areas), ("import-calendar", import_calendar)):
        made = add(name, importing)
        made.add_argument("files", nargs="+")
        made.add_argument("--apply", action="store_true")
    made = add("import-reference", import_reference)
    made.add_argument("kind", choices=("offices", "posts", "people", "categories", "routes", "grids"))
    made.add_argument("files", nargs="+")
    made.add_argument("--apply", action="store_true")
    made = add("import-appeals", import_appeals)
    made.add_argument("file", type=Path)
    made.add_argument(
        "--as", dest="mode", choices=("live", "history"), default="live",
        help="live: new tellings, whose clocks start now; history: closed elsewhere, owes and counts nothing here",
    )  # fmt: skip
    made.add_argument("--map", action="append", default=[], metavar="COLUMN=FIELD", help="what a column holds")
    made.add_argument("--channel", default="", help="the channel of rows that name none")
    made.add_argument("--strict", action="store_true", help="change nothing if one row is bad")
    made.add_argument("--look", action="store_true", help="say what is wrong, and write nothing")
    made = add("verify", verify)
    made.add_argument("--acknowledged", type=Path)
    made.add_argument("--canaries", type=Path)
    made.add_argument("--deep", action="store_true", help="open every passage and compare it with its commitment")
    add("bench", bench).add_argument("--seconds", type=int, default=60)
    add("doctor", doctor)
    made = add("createadmin", createadmin)
    made.add_argument("login")
    made.add_argument("--name", required=True)
    made.add_argument("--post", choices=("system_admin", "security_admin", "audit_admin"), default="security_admin")
    made = add("createkey", createkey)
    one = made.add_mutually_exclusive_group(required=True)
    one.add_argument("--name", type=_name, help="what the other system is called")
    one.add_argument("--disable", type=_name, metavar="NAME_OR_ID", help="put a key out of force")
    one.add_argument("--list", action="store_true", help="every key there is or was, without its secret")
    made.add_argument("--channel", default="", help="the one channel it may tell through, with --name")
    made = add("rewrap", rewrap)
    choice = made.add_mutually_exclusive_group()
    choice.add_argument("--new-key", action="store_true", help="add a key to keys.json and make it the current one")
    choice.add_argument("--drop-key", type=int, metavar="NUMBER", help="remove a key that wraps nothing any more")
    add("docs", docs).add_argument("--check", action="store_true")
    return parser


def _name(text: str) -> str:
    """Read a name of one line; argparse names the argument where it is none."""
    name = text.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise argparse.ArgumentTypeError(f"one line of 1 to {NAME_LENGTH} characters")
    return name


def _said(refused: Refused) -> str:
    """Say a refusal in every language: the sentences of the texts, as on a page."""
    from fuzhengtong.charter.texts import LANGUAGES
    from fuzhengtong.directory import world

    return "\n".join(world.texts().say(f"refusal.{refused.code}", lang, **refused.params) for lang in LANGUAGES)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; a refusal is a sentence, never a trace."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except (Unusable, FileRefused) as refused:
        print(str(refused), file=sys.stderr)
        return 2
    except Refused as refused:
        print(_said(refused), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
