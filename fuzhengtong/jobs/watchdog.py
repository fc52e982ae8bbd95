"""The second pair of eyes: work out every promise anew from the ledger's bytes and ring when the city does otherwise.

A process of its own. It shares no arithmetic and no rule with the spine: due times, pauses, reminders and rungs are
counted day by day (`days`), from the bytes of the entries and the charter alone, and compared with the duty rows and
with what was acted on. It also looks whether the ticker still beats. It reads, rings and repairs nothing.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
from django.db import connection

from fuzhengtong.charter.editions import Charter, Charters
from fuzhengtong.charter.moment import SYSTEM, Moment
from fuzhengtong.connectors import lines as files_of_lines
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory import world
from fuzhengtong.jobs.days import Days
from fuzhengtong.kernel.calendar import Calendar
from fuzhengtong.reporting.queries import still_view

log = logging.getLogger("fuzhengtong.watchdog")

HEARTBEAT, ALARMS = "heartbeat.json", "alarms.jsonl"
BATCH = 300
# A look may come this late before it counts as missed: after a restart the ticker catches up within a minute.
GRACE = timedelta(seconds=90)
# The ticker beats every second or two; this long without a beat it is dead or stuck.
PATIENCE = timedelta(seconds=60)
# A pass may take a tenth of one core: it sleeps nine times as long as it worked, and never less than this.
SHORTEST_SLEEP_S = 30.0

# The file of alarms: half a year of them is owed to whoever audits the system, so they are kept for more than a year.
LIMITS = files_of_lines.Limits(
    bytes_each=2 * 2**20, bytes_all=16 * 2**20, span=timedelta(days=90), kept=timedelta(days=400)
)

_NEAR = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is not as the ledger promises: a stable code, where, what was expected and what was found."""

    code: str
    at: datetime
    case: str = ""
    duty_id: int = 0
    kind: str = ""
    expected: str = ""
    found: str = ""

    @property
    def key(self) -> tuple[str, str, int]:
        """Return what makes it the same alarm on a later pass."""
        return self.code, self.case, self.duty_id


# --- the heartbeat -----------------------------------------------------------------------------------------------


def beat(*, home: Path, at: datetime, cases: int = 0, steps: int = 0) -> None:
    """Write that the ticker is alive, and what its last turn did; called by the ticker, at most once a second.

    The file is replaced whole. It need not survive a power cut, so nothing waits for the disk.
    """
    told = {"at": at.isoformat(), "pid": os.getpid(), "cases": cases, "steps": steps}
    handle, name = tempfile.mkstemp(dir=home, prefix=f".{HEARTBEAT}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(told, file)
    os.replace(name, home / HEARTBEAT)


def last_beat(home: Path) -> datetime | None:
    """Return when the ticker last said that it is alive; nothing where it never did, or its word cannot be read."""
    try:
        told = json.loads((home / HEARTBEAT).read_text(encoding="utf-8"))
        return datetime.fromisoformat(told["at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def pulse(*, beat_at: datetime | None, at: datetime, patience: timedelta = PATIENCE) -> list[Alarm]:
    """Ring when the ticker has been silent for too long, or beats in the future: then one of two clocks is wrong."""
    if beat_at is None:
        return [Alarm("heartbeat_missing", at, expected=f"within {patience.total_seconds():.0f} s")]
    if abs(at - beat_at) > patience:
        return [Alarm("heartbeat_old", at, expected=at.isoformat(), found=beat_at.isoformat())]
    return []


# --- what the ledger promises ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Event:
    """Something that happened to a promise, and under which days it was reckoned."""

    what: str
    at: datetime
    days: Days
    told: Mapping[str, Any]


@dataclass(slots=True)
class _Promise:
    """One duty as the ledger tells it."""

    id: int
    kind: str
    owed_from: datetime
    made_at: datetime
    length: int
    unit: str
    urgency: str
    charter: Charter
    days: Days
    told_due: datetime
    promised: tuple[int, str] | None
    before: _Promise | None
    is_guess: bool = False
    events: list[_Event] = field(default_factory=list)
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Held:
    """One open duty row of the database."""

    id: int
    kind: str
    due_at: datetime
    paused_at: datetime | None
    rung: int
    look_at: datetime | None


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


class _Case:
    """Read the lines of one case in order, and keep its promises."""

    def __init__(self, charters: Charters, calendars: Callable[[str], Calendar]) -> None:
        self._charters, self._calendars = charters, calendars
        self._columns: dict[str, Any] = {}
        self.promises: dict[int, _Promise] = {}

    def read(self, line: Mapping[str, Any]) -> None:
        body, at = line["body"], _instant(line["at"])
        self._columns |= body.get("set", {})
        for verb in ("meets", "voids"):
            for key in body.get(verb, ()):
                self.promises[int(key)].is_open = False
        for verb in ("pauses", "resumes", "climbs", "recomputes"):
            for told in body.get(verb, ()):
                promise = self.promises[int(told["id"])]
                facts = {**told, **body.get("facts", {}), "step": line["step"]}
                promise.events.append(_Event(verb, at, self._days(promise.charter, body), facts))
        for told in body.get("owes", ()):
            self._owe(told, body, at, step=line["step"])

    def _days(self, charter: Charter, body: Mapping[str, Any]) -> Days:
        calendar = self._calendars(body["calendar"])
        return Days(calendar, charter.clock, self._columns.get("county_code") or None)

    def _owe(self, told: Mapping[str, Any], body: Mapping[str, Any], at: datetime, *, step: str) -> None:
        charter = self._charters.edition(told["edition"])
        owed_from = _instant(told["owed_from"])
        self.promises[int(told["id"])] = _Promise(
            id=int(told["id"]),
            kind=told["kind"],
            owed_from=owed_from,
            made_at=at,
            length=told["length"],
            unit=told["unit"],
            urgency=told["urgency"],
            charter=charter,
            days=self._days(charter, body),
            told_due=_instant(told["due_at"]),
            promised=self._promised(charter, told),
            before=self._carried() if step == "send_back" else None,
            is_guess=told["provisional"],
        )

    def _carried(self) -> _Promise | None:
        """Return the promise that work sent back goes on under: the last redo, else the first finish."""
        held = list(self.promises.values())
        redone = [promise for promise in held if promise.kind == "redo"]
        return redone[-1] if redone else next((promise for promise in held if promise.kind == "finish"), None)

    def _promised(self, charter: Charter, told: Mapping[str, Any]) -> tuple[int, str] | None:
        """Ask the charter what it promises for such a duty; nothing where the charter does not know it."""
        kind, urgency = told["kind"], told["urgency"]
        if kind in ("finish", "interim_reply"):
            term = charter.finish(
                urgency=urgency,
                category=self._columns.get("category_code", ""),
                category_days=self._columns.get("category_days", 0),
            )
            if kind == "finish":
                return term.length, term.unit.value
            return (term.interim.length, term.interim.unit.value) if term.interim else None
        found = charter.terms.get(f"{kind}.{urgency}") or charter.terms.get(kind)
        return (found.length, found.unit.value) if found else None


@dataclass(frozen=True, slots=True)
class _Look:
    """One look the ladder provides for: by which step, at which level, and when."""

    step: str
    level: int
    at: datetime


def _ladder(promise: _Promise, due: datetime, days: Days) -> list[_Look]:
    """List every look at a promise with its time, as the charter's ladder has it."""
    charter, kind = promise.charter, promise.kind
    if kind == "archive":
        return [_Look("archive", 0, due)]

    def reminder(share: float) -> _Look:
        # By day and by hour of the wall clock alike, nobody is reminded at night but of an emergency.
        by_night = not promise.unit.startswith("wall") or promise.urgency in charter.reminder.any_hour_for
        unit = promise.unit if by_night else "calendar_days"
        return _Look("remind", 0, days.share(promise.owed_from, due, share, unit))

    if kind == "info":
        times = charter.need_info.reminders
        return [*(reminder(n / (times + 1)) for n in range(1, times + 1)), _Look("lapse", 0, due)]
    looks = [_Look("overdue", 0, due)]
    if kind == "supervision_reply":
        return looks
    # A day ends with its last moment, so the rungs are counted from there (24:00 still belongs to the day).
    last = due - timedelta(milliseconds=1)
    looks += [
        _Look("supervise", rung.level, days.due(last, rung.after, rung.unit.value))
        for rung in charter.supervision.ladder
        if rung.level > 0
    ]
    return looks if kind == "dispatch" else [reminder(charter.reminder.share), *looks]


@dataclass(slots=True)
class _Stand:
    """Where a promise stands by our own reckoning; `resumed_at` is when it was last set going again."""

    due: datetime
    days: Days
    is_guess: bool
    is_paused: bool = False
    resumed_at: datetime | None = None
    left: int = 0
    rung: int = 0


def _due_of(promise: _Promise) -> datetime:
    own = promise.days.due(promise.owed_from, promise.length, promise.unit)
    # Work sent back keeps the promise made before, with its own least time.
    return own if promise.before is None else max(own, _stood(promise.before).due)


def _stood(promise: _Promise) -> _Stand:
    """Follow the pauses of a promise to its present due time, without judging anything."""
    stand = _begun(promise)
    for event in promise.events:
        _follow(stand, promise, event)
    return stand


def _begun(promise: _Promise) -> _Stand:
    return _Stand(_due_of(promise), promise.days, promise.is_guess)


def _follow(stand: _Stand, promise: _Promise, event: _Event) -> None:
    stand.days = event.days
    if event.what == "pauses":
        stand.is_paused, stand.left = True, event.days.left(event.at, stand.due, promise.unit)
    elif event.what == "resumes":
        stand.is_paused, stand.due = False, event.days.resumed(event.at, stand.left, promise.unit)
        stand.resumed_at, stand.is_guess = event.at, event.told["provisional"]
    elif event.what == "recomputes":
        stand.due, stand.is_guess = _anew(promise, stand, event.days), event.told["provisional"]
        looks = _ladder(promise, stand.due, event.days)[: stand.rung]
        # A look whose time is still to come by the new days was taken too soon, and will be taken again.
        stand.rung = next((rung for rung, look in enumerate(looks) if look.at > event.at), stand.rung)
    else:
        stand.rung += 1


def _anew(promise: _Promise, stand: _Stand, days: Days) -> datetime:
    """Count a promise again by other days: from where it was last set going, else from its beginning."""
    if stand.resumed_at is None:
        own = days.due(promise.owed_from, promise.length, promise.unit)
    else:
        own = days.resumed(stand.resumed_at, stand.left, promise.unit)
    if promise.before is None:
        return own
    stood = _stood(promise.before)
    return max(own, _anew(promise.before, stood, days) if stood.is_guess else stood.due)


def judge(
    *,
    case: str,
    is_open: bool,
    lines: Sequence[Mapping[str, Any]],
    rows: Sequence[Held],
    at: datetime,
    charters: Charters,
    calendars: Callable[[str], Calendar],
    grace: timedelta = GRACE,
) -> list[Alarm]:
    """Work out every open promise of one case from its lines and compare it with the rows; pure.

    `lines` are the values of the entries' bytes in order, `rows` the open duty rows of the database.
    """
    read = _Case(charters, calendars)
    for line in lines:
        read.read(line)
    alarms: list[Alarm] = []
    held = {row.id: row for row in rows}
    owed = {promise.id: promise for promise in read.promises.values() if promise.is_open}
    if is_open and not any(promise.kind != "archive" for promise in owed.values()):
        alarms.append(Alarm("owes_nothing", at, case, expected="a promise to somebody", found="none in the ledger"))
    for key in held.keys() - owed.keys():
        code = "still_owed_after_the_end" if key in read.promises else "row_without_promise"
        alarms.append(Alarm(code, at, case, key, held[key].kind))
    for key, promise in owed.items():
        alarms += _judge(promise, held.get(key), case, at, grace)
    return alarms


def _judge(promise: _Promise, row: Held | None, case: str, at: datetime, grace: timedelta) -> list[Alarm]:
    alarms: list[Alarm] = []

    def ring(code: str, expected: object, found: object) -> None:
        alarms.append(Alarm(code, at, case, promise.id, promise.kind, str(expected), str(found)))

    if promise.promised != (promise.length, promise.unit) and promise.before is None:
        ring("term_differs", promise.promised, (promise.length, promise.unit))
    stand = _begun(promise)
    told_due = promise.told_due
    for event in promise.events:
        if event.what == "climbs":
            looks = _ladder(promise, stand.due, stand.days)
            _judge_climb(looks, stand.rung, event, ring)
        if event.what == "recomputes" and not (stand.is_guess and not stand.is_paused):
            ring("moved_without_reason", "a promise stays as it was made", _instant(event.told["due_at"]))
        _follow(stand, promise, event)
        told_due = _instant(event.told["due_at"]) if event.what in ("resumes", "recomputes") else told_due
    if told_due != stand.due:
        ring("told_due_differs", stand.due, told_due)
    if row is None:
        ring("row_missing", stand.due, "no open duty row")
        return alarms
    if row.due_at != stand.due:
        ring("due_differs", stand.due, row.due_at)
    if row.rung != stand.rung:
        ring("rung_differs", stand.rung, row.rung)
    if (row.paused_at is not None) != stand.is_paused:
        ring("pause_differs", stand.is_paused, row.paused_at)
    looks = [] if stand.is_paused else _ladder(promise, stand.due, stand.days)[stand.rung :]
    _judge_next(looks[0] if looks else None, row, at, grace, ring)
    return alarms


Ring = Callable[[str, object, object], None]


def _judge_climb(looks: Sequence[_Look], rung: int, event: _Event, ring: Ring) -> None:
    """Compare what the ticker did with what the ladder provides for at this place."""
    did = f"{event.told['step']} {event.told.get('level') or ''}".strip()
    if rung >= len(looks):
        ring("rung_too_many", "nothing more", did)
        return
    look = looks[rung]
    wanted = f"{look.step} {look.level or ''}".strip()
    if did != wanted:
        ring("rung_skipped", wanted, did)
    elif event.at < look.at - _NEAR:
        ring("acted_early", f"{wanted} at {look.at}", event.at)


def _judge_next(look: _Look | None, row: Held, at: datetime, grace: timedelta, ring: Ring) -> None:
    if look is None:
        if row.look_at is not None:
            ring("look_differs", "no more looks", row.look_at)
        return
    if look.at + grace < at:
        ring("look_missed", f"{look.step} at {look.at}", "not done")
    if row.look_at is None or abs(row.look_at - look.at) > _NEAR:
        ring("look_differs", f"{look.step} at {look.at}", row.look_at)


# --- one pass over the city --------------------------------------------------------------------------------------

_WATCHED = """
SELECT id FROM cases_case WHERE is_open
UNION SELECT case_id FROM cases_duty WHERE met_at IS NULL AND voided_at IS NULL
ORDER BY 1
"""
_CASES = "SELECT id, number, is_open FROM cases_case WHERE id = ANY(%s) ORDER BY id"
_LINES = "SELECT case_id, body FROM cases_entry WHERE case_id = ANY(%s) ORDER BY case_id, seq"
_HELD = """
SELECT case_id, id, kind, due_at, paused_at, rung, look_at FROM cases_duty
WHERE case_id = ANY(%s) AND met_at IS NULL AND voided_at IS NULL ORDER BY case_id, id
"""
_DECODER = msgspec.json.Decoder()


def pass_over(
    *,
    moment: Moment,
    beat_at: datetime | None,
    grace: timedelta = GRACE,
    patience: timedelta = PATIENCE,
    batch: int = BATCH,
) -> list[Alarm]:
    """Look over every case that owes something, and at the ticker; return everything that is not as it should be.

    `moment` gives the instant, the charters and the calendar in force; calendars of older versions come from the
    directory. Each batch is read as of one instant, so that a step taken meanwhile is never half seen.
    """
    alarms = pulse(beat_at=beat_at, at=moment.at, patience=patience)
    calendars = _calendars(moment)
    ids = [row[0] for row in _read(_WATCHED, None)]
    for first, last in pairwise([*range(0, len(ids), batch), len(ids)]):
        with still_view():
            found = _read_batch(ids[first:last])
        for number, is_open, lines, rows in found:
            try:
                alarms += judge(
                    case=number,
                    is_open=is_open,
                    lines=[_DECODER.decode(bytes(line)) for line in lines],
                    rows=rows,
                    at=moment.at,
                    charters=moment.charters,
                    calendars=calendars,
                    grace=grace,
                )
            # One damaged case must not blind the watchdog for all others; it is itself the alarm.
            except Exception as fault:
                log.exception("case %s cannot be judged", number)
                alarms.append(Alarm("ledger_unreadable", moment.at, number, found=type(fault).__name__))
    return alarms


def _calendars(moment: Moment) -> Callable[[str], Calendar]:
    def calendar(version: str) -> Calendar:
        return moment.calendar if version == moment.calendar.version else directory_queries.calendar_version(version)

    return calendar


def _read(sql: str, ids: list[int] | None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, None if ids is None else [ids])
        return list(cursor.fetchall())


def _read_batch(ids: list[int]) -> list[tuple[str, bool, list[bytes], list[Held]]]:
    lines: dict[int, list[bytes]] = {}
    for case_id, body in _read(_LINES, ids):
        lines.setdefault(case_id, []).append(body)
    rows: dict[int, list[Held]] = {}
    for case_id, *columns in _read(_HELD, ids):
        rows.setdefault(case_id, []).append(Held(*columns))
    return [
        (number, is_open, lines.get(case_id, []), rows.get(case_id, []))
        for case_id, number, is_open in _read(_CASES, ids)
    ]


# --- the loop ----------------------------------------------------------------------------------------------------


class _NoMint:
    """The watchdog makes nothing: it holds no lease, so that it goes on when leases cannot be had."""

    def id(self) -> int:
        raise RuntimeError("the watchdog makes no ids")

    def token(self, n: int) -> bytes:
        raise RuntimeError("the watchdog makes no secrets")

    def serial(self, day: date) -> int:
        raise RuntimeError("the watchdog makes no numbers")


class Bell:
    """Ring each alarm once when it begins and once when it is over: in the log, and in a file of the home.

    The file is put aside before it grows large; alarms that stand then begin the new one again, marked as carried, so
    that one file always tells all that stands.
    """

    def __init__(self, home: Path, *, limits: files_of_lines.Limits = LIMITS) -> None:
        self._home, self._limits = home, limits
        self._ringing: dict[tuple[str, str, int], Alarm] = {}
        self._carried = 0

    def hear(self, alarms: Sequence[Alarm], at: datetime) -> None:
        """Take the alarms of one pass: new ones begin, those that are gone are over."""
        before = self._ringing
        # What rings on keeps the instant at which it began.
        now = {alarm.key: before.get(alarm.key, alarm) for alarm in alarms}
        begun = [alarm for key, alarm in now.items() if key not in before]
        over = [alarm for key, alarm in before.items() if key not in now]
        self._ringing = now
        for what, some, level in (("begun", begun, logging.ERROR), ("over", over, logging.WARNING)):
            for alarm in some:
                log.log(
                    level, "alarm %s: %s %s %s expected %s found %s",
                    what, alarm.code, alarm.case, alarm.kind, alarm.expected, alarm.found,
                )  # fmt: skip
        lines = [_written(alarm, "begun", at) for alarm in begun] + [_written(alarm, "over", at) for alarm in over]
        if lines:
            self._write(lines, before, at)

    def _write(self, lines: Sequence[str], standing: Mapping[tuple[str, str, int], Alarm], at: datetime) -> None:
        name = ALARMS.removesuffix(files_of_lines.ENDING)
        if files_of_lines.make_room(self._home, name, at=at, limits=self._limits, spared=self._carried):
            carried = [_written(alarm, "begun", alarm.at, carried=True) for alarm in standing.values()]
            self._carried = sum(len(line.encode()) for line in carried)
            lines = [*carried, *lines]
        with (self._home / ALARMS).open("a", encoding="utf-8") as file:
            file.writelines(lines)


def _written(alarm: Alarm, what: str, at: datetime, *, carried: bool = False) -> str:
    told: dict[str, object] = {
        "at": at.isoformat(),
        "what": what,
        "code": alarm.code,
        "case": alarm.case,
        "duty": str(alarm.duty_id or ""),
        "kind": alarm.kind,
        "expected": alarm.expected,
        "found": alarm.found,
    }
    if carried:
        told["carried"] = True
    return json.dumps(told, ensure_ascii=False) + "\n"


def run_forever(
    *,
    home: Path,
    clock: Callable[[], datetime],
    pause: Callable[[float], None] = time.sleep,
    stop: Callable[[], bool] = lambda: False,
) -> None:
    """Pass over the city again and again until `stop` says so; `clock` gives the instant, `pause` waits for seconds.

    A pass that fails rings and is tried again: the watchdog never ends because of what it sees.
    """
    bell, began = Bell(home), clock()
    while not stop():
        started, at = time.monotonic(), clock()
        try:
            moment = Moment(
                at=at, by=SYSTEM, charters=world.charters(), calendar=directory_queries.calendar(), mint=_NoMint()
            )
            # A ticker that has not beaten yet may be starting with us.
            alarms = pass_over(moment=moment, beat_at=last_beat(home) or (began if at - began < PATIENCE else None))
        except Exception as fault:
            log.exception("a pass of the watchdog failed")
            alarms = [Alarm("watchdog_failed", at, found=type(fault).__name__)]
            connection.close()
        bell.hear(alarms, at)
        pause(max(SHORTEST_SLEEP_S, 9 * (time.monotonic() - started)))
