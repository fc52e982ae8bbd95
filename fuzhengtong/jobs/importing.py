"""Lists of a city from files: what they would change, everything that is wrong in them, and then all of it or nothing.

Called by `fuzhengtong import-areas`, `import-calendar` and `import-reference`. The reading, checking and writing is the
directory's; several files are one import, so that a list may speak of what another brings. With one bad row in any of
them nothing is changed; without `apply` everything is tried and taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from django.db import transaction

from fuzhengtong.charter.moment import SYSTEM, Moment
from fuzhengtong.charter.texts import Texts
from fuzhengtong.directory import actions, sheets, world
from fuzhengtong.directory.rules import Change, Report
from fuzhengtong.directory.sheets import Problem, Sheet
from fuzhengtong.kernel.errors import Refused

# More differences of one sort than a person reads are counted, not listed; of what is wrong, everything is.
SHOWN = 20
WORDS = {"added": "新增 / new", "changed": "修改 / changed", "moved": "移动 / moved", "closed": "停用 / closed"}

Import = Callable[[Sequence[Sheet], Moment], Report]


class _OneSheet(Protocol):
    def __call__(self, *, sheet: Sheet, moment: Moment, apply: bool) -> Report: ...


def run(*, kind: str, files: Sequence[Path], apply: bool) -> Report:
    """Compare the files with what stands and, where told to apply and nothing is wrong, write the differences.

    `kind` is one of KINDS; grids may also come as areas, told apart by their columns or by being a map. What is wrong
    stands in the report's `errors`, with the file, the row and the column of each.
    """
    listed, problems = _read(files)
    if problems:
        return Report(errors=tuple(problems))
    moment = world.World(clock=lambda: datetime.now(UTC)).moment(by=SYSTEM)
    try:
        # Written in either case, so that one file may name what another brings; taken back where it is only a look.
        with transaction.atomic():
            report = KINDS[kind](listed, moment)
            if report.errors or not apply:
                transaction.set_rollback(True)
    except Refused as refused:
        facts = {name: value for name, value in refused.params.items() if isinstance(value, str | int)}
        return Report(errors=(Problem("", 0, "", f"refusal.{refused.code}", facts),))
    return replace(report, applied=apply and not report.errors and report.is_different)


def _read(files: Sequence[Path]) -> tuple[list[Sheet], list[Problem]]:
    listed, problems = [], []
    for path in files:
        try:
            # One byte more than the most: enough to be told that it is too big.
            with path.open("rb") as file:
                listed.append(Sheet(path.name, file.read(sheets.LARGEST_BYTES + 1)))
        except OSError:
            problems.append(Problem(str(path), 0, "", "import.no_such_file"))
    return listed, problems


# --- the kinds of lists ------------------------------------------------------------------------------------------


def _each(one: _OneSheet) -> Import:
    """Import sheets of one kind, one after the other."""

    def read(listed: Sequence[Sheet], moment: Moment) -> Report:
        return _joined([one(sheet=sheet, moment=moment, apply=True) for sheet in listed])

    return read


def _areas(listed: Sequence[Sheet], moment: Moment) -> Report:
    """Import lists of areas together, then the grids that lie in them."""
    grids = [sheet for sheet in listed if _is_of_grids(sheet)]
    areas = [sheet for sheet in listed if sheet not in grids]
    reports = [actions.import_areas(sheets=areas, moment=moment, apply=True)] if areas else []
    reports += [actions.import_grids(sheet=sheet, moment=moment, apply=True) for sheet in grids]
    return _joined(reports)


def _is_of_grids(sheet: Sheet) -> bool:
    if sheet.data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
        return True
    columns = set(sheets.read(sheet).columns)
    return {"code", "name", "parent"} <= columns and "kind" not in columns


def _calendar(listed: Sequence[Sheet], moment: Moment) -> Report:
    return actions.import_calendar(sheets=listed, moment=moment, apply=True)


def _categories(listed: Sequence[Sheet], moment: Moment) -> Report:
    """Import the category tree: one list, or two of which the second says more of each category."""
    if len(listed) > 2:
        return Report(errors=tuple(Problem(sheet.name, 0, "", "import.one_too_many") for sheet in listed[2:]))
    more = listed[1] if len(listed) == 2 else None
    return actions.import_categories(sheet=listed[0], more=more, moment=moment, apply=True)


def _people(*, sheet: Sheet, moment: Moment, apply: bool) -> Report:
    # Nobody signs in before the security administrator has given him a password of his own.
    return actions.import_people(sheet=sheet, password_hash="", moment=moment, apply=apply)  # noqa: S106 - none


KINDS: Mapping[str, Import] = {
    "areas": _areas,
    "grids": _areas,
    "calendar": _calendar,
    "offices": _each(actions.import_offices),
    "people": _each(_people),
    "posts": _each(actions.import_posts),
    "categories": _categories,
    "routes": _each(actions.import_routes),
}


def _joined(reports: Sequence[Report]) -> Report:
    if len(reports) == 1:
        return reports[0]
    return Report(
        added=tuple(change for report in reports for change in report.added),
        changed=tuple(change for report in reports for change in report.changed),
        moved=tuple(change for report in reports for change in report.moved),
        closed=tuple(change for report in reports for change in report.closed),
        unchanged=sum(report.unchanged for report in reports),
        errors=tuple(problem for report in reports for problem in report.errors),
    )


# --- what is said of it ------------------------------------------------------------------------------------------


def lines(report: Report) -> Iterator[str]:
    """Say everything that is wrong, or what is different, line by line; Chinese first, English after ' / '."""
    texts = world.texts()
    if report.errors:
        for problem in report.errors:
            yield wrong(problem, texts)
        count = len(report.errors)
        yield f"共 {count} 处不对，什么都没有改。请改好后重新导入。 / {count} faults; nothing was changed. Mend them."
        return
    for name, word in WORDS.items():
        changes: Sequence[Change] = getattr(report, name)
        for change in changes[:SHOWN]:
            yield f"{word}  {change.code} {change.name}{_cells(change) if name in ('changed', 'moved') else ''}"
        if len(changes) > SHOWN:
            yield f"{word}  …… 共 {len(changes)} 条 / {len(changes)} in all"
    if not report.is_different:
        yield "与现有的没有差别。 / Nothing is different."
    elif not report.applied:
        yield "以上还没有写入；核对后加上 --apply 再运行。 / Nothing was written; look, then run again with --apply."


def wrong(problem: Problem, texts: Texts) -> str:
    """Say what is wrong, with the file, the row and the column; Chinese first, English after ' / '."""
    facts: dict[str, Any] = dict(problem.facts)
    where, place = problem.sheet, ""
    if problem.row:
        where, place = f"{where} 第 {problem.row} 行", f"row {problem.row}"
    if problem.column:
        where, place = f"{where} {problem.column}", f"{place}, {problem.column}" if place else problem.column
    chinese, english = texts.say(problem.key, **facts), texts.say(problem.key, "en", **facts)
    return f"{where}：{chinese} / {place}{': ' if place else ''}{english}".lstrip("：")


def _cells(change: Change) -> str:
    told = [f"{name}: {_shown(change.before.get(name))} → {_shown(value)}" for name, value in change.after.items()]
    return "（" + "，".join(told) + "）"


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return "、".join(map(_shown, value)) or "—"
    text = "" if value is None else str(value)
    return (text if len(text) <= 40 else text[:39] + "…") or "—"


def summary(report: Report, *, applied: bool) -> dict[str, Any]:
    """Count what an import found, for the last line of the command."""
    counted: dict[str, Any] = {"ok": not report.errors, "applied": applied and report.is_different}
    counted |= {name: len(getattr(report, name)) for name in WORDS}
    counted |= {"unchanged": report.unchanged, "faults": len(report.errors)}
    return counted | ({"version": report.version} if report.version else {})
