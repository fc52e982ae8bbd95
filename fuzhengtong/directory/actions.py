"""Changing the directory: its lists, who holds which post, the city itself, and the numbers processes live on.

Called by the command line, by the pages of the system and security administrators, by the demo and by every process at
its start. Permission is asked by the caller. Every change of a row leaves a ReferenceEntry; leases and number blocks
are no facts of the city and leave none.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from psycopg import errors as pg

from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import models, rules
from fuzhengtong.directory.imports import writing
from fuzhengtong.directory.imports.areas import import_areas, import_grids
from fuzhengtong.directory.imports.calendar import import_calendar
from fuzhengtong.directory.imports.categories import import_categories, import_routes
from fuzhengtong.directory.imports.offices import end_tenure, import_offices, import_people, import_posts
from fuzhengtong.directory.names import AliasKind
from fuzhengtong.kernel.errors import AlreadyDone, Refused

__all__ = [
    "add_alias",
    "drop_alias",
    "end_absence",
    "found_city",
    "hold_post",
    "import_areas",
    "import_calendar",
    "import_categories",
    "import_grids",
    "import_offices",
    "import_people",
    "import_posts",
    "import_routes",
    "lease_node",
    "leave_post",
    "record_absence",
    "release_node",
    "renew_node",
    "take_numbers",
]

NODES = 64


class PostHeld(Refused):
    """Refuse a post that somebody holds in that time."""

    code: ClassVar[str] = "post_held"


class PostClosed(Refused):
    """Refuse a post that does not exist in that time."""

    code: ClassVar[str] = "post_closed"


class NotHeld(Refused):
    """Refuse to end what is not held."""

    code: ClassVar[str] = "post_not_held"


class EndsBeforeItBegins(Refused):
    """Refuse a period without an instant in it."""

    code: ClassVar[str] = "ends_before_it_begins"


class NoNodeFree(Refused):
    """Refuse to start: every node number is leased."""

    code: ClassVar[str] = "no_node_free"


def found_city(
    *,
    code: str,
    letters: str,
    name: str,
    moment: Moment,
    zone: str = "Asia/Shanghai",
    city_area_id: int | None = None,
    desk_office_id: int | None = None,
    reason: str = "",
) -> None:
    """Say which city this installation is of, or change what is said; the code enters every hash and never changes.

    Refuses another code once one stands, and to say the same again.
    """
    told: dict[str, object] = {
        "city_code": code,
        "letters": letters,
        "name": name,
        "zone": zone,
        "city_area_id": city_area_id,
        "desk_office_id": desk_office_id,
    }
    with writing.one_writer():
        row = models.Installation.objects.filter(id=1).first()
        before = {} if row is None else {column: getattr(row, column) for column in told}
        if row is not None and row.city_code != code:
            raise AlreadyDone(code=row.city_code)
        differing = {column: value for column, value in told.items() if before.get(column) != value}
        if row is not None and not differing:
            raise AlreadyDone(code=code)
        models.Installation(id=1, **told).save(force_insert=row is None, force_update=row is not None)
        change = rules.Change(
            "installation", code, name, {column: before[column] for column in differing if before}, differing
        )
        what = "added" if row is None else "changed"
        writing.enter(table="installation", row_id=1, what=what, change=change, moment=moment, reason=reason)


def hold_post(
    *,
    post_id: int,
    principal_id: int,
    moment: Moment,
    deputy: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
    reason: str = "",
) -> int:
    """Give a person a post, or make him deputy of its holder, from `since` (else now) until `until` (else open).

    Refuses a post somebody holds in that time (PostHeld), one that does not exist then (PostClosed), and a second of
    the three administrators' posts in one hand, whether held now, before or later in an overlapping time
    (AdminPostsApart). Returns the id of the tenure.
    """
    start = since or moment.at
    if until is not None and until <= start:
        raise EndsBeforeItBegins
    with writing.one_writer():
        post = models.Post.objects.get(id=post_id)
        if post.active_from > start or (post.active_to is not None and (until is None or until > post.active_to)):
            raise PostClosed(post=post.name)
        _keep_admins_apart(rules.Held(post.kind, start, until), principal_id)
        tenure = models.Tenure(
            id=moment.mint.id(),
            post_id=post_id,
            principal_id=principal_id,
            deputy=deputy,
            active_from=start,
            active_to=until,
        )
        _insert(tenure, post)
        after = {"post": post_id, "principal": principal_id, "deputy": deputy, "active_from": start, "active_to": until}
        change = rules.Change("tenure", str(tenure.id), post.name, {}, after)
        writing.enter(table="tenure", row_id=tenure.id, what="added", change=change, moment=moment, reason=reason)
        return int(tenure.id)


def _keep_admins_apart(wanted: rules.Held, principal_id: int) -> None:
    if wanted.kind not in rules.ADMIN_POSTS:
        return
    held = models.Tenure.objects.filter(principal_id=principal_id, post__kind__in=list(rules.ADMIN_POSTS))
    refusal = rules.why_not_hold(
        wanted, [rules.Held(*row) for row in held.values_list("post__kind", "active_from", "active_to")]
    )
    if refusal is not None:
        raise refusal


def _insert(tenure: models.Tenure, post: models.Post) -> None:
    """Insert a tenure; the database itself keeps two holders from one post."""
    try:
        with transaction.atomic():
            tenure.save(force_insert=True)
    except IntegrityError as error:
        if isinstance(error.__cause__, pg.ExclusionViolation):
            raise PostHeld(post=post.name) from error
        raise


def leave_post(
    *, post_id: int, principal_id: int, moment: Moment, at: datetime | None = None, reason: str = ""
) -> None:
    """End a person's tenures of a post now, or at a later instant; one that would only have begun then never was.

    Refuses where he neither holds the post nor stands in for its holder.
    """
    end = at or moment.at
    with writing.one_writer():
        open_ones = models.Tenure.objects.filter(post_id=post_id, principal_id=principal_id)
        tenures = list(open_ones.filter(Q(active_to__isnull=True) | Q(active_to__gt=end)).select_related("post"))
        if not tenures:
            raise NotHeld
        for tenure in tenures:
            before = {"active_to": tenure.active_to}
            end_tenure(tenure, at=end)
            change = rules.Change("tenure", str(tenure.id), tenure.post.name, before, {"active_to": end})
            writing.enter(table="tenure", row_id=tenure.id, what="closed", change=change, moment=moment, reason=reason)


def record_absence(
    *, principal_id: int, since: datetime, moment: Moment, until: datetime | None = None, reason: str = ""
) -> int:
    """Record from when to when a person is away (open where not known); his deputies answer meanwhile.

    Refuses a period without an instant in it. Returns the id of the absence.
    """
    if until is not None and until <= since:
        raise EndsBeforeItBegins
    with writing.one_writer():
        row = models.Absence.objects.create(
            id=moment.mint.id(), principal_id=principal_id, active_from=since, active_to=until, reason=reason
        )
        after = {"principal": principal_id, "active_from": since, "active_to": until}
        change = rules.Change("absence", str(row.id), "", {}, after)
        writing.enter(table="absence", row_id=row.id, what="added", change=change, moment=moment, reason=reason)
        return int(row.id)


def end_absence(*, absence_id: int, moment: Moment, reason: str = "") -> None:
    """Say that a person is back before his absence was to end; refuses one that is over."""
    with writing.one_writer():
        row = models.Absence.objects.get(id=absence_id)
        if row.active_to is not None and row.active_to <= moment.at:
            raise AlreadyDone
        change = rules.Change("absence", str(row.id), "", {"active_to": row.active_to}, {"active_to": moment.at})
        if row.active_from >= moment.at:
            row.delete()
        else:
            row.active_to = moment.at
            row.save(update_fields=["active_to"])
        writing.enter(table="absence", row_id=absence_id, what="closed", change=change, moment=moment, reason=reason)


def add_alias(*, area_id: int, text: str, source: str, moment: Moment, reason: str = "") -> int:
    """Add a name under which people know an area, as a clerk learnt it; refuses one the area has.

    The same name may belong to several areas: it then resolves to none of them. Returns the id of the alias.
    """
    text = text.strip()
    with writing.one_writer():
        area = models.Area.objects.get(id=area_id)
        has = models.AreaAlias.objects.filter(area_id=area_id, text=text, active_to__isnull=True).exists()
        if has or text in ("", area.name, area.display_name):
            raise AlreadyDone(text=text)
        row = models.AreaAlias.objects.create(
            id=moment.mint.id(),
            text=text,
            area_id=area_id,
            kind=AliasKind.CLERK.value,
            source=source,
            active_from=moment.at,
        )
        change = rules.Change("area_alias", f"{text} {area.code}", text, {}, {"name": text, "source": source})
        writing.enter(table="area_alias", row_id=row.id, what="added", change=change, moment=moment, reason=reason)
        return int(row.id)


def drop_alias(*, alias_id: int, moment: Moment, reason: str = "") -> None:
    """End a name of an area; refuses one that has ended."""
    with writing.one_writer():
        row = models.AreaAlias.objects.select_related("area").get(id=alias_id)
        if row.active_to is not None:
            raise AlreadyDone(text=row.text)
        change = rules.Change(
            "area_alias", f"{row.text} {row.area.code}", row.text, {"active_to": None}, {"active_to": moment.at}
        )
        if row.active_from >= moment.at:
            row.delete()
        else:
            row.active_to = moment.at
            row.save(update_fields=["active_to"])
        writing.enter(table="area_alias", row_id=alias_id, what="closed", change=change, moment=moment, reason=reason)


def lease_node(holder: str, now_ms: int, for_ms: int) -> tuple[int, int]:
    """Lease the lowest node number nobody has, and return it with the end of the lease in epoch milliseconds.

    Called outside any other transaction: a lease that is rolled back was never had. A number is leased again only when
    its lease is over, even to the same holder: the process of before may still be making ids. Raises NoNodeFree.
    """
    # Two processes may see the same free number; the second one finds it taken and tries again.
    for _ in range(NODES):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO directory_nodelease AS l (node, holder, until_ms)"
                " SELECT n, %(holder)s, %(until)s FROM generate_series(0, %(last)s) AS n"
                " WHERE NOT EXISTS (SELECT FROM directory_nodelease WHERE node = n AND until_ms >= %(now)s)"
                " ORDER BY n LIMIT 1"
                " ON CONFLICT (node) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms"
                " WHERE l.until_ms < %(now)s"
                " RETURNING node, until_ms",
                {"holder": holder, "until": now_ms + for_ms, "now": now_ms, "last": NODES - 1},
            )
            row = cursor.fetchone()
            if row is not None:
                return int(row[0]), int(row[1])
            cursor.execute("SELECT count(*) FROM directory_nodelease WHERE until_ms >= %s", [now_ms])
            (taken,) = cursor.fetchone()
        if taken >= NODES:
            break
    raise NoNodeFree


def renew_node(node: int, holder: str, now_ms: int, for_ms: int) -> int | None:
    """Lengthen a lease that still runs and return its new end; nothing where it is lost, and a new one must be had."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE directory_nodelease SET until_ms = greatest(until_ms, %s)"
            " WHERE node = %s AND holder = %s AND until_ms >= %s RETURNING until_ms",
            [now_ms + for_ms, node, holder, now_ms],
        )
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def release_node(node: int, holder: str, now_ms: int) -> None:
    """End a lease at an orderly stop; a lease of somebody else is left alone.

    The number is free from the next millisecond on, so no two processes share one.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE directory_nodelease SET until_ms = least(until_ms, %s) WHERE node = %s AND holder = %s",
            [now_ms, node, holder],
        )


def take_numbers(day: date, count: int) -> int:
    """Take a block of serials of a day for case numbers and return its first; a block not used up leaves a gap.

    Called outside the transaction of an intake: the row of the day would make every intake wait for the one before.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO directory_numberblock AS b (day, next) VALUES (%(day)s, 1 + %(count)s)"
            " ON CONFLICT (day) DO UPDATE SET next = b.next + %(count)s RETURNING next - %(count)s",
            {"day": day, "count": count},
        )
        (first,) = cursor.fetchone()
    return int(first)
