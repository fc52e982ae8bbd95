"""Every word that pages say has a sentence, in both languages."""

from __future__ import annotations

import ast
import gettext
import re

import pytest

from fuzhengtong.cases.states import AssignmentState, DutyKind, Lane, Role, State, Urgency
from fuzhengtong.cases.steps import Step
from fuzhengtong.charter.load import find_folder
from fuzhengtong.charter.texts import LANGUAGES, load_texts
from fuzhengtong.directory.rules import PostKind
from fuzhengtong.dispatch import rules as dispatch_rules
from fuzhengtong.kernel.due import Unit
from fuzhengtong.procedure.catalogue import CATALOGUE
from fuzhengtong.web.desk import case, forms
from tests.repo import sources

TEXTS = load_texts(find_folder("texts"))
STEPS = list(CATALOGUE.current)


def has(key: str) -> bool:
    return all(key in TEXTS.languages[lang] for lang in LANGUAGES)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.word)
def test_every_step_has_a_name(step: Step) -> None:
    assert has(f"step.{step.word}.name")


@pytest.mark.parametrize("step", [step for step in STEPS if step.public], ids=lambda step: step.word)
def test_every_step_its_teller_sees_has_a_line_in_the_story(step: Step) -> None:
    assert has(f"story.{step.word}")


@pytest.mark.parametrize("word", sorted(forms.BY_WORD))
def test_every_step_with_a_form_says_what_follows_from_it(word: str) -> None:
    assert word in {step.word for step in STEPS}
    assert has(f"step.{word}.then")


@pytest.mark.parametrize("word", [row.word for row in CATALOGUE.coming])
def test_every_step_to_come_has_a_name_for_the_manual(word: str) -> None:
    assert has(f"step.{word}.name")


@pytest.mark.parametrize(
    "key",
    [
        *(f"state.{state}" for state in State),
        *(f"duty.{kind}" for kind in DutyKind),
        *(f"post.{kind}" for kind in PostKind),
        *(f"urgency.{urgency}" for urgency in Urgency),
        *(f"lane.{lane}" for lane in Lane),
        *(f"unit.{unit}.count" for unit in Unit),
        *(f"desk.role.{role}" for role in Role),
        *(f"desk.assignment.{state}" for state in AssignmentState),
        *(f"reason.{kind}" for kind in dispatch_rules.KINDS),
        *(f"opening.{code}" for code in case.REASONS),
        *(f"desk.{field.group}.{code}" for form in forms.FORMS for field in form.fields for code in field.options),
    ],
)
def test_every_word_of_the_spine_has_a_word_for_people(key: str) -> None:
    assert has(key)


def cases_of(file: str, function: str) -> set[str]:
    """Return the words that a `match` in a function tells apart."""
    module = next(module for module in sources.modules() if module.file == file)
    body = next(node for node in module.nodes if isinstance(node, ast.FunctionDef) and node.name == function)
    return {
        word
        for node in ast.walk(body)
        if isinstance(node, ast.MatchValue) and (word := sources.told(node.value)) is not None
    }


@pytest.mark.parametrize("word", sorted(cases_of("web/desk/lines.py", "_detail")))
def test_every_line_that_a_desk_tells_in_detail_has_its_sentence(word: str) -> None:
    keys = TEXTS.keys(f"entry.{word}")

    assert word in {step.word for step in STEPS}
    assert keys


@pytest.mark.parametrize("word", sorted(cases_of("web/resident/story.py", "_part")))
def test_every_form_of_a_sentence_in_the_story_is_written(word: str) -> None:
    assert TEXTS.keys(f"story.{word}.") or word == "visit"


def test_every_key_that_stands_in_the_code_is_written() -> None:
    missing = []
    for module in sources.modules():
        for name, call in sources.calls(module):
            key = next((text for one in call.args[:2] if (text := sources.told(one)) and "." in text), None)
            if name == "say" and key is not None and not has(key):
                missing.append(f"{module.file}:{call.lineno} {key}")

    assert missing == []


def test_every_key_that_stands_in_a_template_is_written() -> None:
    said = [
        (path, key)
        for path, text in sources.texts().items()
        if path.suffix == ".html"
        for key in sources.said_in_template(text)
    ]

    assert [f"{path.name} {key}" for path, key in said if not has(key)] == []


# --- page texts --------------------------------------------------------------------------------------------------

LOCALE = sources.PACKAGE / "web" / "locale" / "en" / "LC_MESSAGES"
_ENTRY = re.compile(r'^(msgid|msgid_plural|msgstr(?:\[\d\])?) ((?:".*"\n?)+)', re.MULTILINE)
_TRANSLATE = re.compile(r'{%\s*translate\s+"((?:[^"\\]|\\.)*)"')


def catalogue() -> dict[str, str]:
    """Return the English of every text that the program can say."""
    with (LOCALE / "django.mo").open("rb") as file:
        held = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    # A plural stands as (text, form); its first form speaks for it.
    return {key[0] if isinstance(key, tuple) else key: said for key, said in held.items() if key and key[1:] != (1,)}


def written() -> dict[str, str]:
    """Return the English as translators wrote it; of a plural the first form."""
    found: dict[str, str] = {}
    last = ""
    for kind, quoted in _ENTRY.findall((LOCALE / "django.po").read_text(encoding="utf-8")):
        text = "".join(ast.literal_eval(line) for line in quoted.splitlines())
        if kind == "msgid":
            last = text
        elif kind in ("msgstr", "msgstr[0]") and last:
            found[last] = text
    return found


def shown() -> list[tuple[str, str]]:
    """List the texts of all pages: file, text."""
    web = sources.PACKAGE / "web"
    found = []
    for path in sources.files():
        # The design page shows parts, for those who make pages.
        if not path.is_relative_to(web) or path.name.startswith("design"):
            continue
        if path.suffix == ".html":
            # Django looks a plain text up as if it were to be filled in.
            found += [(path.name, text.replace("%", "%%")) for text in _TRANSLATE.findall(sources.texts()[path])]
        elif path.suffix == ".py":
            for name, call in sources.calls(ast.parse(sources.texts()[path])):
                text = sources.told(call.args[0]) if call.args else None
                if name in ("_", "gettext", "gettext_noop", "ngettext") and text is not None:
                    found.append((path.name, text))
    return [(name, text) for name, text in found if re.search("[\u4e00-\u9fff]", text)]


def test_what_the_program_says_in_english_is_what_the_translators_wrote() -> None:
    assert written()
    assert catalogue() == written()


def test_every_text_of_a_page_has_its_english() -> None:
    known = catalogue()

    assert len(shown()) > 400
    assert sorted({f"{name}: {text}" for name, text in shown() if not known.get(text)}) == []
