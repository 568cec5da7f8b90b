"""The pages of AI models read in Korean, with a past: measured, failing, paid for, and beside a vendor who speaks.

Clicking through (see test_korean_pages) meets a provider nobody measured; these pages say most when something is wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import pytest
from django.db.models import F
from django.test import Client

from apps.accounts.models import User
from apps.catalog.budgets import set_cap
from apps.catalog.models import AIModel, Price, Provider
from apps.checks.models import BudgetMonth, Check, CheckEvidence
from apps.core import clock
from apps.core.embedded.translations import compile_translations
from tests.checks.vendors import reading
from tests.contracts.test_korean_pages import english
from tests.dashboard import model_past
from tests.factories import make_model, make_provider
from tools.translation.sources import PROJECT

pytestmark = pytest.mark.django_db
NOWHERE = "http://127.0.0.1:9"
# One of each side that can be at fault; the network and the model's answer stand in evidence.
FAULTS = {"모델-다": "invalid_key", "모델-라": "overloaded", "모델-마": "dns_not_found", "모델-바": "wrong_answer"}

# What is asked and answered is in the words of whoever asks.
PROMPT = {"name": "수도", "assertion": "exact", "expected": "파리", "actual": "리옹", "detail": "", "passed": False}

# What stands in a field is typed, or said to a model: golden prompts are asked in one language.
_TYPED = re.compile(r"<textarea.*?</textarea>", re.DOTALL)


@dataclass(frozen=True)
class World:
    """`checks`: of the measured model, one of each AI kind; `result`: of a look that met a rate limit."""

    provider: Provider
    silent: Provider
    measured: AIModel
    failing: list[AIModel]
    fresh: AIModel
    checks: dict[str, Check]
    result: UUID
    price: Price


@pytest.fixture
def korean(administrator: User, client: Client) -> Client:
    compile_translations(PROJECT)
    User.objects.filter(pk=administrator.pk).update(language="ko")
    client.force_login(User.objects.get(pk=administrator.pk), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def world(db: None) -> World:
    provider = reading.make_followed(components=("API",), name="공급자-나", dialect="openai", base_url=NOWHERE)
    told = reading.incident("1", reading.ago(16), name="1")
    said = reading.summary("major", (told,), {"API": "partial_outage"})
    reading.read(provider, said | {"status": {"indicator": "major", "description": "느림"}}, reading.ago(2))
    silent = reading.follow(make_provider("공급자-다"), f"{NOWHERE}/status")
    reading.fail_to_read(silent, reading.ago(2))
    measured = make_model(provider, "모델-나")
    checks = model_past.fill_past(measured, 2)
    CheckEvidence.objects.filter(check_id=checks["ai_canary"].pk).delete()
    model_past.add_canary_run(checks["ai_canary"], PROMPT)
    evidence = {"actual": 429, "model": "모델-나", "dialect": "openai", "retry_after_seconds": 20}
    result = model_past.add_result(checks["ai_stream"], state="degraded", reason="rate_limited", evidence=evidence)
    price = Price.objects.create(
        dialect="openai", model="모델-*", input_per_million=1, output_per_million=2, valid_from="2026-01-01"
    )
    _pay(provider)
    failing = [_fail(make_model(provider, name), reason) for name, reason in FAULTS.items()]
    Check.objects.update(name=F("kind"))
    return World(provider, silent, measured, failing, make_model(provider, "새-모델"), checks, result, price)


def _fail(model: AIModel, reason: str) -> AIModel:
    check = model_past.add_checks(model, ("ai_ping",))["ai_ping"]
    model_past.set_state(check, state="failed", reason=reason, details={"actual": 503, "host": "a.test"})
    model_past.set_status(model, "outage", reason, check)
    return model


def _pay(provider: Provider) -> None:
    """Caps, one of them reached, and models that are offered but not watched."""
    set_cap(actor=None, provider=provider, monthly_cap=Decimal(1))
    set_cap(actor=None, provider=None, monthly_cap=Decimal(100))
    month = clock.now().date().replace(day=1)
    BudgetMonth.objects.create(provider=provider, month=month, spent="1.20", reserved="0.02")
    provider.offered_models, provider.last_discovered_at = ["모델-사", "text-embedding"], clock.now()
    provider.save(update_fields=["offered_models", "last_discovered_at"])


def test_pages_of_models_and_providers_hold_no_english_sentence(korean: Client, world: World) -> None:
    providers, models = (world.provider, world.silent), (world.measured, *world.failing, world.fresh)
    unknown = f"{world.measured.pk},{world.failing[0].pk},{world.silent.pk},{world.result}"
    paths = [provider.target.get_absolute_url() for provider in providers]
    paths += [model.target.get_absolute_url() for model in models]
    paths += ["/", "/models/", "/models/compare/", f"/models/compare/?ids={unknown}&range=nonsense"]
    assert left_in(korean, paths) == []


def test_pages_of_ai_checks_hold_no_english_sentence(korean: Client, world: World) -> None:
    paths = [f"{check.get_absolute_url()}{end}" for check in world.checks.values() for end in ("", "edit/")]
    paths += [f"/checks/new/?target={world.fresh.pk}&kind={kind}" for kind in (*world.checks, "ai_embedding")]
    paths += [f"/checks/new/?target={world.provider.pk}&kind=vendor_status"]
    paths += [f"{world.checks['ai_stream'].get_absolute_url()}results/{world.result}/"]
    assert left_in(korean, paths) == []


def test_pages_about_money_hold_no_english_sentence(korean: Client, world: World) -> None:
    paths = ["/settings/budgets/", "/settings/budgets/total/", f"/settings/budgets/{world.provider.pk}/"]
    paths += ["/settings/prices/", "/settings/prices/new/"]
    paths += [f"/settings/prices/{world.price.pk}/", f"/settings/prices/{world.price.pk}/edit/"]
    assert left_in(korean, paths) == []


def test_adding_a_provider_and_its_models_holds_no_english_sentence(korean: Client, world: World) -> None:
    discover = f"/providers/{world.provider.pk}/discover/"
    ticked = {"action": "price", "add": ["모델-사", "text-embedding"], "rung_1": "on", "rung_2": "on", "rung_3": "on"}
    paths = ["/providers/new/", f"/targets/{world.provider.pk}/edit/", discover]
    assert left_in(korean, paths) == []
    for values in (ticked, ticked | {"add": []}, {"action": "save"}):
        assert english(korean.post(discover, values).text) == []
    refused = korean.post("/providers/new/", {"name": "", "dialect": "nonsense", "monthly_cap": "-1"})
    assert english(refused.text) == []


def left_in(client: Client, paths: list[str]) -> list[str]:
    """English phrases on these pages, each with its page; every page must answer."""
    answers = {path: client.get(path) for path in paths}
    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code != 200} == {}
    return [f"{path}: {phrase}" for path, answer in answers.items() for phrase in english(_TYPED.sub("", answer.text))]
