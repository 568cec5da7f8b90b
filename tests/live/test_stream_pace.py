"""Heartbeats of an event stream, and its right to go on asked again: the view in the test's own event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.test import AsyncRequestFactory

from apps.accounts.models import ApiToken, User
from apps.live.following import Pace, in_thread
from apps.live.sse import events_view
from tests.factories import make_token


@pytest.fixture
def token(alice: User) -> str:
    return make_token(alice)


async def open_stream(token: str, pace: Pace) -> AsyncIterator[bytes]:
    request = AsyncRequestFactory().get("/api/v1/events/", headers={"Authorization": f"Bearer {token}"})
    response: Any = await events_view(pace)(request)
    assert isinstance(response, StreamingHttpResponse)
    chunks: Any = response.streaming_content
    assert (await anext(chunks)).startswith(b"retry: ")
    return aiter(chunks)


async def test_silence_is_broken_by_comments(token: str) -> None:
    chunks = await open_stream(token, Pace(heartbeat_seconds=0.05))

    assert [await anext(chunks), await anext(chunks)] == [b": heartbeat\n\n", b": heartbeat\n\n"]


async def test_a_token_that_ended_without_any_signal_ends_its_stream(token: str) -> None:
    chunks = await open_stream(token, Pace(recheck_seconds=0.1))

    await in_thread(ApiToken.objects.all().delete)

    with pytest.raises(StopAsyncIteration):
        await anext(chunks)
