"""The bodies and answers of rules and back-tests. What a rule must be is decided in `validation`."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.alerts.models import Rule
from apps.alerts.ruling.backtest import MOST_DAYS
from apps.alerts.ruling.words import problem_sentence
from apps.catalog.serializers import EnvironmentField, ProviderBriefSerializer
from apps.core.api.serializers import NumberField, PortalSerializer


class RuleSerializer(PortalSerializer):
    """`config` is what `rule-kinds/` describes; levels are in the unit of the kind. `firing` counts targets."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=200)
    kind = serializers.CharField(max_length=32)
    config = serializers.JSONField(default=dict)
    environment = EnvironmentField(required=False, allow_null=True, default=None)
    # Its own sentences name the matcher and the field, so nothing is refused before.
    matchers = serializers.JSONField(required=False)
    operator = serializers.CharField(max_length=1, required=False)
    warning_level = NumberField(allow_null=True, required=False)
    critical_level = NumberField(allow_null=True, required=False)
    recovery_margin = NumberField(required=False)
    severity = serializers.CharField(max_length=16, allow_blank=True, required=False)
    for_seconds = serializers.IntegerField(allow_null=True, required=False)
    no_data = serializers.CharField(max_length=16, required=False)
    enabled = serializers.BooleanField(default=True)
    firing = serializers.IntegerField(read_only=True, source="firing_count")
    evaluated_at = serializers.DateTimeField(read_only=True, allow_null=True)
    problem = serializers.CharField(read_only=True)
    problem_sentence = serializers.SerializerMethodField()
    seed = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def get_problem_sentence(self, rule: Rule) -> str:
        return problem_sentence(rule.problem)


class SavedRuleSerializer(RuleSerializer):
    """The answer to a write: with what the person who saved it should know."""

    warnings = serializers.ListField(child=serializers.CharField(), read_only=True)


class DaysSerializer(PortalSerializer):
    """How far back."""

    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, default=7)


class BacktestQuestionSerializer(RuleSerializer):
    """A rule that is not saved, and how far back."""

    name = serializers.CharField(max_length=200, required=False)
    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, default=7)


class SentTargetSerializer(PortalSerializer):
    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)
    provider = ProviderBriefSerializer(read_only=True, allow_null=True)


class SentSerializer(PortalSerializer):
    """One message it would have sent. `lasted_seconds` null: it would still fire."""

    at = serializers.DateTimeField(read_only=True)
    target = SentTargetSerializer(read_only=True, allow_null=True)
    severity = serializers.CharField(read_only=True)
    value = serializers.FloatField(read_only=True, allow_null=True)
    lasted_seconds = serializers.FloatField(read_only=True, allow_null=True)


class BacktestSerializer(PortalSerializer):
    """`count` messages, of which `messages` are the newest. `problem`: why there is no answer, else empty."""

    count = serializers.IntegerField(read_only=True)
    messages = SentSerializer(many=True, read_only=True)
    omitted = serializers.IntegerField(read_only=True)
    evaluated_from = serializers.DateTimeField(read_only=True, allow_null=True)
    problem = serializers.CharField(read_only=True)


def days_of(data: Any) -> int:
    """The number of days asked for. Raises ValidationError."""
    question = DaysSerializer(data=data)
    question.is_valid(raise_exception=True)
    days: int = question.validated_data["days"]
    return days
