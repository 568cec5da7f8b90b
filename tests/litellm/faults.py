"""What the servers behind LiteLLM are told to do wrong, and what is left of it in front: pure data.

LiteLLM passes most of it on. What it cannot read it tells as an error of its own, in the middle of a stream, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.flows.published_faults import (
    GONE,
    INVALID_KEY,
    PING,
    SERVER_ERROR,
    STREAM,
    TRANSPORT,
    Fault,
    Seen,
    both,
)
from tests.flows.published_refusals import REFUSALS

# Those of an upstream that speaks either dialect are the same but for the words.
BEHIND = tuple(
    fault for fault in (*TRANSPORT, *REFUSALS) if "openai" in fault.dialects or fault.name.startswith("anthropic-")
)
# In LiteLLM's words, not the provider's.
IN_ITS_WORDS: Mapping[str, Mapping[str, Seen]] = {
    "garbage": {PING: SERVER_ERROR},
    "hung-up": both(SERVER_ERROR),
    "cut": {STREAM: SERVER_ERROR},
    "broken-off": {STREAM: SERVER_ERROR},
    "openai-200-malformed": {PING: SERVER_ERROR},
    "openai-302-malformed": both(SERVER_ERROR),
    "anthropic-200-malformed": {PING: SERVER_ERROR},
}
GATEWAY = (
    Fault("wrong-upstream-key", "a wrong key for the server behind it", {}, both(INVALID_KEY)),
    Fault("upstream-gone", "nobody listens behind it", {}, both(SERVER_ERROR)),
    Fault("upstream-late", "its own timeout (408)", {}, both(SERVER_ERROR)),
    Fault("nobody", "a model it does not know (400)", {}, both(GONE)),
    Fault("unknown", "a model the server behind it does not know (404)", {}, both(GONE)),
)
LIMITED, SPENT = "limited-here", "spent-here"


def seen_in_front(fault: Fault) -> dict[str, Seen]:
    """What a look of each kind makes of this fault behind LiteLLM."""
    return {**fault.seen, **IN_ITS_WORDS.get(fault.name, {})}


def models_in_front_of(url: str, api_key: str) -> list[dict[str, Any]]:
    """LiteLLM's `model_list` for a server of every dialect at `url`."""
    there = {"api_base": f"{url}/v1", "api_key": api_key}
    names = dict.fromkeys([*(fault.name for fault in BEHIND), "measured"])
    anthropic = {"api_base": url, "api_key": api_key}
    return [
        *(
            _model(name, f"anthropic/{name}", anthropic)
            if name.startswith("anthropic-")
            else _model(name, f"openai/{name}", there)
            for name in names
        ),
        _model("claude", "anthropic/good", anthropic),
        _model("wrong-upstream-key", "openai/good", {**there, "api_key": "another-key"}),
        # The port of nobody.
        _model("upstream-gone", "openai/good", {**there, "api_base": "http://127.0.0.1:1/v1"}),
        _model("upstream-late", "openai/late", {**there, "timeout": 1, "stream_timeout": 1}),
        _model(LIMITED, "openai/good", {**there, "rpm": 1}),
        _model(SPENT, "openai/good", {**there, **_BUDGET}),
    ]


# A token costs a dollar, and there is next to nothing to spend.
_BUDGET = {"max_budget": 1e-6, "budget_duration": "1d", "input_cost_per_token": 1, "output_cost_per_token": 1}


def _model(name: str, model: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"model_name": name, "litellm_params": {"model": model, **parameters}}
