"""Stories of telling: services that break together, real receivers, and routes that lead the one to the others.

Every service of a story carries a tag of its own, and the story's route takes only that, so that what other stories of
the same portal do is told elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from standardwebhooks import Webhook

from tests.flows.conftest import RunningPortal
from tests.flows.rest import wait_for
from tests.flows.servers import Receiver
from tests.servers.http import HttpServer, answer

INTERVAL_SECONDS = 1
# Nothing here takes this long on a quiet machine; a loaded one may be slow, and slow is not wrong.
PATIENCE_SECONDS = 60.0


@dataclass
class Story:
    """Services, channels and routes, all removed at the end. `targets` is the one server behind all services."""

    portal: RunningPortal
    targets: HttpServer
    tag: str
    _made: list[str] = field(default_factory=list)

    def service(self, name: str, *, depends_on: list[str] | None = None) -> str:
        """A service that is looked at each second and believed at once; returns its id."""
        client = self.portal.client
        service = self._make("services", {"name": f"{name} {self.tag}", "tags": [self.tag]})["id"]
        if depends_on:
            answered = client.call("PATCH", f"/api/v1/services/{service}/", {"depends_on": depends_on})
            assert answered.status == 200, answered
        check = {
            "target": service,
            "kind": "http",
            "config": {
                "url": self.targets.url(f"/{service}"),
                "conditions": [{"field": "status", "operator": "==", "value": 200}],
            },
            "interval_seconds": INTERVAL_SECONDS,
            "timeout_seconds": 1,
            "failure_threshold": 1,
        }
        client.post("/api/v1/checks/", check)
        return str(service)

    def channel(self, name: str, kind: str, config: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """A channel as the API shows it once, with the secret that was made for it."""
        return self._make("channels", {"name": f"{name} {self.tag}", "kind": kind, "config": config, **fields})

    def route(self, name: str, channels: list[str], *matchers: tuple[str, str, str], **fields: Any) -> str:
        """A route; without a parent it takes what carries the story's tag. Returns its id."""
        ours = [] if "parent" in fields else [("tag", "=", self.tag)]
        written = [{"label": label, "operator": sign, "value": value} for label, sign, value in [*ours, *matchers]]
        body = {"name": f"{name} {self.tag}", "channels": channels, "matchers": written, **fields}
        return str(self._make("routes", body)["id"])

    def silence(self, minutes: int = 30) -> str:
        """Hush everything of the story; returns the silence's id."""
        body = {
            "matchers": [{"label": "tag", "operator": "=", "value": self.tag}],
            "ends_at": (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat(),
            "comment": "Known: the story says so.",
        }
        return str(self.portal.client.post("/api/v1/silences/", body)["id"])

    def fail(self, *services: str) -> None:
        for service in services:
            self.targets.behave(f"/{service}", answer(503))

    def heal(self, *services: str) -> None:
        for service in services:
            self.targets.behave(f"/{service}", answer(200))

    def wait_until(self, status: str, *services: str) -> None:
        """Until each of them has this status."""
        path = f"/api/v1/services/?tag={self.tag}&limit=200"

        def reached() -> bool:
            found = {row["id"]: row["status"] for row in self.portal.client.get(path)["results"]}
            return all(found.get(service) == status for service in services)

        wait_for(reached, f"{len(services)} services to be {status}", PATIENCE_SECONDS)

    def alert(self, service: str) -> dict[str, Any]:
        """The newest alert of a service's status, once there is one."""
        path = f"/api/v1/alerts/?target={service}&cause=status"
        rows = wait_for(lambda: self.portal.client.get(path)["results"], "an alert", PATIENCE_SECONDS)
        return dict(rows[0])

    def decisions(self, service: str, channel: str) -> list[tuple[str, str]]:
        """(outcome, reason) of everything that was decided for a channel about a service's newest alert."""
        why = self.portal.client.get(f"/api/v1/alerts/{self.alert(service)['id']}/why/")
        stories = [story for story in why["channels"] if story["channel"] and story["channel"]["id"] == channel]
        return [(one["outcome"], one["reason"]) for story in stories for one in story["decisions"]]

    def wait_for_decision(self, service: str, channel: str, outcome: str, reason: str) -> None:
        wait_for(
            lambda: (outcome, reason) in self.decisions(service, channel),
            f"{outcome} {reason} for {channel}",
            PATIENCE_SECONDS,
        )

    def messages(self, channel: str) -> list[dict[str, Any]]:
        """Every message made for a channel, oldest first."""
        rows = self.portal.client.get(f"/api/v1/notifications/?channel={channel}&limit=200")["results"]
        return sorted(rows, key=lambda row: row["id"])

    def _make(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = self.portal.client.post(f"/api/v1/{what}/", body)
        self._made.append(f"/api/v1/{what}/{made['id']}/")
        return made

    def close(self) -> None:
        """Routes first: a channel that was in one would else hear of everything."""
        for path in sorted(self._made, key=lambda path: ("/routes/" not in path, "/channels/" not in path)):
            self.portal.client.call("DELETE", path)


@contextmanager
def telling(portal: RunningPortal) -> Iterator[Story]:
    """A story with a tag of its own, and nothing of it left behind."""
    with HttpServer() as targets:
        story = Story(portal, targets, f"story-{uuid4().hex[:8]}")
        try:
            yield story
        finally:
            story.close()


def verified(receiver: Receiver, secret: str) -> list[dict[str, Any]]:
    """Every message, each with a signature that the reference library accepts, with its `webhook-id` as "id"."""
    return [
        {**Webhook(secret).verify(body.decode(), headers), "id": headers["webhook-id"]}
        for headers, body in receiver.received
    ]


def steps(receiver: Receiver, secret: str) -> list[tuple[str, str]]:
    """(type, target id) of every incident's message, in the order of arrival."""
    messages = verified(receiver, secret)
    return [(one["type"], one["data"]["target"]["id"]) for one in messages if one["type"].startswith("incident.")]


def words(message: object) -> str:
    """All that a message says, in one text."""
    return json.dumps(message, ensure_ascii=False)
