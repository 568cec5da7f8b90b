"""What the OpenAPI document says of answers about models; `serializers.represent_*` make them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.catalog.status import Status
from apps.checks.ai.history import PERCENTILES, SPEED_PERCENTILES
from apps.core.api.serializers import PortalSerializer
from apps.probes.ai.classes import ErrorClass, Fault


def _number(**options: Any) -> serializers.FloatField:
    return serializers.FloatField(allow_null=True, **options)


def _line() -> serializers.ListField:
    return serializers.ListField(
        child=serializers.FloatField(allow_null=True), help_text=_("One value for each of `times`, null for a gap.")
    )


def _times() -> serializers.ListField:
    return serializers.ListField(child=serializers.DateTimeField(), help_text=_("The beginnings of the parts (UTC)."))


def error_class() -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=[error.value for error in ErrorClass], allow_null=True)


def fault() -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=[one.value for one in Fault], allow_null=True)


class TimeLinesSerializer(PortalSerializer):
    """A line of ms for each percentile."""

    def get_fields(self) -> dict[str, Any]:
        return {percentile: _line() for percentile in PERCENTILES}


class SpeedLinesSerializer(PortalSerializer):
    """A line of tokens a second for each percentile."""

    def get_fields(self) -> dict[str, Any]:
        return {percentile: _line() for percentile in SPEED_PERCENTILES}


class ComparedTimesSerializer(PortalSerializer):
    """Percentiles of the whole time in ms, and the line of the medians."""

    def get_fields(self) -> dict[str, Any]:
        return {**{percentile: _number() for percentile in PERCENTILES}, "line": _line()}


class ComparedSpeedsSerializer(PortalSerializer):
    """The median of the whole time in tokens a second, and its line."""

    p50 = _number()
    line = _line()


class HeadRoomSerializer(PortalSerializer):
    """What the provider's headers left; a number it did not send is not there."""

    limit = serializers.FloatField(required=False)
    remaining = serializers.FloatField(required=False)
    reset_seconds = serializers.FloatField(required=False)


class RateLimitSerializer(PortalSerializer):
    """By what is counted: requests, tokens and whatever else the provider names."""

    requests = HeadRoomSerializer(required=False)
    tokens = HeadRoomSerializer(required=False)


class LookUptimeSerializer(PortalSerializer):
    """1 − failed ÷ (looks − rate-limited); null without such looks."""

    ratio = _number()
    looks = serializers.IntegerField()
    failed = serializers.IntegerField()
    rate_limited = serializers.IntegerField()


class DaySpendSerializer(PortalSerializer):
    day = serializers.DateField()
    cost = serializers.DecimalField(max_digits=16, decimal_places=8)


class ModelHistorySerializer(PortalSerializer):
    """One model over time, in parts of `width_seconds`. Times in ms, speeds in tokens a second, money in US dollars."""

    times = _times()
    width_seconds = serializers.IntegerField()
    first_token_ms = TimeLinesSerializer()
    first_answer_ms = TimeLinesSerializer()
    output_tokens_per_second = SpeedLinesSerializer()
    duration_ms = TimeLinesSerializer()
    duration_kind = serializers.CharField(help_text=_("Whose looks `duration_ms` is of; empty without any."))
    looks = serializers.ListField(child=serializers.IntegerField())
    errors = serializers.DictField(child=serializers.ListField(child=serializers.IntegerField()))  # type: ignore[assignment]
    uptime = LookUptimeSerializer()
    spend = DaySpendSerializer(many=True)


class ComparedModelSerializer(PortalSerializer):
    """One of the models; `line` is the median in each part, the percentiles are of the whole time."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    provider = serializers.UUIDField()
    provider_name = serializers.CharField()
    status = serializers.ChoiceField(choices=[status.value for status in Status])
    error_class = error_class()
    fault = fault()
    first_token_ms = ComparedTimesSerializer()
    duration_ms = ComparedTimesSerializer()
    duration_kind = serializers.CharField(help_text=_("Whose looks `duration_ms` is of; empty without any."))
    output_tokens_per_second = ComparedSpeedsSerializer()
    uptime = LookUptimeSerializer()
    errors = serializers.DictField(child=serializers.IntegerField())  # type: ignore[assignment]
    spend = serializers.DecimalField(max_digits=16, decimal_places=8)


class ComparisonSerializer(PortalSerializer):
    """Models beside each other, in the order they were named."""

    times = _times()
    width_seconds = serializers.IntegerField()
    models = ComparedModelSerializer(many=True)
