"""Why a provider refused, out of its status and its own words: the most specific that is said wins.

One table for all dialects. Codes mean the same wherever they are met, and a gateway passes on the codes of others.
The order: codes, then messages of those who put everything under one code, then the status, then the general type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from apps.probes.ai.documents import decoded_if_json, object_at, objects_in, readable, text_in
from apps.probes.reasons import Reason

_MAX_TEXT = 2_000
_CODE_FIELDS = ("code", "type", "status", "reason", "error_code", "error_type")
_TITLE = re.compile(rb"<title[^>]{0,100}>([^<]{1,300})", re.IGNORECASE)
_NOTHING_LEFT = re.compile(r"\blimit: 0\b(?!\.)|credits? (?:is|are) (?:depleted|exhausted)", re.IGNORECASE)
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body|\?xml)", re.IGNORECASE)


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What an error's body says: `codes` in lower case, `message` in its own words, `shown` as a person may read it."""

    codes: frozenset[str] = frozenset()
    message: str = ""
    shown: str = ""
    is_markup: bool = False


class _Codes(NamedTuple):
    reason: Reason
    codes: frozenset[str]
    statuses: range = range(0, 1_000)


class _Words(NamedTuple):
    reason: Reason
    pattern: re.Pattern[str]
    statuses: frozenset[int]


def _codes_of(reason: Reason, codes: str, statuses: range = range(0, 1_000)) -> _Codes:
    return _Codes(reason, frozenset(codes.split()), statuses)


_BY_CODE = (
    _codes_of(
        Reason.QUOTA_EXHAUSTED,
        "insufficient_quota credit_balance_exhausted organization_spend_limit_exceeded project_spend_limit_exceeded "
        "spend_limit_exceeded enforced_spend_limit_reached budget_exceeded quota_exceeded "
        "quotaexceeded exceeded_current_quota_error insufficient_balance insufficient_credits insufficient_user_quota "
        "requests_per_day_exceeded",
    ),
    _codes_of(
        Reason.BILLING, "billing_error billing_not_active billing_disabled billing_hard_limit_reached payment_required"
    ),
    _codes_of(
        Reason.CONTENT_FILTERED,
        "content_policy_violation content_filter responsibleaipolicyviolation contentpolicyviolationerror "
        "invalid_prompt data_inspection_failed datainspectionfailed moderation_blocked prohibited_content "
        "flagged_input",
    ),
    _codes_of(
        Reason.INVALID_KEY,
        "invalid_api_key api_key_invalid api_key_expired authentication_error invalid_authentication_error "
        "unauthenticated token_not_found_in_db expired_key "
        # LiteLLM without a database, given any key but its master key.
        "no_db_connection",
    ),
    _codes_of(Reason.QUOTA_EXHAUSTED, "resource_exhausted", range(403, 404)),
    # "The project has no access to the model" comes as 403 under the code of a model that does not exist.
    _codes_of(Reason.PERMISSION_DENIED, "model_not_found", range(403, 404)),
    _codes_of(
        Reason.PERMISSION_DENIED,
        "key_model_access_denied team_model_access_denied user_model_access_denied ip_not_authorized "
        "account_deactivated invalid_organization unsupported_country_region_territory permission_error "
        "insufficient_permissions",
    ),
    _codes_of(
        Reason.BAD_REQUEST,
        "context_length_exceeded contextwindowexceedederror string_above_max_length unsupported_parameter "
        "unsupported_value request_too_large",
        range(0, 500),
    ),
    _codes_of(
        Reason.OVERLOADED,
        "overloaded_error server_is_overloaded slow_down engine_overloaded_error overloaded unavailable_error "
        "unavailable service_unavailable server_overloaded capacity_exceeded",
    ),
    _codes_of(
        Reason.MODEL_NOT_FOUND,
        "model_not_found model_not_active model_decommissioned model_deprecated deploymentnotfound modelnotfound "
        "unknown_model invalid_model",
    ),
    # A request that no limit would ever let through is 413 under the code of a limit.
    _codes_of(Reason.BAD_REQUEST, "rate_limit_exceeded", range(413, 414)),
    _codes_of(Reason.RATE_LIMITED, "rate_limit_exceeded"),
)


def _words(reason: Reason, pattern: str, *statuses: int) -> _Words:
    # 200 and 0: an error inside a good answer or in the middle of a stream, where no status was left to say it with.
    return _Words(reason, re.compile(pattern, re.IGNORECASE), frozenset({0, 200, *statuses}))


_BY_WORDS = (
    _words(
        Reason.QUOTA_EXHAUSTED,
        r"insufficient[ _](?:quota|balance|credits?|funds)|credit balance is exhausted"
        r"|spend(?:ing)?[ _]limit|exceeded your current quota|reached your [^.]{0,40}usage limits"
        r"|out of (?:credits?|call volume quota)|budget has been exceeded|exceeded budget",
        *(400, 403, 429, 500),
    ),
    _words(
        Reason.BILLING,
        r"account is not active|credit balance is too low|check your billing details|billing to be enabled"
        r"|billing is not enabled|enable billing",
        *(400, 403, 429),
    ),
    _words(
        Reason.INVALID_KEY,
        r"(?:incorrect|invalid|missing|no|expired|wrong)[ -](?:x-)?api[ -]?key|api[ -]?key[^.]{0,40}"
        r"(?:not valid|invalid|expired|leaked|not found)|unregistered callers|invalid (?:subscription key|credentials)",
        *(400, 401, 403),
    ),
    _words(
        Reason.PERMISSION_DENIED,
        r"does not have access|not allowed to access|country, region|location is not supported|virtual network"
        r"|public access is disabled|must be a member of an organi[sz]ation",
        *(400, 401, 403),
    ),
    _words(
        Reason.CONTENT_FILTERED,
        r"content management policy|content (?:filtering )?policy|content filter|content exists risk|safety system"
        r"|has been flagged|was flagged|contentpolicyviolation|requires moderation",
        *(400, 403, 422),
    ),
    # A path nobody serves: the base URL is wrong, and the model may well be there.
    _words(
        Reason.BAD_REQUEST,
        r"^(?:404:? )?(?:page )?not found\.?$|invalid url|unknown request url|unrecognized request url"
        r"|^resource not found$|cannot (?:post|get) /|not a chat model|only supported in v1/",
        *(404, 405),
    ),
    _words(
        Reason.MODEL_NOT_FOUND,
        r"model[^.]{0,200}(?:not found|not exist|decommissioned|deprecated|retired|no longer|not available)"
        r"|(?:invalid|unknown|no such) model|not a valid model|deployment[^.]{0,100} does not exist",
        *(400, 404, 410, 422),
    ),
    _words(Reason.OVERLOADED, r"overloaded", 429, 500, 502, 504),
    _words(Reason.OVERLOADED, r"at capacity|high demand|server busy|temporarily unavailable", 500, 502, 504),
)

_BY_STATUS = {
    401: Reason.INVALID_KEY,
    402: Reason.BILLING,
    403: Reason.PERMISSION_DENIED,
    404: Reason.MODEL_NOT_FOUND,
    408: Reason.SERVER_ERROR,
    410: Reason.MODEL_NOT_FOUND,
    429: Reason.RATE_LIMITED,
    498: Reason.OVERLOADED,
    503: Reason.OVERLOADED,
    529: Reason.OVERLOADED,
}

# Said of everything, so only where there is no status to go by.
_BY_TYPE = (
    _codes_of(
        Reason.SERVER_ERROR,
        "server_error api_error internal_error internal_server_error internalservererror internal timeout_error "
        "deadline_exceeded",
    ),
    _codes_of(
        Reason.RATE_LIMITED,
        "rate_limit_error rate_limit_reached_error too_many_requests ratelimiterror throttled resource_exhausted",
    ),
    _codes_of(Reason.PERMISSION_DENIED, "permission_denied"),
    _codes_of(Reason.MODEL_NOT_FOUND, "not_found_error notfounderror not_found"),
    _codes_of(Reason.BAD_REQUEST, "invalid_request_error badrequesterror invalid_argument"),
)


def classified(status: int, body: bytes) -> tuple[Reason, str]:
    """The reason of an answer with this status and body, and the provider's own words, shortened."""
    refusal = read_refusal(body)
    return reason_of(status, refusal), refusal.shown


def problem_in(document: Any) -> tuple[Reason, str] | None:
    """The reason an answer with a good status is an error all the same, and the words; None when it is none."""
    root = _root(document)
    is_error = root.get("error") or root.get("type") == "error" or root.get("object") == "error"
    if not is_error:
        return None
    refusal = _refusal(root)
    return reason_of(200, refusal), refusal.shown


def read_refusal(body: bytes) -> Refusal:
    """What the body of an error says, whoever wrote it: an API, a gateway or a proxy's page."""
    document = decoded_if_json(body)
    if isinstance(document, dict | list):
        return _refusal(_root(document))
    if isinstance(document, str):
        return Refusal(message=document[:_MAX_TEXT], shown=readable(document))
    if _MARKUP.match(body):
        title = _TITLE.search(body[:65_536])
        return Refusal(shown=readable(title[1].decode("utf-8", "replace")) if title else "", is_markup=True)
    text = body[:_MAX_TEXT].decode("utf-8", "replace").strip()
    return Refusal(message=text, shown=readable(text))


def reason_of(status: int, refusal: Refusal) -> Reason:
    """The reason, most specific first. A good `status` gives way to one that the error itself names."""
    if status < 400:
        status = next((int(code) for code in refusal.codes if re.fullmatch(r"[45]\d\d", code)), status)
    specific = _by_codes(_BY_CODE, status, refusal) or _by_words(status, refusal)
    if specific is not None:
        return specific
    if status == 404 and refusal.is_markup:
        return Reason.BAD_REQUEST
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 400:
        return Reason.SERVER_ERROR if status >= 500 else Reason.BAD_REQUEST
    if status != 200:
        return Reason.STATUS_MISMATCH
    return _by_codes(_BY_TYPE, status, refusal) or Reason.MALFORMED_ANSWER


def _by_codes(table: tuple[_Codes, ...], status: int, refusal: Refusal) -> Reason | None:
    return next(
        (row.reason for row in table if status in row.statuses and not row.codes.isdisjoint(refusal.codes)), None
    )


def _by_words(status: int, refusal: Refusal) -> Reason | None:
    return next(
        (row.reason for row in _BY_WORDS if status in row.statuses and row.pattern.search(refusal.message)), None
    )


def _root(document: Any) -> dict[str, Any]:
    """The object with the error in it; Gemini sends a list of one."""
    if isinstance(document, list):
        document = document[0] if document else None
    return document if isinstance(document, dict) else {}


def _refusal(root: dict[str, Any]) -> Refusal:
    error = root.get("error")
    if isinstance(error, str):
        error = {"message": error, "code": root.get("code"), "type": root.get("type")}
    elif not isinstance(error, dict):
        error = next(iter(objects_in(root.get("errors"))), root)
    message = _message(error)
    codes = frozenset(_codes(error))
    upstream = text_in(object_at(error, "metadata").get("raw"))
    shown = readable(message or next(iter(sorted(codes)), ""))
    return Refusal(codes=codes, message=f"{message} {upstream}".strip()[:_MAX_TEXT], shown=shown)


def _message(error: dict[str, Any]) -> str:
    for name in ("message", "detail", "msg", "error_description"):
        value = error.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()[:_MAX_TEXT]
        # FastAPI lists what it did not like; the rest of each entry is what we sent.
        entries = value.get("detail") if isinstance(value, dict) else value
        found = [entry["msg"] for entry in objects_in(entries, 5) if isinstance(entry.get("msg"), str)]
        if found:
            return "; ".join(found)[:_MAX_TEXT]
    return ""


def _codes(error: dict[str, Any]) -> Iterator[str]:
    """Every word that names the error, in lower case."""
    metadata = object_at(error, "metadata")
    details = error.get("details")
    inner = [error, object_at(error, "innererror"), metadata, object_at(details), *objects_in(details, 20)]
    for part in inner:
        for name in _CODE_FIELDS:
            value = part.get(name)
            if isinstance(value, str | int) and not isinstance(value, bool):
                yield str(value)[:100].lower()
        for violation in objects_in(part.get("violations"), 20):
            if "perday" in text_in(violation.get("quotaId")).lower():
                yield "requests_per_day_exceeded"
        # Google has the same code and words for a limit that passes and for an account that has nothing left; only
        # for the first there is something to wait for.
        if "retryDelay" in part:
            yield "rate_limit_exceeded"
    if _NOTHING_LEFT.search(_message(error)):
        yield "quota_exceeded"
    if metadata.get("flagged_input") or metadata.get("reasons"):
        yield "flagged_input"
