"""Read channels and uploads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fuzhengtong.cases import models as cases_models
from fuzhengtong.directory.kept import Kept
from fuzhengtong.intake import models, rules


@dataclass(frozen=True)
class ChannelView:
    code: str
    name: str
    name_en: str
    is_public: bool


def _lanes() -> dict[str, rules.Lane]:
    return {
        row.code: rules.Lane(
            code=row.code,
            is_public=row.is_public,
            needs_phone=row.needs_phone,
            allows_anonymous=row.allows_anonymous,
            is_proxy=row.is_proxy,
            asks_consent=row.asks_consent,
        )
        for row in models.Channel.objects.filter(closed_at__isnull=True)
    }


lanes_kept = Kept(_lanes, seconds=10)


def lane(code: str, *, at: datetime) -> rules.Lane | None:
    """Return a channel that is open, as the rules need it; a change of the list is seen within ten seconds."""
    return lanes_kept.at(at).get(code)


def channels() -> list[ChannelView]:
    """List all channels, open or closed, in their order."""
    return [
        ChannelView(code=row.code, name=row.name, name_en=row.name_en, is_public=row.is_public)
        for row in models.Channel.objects.order_by("rank", "code")
    ]


def taken_refs(*, channel: str, refs: Sequence[str]) -> set[str]:
    """Tell which references of another system have been taken on a channel; one statement."""
    rows = cases_models.Appeal.objects.filter(channel=channel, source_ref__in=list(refs))
    return set(rows.values_list("source_ref", flat=True))


def bound_addresses(addresses: Sequence[str]) -> set[str]:
    """Tell which stored files are bound to a case."""
    rows = cases_models.Attachment.objects.filter(address__in=list(addresses))
    return set(rows.values_list("address", flat=True))
