"""Try it: what stands in the form is looked at once, shown as a run would show it, and stored nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import Target
from apps.checks.models import Check, CheckResult, CheckRun
from apps.checks.trying import AT_ONCE, try_check
from apps.probes.base import PROBE_KINDS
from tests.checks.looking import make_check
from tests.checks.test_pages_forms import GOOD, address
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_service
from tests.flows.rest import wait_for
from tests.servers.http import HttpServer, answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def target(db: None) -> Target:
    return make_service("Shop").target


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def tried(client: Client, where: str, **change: Any) -> str:
    reply = client.post(where, {**GOOD, "action": "try", **change}, headers={"HX-Request": "true"})
    assert reply.status_code == 200
    return text_of(reply.content)


def test_trying_shows_what_a_run_would_show_and_stores_nothing(
    page: Client, target: Target, server: HttpServer
) -> None:
    server.behave("/", answer(503, {"state": "down"}))
    conditions = '[{"field": "status", "operator": "==", "value": 200}, {"field": "json.state", "value": "down"}]'
    text = tried(page, address(target), **{"config.url": server.url("/"), "config.conditions": conditions})
    assert "Expected status 200, got 503." in text
    assert "Failed status == 200 503" in text
    assert "Passed json.state == down" in text
    assert "Waiting for the first byte" in text
    assert "Nothing was stored." in text
    assert not Check.objects.exists()
    assert not CheckRun.objects.exists()
    assert not CheckResult.objects.exists()


def test_trying_what_is_stored_uses_its_secrets_and_never_shows_them(page: Client, server: HttpServer) -> None:
    server.behave("/", answer(200))
    check = make_check("Shop", config={"url": server.url("/"), "bearer_token": "t0ken-of-ours"})
    where = f"{check.get_absolute_url()}edit/"
    text = tried(page, where, **{"config.url": server.url("/")})
    assert "Everything was as expected." in text
    assert server.received[-1].headers["authorization"] == "Bearer t0ken-of-ours"
    assert "t0ken-of-ours" not in text


def test_trying_with_mistakes_lists_them(page: Client, target: Target) -> None:
    text = tried(page, address(target), **{"config.url": "nope", "interval_seconds": "x"})
    assert "It cannot be tried like this:" in text
    assert "Address" in text
    assert "Interval" in text


def test_without_scripts_trying_shows_the_form_again_with_what_was_found(
    page: Client, target: Target, server: HttpServer
) -> None:
    server.behave("/", answer(200))
    reply = page.post(address(target), {**GOOD, "action": "try", "config.url": server.url("/")})
    content = reply.content.decode()
    assert "Tried just now" in content
    assert f'value="{server.url("/")}"' in content
    assert not Check.objects.exists()


def test_only_a_few_are_tried_at_once(server: HttpServer) -> None:
    kind, service = PROBE_KINDS.get("http"), Target(kind="service", name="Shop")
    with ThreadPoolExecutor(max_workers=AT_ONCE) as executor:
        slow = [executor.submit(try_check, service, kind, {"url": server.url("/hang")}, 2.0) for _ in range(AT_ONCE)]
        wait_for(lambda: len(server.received) == AT_ONCE, "every look to be under way")
        with pytest.raises(ValidationError, match="Several checks are being tried"):
            try_check(service, kind, {"url": server.url("/")}, 2.0)
        assert {look.result().reason for look in slow} == {"timeout"}
    assert try_check(service, kind, {"url": server.url("/")}, 2.0).state == "ok"


def test_trying_takes_the_role_of_an_operator(client: Client, viewer: User, target: Target, server: HttpServer) -> None:
    client.force_login(viewer)
    reply = client.post(address(target), {**GOOD, "action": "try", "config.url": server.url("/")})
    assert reply.status_code == 403
    assert not server.received
