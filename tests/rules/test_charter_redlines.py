"""Red lines: what is a report about officials, what is danger, and what must stay an ordinary matter."""

from __future__ import annotations

from time import process_time

import pytest

from fuzhengtong.charter import load
from fuzhengtong.charter.redlines import KINDS, Discipline, Redlines

REDLINES = load.load_charters(load.find_folder("charters/fuxin")).edition("2022-10").redlines


@pytest.mark.parametrize(
    "text",
    [
        "举报村书记贪污低保款",
        "举报村书记\n贪污集体卖地款",
        "我们村的村长把低保都给亲戚了",
        "村主任虚报冒领种粮补贴",
        "村会计吃空饷好几年",
        "镇干部收了老板的钱才给批地",
        "局长收受开发商贿赂",
        "派出所民警收钱不办事",
        "村书记伙同开发商侵占集体土地",
        "窗口的干部吃拿卡要",
        "给镇长送红包才给办低保",
        "贪污的村书记没人敢惹",
        "公务员公款吃喝",
        "社区书记优亲厚友，好处都给自家人",
        "招标有人围标串标，请查",
        "村 书 记  贪 污",
        "村书记贪\u200b污",
        "舉報村書記貪汙",
        "村長把低保給親戚",
    ],
)
def test_a_report_about_officials_is_seen(text: str) -> None:
    assert REDLINES.found("discipline", text)


@pytest.mark.parametrize(
    "text",
    [
        "物业收钱不办事",
        "开发商贪钱，房子质量太差",
        "物业贪污维修基金，请社区书记管管",
        "物业收钱，村书记不管",
        "业委会主任收钱不公开",
        "包工头克扣工资，找了干部也没用",
        "老板行贿？不清楚，反正拖欠工资",
        "医生收红包",
        "老师收礼，校长不管",
        "我向镇干部反映物业乱收钱",
        "请书记管管邻居侵占公共楼道",
        "村书记不管有人偷树",
        "尊敬的书记您好，老板拖欠工资",
        "社区干部推诿扯皮，态度很差",
        "民警来了也没抓到偷电瓶的",
        "感谢村干部帮忙送来的救济粮",
        "建议干部多下村走走",
        "收费大厅收钱太慢，排队两小时",
        "村书记来过了。物业还是只收钱",
        "新邱区长营子镇大岗岗村收钱修路",
        "住建局长期不管，物业乱收钱",
        "厕所长期没人打扫",
        "总书记反腐败讲得好，我们小区停电了",
    ],
)
def test_an_ordinary_matter_stays_ordinary(text: str) -> None:
    assert REDLINES.found("discipline", text) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("屋里有煤气味，不敢点火", "煤气味"),
        ("煤氣洩漏了", "煤气泄漏"),
        ("楼快塌了，人还在里面", "快塌"),
        ("厨房着火了", "着火"),
        ("孩子掉井里了", "掉井里"),
        ("水库有人溺水", "溺水"),
        ("有人触电了", "触电了"),
        ("高压线断了掉地上", "高压线断"),
        ("我不想活了", "不想活"),
        ("他要跳楼", "跳楼"),
        ("老人昏迷叫不醒", "昏迷"),
        ("独居老人突发疾病", "突发疾病"),
        ("我被困在电梯里", "被困在"),
        ("老人走失一天了", "老人走失"),
        ("他天天家暴我", "家暴"),
    ],
)
def test_life_and_limb_is_critical(text: str, words: str) -> None:
    assert words in REDLINES.found("critical", text)


@pytest.mark.parametrize(
    "text",
    [
        "商场跳楼价卖房",
        "楼道堆物有火灾隐患",
        "一旦着火消防车进不来",
        "看着火车站广场乱停车",
        "这是我妈的救命钱",
        "建议办防溺水宣传",
        "物业费太贵",
        "开发商扼杀了我们的希望",
        "贫困人口补贴没到",
    ],
)
def test_a_figure_of_speech_or_a_feared_danger_is_not_critical(text: str) -> None:
    assert REDLINES.found("critical", text) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [("墙要裂开，怕倒塌", "倒塌"), ("电箱漏电", "漏电"), ("路上没井盖", "没井盖"), ("被狗咬", "被狗咬")],
)
def test_a_danger_that_may_come_is_urgent(text: str, words: str) -> None:
    assert words in REDLINES.found("urgent", text)


def test_what_decided_can_be_told_in_its_order_and_once() -> None:
    found = REDLINES.found("discipline", "村书记贪污。村书记贪污，年年吃空饷")

    assert found == ("书记…贪污", "书记…吃空饷", "吃空饷")


def small(**changes: object) -> Redlines:
    rule = {
        "roles": ("书记",),
        "misconduct": ("贪污", "收…钱"),
        "standalone": (),
        "unless_between": ("物业",),
        "distance": 4,
        "distance_back": 2,
    }
    return Redlines(
        critical=(),
        urgent=(),
        harmless=("书记员",),
        discipline=Discipline(**{**rule, **changes}),  # type: ignore[arg-type]
        traditional="書",
        simplified="书",
        source="made",
    )


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("书记甲乙丙丁贪污", True),
        ("书记甲乙丙丁戊贪污", False),
        ("贪污甲乙书记", True),
        ("贪污甲乙丙书记", False),
        ("书记。贪污", False),
        ("书记！贪污", False),
        ("书记，贪污", True),
        ("书记物业贪污", False),
        ("物业甲贪污书记", False),
        ("物业。贪污书记", True),
        ("贪污物书记", True),
        ("书记员贪污", False),
        ("书记收了他的钱", True),
        ("书记收了，他的钱", False),
        ("书记收一二三四五六七钱", False),
        ("書记贪污", True),
    ],
)
def test_a_post_and_a_misconduct_must_be_near_and_in_one_sentence(text: str, seen: bool) -> None:
    assert bool(small().found("discipline", text)) is seen


def test_a_long_post_nearby_does_not_lend_its_reach_to_a_short_one() -> None:
    rule = small(roles=("书记", "纪检监察干部"))

    assert rule.found("discipline", "贪污甲乙丙书记纪检监察干部") == ()


def test_a_word_that_runs_into_the_misconduct_stands_between_nothing() -> None:
    assert small(unless_between=("甲贪",)).found("discipline", "书记甲贪污") == ("书记…贪污",)


def test_without_words_nothing_is_found() -> None:
    assert small(roles=(), misconduct=()).found("discipline", "书记贪污") == ()
    assert small().found("critical", "着火") == ()


def test_the_words_of_a_kind_can_be_listed() -> None:
    assert REDLINES["critical"] == REDLINES.critical
    assert REDLINES["urgent"] == REDLINES.urgent
    assert REDLINES["discipline"] == REDLINES.discipline.standalone
    with pytest.raises(KeyError):
        REDLINES["harmless"]  # type: ignore[index]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "words", ["书记贪污", "收钱收钱书记", "收", "长期", "物业", "书记" * 40 + "贪污" * 40, "着火车"]
)
def test_no_telling_makes_the_screen_slow(kind: str, words: str) -> None:
    text = (words * 10_000)[:10_000]
    REDLINES.found(kind, "一次")  # type: ignore[arg-type]

    begun = process_time()
    REDLINES.found(kind, text)  # type: ignore[arg-type]

    assert process_time() - begun < 1.0
