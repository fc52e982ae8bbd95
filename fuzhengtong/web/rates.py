"""The charter's rates at the doors of the web: how often one address, person or number may do something.

Called by the public interface and by the resident's pages before they act; a rate that is reached is always told.
People are counted by the blind index of their number, never by the number itself.
"""

from __future__ import annotations

from django.conf import settings

from fuzhengtong.accounts import actions as accounts_actions
from fuzhengtong.charter.editions import Rate
from fuzhengtong.charter.moment import Moment
from fuzhengtong.kernel import masks
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.people import keys

_SECONDS = {"wall_minutes": 60, "wall_hours": 3600, "calendar_days": 86400}


class TooMany(Refused):
    """Refuse more than the charter's rate for an address or a person (429)."""

    code = "too_many"


def count_hit(key: str, rate: Rate, moment: Moment) -> None:
    """Count one hit on a rate of the charter, or raise TooMany. Off only where a benchmark says so."""
    if not settings.RATE_LIMITS:
        return
    seconds = _SECONDS[rate.unit] * rate.length
    # By the city's clock: a window of a day is the city's day.
    at = moment.charter.clock.local(moment.at)
    if not accounts_actions.count_hit(key=key, window_seconds=seconds, limit=rate.limit, at=at):
        raise TooMany


def count_telling(*, address: str, phone: str, moment: Moment) -> None:
    """Count one telling of an address, and of the person where a phone was told; raises TooMany."""
    rates = moment.charter.rates
    count_hit(f"appeal|{address}", rates.appeal_per_address, moment)
    if told := masks.normal_phone(phone) if phone else None:
        count_hit(f"appeal|phone|{keys.phone_index(told).hex()}", rates.appeal_per_person, moment)
