"""`ai_stream`: how soon a model begins, how evenly it goes on and how fast it is, from a streamed answer.

Four clocks: connecting, the first token, a pause between two, and the whole (the timeout of the check).
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core import details
from apps.core.details import Words
from apps.core.kindconfig import FILLED, field
from apps.core.outbound.exchange import Exchange, HttpRequest, OutboundError
from apps.core.outbound.showing import safe_url
from apps.probes.ai import counting
from apps.probes.ai.asking import chat_request, dialect_of, most_usage, output_limit, stream_ask
from apps.probes.ai.dialect import BadAnswer
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.judging import (
    evidence_of,
    good,
    problem_under_good_status,
    refusal,
    shown,
    unanswered,
    unsaid,
    verdict,
    words,
)
from apps.probes.ai.listening import Clocks, StreamListener
from apps.probes.ai.usage import Usage
from apps.probes.base import PROBE_KINDS, HttpProbeKind, Outcome, Reason
from apps.probes.details import Detail

# A connection that ends in the middle of an answer: the answer is what is missing.
_BROKEN_OFF = frozenset({Reason.CONNECTION_RESET, Reason.EMPTY_RESPONSE, Reason.PROTOCOL_ERROR})


class AiStreamConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much may be said, and how long may be waited for what; everything else comes from model and provider."""

    max_output_tokens: Annotated[
        int,
        field(
            _("Output tokens"),
            _("At most so many are asked for. Under 100 the speed says little."),
            ge=16,
            le=4_096,
        ),
    ] = 120
    connect_timeout_seconds: Annotated[
        float,
        field(_("Time to connect"), _("Within the whole timeout."), unit=pgettext_lazy("unit", "s"), ge=0.1, le=60),
    ] = 5.0
    first_token_timeout_seconds: Annotated[
        float,
        field(
            _("Time to the first token"),
            _("Thoughts count as tokens, too."),
            unit=pgettext_lazy("unit", "s"),
            ge=0.1,
            le=120,
        ),
    ] = 30.0
    stall_timeout_seconds: Annotated[
        float,
        field(
            _("Longest pause"),
            _("Without a token for longer than this, the stream has stalled."),
            unit=pgettext_lazy("unit", "s"),
            ge=0.1,
            le=120,
        ),
    ] = 10.0
    endpoint: Annotated[Endpoint, FILLED] = Endpoint()


class AiStreamKind(HttpProbeKind[AiStreamConfig]):
    """A streamed answer, heard while it arrives."""

    name = "ai_stream"
    label = _("AI model stream")
    summary = _("Streams about 120 tokens: time to the first token, pauses and tokens a second.")
    Config = AiStreamConfig
    target_kinds = frozenset({"model"})
    default_interval_seconds = 900
    default_timeout_seconds = 60.0
    uses_endpoint = True
    rung = 3

    def most_usage(self, config: AiStreamConfig) -> Usage:
        return most_usage(config.endpoint, stream_ask(config.max_output_tokens))

    def address(self, config: AiStreamConfig) -> str:
        return config.endpoint.model or safe_url(config.endpoint.base_url) or str(self.label)

    def build_request(self, config: AiStreamConfig) -> HttpRequest:
        endpoint, ask = config.endpoint, stream_ask(config.max_output_tokens)
        clocks = Clocks(config.first_token_timeout_seconds, config.stall_timeout_seconds)
        limit = output_limit(endpoint, config.max_output_tokens)
        return chat_request(
            endpoint,
            ask,
            connect_timeout_seconds=config.connect_timeout_seconds,
            listener=StreamListener(dialect_of(endpoint), ask, clocks, limit=limit),
        )

    def judge(self, config: AiStreamConfig, exchange: Exchange) -> Outcome:
        heard = exchange.listener
        assert isinstance(heard, StreamListener)  # noqa: S101 - `build_request` put it there
        # Without a header nobody refused anything: it is only late.
        problem = None if not exchange.status else refusal(config.endpoint, exchange, heard.ask)
        if problem is not None:
            return problem
        heard.close()
        evidence = evidence_of(config.endpoint, exchange) | _facts(heard)
        measurements = heard.measurements(exchange.sent_at)
        fault = _late(heard) if heard.missed_clock else _fault(config.endpoint, exchange, heard)
        return verdict(fault[0], evidence | fault[1], measurements) if fault else good(evidence, measurements)

    def judge_failure(self, config: AiStreamConfig, error: OutboundError) -> Outcome | None:
        heard = error.listener if isinstance(error.listener, StreamListener) else None
        question = counting.text_of(heard.ask) if heard is not None else ""
        if heard is not None:
            heard.read()
        outcome = unanswered(config.endpoint, error, question, heard.ask if heard is not None else None)
        if outcome is None or heard is None or not heard.chunks:
            return outcome
        evidence = outcome.evidence | _facts(heard)
        reason = Reason.TRUNCATED if outcome.reason in _BROKEN_OFF else outcome.reason
        return verdict(reason, evidence, heard.measurements(error.sent_at))


Fault = tuple[Reason, dict[str, Any]]


def _facts(heard: StreamListener) -> dict[str, Any]:
    return {
        "finish": heard.finish,
        "count": heard.chunks,
        "answer": shown(heard.answer, heard.ask),
        **({"overlong": True} if heard.is_overlong else {}),
    }


def _late(heard: StreamListener) -> Fault:
    if heard.missed_clock == "stall":
        return Reason.STALLED, {"expected": heard.clocks.stall_seconds}
    return Reason.FIRST_TOKEN_TIMEOUT, {"expected": heard.clocks.first_token_seconds}


def _fault(endpoint: Endpoint, exchange: Exchange, heard: StreamListener) -> Fault | None:
    """What is wrong with a stream that came to an end: its own, or the one we made when it was enough."""
    if heard.problem is not None:
        return _problem(heard, heard.problem)
    if not heard.chunks and not heard.is_complete:
        return _no_stream(endpoint, exchange, heard)
    if heard.malformed is not None:
        return Reason.MALFORMED_ANSWER, heard.malformed.to_evidence()
    if not heard.is_complete and not heard.is_overlong:
        return Reason.TRUNCATED, {}
    finish = heard.finish or ("length" if heard.is_overlong else "")
    # Our limit is meant to end it. One that came much sooner is somebody else's, and cut the answer short.
    is_short = finish == "length" and heard.settled_usage().tokens_out < heard.ask.max_output_tokens / 2
    return unsaid(finish, heard.limit, is_said=heard.has_answer and not is_short)


def _problem(heard: StreamListener, problem: Reason) -> Fault:
    """An error in the middle of a stream is a failure of the server; in place of one it is no stream at all."""
    detail = words(heard.detail, heard.ask)
    if problem is Reason.SERVER_ERROR and heard.chunks:
        return problem, {"detail": detail, "actual": f"“{detail or '?'}”"}
    return problem_under_good_status(problem, detail)


def _no_stream(endpoint: Endpoint, exchange: Exchange, heard: StreamListener) -> Fault:
    """A good status without one token: an error in place of a stream, a whole answer, a page, or nothing at all."""
    try:
        reply = dialect_of(endpoint).read_reply(exchange.body)
    except BadAnswer as error:
        found = heard.malformed or (error.words if not heard.events else details.words(Detail.NO_ANSWER))
        content_type = exchange.headers.get("content-type", "").partition(";")[0].strip().lower()[:100]
        told = Words(found.code, found.values | {"content_type": content_type}) if content_type else found
        return Reason.MALFORMED_ANSWER, told.to_evidence()
    if reply.problem is not None:
        return problem_under_good_status(reply.problem, words(reply.detail, heard.ask))
    found = details.words(Detail.WHOLE_ANSWER if reply.choices else Detail.NO_CHOICES)
    return Reason.MALFORMED_ANSWER, found.to_evidence()


PROBE_KINDS.add("ai_stream", AiStreamKind())
