"""How often an open page is written to, and that it is always written to: one consumer in the test's own event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from channels.testing import WebsocketCommunicator

from apps.accounts.models import User
from apps.catalog.models import Environment
from apps.core import clock
from apps.core.ids import uuid7
from apps.core.news import News
from apps.live.consumers import LiveConsumer
from apps.live.events import MAX_IDS
from apps.live.following import Pace, in_thread
from apps.live.receivers import tell_pages
from tests.live.people import cookie_of, sign_in

OpenPage = Callable[[Pace], Awaitable[WebsocketCommunicator]]


@pytest.fixture
def cookie(alice: User) -> str:
    return cookie_of(sign_in(alice))


@pytest_asyncio.fixture
async def open_page(cookie: str) -> AsyncIterator[OpenPage]:
    """A page of alice's, accepted."""
    pages: list[WebsocketCommunicator] = []

    async def open_one(pace: Pace) -> WebsocketCommunicator:
        headers = [(b"host", b"portal"), (b"origin", b"http://portal"), (b"cookie", cookie.encode())]
        page = WebsocketCommunicator(LiveConsumer.as_asgi(pace=pace), "/ws/live/", headers=headers)
        accepted, _ = await page.connect(timeout=5)
        assert accepted
        pages.append(page)
        return page

    yield open_one
    for page in pages:
        await page.disconnect(timeout=5)


async def hear(page: WebsocketCommunicator, seconds: float = 5) -> list[dict[str, Any]]:
    batch: list[dict[str, Any]] = json.loads(await page.receive_from(timeout=seconds))
    return batch


def tell(environment: UUID, *types: str, ids: int = 1) -> None:
    news = [News(type, tuple(uuid7() for _ in range(ids)), environment, clock.now()) for type in types]
    tell_pages(news=news)


@pytest.fixture
def environment(production: Environment) -> UUID:
    return production.pk


async def test_one_transaction_is_one_message(open_page: OpenPage, environment: UUID) -> None:
    page = await open_page(Pace())

    tell(environment, "target.status", "incident.opened")

    assert [event["type"] for event in await hear(page)] == ["target.status", "incident.opened", "summary"]


async def test_the_first_event_leaves_at_once_and_the_next_ones_are_merged(
    open_page: OpenPage, environment: UUID
) -> None:
    page = await open_page(Pace(window_seconds=0.4))
    loop = asyncio.get_running_loop()
    started = loop.time()

    tell(environment, "check.result")
    await hear(page)
    first_after = loop.time() - started
    for _ in range(30):
        tell(environment, "check.result")
    (merged,) = await hear(page)
    second_after = loop.time() - started

    assert first_after < 0.3
    assert second_after >= 0.4
    assert len(merged["ids"]) == 30


async def test_a_storm_makes_at_most_four_messages_a_second(open_page: OpenPage, environment: UUID) -> None:
    page = await open_page(Pace())
    loop = asyncio.get_running_loop()
    told = 0
    moments: list[float] = []
    ids: set[str] = set()
    last_id = uuid7()

    async def storm() -> None:
        nonlocal told
        until = loop.time() + 1.6
        while loop.time() < until:
            tell(environment, "check.result", "target.status")
            told += 1
            await asyncio.sleep(0.005)
        tell_pages(news=[News("incident.opened", (last_id,), environment, clock.now())])

    storming = asyncio.create_task(storm())
    while str(last_id) not in ids:
        for event in await hear(page):
            ids.update(event["ids"])
        moments.append(loop.time())
    await storming

    assert told > 100
    busiest = max(sum(start <= moment < start + 1 for moment in moments) for start in moments)
    assert busiest <= 4


async def test_a_merged_event_with_too_many_ids_says_fetch_all(open_page: OpenPage, environment: UUID) -> None:
    page = await open_page(Pace(window_seconds=0.4))
    tell(environment, "summary")
    await hear(page)

    for _ in range(3):
        tell(environment, "check.result", ids=MAX_IDS // 2)

    (merged,) = await hear(page)
    assert (merged["type"], merged["ids"]) == ("check.result", [])


async def test_silence_is_broken_by_heartbeats(open_page: OpenPage) -> None:
    page = await open_page(Pace(heartbeat_seconds=0.05))

    assert [await hear(page), await hear(page)] == [[], []]


async def test_the_session_is_looked_at_again_without_any_signal(open_page: OpenPage, alice: User) -> None:
    page = await open_page(Pace(recheck_seconds=0.1))

    await in_thread(User.objects.filter(pk=alice.pk).update, is_active=False)

    assert await page.receive_output(timeout=5) == {"type": "websocket.close", "code": 4401}


async def test_an_environment_made_later_is_heard_as_well(open_page: OpenPage) -> None:
    page = await open_page(Pace())

    made = await in_thread(Environment.objects.create, slug="lab", name="Lab")
    tell(made.pk, "summary")
    tell_pages(news=[News("environment.created", (made.pk,), None, clock.now())])
    assert [event["type"] for event in await hear(page)] == ["environment.created"]

    heard: list[dict[str, Any]] = []
    while not heard:  # the page learns of it a moment after the news
        tell(made.pk, "check.result")
        try:
            heard = await hear(page, 0.5)
        except TimeoutError:
            continue
    assert heard[0]["environment"] == str(made.pk)
