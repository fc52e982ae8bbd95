"""The process group of `serve`: the programs it starts, watches, starts again and stops in order.

Called by the command line with programs as argument lists, and with the cluster they use. It never imports Django, never
looks into what a program does, and leaves no process behind: not when one dies, not when it is stopped, and not when it
is killed itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

from fuzhengtong.config.embedded import Cluster
from fuzhengtong.config.home import Unusable

GRACE_SECONDS = 7.0  # with the cluster's stop, inside the 10 seconds that containers give
SETTLED_SECONDS = 3.0  # a program that has once lived so long is started again for ever
TRIES = 3  # and one that never has is given up, so that a wrong port or setting is seen at once
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
CLUSTER_SECONDS = 1.0

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the group; `env` is added to our own environment."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    settled: bool = False
    failures: int = 0
    due: float | None = 0.0  # when to start; None while it runs


class Group:
    """Programs that live and end together; `run` once, from the main thread.

    They are started in the order given and stopped in the same order, so the one that takes in work comes first.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        cluster: Cluster | None = None,
        grace: float = GRACE_SECONDS,
        say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
    ) -> None:
        self._children = [_Child(program) for program in programs]
        self._cluster = cluster
        self._grace = grace
        self._say = say
        self._signals = 0
        self._given_up = False
        self._woken, self._waker = -1, -1
        self._cluster_due = 0.0
        self._cluster_pause = CLUSTER_SECONDS

    def run(self) -> int:
        """Run the programs until SIGTERM, SIGINT or SIGHUP; then stop them in order, and the cluster last.

        Returns 0 when asked to stop, 1 when a program could not be started at all.
        """
        before = self._listen()
        try:
            while not self._signals and not self._given_up:
                self._start_the_due()
                self._watch_the_cluster()
                self._sleep(self._pause())
                self._bury_the_dead()
        finally:
            self._stop_all()
            if self._cluster:
                self._cluster.stop()
            self._stop_listening(before)
        return int(self._given_up)

    # Signals: they only wake the loop, which does the work.

    def _listen(self) -> dict[signal.Signals, object]:
        self._woken, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        before: dict[signal.Signals, object] = {signal.SIGCHLD: signal.signal(signal.SIGCHLD, lambda *_: None)}
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup has asked to stay
                before[number] = signal.signal(number, self._asked)
        return before

    def _stop_listening(self, before: Mapping[signal.Signals, object]) -> None:
        for number, handler in before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        signal.set_wakeup_fd(-1)
        os.close(self._woken)
        os.close(self._waker)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def _sleep(self, seconds: float) -> None:
        if select.select([self._woken], [], [], max(seconds, 0))[0]:
            os.read(self._woken, 4096)

    def _pause(self) -> float:
        due = [child.due for child in self._children if child.due is not None]
        if self._cluster:
            due.append(self._cluster_due)
        return min(due, default=time.monotonic() + 60) - time.monotonic()

    # Life and death.

    def _start_the_due(self) -> None:
        for child in self._children:
            if child.due is not None and child.due <= time.monotonic():
                child.started, child.due = time.monotonic(), None
                try:
                    child.process = _spawn(child.program)
                except OSError as problem:
                    self._say(str(problem))
                    self._died(child, 127)

    def _bury_the_dead(self) -> None:
        for child in self._children:
            if child.process and (code := _ended(child.process)) is not None:
                self._died(child, code)
        if os.getpid() == 1:
            _reap_strays({child.process.pid for child in self._children if child.process})

    def _died(self, child: _Child, code: int) -> None:
        child.process = None
        lived = time.monotonic() - child.started
        child.settled = child.settled or lived >= SETTLED_SECONDS
        child.failures = 1 if lived >= SETTLED_SECONDS else child.failures + 1
        if not child.settled and child.failures >= TRIES:
            self._given_up = True
            self._say(f"{child.program.name} 无法启动（退出码 {code}），服务停止。请看上面的输出。")
            self._say(f"{child.program.name} does not start (exit {code}); stopping. See its output above.")
            return
        pause = min(FIRST_PAUSE * 2 ** (child.failures - 1), LONGEST_PAUSE)
        child.due = time.monotonic() + pause
        self._say(f"{child.program.name} ended (exit {code}); starting it again in {pause:.1f} s")

    def _watch_the_cluster(self) -> None:
        if self._cluster is None or time.monotonic() < self._cluster_due:
            return
        try:
            if not self._cluster.answers():
                self._say("the database does not answer; starting it again")
                self._cluster.recover()
                self._say("the database is up again")
            self._cluster_pause = CLUSTER_SECONDS
        except Unusable as problem:
            self._say(str(problem))
            self._cluster_pause = min(self._cluster_pause * 2, LONGEST_PAUSE)
        self._cluster_due = time.monotonic() + self._cluster_pause

    # The end.

    def _stop_all(self) -> None:
        """Ask each in order and wait; what does not end within its share of the grace is killed.

        A second signal is an impatient person: it takes the grace away.
        """
        patience = self._signals + 1
        end = time.monotonic() + self._grace
        left = [child.process for child in self._children if child.process]
        for number, process in enumerate(left):
            os.kill(process.pid, signal.SIGTERM)  # not reaped yet, so the number is its own
            share = (end - time.monotonic()) / (1 if number == len(left) - 1 else 2)
            deadline = time.monotonic() + share
            while _ended(process) is None:
                if time.monotonic() >= deadline or self._signals >= patience:
                    _kill_group(process)
                    process.wait()
                    break
                self._sleep(0.1)


def _spawn(program: Program) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that Ctrl-C reaches us alone and all its workers can be ended."""
    parent = os.getpid()
    return subprocess.Popen(
        program.argv,
        env={**os.environ, **program.env},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: _end_with(parent),  # noqa: PLW1509 - the group is one thread
    )


def _end_with(parent: int) -> None:
    """Have the kernel ask this child to stop when its parent dies, however it dies.

    SIGTERM, not SIGKILL: a server passes it on to its workers, who would outlive a killed one.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before we could ask
        os._exit(1)


def _ended(process: subprocess.Popen[bytes]) -> int | None:
    """Return the exit code of an ended program, after ending what it left in its session."""
    if process.returncode is None and os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        _kill_group(process)  # before it is reaped: until then its number cannot be another's
        process.wait()
    return process.returncode


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _reap_strays(ours: set[int]) -> None:
    """Take away the ended processes that fall to process 1: in a container that may be us."""
    while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and found.si_pid not in ours:
        os.waitpid(found.si_pid, 0)
