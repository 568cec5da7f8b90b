"""A silence hushes: what is over before it ends is never told, what still fails then is told at its end."""

from __future__ import annotations

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.rest import wait_for
from tests.flows.telling import PATIENCE_SECONDS, telling, words
from tests.servers.chat import slack

pytestmark = pytest.mark.platform


def test_the_end_of_a_silence_tells_what_it_hushed_and_still_fails(portal: RunningPortal) -> None:
    with telling(portal) as story, slack() as chat:
        room = story.channel("Room", "slack", {"url": chat.hook})["id"]
        story.route("Story", [room], group_wait_seconds=0, group_interval_seconds=1)
        lasting, passing = story.service("Shop"), story.service("Search")
        story.wait_until("operational", lasting, passing)

        silence = story.silence()
        story.fail(lasting, passing)
        for service in (lasting, passing):
            story.wait_for_decision(service, room, "held", "silenced")
        story.heal(passing)
        story.wait_for_decision(passing, room, "dropped", "never_told")
        assert chat.messages == []

        portal.client.post(f"/api/v1/silences/{silence}/end/")
        wait_for(lambda: chat.messages, "what still fails to be told", PATIENCE_SECONDS)
        story.heal(lasting)
        wait_for(lambda: len(chat.messages) > 1, "its end to be told", PATIENCE_SECONDS)

        assert [row["state"] for row in story.messages(room)] == ["sent", "sent"]
        assert all(f"Shop {story.tag}" in words(message) for message in chat.messages)
        assert not any("Search" in words(message) for message in chat.messages)
        assert chat.complaints == []
