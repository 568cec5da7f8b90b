"""`ai_models`: is a provider's API there, is our key good, is the model on offer? It asks for the list of models.

Answers are sorted by class before speed: a bad key, a missing permission or an empty account is ours to mend and
degrades; only the provider's own failure is a failure.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.core.addresses import AddressPolicy
from apps.core.kindconfig import FILLED, SECRET, Text, field
from apps.core.outbound.door import run
from apps.core.outbound.exchange import Exchange, HttpRequest, OutboundError
from apps.core.outbound.locations import MAX_URL, BadLocation, parse_location
from apps.core.outbound.requests import header_problem
from apps.core.outbound.showing import safe_url
from apps.core.outbound.transfer import Transfer
from apps.probes.ai.asking import dialect_of
from apps.probes.ai.dialect import AI_DIALECTS, BadAnswer
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.judging import evidence_of, refusal, unanswered, verdict
from apps.probes.base import PROBE_KINDS, HttpProbeKind, Outcome, OutcomeState, Reason
from apps.probes.evidence import redacted

MAX_LIST_BYTES = 4 * 1024 * 1024
_MAX_NAME = 200
# What is shorter was made up for a server that asks for none, and may well stand in names: "ollama", "lm-studio".
_MIN_ECHOED_KEY = 16
_SNIPPET = 1_000
_COMPATIBLE = "openai_compatible"


class AiModelsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which API, with which key, offering which model."""

    base_url: Annotated[
        str,
        field(
            _("Base URL"),
            _("Where the API begins, such as https://host/v1. Empty: where the provider's is."),
            widget="url",
            placeholder="https://api.openai.com/v1",
            destination=True,
            max_length=MAX_URL - 10,
        ),
    ] = ""
    api_key: Annotated[
        str, field(_("API key"), _("Empty: the provider's own, at its own server."), max_length=4_000), SECRET
    ] = ""
    model: Annotated[
        str, field(_("Model"), _("The id the list must contain; empty: any list will do."), max_length=_MAX_NAME)
    ] = ""
    verify_tls: Annotated[bool, field(_("Verify the certificate"))] = True
    endpoint: Annotated[Endpoint, FILLED] = Endpoint()

    @property
    def asked(self) -> Endpoint:
        """Where the list is asked for: as filled in from the provider, else what stands here."""
        if self.endpoint.base_url:
            return self.endpoint
        return Endpoint(
            dialect=_COMPATIBLE,
            base_url=self.base_url.rstrip("/"),
            api_key=self.api_key,
            model=self.model,
            verify_tls=self.verify_tls,
        )

    def check(self) -> dict[str, list[Text]]:
        """Rules msgspec cannot express."""
        errors: dict[str, list[Text]] = {}
        try:
            if self.base_url:
                parse_location(models_url(self.base_url))
        except BadLocation as error:
            errors["base_url"] = [error.sentence]
        else:
            if "?" in self.base_url or "#" in self.base_url:
                errors["base_url"] = [_("Leave out everything from “?” or “#” on: /models is added at the end.")]
        if header_problem("Authorization", self.api_key):
            errors["api_key"] = [_("A key holds no line breaks or control characters.")]
        return errors


def models_url(base_url: str) -> str:
    """The address of a list of the OpenAI-compatible dialect, whatever of it stands in `base_url` already."""
    return AI_DIALECTS.get(_COMPATIBLE).models_request(Endpoint(base_url=base_url)).url


def models_request(endpoint: Endpoint) -> HttpRequest:
    """The request for the list of models. No redirect is followed: a key goes only where it was meant to go.

    Raises OutboundError when nobody can be asked.
    """
    return msgspec.structs.replace(
        dialect_of(endpoint).models_request(endpoint),
        max_bytes=MAX_LIST_BYTES,
        keep_bytes=MAX_LIST_BYTES,
        max_redirects=0,
        verify_tls=endpoint.verify_tls,
    )


class NoModelList(Exception):
    """A provider did not answer with a list of models; `outcome` says why, as a look would."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome.reason.value)


def list_models_of(endpoint: Endpoint, *, policy: AddressPolicy, timeout_seconds: float = 15.0) -> list[str]:
    """Ask a provider for its models, now. Raises OutboundError (no answer) and NoModelList (another answer).

    Nothing of it holds the key: whoever echoes it in place of a name has one model less.
    """
    secrets = [endpoint.api_key]
    try:
        exchange = run(Transfer(models_request(endpoint), policy=policy, timeout_seconds=timeout_seconds))
    except OutboundError as error:
        error.evidence = redacted(error.evidence, secrets)
        raise
    problem = judge_answer(exchange, endpoint)
    if problem is not None:
        raise NoModelList(problem.amended(evidence=redacted(problem.evidence, secrets)))
    names = dialect_of(endpoint).read_models(exchange.body)
    if len(endpoint.api_key) < _MIN_ECHOED_KEY:
        return names
    return [name for name, clean in zip(names, redacted(names, secrets), strict=True) if name == clean]


def judge_answer(exchange: Exchange, endpoint: Endpoint) -> Outcome | None:
    """The outcome of an answer that is not a list of models, by its class; None for a list."""
    facts = {"body": exchange.text(_SNIPPET)}
    refused = refusal(endpoint, exchange)
    if refused is not None:
        # Of a list this says that it is not where we looked for it, and nothing of a model.
        reason = Reason.BAD_REQUEST if refused.reason is Reason.MODEL_NOT_FOUND else refused.reason
        return verdict(reason, refused.evidence | facts | {"expected": 200}, {})
    try:
        dialect_of(endpoint).read_models(exchange.body)
    except BadAnswer:
        # Words of the protocol, not of a language: the sentence around them is translated.
        found = exchange.headers.get("content-type", "").partition(";")[0].strip().lower() or "?"
        expected = "JSON" if "json" not in found else '{"data": […]}'
        facts |= {"expected": expected, "actual": found[:100]}
        return verdict(Reason.UNEXPECTED_ANSWER, evidence_of(endpoint, exchange) | facts, {})
    return None


class AiModelsKind(HttpProbeKind[AiModelsConfig]):
    """The cheapest question every provider answers: it costs no tokens."""

    name = "ai_models"
    label = _("AI model list")
    summary = _("Asks a provider for its models: is it there, is the key good, is the model offered?")
    Config = AiModelsConfig
    target_kinds = frozenset({"provider", "model"})
    default_timeout_seconds = 15.0
    uses_endpoint = True
    rung = 1

    def address(self, config: AiModelsConfig) -> str:
        url = config.asked.base_url
        return safe_url(url) if url else str(self.label)

    def build_request(self, config: AiModelsConfig) -> HttpRequest:
        return models_request(config.asked)

    def judge(self, config: AiModelsConfig, exchange: Exchange) -> Outcome:
        endpoint = config.asked
        problem = judge_answer(exchange, endpoint)
        if problem is not None:
            return problem
        dialect = dialect_of(endpoint)
        models = dialect.read_models(exchange.body)
        measurements = {"models": float(len(models))}
        evidence = evidence_of(endpoint, exchange) | {"count": len(models)}
        if endpoint.model and not dialect.offers(models, endpoint.model):
            return verdict(Reason.MODEL_NOT_LISTED, evidence | {"models": models[:50]}, measurements)
        return Outcome(state=OutcomeState.OK, reason=Reason.OK, measurements=measurements, evidence=evidence)

    def judge_failure(self, config: AiModelsConfig, error: OutboundError) -> Outcome | None:
        outcome = unanswered(config.asked, error, "")
        return outcome.amended(measurements={}) if outcome is not None else None


PROBE_KINDS.add("ai_models", AiModelsKind())
