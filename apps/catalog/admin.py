"""The admin of the catalog: live status in every list, writes through the services."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.accounts.models import User
from apps.catalog import environments, services
from apps.catalog.admin_ai_forms import BudgetForm, PriceForm, ProviderForm
from apps.catalog.admin_forms import EnvironmentForm, ModelForm, ServiceForm, TargetForm
from apps.catalog.models import AIModel, Budget, Environment, Price, Provider, Region, Service, Target
from apps.catalog.prices.services import delete_price
from apps.catalog.provider_fields import cap_of
from apps.catalog.status import Status
from apps.core.admin import LiveAdmin

# Shape, word and colour, as on every page.
_SHAPES = {
    Status.OPERATIONAL: "●",
    Status.DEGRADED: "▲",
    Status.OUTAGE: "■",
    Status.UNKNOWN: "◌",
    Status.MAINTENANCE: "◆",
}
_COLOURS = {
    Status.OPERATIONAL.value: "success",
    Status.DEGRADED.value: "warning",
    Status.OUTAGE.value: "danger",
    Status.MAINTENANCE.value: "info",
}


class ServiceWrites(LiveAdmin):
    """Forms hand over to one service (`admin_forms.ServedForm`), and removal is soft, so nothing cascades."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        # The form asks its service who may do this and notes who did.
        form.actor = request.user
        return form

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Those of the form as it is for this row: some can be given only once, others only later."""
        return list(self.form(instance=obj).fields)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        written = form.write()
        if not change:
            obj.__dict__.update(written.__dict__)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The service has written everything."""

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        return [str(one) for one in objs], {str(self.opts.verbose_name_plural): len(objs)}, set(), []

    def remove(self, request: HttpRequest, obj: Any) -> None:
        raise NotImplementedError

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.remove(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for one in queryset:
            self.remove(request, one)


class DetailAdmin(ServiceWrites):
    """Providers, models and services: a table of what the kind adds, shown with its target."""

    list_filter = ["target__environment", "target__status_row__status", "target__enabled"]
    search_fields = ["target__name"]
    list_select_related = ["target__environment", "target__status_row"]
    list_display: Any = ["name", "environment", "status", "since", "enabled", "last_result"]
    ordering = ["target__name"]
    actions = ["enable", "disable"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.visible_to(request.user).present()
        return rows.select_related(*self.list_select_related)

    @admin.display(description=_("name"), ordering="target__name")
    def name(self, detail: Any) -> str:
        return str(detail.target.name)

    @admin.display(description=_("environment"), ordering="target__environment__position")
    def environment(self, detail: Any) -> str:
        return str(detail.target.environment)

    @display(description=_("status"), ordering="target__status_row__status", label=_COLOURS)  # type: ignore[untyped-decorator]
    def status(self, detail: Any) -> tuple[str, str]:
        return status_cell(detail.target)

    @admin.display(description=_("since"), ordering="target__status_row__since")
    def since(self, detail: Any) -> Any:
        return detail.target.status_row.since

    @admin.display(description=_("enabled"), ordering="target__enabled", boolean=True)
    def enabled(self, detail: Any) -> bool:
        return bool(detail.target.enabled)

    @admin.display(description=_("last result"), ordering="target__status_row__last_result_at")
    def last_result(self, detail: Any) -> Any:
        return detail.target.status_row.last_result_at

    @admin.action(description=_("Switch on the selected"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, enabled=True)

    @admin.action(description=_("Switch off the selected"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, enabled=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Any], *, enabled: bool) -> None:
        targets = [target_of(row) for row in queryset]
        changed = [target for target in targets if target.enabled != enabled]
        for target in changed:
            services.switch_target(actor=actor_of(request), target=target, enabled=enabled)
        said = ngettext("%(count)s target was changed.", "%(count)s targets were changed.", len(changed))
        messages.success(request, said % {"count": len(changed)})

    def remove(self, request: HttpRequest, obj: Any) -> None:
        services.delete_target(actor=actor_of(request), target=target_of(obj))


@admin.register(Provider)
class ProviderAdmin(DetailAdmin):
    form = ProviderForm
    list_select_related = ["target__environment", "target__status_row", "budget"]
    list_display = ["name", "environment", "status", "since", "enabled", "dialect", "base_url", "cap", "last_result"]
    list_filter = [*DetailAdmin.list_filter, "dialect"]

    @admin.display(description=_("monthly cap, US$"), ordering="budget__monthly_cap")
    def cap(self, provider: Provider) -> Any:
        return cap_of(provider)


@admin.register(Budget)
class BudgetAdmin(ServiceWrites):
    """Caps. One that is not wanted any more is emptied, so its row stays."""

    form = BudgetForm
    list_display = ["__str__", "monthly_cap", "updated_at"]
    list_select_related = ["provider__target"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Budget]:
        return Budget.objects.visible_to(request.user).select_related(*self.list_select_related)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Price)
class PriceAdmin(ServiceWrites):
    form = PriceForm
    list_display = [
        "model",
        "provider",
        "dialect",
        "input_per_million",
        "output_per_million",
        "cached_per_million",
        "valid_from",
        "seeded",
    ]
    list_filter = ["dialect", "seeded"]
    search_fields = ["model", "note"]
    list_select_related = ["provider__target"]
    ordering = ["dialect", "model", "-valid_from"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Price]:
        return Price.objects.visible_to(request.user).select_related(*self.list_select_related)

    def remove(self, request: HttpRequest, obj: Price) -> None:
        delete_price(actor=actor_of(request), price=obj)


@admin.register(AIModel)
class AIModelAdmin(DetailAdmin):
    form = ModelForm
    list_select_related = ["target__environment", "target__status_row", "provider__target"]
    list_display = ["name", "provider", "environment", "status", "since", "enabled", "last_result"]
    search_fields = ["target__name", "provider__target__name"]


@admin.register(Service)
class ServiceAdmin(DetailAdmin):
    form = ServiceForm


@admin.register(Target)
class TargetAdmin(DetailAdmin):
    """Targets of every kind in one list, and what they depend on."""

    form = TargetForm
    list_display = ["name", "kind", "environment", "status", "since", "enabled", "last_result"]
    list_filter = ["kind", "environment", "status_row__status", "enabled"]
    search_fields = ["name"]
    list_select_related = ["environment", "status_row"]
    ordering = ["name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("name"), ordering="name")
    def name(self, detail: Target) -> str:
        return detail.name

    @admin.display(description=_("environment"), ordering="environment__position")
    def environment(self, detail: Target) -> str:
        return str(detail.environment)

    @display(description=_("status"), ordering="status_row__status", label=_COLOURS)  # type: ignore[untyped-decorator]
    def status(self, detail: Target) -> tuple[str, str]:
        return status_cell(detail)

    @admin.display(description=_("since"), ordering="status_row__since")
    def since(self, detail: Target) -> Any:
        return detail.status_row.since

    @admin.display(description=_("enabled"), ordering="enabled", boolean=True)
    def enabled(self, detail: Target) -> bool:
        return detail.enabled

    @admin.display(description=_("last result"), ordering="status_row__last_result_at")
    def last_result(self, detail: Target) -> Any:
        return detail.status_row.last_result_at


@admin.register(Environment)
class EnvironmentAdmin(ServiceWrites):
    form = EnvironmentForm
    list_display = ["name", "slug", "position"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Environment]:
        return Environment.objects.visible_to(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # An environment is removed one by one, and only when nothing is in it.
        return super().has_delete_permission(request, obj) and obj is not None and not obj.targets.exists()

    def remove(self, request: HttpRequest, obj: Environment) -> None:
        environments.delete_environment(actor=actor_of(request), environment=obj)


@admin.register(Region)
class RegionAdmin(LiveAdmin):
    list_display = ["name", "slug", "enabled"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Workers are started with the short name, so it stays."""
        return ["slug"] if obj is not None else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Removed under Settings → Regions or over REST, where what checks have there is settled too."""
        return False


def status_cell(target: Target) -> tuple[str, str]:
    """The value that chooses the colour, and shape and word to show."""
    status = Status(target.status_row.status)
    return status.value, f"{_SHAPES[status]} {status.label}"


def target_of(row: Any) -> Target:
    target: Target = row if isinstance(row, Target) else row.target
    return target


def actor_of(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise TypeError(gettext("The admin was reached without signing in."))
    return request.user
