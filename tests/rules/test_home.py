"""The folder of an installation: its modes, its secrets, its locks and its refusals."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fuzhengtong.config import home as homes


def a_home(folder: Path) -> homes.Home:
    home = homes.at(folder / "home")
    home.prepare()
    return home


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_home_is_the_one_that_the_environment_names(tmp_path: Path) -> None:
    home = homes.usual({"FUZHENGTONG_HOME": str(tmp_path / "here")})

    assert home.path == tmp_path / "here"


def test_a_source_checkout_keeps_its_home_in_var() -> None:
    assert homes.usual({}).path == Path(__file__).resolve().parents[2] / "var"


def test_naming_a_home_makes_nothing(tmp_path: Path) -> None:
    homes.usual({"FUZHENGTONG_HOME": str(tmp_path / "here")})

    assert list(tmp_path.iterdir()) == []


def test_secrets_logs_locks_and_store_are_closed_to_others(tmp_path: Path) -> None:
    home = a_home(tmp_path)

    assert {mode(folder) for folder in (home.secrets, home.logs, home.locks, home.store)} == {0o700}
    assert mode(home.path) & 0o066 == 0


def test_preparing_twice_changes_nothing(tmp_path: Path) -> None:
    home = a_home(tmp_path)
    secret = home.secret("key")

    home.prepare()

    assert home.secret("key") == secret


def test_a_home_that_others_can_write_in_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home").chmod(0o777)

    with pytest.raises(homes.Unusable, match="chmod go-w"):
        homes.at(tmp_path / "home").prepare()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_home_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    os.chown(tmp_path / "home", 65534, 65534)

    with pytest.raises(homes.Unusable, match="belongs to"):
        homes.at(tmp_path / "home").prepare()


def test_a_home_where_a_file_lies_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")

    with pytest.raises(homes.Unusable, match="FUZHENGTONG_HOME"):
        homes.at(tmp_path / "home").prepare()


def test_a_refusal_speaks_chinese_first_and_then_english() -> None:
    assert str(homes.Unusable("不行。", "No.")) == "不行。\nNo."


def test_a_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    home = a_home(tmp_path)

    first, second = home.secret("key"), home.secret("key")

    assert first == second
    assert len(first) >= 43  # 256 bits
    assert mode(home.secrets / "key") == 0o600


def test_a_secret_keeps_what_its_maker_wrote(tmp_path: Path) -> None:
    home = a_home(tmp_path)

    home.secret("key", make=lambda: "first")

    assert home.secret("key", make=lambda: "second") == "first"


def test_makers_of_a_secret_at_once_agree_on_one(tmp_path: Path) -> None:
    home = a_home(tmp_path)

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: home.secret("key"), range(32)))

    assert len(found) == 1
    assert [path.name for path in home.secrets.iterdir()] == ["key"]


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    home = a_home(tmp_path)
    home.secret("key")
    (home.secrets / "key").chmod(0o644)

    with pytest.raises(homes.Unusable, match="chmod 600"):
        home.secret("key")


def test_a_note_is_replaced_whole(tmp_path: Path) -> None:
    home = a_home(tmp_path)

    home.note("place", "a long first text")
    home.note("place", "短")

    assert home.noted("place") == "短"
    assert home.noted("nothing") == ""


def test_a_second_claim_is_refused_with_the_process_that_has_the_first(tmp_path: Path) -> None:
    home = a_home(tmp_path)

    with home.claim("serve"), pytest.raises(homes.AlreadyClaimed, match=str(os.getpid())):
        home.claim("serve")


def test_a_released_claim_can_be_taken_again(tmp_path: Path) -> None:
    home = a_home(tmp_path)
    first = home.claim("serve")

    first.release()
    first.release()

    home.claim("serve").release()


def test_a_claim_falls_with_its_process(tmp_path: Path) -> None:
    home = a_home(tmp_path)
    child = os.fork()
    if child == 0:
        home.claim("serve")
        os._exit(0)

    os.waitpid(child, 0)

    home.claim("serve").release()
