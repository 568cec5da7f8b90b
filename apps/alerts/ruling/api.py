"""REST: rules and their kinds, and what a rule would have sent."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter
from rest_framework.views import APIView

from apps.accounts.access import Role
from apps.accounts.permissions import demand_role
from apps.alerts.models import Rule
from apps.alerts.rule_kinds.base import RULE_KINDS, RuleKind
from apps.alerts.ruling import selectors, services
from apps.alerts.ruling.backtest import backtest
from apps.alerts.ruling.filters import RuleFilter
from apps.alerts.ruling.serializers import (
    BacktestQuestionSerializer,
    BacktestSerializer,
    DaysSerializer,
    RuleSerializer,
    SavedRuleSerializer,
    days_of,
)
from apps.core import kindconfig
from apps.core.api.viewsets import PortalViewSet


class RuleViewSet(PortalViewSet):
    """When something is an alert. Operators of the rule's environment write; one for all environments takes an
    operator of all of them, and everybody with a role reads it."""

    serializer_class = RuleSerializer
    filterset_class = RuleFilter
    ordering = ("name", "pk")

    def get_queryset(self) -> QuerySet[Rule]:
        return selectors.list_rules(self.request.user)

    @extend_schema(responses={201: SavedRuleSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().create(request, *args, **kwargs)

    @extend_schema(responses={200: SavedRuleSerializer})
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().partial_update(request, *args, **kwargs)

    def create_object(self, data: dict[str, Any]) -> Rule:
        self._demand_operator_in(data["environment"])
        rule, self._warnings = services.create_rule(actor=self._actor, **data)
        return rule

    def update_object(self, instance: Rule, data: dict[str, Any]) -> Rule:
        if data.pop("kind", instance.kind) != instance.kind:
            raise ValidationError({"kind": [_("This cannot be changed; make another rule.")]})
        if "environment" in data:
            self._demand_operator_in(data["environment"])
        rule, self._warnings = services.update_rule(actor=self._actor, rule=instance, **data)
        return rule

    def delete_object(self, instance: Rule) -> None:
        services.delete_rule(actor=self._actor, rule=instance)

    def present(self, instance: Any) -> Any:
        """The answer to a write, with what the person who saved it should know."""
        return {**super().present(instance), "warnings": self._warnings}

    @extend_schema(methods=["get"], parameters=[DaysSerializer], responses={200: BacktestSerializer})
    @extend_schema(methods=["post"], request=DaysSerializer, responses={200: BacktestSerializer})
    # `days` is a question and no filter of the list.
    @action(detail=True, methods=["get", "post"], url_path="backtest", filter_backends=[])
    def backtest(self, request: Request, pk: str) -> Response:
        """What this rule would have sent in the last `days`, over the targets the caller may see."""
        rule = self.get_object()
        days = days_of(request.data if request.method == "POST" else request.query_params.dict())
        return self._looked_back(rule, days)

    @extend_schema(
        operation_id="rules_backtest_unsaved",
        request=BacktestQuestionSerializer,
        responses={200: BacktestSerializer},
    )
    @action(detail=False, methods=["post"], url_path="backtest", url_name="backtest-unsaved")
    def backtest_unsaved(self, request: Request) -> Response:
        """The same of a rule that is not saved: the body of one, and `days`. Nothing is stored."""
        question = BacktestQuestionSerializer(data=request.data, context=self.get_serializer_context())
        question.is_valid(raise_exception=True)
        data = dict(question.validated_data)
        self._demand_operator_in(data["environment"])
        days = data.pop("days")
        rule = services.unsaved_rule(**{"name": _("A rule that is not saved"), **data})
        return self._looked_back(rule, days)

    def _looked_back(self, rule: Rule, days: int) -> Response:
        return Response(BacktestSerializer(backtest(rule, days, user=self._actor)).data)

    def _demand_operator_in(self, environment: Any) -> None:
        demand_role(self.request.user, Role.OPERATOR, environment.pk if environment else None)

    @property
    def _actor(self) -> Any:
        return self.request.user


class RuleKindsView(APIView):
    """What a rule can be about: unit and bounds of its number, and the JSON Schema of its `config`."""

    @extend_schema(responses={200: dict})
    def get(self, request: Request) -> Response:
        return Response([_described(name, kind) for name, kind in RULE_KINDS.items()])


def _described(name: str, kind: RuleKind[Any]) -> dict[str, Any]:
    return {
        "kind": name,
        "label": str(kind.label),
        "help": str(kind.help_text),
        "unit": kind.unit,
        "cause": kind.cause,
        "has_levels": kind.has_levels,
        "per_target": kind.per_target,
        "lowest": kind.lowest if kind.has_levels else None,
        "highest": kind.highest if kind.has_levels else None,
        "usual_operator": kind.usual_operator if kind.has_levels else None,
        "keeps_history": kind.keeps_history,
        "schema": kindconfig.json_schema(kind.Config),
    }


def register(router: BaseRouter) -> None:
    router.register("rules", RuleViewSet, basename="rule")


urlpatterns = [path("rule-kinds/", RuleKindsView.as_view(), name="rule-kinds")]
