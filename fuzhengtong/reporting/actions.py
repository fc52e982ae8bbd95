"""Fold signed counts into the roll-up. Called by the ticker every few seconds; decides nothing and knows no measure."""

from __future__ import annotations

from django.db import connection

# One statement, so one transaction: a folder that is killed has folded all of its batch or nothing. Deltas that another
# folder holds are left to it; roll-up rows are taken in the order of their key, so that two folders never wait for
# each other in a circle.
_FOLD = """
WITH taken AS (
  DELETE FROM cases_delta WHERE id IN (
    SELECT id FROM cases_delta ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
  ) RETURNING month, area_id, root, measure, n
), summed AS (
  SELECT month, area_id, root, measure, sum(n)::int AS n FROM taken GROUP BY month, area_id, root, measure
), folded AS (
  INSERT INTO reporting_rollup AS kept (month, area_id, root, measure, n)
  SELECT month, area_id, root, measure, n FROM summed WHERE n <> 0 ORDER BY month, area_id, root, measure
  ON CONFLICT (month, area_id, root, measure) DO UPDATE SET n = kept.n + EXCLUDED.n
)
SELECT count(*) FROM taken
"""


def fold(*, limit: int = 5000) -> int:
    """Fold at most `limit` waiting counts, the oldest first, and return how many were folded."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, [limit])
        row = cursor.fetchone()
    return int(row[0])
