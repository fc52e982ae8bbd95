"""Which follower runs which function, and how: the one place where facts of the ledger become work.

The web runs an entry's followers right after its commit, within a time budget; `jobs.tick` is the net that catches
the rest. A follower's work and the removal of its rows are one transaction. What fails is tried alone, then later,
then set aside visibly, so that one poisoned entry never holds up the others.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases.actions import Followed
from fuzhengtong.charter.moment import SYSTEM, Moment
from fuzhengtong.dispatch import actions as dispatch_actions
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.notices import actions as notices_actions
from fuzhengtong.oversight import actions as oversight_actions

log = logging.getLogger("fuzhengtong.chain")

MOST_TRIES = 6


@dataclass(frozen=True)
class Follower:
    """What works on entries: its function, how many at once, and whether the web may run it at once."""

    work: Callable[..., None]
    batch: int
    at_once: bool


FOLLOWERS: dict[str, Follower] = {
    "dispatch": Follower(work=dispatch_actions.follow, batch=100, at_once=True),
    "oversight": Follower(work=oversight_actions.follow, batch=50, at_once=True),
    "notices": Follower(work=notices_actions.follow, batch=200, at_once=False),
}


def run(name: str, *, moment: Moment, entry_ids: Sequence[int] | None = None) -> int:
    """Let one follower work on what waits for it, one batch; return how many entries it claimed."""
    follower = FOLLOWERS[name]
    moment = moment.acting(SYSTEM)
    try:
        with cases_actions.deciding():
            followed = cases_actions.claim(follower=name, at=moment.at, limit=follower.batch, entry_ids=entry_ids)
            if not followed:
                return 0
            follower.work(followed, moment=moment)
            cases_actions.done_with(follower=name, entry_ids=[one.entry_id for one in followed])
            return len(followed)
    except cases_actions.Busy:
        return 0
    # The edge of a loop: whatever one entry does, the others flow (reliability: poison work is quarantined).
    except Exception:
        log.exception("follower %s failed on a batch; each entry is tried alone", name)
    return _one_by_one(name, moment, entry_ids)


def _one_by_one(name: str, moment: Moment, entry_ids: Sequence[int] | None) -> int:
    follower = FOLLOWERS[name]
    with cases_actions.deciding():
        waiting = cases_actions.claim(follower=name, at=moment.at, limit=follower.batch, entry_ids=entry_ids)
    for one in waiting:
        try:
            with cases_actions.deciding():
                claimed = cases_actions.claim(follower=name, at=moment.at, limit=1, entry_ids=[one.entry_id])
                if claimed:
                    follower.work(claimed, moment=moment)
                    cases_actions.done_with(follower=name, entry_ids=[one.entry_id])
        except cases_actions.Busy:
            continue
        except Exception as trouble:
            _set_back(name, one, trouble, moment)
    return len(waiting)


def _set_back(name: str, one: Followed, trouble: Exception, moment: Moment) -> None:
    last = one.tries + 1 >= MOST_TRIES
    # What is noted names the kind of trouble alone: an error's own text may hold what a resident wrote.
    what = trouble.code if isinstance(trouble, Refused) else type(trouble).__name__
    log.error("follower %s: entry %s failed (%s), try %s", name, one.entry_id, what, one.tries + 1)
    retry_at = None if last else moment.at + timedelta(seconds=5 * 4**one.tries)
    cases_actions.troubled(follower=name, entry_id=one.entry_id, trouble=what, retry_at=retry_at, at=moment.at)


def run_at_once(*, entry_id: int, moment: Moment, budget_s: float) -> None:
    """Run the followers of one entry that may run at once, as long as the budget lasts; never fails the caller."""
    ends = time.monotonic() + budget_s
    for name, follower in FOLLOWERS.items():
        if follower.at_once and time.monotonic() < ends:
            try:
                run(name, moment=replace(moment), entry_ids=[entry_id])
            # What was told is committed and will be answered so; the ticker does the rest, also when it all fails here.
            except Exception as trouble:
                log.error("follower %s could not run at once (%s); left to the ticker", name, type(trouble).__name__)
                return
