"""Every address answers, every desk has its gate, and no page brings a style or a script along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver

from fuzhengtong.web.desk import frame
from tests.repo import sources

# What stands for each part of an address; nothing of it exists.
PARTS = {
    "code": "0" * 26,
    "number": "FX26112099995",
    "word": "sign",
    "file_id": "1",
}
# Before anybody is signed in: coming in, and going out (which is a POST alone).
OPEN_DESKS = {"desk-sign-in", "desk-sign-out"}
_PART = re.compile(r"<(?:(\w+):)?(\w+)>")


def walk(patterns: list[Any], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from walk(one.url_patterns, before + str(one.pattern))
        else:
            yield before + str(one.pattern), one


def address(route: str) -> str:
    def filled(part: re.Match[str]) -> str:
        usual = "1" if part[1] == "int" else "x"
        return PARTS.get(part[2], usual)

    return "/" + _PART.sub(filled, route)


ROUTES = [(address(route), pattern) for route, pattern in walk(get_resolver().url_patterns)]
DESKS = [(where, pattern) for where, pattern in ROUTES if where.startswith("/desk/")]
CLOSED_DESKS = [(where, pattern) for where, pattern in DESKS if pattern.name not in OPEN_DESKS]


@pytest.mark.parametrize("where", [where for where, _ in ROUTES])
def test_every_address_answers_a_stranger_without_failing(client: Client, where: str) -> None:
    assert client.get(where).status_code < 500


@pytest.mark.parametrize("where", [where for where, _ in ROUTES])
def test_every_address_answers_an_empty_form_of_a_stranger_without_failing(client: Client, where: str) -> None:
    assert client.post(where).status_code < 500


@pytest.mark.parametrize("where", [where for where, _ in CLOSED_DESKS])
def test_every_desk_asks_a_stranger_to_sign_in(client: Client, where: str) -> None:
    answer = client.get(where)

    if answer.status_code != 405:
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("desk-sign-in"))


@pytest.mark.parametrize(("where", "pattern"), CLOSED_DESKS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_desk_stands_behind_the_gate(where: str, pattern: URLPattern) -> None:
    assert getattr(pattern.callback, "guarded_by", ""), where


@pytest.mark.parametrize("where", [where for where, _ in CLOSED_DESKS])
def test_no_desk_takes_a_step_for_a_stranger(client: Client, where: str) -> None:
    assert client.post(where).status_code in (401, 405)


@pytest.mark.parametrize("where", ["/", "/find/", "/report/", "/desk/sign-in/", "/nowhere/"])
def test_every_answer_says_what_a_browser_may_load(client: Client, where: str) -> None:
    policy = client.get(where)["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_every_desk_in_the_navigation_has_an_address() -> None:
    source = Path(frame.__file__).read_text(encoding="utf-8")
    routes = set(re.findall(r'"(desk-[a-z-]+)"', source))
    missing = []
    for route in routes:
        try:
            reverse(route)
        except NoReverseMatch:
            missing.append(route)

    assert sorted(missing) == []


# --- templates ---------------------------------------------------------------------------------------------------

TEMPLATES = [path for path in sources.files() if path.suffix == ".html" and "templates" in path.parts]
# What a browser refuses under our policy, and so would fail in silence.
FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle\s*=|<style\b", re.I),
    "an inline script": re.compile(r"<script\b(?![^>]*\bsrc=)", re.I),
    "an inline handler": re.compile(r"\son[a-z]+\s*=", re.I),
    "a script as an address": re.compile(r"javascript:", re.I),
    "a file of another site": re.compile(r"<(?:link|script|img|iframe)\b[^>]*\b(?:href|src)=.(?:https?:)?//", re.I),
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_brings_nothing_that_the_policy_forbids(path: Path) -> None:
    text = re.sub(r"{%\s*comment\s*%}.*?{%\s*endcomment\s*%}", "", sources.texts()[path], flags=re.DOTALL)

    assert [what for what, pattern in FORBIDDEN.items() if pattern.search(text)] == []


def test_no_module_writes_a_style_into_a_page() -> None:
    found = [
        module.file
        for module in sources.modules()
        if module.name.startswith("fuzhengtong.web") and re.search(r"\sstyle=\\?[\"']", module.text)
    ]

    assert found == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_what_a_template_loads_is_there(path: Path) -> None:
    named = re.findall(r'{%\s*static\s+"([^"]+)"', sources.texts()[path])

    assert [name for name in named if not (sources.PACKAGE / "web" / "static" / name).is_file()] == []


def test_every_template_a_view_renders_is_there() -> None:
    folder = sources.PACKAGE / "web" / "templates"
    named = [
        (module.file, text)
        for module in sources.modules()
        if module.name.startswith("fuzhengtong.web")
        for text in re.findall(r'"((?:resident|desk|base)/[a-z_]+\.html)"', module.text)
    ]

    assert [name for _, name in named if not (folder / name).is_file()] == []
