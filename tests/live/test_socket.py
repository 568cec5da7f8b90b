"""The WebSocket of our pages, against a real web process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import pytest
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest
from django.test import Client
from websockets.exceptions import InvalidStatus

from apps.accounts.access import Role
from apps.accounts.models import User
from apps.accounts.services import grant_role, set_password
from apps.catalog.models import Environment
from apps.core.ids import uuid7
from apps.core.news import announce
from tests.live.clients import Page
from tests.live.people import sign_in
from tests.live.web_process import PROJECT, WebProcess, database_url


def sign_out(client: Client) -> None:
    request = HttpRequest()
    request.session = client.session
    request.user = User.objects.get(pk=client.session["_auth_user_id"])
    logout(request)


def test_an_event_is_on_the_page_within_one_and_a_half_seconds_of_the_commit(
    alice: User, production: Environment, open_page: Any
) -> None:
    page = open_page(sign_in(alice))
    target = uuid7()

    with transaction.atomic():
        announce("target.status", [target], production.pk)
        committing = time.monotonic()
    heard = page.hear()

    assert page.messages[-1][0] - committing < 1.5
    assert [(event["type"], event["ids"]) for event in heard] == [("target.status", [str(target)]), ("summary", [])]
    assert {event["environment"] for event in heard} == {str(production.pk)}


def test_nothing_is_heard_of_a_transaction_that_was_rolled_back(
    alice: User, production: Environment, open_page: Any
) -> None:
    page = open_page(sign_in(alice))

    with pytest.raises(RuntimeError), transaction.atomic():
        announce("target.status", [uuid7()], production.pk)
        raise RuntimeError
    announce("check.result", [uuid7()], production.pk)

    assert [event["type"] for event in page.hear()] == ["check.result"]


def test_somebody_outside_an_environment_hears_nothing_of_it(
    bob: User, development: Environment, production: Environment, open_page: Any
) -> None:
    page = open_page(sign_in(bob))

    announce("target.status", [uuid7()], production.pk)
    announce("check.result", [uuid7()], development.pk)

    assert [event["environment"] for event in page.hear_until("check.result")] == [str(development.pk)]


def test_what_concerns_everything_is_heard_with_any_grant(bob: User, open_page: Any) -> None:
    page = open_page(sign_in(bob))

    announce("region.changed", [uuid7()], None)

    assert [event["type"] for event in page.hear()] == ["region.changed"]


def test_somebody_without_grants_hears_nothing(charlie: User, production: Environment, open_page: Any) -> None:
    page = open_page(sign_in(charlie))

    announce("target.status", [uuid7()], production.pk)
    announce("region.changed", [uuid7()], None)

    with pytest.raises(TimeoutError):
        page.hear(0.7)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_a_foreign_page_cannot_open_a_socket_with_our_cookies(alice: User, open_page: Any, origin: str) -> None:
    client = sign_in(alice)

    with pytest.raises(InvalidStatus) as refused:
        open_page(client, origin=origin)

    assert refused.value.response.status_code == 403


def test_an_unknown_path_is_refused(alice: User, open_page: Any) -> None:
    with pytest.raises(InvalidStatus) as refused:
        open_page(sign_in(alice), path="/ws/else/")

    assert refused.value.response.status_code == 403


def test_a_visitor_who_is_not_signed_in_is_sent_to_sign_in(transactional_db: None, open_page: Any) -> None:
    assert open_page(None).close_code() == 4401


def test_a_made_up_session_is_sent_to_sign_in(transactional_db: None, web: WebProcess) -> None:
    page = Page(web, cookie="portal_session=0123456789abcdef0123456789abcdef")

    assert page.close_code() == 4401


def test_signing_out_closes_the_pages_of_that_browser_only(
    alice: User, production: Environment, open_page: Any
) -> None:
    here, elsewhere = sign_in(alice), sign_in(alice)
    page, same_browser, other_browser = open_page(here), open_page(here), open_page(elsewhere)

    sign_out(here)

    assert page.close_code() == 4401
    assert same_browser.close_code() == 4401
    announce("check.result", [uuid7()], production.pk)
    assert [event["type"] for event in other_browser.hear()] == ["check.result"]


def test_a_changed_password_closes_every_page_of_that_person(alice: User, bob: User, open_page: Any) -> None:
    first, second, of_bob = open_page(sign_in(alice)), open_page(sign_in(alice)), open_page(sign_in(bob))

    set_password(actor=None, user=alice, password="another long password")

    assert first.close_code() == 4401
    assert second.close_code() == 4401
    announce("region.changed", [uuid7()], None)
    assert of_bob.hear()


def test_another_role_closes_the_pages_of_that_person(bob: User, development: Environment, open_page: Any) -> None:
    page = open_page(sign_in(bob))

    grant_role(actor=None, user=bob, role=Role.OPERATOR, environment=development.pk)

    assert page.close_code() == 4401


def test_a_large_message_from_a_client_closes_its_socket(alice: User, open_page: Any) -> None:
    page = open_page(sign_in(alice))

    page.say("x" * 1_025)

    assert page.close_code() == 4413


def test_a_client_that_keeps_talking_is_closed(alice: User, open_page: Any) -> None:
    page = open_page(sign_in(alice))

    for _ in range(101):
        page.say("ping")

    assert page.close_code() == 4429


def test_a_few_small_messages_are_ignored(alice: User, production: Environment, open_page: Any) -> None:
    page = open_page(sign_in(alice))

    page.say('{"type": "subscribe", "group": "live.env.x"}')
    announce("check.result", [uuid7()], production.pk)

    assert [event["type"] for event in page.hear()] == ["check.result"]


def test_fifty_pages_hear_one_event(alice: User, production: Environment, open_page: Any) -> None:
    client = sign_in(alice)
    pages = [open_page(client) for _ in range(50)]

    announce("target.status", [uuid7()], production.pk)
    committed = time.monotonic()
    for page in pages:
        page.hear()

    assert time.monotonic() - committed < 1.5


def test_the_news_of_a_command_is_heard_although_its_process_ends_at_once(
    alice: User, production: Environment, open_page: Any, database_name: str
) -> None:
    page = open_page(sign_in(alice))
    code = f"from apps.core.news import announce; announce('target.changed', [], '{production.pk}')"

    subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", code],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": database_url(database_name)},
        check=True,
        capture_output=True,
    )

    assert [event["type"] for event in page.hear()] == ["target.changed", "summary"]
