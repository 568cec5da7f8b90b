"""Reading rules, with a fixed number of queries."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from apps.accounts.models import User
from apps.alerts.models import Rule, RuleState
from apps.catalog.models import Target


def list_rules(user: User | AnonymousUser) -> QuerySet[Rule]:
    """Rules `user` may read, by name, each with its environment and `firing_count`: for how many of the targets
    `user` may see (and for the portal itself) it fires now."""
    own = RuleState.objects.filter(rule=OuterRef("pk"), firing=True).order_by()
    seen = own.filter(target__in=Target.objects.visible_to(user).values("pk")) | own.filter(target__isnull=True)
    counted = seen.values("rule").annotate(number=Count("pk")).values("number")
    return (
        Rule.objects.present()
        .visible_to(user)
        .select_related("environment")
        .annotate(firing_count=Coalesce(Subquery(counted, output_field=IntegerField()), Value(0)))
        .order_by("name", "pk")
    )
