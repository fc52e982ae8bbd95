"""Masks: what is hidden stays hidden, what is no secret stays readable. All people and numbers are made."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzhengtong.kernel import masks

MOBILE = "13800000001"
FULL_WIDTH = "１３８" + "０" * 7 + "１"
IDENTITY = "210902190001010011"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王小明", "王＊＊"),
        ("王明", "王＊＊"),
        (" 王小明 ", "王＊＊"),
        ("欧阳小明", "欧＊＊"),
        ("欧阳", "欧＊＊"),
        ("王", "王＊＊"),
        ("", ""),
        ("   ", ""),
        ("ᠪᠠᠲᠤ", "ᠪ＊＊"),
        ("Wang Xiaoming", "W＊＊"),
    ],
)
def test_a_name_shows_its_first_sign_and_always_two_stars(name: str, shown: str) -> None:
    assert masks.mask_name(name) == shown


@given(st.text(min_size=1).filter(str.strip))
def test_a_masked_name_tells_nothing_of_its_length(name: str) -> None:
    assert len(masks.mask_name(name)) == 3


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13800000926", "138＊＊＊＊0926"),
        ("+86 138-0000-0926", "138＊＊＊＊0926"),
        ("0418-0000127", "0418＊＊＊0127"),
        ("(024)00000127", "024＊＊＊＊0127"),
        ("010 0000 0127", "010＊＊＊＊0127"),
        ("1380000092", "＊＊＊＊"),
        ("王小明", "＊＊＊＊"),
        ("", "＊＊＊＊"),
    ],
)
def test_a_phone_shows_its_beginning_and_its_last_four_digits(phone: str, shown: str) -> None:
    assert masks.mask_phone(phone) == shown


@pytest.mark.parametrize(
    "typed",
    [
        "13800000001",
        "+8613800000001",
        "+86 138 0000 0001",
        "0086-138-0000-0001",
        "8613800000001",
        "013800000001",
        "138 0000 0001",
        "138-0000-0001",
        "138—0000—0001",
        "138.0000.0001",
        FULL_WIDTH,
        "\u200b138\u300000000001\n",
    ],
)
def test_a_mobile_is_read_however_it_is_written(typed: str) -> None:
    assert masks.normal_phone(typed) == "13800000001"


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("0418-8200001", "04188200001"),
        ("(0418) 820 0001", "04188200001"),
        ("（0418）8200001", "04188200001"),
        ("+86 418 8200001", "04188200001"),
        ("+86 0418 8200001", "04188200001"),
        ("8200001", "04188200001"),
        ("820-0001", "04188200001"),
        ("024-82000001", "02482000001"),
        ("010-82000001", "01082000001"),
    ],
)
def test_a_landline_is_read_with_its_area_code(typed: str, normal: str) -> None:
    assert masks.normal_phone(typed) == normal


def test_a_bare_local_number_gets_the_area_code_of_the_city() -> None:
    assert masks.normal_phone("82000001", area_code="024") == "02482000001"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "12345",
        "110",
        "23800000001",
        "1380000001",
        "138000000012",
        "12800000001",
        "+1 415 000 0001",
        "+852 0000 0001",
        "+86 820 0001",
        "010-8200001",
        "13800000001 13900000001",
        "13800000001转2",
        "一二三",
        "1380000000x",
        "1" * 10_000,
    ],
)
def test_what_is_no_phone_is_none(typed: str) -> None:
    assert masks.normal_phone(typed) is None


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60))
def test_a_normal_phone_is_its_own_normal_form(text: str) -> None:
    normal = masks.normal_phone(text)

    assert normal is None or masks.normal_phone(normal) == normal


SECRETS = [
    MOBILE,
    "138-0000-0001",
    "138 0000 0001",
    "138  0000  0001",
    "1380000 0001",
    "138.0000.0001",
    "138·0000·0001",
    "138—0000—0001",
    "1 3 8 0 0 0 0 0 0 0 1",
    "+8613800000001",
    "+86 138 0000 0001",
    "0086-13800000001",
    "013800000001",
    FULL_WIDTH,
    "138\u200b0000\u200b0001",
    "一三八〇〇〇〇〇〇〇一",
    "幺三八零零零零零零零幺",
    "一三八0000零零零一",
    "138000000011",
    "0418-8200001",
    "04188200001",
    "(0418)8200001",
    "（0418）820 0001",
    "024-82000001",
    "+86 418 8200001",
    IDENTITY,
    "21090219000101001X",
    "21090219000101001x",
    "21090219000101001Ｘ",
    "210902 19000101 0011",
    "210902 19000101 001X",
    "210902-1900-0101-001 X",
    "210902000101001",
    "210902 000101 001",
    "6222000000000000001",
    "6222 0000 0000 0000 001",
    "6222-0000-0000-0001",
    "622200 0000000000001",
    "6 2 2 2 0 0 0 0 0 0 0 0 0 0 0 1",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("sentence", ["{}", "我叫他打{}这个号", "号是{}。", "第3次打 {} 没人接", "wx{}"])
def test_a_number_that_identifies_is_gone_however_it_is_written(secret: str, sentence: str) -> None:
    told = sentence.format(secret)

    shown = masks.redact(told)

    # A plus or a bracket before the first digit may stay: it tells nothing.
    assert re.sub("[+(（]", "", shown) == sentence.format(masks.GONE)


@pytest.mark.parametrize("told", ["电话8200001", "座机是 820-0001", "Tel: 8200001", "家里电话：820 0001，晚上在家"])
def test_a_local_number_is_gone_where_the_text_calls_it_a_phone(told: str) -> None:
    assert "0001" not in masks.redact(told)


@pytest.mark.parametrize(
    "told",
    [
        "2026年11月20日 19:26 停的电，到2026-11-21 08:30还没来",
        "新都小区 2 栋 3 单元 501，门前路面塌了 1.5 米",
        "14-2-301 冷，只有 16.5 度",
        "欠了 19 个人 216,000.00 元，去年 8200001 元",
        "编号 FX26112000310，也就是 FX26 1120 0031 0",
        "FX261120123456",
        "打 12345 和 110 都说管不了，96123 也打过",
        "一九九八年搬来，一二三四号楼都漏，第一百二十三天了",
        "邮编 123000，车位 2026112",
        "05-12 2026 0304 号窗口",
        "",
    ],
)
def test_what_identifies_nobody_stays(told: str) -> None:
    assert masks.redact(told) == told


def test_two_numbers_in_one_line_are_both_gone_and_the_words_between_stay() -> None:
    told = f"我 {MOBILE}，邻居 139-0000-0002，身份证 {IDENTITY}，2026-11-20 报的"

    assert masks.redact(told) == "我 ＊＊＊，邻居 ＊＊＊，身份证 ＊＊＊，2026-11-20 报的"


def test_a_date_before_a_phone_is_no_hiding_place() -> None:
    for date in ("2026-11-20", "19 20", "11.20", "3-2-501"):
        assert "0001" not in masks.redact(f"{date} {MOBILE}")
        assert "0001" not in masks.redact(f"{date} 138 0000 0001")


def test_known_names_are_gone_also_stretched_and_inside_longer_ones() -> None:
    told = "王小明和王明一起来的，签字：王　明、王 小 明"

    assert masks.redact(told, ["王明", "王小明", " 王小明 "]) == "＊＊＊和＊＊＊一起来的，签字：＊＊＊、＊＊＊"


def test_a_name_inside_a_longer_one_leaves_no_rest_of_it() -> None:
    assert masks.redact("王小明家的井", ["王小", "王小明"]) == "＊＊＊家的井"


def test_a_numeral_of_the_sentence_hides_no_number_that_follows() -> None:
    assert masks.redact("第一138-0000-0001") == "第一＊＊＊"


def test_a_name_of_one_sign_or_none_takes_no_words_with_it() -> None:
    assert masks.redact("王家的井", ["王", "", " "]) == "王家的井"


@settings(deadline=None, max_examples=200)
@given(
    st.text(alphabet="我在电话号0123456789 -—.第一二 \n，abX", max_size=30),
    st.text(alphabet="我在电话号，。第\nab", min_size=1, max_size=30),
)
def test_no_surrounding_text_saves_a_mobile(before: str, after: str) -> None:
    assert MOBILE not in masks.redact(f"{before}，{MOBILE}{after}")


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="一二三0123456789 -.X（）我电话\n", max_size=60))
def test_redacting_twice_hides_no_more_than_once(text: str) -> None:
    once = masks.redact(text)

    assert masks.redact(once) == once


@pytest.mark.parametrize(
    "hostile",
    ["1" * 50_000, "1 " * 25_000, "1 2-" * 12_500, "电话" * 25_000, "一" * 50_000, "138 " * 12_500, "1" + " " * 49_999],
)
def test_hostile_texts_cost_no_more_than_their_length(hostile: str) -> None:
    began = time.perf_counter()
    masks.redact(hostile)
    masks.normal_phone(hostile)

    # A quadratic pattern would need minutes; the bar leaves room for a busy machine.
    assert time.perf_counter() - began < 5
