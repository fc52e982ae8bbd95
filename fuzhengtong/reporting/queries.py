"""Read the figures of the city: roll-up and counts not yet folded together, so that a step moves them at once.

Called by pages of figures, by `verify` and by the nightly proof. Every rate comes with both of its numbers; a viewer
sees the figures of the area of his post and below it, never those beside or above.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from fuzhengtong.cases import permits
from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.cases import rules as cases_rules
from fuzhengtong.cases.states import AppealRow, CaseRow
from fuzhengtong.charter.editions import Charter
from fuzhengtong.charter.moment import Actor
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.reporting import rules


@dataclass(frozen=True)
class Line:
    """The counts and rates of one area, one top category, or of all; `key` is an area id or a letter ('' for all)."""

    key: str
    counts: rules.Counts
    figures: tuple[rules.Figure, ...]

    def figure(self, key: str) -> rules.Figure:
        """Return the figure of this name."""
        return next(figure for figure in self.figures if figure.key == key)


@dataclass(frozen=True)
class Figures:
    """The figures of a time and an area.

    `total` counts what was received (or fell due) in the months asked; `so_far` everything up to the last of them,
    as the cumulative closing rate wants it. `closing` names the figure that the charter calls 办结率. `by_area` are
    the counties of the city or the towns of a county; `by_root` the top categories.
    """

    since: int
    until: int
    area_id: int
    edition: str
    closing: str
    total: Line
    so_far: Line
    by_area: tuple[Line, ...]
    by_root: tuple[Line, ...]
    dispatch: cases_queries.DispatchTimes | None


# What is folded and what still waits, read in one statement: a fold in between moves a count, never doubles it.
_COUNTED = """
WITH counted AS (
  SELECT month, area_id, root, measure, n FROM reporting_rollup WHERE month <= %(until)s
  UNION ALL
  SELECT month, area_id, root, measure, n FROM cases_delta WHERE month <= %(until)s
)
SELECT GROUPING(a.{below}) = 0, GROUPING(c.root) = 0, a.{below}, c.root, c.measure,
       COALESCE(sum(c.n) FILTER (WHERE c.month >= %(since)s), 0)::int, sum(c.n)::int
FROM counted c JOIN directory_area a ON a.id = c.area_id
WHERE a.{within} = %(area)s
GROUP BY GROUPING SETS ((c.measure), (a.{below}, c.measure), (c.root, c.measure))
"""
# Which column the asked area stands in, and by which its rows are told apart.
_LEVELS = {"city": ("city_id", "county_id"), "county": ("county_id", "town_id"), "town": ("town_id", "town_id")}


def figures(*, viewer: Actor, since: int, until: int, area: int | None, charter: Charter) -> Figures | None:
    """Return the figures of the months from `since` to `until` (202611), or nothing outside of what the viewer sees.

    Without an area, that of the viewer's post. Three statements, and two to find the area.
    """
    reach = _reach(viewer)
    if reach is None or not permits.may("see_figures", viewer):
        return None
    area_id = reach if area is None else area
    level = _level(area_id, reach)
    if level is None:
        return None
    within, below = _LEVELS[level]
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED.format(within=within, below=below), {"since": since, "until": until, "area": area_id})
        rows = cursor.fetchall()
    total: dict[str, int] = {}
    so_far: dict[str, int] = {}
    by_area: dict[str, dict[str, int]] = {}
    by_root: dict[str, dict[str, int]] = {}
    for is_area, is_root, place, root, measure, within_months, up_to in rows:
        if is_area:
            by_area.setdefault(str(place), {})[measure] = within_months
        elif is_root:
            by_root.setdefault(root, {})[measure] = within_months
        else:
            total[measure], so_far[measure] = within_months, up_to
    return Figures(
        since=since,
        until=until,
        area_id=area_id,
        edition=charter.edition,
        closing=rules.closing(charter),
        total=_line("", total, charter),
        so_far=_line("", so_far, charter),
        by_area=_lines(by_area, charter),
        by_root=_lines(by_root, charter),
        dispatch=_dispatch(since, until, area_id, level, charter),
    )


def _reach(viewer: Actor) -> int | None:
    """Return the widest area whose figures a post sees: its own; the figures know no level below the town."""
    if viewer.level == "city":
        city = directory_queries.city()
        return city.area_id if city else None
    return viewer.area if viewer.level in ("county", "town") else None


def _level(area_id: int, reach: int) -> str | None:
    """Tell on which level an area stands; nothing where it is unknown, too small, or outside of the reach."""
    row = directory_queries.area(area_id)
    if row is None or reach not in (row.levels.city, row.levels.county, row.levels.town):
        return None
    # A level that is missing repeats the one above it, so the first that names the area is its own.
    for level, held in (("city", row.levels.city), ("county", row.levels.county), ("town", row.levels.town)):
        if held == area_id:
            return level
    return None


def _line(key: str, counted: Mapping[str, int], charter: Charter) -> Line:
    counts = rules.Counts(dict(counted))
    return Line(key=key, counts=counts, figures=rules.figures_of(counts, charter))


def _lines(found: Mapping[str, Mapping[str, int]], charter: Charter) -> tuple[Line, ...]:
    lines = [_line(key, counted, charter) for key, counted in sorted(found.items()) if any(counted.values())]
    return tuple(sorted(lines, key=lambda line: -line.counts["received"]))


def _dispatch(since: int, until: int, area_id: int, level: str, charter: Charter) -> cases_queries.DispatchTimes | None:
    if level == "town":
        return None
    zone = charter.clock.zone
    return cases_queries.dispatch_times(
        since=rules.begins(since, zone),
        until=rules.begins(rules.following(until), zone),
        county_id=area_id if level == "county" else None,
    )


# --- the nightly proof -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """One count that is not what the rows say: where it stands, what was counted anew, what the figures hold."""

    month: int
    area_id: int
    root: str
    measure: str
    counted: int
    kept: int


@contextmanager
def still_view() -> Iterator[None]:
    """Read everything inside as of one instant; within a transaction of the caller's, as that one sees it."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # A long proof is no runaway page: it reads everything, and works between two readings.
            cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
        yield


_CASE = ("id", "number", "kind", "state", "city_id", "county_id", "town_id", "root", "desk_id", "received_at",
         "biz_day", "biz_month", "accepted_at", "signed_at", "contacted_at", "response_late",
         "due_month", "finish_late", "passed_at",
         "redo_count")  # fmt: skip
_APPEAL = ("id", "case_id", "number", "state", "channel", "received_at", "biz_month", "visit_result", "solved",
           "satisfaction")  # fmt: skip
_ROWS = f"""
SELECT {", ".join(f"a.{name}" for name in _APPEAL)}, {", ".join(f"c.{name}" for name in _CASE)}
FROM cases_appeal a JOIN cases_case c ON c.id = a.case_id WHERE a.id > %s ORDER BY a.id LIMIT %s
"""  # noqa: S608 - names of our own
_KEPT = """
SELECT month, area_id, root, measure, sum(n)::int FROM (
  SELECT month, area_id, root, measure, n FROM reporting_rollup
  UNION ALL SELECT month, area_id, root, measure, n FROM cases_delta
) both_parts GROUP BY month, area_id, root, measure
"""


def recount(*, batch: int = 5000) -> tuple[Difference, ...]:
    """Count every appeal anew by `cases.rules.counts` and return where the figures differ: none, or a fault (I5).

    Memory stays flat: batches by id, one counter for each month, area, root and measure.
    """
    counted: dict[tuple[int, int, str, str], int] = {}
    with still_view():
        for appeal, case in _appeals(batch):
            for key, n in cases_rules.counts(appeal, case).items():
                counted[key] = counted.get(key, 0) + n
        with connection.cursor() as cursor:
            cursor.execute(_KEPT)
            kept = {(row[0], row[1], row[2], row[3]): row[4] for row in cursor.fetchall()}
    return tuple(
        Difference(key[0], key[1], key[2], key[3], counted.get(key, 0), kept.get(key, 0))
        for key in sorted(counted.keys() | kept.keys())
        if counted.get(key, 0) != kept.get(key, 0)
    )


def _appeals(batch: int) -> Iterator[tuple[AppealRow, CaseRow]]:
    after, width = 0, len(_APPEAL)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_ROWS, [after, batch])
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        if not rows:
            return
        for row in rows:
            appeal = AppealRow(**dict(zip(_APPEAL, row[:width], strict=True)))
            case = CaseRow(**dict(zip(_CASE, row[width:], strict=True)))
            yield appeal, case
        after = rows[-1][0]
