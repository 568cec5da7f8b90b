"""`ai_embedding`: does an embedding model answer, and with as many numbers as always?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core import details
from apps.core.kindconfig import FILLED, Text, field
from apps.core.outbound.exchange import Exchange, HttpRequest, OutboundError, OutboundReason
from apps.core.outbound.showing import safe_url
from apps.probes.ai import counting
from apps.probes.ai.asking import dialect_of, embedding_request, embedding_text
from apps.probes.ai.dialect import AI_DIALECTS, Ask, BadAnswer
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.judging import evidence_of, good, problem_under_good_status, refusal, unanswered, verdict, words
from apps.probes.ai.usage import Usage
from apps.probes.base import PROBE_KINDS, HttpProbeKind, Outcome, Reason
from apps.probes.details import Detail


class AiEmbeddingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many numbers are expected; everything else comes from the model and its provider."""

    dimensions: Annotated[
        int,
        field(
            _("Dimensions"),
            _("How many numbers an embedding must have; 0: any number will do."),
            ge=0,
            le=100_000,
        ),
    ] = 0
    connect_timeout_seconds: Annotated[
        float,
        field(_("Time to connect"), _("Within the whole timeout."), unit=pgettext_lazy("unit", "s"), ge=0.1, le=60),
    ] = 5.0
    endpoint: Annotated[Endpoint, FILLED] = Endpoint()


class AiEmbeddingKind(HttpProbeKind[AiEmbeddingConfig]):
    """One sentence in, one vector out."""

    name = "ai_embedding"
    label = _("AI embedding")
    summary = _("Embeds one short sentence: does the model answer, with the right number of dimensions?")
    Config = AiEmbeddingConfig
    target_kinds = frozenset({"model"})
    model_sort = "embedding"
    default_interval_seconds = 300
    default_timeout_seconds = 30.0
    uses_endpoint = True
    rung = 2

    def most_usage(self, config: AiEmbeddingConfig) -> Usage:
        return Usage(tokens_in=counting.most_tokens_of(embedding_text()))

    def address(self, config: AiEmbeddingConfig) -> str:
        return config.endpoint.model or safe_url(config.endpoint.base_url) or str(self.label)

    def endpoint_problem(self, endpoint: Endpoint) -> Text | None:
        if endpoint.dialect not in AI_DIALECTS:
            return None
        dialect = AI_DIALECTS.get(endpoint.dialect)
        if dialect.embedding_request(endpoint, "") is not None:
            return None
        return _("%(dialect)s offers no embeddings, so there is nothing to ask for.") % {"dialect": dialect.label}

    def build_request(self, config: AiEmbeddingConfig) -> HttpRequest:
        request = embedding_request(
            config.endpoint, embedding_text(), connect_timeout_seconds=config.connect_timeout_seconds
        )
        if request is None:
            nothing = details.words(Detail.OFFERS_NO_EMBEDDINGS)
            raise OutboundError(OutboundReason.INVALID_CONFIGURATION, nothing.to_evidence())
        return request

    def judge(self, config: AiEmbeddingConfig, exchange: Exchange) -> Outcome:
        endpoint = config.endpoint
        problem = refusal(endpoint, exchange, _asked())
        if problem is not None:
            return problem
        evidence, ours = evidence_of(endpoint, exchange), counting.estimated(embedding_text(), 0)
        dialect = dialect_of(endpoint)
        try:
            dimensions, named = dialect.read_embedding(exchange.body)
        except BadAnswer as error:
            return _unreadable(config, exchange, error)
        measurements = counting.believed(named, ours).measurements() | {"dimensions": float(dimensions)}
        if config.dimensions and dimensions != config.dimensions:
            found = {"expected": config.dimensions, "actual": dimensions}
            return verdict(Reason.UNEXPECTED_ANSWER, evidence | found, measurements)
        return good(evidence | {"count": dimensions}, measurements)

    def judge_failure(self, config: AiEmbeddingConfig, error: OutboundError) -> Outcome | None:
        return unanswered(config.endpoint, error, embedding_text())


def _asked() -> Ask:
    """What was asked, for whoever masks an echo of it."""
    return Ask(prompt=embedding_text())


def _unreadable(config: AiEmbeddingConfig, exchange: Exchange, problem: BadAnswer) -> Outcome:
    """No embedding: perhaps an error under a good status, which says more."""
    evidence = evidence_of(config.endpoint, exchange)
    malformed = evidence | problem.words.to_evidence()
    measurements = counting.estimated(embedding_text(), 0).measurements()
    try:
        reply = dialect_of(config.endpoint).read_reply(exchange.body)
    except BadAnswer:
        return verdict(Reason.MALFORMED_ANSWER, malformed, measurements)
    if reply.problem is not None:
        reason, facts = problem_under_good_status(reply.problem, words(reply.detail, _asked()))
        return verdict(reason, evidence | facts, measurements)
    return verdict(Reason.MALFORMED_ANSWER, malformed, measurements)


PROBE_KINDS.add("ai_embedding", AiEmbeddingKind())
