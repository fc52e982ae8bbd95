"""Sentences for people: keyed, versioned, in both languages, and filled literally."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzhengtong.charter import load
from fuzhengtong.charter.editions import DUTY_KINDS, LANES, URGENCIES, NoEdition
from fuzhengtong.charter.texts import LANGUAGES, Texts, TextsError, Unsaid, load_texts, parse_texts
from fuzhengtong.kernel.due import Unit
from fuzhengtong.kernel.errors import AlreadyDone, Refused

TEXTS = load_texts(load.find_folder("texts"))
STATES = (
    *("draft", "received", "need_info", "accepted", "declined", "moved", "assigned", "working", "objecting"),
    *("designating", "review", "visiting", "redo", "on_account", "closed", "merged", "withdrawn", "ended", "archived"),
)
POSTS = (
    *("dispatcher", "handler", "head", "reviewer", "visitor", "supervisor", "chief_clerk", "agent", "window_clerk"),
    *("grid_worker", "duty", "analyst", "system_admin", "security_admin", "audit_admin"),
)
REFUSALS = ("refused", "not_now", "not_yours", "already_done", "wrong_number", "wrong_code", "too_many", "not_found")


def written(folder: Path, chinese: str, english: str) -> Path:
    (folder / "zh-Hans.toml").write_text(chinese, encoding="utf-8")
    (folder / "en.toml").write_text(english, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "key",
    [
        *(f"duty.{kind}" for kind in DUTY_KINDS),
        *(f"urgency.{urgency}" for urgency in URGENCIES),
        *(f"lane.{lane}" for lane in LANES),
        *(f"unit.{unit}" for unit in Unit),
        *(f"unit.{unit}.count" for unit in Unit),
        *(f"state.{state}" for state in STATES),
        *(f"post.{post}" for post in POSTS),
        *(f"refusal.{code}" for code in REFUSALS),
        *(f"refusal.{kind.code}" for kind in (Refused, AlreadyDone, NoEdition)),
    ],
)
def test_every_name_and_refusal_is_said_in_both_languages(key: str) -> None:
    TEXTS.check([key])

    chinese, english = (TEXTS.languages[lang][key].text for lang in LANGUAGES)
    assert any("\u4e00" <= char <= "\u9fff" for char in chinese)
    assert not any("\u4e00" <= char <= "\u9fff" for char in english)


@pytest.mark.parametrize(
    ("key", "chinese"),
    [
        ("duty.first_response", "首次联系"),
        ("urgency.critical", "特急"),
        ("lane.law_and_litigation", "涉法涉诉"),
        ("state.accepted", "已受理·待交办"),
        ("post.chief_clerk", "首席办事员"),
    ],
)
def test_the_words_are_those_of_the_glossary(key: str, chinese: str) -> None:
    assert TEXTS.say(key) == chinese


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_refusal_merely_says_that_something_failed(lang: str) -> None:
    for key in TEXTS.keys("refusal."):
        said = TEXTS.languages[lang][key].text
        assert "操作失败" not in said and len(said) >= 15
        assert said.endswith(("。", "."))


def test_facts_are_put_at_their_places() -> None:
    assert TEXTS.say("unit.working_days.count", n=3) == "3 个工作日"
    assert TEXTS.say("unit.working_days.count", "en", n=3) == "3 working days"
    assert TEXTS.say("refusal.no_edition", "en", asked="2020-01-01").count("2020-01-01") == 1


@pytest.mark.parametrize("wish", ["{{7*7}}", "{0.__class__}", "{asked}", "{n!r}", "%s", "{asked.__class__.__mro__}"])
def test_what_a_person_wrote_is_never_a_template(wish: str) -> None:
    said = TEXTS.say("refusal.no_edition", asked=wish)

    assert f"“{wish}”" in said


def test_a_fact_is_only_ever_shown_as_text() -> None:
    class Secret:
        token = "s3cret"

        def __str__(self) -> str:
            return "shown"

        def __format__(self, spec: str) -> str:
            return self.token

    said = TEXTS.say("refusal.no_edition", asked=Secret())

    assert "shown" in said and "s3cret" not in said


def test_a_fact_without_a_place_is_left_aside() -> None:
    assert TEXTS.say("refusal.not_now", step="accept", n=1) == TEXTS.say("refusal.not_now")


def test_a_missing_fact_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(Unsaid, match="needs asked"):
        TEXTS.say("refusal.no_edition")


def test_a_sentence_nobody_wrote_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(Unsaid, match=r"refusal\.because"):
        TEXTS.say("refusal.because")
    with pytest.raises(Unsaid):
        TEXTS.version("refusal.because")
    with pytest.raises(TextsError, match=r"refusal\.because"):
        TEXTS.check(["refusal.not_now", "refusal.because"])


def test_a_language_that_is_not_spoken_gets_simplified_chinese() -> None:
    assert TEXTS.say("urgency.urgent", "mn") == "紧急"


def test_a_sentence_that_a_language_lacks_is_said_in_simplified_chinese() -> None:
    texts = Texts({"zh-Hans": parse_texts(text='[a.b]\nv = 1\ntext = "一"\n', file="zh-Hans.toml"), "en": {}})

    assert texts.say("a.b", "en") == "一"
    with pytest.raises(TextsError, match=r"a\.b: found no en"):
        texts.check()


def test_a_sentence_has_a_version() -> None:
    assert TEXTS.version("refusal.not_now") >= 1


def test_an_entry_may_have_named_parts(tmp_path: Path) -> None:
    entry = '[step.accept]\nv = 3\nname = "{}"\nteller = "{} {{n}}"\ntext = "{}"\n'
    texts = load_texts(
        written(tmp_path, entry.format("受理", "已受理", "受理了"), entry.format("Accept", "Taken up", "Ok"))
    )

    assert texts.say("step.accept") == "受理了"
    assert texts.say("step.accept.name") == "受理"
    assert texts.say("step.accept.teller", "en", n=2) == "Taken up 2"
    assert texts.version("step.accept.teller") == 3
    assert texts.keys("step.") == ("step.accept.name", "step.accept.teller", "step.accept")


def test_a_table_named_like_the_version_is_still_a_table() -> None:
    assert tuple(parse_texts(text='[a.v]\nv = 1\ntext = "甲"\n', file="x.toml")) == ("a.v",)


@pytest.mark.parametrize(
    ("english", "line", "key", "found", "allowed"),
    [
        ('[a]\nb = { v = 1, text = "one {n}" }\n', 3, "a.c", "no en", "every language"),
        (
            '[a]\nb = { v = 1, text = "one {n}" }\nc = { v = 1, text = "two" }\nd = { v = 1, text = "three" }\n',
            4,
            "a.d",
            "only en",
            "zh-Hans too",
        ),
        ('[a]\nb = { v = 2, text = "one {n}" }\nc = { v = 1, text = "two" }\n', 2, "a.b", "version 2", "version 1"),
        ('[a]\nb = { v = 1, text = "one {m}" }\nc = { v = 1, text = "two" }\n', 2, "a.b", "{m}", "the places {n}"),
        ('[a]\nb = { v = 1, text = "one" }\nc = { v = 1, text = "two" }\n', 2, "a.b", "no place", "the places {n}"),
    ],
)
def test_the_languages_must_say_the_same(
    tmp_path: Path, english: str, line: int, key: str, found: str, allowed: str
) -> None:
    folder = written(tmp_path, '[a]\nb = { v = 1, text = "一{n}" }\nc = { v = 1, text = "二" }\n', english)

    with pytest.raises(TextsError) as caught:
        load_texts(folder)

    assert (caught.value.line, caught.value.key) == (line, key)
    assert (caught.value.found, caught.value.allowed) == (found, allowed)


@pytest.mark.parametrize(
    ("text", "line", "key", "allowed"),
    [
        ('[a]\n\nb = "bare"\n', 3, "a.b", "a table with a version"),
        ('[a.b]\ntext = "no version"\n', 2, "a.b.text", "a table with a version"),
        ('[a.b]\nv = 0\ntext = "x"\n', 2, "a.b.v", "a version from 1 on"),
        ('[a.b]\nv = true\ntext = "x"\n', 2, "a.b.v", "a version from 1 on"),
        ("\n[a.b]\nv = 1\n", 2, "a.b", "'text' or named parts"),
        ('[a.b]\nv = 1\ntext = ""\n', 3, "a.b.text", "a text that is not empty"),
        ("[a.b]\nv = 1\ntext = 7\n", 3, "a.b.text", "a text that is not empty"),
        ('[a.b]\nv = 1\ntext = "{0}"\n', 3, "a.b.text", "places such as {name}"),
        ('[a.b]\nv = 1\ntext = "{n.__class__}"\n', 3, "a.b.text", "places such as {name}"),
        ('[a.b]\nv = 1\ntext = "{n[0]}"\n', 3, "a.b.text", "places such as {name}"),
        ('[a.b]\nv = 1\ntext = "{n!r:>10}"\n', 3, "a.b.text", "places such as {name}"),
        ('[a.b]\nv = 1\ntext = "{{n}}"\n', 3, "a.b.text", "places such as {name}"),
        ('[a.b]\nv = 1\ntext = "{Name}"\n', 3, "a.b.text", "places such as {name}"),
        ('[a.b]\nv = 1\ntext = "lone }"\n', 3, "a.b.text", "places such as {name}"),
        ('[a.b]\nv = 1\ntext = "x"\ntext = "y"\n', 4, "a.b.text", "TOML 1.0"),
    ],
)
def test_a_faulty_sentence_is_refused_at_its_line(text: str, line: int, key: str, allowed: str) -> None:
    with pytest.raises(TextsError) as caught:
        parse_texts(text=text, file="texts/en.toml")

    assert (caught.value.file, caught.value.line, caught.value.key) == ("texts/en.toml", line, key)
    assert allowed in caught.value.allowed


def test_a_missing_language_is_refused(tmp_path: Path) -> None:
    (tmp_path / "zh-Hans.toml").write_text('[a]\nb = { v = 1, text = "一" }\n', encoding="utf-8")

    with pytest.raises(TextsError, match=r"en\.toml: found no such file"):
        load_texts(tmp_path)
