"""One cause of many models is one message: a key that is refused, an address where nobody answers, a cap."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.rest import wait_for
from tests.flows.servers import Receiver, webhook_receiver
from tests.flows.telling import PATIENCE_SECONDS, Story, telling, verified
from tests.servers.chat import slack
from tests.servers.model_server import ModelServer

pytestmark = pytest.mark.platform

KEY, OTHER_KEY = "a-key-that-works", "a-key-that-came-later"
MODELS = tuple(f"model-{letter}" for letter in "abcde")
# Rules are evaluated every 15 s, and what is held is looked at again within 60 s.
LOOK_AGAIN_SECONDS = 120.0


@dataclass
class Family:
    """A provider, its models with two checks each, and whoever hears of them."""

    story: Story
    provider: str
    models: list[str]
    machine: Receiver
    secret: str
    people: Any
    channels: tuple[str, str]

    def told(self) -> list[tuple[str, str]]:
        """(type, target) of every message the machine got, in the order of arrival."""
        messages = [(one["type"], one["data"]) for one in verified(self.machine, self.secret)]
        return [(kind, (data.get("target") or data["alert"]["target"])["id"]) for kind, data in messages]

    def statuses(self) -> dict[str, tuple[str, str]]:
        """Status and reason of the models, and of the provider."""
        client = self.story.portal.client
        rows = [*client.get(f"/api/v1/models/?provider={self.provider}")["results"]]
        rows.append(client.get(f"/api/v1/providers/{self.provider}/"))
        return {row["id"]: (row["status"], row["reason"]) for row in rows}

    def wait_until(self, status: str, *, reason: str = "", targets: list[str] | None = None) -> None:
        def reached() -> bool:
            found = self.statuses()
            return all(
                found[target][0] == status and reason in ("", found[target][1]) for target in targets or self.models
            )

        wait_for(reached, f"all to be {status} {reason}", PATIENCE_SECONDS)

    def wait_until_decided(self, model: str, *reasons: str) -> None:
        """Until it is written down for both channels why they were not told of a model."""

        def decided() -> bool:
            return all(
                self.story.decisions(model, channel)[-1:] and self.story.decisions(model, channel)[-1][1] in reasons
                for channel in self.channels
            )

        wait_for(decided, f"{model} to be held by {reasons}", LOOK_AGAIN_SECONDS)


@contextmanager
def family(
    portal: RunningPortal, server: ModelServer, *, with_list: bool = False, dollars: str = "0", **provider: Any
) -> Iterator[Family]:
    """Five models with a free and a paid check each. `with_list`: the provider's own list is looked at, too; `dollars`
    are the price of a million tokens."""
    with telling(portal) as story, webhook_receiver() as machine, slack() as chat:
        hook = story.channel("Machine", "webhook", {"url": f"{machine.url}/hook"})
        room = story.channel("Room", "slack", {"url": chat.hook})["id"]
        story.route("Story", [hook["id"], room])
        # People hear of what is degraded after a quarter of an hour, which is longer than a story takes.
        rule = {
            "name": f"At once {story.tag}",
            "kind": "status",
            "config": {"statuses": ["degraded"]},
            "severity": "critical",
            "matchers": [{"label": "tag", "operator": "=", "value": story.tag}],
        }
        story._make("rules", rule)
        body = {
            "name": f"Provider {story.tag}",
            "dialect": "openai",
            "base_url": server.base_url("openai"),
            "api_key": KEY,
            "paid_at_once": 100,
            "tags": [story.tag],
            **provider,
        }
        made = story._make("providers", body)["id"]
        models = [story._make("models", {"provider": made, "name": name, "tags": [story.tag]})["id"] for name in MODELS]
        price = {"provider": made, "input_per_million": dollars, "output_per_million": dollars}
        for name in MODELS if dollars != "0" else ():
            portal.client.post("/api/v1/prices/", {**price, "model": name})
        for target in models:
            look(story, target, "ai_models")
            look(story, target, "ai_ping")
        if with_list:
            look(story, made, "ai_models")
        yield Family(story, made, models, machine, hook["config"]["secret"], chat, (hook["id"], room))


def look(story: Story, target: str, kind: str) -> None:
    body = {"target": target, "kind": kind, "interval_seconds": 2, "timeout_seconds": 2, "failure_threshold": 1}
    story.portal.client.post("/api/v1/checks/", {**body, "name": f"{kind} {uuid4().hex[:6]}"})


@pytest.mark.parametrize("with_list", [False, True], ids=["models alone", "with the provider's list"])
def test_a_key_that_is_refused_is_told_once_and_so_is_its_end(portal: RunningPortal, with_list: bool) -> None:
    with ModelServer(key=KEY, models=MODELS) as server, family(portal, server, with_list=with_list) as ours:
        everybody = [*ours.models, *([ours.provider] if with_list else [])]
        ours.wait_until("operational", targets=everybody)
        server.key = OTHER_KEY
        ours.wait_until("degraded", reason="invalid_key", targets=everybody)
        wait_for(lambda: ours.told() and ours.people.messages, "somebody to be told", LOOK_AGAIN_SECONDS)
        [(step, first)] = ours.told()
        assert step == "incident.opened"
        assert first == ours.provider if with_list else first in ours.models
        for model in everybody:
            if model != first:
                ours.wait_until_decided(model, "same_cause")

        changed = portal.client.call("PATCH", f"/api/v1/providers/{ours.provider}/", {"api_key": OTHER_KEY})
        assert changed.status == 200, changed
        ours.wait_until("operational", targets=everybody)
        wait_for(lambda: len(ours.told()) > 1 and len(ours.people.messages) > 1, "the end", LOOK_AGAIN_SECONDS)
        for model in everybody:
            if model != first:
                ours.wait_until_decided(model, "never_told")
        assert ours.told() == [("incident.opened", first), ("incident.resolved", first)]
        assert len(ours.people.messages) == 2 and ours.people.complaints == []


@pytest.mark.parametrize("with_list", [False, True], ids=["models alone", "with the provider's list"])
def test_a_provider_where_nobody_answers_is_told_once(portal: RunningPortal, with_list: bool) -> None:
    server = ModelServer(key=KEY, models=MODELS)
    with server, family(portal, server, with_list=with_list) as ours:
        everybody = [*ours.models, *([ours.provider] if with_list else [])]
        ours.wait_until("operational", targets=everybody)
        server.close()
        ours.wait_until("outage", targets=everybody)
        wait_for(lambda: ours.told() and ours.people.messages, "somebody to be told", LOOK_AGAIN_SECONDS)
        [(_step, first)] = ours.told()
        for model in everybody:
            if model != first:
                ours.wait_until_decided(model, "parent_down", "same_cause")
        assert [step for step, _target in ours.told()] == ["incident.opened"]
        assert len(ours.people.messages) == 1


def test_a_cap_that_is_reached_is_told_once_and_no_model_is(portal: RunningPortal) -> None:
    with ModelServer(key=KEY, models=MODELS) as server, family(portal, server, dollars="9000", monthly_cap="1") as ours:
        wait_for(lambda: budget_of(ours)["state"] == "spent", "the cap to be reached", PATIENCE_SECONDS)
        wait_for(lambda: "critical" in severities(ours), "the cap to be told", LOOK_AGAIN_SECONDS)
        assert severities(ours) in (["critical"], ["warning", "critical"]), "80 % once, the cap once"
        assert {target for _type, target in ours.told()} == {ours.provider}
        assert {step for step, _target in ours.told()} == {"alert.firing"}
        for model in ours.models:
            assert portal.client.get(f"/api/v1/alerts/?target={model}")["results"] == []


def budget_of(ours: Family) -> dict[str, Any]:
    rows = ours.story.portal.client.get("/api/v1/budgets/")["results"]
    return next(dict(row) for row in rows if row["provider"] == ours.provider)


def severities(ours: Family) -> list[str]:
    return [one["data"]["alert"]["severity"] for one in verified(ours.machine, ours.secret)]
