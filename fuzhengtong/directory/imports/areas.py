"""Writing lists of areas, of their other names, and of grids.

Called through `actions`. A list that claims to be whole closes what it no longer names; nothing is ever deleted. Where
an area moves, the level columns of everything below it follow; cases and offices keep the area they name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import QuerySet

from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import models, names, rules
from fuzhengtong.directory.imports import writing
from fuzhengtong.directory.lists import areas as lists
from fuzhengtong.directory.lists import grids
from fuzhengtong.directory.lists.cells import TWICE, further
from fuzhengtong.directory.names import AreaKind
from fuzhengtong.directory.sheets import Problem, Sheet

BY_RULE = "rule"
_TABLE, _ALIASES = "area", "area_alias"
# The columns that say where an area stands; digits of a code say it too.
_PLACING = ("code", "kind", "codekind", "parent", "town_code", "county_code")
_LISTED_KINDS = {"towns": {AreaKind.TOWN}, "units": {AreaKind.COMMUNITY, AreaKind.VILLAGE}}


@dataclass(frozen=True)
class _Standing:
    """The areas as they stand, by code."""

    rows: Mapping[str, models.Area]
    codes: Mapping[int, str]
    by_rule: Mapping[str, tuple[tuple[str, str], ...]]
    by_hand: Mapping[str, models.AreaAlias]

    def parent(self, code: str) -> str:
        return self.codes.get(self.rows[code].parent_id or 0, "")

    def record(self, code: str) -> rules.Record:
        row = self.rows[code]
        return {
            "name": row.name,
            "display_name": row.display_name,
            "core": row.core,
            "suffix": row.suffix,
            "kind": row.kind,
            "parent": self.parent(code),
            "aliases": self.by_rule.get(code, ()),
            "outline": row.outline,
            "is_made": row.is_made,
            "active_from": row.active_from,
            "active_to": row.active_to,
            "succeeded_by": self.codes.get(row.succeeded_by_id or 0, ""),
        }


def _standing() -> _Standing:
    rows = {row.code: row for row in models.Area.objects.all()}
    codes = {row.id: row.code for row in rows.values()}
    by_rule: dict[str, list[tuple[str, str]]] = {}
    by_hand = {}
    for alias in models.AreaAlias.objects.filter(active_to__isnull=True).order_by("text"):
        code = codes[alias.area_id]
        if alias.source == BY_RULE:
            by_rule.setdefault(code, []).append((alias.text, alias.kind))
        else:
            by_hand[f"{alias.text} {code}"] = alias
    return _Standing(rows, codes, {code: tuple(said) for code, said in by_rule.items()}, by_hand)


def import_areas(
    *,
    sheets: Sequence[Sheet],
    moment: Moment,
    apply: bool,
    since: datetime | None = None,
    complete: bool = True,
    reason: str = "",
) -> rules.Report:
    """Compare area lists with what stands, and where told to apply, write the differences.

    `sheets` may be the lists of towns, of communities and villages, plain lists and aliases, together (see
    `lists.areas`). New areas begin at `since`, else now. With `complete`, towns and units of a county whose list was
    handed in and that are not in it are closed.
    """
    listed = lists.parse_areas(sheets)
    if not complete:
        listed = replace(listed, complete=frozenset())
    return _import(listed, moment=moment, apply=apply, since=since or moment.at, reason=reason)


def import_grids(
    *, sheet: Sheet, moment: Moment, apply: bool, since: datetime | None = None, reason: str = ""
) -> rules.Report:
    """Compare a list or map of grids with what stands, and where told to apply, write the differences."""
    found = grids.parse_grids(sheet)
    listed = lists.AreaLists(found.rows, (), frozenset(), found.problems)
    return _import(listed, moment=moment, apply=apply, since=since or moment.at, reason=reason)


def _import(listed: lists.AreaLists, *, moment: Moment, apply: bool, since: datetime, reason: str) -> rules.Report:
    with writing.one_writer():
        standing = _standing()
        every, problems = _with_parents(listed, standing)
        rows = {row.code: row for row in every}
        problems = further(problems, [*_links(every, standing), *_alias_links(listed.aliases, rows, standing)])
        problems += _levels_wrong(every, rows, standing, problems)
        if problems:
            return writing.refused(problems)
        report = _compare_areas(rows, listed.complete, standing, moment.at)
        spoken = _compare_aliases(listed.aliases, rows, standing)
        whole = writing.joined(report, spoken)
        if not apply or not whole.is_different:
            return whole
        _write_areas(report, rows, standing, moment=moment, since=since, reason=reason)
        _write_aliases(spoken, listed.aliases, standing, moment=moment, since=since, reason=reason)
        return replace(whole, applied=True)


def _with_parents(listed: lists.AreaLists, standing: _Standing) -> tuple[list[lists.AreaRow], list[Problem]]:
    """Put new counties whose list does not say where they lie below the one city."""
    problems = list(listed.problems)
    cities = {row.code for row in listed.areas if row.kind is AreaKind.CITY}
    cities |= {code for code, row in standing.rows.items() if row.kind == AreaKind.CITY and row.active_to is None}
    rows = []
    for row in listed.areas:
        if row.parent is None and row.code not in standing.rows:
            if len(cities) != 1:
                problems.append(row.origin.problem("county_code", "import.city_missing", code=row.code))
            else:
                row = replace(row, parent=next(iter(cities)))
        rows.append(row)
    if len(cities) > 1:
        problems += [
            row.origin.problem("kind", "import.second_city", code=row.code)
            for row in listed.areas
            if row.kind is AreaKind.CITY and row.code not in standing.rows
        ]
    return rows, problems


def _parents(rows: Mapping[str, lists.AreaRow], standing: _Standing) -> dict[str, str]:
    parents = {code: standing.parent(code) for code in standing.rows}
    parents.update({code: row.parent for code, row in rows.items() if row.parent is not None})
    return parents


def _depths(rows: Mapping[str, lists.AreaRow], standing: _Standing) -> dict[str, int | None]:
    """Return on which level each area will stand; nothing where it cannot stand there, or stands in a circle."""
    parents = _parents(rows, standing)
    kinds = {code: AreaKind(row.kind) for code, row in standing.rows.items()}
    kinds.update({code: row.kind for code, row in rows.items()})
    depths: dict[str, int | None] = {}

    def depth(code: str, above: tuple[str, ...]) -> int | None:
        if code in depths:
            return depths[code]
        if code in above or code not in kinds:
            return None
        parent = parents.get(code, "")
        if not parent:
            depths[code] = rules.depth_of(kinds[code], None)
        else:
            found = depth(parent, (*above, code))
            depths[code] = None if found is None else rules.depth_of(kinds[code], found)
        return depths[code]

    for code in kinds:
        depth(code, ())
    return depths


def _links(rows: Sequence[lists.AreaRow], standing: _Standing) -> list[Problem]:
    """Name the rows whose parent or successor is not known or cannot be one."""
    known = {row.code for row in rows} | standing.rows.keys()
    problems = []
    for row in rows:
        if row.parent and row.parent not in known:
            problems.append(row.origin.problem("parent", "import.parent_unknown", found=row.parent))
        if row.succeeded_by and (row.succeeded_by not in known or row.succeeded_by == row.code):
            problems.append(row.origin.problem("succeeded_by", "import.successor_unknown", found=row.succeeded_by))
        if row.active_to is not None and row.code not in standing.rows:
            problems.append(row.origin.problem("active_to", "import.closes_nothing", code=row.code))
    return problems


def _levels_wrong(
    every: Sequence[lists.AreaRow], rows: Mapping[str, lists.AreaRow], standing: _Standing, told: Iterable[Problem]
) -> list[Problem]:
    """Name the rows that cannot stand below their parent, or stand in a circle.

    Where a row is wrong in what places it, the levels of it and of all below it say nothing yet.
    """
    parents, depths = _parents(rows, standing), _depths(rows, standing)
    wrong = {(problem.sheet, problem.row) for problem in told if problem.column in _PLACING and problem.key != TWICE}
    unsure = {row.code for row in every if (row.origin.sheet, row.origin.row) in wrong}
    problems = []
    for row in every:
        parent = parents.get(row.code, "") if row.parent is None else row.parent
        if not unsure.isdisjoint({row.code, *_way_up(parent, parents)}):
            continue
        above = depths.get(parent)
        if (parent and above is None) or rules.depth_of(row.kind, above) is None:
            problems.append(row.origin.problem("parent", "import.cannot_stand_below", code=row.code, parent=parent))
    return problems


def _way_up(code: str, parents: Mapping[str, str]) -> Iterable[str]:
    seen: dict[str, None] = {}
    while code and code not in seen:
        seen[code] = None
        code = parents.get(code, "")
    return seen


def _alias_links(
    aliases: Iterable[lists.AliasRow], rows: Mapping[str, lists.AreaRow], standing: _Standing
) -> list[Problem]:
    known = rows.keys() | standing.rows.keys()
    return [
        alias.origin.problem("code", "import.area_unknown", found=alias.code)
        for alias in aliases
        if alias.code not in known
    ]


def _rule_made(row: lists.AreaRow, name: names.Name, standing: _Standing) -> tuple[tuple[str, str], ...]:
    said = [(text, kind.value) for text, kind in names.aliases(name, row.kind)]
    # What a person entered for the same area stays his.
    return tuple(sorted((text, kind) for text, kind in said if f"{text} {row.code}" not in standing.by_hand))


def _wanted(row: lists.AreaRow, standing: _Standing) -> rules.Record:
    """Return the columns a row speaks for."""
    name = names.take_apart(row.name, row.kind)
    record: dict[str, object] = {
        "name": row.name,
        "display_name": name.shown,
        "core": name.core,
        "suffix": name.suffix,
        "kind": row.kind.value,
        # A closed area answers to no name.
        "aliases": _rule_made(row, name, standing) if row.active_to is None else (),
        "is_made": row.is_made,
        "active_to": row.active_to,
    }
    optional = {
        "parent": row.parent,
        "outline": row.outline,
        "active_from": row.active_from,
        "succeeded_by": row.succeeded_by or None,
    }
    return record | {column: value for column, value in optional.items() if value is not None}


def _compare_areas(
    rows: Mapping[str, lists.AreaRow], complete: Iterable[tuple[str, str]], standing: _Standing, at: datetime
) -> rules.Report:
    whole = {(county, kind) for county, what in complete for kind in _LISTED_KINDS[what]}
    county = {row.id: code for code, row in standing.rows.items()}
    closing = [
        code
        for code, row in standing.rows.items()
        if row.active_to is None and (county.get(row.county_id or 0, ""), row.kind) in whole
    ]
    return rules.compare(
        table=_TABLE,
        current={code: standing.record(code) for code in standing.rows},
        wanted={code: _wanted(row, standing) for code, row in rows.items()},
        moving=frozenset({"parent"}),
        closing=closing,
        closed_at=at,
    )


def _compare_aliases(
    aliases: Iterable[lists.AliasRow], rows: Mapping[str, lists.AreaRow], standing: _Standing
) -> rules.Report:
    # Compared with the names before and after: what follows by rule needs no row of its own.
    by_rule = {f"{text} {code}" for code, said in standing.by_rule.items() for text, _ in said}
    by_rule |= {
        f"{text} {code}"
        for code, row in rows.items()
        for text, _ in names.aliases(names.take_apart(row.name, row.kind), row.kind)
    }
    current = {
        key: {"name": alias.text, "kind": alias.kind, "source": alias.source} for key, alias in standing.by_hand.items()
    }
    wanted = {
        f"{alias.text} {alias.code}": {"name": alias.text, "kind": alias.kind.value, "source": alias.source}
        for alias in aliases
    }
    spoken = {key: record for key, record in wanted.items() if key not in by_rule or key in current}
    report = rules.compare(table=_ALIASES, current=current, wanted=spoken)
    return replace(report, unchanged=report.unchanged + len(wanted) - len(spoken))


def _write_areas(
    report: rules.Report,
    rows: Mapping[str, lists.AreaRow],
    standing: _Standing,
    *,
    moment: Moment,
    since: datetime,
    reason: str,
) -> None:
    areas = dict(standing.rows)
    for change in report.added:
        start = rows[change.code].active_from or since
        areas[change.code] = models.Area(id=moment.mint.id(), code=change.code, active_from=start)
    touched = []
    for _, change in writing.kinds_of(report):
        _set(areas[change.code], change.after, areas)
        touched.append(change.code)
    new = [change.code for change in report.added]
    shifted = _relevel(areas, _depths(rows, standing))
    models.Area.objects.bulk_create([areas[code] for code in new], batch_size=writing.BATCH)
    rewritten = [areas[code] for code in dict.fromkeys((*touched, *shifted)) if code in standing.rows]
    columns = ["name", "display_name", "core", "suffix", "kind", "parent", "outline", "is_made", "active_from"]
    levels = ["city_id", "county_id", "town_id", "community_id", "grid_id"]
    models.Area.objects.bulk_update(rewritten, [*columns, *levels, "active_to", "succeeded_by"], batch_size=200)
    _follow_rule(report, areas, moment=moment, since=since)
    entries = [(_TABLE, areas[change.code].id, what, change) for what, change in writing.kinds_of(report)]
    for code in shifted:
        if code not in touched:
            entries.append((_TABLE, areas[code].id, "levels", rules.Change(_TABLE, code, areas[code].name)))
    writing.enter_all(entries, moment=moment, reason=reason)


def _set(area: models.Area, after: rules.Record, areas: Mapping[str, models.Area]) -> None:
    for column, value in after.items():
        if column == "parent":
            area.parent_id = areas[str(value)].id if value else None
        elif column == "succeeded_by":
            area.succeeded_by_id = areas[str(value)].id if value else None
        elif column != "aliases":
            setattr(area, column, value)


def _relevel(areas: Mapping[str, models.Area], depths: Mapping[str, int | None]) -> list[str]:
    """Set the level columns of every area anew, parents first; return the codes of those that changed."""
    by_id = {area.id: area for area in areas.values()}
    levels: dict[int, rules.Levels] = {}
    changed = []
    for code in sorted(areas, key=lambda code: depths[code] or 0):
        area = areas[code]
        above = levels[by_id[area.parent_id].id] if area.parent_id is not None else None
        found = rules.levels_of(area_id=area.id, depth=depths[code] or 0, parent=above)
        levels[area.id] = found
        new = (found.city, found.county, found.town, found.community, found.grid)
        if new != (area.city_id, area.county_id, area.town_id, area.community_id, area.grid_id):
            area.city_id, area.county_id, area.town_id, area.community_id, area.grid_id = new
            changed.append(code)
    return changed


def _follow_rule(report: rules.Report, areas: Mapping[str, models.Area], *, moment: Moment, since: datetime) -> None:
    """Close and add the names that follow by rule, and close every name of a closed area."""
    new = []
    for what, change in writing.kinds_of(report):
        area = areas[change.code]
        before, after = _pairs(change.before), _pairs(change.after)
        gone = [text for text, _ in before - after]
        standing = models.AreaAlias.objects.filter(area_id=area.id, active_to__isnull=True)
        if what == "closed":
            _close_aliases(standing, moment.at)
        elif gone:
            _close_aliases(standing.filter(source=BY_RULE, text__in=gone), moment.at)
        start = area.active_from if what == "added" else moment.at
        new += [
            models.AreaAlias(id=moment.mint.id(), text=text, area=area, kind=kind, source=BY_RULE, active_from=start)
            for text, kind in sorted(after - before)
            if what != "closed"
        ]
    models.AreaAlias.objects.bulk_create(new, batch_size=writing.BATCH)


def _pairs(record: rules.Record) -> set[tuple[str, str]]:
    return set(record.get("aliases", ()))


def _close_aliases(aliases: QuerySet[models.AreaAlias], at: datetime) -> None:
    # A name that was never in force yet has no period to close.
    aliases.filter(active_from__gte=at).delete()
    aliases.update(active_to=at)


def _write_aliases(
    report: rules.Report,
    aliases: Iterable[lists.AliasRow],
    standing: _Standing,
    *,
    moment: Moment,
    since: datetime,
    reason: str,
) -> None:
    wanted = {f"{alias.text} {alias.code}": alias for alias in aliases}
    ids = dict(models.Area.objects.filter(code__in={a.code for a in wanted.values()}).values_list("code", "id"))
    new, entries = [], []
    for change in report.added:
        alias = wanted[change.code]
        row = models.AreaAlias(
            id=moment.mint.id(),
            text=alias.text,
            area_id=ids[alias.code],
            kind=alias.kind.value,
            source=alias.source,
            active_from=since,
        )
        new.append(row)
        entries.append((_ALIASES, row.id, "added", change))
    models.AreaAlias.objects.bulk_create(new, batch_size=writing.BATCH)
    for change in report.changed:
        row = standing.by_hand[change.code]
        row.kind, row.source = wanted[change.code].kind.value, wanted[change.code].source
        row.save(update_fields=["kind", "source"])
        entries.append((_ALIASES, row.id, "changed", change))
    writing.enter_all(entries, moment=moment, reason=reason)
