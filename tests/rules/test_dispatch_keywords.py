import pytest

from fuzhengtong.dispatch import keywords, normal

from . import dispatch_city as city


def classified(text, names=()):
    return city.made_lexicon().classify(normal.normalise(text), names=names)


def test_the_deciding_words_are_shown_as_the_teller_wrote_them():
    found = classified("我家暖氣不熱，屋裡冷")

    assert found.code == "C01"
    assert [word.text for word in found.reasons[0].words] == ["不熱", "屋裡冷"]
    assert found.reasons[0].params == {"code": "C01", "name": "室温不达标"}


def test_lane_and_default_urgency_come_from_the_category():
    found = classified("楼道里有煤气味，怕是漏气")

    assert (found.code, found.lane, found.urgency) == ("D06", "emergency", "critical")


def test_a_longer_word_hides_the_shorter_one_inside_it():
    assert classified("屋里有煤气味").code == "D06"
    assert classified("煤气还没通气").code == "D05"


def test_a_word_of_several_categories_weighs_less_than_its_own():
    shared, own = classified("医院乱收费"), classified("医院检查费")

    assert own.code == "J02"
    assert shared.confidence < own.confidence


def test_the_runner_up_is_named():
    found = classified("邻居和我为房产证的事吵架闹纠纷")

    assert (found.code, found.second) == ("S01", "A01")


@pytest.mark.parametrize("text", ["邻居和我为房产证的事吵架闹纠纷", "房产证和产权，还有公园枯树修剪", "乱收费，屋里冷"])
def test_the_runner_up_is_never_surer_than_the_first(text):
    found = classified(text)

    assert found.second is not None
    assert 0 < found.second_confidence <= found.confidence
    assert found.second_confidence + found.confidence <= 1


def test_where_nothing_runs_up_there_is_no_score_of_it():
    assert classified("啊").second_confidence is None


def test_more_margin_is_more_confidence():
    alone, contested = classified("房产证和产权"), classified("房产证和产权，还有公园枯树修剪")

    assert alone.code == contested.code or contested.code == "E07"
    assert contested.confidence < alone.confidence <= 1.0


def test_a_long_story_needs_more_words_to_be_sure():
    told = classified("房产证办不下来")
    story = classified("房产证办不下来。" + "那天我们几个人一起去了，等了很久。" * 60)

    assert story.code == told.code
    assert story.confidence < told.confidence


def test_saying_a_word_again_adds_little():
    assert classified("邻居邻居邻居邻居，房产证和产权").code == "A01"


@pytest.mark.parametrize("text", ["", "。。。", "在吗有人吗", "您好，请问"])
def test_nothing_recognised_is_an_answer(text):
    found = classified(text)

    assert (found.code, found.confidence) == (None, 0.0)
    assert [reason.kind for reason in found.reasons] == ["category_none"]


def test_names_of_places_do_not_count():
    assert classified("公园社区").code == "E07"
    assert classified("公园社区", names=((0, 4),)).code is None


@pytest.mark.parametrize(
    "text", ["房产证的事，谢谢领导！", "尊敬的领导您好，房产证的事，非常感谢。", "房产证的事先谢谢了"]
)
def test_courtesy_is_no_matter(text):
    assert classified(text).code == "A01"


def test_thanks_for_somebody_are_a_matter():
    assert classified("我要表扬网格员，感谢他送我妈回家，想送锦旗").code == "T07"


def test_what_is_denied_does_not_count():
    assert classified("不是邻居的事，是房产证").code == "A01"
    assert classified("是不是漏气了").code == "D06"


def test_what_people_say_of_anything_decides_only_alone():
    assert classified("我建议房产证应该快点办").code == "A01"
    assert classified("我建议应该多听听").code == "T06"


def test_spoken_numbers_meet_written_ones():
    lexicon = keywords.Lexicon.build([keywords.Category("C01", "室温不达标", "ordinary", "urgent", ("才15度",))])

    assert lexicon.classify(normal.normalise("屋里才十五度")).code == "C01"


def test_the_order_of_the_categories_does_not_matter():
    forward = keywords.Lexicon.build(city.made_categories())
    backward = keywords.Lexicon.build(reversed(city.made_categories()))

    for text in ("医院乱收费又涨价", "邻居养狗，公园枯树", "煤气"):
        even = normal.normalise(text)
        assert forward.classify(even) == backward.classify(even)


def test_no_categories_recognise_nothing():
    assert keywords.Lexicon.build([]).classify(normal.normalise("停水")).code is None
