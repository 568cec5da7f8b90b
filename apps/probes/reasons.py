"""Why a look ended as it did: one code each, a label, and the sentence a person reads.

Only codes and evidence are stored. The sentence is made when it is shown, in the reader's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Whoever makes sentences knows every code that may stand in evidence.
import apps.core.outbound.problems
import apps.probes.details  # noqa: F401
from apps.core.addresses import RULE_LABELS
from apps.core.details import detail_words, is_ours
from apps.probes.conditions import OPERATOR_LABELS
from apps.probes.vendor_pages.problems import problem_words

Text = str | Promise


class Reason(StrEnum):
    """Every reason an outcome can carry. Codes are stored and sent: never rename one."""

    OK = "ok"
    SLOW = "slow"
    # What was found is not what was asked for
    STATUS_MISMATCH = "status_mismatch"
    CONDITION_FAILED = "condition_failed"
    UNEXPECTED_ANSWER = "unexpected_answer"
    MODEL_NOT_LISTED = "model_not_listed"
    SERVER_ERROR = "server_error"
    # Names and connections
    DNS_NOT_FOUND = "dns_not_found"
    DNS_TIMEOUT = "dns_timeout"
    DNS_ERROR = "dns_error"
    ADDRESS_DENIED = "address_denied"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    UNREACHABLE = "unreachable"
    CONNECTION_RESET = "connection_reset"
    EMPTY_RESPONSE = "empty_response"
    TIMEOUT = "timeout"
    SLOW_RESPONSE = "slow_response"
    # TLS
    TLS_EXPIRED = "tls_expired"
    TLS_NOT_YET_VALID = "tls_not_yet_valid"
    TLS_WRONG_HOST = "tls_wrong_host"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_ERROR = "tls_error"
    # HTTP
    REDIRECT_LOOP = "redirect_loop"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    REDIRECT_REFUSED = "redirect_refused"
    BODY_TOO_LARGE = "body_too_large"
    DECOMPRESSION_BOMB = "decompression_bomb"
    PROTOCOL_ERROR = "protocol_error"
    # Keys and quotas: ours to mend, never an outage of theirs
    INVALID_KEY = "invalid_key"
    PERMISSION_DENIED = "permission_denied"
    QUOTA_EXHAUSTED = "quota_exhausted"
    BILLING = "billing"
    RATE_LIMITED = "rate_limited"
    # AI models
    OVERLOADED = "overloaded"
    FIRST_TOKEN_TIMEOUT = "first_token_timeout"  # noqa: S105 - a name of a class
    STALLED = "stalled"
    CONTENT_FILTERED = "content_filtered"
    BAD_REQUEST = "bad_request"
    MODEL_NOT_FOUND = "model_not_found"
    MALFORMED_ANSWER = "malformed_answer"
    TRUNCATED = "truncated"
    LENGTH_REACHED = "length_reached"
    WRONG_ANSWER = "wrong_answer"
    SLOWER_THAN_USUAL = "slower_than_usual"
    # What a vendor's own status page says
    VENDOR_DEGRADED = "vendor_degraded"
    VENDOR_OUTAGE = "vendor_outage"
    VENDOR_MAINTENANCE = "vendor_maintenance"
    VENDOR_PAGE_UNREADABLE = "vendor_page_unreadable"
    # Databases and workers
    AUTHENTICATION_FAILED = "authentication_failed"
    QUERY_FAILED = "query_failed"
    NO_HEARTBEAT = "no_heartbeat"
    QUEUE_BACKLOG = "queue_backlog"
    # Heartbeats: what was told, or not told in time
    HEARTBEAT_MISSED = "heartbeat_missed"
    HEARTBEAT_FAILED = "heartbeat_failed"
    HEARTBEAT_UNFINISHED = "heartbeat_unfinished"
    # Our own side: says nothing about the target
    INVALID_CONFIGURATION = "invalid_configuration"
    WORKER_LATE = "worker_late"
    HOST_BUSY = "host_busy"
    LINE_LOST = "line_lost"
    INTERNAL_ERROR = "internal_error"

    @property
    def label(self) -> Text:
        """A few words for a badge or a list, translated when shown."""
        return _TEXTS[self].label


class ReasonText(NamedTuple):
    """`sentence` takes its named placeholders from the evidence; without them the label stands in."""

    label: Text
    sentence: Text


_TEXTS: dict[Reason, ReasonText] = {
    Reason.OK: ReasonText(_("As expected"), _("Everything was as expected.")),
    Reason.SLOW: ReasonText(_("Slow"), _("Answered in %(actual)s ms; more than %(expected)s ms counts as degraded.")),
    Reason.STATUS_MISMATCH: ReasonText(_("Unexpected status"), _("Expected status %(expected)s, got %(actual)s.")),
    Reason.CONDITION_FAILED: ReasonText(
        _("Condition not met"), _("Expected %(field)s %(operator)s %(expected)s, got %(actual)s.")
    ),
    Reason.UNEXPECTED_ANSWER: ReasonText(_("Unexpected answer"), _("Expected %(expected)s, got %(actual)s.")),
    Reason.MODEL_NOT_LISTED: ReasonText(
        _("Model not listed"), _("The provider's list of %(count)s models does not contain %(model)s.")
    ),
    Reason.SERVER_ERROR: ReasonText(_("Server error"), _("The server answered with error %(actual)s.")),
    Reason.DNS_NOT_FOUND: ReasonText(_("Name not found"), _("The name %(host)s does not exist.")),
    Reason.DNS_TIMEOUT: ReasonText(
        _("Name lookup timed out"),
        _("No name server answered for %(host)s within %(timeout_seconds)s s."),
    ),
    Reason.DNS_ERROR: ReasonText(_("Name lookup failed"), _("Looking up the name %(host)s failed: %(detail)s.")),
    Reason.ADDRESS_DENIED: ReasonText(
        _("Address not allowed"),
        _("%(host)s leads to %(address)s, an address this portal must not contact (%(rule)s)."),
    ),
    Reason.CONNECT_REFUSED: ReasonText(_("Connection refused"), _("%(host)s refused the connection on port %(port)s.")),
    Reason.CONNECT_TIMEOUT: ReasonText(
        _("Connection timed out"),
        _("%(host)s did not accept a connection on port %(port)s within %(timeout_seconds)s s."),
    ),
    Reason.UNREACHABLE: ReasonText(_("Unreachable"), _("There is no route to %(host)s on port %(port)s.")),
    Reason.CONNECTION_RESET: ReasonText(
        _("Connection broken"), _("%(host)s broke the connection off before the answer was complete.")
    ),
    Reason.EMPTY_RESPONSE: ReasonText(_("Empty answer"), _("%(host)s closed the connection without answering.")),
    Reason.TIMEOUT: ReasonText(_("Timed out"), _("No answer from %(host)s within %(timeout_seconds)s s.")),
    Reason.SLOW_RESPONSE: ReasonText(
        _("Answer too slow"),
        _("%(host)s began to answer but did not finish within %(timeout_seconds)s s."),
    ),
    Reason.TLS_EXPIRED: ReasonText(
        _("Certificate expired"), _("The certificate of %(host)s expired on %(not_after)s.")
    ),
    Reason.TLS_NOT_YET_VALID: ReasonText(
        _("Certificate not valid yet"), _("The certificate of %(host)s is not valid before %(not_before)s.")
    ),
    Reason.TLS_WRONG_HOST: ReasonText(
        _("Certificate for another name"), _("The certificate is for %(names)s, not for %(host)s.")
    ),
    Reason.TLS_UNTRUSTED: ReasonText(
        _("Certificate not trusted"),
        _("The certificate of %(host)s was issued by %(issuer)s, which is not trusted here."),
    ),
    Reason.TLS_ERROR: ReasonText(_("TLS failed"), _("The TLS handshake with %(host)s failed: %(detail)s.")),
    Reason.REDIRECT_LOOP: ReasonText(
        _("Redirect loop"), _("The redirects lead back to %(url)s after %(count)s steps.")
    ),
    Reason.TOO_MANY_REDIRECTS: ReasonText(
        _("Too many redirects"), _("Still redirected after %(count)s steps; at most %(expected)s are followed.")
    ),
    Reason.REDIRECT_REFUSED: ReasonText(
        _("Redirect not followed"), _("A redirect leads to %(location)s, which cannot be followed.")
    ),
    Reason.BODY_TOO_LARGE: ReasonText(
        _("Answer too large"), _("The answer is larger than the limit of %(expected)s bytes.")
    ),
    Reason.DECOMPRESSION_BOMB: ReasonText(
        _("Decompression bomb"),
        _("The compressed answer unpacks to more than the limit of %(expected)s bytes."),
    ),
    Reason.PROTOCOL_ERROR: ReasonText(
        _("Protocol error"), _("The answer of %(host)s does not follow the protocol: %(detail)s.")
    ),
    Reason.INVALID_KEY: ReasonText(
        _("Key not accepted"), _("The provider does not accept the API key (status %(actual)s).")
    ),
    Reason.PERMISSION_DENIED: ReasonText(
        _("Permission denied"), _("The API key is not permitted to do this (status %(actual)s).")
    ),
    Reason.QUOTA_EXHAUSTED: ReasonText(
        _("Quota exhausted"), _("The quota or credit of the account is used up (status %(actual)s).")
    ),
    Reason.RATE_LIMITED: ReasonText(
        _("Rate limited"), _("The provider limits how often we may ask (status %(actual)s).")
    ),
    Reason.BILLING: ReasonText(
        _("Billing problem"), _("The provider asks for payment before it answers (status %(actual)s).")
    ),
    Reason.OVERLOADED: ReasonText(
        _("Provider overloaded"), _("The provider says it is overloaded (status %(actual)s).")
    ),
    Reason.FIRST_TOKEN_TIMEOUT: ReasonText(
        _("No first token in time"), _("No first token came within %(expected)s s.")
    ),
    Reason.STALLED: ReasonText(
        _("Stream stalled"),
        _("The stream stopped for more than %(expected)s s after %(count)s pieces of the answer."),
    ),
    Reason.CONTENT_FILTERED: ReasonText(
        _("Refused by the content filter"), _("The provider's content filter stopped the answer.")
    ),
    Reason.BAD_REQUEST: ReasonText(
        _("Request refused"), _("The provider refuses the request as we send it (status %(actual)s): %(detail)s.")
    ),
    Reason.MODEL_NOT_FOUND: ReasonText(
        _("Model not found"), _("The provider knows no model %(model)s (status %(actual)s).")
    ),
    Reason.MALFORMED_ANSWER: ReasonText(
        _("Malformed answer"), _("The answer is not what this API promises: %(detail)s.")
    ),
    Reason.TRUNCATED: ReasonText(
        _("Answer cut off"), _("The stream ended without its end mark, after %(count)s pieces of the answer.")
    ),
    Reason.LENGTH_REACHED: ReasonText(
        _("Token limit reached"),
        _("The answer was cut off at the limit of tokens before it was complete; we ask for at most %(expected)s."),
    ),
    Reason.WRONG_ANSWER: ReasonText(
        _("Wrong answer"), _("%(failed)s of %(count)s golden prompts were not answered as expected.")
    ),
    Reason.SLOWER_THAN_USUAL: ReasonText(
        _("Slower than usual"),
        _(
            "%(actual)s ms, %(times)s in a row above %(factor)s times its usual %(expected)s ms at this hour of the "
            "last 7 days."
        ),
    ),
    Reason.VENDOR_DEGRADED: ReasonText(
        _("The vendor reports a problem"), _("The vendor's status page reports: %(detail)s.")
    ),
    Reason.VENDOR_OUTAGE: ReasonText(
        _("The vendor reports an outage"), _("The vendor's status page reports an outage: %(detail)s.")
    ),
    Reason.VENDOR_MAINTENANCE: ReasonText(
        _("The vendor reports maintenance"), _("The vendor's status page announces maintenance: %(detail)s.")
    ),
    Reason.VENDOR_PAGE_UNREADABLE: ReasonText(
        _("Status page not readable"), _("The vendor's status page cannot be read: %(detail)s.")
    ),
    Reason.AUTHENTICATION_FAILED: ReasonText(
        _("Sign-in failed"), _("%(host)s did not accept the user name or password.")
    ),
    Reason.QUERY_FAILED: ReasonText(_("Query failed"), _("The query failed: %(detail)s.")),
    Reason.NO_HEARTBEAT: ReasonText(
        _("No heartbeat"),
        _("The last heartbeat is %(actual)s s old; at most %(expected)s s are allowed."),
    ),
    Reason.QUEUE_BACKLOG: ReasonText(
        _("Queue too long"),
        _("The queue %(queue)s holds %(actual)s messages; at most %(expected)s are allowed."),
    ),
    Reason.HEARTBEAT_MISSED: ReasonText(
        _("No ping in time"),
        _("A ping was expected at %(expected)s; none came until %(deadline)s. The last one came at %(last_ping)s."),
    ),
    Reason.HEARTBEAT_FAILED: ReasonText(
        _("The program reported a failure"),
        _("The program reported a failure: it ended with exit status %(exit_status)s."),
    ),
    Reason.HEARTBEAT_UNFINISHED: ReasonText(
        _("Started, never finished"),
        _("The run that started at %(started)s has not ended within %(grace_seconds)s s."),
    ),
    Reason.INVALID_CONFIGURATION: ReasonText(
        _("Configuration not usable"), _("This check cannot run as it is configured: %(detail)s.")
    ),
    Reason.WORKER_LATE: ReasonText(
        _("Worker was late"), _("The probe worker itself was held up, so this result says nothing.")
    ),
    Reason.LINE_LOST: ReasonText(
        _("The region's own line was down"),
        _("No guard of the region answered either: its own line was down, so nothing is known about the target."),
    ),
    Reason.HOST_BUSY: ReasonText(
        _("Held back by our own limit"),
        _(
            "%(count)s requests to %(host)s were in flight, which is our own limit for one host, and none ended within "
            "%(timeout_seconds)s s: this look was not taken."
        ),
    ),
    Reason.INTERNAL_ERROR: ReasonText(
        _("Error in the probe"), _("The probe itself failed (%(detail)s), so this result says nothing.")
    ),
}

# A condition's sentence depends on what it looks at: a unit belongs to some, a name to others.
_CONDITION_SENTENCES: dict[str, Text] = {
    "status": _("Expected status %(operator)s %(expected)s, got %(actual)s."),
    "response_time_ms": _("Expected response time %(operator)s %(expected)s ms, got %(actual)s ms."),
    "certificate_days": _("Expected the certificate to have %(operator)s %(expected)s days left, it has %(actual)s."),
    "body": _("Expected the body to pass “%(operator)s %(expected)s”, it did not."),
    "header": _("Expected header %(name)s %(operator)s %(expected)s, got %(actual)s."),
    "json": _("Expected %(name)s in the JSON answer %(operator)s %(expected)s, got %(actual)s."),
}
# Values that are codes, by their name in evidence.
_LABELLED = {"rule": RULE_LABELS, "operator": OPERATOR_LABELS}
_CONDITION_MISSING = _("Expected %(field)s %(operator)s %(expected)s, but there is no %(field)s in the answer.")


def sentence(reason: str, evidence: Mapping[str, Any] | None = None) -> str:
    """What happened, in the active language, from the evidence's named values; the label when some are missing."""
    try:
        known = Reason(reason)
    except ValueError:
        return str(reason)
    values = dict(evidence or {})
    if values.get("detail"):
        values["detail"] = _within_a_sentence(values)
    if known in (Reason.CONDITION_FAILED, Reason.STATUS_MISMATCH):
        return _condition_sentence(known, values)
    if known is Reason.VENDOR_PAGE_UNREADABLE:
        values["detail"] = page_problem(values)
    return _render(_TEXTS[known].sentence, values) or str(known.label)


def page_problem(evidence: Mapping[str, Any]) -> str:
    """Why a status page says nothing, as the end of a sentence in the active language."""
    cause = str(evidence.get("cause", ""))
    label = str(Reason(cause).label) if cause in Reason._value2member_map_ else cause
    return problem_words({**evidence, "cause": label})


def _within_a_sentence(evidence: Mapping[str, Any]) -> str:
    """The detail in the middle of a sentence of ours: what is somebody else's, as it stands, between quotes."""
    said = detail_words(evidence)
    return said.removesuffix(".") if is_ours(evidence) else f"“{said}”"


def condition_sentence(condition: Mapping[str, Any]) -> str:
    """One evaluated condition (field, operator, expected, actual) as a sentence in the active language."""
    field = str(condition.get("field", ""))
    group, _dot, name = field.partition(".")
    values = {**condition, "name": name}
    if condition.get("actual") is None:
        return _render(_CONDITION_MISSING, values) or field
    template = _CONDITION_SENTENCES.get(group, _TEXTS[Reason.CONDITION_FAILED].sentence)
    if group == "status" and condition.get("operator") == "==":
        template = _TEXTS[Reason.STATUS_MISMATCH].sentence
    return _render(template, values) or field


def _condition_sentence(reason: Reason, values: dict[str, Any]) -> str:
    conditions = values.get("conditions")
    if isinstance(conditions, list):
        failed = [entry for entry in conditions if isinstance(entry, dict) and entry.get("passed") is False]
        if failed:
            return condition_sentence(failed[0]) or str(reason.label)
    return _render(_TEXTS[reason].sentence, values) or str(reason.label)


def _render(template: Text, values: Mapping[str, Any]) -> str:
    try:
        return str(template) % _Readable(values)
    except KeyError:
        return ""


class _Readable(dict[str, Any]):
    """Evidence values as a person writes them: no trailing `.0`, lists joined; a missing or empty one is a KeyError."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        if value is None or value == "":
            raise KeyError(key)
        if key in _LABELLED:
            return str(_LABELLED[key].get(str(value), value))
        if isinstance(value, float):
            return f"{value:.1f}".removesuffix(".0") if abs(value) < 100 else f"{value:.0f}"
        if isinstance(value, list | tuple):
            return ", ".join(str(part) for part in value)
        return value
