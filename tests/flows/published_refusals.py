"""Errors in the words of each provider, which a published server repeats, and the class the portal must see in them.

Pure data. A row: the class, the status, the message, and the code or the type it comes under (for `Retry-After`, its
seconds).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.flows.published_faults import (
    BAD_REQUEST,
    BILLING,
    CONTENT_FILTER,
    GONE,
    INVALID_KEY,
    MALFORMED,
    OVERLOADED,
    PERMISSION,
    QUOTA,
    RATE_LIMIT,
    SERVER_ERROR,
    Fault,
    Seen,
    both,
)


@dataclass(frozen=True)
class Refusal:
    """One error of one provider. `code` is its own word, `kind` its general type where there is no word."""

    seen: Seen
    status: int
    message: str
    code: str = ""
    kind: str = ""
    retry_after: int | None = None

    @property
    def words(self) -> str:
        """As the page about errors names it."""
        said = self.code or self.kind
        return f"{self.status} `{said}`" if said not in ("", str(self.status)) else f"{self.status} “{self.message}”"

    @property
    def fixture(self) -> Mapping[str, Any]:
        """As the server takes it."""
        error = {"message": self.message, "code": self.code, "type": self.kind}
        answer = {"error": {name: text for name, text in error.items() if text}, "status": self.status}
        return {"response": answer if self.retry_after is None else {**answer, "retryAfter": self.retry_after}}


_REQUEST = "invalid_request_error"
_EXCEEDED = "You exceeded your current quota, please check your plan and billing details."
_FILTERED = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
_WRONG_SUBSCRIPTION = "Access denied due to invalid subscription key or wrong API endpoint."
_NOTHING_LEFT = "You exceeded your current quota. * Quota exceeded for metric: requests, limit: 0"

OPENAI = (
    Refusal(INVALID_KEY, 401, "Incorrect API key provided: sk-no.", "invalid_api_key", _REQUEST),
    Refusal(PERMISSION, 403, "Country, region, or territory not supported", "unsupported_country_region_territory"),
    Refusal(GONE, 404, "The model `x` does not exist or you do not have access to it.", "model_not_found", _REQUEST),
    Refusal(BAD_REQUEST, 400, "This model's maximum context length is 8 tokens.", "context_length_exceeded", _REQUEST),
    Refusal(CONTENT_FILTER, 400, "Your request was rejected by our safety system.", "content_policy_violation"),
    Refusal(BILLING, 402, "Payment required"),
    Refusal(RATE_LIMIT, 429, "Rate limit reached for requests", "rate_limit_exceeded", "requests", retry_after=7),
    Refusal(QUOTA, 429, _EXCEEDED, "insufficient_quota", "insufficient_quota"),
    Refusal(BILLING, 429, "Your account is not active.", "billing_not_active", "billing_not_active"),
    Refusal(SERVER_ERROR, 500, "The server had an error while processing your request.", kind="server_error"),
    Refusal(SERVER_ERROR, 502, "Bad gateway"),
    Refusal(OVERLOADED, 503, "Our servers are currently overloaded.", "server_is_overloaded"),
    Refusal(SERVER_ERROR, 504, "Gateway timeout"),
    Refusal(MALFORMED, 200, "The server had an error", kind="server_error"),
    Refusal(MALFORMED, 302, "Moved"),
)
ANTHROPIC = (
    Refusal(BAD_REQUEST, 400, "max_tokens: Field required", kind=_REQUEST),
    Refusal(BILLING, 400, "Your credit balance is too low to access the Anthropic API.", kind=_REQUEST),
    Refusal(INVALID_KEY, 401, "invalid x-api-key", kind="authentication_error"),
    Refusal(BILLING, 402, "There is a problem with your payment.", kind="billing_error"),
    Refusal(PERMISSION, 403, "Your API key may not use this resource.", kind="permission_error"),
    Refusal(GONE, 404, "model: claude-none", kind="not_found_error"),
    Refusal(BAD_REQUEST, 413, "Request exceeds the maximum size", kind="request_too_large"),
    Refusal(RATE_LIMIT, 429, "This request would exceed your rate limit.", kind="rate_limit_error", retry_after=7),
    Refusal(SERVER_ERROR, 500, "Internal server error", kind="api_error"),
    Refusal(SERVER_ERROR, 504, "Request timed out", kind="timeout_error"),
    Refusal(OVERLOADED, 529, "Overloaded", kind="overloaded_error"),
    Refusal(MALFORMED, 200, "Internal server error", kind="api_error"),
)
GEMINI = (
    Refusal(INVALID_KEY, 400, "API key not valid. Please pass a valid API key.", kind="INVALID_ARGUMENT"),
    Refusal(BAD_REQUEST, 400, "Invalid value at 'generation_config'", kind="INVALID_ARGUMENT"),
    Refusal(PERMISSION, 400, "User location is not supported for the API use.", kind="FAILED_PRECONDITION"),
    Refusal(INVALID_KEY, 401, "Request had invalid authentication credentials.", kind="UNAUTHENTICATED"),
    Refusal(PERMISSION, 403, "The caller does not have permission", kind="PERMISSION_DENIED"),
    Refusal(GONE, 404, "models/none is not found for API version v1beta.", kind="NOT_FOUND"),
    Refusal(RATE_LIMIT, 429, "Resource has been exhausted.", kind="RESOURCE_EXHAUSTED", retry_after=7),
    Refusal(QUOTA, 429, _NOTHING_LEFT, kind="RESOURCE_EXHAUSTED"),
    Refusal(SERVER_ERROR, 500, "An internal error has occurred.", kind="INTERNAL"),
    Refusal(OVERLOADED, 503, "The model is overloaded. Please try again later.", kind="UNAVAILABLE"),
    Refusal(SERVER_ERROR, 504, "The request timed out.", kind="DEADLINE_EXCEEDED"),
    Refusal(MALFORMED, 200, "An internal error has occurred.", kind="INTERNAL"),
)
OLLAMA = (
    Refusal(BAD_REQUEST, 400, "invalid options"),
    Refusal(INVALID_KEY, 401, "unauthorized"),
    Refusal(GONE, 404, "model 'none' not found, try pulling it first"),
    Refusal(RATE_LIMIT, 429, "too many concurrent requests", retry_after=7),
    Refusal(SERVER_ERROR, 500, "llama runner process has terminated"),
    Refusal(OVERLOADED, 503, "server busy, please try again. maximum pending requests exceeded"),
    Refusal(MALFORMED, 200, "llama runner process has terminated"),
)
AZURE = (
    Refusal(INVALID_KEY, 401, _WRONG_SUBSCRIPTION, "401"),
    Refusal(PERMISSION, 403, "Public access is disabled. Please configure private endpoint.", "403"),
    Refusal(GONE, 404, "The API deployment for this resource does not exist.", "DeploymentNotFound"),
    Refusal(CONTENT_FILTER, 400, _FILTERED, "content_filter"),
    Refusal(RATE_LIMIT, 429, "Requests have exceeded the call rate limit.", "RateLimitReached", retry_after=6),
    Refusal(OVERLOADED, 429, "That model is currently overloaded with requests.", "engine_overloaded_error"),
    Refusal(SERVER_ERROR, 500, "Internal server error", "InternalServerError"),
    Refusal(OVERLOADED, 503, "The service is temporarily unavailable.", "ServiceUnavailable"),
    Refusal(MALFORMED, 200, "Internal server error", "InternalServerError"),
)
# Whose errors they are, and the dialects they are met in.
OWNERS: Mapping[str, tuple[tuple[str, ...], tuple[Refusal, ...]]] = {
    "openai": (("openai", "openai_compatible"), OPENAI),
    "anthropic": (("anthropic",), ANTHROPIC),
    "gemini": (("gemini",), GEMINI),
    "ollama": (("ollama",), OLLAMA),
    "azure": (("azure",), AZURE),
}
REFUSALS = tuple(
    Fault(f"{owner}-{row.status}-{row.seen.error_class}", row.words, row.fixture, both(row.seen), dialects)
    for owner, (dialects, rows) in OWNERS.items()
    for row in rows
)
