"""Builders for stories about money: a kind whose looks have a round price, a model, its price, claims and outcomes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from apps.catalog.models import AIModel, Price, Provider
from apps.checks import schedule
from apps.checks.models import BudgetMonth, Check, Reservation, SpendDay
from apps.checks.schedule import Claim
from apps.core import clock
from apps.probes.ai.usage import Usage
from apps.probes.base import PROBE_KINDS, Finished, HttpProbeKind, Outcome, OutcomeState, ProbeJob, Reason
from tests.checks.looking import add_check, local
from tests.factories import make_model, make_provider

KIND = "paid_for_tests"
# At a price of one dollar a million tokens out, one look is one cent at most.
MOST_TOKENS = 10_000
MOST = Decimal("0.01")


class PaidConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    tokens: int = MOST_TOKENS


class PaidKind(HttpProbeKind[PaidConfig]):
    """What it looks at does not matter here: only what a look costs."""

    name = KIND
    label = "Paid"
    summary = "A look that costs money."
    Config = PaidConfig
    target_kinds = frozenset({"model", "provider"})
    rung = 2

    def most_usage(self, config: PaidConfig) -> Usage:
        return Usage(tokens_out=config.tokens)


@contextmanager
def paid_kind() -> Iterator[None]:
    """The kind is known inside a `with` block."""
    PROBE_KINDS.names()
    PROBE_KINDS.add(KIND, PaidKind())
    try:
        yield
    finally:
        del PROBE_KINDS._entries[KIND]


def priced_model(provider: Provider | None = None, dollars: str | None = "1", **fields: Any) -> AIModel:
    """A model whose output costs so many dollars a million tokens; None: nobody knows."""
    model = make_model(provider or make_provider(**fields))
    if dollars is not None:
        Price.objects.create(
            provider=model.provider,
            model=model.target.name,
            input_per_million=0,
            output_per_million=Decimal(dollars),
            valid_from=date(2025, 1, 1),
        )
    return model


def paid_check(model: AIModel, number: int = 0, **fields: Any) -> Check:
    values = {"kind": KIND, "name": f"Paid {number}", "config": {}, "interval_seconds": 60, **fields}
    return add_check(model.target, **values)


def claims() -> list[Claim]:
    """Everything that is due, claimed."""
    return schedule.claim_due(local().pk, 6_000)


def heard(claim: Claim, state: OutcomeState = OutcomeState.OK, tokens: float | None = 5_000, **fields: Any) -> Finished:
    """What came back for a claim: `tokens` out of the model, None when it named none."""
    measurements = {} if tokens is None else {"tokens_in": 100.0, "tokens_out": float(tokens)}
    measurements |= fields.pop("measurements", {})
    reason = {OutcomeState.OK: Reason.OK, OutcomeState.INDETERMINATE: Reason.WORKER_LATE}.get(
        state, Reason.SERVER_ERROR
    )
    job = ProbeJob(
        check=str(claim.check_id),
        region="local",
        generation=claim.generation,
        kind=claim.kind,
        config={},
        timeout_seconds=claim.timeout_seconds,
    )
    values: dict[str, Any] = {"started_at": clock.now().timestamp(), "measurements": measurements, **fields}
    return Finished(job=job, outcome=Outcome(state=state, reason=reason, **values))


def account(provider: Provider | None) -> tuple[Any, Any]:
    """(spent, reserved) of the present month."""
    month = clock.now().date().replace(day=1)
    row = BudgetMonth.objects.filter(provider=provider, month=month).first()
    return (row.spent, row.reserved) if row else (Decimal(0), Decimal(0))


def set_aside() -> int:
    return Reservation.objects.count()


def day_of(model: AIModel) -> SpendDay:
    """The one day on which the model cost something."""
    return SpendDay.objects.get(target_id=model.pk)
