"""The page of one AI model: how it stands and whose fault that is, how fast and how dear it is, how it is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from apps.accounts.doors import PageRequest
from apps.catalog.models import Price, Target
from apps.catalog.prices.links import add_price_url
from apps.checks import history
from apps.checks.ai.history import ModelHistory, canary_runs, last_failure, model_history
from apps.checks.ai.selectors import ModelFacts, model_facts
from apps.checks.charts import OF_HOURS, Period, range_of, read_period
from apps.checks.models import Check
from apps.checks.reasons import sentence
from apps.checks.spending.selectors import SpendOfDay, list_budgets, spend_of_days
from apps.core import clock
from apps.core.cache import cached
from apps.core.panels import Panel
from apps.dashboard import targets
from apps.dashboard.ai.blame import blame_of
from apps.dashboard.ai.canaries import canaries_of
from apps.dashboard.ai.headroom import rooms_of
from apps.dashboard.ai.ladder import Ladder, ladder_of

CANARY_RUNS = 20
# A history bar of each preset: segments of whole quarters of an hour, hours or days.
_SEGMENTS = {"24h": 96, "7d": 84, "30d": 90, "90d": 90}
# A day of money is one bar: fewer of them say nothing.
_FEWEST_DAYS = timedelta(days=30)
# A long period does not look otherwise after a quarter of a minute.
_RELOAD_SECONDS = {"24h": 15, "7d": 60, "30d": 120, "90d": 300}


def facts_of(target: Target) -> ModelFacts:
    """What is known of the model now; read once for the target in hand."""
    known: ModelFacts | None = getattr(target, "_portal_facts", None)
    if known is None:
        known = model_facts([target.pk]).get(target.pk) or ModelFacts()
        target._portal_facts = known  # type: ignore[attr-defined]
    return known


def _ladder_of(target: Target) -> Ladder:
    known: Ladder | None = getattr(target, "_portal_ladder", None)
    if known is None:
        target.model.target = target
        known = ladder_of(target.model)
        target._portal_ladder = known  # type: ignore[attr-defined]
    return known


def past_of(target: Target, period: Period) -> tuple[Period, ModelHistory]:
    """The model's past and the period it is of; that of a preset is at most a quarter of a minute old."""
    if period.preset:
        return _past(target.pk, period.preset)
    return period, model_history(target.pk, period.start, period.end)


@cached("model_history", ttl=15, depends=("targets",))
def _past(target_id: UUID, preset: str) -> tuple[Period, ModelHistory]:
    period = read_period({"range": preset}, OF_HOURS)
    return period, model_history(target_id, period.start, period.end)


# --- How it stands --------------------------------------------------------------------------------------------


def load_status(request: PageRequest, target: Target) -> dict[str, Any]:
    facts = facts_of(target)
    return {**targets.load_status(request, target, facts), "blame": blame_of(facts)}


def load_figures(request: PageRequest, target: Target) -> dict[str, Any]:
    """Uptime by looks with its formula, the bar of the past, and what the last look measured."""
    preset = range_of(request.GET, OF_HOURS)
    past = past_of(target, read_period({"range": preset}, OF_HOURS))[1]
    window = OF_HOURS.lengths[preset]
    return {
        "target": target,
        "period": dict(OF_HOURS.labels)[preset],
        "segments": history.get_history_bars([target.pk], window, _SEGMENTS[preset])[target.pk],
        "uptime": past.uptime,
        "counted": past.uptime.looks - past.uptime.rate_limited,
        "facts": facts_of(target),
    }


def load_headroom(request: PageRequest, target: Target) -> dict[str, Any]:
    facts = facts_of(target)
    return {"rooms": rooms_of(facts), "said_at": facts.rate_limit_at}


# --- Money ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MonthOfModel:
    """What looking at one model cost in the present month (UTC): all of it, a day on average since the first that cost
    anything, and by what."""

    cost: Decimal
    today: Decimal
    a_day: Decimal
    looks: int
    estimated: int
    tokens_in: int
    tokens_out: int


def load_spend(request: PageRequest, target: Target) -> dict[str, Any]:
    today = clock.now().date()
    days = spend_of_days(target_ids=[target.pk], start=today.replace(day=1), end=today)
    provider = target.model.provider_id
    budgets = list_budgets(request.user, [provider])
    return {
        "month": _month_of(days, today),
        "budgets": budgets,
        "has_cap": any(one.monthly_cap is not None for one in budgets),
        "unpriced": any(target.name in one.unpriced_models for one in budgets if one.provider is not None),
        "add_price_url": _add_price_url(target),
        "provider": target.model.provider,
        "may_operate": targets.may_operate(request, target),
    }


def _month_of(days: list[SpendOfDay], today: date) -> MonthOfModel:
    cost = sum((day.cost for day in days), Decimal(0))
    # A model of this week is not cheaper for the weeks before it.
    first = min((day.day for day in days if day.cost), default=today)
    return MonthOfModel(
        cost=cost,
        today=sum((day.cost for day in days if day.day == today), Decimal(0)),
        a_day=cost / ((today - first).days + 1),
        looks=sum(day.looks for day in days),
        estimated=sum(day.estimated for day in days),
        tokens_in=sum(day.tokens_in for day in days),
        tokens_out=sum(day.tokens_out for day in days),
    )


def spent_by_day(target: Target, period: Period) -> tuple[list[tuple[date, Decimal]], Period]:
    """US dollars by day, of the period and of a month at least."""
    longer = Period(min(period.start, period.end - _FEWEST_DAYS), period.end)
    days = spend_of_days(target_ids=[target.pk], start=longer.start.date(), end=longer.end.date())
    return [(day.day, day.cost) for day in days], longer


# --- How it is looked at --------------------------------------------------------------------------------------


def load_ladder(request: PageRequest, target: Target) -> dict[str, Any]:
    return {
        "ladder": _ladder_of(target),
        "target": target,
        "prices_url": _prices_url(target),
        "add_price_url": _add_price_url(target),
        "may_operate": targets.may_operate(request, target),
    }


def _prices_url(target: Target) -> str:
    """The list narrowed to its price; to those of its provider where a price of several models (`gpt-4o-*`) holds."""
    named = {"provider": str(target.model.provider_id)}
    if Price.objects.filter(model__iexact=target.name).exists():
        named["model"] = target.name
    return f"{reverse('dashboard:settings-prices')}?{urlencode(named)}"


def _add_price_url(target: Target) -> str:
    return add_price_url(target.model.provider_id, target.name)


def load_canaries(request: PageRequest, target: Target) -> dict[str, Any]:
    return {
        "canaries": canaries_of(canary_runs(target.pk, CANARY_RUNS)),
        "step": _ladder_of(target).canary,
        "may_operate": targets.may_operate(request, target),
    }


# --- The last failure -----------------------------------------------------------------------------------------


def load_failure(request: PageRequest, target: Target) -> dict[str, Any]:
    """The newest look that was not ok; golden prompts have a place of their own on the page."""
    found = last_failure(target.pk)
    if found is None:
        return {"failure": None}
    evidence = {name: value for name, value in found.evidence.items() if name != "prompts"}
    return {
        "failure": found,
        "why": sentence(found.reason, found.evidence),
        "evidence": evidence,
        # What is wrong now stands with its class at the head of the page.
        "says_fault": found.error_class is not None and found.error_class != facts_of(target).error_class,
    }


STATUS = Panel("status", "dashboard/target/_status.html", load_status, "target,incident,check")
PANELS = (
    STATUS,
    Panel("uptime", "dashboard/model/_figures.html", load_figures, "target.status,check.result", every=60),
    Panel("spend", "dashboard/model/_spend.html", load_spend, "target.changed", every=60),
    Panel("headroom", "dashboard/model/_headroom.html", load_headroom, "", every=60),
    Panel("ladder", "dashboard/model/_ladder.html", load_ladder, "check.changed,target.changed", hold=True),
    Panel("canaries", "dashboard/model/_canaries.html", load_canaries, "", every=300),
    Panel("failure", "dashboard/model/_failure.html", load_failure, "target,check.changed", every=60),
    *(panel for panel in targets.PANELS if panel.name in ("checks", "incidents", "changes", "related")),
)


def around(request: PageRequest, target: Target, checks: list[Check]) -> dict[str, Any]:
    """What the page says around its panels."""
    ladder = _ladder_of(target)
    return {
        "streaming": ladder.streaming,
        "reload_seconds": _RELOAD_SECONDS[range_of(request.GET, OF_HOURS)],
        "has_checks": bool(checks),
        "has_paid": any(step.rungs and step.kind.is_paid for step in ladder.steps),
    }
