"""What the labels of alerts are known to hold: offered while somebody types a condition."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Func

from apps.accounts.models import User
from apps.alerts.matching import Label
from apps.alerts.models import Rule, Severity
from apps.alerts.rule_kinds.base import RULE_KINDS
from apps.catalog.models import Environment, Target, TargetKind
from apps.probes.ai.classes import ErrorClass, Fault

# A browser shows a handful; more would only make the page heavy.
OFFERED = 200


def suggestions_for(user: User) -> Mapping[str, list[str]]:
    """Known values by label, of what `user` may see. Four queries."""
    targets = Target.objects.visible_to(user).present()
    names = list(targets.order_by("name").values_list("kind", "name").distinct()[:OFFERED])
    tags = targets.annotate(one=Func("tags", function="unnest")).values_list("one", flat=True).distinct()
    return {
        Label.ENVIRONMENT: list(Environment.objects.visible_to(user).values_list("slug", flat=True)),
        Label.SEVERITY: list(Severity.values),
        Label.KIND: list(TargetKind.values),
        Label.TARGET: list(dict.fromkeys(name for _kind, name in names)),
        Label.PROVIDER: [name for kind, name in names if kind == TargetKind.PROVIDER],
        Label.TAG: list(tags.order_by("one")[:OFFERED]),
        Label.CAUSE: sorted({kind.cause for kind in RULE_KINDS} | {"status", "channel"}),
        Label.ERROR_CLASS: [found.value for found in ErrorClass],
        Label.FAULT: [fault.value for fault in Fault],
        Label.RULE: list(Rule.objects.visible_to(user).present().values_list("name", flat=True)[:OFFERED]),
    }
