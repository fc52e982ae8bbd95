"""The city of the dispatch tests: its published areas and categories where they are at hand, and a small made city.

Read by test_dispatch_*.py alone. The published lists stand in FUZHENGTONG_TESTDATA, beside the repository, or in the
package; tests that need what is nowhere say so and skip.
"""

from __future__ import annotations

import csv
import os
import re
from functools import cache
from pathlib import Path

import pytest

from fuzhengtong.dispatch import gazetteer, keywords, normal, outlines, rules

REPOSITORY = Path(__file__).resolve().parents[2]
ROOTS = (
    *((Path(given),) if (given := os.environ.get("FUZHENGTONG_TESTDATA")) else ()),
    REPOSITORY.parent / "shared" / "data",
    REPOSITORY / "fuzhengtong" / "data",
)
COUNTY_CORES = {"阜新蒙古族自治县": "阜新蒙古族自治县"}
ALIASES = {
    "210921": ("阜蒙县", "阜新县", "蒙县", "蒙古贞"),
    "210902": ("海州",),
    "210903": ("新邱",),
    "210904": ("太平",),
    "210905": ("清河门",),
    "210911": ("细河",),
    "210922": ("彰武",),
    "210921125213": ("康四村",),
    "210922202": ("二道河子乡",),
    "210911401": ("六家子管委会",),
}
CORRECTED = {"210911008006": "新竹社区居委会", "210921109001": "田家社区居委会"}
LANES = {
    "普通": "ordinary",
    "紧急联动": "emergency",
    "调解": "mediation",
    "涉法涉诉": "law_and_litigation",
    "仲裁": "arbitration",
    "行政复议": "administrative_review",
    "信访": "petition",
    "纪检监察": "discipline",
    "无效": "invalid",
}
URGENCIES = {"特急": "critical", "紧急": "urgent", "一般": "ordinary"}


def rows(*places: str) -> list[dict[str, str]]:
    """Read a published list from the first place that has it, or skip the test and say what is missing."""
    for root in ROOTS:
        for place in places:
            if (root / place).is_file():
                with (root / place).open(encoding="utf-8", newline="") as lines:
                    return list(csv.DictReader(lines))
    pytest.skip(f"no {places[0]} in {', '.join(str(root) for root in ROOTS)}")


def core(name: str) -> str:
    return re.sub("(社区居委会|社会居委会|社区居民委会员|村民委员会|村委会|社区|街道|蒙古族乡|镇|乡)$", "", name)


def aliases(code: str) -> tuple[tuple[str, str], ...]:
    return tuple((text, "written") for text in ALIASES.get(code, ()))


@cache
def published_villages() -> list[dict[str, str]]:
    return rows("areas/fuxin_villages.csv")


@cache
def published_units() -> tuple[gazetteer.Unit, ...]:
    units = [gazetteer.Unit(2109, "2109", "阜新市", "阜新市", "阜新", "city", "市")]
    counties: dict[str, str] = {}
    for row in rows("areas/fuxin_towns.csv"):
        counties[row["county_code"]] = row["county"]
        units.append(
            gazetteer.Unit(
                int(row["code"]),
                row["code"],
                row["name"],
                row["name"],
                core(row["name"]),
                "town",
                row["kind"],
                county_id=int(row["county_code"]),
                county_name=row["county"],
                aliases=aliases(row["code"]),
            )
        )
    for code, name in counties.items():
        short = COUNTY_CORES.get(name, name[:-1])
        suffix = "" if name in COUNTY_CORES else name[-1]
        units.append(gazetteer.Unit(int(code), code, name, name, short, "county", suffix, aliases=aliases(code)))
    for row in published_villages():
        display = CORRECTED.get(row["code"], row["name"])
        units.append(
            gazetteer.Unit(
                int(row["code"]),
                row["code"],
                row["name"],
                display,
                core(row["name"]),
                row["codekind"],
                "",
                int(row["town_code"]),
                row["town"],
                int(row["county_code"]),
                row["county"],
                aliases=aliases(row["code"]),
            )
        )
    return tuple(units)


@cache
def published_gazetteer() -> gazetteer.Gazetteer:
    return gazetteer.Gazetteer.build(published_units())


@cache
def published_categories() -> tuple[keywords.Category, ...]:
    lanes = {
        row["code"]: LANES[row["route"]] for row in rows("taxonomy/categories_ext.csv", "categories/categories_ext.csv")
    }
    return tuple(
        keywords.Category(
            row["code"],
            row["level2"],
            lanes[row["code"]],
            URGENCIES[row["urgency"]],
            tuple(row["keywords"].split("|")),
        )
        for row in rows("taxonomy/categories.csv", "categories/categories.csv")
    )


@cache
def published_lexicon() -> keywords.Lexicon:
    return keywords.Lexicon.build(published_categories())


def located(text: str, *, address: str = "", of: gazetteer.Gazetteer | None = None) -> gazetteer.PlaceFound:
    """Locate a text in the published city, or in another."""
    known = of or published_gazetteer()
    return known.locate(text=normal.normalise(text), address=normal.normalise(address, source="address"))[0]


# -- a small made city, so that every promise is proved without the published lists too -------------------------------

CITY, RIVER, HILL, EAST_TOWN, WEST_TOWN, OLD_STREET = 1, 10, 20, 101, 102, 201
EAST_PINES, WEST_PINES, DEEP_WELL, GARDEN, LONG_STONE, MARKET = 1001, 1002, 1003, 2001, 1004, 2002
GRID, ZONE = 5001, 301


def made_units() -> tuple[gazetteer.Unit, ...]:
    unit = gazetteer.Unit
    river = {"county_id": RIVER, "county_name": "青河县"}
    hill = {"county_id": HILL, "county_name": "石山区"}
    return (
        unit(CITY, "90", "云川市", "云川市", "云川", "city", "市"),
        unit(RIVER, "9001", "青河县", "青河县", "青河", "county", "县", aliases=(("青川", "short"),)),
        unit(HILL, "9002", "石城区", "石城区", "石城", "county", "区", county_id=HILL),
        unit(EAST_TOWN, "900101", "松林镇", "松林镇", "松林", "town", "镇", town_id=EAST_TOWN, **river),
        unit(WEST_TOWN, "900102", "白马乡", "白马乡", "白马", "town", "乡", **river),
        unit(OLD_STREET, "900201", "老街街道", "老街街道", "老街", "town", "街道", **hill),
        unit(EAST_PINES, "900101201", "双松村委会", "双松村委会", "双松", "village", "", EAST_TOWN, "松林镇", **river),
        unit(WEST_PINES, "900102201", "双松村委会", "双松村委会", "双松", "village", "", WEST_TOWN, "白马乡", **river),
        unit(DEEP_WELL, "900101202", "深井沟村委会", "深井沟村委会", "深井沟", "village", "", EAST_TOWN, "", **river),
        unit(LONG_STONE, "900102202", "长石营子村委会", "", "长石营子", "village", "", WEST_TOWN, "", **river),
        unit(
            GARDEN,
            "900201001",
            "公园社区居委会",
            "公园社区居委会",
            "公园",
            "community",
            "",
            OLD_STREET,
            "老街街道",
            aliases=(("翠湖雅居", "clerk"), ("老油坊", "former")),
            **hill,
        ),
        unit(
            MARKET,
            "900201002",
            "集市社区居委会",
            "集市社区居委会",
            "集市",
            "community",
            "",
            OLD_STREET,
            "老街街道",
            aliases=(("老油坊", "former"), ("北大院", "former")),
            **hill,
        ),
        unit(GRID, "900201001001", "第一网格", "第一网格", "第一", "grid", "", OLD_STREET, "", unit_id=GARDEN, **hill),
        unit(ZONE, "900203", "云川高新技术开发区", "云川高新区", "云川高新", "functional", "开发区", **hill),
    )


@cache
def made_gazetteer() -> gazetteer.Gazetteer:
    return gazetteer.Gazetteer.build(made_units())


def made_categories() -> tuple[keywords.Category, ...]:
    category = keywords.Category
    return (
        category("A01", "房产证办理", "ordinary", "ordinary", ("房产证", "产权")),
        category("C01", "室温不达标", "ordinary", "urgent", ("不热", "屋里冷", "室温")),
        category("D05", "燃气供应", "ordinary", "ordinary", ("煤气", "通气")),
        category("D06", "燃气泄漏", "emergency", "critical", ("煤气味", "漏气")),
        category("E07", "公园绿化", "ordinary", "ordinary", ("公园", "枯树", "修剪")),
        category("P03", "乱涨价", "ordinary", "ordinary", ("乱收费", "涨价")),
        category("J02", "医疗收费", "ordinary", "ordinary", ("乱收费", "检查费")),
        category("S01", "邻里纠纷", "mediation", "ordinary", ("邻居", "吵架", "纠纷")),
        category("T07", "表扬与感谢", "ordinary", "ordinary", ("表扬", "感谢", "锦旗")),
        category("T06", "政策建议", "ordinary", "ordinary", ("建议", "应该")),
    )


@cache
def made_lexicon() -> keywords.Lexicon:
    return keywords.Lexicon.build(made_categories())


RED_LINES = {"critical": ("着火", "不想活"), "urgent": ("老人摔",), "discipline": ("受贿",)}


def square(lat: float, lng: float, size: float) -> dict[str, object]:
    """Draw a square outline by its south-west corner, in degrees."""
    corners = [(lng, lat), (lng + size, lat), (lng + size, lat + size), (lng, lat + size), (lng, lat)]
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in corners]]}


@cache
def made_outlines() -> outlines.Outlines:
    return outlines.Outlines.build(
        [
            (RIVER, square(42.0, 121.0, 1.0)),
            (EAST_TOWN, square(42.0, 121.0, 0.5)),
            (EAST_PINES, square(42.0, 121.0, 0.1)),
            (HILL, square(43.0, 121.0, 1.0)),
        ]
    )


def proposed(
    text: str,
    *,
    address: str = "",
    point: tuple[float, float] | None = None,
    red_lines: dict[str, tuple[str, ...]] | None = None,
) -> rules.Proposal:
    """Propose for a telling in the made city."""
    return rules.propose(
        text=text,
        address=address,
        point=point,
        gazetteer=made_gazetteer(),
        words=made_lexicon(),
        outlines=made_outlines(),
        charter_redlines=RED_LINES if red_lines is None else red_lines,
    )
