"""Write residents, consents and the log of openings. Called inside the transaction of the action above."""

from __future__ import annotations

from collections.abc import Iterable

from fuzhengtong.accounts import hot
from fuzhengtong.charter.moment import Moment
from fuzhengtong.people import keys, models

# One statement: find or make the resident, and note the consent. A no-op update makes the row come back.
_MEET = """
WITH met AS (
  INSERT INTO people_resident (id, phone_index, first_met_at)
  SELECT %(id)s::bigint, %(index)s::bytea, %(at)s::timestamptz WHERE %(index)s::bytea IS NOT NULL
  ON CONFLICT (phone_index) DO UPDATE SET phone_index = EXCLUDED.phone_index
  RETURNING id
), agreed AS (
  INSERT INTO people_consent (id, resident_id, about, notice, channel, at)
  SELECT %(consent)s::bigint, (SELECT id FROM met), %(about)s::bigint, %(notice)s::text, %(channel)s::text,
         %(at)s::timestamptz
  WHERE %(notice)s::text <> ''
)
SELECT id FROM met
"""


def meet(*, phone: str | None, about: int, notice: str, channel: str, moment: Moment) -> int | None:
    """Find or make the resident of a normalised phone number and note the consent; None without a number.

    `about` is the id of the appeal; `notice` the version of the privacy notice shown, '' where none was needed.
    """
    if phone is None and not notice:
        return None
    facts = {
        "id": moment.mint.id(),
        "index": keys.phone_index(phone) if phone else None,
        "at": moment.at,
        "consent": moment.mint.id(),
        "about": about,
        "notice": notice,
        "channel": channel,
    }
    found = hot.run(_MEET, facts)
    return int(found[0][0]) if found else None


# The same for a list of numbers, in one order for everybody, so that two lists never wait for each other in a circle.
_MEET_ALL = """
INSERT INTO people_resident (id, phone_index, first_met_at)
SELECT told.id, told.phone_index, %(at)s::timestamptz
FROM unnest(%(ids)s::bigint[], %(indexes)s::bytea[]) told(id, phone_index) ORDER BY told.phone_index
ON CONFLICT (phone_index) DO UPDATE SET phone_index = EXCLUDED.phone_index
RETURNING phone_index, id
"""


def meet_all(*, phones: Iterable[str], moment: Moment) -> dict[str, int]:
    """Find or make the residents of normalised phone numbers, in one statement; return their ids by number."""
    indexes = {keys.phone_index(phone): phone for phone in dict.fromkeys(phones)}
    if not indexes:
        return {}
    facts = {"ids": [moment.mint.id() for _ in indexes], "indexes": list(indexes), "at": moment.at}
    return {indexes[bytes(index)]: int(row_id) for index, row_id in hot.run(_MEET_ALL, facts)}


def note_opening(
    *, resident_id: int | None, case_id: int, appeal_id: int, fields: str, reason: str, moment: Moment
) -> None:
    """Append who opened which masked fields, and why."""
    models.Access.objects.create(
        id=moment.mint.id(),
        resident_id=resident_id,
        case_id=case_id,
        appeal_id=appeal_id,
        at=moment.at,
        by_principal=moment.by.principal,
        by_post=moment.by.post,
        by_office=moment.by.office,
        fields=fields,
        reason=reason,
    )
