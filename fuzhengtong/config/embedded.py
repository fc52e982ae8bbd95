"""The private PostgreSQL cluster of one home: made, started, shared, watched and stopped.

Called by `serve`, by commands and by tests where no DATABASE_URL is given. Whoever uses the cluster holds a shared
lock; the last to leave stops it, and a small keeper outside our processes does so when the last one was killed. It
never migrates, never reads a row of the city, never listens on the network, and never imports Django.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from fuzhengtong.config import home as homes
from fuzhengtong.config import postgresql, roles
from fuzhengtong.config.home import Unusable
from fuzhengtong.config.postgresql import Binaries, User
from fuzhengtong.config.roles import Dsns

OUTSIDE = Path("/var/lib/fuzhengtong")  # for clusters whose home the database's user cannot reach
START_SECONDS = 10.0  # the longest unattended restart after a crash
STOP_SECONDS = 30.0
LOG_BYTES = 10_000_000
SOCKET = ".s.PGSQL.5432"

# $1 to $3 are lock handles inherited from us: of the keeper, of the users, of the server. The second is granted when
# nobody uses the cluster any more, the third when no process of the server is left; pg_ctl's own wait would be for a
# process number, and where nobody reaps the dead it never ends.
_KEEPER = """(
    flock -n "$1" || exit
    flock "$2"
    "$4" stop -s -W -m fast
    flock -s -w 60 "$3"
) </dev/null >/dev/null 2>&1 &"""


@dataclass(frozen=True, slots=True)
class Status:
    """What `doctor` shows of the cluster; `outside` where its data cannot lie in the home."""

    running: bool
    data: Path
    outside: bool
    sockets: Path | None
    major: str
    pid: int | None


class _NotYet(Exception):
    """The cluster is between two states: to be tried again until the time is over."""


class Cluster:
    """The cluster of a home, as one process uses it: `with Cluster(home) as dsns`.

    With `supervise`, no other process may do so on this home (`serve`). Nothing is touched before `start`.
    """

    def __init__(self, home: Path, *, supervise: bool = False, environ: Mapping[str, str] = os.environ) -> None:
        self.home = homes.at(home)
        self.supervise = supervise
        self.environ = environ
        self._claim: homes.Claim | None = None
        self._using: int | None = None
        self._used_by = 0

    def __enter__(self) -> Dsns:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def place(self) -> Path:
        """The folder that holds the data directory, and copied programs where the database's user needs them."""
        return Path(self.home.noted("place") or self.home.path / "cluster")

    @property
    def data(self) -> Path:
        return self.place / "data"

    def start(self) -> Dsns:
        """Reuse the running cluster or start it, made on first use, and return how each role reaches it.

        Raises Unusable with a sentence: a second supervisor, data of another major version, no programs, no user to
        drop to, or a server that does not come up within its time.
        """
        self.home.prepare()
        if self.supervise and self._claim is None:
            self._claim = self.home.claim("serve")
        try:
            self._refuse_copy()  # before we count as a user: who is none stops nothing when he fails
            if self._using is None:
                self._using, self._used_by = self.home.lock("users"), os.getpid()
                fcntl.flock(self._using, fcntl.LOCK_SH)  # waits while the last one before us stops the cluster
            return self.recover()
        except BaseException:
            self.stop()
            raise

    def recover(self) -> Dsns:
        """Bring the cluster up if it is down; for one who has started it and sees that it no longer answers."""
        with self._alone():
            deadline = time.monotonic() + START_SECONDS
            pause = 0.05
            while True:
                try:
                    if not self._lives():
                        self._launch()
                    return self._provide()
                except (_NotYet, psycopg.OperationalError) as problem:
                    if time.monotonic() > deadline:
                        raise self._not_up(problem) from problem
                time.sleep(pause)
                pause = min(pause * 2, 1.0)

    def stop(self) -> None:
        """Leave the cluster, and stop it when nobody else uses it; a second call does nothing.

        Nor does a call in a fork of the process that started it: the lock is the parent's.
        """
        if self._used_by not in (0, os.getpid()):
            return
        using, self._using = self._using, None
        if using is not None:
            try:
                if _last_one(using):
                    self._halt()
            finally:
                os.close(using)
        if self._claim:
            self._claim.release()
            self._claim = None

    def answers(self) -> bool:
        """Tell whether a server accepts connections now; cheap enough for every second."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(2)
            try:
                probe.connect(str(Path(self.home.noted("sockets")) / SOCKET))
            except OSError:
                return False
            return True

    def status(self) -> Status:
        """Look at the cluster without touching it."""
        running = self.home.locks.exists() and self._lives()
        noted = self.home.noted("sockets")
        return Status(
            running=running,
            data=self.data,
            outside=bool(self.home.noted("place")),
            sockets=Path(noted) if noted else None,
            major=_read(self.data / "PG_VERSION").strip(),
            pid=self._postmaster() if running else None,
        )

    def erase(self) -> None:
        """Remove the cluster with all its data: for tests, and for a demonstration that begins anew.

        Refuses while anybody uses it.
        """
        self.home.prepare()
        self._refuse_copy()
        using = self.home.lock("users")
        try:
            if not _last_one(using):
                raise Unusable(
                    f"{self.home.path} 的数据库正在使用中。请先停止 serve 和正在运行的命令。",
                    f"The database of {self.home.path} is in use. Stop serve and every running command first.",
                )
            self._halt()
            shutil.rmtree(self.place, ignore_errors=True)
            (self.home.path / "place").unlink(missing_ok=True)
        finally:
            os.close(using)

    # Who changes the cluster, and whether it lives.

    @contextmanager
    def _alone(self) -> Iterator[None]:
        handle = self.home.lock("start")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _lives(self) -> bool:
        """Tell whether any process of the server lives: each inherits a locked handle, and only its end frees it.

        The number in postmaster.pid proves less: it may be a zombie's by now, or another process's.
        """
        handle = self.home.lock("server")
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        try:  # started by hand, without our handle
            return os.path.samefile(f"/proc/{self._postmaster()}/cwd", self.data)
        except OSError:
            return False

    def _postmaster(self) -> int | None:
        first = _read(self.data / "postmaster.pid").partition("\n")[0]
        return int(first) if first.isdigit() and _read(Path(f"/proc/{first}/comm")).strip() == "postgres" else None

    # Start and stop.

    def _launch(self) -> None:
        user = postgresql.user_for(self.data)
        self._settle(user)
        chosen = postgresql.reachable(postgresql.choose(self.data, self.environ), user, self.place)
        if not self.data.exists():
            secret = self._password(roles.ADMIN)
            durable = not self._testing
            postgresql.create(self.data, chosen=chosen, user=user, admin=roles.ADMIN, password=secret, durable=durable)
        self._post_keeper(chosen, user)
        handle = self.home.lock("server")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # No process of the server is left, so this is stale; a reused number in it would bar every start.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            settings = {**postgresql.SETTINGS, "unix_socket_directories": str(self._sockets(user))}
            if self._testing:
                settings.update(postgresql.TESTING_SETTINGS)
            words = shlex.join(f"-c{name}={value}" for name, value in settings.items())
            with self._log().open("ab") as log:
                start = (chosen.folder / "pg_ctl", "start", "-s", "-w", "-t60", "-o", words)
                user.run(*start, data=self.data, log=log, keep=(handle,))
        except BlockingIOError as problem:
            raise _NotYet("Processes of the former server have not ended.") from problem
        except subprocess.CalledProcessError as problem:
            raise _NotYet("The server did not start.") from problem
        finally:
            os.close(handle)

    def _halt(self) -> None:
        """Stop the server; called by the last one who holds the users' lock."""
        # What SIGQUIT cuts off is recovered by the next start.
        for number in (signal.SIGINT, signal.SIGQUIT):
            deadline = time.monotonic() + STOP_SECONDS
            if pid := self._lives() and self._postmaster():
                os.kill(pid, number)
            while self._lives() and time.monotonic() < deadline:
                time.sleep(0.02)
        if (noted := self.home.noted("sockets")) and not self.answers():
            shutil.rmtree(noted, ignore_errors=True)

    def _post_keeper(self, chosen: Binaries, user: User) -> None:
        """Leave one small process that stops the server when all its users are gone, even if all were killed.

        Without flock(1) there is none, and a server left behind is taken over by the next start.
        """
        if not shutil.which("flock", path=postgresql.ENVIRONMENT["PATH"]):
            return
        handles = tuple(self.home.lock(name) for name in ("keeper", "users", "server"))
        try:
            words = [str(handle) for handle in handles]
            words.append(str(chosen.folder / "pg_ctl"))
            user.run("/bin/sh", "-c", _KEEPER, "keeper", *words, data=self.data, keep=handles)
        finally:
            for handle in handles:
                os.close(handle)

    @property
    def _testing(self) -> bool:
        return self.environ.get("FUZHENGTONG_TESTING") == "1"

    def _log(self) -> Path:
        path = self.home.logs / "postgresql.log"
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path

    def _not_up(self, problem: Exception) -> Unusable:
        path = self.home.logs / "postgresql.log"
        tail = "".join(f"\n    {line}" for line in [str(problem), *_read(path).splitlines()[-5:]] if line)
        return Unusable(
            f"数据库在 {START_SECONDS:.0f} 秒内没有启动。请按下面日志（{path}）的最后几行处理后重试。",
            f"The database did not come up within {START_SECONDS:.0f} seconds. Mend what {path} tells, and try again:"
            f"{tail}",
        )

    # Where the data lies.

    def _settle(self, user: User) -> None:
        """Make the place of the data: in the home, or outside it where the database's user cannot reach the home."""
        place = self.place
        place.mkdir(mode=0o711 if user.drop else 0o700, parents=True, exist_ok=True)
        if user.can("/bin/sh", "-c", 'test -x "$1"', "sh", place):
            return
        if self.data.exists():
            raise Unusable(
                f"系统用户 {user.name} 无法进入数据库目录 {place}。请把它移到可进入的目录，或对上级目录执行 chmod o+x。",
                f"The user {user.name} cannot reach the database in {place}. Move the home, or chmod o+x its parents.",
            )
        # Not named by the home's path: a clone made anew at the same path has other passwords.
        outside = OUTSIDE / secrets.token_hex(6)
        for folder in (OUTSIDE, outside):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o711)
        (outside / "home").write_text(str(self.home.path), encoding="utf-8")
        self.home.note("place", str(outside))
        place.rmdir()

    def _refuse_copy(self) -> None:
        """Refuse a copied home, whose cluster is the original's; a moved home takes its cluster along."""
        mine, place = str(self.home.path), self.home.noted("place")
        if not place or (other := _read(Path(place) / "home")) == mine:
            return
        if not other:
            raise Unusable(
                f"{mine} 的数据库应在 {place}，但那里已没有。请从备份恢复；若要新的空库，请删除文件 {mine}/place。",
                f"The database of {mine} lay in {place} and is gone. Restore it, or remove {mine}/place for an empty one.",
            )
        if homes.at(Path(other)).noted("place") == place:
            raise Unusable(
                f"{mine} 是 {other} 的副本，数据库仍属于后者。要在副本中使用新的空库，请删除文件 {mine}/place。",
                f"{mine} is a copy of {other}, which the database belongs to. Remove {mine}/place for an empty one.",
            )
        (Path(place) / "home").write_text(mine, encoding="utf-8")

    def _sockets(self, user: User) -> Path:
        """Return the folder of the socket: the noted one while it is ours, so that clients find a restarted server.

        Else a fresh and short one: a socket's path may have about 100 bytes. One that answers is another cluster's,
        and our note came with a copied home.
        """
        if noted := self.home.noted("sockets"):
            path = Path(noted)
            if path.is_dir() and not path.is_symlink() and path.stat().st_uid == user.uid and not self.answers():
                for stale in path.iterdir():  # with the number of a killed server, which may be a zombie's still
                    stale.unlink()
                return path
        path = Path(tempfile.mkdtemp(dir=postgresql.short_folder(), prefix="fz-"))
        os.chown(path, user.uid, user.gid)
        self.home.note("sockets", str(path))
        return path

    # How it is reached.

    def _provide(self) -> Dsns:
        """Make the roles and the database where they are missing, and return the ways in."""
        dsns = roles.dsns(Path(self.home.noted("sockets")), password=self._password)
        with psycopg.connect(dsns.admin_url, autocommit=True, connect_timeout=5) as connection:
            off = [name for name in postgresql.TESTING_SETTINGS if roles.one(connection, f"SHOW {name}") == "off"]
            if off and not self._testing:
                raise Unusable(
                    f"{self.home.path} 的数据库由测试启动，不保证落盘（{'、'.join(off)}）。请等测试结束后重试。",
                    f"Tests started the database of {self.home.path} without {', '.join(off)}. Try again after them.",
                )
            roles.provide(connection, password=self._password)
        return dsns

    def _password(self, role: str) -> str:
        return self.home.secret(f"database-{role}")


def _last_one(using: int) -> bool:
    """Give up our share of the users' lock, and tell whether we now hold it alone."""
    while True:
        for kind in (fcntl.LOCK_EX, fcntl.LOCK_SH):
            try:
                fcntl.flock(using, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            return kind == fcntl.LOCK_EX
        time.sleep(0.02)  # neither: another one, or the keeper, is stopping the server just now


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
