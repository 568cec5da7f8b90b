"""`ai_ping`: does a model answer at all? The cheapest paid question: about sixteen tokens, not streamed."""

from __future__ import annotations

from typing import Annotated

import msgspec
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.kindconfig import FILLED, field
from apps.core.outbound.exchange import Exchange, HttpRequest, OutboundError
from apps.core.outbound.showing import safe_url
from apps.probes.ai import counting
from apps.probes.ai.asking import PING_WORD, chat_request, dialect_of, most_usage, output_limit, ping_ask
from apps.probes.ai.dialect import BadAnswer, Reply
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.judging import (
    evidence_of,
    fault_of,
    good,
    malformed_usage,
    refusal,
    shown,
    unanswered,
    usage_of,
    verdict,
)
from apps.probes.ai.usage import Usage
from apps.probes.base import PROBE_KINDS, HttpProbeKind, Outcome, Reason


class AiPingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much may be said; everything else comes from the model and its provider."""

    max_output_tokens: Annotated[
        int,
        field(
            _("Output tokens"),
            _("At most so many are asked for. A model that thinks before it answers may need more."),
            ge=16,
            le=1_024,
        ),
    ] = 16
    connect_timeout_seconds: Annotated[
        float,
        field(_("Time to connect"), _("Within the whole timeout."), unit=pgettext_lazy("unit", "s"), ge=0.1, le=60),
    ] = 5.0
    endpoint: Annotated[Endpoint, FILLED] = Endpoint()


class AiPingKind(HttpProbeKind[AiPingConfig]):
    """One word of a model, and whose fault it is when it does not come."""

    name = "ai_ping"
    label = _("AI model ping")
    summary = _("Asks a model for one word, never the same question twice: does it answer? About 16 tokens a look.")
    Config = AiPingConfig
    target_kinds = frozenset({"model"})
    default_interval_seconds = 300
    default_timeout_seconds = 30.0
    uses_endpoint = True
    rung = 2

    def most_usage(self, config: AiPingConfig) -> Usage:
        return most_usage(config.endpoint, ping_ask(config.max_output_tokens))

    def address(self, config: AiPingConfig) -> str:
        return config.endpoint.model or safe_url(config.endpoint.base_url) or str(self.label)

    def build_request(self, config: AiPingConfig) -> HttpRequest:
        ask = ping_ask(config.max_output_tokens)
        return chat_request(config.endpoint, ask, connect_timeout_seconds=config.connect_timeout_seconds)

    def judge(self, config: AiPingConfig, exchange: Exchange) -> Outcome:
        endpoint, ask = config.endpoint, ping_ask(config.max_output_tokens)
        problem = refusal(endpoint, exchange, ask)
        if problem is not None:
            return problem
        evidence = evidence_of(endpoint, exchange)
        try:
            reply = dialect_of(endpoint).read_reply(exchange.body)
        except BadAnswer as error:
            usage = malformed_usage(ask, exchange)
            return verdict(Reason.MALFORMED_ANSWER, evidence | error.words.to_evidence(), usage.measurements())
        limit = output_limit(endpoint, config.max_output_tokens)
        measurements = usage_of(reply, ask, limit).measurements()
        evidence |= {"finish": reply.finish, "answer": shown(reply.text, ask)}
        fault = fault_of(reply, ask, limit) or _cut_short(reply, limit)
        return verdict(fault[0], evidence | fault[1], measurements) if fault else good(evidence, measurements)

    def judge_failure(self, config: AiPingConfig, error: OutboundError) -> Outcome | None:
        # Whether the model had begun to answer nobody knows: it may have said all it was allowed to.
        question = counting.text_of(ping_ask(config.max_output_tokens))
        most_out = output_limit(config.endpoint, config.max_output_tokens)
        return unanswered(config.endpoint, error, question, most_out=most_out)


def _cut_short(reply: Reply, limit: int) -> tuple[Reason, dict[str, int]] | None:
    """Our limit came before the one word we asked for: thoughts out loud, or words around it."""
    if reply.finish == "length" and PING_WORD not in reply.text:
        return Reason.LENGTH_REACHED, {"expected": limit}
    return None


PROBE_KINDS.add("ai_ping", AiPingKind())
