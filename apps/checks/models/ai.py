"""AI models: the last look of each check, hours of history, money set aside and spent, and the vendor's own page."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import VisibleQuerySet
from apps.catalog.models import Provider, Target
from apps.catalog.status import STATUS_CHOICES, Status
from apps.checks.models.check import Check
from apps.core.ids import uuid7
from apps.probes.base import OutcomeState


class AiCheckState(models.Model):
    """The last look of one check of an AI kind, in one narrow row: what lists and the API show without reading results.

    Times are milliseconds, of the last look that measured them. `details` are the facts of the last look.
    """

    source_check = models.OneToOneField(
        Check, on_delete=models.CASCADE, primary_key=True, db_column="check_id", related_name="ai_state"
    )
    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="ai_states")
    at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in OutcomeState])
    reason = models.CharField(max_length=40)
    measured_at = models.DateTimeField(null=True)
    duration_ms = models.FloatField(null=True)
    ttft_ms = models.FloatField(null=True)
    answer_ttft_ms = models.FloatField(null=True)
    output_tokens_per_second = models.FloatField(null=True)
    rate_limit = models.JSONField(null=True)
    rate_limit_at = models.DateTimeField(null=True)
    # Good looks in a row that were far slower than usual.
    slow_streak = models.PositiveSmallIntegerField(default=0)
    details = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("last look at a model")
        verbose_name_plural = _("last looks at models")

    def __str__(self) -> str:
        return f"{self.source_check_id} · {self.reason}"


class AiHour(models.Model):
    """One hour of one check of an AI kind, made from its results again and again until the hour is over.

    Histograms are {bucket number: count} of logarithmic buckets, so percentiles survive; `errors` is {class: count}.
    """

    pk = models.CompositePrimaryKey("check_id", "hour")
    check_id = models.UUIDField()
    hour = models.DateTimeField()
    target_id = models.UUIDField()
    # Of the check, which may be gone before its hours are.
    kind = models.CharField(max_length=32, default="")
    looks = models.PositiveIntegerField(default=0)
    ok = models.PositiveIntegerField(default=0)
    degraded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    rate_limited = models.PositiveIntegerField(default=0)
    errors = models.JSONField(default=dict)
    durations = models.JSONField(default=dict)
    first_tokens = models.JSONField(default=dict)
    first_answers = models.JSONField(default=dict)
    speeds = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("hour of a model")
        verbose_name_plural = _("hours of models")
        indexes = [
            models.Index(fields=["target_id", "hour"], name="checks_ai_hour_of_target"),
            # For what is too old, and for the newest there is.
            models.Index(fields=["hour"], name="checks_ai_hour"),
        ]


class AiDay(models.Model):
    """One day (UTC) of one check of an AI kind, added up from its hours: what covers months need not read hours."""

    pk = models.CompositePrimaryKey("check_id", "day")
    check_id = models.UUIDField()
    day = models.DateTimeField()
    target_id = models.UUIDField()
    kind = models.CharField(max_length=32)
    looks = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    rate_limited = models.PositiveIntegerField(default=0)
    errors = models.JSONField(default=dict)
    durations = models.JSONField(default=dict)
    first_tokens = models.JSONField(default=dict)
    first_answers = models.JSONField(default=dict)
    speeds = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("day of a model")
        verbose_name_plural = _("days of models")
        indexes = [
            models.Index(fields=["target_id", "day"], name="checks_ai_day_of_target"),
            models.Index(fields=["day"], name="checks_ai_day"),
        ]


class AiErrorTotal(models.Model):
    """How many looks at one target ever ended in one class of error. Hours are removed after a time, a counter never
    goes back."""

    pk = models.CompositePrimaryKey("target_id", "error_class", "fault")
    target_id = models.UUIDField()
    error_class = models.CharField(max_length=32)
    # One class may be of one's own making or of theirs: an answer cut off at our limit, or by them.
    fault = models.CharField(max_length=16)
    looks = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = _("errors of a model")
        verbose_name_plural = _("errors of models")


class SpendDay(models.Model):
    """What looking at one target cost on one day (UTC), from the usage the provider named. US dollars."""

    pk = models.CompositePrimaryKey("day", "target_id")
    day = models.DateField()
    target_id = models.UUIDField()
    provider_id = models.UUIDField()
    looks = models.PositiveIntegerField(default=0)
    # Of those, how many had no usage to go by, or were never heard of again.
    estimated_looks = models.PositiveIntegerField(default=0)
    tokens_in = models.PositiveBigIntegerField(default=0)
    tokens_out = models.PositiveBigIntegerField(default=0)
    tokens_cached = models.PositiveBigIntegerField(default=0)
    tokens_reasoning = models.PositiveBigIntegerField(default=0)
    cost = models.DecimalField(max_digits=16, decimal_places=8, default=0)

    class Meta:
        verbose_name = _("spend of a day")
        verbose_name_plural = _("spends of days")
        indexes = [models.Index(fields=["provider_id", "day"], name="checks_spend_of_provider")]


class BudgetMonth(models.Model):
    """The account of one provider (None: of all together) in one month: whoever sets money aside locks this row."""

    id = models.BigAutoField(primary_key=True)
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, null=True, related_name="months")
    month = models.DateField()
    spent = models.DecimalField(max_digits=16, decimal_places=8, default=0)
    reserved = models.DecimalField(max_digits=16, decimal_places=8, default=0)

    class Meta:
        verbose_name = _("account of a month")
        verbose_name_plural = _("accounts of months")
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "month"], nulls_distinct=False, name="checks_one_account_a_month"
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} · {self.month}"


class Reservation(models.Model):
    """Money set aside for one look that was sent out, until its result says what it cost. US dollars."""

    pk = models.CompositePrimaryKey("check_id", "region_id", "generation")
    check_id = models.UUIDField()
    region_id = models.UUIDField()
    # Of the claim; of a look outside the schedule, a negative number of its own.
    generation = models.BigIntegerField()
    target_id = models.UUIDField()
    provider_id = models.UUIDField()
    month = models.DateField()
    amount = models.DecimalField(max_digits=16, decimal_places=8)
    # After this nobody will tell any more what it cost: all of it counts as spent.
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        indexes = [
            models.Index(fields=["provider_id"], name="checks_reservation_provider"),
            models.Index(fields=["expires_at"], name="checks_reservation_expiry"),
        ]


class VendorQuerySet(VisibleQuerySet["VendorPage"]):
    environment_path = "provider__target__environment_id"


class VendorPage(models.Model):
    """What a vendor's own status page says now. It never changes our own verdict.

    `components`: [{"name", "group", "status", "mapped"}], `status` in our own words, as they were when last read.
    """

    provider = models.OneToOneField(Provider, on_delete=models.CASCADE, primary_key=True, related_name="vendor_page")
    format = models.CharField(_("format"), max_length=32, blank=True, default="")
    status = models.CharField(_("status"), max_length=16, choices=STATUS_CHOICES, default=Status.UNKNOWN)
    since = models.DateTimeField()
    readable = models.BooleanField(_("readable"), default=False)
    # Why it cannot be read: a code (`probes.vendor_pages.problems`), and the values its words need.
    problem = models.CharField(max_length=300, blank=True, default="")
    problem_values = models.JSONField(default=dict, blank=True)
    description = models.CharField(max_length=300, blank=True, default="")
    components = models.JSONField(default=list)
    # When we last tried, when we last could read it, and when the vendor last changed it.
    looked_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)

    objects: ClassVar[VendorQuerySet] = VendorQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("vendor's status page")
        verbose_name_plural = _("vendors' status pages")

    def __str__(self) -> str:
        return self.get_status_display()


class VendorChange(models.Model):
    """The vendor's page began to say something else: the second line of the chart."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="vendor_changes")
    at = models.DateTimeField()
    status = models.CharField(max_length=16, choices=STATUS_CHOICES)

    class Meta:
        verbose_name = _("change of a vendor's page")
        verbose_name_plural = _("changes of vendors' pages")
        indexes = [models.Index(fields=["provider", "at"], name="checks_vendor_change")]

    def __str__(self) -> str:
        return f"{self.provider_id} · {self.status}"


class VendorIncident(models.Model):
    """An incident as the vendor tells it; times are the vendor's."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="vendor_incidents")
    external_id = models.CharField(max_length=200)
    name = models.CharField(max_length=300)
    status = models.CharField(max_length=16, choices=STATUS_CHOICES)
    phase = models.CharField(max_length=32, blank=True, default="")
    started_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)
    url = models.CharField(max_length=500, blank=True, default="")
    # When the vendor wrote of it first, if its page tells (`started_at` is often dated back), and when we first read.
    said_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("vendor's incident")
        verbose_name_plural = _("vendors' incidents")
        constraints = [models.UniqueConstraint(fields=["provider", "external_id"], name="checks_one_vendor_incident")]
        indexes = [models.Index(fields=["provider", "started_at"], name="checks_vendor_incident")]

    def __str__(self) -> str:
        return self.name
