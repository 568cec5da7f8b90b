"""The bodies and answers of budgets."""

from __future__ import annotations

from typing import Any

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


class SavedBudgetSerializer(BudgetSerializer):
    """The answer to a write: with what the person who saved it should know."""

    warnings = serializers.ListField(child=serializers.CharField(), read_only=True)
