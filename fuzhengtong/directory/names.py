"""What places are called: the core of an official name, the ending people say, and the other names that follow by rule.

Pure: called by the import of areas and by the generator of made offices. It never looks a place up; names that only
people know (阜蒙县, 康四村) are rows of a list, not rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AreaKind(StrEnum):
    """What an area is; digit 10 of a unit's code tells a community from a village, not its name."""

    CITY = "city"
    COUNTY = "county"
    TOWN = "town"
    COMMUNITY = "community"
    VILLAGE = "village"
    GRID = "grid"
    FUNCTIONAL = "functional"


class AliasKind(StrEnum):
    """Why a place is also called so; a short one needs a place around it before it may be believed."""

    FORM = "form"
    SHORT = "short"
    EVERYDAY = "everyday"
    CORRECTED = "corrected"
    FORMER = "former"
    HISTORICAL = "historical"
    CLERK = "clerk"


@dataclass(frozen=True, slots=True)
class Name:
    """An official name taken apart; `shown` is what pages print, the official one stays as published."""

    official: str
    core: str
    suffix: str
    shown: str


# The recognised nationalities (ethnic groups) by the names used in the titles of autonomous counties and townships.
_NATIONALITIES = (  # noqa: SIM905 - a list of words reads better than a list of quotation marks
    "蒙古族 满族 回族 藏族 维吾尔族 苗族 彝族 壮族 布依族 朝鲜族 侗族 瑶族 白族 土家族 哈尼族 哈萨克族 哈萨克 傣族 黎族"
    " 傈僳族 佤族 畲族 高山族 拉祜族 水族 东乡族 纳西族 景颇族 柯尔克孜族 柯尔克孜 土族 达斡尔族 达斡尔 仫佬族 羌族"
    " 布朗族 撒拉族 毛南族 仡佬族 锡伯族 锡伯 阿昌族 普米族 塔吉克族 塔吉克 怒族 乌孜别克族 俄罗斯族 鄂温克族 鄂温克"
    " 德昂族 保安族 裕固族 京族 塔塔尔族 独龙族 鄂伦春族 鄂伦春 赫哲族 门巴族 珞巴族 基诺族 蒙古 各族"
).split()

# Endings of official names and what is said instead; longer ones first. The two irregular ones (社会居委会,
# 社区居民委会员) stand so in the published list.
_UNIT_ENDINGS: tuple[tuple[str, str], ...] = (
    ("社区居民委员会", "社区"),
    ("社区居民委会员", "社区"),
    ("村村民委员会", "村"),
    ("嘎查村民委员会", "嘎查"),
    ("社区居委会", "社区"),
    ("社会居委会", "社区"),
    ("居民委员会", "社区"),
    ("村民委员会", "村"),
    ("嘎查委员会", "嘎查"),
    ("嘎查村委会", "嘎查"),
    ("居委会", "社区"),
    ("村委会", "村"),
    ("社区", "社区"),
    ("嘎查", "嘎查"),
    ("村", "村"),
)
_TOWN_ENDINGS: tuple[tuple[str, str], ...] = (
    ("街道办事处", "街道"),
    ("管理委员会", "管委会"),
    ("管委会", "管委会"),
    ("地区办事处", "地区"),
    ("街道", "街道"),
    ("苏木", "苏木"),
    ("镇", "镇"),
    ("乡", "乡"),
)
_COUNTY_ENDINGS: tuple[tuple[str, str], ...] = (
    ("自治县", "自治县"),
    ("自治旗", "自治旗"),
    ("新区", "新区"),
    ("林区", "林区"),
    ("特区", "特区"),
    ("区", "区"),
    ("县", "县"),
    ("市", "市"),
    ("旗", "旗"),
)
_CITY_ENDINGS: tuple[tuple[str, str], ...] = (("自治州", "自治州"), ("地区", "地区"), ("盟", "盟"), ("市", "市"))
_FUNCTIONAL_ENDINGS: tuple[tuple[str, str], ...] = (
    ("管理委员会", "管委会"),
    ("管委会", "管委会"),
    ("开发区", "开发区"),
    ("新区", "新区"),
)
_DEFAULT_SUFFIX = {AreaKind.COMMUNITY: "社区", AreaKind.VILLAGE: "村"}
_ETHNIC_ENDINGS = frozenset({"自治县", "自治旗", "自治州", "乡"})


def _cut(name: str, endings: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    for ending, said in endings:
        if name.endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)], said
    return name, ""


def _nationalities(core: str) -> str:
    """Return the nationalities at the end of a core (several may stand there), or nothing."""
    rest = core
    while True:
        # The longest first: 哈萨克族 before 哈萨克.
        hit = max((n for n in _NATIONALITIES if rest.endswith(n) and len(rest) > len(n)), key=len, default="")
        if not hit:
            return core[len(rest) :]
        rest = rest[: -len(hit)]


def take_apart(official: str, kind: AreaKind) -> Name:
    """Take an official name apart into its core and the ending people say.

    One ending is taken off, once: 阿尔乡镇 is 阿尔乡 + 镇. Where nothing can be taken off, the core is the whole name.
    """
    match kind:
        case AreaKind.COMMUNITY | AreaKind.VILLAGE:
            core, suffix = _cut(official, _UNIT_ENDINGS)
            suffix = suffix or _DEFAULT_SUFFIX[kind]
            return Name(official=official, core=core, suffix=suffix, shown=core + suffix)
        case AreaKind.TOWN:
            core, suffix = _cut(official, _TOWN_ENDINGS)
        case AreaKind.COUNTY:
            core, suffix = _cut(official, _COUNTY_ENDINGS)
        case AreaKind.CITY:
            core, suffix = _cut(official, _CITY_ENDINGS)
        case AreaKind.FUNCTIONAL:
            core, suffix = _cut(official, _FUNCTIONAL_ENDINGS)
        case AreaKind.GRID:
            core, suffix = official, ""
    if suffix in _ETHNIC_ENDINGS:
        people = _nationalities(core)
        core, suffix = core[: len(core) - len(people)], people + suffix
    return Name(official=official, core=core, suffix=suffix, shown=core + suffix)


def _forms(name: Name, kind: AreaKind) -> list[tuple[str, AliasKind]]:
    core, suffix = name.core, name.suffix
    if kind is AreaKind.COMMUNITY or kind is AreaKind.VILLAGE:
        endings = {
            "社区": ("社区", "居委会", "社区居委会", "社区居民委员会"),
            "村": ("村", "村委会", "村民委员会"),
            "嘎查": ("嘎查", "嘎查村委会", "嘎查村民委员会"),
        }.get(suffix, (suffix,))
        return [(core + ending, AliasKind.FORM) for ending in endings]
    if kind is AreaKind.TOWN:
        if suffix == "街道":
            return [(core + "街道办", AliasKind.FORM), (core + "街道办事处", AliasKind.FORM)]
        if suffix.endswith(("镇", "乡", "苏木")):
            plain = suffix[-2:] if suffix.endswith("苏木") else suffix[-1]
            said = [(core + plain, AliasKind.EVERYDAY)] if plain != suffix else []
            seats = dict.fromkeys((core + suffix, core + plain))
            return said + [(seat + ending, AliasKind.FORM) for seat in seats for ending in ("政府", "人民政府")]
    if kind is AreaKind.COUNTY and suffix in ("区", "县", "市", "旗", "新区"):
        return [(core, AliasKind.SHORT)]
    return []


def aliases(name: Name, kind: AreaKind) -> tuple[tuple[str, AliasKind], ...]:
    """Return the other names that follow by rule from this one, in a fixed order, without the official name itself.

    Where the published name is irregular, the corrected one is among them.
    """
    found: dict[str, AliasKind] = {}
    for text, why in _forms(name, kind):
        found.setdefault(text, why)
    if name.shown != name.official and kind in (AreaKind.COMMUNITY, AreaKind.VILLAGE):
        regular = {ending for ending, _ in _UNIT_ENDINGS} - {"社会居委会", "社区居民委会员"}
        is_regular = any(name.official == name.core + ending for ending in regular)
        found[name.shown] = AliasKind.FORM if is_regular else AliasKind.CORRECTED
    found.pop(name.official, None)
    return tuple(found.items())


def unit_kind(code: str) -> AreaKind:
    """Return whether a 12-digit code is that of a community (digit 10 is 0) or a village (2).

    Any other digit is no unit's; raises ValueError.
    """
    match code[9]:
        case "0":
            return AreaKind.COMMUNITY
        case "2":
            return AreaKind.VILLAGE
        case digit:
            raise ValueError(f"digit 10 of a unit's code is 0 or 2, not {digit}")
