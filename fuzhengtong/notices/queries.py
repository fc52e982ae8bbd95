"""Read what notices need beside the cases themselves: what an entry spoke of, and where a post sits."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fuzhengtong.cases import models as cases_models
from fuzhengtong.directory import models as directory_models
from fuzhengtong.notices import rules


def spoken_of(entry_ids: Iterable[int]) -> dict[int, rules.Spoken]:
    """Return which promise or order each entry speaks of. One statement, none for no entries."""
    wanted = list(entry_ids)
    if not wanted:
        return {}
    rows = cases_models.Entry.objects.filter(id__in=wanted).values_list("id", "body")
    bodies = {entry_id: msgspec.json.decode(bytes(line)).get("body", {}) for entry_id, line in rows}
    return {
        entry_id: rules.spoken(body.get("facts", {}), body.get("recomputes", ())) for entry_id, body in bodies.items()
    }


def cases_of(entry_ids: Iterable[int]) -> dict[int, int]:
    """Return the case of each entry. One statement, none for no entries."""
    wanted = list(entry_ids)
    if not wanted:
        return {}
    return dict(cases_models.Entry.objects.filter(id__in=wanted).values_list("id", "case_id"))


def seats_of(post_ids: Iterable[int]) -> dict[int, rules.Seat]:
    """Return office and kind of posts. One statement, none for no posts."""
    wanted = list(set(post_ids))
    if not wanted:
        return {}
    rows = directory_models.Post.objects.filter(id__in=wanted).values_list("id", "office_id", "kind")
    return {post_id: rules.Seat(office_id, kind) for post_id, office_id, kind in rows}
