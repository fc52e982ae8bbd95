"""A directory with nothing in it, and short lists to fill it with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.db import connection

from fuzhengtong.accounts import actions as accounts_actions
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import actions, models, queries, rules
from fuzhengtong.directory.sheets import Problem, Sheet

SINCE = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
_TABLES = (
    "installation",
    "nodelease",
    "numberblock",
    "route",
    "tenure",
    "absence",
    "post",
    "officefunction",
    "office",
    "areaalias",
    "area",
    "categoryword",
    "categoryassist",
    "categorycode",
    "category",
    "calendarimport",
    "calendaryear",
    "calendarday",
)

AREAS = (
    "code,name,kind,parent\n"
    "9000,示例市,city,\n"
    "900001,东区,county,9000\n"
    "900002,西县,county,9000\n"
    "900001001,河岸街道,town,900001\n"
    "900002001,河岸镇,town,900002\n"
    "900001001001,桥头社区居委会,community,900001001\n"
    "900002001201,桥头村委会,village,900002001\n"
)
OFFICES = (
    "code,name,short,kind,parent,area,level,functions,duty_phone\n"
    "desk,示例市中心,市中心,centre,,9000,city,,0418-0000001\n"
    "east,东区中心,东区中心,centre,desk,900001,county,,\n"
    "heat-city,示例市供热办,市供热办,bureau,desk,9000,city,供热,\n"
    "heat-east,东区供热办,东区供热办,bureau,east,900001,county,供热,\n"
    "bank,河岸街道办事处,河岸街道,town,east,900001001,town,属地街道(乡镇),\n"
)
POSTS = (
    "office,kind,name,holder,deputies\n"
    "desk,duty,值班岗,desk-duty,\n"
    "desk,head,负责人岗,desk-head,\n"
    "east,duty,值班岗,east-duty,east-night\n"
    "heat-east,handler,承办岗,heat-one,heat-two\n"
    "heat-east,head,负责人岗,heat-head,\n"
    "bank,head,负责人岗,bank-head,\n"
)
CATEGORIES = (
    "code,level1,level2,lead_department,co_departments,urgency,sensitivity,default_days,keywords\n"
    "C01,供热,室温不达标,供热,属地街道(乡镇),紧急,普通,1,暖气|不热\n"
    "C02,供热,停热,供热,,特急,普通,0,停暖\n"
    "S01,纠纷,邻里,属地街道(乡镇),,一般,隐私,7,吵架\n"
    "T01,纪检,检举,纪检,,一般,涉纪封存,5,举报\n"
)
LOGINS = (
    "desk-duty",
    "desk-head",
    "east-duty",
    "east-night",
    "heat-one",
    "heat-two",
    "heat-head",
    "bank-head",
)


def sheet(text: str, name: str = "list.csv") -> Sheet:
    return Sheet(name, text.encode())


def empty() -> None:
    """Take everything out of the directory, inside a transaction that is rolled back."""
    with connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"DELETE FROM directory_{table}")


def at(moment: Moment, instant: datetime) -> Moment:
    return replace(moment, at=instant)


def people(moment: Moment, logins: Iterable[str] = LOGINS) -> dict[str, int]:
    """Let people in and return their ids by login."""
    new = [accounts_actions.NewPerson(login=login, name=f"{login}（示例）", is_made=True) for login in logins]
    return accounts_actions.create_people(people=new, password_hash="", moment=moment)


def areas(moment: Moment, text: str = AREAS) -> rules.Report:
    return whole(actions.import_areas(sheets=[sheet(text)], moment=moment, apply=True, since=SINCE))


def small_city(moment: Moment) -> dict[str, int]:
    """Fill the empty directory with a small city, and return the ids of its people."""
    areas(moment)
    ids = people(moment)
    whole(actions.import_offices(sheet=sheet(OFFICES), moment=moment, apply=True, since=SINCE))
    whole(actions.import_posts(sheet=sheet(POSTS), moment=moment, apply=True, since=SINCE))
    whole(actions.import_categories(sheet=sheet(CATEGORIES), moment=moment, apply=True, since=SINCE))
    city = {"code": "90", "letters": "SL", "name": "示例市"}
    actions.found_city(**city, moment=moment, city_area_id=area("9000"), desk_office_id=office("desk"))
    return ids


def whole(report: rules.Report) -> rules.Report:
    assert report.errors == ()
    return report


def area(code: str) -> int:
    found = queries.area_by_code(code)
    assert found is not None
    return found.area_id


def office(code: str) -> int:
    found = queries.office_by_code(code)
    assert found is not None
    return found.office_id


def category(code: str) -> int:
    found = queries.category(code=code)
    assert found is not None
    return found.category_id


def post(office_code: str, kind: str) -> int:
    return int(models.Post.objects.values_list("id", flat=True).get(office__code=office_code, kind=kind))


def told(problems: Sequence[Problem]) -> list[tuple[int, str, str]]:
    return [(problem.row, problem.column, problem.key) for problem in problems]


def codes(changes: Sequence[rules.Change]) -> set[str]:
    return {change.code for change in changes}
