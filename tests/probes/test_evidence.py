"""Evidence and the sentences made from it: bounded, storable, without secrets, in every language."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils.functional import Promise
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from apps.core.kindconfig import MASK
from apps.core.outbound import OutboundReason, safe_headers, safe_url
from apps.probes.base import Finished, Outcome, OutcomeState, ProbeJob, Reason, sentence
from apps.probes.evidence import MAX_BYTES, bounded, redacted

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=300), ANYTHING, max_size=8))
def test_whatever_goes_in_comes_out_as_json_that_postgresql_stores(evidence: dict[str, Any]) -> None:
    outcome = Outcome(state=OutcomeState.FAILED, reason=Reason.TIMEOUT, evidence=evidence)
    text = json.dumps(outcome.evidence, allow_nan=False)
    assert not any("\0" in part for part in texts_in(outcome.evidence))
    assert len(text.encode()) < 6 * MAX_BYTES
    assert Outcome.from_wire(json.loads(json.dumps(outcome.to_wire()))) == outcome


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield key
            yield from texts_in(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from texts_in(entry)


@pytest.mark.parametrize(
    "evidence",
    [
        {"body": "x" * 1_000_000},
        {f"key {number}": "y" * 5_000 for number in range(200)},
        {"headers": {f"h{number}": "z" * 1_000 for number in range(500)}},
        {"nested": [[[["deep" * 1_000] * 50] * 50] * 50]},
        {"한국어": "안녕하세요 " * 10_000},
    ],
)
def test_large_evidence_is_cut_to_sixteen_kilobytes(evidence: dict[str, Any]) -> None:
    assert len(json.dumps(bounded(evidence), ensure_ascii=False, separators=(",", ":")).encode()) <= MAX_BYTES


def test_the_small_facts_survive_the_cut() -> None:
    kept = bounded({"status_line": "HTTP/1.1 500", "body": "x" * 100_000, "headers": {"a": "b"}})
    assert kept["status_line"] == "HTTP/1.1 500"
    assert kept["headers"] == {"a": "b"}
    assert kept["body"].startswith("xxxx")


def test_secrets_are_masked_wherever_they_occur() -> None:
    evidence = {"body": "your key is hunter2!", "headers": {"echo-hunter2": ["a", "hunter2"]}, "raw": b"hunter2"}
    cleaned = redacted(evidence, ["hunter2", ""])
    assert "hunter2" not in str(cleaned)
    assert cleaned["body"] == f"your key is {MASK}!"


def test_a_letter_that_is_two_in_lower_case_hides_no_secret_behind_it() -> None:
    cleaned = redacted({"body": "İ: sk-ABCdefGHIjklMNO"}, ["sk-ABCdefGHIjklMNO"])
    assert cleaned == {"body": f"İ: {MASK}"}


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        ("a", "a plain answer", "a plain answer"),
        ("test", "llama3:latest, test", f"llama3:latest, {MASK}"),
        ("EMPTY", "empty_choice: EMPTY", f"empty_choice: {MASK}"),
        ("sk-test", "the key sk-test is testing sk-tests", f"the key {MASK} is testing {MASK}s"),
        ("hunter2", "myhunter2x", f"my{MASK}x"),
    ],
)
def test_a_placeholder_for_a_key_hides_itself_and_no_other_words(secret: str, text: str, shown: str) -> None:
    assert redacted({"text": text}, [secret]) == {"text": shown}


def test_a_hostile_run_of_backslashes_takes_no_time_to_look_through() -> None:
    evidence = {"body": "\\" * 20_000}
    began = time.process_time()
    assert redacted(evidence, ["sk-ABCdefGHIjklMNO"]) == evidence
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://u:p@a.example/x?y=1#z", "http://a.example/x?y=1"),
        ("https://a.example/?api_key=abc&q=1", f"https://a.example/?api_key={MASK}&q=1"),
        ("https://a.example/?access_token=abc", f"https://a.example/?access_token={MASK}"),
        ("https://a.example/?monkey=abc", "https://a.example/?monkey=abc"),
        ("http://[bad/", MASK),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert safe_url(url) == shown


def test_counted_tokens_are_no_secrets() -> None:
    """How many tokens a language model has left is what an operator looks for."""
    counts = {
        "x-ratelimit-remaining-tokens": "12",
        "X-RateLimit-Limit-Tokens": "30000",
        "anthropic-ratelimit-input-tokens-remaining": "9",
        "x-ratelimit-reset-tokens": "6ms",
    }
    assert safe_headers(counts) == counts
    assert safe_headers({"x-auth-tokens": "a"}) == {"x-auth-tokens": MASK}


def test_cookies_and_keys_of_an_answer_are_masked() -> None:
    shown = safe_headers({"set-cookie": "session=1", "x-api-key": "k", "server": "nginx"})
    assert shown == {"set-cookie": MASK, "x-api-key": MASK, "server": "nginx"}


def test_every_failure_of_the_door_is_a_reason() -> None:
    assert {reason.value for reason in OutboundReason} <= {reason.value for reason in Reason}


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_label_and_always_a_sentence(reason: Reason) -> None:
    assert isinstance(reason.label, Promise)
    assert str(reason.label)
    for evidence in ({}, {"host": None, "actual": ""}, {"conditions": "odd"}, {"conditions": [{"passed": False}]}):
        assert sentence(reason, evidence)


@pytest.mark.parametrize(
    ("reason", "evidence", "expected"),
    [
        ("status_mismatch", {"expected": 200, "actual": 503}, "Expected status 200, got 503."),
        ("timeout", {"host": "a.example", "timeout_seconds": 2.0}, "No answer from a.example within 2 s."),
        ("slow", {"expected": 500, "actual": 812.4}, "Answered in 812 ms; more than 500 ms counts as degraded."),
        ("tls_wrong_host", {"host": "a", "names": ["b", "c"]}, "The certificate is for b, c, not for a."),
        (
            "no_heartbeat",
            {"expected": 15, "actual": 20.5},
            "The last heartbeat is 20.5 s old; at most 15 s are allowed.",
        ),
        ("connect_refused", {"host": "100%"}, "Connection refused"),
        (
            "address_denied",
            {"host": "a.example", "address": "169.254.169.254", "rule": "metadata"},
            "a.example leads to 169.254.169.254, an address this portal must not contact (a cloud's metadata service).",
        ),
        ("no_such_reason", {}, "no_such_reason"),
    ],
)
def test_a_sentence_is_made_of_the_evidence(reason: str, evidence: dict[str, Any], expected: str) -> None:
    with override("en"):
        assert sentence(reason, evidence) == expected


def test_results_travel_without_the_config_they_came_from() -> None:
    job = ProbeJob(
        check="c",
        region="local",
        generation=3,
        kind="http",
        config={"url": "http://a", "bearer_token": "hunter2"},
        timeout_seconds=5,
        run="r",
    )
    outcome = Outcome(state=OutcomeState.OK, reason=Reason.OK, duration_ms=1.5, measurements={"dns_ms": 0.1})
    wire = json.loads(json.dumps(Finished(job=job, outcome=outcome).to_wire()))
    assert "hunter2" not in json.dumps(wire)
    back = Finished.from_wire(wire)
    assert (back.job.check, back.job.generation, back.job.run, back.outcome) == ("c", 3, "r", outcome)
    assert "hunter2" not in repr(job)
    assert ProbeJob.from_wire(json.loads(json.dumps(job.to_wire()))) == job
