"""Writing the category tree and the responsibility list.

Called through `actions`. A category's code is never used again for another matter; a route that leads elsewhere is
closed and a new one begins, so that the way an old case went stays explained.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import models, rules
from fuzhengtong.directory.imports import writing
from fuzhengtong.directory.lists import categories as lists
from fuzhengtong.directory.lists.cells import further
from fuzhengtong.directory.sheets import Problem, Sheet

_CATEGORIES, _ROUTES = "category", "route"
_LISTS = ("words", "assists", "codes")
_PLAIN = (
    "level1",
    "root",
    "name",
    "lead_function",
    "urgency",
    "sensitivity",
    "default_days",
    "lane",
    "legal_basis",
    "statutory_text",
    "is_unconfirmed",
    "mediation",
    "small_fund",
    "season",
    "active_from",
    "active_to",
)
# What a new category is until the second list says otherwise.
_NOTHING_MORE = lists.CategoryMore("ordinary", "", "", False, False, False, "", ())


def import_categories(
    *,
    sheet: Sheet,
    more: Sheet | None = None,
    moment: Moment,
    apply: bool,
    since: datetime | None = None,
    complete: bool = False,
    reason: str = "",
) -> rules.Report:
    """Compare the category tree (and its second list) with what stands, and where told to apply, write the differences.

    New categories begin at `since`, else now. With `complete`, categories that are not in the list are closed.
    """
    found = lists.parse_categories(sheet, more)
    if found.problems:
        return writing.refused(found.problems)
    rows = {row.code: row for row in found.rows}
    with writing.one_writer():
        standing = {row.code: row for row in models.Category.objects.all()}
        report = rules.compare(
            table=_CATEGORIES,
            current=_records(standing),
            wanted={code: _wanted(row, is_new=code not in standing) for code, row in rows.items()},
            closing=[code for code, row in standing.items() if row.active_to is None] if complete else (),
            closed_at=moment.at,
        )
        if not apply or not report.is_different:
            return report
        _write(report, standing, moment=moment, since=since or moment.at, reason=reason)
        return replace(report, applied=True)


def _records(standing: Mapping[str, models.Category]) -> dict[str, rules.Record]:
    words: dict[int, list[str]] = {}
    assists: dict[int, list[str]] = {}
    codes: dict[int, list[tuple[str, str]]] = {}
    for row in models.CategoryWord.objects.order_by("category_id", "word"):
        words.setdefault(row.category_id, []).append(row.word)
    for row in models.CategoryAssist.objects.order_by("category_id", "place"):
        assists.setdefault(row.category_id, []).append(row.function)
    for row in models.CategoryCode.objects.order_by("category_id", "scheme"):
        codes.setdefault(row.category_id, []).append((row.scheme, row.code))
    return {
        code: {column: getattr(row, column) for column in _PLAIN}
        | {
            "words": tuple(words.get(row.id, ())),
            "assists": tuple(assists.get(row.id, ())),
            "codes": tuple(codes.get(row.id, ())),
        }
        for code, row in standing.items()
    }


def _wanted(row: lists.CategoryRow, *, is_new: bool) -> rules.Record:
    record: dict[str, object] = {
        "level1": row.level1,
        "root": row.code[0],
        "name": row.name,
        "lead_function": row.lead_function,
        "urgency": row.urgency,
        "sensitivity": row.sensitivity.value,
        "default_days": row.default_days,
        "words": tuple(sorted(row.words)),
        "assists": row.assists,
        "active_to": None,
    }
    more = row.more or (_NOTHING_MORE if is_new else None)
    if more is not None:
        record |= asdict(more) | {"codes": tuple(sorted(more.codes))}
    return record


def _write(
    report: rules.Report,
    standing: Mapping[str, models.Category],
    *,
    moment: Moment,
    since: datetime,
    reason: str,
) -> None:
    categories = dict(standing)
    for change in report.added:
        categories[change.code] = models.Category(id=moment.mint.id(), code=change.code, active_from=since)
    held: dict[str, dict[int, tuple[Any, ...]]] = {name: {} for name in _LISTS}
    for _, change in writing.kinds_of(report):
        category = categories[change.code]
        for column, value in change.after.items():
            if column in _LISTS:
                held[column][category.id] = value
            else:
                setattr(category, column, value)
    new = [categories[change.code] for change in report.added]
    models.Category.objects.bulk_create(new, batch_size=writing.BATCH)
    rewritten = [categories[c.code] for c in (*report.changed, *report.moved, *report.closed)]
    models.Category.objects.bulk_update(rewritten, _PLAIN, batch_size=200)
    _write_lists(held)
    writing.enter_all(
        [(_CATEGORIES, categories[change.code].id, what, change) for what, change in writing.kinds_of(report)],
        moment=moment,
        reason=reason,
    )


def _write_lists(held: Mapping[str, Mapping[int, tuple[Any, ...]]]) -> None:
    words, assists, codes = (_pairs(held[name]) for name in _LISTS)
    models.CategoryWord.objects.filter(category_id__in=held["words"]).delete()
    models.CategoryWord.objects.bulk_create(
        [models.CategoryWord(category_id=category_id, word=word) for category_id, _, word in words],
        batch_size=writing.BATCH,
    )
    models.CategoryAssist.objects.filter(category_id__in=held["assists"]).delete()
    models.CategoryAssist.objects.bulk_create(
        [models.CategoryAssist(category_id=c, function=function, place=place) for c, place, function in assists],
        batch_size=writing.BATCH,
    )
    models.CategoryCode.objects.filter(category_id__in=held["codes"]).delete()
    models.CategoryCode.objects.bulk_create(
        [models.CategoryCode(category_id=c, scheme=pair[0], code=pair[1]) for c, _, pair in codes],
        batch_size=writing.BATCH,
    )


def _pairs(held: Mapping[int, tuple[Any, ...]]) -> Iterable[tuple[int, int, Any]]:
    for category_id, values in held.items():
        for place, value in enumerate(values):
            yield category_id, place, value


def import_routes(
    *,
    sheet: Sheet,
    moment: Moment,
    apply: bool,
    since: datetime | None = None,
    complete: bool = False,
    reason: str = "",
) -> rules.Report:
    """Compare the responsibility list with what stands, and where told to apply, write the differences.

    New routes begin at `since`, else now; one that leads to another office ends now. With `complete`, routes that are
    not in the list are closed.
    """
    found = lists.parse_routes(sheet)
    rows = {lists.route_key(row.category, row.root, row.area): row for row in found.rows}
    with writing.one_writer():
        known = _Known()
        standing = {known.key(row): row for row in models.Route.objects.filter(active_to__isnull=True)}
        problems = further(found.problems, _route_links(found.rows, standing, known))
        if problems:
            return writing.refused(problems)
        report = rules.compare(
            table=_ROUTES,
            current={key: known.record(row) for key, row in standing.items()},
            wanted={key: _route_wanted(row) for key, row in rows.items()},
            moving=frozenset({"office"}),
            closing=standing.keys() if complete else (),
            closed_at=moment.at,
        )
        if not apply or not report.is_different:
            return report
        _write_routes(report, rows, standing, known, moment=moment, since=since or moment.at, reason=reason)
        return replace(report, applied=True)


class _Known:
    """The codes and ids that routes refer to, read once."""

    def __init__(self) -> None:
        self.categories = dict(models.Category.objects.values_list("code", "id"))
        self.areas = dict(models.Area.objects.values_list("code", "id"))
        self.offices = dict(models.Office.objects.values_list("code", "id"))
        self.open_offices = set(models.Office.objects.filter(active_to__isnull=True).values_list("code", flat=True))
        self._category_codes = {i: code for code, i in self.categories.items()}
        self._area_codes = {i: code for code, i in self.areas.items()}
        self._office_codes = {i: code for code, i in self.offices.items()}

    def key(self, row: models.Route) -> str:
        category = self._category_codes.get(row.category_id or 0, "")
        return lists.route_key(category, row.root or "", self._area_codes[row.area_id])

    def record(self, row: models.Route) -> rules.Record:
        return {
            "name": self.key(row),
            "office": self._office_codes[row.office_id],
            "source": row.source,
            "active_from": row.active_from,
            "active_to": row.active_to,
        }


def _route_links(rows: Iterable[lists.RouteRow], standing: Mapping[str, models.Route], known: _Known) -> list[Problem]:
    problems = []
    for row in rows:
        key = lists.route_key(row.category, row.root, row.area)
        if row.category and row.category not in known.categories:
            problems.append(row.origin.problem("category", "import.category_unknown", found=row.category))
        if row.area not in known.areas:
            problems.append(row.origin.problem("area", "import.area_unknown", found=row.area))
        if row.office not in known.open_offices and row.active_to is None:
            problems.append(row.origin.problem("office", "import.office_unknown", found=row.office))
        if row.active_to is not None and key not in standing:
            problems.append(row.origin.problem("active_to", "import.closes_nothing", code=key))
    return problems


def _route_wanted(row: lists.RouteRow) -> rules.Record:
    record: dict[str, object] = {
        "name": lists.route_key(row.category, row.root, row.area),
        "office": row.office,
        "source": row.source,
        "active_to": row.active_to,
    }
    return record if row.active_from is None else {**record, "active_from": row.active_from}


def _write_routes(
    report: rules.Report,
    rows: Mapping[str, lists.RouteRow],
    standing: Mapping[str, models.Route],
    known: _Known,
    *,
    moment: Moment,
    since: datetime,
    reason: str,
) -> None:
    new: list[models.Route] = []
    rewritten: list[models.Route] = []
    entries = []
    for what, change in writing.kinds_of(report):
        if what in ("added", "moved"):
            row = rows[change.code]
            start = row.active_from or (since if what == "added" else moment.at)
            made = models.Route(
                id=moment.mint.id(),
                category_id=known.categories.get(row.category),
                root=row.root or None,
                area_id=known.areas[row.area],
                office_id=known.offices[row.office],
                source=row.source,
                active_from=start,
            )
            new.append(made)
            entries.append((_ROUTES, made.id, what, change))
            if what == "moved":
                _end(standing[change.code], at=max(start, moment.at))
        else:
            old = standing[change.code]
            for column in ("source", "active_from", "active_to"):
                setattr(old, column, change.after.get(column, getattr(old, column)))
            rewritten.append(old)
            entries.append((_ROUTES, old.id, what, change))
    # The old ones are ended before the new ones come: a place has one open route for a match.
    models.Route.objects.bulk_update(rewritten, ["source", "active_from", "active_to"], batch_size=500)
    models.Route.objects.bulk_create(new, batch_size=writing.BATCH)
    writing.enter_all(entries, moment=moment, reason=reason)


def _end(route: models.Route, *, at: datetime) -> None:
    """End a route at an instant; one that would only have begun later never was."""
    if route.active_from >= at:
        route.delete()
    else:
        models.Route.objects.filter(id=route.id).update(active_to=at)
