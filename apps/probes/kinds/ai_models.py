"""`ai_models`: is a provider's API there, is our key good, is the model on offer? (OpenAI-compatible `GET /models`)

Answers are sorted by class before speed: a bad key, a missing permission or an empty account is ours to mend and
degrades; only the provider's own failure is a failure.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.core.addresses import AddressPolicy
from apps.core.kindconfig import SECRET, Text, field
from apps.core.outbound import request
from apps.core.outbound.exchange import Exchange, HttpRequest
from apps.core.outbound.locations import MAX_URL, BadLocation, parse_location
from apps.core.outbound.requests import header_problem
from apps.core.outbound.showing import safe_headers, safe_url
from apps.probes.base import PROBE_KINDS, HttpProbeKind, Outcome, OutcomeState, Reason

MAX_LIST_BYTES = 4 * 1024 * 1024
MAX_MODELS = 5_000
_MAX_NAME = 200
_SNIPPET = 1_000
# Providers say "you have not paid" with several statuses, but all of them say it in the error's code or type.
_QUOTA_WORDS = re.compile(r"insufficient_quota|quota|billing|credit|balance|payment", re.IGNORECASE)
_KEY_WORDS = re.compile(r"invalid_api_key|api[ _-]?key[ _](not[ _]valid|invalid)|incorrect api key", re.IGNORECASE)


class AiModelsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which API, with which key, offering which model."""

    base_url: Annotated[
        str,
        field(
            _("Base URL"),
            _("Where the API begins; /models is added."),
            widget="url",
            placeholder="https://api.openai.com/v1",
            destination=True,
            min_length=1,
            max_length=MAX_URL - 10,
        ),
    ]
    api_key: Annotated[str, field(_("API key"), _("Sent as a bearer token."), max_length=4_000), SECRET] = ""
    model: Annotated[
        str, field(_("Model"), _("The id the list must contain; empty: any list will do."), max_length=_MAX_NAME)
    ] = ""
    verify_tls: Annotated[bool, field(_("Verify the certificate"))] = True

    def check(self) -> dict[str, list[Text]]:
        """Rules msgspec cannot express."""
        errors: dict[str, list[Text]] = {}
        try:
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
    """The address of the list, whether or not `base_url` ends in a slash, or names the list itself."""
    trimmed = base_url.rstrip("/")
    return trimmed if trimmed.endswith("/models") else f"{trimmed}/models"


def models_request(base_url: str, api_key: str, *, verify_tls: bool = True) -> HttpRequest:
    """The request for the list of models. No redirect is followed: a key goes only where it was meant to go."""
    headers = {"Accept": "application/json"}
    if api_key:
        headers["Authorization"] = f"Bearer {api_key}"
    return HttpRequest(
        url=models_url(base_url),
        headers=headers,
        max_bytes=MAX_LIST_BYTES,
        keep_bytes=MAX_LIST_BYTES,
        verify_tls=verify_tls,
    )


class NoModelList(Exception):
    """A provider did not answer with a list of models; `outcome` says why, as a look would."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome.reason.value)


def parse_models(body: bytes) -> list[str] | None:
    """The ids in an answer (`{"data": [{"id": …}]}`, or a bare list, or `models`), sorted; None when it is no list."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    entries = document
    if isinstance(document, dict):
        entries = document.get("data", document.get("models"))
    if not isinstance(entries, list):
        return None
    names = {name for entry in entries[:MAX_MODELS] if (name := _model_name(entry))}
    return sorted(names)


def _model_name(entry: Any) -> str:
    name = entry.get("id") or entry.get("name") if isinstance(entry, dict) else entry
    return name[:_MAX_NAME].replace("\0", "") if isinstance(name, str) else ""


def list_models(base_url: str, api_key: str, *, policy: AddressPolicy, timeout_seconds: float = 15.0) -> list[str]:
    """Ask a provider for its models, now. Raises OutboundError (no answer) and NoModelList (another answer)."""
    wanted = models_request(base_url, api_key)
    exchange = request(
        "GET",
        wanted.url,
        headers=wanted.headers,
        policy=policy,
        timeout_seconds=timeout_seconds,
        max_bytes=MAX_LIST_BYTES,
    )
    problem = judge_answer(exchange)
    if problem is not None:
        raise NoModelList(problem)
    return parse_models(exchange.body) or []


def judge_answer(exchange: Exchange) -> Outcome | None:
    """The outcome of an answer that is not a list of models, by its class; None for a list."""
    status = exchange.status
    evidence = _evidence(exchange)
    ours = _our_problem(status, _error_text(exchange))
    if ours is not None:
        return Outcome(state=OutcomeState.DEGRADED, reason=ours, evidence=evidence)
    if status >= 500:
        return Outcome(state=OutcomeState.FAILED, reason=Reason.SERVER_ERROR, evidence=evidence)
    if status != 200:
        evidence["expected"] = 200
        return Outcome(state=OutcomeState.FAILED, reason=Reason.STATUS_MISMATCH, evidence=evidence)
    if parse_models(exchange.body) is None:
        # Words of the protocol, not of a language: the sentence around them is translated.
        found = exchange.headers.get("content-type", "").partition(";")[0].strip().lower() or "?"
        expected = "JSON" if "json" not in found else '{"data": […]}'
        evidence |= {"expected": expected, "actual": found[:100]}
        return Outcome(state=OutcomeState.FAILED, reason=Reason.UNEXPECTED_ANSWER, evidence=evidence)
    return None


def _our_problem(status: int, error_text: str) -> Reason | None:
    """A key, a permission or an account: known by status, and by words where providers share a status."""
    if status == 402 or (status in (400, 403, 429) and _QUOTA_WORDS.search(error_text)):
        return Reason.QUOTA_EXHAUSTED
    if status == 401 or (status in (400, 403) and _KEY_WORDS.search(error_text)):
        return Reason.INVALID_KEY
    if status == 403:
        return Reason.PERMISSION_DENIED
    return Reason.RATE_LIMITED if status == 429 else None


def _error_text(exchange: Exchange) -> str:
    """Code, type, status and message of the error in the answer; nothing when it is not JSON of that shape."""
    try:
        document = msgspec.json.decode(exchange.body[:65_536])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""
    error = document.get("error", document) if isinstance(document, dict) else {}
    if isinstance(error, str):
        return error
    parts = [error.get(name) for name in ("code", "type", "status", "message")] if isinstance(error, dict) else []
    return " ".join(part for part in parts if isinstance(part, str))[:2_000]


def _evidence(exchange: Exchange) -> dict[str, Any]:
    return {
        "url": safe_url(exchange.url),
        "address": exchange.address,
        "status_line": exchange.status_line,
        "actual": exchange.status,
        "headers": safe_headers(exchange.headers),
        "body": exchange.text(_SNIPPET),
    }


class AiModelsKind(HttpProbeKind[AiModelsConfig]):
    """The cheapest question every OpenAI-compatible API answers: it costs no tokens."""

    name = "ai_models"
    label = _("AI model list")
    summary = _("Asks a provider for its models: is it there, is the key good, is the model offered?")
    Config = AiModelsConfig
    target_kinds = frozenset({"provider", "model"})
    default_timeout_seconds = 15.0

    def address(self, config: AiModelsConfig) -> str:
        return safe_url(models_url(config.base_url))

    def build_request(self, config: AiModelsConfig) -> HttpRequest:
        return models_request(config.base_url, config.api_key, verify_tls=config.verify_tls)

    def judge(self, config: AiModelsConfig, exchange: Exchange) -> Outcome:
        problem = judge_answer(exchange)
        if problem is not None:
            return problem
        models = parse_models(exchange.body) or []
        measurements = {"models": float(len(models))}
        if config.model and config.model not in models:
            evidence = {
                "url": safe_url(exchange.url),
                "status_line": exchange.status_line,
                "model": config.model,
                "count": len(models),
                "models": models[:50],
            }
            return Outcome(
                state=OutcomeState.FAILED,
                reason=Reason.MODEL_NOT_LISTED,
                measurements=measurements,
                evidence=evidence,
            )
        facts = {"status_line": exchange.status_line, "address": exchange.address, "count": len(models)}
        return Outcome(state=OutcomeState.OK, reason=Reason.OK, measurements=measurements, evidence=facts)


PROBE_KINDS.add("ai_models", AiModelsKind())
