"""Forty targets at once: people get a card that counts them, a machine gets every one."""

from __future__ import annotations

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.rest import wait_for
from tests.flows.servers import webhook_receiver
from tests.flows.telling import PATIENCE_SECONDS, steps, telling
from tests.flows.test_telling_once import letter_box
from tests.servers.mail import MailServer

pytestmark = pytest.mark.platform

TARGETS = 40
# As many letters a minute as a person takes one by one; then a card, and a minute of quiet.
ONE_BY_ONE = 5
PAUSE_SECONDS = 60.0


def test_many_outages_at_once_become_a_storm_card(portal: RunningPortal) -> None:
    with telling(portal) as story, MailServer() as mail, webhook_receiver() as machine:
        letters = story.channel("Mail", "email", letter_box(mail.port))["id"]
        hook = story.channel("Machine", "webhook", {"url": f"{machine.url}/hook"})
        # Each alert a group of its own: without the card these would be forty letters.
        story.route("Story", [letters, hook["id"]], group_by=["target"], group_wait_seconds=0)
        services = [story.service(f"Shop {number}") for number in range(TARGETS)]
        story.wait_until("operational", *services)

        story.fail(*services)
        story.wait_until("outage", *services)
        wait_for(
            lambda: all(is_told(story.decisions(service, letters)) for service in services),
            "people to know of all of them",
            PAUSE_SECONDS + PATIENCE_SECONDS,
        )
        wait_for(lambda: len(machine.received) >= TARGETS, "the machine to know of all of them", PATIENCE_SECONDS)

        forms = [form_of(portal, row["id"]) for row in story.messages(letters)]
        assert "storm" in forms
        assert forms.index("storm") <= ONE_BY_ONE, forms
        assert len(forms) <= ONE_BY_ONE + 3, forms
        opened = steps(machine, hook["config"]["secret"])
        assert sorted(opened) == sorted(("incident.opened", service) for service in services)


def is_told(decisions: list[tuple[str, str]]) -> bool:
    return any(outcome == "sent" for outcome, _reason in decisions)


def form_of(portal: RunningPortal, notification: str) -> str:
    message = portal.client.get(f"/api/v1/notifications/{notification}/")
    return str(message["payload"]["data"]["form"])
