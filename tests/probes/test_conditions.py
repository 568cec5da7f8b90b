"""Conditions as tables: what may be written, what holds, and what a person is told."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.kindconfig import ConfigError, decode
from apps.core.outbound.exchange import Exchange
from apps.probes.base import condition_sentence
from apps.probes.conditions import MAX_ACTUAL, Condition, evaluate
from tests.probes.exchanges import certificate, exchange

BODY: dict[str, Any] = {
    "status": "ok",
    "count": 3,
    "ready": True,
    "nothing": None,
    "items": [{"name": "a", "size": 1}, {"name": "b", "size": 22}],
    "tags": ["x", "y"],
    "my-field": {"deep": 1.5},
}


def found(field: str, operator: str, value: Any, answer: Exchange | None = None) -> dict[str, Any]:
    condition = decode(Condition, {"field": field, "operator": operator, "value": value})
    given_answer = answer or exchange(200, BODY, {"content-type": "application/json", "x-version": "1.20"})
    return evaluate([condition], given_answer)[0]


@pytest.mark.parametrize(
    ("field", "operator", "value", "passed"),
    [
        ("status", "==", 200, True),
        ("status", "==", "200", True),
        ("status", "!=", 200, False),
        ("status", "<", 400, True),
        ("status", ">=", 201, False),
        ("response_time_ms", "<", 500, False),
        ("response_time_ms", "<=", 812.4, True),
        ("response_time_ms", ">", 0, True),
        ("header.X-Version", "==", "1.20", True),
        ("header.x-version", "!=", "1.20", False),
        ("header.x-version", ">", 1.1, True),
        ("header.content-type", "contains", "json", True),
        ("header.content-type", ">", 5, False),
        ("header.x-missing", "==", "a", False),
        ("header.x-missing", "!=", "a", False),
        ("header.x-missing", "not_contains", "a", False),
        ("header.x-missing", "==", None, True),
        ("header.x-version", "!=", None, True),
        ("body", "contains", '"status"', True),
        ("body", "not_contains", "error", True),
        ("body", "matches", r'"count":\s*\d+', True),
        ("body", "matches", r"^nothing", False),
        ("json.status", "==", "ok", True),
        ("json.count", "==", 3, True),
        ("json.count", "==", "3", True),
        ("json.count", "<", "10", True),
        ("json.count", ">", 3, False),
        ("json.ready", "==", True, True),
        ("json.ready", "==", "true", True),
        ("json.ready", "==", 1, False),
        ("json.nothing", "==", None, True),
        ("json.nothing", "!=", None, False),
        ("json.nothing", "==", "x", False),
        ("json.gone", "==", None, True),
        ("json.gone", "!=", "error", False),
        ("json.items[1].name", "==", "b", True),
        ("json.items[7].name", "==", "b", False),
        ("json.my-field.deep", "==", 1.5, True),
        ("json.tags", "contains", "y", True),
        ("json.tags", "contains", "z", False),
        ("json.tags", "not_contains", "z", True),
        ("json.my-field", "contains", "deep", True),
        ("json.$.items[?@.size > 20].name", "==", "b", True),
        ("json.$..size", "==", 1, True),
        ("json.status", "matches", "^o.$", True),
        ("json.status", "<", 5, False),
        ("certificate_days", ">", 14, False),
    ],
)
def test_a_condition_holds_or_not(field: str, operator: str, value: Any, passed: bool) -> None:
    assert found(field, operator, value)["passed"] is passed


def test_certificate_days_are_counted_from_the_look() -> None:
    answer = exchange(certificate=certificate(days=10))
    assert found("certificate_days", ">=", 10, answer)["passed"]
    failed = found("certificate_days", ">", 14, answer)
    assert (failed["passed"], failed["actual"]) == (False, 10.0)


@pytest.mark.parametrize(
    ("field", "problem"),
    [("json.gone", "missing"), ("header.gone", "missing"), ("certificate_days", "no_certificate")],
)
def test_what_is_not_there_has_no_actual_value_and_says_why(field: str, problem: str) -> None:
    result = found(field, "==", 5)
    assert (result["actual"], result["problem"], result["passed"]) == (None, problem, False)


@pytest.mark.parametrize("body", ["<html>", "", "{", "[" * 100_000, "\xff\xfe"])
def test_an_answer_that_is_no_json_is_its_own_problem(body: str) -> None:
    result = found("json.status", "==", "ok", exchange(200, body.encode("latin-1")))
    assert (result["passed"], result["problem"]) == (False, "not_json")


@pytest.mark.parametrize(
    ("data", "path", "words"),
    [
        ({"field": "stauts", "value": 1}, "field", "Known fields: status, response_time_ms"),
        ({"field": "header", "value": 1}, "field", "Known fields"),
        ({"field": "header.a b", "value": 1}, "field", "Known fields"),
        ({"field": "json.", "value": 1}, "field", "Known fields"),
        ({"field": "json.a[", "value": 1}, "field", "not a valid JSON path"),
        ({"field": "json.$..a..b", "value": 1}, "field", "too costly"),
        ({"field": "json.$[?match(@.a, '(a*)*b')]", "value": 1}, "field", "match"),
        ({"field": "json.$" + "[0,0,0,0]" * 11, "value": 1}, "field", "one thing at a time"),
        ({"field": "json.$[?@['a,b']==1][1,2]", "value": 1}, "field", "one thing at a time"),
        ({"field": "json.$.a[?@.b =~ /x/]", "value": 1}, "field", "not a valid JSON path"),
        ({"field": "status", "operator": "contains", "value": "2"}, "operator", "Compare status with"),
        ({"field": "status", "operator": "~", "value": 2}, "operator", "Choose one of"),
        ({"field": "body", "operator": "<", "value": 2}, "operator", "The body is a text"),
        ({"field": "status", "operator": "<", "value": "fast"}, "value", "Enter a number"),
        ({"field": "status", "value": None}, "value", "Enter a number"),
        ({"field": "json.a", "operator": ">", "value": True}, "value", "Enter a number"),
        ({"field": "json.a", "operator": ">", "value": "nan"}, "value", "Enter a number"),
        ({"field": "body", "operator": "contains", "value": ""}, "value", "Enter the text"),
        ({"field": "body", "operator": "matches", "value": "(abc"}, "value", "missing ): (abc"),
        ({"field": "body", "operator": "matches", "value": "(?=x)"}, "value", "RE2 syntax"),
        ({"field": "body", "operator": "matches", "value": "a" * 501}, "value", "at most 500"),
        ({"field": "body", "operator": "matches", "value": 5}, "value", "Enter a regular expression"),
        ({"field": "body", "operator": "contains", "value": ["a"]}, "value", "Enter a text, a number"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused_when_written(data: dict[str, Any], path: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(Condition, data)
    assert list(caught.value.errors) == [path]
    assert words in caught.value.errors[path][0]


def test_a_pattern_made_to_take_for_ever_does_not() -> None:
    started = time.monotonic()
    assert not found("body", "matches", "(a*)*b", exchange(200, "a" * 1_000_000))["passed"]
    assert time.monotonic() - started < 1


def test_the_actual_value_is_bounded() -> None:
    result = found("body", "contains", "needle", exchange(200, "x" * 100_000))
    assert len(result["actual"]) == MAX_ACTUAL


@pytest.mark.parametrize(
    ("field", "operator", "value", "sentence"),
    [
        ("status", "==", 201, "Expected status 201, got 200."),
        ("status", ">", 400, "Expected status > 400, got 200."),
        ("response_time_ms", "<", 500, "Expected response time < 500 ms, got 812 ms."),
        ("header.x-version", "==", "2", "Expected header x-version == 2, got 1.20."),
        ("json.count", ">", 5, "Expected count in the JSON answer > 5, got 3."),
        ("json.gone", "==", "a", "Expected json.gone == a, but there is no json.gone in the answer."),
    ],
)
def test_a_failed_condition_is_a_sentence(field: str, operator: str, value: Any, sentence: str) -> None:
    assert condition_sentence(found(field, operator, value)) == sentence


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
OPERATORS = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "contains", "not_contains", "matches"])
FIELDS = st.sampled_from(
    ["status", "body", "header.a", "json.a", "json.a[0].b", "response_time_ms", "certificate_days"]
)


@given(
    FIELDS, OPERATORS, st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20), JSON, st.binary()
)
def test_any_condition_that_can_be_written_can_be_evaluated(
    field: str, operator: str, value: Any, document: Any, raw: bytes
) -> None:
    try:
        condition = decode(Condition, {"field": field, "operator": operator, "value": value})
    except ConfigError:
        return
    for answer in (exchange(200, {"a": document}, {"a": "b"}), exchange(500, raw)):
        result = evaluate([condition], answer)[0]
        assert set(result) >= {"field", "operator", "expected", "actual", "passed"}
        assert condition_sentence(result)


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_an_ordering_and_its_opposite_never_agree(actual: int, expected: int) -> None:
    answer = exchange(200, {"n": actual})
    for operator, opposite in (("<", ">="), (">", "<="), ("==", "!=")):
        first, second = (found("json.n", name, expected, answer)["passed"] for name in (operator, opposite))
        assert first is not second
