"""The same faults, met by the kinds that ask otherwise: golden prompts, embeddings and the list of models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from apps.probes.ai.classes import ErrorClass, Fault
from apps.probes.base import Outcome, OutcomeState
from tests.probes.ai.asked import DIALECTS, KEY, classified, look
from tests.probes.ai.test_classes_of_faults import MALFORMED, REFUSED, Verdict
from tests.servers.model_script import FAULTY
from tests.servers.model_server import ModelServer

E, F = ErrorClass, Fault
DEGRADED, FAILED = OutcomeState.DEGRADED, OutcomeState.FAILED
PROMPTS: dict[str, Any] = {
    "prompts": [{"name": "Words", "prompt": "Say it.", "expected": "word0", "assertion": "regex"}]
}
KINDS: dict[str, dict[str, Any]] = {"ai_canary": PROMPTS, "ai_embedding": {}, "ai_models": {}}
NETWORK: Verdict = (FAILED, E.NETWORK, F.NETWORK)
WRONG: Verdict = (DEGRADED, E.WRONG_ANSWER, F.QUALITY)
FILTERED: Verdict = (DEGRADED, E.CONTENT_FILTER, F.QUALITY)
# An answer that is not one, and what each kind makes of it; None: all is well. A fault of a stream is none of theirs.
ANSWERED: list[tuple[str, Verdict, Verdict, Verdict]] = [
    *((name, verdict, verdict, verdict) for name, verdict in REFUSED),
    ("html", MALFORMED, MALFORMED, MALFORMED),
    ("garbage", MALFORMED, None, None),
    ("error-body", MALFORMED, None, None),
    ("cut", NETWORK, None, None),
    ("reset", NETWORK, None, None),
    ("no-end", NETWORK, None, None),
    # Quality, as everything that was answered and is not right.
    ("no-choices", WRONG, None, None),
    ("empty", WRONG, None, None),
    ("reasoning-only", WRONG, None, None),
    ("tools", WRONG, None, None),
    ("content-filter", FILTERED, None, None),
    ("length", None, None, None),
    ("no-usage", None, None, None),
    ("absurd-usage", None, None, None),
    ("reasoning", None, None, None),
    ("error-event", None, None, None),
    ("endless", None, None, None),
    ("pings", None, None, None),
    ("byte-by-byte", None, None, None),
    ("packed", None, None, None),
    ("unframed", None, None, None),
]
WAITING = {"silent", "headers-only", "stall"}
OTHERWISE: dict[tuple[str, str, str], Verdict] = {
    # Of a list it says that it is not where it was looked for.
    **{(dialect, "model-not-found", "ai_models"): (DEGRADED, E.BAD_REQUEST, F.OURS) for dialect in DIALECTS},
    # Ollama has no filter to name.
    ("ollama", "content-filter", "ai_canary"): WRONG,
}
CASES = [
    pytest.param(dialect, name, kind, verdict, id=f"{dialect} {name} {kind}")
    for dialect in DIALECTS
    for name, *verdicts in ANSWERED
    for kind, verdict in zip(KINDS, verdicts, strict=True)
    if (dialect, kind) != ("anthropic", "ai_embedding")
]


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


def worst(kind: str, state: OutcomeState) -> OutcomeState:
    """Quality is an axis of its own: nothing a canary meets is an outage."""
    return DEGRADED if kind == "ai_canary" and state is FAILED else state


def seen(server: ModelServer, kind: str, name: str, dialect: str, **more: Any) -> Outcome:
    # A list is asked for without a model, so the server as a whole behaves like this.
    server.script = FAULTY[name]
    return look(kind, server, name if kind != "ai_models" else "", dialect=dialect, **more, **KINDS[kind])


def test_no_fault_of_the_server_is_left_out() -> None:
    assert {name for name, *_verdicts in ANSWERED} | WAITING == set(FAULTY)


@pytest.mark.parametrize(("dialect", "name", "kind", "verdict"), CASES)
def test_a_fault_has_its_class_for_every_kind_of_look(
    server: ModelServer, dialect: str, name: str, kind: str, verdict: Verdict
) -> None:
    outcome = seen(server, kind, name, dialect)
    found = classified(outcome)
    expected = OTHERWISE.get((dialect, name, kind), verdict)
    if expected is not None:
        expected = (worst(kind, expected[0]), *expected[1:])
    assert (None if found is None else (outcome.state, *found)) == expected, outcome.evidence
    assert (outcome.state is OutcomeState.OK) == (expected is None)
    assert outcome.sentence not in ("", str(outcome.reason.label)), "a sentence lacks a value from the evidence"
    assert KEY not in json.dumps(outcome.to_wire())
    prompts = outcome.evidence.get("prompts", [])
    assert all(prompt["passed"] or prompt["detail_code"] for prompt in prompts), "nobody can say it in another language"


@pytest.mark.parametrize("kind", KINDS)
def test_waiting_for_nothing_ends_in_time_whatever_was_asked(server: ModelServer, kind: str) -> None:
    outcome = seen(server, kind, "silent", "openai", seconds=1.0)
    found = classified(outcome)
    assert found == (E.TOTAL_TIMEOUT, F.THEIRS)
    assert (outcome.state, outcome.duration_ms < 3_000) == (worst(kind, FAILED), True)


@pytest.mark.parametrize("kind", ["ai_canary", "ai_embedding", "ai_models"])
def test_how_long_to_wait_is_told_whatever_was_asked(server: ModelServer, kind: str) -> None:
    assert seen(server, kind, "rate-limit", "openai").evidence["retry_after_seconds"] == 7


def test_a_stream_that_is_cut_is_no_matter_of_quality_and_no_outage_of_it(server: ModelServer) -> None:
    outcome = seen(server, "ai_canary", "cut", "openai")
    assert classified(outcome) == (E.NETWORK, F.NETWORK)
    assert outcome.state is DEGRADED
    assert outcome.evidence["prompts"][0]["detail_code"] == "not_asked"
