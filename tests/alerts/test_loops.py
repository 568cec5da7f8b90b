"""A webhook that leads back to the portal: refused when it is saved, found and stopped when it happens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.alerts.channels.answers import judge
from apps.alerts.channels.base import DeliveryReason
from apps.alerts.loops import leads_home
from apps.checks.heartbeats.edge import PingEdge
from apps.core import clock
from apps.core.edge import LoopGuard
from apps.core.instance import instance_id
from apps.core.outbound.names import Names
from tests.alerts.world import deliver, make_channel, make_incident, only
from tests.servers.dns import DnsServer
from tests.servers.http import Behaviour, HttpServer, Received, answer
from tests.servers.listening import Connection

# --- When it is saved -------------------------------------------------------------------------------------


@pytest.fixture
def home(settings: Any) -> Any:
    """A portal people know as portal.example.org, behind a proxy, listening on port 8123 of this machine."""
    settings.PORTAL_WEB_URL = "https://portal.example.org"
    settings.PORTAL_HOST, settings.PORTAL_PORT = "127.0.0.1", 8123
    return settings


@pytest.fixture
def names() -> Iterator[Names]:
    known = {"alias.example": ["127.0.0.1"], "elsewhere.example": ["192.0.2.1"], "nobody.example": DnsServer.HANG}
    with DnsServer(known) as server, closing(Names([server.address])) as resolver:
        yield resolver


@pytest.mark.parametrize(
    ("url", "leads"),
    [
        ("https://portal.example.org/hooks/", True),
        ("http://portal.example.org/", True),
        ("HTTPS://PORTAL.EXAMPLE.ORG:443/", True),
        ("https://portal.example.org:8443/", False),
        ("https://other.example.org/", False),
        ("https://portal.example.org.evil.example/", False),
        ("http://127.0.0.1:8123/ping/x", True),
        ("http://0x7f.1:8123/", True),
        ("http://localhost:8123/", True),
        ("http://alias.example:8123/", True),
        ("http://alias.example:9999/", False),
        ("http://elsewhere.example:8123/", False),
        ("http://nobody.example:8123/", False),
        ("http://127.0.0.1:9999/", False),
        ("nonsense", False),
        ("", False),
    ],
)
def test_what_leads_to_the_portal_itself_is_known_by_name_and_by_address(
    home: Any, names: Names, url: str, leads: bool
) -> None:
    assert leads_home(url, names) is leads


@pytest.mark.parametrize("listening", ["0.0.0.0", "::"])
def test_a_portal_that_listens_everywhere_is_at_every_address_of_this_machine(home: Any, listening: str) -> None:
    home.PORTAL_HOST = listening
    assert leads_home("http://127.0.0.1:8123/")
    assert not leads_home("http://192.0.2.1:8123/")


@pytest.mark.django_db
def test_a_channel_that_leads_to_the_portal_is_refused_when_it_is_saved(settings: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        make_channel(f"{settings.PORTAL_WEB_URL}/ping/1")
    assert "portal itself" in caught.value.message_dict["config.url"][0]


# --- When it happens --------------------------------------------------------------------------------------


async def nobody(_scope: Any, _receive: Any, _send: Any) -> None:
    raise AssertionError("the request went past the guard")


def through(application: Any) -> Behaviour:
    """A name that leads to `application`, as a proxy does whose configuration nobody here sees."""

    def behave(connection: Connection, received: Received) -> None:
        sent: list[dict[str, Any]] = []
        waiting = [{"type": "http.request", "body": received.body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return waiting.pop() if waiting else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        headers = [(name.encode(), value.encode()) for name, value in received.headers.items()]
        path, _mark, query = received.path.partition("?")
        scope = {"type": "http", "method": received.method, "path": path, "query_string": query.encode()}
        asyncio.run(application({**scope, "headers": headers, "client": ["192.0.2.7", 1]}, receive, send))
        told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        answer(sent[0]["status"], sent[1]["body"], told)(connection, received)

    return behave


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/targets/", "/ping/0198f7a0-0000-7000-8000-000000000000", "/"])
def test_a_loop_is_found_at_every_edge_and_switches_the_channel_off(receiver: HttpServer, path: str) -> None:
    channel = make_channel(receiver.behave(path, through(LoopGuard(PingEdge(nobody)))))
    make_incident()
    deliver()
    row = only()
    assert (row.state, row.reason, row.attempts) == ("dead", "loop", 1)
    assert row.attempt_rows.get().status_code == 508
    channel.refresh_from_db()
    assert (channel.enabled, channel.disabled_reason) == (False, "loop")
    make_incident("Search")
    deliver()
    assert len(receiver.received) == 1


@pytest.mark.django_db
def test_a_508_of_somebody_else_is_their_own_trouble(receiver: HttpServer) -> None:
    channel = make_channel(receiver.behave("/hook", answer(508)))
    make_incident()
    deliver()
    assert (only().state, only().reason) == ("pending", "receiver_error")
    channel.refresh_from_db()
    assert channel.enabled


def test_only_a_508_that_carries_the_mark_is_a_loop() -> None:
    marked = {"portal-instance": instance_id()}
    assert judge(508, marked, clock.now()).reason is DeliveryReason.LOOP
    assert judge(508, {}, clock.now()).retryable
    assert judge(200, marked, clock.now()).ok


def test_what_another_portal_sends_is_let_in() -> None:
    reached: list[Any] = []

    async def application(scope: Any, _receive: Any, _send: Any) -> None:
        reached.append(scope)

    for mark in (b"f" * 32, b"", None):
        headers = [(b"portal-instance", mark)] if mark is not None else []
        asyncio.run(LoopGuard(application)({"type": "http", "headers": headers}, None, None))  # type: ignore[arg-type]
    assert len(reached) == 3


def test_the_mark_tells_nothing_and_is_of_this_portal(settings: Any) -> None:
    mine = instance_id()
    assert len(mine) == 32 and mine == instance_id()
    assert settings.SECRET_KEY not in mine
    settings.SECRET_KEY = "another portal's"
    assert instance_id() != mine
