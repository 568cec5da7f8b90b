"""A provider's key serves its checks, at the provider's own server and nowhere else."""

from __future__ import annotations

import pytest

from apps.catalog.models import Target
from apps.catalog.services import create_model, create_provider
from apps.checks import dispatch, schedule
from apps.checks.services import open_config
from tests.checks.looking import add_check, local

pytestmark = pytest.mark.django_db

HERE = "http://127.0.0.1:9/v1"


def models_of(target: Target, base_url: str = HERE, api_key: str = "") -> dict[str, object]:
    config = {"base_url": base_url, "api_key": api_key}
    return open_config(add_check(target, kind="ai_models", config=config))


def test_an_empty_key_is_the_providers_for_the_provider_and_its_models() -> None:
    provider = create_provider(actor=None, name="Atlas", base_url=HERE, api_key="the-key")
    model = create_model(actor=None, provider=provider, name="atlas-small")
    assert models_of(provider.target)["api_key"] == "the-key"
    assert models_of(model.target)["api_key"] == "the-key"
    jobs = dispatch.make_jobs("local", schedule.claim_due(local().pk))
    assert {job.config["api_key"] for job in jobs} == {"the-key"}


def test_a_key_of_its_own_comes_first() -> None:
    provider = create_provider(actor=None, name="Atlas", base_url=HERE, api_key="the-key")
    assert models_of(provider.target, api_key="another")["api_key"] == "another"


def test_another_server_never_gets_the_providers_key() -> None:
    provider = create_provider(actor=None, name="Atlas", base_url=HERE, api_key="the-key")
    assert not models_of(provider.target, base_url="http://127.0.0.2:9/v1").get("api_key")
