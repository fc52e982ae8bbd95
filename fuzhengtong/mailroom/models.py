"""The outbox: what the city has still to tell, what it told, and how often one address was told.

Fields, constraints and indexes only; ids come from the mint. It points at nothing: a parcel holds no id of a resident
or a case, its address and its words are ciphertext, and it can be removed when it is done.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from fuzhengtong.mailroom import rules

_WAITING = Q(sent_at__isnull=True, set_aside_at__isnull=True)


class Parcel(models.Model):
    """One notice by one way to one address; `dedup` is its name, here and at the gateway."""

    id = models.BigIntegerField(primary_key=True)
    topic = models.TextField()
    dedup = models.TextField()
    rung = models.TextField()
    address_sealed = models.BinaryField(null=True)
    # A seat in the house; plain numbers, since offices stand above this app.
    office_id = models.BigIntegerField(null=True)
    post_kind = models.TextField()
    subject = models.TextField()
    body_sealed = models.BinaryField()
    any_hour = models.BooleanField()
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.IntegerField()
    sent_at = models.DateTimeField(null=True)
    outcome = models.TextField()
    set_aside_at = models.DateTimeField(null=True)
    # When its sender saw that it failed and chose another rung, or that no other rung is wanted.
    passed_on_at = models.DateTimeField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dedup"], name="parcel_once"),
            models.CheckConstraint(condition=Q(rung__in=[rung.value for rung in rules.Rung]), name="parcel_rung_known"),
            models.CheckConstraint(
                condition=Q(outcome__in=[outcome.value for outcome in rules.Outcome]), name="parcel_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome="") & _WAITING
                | Q(outcome="sent", sent_at__isnull=False, set_aside_at__isnull=True)
                | ~Q(outcome__in=["", "sent"]) & Q(sent_at__isnull=True, set_aside_at__isnull=False),
                name="parcel_outcome_paired",
            ),
            models.CheckConstraint(
                condition=~Q(rung__in=sorted(rung.value for rung in rules.PERSONAL))
                | Q(address_sealed__isnull=False)
                | Q(outcome="no_address"),
                name="parcel_has_address",
            ),
            models.CheckConstraint(
                condition=Q(passed_on_at__isnull=True) | Q(set_aside_at__isnull=False), name="parcel_passed_on_after"
            ),
            models.CheckConstraint(condition=Q(tries__gte=0), name="parcel_tries"),
        ]
        indexes = [
            models.Index(fields=["not_before", "id"], condition=_WAITING, name="parcel_waiting"),
            models.Index(
                fields=["set_aside_at", "id"],
                condition=Q(set_aside_at__isnull=False, passed_on_at__isnull=True),
                name="parcel_failed",
            ),
            models.Index(fields=["-set_aside_at", "-id"], condition=Q(set_aside_at__isnull=False), name="parcel_aside"),
            models.Index(
                fields=["office_id", "post_kind", "-id"], condition=Q(office_id__isnull=False), name="parcel_seat"
            ),
            models.Index(fields=["at", "id"], name="parcel_at"),
        ]


class Tally(models.Model):
    """How many notices one address was to get in one window of time.

    `address_index` is keyed anew for every window: two days of one address cannot be joined, nor with any other table.
    """

    pk = models.CompositePrimaryKey("window_at", "address_index")
    window_at = models.DateTimeField()
    address_index = models.BinaryField()
    n = models.IntegerField()
