"""Whether the city may take tellings at all: the database answers, a city stands in it, and a commit is durable.

Called by the health address alone. Asked of the database itself: what a process keeps would answer for some seconds
after it has gone.
"""

from __future__ import annotations

from django.conf import settings
from django.db import connection

from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.web import guard

_OFF = """
SELECT 'off' IN (current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'))
"""


class NotDurable(Refused):
    """Refuse to be well while a power cut could take what was acknowledged (503)."""

    code = "not_durable"


def check() -> None:
    """Raise what keeps the city from being well; tests may do without durability."""
    if directory_queries.city() is None:
        raise guard.OutOfOrder
    if settings.TESTING:
        return
    with connection.cursor() as cursor:
        cursor.execute(_OFF)
        (is_off,) = cursor.fetchone()
    if is_off:
        raise NotDurable
