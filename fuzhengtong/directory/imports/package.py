"""Loading what ships with the package: calendar and categories, areas by the city's code, the made offices of the demo.

Areas ship for some cities (`data/areas/<city>_*.csv`, by the code the charter gives the city); any other city imports
its own. Called by the commands that set a city up and by the demo. Everything goes through the same imports as the
lists a city hands in; a refusal here is a bug of the package.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import demo, models, rules
from fuzhengtong.directory.imports.areas import import_areas, import_grids
from fuzhengtong.directory.imports.calendar import import_calendar
from fuzhengtong.directory.imports.categories import import_categories, import_routes
from fuzhengtong.directory.imports.offices import import_offices, import_people, import_posts
from fuzhengtong.directory.lists import areas as area_lists
from fuzhengtong.directory.lists import categories as category_lists
from fuzhengtong.directory.sheets import Sheet

DATA = Path(__file__).resolve().parents[2] / "data"
# The city whose areas the made offices of the demo stand in.
MADE_CITY = "fuxin"
# In the order in which they are read: a list names what the one before it brought.
_AREA_LISTS = ("city", "towns", "villages", "aliases")
_REASON = "随软件附带"
# Where the demo draws its squares: the communities of 细河区.
_GRIDS_IN = "210911"


def _sheet(path: Path) -> Sheet:
    return Sheet(path.name, path.read_bytes())


def area_sheets(city: str = MADE_CITY) -> tuple[Sheet, ...]:
    """Return the area lists that ship for a city, by the charter's code of it; none for a city that brings its own."""
    files = (DATA / "areas" / f"{city}_{name}.csv" for name in _AREA_LISTS)
    return tuple(_sheet(path) for path in files if path.is_file())


def category_sheets() -> tuple[Sheet, Sheet]:
    """Return the two lists of categories of the package."""
    return _sheet(DATA / "categories" / "categories.csv"), _sheet(DATA / "categories" / "categories_ext.csv")


def calendar_sheets() -> tuple[Sheet, ...]:
    """Return the notices of days off of the package, year by year."""
    return tuple(_sheet(path) for path in sorted((DATA / "calendar").glob("holiday-cn_*.json")))


def made_lists() -> demo.MadeLists:
    """Return the made offices, people, posts, routes and grids for the areas and categories of the package."""
    areas = area_lists.parse_areas(area_sheets())
    return demo.make(
        areas=areas.areas,
        aliases=areas.aliases,
        categories=category_lists.parse_categories(*category_sheets()).rows,
        functions=demo.parse_functions(_sheet(DATA / "offices" / "functions.csv")).rows,
        grids_in=_GRIDS_IN,
    )


class BrokenPackage(Exception):
    """A list that ships with the package was refused: a bug, with the problems found."""


def _whole(report: rules.Report) -> rules.Report:
    if report.errors:
        raise BrokenPackage(report.errors[:5])
    return report


def load_reference(*, moment: Moment, since: datetime) -> dict[str, rules.Report]:
    """Load calendar and categories of the package, and the areas of the charter's city where they ship.

    What stands already is left as it is. Areas and categories begin at `since`.
    """
    first, second = category_sheets()
    areas = area_sheets(moment.charter.city)
    told: dict[str, Any] = {"moment": moment, "apply": True, "reason": _REASON}
    reports = {"areas": import_areas(sheets=areas, since=since, **told)} if areas else {}
    reports |= {
        "calendar": import_calendar(sheets=calendar_sheets(), **told),
        "categories": import_categories(sheet=first, more=second, since=since, **told),
    }
    return {name: _whole(report) for name, report in reports.items()}


def load_demo(*, moment: Moment, since: datetime, password_hash: str) -> dict[str, rules.Report]:
    """Load the made offices, people, posts, routes and grids, all marked as made; the areas must be there.

    Every made person gets the one kept password (`accounts.actions.hashed`); with an empty one nobody can sign in.
    """
    made = made_lists()
    told: dict[str, Any] = {"moment": moment, "apply": True, "since": since, "reason": "示例数据"}
    reports = {
        "grids": import_grids(sheet=made.grids, **told),
        "people": import_people(sheet=made.people, password_hash=password_hash, moment=moment, apply=True),
        "offices": import_offices(sheet=made.offices, **told),
        "posts": import_posts(sheet=made.posts, **told),
        "routes": import_routes(sheet=made.routes, **told),
    }
    return {name: _whole(report) for name, report in reports.items()}


def demo_desk() -> tuple[int, int]:
    """Return the ids of the made city's area and desk, for the founding of the city."""
    made = made_lists()
    area = models.Area.objects.values_list("id", flat=True).get(code=made.city_area)
    return area, models.Office.objects.values_list("id", flat=True).get(code=made.desk_office)
