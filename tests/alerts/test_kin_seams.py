"""One cause of many models, at its seams: nobody waits for one that is hushed, gone, slower, or over and seen since."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.alerts.channels.base import Message
from apps.alerts.models import Alert, Notification
from apps.alerts.wording.writing import write
from apps.catalog.models import Provider, Target, TargetStatus
from apps.catalog.services import delete_target, switch_target
from apps.core import clock
from tests.alerts.filling import equals, hush
from tests.alerts.register.opening import channel_for_machines, channel_for_people
from tests.alerts.saying import AT, LINKS, entry, message
from tests.alerts.test_one_cause_of_many_models import fail, held, looked_at, mend, told, wait
from tests.factories import make_model, make_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return make_provider("OpenAI")


@pytest.fixture
def models(provider: Provider) -> list[Target]:
    return [make_model(provider, f"model-{letter}").target for letter in "abcdef"]


def test_many_that_are_hushed_do_not_make_the_next_one_wait_for_each_of_them(models: list[Target]) -> None:
    pager = channel_for_machines()
    Target.objects.filter(pk__in=[model.pk for model in models[:5]]).update(tags=["batch"])
    hush(matchers=[equals("tag", "batch")])
    for model in models:
        fail(model, "invalid_key", "degraded")
    wait()
    assert told(pager) == [("model-f", "firing")]


def test_those_that_are_worked_on_do_not_make_the_next_one_wait(models: list[Target]) -> None:
    pager = channel_for_machines()
    for model in models:
        fail(model, "invalid_key", "degraded")
    TargetStatus.objects.filter(target__in=models[:4]).update(status="maintenance")
    wait()
    assert told(pager) == [("model-e", "firing")]


def test_hushing_the_one_that_was_told_does_not_bring_up_the_next(models: list[Target]) -> None:
    team = channel_for_people()
    for model in models[:3]:
        fail(model, "invalid_key")
    wait()
    assert told(team) == [("model-a", "firing")]
    hush(matchers=[equals("target", "model-a")])
    for _look in range(3):
        wait()
    assert len(told(team)) == 1


def test_what_fails_on_after_the_providers_own_alert_waits_for_its_next_look_too(
    provider: Provider, models: list[Target]
) -> None:
    """The models failed first; the provider, which is looked at more often, spoke for them and is well again."""
    pager = channel_for_machines()
    looked_at(provider.target)
    TargetStatus.objects.filter(target=provider.target).update(
        status="operational", last_result_at=clock.now() - timedelta(minutes=1)
    )
    for model in models[:2]:
        fail(model, "invalid_key", "degraded")
    looked_at(*models)
    wait()
    own = fail(provider.target, "invalid_key", "degraded")
    looked_at(provider.target)
    wait()
    mend(own)
    looked_at(provider.target)
    wait()
    assert told(pager) == [("OpenAI", "firing"), ("OpenAI", "resolved")]
    assert held(pager) == {"model-a": "same_cause", "model-b": "same_cause"}
    looked_at(models[0])
    wait()
    assert told(pager)[2:] == [("model-a", "firing")], "this one was looked at since and fails on"


def test_what_waited_for_one_that_began_later_waits_for_its_next_look_when_that_is_over(models: list[Target]) -> None:
    """Hushed at first, it was not the one to be told; when the silence ends, what was told speaks for it."""
    pager = channel_for_machines()
    silence = hush(matchers=[equals("target", "model-a")])
    fail(models[0], "invalid_key", "degraded", ago=30)
    wait()
    later = fail(models[1], "invalid_key", "degraded")
    looked_at(*models)
    wait()
    silence.ends_at = clock.now() - timedelta(seconds=1)
    silence.save(update_fields=["ends_at"])
    wait()
    mend(later)
    wait()
    assert told(pager) == [("model-b", "firing"), ("model-b", "resolved")]
    looked_at(models[0])
    wait()
    assert told(pager)[2:] == [("model-a", "firing")]


def test_one_that_is_told_later_does_not_hold_one_that_is_told_sooner(models: list[Target]) -> None:
    team = channel_for_people()
    fail(models[0], "invalid_key", "degraded", ago=2)
    fail(models[1], "invalid_key", "degraded", ago=1)
    wait()
    Alert.objects.filter(target=models[1]).update(hold_seconds=0)
    wait()
    assert told(team) == [("model-b", "firing")]


@pytest.mark.parametrize("way", ["deleted", "paused"])
def test_one_whose_target_is_gone_or_paused_speaks_for_nobody_any_more(models: list[Target], way: str) -> None:
    pager = channel_for_machines()
    for model in models[:2]:
        fail(model, "invalid_key", "degraded")
    wait()
    assert told(pager) == [("model-a", "firing")]
    if way == "deleted":
        delete_target(actor=None, target=models[0])
    else:
        switch_target(actor=None, target=models[0], enabled=False)
    TargetStatus.objects.filter(target=models[1]).update(status="degraded")
    wait()
    looked_at(models[1])
    wait()
    assert ("model-b", "firing") in told(pager)


def test_pausing_all_of_them_brings_up_none(models: list[Target]) -> None:
    pager = channel_for_machines()
    for model in models[:3]:
        fail(model, "invalid_key", "degraded")
    wait()
    for model in models[:3]:
        switch_target(actor=None, target=model, enabled=False)
    for _look in range(2):
        wait()
    assert told(pager) == [("model-a", "firing")]


def test_a_message_says_for_how_many_models_it_is_told(models: list[Target]) -> None:
    pager, team = channel_for_machines(), channel_for_people()
    hush(matchers=[equals("target", "model-f")])
    for model in models:
        fail(model, "invalid_key")
    wait()
    [to_machine] = Notification.objects.filter(channel=pager)
    [to_people] = Notification.objects.filter(channel=team)
    assert to_machine.payload["data"]["alert"]["same_cause"] == 4, "nobody asked to hear of the sixth"
    [told_of] = to_people.payload["data"]["alerts"]
    assert told_of["same_cause"] == 4


@pytest.mark.parametrize(
    ("kind", "number", "english"),
    [
        ("model", 1, "1 more model of A<b> fails for the same reason"),
        ("model", 1_204, "1,204 more models of A<b> fail for the same reason"),
        ("provider", 2, "2 models of A<b> fail for the same reason"),
    ],
)
def test_how_many_fail_for_the_same_reason_is_a_line_of_the_message(kind: str, number: int, english: str) -> None:
    target: dict[str, Any] = {
        "id": "t",
        "kind": kind,
        "name": "A<b>",
        "provider": None,
        "url": "https://portal.example",
    }
    if kind == "model":
        target |= {"name": "sonnet", "provider": {"id": "p", "name": "A<b>"}}
    assert write(message(entry(target=target, same_cause=number))).lines[0].details[0] == english
    for nothing in ({"same_cause": 0}, {}, {"same_cause": True}, {"same_cause": "4"}):
        details = write(message(entry(target=target, **nothing))).lines[0].details
        assert not any("same reason" in detail for detail in details)
    data = {"incident": {"severity": "outage"}, "target": target, "alert": {"same_cause": number}, "sequence": 1}
    step = Message("n1", "incident.opened", AT, AT, data, links=LINKS)
    assert english in write(step).lines[0].details, "what was made for a machine is worded alike"
