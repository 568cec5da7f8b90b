"""`/metrics` of AI models: the last times, and counters that never go back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.test import Client

from apps.catalog.services import create_provider
from apps.checks import retention
from apps.checks.models import SpendDay
from apps.core import clock
from apps.probes.base import Reason
from tests.checks.ai.looking_at_models import DEGRADED, FAILED, look, make_ai_check
from tests.dashboard.test_metrics import scrape, value
from tests.factories import make_environment, make_model, make_provider

LABELS = {"environment": "prod", "provider": "Acme", "model": "acme-1"}


def test_the_metrics_of_models(transactional_db: None, client: Client) -> None:
    model = make_model(make_provider("Acme"), "acme-1")
    make_model(create_provider(actor=None, name="Acme", environment=make_environment("stage")), "acme-1")
    stream = make_ai_check(model.target, "ai_stream")
    look(stream, measurements={"ttft_ms": 320.0, "output_tokens_per_second": 51.0})
    look(stream, FAILED, Reason.OVERLOADED)
    look(stream, FAILED, Reason.OVERLOADED)
    look(stream, DEGRADED, Reason.LENGTH_REACHED)
    today = clock.now().date()
    for day, cost in ((today, "0.5"), (today - timedelta(days=800), "1.25"), (today - timedelta(days=801), "0.25")):
        SpendDay.objects.create(
            day=day,
            target_id=model.pk,
            provider_id=model.provider_id,
            tokens_in=100,
            tokens_out=10,
            cost=Decimal(cost),
        )

    samples = scrape(client)

    assert value(samples, "ai_time_to_first_token_seconds", **LABELS) == 0.32
    assert value(samples, "ai_output_tokens_per_second", **LABELS) == 51.0
    assert value(samples, "ai_tokens_total", **LABELS, type="in") == 300
    assert value(samples, "ai_tokens_total", **LABELS, type="out") == 30
    assert value(samples, "ai_probe_cost_usd_total", **LABELS) == 2.0
    theirs = {**LABELS, "class": "overloaded", "fault": "theirs"}
    assert value(samples, "ai_probe_errors_total", **theirs) == 2
    ours = {**LABELS, "class": "truncated", "fault": "ours"}
    assert value(samples, "ai_probe_errors_total", **ours) == 1

    retention.purge()
    again = scrape(client)

    for name in ("ai_tokens_total", "ai_probe_cost_usd_total", "ai_probe_errors_total"):
        counters = {key: number for key, number in samples.items() if key[0] == name}
        assert counters
        assert {key: again[key] for key in counters} == counters, "what is too old was gathered, not lost"
