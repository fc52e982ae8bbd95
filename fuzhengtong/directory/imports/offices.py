"""Writing lists of offices, of people, and of posts with their holders.

Called through `actions`. An office that closes keeps its rows; who answers for it afterwards is found through its
successor and its superior. Open work of a closed office is moved by the spine's own hand-over, not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from fuzhengtong.accounts import actions as accounts_actions
from fuzhengtong.accounts import queries as accounts_queries
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import models, rules
from fuzhengtong.directory.imports import writing
from fuzhengtong.directory.lists import offices as lists
from fuzhengtong.directory.lists.cells import further
from fuzhengtong.directory.sheets import Problem, Sheet

_OFFICES, _POSTS = "office", "post"
_LEVEL_OF_AREA = {
    "city": rules.Level.CITY,
    "county": rules.Level.COUNTY,
    "town": rules.Level.TOWN,
    "community": rules.Level.COMMUNITY,
    "village": rules.Level.COMMUNITY,
}


def import_offices(
    *,
    sheet: Sheet,
    moment: Moment,
    apply: bool,
    since: datetime | None = None,
    complete: bool = False,
    reason: str = "",
) -> rules.Report:
    """Compare a list of offices with what stands, and where told to apply, write the differences.

    New offices begin at `since`, else now. With `complete`, offices that are not in the list are closed.
    """
    found = lists.parse_offices(sheet)
    rows = {row.code: row for row in found.rows}
    with writing.one_writer():
        standing = {row.code: row for row in models.Office.objects.all()}
        areas = {row.code: row for row in models.Area.objects.defer("outline")}
        problems = further(found.problems, _office_links(found.rows, standing, areas))
        if problems:
            return writing.refused(problems)
        report = rules.compare(
            table=_OFFICES,
            current=_office_records(standing, areas),
            wanted={code: _office_wanted(row) for code, row in rows.items()},
            moving=frozenset({"parent", "area"}),
            closing=[code for code, row in standing.items() if row.active_to is None] if complete else (),
            closed_at=moment.at,
        )
        if not apply or not report.is_different:
            return report
        _write_offices(report, rows, standing, areas, moment=moment, since=since or moment.at, reason=reason)
        return replace(report, applied=True)


def _office_links(
    rows: Sequence[lists.OfficeRow], standing: Mapping[str, models.Office], areas: Mapping[str, models.Area]
) -> list[Problem]:
    """Name the rows whose area, parent or successor does not exist, does not fit, or leads round in a circle."""
    known = {row.code for row in rows} | standing.keys()
    problems = []
    for row in rows:
        problems += _area_of_office(row, areas)
        if row.parent and row.parent not in known:
            problems.append(row.origin.problem("parent", "import.parent_unknown", found=row.parent))
        if row.succeeded_by and (row.succeeded_by not in known or row.succeeded_by == row.code):
            problems.append(row.origin.problem("succeeded_by", "import.successor_unknown", found=row.succeeded_by))
    codes = {row.id: row.code for row in standing.values()}
    parents = {code: codes.get(row.parent_id or 0, "") for code, row in standing.items()}
    parents.update({row.code: row.parent for row in rows})
    for row in rows:
        # The row's own word comes first: another row of the same code may say otherwise.
        if _is_in_circle(row.code, row.parent, parents):
            problems.append(row.origin.problem("parent", "import.circle", code=row.code))
    return problems


def _area_of_office(row: lists.OfficeRow, areas: Mapping[str, models.Area]) -> list[Problem]:
    area = areas.get(row.area)
    if area is None or (area.active_to is not None and row.active_to is None):
        return [row.origin.problem("area", "import.area_unknown", found=row.area)]
    level = _LEVEL_OF_AREA.get(area.kind)
    if level is not row.level and area.kind != "functional":
        return [row.origin.problem("level", "import.level_against_area", area=row.area, kind=area.kind)]
    return []


def _is_in_circle(code: str, parent: str, parents: Mapping[str, str]) -> bool:
    seen = {code}
    while parent:
        if parent in seen:
            return True
        seen.add(parent)
        parent = parents.get(parent, "")
    return False


def _office_records(standing: Mapping[str, models.Office], areas: Mapping[str, models.Area]) -> dict[str, rules.Record]:
    codes = {row.id: row.code for row in standing.values()}
    area_codes = {row.id: code for code, row in areas.items()}
    functions: dict[int, list[str]] = {}
    for office_id, function in models.OfficeFunction.objects.order_by("function").values_list("office_id", "function"):
        functions.setdefault(office_id, []).append(function)
    return {
        code: {
            "name": row.name,
            "short": row.short,
            "kind": row.kind,
            "parent": codes.get(row.parent_id or 0, ""),
            "area": area_codes[row.area_id],
            "level": row.level,
            "functions": tuple(functions.get(row.id, ())),
            "duty_phone": row.duty_phone,
            "is_made": row.is_made,
            "active_from": row.active_from,
            "active_to": row.active_to,
            "succeeded_by": codes.get(row.succeeded_by_id or 0, ""),
        }
        for code, row in standing.items()
    }


def _office_wanted(row: lists.OfficeRow) -> rules.Record:
    record: dict[str, object] = {
        "name": row.name,
        "short": row.short,
        "kind": row.kind.value,
        "parent": row.parent,
        "area": row.area,
        "level": row.level.value,
        # Sorted as the database sorts: by code point.
        "functions": tuple(sorted(row.functions)),
        "duty_phone": row.duty_phone,
        "is_made": row.is_made,
        "active_to": row.active_to,
        "succeeded_by": row.succeeded_by,
    }
    return record if row.active_from is None else {**record, "active_from": row.active_from}


def _write_offices(
    report: rules.Report,
    rows: Mapping[str, lists.OfficeRow],
    standing: Mapping[str, models.Office],
    areas: Mapping[str, models.Area],
    *,
    moment: Moment,
    since: datetime,
    reason: str,
) -> None:
    offices = dict(standing)
    for change in report.added:
        start = rows[change.code].active_from or since
        offices[change.code] = models.Office(id=moment.mint.id(), code=change.code, active_from=start)
    functions: dict[int, tuple[str, ...]] = {}
    for _, change in writing.kinds_of(report):
        office = offices[change.code]
        for column, value in change.after.items():
            if column == "functions":
                functions[office.id] = value
            elif column == "area":
                office.area_id = areas[str(value)].id
            elif column in ("parent", "succeeded_by"):
                setattr(office, f"{column}_id", offices[str(value)].id if value else None)
            else:
                setattr(office, column, value)
    new = [offices[change.code] for change in report.added]
    models.Office.objects.bulk_create(new, batch_size=writing.BATCH)
    rewritten = [offices[c.code] for c in (*report.changed, *report.moved, *report.closed)]
    columns = ["name", "short", "kind", "parent", "area", "level", "duty_phone", "is_made", "active_from", "active_to"]
    models.Office.objects.bulk_update(rewritten, [*columns, "succeeded_by"], batch_size=200)
    models.OfficeFunction.objects.filter(office_id__in=functions.keys() - {office.id for office in new}).delete()
    models.OfficeFunction.objects.bulk_create(
        [
            models.OfficeFunction(office_id=office_id, function=function)
            for office_id, held in functions.items()
            for function in held
        ],
        batch_size=writing.BATCH,
    )
    writing.enter_all(
        [(_OFFICES, offices[change.code].id, what, change) for what, change in writing.kinds_of(report)],
        moment=moment,
        reason=reason,
    )


def import_people(*, sheet: Sheet, password_hash: str, moment: Moment, apply: bool) -> rules.Report:
    """Let in the people of a list who are not in yet; those who are stay as they are.

    With an empty `password_hash` nobody of them can sign in before his password is set.
    """
    found = lists.parse_people(sheet)
    if found.problems:
        return writing.refused(found.problems)
    with writing.one_writer():
        known = accounts_queries.ids_by_login(row.login for row in found.rows)
        new = [row for row in found.rows if row.login not in known]
        added = tuple(rules.Change("principal", row.login, row.name, {}, {"is_made": row.is_made}) for row in new)
        report = rules.Report(added=added, unchanged=len(found.rows) - len(new))
        if not apply or not new:
            return report
        people = [accounts_actions.NewPerson(login=row.login, name=row.name, is_made=row.is_made) for row in new]
        accounts_actions.create_people(people=people, password_hash=password_hash, moment=moment)
        return replace(report, applied=True)


def import_posts(
    *,
    sheet: Sheet,
    moment: Moment,
    apply: bool,
    since: datetime | None = None,
    complete: bool = False,
    reason: str = "",
) -> rules.Report:
    """Compare a list of posts and their holders with what stands, and where told to apply, write the differences.

    New posts and their holders begin at `since`, else now; a holder replaced by another leaves now. With `complete`,
    posts of the offices named in the list that are not in it are closed, and so are their tenures.
    """
    found = lists.parse_posts(sheet)
    rows = {lists.post_key(row.office, row.kind, row.name): row for row in found.rows}
    with writing.one_writer():
        offices = {row.code: row for row in models.Office.objects.all()}
        standing = _standing_posts(offices)
        tenures = _open_tenures(moment.at)
        logins = [login for row in found.rows for login in (row.holder or "", *(row.deputies or ())) if login]
        people = accounts_queries.ids_by_login(logins)
        linked = _post_links(found.rows, offices, people)
        linked += _admins_apart(found.rows, standing, tenures, people, since or moment.at)
        problems = further(found.problems, linked)
        if problems:
            return writing.refused(problems)
        named = {row.office for row in rows.values()}
        report = rules.compare(
            table=_POSTS,
            current=_post_records(standing, tenures),
            wanted={key: _post_wanted(row) for key, row in rows.items()},
            closing=_open_posts_of(named, standing, offices) if complete else (),
            closed_at=moment.at,
        )
        if not apply or not report.is_different:
            return report
        _write_posts(
            report, rows, standing, tenures, offices, people, moment=moment, since=since or moment.at, reason=reason
        )
        return replace(report, applied=True)


def _standing_posts(offices: Mapping[str, models.Office]) -> dict[str, models.Post]:
    codes = {row.id: code for code, row in offices.items()}
    return {lists.post_key(codes[row.office_id], row.kind, row.name): row for row in models.Post.objects.all()}


def _open_tenures(at: datetime) -> dict[int, list[models.Tenure]]:
    """Return the tenures that hold now or will, by post, with the logins of their people."""
    found: dict[int, list[models.Tenure]] = {}
    rows = models.Tenure.objects.select_related("principal").exclude(active_to__lte=at).order_by("active_from", "id")
    for row in rows:
        found.setdefault(row.post_id, []).append(row)
    return found


def _post_links(
    rows: Iterable[lists.PostRow], offices: Mapping[str, models.Office], people: Mapping[str, int]
) -> list[Problem]:
    problems = []
    for row in rows:
        office = offices.get(row.office)
        if office is None or (office.active_to is not None and row.active_to is None):
            problems.append(row.origin.problem("office", "import.office_unknown", found=row.office))
        for column, logins in (("holder", (row.holder or "",)), ("deputies", row.deputies or ())):
            problems += [
                row.origin.problem(column, "import.login_unknown", found=login)
                for login in logins
                if login and login not in people
            ]
        if row.holder and row.holder in (row.deputies or ()):
            problems.append(row.origin.problem("deputies", "import.holder_is_deputy", found=row.holder))
    return problems


def _admins_apart(
    rows: Iterable[lists.PostRow],
    standing: Mapping[str, models.Post],
    tenures: Mapping[int, Sequence[models.Tenure]],
    people: Mapping[str, int],
    since: datetime,
) -> list[Problem]:
    """Name the rows that would put two of the three administrations into one hand."""
    admin = [
        (lists.post_key(row.office, row.kind, row.name), row)
        for row in rows
        if row.kind in rules.ADMIN_POSTS and row.active_to is None
    ]
    if not admin:
        return []
    kinds = {post.id: post.kind for post in standing.values()}
    # What a row says of holder or deputies replaces what stands; where it is silent, what stands counts.
    restated = {(standing[key].id, False) for key, row in admin if key in standing and row.holder is not None}
    restated |= {(standing[key].id, True) for key, row in admin if key in standing and row.deputies is not None}
    held: dict[int | str, list[rules.Held]] = {}
    for post_id, holding in tenures.items():
        for tenure in holding:
            if (post_id, tenure.deputy) in restated:
                continue
            one = rules.Held(kinds[post_id], tenure.active_from, tenure.active_to)
            held.setdefault(tenure.principal_id, []).append(one)
    problems = []
    for _, row in admin:
        for login in filter(None, (row.holder or "", *(row.deputies or ()))):
            wanted = rules.Held(row.kind, since, None)
            # Who is not known is nobody else either.
            mine = held.setdefault(people.get(login, login), [])
            refusal = rules.why_not_hold(wanted, mine)
            if refusal is not None:
                problems.append(row.origin.problem("holder", "import.admin_posts_apart", login=login, **refusal.params))
            mine.append(wanted)
    return problems


def _open_posts_of(
    named: Iterable[str], standing: Mapping[str, models.Post], offices: Mapping[str, models.Office]
) -> list[str]:
    ids = {offices[code].id for code in named}
    return [key for key, post in standing.items() if post.office_id in ids and post.active_to is None]


def _people_in(tenures: Iterable[models.Tenure]) -> tuple[str, tuple[str, ...]]:
    """Return the logins of the last holder and of the deputies."""
    holder, deputies = "", []
    for tenure in tenures:
        if tenure.deputy:
            deputies.append(tenure.principal.login)
        else:
            holder = tenure.principal.login
    return holder, tuple(sorted(set(deputies)))


def _post_records(
    standing: Mapping[str, models.Post], tenures: Mapping[int, Sequence[models.Tenure]]
) -> dict[str, rules.Record]:
    records: dict[str, rules.Record] = {}
    for key, post in standing.items():
        holder, deputies = _people_in(tenures.get(post.id, ()))
        records[key] = {
            "name": post.name,
            "holder": holder,
            "deputies": deputies,
            "is_made": post.is_made,
            "active_from": post.active_from,
            "active_to": post.active_to,
        }
    return records


def _post_wanted(row: lists.PostRow) -> rules.Record:
    record: dict[str, object] = {"name": row.name, "is_made": row.is_made, "active_to": row.active_to}
    is_over = row.active_to is not None
    optional = {
        # Nobody holds a post that is closed.
        "holder": "" if is_over else row.holder,
        "deputies": () if is_over else row.deputies,
        "active_from": row.active_from,
    }
    return record | {column: value for column, value in optional.items() if value is not None}


def _write_posts(
    report: rules.Report,
    rows: Mapping[str, lists.PostRow],
    standing: Mapping[str, models.Post],
    tenures: Mapping[int, Sequence[models.Tenure]],
    offices: Mapping[str, models.Office],
    people: Mapping[str, int],
    *,
    moment: Moment,
    since: datetime,
    reason: str,
) -> None:
    posts = dict(standing)
    for change in report.added:
        row = rows[change.code]
        posts[change.code] = models.Post(
            id=moment.mint.id(),
            office_id=offices[row.office].id,
            kind=row.kind.value,
            active_from=row.active_from or since,
        )
    for _, change in writing.kinds_of(report):
        for column, value in change.after.items():
            if column not in ("holder", "deputies"):
                setattr(posts[change.code], column, value)
    models.Post.objects.bulk_create([posts[c.code] for c in report.added], batch_size=writing.BATCH)
    rewritten = [posts[c.code] for c in (*report.changed, *report.closed)]
    models.Post.objects.bulk_update(rewritten, ["is_made", "active_from", "active_to"], batch_size=500)
    new: list[models.Tenure] = []
    for what, change in writing.kinds_of(report):
        post = posts[change.code]
        start = post.active_from if what == "added" else moment.at
        new += _reseat(
            post, change, tenures.get(post.id, ()), people, start=start, closed=what == "closed", moment=moment
        )
    models.Tenure.objects.bulk_create(new, batch_size=writing.BATCH)
    writing.enter_all(
        [(_POSTS, posts[change.code].id, what, change) for what, change in writing.kinds_of(report)],
        moment=moment,
        reason=reason,
    )


def _reseat(
    post: models.Post,
    change: rules.Change,
    tenures: Sequence[models.Tenure],
    people: Mapping[str, int],
    *,
    start: datetime,
    closed: bool,
    moment: Moment,
) -> list[models.Tenure]:
    """End the tenures that are over by this change, and return the new ones."""
    holder, deputies = _people_in(tenures)
    wanted_holder = "" if closed else str(change.after.get("holder", holder))
    wanted_deputies = () if closed else change.after.get("deputies", deputies)
    staying = {(wanted_holder, False), *((login, True) for login in wanted_deputies)}
    for tenure in tenures:
        if (tenure.principal.login, tenure.deputy) not in staying:
            end_tenure(tenure, at=post.active_to or moment.at)
    seated = {(holder, False), *((login, True) for login in deputies)}
    return [
        models.Tenure(id=moment.mint.id(), post=post, principal_id=people[login], deputy=deputy, active_from=start)
        for login, deputy in sorted(staying - seated)
        if login
    ]


def end_tenure(tenure: models.Tenure, *, at: datetime) -> None:
    """End a tenure at an instant; one that would only have begun later never was."""
    if tenure.active_from >= at:
        tenure.delete()
    else:
        tenure.active_to = at
        tenure.save(update_fields=["active_to"])
