"""Ping keys: listed for operators, opened and closed by the administrators of their environment."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import Environment
from apps.checks.heartbeats.services import MOST_OPEN_KEYS, close_ping_key, open_ping_key
from apps.checks.models import PingKey
from tests.checks.heartbeats.telling import make_heartbeat
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_user

pytestmark = pytest.mark.django_db
PAGE = "/heartbeats/keys/"


@pytest.fixture
def page(client: Client, administrator: User) -> Client:
    client.force_login(administrator)
    return client


def test_a_key_is_opened_and_its_address_shown(page: Client, production: Environment) -> None:
    assert "No key is open" in text_of(page.get(PAGE).content)
    reply = page.post(PAGE, {"environment": production.slug}, follow=True)
    assert "has a new ping key." in text_of(reply.content)
    assert PingKey.objects.get().environment == production
    found = re.search(r"http://testserver/ping/([\w-]{20,})/<slug>", text_of(reply.content))
    assert found


def test_a_closed_key_is_shown_without_its_address(page: Client, production: Environment) -> None:
    key, plain = open_ping_key(actor=None, environment=production)
    content = page.get(PAGE).content.decode()
    assert plain in content
    assert f'data-dialog-open="close-{key.pk}"' in content
    assert f'<dialog class="dialog" id="close-{key.pk}"' in content
    reply = page.post(f"{PAGE}{key.pk}/close/", follow=True)
    key.refresh_from_db()
    assert key.closed_at is not None
    assert plain not in reply.content.decode()
    assert "Closed" in text_of(reply.content)


def test_an_operator_reads_keys_and_changes_none(client: Client, production: Environment) -> None:
    key, plain = open_ping_key(actor=None, environment=production)
    client.force_login(make_user("operator", production))
    content = client.get(PAGE).content.decode()
    assert plain in content
    assert "Open a key" not in content
    assert 'data-dialog-open="close-' not in content
    assert client.post(PAGE, {"environment": production.slug}).status_code == 403
    assert client.post(f"{PAGE}{key.pk}/close/").status_code == 403
    key.refresh_from_db()
    assert key.closed_at is None


def test_a_viewer_sees_no_keys(client: Client, viewer: User, production: Environment) -> None:
    open_ping_key(actor=None, environment=production)
    client.force_login(viewer)
    assert client.get(PAGE).status_code == 403


def test_keys_of_other_environments_do_not_exist(
    client: Client, production: Environment, development: Environment
) -> None:
    _key, plain = open_ping_key(actor=None, environment=production)
    client.force_login(make_user("admin", development))
    content = client.get(PAGE).content.decode()
    assert plain not in content
    assert production.name not in text_of(client.get(PAGE).content).split("Ping keys")[-1]
    assert client.post(PAGE, {"environment": production.slug}).status_code == 404
    assert client.post(PAGE, {"environment": "atlantis"}).status_code == 404


def test_too_many_keys_are_refused_with_a_sentence(page: Client, production: Environment) -> None:
    for _number in range(MOST_OPEN_KEYS):
        open_ping_key(actor=None, environment=production)
    reply = page.post(PAGE, {"environment": production.slug}, follow=True)
    assert "close one that nobody uses" in text_of(reply.content)
    assert PingKey.objects.count() == MOST_OPEN_KEYS


def test_a_key_nobody_can_open_any_more_says_so(page: Client, production: Environment) -> None:
    key, _plain = open_ping_key(actor=None, environment=production)
    PingKey.objects.filter(pk=key.pk).update(sealed="sealed:1:nonsense")
    assert "sealed with another secret" in text_of(page.get(PAGE).content)
    heartbeat = text_of(page.get(make_heartbeat().get_absolute_url()).content)
    assert "Ping URL" in heartbeat
    assert "By its short name" not in heartbeat
    close_ping_key(actor=None, key=key)
    assert page.get(PAGE).status_code == 200
