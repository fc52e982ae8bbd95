"""Refusals are said, faults are named, and nothing is swallowed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from fuzhengtong.charter.load import find_folder
from fuzhengtong.charter.texts import LANGUAGES, load_texts
from fuzhengtong.kernel.errors import Refused
from tests.repo import sources

TEXTS = load_texts(find_folder("texts"))

# Where anything at all may be caught: the edge of a loop over many things, each of which must not stop the others.
# What is caught there is logged, and what failed is set aside for somebody to see.
EDGES = {
    "chain/followers.py": "one entry must not hold up the others; it is tried alone, later, then set aside",
    "web/guard.py": "the edge of a request",
    "oversight/actions.py": "one case must not stop the clocks of the others; it is looked at alone, then left for a while",
    "mailroom/actions.py": "one parcel must not hold up the others; it is tried again, then set aside",
}


def is_edge(file: str) -> bool:
    return file in EDGES or file.startswith("jobs/")


def subclasses(kind: type[Refused]) -> Iterator[type[Refused]]:
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


def refusals() -> dict[str, list[tuple[str, str]]]:
    """List every refusal in the code: its class, with its code and the module; those made inside functions too."""
    known = {"Refused", "AlreadyDone"}
    found: dict[str, list[tuple[str, str]]] = {}
    grew = True
    while grew:
        grew = False
        for module in sources.modules():
            for node in module.nodes:
                if not isinstance(node, ast.ClassDef) or not {sources.last_name(base) for base in node.bases} & known:
                    continue
                said = [
                    sources.told(line.value)
                    for line in node.body
                    if isinstance(line, ast.Assign | ast.AnnAssign) and _names(line) == {"code"}
                ]
                row = (next((code for code in said if code), ""), module.file)
                if row not in found.setdefault(node.name, []):
                    found[node.name].append(row)
                    grew = True
                known.add(node.name)
    return found


def _names(line: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = line.targets if isinstance(line, ast.Assign) else [line.target]
    return {sources.last_name(target) for target in targets}


REFUSALS = refusals()
CODES = sorted({code for rows in REFUSALS.values() for code, _ in rows if code} | {"refused", "already_done"})


def handlers(module: sources.Module) -> list[ast.ExceptHandler]:
    def catches_all(node: ast.ExceptHandler) -> bool:
        return node.type is None or sources.last_name(node.type) in ("Exception", "BaseException")

    return [node for node in module.nodes if isinstance(node, ast.ExceptHandler) and catches_all(node)]


def rises_again(handler: ast.ExceptHandler, module: sources.Module) -> bool:
    """Tell whether what was caught may rise again: from the handler, or from a function that it is handed to."""
    if any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler)):
        return True
    handed = {
        name
        for name, call in sources.calls(handler)
        if handler.name in {sources.last_name(argument) for argument in call.args}
    }
    return bool(handed & _raising_what_they_are_given(module))


def _raising_what_they_are_given(module: sources.Module) -> set[str]:
    return {
        function.name
        for function in module.tree.body
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name)
        if node.exc.id in {argument.arg for argument in function.args.args}
    }


def test_everything_is_caught_only_at_the_edge_of_a_loop_or_to_rise_again() -> None:
    found = [
        f"{module.file}:{handler.lineno}"
        for module in sources.modules()
        for handler in handlers(module)
        if not is_edge(module.file) and not rises_again(handler, module)
    ]

    assert found == []


def test_what_is_caught_at_an_edge_is_logged_or_told() -> None:
    silent = [
        f"{module.file}:{handler.lineno}"
        for module in sources.modules()
        for handler in handlers(module)
        if is_edge(module.file) and not rises_again(handler, module)
        if not any(name in ("exception", "error", "_set_back", "Finding") for name, _ in sources.calls(handler))
    ]

    assert silent == []


def test_the_table_of_edges_names_no_file_that_catches_nothing() -> None:
    catching = {module.file for module in sources.modules() if handlers(module)}

    assert {file for file in EDGES if file != "web/guard.py"} <= catching


@pytest.mark.parametrize("code", CODES)
def test_every_refusal_has_a_sentence_in_every_language(code: str) -> None:
    for lang in LANGUAGES:
        assert f"refusal.{code}" in TEXTS.languages[lang]


def test_every_refusal_has_a_code_of_its_own() -> None:
    nameless = [f"{file} {name}" for name, rows in REFUSALS.items() for code, file in rows if not code]

    assert nameless == []


def test_no_sentence_refuses_what_nothing_refuses() -> None:
    # Sentences that pages say by themselves, without a refusal behind them.
    said = {"step_gone", "sign_in_again", "sheet_missing"}
    keys = {key.split(".")[1] for key in TEXTS.keys("refusal.")}

    assert keys - set(CODES) <= said


def sentence_facts(key: str) -> frozenset[str]:
    return TEXTS.languages[LANGUAGES[0]][key].facts


def test_every_refusal_is_raised_with_the_facts_of_its_sentence() -> None:
    missing = []
    for module in sources.modules():
        called = {id(call.func) for _, call in sources.calls(module)}
        for node in module.nodes:
            bare = isinstance(node, ast.Raise) and node.exc is not None and not isinstance(node.exc, ast.Call)
            name, given, line = "", set[str](), 0
            if isinstance(node, ast.Call):
                name, line = sources.last_name(node.func), node.lineno
                given = {keyword.arg or "**" for keyword in node.keywords}
            elif bare and id(node.exc) not in called:
                name, line = sources.last_name(node.exc), node.lineno
            if name not in REFUSALS or "**" in given:
                continue
            for code, _ in REFUSALS[name]:
                wanted = sentence_facts(f"refusal.{code}") if code else frozenset[str]()
                if not wanted <= given:
                    missing.append(f"{module.file}:{line} {name} lacks {', '.join(sorted(wanted - given))}")

    assert missing == []


def test_codes_of_refusals_are_snake_case() -> None:
    assert [code for code in CODES if code != code.lower() or not code.replace("_", "").isalnum()] == []
    assert Refused.code == "refused"


# --- faults of an input ------------------------------------------------------------------------------------------


def faults() -> list[tuple[str, str, frozenset[str]]]:
    """List the faults named in the code: where, key, facts. A key handed on by name is found where it is first said."""
    found = []
    for module in sources.modules():
        if not module.name.startswith(("fuzhengtong.intake", "fuzhengtong.web")):
            continue
        for name, call in sources.calls(module):
            if name == "Fault" and len(call.args) > 1 and (key := sources.told(call.args[1])):
                facts = _facts(call.args[2]) if len(call.args) > 2 else frozenset[str]()
                found.append((f"{module.file}:{call.lineno}", key, facts))
            found += [
                (f"{module.file}:{call.lineno}", str(sources.told(word.value)), frozenset())
                for word in call.keywords
                if word.arg == "needed" and sources.told(word.value)
            ]
    return found


def _facts(node: ast.expr) -> frozenset[str]:
    pairs = node.elts if isinstance(node, ast.Tuple) else []
    named = [sources.told(pair.elts[0]) for pair in pairs if isinstance(pair, ast.Tuple)]
    return frozenset(name for name in named if name)


def test_the_faults_are_found() -> None:
    keys = {key for _, key, _ in faults()}

    assert {"unknown_channel", "not_json", "field_twice", "too_long", "answer_missing"} <= keys


@pytest.mark.parametrize(("where", "key", "facts"), faults(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_fault_has_a_sentence_that_its_facts_fill(where: str, key: str, facts: frozenset[str]) -> None:
    assert f"input.{key}" in TEXTS.languages[LANGUAGES[0]], where
    assert sentence_facts(f"input.{key}") <= facts, where


def test_every_problem_of_an_imported_list_has_a_sentence_that_its_facts_fill() -> None:
    missing = []
    for module in sources.modules():
        if not module.name.startswith("fuzhengtong.directory"):
            continue
        for _, call in sources.calls(module):
            for argument in call.args:
                key = sources.told(argument)
                if key is None or not key.startswith("import."):
                    continue
                if key not in TEXTS.languages[LANGUAGES[0]]:
                    missing.append(f"{module.file}:{call.lineno} {key}")

    assert missing == []
