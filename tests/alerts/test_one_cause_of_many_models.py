"""What all models of a provider share (its key, its account, its address) is told once for all of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.alerts.models import Alert, AlertDecision, AlertEvent, AlertGroup, Channel
from apps.alerts.routes.services import create_route
from apps.alerts.routing import route_all
from apps.catalog.models import Provider, Target, TargetStatus
from apps.checks.models import Incident
from apps.core import clock
from tests.alerts.filling import equals, hush
from tests.alerts.register.opening import channel_for_machines, channel_for_people
from tests.alerts.world import happen
from tests.factories import make_model, make_provider, make_service

pytestmark = pytest.mark.django_db


def fail(target: Target, reason: str, to: str = "outage", *, ago: float = 0) -> Incident:
    """An incident that nobody was told of; `ago` in minutes."""
    at = clock.now() - timedelta(minutes=ago)
    incident = Incident.objects.create(target=target, severity=to, reason=reason, opened_at=at)
    happen(incident, "opened", to=to)
    incident.events.update(change={"from": "operational", "to": to, "reason": reason, "evidence": {}})
    return incident


def mend(incident: Incident) -> None:
    incident.resolved_at = clock.now()
    incident.save(update_fields=["resolved_at"])
    happen(incident, "resolved", to="operational")


def looked_at(*targets: Target) -> None:
    TargetStatus.objects.filter(target__in=targets).update(last_result_at=clock.now())


def wait() -> None:
    """As if the next look at what is held had come."""
    AlertGroup.objects.filter(due_at__isnull=False).update(due_at=clock.now() - timedelta(seconds=1))
    route_all()


def told(channel: Channel) -> list[tuple[str, str]]:
    """(target, step) of every message, oldest first."""
    sent = AlertDecision.objects.filter(channel=channel, outcome="sent").order_by("pk")
    return [
        (decision.alert.target.name, _step(decision))
        for decision in sent.select_related("alert__target")
        if decision.alert.target
    ]


def _step(decision: AlertDecision) -> str:
    return AlertEvent.objects.get(alert=decision.alert_id, sequence=decision.sequence).kind


def held(channel: Channel) -> dict[str, str]:
    """Why each target's alert was last kept from a channel."""
    rows = AlertDecision.objects.filter(channel=channel).exclude(outcome="sent").order_by("pk")
    return {str(row.alert.labels["target"]): row.reason for row in rows.select_related("alert")}


@pytest.fixture
def provider() -> Provider:
    return make_provider("OpenAI")


@pytest.fixture
def models(provider: Provider) -> list[Target]:
    return [make_model(provider, f"model-{letter}").target for letter in "abcde"]


@pytest.mark.parametrize("reason", ["invalid_key", "billing", "quota_exhausted", "connect_refused", "connect_timeout"])
def test_one_message_stands_for_all_models_and_one_for_their_end(models: list[Target], reason: str) -> None:
    pager = channel_for_machines()
    incidents = [fail(model, reason) for model in models]
    route_all()
    assert told(pager) == [("model-a", "firing")]
    assert held(pager) == dict.fromkeys(["model-b", "model-c", "model-d", "model-e"], "same_cause")
    for incident in incidents:
        mend(incident)
        route_all()
        looked_at(incident.target)
        wait()
    assert told(pager) == [("model-a", "firing"), ("model-a", "resolved")]
    assert set(held(pager).values()) == {"never_told"}
    assert not AlertGroup.objects.exists(), "nothing is left to look at"


@pytest.mark.parametrize("reason", ["overloaded", "server_error", "model_not_found", "first_token_timeout"])
def test_what_may_be_one_models_own_is_told_of_each(models: list[Target], reason: str) -> None:
    pager = channel_for_machines()
    for model in models:
        fail(model, reason)
    route_all()
    assert len(told(pager)) == 5


def test_two_keys_and_two_classes_are_two_causes(models: list[Target]) -> None:
    pager = channel_for_machines()
    other = make_model(make_provider("Anthropic"), "claude").target
    for target, reason in ((models[0], "invalid_key"), (models[1], "billing"), (other, "invalid_key")):
        fail(target, reason, "degraded")
    fail(make_service("Shop").target, "connect_refused")
    fail(make_service("Stock").target, "connect_refused")
    route_all()
    assert len(told(pager)) == 5


def test_the_providers_own_alert_is_told_although_a_model_failed_first(
    provider: Provider, models: list[Target]
) -> None:
    pager = channel_for_machines()
    looked_at(provider.target)
    TargetStatus.objects.filter(target=provider.target).update(status="operational")
    TargetStatus.objects.filter(target=provider.target).update(last_result_at=clock.now() - timedelta(minutes=1))
    for model in models[:2]:
        fail(model, "invalid_key", "degraded")
    route_all()
    assert set(held(pager).values()) == {"waiting_for_parent"}
    fail(provider.target, "invalid_key", "degraded")
    looked_at(provider.target)
    route_all()
    wait()
    assert told(pager) == [("OpenAI", "firing")]
    assert held(pager) == {"model-a": "same_cause", "model-b": "same_cause"}


def test_a_provider_that_is_down_is_told_and_its_models_are_not(provider: Provider, models: list[Target]) -> None:
    pager = channel_for_machines()
    fail(provider.target, "server_error")
    for model in models:
        fail(model, "server_error")
    route_all()
    assert told(pager) == [("OpenAI", "firing")]
    assert set(held(pager).values()) == {"parent_down"}


def test_what_fails_on_after_the_one_that_was_told_is_over_is_told_once_it_was_looked_at(models: list[Target]) -> None:
    pager = channel_for_machines()
    first, second = (fail(model, "invalid_key", "degraded") for model in models[:2])
    looked_at(*models)
    route_all()
    mend(first)
    wait()
    assert told(pager) == [("model-a", "firing"), ("model-a", "resolved")], "it may be well by now, too"
    looked_at(second.target)
    wait()
    assert told(pager)[-1] == ("model-b", "firing")
    mend(second)
    wait()
    assert told(pager)[-1] == ("model-b", "resolved")


def test_one_that_nobody_is_told_of_does_not_speak_for_the_others(models: list[Target]) -> None:
    pager = channel_for_machines()
    hush(matchers=[equals("target", "model-a")])
    for model in models[:3]:
        fail(model, "invalid_key", "degraded")
    route_all()
    assert told(pager) == [("model-b", "firing")]
    assert (held(pager)["model-a"], held(pager)["model-c"]) == ("silenced", "same_cause")


def test_a_channel_that_hears_of_one_model_only_hears_of_that_one(models: list[Target]) -> None:
    team, rest = channel_for_machines("Team"), channel_for_machines("Rest")
    create_route(actor=None, name="Team", matchers=[equals("target", "model-e")], channels=[team])
    create_route(actor=None, name="Rest", matchers=[], channels=[rest])
    for model in models:
        fail(model, "invalid_key", "degraded")
    route_all()
    assert (told(team), told(rest)) == ([("model-e", "firing")], [("model-a", "firing")])


def test_people_are_told_once_a_quarter_of_an_hour_later(models: list[Target]) -> None:
    team = channel_for_people()
    for number, model in enumerate(models):
        fail(model, "invalid_key", "degraded", ago=16 - number)
    route_all()
    wait()
    assert told(team) == [("model-a", "firing")]
    Alert.objects.update(started_at=clock.now() - timedelta(minutes=20))
    wait()
    assert len(told(team)) == 1
