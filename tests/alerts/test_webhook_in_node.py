"""What the portal sends is verified by the library that receivers written for Node use."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from apps.alerts.channels.webhook import new_secret
from tests.alerts.world import deliver, happen, make_channel, make_incident
from tests.servers.http import HttpServer
from tests.servers.node import PACKAGES, node

SCRIPT = PACKAGES.parent / "verify.mjs"


def verified(secret: str, requests: list[dict[str, Any]]) -> list[Any]:
    """What the library makes of each request: its event, or None."""
    given = json.dumps({"secret": secret, "requests": requests})
    ran = subprocess.run([node(), SCRIPT], input=given, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    answers: list[Any] = json.loads(ran.stdout)
    return answers


@pytest.mark.django_db
def test_node_receivers_verify_what_we_send_and_nothing_else(receiver: HttpServer) -> None:
    secret = new_secret()
    make_channel(receiver.url("/hook"), secret=secret)
    incident = make_incident("상점 \U0001f6d2")
    happen(incident, "resolved", to="operational")
    deliver()
    sent: list[dict[str, Any]] = [
        {"headers": dict(each.headers), "body": each.body.decode()} for each in receiver.received
    ]
    assert len(sent) == 2
    forged = {**sent[0], "body": sent[0]["body"].replace("outage", "degraded")}
    old = {**sent[0], "headers": {**sent[0]["headers"], "webhook-timestamp": "1700000000"}}
    opened, resolved, *refused = verified(secret, [*sent, forged, old])
    assert (opened["type"], resolved["type"]) == ("incident.opened", "incident.resolved")
    assert opened["data"]["target"]["name"] == "상점 \U0001f6d2"
    assert refused == [None, None]
    assert verified(new_secret(), sent) == [None, None]
