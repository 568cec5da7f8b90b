"""Valkey carries news and no facts: while it is away writes go on, and pages learn that they may have missed some."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from websockets.exceptions import InvalidStatus

from apps.accounts.models import User
from apps.catalog.models import Environment
from apps.core.ids import uuid7
from apps.core.news import announce
from apps.live.events import make_event
from apps.live.groups import events_message, group_of
from apps.live.hub import Hub, LayerLostError
from apps.live.sending import Sender
from apps.live.viewers import Viewer, viewer_of_user
from tests.live.clients import Page
from tests.live.people import cookie_of, sign_in
from tests.live.valkey import BreakableValkey
from tests.live.waiting import wait_until
from tests.live.web_process import WebProcess, web_process


@pytest.fixture
def own_web(layer: BreakableValkey, database_name: str) -> Iterator[WebProcess]:
    with web_process(database_name, {"REDIS_URL": layer.url}) as process:
        yield process


def test_a_page_is_closed_comes_back_and_is_told_to_fetch_everything(
    alice: User, production: Environment, layer: BreakableValkey, own_web: WebProcess
) -> None:
    cookie = cookie_of(sign_in(alice))
    page = Page(own_web, cookie=cookie)
    announce("check.result", [uuid7()], production.pk)
    assert page.hear()

    layer.stop()
    assert page.close_code(3) == 4503
    with pytest.raises(InvalidStatus):
        Page(own_web, cookie=cookie)

    started = time.monotonic()
    with transaction.atomic():
        announce("target.status", [uuid7()], production.pk)
        user = User.objects.create_user("written-all-the-same")
    assert time.monotonic() - started < 0.5
    assert User.objects.filter(pk=user.pk).exists()

    layer.start()
    again = open_patiently(own_web, cookie)
    assert [event["type"] for event in again.hear(8)] == ["resync"]
    announce("target.status", [uuid7()], production.pk)
    assert [event["type"] for event in again.hear()] == ["target.status", "summary"]
    again.close()


def open_patiently(web: WebProcess, cookie: str) -> Page:
    """Try again until the socket is accepted, as our pages do."""
    opened: list[Page] = []

    def attempt() -> bool:
        with contextlib.suppress(InvalidStatus):
            opened.append(Page(web, cookie=cookie))
        return bool(opened)

    wait_until(attempt, "the socket to be accepted again")
    return opened[0]


@pytest.mark.parametrize("broken_how", ["stop", "hang"])
def test_handing_over_news_takes_no_time_however_valkey_is_broken(layer: BreakableValkey, broken_how: str) -> None:
    getattr(layer, broken_how)()
    message = events_message([make_event("target.status")])

    with contextlib.closing(Sender()) as sender:
        slowest = 0.0
        for _ in range(200):
            started = time.monotonic()
            sender.send([(group_of(None), message)])
            slowest = max(slowest, time.monotonic() - started)

        assert slowest < 0.2
        assert sender.flush(seconds=5)


@pytest.fixture
def viewer(alice: User, production: Environment) -> Viewer:
    return viewer_of_user(alice)


async def test_a_restart_of_valkey_is_noticed_however_short_it_was(layer: BreakableValkey, viewer: Viewer) -> None:
    hub = Hub()
    await hub.start()
    async with hub.listening(viewer) as listener:
        layer.stop()
        layer.start()
        await until(lambda: listener.lost)
        with pytest.raises(LayerLostError):
            await hub.join(["live.env.another"])


async def test_a_valkey_that_hangs_is_noticed(layer: BreakableValkey, viewer: Viewer) -> None:
    hub = Hub(pulse_seconds=0.1)
    await hub.start()
    async with hub.listening(viewer) as listener:
        layer.hang()
        await until(lambda: listener.lost)
        layer.go_on()


async def test_without_valkey_a_hub_does_not_start_and_says_so_in_time(layer: BreakableValkey) -> None:
    layer.hang()
    started = time.monotonic()

    with pytest.raises(LayerLostError):
        await Hub().start()

    assert time.monotonic() - started < 6
    layer.go_on()


async def until(condition: Any, seconds: float = 8) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)
