"""LiteLLM's proxy is monitored, and what the servers behind it do wrong is seen as what it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.published import Asked, Look, Watcher
from tests.flows.published_faults import INVALID_KEY, PING, QUOTA, RATE_LIMIT, STREAM, WELL, text
from tests.flows.rest import wait_for
from tests.litellm.faults import BEHIND, GATEWAY, LIMITED, SPENT, models_in_front_of, seen_in_front
from tests.litellm.proxy import LiteLlmProxy
from tests.servers.aimock import AimockServer

UPSTREAM_KEY, MASTER_KEY = "a-key-behind-that-nobody-may-see", "sk-master-that-nobody-may-see"
LIST = "ai_models"
FIRST_TOKEN_MS, TOKENS_IN, TOKENS_OUT = 400, 21, 110
MEASURED = {
    "match": {"model": "measured"},
    **text(usage={"prompt_tokens": TOKENS_IN, "completion_tokens": TOKENS_OUT}),
    "streamingProfile": {"ttft": FIRST_TOKEN_MS, "tps": 50},
}
# It takes a third of a second of work for each of them.
AT_ONCE = 4


@pytest.fixture(scope="module")
def proxy() -> Iterator[LiteLlmProxy]:
    fixtures = [fixture for fault in BEHIND for fixture in fault.fixtures()]
    with (
        AimockServer([*fixtures, MEASURED], api_key=UPSTREAM_KEY) as behind,
        LiteLlmProxy(models_in_front_of(behind.url, UPSTREAM_KEY), master_key=MASTER_KEY) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def watcher(portal: RunningPortal) -> Watcher:
    return Watcher(portal)


@pytest.fixture(scope="module")
def provider(watcher: Watcher, proxy: LiteLlmProxy) -> str:
    return watcher.provider("openai_compatible", f"{proxy.url}/v1", MASTER_KEY)


def look(watcher: Watcher, asked: Sequence[Asked]) -> list[Look]:
    """A few at a time."""
    parts = [asked[start : start + AT_ONCE] for start in range(0, len(asked), AT_ONCE)]
    return [one for part in parts for one in watcher.look(part)]


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/chat/completions"])
def test_its_base_url_is_taken_with_and_without_a_version(watcher: Watcher, proxy: LiteLlmProxy, path: str) -> None:
    provider = watcher.provider("openai_compatible", proxy.url + path, MASTER_KEY)
    assert "good" in watcher.discover(provider)
    looks = look(watcher, [Asked(provider, LIST), Asked(provider, PING, "good"), Asked(provider, STREAM, "good")])
    assert [one.seen for one in looks] == [WELL] * 3


@pytest.mark.parametrize(("dialect", "model"), [("openai", "good"), ("azure", "good"), ("anthropic", "claude")])
def test_it_is_spoken_to_in_every_dialect_it_has(
    watcher: Watcher, proxy: LiteLlmProxy, dialect: str, model: str
) -> None:
    provider = watcher.provider(dialect, proxy.url, MASTER_KEY)
    looks = look(watcher, [Asked(provider, PING, model), Asked(provider, STREAM, model)])
    assert [(one.seen, one.result["sentence"]) for one in looks] == [(WELL, "Everything was as expected.")] * 2


def test_times_and_tokens_come_through_it(watcher: Watcher, provider: str) -> None:
    ping, stream = look(watcher, [Asked(provider, PING, "measured"), Asked(provider, STREAM, "measured")])
    for one in (ping, stream):
        assert one.seen == WELL
        assert (one.measured["tokens_in"], one.measured["tokens_out"]) == (TOKENS_IN, TOKENS_OUT)
        assert "usage_estimated" not in one.measured
    assert FIRST_TOKEN_MS - 5 <= stream.measured["ttft_ms"] <= FIRST_TOKEN_MS + 5_000
    model = watcher.model(stream)
    assert (model["status"], model["ttft_ms"]) == ("operational", stream.measured["ttft_ms"])


@pytest.mark.parametrize("key", ["sk-another-that-nobody-may-see", "another-that-nobody-may-see"])
def test_a_key_it_does_not_know_is_ours(watcher: Watcher, proxy: LiteLlmProxy, key: str) -> None:
    provider = watcher.provider("openai_compatible", proxy.url, key)
    looks = look(watcher, [Asked(provider, LIST), Asked(provider, PING, "good"), Asked(provider, STREAM, "good")])
    assert [(one.seen, one.result["state"]) for one in looks] == [(INVALID_KEY, "degraded")] * 3
    assert key not in "".join(map(str, looks))


def test_every_fault_behind_it_is_seen_as_its_class(watcher: Watcher, provider: str) -> None:
    faults = {fault.name: fault for fault in (*BEHIND, *GATEWAY)}
    expected = {(fault.name, kind): seen for fault in faults.values() for kind, seen in seen_in_front(fault).items()}
    looks = look(
        watcher,
        [
            Asked(provider, kind, name, faults[name].config if kind == STREAM else {}, faults[name].timeout_seconds)
            for name, kind in expected
        ],
    )
    assert dict(zip(expected, [one.seen for one in looks], strict=True)) == expected
    assert [one.result["state"] for one in looks] == [seen.state for seen in expected.values()]
    told = "".join(map(str, looks))
    assert UPSTREAM_KEY not in told and MASTER_KEY not in told
    waits = {one.asked.model: one.evidence.get("retry_after_seconds") for one in looks if one.seen == RATE_LIMIT}
    assert waits == {"limited": 1, "openai-429-rate_limit": 7, "anthropic-429-rate_limit": 7}
    models = watcher.models(provider)
    assert models["limited"]["rate_limit"]["requests"]["limit"] == 60
    assert models["limited"]["uptime_24h"] is None


def test_a_limit_of_its_own_is_a_limit_with_its_head_room(watcher: Watcher, provider: str) -> None:
    # A minute may end between two looks.
    limited = wait_for(lambda: found(watcher, provider, LIMITED, RATE_LIMIT), "its limit of one request a minute", 60)
    assert limited.result["state"] == "degraded"


def test_a_budget_of_its_own_that_is_spent_is_a_quota(watcher: Watcher, provider: str) -> None:
    spent = wait_for(lambda: found(watcher, provider, SPENT, QUOTA), "its budget to be spent", 60)
    assert spent.result["state"] == "degraded"
    model = watcher.model(spent)
    assert (model["error_class"], model["fault"]) == QUOTA


def found(watcher: Watcher, provider: str, model: str, seen: object) -> Look | None:
    """One more look, if it saw this."""
    [one] = watcher.look([Asked(provider, PING, model)])
    return one if one.seen == seen else None
