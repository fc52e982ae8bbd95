"""Pure rules of the outbox: what may go out now, what waits, what is given up, and how much one address may get.

Called by `mailroom.actions` alone, and by tests. A parcel is looked at when it is posted and again each time it is
claimed: the hours of quiet and the expiry hold for a late repetition as they do for the first try.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from fuzhengtong.charter.editions import Quiet, Rate
from fuzhengtong.kernel import masks
from fuzhengtong.kernel.due import Clock


class Rung(StrEnum):
    """By which way a parcel goes: one rung of the ladder that its sender chose."""

    WECHAT = "wechat"
    SMS = "sms"
    DESK = "desk"  # the page of a post of an office
    LOCAL = "local"  # whoever runs this installation


# These reach into somebody's pocket: they keep the quiet hours and count for the cap.
PERSONAL: Final = frozenset({Rung.WECHAT, Rung.SMS})


class Outcome(StrEnum):
    """What became of a parcel."""

    WAITING = ""
    SENT = "sent"
    EXPIRED = "expired"  # an old notice is dropped, never sent late
    REFUSED = "refused"  # the gateway will never take it
    EXHAUSTED = "exhausted"  # tried too often
    UNREADABLE = "unreadable"  # sealed under a key that is gone
    CAPPED = "capped"  # the address has had its notices of the day
    NO_ADDRESS = "no_address"  # there was never anywhere to send it


# Another rung may still reach the person. A capped address is left alone: whoever uses the platform to pester somebody
# must not make the desk call him as well.
FAILED: Final = frozenset({Outcome.EXPIRED, Outcome.REFUSED, Outcome.EXHAUSTED, Outcome.UNREADABLE})

# Many short tries beat a few long ones; 48 tries take about a day, and the expiry ends most of them before.
_PAUSES: Final = (5, 30, 120, 300, 900, 1800)
MOST_TRIES: Final = 48
# A sender that died is taken to be dead after this; far longer than a turn can take, else two would send one parcel.
LEASE: Final = timedelta(minutes=2)
# The ticker has other work, some of it due within seconds: no message is begun later than this in one turn.
TURN_S: Final = 2.0
# A gateway that fails so often in a row is down: the rest of its parcels wait without knocking.
DOWN_AFTER: Final = 3

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One parcel as it is handed in, in clear. `address` for a person, office and post for a seat in the house.

    `topic` is the key of its text, `subject` what it is about (a number): both stay readable, so neither may hold
    anything personal. `dedup` is its own name, and makes posting it twice harmless.
    """

    topic: str
    dedup: str
    rung: Rung
    address: str = field(default="", repr=False)
    office_id: int | None = None
    post_kind: str = ""
    subject: str
    body: str = field(repr=False)
    expires_at: datetime
    not_before: datetime | None = None
    any_hour: bool = False

    @property
    def has_address(self) -> bool:
        """Say whether there is anywhere to send it: an address for a person, a post for a seat."""
        return bool(self.address) if self.rung in PERSONAL else bool(self.post_kind)


def pause(tries: int) -> timedelta:
    """Return how long a parcel rests after so many tries."""
    return timedelta(seconds=_PAUSES[min(max(tries, 1), len(_PAUSES)) - 1])


def quiet_until(*, at: datetime, quiet: Quiet, clock: Clock) -> datetime | None:
    """Return when the quiet hours end in which the instant lies (UTC), or nothing outside of them.

    The begin belongs to them, the end does not; hours that begin and end at one time are none.
    """
    local = clock.local(at)
    now = local.time()
    if quiet.begins < quiet.ends:
        is_quiet, days = quiet.begins <= now < quiet.ends, 0
    else:
        is_quiet = quiet.begins != quiet.ends and (now >= quiet.begins or now < quiet.ends)
        days = 1 if now >= quiet.begins else 0
    if not is_quiet:
        return None
    day = local.date() + timedelta(days=days)
    return datetime.combine(day, quiet.ends, tzinfo=clock.zone).astimezone(UTC)


def earliest(*, posting: Posting, at: datetime, quiet: Quiet, clock: Clock) -> datetime:
    """Return when a parcel posted at the instant may go out first."""
    wanted = max(at, posting.not_before or at)
    if posting.any_hour or posting.rung not in PERSONAL:
        return wanted
    return quiet_until(at=wanted, quiet=quiet, clock=clock) or wanted


def window_of(*, rate: Rate, at: datetime, clock: Clock) -> datetime:
    """Return the begin of the window (UTC) in which the instant counts; a window of days begins at midnight here."""
    if rate.unit == "calendar_days":
        day = clock.local(at).date()
        first = day.fromordinal(day.toordinal() - day.toordinal() % rate.length)
        return datetime.combine(first, time(0), tzinfo=clock.zone).astimezone(UTC)
    span = timedelta(minutes=rate.length) if rate.unit == "wall_minutes" else timedelta(hours=rate.length)
    return _EPOCH + (at - _EPOCH) // span * span


def allowed(*, asked: int, counted: int, limit: int) -> int:
    """Return how many of the notices asked for may go, when the window counts so many with them."""
    return max(0, min(asked, limit - (counted - asked)))


def shown(address: str) -> str:
    """Cut a sealed address down for a page: its first three signs, and a star for each other.

    Not even the last four digits: with the number beside them they would open the state of the matter.
    """
    return address[:_SHOWN] + masks.STAR * max(0, len(address) - _SHOWN)
