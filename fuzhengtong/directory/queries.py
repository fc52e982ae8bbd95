"""What is known of the city: its calendar, its areas and their names, its offices, categories and routes, who answers.

Called by dispatch, cases, notices and every page that names a place or an office. Frozen values come back; nothing
personal is here but the ids and names of those who hold posts. It never writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType

from django.db import connection
from django.db.models import Q, QuerySet

from fuzhengtong.charter.moment import Actor
from fuzhengtong.directory import models, rules
from fuzhengtong.directory.kept import Kept
from fuzhengtong.kernel.calendar import Calendar, DayKind


@dataclass(frozen=True, slots=True)
class City:
    """The city this installation serves."""

    code: str
    letters: str
    name: str
    zone: str
    area_id: int | None
    desk_office_id: int | None


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area with the areas of every level around it (see `rules.Levels`)."""

    area_id: int
    code: str
    name: str
    display_name: str
    kind: str
    parent_id: int | None
    levels: rules.Levels
    is_made: bool
    active_from: datetime
    active_to: datetime | None
    succeeded_by: int | None


@dataclass(frozen=True, slots=True)
class Unit:
    """One area as the address matcher needs it: its names, and the town and county it lies in.

    `aliases` are pairs of text and kind (`names.AliasKind`); a short one is to be believed only with a place around it.
    Areas above a town have no town, the city has no county.
    """

    area_id: int
    code: str
    name: str
    display_name: str
    core: str
    suffix: str
    kind: str
    town_id: int | None
    town: str
    county_id: int | None
    county: str
    aliases: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """One category with its words and the functions that may assist."""

    category_id: int
    code: str
    level1: str
    root: str
    name: str
    lead_function: str
    urgency: str
    sensitivity: str
    default_days: int
    lane: str
    legal_basis: str
    statutory_text: str
    is_unconfirmed: bool
    mediation: bool
    small_fund: bool
    season: str
    words: tuple[str, ...]
    assists: tuple[str, ...]
    active_from: datetime
    active_to: datetime | None


@dataclass(frozen=True, slots=True)
class OfficeRow:
    """One office."""

    office_id: int
    code: str
    name: str
    short: str
    kind: str
    parent_id: int | None
    area_id: int
    level: str
    duty_phone: str
    is_made: bool
    active_from: datetime
    active_to: datetime | None
    succeeded_by: int | None


@dataclass(frozen=True, slots=True)
class RouteFound:
    """Where a matter goes and why: what the route matched (category, root, any) and on which level, as a text key."""

    office_id: int
    route_id: int
    why: str


@dataclass(frozen=True, slots=True)
class Answering:
    """A person who answers, in which post, and as what: holder, deputy, head or superior."""

    principal_id: int
    post_id: int
    how: str


@dataclass(frozen=True, slots=True)
class HeldPost:
    """A post a person holds or stands in for."""

    post_id: int
    kind: str
    name: str
    deputy: bool
    office_id: int
    office_name: str
    level: str
    area_id: int
    active_from: datetime
    active_to: datetime | None


@dataclass(frozen=True, slots=True)
class PostRow:
    """One post of an office and who is in it."""

    post_id: int
    office_id: int
    kind: str
    name: str
    is_made: bool
    holder: tuple[int, str] | None
    deputies: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One change of the directory, for the auditor and the page of a row's history."""

    entry_id: int
    at: datetime
    by: int | None
    table: str
    row_id: str
    what: str
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None
    reason: str


def _active(at: datetime, prefix: str = "") -> Q:
    """Build the condition that a dated row holds at an instant."""
    return Q(**{f"{prefix}active_from__lte": at}) & (
        Q(**{f"{prefix}active_to__isnull": True}) | Q(**{f"{prefix}active_to__gt": at})
    )


def city() -> City | None:
    """Return the city of this installation; nothing before it is set up."""
    row = models.Installation.objects.filter(id=1).first()
    if row is None:
        return None
    return City(row.city_code, row.letters, row.name, row.zone, row.city_area_id, row.desk_office_id)


# The city itself never changes and is looked at by every telling.
city_kept = Kept(city, seconds=60)


# Calendar


def calendar() -> Calendar:
    """Return the working calendar in force; before any import, one in which no year is announced."""
    version = models.CalendarImport.objects.order_by("-imported_at", "-id").values_list("version", flat=True).first()
    return Calendar(version="", days={}, announced=frozenset()) if version is None else calendar_version(version)


@lru_cache(maxsize=8)
def calendar_version(version: str) -> Calendar:
    """Return the calendar as it stood in one version: a duty names the version its due time was computed under.

    Kept in memory: a version is the hash of its content and never changes. Raises DoesNotExist for one unknown.
    """
    content = models.CalendarImport.objects.values_list("content", flat=True).get(version=version)
    days: dict[date, DayKind] = {}
    local: dict[str, set[date]] = {}
    for text, area, kind, _name, _source, _year in content["days"]:
        day = date.fromisoformat(text)
        if area:
            local.setdefault(area, set()).add(day)
        else:
            days[day] = DayKind(kind)
    announced = frozenset(year for year, is_announced, _source in content["years"] if is_announced)
    return Calendar(
        version=version,
        days=days,
        announced=announced,
        local={area: frozenset(closed) for area, closed in local.items()},
    )


def calendar_years() -> tuple[tuple[int, bool, str], ...]:
    """Return every year a notice was handed in for: year, whether announced, source."""
    return tuple(models.CalendarYear.objects.order_by("year").values_list("year", "announced", "source"))


# Areas


def _area(row: models.Area) -> AreaRow:
    return AreaRow(
        area_id=row.id,
        code=row.code,
        name=row.name,
        display_name=row.display_name,
        kind=row.kind,
        parent_id=row.parent_id,
        levels=rules.Levels(row.city_id, row.county_id, row.town_id, row.community_id, row.grid_id),
        is_made=row.is_made,
        active_from=row.active_from,
        active_to=row.active_to,
        succeeded_by=row.succeeded_by_id,
    )


def _areas() -> QuerySet[models.Area]:
    # Outlines are large and wanted by maps alone.
    return models.Area.objects.defer("outline")


def area(area_id: int) -> AreaRow | None:
    """Return the area of this id, whether it still exists or not."""
    row = _areas().filter(id=area_id).first()
    return None if row is None else _area(row)


def area_by_code(code: str) -> AreaRow | None:
    """Return the area of this code, whether it still exists or not."""
    row = _areas().filter(code=code).first()
    return None if row is None else _area(row)


def areas(area_ids: Iterable[int]) -> dict[int, AreaRow]:
    """Return the areas of these ids, by id."""
    return {row.id: _area(row) for row in _areas().filter(id__in=list(area_ids))}


def area_path(area_id: int) -> tuple[AreaRow, ...]:
    """Return the areas from the city down to this one; empty for an unknown id."""
    found = area(area_id)
    if found is None:
        return ()
    path = [step for step in found.levels.path() if step != area_id] + [area_id]
    known = areas(path)
    return tuple(known[step] for step in path)


def areas_below(area_id: int, *, at: datetime) -> tuple[AreaRow, ...]:
    """Return the areas directly below this one at an instant, by code."""
    rows = _areas().filter(_active(at), parent_id=area_id).order_by("code")
    return tuple(_area(row) for row in rows)


def areas_of_kind(kind: str, *, at: datetime) -> tuple[AreaRow, ...]:
    """Return every area of a kind at an instant, by code."""
    return tuple(_area(row) for row in _areas().filter(_active(at), kind=kind).order_by("code"))


def outlines(area_ids: Iterable[int]) -> dict[int, object]:
    """Return the outlines of those of these areas that have one: GeoJSON geometry in WGS-84."""
    rows = models.Area.objects.filter(id__in=list(area_ids), outline__isnull=False)
    return dict(rows.values_list("id", "outline"))


def gazetteer(*, at: datetime | None = None) -> tuple[Unit, ...]:
    """Return every area with all its names, for the address matcher; without an instant, as it stands now."""
    in_force = Q(active_to__isnull=True) if at is None else _active(at)
    said: dict[int, list[tuple[str, str]]] = {}
    for area_id, text, kind in (
        models.AreaAlias.objects.filter(in_force).order_by("id").values_list("area_id", "text", "kind")
    ):
        said.setdefault(area_id, []).append((text, kind))
    rows = list(_areas().filter(in_force).order_by("code"))
    shown = {row.id: row.display_name for row in rows}
    return tuple(_unit(row, shown, tuple(said.get(row.id, ()))) for row in rows)


def _unit(row: models.Area, shown: Mapping[int, str], aliases: tuple[tuple[str, str], ...]) -> Unit:
    # A missing level repeats the one above it: only a town that differs from its county is one.
    county = row.county_id if row.county_id != row.city_id else None
    town = row.town_id if county is not None and row.town_id != row.county_id else None
    return Unit(
        area_id=row.id,
        code=row.code,
        name=row.name,
        display_name=row.display_name,
        core=row.core,
        suffix=row.suffix,
        kind=row.kind,
        town_id=town,
        town=shown.get(town, "") if town is not None else "",
        county_id=county,
        county=shown.get(county, "") if county is not None else "",
        aliases=aliases,
    )


# Categories


def _category(row: models.Category, words: tuple[str, ...], assists: tuple[str, ...]) -> CategoryRow:
    return CategoryRow(
        category_id=row.id,
        code=row.code,
        level1=row.level1,
        root=row.root,
        name=row.name,
        lead_function=row.lead_function,
        urgency=row.urgency,
        sensitivity=row.sensitivity,
        default_days=row.default_days,
        lane=row.lane,
        legal_basis=row.legal_basis,
        statutory_text=row.statutory_text,
        is_unconfirmed=row.is_unconfirmed,
        mediation=row.mediation,
        small_fund=row.small_fund,
        season=row.season,
        words=words,
        assists=assists,
        active_from=row.active_from,
        active_to=row.active_to,
    )


def _categories(rows: QuerySet[models.Category]) -> tuple[CategoryRow, ...]:
    found = list(rows)
    ids = [row.id for row in found]
    words: dict[int, list[str]] = {}
    for category_id, word in (
        models.CategoryWord.objects.filter(category_id__in=ids)
        .order_by("category_id", "word")
        .values_list("category_id", "word")
    ):
        words.setdefault(category_id, []).append(word)
    assists: dict[int, list[str]] = {}
    for category_id, function in (
        models.CategoryAssist.objects.filter(category_id__in=ids)
        .order_by("category_id", "place")
        .values_list("category_id", "function")
    ):
        assists.setdefault(category_id, []).append(function)
    return tuple(_category(row, tuple(words.get(row.id, ())), tuple(assists.get(row.id, ()))) for row in found)


def category(*, category_id: int | None = None, code: str | None = None) -> CategoryRow | None:
    """Return one category by its id or its code, whether still in use or not."""
    found = (
        models.Category.objects.filter(id=category_id) if code is None else models.Category.objects.filter(code=code)
    )
    return next(iter(_categories(found)), None)


def categories(*, at: datetime | None = None) -> tuple[CategoryRow, ...]:
    """Return every category by code; without an instant, those in use now."""
    in_force = Q(active_to__isnull=True) if at is None else _active(at)
    return _categories(models.Category.objects.filter(in_force).order_by("code"))


# Offices


def _office(row: models.Office) -> OfficeRow:
    return OfficeRow(
        office_id=row.id,
        code=row.code,
        name=row.name,
        short=row.short,
        kind=row.kind,
        parent_id=row.parent_id,
        area_id=row.area_id,
        level=row.level,
        duty_phone=row.duty_phone,
        is_made=row.is_made,
        active_from=row.active_from,
        active_to=row.active_to,
        succeeded_by=row.succeeded_by_id,
    )


def office(office_id: int) -> OfficeRow | None:
    """Return the office of this id, whether it still exists or not."""
    row = models.Office.objects.filter(id=office_id).first()
    return None if row is None else _office(row)


def office_by_code(code: str) -> OfficeRow | None:
    """Return the office of this code, whether it still exists or not."""
    row = models.Office.objects.filter(code=code).first()
    return None if row is None else _office(row)


def offices(
    *,
    at: datetime | None = None,
    ids: Iterable[int] | None = None,
    kind: str | None = None,
    level: str | None = None,
    area_id: int | None = None,
    parent_id: int | None = None,
    function: str | None = None,
    limit: int | None = None,
) -> tuple[OfficeRow, ...]:
    """Return the offices that fit everything said, by code; without an instant, closed ones too."""
    rows = models.Office.objects.all()
    if at is not None:
        rows = rows.filter(_active(at))
    if ids is not None:
        rows = rows.filter(id__in=list(ids))
    told = {"kind": kind, "level": level, "area_id": area_id, "parent_id": parent_id, "functions__function": function}
    rows = rows.filter(**{column: value for column, value in told.items() if value is not None})
    return tuple(_office(row) for row in rows.order_by("code")[:limit])


def functions_of(office_id: int) -> tuple[str, ...]:
    """Return the functions and roles an office has."""
    rows = models.OfficeFunction.objects.filter(office_id=office_id).order_by("function")
    return tuple(rows.values_list("function", flat=True))


def offices_by_function(
    functions: Iterable[str], *, area_ids: Iterable[int], at: datetime
) -> Mapping[tuple[str, int], int]:
    """Return the offices that do one of these functions in one of these areas, for `rules.resolve`.

    Two offices with one function in one area: the one with the smaller code.
    """
    rows = (
        models.OfficeFunction.objects.filter(_active(at, "office__"))
        .filter(function__in=list(functions), office__area_id__in=list(area_ids))
        .order_by("-office__code")
        .values_list("function", "office__area_id", "office_id")
    )
    return MappingProxyType({(function, area_id): office_id for function, area_id, office_id in rows})


_ROUTE = """
WITH RECURSIVE found AS (
    SELECT r.id, r.office_id, r.active_from,
           CASE WHEN r.category_id IS NOT NULL THEN 0 WHEN r.root IS NOT NULL THEN 1 ELSE 2 END AS width,
           -- Levels at and below an area repeat it, so this counts up from a grid (1) to the city (5).
           (a.city_id = a.id)::int + (a.county_id = a.id)::int + (a.town_id = a.id)::int
               + (a.community_id = a.id)::int + (a.grid_id = a.id)::int AS height
    FROM directory_route r
    JOIN directory_area a ON a.id = r.area_id
    JOIN directory_category c ON c.id = %(category)s
    WHERE r.area_id = ANY(%(areas)s)
      AND r.active_from <= %(at)s AND (r.active_to IS NULL OR r.active_to > %(at)s)
      AND (r.category_id = c.id OR (r.category_id IS NULL AND (r.root IS NULL OR r.root = c.root)))
      -- A discipline report has no route in the ordinary program.
      AND c.sensitivity <> 'sealed'
    ORDER BY height, width, r.active_from DESC, r.id DESC
    LIMIT 1
), heir (id, hops) AS (
    SELECT office_id, 0 FROM found
    UNION ALL
    SELECT o.succeeded_by_id, hops + 1 FROM heir JOIN directory_office o ON o.id = heir.id
    WHERE o.active_to <= %(at)s AND o.succeeded_by_id IS NOT NULL AND hops < 8
)
SELECT (SELECT id FROM heir ORDER BY hops DESC LIMIT 1), found.id, found.width, found.height FROM found
"""
_WIDTHS = ("category", "root", "any")
_HEIGHTS = {1: "grid", 2: "community", 3: "town", 4: "county", 5: "city"}


def route(*, category_id: int, area_ids: Sequence[int], at: datetime) -> RouteFound | None:
    """Return where a matter of a category goes in a place, or nothing: narrowest area first, then closest match.

    `area_ids` are the level columns of the place in any order. Within one area a route of the category comes before one
    of its top category, and that before one for anything. A merged office is followed to its successor. Sealed
    categories have no route.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ROUTE, {"category": category_id, "areas": list(area_ids), "at": at})
        row = cursor.fetchone()
    if row is None:
        return None
    office_id, route_id, width, height = row
    return RouteFound(office_id=office_id, route_id=route_id, why=f"route.{_WIDTHS[width]}.{_HEIGHTS[height]}")


# Who answers

_WHO = """
WITH RECURSIVE asked (n, office_id, kind) AS (
    SELECT * FROM unnest(%(ns)s::int[], %(offices)s::bigint[], %(kinds)s::text[])
), up (n, kind, office_id, hops, seen) AS (
    SELECT n, kind, office_id, 0, ARRAY[office_id] FROM asked
    UNION ALL
    -- A closed office's successor stands in its place; otherwise one step up to the superior office.
    SELECT up.n, up.kind, step.office_id, up.hops + step.rise, up.seen || step.office_id
    FROM up
    JOIN directory_office o ON o.id = up.office_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN o.active_to <= %(at)s AND o.succeeded_by_id IS NOT NULL
                    THEN o.succeeded_by_id ELSE o.parent_id END,
               CASE WHEN o.active_to <= %(at)s AND o.succeeded_by_id IS NOT NULL THEN 0 ELSE 1 END
    ) AS step (office_id, rise)
    WHERE step.office_id IS NOT NULL AND NOT step.office_id = ANY(up.seen)
), chain AS (
    SELECT n, kind, office_id, hops FROM up
    UNION ALL
    -- Whatever the tree of offices says, the desk of the city is the last to be asked.
    SELECT asked.n, asked.kind, i.desk_office_id, 1000
    FROM asked CROSS JOIN directory_installation i WHERE i.desk_office_id IS NOT NULL
)
SELECT chain.n, t.principal_id, p.id,
       CASE WHEN chain.hops > 0 THEN 'superior'
            WHEN p.kind = chain.kind AND NOT t.deputy THEN 'holder'
            WHEN p.kind = chain.kind THEN 'deputy'
            ELSE 'head' END AS how
FROM chain
JOIN directory_post p ON p.office_id = chain.office_id
    AND p.kind IN (CASE WHEN chain.hops = 0 THEN chain.kind ELSE 'duty' END,
                   CASE WHEN chain.hops = 0 THEN 'head' ELSE 'duty' END)
    AND p.active_from <= %(at)s AND (p.active_to IS NULL OR p.active_to > %(at)s)
JOIN directory_tenure t ON t.post_id = p.id
    AND t.active_from <= %(at)s AND (t.active_to IS NULL OR t.active_to > %(at)s)
JOIN accounts_principal who ON who.id = t.principal_id
    AND (who.disabled_at IS NULL OR who.disabled_at > %(at)s)
WHERE NOT EXISTS (
    SELECT FROM directory_absence away WHERE away.principal_id = t.principal_id
    AND away.active_from <= %(at)s AND (away.active_to IS NULL OR away.active_to > %(at)s)
)
ORDER BY chain.n, chain.hops, (chain.hops = 0 AND p.kind <> chain.kind), t.deputy, p.id, t.id
"""


def who_answers_many(asked: Iterable[tuple[int, str]], *, at: datetime) -> dict[tuple[int, str], tuple[Answering, ...]]:
    """Return who answers at an instant for each pair of office and post kind, in order of calling; one statement.

    First the holders of such posts, then their deputies, then the head of the office and his deputies, then the duty
    post of each superior office up to the desk of the city. Absent people and closed accounts are passed over; each
    person stands once, in his first place. An empty answer is an alarm: a promise nobody can be held to.
    """
    pairs = list(dict.fromkeys(asked))
    found: dict[tuple[int, str], dict[int, Answering]] = {pair: {} for pair in pairs}
    if pairs:
        with connection.cursor() as cursor:
            cursor.execute(
                _WHO,
                {
                    "ns": list(range(len(pairs))),
                    "offices": [office_id for office_id, _ in pairs],
                    "kinds": [str(kind) for _, kind in pairs],
                    "at": at,
                },
            )
            for n, principal_id, post_id, how in cursor.fetchall():
                found[pairs[n]].setdefault(principal_id, Answering(principal_id, post_id, how))
    return {pair: tuple(people.values()) for pair, people in found.items()}


def who_answers(*, office_id: int, post_kind: str, at: datetime) -> list[Answering]:
    """Return who answers for an office in a kind of post at an instant, in order of calling; see `who_answers_many`."""
    return list(who_answers_many([(office_id, post_kind)], at=at)[office_id, post_kind])


def posts_of(principal_id: int, *, at: datetime) -> tuple[HeldPost, ...]:
    """Return the posts a person holds or stands in for at an instant, his own first."""
    rows = (
        models.Tenure.objects.filter(_active(at), _active(at, "post__"), principal_id=principal_id)
        .select_related("post__office")
        .order_by("deputy", "post_id")
    )
    return tuple(
        HeldPost(
            post_id=row.post_id,
            kind=row.post.kind,
            name=row.post.name,
            deputy=row.deputy,
            office_id=row.post.office_id,
            office_name=row.post.office.name,
            level=row.post.office.level,
            area_id=row.post.office.area_id,
            active_from=row.active_from,
            active_to=row.active_to,
        )
        for row in rows
    )


def posts_in(office_id: int, *, at: datetime) -> tuple[PostRow, ...]:
    """Return the posts of an office at an instant, each with its holder and deputies (id and name)."""
    held: dict[int, list[tuple[bool, int, str]]] = {}
    for post_id, deputy, principal_id, name in (
        models.Tenure.objects.filter(_active(at), post__office_id=office_id)
        .order_by("id")
        .values_list("post_id", "deputy", "principal_id", "principal__name")
    ):
        held.setdefault(post_id, []).append((deputy, principal_id, name))
    rows = models.Post.objects.filter(_active(at), office_id=office_id).order_by("kind", "name")
    return tuple(
        PostRow(
            post_id=row.id,
            office_id=row.office_id,
            kind=row.kind,
            name=row.name,
            is_made=row.is_made,
            holder=next(((who, name) for deputy, who, name in held.get(row.id, ()) if not deputy), None),
            deputies=tuple((who, name) for deputy, who, name in held.get(row.id, ()) if deputy),
        )
        for row in rows
    )


def entries(*, table: str | None = None, row_id: object | None = None, limit: int = 50) -> tuple[EntryRow, ...]:
    """Return the newest changes of the directory, of one table or one row where told."""
    rows = models.ReferenceEntry.objects.all()
    if table is not None:
        rows = rows.filter(table=table)
    if row_id is not None:
        rows = rows.filter(row_id=str(row_id))
    found = rows.order_by("-id")[:limit]
    return tuple(EntryRow(r.id, r.at, r.by_id, r.table, r.row_id, r.what, r.before, r.after, r.reason) for r in found)


# Who acts, and who supervises


_ACTOR = """
SELECT p.id, p.kind, p.office_id, o.level, o.area_id, who.name,
       (SELECT array_agg(DISTINCT p2.office_id) FROM directory_tenure t2 JOIN directory_post p2 ON p2.id = t2.post_id
        WHERE t2.principal_id = who.id AND t2.active_from <= %(at)s AND (t2.active_to IS NULL OR t2.active_to > %(at)s))
FROM accounts_principal who
JOIN directory_tenure t ON t.principal_id = who.id AND t.post_id = %(post)s
    AND t.active_from <= %(at)s AND (t.active_to IS NULL OR t.active_to > %(at)s)
JOIN directory_post p ON p.id = t.post_id AND p.active_from <= %(at)s AND (p.active_to IS NULL OR p.active_to > %(at)s)
JOIN directory_office o ON o.id = p.office_id
WHERE who.id = %(principal)s AND who.sessions_from <= %(began)s
  AND (who.disabled_at IS NULL OR who.disabled_at > %(at)s)
LIMIT 1
"""


def actor_of(*, principal_id: int, post_id: int, began: datetime, at: datetime) -> Actor | None:
    """Return who acts in a post now, or nothing where he no longer may: one statement for every request.

    Nothing as well where the session began before the account's sessions were ended.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ACTOR, {"principal": principal_id, "post": post_id, "began": began, "at": at})
        row = cursor.fetchone()
    if row is None:
        return None
    return Actor(
        kind="post",
        principal=principal_id,
        post=row[0],
        post_kind=row[1],
        office=row[2],
        level=row[3],
        area=row[4],
        offices=frozenset(row[6] or ()),
        name=row[5],
    )


def supervising_office(*, by: str, county_id: int | None) -> int:
    """Return the office that gives an order of a rung: the county's centre, else the city's desk.

    `by` is the charter's holder: county_centre, city_centre or chief_clerk (of the county where there is one).
    """
    found = None
    if county_id is not None and by in ("county_centre", "handler_and_head"):
        found = models.Office.objects.filter(kind="centre", level="county", area_id=county_id, active_to__isnull=True)
    if county_id is not None and by == "chief_clerk":
        found = models.Office.objects.filter(
            posts__kind="chief_clerk", area_id=county_id, active_to__isnull=True
        ).distinct()
    office_id = found.order_by("code").values_list("id", flat=True).first() if found is not None else None
    if office_id is not None:
        return int(office_id)
    city_row = city()
    if city_row is None or city_row.desk_office_id is None:
        raise LookupError("the city has no desk office")
    return city_row.desk_office_id
