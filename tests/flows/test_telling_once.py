"""One outage, one message: by mail, in a chat and to a machine, each as the tree of routes says."""

from __future__ import annotations

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.rest import wait_for
from tests.flows.servers import webhook_receiver
from tests.flows.telling import PATIENCE_SECONDS, steps, telling, words
from tests.servers.chat import slack
from tests.servers.mail import MailServer

pytestmark = pytest.mark.platform


def test_an_outage_is_told_once_to_everybody_whom_the_tree_names(portal: RunningPortal) -> None:
    with telling(portal) as story, MailServer() as mail, slack() as chat, webhook_receiver() as machine:
        letters = story.channel("Mail", "email", letter_box(mail.port), language="ko", time_zone="Asia/Seoul")["id"]
        room = story.channel("Room", "slack", {"url": chat.hook})["id"]
        hook = story.channel("Machine", "webhook", {"url": f"{machine.url}/hook"})
        top = story.route("Story", [letters], group_by=["target"], group_wait_seconds=0, group_interval_seconds=1)
        story.route("Critical", [letters, room], ("severity", "=", "critical"), parent=top, continue_matching=True)
        story.route("Machines", [hook["id"]], parent=top, position=1)
        shop = story.service("Shop")
        story.wait_until("operational", shop)

        story.fail(shop)
        wait_for(lambda: mail.letters and chat.messages and machine.received, "everybody to hear", PATIENCE_SECONDS)
        story.heal(shop)
        wait_for(
            lambda: len(mail.letters) > 1 and len(chat.messages) > 1, "everybody to hear the end", PATIENCE_SECONDS
        )
        wait_for(lambda: len(machine.received) > 1, "the machine to hear the end", PATIENCE_SECONDS)

        # All that was ever made for them was one message for each of the two steps.
        for channel in (letters, room, hook["id"]):
            assert [row["state"] for row in story.messages(channel)] == ["sent", "sent"]
        assert steps(machine, hook["config"]["secret"]) == [("incident.opened", shop), ("incident.resolved", shop)]
        assert len(mail.letters) == len(chat.messages) == 2
        assert chat.complaints == []
        opened, resolved = mail.letters
        assert f"Shop {story.tag}" in opened.part("plain") and f"Shop {story.tag}" in opened.part("html")
        assert "상태 코드가 503입니다" in opened.part("plain"), "in the channel's language"
        assert resolved.message["References"], "the end is in the conversation of the beginning"
        assert all(f"Shop {story.tag}" in words(message) for message in chat.messages)


def letter_box(port: int) -> dict[str, object]:
    """The configuration of a mail channel that writes to a server of this machine."""
    return {
        "server": "127.0.0.1",
        "port": port,
        "security": "none",
        "from_address": "portal@example.com",
        "to": ["ops@example.com"],
    }
