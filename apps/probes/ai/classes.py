"""The classes of failure of an AI model, and whose fault each is: what went wrong, judged before how fast it was.

The class follows from the reason of an outcome, so nothing is stored twice. A reason that is no failure of a model
(`ok`, `slow`, or one that says something about ourselves) has no class.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from apps.probes.base import OutcomeState
from apps.probes.reasons import Reason, Text


class Fault(StrEnum):
    """Who has to do something about it. `quality` is an axis of its own: the model answers, but not well."""

    OURS = "ours"
    THEIRS = "theirs"
    NETWORK = "network"
    QUALITY = "quality"

    @property
    def label(self) -> Text:
        return _FAULT_LABELS[self]


class ErrorClass(StrEnum):
    """Codes are stored and sent: never rename one."""

    INVALID_KEY = "invalid_key"
    PERMISSION = "permission"
    QUOTA = "quota"
    BILLING = "billing"
    RATE_LIMIT = "rate_limit"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    CONNECT_TIMEOUT = "connect_timeout"
    FIRST_TOKEN_TIMEOUT = "first_token_timeout"  # noqa: S105 - a name of a class
    STALL = "stall"
    TOTAL_TIMEOUT = "total_timeout"
    NETWORK = "network"
    CONTENT_FILTER = "content_filter"
    BAD_REQUEST = "bad_request"
    MODEL_NOT_FOUND = "model_not_found"
    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    WRONG_ANSWER = "wrong_answer"

    @property
    def label(self) -> Text:
        return _CLASS_LABELS[self]


_FAULT_LABELS: dict[Fault, Text] = {
    Fault.OURS: _("Ours"),
    Fault.THEIRS: _("The provider's"),
    Fault.NETWORK: _("The network's"),
    Fault.QUALITY: _("The model's answer"),
}

_CLASS_LABELS: dict[ErrorClass, Text] = {
    ErrorClass.INVALID_KEY: _("Key not accepted"),
    ErrorClass.PERMISSION: _("Not permitted"),
    ErrorClass.QUOTA: _("Quota used up"),
    ErrorClass.BILLING: _("Billing"),
    ErrorClass.RATE_LIMIT: _("Rate limited"),
    ErrorClass.OVERLOADED: _("Overloaded"),
    ErrorClass.SERVER_ERROR: _("Server error"),
    ErrorClass.CONNECT_TIMEOUT: _("No connection in time"),
    ErrorClass.FIRST_TOKEN_TIMEOUT: _("No first token in time"),
    ErrorClass.STALL: _("Stream stalled"),
    ErrorClass.TOTAL_TIMEOUT: _("Not finished in time"),
    ErrorClass.NETWORK: _("Network"),
    ErrorClass.CONTENT_FILTER: _("Content filter"),
    ErrorClass.BAD_REQUEST: _("Request refused"),
    ErrorClass.MODEL_NOT_FOUND: _("Model not found"),
    ErrorClass.MALFORMED: _("Malformed answer"),
    ErrorClass.TRUNCATED: _("Answer cut off"),
    ErrorClass.WRONG_ANSWER: _("Wrong answer"),
}

_C, _F = ErrorClass, Fault
_OF_REASON: dict[Reason, tuple[ErrorClass, Fault]] = {
    Reason.INVALID_KEY: (_C.INVALID_KEY, _F.OURS),
    Reason.PERMISSION_DENIED: (_C.PERMISSION, _F.OURS),
    Reason.QUOTA_EXHAUSTED: (_C.QUOTA, _F.OURS),
    Reason.BILLING: (_C.BILLING, _F.OURS),
    Reason.RATE_LIMITED: (_C.RATE_LIMIT, _F.OURS),
    Reason.OVERLOADED: (_C.OVERLOADED, _F.THEIRS),
    Reason.SERVER_ERROR: (_C.SERVER_ERROR, _F.THEIRS),
    Reason.CONNECT_TIMEOUT: (_C.CONNECT_TIMEOUT, _F.THEIRS),
    Reason.FIRST_TOKEN_TIMEOUT: (_C.FIRST_TOKEN_TIMEOUT, _F.THEIRS),
    Reason.STALLED: (_C.STALL, _F.THEIRS),
    Reason.TIMEOUT: (_C.TOTAL_TIMEOUT, _F.THEIRS),
    Reason.SLOW_RESPONSE: (_C.TOTAL_TIMEOUT, _F.THEIRS),
    **dict.fromkeys(
        (
            Reason.DNS_NOT_FOUND,
            Reason.DNS_TIMEOUT,
            Reason.DNS_ERROR,
            Reason.CONNECT_REFUSED,
            Reason.UNREACHABLE,
            Reason.CONNECTION_RESET,
            Reason.EMPTY_RESPONSE,
            Reason.TLS_EXPIRED,
            Reason.TLS_NOT_YET_VALID,
            Reason.TLS_WRONG_HOST,
            Reason.TLS_UNTRUSTED,
            Reason.TLS_ERROR,
        ),
        (_C.NETWORK, _F.NETWORK),
    ),
    Reason.ADDRESS_DENIED: (_C.NETWORK, _F.OURS),
    Reason.CONTENT_FILTERED: (_C.CONTENT_FILTER, _F.QUALITY),
    Reason.BAD_REQUEST: (_C.BAD_REQUEST, _F.OURS),
    Reason.MODEL_NOT_FOUND: (_C.MODEL_NOT_FOUND, _F.OURS),
    Reason.MODEL_NOT_LISTED: (_C.MODEL_NOT_FOUND, _F.OURS),
    **dict.fromkeys(
        (
            Reason.MALFORMED_ANSWER,
            Reason.STATUS_MISMATCH,
            Reason.UNEXPECTED_ANSWER,
            Reason.PROTOCOL_ERROR,
            Reason.BODY_TOO_LARGE,
            Reason.DECOMPRESSION_BOMB,
            Reason.REDIRECT_LOOP,
            Reason.TOO_MANY_REDIRECTS,
            Reason.REDIRECT_REFUSED,
        ),
        (_C.MALFORMED, _F.THEIRS),
    ),
    Reason.TRUNCATED: (_C.TRUNCATED, _F.THEIRS),
    Reason.LENGTH_REACHED: (_C.TRUNCATED, _F.OURS),
    Reason.WRONG_ANSWER: (_C.WRONG_ANSWER, _F.QUALITY),
}

# Ours, yet the model is not there for whoever asks for it.
_GONE = frozenset({Reason.MODEL_NOT_FOUND, Reason.MODEL_NOT_LISTED})
# Nothing to be had until somebody changes a key, a plan or a budget: paid looks back off.
WAITS_FOR_US = frozenset(
    {Reason.INVALID_KEY, Reason.PERMISSION_DENIED, Reason.QUOTA_EXHAUSTED, Reason.BILLING, Reason.RATE_LIMITED}
)


def class_of(reason: str) -> tuple[ErrorClass, Fault] | None:
    """The class of an outcome's reason and whose fault it is; None for what is no failure of a model."""
    try:
        return _OF_REASON.get(Reason(reason))
    except ValueError:
        return None


def reasons_of(classes: Collection[str], faults: Collection[str]) -> list[str]:
    """The reasons with one of these classes or faults; every reason that has a class where neither is given."""
    every = not classes and not faults
    return [
        reason.value
        for reason, (error_class, fault) in _OF_REASON.items()
        if every or error_class in classes or fault in faults
    ]


def state_of(reason: Reason) -> OutcomeState:
    """What a failure with this reason makes of a look: ours and quality degrade, what is theirs or the network's fails.

    A model that is gone fails: whoever asks for it gets nothing, even if the mistake is in our configuration.
    """
    found = _OF_REASON.get(reason)
    if found is None:
        return OutcomeState.OK
    if reason in _GONE or found[1] in (Fault.THEIRS, Fault.NETWORK):
        return OutcomeState.FAILED
    return OutcomeState.DEGRADED
