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
    # Told for somebody by a worker: the teller is the principal, the worker is the reporter.
    is_proxy = models.BooleanField()
    # A person of ours took the telling down: the privacy notice was read out, not ticked.
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
