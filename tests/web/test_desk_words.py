"""Times and lengths as templates say them: in the language of the page, one of a thing in the singular."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import translation

from fuzhengtong.kernel.due import Unit
from fuzhengtong.web.desk import lines, shown
from fuzhengtong.web.templatetags import say

# 22 November 2026, 14:03 and 24:00 in the city.
AFTERNOON = datetime(2026, 11, 22, 6, 3, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lang", "clock", "ends"),
    [
        ("zh-hans", "11 月 22 日 14:03", "11 月 22 日 24:00"),
        ("en", "22 Nov, 14:03", "22 Nov, 24:00"),
        ("en-gb", "22 Nov, 14:03", "22 Nov, 24:00"),
    ],
)
def test_an_instant_is_said_in_the_language_of_the_page(lang: str, clock: str, ends: str) -> None:
    with translation.override(lang):
        said = [say.clock(AFTERNOON), say.due(MIDNIGHT), say.due(AFTERNOON)]

    assert [one.replace("\xa0", " ") for one in said] == [clock, ends, clock]


def test_midnight_that_ends_nothing_begins_the_next_day() -> None:
    with translation.override("zh-hans"):
        assert say.clock(MIDNIGHT).replace("\xa0", " ") == "11 月 23 日 00:00"


def test_no_instant_says_nothing() -> None:
    assert [say.clock(None), say.due(None), say.stamp(None), say.full_stamp(None)] == [""] * 4


def test_a_table_that_goes_back_for_years_names_the_year() -> None:
    assert say.full_stamp(AFTERNOON) == "2026-11-22 14:03"


@pytest.mark.parametrize("unit", Unit)
def test_one_of_a_unit_is_singular_in_english_and_several_are_plural(unit: Unit) -> None:
    one, several = shown.counted(1, unit, "en"), shown.counted(3, unit, "en")

    assert one.startswith("1 ") and several.startswith("3 ")
    assert one[2:].split(",")[0] + "s" == several[2:].split(",")[0]
    assert "(" not in one + several


def test_a_number_and_its_chinese_unit_stand_apart_as_on_every_page() -> None:
    said = [shown.counted(4, Unit.WORKING_HOURS, "zh-Hans"), shown.counted(7, Unit.WORKING_DAYS, "zh-Hans")]

    assert said == ["4 个工作小时", "7 个工作日"]


def test_a_word_told_again_and_again_is_named_once_in_a_reason() -> None:
    told = {"kind": "category_words", "words": ["路灯", "不亮", "路灯", "路灯"], "params": {"name": "路灯照明"}}

    found = lines.why({"reasons": [told]}, "zh-Hans", kinds=("category",))

    assert [one.words for one in found] == ["路灯、不亮"]


@pytest.mark.parametrize("unit", Unit)
def test_chinese_counts_without_a_plural(unit: Unit) -> None:
    assert shown.counted(1, unit, "zh-Hans")[1:] == shown.counted(3, unit, "zh-Hans")[1:]
