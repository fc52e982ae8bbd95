"""What comes from outside: pinned by hash, kept as it was, with its licence; and nothing of the machine it came by."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from tests.repo import sources

LOCKS = ["requirements.lock", "requirements-bootstrap.lock"]
VENDORS = sorted({path.parent for path in sources.files() if path.parent.name == "vendor"})
DATA = sorted(path for path in (sources.PACKAGE / "data").iterdir() if path.is_dir())


def requirements(name: str) -> dict[str, list[str]]:
    """Return the hashes of every requirement of a lock file."""
    joined = (sources.ROOT / name).read_text().replace("\\\n", " ")
    found = {}
    for line in joined.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            words = line.split()
            found[words[0]] = [word for word in words if word.startswith("--hash=sha256:")]
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_every_requirement_to_a_version_and_to_hashes(name: str) -> None:
    found = requirements(name)

    assert found
    assert [word for word in found if "==" not in word] == []
    assert [word for word, hashes in found.items() if not hashes] == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address(name: str) -> None:
    assert "://" not in (sources.ROOT / name).read_text()


def test_the_lock_holds_everything_the_project_asks_for() -> None:
    project = tomllib.loads((sources.ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    locked = {re.split(r"[=\[;]", word)[0].lower().replace("_", "-") for word in requirements("requirements.lock")}

    names = {re.split(r"[\[<>=;~! ]", word)[0].lower().replace("_", "-") for word in asked}

    assert names - locked == set()


def test_files_that_build_the_project_name_no_index() -> None:
    build = ["pyproject.toml", "Makefile", *LOCKS, "tools", ".ci"]
    listed = [path for path in sources.files() if path.relative_to(sources.ROOT).parts[0] in build]
    addresses = [
        f"{path.name}: {found}"
        for path in listed
        for found in re.findall(r"[a-z+]+://[^\s\"'`)]+", sources.texts()[path])
        if not found.startswith(("http://localhost", "http://127.0.0.1"))
    ]

    assert listed
    assert addresses == []


# Put together here, so that this file does not hold them itself.
MACHINE_PATHS = ["/" + word for word in ("root/", "work/", "tmp/fz", "home/", "Users/")]
INDEXES = ["py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs", "index" + "-url", "index" + "_url"]


def holders(words: list[str]) -> list[str]:
    # A path is one where it begins: "docs/how-to/work/…" is none.
    return [
        f"{path.relative_to(sources.ROOT)}: {word}"
        for path, text in sources.texts().items()
        for word in words
        if re.search(r"(?<![\w.…<>}/-])" + re.escape(word), text)
    ]


def test_no_file_holds_a_path_of_the_machine_it_was_written_on() -> None:
    assert holders(MACHINE_PATHS) == []


def test_no_file_holds_the_address_of_an_index() -> None:
    assert holders(INDEXES) == []


# --- vendored files ----------------------------------------------------------------------------------------------


def vendored(folder: Path) -> dict[str, tuple[str, str]]:
    """Return the files of a vendor list: SHA-256, and the cell with the licence."""
    rows = [row for row in sources.cells(folder / "README.md") if row[0].startswith("`")]
    return {row[0].strip("`"): (row[-1].strip("`"), row[-2]) for row in rows}


VENDORED = [(folder, name) for folder in VENDORS for name in sorted(vendored(folder))]


def test_there_is_vendored_code_to_look_after() -> None:
    assert sources.PACKAGE / "web" / "static" / "vendor" in VENDORS


@pytest.mark.parametrize("folder", VENDORS, ids=lambda path: path.relative_to(sources.ROOT).as_posix())
def test_every_vendored_file_is_listed_with_its_licence(folder: Path) -> None:
    licences = {name for _, said in vendored(folder).values() for name in re.findall(r"`([^`]+)`", said)}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {"README.md"}

    assert licences <= there
    assert there - licences == set(vendored(folder))


@pytest.mark.parametrize(("folder", "name"), VENDORED, ids=lambda value: value if isinstance(value, str) else "")
def test_a_vendored_file_is_as_its_maker_published_it(folder: Path, name: str) -> None:
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()

    assert digest == vendored(folder)[name][0]


# --- data --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", DATA, ids=lambda path: path.name)
def test_data_come_with_a_word_on_where_they_are_from_and_under_which_licence(folder: Path) -> None:
    said = (folder / "README.md").read_text(encoding="utf-8")

    assert "licence" in said.lower()


@pytest.mark.parametrize("folder", DATA, ids=lambda path: path.name)
def test_every_data_file_is_named_by_the_word_on_it(folder: Path) -> None:
    said = (folder / "README.md").read_text(encoding="utf-8")
    series = {re.sub(r"\d{4}", "", name) for name in re.findall(r"`([^`]+)`", said)}
    unnamed = [
        path.name
        for path in folder.iterdir()
        if path.name != "README.md" and path.name not in said and re.sub(r"\d{4}", "", path.name) not in series
    ]

    assert unnamed == []


def test_the_notice_names_everything_that_is_not_ours() -> None:
    notice = (sources.ROOT / "NOTICE").read_text(encoding="utf-8")

    assert [name for _, name in VENDORED if name not in notice] == []
    assert [folder.name for folder in DATA if f"fuzhengtong/data/{folder.name}" not in notice] == []
