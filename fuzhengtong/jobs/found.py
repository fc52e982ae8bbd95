"""Found a city: load what every city begins with, and say which city this is and whose desk dispatches.

Called by `fuzhengtong init` (and so by `serve` at its start and by the tests' template) and by `fuzhengtong found`.
Safe to run again: what stands is left as it is. It makes no office and no person but those of the made city.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar

from fuzhengtong.accounts import actions as accounts_actions
from fuzhengtong.charter.moment import SYSTEM, Moment
from fuzhengtong.directory import actions as directory_actions
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory import world
from fuzhengtong.directory.imports import package
from fuzhengtong.directory.names import AreaKind
from fuzhengtong.directory.rules import OfficeKind, PostKind
from fuzhengtong.directory.tour import DEMO_PASSWORD
from fuzhengtong.intake import actions as intake_actions
from fuzhengtong.intake import lanes
from fuzhengtong.kernel.errors import Refused

# The platform opened in October 2022; what ships with the package is in force from then on.
SINCE = datetime(2022, 10, 1, tzinfo=UTC)


class NoMadeCity(Refused):
    """Refuse a made city under the charter of a city whose areas do not ship."""

    code: ClassVar[str] = "no_made_city"


class NoCityArea(Refused):
    """Refuse to found a city before its own area is there, or upon an area that is no city."""

    code: ClassVar[str] = "no_city_area"


class NoSuchDesk(Refused):
    """Refuse a desk office that does not exist or is closed."""

    code: ClassVar[str] = "no_such_desk"


class DeskUnfit(Refused):
    """Refuse a desk that is no centre of the city itself: what fits nowhere else is sorted there."""

    code: ClassVar[str] = "desk_unfit"


class DeskWithoutDispatcher(Refused):
    """Refuse a desk without a dispatcher's post."""

    code: ClassVar[str] = "desk_without_dispatcher"


class FoundedOtherwise(Refused):
    """Refuse to found a city anew where another one stands, or the same with another area, desk or name."""

    code: ClassVar[str] = "founded_otherwise"


@dataclass(frozen=True, slots=True)
class Founded:
    """The city as it stands after the command, by codes; `again` where it stood so before."""

    city: str
    letters: str
    name: str
    area: str
    desk: str
    again: bool


def now() -> datetime:
    """Read the clock of the machine: founding is an edge of its own."""
    return datetime.now(UTC)


def _moment() -> Moment:
    return world.World(clock=now).moment(by=SYSTEM)


# --- what every city begins with -------------------------------------------------------------------------------------


def load(*, made: bool) -> None:
    """Load channels, calendar and categories, the areas where they ship, and made offices and people where told.

    Refused with NoMadeCity where made offices are asked for under the charter of another city.
    """
    moment = _moment()
    if made and moment.charter.city != package.MADE_CITY:
        raise NoMadeCity(city=moment.charter.name)
    intake_actions.open_channels(lanes.FIRST)
    # Once alone: a city's own lists and calendar have taken the place of the package's. Categories come last.
    if not directory_queries.categories():
        package.load_reference(moment=moment, since=SINCE)
    if not made:
        return
    hashed = accounts_actions.hashed(password=DEMO_PASSWORD, moment=moment)
    package.load_demo(moment=moment, since=SINCE, password_hash=hashed)
    if directory_queries.city() is None:
        area_id, desk_id = package.demo_desk()
        _write(moment, area_id=area_id, desk_id=desk_id)


def found(*, made: bool) -> None:
    """Load what a city needs to begin; in a made city that stands already, nothing is read again."""
    if directory_queries.city() is None or not made:
        load(made=made)


# --- a real city -----------------------------------------------------------------------------------------------------


def found_city(*, desk: str, area: str = "") -> Founded:
    """Say that this database is of the city of the charter in force, which area it is, and whose desk dispatches.

    `desk` is the code of a centre of the city, `area` that of the city's area (else the one city of the areas). To say
    the same again is fine. Refused with NoCityArea, NoSuchDesk, DeskUnfit, DeskWithoutDispatcher, FoundedOtherwise.
    """
    moment = _moment()
    place = _city_area(area, moment)
    office = _desk(desk, place, moment)
    charter = moment.charter
    told = directory_queries.City(
        code=charter.city,
        letters=charter.letters,
        name=charter.name,
        zone=charter.clock.zone.key,
        area_id=place.area_id,
        desk_office_id=office.office_id,
    )
    founded = Founded(
        city=told.code, letters=told.letters, name=told.name, area=place.code, desk=office.code, again=False
    )
    standing = directory_queries.city()
    if standing == told:
        return replace(founded, again=True)
    if standing is not None:
        raise FoundedOtherwise(**_shown(standing))
    _write(moment, area_id=place.area_id, desk_id=office.office_id)
    return founded


def _write(moment: Moment, *, area_id: int, desk_id: int) -> None:
    charter = moment.charter
    directory_actions.found_city(
        code=charter.city,
        letters=charter.letters,
        name=charter.name,
        zone=charter.clock.zone.key,
        moment=moment,
        city_area_id=area_id,
        desk_office_id=desk_id,
    )


def _city_area(code: str, moment: Moment) -> directory_queries.AreaRow:
    """Return the city's area: the one named, else the one there is."""
    rows = directory_queries.areas_of_kind(AreaKind.CITY, at=moment.at)
    found = [row for row in rows if code in ("", row.code)]
    if len(found) != 1:
        raise NoCityArea(area=code or "—")
    return found[0]


def _desk(code: str, place: directory_queries.AreaRow, moment: Moment) -> directory_queries.OfficeRow:
    """Return the office that sorts what fits nowhere else, and has a post to do it."""
    office = next((row for row in directory_queries.offices(at=moment.at) if row.code == code), None)
    if office is None:
        raise NoSuchDesk(office=code)
    if office.kind != OfficeKind.CENTRE or office.area_id != place.area_id:
        raise DeskUnfit(office=office.name, city=place.name)
    posts = directory_queries.posts_in(office.office_id, at=moment.at)
    if not any(row.kind == PostKind.DISPATCHER for row in posts):
        raise DeskWithoutDispatcher(office=office.name)
    return office


def _shown(city: directory_queries.City) -> dict[str, str]:
    area = directory_queries.area(city.area_id) if city.area_id else None
    desk = directory_queries.office(city.desk_office_id) if city.desk_office_id else None
    return {
        "name": city.name,
        "city": city.code,
        "letters": city.letters,
        "area": area.code if area else "—",
        "desk": desk.code if desk else "—",
    }
