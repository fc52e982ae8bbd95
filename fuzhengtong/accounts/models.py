"""The tables of who may come in: people, keys of other systems, remembered answers and counted attempts.

Fields, constraints and indexes only; ids come from the mint. What a person may do is said by the post he holds
(`directory`), never here. Sign-in rows are append-only for the application's role.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from fuzhengtong.accounts import rules


class Principal(models.Model):
    """One person who works in the city's offices; his powers come from the posts he holds."""

    id = models.BigIntegerField(primary_key=True)
    login = models.TextField(unique=True)
    name = models.TextField()
    password = models.TextField()
    # The second factor: in force once `totp_sealed` is set; a new one waits in `totp_pending` until it is proved.
    totp_sealed = models.BinaryField(null=True)
    totp_pending = models.BinaryField(null=True)
    # The last half-minute whose code was accepted: no code is ever good twice.
    totp_used_step = models.BigIntegerField(null=True)
    is_made = models.BooleanField()
    failed_count = models.IntegerField()
    locked_until = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)
    # Sessions opened before this instant are over: a new password, a new factor, or an administrator ended them.
    sessions_from = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(login=Lower("login")), name="principal_login_lower"),
            models.CheckConstraint(condition=~Q(login="") & ~Q(name=""), name="principal_named"),
            models.CheckConstraint(condition=Q(failed_count__gte=0), name="principal_failed_count"),
            models.CheckConstraint(condition=Q(sessions_from__gte=F("created_at")), name="principal_sessions_from"),
        ]


class ApiKey(models.Model):
    """A key of another system: the secret is shown once, its hash alone is kept."""

    id = models.BigIntegerField(primary_key=True)
    name = models.TextField()
    key_hash = models.BinaryField(unique=True)
    channel = models.TextField()
    principal = models.ForeignKey(Principal, models.PROTECT, null=True, related_name="+")
    disabled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()


class Once(models.Model):
    """The answer given to one request, so that the same request sent again is answered and not done again.

    Written with the work, in its transaction. What is in an answer is sealed (`accounts.answers`): it may hold a query
    code.
    """

    pk = models.CompositePrimaryKey("client", "key")
    client = models.TextField()
    key = models.TextField()
    body_hash = models.BinaryField()
    status = models.IntegerField()
    answer = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["at"], name="once_at")]


class RateWindow(models.Model):
    """How often one thing happened in one window of time. Unlogged: after a crash counting starts anew."""

    pk = models.CompositePrimaryKey("key", "starts_at")
    key = models.TextField()
    starts_at = models.DateTimeField()
    n = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["starts_at"], name="ratewindow_starts_at")]


class SignIn(models.Model):
    """One attempt to come in, or one change of what lets a person in. Append-only.

    A login nobody has is kept as a keyed hash: people type passwords into the wrong field.
    """

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    login = models.TextField()
    principal = models.ForeignKey(Principal, models.PROTECT, null=True, related_name="+", db_index=False)
    outcome = models.TextField()
    address = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=[item.value for item in rules.Outcome]), name="signin_outcome_known"
            ),
        ]
        indexes = [
            models.Index(fields=["login", "-at"], name="signin_login"),
            models.Index(fields=["principal", "-at"], name="signin_principal"),
            models.Index(fields=["at"], name="signin_at"),
        ]
