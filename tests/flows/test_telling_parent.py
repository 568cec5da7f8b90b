"""A parent's outage is the cause: its children are not told of, unless they still fail when it is over."""

from __future__ import annotations

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.rest import wait_for
from tests.flows.servers import webhook_receiver
from tests.flows.telling import PATIENCE_SECONDS, steps, telling

pytestmark = pytest.mark.platform

# What is held is looked at again at least once a minute.
LOOK_AGAIN_SECONDS = 90.0


def test_children_are_held_by_their_parent_and_told_when_they_fail_on_their_own(portal: RunningPortal) -> None:
    with telling(portal) as story, webhook_receiver() as machine:
        hook = story.channel("Machine", "webhook", {"url": f"{machine.url}/hook"})
        channel, secret = hook["id"], hook["config"]["secret"]
        story.route("Story", [channel])
        parent = story.service("Database")
        lasting, passing = (story.service(name, depends_on=[parent]) for name in ("Shop", "Search"))
        story.wait_until("operational", parent, lasting, passing)

        story.fail(lasting, passing, parent)
        story.wait_until("outage", parent, lasting, passing)
        for child in (lasting, passing):
            story.wait_for_decision(child, channel, "held", "parent_down")
        wait_for(lambda: machine.received, "the parent's outage to be told", PATIENCE_SECONDS)
        assert steps(machine, secret) == [("incident.opened", parent)]

        story.heal(passing)
        story.wait_until("operational", passing)
        story.wait_for_decision(passing, channel, "dropped", "never_told")
        story.heal(parent)
        story.wait_until("operational", parent)
        wait_for(
            lambda: ("incident.opened", lasting) in steps(machine, secret), "the child to be told", LOOK_AGAIN_SECONDS
        )
        story.heal(lasting)
        wait_for(lambda: ("incident.resolved", lasting) in steps(machine, secret), "its end", PATIENCE_SECONDS)

        wait_for(lambda: ("incident.resolved", parent) in steps(machine, secret), "the parent's end", PATIENCE_SECONDS)

        # Messages of one incident keep their order; those of two may pass each other on the way.
        told = steps(machine, secret)
        assert told[0] == ("incident.opened", parent)
        assert [step for step, target in told if target == parent] == ["incident.opened", "incident.resolved"]
        assert [step for step, target in told if target == lasting] == ["incident.opened", "incident.resolved"]
        assert {target for _step, target in told} == {parent, lasting}
