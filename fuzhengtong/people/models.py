"""Residents, what they agreed to, and who opened what was kept from sight.

A resident is a join key alone: a keyed blind index of the phone. Name and phone as told lie sealed with the case
(a passage of kind `teller`), so that erasing a case erases them and two tellings never overwrite each other.
"""

from __future__ import annotations

from django.db import models


class Resident(models.Model):
    """One reachable person, found again by the blind index of a phone number."""

    id = models.BigIntegerField(primary_key=True)
    phone_index = models.BinaryField(unique=True)
    first_met_at = models.DateTimeField()


class Consent(models.Model):
    """The privacy notice somebody was shown and accepted when he told (PIPL 17, 35)."""

    id = models.BigIntegerField(primary_key=True)
    resident = models.ForeignKey(Resident, models.PROTECT, null=True, related_name="consents")
    about = models.BigIntegerField()
    notice = models.TextField()
    channel = models.TextField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["about"], name="consent_about")]


class Access(models.Model):
    """One opening of masked data: who, in which post, when, why. Append only; the resident can see it (PIPL 45)."""

    id = models.BigIntegerField(primary_key=True)
    resident = models.ForeignKey(Resident, models.PROTECT, null=True, related_name="accesses")
    case_id = models.BigIntegerField()
    appeal_id = models.BigIntegerField()
    at = models.DateTimeField()
    by_principal = models.BigIntegerField(null=True)
    by_post = models.BigIntegerField(null=True)
    by_office = models.BigIntegerField(null=True)
    fields = models.TextField()
    reason = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["appeal_id", "at"], name="access_appeal"),
            models.Index(fields=["at"], name="access_at"),
        ]
