"""The home of one installation: the folder FUZHENGTONG_HOME, with its secrets, locks, logs and encrypted store.

Called by the command line, the settings and the cluster's supervisor before anything else runs. It makes folders with
the modes they need, hands out secrets and locks, and says in a sentence why a folder cannot be used; it never knows
what a secret is for, never opens a database, and never imports Django.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self


class Unusable(Exception):
    """Say why the installation cannot start as asked and what to do next, in Chinese and then in English."""

    code: ClassVar[str] = "unusable"

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh}\n{en}")
        self.zh = zh
        self.en = en


class SettingRefused(Unusable):
    """Refuse a value of the environment, by the name of its variable."""

    code = "setting_refused"


class AlreadyClaimed(Unusable):
    """Refuse a second program where one alone may run on a home."""

    code = "already_claimed"


@dataclass(slots=True)
class Claim:
    """A lock that is held until it is released or the process ends, however it ends."""

    handle: int

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one installation; `path` is absolute and without links."""

    path: Path

    @property
    def secrets(self) -> Path:
        return self.path / "secrets"

    @property
    def locks(self) -> Path:
        return self.path / "locks"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def store(self) -> Path:
        return self.path / "store"

    def prepare(self) -> None:
        """Make the folders with their modes.

        Refuses a home that belongs to another user or that others can write in: root would write where they can lead
        it elsewhere, and a user would fail half-way.
        """
        # The database's user must be able to pass through a home that root made; what is secret has 0700 of its own.
        mode = 0o711 if os.geteuid() == 0 else 0o700
        try:
            if not self.path.exists():
                self.path.mkdir(parents=True, exist_ok=True)
                self.path.chmod(mode)
            _check_owner(self.path)
            for folder in (self.secrets, self.locks, self.logs, self.store):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as problem:
            raise Unusable(
                f"无法使用目录 {self.path}：{problem.strerror}。请换一个可写的目录，用环境变量 FUZHENGTONG_HOME 指定。",
                f"The home {self.path} cannot be used: {problem.strerror}. Name a writable one in FUZHENGTONG_HOME.",
            ) from problem

    def secret(self, name: str, *, make: Callable[[], str] = lambda: secrets.token_urlsafe(32)) -> str:
        """Read the secret of this name, made on first use; of two processes that make it at once, one wins.

        Refuses a file that others may read.
        """
        path = self.secrets / name
        if not path.exists():
            draft = _draft(path, make())
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # another process was first: its secret is the one
            finally:
                draft.unlink()
            _sync_folder(self.secrets)
        if path.stat().st_mode & 0o077:
            raise Unusable(
                f"密钥文件 {path} 可被其他用户读取。请执行 chmod 600 后重试。",
                f"The secret {path} can be read by others. Run chmod 600 on it and try again.",
            )
        return path.read_text(encoding="utf-8")

    def note(self, name: str, text: str) -> None:
        """Write a small file of the home so that after a power cut it is either the old or the new one."""
        draft = _draft(self.path / name, text)
        os.replace(draft, self.path / name)
        _sync_folder(self.path)

    def noted(self, name: str) -> str:
        """Return what `note` wrote, or an empty text."""
        path = self.path / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def lock(self, name: str) -> int:
        """Open the lock file of this name and return its handle; the caller says how it is locked, and closes it."""
        return os.open(self.locks / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def claim(self, name: str) -> Claim:
        """Take the place of the one program of this name on this home.

        Raises AlreadyClaimed with the number of the process that has it. The lock falls with the process.
        """
        handle = self.lock(name)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(handle, 20).decode() or "?"
            os.close(handle)
            raise AlreadyClaimed(
                f"{self.path} 上已有一个 {name} 在运行（进程 {pid}）。请先停止它，或用 FUZHENGTONG_HOME 指定另一个目录。",
                f"Another {name} (process {pid}) runs on {self.path}. Stop it first, or name another FUZHENGTONG_HOME.",
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        return Claim(handle)


def at(path: Path) -> Home:
    """Name the home at this path; nothing is made yet."""
    return Home(path.expanduser().resolve())


def usual(environ: Mapping[str, str] = os.environ) -> Home:
    """Name the home of FUZHENGTONG_HOME; else `var` in a source checkout; else the user's own data folder."""
    if named := environ.get("FUZHENGTONG_HOME"):
        return at(Path(named))
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").exists():
        return at(checkout / "var")
    data = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return at(Path(data) / "fuzhengtong")


def refuse_unwritable_store(path: Path) -> None:
    """Refuse a folder of encrypted files in which nothing can be written: the first photograph would be lost there."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as problem:
        raise SettingRefused(
            f"文件目录 {path} 不能写入（{problem.strerror}）。请改正权限，或用环境变量 FUZHENGTONG_STORE 指定另一个目录。",
            f"The store {path} cannot be written ({problem.strerror}). Mend its rights, or name another FUZHENGTONG_STORE.",
        ) from problem


def _draft(path: Path, text: str) -> Path:
    """Write the text to a file beside this path (mode 0600), safe on disk, and return where."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _check_owner(path: Path) -> None:
    found = path.stat()
    if found.st_uid != os.geteuid():
        try:
            owner = pwd.getpwuid(found.st_uid).pw_name
        except KeyError:
            owner = str(found.st_uid)
        raise Unusable(
            f"目录 {path} 属于用户 {owner}。请以该用户运行，或用 FUZHENGTONG_HOME 指定另一个目录。",
            f"The home {path} belongs to {owner}. Run as that user, or name another FUZHENGTONG_HOME.",
        )
    if found.st_mode & 0o022:
        raise Unusable(
            f"其他用户可以写入目录 {path}。请执行 chmod go-w 后重试，或用 FUZHENGTONG_HOME 指定另一个目录。",
            f"Others can write in the home {path}. Run chmod go-w on it, or name another FUZHENGTONG_HOME.",
        )
