"""Modules of more than 400 lines, each with the reason why it is whole."""

from __future__ import annotations

from tests.repo import sources

MOST_LINES = 400
# A line here is a decision: the module has one subject, and two halves would be read together anyway.
WHOLE = {
    "accounts/actions.py": "what lets somebody in: sign-in, factors, keys, and the counted tries",
    "cases/actions.py": "the only writers of cases: one desk, on which every action stands",
    "cases/queries.py": "everything that is read of a case, so that one scope guards all of it",
    "cases/rules.py": "one plan: whether, which promises, which bytes, which counts; each part knows the others",
    "cases/steps.py": "a table: one row for each step, and the facts it needs",
    "charter/editions.py": "the types of one charter, in the order of its file",
    "directory/imports/areas.py": "one tree: areas, their names and their levels are checked and written together",
    "directory/imports/offices.py": "offices, posts and people name each other in one list",
    "directory/queries.py": "everything that is known of the city, as frozen values",
    "dispatch/gazetteer.py": "one matcher of addresses, with the traps of names beside it",
    "jobs/watchdog.py": "a second reckoning of every promise that shares nothing with the first",
    "procedure/documents.py": "the manual: its rows, its page, its file",
    "web/desk/case.py": "the one page on which a case is shown and worked",
    "web/ribbon.py": "one drawing: places, words and shapes depend on each other",
}


def long_modules() -> dict[str, int]:
    lines = {module.file: module.text.count("\n") for module in sources.modules()}
    return {file: count for file, count in lines.items() if count > MOST_LINES}


def test_every_long_module_says_why_it_is_whole() -> None:
    assert sorted(long_modules().keys() - WHOLE.keys()) == []


def test_no_reason_outlives_its_module() -> None:
    assert sorted(WHOLE.keys() - long_modules().keys()) == []
