"""The folded figures: signed counts by month, area, top category and measure. Rates are never stored."""

from __future__ import annotations

from django.db import models


class Rollup(models.Model):
    """How many appeals of one month, area and top category stand in one measure (see `cases.rules.counts`)."""

    pk = models.CompositePrimaryKey("month", "area_id", "root", "measure")
    month = models.IntegerField()
    area_id = models.BigIntegerField()
    root = models.TextField()
    measure = models.TextField()
    n = models.IntegerField()
