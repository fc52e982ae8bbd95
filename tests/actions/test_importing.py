"""Lists of a city from files: everything wrong is told with its row, and nothing is changed when one thing is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from fuzhengtong.directory import models, queries
from fuzhengtong.jobs import importing

UNIT = "210902003001"


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def state() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE tablename LIKE 'directory%%' OR tablename LIKE 'accounts%%'"
        )
        names = sorted(row[0] for row in cursor.fetchall() if row[0] != "directory_nodelease")
        found = {}
        for name in names:
            cursor.execute(f"SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM \"{name}\" t")
            found[name] = cursor.fetchone()
        return found


GOOD: dict[str, tuple[str, str]] = {
    "areas": ("areas.csv", "code,name,kind,parent\nfx-kfq,阜新示例开发区,functional,2109\n"),
    "grids": ("grids.csv", f"code,name,parent\n{UNIT}900,益民示例网格,{UNIT}\n"),
    "people": ("people.csv", "login,name\nshili.xin,示例新人\n"),
    "routes": ("routes.csv", f"category,root,area,office,source\nE03,,{UNIT},210902003,示例\n"),
}


def told(report: Any) -> str:
    return "\n".join(importing.lines(report))


@pytest.mark.parametrize("kind", ["areas", "grids", "people", "routes"])
def test_a_list_is_only_looked_at_until_told_to_apply(db, tmp_path, kind: str) -> None:
    name, text = GOOD[kind]
    if kind == "areas":
        text = text.replace("2109\n", models.Area.objects.get(kind="city").code + "\n")
    file, before = write(tmp_path, name, text), state()

    looked = importing.run(kind=kind, files=[file], apply=False)

    assert (len(looked.added), looked.errors, looked.applied) == (1, (), False), told(looked)
    assert "--apply" in told(looked)
    assert state() == before
    applied = importing.run(kind=kind, files=[file], apply=True)
    assert applied.applied and state() != before
    after = state()
    again = importing.run(kind=kind, files=[file], apply=True)
    assert not again.is_different and not again.applied
    assert state() == after
    assert importing.summary(again, applied=True) == {
        "ok": True, "applied": False, "added": 0, "changed": 0, "moved": 0, "closed": 0, "unchanged": 1, "faults": 0,
    }  # fmt: skip


BAD_ROWS = {
    "grids": (
        f"code,name,parent\n{UNIT}901,好网格,{UNIT}\nxx,坏,{UNIT}\n{UNIT}902,,{UNIT}\n{UNIT}901,又一个,{UNIT}\n{UNIT}903,孤儿,210999999999\n",
        [(3, "code"), (4, "name"), (5, "code"), (6, "code")],
    ),
    "people": ("login,name\nok.login,示例\n坏,示例\nok.login,示例二\nx.y,\n", [(3, "login"), (4, "login"), (5, "name")]),
    "routes": (
        f"category,root,area,office,source\nE03,,{UNIT},210902003,示例\nE03,E,{UNIT},210902003,示例\nX99,,{UNIT},nobody,示例\n",
        [(3, ""), (4, "category"), (4, "office")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_every_bad_row_is_told_with_row_column_and_sentence_and_nothing_is_changed(db, tmp_path, kind: str) -> None:
    text, wanted = BAD_ROWS[kind]
    file, before = write(tmp_path, f"{kind}.csv", text), state()

    report = importing.run(kind=kind, files=[file], apply=True)

    rows = {problem.row for problem in report.errors}
    assert rows >= {row for row, _ in wanted}, told(report)
    assert not report.applied and not report.is_different
    assert state() == before
    for line in told(report).splitlines():
        assert " / " in line
    assert "第 3 行" in told(report) and "row 3" in told(report)
    assert importing.summary(report, applied=False)["ok"] is False


def test_of_two_files_one_bad_row_changes_nothing_of_either(db, tmp_path) -> None:
    good = write(tmp_path, "a.csv", f"code,name,parent\n{UNIT}901,好网格,{UNIT}\n")
    bad = write(tmp_path, "b.csv", f"code,name,parent\n{UNIT}902,,{UNIT}\n")
    before = state()

    report = importing.run(kind="grids", files=[good, bad], apply=True)

    assert [problem.sheet for problem in report.errors] == ["b.csv"]
    assert state() == before


def test_grids_on_a_map_come_with_their_outlines(db, tmp_path) -> None:
    ring = [[121.66, 42.02], [121.67, 42.02], [121.67, 42.03], [121.66, 42.03], [121.66, 42.02]]
    features = [
        {
            "type": "Feature",
            "properties": {"code": f"{UNIT}904", "name": "地图网格", "parent": UNIT},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
    ]
    told_ = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)

    report = importing.run(kind="areas", files=[write(tmp_path, "grids.geojson", told_)], apply=True)

    assert report.applied, told(report)
    area = queries.area_by_code(f"{UNIT}904")
    assert area is not None and models.Area.objects.get(code=area.code).outline


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty.csv", b""),
        ("broken.xlsx", b"PK\x03\x04 broken"),
        ("noise.csv", b"\xff\xfe\x00\x01" * 20),
        ("broken.geojson", b'{"type": "FeatureCollection", "features": [}'),
        ("columns.csv", "代码,名称\n1,甲\n".encode()),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_a_sentence(db, tmp_path, name: str, data: bytes) -> None:
    before = state()

    report = importing.run(kind="grids", files=[write(tmp_path, name, data)], apply=True)

    assert report.errors and name in told(report)
    assert state() == before


def test_a_broken_workbook_is_told_how_to_be_saved(db, tmp_path) -> None:
    report = importing.run(kind="people", files=[write(tmp_path, "people.xlsx", b"\xff\xfe\x00\x80")], apply=True)

    assert "工作簿打不开" in told(report) and "save it again as .xlsx or as CSV" in told(report)
    assert "UTF-8" not in told(report)


def test_a_county_with_a_letter_in_its_code_is_refused(db, tmp_path) -> None:
    city, before = models.Area.objects.get(kind="city").code, state()
    text = f"code,name,kind,parent\n{city}02x,样板区,county,{city}\n"

    report = importing.run(kind="areas", files=[write(tmp_path, "areas.csv", text)], apply=True)

    assert [(problem.row, problem.column) for problem in report.errors] == [(2, "code")]
    assert state() == before


def test_every_fault_of_a_notice_is_told_by_its_day_in_sentences_of_ours(db, tmp_path) -> None:
    days = [
        {"name": "元旦", "date": "2027-01-01", "isOffDay": True},
        {"name": "元旦", "date": "2027-01-02", "isOffDay": "yes"},
        {"name": "元旦", "date": "2027-13-01", "isOffDay": True},
    ]
    notice = {"year": 2027, "papers": ["https://example.org/2027"], "days": days}
    before = state()

    report = importing.run(kind="calendar", files=[write(tmp_path, "2027.json", json.dumps(notice))], apply=True)

    first, second, _ = told(report).splitlines()
    assert "2027.json 第 2 行 isOffDay：2027-01-02 的 isOffDay 应当是 true" in first and "Expected" not in first
    assert "2027-13-01 不是 2027 年" in second and "2027-13-01 is no day" in second
    assert state() == before


def test_a_file_that_is_not_there_is_refused_with_a_sentence(db, tmp_path) -> None:
    report = importing.run(kind="offices", files=[tmp_path / "nothing.csv"], apply=True)

    assert "没有这个文件" in told(report) and "no such file" in told(report)


def test_a_notice_of_days_off_makes_a_new_version_of_the_calendar(db, tmp_path) -> None:
    notice = {
        "year": 2028,
        "papers": ["https://example.org/2028"],
        "days": [{"name": "元旦", "date": "2028-01-03", "isOffDay": True}],
    }
    file = write(tmp_path, "2028.json", json.dumps(notice))
    before = queries.calendar().version

    looked = importing.run(kind="calendar", files=[file], apply=False)
    assert queries.calendar().version == before
    applied = importing.run(kind="calendar", files=[file], apply=True)

    assert applied.applied and applied.version == looked.version == queries.calendar().version != before
    assert 2028 in queries.calendar().announced
