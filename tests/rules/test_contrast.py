from __future__ import annotations

import hashlib
import re
from itertools import chain
from pathlib import Path

import pytest

from fuzhengtong import web

STATIC = Path(web.__file__).parent / "static"
TEMPLATES = Path(web.__file__).parent / "templates"
SHEETS = sorted((STATIC / "css").glob("*.css"))

# What stands on what. Every ground that text may stand on, with every colour that text may have on it.
WORDS = ("ink", "ink-2", "ink-3", "sky", "jade", "amber-ink", "flame")
ON_PAPER = [(word, ground) for word in (*WORDS, "agate", "agate-ink") for ground in ("paper", "paper-2")]
ON_WASHES = [
    (word, ground) for ground in ("sky-wash", "jade-wash", "amber-wash", "flame-wash", "agate-wash") for word in WORDS
]
ON_FILLS = [("on-agate", "agate"), ("on-agate", "agate-ink"), ("paper", "ink"), ("paper", "jade")]
TEXT = [*ON_PAPER, *ON_WASHES, *ON_FILLS]
# Edges of what is pressed or filled in, the focus ring, and the parts of the ribbon: 3 to 1 (WCAG 1.4.11).
SHAPES = [
    (mark, ground)
    for mark in ("edge", "sky", "jade", "ink", "ink-3", "amber-ink", "flame", "agate")
    for ground in ("paper", "paper-2")
] + [("paper", "flame"), ("paper", "jade"), ("flame", "sky-wash"), ("jade", "sky-wash"), ("amber", "paper")]


def declarations(sheet: str, selector: str) -> dict[str, str]:
    """Return the custom properties of the rules with exactly this selector."""
    found: dict[str, str] = {}
    for names, body in re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", sheet, flags=re.S)):
        if selector in [name.strip() for name in names.split(",")]:
            found |= {name: value.strip() for name, value in re.findall(r"--([\w-]+):\s*([^;]+);", body)}
    return found


TOKENS = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")
PRINT = (STATIC / "css" / "print.css").read_text(encoding="utf-8")
LIGHT = declarations(TOKENS, ":root")
SETS = {
    "light": LIGHT,
    "dark": LIGHT | declarations(TOKENS, ".dark"),
    "elder": LIGHT | declarations(TOKENS, ".elder"),
    "elder-max": LIGHT | declarations(TOKENS, ".elder") | declarations(TOKENS, ".elder.elder-max"),
    "print": LIGHT | declarations(PRINT, ":root"),
}


def light_of(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((light_of(one), light_of(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def px(value: str) -> float:
    number = float(re.match(r"[\d.]+", value)[0])
    return number * 16 if value.endswith("rem") else number * 4 / 3 if value.endswith("pt") else number


def rules_of(sheet: Path) -> list[tuple[str, dict[str, str]]]:
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.S)
    return [
        (names.strip(), dict(re.findall(r"([\w-]+):\s*([^;]+);", body + ";")))
        for names, body in re.findall(r"([^{}]+)\{([^{}]*)\}", text)
    ]


def test_black_on_white_is_twenty_one_to_one():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("name", SETS)
def test_every_text_can_be_read_on_every_ground_it_may_stand_on(name):
    found = {pair: contrast(SETS[name][pair[0]], SETS[name][pair[1]]) for pair in TEXT}

    assert {pair: round(ratio, 2) for pair, ratio in found.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("name", ["light", "dark", "elder", "elder-max"])
def test_every_shape_stands_out_from_its_ground(name):
    found = {pair: contrast(SETS[name][pair[0]], SETS[name][pair[1]]) for pair in SHAPES}

    assert {pair: round(ratio, 2) for pair, ratio in found.items() if ratio < 3} == {}


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
@pytest.mark.parametrize("name", ["light", "dark"])
def test_a_rule_that_sets_colour_and_ground_sets_a_pair_that_can_be_read(sheet, name):
    tokens = SETS[name]
    for selector, body in rules_of(sheet):
        colour = re.fullmatch(r"var\(--([\w-]+)\)", body.get("color", ""))
        ground = re.fullmatch(r"var\(--([\w-]+)\)", body.get("background", ""))
        if colour and ground:
            assert contrast(tokens[colour[1]], tokens[ground[1]]) >= 4.5, selector


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_only_the_tokens_name_a_colour(sheet):
    if sheet.name in ("tokens.css", "print.css"):
        return
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.S)

    assert (
        re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(|gradient\(|\b(?:white|black|red|gray)\b\s*[;}]", text)
        == []
    )


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_every_token_that_is_used_is_there(sheet):
    text = sheet.read_text(encoding="utf-8")
    everywhere = "".join(other.read_text(encoding="utf-8") for other in SHEETS)
    here = set(re.findall(r"--([\w-]+)\s*:", everywhere))

    # Used with a value to fall back on is set from outside, or not at all.
    assert set(re.findall(r"var\(--([\w-]+)\)", text)) <= here


def test_no_text_takes_its_colour_from_the_hairlines():
    for sheet in SHEETS:
        for selector, body in rules_of(sheet):
            assert body.get("color") not in ("var(--line)", "var(--track)", "var(--amber)", "var(--edge)"), selector


def test_elder_mode_writes_nothing_below_twenty_and_reaches_thirty():
    sizes = {name: px(value) for name, value in SETS["elder"].items() if name.startswith("t-")}

    assert min(sizes.values()) >= 20
    assert px(SETS["elder-max"]["t-text"]) >= 30
    assert px(SETS["elder"]["target"]) >= 60


def test_a_finger_finds_what_it_presses():
    assert px(LIGHT["target"]) >= 44


def test_ordinary_text_is_sixteen_and_nothing_that_is_read_is_below_twelve():
    assert px(LIGHT["t-text"]) >= 16 and px(LIGHT["t-dense"]) >= 14
    for sheet in SHEETS:
        for selector, body in rules_of(sheet):
            sized = re.match(r"[\d.]+(rem|px|pt)", body.get("font-size", ""))
            assert not sized or px(sized[0]) >= 12, selector


def test_nothing_moves_longer_than_a_moment_and_nothing_at_all_for_who_asks():
    base = (STATIC / "css" / "base.css").read_text(encoding="utf-8")

    assert int(LIGHT["quick"].removesuffix("ms")) <= 150
    assert "prefers-reduced-motion: reduce" in base
    assert not re.search(r"@keyframes|animation:(?! none)", "".join(sheet.read_text("utf-8") for sheet in SHEETS))


def test_the_strict_content_policy_holds_in_every_shared_template():
    shared = chain((TEMPLATES / "base").glob("*.html"), TEMPLATES.glob("design.html"))
    for template in shared:
        text = re.sub(r"\{% comment %\}.*?\{% endcomment %\}", "", template.read_text(encoding="utf-8"), flags=re.S)

        assert not re.search(r"""\sstyle\s*=|<style|\son\w+\s*=\s*["']|javascript:|<script(?![^>]*\bsrc=)""", text), (
            template.name
        )


def test_no_shared_template_carries_raw_markup_past_the_escaping():
    for template in (TEMPLATES / "base").glob("*.html"):
        assert not re.search(r"\|\s*safe\b|autoescape off", template.read_text(encoding="utf-8")), template.name


def test_no_module_of_ours_runs_text_as_code_or_writes_markup_from_data():
    forbidden = r"\beval\(|new Function|document\.write|insertAdjacentHTML|innerHTML|setAttribute\(.style"
    for module in (STATIC / "js").glob("*.js"):
        assert not re.search(forbidden, module.read_text(encoding="utf-8")), module.name


def test_the_vendored_file_is_the_one_that_was_recorded():
    record = (STATIC / "vendor" / "README.md").read_text(encoding="utf-8")
    for name, digest in re.findall(r"\| `([\w.-]+)` \|.*`([0-9a-f]{64})` \|", record):
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest

    assert {file.name for file in (STATIC / "vendor").glob("*.js")} == set(
        re.findall(r"^\| `([\w.-]+\.js)`", record, flags=re.M)
    )
