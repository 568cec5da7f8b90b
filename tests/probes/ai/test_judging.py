"""Judging: what a provider asks us to wait, whose count is believed, what is repeated, and the connect clock."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.addresses import probe_policy
from apps.probes.ai import counting
from apps.probes.ai.classes import ErrorClass
from apps.probes.ai.dialect import Ask
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.judging import retry_after_seconds, unechoed
from apps.probes.ai.schemas import schema_problem, violation
from apps.probes.ai.usage import Usage
from apps.probes.runner import run_once
from tests.probes.ai.asked import KEY, answered, classified
from tests.servers.listening import SpeakingServer

PROMPT = "Tell nobody that the vault is behind the painting of the old harbour."


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        # The answer came at 22:13:20.1.
        ("Tue, 14 Nov 2023 22:14:20 GMT", 59.9),
        ("Tue, 14 Nov 2023 22:00:00 GMT", None),
        ("-1", None),
        ("0", None),
        ("nan", None),
        ("inf", None),
        ("1e12", None),
        ("soon", None),
        ("Tue, 99 Nov 9999", None),
        ("", None),
    ],
)
def test_how_long_to_wait_is_read_from_seconds_and_dates(header: str, seconds: float | None) -> None:
    assert retry_after_seconds(Endpoint(base_url="https://host"), answered(429, {"retry-after": header})) == seconds


def test_how_long_to_wait_may_stand_where_the_dialect_has_it() -> None:
    told = {"error": {"details": [{"retryDelay": "34s"}]}}
    exchange = answered(429, body=json.dumps(told).encode())
    assert retry_after_seconds(Endpoint(dialect="gemini", base_url="https://host"), exchange) == 34
    assert retry_after_seconds(Endpoint(dialect="openai", base_url="https://host"), exchange) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (PROMPT, "••••••"),
        (f"You said “{PROMPT[10:50]}”?", "You said “••••••”?"),
        ("The vault is empty.", "The vault is empty."),
        ("", ""),
    ],
)
def test_what_repeats_a_prompt_is_masked_there(text: str, shown: str) -> None:
    assert unechoed(text, Ask(prompt=PROMPT)) == shown
    assert unechoed(text, Ask(prompt="x", system=PROMPT.replace(" ", "\n"))) in (shown, text)


@given(st.text("abx", max_size=25), st.integers(0, 50), st.integers(0, 50), st.text("abx", max_size=25))
def test_so_much_of_a_prompt_in_a_row_is_masked_wherever_it_stands(
    before: str, start: int, length: int, after: str
) -> None:
    echo = PROMPT[start : start + length]
    shown = unechoed(before + echo + after, Ask(prompt=PROMPT))
    assert (echo in shown) == (len(echo) < 20)


def test_a_long_prompt_and_a_long_answer_cost_next_to_nothing() -> None:
    prompt = "\n".join(f"Règle {number} : ne réponds à aucune question de numéro {number}." for number in range(150))
    began = time.process_time()
    for _look in range(20):
        unechoed("lorem ipsum dolor " * 28, Ask(prompt=prompt))
    assert (time.process_time() - began) / 20 < 0.004


def test_a_prompt_of_several_lines_is_known_on_one() -> None:
    assert unechoed(f"Bad: {PROMPT}", Ask(prompt=PROMPT.replace(" ", "\n "))) == "Bad: ••••••"


OURS = Usage(tokens_in=20, tokens_out=5, estimated=True)


@pytest.mark.parametrize(
    "named",
    [
        None,
        Usage(tokens_in=-1, tokens_out=5),
        Usage(tokens_in=20, tokens_out=-5),
        Usage(tokens_in=0, tokens_out=5),
        Usage(tokens_in=20, tokens_out=0),
        Usage(tokens_in=9_000_000, tokens_out=5),
        Usage(tokens_in=20, tokens_out=9_000_000),
        Usage(tokens_in=20, tokens_out=5, tokens_cached=-1),
    ],
)
def test_a_count_that_cannot_be_true_is_not_believed(named: Usage | None) -> None:
    assert counting.believed(named, OURS, 16) == OURS


def test_thoughts_beyond_our_limit_are_believed_because_they_are_paid_for() -> None:
    named = Usage(tokens_in=20, tokens_out=8_192, tokens_reasoning=8_190)
    assert counting.believed(named, OURS, 16) == named


def test_a_connection_that_is_never_ready_is_the_connect_clock() -> None:
    with SpeakingServer() as silent:
        endpoint = {"base_url": f"https://127.0.0.1:{silent.port}/v1", "api_key": KEY, "model": "m"}
        for kind in ("ai_ping", "ai_stream", "ai_embedding"):
            outcome = run_once(kind, {"connect_timeout_seconds": 0.3, "endpoint": endpoint}, 5.0, probe_policy())
            found = classified(outcome)
            assert found is not None
            assert found[0] is ErrorClass.CONNECT_TIMEOUT
            assert outcome.duration_ms < 3_000
            assert outcome.measurements["tokens_in"] == 0


@pytest.mark.parametrize(
    "schema",
    [
        '{"$ref": "#"}',
        '{"allOf": [{"$ref": "https://127.0.0.1/x"}]}',
        '{"properties": {"a": {"$dynamicRef": "#a"}}}',
        '{"patternProperties": {"(a+)+$": {}}}',
        '{"unevaluatedProperties": false}',
        '{"items": {"pattern": "(?=a)"}}',
        '{"type": 7}',
        "[]",
        "{" * 50,
        '{"not": ' * 40 + "{}" + "}" * 40,
    ],
)
def test_a_schema_that_could_run_wild_is_refused(schema: str) -> None:
    assert str(schema_problem(schema))


def test_a_pattern_made_to_take_for_ever_does_not() -> None:
    schema = {"type": "string", "pattern": "^(a+)+$"}
    assert schema_problem('{"type": "string", "pattern": "^(a+)+$"}') is None
    assert violation(schema, "a" * 50_000 + "b")
    assert violation(schema, "aaa") is None


@pytest.mark.parametrize(
    ("schema", "given", "told"),
    [
        ({"type": "object"}, [], "what stands at / is not of the type object"),
        ({"type": ["object", "null"]}, [], "what stands at / is not of the type object, null"),
        ({"items": {"required": ["city"]}}, [{"city": 1}, {}], "“city” is missing at /1"),
        ({"items": {"maximum": 3}}, [5], "what stands at /0 breaks the rule “maximum” of the schema: 3"),
        ({"enum": ["red", "blue"]}, "x", 'what stands at / breaks the rule “enum” of the schema: ["red","blue"]'),
        ({"additionalProperties": False}, {"b": 1}, "what stands at / breaks the rule “additionalProperties” of the "
         "schema: false"),
    ],
)  # fmt: skip
def test_a_broken_schema_is_told_in_words_of_our_own(schema: dict[str, Any], given: Any, told: str) -> None:
    assert str(violation(schema, given)) == told
