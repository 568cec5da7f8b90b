"""Checks of AI models without a config: everything comes from the model and its provider, when the look is sent out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import AIModel, Provider
from apps.catalog.prices.lookup import Priced
from apps.checks import dispatch, schedule
from apps.checks.models import Check, SpendDay
from apps.checks.services import create_check, open_config, update_check
from apps.checks.spending import asking
from apps.checks.trying import try_check
from apps.probes.base import PROBE_KINDS, OutcomeState, Reason
from tests.checks.looking import local
from tests.factories import api_client, make_model, make_provider
from tests.servers.model_script import Script
from tests.servers.model_server import ModelServer

pytestmark = pytest.mark.django_db

KEY = "sk-hunter2-hunter2"
HERE = "http://127.0.0.1:9/v1"
PROMPTS = [{"name": "Sum", "prompt": "Which number is in the vault?", "expected": "42"}]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(key=KEY) as running:
        running.script = Script(words=("OK",))
        yield running


def provider_at(base_url: str = HERE, dialect: str = "openai", **fields: Any) -> Provider:
    return make_provider("Atlas", base_url=base_url, api_key=KEY, dialect=dialect, **fields)


def model_at(base_url: str = HERE, dialect: str = "openai", name: str = "model-a", **fields: Any) -> AIModel:
    return make_model(provider_at(base_url, dialect, **fields), name)


def added(model: AIModel, kind: str = "ai_ping", **fields: Any) -> Check:
    return create_check(actor=None, target=model.target, kind=kind, config=fields.pop("config", {}), **fields)


# --- The endpoint ---------------------------------------------------------------------------------------------


def test_a_check_without_a_config_goes_out_with_everything_it_needs() -> None:
    added(model_at(verify_tls=False))
    jobs = dispatch.make_jobs("local", schedule.claim_due(local().pk))
    assert jobs[0].config["endpoint"] == {
        "dialect": "openai",
        "base_url": HERE,
        "api_key": KEY,
        "model": "model-a",
        "verify_tls": False,
    }


def test_nothing_of_the_provider_is_stored_with_the_check() -> None:
    check = added(model_at())
    assert check.config == {}
    assert KEY not in str(Check.objects.values().get(pk=check.pk))


def test_a_dialect_with_an_address_of_its_own_needs_none() -> None:
    endpoint = open_config(added(model_at("", "anthropic")))["endpoint"]
    assert (endpoint["dialect"], endpoint["base_url"]) == ("anthropic", "https://api.anthropic.com")


def test_another_server_is_asked_as_compatible_and_gets_no_key() -> None:
    model = model_at(dialect="anthropic")
    own = open_config(added(model, "ai_models", config={"base_url": HERE}))["endpoint"]
    other = open_config(added(model, "ai_models", name="Other", config={"base_url": "http://127.0.0.2:9/v1"}))
    assert (own["dialect"], own["api_key"]) == ("anthropic", KEY)
    assert (other["endpoint"]["dialect"], other["endpoint"]["api_key"]) == ("openai_compatible", "")


def test_a_provider_without_an_address_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValidationError) as refused:
        added(model_at("", "openai_compatible"))
    assert "Enter it at the provider" in refused.value.message_dict["__all__"][0]
    with pytest.raises(ValidationError) as refused:
        create_check(actor=None, target=make_provider("Other").target, kind="ai_models", config={})
    assert list(refused.value.message_dict) == ["config.base_url"]


def test_paid_kinds_suit_models_alone() -> None:
    provider = provider_at()
    for kind in ("ai_ping", "ai_stream", "ai_canary", "ai_embedding"):
        config = {"prompts": PROMPTS} if kind == "ai_canary" else {}
        with pytest.raises(ValidationError) as refused:
            create_check(actor=None, target=provider.target, kind=kind, config=config)
        assert list(refused.value.message_dict) == ["kind"]


def test_a_dialect_without_embeddings_is_refused_when_it_is_saved() -> None:
    with pytest.raises(ValidationError) as refused:
        added(model_at("", "anthropic"), "ai_embedding")
    assert "Anthropic" in refused.value.message_dict["__all__"][0]


# --- Defaults -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "interval", "affects"),
    [("ai_ping", 300, True), ("ai_stream", 900, True), ("ai_embedding", 300, True), ("ai_canary", 86_400, False)],
)
def test_a_kind_brings_its_own_interval_and_whether_it_counts(
    operator: User, kind: str, interval: int, affects: bool
) -> None:
    body: dict[str, Any] = {"target": str(model_at().pk), "kind": kind}
    if kind == "ai_canary":
        body["config"] = {"prompts": PROMPTS}
    made = api_client(operator).post("/api/v1/checks/", body, format="json")
    assert made.status_code == 201, made.content
    answer = made.json()
    assert (answer["interval_seconds"], answer["affects_status"]) == (interval, affects)
    assert answer["retry_interval_seconds"] is None, "a failure is not paid for twice"
    assert answer["timeout_seconds"] == PROBE_KINDS.get(kind).default_timeout_seconds


def test_the_kinds_say_what_they_cost_and_show_nothing_that_is_filled_in(operator: User) -> None:
    kinds = {kind["kind"]: kind for kind in api_client(operator).get("/api/v1/check-kinds/").json()}
    assert [kinds[name]["rung"] for name in ("ai_models", "ai_ping", "ai_stream", "ai_canary")] == [1, 2, 3, 4]
    assert (kinds["ai_models"]["is_paid"], kinds["ai_ping"]["is_paid"]) == (False, True)
    assert kinds["ai_canary"]["default_affects_status"] is False
    assert "endpoint" not in kinds["ai_ping"]["schema"]["properties"]


def test_nobody_can_name_an_endpoint(operator: User) -> None:
    body = {"target": str(model_at().pk), "kind": "ai_ping", "config": {"endpoint": {"base_url": "http://evil.test"}}}
    refused = api_client(operator).post("/api/v1/checks/", body, format="json")
    assert (refused.status_code, list(refused.json())) == (400, ["config.endpoint"])


# --- Prompts are secrets --------------------------------------------------------------------------------------


def test_prompts_are_sealed_masked_and_kept(operator: User) -> None:
    check = added(model_at(), "ai_canary", config={"prompts": PROMPTS})
    prompt = str(PROMPTS[0]["prompt"])
    assert prompt not in str(check.config)
    shown = api_client(operator).get(f"/api/v1/checks/{check.pk}/").json()
    assert prompt not in str(shown)
    update_check(actor=None, check=check, config=shown["config"], interval_seconds=3_600)
    check.refresh_from_db()
    assert open_config(check)["prompts"][0]["prompt"] == prompt


def test_money_is_set_aside_for_the_prompt_that_is_sent_and_not_for_its_sealed_form() -> None:
    check = added(model_at(), "ai_canary", config={"prompts": [{**PROMPTS[0], "prompt": "x" * 8_000}]})
    usage = asking._most_usage("ai_canary", json.dumps(check.config), Priced(check.target_id, "openai", HERE, "m"))
    assert usage is not None
    assert 4_000 < usage.tokens_in < 4_200


def test_the_form_shows_no_prompt_and_saving_it_keeps_them(client: Client, operator: User) -> None:
    check = added(model_at(), "ai_canary", config={"prompts": PROMPTS})
    client.force_login(operator)
    where = f"/checks/{check.pk}/edit/"
    page = client.get(where)
    form = page.context["form"]
    assert str(PROMPTS[0]["prompt"]) not in page.content.decode()
    assert form.initial["affects_status"] is False
    sent = {name: form[name].value() for name in form.fields if form[name].value() not in (None, [], False)}
    saved = client.post(where, {**sent, "interval_seconds": 7_200})
    assert saved.status_code == 302, saved.content.decode()
    check.refresh_from_db()
    assert check.interval_seconds == 7_200
    assert open_config(check)["prompts"][0]["prompt"] == PROMPTS[0]["prompt"]


# --- Try it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini", "ollama"])
@pytest.mark.parametrize("kind", ["ai_models", "ai_ping", "ai_stream"])
def test_trying_looks_once_with_the_providers_key(server: ModelServer, kind: str, dialect: str) -> None:
    server.key = "" if dialect == "ollama" else KEY
    model = model_at(server.base_url(dialect), dialect)
    outcome = try_check(model.target, PROBE_KINDS.get(kind), {}, 10.0)
    assert (outcome.state, outcome.reason) == (OutcomeState.OK, Reason.OK), outcome.evidence
    assert KEY not in str(outcome.evidence)


def test_a_paid_try_is_on_the_books_and_a_free_one_is_not(server: ModelServer) -> None:
    model = model_at(server.base_url())
    try_check(model.target, PROBE_KINDS.get("ai_models"), {}, 10.0)
    assert not SpendDay.objects.exists()
    try_check(model.target, PROBE_KINDS.get("ai_ping"), {}, 10.0)
    assert SpendDay.objects.get().looks == 1


def test_trying_without_an_address_is_refused_before_anybody_is_asked() -> None:
    model = model_at("", "openai_compatible")
    with pytest.raises(ValidationError):
        try_check(model.target, PROBE_KINDS.get("ai_ping"), {}, 10.0)
