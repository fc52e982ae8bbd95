import tomllib
from functools import cache
from pathlib import Path

from fuzhengtong.dispatch import rules
from fuzhengtong.dispatch.outlines import Outlines

from . import dispatch_city as city

CORPUS = tomllib.loads((Path(__file__).parent / "dispatch_tellings.toml").read_text(encoding="utf-8"))
RED_LINES = {kind: tuple(words) for kind, words in CORPUS["redlines"].items()}


@cache
def proposals():
    return [
        (
            telling,
            rules.propose(
                text=telling["text"],
                address=telling.get("address", ""),
                point=None,
                gazetteer=city.published_gazetteer(),
                words=city.published_lexicon(),
                outlines=Outlines.build([]),
                charter_redlines=RED_LINES,
            ),
        )
        for telling in CORPUS["telling"]
    ]


def place_of(proposal):
    return str(proposal.place.area_id) if proposal.place.status == "found" else proposal.place.status


def test_the_corpus_is_large_and_told_once():
    texts = [telling["text"] for telling in CORPUS["telling"]]

    assert len(set(texts)) == len(texts) >= 60


def test_every_place_is_found_or_left_open_as_a_person_would():
    wrong = [
        (told["text"], told["place"], place_of(got)) for told, got in proposals() if place_of(got) != told["place"]
    ]

    assert wrong == []


def test_a_place_that_must_be_asked_never_comes_out_found():
    guessed = [
        told["text"]
        for told, got in proposals()
        if told["place"] in ("ambiguous", "none") and (got.place.status == "found" or got.sure)
    ]

    assert guessed == []


def test_at_least_four_of_five_matters_are_recognised():
    right = [got.category.code == told["category"] for told, got in proposals()]

    assert sum(right) / len(right) >= 0.8


def test_what_the_reader_is_sure_of_is_right():
    sure = [got.category.code == told["category"] for told, got in proposals() if got.sure]

    assert len(sure) > len(proposals()) / 2
    assert sum(sure) / len(sure) >= 0.97


def test_every_emergency_is_critical():
    missed = [told["text"] for told, got in proposals() if told["urgency"] == "critical" and got.urgency != "critical"]

    assert missed == []


def test_urgency_is_seldom_above_what_a_person_would_say():
    above = [told["text"] for told, got in proposals() if told["urgency"] == "ordinary" and got.urgency == "critical"]

    assert above == []


def test_the_full_address_of_the_largest_county_is_no_matter_of_its_people():
    words = city.published_lexicon()
    known = city.published_gazetteer()

    def category(text):
        return rules.propose(
            text=text,
            address="",
            point=None,
            gazetteer=known,
            words=words,
            outlines=Outlines.build([]),
            charter_redlines={},
        ).category.code

    assert category("阜新蒙古族自治县佛寺镇八道岭村停水了，吃不上水") == "D01"
    assert category("二道河子蒙古族乡太平河村的房产证") == "A01"
    assert category("细河区玉龙街道民族社区的电梯坏了") == "B04"
    assert category("彰武镇公园社区快递丢件") == "D08"
    assert category("两家子镇小五喇叭村机井坏了，抗旱用不上") == "M07"
    assert category("阜新蒙古族自治县佛寺镇八道岭村") is None
    assert category("细河里有人偷排污水") == "F05"
