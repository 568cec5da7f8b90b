"""The bodies and answers of budgets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.checks.spending.selectors import BudgetState
from apps.core.api.serializers import PortalSerializer

# The one of all providers together has a name instead of a provider's id.
TOTAL = "total"

BUDGET_STATES = ("none", "ok", "warned", "spent")


def _dollars(places: int, **options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(
        max_digits=16, decimal_places=places, help_text=_("US dollars."), read_only=True, **options
    )


class BudgetSerializer(PortalSerializer):
    """One budget in the present calendar month (UTC), in US dollars.

    `provider` null is that of all together. `share` of the cap is spent (0.8 is 80 %). `state`: `none` without a cap,
    `warned` from 80 % on, `spent` when no paid look goes out any more. `unpriced_models` count as 0: no price is known.
    """

    id = serializers.SerializerMethodField()
    provider = serializers.UUIDField(source="provider.pk", read_only=True, allow_null=True, default=None)
    provider_name = serializers.CharField(source="provider.target.name", read_only=True, allow_null=True, default=None)
    monthly_cap = serializers.DecimalField(
        max_digits=12, decimal_places=4, allow_null=True, required=False, help_text=_("US dollars; null for no cap.")
    )
    spent = _dollars(8)
    reserved = _dollars(8)
    remaining = _dollars(8, allow_null=True)
    share = serializers.FloatField(read_only=True, allow_null=True)
    state = serializers.ChoiceField(choices=BUDGET_STATES, read_only=True)
    month = serializers.DateField(read_only=True)
    unpriced_models = serializers.ListField(child=serializers.CharField(), read_only=True)

    def get_id(self, budget: BudgetState) -> str:
        return TOTAL if budget.provider is None else str(budget.provider.pk)


class BudgetListSerializer(PortalSerializer):
    """All budgets: the list is always whole."""

    next = serializers.URLField(read_only=True, allow_null=True)
    previous = serializers.URLField(read_only=True, allow_null=True)
    results = BudgetSerializer(many=True, read_only=True)


class SavedBudgetSerializer(BudgetSerializer):
    """The answer to a write: with what the person who saved it should know."""

    warnings = serializers.ListField(child=serializers.CharField(), read_only=True)


class SumsSerializer(PortalSerializer):
    """What looks cost and used: US dollars; `estimated_looks` of the `looks` named no usage that could be believed."""

    cost = serializers.DecimalField(
        source="sum_cost", max_digits=24, decimal_places=8, help_text=_("US dollars."), read_only=True
    )
    looks = serializers.IntegerField(source="sum_looks", read_only=True)
    estimated_looks = serializers.IntegerField(source="sum_estimated_looks", read_only=True)
    tokens_in = serializers.IntegerField(source="sum_tokens_in", read_only=True)
    tokens_out = serializers.IntegerField(source="sum_tokens_out", read_only=True)
    tokens_cached = serializers.IntegerField(source="sum_tokens_cached", read_only=True)
    tokens_reasoning = serializers.IntegerField(source="sum_tokens_reasoning", read_only=True)


class SpendSerializer(SumsSerializer):
    """One row of sums; `names` in the context are those of providers and models. What was not asked for is null."""

    period = serializers.DateField(read_only=True, allow_null=True, default=None)
    provider = serializers.UUIDField(source="provider_id", read_only=True, allow_null=True, default=None)
    provider_name = serializers.SerializerMethodField()
    model = serializers.SerializerMethodField()
    model_name = serializers.SerializerMethodField()

    def get_provider_name(self, row: dict[str, Any]) -> str | None:
        return self._name(row.get("provider_id"))

    def get_model(self, row: dict[str, Any]) -> UUID | None:
        # What was asked of a provider itself is of no model.
        model: UUID | None = row.get("target_id")
        return None if model == row.get("provider_id") else model

    def get_model_name(self, row: dict[str, Any]) -> str | None:
        return self._name(self.get_model(row))

    def _name(self, target_id: UUID | None) -> str | None:
        names: dict[UUID, str] = self.context["names"]
        return names.get(target_id) if target_id is not None else None


class SpendingSerializer(PortalSerializer):
    """A page of rows between two days, and the sums of all pages."""

    next = serializers.URLField(read_only=True, allow_null=True)
    previous = serializers.URLField(read_only=True, allow_null=True)
    to = serializers.DateField(read_only=True)
    total = SumsSerializer(read_only=True)
    results = SpendSerializer(many=True, read_only=True)

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of the language, and cannot be a name in it."""
        return {"from": serializers.DateField(read_only=True), **super().get_fields()}
