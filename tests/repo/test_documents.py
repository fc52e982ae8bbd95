"""What the documents say is so: commands, variables, accounts, queries, words, links."""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path

import msgspec
import pytest
from django.db import connection

from fuzhengtong.cases.states import AppealState, AssignmentState, DutyClass, DutyKind, Lane, Look, State, Urgency
from fuzhengtong.config import cli, roles
from fuzhengtong.directory import tour
from fuzhengtong.directory.names import AreaKind
from fuzhengtong.directory.rules import Level, OfficeKind, PostKind
from fuzhengtong.intake import lanes
from fuzhengtong.intake.rules import Submission
from fuzhengtong.jobs import documents
from fuzhengtong.kernel.due import Unit
from fuzhengtong.procedure.catalogue import CATALOGUE
from fuzhengtong.web.api import reading
from tests.repo import sources

READMES = [sources.ROOT / "README.md", sources.ROOT / "README.zh-CN.md"]
DECISIONS = sorted((sources.DOCS / "decisions").glob("*.md"))
RUNBOOKS = sorted((sources.DOCS / "runbooks").glob("*.md"))
# Made by the tests that drive a browser, and so perhaps not there yet.
PICTURES = {
    f"docs/screenshots/{name}.png"
    for name in (
        "inbox", "case", "dispatch", "figures", "resident-home", "report", "receipt", "progress", "progress-elder",
        "design",
    )
}  # fmt: skip


def short(path: Path) -> str:
    return path.relative_to(sources.ROOT).as_posix()


def ours() -> list[Path]:
    return [page for page in sources.pages() if "vendor" not in page.parts]


# --- links and names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ours(), ids=short)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in sources.links(page):
        target = link.partition("#")[0]
        if not target or "://" in target:
            continue
        there = (page.parent / target).resolve()
        if not there.exists() and there.relative_to(sources.ROOT).as_posix() not in PICTURES:
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("page", READMES, ids=short)
def test_the_pictures_stand_in_one_gallery(page: Path) -> None:
    shown = [link for link in sources.links(page) if link.endswith(".png")]
    gallery = re.search(r"^## (?:Pictures|图)\n(.*?)^## ", sources.texts()[page], re.MULTILINE | re.DOTALL)

    assert set(shown) == PICTURES
    assert len(shown) == len(PICTURES)
    assert gallery is not None
    assert gallery[1].count(".png") == len(shown)


@pytest.mark.parametrize("page", ours(), ids=short)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r"`([\w.-]+(?:/[\w.-]+)+\.(?:py|toml|md|csv|lock))`", sources.texts()[page])
    roots = (sources.ROOT, sources.PACKAGE, page.parent)

    assert [name for name in named if not any((root / name).exists() for root in roots)] == []


@pytest.mark.parametrize("page", ours(), ids=short)
def test_every_verb_of_make_that_a_page_names_is_one(page: Path) -> None:
    verbs = set(re.findall(r"^([a-z-]+):.*## ", (sources.ROOT / "Makefile").read_text(), re.MULTILINE))
    told = [word for line in sources.commands(page) for word in re.findall(r"(?:^|&& |sudo )make ([a-z-]+)", line)]
    told += re.findall(r"`make ([a-z-]+)", sources.texts()[page])

    assert [verb for verb in told if verb not in verbs] == []


# --- commands ----------------------------------------------------------------------------------------------------


def told_commands() -> list[tuple[str, list[str]]]:
    found = []
    for page in ours():
        for line in sources.commands(page):
            if "bin/fuzhengtong" not in line:
                continue
            words = shlex.split(line, comments=True)
            begin = next(nth for nth, word in enumerate(words) if word.endswith("bin/fuzhengtong"))
            arguments = []
            for word in words[begin + 1 :]:
                if word in ("|", "&&", ">", ";"):
                    break
                arguments.append(word)
            found.append((short(page), arguments))
    return found


@pytest.mark.parametrize(("page", "arguments"), told_commands(), ids=lambda value: str(value))
def test_every_command_that_a_page_tells_is_understood(page: str, arguments: list[str]) -> None:
    if "COMMAND" not in arguments:
        assert cli._parser().parse_args(arguments).run


def test_every_command_leads_to_code_that_is_there() -> None:
    source = next(module for module in sources.modules() if module.file == "config/cli.py")
    named = [
        f"{node.module}.{alias.name}"
        for node in source.nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fuzhengtong.")
        for alias in node.names
    ]
    known = {module.name for module in sources.modules()}
    defined = {f"{module.name}.{name}" for module in sources.modules() for name in sources.defined(module)}

    assert [name for name in named if name not in known and name not in defined] == []


def test_enough_commands_are_told_to_be_worth_the_test() -> None:
    assert len(told_commands()) > 15


@pytest.mark.parametrize("page", ours(), ids=short)
def test_every_test_that_a_page_tells_to_run_is_there(page: Path) -> None:
    told = [word for line in sources.commands(page) for word in line.split() if word.startswith("tests/")]

    assert [name for name in told if not (sources.ROOT / name).exists()] == []


def rows(page: Path, heading: str) -> dict[str, list[str]]:
    """Return the rows of the table below a heading, by the word in their first cell."""
    text = sources.texts()[page]
    begin = text.index(heading)
    table = re.search(r"\n\|(.*?)\n\n", text[begin:], re.DOTALL)
    assert table is not None
    lines = [line.strip("|").split("|") for line in table[0].splitlines() if line.startswith("| `")]
    return {line[0].strip().strip("`"): [cell.strip() for cell in line[1:]] for line in lines}


@pytest.mark.parametrize("page", READMES, ids=short)
def test_the_table_of_commands_is_the_command_line(page: Path) -> None:
    heading = "## Commands" if page.name == "README.md" else "## 命令"
    actions = cli._parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]

    assert sorted(rows(page, heading)) == sorted(actions or {})


@pytest.mark.parametrize("page", READMES, ids=short)
def test_the_table_of_variables_is_what_the_program_reads(page: Path) -> None:
    heading = "## Configuration" if page.name == "README.md" else "## 配置"
    read = {
        name
        for module in sources.modules()
        for name in re.findall(r'"((?:FUZHENGTONG|DATABASE)_[A-Z_]+|PORT)"', module.text)
    }

    assert sorted(rows(page, heading)) == sorted(read)


# --- what the READMEs promise ------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", READMES, ids=short)
def test_the_accounts_are_those_of_the_tour(page: Path) -> None:
    heading = "### Whom one can be" if page.name == "README.md" else "### 可以扮成谁"
    told = rows(page, heading)

    assert list(told) == [login for login, _ in tour.TOUR]
    assert all(title in told[login][0] for login, title in tour.TOUR)
    assert tour.DEMO_PASSWORD in sources.texts()[page]


@pytest.mark.parametrize("page", READMES, ids=short)
def test_the_example_of_the_interface_is_taken(page: Path) -> None:
    body = re.search(r"-d '(\{.*?\})'\n", sources.texts()[page], re.DOTALL)
    assert body is not None

    submission = reading.parse(body[1].encode(), Submission)

    assert submission.channel == "h5"


@pytest.mark.parametrize("page", READMES, ids=short)
def test_the_table_of_fields_is_the_submission(page: Path) -> None:
    heading = "## The interface" if page.name == "README.md" else "## 接口"
    named = {name.strip(" `") for cell in rows(page, heading) for name in re.split("[,、]", cell)}

    assert named == set(Submission.__struct_fields__)


@pytest.mark.parametrize("page", READMES, ids=short)
def test_the_public_channels_are_named(page: Path) -> None:
    heading = "## The interface" if page.name == "README.md" else "## 接口"
    told = re.findall("`([a-z0-9]+)`", rows(page, heading)["channel"][0])

    assert sorted(told) == sorted(row.code for row in lanes.FIRST if row.is_public)


@pytest.mark.parametrize("page", READMES, ids=short)
def test_the_example_of_an_answer_has_the_fields_of_one(page: Path) -> None:
    block = re.search(r"```json\n(\{.*?\})\n```", sources.texts()[page], re.DOTALL)
    source = next(module.text for module in sources.modules() if module.file == "web/api/views.py")
    given = re.search(r"def told_of.*?return \{(.*?)\n    \}", source, re.DOTALL)
    assert block is not None
    assert given is not None

    assert list(json.loads(block[1])) == re.findall(r'^\s+"(\w+)":', given[1], re.MULTILINE)


# --- words -------------------------------------------------------------------------------------------------------

WORDS = {
    *(member.value for enum in (State, AppealState, AssignmentState, DutyKind, DutyClass, Lane, Look, Urgency) for member in enum),
    *(member.value for enum in (AreaKind, Level, OfficeKind, PostKind, Unit) for member in enum),
    *(step.word for step in CATALOGUE.steps),
    *(row.word for row in CATALOGUE.coming),
}  # fmt: skip


def test_the_glossary_has_every_word_of_the_enums_and_tables() -> None:
    text = sources.texts()[sources.DOCS / "glossary.md"]
    # Kinds of areas are told in one sentence, all others stand as code.
    missing = [word for word in sorted(WORDS) if f"`{word}`" not in text and not re.search(rf"\b{word}\b", text)]

    assert missing == []


# --- decisions and runbooks --------------------------------------------------------------------------------------


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [path.name[:4] for path in DECISIONS] == [f"{nth:04}" for nth in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("page", DECISIONS, ids=short)
def test_a_decision_has_its_four_parts_on_one_page(page: Path) -> None:
    text = sources.texts()[page]

    assert re.match(rf"# {int(page.name[:4])}\. ", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Alternatives"]
    assert text.count("\n") <= 50


@pytest.mark.parametrize("page", RUNBOOKS, ids=short)
def test_a_runbook_begins_with_the_alarm_and_ends_with_how_to_know_that_it_is_over(page: Path) -> None:
    text = sources.texts()[page]

    assert text.startswith("# `")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE)[-1] == "How to know it is over"


def alarms() -> set[str]:
    source = next(module for module in sources.modules() if module.file == "jobs/watchdog.py")
    called = {
        str(sources.told(call.args[0]))
        for name, call in sources.calls(source)
        if name in ("Alarm", "ring") and call.args and sources.told(call.args[0])
    }
    return called | set(re.findall(r'code = "(\w+)" if .* else "(\w+)"', source.text)[0])


def test_every_alarm_of_the_watchdog_stands_in_a_runbook() -> None:
    text = "".join(sources.texts()[page] for page in RUNBOOKS)

    assert {"look_missed", "row_without_promise", "still_owed_after_the_end"} <= alarms()
    assert [code for code in sorted(alarms()) if f"`{code}`" not in text] == []


def test_every_finding_about_the_chain_stands_in_a_runbook() -> None:
    found = {
        what.replace("_", " ")
        for module in sources.modules()
        if module.name.startswith("fuzhengtong.jobs.")
        for what in re.findall(r'found\(\s*"I4",\s*"(\w+)"', module.text)
    }
    text = sources.texts()[sources.DOCS / "runbooks" / "verify-chain-broken.md"]

    assert "chain broken" in found
    assert [what for what in sorted(found) if what not in text] == []


# --- queries and settings ----------------------------------------------------------------------------------------


def queries() -> list[tuple[str, str]]:
    found = []
    for page in ours():
        for block in re.findall(r"```sql\n(.*?)```", re.sub(r"(?m)^ +", "", sources.texts()[page]), re.DOTALL):
            found += [(short(page), query.strip()) for query in block.split(";") if query.strip()]
    return [(page, query) for page, query in found if query.startswith(("SELECT", "UPDATE"))]


@pytest.mark.parametrize(("page", "query"), queries(), ids=lambda value: value[:40])
def test_every_query_that_a_page_tells_is_answered(db: None, page: str, query: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query)

    assert page


def test_the_roles_of_a_server_of_ones_own_are_those_of_the_private_one() -> None:
    text = sources.texts()[sources.DOCS / "how-to" / "install-on-a-server.md"]
    told: dict[str, dict[str, str]] = {}
    for role, name, value in re.findall(r'ALTER ROLE (\w+) SET "?(\w+)"? = \'?(\w+)\'?;', text):
        told.setdefault(role, {})[name] = value

    assert told == {role: dict(settings) for role, settings in roles.SETTINGS.items()}


def test_the_generated_documents_are_fresh() -> None:
    assert documents.stale() == ()


def test_examples_in_json_are_json() -> None:
    for page in ours():
        for block in re.findall(r"```json\n(.*?)```", sources.texts()[page], re.DOTALL):
            assert isinstance(msgspec.json.decode(block.encode()), dict), short(page)
