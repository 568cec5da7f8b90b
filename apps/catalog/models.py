"""The catalog: what is watched, where it belongs, and the status each target has from birth.

A target is one row with a kind; what a kind adds is a plain table whose primary key is the target's id, so every
id in a URL or a body is the target's id.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import SharedQuerySet, VisibleQuerySet
from apps.catalog.naming import Name
from apps.catalog.status import STATUS_CHOICES, Status
from apps.core.ids import uuid7

__all__ = [
    "AIModel",
    "Budget",
    "Environment",
    "Price",
    "Provider",
    "Region",
    "Service",
    "Status",
    "Target",
    "TargetKind",
    "TargetStatus",
]


class TargetKind(models.TextChoices):
    PROVIDER = "provider", _("Provider")
    MODEL = "model", _("AI model")
    SERVICE = "service", _("Service")


class EnvironmentQuerySet(VisibleQuerySet["Environment"]):
    environment_path = "id"


class Environment(models.Model):
    """A name space (development, stage, production), and the unit in which access is granted."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(_("short name"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=64)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects: ClassVar[EnvironmentQuerySet] = EnvironmentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("environment")
        verbose_name_plural = _("environments")
        ordering = ["position", "slug"]

    def __str__(self) -> str:
        return self.name


class RegionQuerySet(VisibleQuerySet["Region"]):
    environment_path = ""


class Region(models.Model):
    """A place probes run in. `local` is the worker beside the web process."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(_("short name"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=64)
    enabled = models.BooleanField(_("enabled"), default=True)

    objects: ClassVar[RegionQuerySet] = RegionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class TargetQuerySet(VisibleQuerySet["Target"]):
    def present(self) -> TargetQuerySet:
        """Without what was deleted and only waits for the sweeper."""
        return self.filter(deleted_at__isnull=True)


class Target(models.Model):
    """A thing we watch. Its status row is made in the transaction that makes it (`services.create_target`)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(_("kind"), max_length=16, choices=TargetKind)
    name = models.CharField(_("name"), max_length=200)
    # The name space inside an environment: a model's provider, so that two providers may offer one model name.
    # A column without a constraint: both are purged by `checks.retention`, in any order.
    namespace = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        db_column="namespace",
        db_constraint=False,
        db_index=False,
    )
    environment = models.ForeignKey(
        Environment, on_delete=models.PROTECT, related_name="targets", verbose_name=_("environment")
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    depends_on = models.ManyToManyField(
        "self", symmetrical=False, related_name="dependents", blank=True, verbose_name=_("depends on")
    )
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True, verbose_name=_("tags"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[TargetQuerySet] = TargetQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        constraints = [
            models.UniqueConstraint(
                "environment",
                "kind",
                Lower("name"),
                condition=Q(deleted_at__isnull=True, namespace__isnull=True),
                name="catalog_target_name_unique",
                violation_error_message=_("A target of this kind with this name exists in the environment."),
            ),
            models.UniqueConstraint(
                "namespace",
                Lower("name"),
                condition=Q(deleted_at__isnull=True, namespace__isnull=False),
                name="catalog_model_name_unique",
                violation_error_message=_("This provider has a model with this name."),
            ),
        ]
        indexes = [
            models.Index(
                fields=["environment", "kind"],
                condition=Q(deleted_at__isnull=True),
                name="catalog_target_present",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/targets/{self.pk}/"

    @property
    def provider_name(self) -> str:
        """A model's provider by name; "" for every other kind, and when it is no more. Select `namespace` with rows
        that are named.
        """
        if self.namespace_id is None:
            return ""
        try:
            return self.namespace.name if self.namespace is not None else ""
        except Target.DoesNotExist:
            # Nothing holds the two together: what was deleted goes in batches, and this one is of a later batch.
            return ""

    @property
    def full_name(self) -> Name:
        """The name wherever a model's provider is not plain from what stands around it. Reads `namespace`."""
        return Name(self.name, self.provider_name)

    @property
    def provider_brief(self) -> dict[str, str] | None:
        """`{"id", "name"}` of a model's provider, for answers and messages; None for every other kind."""
        return {"id": str(self.namespace_id), "name": self.provider_name} if self.namespace_id is not None else None


class DetailQuerySet(VisibleQuerySet[Any]):
    environment_path = "target__environment_id"

    def present(self) -> DetailQuerySet:
        return self.filter(target__deleted_at__isnull=True)


def _dollars(label: Any, **options: Any) -> models.DecimalField[Any, Any]:
    return models.DecimalField(
        label, max_digits=12, decimal_places=4, validators=[MinValueValidator(Decimal(0))], **options
    )


class Provider(models.Model):
    """An AI model provider: a base URL and a key. The key is sealed, and never read back by a person."""

    target = models.OneToOneField(Target, on_delete=models.CASCADE, primary_key=True, related_name="provider")
    base_url = models.URLField(_("base URL"), max_length=500, blank=True, default="")
    # The name of a dialect (`probes.ai.dialect.AI_DIALECTS`): how it is asked and how its answers read.
    dialect = models.CharField(_("dialect"), max_length=32, default="openai_compatible")
    sealed_api_key = models.TextField(_("API key"), blank=True, default="", editable=False)
    verify_tls = models.BooleanField(_("verify the certificate"), default=True)
    # Paid looks under way at one moment, all its models together.
    paid_at_once = models.PositiveSmallIntegerField(
        _("paid looks at once"), default=4, validators=[MinValueValidator(1), MaxValueValidator(1_000)]
    )
    status_page_url = models.URLField(_("vendor's status page"), max_length=500, blank=True, default="")
    # Names of the components of that page that this provider stands on; none: the page as a whole.
    status_components = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, verbose_name=_("components of the status page")
    )
    last_discovered_at = models.DateTimeField(_("last discovery"), null=True, blank=True, editable=False)
    # What the provider's own list offered at the last discovery: the other side of the drift.
    offered_models = models.JSONField(default=list, blank=True, editable=False)
    # Why it showed no list the last time, and when: {"reason", "evidence"}; nothing once it shows one (`refusals`).
    refused_at = models.DateTimeField(null=True, blank=True, editable=False)
    refusal = models.JSONField(default=dict, blank=True, editable=False)

    objects: ClassVar[DetailQuerySet] = DetailQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")

    def __str__(self) -> str:
        return self.target.name


class AIModel(models.Model):
    """One model of a provider. The target's name is the model's id in the provider's list."""

    target = models.OneToOneField(Target, on_delete=models.CASCADE, primary_key=True, related_name="model")
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="models", verbose_name=_("provider"))

    objects: ClassVar[DetailQuerySet] = DetailQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("AI model")
        verbose_name_plural = _("AI models")

    def __str__(self) -> str:
        return self.target.name


class BudgetQuerySet(SharedQuerySet["Budget"]):
    environment_path = "provider__target__environment_id"


class Budget(models.Model):
    """The most that paid looks may cost in a calendar month (UTC), in US dollars: of one provider, or of all together
    (no provider). No cap: as much as they cost."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.OneToOneField(
        Provider, on_delete=models.CASCADE, null=True, blank=True, related_name="budget", verbose_name=_("provider")
    )
    monthly_cap = models.DecimalField(
        _("monthly cap"),
        max_digits=12,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
    )
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects: ClassVar[BudgetQuerySet] = BudgetQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")
        constraints = [
            models.UniqueConstraint(fields=["provider"], nulls_distinct=False, name="catalog_one_budget_a_provider")
        ]

    def __str__(self) -> str:
        return str(self.provider or _("All providers together"))


class PriceQuerySet(SharedQuerySet["Price"]):
    environment_path = "provider__target__environment_id"


class Price(models.Model):
    """What a million tokens cost from a day on, in US dollars: at one provider, or at all that speak a dialect.

    `model` is a model's id, or the beginning of some followed by `*`. The most specific, then the latest one that has
    begun holds: a provider's before a dialect's, a whole id before a beginning, a longer beginning before a shorter.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.ForeignKey(
        Provider, on_delete=models.CASCADE, null=True, blank=True, related_name="prices", verbose_name=_("provider")
    )
    dialect = models.CharField(_("dialect"), max_length=32, blank=True, default="")
    model = models.CharField(_("model"), max_length=200)
    input_per_million = _dollars(_("input, per million tokens"))
    output_per_million = _dollars(_("output, per million tokens"))
    cached_per_million = _dollars(_("cached input, per million tokens"), null=True, blank=True)
    valid_from = models.DateField(_("valid from"))
    note = models.CharField(_("note"), max_length=300, blank=True, default="")
    # Came with the portal: an edit makes it one's own.
    seeded = models.BooleanField(_("came with the portal"), default=False, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects: ClassVar[PriceQuerySet] = PriceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        constraints = [
            models.UniqueConstraint(
                "provider",
                "dialect",
                Lower("model"),
                "valid_from",
                nulls_distinct=False,
                name="catalog_price_unique",
                violation_error_message=_("There is a price of this model from this day on already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} ({self.valid_from})"


class Service(models.Model):
    """A web service, a port, a database: anything reached over the network."""

    target = models.OneToOneField(Target, on_delete=models.CASCADE, primary_key=True, related_name="service")
    url = models.CharField(_("link"), max_length=500, blank=True, default="")
    description = models.TextField(_("description"), blank=True, default="", max_length=2_000)

    objects: ClassVar[DetailQuerySet] = DetailQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")

    def __str__(self) -> str:
        return self.target.name


class TargetStatus(models.Model):
    """A target's status now: one narrow row, written only by `checks.recording` under a lock in id order.

    The table has a fill factor of 70 and no index on what changes, so updates stay inside their page.
    """

    target = models.OneToOneField(Target, on_delete=models.CASCADE, primary_key=True, related_name="status_row")
    status = models.CharField(_("status"), max_length=16, choices=STATUS_CHOICES, default=Status.UNKNOWN)
    since = models.DateTimeField(_("since"))
    reason = models.CharField(_("reason"), max_length=40, default="not_measured")
    cause_check = models.UUIDField(null=True, blank=True)
    last_result_at = models.DateTimeField(_("last result"), null=True, blank=True)
    version = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = _("status")
        verbose_name_plural = _("statuses")

    def __str__(self) -> str:
        return self.get_status_display()
