"""Pure rules of the figures: rates with their denominators, the interval of a sample, what is too small to publish.

Called by `queries` with counts of appeals; it never rounds, never stores a rate, and gives no rate without the two
numbers it came from. Which appeals stand in which measure is `cases.rules.counts` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import sqrt
from zoneinfo import ZoneInfo

from fuzhengtong.charter.editions import Charter

# Every measure a count can stand in, in the order in which they are shown.
MEASURES: tuple[str, ...] = (
    "received",
    "accepted",
    "declined",
    "withdrawn",
    "contacted",
    "responded",
    "finished",
    "closed",
    "redone",
    "on_time",
    "late",
    "unreachable",
    "solved",
    "partly",
    "unsolved",
    "satisfied",
    "basically",
    "dissatisfied",
)

# The 97.5 % point of the normal distribution: both ends together leave 5 % outside.
_Z = 1.959963984540054
# Below this a published count could point at a person (project default; staff see every number).
SMALLEST_PUBLIC = 5


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the true share lies with 95 % confidence; both ends between 0 and 1."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with all it needs to be understood: the two numbers, the unit, the month they hang on, the formula.

    `numerator` has halves where the charter counts a "partly" as one; `rate` is nothing where nothing was counted.
    `anchor` says which month an appeal is counted in: that in which it was received, or that in which its promise
    fell due. `formula` is the key of a sentence.
    """

    key: str
    numerator: float
    denominator: int
    rate: float | None
    unit: str
    anchor: str
    formula: str
    edition: str
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many appeals stand in every measure."""

    by_measure: Mapping[str, int]

    def __getitem__(self, measure: str) -> int:
        if measure not in MEASURES:
            raise KeyError(measure)
        return self.by_measure.get(measure, 0)

    @property
    def valid_visits(self) -> int:
        """The tellers who said whether their matter is solved; those who could not be reached stand apart."""
        return self["solved"] + self["partly"] + self["unsolved"]

    @property
    def valid_ratings(self) -> int:
        """The tellers who said how content they are."""
        return self["satisfied"] + self["basically"] + self["dissatisfied"]


def share(numerator: float, denominator: int) -> float | None:
    """Return the share, or nothing where nothing was counted: no figure is 0 % of nobody."""
    return numerator / denominator if denominator > 0 else None


def wilson(successes: float, n: int) -> Interval | None:
    """Return the Wilson 95 % interval of a share; nothing for an empty sample. Refuses more successes than answers."""
    if not 0 <= successes <= max(n, 0):
        raise ValueError(f"{successes} of {n} is no share")
    if n <= 0:
        return None
    found, z2 = successes / n, _Z * _Z
    centre = (found + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * sqrt(found * (1 - found) / n + z2 / (4 * n * n))
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def suppressed(n: int) -> bool:
    """Tell whether a count is too small to be published: none is no secret, a few people are."""
    return 0 < n < SMALLEST_PUBLIC


def figures_of(counts: Counts, charter: Charter) -> tuple[Figure, ...]:
    """Work out every rate of one set of counts, by the formulas of domain §4.1 and one edition's weights.

    Open cases stay in the denominators: finished is of all accepted, on time is of all that fell due. A response
    counts only where it came within the charter's limit (signed for, and the teller reached).
    """
    solved = counts["solved"] + charter.scores.partly_solved * counts["partly"]
    satisfied = counts["satisfied"] + counts["basically"]
    taken = counts["accepted"] + counts["declined"]
    due = counts["on_time"] + counts["late"]
    return (
        _figure("acceptance", counts["accepted"], taken, charter),
        _figure("response", counts["responded"], counts["accepted"], charter),
        _figure("finished", counts["finished"], counts["accepted"], charter),
        _figure("closed", counts["closed"], counts["accepted"], charter),
        _figure("on_time", counts["on_time"], due, charter, anchor="due"),
        _figure("solved", solved, counts.valid_visits, charter, unit="visits", sampled=True),
        _figure("satisfied", satisfied, counts.valid_ratings, charter, unit="ratings", sampled=True),
    )


def closing(charter: Charter) -> str:
    """Name the figure that is the city's closing rate (办结率): review passed, or the teller heard as well."""
    return "closed" if charter.scores.closed_means == "visited" else "finished"


def _figure(
    key: str,
    numerator: float,
    denominator: int,
    charter: Charter,
    *,
    unit: str = "appeals",
    anchor: str = "received",
    sampled: bool = False,
) -> Figure:
    return Figure(
        key=key,
        numerator=numerator,
        denominator=denominator,
        rate=share(numerator, denominator),
        unit=unit,
        anchor=anchor,
        formula=f"figure.{key}.formula",
        edition=charter.edition,
        interval=wilson(numerator, denominator) if sampled else None,
    )


# --- months ------------------------------------------------------------------------------------------------------


def month_of(day: date) -> int:
    """Write the month of a day as figures are keyed: 202611."""
    return day.year * 100 + day.month


def first_day(month: int) -> date:
    """Return the first day of a month written as 202611; refuses what is no month."""
    return date(month // 100, month % 100, 1)


def following(month: int) -> int:
    """Return the month after one."""
    return month_of(first_day(month) + timedelta(days=31))


def months(since: int, until: int) -> Iterator[int]:
    """List the months from one to another, both included."""
    while since <= until:
        yield since
        since = following(since)


def begins(month: int, zone: ZoneInfo) -> datetime:
    """Return the instant at which a month begins on the city's clock."""
    day = first_day(month)
    return datetime(day.year, day.month, day.day, tzinfo=zone)
