"""The command line of Fuzhengtong: `fuzhengtong COMMAND`. Parses, prepares the database, and hands over to `jobs`.

Without DATABASE_URL a private PostgreSQL in FUZHENGTONG_HOME is used; `serve` supervises it, every other command
joins it or starts it for its own time. With --json the last line of output is one JSON object, of a refusal too.
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

from fuzhengtong.config import home as homes
from fuzhengtong.config import listening, logs, programs, refusals
from fuzhengtong.config.embedded import Cluster
from fuzhengtong.config.home import SettingRefused

NAME_LENGTH = 60
COUNT = listening.whole(1000)
APPLY = "write the differences; without it they are only shown"


def _print(answer: dict[str, Any], arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(answer, ensure_ascii=False, default=str))
        return
    for name, value in answer.items():
        print(f"{name}: {value}")


# --- the commands ------------------------------------------------------------------------------------------------


def init(arguments: argparse.Namespace) -> int:
    """Migrate and load what every city begins with; with --demo a made city with a few made cases."""
    with programs.database():
        programs.ready(jobs=True)
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
    with programs.database():
        programs.ready(jobs=True)
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
    """Import offices, posts, people, categories, routes or grids from CSV or Excel; without --apply only shown."""
    return _import(arguments.kind, arguments)


def _import(kind: str, arguments: argparse.Namespace) -> int:
    with programs.database():
        programs.ready(jobs=True)
        from fuzhengtong.jobs import importing

        report = importing.run(kind=kind, files=[Path(name) for name in arguments.files], apply=arguments.apply)
        for line in importing.lines(report):
            print(line)
        _print(importing.summary(report, applied=arguments.apply and not report.errors), arguments)
        return 1 if report.errors else 0


def import_appeals(arguments: argparse.Namespace) -> int:
    """Take the tellings of another system from CSV, Excel or JSON lines; safe to run again."""
    with programs.database():
        programs.ready(jobs=True)
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
    with programs.database():
        programs.ready(jobs=True)
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
        found = {"FUZHENGTONG_HOME": str(home), "DJANGO_SETTINGS_MODULE": programs.SETTINGS}
        yield environ | dsns.environ() | found | {"DATABASE_URL": dsns.jobs_url}


def doctor(arguments: argparse.Namespace) -> int:
    """Say whether this installation is sound, and what to do where it is not."""
    with programs.database() as cluster:
        programs.ready()
        from fuzhengtong.jobs import doctor as examining

        findings = examining.examine(cluster)
        for finding in findings:
            print(("✓ " if finding.sound else "✗ ") + finding.said)
        _print({"sound": all(finding.sound for finding in findings)}, arguments)
        return 0 if all(finding.sound for finding in findings) else 1


def createadmin(arguments: argparse.Namespace) -> int:
    """Make a person and give him one of the three administrators' posts; the password is asked for."""
    import getpass

    try:
        password = os.environ.get("FUZHENGTONG_PASSWORD") or getpass.getpass("密码 / password: ")
    except EOFError:
        raise SettingRefused(
            "这里没有人能输入密码。请用环境变量 FUZHENGTONG_PASSWORD 给出。",
            "Nobody can type a password here. Give it in the variable FUZHENGTONG_PASSWORD.",
        ) from None
    with programs.database():
        programs.ready()
        from fuzhengtong.jobs import accounts

        accounts.create_admin(login=arguments.login, name=arguments.name, kind=arguments.post, password=password)
        _print({"ok": True, "login": arguments.login}, arguments)
    return 0


def createkey(arguments: argparse.Namespace) -> int:
    """Make a key by which another system tells through one channel; --list shows all keys, --disable ends one."""
    with programs.database():
        programs.ready()
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
    with programs.database():
        programs.ready(jobs=True)
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
    programs.ready()
    from fuzhengtong.jobs import documents

    stale = documents.stale()
    if not arguments.check:
        documents.write()
        stale = ()
    for path in stale:
        print(f"{path} is stale: run `make docs`", file=sys.stderr)
    if arguments.json:
        _print({"ok": not stale, "stale": list(stale)}, arguments)
    return 1 if stale else 0


# --- parsing -----------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    common = refusals.Parser(add_help=False)
    common.add_argument(
        refusals.AS_JSON, action="store_true",
        help="end with one JSON object on the last line; what runs until it is stopped does so where it does not start",
    )  # fmt: skip
    parser = refusals.Parser(prog="fuzhengtong", description="阜政通 Fuzhengtong", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        said = (run.__doc__ or "").split("\n")[0]
        made = commands.add_parser(name, parents=[common], help=said, description=said, allow_abbrev=False)
        made.set_defaults(run=run)
        return made

    for name, run in (("serve", programs.serve), ("web", programs.web)):
        made = add(name, run)
        made.add_argument(
            "--host", type=listening.host, default="127.0.0.1", metavar="ADDRESS",
            help="the address to listen at; 127.0.0.1, this machine alone, unless told",
        )  # fmt: skip
        made.add_argument(
            "--port", type=listening.port, help="the port to listen at; that of PORT, or 8000, unless told"
        )
        made.add_argument("--workers", type=COUNT, default=2, help="processes that answer; 2 unless told")
        made.add_argument(
            "--threads", type=COUNT, default=4, help="requests one process answers at once; 4 unless told"
        )
        if name == "serve":
            made.add_argument("--demo", action="store_true", help="a made city with made cases")
    add("tick", programs.tick)
    add("watchdog", programs.watchdog)
    made = add("init", init)
    made.add_argument("--made", action="store_true", help="made offices and people for the areas of the package")
    made.add_argument("--demo", action="store_true", help="the same, with a few made cases")
    made = add("found", found)
    made.add_argument("--desk", required=True, metavar="CODE", help="the centre that dispatches what fits nowhere else")
    made.add_argument("--area", default="", metavar="CODE", help="the city's area; needless where there is one city")
    for name, importing in (("import-areas", import_areas), ("import-calendar", import_calendar)):
        made = add(name, importing)
        made.add_argument("files", nargs="+")
        made.add_argument("--apply", action="store_true", help=APPLY)
    made = add("import-reference", import_reference)
    made.add_argument("kind", choices=("offices", "posts", "people", "categories", "routes", "grids"))
    made.add_argument("files", nargs="+")
    made.add_argument("--apply", action="store_true", help=APPLY)
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
    made.add_argument(
        "--acknowledged", type=Path, metavar="FILE",
        help="numbers whose receipts somebody holds, one a line (or JSON with number and key): each must be there once",
    )  # fmt: skip
    made.add_argument(
        "--canaries", type=Path, metavar="FILE",
        help="planted words of sealed fields, one a line (or JSON with strings and paths): none may lie in clear anywhere",
    )  # fmt: skip
    made.add_argument("--deep", action="store_true", help="open every passage and compare it with its commitment")
    add("bench", bench).add_argument(
        "--seconds", type=COUNT, default=60, help="how long each is measured; 60 unless told"
    )
    add("doctor", doctor)
    made = add("createadmin", createadmin)
    made.add_argument("login", help="what the person signs in with")
    made.add_argument("--name", required=True, help="the person's name")
    made.add_argument(
        "--post", choices=("system_admin", "security_admin", "audit_admin"), default="security_admin",
        help="which free post of the city's desk the person gets; security_admin unless told",
    )  # fmt: skip
    made = add("createkey", createkey)
    one = made.add_mutually_exclusive_group(required=True)
    one.add_argument("--name", type=_name, help="what the other system is called")
    one.add_argument("--disable", type=_name, metavar="NAME_OR_ID", help="put a key out of force")
    one.add_argument("--list", action="store_true", help="every key there is or was, without its secret")
    made.add_argument("--channel", default="", help="the one channel it may tell through; needed with --name")
    made = add("rewrap", rewrap)
    choice = made.add_mutually_exclusive_group()
    choice.add_argument("--new-key", action="store_true", help="add a key to keys.json and make it the current one")
    choice.add_argument("--drop-key", type=int, metavar="NUMBER", help="remove a key that wraps nothing any more")
    add("docs", docs).add_argument("--check", action="store_true", help="write nothing; exit 1 where one is stale")
    return parser


def _name(text: str) -> str:
    """Read a name of one line; argparse names the argument where it is none."""
    name = text.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise argparse.ArgumentTypeError(f"one line of 1 to {NAME_LENGTH} characters")
    return name


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; a refusal is a sentence, never a trace, and a bug a trace."""
    words = sys.argv[1:] if argv is None else argv
    try:
        arguments = _parser().parse_args(words)
        return int(arguments.run(arguments))
    except BaseException as problem:
        told = refusals.told(problem, words)
        if told is None:
            raise
        return told.say(words)
