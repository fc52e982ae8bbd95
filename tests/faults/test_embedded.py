"""The private cluster under faults: killed, copied, moved, claimed twice, badly placed, and of the wrong version."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from fuzhengtong.config import embedded, postgresql, roles
from fuzhengtong.config.embedded import Cluster
from fuzhengtong.config.home import AlreadyClaimed, Unusable

REPOSITORY = Path(__file__).resolve().parents[2]
TESTING = {"FUZHENGTONG_TESTING": "1"}
ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="needs root: there is no other user to drop to")

Make = Callable[..., Cluster]


def an_open_folder() -> Path:
    """Make a folder that every user can pass through, as a clone under /srv is."""
    path = Path(tempfile.mkdtemp(prefix="fz-test-", dir="/tmp"))
    path.chmod(0o755)
    return path


@pytest.fixture
def folder() -> Iterator[Path]:
    path = an_open_folder()
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def stopped() -> Iterator[Path]:
    """Give a home whose cluster is stopped between the tests: to make or copy one takes a second."""
    path = an_open_folder()
    with Cluster(path / "home", environ=TESTING):
        pass
    yield path / "home"
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def running(stopped: Path) -> Iterator[Cluster]:
    """Give one running cluster to those who only look at it."""
    path = an_open_folder()
    cluster = Cluster(copied(stopped, path / "home"), environ=TESTING)
    cluster.start()
    yield cluster
    cluster.stop()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def make(stopped: Path, folder: Path) -> Iterator[Make]:
    """Give a maker of clusters, stopped afterwards; those that a test makes in its own folder are erased too."""
    made: list[Cluster] = []

    def a_cluster(home: Path = stopped, *, supervise: bool = False, **environ: str) -> Cluster:
        made.append(Cluster(home, supervise=supervise, environ={**TESTING, **environ}))
        return made[-1]

    yield a_cluster
    for cluster in made:
        cluster.stop()
    for cluster in made:
        if cluster.home.path != stopped:
            cluster.erase()


def copied(home: Path, to: Path) -> Path:
    subprocess.run(["cp", "-a", home, to], check=True)
    return to


def write(url: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept (name text)")
        connection.execute("INSERT INTO kept VALUES (%s)", (name,))


def kept(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM kept ORDER BY name")]


def shown(url: str, name: str) -> object:
    with psycopg.connect(url) as connection:
        return roles.one(connection, f"SHOW {name}")


def pid_of(cluster: Cluster) -> int:
    pid = cluster.status().pid
    assert pid is not None
    return pid


def wait_until(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def a_user_of(home: Path, *, supervise: bool) -> subprocess.Popen[str]:
    """Start another process that uses the cluster and stays."""
    script = (
        "import sys, pathlib; from fuzhengtong.config.embedded import Cluster\n"
        f"Cluster(pathlib.Path(sys.argv[1]), supervise={supervise}).start()\n"
        "print('up', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(home)],
        env={**os.environ, **TESTING, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout and process.stdout.readline() == "up\n"
    return process


def end(process: subprocess.Popen[str], number: signal.Signals = signal.SIGKILL) -> None:
    process.send_signal(number)
    process.communicate()


def wheel_folders() -> list[Path]:
    wheel = importlib.util.find_spec(postgresql.WHEEL)
    return sorted(Path(wheel.origin).parent.glob("pginstall*/bin")) if wheel and wheel.origin else []


# Start, stop, share.


def test_a_fresh_cluster_keeps_its_data_over_a_stop(make: Make, folder: Path) -> None:
    with make(folder / "fresh") as dsns:
        write(dsns.owner_url, "first")

    again = make(folder / "fresh").start()

    assert kept(again.owner_url) == ["first"]


def test_the_start_of_a_made_cluster_takes_less_than_two_seconds(make: Make) -> None:
    begin = time.monotonic()

    make().start()

    assert time.monotonic() - begin < 2


def test_after_a_stop_no_process_and_no_socket_is_left(make: Make) -> None:
    cluster = make()
    cluster.start()
    sockets = cluster.status().sockets
    assert sockets is not None and sockets.is_dir()

    cluster.stop()

    assert not cluster.status().running
    assert not sockets.exists()


def test_a_cluster_is_reached_by_its_socket_alone_and_by_password(running: Cluster) -> None:
    dsns = running.start()

    sockets = running.status().sockets
    assert sockets and sockets.stat().st_mode & 0o777 == 0o700
    assert len(str(sockets)) < 60
    assert shown(dsns.admin_url, "listen_addresses") == ""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(dsns.app_url.replace("fz_app:", "fz_app:not-"))


def test_a_cluster_checks_its_pages_and_speaks_utf8_in_byte_order(running: Cluster) -> None:
    dsns = running.start()

    assert shown(dsns.app_url, "data_checksums") == "on"
    assert shown(dsns.app_url, "server_encoding") == "UTF8"
    with psycopg.connect(dsns.app_url) as connection:
        query = "SELECT datcollate FROM pg_database WHERE datname = current_database()"
        assert roles.one(connection, query) == "C"


def test_without_tests_a_commit_waits_for_the_disk(make: Make) -> None:
    dsns = make(FUZHENGTONG_TESTING="").start()

    assert {shown(dsns.app_url, name) for name in ("fsync", "full_page_writes", "synchronous_commit")} == {"on"}


def test_a_cluster_of_tests_is_refused_to_a_city(running: Cluster) -> None:
    with pytest.raises(Unusable, match="fsync"):
        Cluster(running.home.path, environ={}).start()

    assert running.answers()


def test_a_command_uses_the_running_cluster_and_leaves_it_running(make: Make) -> None:
    serving = make(supervise=True)
    serving.start()
    pid = serving.status().pid

    with make() as dsns:
        write(dsns.owner_url, "by a command")

    assert serving.status().pid == pid
    assert kept(serving.start().owner_url) == ["by a command"]


def test_the_last_user_stops_the_cluster(make: Make) -> None:
    first, last = make(), make()
    first.start()
    last.start()

    first.stop()
    assert last.answers()

    last.stop()
    assert not last.status().running


def test_a_cluster_in_use_is_not_erased(running: Cluster) -> None:
    with pytest.raises(Unusable, match="in use"):
        Cluster(running.home.path, environ=TESTING).erase()

    assert running.answers()


def test_a_second_supervisor_on_one_home_is_refused(make: Make) -> None:
    first = make(supervise=True)
    first.start()

    with pytest.raises(AlreadyClaimed, match=f"process {os.getpid()}"):
        make(supervise=True).start()

    assert first.answers()


def test_two_homes_at_once_know_nothing_of_each_other(make: Make, stopped: Path, folder: Path) -> None:
    here, there = make(copied(stopped, folder / "there")), make()

    write(here.start().owner_url, "here")
    write(there.start().owner_url, "there")

    assert kept(here.start().owner_url) == ["here"]
    assert kept(there.start().owner_url) == ["there"]


def test_the_copy_of_a_running_home_takes_nothing_from_it(make: Make, running: Cluster, folder: Path) -> None:
    copy = make(copied(running.home.path, folder / "copy"))

    copy.start()
    copy.stop()

    assert running.answers()


# Roles.


def test_the_application_owns_nothing_and_can_make_nothing(running: Cluster) -> None:
    dsns = running.start()
    write(dsns.owner_url, "kept")

    with psycopg.connect(dsns.app_url, autocommit=True) as connection:
        for statement in (
            "CREATE TABLE mine (a int)",
            "CREATE TEMP TABLE mine (a int)",
            "CREATE SCHEMA mine",
            "DROP TABLE kept",
            "ALTER TABLE kept ADD COLUMN a int",
            "SELECT * FROM kept",
            "CREATE ROLE mine",
            "SELECT pg_read_file('PG_VERSION')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(dsns.app_url.replace("/fuzhengtong?", "/postgres?"))


def test_each_role_has_its_limits(running: Cluster) -> None:
    dsns = running.start()

    assert shown(dsns.app_url, "statement_timeout") == "2s"
    assert shown(dsns.app_url, "lock_timeout") == "1s"
    assert shown(dsns.app_url, "idle_in_transaction_session_timeout") == "10s"
    assert shown(dsns.jobs_url, "statement_timeout") == "5min"
    assert shown(dsns.owner_url, "statement_timeout") == "0"
    assert {shown(url, "TimeZone") for url in (dsns.app_url, dsns.jobs_url, dsns.owner_url)} == {"UTC"}
    assert {shown(url, "jit") for url in (dsns.app_url, dsns.jobs_url, dsns.owner_url)} == {"off"}


def test_the_jobs_may_what_the_application_may(running: Cluster) -> None:
    dsns = running.start()
    write(dsns.owner_url, "kept")

    with psycopg.connect(dsns.owner_url) as connection:
        connection.execute("GRANT SELECT ON kept TO fz_app")

    assert kept(dsns.jobs_url) == ["kept"]


def test_a_lost_password_and_a_changed_limit_are_mended_by_the_next_start(make: Make) -> None:
    cluster = make()
    dsns = cluster.start()
    with psycopg.connect(dsns.admin_url, autocommit=True) as connection:
        connection.execute("ALTER ROLE fz_app SET statement_timeout = '1h'")
    (cluster.home.secrets / "database-fz_app").unlink()

    again = make().start()

    assert again.app_url != dsns.app_url
    assert shown(again.app_url, "statement_timeout") == "2s"


def test_a_refused_statement_leaves_nothing_of_its_values_in_the_log(running: Cluster) -> None:
    dsns = running.start()

    with psycopg.connect(dsns.owner_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE told (phone text UNIQUE)")
        connection.execute("INSERT INTO told VALUES ('13800000001')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO told VALUES (%s)", ("13800000001",))

    log = (running.home.logs / "postgresql.log").read_text()
    assert "duplicate key" in log
    assert "13800000001" not in log


# Killed.


def test_after_a_kill_of_the_server_the_next_start_finds_all_that_was_acknowledged(make: Make) -> None:
    cluster = make(FUZHENGTONG_TESTING="")
    dsns = cluster.start()
    write(dsns.owner_url, "00000")
    killer = threading.Timer(0.3, os.kill, (pid_of(cluster), signal.SIGKILL))
    killer.start()
    acknowledged = 0
    with psycopg.connect(dsns.owner_url, autocommit=True) as connection, suppress(psycopg.OperationalError):
        while True:
            connection.execute("INSERT INTO kept VALUES (%s)", (f"{acknowledged + 1:05}",))
            acknowledged += 1
    killer.join()

    again = make(FUZHENGTONG_TESTING="").start()

    found = kept(again.owner_url)
    assert acknowledged > 0
    assert len(found) - 1 in (acknowledged, acknowledged + 1)  # the last may be durable and its answer lost
    assert found == [f"{number:05}" for number in range(len(found))]


def test_a_recovered_server_is_found_at_the_address_of_before(make: Make) -> None:
    cluster = make(supervise=True)
    before = cluster.start()
    os.kill(pid_of(cluster), signal.SIGKILL)
    assert wait_until(lambda: not cluster.answers())

    after = cluster.recover()

    assert after == before
    assert cluster.answers()


def test_a_stale_pid_file_with_the_number_of_a_living_process_does_not_bar_the_start(make: Make) -> None:
    cluster = make()
    cluster.start()
    stale = cluster.data / "postmaster.pid"
    lines = stale.read_text().splitlines()
    owner = stale.stat()
    cluster.stop()
    stale.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    os.chown(stale, owner.st_uid, owner.st_gid)

    cluster.start()

    assert cluster.answers()


def test_a_killed_first_initialisation_is_done_anew(make: Make, folder: Path) -> None:
    cluster = make(folder / "fresh")
    half = cluster.data.with_name("data.new")
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("15")
    for path in (cluster.home.path, cluster.place):
        path.chmod(0o711)

    cluster.start()

    assert cluster.answers()
    assert not half.exists()


def test_when_the_supervisor_is_killed_its_server_ends_too_and_the_next_one_starts(make: Make) -> None:
    cluster = make(supervise=True)
    supervisor = a_user_of(cluster.home.path, supervise=True)
    with pytest.raises(AlreadyClaimed):
        cluster.start()

    end(supervisor)

    assert wait_until(lambda: not cluster.status().running)
    cluster.start()
    assert cluster.answers()


def test_when_the_supervisor_is_killed_a_running_command_keeps_its_server(make: Make) -> None:
    command = make()
    supervisor = a_user_of(command.home.path, supervise=True)
    dsns = command.start()
    pid = pid_of(command)

    end(supervisor)
    write(dsns.owner_url, "after the kill")

    assert command.status().pid == pid
    make(supervise=True).start()


def test_supervisor_and_server_killed_together_recover(make: Make) -> None:
    cluster = make(supervise=True)
    supervisor = a_user_of(cluster.home.path, supervise=True)
    os.kill(pid_of(cluster), signal.SIGKILL)
    end(supervisor)

    cluster.start()

    assert cluster.answers()


# Places.


def test_a_home_with_a_path_of_150_characters_works(make: Make, folder: Path) -> None:
    long = folder / ("长" * 20) / ("x" * (150 - len(str(folder)) - 22))

    dsns = make(long).start()

    assert len(str(long)) == 150
    assert shown(dsns.app_url, "server_encoding") == "UTF8"


def test_a_home_with_quotes_spaces_and_dollars_in_its_path_works(make: Make, stopped: Path, folder: Path) -> None:
    strange = copied(stopped, folder / 'it\'s $HOME "here" 100%')

    dsns = make(strange).start()

    assert shown(dsns.app_url, "server_encoding") == "UTF8"


@as_root
def test_as_root_the_server_runs_as_another_user_inside_an_open_home(running: Cluster) -> None:
    status = running.status()

    assert not status.outside
    assert Path(f"/proc/{pid_of(running)}").stat().st_uid != 0
    assert status.data.stat().st_uid != 0


@as_root
def test_the_cluster_of_a_home_below_a_closed_folder_lies_outside_and_moves_along(make: Make, folder: Path) -> None:
    closed = folder / "like-root"
    closed.mkdir(mode=0o700)
    with make(closed / "before") as dsns:
        write(dsns.owner_url, "outside")
    (closed / "before").rename(closed / "after")
    cluster = make(closed / "after")

    again = cluster.start()

    assert kept(again.owner_url) == ["outside"]
    assert cluster.status().outside
    assert cluster.data.is_relative_to(embedded.OUTSIDE)


@as_root
def test_a_copied_home_is_refused_the_cluster_of_the_original(make: Make, folder: Path) -> None:
    closed = folder / "like-root"
    closed.mkdir(mode=0o700)
    original = make(closed / "original")
    original.start()
    shutil.copytree(closed / "original", closed / "copy")

    with pytest.raises(Unusable, match="is a copy of"):
        Cluster(closed / "copy", environ=TESTING).start()
    with pytest.raises(Unusable, match="is a copy of"):
        Cluster(closed / "copy", environ=TESTING).erase()

    assert original.answers()


@as_root
def test_programs_that_the_user_cannot_reach_are_copied_for_him(make: Make, folder: Path) -> None:
    if not wheel_folders():
        pytest.skip("the wheel with PostgreSQL is not installed")
    closed = folder / "like-root"
    closed.mkdir(mode=0o700)
    bin_folder = wheel_folders()[-1]
    wheel = bin_folder.parents[1]
    shutil.copytree(bin_folder.parent, closed / wheel.name / bin_folder.parent.name)
    shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), closed / f"{wheel.name}.libs")
    there = closed / wheel.name / bin_folder.parent.name / "bin"

    dsns = make(closed / "var", FUZHENGTONG_PG_BIN=str(there)).start()

    assert str(shown(dsns.app_url, "server_version")).startswith("18")


# Versions.


@pytest.mark.parametrize("programs", wheel_folders()[-1:], ids=lambda path: path.parent.name)
def test_the_programs_of_the_wheel_do_as_well(make: Make, folder: Path, programs: Path) -> None:
    cluster = make(folder / "wheel", FUZHENGTONG_PG_BIN=str(programs))
    write(cluster.start().owner_url, "kept")
    os.kill(pid_of(cluster), signal.SIGKILL)

    dsns = make(folder / "wheel", FUZHENGTONG_PG_BIN=str(programs)).start()

    assert kept(dsns.owner_url) == ["kept"]


def test_data_of_another_major_version_are_refused_untouched_and_pg_upgrade_is_named(
    make: Make, stopped: Path, folder: Path
) -> None:
    cluster = make(copied(stopped, folder / "home"))
    (cluster.data / "PG_VERSION").write_text("14\n")
    before = {path: path.stat().st_mtime_ns for path in cluster.data.rglob("*")}

    with pytest.raises(Unusable, match="made by PostgreSQL 14.*pg_upgrade"):
        cluster.start()

    assert {path: path.stat().st_mtime_ns for path in cluster.data.rglob("*")} == before


def test_forced_programs_that_are_none_are_refused(make: Make, folder: Path) -> None:
    with pytest.raises(Unusable, match="FUZHENGTONG_PG_BIN"):
        make(folder / "fresh", FUZHENGTONG_PG_BIN=str(folder)).start()


def test_a_server_that_cannot_start_is_refused_with_the_last_lines_of_its_log(
    make: Make, stopped: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = make(copied(stopped, folder / "home"))
    monkeypatch.setattr(embedded, "START_SECONDS", 0.0)
    (cluster.data / "global" / "pg_control").rename(cluster.data / "pg_control")

    with pytest.raises(Unusable, match=r"postgresql\.log[\s\S]*could not find the database system"):
        cluster.start()


# The same without root.

WITHOUT_ROOT = "fresh or last_user or second_supervisor or acknowledged or owns_nothing"


def python_for_everybody() -> str | None:
    """Find a Python of our version that an unprivileged user may run; a virtual environment may lie in a closed folder."""
    here = f"python{sys.version_info.major}.{sys.version_info.minor}"
    nobody = pwd.getpwnam("nobody")
    for found in (sys.executable, f"/usr/bin/{here}", f"/usr/local/bin/{here}"):
        user = postgresql.User("nobody", nobody.pw_uid, nobody.pw_gid, drop=True)
        if user.can(found, "-c", f"open({str(psycopg.__file__)!r}).close(); open({__file__!r}).close()"):
            return found
    return None


@as_root
def test_an_unprivileged_user_sees_all_of_this_hold(folder: Path) -> None:
    python = python_for_everybody()
    if not python:
        pytest.skip("no Python that an unprivileged user may run")
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    site = str(Path(psycopg.__file__).parents[1])

    done = subprocess.run(
        [
            python,
            "-m",
            "pytest",
            "-q",
            "--noconftest",
            "-c",
            "/dev/null",
            "-p",
            "no:cacheprovider",
            "-k",
            WITHOUT_ROOT,
            __file__,
        ],
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), site]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "TMPDIR": str(folder),
        },
        cwd="/",
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
