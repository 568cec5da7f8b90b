"""Every dialect asks a server over HTTP and understands what it answers, good or bad."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.core.addresses import probe_policy
from apps.core.outbound import request
from apps.core.outbound.exchange import Exchange, HttpRequest
from apps.probes.ai.dialect import AI_DIALECTS, Ask, BadAnswer, Dialect
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.usage import Usage
from apps.probes.reasons import Reason
from tests.probes.ai.dialects.samples import KEY, Heard, hear
from tests.servers.model_script import Script, Tokens
from tests.servers.model_server import ModelServer

EVERY_DIALECT = pytest.mark.parametrize("dialect", list(AI_DIALECTS), ids=lambda dialect: str(dialect.name))
R = Reason
REFUSALS = {
    "invalid-key": R.INVALID_KEY,
    "billing": R.BILLING,
    "permission": R.PERMISSION_DENIED,
    "model-not-found": R.MODEL_NOT_FOUND,
    "bad-request": R.BAD_REQUEST,
    "too-large": R.BAD_REQUEST,
    "rate-limit": R.RATE_LIMITED,
    "rate-limit-silent": R.RATE_LIMITED,
    "quota": R.QUOTA_EXHAUSTED,
    "server-error": R.SERVER_ERROR,
    "bad-gateway": R.SERVER_ERROR,
    "unavailable": R.OVERLOADED,
    "gateway-timeout": R.SERVER_ERROR,
    "overloaded": R.OVERLOADED,
    "policy": R.CONTENT_FILTERED,
    "redirect": R.STATUS_MISMATCH,
}


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(key=KEY) as running:
        yield running


def endpoint_of(server: ModelServer, dialect: Dialect, model: str = "model-a") -> Endpoint:
    return Endpoint(dialect=dialect.name, base_url=server.base_url(dialect.name), api_key=KEY, model=model)


def send(wanted: HttpRequest) -> Exchange:
    return request(
        wanted.method, wanted.url, headers=wanted.headers, body=wanted.body, policy=probe_policy(""), timeout_seconds=10
    )


def ask(server: ModelServer, dialect: Dialect, model: str = "model-a", *, stream: bool = False) -> Exchange:
    return send(dialect.chat_request(endpoint_of(server, dialect, model), Ask(prompt="?", stream=stream)))


def heard_of(server: ModelServer, dialect: Dialect, model: str) -> Heard:
    return hear(dialect, [ask(server, dialect, model, stream=True).body])


@EVERY_DIALECT
def test_its_models_are_listed_with_the_key_and_not_without(server: ModelServer, dialect: Dialect) -> None:
    endpoint = endpoint_of(server, dialect)
    assert dialect.read_models(send(dialect.models_request(endpoint)).body) == ["model-a", "model-b"]
    wrong = Endpoint(dialect=dialect.name, base_url=endpoint.base_url, api_key="wrong")
    refused = send(dialect.models_request(wrong))
    assert dialect.classify(refused.status, refused.headers, refused.body)[0] is R.INVALID_KEY


@EVERY_DIALECT
def test_a_whole_answer_and_a_stream_say_the_same(server: ModelServer, dialect: Dialect) -> None:
    server.script = Script(words=("Hello ", "there"), reasoning=("hm",), tokens=Tokens(tokens_in=20, cached=4))
    reply = dialect.read_reply(ask(server, dialect).body)
    heard = heard_of(server, dialect, "model-a")
    assert (reply.text, reply.reasoning, reply.finish, reply.choices) == ("Hello there", "hm", "stop", 1)
    assert (heard.text, heard.reasoning, heard.finish, heard.ended) == ("Hello there", "hm", "stop", True)
    assert heard.usage == reply.usage
    assert heard.usage is not None
    assert heard.usage.tokens_out == 3


@EVERY_DIALECT
def test_a_call_of_a_tool_is_read_either_way(server: ModelServer, dialect: Dialect) -> None:
    reply = dialect.read_reply(ask(server, dialect, "tools").body)
    heard = heard_of(server, dialect, "tools")
    for calls in (reply.tool_calls, heard.tool_calls):
        (call,) = calls
        assert call.name == "get_weather"
        assert call.arguments.replace(" ", "") == '{"city":"Seoul"}'
    assert (reply.finish, heard.finish) == ("tool_calls", "tool_calls")


@EVERY_DIALECT
@pytest.mark.parametrize("model", ["pings", "byte-by-byte", "packed", "unframed", "reasoning"])
def test_an_odd_but_good_stream_is_good(server: ModelServer, dialect: Dialect, model: str) -> None:
    heard = heard_of(server, dialect, model)
    assert heard.text.split() == [f"word{number}" for number in range(12)]
    assert (heard.finish, heard.ended, heard.problem) == ("stop", True, None)
    assert heard.usage is not None


@EVERY_DIALECT
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", REFUSALS)
def test_a_refusal_has_its_reason(server: ModelServer, dialect: Dialect, model: str, stream: bool) -> None:
    refused = ask(server, dialect, model, stream=stream)
    assert refused.status != 200
    assert dialect.classify(refused.status, refused.headers, refused.body)[0] is REFUSALS[model]
    wait = dialect.retry_after(refused.headers, refused.body)
    assert wait == (7.0 if model == "rate-limit" else None)


@EVERY_DIALECT
def test_an_answer_at_the_limit_and_one_that_was_filtered_say_so(server: ModelServer, dialect: Dialect) -> None:
    assert dialect.read_reply(ask(server, dialect, "length").body).finish == "length"
    assert heard_of(server, dialect, "length").finish == "length"
    if dialect.name != "ollama":  # it has no filter
        assert dialect.read_reply(ask(server, dialect, "content-filter").body).finish == "content_filter"
        assert heard_of(server, dialect, "content-filter").finish == "content_filter"


@EVERY_DIALECT
@pytest.mark.parametrize("model", ["no-usage", "absurd-usage"])
def test_usage_that_is_not_there_or_not_to_be_believed_is_none(
    server: ModelServer, dialect: Dialect, model: str
) -> None:
    assert dialect.read_reply(ask(server, dialect, model).body).usage is None
    assert heard_of(server, dialect, model).usage is None


@EVERY_DIALECT
def test_a_stream_that_stops_half_way_has_no_end(server: ModelServer, dialect: Dialect) -> None:
    heard = heard_of(server, dialect, "no-end")
    assert heard.text.split() == ["word0", "word1", "word2"]
    assert (heard.finish, heard.ended, heard.usage) == ("", False, None)


@EVERY_DIALECT
def test_an_error_half_way_or_in_place_of_an_answer_is_a_problem(server: ModelServer, dialect: Dialect) -> None:
    heard = heard_of(server, dialect, "error-event")
    assert heard.text.split() == ["word0", "word1", "word2"]
    assert heard.problem in (R.OVERLOADED, R.MALFORMED_ANSWER)
    assert not heard.ended
    assert heard_of(server, dialect, "error-body").problem is not None
    assert dialect.read_reply(ask(server, dialect, "error-body").body).problem is not None


@EVERY_DIALECT
@pytest.mark.parametrize("model", ["garbage", "html"])
def test_what_is_no_stream_of_this_dialect_is_a_bad_answer(server: ModelServer, dialect: Dialect, model: str) -> None:
    with pytest.raises(BadAnswer):
        heard_of(server, dialect, model)


@EVERY_DIALECT
def test_an_answer_without_an_answer_has_no_choices(server: ModelServer, dialect: Dialect) -> None:
    assert dialect.read_reply(ask(server, dialect, "no-choices").body).choices == 0


@EVERY_DIALECT
def test_head_room_is_read_from_the_answer(server: ModelServer, dialect: Dialect) -> None:
    server.script = Script()
    room = dialect.head_room(ask(server, dialect).headers)
    if dialect.name in ("gemini", "ollama"):
        assert room == {}
    else:
        assert room["requests"]["remaining"] in (49.0, 499.0)


@EVERY_DIALECT
def test_an_embedding_is_measured(server: ModelServer, dialect: Dialect) -> None:
    wanted = dialect.embedding_request(endpoint_of(server, dialect), "some text")
    if wanted is None:
        assert dialect.name == "anthropic"
        return
    dimensions, usage = dialect.read_embedding(send(wanted).body)
    assert dimensions == 64
    assert usage is None or isinstance(usage, Usage)
