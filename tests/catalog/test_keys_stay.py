"""A stored API key goes to the server it was given for, and to no other."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from apps.catalog.models import Provider
from apps.catalog.services import create_provider, update_target

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return create_provider(actor=None, name="Atlas", base_url="https://api.example.com/v1", api_key="secret")


def test_another_server_takes_the_key_again(provider: Provider) -> None:
    with pytest.raises(ValidationError) as caught:
        update_target(actor=None, target=provider.target, base_url="https://elsewhere.example.com/v1")
    assert list(caught.value.message_dict) == ["api_key"]
    provider.refresh_from_db()
    assert provider.base_url == "https://api.example.com/v1"


def test_another_path_on_the_same_server_keeps_it(provider: Provider) -> None:
    update_target(actor=None, target=provider.target, base_url="https://api.example.com/v2")
    provider.refresh_from_db()
    assert provider.sealed_api_key


def test_a_new_key_may_come_with_a_new_server(provider: Provider) -> None:
    update_target(actor=None, target=provider.target, base_url="https://elsewhere.example.com/v1", api_key="other")
    provider.refresh_from_db()
    assert provider.base_url == "https://elsewhere.example.com/v1"


@pytest.mark.parametrize("address", ["169.254.169.254", "[::ffff:169.254.169.254]", "224.0.0.1"])
def test_an_address_that_is_always_refused_is_refused_when_it_is_saved(provider: Provider, address: str) -> None:
    with pytest.raises(ValidationError) as caught:
        update_target(actor=None, target=provider.target, base_url=f"http://{address}/v1", api_key="secret")
    assert list(caught.value.message_dict) == ["base_url"]
