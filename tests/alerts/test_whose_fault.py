"""What is ours (a key, a bill) and what is the provider's reach different people."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import User
from apps.alerts.models import Alert, AlertDecision, Channel
from apps.alerts.routes.services import create_route
from apps.alerts.routing import route_all
from apps.catalog.models import Target
from apps.checks.models import Incident
from apps.core import clock
from tests.alerts.filling import equals, hush
from tests.alerts.register.opening import channel_for_machines
from tests.alerts.world import happen
from tests.factories import api_client, make_model, make_provider, make_service

pytestmark = pytest.mark.django_db


def fail(target: Target, reason: str, to: str = "outage") -> None:
    """An incident of this reason, routed."""
    incident = Incident.objects.create(target=target, severity=to, reason=reason, opened_at=clock.now())
    happen(incident, "opened", to=to)
    incident.events.update(change={"from": "operational", "to": to, "reason": reason, "evidence": {}})
    route_all()


def told(channel: Channel) -> set[str]:
    """The names of the targets whose alerts went to the channel."""
    sent = AlertDecision.objects.filter(channel=channel, outcome="sent")
    return set(sent.values_list("alert__target__name", flat=True))


def lead(name: str, *matchers: dict[str, str]) -> Channel:
    channel = channel_for_machines(name)
    create_route(actor=None, name=name, matchers=list(matchers), channels=[channel])
    return channel


def test_keys_and_bills_go_to_whoever_keeps_them_and_the_rest_to_whoever_is_on_call() -> None:
    keeper, on_call = lead("Keeper", equals("fault", "ours")), lead("On call", equals("fault", "theirs"))
    network = lead("Network", {"label": "error_class", "operator": "=~", "value": "network|connect_timeout"})
    provider = make_provider("OpenAI")
    reasons = {
        "invalid_key": "degraded",
        "billing": "degraded",
        "quota_exhausted": "degraded",
        "overloaded": "outage",
        "server_error": "outage",
        "dns_not_found": "outage",
    }
    for reason, to in reasons.items():
        fail(make_model(provider, reason).target, reason, to)
    assert told(keeper) == {"invalid_key", "billing", "quota_exhausted"}
    assert told(on_call) == {"overloaded", "server_error"}
    assert told(network) == {"dns_not_found"}
    labels = Alert.objects.get(target__name="billing").labels
    assert (labels["error_class"], labels["fault"]) == ("billing", "ours")


def test_only_what_is_asked_with_a_key_has_somebody_whose_fault_it_is() -> None:
    fail(make_service("Shop").target, "timeout")
    labels = Alert.objects.get().labels
    assert (labels["error_class"], labels["fault"]) == ("", "")


def test_a_silence_hushes_what_is_theirs_and_leaves_what_is_ours() -> None:
    pager = channel_for_machines()
    hush(matchers=[equals("fault", "theirs"), equals("provider", "OpenAI")])
    provider = make_provider("OpenAI")
    fail(make_model(provider, "down").target, "overloaded")
    fail(make_model(provider, "key").target, "invalid_key", "degraded")
    assert told(pager) == {"key"}


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ({"fault": "ours"}, ["Keeper"]),
        ({"reason": "invalid_key"}, ["Keeper"]),
        ({"reason": "overloaded"}, []),
        ({}, []),
    ],
)
def test_who_would_be_told_knows_whose_fault_a_reason_is(
    viewer: User, labels: dict[str, Any], names: list[str]
) -> None:
    lead("Keeper", equals("fault", "ours"))
    question = {"target": str(make_model().target.pk), "severity": "warning", "labels": labels}
    answer = api_client(viewer).post("/api/v1/routes/simulate/", question, format="json")
    assert answer.status_code == 200, answer.json()
    assert [entry["channel"]["name"] for entry in answer.json()["channels"]] == names


def test_a_route_for_what_is_ours_reaches_somebody_and_is_not_warned_of() -> None:
    make_model()
    _route, warnings = create_route(
        actor=None, name="Ours", matchers=[equals("fault", "ours")], channels=[channel_for_machines("Keeper")]
    )
    assert warnings == []
    _route, warnings = create_route(actor=None, name="Theirs", matchers=[equals("fault", "theirs")])
    assert any("reaches no channel" in warning for warning in warnings)
