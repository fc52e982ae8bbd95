"""Tellings of another system from a file: looked at row by row, taken in batches, dispatched, and reported.

Called by `fuzhengtong import-appeals`. What is wrong with a row goes to a report in the home, by number and column and
without the row's words; the rest comes in. Each batch is one commit, so that a command that was killed goes on where it
stopped when it is run again. It decides nothing: what may come in is `intake`'s, where it goes is `dispatch`'s.
"""

from __future__ import annotations

import csv
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from fuzhengtong.cases.actions import Busy
from fuzhengtong.chain import followers
from fuzhengtong.charter.moment import SYSTEM, Moment
from fuzhengtong.directory import world
from fuzhengtong.directory.sheets import Problem, Sheet
from fuzhengtong.intake import bulk, columns
from fuzhengtong.jobs import importing

# More faults than a person reads on a screen stand in the report alone.
SHOWN = 20
FOLDER = "imports"
# A web page or another import may hold what a batch needs; it lets go within seconds.
TRIES, PAUSE_S = 6, 0.5
# In a busy city there is always somebody to dispatch: the import ends all the same.
ROUNDS = 100


@dataclass
class Outcome:
    """What became of a list."""

    mode: str
    rows: int = 0
    taken: int = 0
    again: int = 0
    screened: list[int] = field(default_factory=list)
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)
    whole: bool = False
    left_out: tuple[str, ...] = ()
    written: bool = True
    report: Path | None = None
    seconds: float = 0.0

    @property
    def is_sound(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """Return the last line of the command."""
        return {
            "ok": self.is_sound,
            "as": self.mode,
            "rows": self.rows,
            "taken": self.taken,
            "already": self.again,
            "screened": len(self.screened),
            "screened_rows": self.screened,
            "bad": self.bad,
            "faults": len(self.problems),
            "left_out": list(self.left_out),
            "report": str(self.report) if self.report else None,
            "seconds": round(self.seconds, 1),
            "per_s": round(self.taken / self.seconds, 1) if self.taken and self.seconds else 0.0,
        }


def run(
    *,
    file: Path,
    mode: str,
    told: Sequence[str] = (),
    channel: str = "",
    strict: bool = False,
    look: bool = False,
    home: Path,
    stream: TextIO = sys.stderr,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Outcome:
    """Take what a file tells, as live tellings or as history; return what became of every row.

    With `look` nothing is written; with `strict` nothing is written where one row is bad. Refused with NoSuchChannel.
    """
    kept = world.World(clock=clock)
    outcome = Outcome(mode=mode)
    try:
        with file.open("rb") as opened:
            sheet = Sheet(file.name, opened.read(columns.LARGEST_BYTES + 1))
    except OSError:
        outcome.problems, outcome.whole = [Problem(str(file), 0, "", "import.no_such_file")], True
        return outcome
    began = time.monotonic()
    listing = bulk.Listing(
        sheet=sheet, told=told, of_the_past=mode == "history", channel=channel, moment=kept.moment(by=SYSTEM)
    )
    outcome.rows, outcome.left_out = len(listing), listing.left_out
    if listing.whole:
        outcome.problems, outcome.whole = list(listing.whole), True
        return outcome
    ready = _judged(listing, outcome, stream)
    if outcome.problems:
        outcome.report = _report(outcome.problems, home=home, name=file.stem, at=clock())
    outcome.written = not (look or (strict and outcome.problems))
    if outcome.written:
        _take(ready, outcome, lambda: kept.moment(by=SYSTEM), stream)
    outcome.seconds = time.monotonic() - began
    return outcome


def _judged(listing: bulk.Listing, outcome: Outcome, stream: TextIO) -> list[bulk.Ready]:
    ready: list[bulk.Ready] = []
    with _Bar("核对 / looking at", len(listing), stream) as bar:
        for verdict in listing.rows():
            match verdict:
                case bulk.Ready():
                    ready.append(verdict)
                case bulk.Screened(number):
                    outcome.screened.append(number)
                case bulk.Bad(_, problems):
                    outcome.bad += 1
                    outcome.problems += problems
            bar.step(1)
    return ready


def _take(ready: Sequence[bulk.Ready], outcome: Outcome, moment: Callable[[], Moment], stream: TextIO) -> None:
    with _Bar("导入 / taking", len(ready), stream) as bar:
        for batch in _batches(ready):
            took = _took(batch, moment)
            outcome.taken += len(took.entry_ids)
            outcome.again += took.again
            _dispatch(moment, took.entry_ids)
            bar.step(len(batch))
    # What an import that was killed had taken and not sent on; the ticker would, where one runs.
    if outcome.mode == "live":
        _dispatch(moment, None)


def _batches(ready: Sequence[bulk.Ready]) -> Iterator[Sequence[bulk.Ready]]:
    for begin in range(0, len(ready), bulk.BATCH):
        yield ready[begin : begin + bulk.BATCH]


def _took(batch: Sequence[bulk.Ready], moment: Callable[[], Moment]) -> bulk.Took:
    for left in reversed(range(TRIES)):
        try:
            return bulk.take(ready=batch, moment=moment())
        except Busy:
            if not left:
                raise
            time.sleep(PAUSE_S)
    raise AssertionError("the last try returns or raises")


def _dispatch(moment: Callable[[], Moment], entry_ids: Sequence[int] | None) -> None:
    """Let dispatch follow, batch by batch; what somebody else holds, or what fails, is left to the ticker."""
    for _ in range(ROUNDS):
        if entry_ids == () or not followers.run("dispatch", moment=moment(), entry_ids=entry_ids):
            return


# --- what is said of it ------------------------------------------------------------------------------------------


def _report(problems: Iterable[Problem], *, home: Path, name: str, at: datetime) -> Path:
    """Write what is wrong with which rows, for a spreadsheet: numbers, columns and sentences, never a cell's words."""
    folder = home / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{name}-{at:%Y%m%d-%H%M%S-%f}.csv"
    texts = world.texts()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("行 / row", "列 / column", "问题", "problem"))
        for problem in problems:
            said = [texts.say(problem.key, lang, **problem.facts) for lang in ("zh-Hans", "en")]
            rows.writerow((problem.row, problem.column, *said))
    return path


def lines(outcome: Outcome) -> Iterator[str]:
    """Say what became of a list, line by line; Chinese first, English after ' / '."""
    texts = world.texts()
    for problem in outcome.problems if outcome.whole else outcome.problems[:SHOWN]:
        yield importing.wrong(problem, texts)
    if outcome.whole:
        yield "什么都没有导入。请改好后重新导入。 / Nothing was taken. Mend it and import again."
        return
    if outcome.left_out:
        named = "、".join(outcome.left_out)
        yield f"没有取的列：{named} / columns left out: {', '.join(outcome.left_out)}"
    if outcome.report:
        yield f"{outcome.bad} 行有问题，见 {outcome.report} / {outcome.bad} rows are bad, see the report"
    if outcome.screened:
        count, numbers = len(outcome.screened), ", ".join(map(str, outcome.screened))
        yield f"{count} 行像是对公职人员的检举控告，没有保存，请交有权受理的机关：第 {numbers} 行"
        yield f"{count} rows read as reports on people in public office and were not kept: {numbers}"
    if outcome.written:
        yield (
            f"导入 {outcome.taken} 件，原来就有 {outcome.again} 件，共 {outcome.rows} 行"
            f" / {outcome.taken} taken, {outcome.again} already there, of {outcome.rows} rows"
        )
    else:
        yield f"共 {outcome.rows} 行，什么都没有写入。 / {outcome.rows} rows, nothing was written."


class _Bar:
    """One line on a terminal that says how far it has come; nothing where nobody looks."""

    WIDTH = 30

    def __init__(self, word: str, total: int, stream: TextIO) -> None:
        self._word, self._total, self._stream = word, total, stream
        self._is_shown = stream.isatty() and total > 0
        self._done, self._began, self._drawn = 0, time.monotonic(), 0.0

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_shown:
            self._draw()
            self._stream.write("\n")

    def step(self, count: int) -> None:
        self._done += count
        if self._is_shown and time.monotonic() - self._drawn > 0.1:
            self._draw()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        filled = self.WIDTH * self._done // self._total
        rate = self._done / max(self._drawn - self._began, 0.001)
        bar = "█" * filled + "·" * (self.WIDTH - filled)
        self._stream.write(f"\r{self._word}  {bar}  {self._done} / {self._total}  {rate:.0f}/s ")
        self._stream.flush()
