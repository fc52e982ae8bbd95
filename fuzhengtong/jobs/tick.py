"""The ticker: followers, promises, post and folding, turn after turn. Any number of tickers may run at once.

The only loop that moves cases by itself. A turn does what is due and says how much that was; an idle loop sleeps half
a second, so that a telling which the web left to it is dispatched well within its two minutes.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connection

from fuzhengtong.accounts import actions as accounts_actions
from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.chain import followers
from fuzhengtong.charter.moment import SYSTEM, Moment
from fuzhengtong.connectors.sink import Sink
from fuzhengtong.connectors.store import Folder
from fuzhengtong.directory import world
from fuzhengtong.intake import actions as intake_actions
from fuzhengtong.jobs import standing, watchdog
from fuzhengtong.mailroom import actions as mailroom_actions
from fuzhengtong.notices import actions as notices_actions
from fuzhengtong.oversight import actions as oversight_actions
from fuzhengtong.reporting import actions as reporting_actions

log = logging.getLogger("fuzhengtong.tick")

PAUSE_S = 0.4
TROUBLE_S = 2.0
HOUSEKEEPING_S = 60.0
# A turn stops taking new batches after this long, so that every kind of work gets its share.
SHARE_S = 1.0
# In a burst the person who waits for an answer comes first, until a telling has waited so long for its office that
# its two minutes are at stake.
NICE = 10
AT_STAKE = timedelta(seconds=60)


def now() -> datetime:
    """Read the clock of the machine."""
    return datetime.now(UTC)


def turn(make_moment: Callable[[], Moment]) -> int:
    """Do what is due, each kind of work within its share of time; return how much was done.

    Trouble with one kind of work is noted, and the others go on; a database that is not to be reached ends the turn.
    """
    done = 0
    for name in followers.FOLLOWERS:
        done += _share(name, lambda name=name: followers.run(name, moment=make_moment()))  # type: ignore[misc]
    done += _share("promises", lambda: oversight_actions.tick(moment=make_moment()).steps)
    done += _share("rungs", lambda: notices_actions.climb(moment=make_moment()))
    done += _share("post", lambda: mailroom_actions.send(moment=make_moment(), outward=_sink(), limit=100))
    done += _share("folding", lambda: reporting_actions.fold(limit=20_000))
    return done


def how_far_back(at: datetime) -> int:
    """Say how far the ticker stands back: not at all while a telling waits so long that its promise is at stake."""
    since = cases_queries.waiting_since(follower="dispatch", at=at)
    return 0 if since is not None and at - since > AT_STAKE else NICE


def _share(name: str, work: Callable[[], int]) -> int:
    try:
        return _while_full(work)
    except (OperationalError, InterfaceError):
        raise
    # The edge of the loop: a bug in one kind of work must not stop the clocks of all others.
    except Exception:
        log.exception("%s failed in this turn; the other work goes on", name)
        return 0


@cache
def _sink() -> Sink:
    # One for the life of the process: scripted faults count their own times.
    return Sink(settings.HOME.path / "sink")


def _while_full(work: Callable[[], int]) -> int:
    ends, done = time.monotonic() + SHARE_S, 0
    while True:
        found = work()
        done += found
        if not found or time.monotonic() > ends:
            return done


def housekeeping(moment: Moment) -> None:
    """Sweep what has expired: staged uploads, counting windows, remembered answers, sessions."""
    intake_actions.sweep(moment=moment, store=Folder(settings.STORE))
    accounts_actions.forget_before(windows=moment.at - timedelta(days=2), answers=moment.at - timedelta(days=30))
    mailroom_actions.forget(before=moment.at - timedelta(days=90))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_session WHERE expire_date < %s", [moment.at])


def run_forever() -> None:
    """Turn until told to stop; trouble with one turn never ends the loop."""
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())
    kept = world.World(clock=now)
    swept = 0.0
    while not stopped.is_set():
        pause = PAUSE_S
        try:
            standing.stand(how_far_back(now()))
            done = turn(lambda: kept.moment(by=SYSTEM))
            if time.monotonic() - swept > HOUSEKEEPING_S:
                housekeeping(kept.moment(by=SYSTEM))
                swept = time.monotonic()
            watchdog.beat(home=settings.HOME.path, at=now(), steps=done)
            pause = 0.0 if done else PAUSE_S
        except (DatabaseError, InterfaceError) as trouble:
            log.warning("the database is not to be reached or busy (%s); trying again", type(trouble).__name__)
            close_old_connections()
            connection.close()
            pause = TROUBLE_S
        # The edge of the loop: no bug may end it.
        except Exception:
            log.exception("a turn failed")
            pause = TROUBLE_S
        stopped.wait(pause)
