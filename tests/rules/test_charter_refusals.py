"""A charter file with any fault is refused with the file, the line, the key, what was found and what is allowed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fuzhengtong.charter import load
from fuzhengtong.charter.editions import CharterError

FOUNDING = (load.find_folder("charters/fuxin") / "2022-10.toml").read_text(encoding="utf-8")
ANYWHERE = ""


def broken(section: str, old: str, new: str) -> tuple[str, int]:
    """Replace the first `old` after a section's header; return the text and the line on which it stood."""
    begins = FOUNDING.index(f"\n{section}\n") + 1 if section else 0
    at = FOUNDING.index(old, begins)
    return FOUNDING[:at] + new + FOUNDING[at + len(old) :], FOUNDING.count("\n", 0, at) + 1


def refused(text: str, file: str = "charters/fuxin/2022-10.toml") -> CharterError:
    with pytest.raises(CharterError) as caught:
        load.parse_edition(text=text, file=file)
    return caught.value


def test_the_unbroken_text_is_accepted() -> None:
    assert load.parse_edition(text=FOUNDING, file="charters/fuxin/2022-10.toml").edition == "2022-10"


@pytest.mark.parametrize(
    ("section", "old", "new", "key", "found", "allowed"),
    [
        # unknown keys
        (ANYWHERE, 'letters = "FX"', 'letter = "FX"', "letter", "unknown key 'letter'", "edition, city"),
        ("[terms.accept]", "length = 1", "lenght = 1", "terms.accept.lenght", "unknown key", "length, unit, starts"),
        ("[terms.sign]", "[terms.sign]", "[terms.signn]", "terms.signn", "unknown key", "sign"),
        ("[rates]", "call_per_key", "call_per_kex", "rates.call_per_kex", "unknown key", "call_per_key"),
        # wrong units
        (
            "[terms.accept]",
            '"working_days"',
            '"workdays"',
            "terms.accept.unit",
            "'workdays'",
            "wall_minutes, wall_hours",
        ),
        ("[terms.finish]", '"working_days"', '"working_hours"', "terms.finish.unit", "'working_hours'", "working_days"),
        (
            "[terms.sign.critical]",
            '"wall_minutes"',
            '"working_hours"',
            "terms.sign.critical.unit",
            "hours",
            "wall_hours",
        ),
        (
            "[terms.redo.urgent]",
            '"wall_hours"',
            '"working_days"',
            "terms.redo.urgent.unit",
            "working_days",
            "wall_minutes",
        ),
        ("[objection]", '"working_days"', '"days"', "objection.within.unit", "'days'", "working_days"),
        (
            "[rates]",
            '"wall_hours"',
            '"working_days"',
            "rates.appeal_per_address.unit",
            "'working_days'",
            "calendar_days",
        ),
        # wrong types and lengths
        ("[terms.accept]", "length = 1", "length = -1", "terms.accept.length", "-1", "a whole number from 1"),
        ("[terms.accept]", "length = 1", "length = 0", "terms.accept.length", "0", "a whole number from 1"),
        ("[terms.accept]", "length = 1", "length = 1.5", "terms.accept.length", "1.5", "a whole number from 1"),
        ("[terms.accept]", "length = 1", "length = true", "terms.accept.length", "true", "a whole number from 1"),
        ("[terms.accept]", "length = 1", 'length = "1"', "terms.accept.length", "'1'", "a whole number from 1"),
        ("[need_info]", "reminders = 3", "reminders = -3", "need_info.reminders", "-3", "from 0"),
        ("[visits]", "different_days = true", "different_days = 1", "visits.different_days", "1", "true or false"),
        (
            "[visits]",
            "by_handling_office = false",
            "by_handling_office = []",
            "visits.by_handling_office",
            "a list",
            "true",
        ),
        ("[redo]", "= 0.5", "= 1.5", "redo.dissatisfied_share", "1.5", "a number from 0 to 1"),
        ("[redo]", "= 0.5", f"= 1{'0' * 400}", "redo.dissatisfied_share", "1000", "a number from 0 to 1"),
        ("[redo]", "= 0.5", "= nan", "redo.dissatisfied_share", "nan", "a number from 0 to 1"),
        (
            "[redo]",
            "then_supervision_level = 2",
            "then_supervision_level = 4",
            "redo.then_supervision_level",
            "4",
            "0 to 3",
        ),
        ("[grants]", "1_000_000", "inf", "grants.direct_up_to_fen", "inf", "a whole number from 1"),
        (ANYWHERE, 'name = "阜新市"', 'name = " "', "name", "' '", "a text that is not empty"),
        (ANYWHERE, 'letters = "FX"', "letters = { a = 1 }", "letters", "a table", "a text that is not empty"),
        (ANYWHERE, 'letters = "FX"', 'letters = "fx1"', "letters", "'fx1'", "two capital letters"),
        ("[automatic]", "decline = false", "decline = true", "automatic.decline", "true", "false"),
        (
            "[automatic]",
            '["ordinary", "urgent", "critical"]',
            '["ordinary", "soon"]',
            "automatic.accept_and_assign[1]",
            "'soon'",
            "critical, urgent",
        ),
        (
            "[sheet]",
            '"hard", "group"',
            '"hard", "hard"',
            "sheet.instruction_for[1]",
            "'hard' a second time",
            "each once",
        ),
        ("[grants]", '["matter", "place", "payee"]', '"matter"', "grants.splitting_by", "'matter'", "a list"),
        ("[quiet]", '"21:00"', '"9 pm"', "quiet.begins", "'9 pm'", 'a time such as "08:30"'),
        ("[quiet]", '"21:00"', '"24:00"', "quiet.begins", "'24:00'", 'a time such as "08:30"'),
        ("[on_account]", "signatures = 2", "signatures = 1", "on_account.signatures", "1", "from 2"),
        ("[number]", "query_code_bits = 128", "query_code_bits = 80", "number.query_code_bits", "80", "from 128"),
        # the ladder
        ('by = "county_centre"', "level = 2", "level = 1", "supervision.ladder[2].level", "1", "0, 3, 2, 1"),
        ('by = "handler_and_head"', "after = 1", "after = 0", "supervision.ladder[1].after", "0", "more than 0"),
        ('by = "county_centre"', "after = 2", "after = 1", "supervision.ladder[2].after", "1", "more than 1"),
        (
            'by = "county_centre"',
            '"working_days"',
            '"wall_hours"',
            "supervision.ladder[2].unit",
            "wall_hours",
            "working_days",
        ),
        ('by = "county_centre"', '"city_centre"', '"mayor"', "supervision.ladder[2].by", "'mayor'", "chief_clerk"),
        ('by = "county_centre"', "after = 2", "after = -2", "supervision.ladder[2].after", "-2", "from 0"),
        # dates, names, clock
        (ANYWHERE, "2022-10-01\n", '"2022-10-01"\n', "active_from", "'2022-10-01'", "a date such as"),
        (ANYWHERE, "2022-10-01\n", "2022-10-01T08:00:00\n", "active_from", "2022-10-01T08:00:00", "a date such as"),
        (ANYWHERE, "2022-10-01\n", "2022-09-30\n", "active_from", "2022-09-30", "from 2022-10-01 on"),
        (ANYWHERE, '"2022-10"', '"2022-11"', "edition", "'2022-11'", "'2022-10'"),
        ("[clock]", '"Asia/Shanghai"', '"Asia/Fuxin"', "clock.zone", "'Asia/Fuxin'", "Asia/Shanghai"),
        ("[clock]", '"Asia/Shanghai"', '"../etc"', "clock.zone", "'../etc'", "Asia/Shanghai"),
        ("[clock]", 'opens = "13:00"', 'opens = "12:00"', "clock.hours[1]", "12:00 to 17:00", "in order"),
        (
            "[clock]",
            'closes = "12:00"',
            'closes = "08:00"',
            "clock.hours[0]",
            "08:30 to 08:00",
            "opening before it closes",
        ),
        ("[clock]", 'day_end = "24:00"', 'day_end = "12:00"', "clock.day_end", "'12:00'", "24:00, or the close"),
        ("[clock]", 'day_end = "24:00"', 'day_end = "25:00"', "clock.day_end", "'25:00'", "a time such as"),
        # sums and pairs
        ("[scores]", "[scores]\nresponse = 30", "[scores]\nresponse = 31", "scores", "add up to 101", "add up to 100"),
        ("[reminder]", "share = 0.75", "share = 1", "reminder.share", "1.0", "between 0 and 1"),
        ("[extension]", "length = 3", "length = 11", "extension.centre_up_to.length", "11", "at most 10"),
        (
            "[extension]",
            'length = 3, unit = "working',
            'length = 3, unit = "calendar',
            "extension.centre_up_to.unit",
            "cal",
            "work",
        ),
        ("[uploads]", "bytes_total = 104_857_600", "bytes_total = 9", "uploads.bytes_total", "9", "at least 20971520"),
        # laws, contacts and words
        (ANYWHERE, 'category = "S08"', 'category = "S8"', "statutory[1].category", "'S8'", "a category such as S09"),
        (
            ANYWHERE,
            'category = "S08"',
            'category = "S09"',
            "statutory[1].category",
            "'S09' a second time",
            "each category once",
        ),
        (
            ANYWHERE,
            'kind = "police"',
            'kind = "hotline"',
            "contacts[3].kind",
            "'hotline' a second time",
            "each kind once",
        ),
        ("[redlines]", '"不想活"', '"死"', "redlines.critical[", "'死'", "two characters"),
        (
            "[redlines.discipline]",
            '"收…好处"',
            '"收…"',
            "redlines.discipline.misconduct[",
            "'收…'",
            "gaps inside it only",
        ),
        ("[redlines.discipline]", "distance = 15", "distance = 600", "redlines.discipline.distance", "600", "0 to 60"),
        (
            "[redlines]",
            'simplified = """\\\n丢',
            'simplified = """\\\n丢丢',
            "redlines.simplified",
            "characters",
            "one for each",
        ),
    ],
)
def test_a_fault_is_refused_at_its_line(section: str, old: str, new: str, key: str, found: str, allowed: str) -> None:
    text, line = broken(section, old, new)

    error = refused(text)

    assert error.line == line
    assert error.key.startswith(key)
    assert found in error.found
    assert allowed in error.allowed
    assert str(error).startswith(f"charters/fuxin/2022-10.toml:{line}: {error.key}: found ")


@pytest.mark.parametrize(
    ("section", "gone", "key", "header"),
    [
        ("[terms.accept]", "length = 1\n", "terms.accept.length", "[terms.accept]"),
        ("[terms.accept]", "source = ", "terms.accept.source", "[terms.accept]"),
        ("[objection]", "consultation_from = 2\n", "objection.consultation_from", "[objection]"),
        ("[lawful_route]", 'phone = "12388"\n', "lawful_route.phone", "[lawful_route]"),
        ("[redlines.discipline]", "distance_back = 4\n", "redlines.discipline.distance_back", "[redlines.discipline]"),
    ],
)
def test_a_missing_key_is_refused_at_its_table(section: str, gone: str, key: str, header: str) -> None:
    at = FOUNDING.index(gone, FOUNDING.index(f"\n{section}\n"))
    ends = FOUNDING.find("\n", at)
    text = FOUNDING[:at] + FOUNDING[ends + 1 :]

    error = refused(text)

    assert (error.key, error.found) == (key, "nothing: the rule is missing")
    assert text.splitlines()[error.line - 1] == header


def without(section: str) -> str:
    """Take a whole section out, with the tables of the same name under it."""
    return re.sub(rf"(?ms)^\[{re.escape(section)}[\].].*?(?=^\[(?!{re.escape(section)}\.)|\Z)", "", FOUNDING)


@pytest.mark.parametrize(
    ("section", "key"),
    [("grants", "grants"), ("redlines", "redlines"), ("terms.hard_visit", "terms.hard_visit"), ("quiet", "quiet")],
)
def test_a_missing_rule_is_refused(section: str, key: str) -> None:
    error = refused(without(section))

    assert (error.key, error.found) == (key, "nothing: the rule is missing")
    assert error.line >= 1


def test_a_duty_that_is_promised_for_some_urgencies_only_is_refused() -> None:
    at = FOUNDING.index("[terms.accept]\n")
    text = FOUNDING[:at] + FOUNDING[FOUNDING.index("[terms.accept.urgent]") :]

    error = refused(text)

    assert (error.key, error.found) == ("terms.accept", "no term for ordinary matters")
    assert "[terms.accept.ordinary]" in error.allowed


@pytest.mark.parametrize(
    ("old", "new", "key", "found"),
    [
        ("[terms.sheet]\nlength = 2", "[terms]\nsheet = 2 #", "terms.sheet", "2"),
        ("[text]\ncharacters = 10_000\n", "[[text]]\ncharacters = 10_000\n", "text", "a list"),
        ("[desk]\n", "[[desk]]\n", "desk", "a list"),
    ],
)
def test_a_rule_of_the_wrong_shape_is_refused(old: str, new: str, key: str, found: str) -> None:
    text = without("terms.sheet") + "\n[terms]\nsheet = 2\n" if key == "terms.sheet" else FOUNDING.replace(old, new)

    error = refused(text)

    assert (error.key, error.found, error.allowed) == (key, found, "a table")


@pytest.mark.parametrize("section", ["clock", "terms", "statutory"])
def test_a_section_that_is_a_mere_word_is_refused(section: str) -> None:
    text = f'{section} = "none"\n' + re.sub(rf"(?ms)^\[+{section}[\].].*?(?=^\[(?!\[?{section})|\Z)", "", FOUNDING)

    error = refused(text)

    assert (error.line, error.key, error.found) == (1, section, "'none'")


def test_empty_lists_are_no_rules() -> None:
    no_hours, line = broken(
        "[clock]", FOUNDING[FOUNDING.index("hours = [") : FOUNDING.index("\nday_end")], "hours = []"
    )
    no_rungs = re.sub(r"(?ms)^\[\[supervision\.ladder\]\].*?(?=^# -)", "", FOUNDING).replace(
        "[supervision]\n", "[supervision]\nladder = []\n"
    )
    no_words, words_line = broken(
        "[redlines.discipline]",
        FOUNDING[FOUNDING.index("standalone = [") : FOUNDING.rindex("unless_between = ")],
        "standalone = []\n",
    )

    assert (refused(no_hours).key, refused(no_hours).line) == ("clock.hours", line)
    assert refused(no_rungs).key == "supervision.ladder"
    assert (refused(no_words).key, refused(no_words).line) == ("redlines.discipline.standalone", words_line)


@pytest.mark.parametrize(
    ("section", "old", "new", "below", "key", "found"),
    [
        (ANYWHERE, "2022-10-01\n", "2022-13-01\n", 0, "active_from", "in 'active_from = 2022-13-01'"),
        (
            ANYWHERE,
            "2022-10-01\n",
            "2022-02-30\n",
            0,
            "active_from",
            "invalid date or datetime in 'active_from = 2022-02-30'",
        ),
        ("[terms.accept]", "length = 1", "length = ", 0, "terms.accept.length", "invalid value in 'length ='"),
        ("[terms.accept]", "length = 1\n", "length = 1\nlength = 2\n", 1, "terms.accept.length", "in 'length = 2'"),
        ("[terms.assign]", "[terms.assign]", "[terms.assign", 0, "terms.assign", "in '[terms.assign'"),
    ],
)
def test_a_text_that_is_no_toml_is_refused_at_its_line(
    section: str, old: str, new: str, below: int, key: str, found: str
) -> None:
    text, line = broken(section, old, new)

    error = refused(text)

    assert (error.line, error.key, error.allowed) == (line + below, key, "TOML 1.0")
    assert error.found.endswith(found)


def test_a_text_that_ends_too_early_is_refused_at_its_end() -> None:
    text = FOUNDING + "last = "

    error = refused(text)

    assert (error.line, error.key) == (text.count("\n") + 1, "redlines.discipline.last")


@pytest.mark.parametrize("name", ["founding.toml", "2022-13.toml", "22-10.toml", "2022-10-01.toml"])
def test_a_file_is_named_by_year_and_month(name: str) -> None:
    error = refused(FOUNDING, file=f"charters/fuxin/{name}")

    assert "YYYY-MM" in error.allowed
    assert str(error).startswith(f"charters/fuxin/{name}: found the file name")


def test_bytes_that_are_not_utf8_are_refused_at_their_line(tmp_path: Path) -> None:
    (tmp_path / "2022-10.toml").write_bytes('edition = "2022-10"\nname = "阜新"\n'.encode("gb18030"))

    with pytest.raises(CharterError) as caught:
        load.load_charters(tmp_path)

    assert (caught.value.line, caught.value.allowed) == (2, "UTF-8")
