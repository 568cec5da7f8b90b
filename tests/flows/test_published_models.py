"""A published server of AI models, which nobody here wrote, is monitored in every dialect it speaks, and whatever it is
told to do wrong is seen as what it is."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.published import Asked, Watcher
from tests.flows.published_faults import DIALECTS, LONG_ANSWER, PING, RATE_LIMIT, STREAM, TRANSPORT, text
from tests.flows.published_refusals import REFUSALS
from tests.flows.rest import wait_for
from tests.servers.aimock import AimockServer

pytestmark = pytest.mark.platform

KEY = "a-key-that-nobody-may-see"
FAULTS = (*TRANSPORT, *REFUSALS)
FIRST_TOKEN_MS, TOKENS_PER_SECOND = 400, 50
TOKENS_IN, TOKENS_OUT = 21, 110
FIXTURES = [
    *(fixture for fault in FAULTS for fixture in fault.fixtures()),
    {
        "match": {"model": "measured"},
        **text(usage={"prompt_tokens": TOKENS_IN, "completion_tokens": TOKENS_OUT}),
        "streamingProfile": {"ttft": FIRST_TOKEN_MS, "tps": TOKENS_PER_SECOND},
    },
]


@pytest.fixture(scope="module")
def server() -> Iterator[AimockServer]:
    with AimockServer(FIXTURES, api_key=KEY) as running:
        yield running


@pytest.fixture(scope="module")
def watcher(portal: RunningPortal) -> Watcher:
    return Watcher(portal)


@pytest.fixture(scope="module")
def providers(watcher: Watcher, server: AimockServer) -> dict[str, str]:
    """One provider of each dialect, by its dialect."""
    return {dialect: watcher.provider(dialect, server.base_url(dialect), KEY) for dialect in DIALECTS}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_fault_it_can_inject_is_seen_as_its_class(
    watcher: Watcher, providers: dict[str, str], dialect: str
) -> None:
    faults = [fault for fault in FAULTS if dialect in fault.dialects]
    expected = {(fault.name, kind): seen for fault in faults for kind, seen in fault.seen.items()}
    configs = {fault.name: dict(fault.config) for fault in faults}
    timeouts = {fault.name: fault.timeout_seconds for fault in faults}
    fixtures = {fault.name: fault.fixture for fault in faults}
    looks = watcher.look(
        Asked(providers[dialect], kind, name, configs[name] if kind == STREAM else {}, timeouts[name])
        for name, kind in expected
    )
    assert {(look.asked.model, look.asked.kind): look.seen for look in looks} == expected
    assert {key: look.result["state"] for key, look in zip(expected, looks, strict=True)} == {
        key: seen.state for key, seen in expected.items()
    }
    # The model itself tells the class of whichever of its looks was bad.
    worst = {fault.name: max(fault.seen.values(), key=lambda seen: bool(seen.error_class)) for fault in faults}
    models = watcher.models(providers[dialect])
    assert {name: (models[name]["error_class"], models[name]["fault"]) for name in worst} == {
        name: (seen.error_class or None, seen.fault or None) for name, seen in worst.items()
    }
    for look in looks:
        assert look.result["sentence"]
        assert KEY not in str(look) and "Count from one" not in str(look)
        assert {"tokens_in", "tokens_out"} <= look.measured.keys(), "what may have cost money is counted"
        if (look.result["status_code"] or 0) >= 400:
            assert (look.measured["tokens_in"], look.measured["tokens_out"]) == (0, 0), "a refusal costs nothing"
        if look.seen == RATE_LIMIT:
            told = fixtures[look.asked.model]["response"].get("retryAfter", 1)
            assert look.evidence["retry_after_seconds"] == told
    limited = models["limited"]
    assert limited["uptime_24h"] is None, "a rate limit counts against nothing"
    assert limited["rate_limit"]["requests"]["remaining"] == 0


@pytest.mark.parametrize("dialect", DIALECTS)
def test_times_tokens_and_money_are_those_it_was_told_to_take(
    portal: RunningPortal, watcher: Watcher, server: AimockServer, providers: dict[str, str], dialect: str
) -> None:
    provider, answered_before = providers[dialect], server.answered("measured")
    price = {"model": "measured", "input_per_million": "100", "output_per_million": "1000", "provider": provider}
    portal.client.post("/api/v1/prices/", price)
    ping, stream = watcher.look([Asked(provider, PING, "measured"), Asked(provider, STREAM, "measured")])
    assert (ping.result["state"], stream.result["state"]) == ("ok", "ok")
    pause = 1_000 / TOKENS_PER_SECOND
    measured = stream.measured
    assert FIRST_TOKEN_MS - 5 <= measured["ttft_ms"] <= FIRST_TOKEN_MS + 500
    assert measured["answer_ttft_ms"] == measured["ttft_ms"]
    assert pause - 5 <= measured["chunk_gap_p50_ms"] <= 3 * pause
    assert measured["chunks"] == -(-len(LONG_ANSWER) // 20), "one for every 20 characters"
    model = watcher.model(stream)
    assert (model["status"], model["error_class"], model["uptime_24h"]) == ("operational", None, 1)
    assert (model["ttft_ms"], model["answer_ttft_ms"]) == (measured["ttft_ms"], measured["answer_ttft_ms"])
    assert model["output_tokens_per_second"] == pytest.approx(measured["output_tokens_per_second"])
    # Its Ollama counts nothing, which is no number to be believed.
    is_counted = dialect != "ollama"
    for look in (ping, stream):
        assert ("usage_estimated" in look.measured) is not is_counted
        if is_counted:
            assert (look.measured["tokens_in"], look.measured["tokens_out"]) == (TOKENS_IN, TOKENS_OUT)
    assert dollars(model["spend_month"]) > 0
    each = Decimal(TOKENS_IN * 100 + TOKENS_OUT * 1_000) / 1_000_000

    def is_paid_for() -> bool:
        """Every answer it gave: to the looks that were asked for, and to those that were due."""
        answered = server.answered("measured") - answered_before
        return dollars(watcher.model(stream)["spend_month"]) == each * answered

    if is_counted:
        wait_for(is_paid_for, "what was spent to be what the tokens cost")


def dollars(said: object) -> Decimal:
    """A sum as JSON says it."""
    return Decimal(str(said))
