"""A worker killed between send and mark: the receiver has the message, the portal does not know. It comes again, and
its id says that it is the same."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.looks import wait_until_whole
from tests.flows.rest import wait_for
from tests.flows.telling import telling
from tests.servers.http import Behaviour, HttpServer, Received, answer
from tests.servers.listening import Connection

pytestmark = pytest.mark.platform

# A claim of a process that died runs out after 45 s.
LEASE_SECONDS = 90.0


def test_a_message_whose_sender_was_killed_comes_again_with_the_same_id(portal: RunningPortal) -> None:
    with telling(portal) as story, held_receiver() as (receiver, release):
        hook = story.channel("Machine", "webhook", {"url": receiver.url("/hook")})
        story.route("Story", [hook["id"]])
        shop = story.service("Shop")
        story.wait_until("operational", shop)

        story.fail(shop)
        wait_for(lambda: receiver.received, "the message to be in the receiver's hands", 30)
        portal.processes.kill("worker")
        release.set()
        wait_for(lambda: len(receiver.received) > 1, "the message to come again", LEASE_SECONDS)
        story.heal(shop)
        wait_for(lambda: len(receiver.received) > 2, "the end to be told", LEASE_SECONDS)
        wait_until_whole(portal)

        first, again, resolved = receiver.received
        assert types([first, again, resolved]) == ["incident.opened", "incident.opened", "incident.resolved"]
        assert first.headers["webhook-id"] == again.headers["webhook-id"] != resolved.headers["webhook-id"]
        assert first.body == again.body
        [message] = [row for row in story.messages(hook["id"]) if row["kind"] == "incident.opened"]
        attempts = portal.client.get(f"/api/v1/notifications/{message['id']}/")["attempt_list"]
        assert [row["reason"] for row in attempts] == ["interrupted", "delivered"]


@contextmanager
def held_receiver() -> Iterator[tuple[HttpServer, threading.Event]]:
    """Takes what it is sent and answers nobody before the event is set."""
    release = threading.Event()
    with HttpServer() as receiver:
        receiver.behave("/hook", holding(release, answer(200)))
        try:
            yield receiver, release
        finally:
            release.set()


def holding(release: threading.Event, then: Behaviour) -> Behaviour:
    def behave(connection: Connection, received: Received) -> None:
        release.wait()
        then(connection, received)

    return behave


def types(received: list[Received]) -> list[str]:
    return [json.loads(one.body)["type"] for one in received]
