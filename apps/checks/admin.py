"""The admin of checks and incidents: live status in every list, writes through the services."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Max, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from apps.checks import reasons, services
from apps.checks.models import Check, Incident, IncidentEvent, StateChange
from apps.checks.selectors import verdict_of
from apps.core.admin import LiveAdmin, ReadOnlyAdmin, VisibleRelatedFilter


@admin.register(Check)
class CheckAdmin(LiveAdmin):
    """Checks are made on their target's page, where their kind has a form; here they are watched, paused, removed."""

    list_display = ["name", "target", "kind", "status", "interval_seconds", "enabled", "last_result"]
    list_filter = ["kind", "enabled", ("target__environment", VisibleRelatedFilter), "status_row__verdict"]
    search_fields = ["name", "target__name"]
    list_select_related = ["target", "status_row"]
    readonly_fields = [
        "target",
        "kind",
        "interval_seconds",
        "retry_interval_seconds",
        "timeout_seconds",
        "failure_threshold",
    ]
    fields = ["target", "kind", "name", "enabled", *readonly_fields[2:]]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Check]:
        rows = Check.objects.visible_to(request.user).present()
        return rows.annotate(last_result_at=Max("regions__last_result_at"))

    @admin.display(description=_("status"), ordering="status_row__verdict")
    def status(self, check: Check) -> str:
        return verdict_of(check).label

    @admin.display(description=_("last result"), ordering="last_result_at")
    def last_result(self, check: Any) -> Any:
        return check.last_result_at

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Check, form: Any, change: bool) -> None:
        stored = Check.objects.select_related("target").get(pk=obj.pk)
        services.update_check(actor=request.user, check=stored, name=obj.name, enabled=obj.enabled)  # type: ignore[arg-type]

    def delete_model(self, request: HttpRequest, obj: Check) -> None:
        services.delete_check(actor=request.user, check=obj)  # type: ignore[arg-type]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Check]) -> None:
        for check in queryset:
            self.delete_model(request, check)


class IncidentEventInline(TabularInline):
    model = IncidentEvent
    fields = ["sequence", "kind", "at", "actor", "text"]
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    list_display = ["target", "severity", "sentence", "opened_at", "acknowledged_by", "resolved_at", "resolution"]
    list_filter = ["severity", "resolution", ("target__environment", VisibleRelatedFilter)]
    search_fields = ["target__name"]
    list_select_related = ["target", "acknowledged_by"]
    inlines = [IncidentEventInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        return Incident.objects.visible_to(request.user)

    @admin.display(description=_("reason"))
    def sentence(self, incident: Incident) -> str:
        return reasons.sentence(incident.reason, incident.evidence)


@admin.register(StateChange)
class StateChangeAdmin(ReadOnlyAdmin):
    list_display = ["at", "target", "from_status", "to_status", "sentence"]
    list_filter = ["to_status", ("target__environment", VisibleRelatedFilter)]
    search_fields = ["target__name"]
    list_select_related = ["target"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StateChange]:
        return StateChange.objects.visible_to(request.user)

    @admin.display(description=_("reason"))
    def sentence(self, change: StateChange) -> str:
        return reasons.sentence(change.reason, change.evidence)
