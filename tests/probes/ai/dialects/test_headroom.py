"""Head-room and waits, out of whatever form a provider gives them in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.probes.ai.headroom import head_room, retry_after_seconds

DATE = "Sat, 21 Nov 2026 12:00:00 GMT"


def test_the_headers_of_openai_are_read() -> None:
    headers = {
        "x-ratelimit-limit-requests": "10000",
        "x-ratelimit-remaining-requests": "9999",
        "x-ratelimit-reset-requests": "8.64s",
        "x-ratelimit-limit-tokens": "200000",
        "x-ratelimit-remaining-tokens": "199984",
        "x-ratelimit-reset-tokens": "6m0s",
        "x-request-id": "1",
    }
    assert head_room(headers) == {
        "requests": {"limit": 10_000.0, "remaining": 9_999.0, "reset_seconds": 8.64},
        "tokens": {"limit": 200_000.0, "remaining": 199_984.0, "reset_seconds": 360.0},
    }


def test_the_headers_of_anthropic_are_read() -> None:
    headers = {
        "date": DATE,
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2026-11-21T12:00:01Z",
        "anthropic-ratelimit-input-tokens-remaining": "20000",
        "anthropic-ratelimit-input-tokens-reset": "2026-11-21T12:01:30+00:00",
        "anthropic-ratelimit-unified-status": "allowed",
    }
    assert head_room(headers) == {
        "requests": {"limit": 50.0, "remaining": 49.0, "reset_seconds": 1.0},
        "input_tokens": {"remaining": 20_000.0, "reset_seconds": 90.0},
    }


def test_headers_without_a_last_part_are_of_requests() -> None:
    headers = {
        "x-ratelimit-limit": "20",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "1795262460000",
        "date": DATE,
    }
    assert head_room(headers)["requests"] == {"limit": 20.0, "remaining": 0.0, "reset_seconds": 60.0}


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        ("6m0s", 360.0),
        ("20ms", 0.02),
        ("1h2m3.5s", 3723.5),
        ("1d", 86_400.0),
        ("150µs", 0.0),
        ("0s", 0.0),
        ("12", 12.0),
        ("1.5", 1.5),
        ("1795262405", 5.0),
        ("1795262405000", 5.0),
        ("2026-11-21T12:00:07Z", 7.0),
        ("2026-11-21T11:59:00Z", 0.0),
        ("Sat, 21 Nov 2026 12:00:09 GMT", 9.0),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("1e9", None),
        ("nan", None),
        ("2026-13-45T00:00:00Z", None),
        ("9999-12-31T23:59:59Z", None),
        ("1m" * 1_000, 60_000.0),
        ("9" * 400, None),
    ],
)
def test_a_reset_is_a_duration_or_a_moment(reset: str, seconds: float | None) -> None:
    room = head_room({"date": DATE, "x-ratelimit-reset-requests": reset, "x-ratelimit-limit-requests": "1"})
    assert room["requests"].get("reset_seconds") == seconds


def test_a_moment_means_nothing_without_the_moment_of_the_answer() -> None:
    headers = {"anthropic-ratelimit-tokens-reset": "2026-11-21T12:00:07Z", "anthropic-ratelimit-tokens-limit": "5"}
    assert head_room(headers) == {"tokens": {"limit": 5.0}}
    assert retry_after_seconds({"retry-after": DATE}) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "20"}, 20.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Sat, 21 Nov 2026 12:02:00 GMT", "date": DATE}, 120.0),
        ({"retry-after": "20", "retry-after-ms": "19500"}, 19.5),
        ({"llm_provider-retry-after": "9"}, 9.0),
        ({"llm_provider-retry-after": "9", "retry-after": "20"}, 20.0),
        ({"retry-after": "later"}, None),
        ({"retry-after": "-1"}, None),
    ],
)
def test_a_wait_is_as_long_as_the_provider_says(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers) == seconds


@pytest.mark.parametrize("number", ["-1", "many", "", "1e400", "inf", "9" * 30])
def test_a_number_that_cannot_be_is_left_out(number: str) -> None:
    assert head_room({"x-ratelimit-remaining-tokens": number}) == {}


def test_the_headers_a_gateway_passes_on_are_read_and_groups_are_bounded() -> None:
    assert head_room({"llm_provider-x-ratelimit-limit-tokens": "7"}) == {"tokens": {"limit": 7.0}}
    many = {f"x-ratelimit-limit-group{letter}": "1" for letter in "abcdefghijklmnop"}
    assert len(head_room(many)) == 8


@given(st.text(max_size=80))
def test_any_text_in_a_header_is_read_or_left_out(text: str) -> None:
    names = ("x-ratelimit-limit", "x-ratelimit-reset", "retry-after", "retry-after-ms", "date")
    headers = dict.fromkeys(names, text)
    for field in head_room(headers).values():
        assert all(value >= 0 for value in field.values())
    assert (retry_after_seconds(headers) or 0.0) >= 0
