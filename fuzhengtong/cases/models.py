"""The tables of the spine. Fields, constraints and indexes only; ids come from the mint.

The application's role may read and insert entries, never change or delete them (migration 0002 grants it so).
Area ids of every level stand in columns of their own: equality on one of them, ordered by due time, is the shape
that stays fast at a million open cases.
"""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models import F, Q

from fuzhengtong.cases import states


def _choices(enum: type[StrEnum]) -> list[str]:
    return [item.value for item in enum]


class Case(models.Model):
    """One matter being worked (件). Columns are kept by `take()` alone."""

    id = models.BigIntegerField(primary_key=True)
    number = models.TextField()
    kind = models.TextField()
    state = models.TextField()
    is_open = models.BooleanField()
    lane = models.TextField()
    urgency = models.TextField()
    category = models.ForeignKey("directory.Category", models.PROTECT, null=True, related_name="+", db_index=False)
    category_code = models.TextField()
    category_days = models.IntegerField()
    root = models.TextField()
    city_id = models.BigIntegerField()
    county_id = models.BigIntegerField(null=True)
    county_code = models.TextField()
    town_id = models.BigIntegerField(null=True)
    community_id = models.BigIntegerField(null=True)
    grid_id = models.BigIntegerField(null=True)
    desk = models.ForeignKey("directory.Office", models.PROTECT, related_name="+", db_index=False)
    office = models.ForeignKey("directory.Office", models.PROTECT, null=True, related_name="+", db_index=False)
    confidential = models.BooleanField()
    supervision = models.IntegerField()
    redo_count = models.IntegerField()
    urge_count = models.IntegerField()
    is_hard = models.BooleanField()
    at_desk = models.BooleanField()
    automatic = models.BooleanField()
    received_at = models.DateTimeField()
    biz_day = models.IntegerField()
    biz_month = models.IntegerField()
    accepted_at = models.DateTimeField(null=True)
    assigned_at = models.DateTimeField(null=True)
    signed_at = models.DateTimeField(null=True)
    contacted_at = models.DateTimeField(null=True)
    response_late = models.BooleanField(null=True)
    finish_due_at = models.DateTimeField(null=True)
    due_month = models.IntegerField(null=True)
    redo_due_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    finish_late = models.BooleanField(null=True)
    passed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    next_due_at = models.DateTimeField(null=True)
    version = models.IntegerField()
    head = models.BinaryField()
    data_key = models.BinaryField()

    class Meta:
        constraints = [
            # Named here and not `unique=True`, which would bring a second index for patterns nobody searches by.
            models.UniqueConstraint(fields=["number"], name="case_number"),
            models.CheckConstraint(condition=Q(state__in=_choices(states.State)), name="case_state_known"),
            models.CheckConstraint(condition=Q(urgency__in=_choices(states.Urgency)), name="case_urgency_known"),
            models.CheckConstraint(condition=Q(lane__in=_choices(states.Lane)), name="case_lane_known"),
            models.CheckConstraint(
                # In their own order: a set's order changes from run to run, and would read as a change of the schema.
                condition=Q(is_open=Q(state__in=[item.value for item in states.State if item in states.OPEN])),
                name="case_open_is_state",
            ),
            # An open case always owes somebody something: what is owed next is never empty.
            models.CheckConstraint(condition=Q(is_open=False) | Q(next_due_at__isnull=False), name="case_open_owes"),
            models.CheckConstraint(
                condition=Q(office__isnull=False) | Q(assigned_at__isnull=True), name="case_assigned_has_office"
            ),
        ]
        # A case that is nobody's yet is in no list of an office or a place; it enters those when it is sent on.
        indexes = [
            models.Index(fields=["desk", "next_due_at", "id"], condition=Q(is_open=True), name="case_desk_due"),
            models.Index(fields=["next_due_at", "id"], condition=Q(is_open=True), name="case_city_due"),
            *(
                models.Index(
                    fields=[name, "next_due_at", "id"],
                    condition=Q(is_open=True) & Q(**{f"{name}__isnull": False}),
                    name=f"case_{name.removesuffix('_id')}_open",
                )
                for name in ("office", "county_id", "town_id", "community_id")
            ),
            *(
                models.Index(
                    fields=[name, "-id"],
                    condition=Q(**{f"{name}__isnull": False}),
                    name=f"case_{name.removesuffix('_id')}_latest",
                )
                for name in ("office", "county_id", "town_id")
            ),
        ]


class Appeal(models.Model):
    """One telling by one person through one channel (诉求): what the city counts."""

    id = models.BigIntegerField(primary_key=True)
    case = models.ForeignKey(Case, models.PROTECT, related_name="appeals")
    number = models.TextField()
    query_hash = models.BinaryField(unique=True)
    state = models.TextField()
    channel = models.TextField()
    resident = models.ForeignKey("people.Resident", models.PROTECT, null=True, related_name="+")
    principal = models.ForeignKey("people.Resident", models.PROTECT, null=True, related_name="+", db_index=False)
    confidential = models.BooleanField()
    anonymous = models.BooleanField()
    received_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    biz_month = models.IntegerField()
    telling = models.ForeignKey("Passage", models.PROTECT, related_name="+", db_index=False)
    place = models.ForeignKey("Passage", models.PROTECT, null=True, related_name="+", db_index=False)
    answer = models.ForeignKey("Passage", models.PROTECT, null=True, related_name="+", db_index=False)
    answered_at = models.DateTimeField(null=True)
    lat = models.FloatField(null=True)
    lng = models.FloatField(null=True)
    datum = models.TextField()
    accuracy_m = models.IntegerField(null=True)
    source_ref = models.TextField()
    receipt = models.BinaryField()
    visit_result = models.TextField(null=True)
    solved = models.TextField(null=True)
    satisfaction = models.TextField(null=True)
    first_satisfaction = models.TextField(null=True)
    rated_at = models.DateTimeField(null=True)
    urged_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["number"], name="appeal_number"),
            models.CheckConstraint(condition=Q(state__in=_choices(states.AppealState)), name="appeal_state_known"),
            models.CheckConstraint(
                condition=Q(answer__isnull=True, answered_at__isnull=True)
                | Q(answer__isnull=False, answered_at__isnull=False),
                name="appeal_answer_paired",
            ),
            models.CheckConstraint(
                condition=Q(lat__isnull=True, lng__isnull=True) | Q(lat__range=(-90, 90), lng__range=(-180, 180)),
                name="appeal_point_whole",
            ),
            # What another system told us once is never taken twice, whatever key it came under.
            models.UniqueConstraint(
                fields=["channel", "source_ref"], condition=~Q(source_ref=""), name="appeal_source_ref"
            ),
        ]


class Passage(models.Model):
    """A free text, sealed under a key of its own. Erasing = emptying `wrapped_key`; the chain stays valid."""

    id = models.BigIntegerField(primary_key=True)
    case = models.ForeignKey(Case, models.PROTECT, related_name="passages")
    kind = models.TextField()
    at = models.DateTimeField()
    salt = models.BinaryField()
    commitment = models.TextField()
    wrapped_key = models.BinaryField(null=True)
    sealed = models.BinaryField()


class Entry(models.Model):
    """One line of the append-only ledger (台账一行), chained per case."""

    id = models.BigIntegerField(primary_key=True)
    case = models.ForeignKey(Case, models.PROTECT, related_name="entries", db_index=False)
    appeal = models.ForeignKey(Appeal, models.PROTECT, null=True, related_name="+", db_index=False)
    seq = models.IntegerField()
    at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    by_kind = models.TextField()
    by_principal = models.BigIntegerField(null=True)
    by_post = models.BigIntegerField(null=True)
    by_post_kind = models.TextField()
    by_office = models.BigIntegerField(null=True)
    step = models.TextField()
    step_version = models.IntegerField()
    edition = models.TextField()
    body = models.BinaryField()
    prev = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "seq"], name="entry_one_per_seq")]


class Assignment(models.Model):
    """One case given to one office with a role, a duty and a required result (交办)."""

    id = models.BigIntegerField(primary_key=True)
    case = models.ForeignKey(Case, models.PROTECT, related_name="assignments")
    office = models.ForeignKey("directory.Office", models.PROTECT, related_name="+", db_index=False)
    role = models.TextField()
    state = models.TextField()
    assigned_at = models.DateTimeField()
    signed_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    result = models.ForeignKey(Passage, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=_choices(states.Role)), name="assignment_role_known"),
            models.CheckConstraint(
                condition=Q(state__in=_choices(states.AssignmentState)), name="assignment_state_known"
            ),
            models.UniqueConstraint(
                fields=["case"], condition=Q(role="lead") & ~Q(state="cancelled"), name="assignment_one_lead"
            ),
        ]
        indexes = [models.Index(fields=["office", "case"], name="assignment_office_case")]


class Duty(models.Model):
    """One promise with a clock (时限): of whom, from when, how long, until when, and what became of it."""

    id = models.BigIntegerField(primary_key=True)
    case = models.ForeignKey(Case, models.PROTECT, related_name="duties", db_index=False)
    appeal = models.ForeignKey(Appeal, models.PROTECT, null=True, related_name="+", db_index=False)
    assignment = models.ForeignKey(Assignment, models.PROTECT, null=True, related_name="+", db_index=False)
    about = models.BigIntegerField()
    kind = models.TextField()
    klass = models.TextField()
    owed_by = models.ForeignKey(
        "directory.Office", models.PROTECT, related_name="+", db_column="owed_by", db_index=False
    )
    owed_by_post = models.TextField()
    owed_from = models.DateTimeField()
    length = models.IntegerField()
    unit = models.TextField()
    due_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True)
    remaining = models.IntegerField(null=True)
    provisional = models.BooleanField()
    urgency = models.TextField()
    edition = models.TextField()
    calendar = models.TextField()
    rung = models.IntegerField()
    look = models.TextField()
    look_at = models.DateTimeField(null=True)
    met_at = models.DateTimeField(null=True)
    met_by = models.BigIntegerField(null=True)
    voided_at = models.DateTimeField(null=True)
    voided_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=_choices(states.DutyKind)), name="duty_kind_known"),
            models.CheckConstraint(condition=Q(klass__in=_choices(states.DutyClass)), name="duty_class_known"),
            models.CheckConstraint(
                condition=Q(met_at__isnull=True, met_by__isnull=True) | Q(met_at__isnull=False, met_by__isnull=False),
                name="duty_met_paired",
            ),
            models.CheckConstraint(
                condition=Q(voided_at__isnull=True, voided_by__isnull=True)
                | Q(voided_at__isnull=False, voided_by__isnull=False),
                name="duty_voided_paired",
            ),
            models.CheckConstraint(
                condition=Q(met_at__isnull=True) | Q(voided_at__isnull=True), name="duty_met_or_voided"
            ),
            models.CheckConstraint(
                condition=Q(paused_at__isnull=True, remaining__isnull=True)
                | Q(paused_at__isnull=False, remaining__isnull=False),
                name="duty_paused_paired",
            ),
            models.CheckConstraint(condition=Q(due_at__gte=F("owed_from")), name="duty_due_after_start"),
            models.UniqueConstraint(
                fields=["case", "appeal", "assignment", "about", "kind"],
                condition=Q(met_at__isnull=True, voided_at__isnull=True),
                nulls_distinct=False,
                name="duty_one_open",
            ),
        ]
        indexes = [
            models.Index(fields=["case", "id"], name="duty_case"),
            # What is owed by a guess: looked through every minute, and empty for most of the year.
            models.Index(
                fields=["case"],
                condition=Q(provisional=True, met_at__isnull=True, voided_at__isnull=True),
                name="duty_guessed",
            ),
            models.Index(fields=["look_at", "id"], condition=Q(look_at__isnull=False), name="duty_look"),
            models.Index(
                fields=["owed_by", "due_at", "id"],
                condition=Q(met_at__isnull=True, voided_at__isnull=True),
                name="duty_owed_due",
            ),
            models.Index(
                fields=["kind", "due_at", "id"],
                condition=Q(met_at__isnull=True, voided_at__isnull=True),
                name="duty_kind_due",
            ),
            models.Index(
                fields=["owed_from"],
                include=["met_at", "case"],
                condition=Q(kind="dispatch", met_at__isnull=False),
                name="duty_dispatched",
            ),
        ]


class Attachment(models.Model):
    """A file bound to a case, sealed under a key of its own, addressed by the hash of what is stored."""

    id = models.BigIntegerField(primary_key=True)
    case = models.ForeignKey(Case, models.PROTECT, related_name="attachments")
    appeal = models.ForeignKey(Appeal, models.PROTECT, null=True, related_name="+", db_index=False)
    entry = models.ForeignKey(Entry, models.PROTECT, null=True, related_name="+", db_index=False)
    purpose = models.TextField()
    address = models.TextField()
    media_type = models.TextField()
    size = models.IntegerField()
    name = models.BinaryField()
    wrapped_key = models.BinaryField(null=True)
    at = models.DateTimeField()


class Follow(models.Model):
    """An entry that a follower has still to work on: written with the entry, removed with the work."""

    pk = models.CompositePrimaryKey("entry_id", "follower")
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="+", db_index=False)
    follower = models.TextField()
    tries = models.IntegerField(default=0)
    not_before = models.DateTimeField()
    set_aside_at = models.DateTimeField(null=True)
    trouble = models.TextField(default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["follower", "not_before"], condition=Q(set_aside_at__isnull=True), name="follow_waiting"
            ),
        ]


class Delta(models.Model):
    """A signed count on its way to the roll-up (append only, folded every few seconds)."""

    id = models.BigIntegerField(primary_key=True)
    month = models.IntegerField()
    area_id = models.BigIntegerField()
    root = models.TextField()
    measure = models.TextField()
    n = models.IntegerField()
