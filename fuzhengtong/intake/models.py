"""The open list of channels, and the files that wait to be told of."""

from __future__ import annotations

from django.db import models


class Channel(models.Model):
    """One lane by which tellings arrive. A new lane is a row, never code."""

    code = models.TextField(primary_key=True)
    name = models.TextField()
    name_en = models.TextField()
    # Whoever holds no key and no post may tell by it.
    is_public = models.BooleanField()
    needs_phone = models.BooleanField()
    allows_anonymous = models.BooleanField()
    # Told by a worker for somebody: the worker is the teller, the one spoken for is the principal.
    is_proxy = models.BooleanField()
    # The teller ticks the privacy notice himself; elsewhere it was read out to him, or stands in a contract.
    asks_consent = models.BooleanField()
    rank = models.IntegerField()
    closed_at = models.DateTimeField(null=True)


class Upload(models.Model):
    """A stored file that waits, sealed, to be bound to a case; swept away when it expires."""

    id = models.BigIntegerField(primary_key=True)
    token_hash = models.BinaryField(unique=True)
    address = models.TextField()
    wrapped_key = models.BinaryField()
    media_type = models.TextField()
    size = models.IntegerField()
    name = models.BinaryField()
    staged_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="upload_expires")]
