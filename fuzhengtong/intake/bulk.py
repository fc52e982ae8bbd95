"""Lists of tellings through the one door: screened and checked row by row, then many in a commit, and each once.

Called by `jobs.appeals`. A `Listing` is looked at without writing anything; `take` registers what it passed, by the
same plan and the same write as a single telling. A row is known again by its channel and its reference, so that a list
may be handed in as often as somebody likes, whatever ended the time before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
from django.db import IntegrityError

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import steps
from fuzhengtong.cases.states import Lane
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory.sheets import Line, Problem, Sheet
from fuzhengtong.intake import actions, cells, columns, headings, queries, rules
from fuzhengtong.kernel import crypto, numbers
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.people import keys

# How many tellings a commit holds.
BATCH = 200
# Where a row names no channel: one of their own, so that their numbers are never taken for another system's.
LIVE, HISTORY = "file_import", "history_import"
# Somebody else may be taking rows of the same list; each time fewer are left to quarrel about.
TRIES = 5


class NoSuchChannel(Refused):
    """Refuse a channel that is not, or no longer, one of the city's."""

    code = "no_such_channel"


@dataclass(frozen=True, slots=True)
class Ready:
    """A row that may be taken."""

    number: int
    checked: rules.Checked
    past: cases_actions.Past | None = None


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that cannot be taken as it is, and everything that is wrong with it."""

    number: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Screened:
    """A row that reads as a report on a person in public office: nothing of it is kept but its place in the list."""

    number: int


Verdict = Ready | Bad | Screened


class Listing:
    """A list as it was handed in: what is wrong with it as a whole, and its rows, each judged by itself."""

    def __init__(self, *, sheet: Sheet, told: Sequence[str], of_the_past: bool, channel: str, moment: Moment) -> None:
        """Read a list; `told` are the operator's words, "column=field". Refused with NoSuchChannel."""
        self._lines = columns.read(sheet)
        self._columns, wrong = columns.recognise(self._lines, columns.mapping(told, self._lines))
        self._moment, self._of_the_past = moment, of_the_past
        self._reader = columns.Reader(
            sheet=self._lines.sheet,
            columns=self._columns,
            zone=moment.charter.clock.zone,
            channel=_channel(channel or (HISTORY if of_the_past else LIVE), moment),
            channels=_channels(moment),
            of_the_past=of_the_past,
        )
        self._categories = _categories(moment)
        # A column without a name is nobody's: some programs put a running number there.
        faults = [problem for problem in self._lines.problems if problem.key != "import.column_unnamed"]
        self._broken = [problem for problem in faults if problem.row > 1]
        whole = tuple(problem for problem in faults if problem.row <= 1)
        self.whole: tuple[Problem, ...] = whole if whole and not self._lines.columns else (*whole, *wrong)

    def __len__(self) -> int:
        return len(self._lines.lines) + len(self._unread())

    @property
    def left_out(self) -> tuple[str, ...]:
        """Name the columns of which nothing is taken."""
        if self._of_the_past:
            return self._columns.left_out
        past = (column for field, column in self._columns.of.items() if field in headings.OF_THE_PAST)
        return (*self._columns.left_out, *past)

    def rows(self) -> Iterator[Verdict]:
        """Judge one row after the other. Pure: nothing is written."""
        broken: dict[int, list[Problem]] = {}
        for problem in self._broken:
            broken.setdefault(problem.row, []).append(problem)
        for number in self._unread():
            yield Bad(number, tuple(broken[number]))
        for line in self._lines.lines:
            yield self._judged(line, broken.get(line.number, []))

    def _unread(self) -> list[int]:
        """Number the rows that are none: a line that is no object."""
        return sorted({problem.row for problem in self._broken} - {line.number for line in self._lines.lines})

    def _judged(self, line: Line, broken: list[Problem]) -> Verdict:
        row, problems = self._reader.row(line)
        charter, at = self._moment.charter, self._moment.at
        category = self._categories.get(cells.plain(row.category))
        if category is not None and (category.lane == Lane.DISCIPLINE or category.sensitivity == "sealed"):
            return Screened(row.number)
        try:
            # Before anything else: of such a row not even a fault is said.
            for text in row.texts:
                rules.screen(text, charter)
            problems = broken + problems
            wrong = {problem.column for problem in problems}
            lane = queries.lane(row.submission.channel, at=at)
            checked = rules.check(self._referred(row), lane=lane, charter=charter, at=at)
        except rules.Screened:
            return Screened(row.number)
        except rules.BadInput as bad:
            # What could not be read is said once, and not again as missing.
            found = (self._reader.wrong(row.number, fault) for fault in bad.faults)
            return Bad(row.number, (*problems, *(problem for problem in found if problem.column not in wrong)))
        past = self._past(row, checked, category, problems) if self._of_the_past else None
        return Bad(row.number, tuple(problems)) if problems else Ready(row.number, checked, past)

    def _referred(self, row: columns.Row) -> rules.Submission:
        """Give a row without a reference one of its own words: keyed, so that nobody can guess the words from it."""
        if row.submission.source_ref:
            return row.submission
        index = crypto.blind_index(keyring=keys.keyring(), field="row of a list", value=row.identity)
        return msgspec.structs.replace(row.submission, source_ref=f"row-{index.hex()}")

    def _past(
        self,
        row: columns.Row,
        checked: rules.Checked,
        category: directory_queries.CategoryRow | None,
        problems: list[Problem],
    ) -> cases_actions.Past | None:
        """Return what a closed matter brings besides; what is wrong with it is noted."""
        limit = self._moment.charter.text.characters
        besides = row.besides if category or not row.category else (*row.besides, self._said("category", row.category))
        note = "\n".join(f"{column}：{cell}" for column, cell in besides)
        for field, text in (("reply", row.reply), ("category", note)):
            faults = rules.words(text, field=field, limit=limit)[1]
            problems += [self._reader.wrong(row.number, fault) for fault in faults]
        if checked.told_at is None:
            if not any(problem.column == self._columns.named("created") for problem in problems):
                problems.append(self._wrong(row, "created", "import.history_needs_time"))
            return None
        closed_at = row.closed_at or row.replied_at
        answered_at = row.replied_at or row.closed_at
        if row.reply and answered_at is None:
            problems.append(self._wrong(row, "reply", "import.reply_without_time"))
        for field, at in (("closed_at", row.closed_at), ("replied_at", row.replied_at)):
            if at is not None and not checked.told_at <= at <= self._moment.at:
                problems.append(self._wrong(row, field, "import.times_out_of_order"))
        return cases_actions.Past(
            received_at=checked.told_at,
            closed_at=closed_at,
            reply=row.reply,
            answered_at=answered_at,
            note=note,
            category_id=category.category_id if category else None,
            category_code=category.code if category else "",
            root=category.root if category else "",
            solved=row.solved,
            satisfaction=row.satisfaction,
        )

    def _said(self, field: str, cell: str) -> tuple[str, str]:
        return self._columns.named(field), cell

    def _wrong(self, row: columns.Row, field: str, key: str) -> Problem:
        return Problem(self._reader.sheet, row.number, self._columns.named(field), key)


def _channel(code: str, moment: Moment) -> str:
    if queries.lane(code, at=moment.at) is None:
        known = "、".join(sorted(queries.lanes_kept.at(moment.at)))
        raise NoSuchChannel(channel=code, known=known)
    return code


def _channels(moment: Moment) -> dict[str, str]:
    """Lead from the code and both names of every open channel to its code."""
    is_open = queries.lanes_kept.at(moment.at)
    return {
        cells.plain(name): row.code
        for row in queries.channels()
        if row.code in is_open
        for name in (row.code, row.name, row.name_en)
    }


def _categories(moment: Moment) -> dict[str, directory_queries.CategoryRow]:
    """Lead from the code and the name of a category to it; a name that two of them bear leads nowhere."""
    found: dict[str, directory_queries.CategoryRow] = {}
    doubled = set()
    for row in directory_queries.categories(at=moment.at):
        for name in {cells.plain(row.code), cells.plain(row.name)}:
            doubled |= {name} & found.keys()
            found[name] = row
    return {name: row for name, row in found.items() if name not in doubled}


# --- taking ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Took:
    """What became of a batch: the entries that followers may run on, and how many rows had been taken before."""

    entry_ids: tuple[int, ...]
    again: int


def take(*, ready: Sequence[Ready], moment: Moment) -> Took:
    """Register the rows of one batch that are not here yet, in one transaction: all of them, or none.

    Refused with Busy, and then nothing of the batch is in.
    """
    for last in range(TRIES):
        fresh = _fresh(ready)
        if not fresh:
            return Took((), len(ready))
        tellings = [_telling(row, moment) for row in fresh]
        step = steps.REGISTER if fresh[0].past is None else steps.REGISTER_HISTORY
        try:
            taken = cases_actions.register_all(step=step, tellings=tellings, moment=moment)
        except IntegrityError as error:
            if "appeal_source_ref" not in str(error) or last == TRIES - 1:
                raise
            continue
        return Took(tuple(one.entry.id for one in taken), len(ready) - len(fresh))
    raise AssertionError("the last try returns or raises")


def _fresh(ready: Sequence[Ready]) -> list[Ready]:
    """Return the rows whose reference was not taken on their channel; of two that name the same, the first."""
    first: dict[tuple[str, str], Ready] = {}
    for row in ready:
        first.setdefault((row.checked.channel, row.checked.source_ref), row)
    known = set()
    for channel in {channel for channel, _ in first}:
        refs = [ref for other, ref in first if other == channel]
        known |= {(channel, ref) for ref in queries.taken_refs(channel=channel, refs=refs)}
    return [row for key, row in first.items() if key not in known]


def _telling(row: Ready, moment: Moment) -> cases_actions.Telling:
    # Nobody holds the code of such a telling: it is made, because every telling has one, and forgotten.
    code = numbers.query_code(moment.mint.token(16))
    telling = actions.telling_of(row.checked, code=code, moment=moment)
    if row.past is None:
        return telling
    day = row.past.received_at.astimezone(moment.charter.clock.zone).date()
    return msgspec.structs.replace(telling, past=row.past, biz_day=day.year * 10000 + day.month * 100 + day.day)
