"""Rules on models: how soon they begin, how fast they write, and which errors they end with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.alerts.models import Alert
from apps.alerts.rule_kinds.base import RULE_KINDS
from apps.alerts.wording.sentences import CAUSE_WORDS, sentence_of
from apps.catalog.models import Target
from apps.checks.models import Check
from apps.core import kindconfig
from tests.alerts.rules.world import evaluate, firing, heard, look_steadily, measure, now, only_rule
from tests.alerts.saying import entry
from tests.factories import api_client, make_check, make_model, make_provider, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _steady() -> None:
    look_steadily()


def make_streamed(name: str = "swift") -> tuple[Target, Check]:
    target = make_model(make_provider(base_url="https://api.openai.com/v1"), name).target
    check = make_check(target, kind="ai_stream", config={})
    heard(check)
    return target, check


def answered(target: Target, *answers: dict[str, float], **fields: Any) -> None:
    for number, measurements in enumerate(answers):
        measure(target, 900.0, measurements=measurements, ago=timedelta(seconds=10 + number), **fields)


def read(kind: str, *targets: Target, **config: Any) -> dict[str, float | None]:
    chosen = RULE_KINDS.get(kind)
    found = chosen.read(kindconfig.decode(chosen.Config, config), [one.pk for one in targets], now=now())
    names = {target.pk: target.name for target in targets}
    return {names[key]: reading.value for key, reading in found.items() if key is not None}


def test_the_first_token_is_a_percentile_of_the_answers_that_have_one() -> None:
    target, _check = make_streamed()
    answered(target, *({"ttft_ms": float(ms), "answer_ttft_ms": 10.0 * ms} for ms in (100, 200, 300)), {})
    assert read("first_token", target, percentile="p50") == {"swift": 200.0}
    assert read("first_token", target, percentile="p50", first="answer") == {"swift": 2_000.0}
    assert read("tokens_per_second", target) == {}, "none of them was measured"


def test_a_model_that_writes_slowly_is_below_its_level() -> None:
    target, _check = make_streamed()
    answered(target, *({"output_tokens_per_second": speed} for speed in (10.0, 20.0, 30.0)))
    only_rule("Slow writer", kind="tokens_per_second", operator="<", critical_level=25)
    evaluate()
    assert firing() == [("swift", "tokens_per_second", "critical")]
    assert Alert.objects.get().detail["unit"] == "tokens/s"


def test_looks_of_services_have_no_first_token() -> None:
    target = make_service("Shop").target
    make_check(target)
    measure(target, 100.0, measurements={"ttft_ms": 5.0})
    assert read("first_token", target) == {}


def test_errors_are_a_share_of_the_looks_and_carry_the_commonest_reason() -> None:
    target, _check = make_streamed()
    measure(target, *[900.0] * 6)
    measure(target, 50.0, 50.0, state="degraded", reason="rate_limited", ago=timedelta(seconds=60))
    measure(target, 50.0, state="failed", reason="overloaded", ago=timedelta(seconds=90))
    measure(target, 50.0, 50.0, state="indeterminate", reason="worker_late", ago=timedelta(seconds=120))
    measure(target, 50.0, state="degraded", reason="slow", ago=timedelta(seconds=150))
    assert read("ai_errors", target) == {"swift": 30.0}
    assert read("ai_errors", target, faults=["ours"]) == {"swift": 20.0}
    assert read("ai_errors", target, error_classes=["overloaded"]) == {"swift": 10.0}
    assert read("ai_errors", target, error_classes=["overloaded"], faults=["ours"]) == {"swift": 30.0}
    assert read("ai_errors", target, error_classes=["stall"]) == {"swift": 0.0}
    assert read("ai_errors", target, least_looks=11) == {}
    only_rule("Limited", kind="ai_errors", config={"error_classes": ["rate_limit"]}, critical_level=10)
    evaluate()
    alert = Alert.objects.get()
    assert (alert.reason, alert.labels["error_class"], alert.labels["fault"]) == ("rate_limited", "rate_limit", "ours")


@pytest.mark.parametrize("kind", ["first_token", "tokens_per_second"])
def test_a_rule_on_answers_is_tried_over_what_is_stored(operator: User, kind: str) -> None:
    target, _check = make_streamed()
    numbers = {"ttft_ms": 9_000.0, "output_tokens_per_second": 900.0}
    measure(target, 900.0, measurements=numbers, ago=timedelta(hours=5))
    body = {"kind": kind, "critical_level": 100, "days": 1}
    found = api_client(operator).post("/api/v1/rules/backtest/", body, format="json").json()
    assert found["count"] == 1 and found["messages"][0]["target"]["name"] == "swift"


def test_whoever_saves_a_rule_that_nothing_measures_is_told(operator: User) -> None:
    make_service("Shop")
    client = api_client(operator)
    for kind in ("first_token", "ai_errors"):
        body = {"name": kind, "kind": kind, "critical_level": 50}
        made = client.post("/api/v1/rules/", body, format="json").json()
        assert any(warning.startswith("None of these targets is a model") for warning in made["warnings"])
    _target, check = make_streamed()
    Check.objects.filter(pk=check.pk).update(interval_seconds=7_200)
    made = client.post(
        "/api/v1/rules/", {"name": "Rare", "kind": "tokens_per_second", "critical_level": 50}, format="json"
    ).json()
    assert any("looks as often as once in" in warning for warning in made["warnings"])


def test_every_cause_a_rule_can_have_has_words_in_messages() -> None:
    assert {kind.cause for kind in RULE_KINDS} <= set(CAUSE_WORDS)


@pytest.mark.parametrize(
    ("cause", "operator", "unit", "sentence"),
    [
        ("first_token", ">", "ms", "The first token comes after 40 ms; more than 20 ms is too slow."),
        ("tokens_per_second", "<", "tokens/s", "It writes 40 tokens/s; at least 20 tokens/s are wanted."),
        ("ai_errors", ">", "%", "40 % of the looks end with errors of this rule; at most 20 % may."),
    ],
)
def test_what_a_rule_on_models_found_is_a_sentence_of_its_own(
    cause: str, operator: str, unit: str, sentence: str
) -> None:
    found = entry(cause=cause, reason="", value=40.0, level=20.0, unit=unit, operator=operator)
    assert sentence_of(found) == sentence
