"""The locator says on which line of a TOML text a key stands, whatever shape the text has."""

from __future__ import annotations

import tomllib

import pytest

from fuzhengtong.charter import load
from fuzhengtong.charter.lines import Key, Lines, dotted

SHAPES = """# a comment with [brackets] = and "quotes"
first = 1
"quoted key" = 2   # = 3
'it''s'.'x' = 0
""".replace("'it''s'.'x' = 0\n", "'single'.\"a.b\".plain = 0\n")

TANGLED = '''# line 1
title = "a # that = is no comment ] }"
multi = """
[not.a.table]
key = 'no'
\\"""
still = "no" """
literal = \'\'\'
[neither]
\'\'\'
empty = """"""
quotes = """two: """""
dotted.inner . key = 1

[ table . "with.dot" ]
list = [
    1, # one
    [2, 3],
    { a = 1, b = { c = "}" } },
    "]",
]
when = 1979-05-27 07:32:00
after = true

[[many]]
name = "first"

[many.child]
value = 1

[[many]]
name = "second"

[[many.parts]]
size = 1

[[many.parts]]
size = 2

[many.child]
value = 2
inline = {x=1,y=[1,2]}
'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("title",), 2),
        (("multi",), 3),
        (("literal",), 8),
        (("empty",), 11),
        (("quotes",), 12),
        (("dotted",), 13),
        (("dotted", "inner", "key"), 13),
        (("table", "with.dot"), 15),
        (("table", "with.dot", "list"), 16),
        (("table", "with.dot", "list", 0), 17),
        (("table", "with.dot", "list", 1, 1), 18),
        (("table", "with.dot", "list", 2, "b", "c"), 19),
        (("table", "with.dot", "list", 3), 20),
        (("table", "with.dot", "when"), 22),
        (("table", "with.dot", "after"), 23),
        (("many",), 25),
        (("many", 0, "name"), 26),
        (("many", 0, "child", "value"), 29),
        (("many", 1), 31),
        (("many", 1, "name"), 32),
        (("many", 1, "parts", 0, "size"), 35),
        (("many", 1, "parts", 1, "size"), 38),
        (("many", 1, "child", "value"), 41),
        (("many", 1, "child", "inline", "y", 1), 42),
    ],
)
def test_a_key_is_found_on_its_line(key: Key, line: int) -> None:
    assert tomllib.loads(TANGLED)
    assert Lines(TANGLED).of(key) == line


def test_quoted_and_dotted_keys_are_found_by_their_parts() -> None:
    lines = Lines(SHAPES)

    assert lines.of(("quoted key",)) == 3
    assert lines.of(("single", "a.b", "plain")) == 4


def test_a_key_that_is_not_there_is_looked_for_at_its_table() -> None:
    lines = Lines(TANGLED)

    assert lines.of(("many", 1, "parts", 1, "weight")) == 37
    assert lines.of(("nowhere",)) == 1


def test_a_key_is_written_as_people_read_it() -> None:
    assert dotted(("supervision", "ladder", 2, "after")) == "supervision.ladder[2].after"


def test_every_key_of_the_founding_edition_stands_on_the_line_that_is_told() -> None:
    text = (load.find_folder("charters/fuxin") / "2022-10.toml").read_text(encoding="utf-8")
    lines, rows = Lines(text), text.splitlines()
    asked: list[tuple[Key, object]] = [((), tomllib.loads(text))]
    seen = 0

    while asked:
        key, value = asked.pop()
        if isinstance(value, dict):
            asked.extend(((*key, name), inner) for name, inner in value.items())
        if isinstance(value, list):
            asked.extend(((*key, nth), inner) for nth, inner in enumerate(value))
        if key and isinstance(key[-1], str):
            seen += 1
            assert key[-1] in rows[lines.of(key) - 1]
        if isinstance(value, str) and key and isinstance(key[-1], int):
            assert f'"{value}"' in rows[lines.of(key) - 1]

    assert seen > 300
