"""Names of areas: cores, endings, other names by rule; proved on the published list of the city."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from fuzhengtong.directory import names
from fuzhengtong.directory.names import AliasKind, AreaKind

AREAS = Path(names.__file__).resolve().parents[1] / "data" / "areas"


def published(file: str) -> list[dict[str, str]]:
    with (AREAS / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def unit(code: str) -> names.Name:
    (row,) = [row for row in published("fuxin_villages.csv") if row["code"] == code]
    return names.take_apart(row["name"], names.unit_kind(code))


def said(official: str, kind: AreaKind) -> dict[str, AliasKind]:
    return dict(names.aliases(names.take_apart(official, kind), kind))


@pytest.mark.parametrize(
    ("code", "core", "shown"),
    [
        ("210911008006", "新竹", "新竹社区"),
        ("210921109001", "田家", "田家社区"),
        ("210922107002", "场直", "场直社区"),
        ("210922107003", "分厂", "分厂社区"),
        ("210903101206", "东五家子", "东五家子村"),
        ("210921125213", "康四营子", "康四营子村"),
    ],
)
def test_an_irregular_name_keeps_its_official_form_and_gets_a_corrected_one(code: str, core: str, shown: str) -> None:
    name = unit(code)

    assert (name.core, name.shown) == (core, shown)
    assert name.official in {row["name"] for row in published("fuxin_villages.csv")}


def test_the_813_units_have_722_cores_of_which_57_are_shared_by_148() -> None:
    cores = Counter(
        names.take_apart(row["name"], names.unit_kind(row["code"])).core for row in published("fuxin_villages.csv")
    )
    shared = [count for count in cores.values() if count > 1]

    assert (len(cores), len(shared), sum(shared)) == (722, 57, 148)


def test_digit_ten_tells_194_communities_from_619_villages() -> None:
    kinds = Counter(names.unit_kind(row["code"]) for row in published("fuxin_villages.csv"))

    assert kinds == {AreaKind.COMMUNITY: 194, AreaKind.VILLAGE: 619}


def test_any_other_digit_ten_is_no_unit() -> None:
    with pytest.raises(ValueError, match="digit 10"):
        names.unit_kind("210911008106")


def test_every_town_is_its_core_and_its_ending() -> None:
    for row in published("fuxin_towns.csv"):
        name = names.take_apart(row["name"], AreaKind.TOWN)

        assert name.shown == row["name"]
        assert name.suffix.endswith(row["kind"])


def test_one_ending_is_taken_off_and_only_once() -> None:
    assert names.take_apart("阿尔乡镇", AreaKind.TOWN).core == "阿尔乡"


@pytest.mark.parametrize(
    ("official", "kind", "core", "suffix"),
    [
        ("阜新蒙古族自治县", AreaKind.COUNTY, "阜新", "蒙古族自治县"),
        ("二道河子蒙古族乡", AreaKind.TOWN, "二道河子", "蒙古族乡"),
        ("双江拉祜族佤族布朗族傣族自治县", AreaKind.COUNTY, "双江", "拉祜族佤族布朗族傣族自治县"),
        ("恩施土家族苗族自治州", AreaKind.CITY, "恩施", "土家族苗族自治州"),
        ("海州区", AreaKind.COUNTY, "海州", "区"),
        ("阜新市", AreaKind.CITY, "阜新", "市"),
        ("和平街道办事处", AreaKind.TOWN, "和平", "街道"),
        ("高新技术产业开发区管理委员会", AreaKind.FUNCTIONAL, "高新技术产业开发区", "管委会"),
        ("第一网格", AreaKind.GRID, "第一网格", ""),
    ],
)
def test_nationalities_belong_to_the_ending_and_not_to_the_core(
    official: str, kind: AreaKind, core: str, suffix: str
) -> None:
    name = names.take_apart(official, kind)

    assert (name.core, name.suffix) == (core, suffix)


def test_a_name_that_is_nothing_but_an_ending_stays_whole() -> None:
    assert names.take_apart("镇", AreaKind.TOWN).core == "镇"


def test_a_village_is_called_by_every_form_of_its_committee() -> None:
    assert said("二门得力村委会", AreaKind.VILLAGE).keys() == {"二门得力村", "二门得力村民委员会"}


def test_a_community_is_called_by_every_form_of_its_committee() -> None:
    assert said("大众社区居委会", AreaKind.COMMUNITY).keys() == {"大众社区", "大众居委会", "大众社区居民委员会"}


def test_a_corrected_name_is_told_apart_from_a_mere_form() -> None:
    assert said("新竹社会居委会", AreaKind.COMMUNITY)["新竹社区"] is AliasKind.CORRECTED
    assert said("大众社区居委会", AreaKind.COMMUNITY)["大众社区"] is AliasKind.FORM


def test_a_street_is_called_by_its_office() -> None:
    assert said("六家子街道", AreaKind.TOWN).keys() == {"六家子街道办", "六家子街道办事处"}


def test_a_town_is_called_by_its_government() -> None:
    assert said("大巴镇", AreaKind.TOWN).keys() == {"大巴镇政府", "大巴镇人民政府"}


def test_a_nationality_township_is_called_a_township_for_short() -> None:
    aliases = said("二道河子蒙古族乡", AreaKind.TOWN)

    assert aliases["二道河子乡"] is AliasKind.EVERYDAY
    assert {"二道河子乡政府", "二道河子蒙古族乡人民政府"} <= aliases.keys()


def test_the_bare_core_of_a_district_is_a_short_name_that_needs_a_place_around_it() -> None:
    assert said("细河区", AreaKind.COUNTY) == {"细河": AliasKind.SHORT}


def test_an_autonomous_county_has_no_bare_core_because_the_city_is_called_the_same() -> None:
    assert said("阜新蒙古族自治县", AreaKind.COUNTY) == {}


def test_no_rule_repeats_the_official_name() -> None:
    for row in published("fuxin_villages.csv"):
        kind = names.unit_kind(row["code"])

        assert row["name"] not in said(row["name"], kind)
