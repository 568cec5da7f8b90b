"""The cost ladder of one model: every way of looking at it, free and paid, which are on, how often and for how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count
from django.urls import reverse

from apps.catalog.models import AIModel, Provider, Region, Target
from apps.catalog.prices.lookup import rates_of
from apps.checks.ai.model_sorts import sort_of
from apps.checks.models import Check
from apps.checks.spending.ladder import monthly_cost, rounded
from apps.core import clock
from apps.core.kindconfig import ConfigError
from apps.probes.ai.usage import Rate
from apps.probes.base import PROBE_KINDS, ProbeKind


@dataclass(frozen=True)
class Rung:
    """One check on a rung; `most` is the most it costs in thirty days (US dollars, None: no price is known)."""

    check: Check
    regions: int
    most: Decimal | None


@dataclass(frozen=True)
class Step:
    """One kind on the ladder with its checks. Without any, `would_cost` is what one would cost as the kind comes."""

    number: int
    kind: ProbeKind[Any]
    add_url: str
    rungs: list[Rung] = field(default_factory=list)
    would_cost: Decimal | None = None

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def is_on(self) -> bool:
        return any(rung.check.enabled for rung in self.rungs)


@dataclass(frozen=True)
class Ladder:
    """All steps, the cheapest first; `most` is what those that are on cost a month together (None: not known)."""

    steps: list[Step]
    rate: Rate | None

    @property
    def most(self) -> Decimal | None:
        costs = [rung.most for step in self.steps for rung in step.rungs if rung.check.enabled]
        known = [cost for cost in costs if cost is not None]
        return None if len(known) < len(costs) else sum(known, Decimal(0))

    def step(self, kind: str) -> Step | None:
        return next((step for step in self.steps if step.name == kind), None)

    @property
    def streaming(self) -> Step | None:
        return self.step("ai_stream")

    @property
    def canary(self) -> Step | None:
        return self.step("ai_canary")


def ladder_of(model: AIModel) -> Ladder:
    """The ladder of `model`, whose target and provider are at hand. Three queries."""
    provider, target = model.provider, model.target
    found = rates_of([(provider, target.name)], clock.now().date())
    rate = found.get((provider.pk, target.name))
    everywhere = Region.objects.filter(enabled=True).count()
    kinds = [kind for kind in _kinds() if kind.target_kinds & {"model", "provider"}]
    own = {kind.name for kind in kinds if "model" in kind.target_kinds}
    checks = _checks([target.pk, provider.pk], [kind.name for kind in kinds])
    steps = []
    for kind in kinds:
        owner = target.pk if kind.name in own else provider.pk
        rungs = [
            _rung(check, rate, everywhere) for check in checks if check.kind == kind.name and check.target_id == owner
        ]
        if not rungs and kind.is_paid and kind.model_sort != sort_of(target.name):
            continue
        steps.append(
            Step(
                number=kind.rung or 0,
                kind=kind,
                add_url=_add_url(kind, target, provider),
                rungs=rungs,
                would_cost=None if rungs else _cost(kind, {}, kind.default_interval_seconds, everywhere, rate),
            )
        )
    return Ladder(steps, rate)


def _add_url(kind: ProbeKind[Any], target: Target, provider: Provider) -> str:
    """Where it is switched on: a vendor's page follows the address in the provider's form, the others are checks."""
    if "model" not in kind.target_kinds:
        return reverse("catalog:target-edit", args=[provider.pk])
    return f"{reverse('checks:new')}?{urlencode({'target': target.pk, 'kind': kind.name})}"


def _kinds() -> list[ProbeKind[Any]]:
    on_ladder = [kind for _name, kind in PROBE_KINDS.items() if kind.rung is not None]
    return sorted(on_ladder, key=lambda kind: (kind.rung or 0, kind.name))


def _checks(targets: Sequence[UUID], kinds: Sequence[str]) -> list[Check]:
    rows = Check.objects.filter(target__in=targets, kind__in=kinds, deleted_at__isnull=True)
    return list(rows.annotate(chosen_regions=Count("only_regions")).order_by("kind", "name", "pk"))


def _rung(check: Any, rate: Rate | None, everywhere: int) -> Rung:
    regions = check.chosen_regions or everywhere
    kind = PROBE_KINDS.get(check.kind)
    return Rung(check, regions, _cost(kind, check.config, check.interval_seconds, regions, rate))


def _cost(
    kind: ProbeKind[Any], config: Mapping[str, Any], interval_seconds: int, regions: int, rate: Rate | None
) -> Decimal | None:
    """For people: to the cent, and up. None where no price is known, or where it depends on what is still to be set."""
    try:
        cost = monthly_cost(
            kind=kind.name, config=config, interval_seconds=interval_seconds, regions=regions, rate=rate
        )
    except ConfigError:
        return None
    return None if cost.most is None else rounded(cost.most)
