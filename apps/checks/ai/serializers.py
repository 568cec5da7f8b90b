"""What answers about models hold: the catalog's facts with what was measured, a history, a comparison."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.catalog.models import Target
from apps.catalog.serializers import ModelSerializer
from apps.checks.ai import schema
from apps.checks.ai.compare import ComparedModel
from apps.checks.ai.history import ModelHistory
from apps.checks.ai.selectors import ModelFacts, model_facts
from apps.checks.ai.uptime import Uptime

_DOLLARS = serializers.DecimalField(max_digits=16, decimal_places=8)


class MeasuredModelSerializer(ModelSerializer):
    """A model with what is known of it now. Times in ms, money in US dollars since the first of the month (UTC)."""

    ttft_ms = serializers.SerializerMethodField()
    answer_ttft_ms = serializers.SerializerMethodField()
    output_tokens_per_second = serializers.SerializerMethodField()
    error_class = serializers.SerializerMethodField()
    fault = serializers.SerializerMethodField()
    rate_limit = serializers.SerializerMethodField()
    spend_month = serializers.SerializerMethodField()
    uptime_24h = serializers.SerializerMethodField()

    def get_ttft_ms(self, target: Target) -> float | None:
        return self._facts(target).ttft_ms

    def get_answer_ttft_ms(self, target: Target) -> float | None:
        return self._facts(target).answer_ttft_ms

    def get_output_tokens_per_second(self, target: Target) -> float | None:
        return self._facts(target).output_tokens_per_second

    @extend_schema_field(schema.error_class())
    def get_error_class(self, target: Target) -> str | None:
        return self._facts(target).error_class

    @extend_schema_field(schema.fault())
    def get_fault(self, target: Target) -> str | None:
        return self._facts(target).fault

    @extend_schema_field(schema.RateLimitSerializer(allow_null=True))
    def get_rate_limit(self, target: Target) -> dict[str, Any] | None:
        return self._facts(target).rate_limit

    @extend_schema_field(_DOLLARS)
    def get_spend_month(self, target: Target) -> Any:
        return _DOLLARS.to_representation(self._facts(target).spend_month)

    def get_uptime_24h(self, target: Target) -> float | None:
        return self._facts(target).uptime_24h

    def _facts(self, target: Target) -> ModelFacts:
        """Read for all rows of the answer at once, by the first field that is asked for."""
        known: dict[UUID, ModelFacts] = self.__dict__.setdefault("_known", {})
        if target.pk not in known:
            rows = self.parent.instance if isinstance(self.parent, serializers.ListSerializer) else None
            known.update(model_facts([row.pk for row in rows or [target]]))
        return known[target.pk]


def represent_history(history: ModelHistory) -> dict[str, Any]:
    """Plain values: lines are lists as long as `times`, null for a gap."""
    return {
        "times": history.times,
        "width_seconds": history.width_seconds,
        "first_token_ms": history.first_token,
        "first_answer_ms": history.first_answer,
        "output_tokens_per_second": history.speed,
        "duration_ms": history.duration,
        "duration_kind": history.duration_kind,
        "looks": history.looks,
        "errors": {error.value: counts for error, counts in history.errors.items()},
        "uptime": _uptime(history.uptime),
        "spend": [{"day": day, "cost": _DOLLARS.to_representation(cost)} for day, cost in history.spend],
    }


def represent_comparison(compared: list[ComparedModel]) -> dict[str, Any]:
    """The clock once, then each model in the order that was asked for."""
    return {
        "times": compared[0].times,
        "width_seconds": compared[0].width_seconds,
        "models": [_compared(one) for one in compared],
    }


def _compared(one: ComparedModel) -> dict[str, Any]:
    facts = one.facts
    return {
        "id": str(one.target.pk),
        "name": one.target.name,
        "provider": str(one.target.namespace_id),
        "provider_name": one.target.model.provider.target.name,
        "status": one.target.status_row.status,
        "error_class": facts.error_class,
        "fault": facts.fault,
        "first_token_ms": {**one.first_token, "line": one.first_token_line},
        "duration_ms": {**one.duration, "line": one.duration_line},
        "duration_kind": one.duration_kind,
        "output_tokens_per_second": {"p50": one.speed_p50, "line": one.speed_line},
        "uptime": _uptime(one.uptime),
        "errors": {error.value: count for error, count in one.errors.items()},
        "spend": _DOLLARS.to_representation(one.spend),
    }


def _uptime(uptime: Uptime) -> dict[str, Any]:
    return {
        "ratio": uptime.share,
        "looks": uptime.looks,
        "failed": uptime.failed,
        "rate_limited": uptime.rate_limited,
    }
