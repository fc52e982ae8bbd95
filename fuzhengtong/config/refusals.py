"""How a command says no: what a person can mend is put into words, for people and for programs; a bug keeps its trace.

Called by the command line alone, around each command. It decides nothing and catches nothing itself.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from fuzhengtong.charter.lines import FileRefused
from fuzhengtong.config.home import Unusable
from fuzhengtong.kernel.errors import Refused

AS_JSON = "--json"
# The connection could not be made or was lost, by SQLSTATE; what fails before the server answers has none.
_AWAY = ("08", "28", "3D", "53300", "57P")


@dataclass(frozen=True, slots=True)
class Told:
    """What is said when a command ends unasked, and its exit status."""

    code: str
    said: str
    status: int = 2

    def say(self, words: Sequence[str]) -> int:
        """Say it to people and, where the words of the command ask for it, as one JSON object; return the status."""
        print(self.said, file=sys.stderr)
        if AS_JSON in words:
            print(json.dumps({"ok": False, "code": self.code, "said": self.said}, ensure_ascii=False))
        return self.status


class NotUnderstood(SystemExit):
    """End a command whose words cannot be read."""

    def __init__(self, said: str) -> None:
        super().__init__(2)
        self.said = said


class Parser(argparse.ArgumentParser):
    """A reader of arguments that keeps what it says of wrong ones, so that it can be said as JSON too."""

    def error(self, message: str) -> NoReturn:
        """End with how the command is called and what is wrong."""
        self.print_usage(sys.stderr)
        raise NotUnderstood(f"{self.prog}: {message}")


def told(problem: BaseException, words: Sequence[str]) -> Told | None:
    """Put into words what a person can mend; nothing for a bug. `words` are those of the command."""
    match problem:
        case NotUnderstood():
            return Told("not_understood", problem.said)
        case SystemExit(code=str(said)):
            return Told("failed", said, 1)
        case KeyboardInterrupt():
            return Told("interrupted", "已中断。 / Interrupted.", 130)
        case Unusable():
            return Told(problem.code, str(problem))
        case FileRefused():
            return Told("file_refused", str(problem))
        case Refused():
            return Told(problem.code, _sentence(problem))
        case OSError() if _is_named(problem.filename, words):
            name, why = problem.filename, problem.strerror
            return Told(
                "file_unreadable", f"读不了文件 {name}（{why}）。请核对路径和权限。\n{name} cannot be read: {why}."
            )
        case _:
            return _database_away(problem)


def _sentence(refused: Refused) -> str:
    """Say a refusal in every language: the sentences of the texts, as on a page."""
    from fuzhengtong.charter.texts import LANGUAGES
    from fuzhengtong.directory import world

    return "\n".join(world.texts().say(f"refusal.{refused.code}", lang, **refused.params) for lang in LANGUAGES)


def _is_named(file: object, words: Sequence[str]) -> bool:
    """Tell whether a person named this file: one that we miss by ourselves is a bug."""
    if not isinstance(file, str | Path):
        return False
    return Path(file) in {Path(name) for word in words for name in (word, word.partition("=")[2]) if name}


def _database_away(problem: BaseException) -> Told | None:
    import psycopg

    cause = problem.__cause__ or problem  # Django wraps what the driver says
    if not isinstance(cause, psycopg.OperationalError) or not (cause.sqlstate or "08").startswith(_AWAY):
        return None
    why = (str(cause).strip().splitlines() or ["?"])[0]
    names = ("DATABASE_URL", "DATABASE_JOBS_URL", "DATABASE_OWNER_URL")
    return Told(
        "database_away",
        f"连不上数据库（{why}）。请核对 {'、'.join(names)} 和服务器。\n"
        f"The database is not to be reached ({why}). See {', '.join(names)} and the server.",
    )
