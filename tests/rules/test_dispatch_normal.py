import pytest

from fuzhengtong.dispatch import normal


@pytest.mark.parametrize(
    ("written", "even"),
    [
        ("長營子鎮大崗崗村", "长营子镇大岗岗村"),
        ("海州區於寺鎮", "海州区于寺镇"),
        ("１６度ＫＴＶ", "16度ktv"),
        ("新邱区 长营子镇\u3000大岗岗村", "新邱区长营子镇大岗岗村"),
        ("海力板村三组", "海力板村3组"),
        ("二号楼一单元五〇二室", "2号楼1单元502室"),
        ("才十五度，二十度都没有", "才15度,20度都没有"),
        ("一百零三号", "103号"),
        ("三百二十号", "320号"),
    ],
)
def test_a_text_is_evened_out(written, even):
    assert normal.normalise(written).text == even


@pytest.mark.parametrize(
    "written", ["二门得力村", "三一八社区", "八楼子村", "四合城镇", "七八度", "百度上说", "一百一度"]
)
def test_numerals_that_are_names_or_no_plain_number_stay(written):
    assert normal.normalise(written).text == written


def test_the_end_of_a_line_stays_a_pause():
    assert normal.normalise("停水\n得力村").text == "停水\n得力村"


def test_found_words_point_at_what_the_teller_wrote():
    even = normal.normalise("我家在 長營子鎮　一百零三号 院")

    start = even.text.index("长营子镇")
    number = even.text.index("103号")

    assert even.word(start, start + 4) == normal.Word("長營子鎮", 4, 8, "text")
    assert even.word(number, number + 4).text == "一百零三号"


def test_a_word_before_a_dropped_space_ends_before_the_space():
    even = normal.normalise("大巴镇 的路", source="address")

    assert even.word(0, 3) == normal.Word("大巴镇", 0, 3, "address")


def test_every_character_of_a_long_dirty_text_points_at_itself():
    written = "　海 州區\u200b十二號樓，ＡＢ　第三組\r\n停電了" * 20
    even = normal.normalise(written)

    kept = [written[even.at[i]] for i, character in enumerate(even.text) if character not in "0123456789"]

    assert [normal.normalise(character).text for character in kept] == [c for c in even.text if not c.isdigit()]
    assert len(even.at) == len(even.text) + 1


def test_the_longest_of_overlapping_words_is_found():
    finder = normal.Finder(["他本扎兰", "扎兰营子镇", "平安", "平安地镇", "坑"])

    assert finder.find("他本扎兰营子镇平安地镇坑坑") == [(2, 7), (7, 11), (11, 12), (12, 13)]


def test_a_word_is_not_found_past_the_end():
    assert normal.Finder(["停水了"]).find("停水") == []


def test_a_page_of_one_character_is_read_like_any_other():
    assert normal.Finder(["哈哈", "哈哈哈"]).find("哈" * 10_000)[:2] == [(0, 3), (3, 6)]


def test_blanked_intervals_keep_every_position():
    even = normal.normalise("细河区的细河臭了")

    assert even.without([(0, 3), (1, 3)]) == "\n\n\n的细河臭了"
