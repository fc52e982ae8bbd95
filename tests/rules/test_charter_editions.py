"""Editions follow each other, never overlap, and are never edited once released."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from fuzhengtong.charter import load
from fuzhengtong.charter.editions import CharterError

FOUNDING = (load.find_folder("charters/fuxin") / "2022-10.toml").read_text(encoding="utf-8")


def edition(folder: Path, name: str, active_from: str, **changes: str) -> Path:
    """Write an edition made of the founding one, under another name and date, with lines changed."""
    text = FOUNDING.replace('edition = "2022-10"', f'edition = "{name}"')
    text = text.replace("active_from = 2022-10-01", f"active_from = {active_from}")
    for key, value in changes.items():
        line = next(line for line in text.splitlines() if line.startswith(f"{key} = "))
        text = text.replace(line, f"{key} = {value}", 1)
    file = folder / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    return file


def release(folder: Path, *files: Path) -> None:
    rows = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in files]
    (folder / "RELEASED").write_text("\n".join(rows) + "\n", encoding="utf-8")


def test_a_later_edition_supersedes_from_its_first_day(tmp_path: Path) -> None:
    edition(tmp_path, "2022-10", "2022-10-01")
    edition(tmp_path, "2026-01", "2026-02-01", characters="8_000")

    charters = load.load_charters(tmp_path)

    assert [charter.edition for charter in charters.editions] == ["2022-10", "2026-01"]
    assert charters.at(date(2026, 1, 31)).edition == "2022-10"
    assert charters.at(date(2026, 2, 1)).edition == "2026-01"
    assert charters.at(date(2030, 1, 1)).text.characters == 8_000


def test_an_old_duty_still_finds_its_own_edition(tmp_path: Path) -> None:
    edition(tmp_path, "2022-10", "2022-10-01")
    edition(tmp_path, "2026-01", "2026-01-01", characters="8_000")

    assert load.load_charters(tmp_path).edition("2022-10").text.characters == 10_000


@pytest.mark.parametrize(("earlier", "later"), [("2026-03-01", "2026-03-01"), ("2026-04-01", "2026-03-15")])
def test_editions_may_not_overlap(tmp_path: Path, earlier: str, later: str) -> None:
    edition(tmp_path, "2026-01", earlier)
    file = edition(tmp_path, "2026-03", later)

    with pytest.raises(CharterError) as caught:
        load.load_charters(tmp_path)

    error = caught.value
    assert (error.file, error.key) == (str(file), "active_from")
    assert file.read_text(encoding="utf-8").splitlines()[error.line - 1].startswith("active_from")
    assert "2026-01" in error.found and "overlap" in error.allowed


@pytest.mark.parametrize(
    ("key", "changes"),
    [("city", {"city": '"benxi"'}), ("letters", {"letters": '"BX"'}), ("clock", {"zone": '"Asia/Urumqi"'})],
)
def test_a_folder_holds_the_editions_of_one_city(tmp_path: Path, key: str, changes: dict[str, str]) -> None:
    edition(tmp_path, "2022-10", "2022-10-01")
    file = edition(tmp_path, "2026-01", "2026-01-01", **changes)

    with pytest.raises(CharterError) as caught:
        load.load_charters(tmp_path)

    assert (caught.value.file, caught.value.key) == (str(file), key)
    assert "as in edition 2022-10" in caught.value.allowed


def test_a_folder_without_editions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CharterError, match="no edition"):
        load.load_charters(tmp_path)


def test_a_released_edition_that_is_unchanged_loads(tmp_path: Path) -> None:
    released = edition(tmp_path, "2022-10", "2022-10-01")
    edition(tmp_path, "2026-01", "2026-01-01")
    release(tmp_path, released)

    assert load.check_released(tmp_path) == ("2026-01",)
    assert len(load.load_charters(tmp_path).editions) == 2


def test_editing_a_released_edition_is_refused_even_in_a_comment(tmp_path: Path) -> None:
    released = edition(tmp_path, "2022-10", "2022-10-01")
    release(tmp_path, released)
    released.write_text(released.read_text(encoding="utf-8") + "# tidied\n", encoding="utf-8")

    with pytest.raises(CharterError) as caught:
        load.load_charters(tmp_path)

    assert (caught.value.line, caught.value.key) == (1, "2022-10.toml")
    assert "write a new edition" in caught.value.allowed


def test_taking_a_released_edition_away_is_refused(tmp_path: Path) -> None:
    kept = edition(tmp_path, "2022-10", "2022-10-01")
    taken = edition(tmp_path, "2026-01", "2026-01-01")
    release(tmp_path, kept, taken)
    taken.unlink()

    with pytest.raises(CharterError) as caught:
        load.check_released(tmp_path)

    assert (caught.value.line, caught.value.key, caught.value.found) == (2, "2026-01.toml", "no such file")


@pytest.mark.parametrize("row", ["", "2022-10.toml", "abc  2022-10.toml", "0" * 64 + "  "])
def test_a_list_of_releases_that_cannot_be_read_is_refused(tmp_path: Path, row: str) -> None:
    edition(tmp_path, "2022-10", "2022-10-01")
    (tmp_path / "RELEASED").write_text(f"{row}\n", encoding="utf-8")

    with pytest.raises(CharterError, match="64 hex digits"):
        load.load_charters(tmp_path)


def test_without_a_list_every_edition_is_a_draft(tmp_path: Path) -> None:
    edition(tmp_path, "2022-10", "2022-10-01")

    assert load.check_released(tmp_path) == ("2022-10",)


def test_a_folder_that_is_nowhere_is_refused_with_the_places_looked_at() -> None:
    with pytest.raises(FileNotFoundError, match=r"charters/atlantis.*looked at: .*charters/atlantis"):
        load.find_folder("charters/atlantis")
