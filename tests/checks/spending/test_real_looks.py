"""A real ping of a real server, from its admission to its account, in every way it may end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from apps.catalog.models import AIModel, Price
from apps.checks import dispatch
from apps.checks.models import Reservation
from apps.checks.spending import admission
from apps.core.addresses import probe_policy
from apps.probes.base import Finished, Outcome
from apps.probes.runner import run_once
from tests.checks.looking import add_check, local, record
from tests.checks.spending.paying import account, claims, day_of
from tests.factories import make_model, make_provider
from tests.servers.model_script import Script
from tests.servers.model_server import ModelServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(key="sk-right") as running:
        yield running


def watched(server: ModelServer, name: str = "model-a", key: str = "sk-right", kind: str = "ai_ping") -> AIModel:
    provider = make_provider(dialect="openai", base_url=server.base_url("openai"), api_key=key)
    model = make_model(provider, name)
    Price.objects.create(
        provider=provider, model="*", input_per_million=100, output_per_million=1_000, valid_from=date(2026, 1, 1)
    )
    add_check(model.target, kind=kind, name="Paid", config={}, interval_seconds=300, timeout_seconds=5)
    return model


def look() -> Outcome:
    """Claim, admit, send out, look and record, as the whole pipeline does."""
    region = local()
    [job] = dispatch.make_jobs(region.slug, admission.admit(region.pk, claims()))
    outcome = run_once(job.kind, job.config, job.timeout_seconds, probe_policy(""))
    record(Finished(job=job, outcome=outcome))
    return outcome


@pytest.mark.parametrize("kind", ["ai_ping", "ai_stream"])
def test_what_the_provider_counted_is_what_it_cost(server: ModelServer, kind: str) -> None:
    model = watched(server, kind=kind)
    outcome = look()
    assert outcome.state == "ok", outcome
    day = day_of(model)
    assert (day.tokens_in, day.tokens_out) == (outcome.measurements["tokens_in"], outcome.measurements["tokens_out"])
    assert day.cost == Decimal(day.tokens_in * 100 + day.tokens_out * 1_000) / 1_000_000 > 0
    assert account(model.provider) == account(None) == (day.cost, 0)


def test_what_was_refused_costs_nothing(server: ModelServer) -> None:
    model = watched(server, key="sk-wrong")
    assert look().reason == "invalid_key"
    assert (day_of(model).looks, day_of(model).cost) == (1, Decimal(0))
    assert account(model.provider) == (0, 0)


def test_a_server_that_is_not_there_costs_nothing(server: ModelServer) -> None:
    model = watched(server)
    model.provider.base_url = "http://127.0.0.1:9/v1"
    model.provider.save(update_fields=["base_url"])
    assert look().state == "failed"
    assert account(model.provider) == (0, 0)
    assert not Reservation.objects.exists()


def test_an_answer_without_numbers_is_estimated_and_said_to_be(server: ModelServer) -> None:
    server.script = Script(tokens=None)
    model = watched(server)
    look()
    day = day_of(model)
    assert (day.looks, day.estimated_looks) == (1, 1)
    assert day.cost > 0


def test_the_most_that_is_set_aside_is_never_less_than_a_decent_look_costs(server: ModelServer) -> None:
    watched(server)
    region = local()
    [job] = dispatch.make_jobs(region.slug, admission.admit(region.pk, claims()))
    aside = Reservation.objects.get().amount
    outcome = run_once(job.kind, job.config, job.timeout_seconds, probe_policy(""))
    record(Finished(job=job, outcome=outcome))
    spent, reserved = account(None)
    assert 0 < spent <= aside
    assert reserved == 0
