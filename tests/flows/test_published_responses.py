"""The Responses API of a published server: the same faults, asked in the other way, are seen as the same."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.core.addresses import probe_policy
from apps.probes.ai.classes import class_of
from apps.probes.base import Outcome
from apps.probes.runner import run_once
from tests.flows.published_faults import STREAM, TRANSPORT, Fault, Seen, text
from tests.flows.published_refusals import REFUSALS
from tests.servers.aimock import AimockServer

pytestmark = pytest.mark.platform

KEY = "a-key-that-nobody-may-see"
# Filtered is a failure without an error there, where OpenAI says that it is incomplete and why.
FAULTS = [fault for fault in (*TRANSPORT, *REFUSALS) if "openai" in fault.dialects and fault.name != "filtered"]
MEASURED = {"match": {"model": "measured"}, **text(usage={"input_tokens": 21, "output_tokens": 110})}


@pytest.fixture(scope="module")
def server() -> Iterator[AimockServer]:
    with AimockServer([*(line for fault in FAULTS for line in fault.fixtures()), MEASURED], api_key=KEY) as running:
        yield running


def look(server: AimockServer, model: str, kind: str, fault: Fault | None = None) -> Outcome:
    endpoint = {"dialect": "openai", "base_url": f"{server.url}/v1/responses", "api_key": KEY, "model": model}
    config = dict(fault.config) if fault is not None and kind == STREAM else {}
    seconds = fault.timeout_seconds if fault is not None else 10.0
    return run_once(kind, {**config, "endpoint": endpoint}, seconds, probe_policy())


def test_every_fault_is_seen_as_its_class_in_the_other_way_too(server: AimockServer) -> None:
    asked = [(fault, kind, seen) for fault in FAULTS for kind, seen in fault.seen.items()]
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda one: look(server, one[0].name, one[1], one[0]), asked))
    found = {}
    for (fault, kind, _seen), outcome in zip(asked, outcomes, strict=True):
        classified = class_of(outcome.reason)
        found[fault.name, kind] = Seen(classified[0].value, classified[1].value) if classified else Seen()
        assert KEY not in str(outcome.to_wire())
    assert found == {(fault.name, kind): seen for fault, kind, seen in asked}


@pytest.mark.parametrize("kind", ["ai_ping", STREAM])
def test_its_count_of_tokens_is_taken(server: AimockServer, kind: str) -> None:
    measured = look(server, "measured", kind).measurements
    assert (measured["tokens_in"], measured["tokens_out"]) == (21, 110)
    assert "usage_estimated" not in measured
