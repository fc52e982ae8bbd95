"""The tables of the city itself: areas, offices, posts and who holds them, categories, routes, calendar.

Fields, constraints and indexes only; ids come from the mint. Everything is dated: a row that no longer holds is closed
by `active_to` (exclusive), never deleted, and what changed stands in ReferenceEntry. That no two people hold one post
at one time is kept by an exclusion constraint of migration 0001, which Django's models cannot say without an extension.
"""

from __future__ import annotations

from enum import StrEnum

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q

from fuzhengtong.directory import names, rules


def _one_of(field: str, values: type[StrEnum] | list[str], name: str) -> models.CheckConstraint:
    known = values if isinstance(values, list) else [item.value for item in values]
    return models.CheckConstraint(condition=Q(**{f"{field}__in": known}), name=name)


def _period(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(active_to__isnull=True) | Q(active_to__gt=F("active_from")), name=name)


class Installation(models.Model):
    """The one city this database is of."""

    id = models.SmallIntegerField(primary_key=True)
    city_code = models.TextField()
    letters = models.TextField()
    name = models.TextField()
    zone = models.TextField()
    city_area = models.ForeignKey("Area", models.PROTECT, null=True, related_name="+", db_index=False)
    desk_office = models.ForeignKey("Office", models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="installation_is_one")]


class NodeLease(models.Model):
    """Which running process may make ids under which node number, and until when."""

    node = models.SmallIntegerField(primary_key=True)
    holder = models.TextField()
    until_ms = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(node__gte=0, node__lte=63), name="nodelease_node")]


class NumberBlock(models.Model):
    """The next serial of a day for case numbers; processes take blocks of them."""

    day = models.DateField(primary_key=True)
    next = models.IntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(next__gte=1), name="numberblock_next")]


class Area(models.Model):
    """One area by its statistical code. Missing levels repeat the level above, levels below itself repeat the area."""

    id = models.BigIntegerField(primary_key=True)
    code = models.TextField(unique=True)
    name = models.TextField()
    display_name = models.TextField()
    core = models.TextField()
    suffix = models.TextField()
    kind = models.TextField()
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    city_id = models.BigIntegerField(null=True)
    county_id = models.BigIntegerField(null=True)
    town_id = models.BigIntegerField(null=True)
    community_id = models.BigIntegerField(null=True)
    grid_id = models.BigIntegerField(null=True)
    outline = models.JSONField(null=True)
    is_made = models.BooleanField()
    active_from = models.DateTimeField()
    active_to = models.DateTimeField(null=True)
    succeeded_by = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            _one_of("kind", names.AreaKind, "area_kind_known"),
            _period("area_period"),
            models.CheckConstraint(condition=Q(kind="city") | Q(parent__isnull=False), name="area_has_parent"),
            models.CheckConstraint(condition=~Q(succeeded_by=F("id")), name="area_not_own_heir"),
        ]
        indexes = [
            models.Index(fields=["county_id"], name="area_county"),
            models.Index(fields=["town_id"], name="area_town"),
            models.Index(fields=["core"], name="area_core"),
        ]


class AreaAlias(models.Model):
    """Another name of an area; several areas may share one, which then resolves to none of them."""

    id = models.BigIntegerField(primary_key=True)
    text = models.TextField()
    area = models.ForeignKey(Area, models.PROTECT, related_name="aliases")
    kind = models.TextField()
    source = models.TextField()
    active_from = models.DateTimeField()
    active_to = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            _one_of("kind", names.AliasKind, "areaalias_kind_known"),
            _period("areaalias_period"),
            models.UniqueConstraint(
                fields=["text", "area"], condition=Q(active_to__isnull=True), name="areaalias_once"
            ),
        ]


class Office(models.Model):
    """An organisation that can hold work (单位). Its name is data; a merged one hands over to its successor."""

    id = models.BigIntegerField(primary_key=True)
    code = models.TextField(unique=True)
    name = models.TextField()
    short = models.TextField()
    kind = models.TextField()
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    area = models.ForeignKey(Area, models.PROTECT, related_name="+")
    level = models.TextField()
    duty_phone = models.TextField()
    is_made = models.BooleanField()
    active_from = models.DateTimeField()
    active_to = models.DateTimeField(null=True)
    succeeded_by = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            _one_of("kind", rules.OfficeKind, "office_kind_known"),
            _one_of("level", rules.Level, "office_level_known"),
            _period("office_period"),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="office_not_own_parent"),
            models.CheckConstraint(condition=~Q(succeeded_by=F("id")), name="office_not_own_heir"),
        ]


class OfficeFunction(models.Model):
    """One function or role an office has in its area, by the name the category tree uses."""

    pk = models.CompositePrimaryKey("office_id", "function")
    office = models.ForeignKey(Office, models.PROTECT, related_name="functions", db_index=False)
    function = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["function"], name="officefunction_function")]


class Post(models.Model):
    """A seat in an office (岗位): powers belong to it, not to the person."""

    id = models.BigIntegerField(primary_key=True)
    office = models.ForeignKey(Office, models.PROTECT, related_name="posts", db_index=False)
    kind = models.TextField()
    name = models.TextField()
    is_made = models.BooleanField()
    active_from = models.DateTimeField()
    active_to = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            _one_of("kind", rules.PostKind, "post_kind_known"),
            _period("post_period"),
            models.UniqueConstraint(fields=["office", "kind", "name"], name="post_once"),
        ]


class Tenure(models.Model):
    """Who holds a post, or stands in for its holder, from when to when."""

    id = models.BigIntegerField(primary_key=True)
    post = models.ForeignKey(Post, models.PROTECT, related_name="tenures")
    principal = models.ForeignKey("accounts.Principal", models.PROTECT, related_name="+", db_index=False)
    deputy = models.BooleanField()
    active_from = models.DateTimeField()
    active_to = models.DateTimeField(null=True)

    class Meta:
        constraints = [_period("tenure_period")]
        indexes = [models.Index(fields=["principal", "active_from"], name="tenure_principal")]


class Absence(models.Model):
    """When a person is away; his deputies answer meanwhile."""

    id = models.BigIntegerField(primary_key=True)
    principal = models.ForeignKey("accounts.Principal", models.PROTECT, related_name="+", db_index=False)
    active_from = models.DateTimeField()
    active_to = models.DateTimeField(null=True)
    reason = models.TextField()

    class Meta:
        constraints = [_period("absence_period")]
        indexes = [models.Index(fields=["principal", "active_from"], name="absence_principal")]


class Category(models.Model):
    """One second-level category of appeals. A code is never used again for something else."""

    id = models.BigIntegerField(primary_key=True)
    code = models.TextField(unique=True)
    level1 = models.TextField()
    root = models.TextField()
    name = models.TextField()
    lead_function = models.TextField()
    urgency = models.TextField()
    sensitivity = models.TextField()
    default_days = models.IntegerField()
    lane = models.TextField()
    legal_basis = models.TextField()
    statutory_text = models.TextField()
    # Legal basis or statutory term written from memory: to be confirmed by a lawyer before it becomes a rule.
    is_unconfirmed = models.BooleanField()
    mediation = models.BooleanField()
    small_fund = models.BooleanField()
    season = models.TextField()
    active_from = models.DateTimeField()
    active_to = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            _one_of("urgency", list(rules.URGENCIES.values()), "category_urgency_known"),
            _one_of("sensitivity", rules.Sensitivity, "category_sensitivity_known"),
            _one_of("lane", list(rules.LANES.values()), "category_lane_known"),
            models.CheckConstraint(condition=Q(default_days__gte=0), name="category_days"),
            _period("category_period"),
        ]


class CategoryWord(models.Model):
    """One word by which people name a matter of the category; a word may belong to several."""

    pk = models.CompositePrimaryKey("category_id", "word")
    category = models.ForeignKey(Category, models.PROTECT, related_name="words", db_index=False)
    word = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["word"], name="categoryword_word")]


class CategoryAssist(models.Model):
    """One function that may assist in the category, in the order of the list."""

    pk = models.CompositePrimaryKey("category_id", "function")
    category = models.ForeignKey(Category, models.PROTECT, related_name="assists", db_index=False)
    function = models.TextField()
    place = models.SmallIntegerField()


class CategoryCode(models.Model):
    """What the category is called in another scheme (a national standard, a public data set)."""

    pk = models.CompositePrimaryKey("category_id", "scheme")
    category = models.ForeignKey(Category, models.PROTECT, related_name="codes", db_index=False)
    scheme = models.TextField()
    code = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["scheme", "code"], name="categorycode_code")]


class Route(models.Model):
    """Which office answers for a category, a top category, or anything, in an area (责任清单)."""

    id = models.BigIntegerField(primary_key=True)
    category = models.ForeignKey(Category, models.PROTECT, null=True, related_name="+", db_index=False)
    root = models.TextField(null=True)
    area = models.ForeignKey(Area, models.PROTECT, related_name="+", db_index=False)
    office = models.ForeignKey(Office, models.PROTECT, related_name="+")
    source = models.TextField()
    active_from = models.DateTimeField()
    active_to = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(category__isnull=True) | Q(root__isnull=True), name="route_one_match"),
            _period("route_period"),
            models.UniqueConstraint(
                fields=["area", "category", "root"],
                condition=Q(active_to__isnull=True),
                nulls_distinct=False,
                name="route_once",
            ),
        ]
        indexes = [models.Index(fields=["area", "category"], name="route_area")]


class CalendarImport(models.Model):
    """One whole version of the working calendar: the newest `imported_at` is in force, duties may name an older one."""

    id = models.BigIntegerField(primary_key=True)
    version = models.TextField(unique=True)
    source = models.TextField()
    content = models.JSONField()
    imported_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["-imported_at", "-id"], name="calendarimport_newest")]


class CalendarYear(models.Model):
    """Whether the State Council has announced the days off of a year; an empty notice is not an announcement."""

    year = models.IntegerField(primary_key=True)
    announced = models.BooleanField()
    source = models.TextField()


class CalendarDay(models.Model):
    """What a notice says about one date; `area` is the code of a county for its own closures, empty for the city."""

    pk = models.CompositePrimaryKey("date", "area")
    date = models.DateField()
    area = models.TextField()
    kind = models.TextField()
    name = models.TextField()
    source = models.TextField()
    # The year of the notice: it may speak of the last days of the year before.
    notice_year = models.IntegerField()
    version = models.TextField()

    class Meta:
        constraints = [
            _one_of("kind", ["off", "inlieu", "local_off"], "calendarday_kind_known"),
            models.CheckConstraint(
                condition=Q(kind="local_off") & ~Q(area="") | ~Q(kind="local_off") & Q(area=""),
                name="calendarday_local_has_area",
            ),
        ]
        indexes = [models.Index(fields=["notice_year", "area"], name="calendarday_notice")]


class ReferenceEntry(models.Model):
    """One change of the directory: what stood there before, what after, who did it, when and why. Append-only."""

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    by = models.ForeignKey("accounts.Principal", models.PROTECT, null=True, related_name="+", db_index=False)
    table = models.TextField()
    row_id = models.TextField()
    what = models.TextField()
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    reason = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["table", "row_id", "-id"], name="referenceentry_row"),
            models.Index(fields=["-id", "table"], name="referenceentry_newest"),
        ]
