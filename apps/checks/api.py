"""REST: checks with their runs and results, incidents, state changes, and the counts everybody reads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Max, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter
from rest_framework.views import APIView

from apps.accounts.access import Role
from apps.accounts.permissions import demand_role
from apps.catalog.models import Environment, Target
from apps.checks import history, incidents, selectors, services
from apps.checks.ai import api as models
from apps.checks.ai import providers_api as providers
from apps.checks.filters import CheckFilter, IncidentFilter, StateChangeFilter
from apps.checks.guards import api as guards
from apps.checks.heartbeats import api as heartbeats
from apps.checks.heartbeats.selectors import with_heartbeats
from apps.checks.models import Check, CheckResult, CheckRun, Incident, StateChange
from apps.checks.regions import api as regions
from apps.checks.regions.check_regions import get_check_regions
from apps.checks.regions.serializers import CheckRegionSerializer
from apps.checks.regions.warnings import warnings_of_check
from apps.checks.serializers import (
    AcknowledgeSerializer,
    CheckSerializer,
    IncidentDetailSerializer,
    IncidentEventSerializer,
    IncidentSerializer,
    NoteSerializer,
    PendingSerializer,
    ResolveSerializer,
    ResultDetailSerializer,
    ResultSerializer,
    RunSerializer,
    StateChangeSerializer,
)
from apps.checks.spending import api as budgets
from apps.checks.spending import spend_api as spending
from apps.checks.spending.admission import NotAdmitted
from apps.checks.vendors import api as vendors
from apps.core import clock, kindconfig
from apps.core.api.filtering import refuse_unknown_parameters
from apps.core.api.pagination import CursorPagination
from apps.core.api.viewsets import PortalViewSet, ReadOnlyPortalViewSet
from apps.probes.base import PROBE_KINDS


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT


class BrokerAway(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE


# A run that is still under way has no result yet.
_RESULT = PolymorphicProxySerializer(
    component_name="RunResult", serializers=[ResultDetailSerializer, PendingSerializer], resource_type_field_name=None
)


class ResultPagination(CursorPagination):
    ordering = "-at"


class CheckViewSet(PortalViewSet):
    """How and how often targets are looked at. `check-kinds/` describes `config`; secrets in it are write-only."""

    serializer_class = CheckSerializer
    filterset_class = CheckFilter

    def get_queryset(self) -> QuerySet[Check]:
        rows = Check.objects.visible_to(self.request.user).present().prefetch_related("only_regions")
        return (
            with_heartbeats(rows)
            .select_related("target", "status_row")
            .annotate(last_result_at=Max("regions__last_result_at"))
        )

    def create_object(self, data: dict[str, Any]) -> Check:
        target = data.pop("target")
        data["only_regions"] = data.pop("regions", None)
        demand_role(self.request.user, Role.OPERATOR, target.environment_id)
        return services.create_check(actor=self._actor, target=target, config=data.pop("config", {}), **data)

    def update_object(self, instance: Check, data: dict[str, Any]) -> Check:
        for name in ("target", "kind"):
            if data.pop(name, getattr(instance, name)) != getattr(instance, name):
                raise ValidationError({name: [_("This cannot be changed; make another check.")]})
        data["only_regions"] = data.pop("regions", None)
        return services.update_check(actor=self._actor, check=instance, **data)

    def delete_object(self, instance: Check) -> None:
        services.delete_check(actor=self._actor, check=instance)

    @property
    def _actor(self) -> Any:
        return self.request.user

    @extend_schema(request=None, responses={202: RunSerializer})
    @action(detail=True, methods=["post"])
    def run(self, request: Request, pk: str) -> Response:
        """Look now. A second call while one is pending answers with the same run."""
        check = self.get_object()
        try:
            run = services.request_run(actor=self._actor, check=check)
        except NotAdmitted as error:
            raise Conflict(" ".join(error.messages)) from error
        except ConnectionError as error:
            raise BrokerAway(str(error)) from error
        url = request.build_absolute_uri(f"/api/v1/checks/{check.pk}/results/{run.pk}/")
        return Response({"id": str(run.pk), "url": url}, status=status.HTTP_202_ACCEPTED)

    @extend_schema(responses=ResultSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"])
    def results(self, request: Request, pk: str) -> Response:
        """What the looks found, newest first."""
        check = self.get_object_ignoring_filters()
        refuse_unknown_parameters(request, {"cursor", "limit", "fields"})
        paginator = ResultPagination()
        page = paginator.paginate_queryset(selectors.list_results(check), request, None)
        serializer = ResultSerializer(page, many=True, context=self.get_serializer_context())
        return paginator.get_paginated_response(serializer.data)

    @extend_schema(responses=_RESULT)
    @action(detail=True, methods=["get"], url_path="results/(?P<result_id>[0-9a-fA-F-]{36})", url_name="result")
    def result(self, request: Request, pk: str, result_id: str) -> Response:
        """One result with its evidence; a run that is still under way answers `{"state": "pending"}`."""
        check = self.get_object_ignoring_filters()
        identifier = _uuid(result_id)
        found = selectors.get_result(check, identifier)
        if found is None:
            return Response(_pending(selectors.get_run(check, identifier)))
        context = {**self.get_serializer_context(), "evidence": self._evidence(check, found)}
        return Response(ResultDetailSerializer(found, context=context).data)

    @extend_schema(responses=CheckRegionSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def regions(self, request: Request, pk: str) -> Response:
        """What each region that looks at it says, side by side."""
        check = self.get_object_ignoring_filters()
        refuse_unknown_parameters(request, {"fields"})
        views = get_check_regions(check)
        return Response(CheckRegionSerializer(views, many=True, context=self.get_serializer_context()).data)

    def present(self, instance: Any) -> Any:
        """After a write: also what was saved and will do nothing, such as a region that nobody serves."""
        return {**super().present(instance), "warnings": warnings_of_check(instance)}

    def get_object_ignoring_filters(self) -> Check:
        check = get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
        self.check_object_permissions(self.request, check)
        return check

    def _evidence(self, check: Check, result: CheckResult) -> dict[str, Any]:
        return selectors.get_evidence(result)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


def _pending(run: CheckRun | None) -> dict[str, Any]:
    if run is None:
        raise Http404
    lost = run.expires_at <= clock.now()
    return {"id": str(run.pk), "state": "expired" if lost else "pending", "requested_at": run.requested_at}


class IncidentViewSet(ReadOnlyPortalViewSet):
    """Periods in which a target was not well. They open and close by measurement; people acknowledge and note."""

    serializer_class = IncidentSerializer
    filterset_class = IncidentFilter

    def get_queryset(self) -> QuerySet[Incident]:
        rows = Incident.objects.visible_to(self.request.user).filter(target__deleted_at__isnull=True)
        return rows.select_related("target__namespace", "target__environment", "acknowledged_by")

    def get_serializer_class(self) -> Any:
        return IncidentDetailSerializer if self.action == "retrieve" else IncidentSerializer

    @extend_schema(request=AcknowledgeSerializer, responses=IncidentDetailSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Say that you have it."""
        incident, body = self._incident_and(AcknowledgeSerializer)
        return self._step(lambda: incidents.acknowledge_incident(incident=incident, actor=self._actor, **body))

    @extend_schema(request=ResolveSerializer, responses=IncidentDetailSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str) -> Response:
        """Resolve by hand; while the target still fails this is a 409 without `{"force": true}`."""
        incident, body = self._incident_and(ResolveSerializer)
        return self._step(lambda: incidents.resolve_incident(incident=incident, actor=self._actor, **body))

    @extend_schema(request=NoteSerializer, responses={201: IncidentEventSerializer})
    @action(detail=True, methods=["post"])
    def notes(self, request: Request, pk: str) -> Response:
        """Add a line to the timeline."""
        incident, body = self._incident_and(NoteSerializer)
        event = incidents.add_note(incident=incident, actor=self._actor, **body)
        return Response(IncidentEventSerializer(event).data, status=status.HTTP_201_CREATED)

    @property
    def _actor(self) -> Any:
        return self.request.user

    def _incident_and(self, body: type[Any]) -> tuple[Incident, dict[str, Any]]:
        incident = self.get_object()
        serializer = body(data=self.request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        return incident, serializer.validated_data

    def _step(self, step: Any) -> Response:
        try:
            row = step()
        except incidents.IncidentConflict as error:
            raise Conflict(str(error)) from error
        fresh = self.get_queryset().get(pk=row.pk)
        return Response(IncidentDetailSerializer(fresh, context=self.get_serializer_context()).data)


class StateChangeViewSet(ReadOnlyPortalViewSet):
    """The history: every change of a target's status, with why and on what evidence."""

    serializer_class = StateChangeSerializer
    filterset_class = StateChangeFilter

    def get_queryset(self) -> QuerySet[StateChange]:
        rows = StateChange.objects.visible_to(self.request.user).filter(target__deleted_at__isnull=True)
        return rows.select_related("target__namespace", "target__environment")


class CheckKindsView(APIView):
    """The kinds of check: what each looks at, and the JSON Schema of its `config`."""

    @extend_schema(responses={200: dict})
    def get(self, request: Request) -> Response:
        kinds = [PROBE_KINDS.get(name) for name in PROBE_KINDS.names()]
        return Response(
            [
                {
                    "kind": kind.name,
                    "label": str(kind.label),
                    "summary": str(kind.summary),
                    "target_kinds": sorted(kind.target_kinds),
                    "default_interval_seconds": kind.default_interval_seconds,
                    "default_timeout_seconds": kind.default_timeout_seconds,
                    "default_failure_threshold": kind.default_failure_threshold,
                    "default_affects_status": kind.default_affects_status,
                    "rung": kind.rung,
                    "is_paid": kind.is_paid,
                    "schema": kindconfig.json_schema(kind.Config),
                }
                for kind in kinds
            ]
        )


class SummaryView(APIView):
    """Counts by status, from the selector that the overview reads. `?environment=` narrows to one."""

    @extend_schema(responses={200: dict})
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, {"environment"})
        wanted = request.query_params.get("environment")
        environment = None
        if wanted is not None:
            environment = get_object_or_404(Environment.objects.visible_to(request.user), slug=wanted).pk
        return Response(selectors.get_summary(request.user, environment))


class RealtimeStatsView(APIView):
    """The model counts in the shape that outside tools read."""

    @extend_schema(responses={200: dict})
    def get(self, request: Request) -> Response:
        return Response(selectors.get_realtime_stats(request.user))


class UptimeView(APIView):
    """Uptime of one target: (operational + degraded) / (operational + degraded + outage), null when unmeasured."""

    @extend_schema(responses={200: dict})
    def get(self, request: Request, target_id: UUID) -> Response:
        target = get_object_or_404(Target.objects.visible_to(request.user).present(), pk=target_id)
        return Response(
            {
                name: {
                    "ratio": report.ratio,
                    "seconds": {state.value: round(seconds, 3) for state, seconds in report.seconds.items()},
                }
                for name, report in history.get_uptime_windows(target.pk).items()
            }
        )


def register(router: BaseRouter) -> None:
    router.register("checks", CheckViewSet, basename="check")
    router.register("incidents", IncidentViewSet, basename="incident")
    router.register("state-changes", StateChangeViewSet, basename="state-change")
    vendors.register(router)
    providers.register(router)
    models.register(router)
    guards.register(router)
    regions.register(router)
    heartbeats.register(router)
    budgets.register(router)
    spending.register(router)


urlpatterns = [
    path("check-kinds/", CheckKindsView.as_view(), name="check-kinds"),
    path("summary/", SummaryView.as_view(), name="summary"),
    path("targets/<uuid:target_id>/uptime/", UptimeView.as_view(), name="target-uptime"),
]
# Mounted under /api/monitoring/, where tools of the systems this portal replaces look for it.
monitoring_urlpatterns = [path("realtime-stats", RealtimeStatsView.as_view(), name="realtime-stats")]
