"""The repository as its own tests look at it: files, modules as syntax trees, contracts, pages of Markdown.

Read once for a test run. Nothing here is imported by the program.
"""

from __future__ import annotations

import ast
import configparser
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "fuzhengtong"
DOCS = ROOT / "docs"
# What a checkout holds besides: made at setup or by tools, and never committed.
_LEFT_OUT = {line.strip("/\n") for line in (ROOT / ".gitignore").read_text().splitlines() if line.endswith("/")}
_KEPT_HIDDEN = {".ci", ".importlinter", ".gitignore", ".gitattributes", ".npmrc"}
_BINARY = {".png", ".jpg", ".mo", ".ico", ".woff2", ".ttf", ".otf", ".gz", ".xlsx"}


@dataclass(frozen=True)
class Module:
    """One Python file of the package: its dotted name, and what it says."""

    name: str
    path: Path
    text: str
    tree: ast.Module
    nodes: tuple[ast.AST, ...]

    @property
    def file(self) -> str:
        """The path below the package, as messages name it."""
        return self.path.relative_to(PACKAGE).as_posix()


@cache
def files() -> tuple[Path, ...]:
    """List every file that is, or would be, committed."""
    found: list[Path] = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if not _is_left_out(name))
        found += [Path(folder) / name for name in sorted(names) if not _is_left_out(name)]
    return tuple(found)


def _is_left_out(name: str) -> bool:
    hidden = name.startswith(".") and name not in _KEPT_HIDDEN
    return hidden or name in _LEFT_OUT or name.endswith((".pyc", ".egg-info"))


@cache
def texts() -> dict[Path, str]:
    """Return every committed file that people read or write as text."""
    return {path: path.read_text(encoding="utf-8") for path in files() if path.suffix not in _BINARY}


@cache
def modules() -> tuple[Module, ...]:
    """Return every module of the package but the migrations, which Django writes."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if "migrations" in parts:
            continue
        text = path.read_text(encoding="utf-8")
        name = ".".join(("fuzhengtong", *parts)).removesuffix(".__init__")
        tree = ast.parse(text)
        found.append(Module(name, path, text, tree, tuple(ast.walk(tree))))
    return tuple(found)


def calls(where: Module | ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Walk through the calls of a module or a tree with the last name of what is called."""
    for node in where.nodes if isinstance(where, Module) else ast.walk(where):
        if isinstance(node, ast.Call):
            yield last_name(node.func), node


def last_name(node: ast.expr | None) -> str:
    """Return `c` of `a.b.c`; nothing for what is no name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def told(node: ast.expr | None) -> str | None:
    """Return a text that stands in the code as it is, or nothing."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def defined(module: Module) -> set[str]:
    """Return the names that a module defines or brings in at its top."""
    found: set[str] = set()
    for node in module.tree.body:
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                found.add(node.name)
            case ast.Assign():
                found |= {last_name(target) for target in node.targets}
            case ast.AnnAssign():
                found.add(last_name(node.target))
            case ast.Import() | ast.ImportFrom():
                found |= {alias.asname or alias.name for alias in node.names}
            case _:
                pass
    return found


@cache
def layers() -> tuple[frozenset[str], ...]:
    """Return the layers of the contract, the lowest first."""
    read = configparser.ConfigParser()
    read.read(ROOT / ".importlinter")
    rows = read["importlinter:contract:layers"]["layers"].split("\n")
    return tuple(frozenset(word.strip() for word in row.split("|")) for row in reversed(rows) if row.strip())


# --- Markdown ----------------------------------------------------------------------------------------------------

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@cache
def pages() -> tuple[Path, ...]:
    """List the Markdown pages of the repository."""
    return tuple(path for path in files() if path.suffix == ".md")


def links(page: Path) -> list[str]:
    """Return where a page leads to, without what is shown as code."""
    return _LINK.findall(re.sub(r"`[^`\n]*`", "", _BLOCK.sub("", texts()[page])))


def commands(page: Path) -> list[str]:
    """Return the lines that a page tells to type, those that go on with a backslash joined."""
    found = []
    for language, block in _BLOCK.findall(texts()[page]):
        if language in ("sh", "bash", "console"):
            joined = block.replace("\\\n", " ")
            found += [line.strip().removeprefix("$ ") for line in joined.splitlines()]
    return [line for line in found if line and not line.startswith("#")]


def cells(page: Path) -> list[list[str]]:
    """Return the rows of a page's tables, each a list of its cells, without the lines that draw them."""
    rows = [line.strip().strip("|").split("|") for line in texts()[page].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows if not set("".join(row)) <= set("-: ")]


_SAID = re.compile(r'{%\s*say\s+"([^"]+)"')


def said_in_template(text: str) -> list[str]:
    """Return the keys of the sentences that a template says by name."""
    return _SAID.findall(text)
