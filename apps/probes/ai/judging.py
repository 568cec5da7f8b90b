"""What an answer of a model means: by its class first, whoever's fault it is, and by nothing else here.

Speed is judged by whoever runs a kind, and only of what is good. Every outcome of a look that went out carries its
tokens, because it may have cost money: the provider's count, else an estimate that is marked as one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from apps.core.details import words as our_words
from apps.core.kindconfig import MASK
from apps.core.outbound.exchange import Exchange, OutboundError, OutboundReason
from apps.core.outbound.showing import safe_headers, safe_url, shortened
from apps.probes.ai import counting
from apps.probes.ai.asking import dialect_of
from apps.probes.ai.classes import class_of, state_of
from apps.probes.ai.dialect import Ask, Reply
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.usage import Usage
from apps.probes.base import Outcome, OutcomeState
from apps.probes.details import Detail
from apps.probes.reasons import Reason

_MAX_DETAIL = 300
KEPT_CHARACTERS = 500
# A longer wait is nobody's word on a rate limit.
_LONGEST_RETRY_AFTER = 31 * 86_400
# So much in a row of what we said is an echo of it, not a coincidence.
_ECHO = 20
# As `asking.unseen` puts it in front of a prompt.
_NONCE = re.compile(r"(?:\[|%5B)[0-9a-f]{12}(?:\]|%5D)(?: |%20|\+)?")
# These end a look before a word of ours was said, so it cost nothing.
_NOTHING_SENT = frozenset(
    {
        OutboundReason.DNS_NOT_FOUND,
        OutboundReason.DNS_TIMEOUT,
        OutboundReason.DNS_ERROR,
        OutboundReason.ADDRESS_DENIED,
        OutboundReason.CONNECT_REFUSED,
        OutboundReason.CONNECT_TIMEOUT,
        OutboundReason.UNREACHABLE,
        OutboundReason.TLS_EXPIRED,
        OutboundReason.TLS_NOT_YET_VALID,
        OutboundReason.TLS_WRONG_HOST,
        OutboundReason.TLS_UNTRUSTED,
        OutboundReason.TLS_ERROR,
    }
)
_ABOUT_US = frozenset({OutboundReason.INVALID_CONFIGURATION, OutboundReason.INTERNAL_ERROR})


def verdict(reason: Reason, evidence: Mapping[str, Any], measurements: Mapping[str, float]) -> Outcome:
    """An outcome whose state follows from its reason: ours and quality degrade, theirs and the network's fail."""
    return Outcome(state=state_of(reason), reason=reason, evidence=dict(evidence), measurements=dict(measurements))


def evidence_of(endpoint: Endpoint, exchange: Exchange) -> dict[str, Any]:
    """What every look at a model proves itself with: never a key, a prompt or a whole body."""
    facts: dict[str, Any] = {
        "url": safe_url(exchange.url),
        "address": exchange.address,
        "status_line": exchange.status_line,
        "actual": exchange.status,
        "headers": safe_headers(exchange.headers),
        "model": endpoint.model,
        "dialect": endpoint.dialect,
    }
    room = dialect_of(endpoint).head_room(exchange.headers)
    return facts | {"rate_limit": room} if room else facts


def refusal(endpoint: Endpoint, exchange: Exchange, ask: Ask | None = None) -> Outcome | None:
    """Why an answer whose status is not good was given; None for a good status. Nothing was generated, so no tokens."""
    if 200 <= exchange.status < 300:
        return None
    evidence = evidence_of(endpoint, exchange)
    nothing = Usage().measurements()
    if 300 <= exchange.status < 400:
        # A key goes only where it was meant to go: a redirect is not followed, and is no answer either.
        return verdict(Reason.STATUS_MISMATCH, evidence | {"expected": 200}, nothing)
    reason, detail = dialect_of(endpoint).classify(exchange.status, exchange.headers, exchange.body)
    if class_of(reason) is None:
        reason = Reason.STATUS_MISMATCH
    if reason is Reason.STATUS_MISMATCH:
        evidence["expected"] = 200
    if detail:
        said = words(detail, ask)
        explained = dialect_of(endpoint).explained(reason, said)
        evidence |= explained.to_evidence() if explained is not None else {"detail": said}
    wait = retry_after_seconds(endpoint, exchange)
    if wait is not None:
        evidence["retry_after_seconds"] = wait
    return verdict(reason, evidence, nothing)


def fault_of(reply: Reply, ask: Ask, limit: int) -> tuple[Reason, dict[str, Any]] | None:
    """What is wrong with a complete answer whatever it says: its reason and what its sentence needs; None: nothing."""
    if reply.problem is not None:
        return problem_under_good_status(reply.problem, words(reply.detail, ask))
    if reply.choices == 0:
        return Reason.MALFORMED_ANSWER, our_words(Detail.NO_CHOICES).to_evidence()
    return unsaid(reply.finish, limit, is_said=bool(reply.text.strip() or reply.tool_calls))


def problem_under_good_status(problem: Reason, detail: str) -> tuple[Reason, dict[str, Any]]:
    """An error where an answer was promised: as what it says it is, and if that is no more than that, malformed."""
    if problem in (Reason.SERVER_ERROR, Reason.MALFORMED_ANSWER):
        said = our_words(Detail.SAID_ERROR, said=detail) if detail else our_words(Detail.ERROR)
        return Reason.MALFORMED_ANSWER, said.to_evidence()
    return problem, {"detail": detail} if detail else {}


def unsaid(finish: str, limit: int, *, is_said: bool) -> tuple[Reason, dict[str, Any]] | None:
    """What it means that an answer ended like this, given whether anything was said at all within `limit` tokens."""
    if finish == "content_filter":
        return Reason.CONTENT_FILTERED, {}
    if finish == "error":
        return Reason.MALFORMED_ANSWER, our_words(Detail.ERROR_AT_THE_END).to_evidence()
    if is_said:
        return None
    if finish == "length":
        return Reason.LENGTH_REACHED, {"expected": limit}
    return Reason.MALFORMED_ANSWER, our_words(Detail.NO_WORDS).to_evidence()


def usage_of(reply: Reply, ask: Ask, limit: int) -> Usage:
    """What a complete answer used."""
    reasoning = counting.tokens_of(reply.reasoning)
    calls = sum(counting.tokens_of(call.name + call.arguments) for call in reply.tool_calls)
    said = counting.tokens_of(reply.text) + calls + reasoning
    ours = counting.estimated(counting.text_of(ask), said, reasoning)
    return counting.believed(reply.usage, ours, limit)


def malformed_usage(ask: Ask, exchange: Exchange) -> Usage:
    """What an answer that cannot be read may have used: as much as its bytes could say."""
    heard = min(exchange.body_bytes // 4, ask.max_output_tokens)
    return counting.estimated(counting.text_of(ask), heard)


def unanswered(
    endpoint: Endpoint, error: OutboundError, question: str, ask: Ask | None = None, *, most_out: int = 0
) -> Outcome | None:
    """What it means that no usable answer came; None when that says something about us, not about the model.

    `most_out` are the tokens that may have been generated for a question that had been sent.
    """
    if error.reason in _ABOUT_US:
        return None
    evidence = {name: value for name, value in error.evidence.items() if name != "body"}
    evidence |= {"model": endpoint.model, "dialect": endpoint.dialect}
    if "detail" in evidence:
        evidence["detail"] = unechoed(str(evidence["detail"]), ask)
    reason = Reason(error.reason.value)
    if reason is Reason.TIMEOUT and evidence.get("phase") == "tls":
        reason = Reason.CONNECT_TIMEOUT
    is_unsent = error.reason in _NOTHING_SENT or reason is Reason.CONNECT_TIMEOUT
    usage = Usage() if is_unsent else counting.estimated(question, most_out)
    return verdict(reason, evidence, usage.measurements())


def retry_after_seconds(endpoint: Endpoint, exchange: Exchange) -> float | None:
    """How long the provider asks us to wait, by header or body, in seconds or as a date; None when it does not."""
    answered = datetime.fromtimestamp(exchange.started_at + exchange.duration_ms / 1000, UTC)
    headers = {"date": answered.isoformat(), **exchange.headers}
    seconds = dialect_of(endpoint).retry_after(headers, exchange.body)
    return round(seconds, 1) if seconds is not None and 0 < seconds <= _LONGEST_RETRY_AFTER else None


def words(detail: str, ask: Ask | None) -> str:
    """A provider's own words as part of a sentence of ours."""
    return unechoed(shortened(detail.strip(), _MAX_DETAIL).rstrip(". "), ask)


def unechoed(text: str, ask: Ask | None) -> str:
    """`text` with whatever it repeats of what we asked masked: a prompt may be somebody's secret."""
    if ask is None:
        return text
    # What was asked may have had another nonce than the `ask` it is judged by.
    text = _NONCE.sub(MASK, text)
    for said in (ask.prompt, ask.system):
        for form in _forms_of(said, text):
            text = _without(text, form)
    return text.replace(MASK + MASK, MASK)


def _forms_of(said: str, text: str) -> Iterable[str]:
    """What was said as `text` may have it: as it is, on one line, and as a body or an address has it, which providers
    like to quote in their errors. An escaped form without its mark in the text holds nothing that others do not."""
    forms = [said, " ".join(said.split())]
    if "\\" in text:
        forms += [json.dumps(said)[1:-1], json.dumps(said, ensure_ascii=False)[1:-1]]
    if "%" in text:
        forms.append(quote(said))
    return dict.fromkeys(forms)


def _without(text: str, said: str) -> str:
    # Every answer passes here: an echo holds one of these whole, and nearly no text does.
    half = _ECHO // 2
    places = range(0, len(text) - half + 1, half)
    if len(said) < _ECHO or not any(text[place : place + half] in said for place in places):
        return text
    kept: list[str] = []
    position = 0
    while position < len(text):
        length = _ECHO
        if len(text) - position < _ECHO or text[position : position + length] not in said:
            kept.append(text[position])
            position += 1
            continue
        while position + length < len(text) and text[position : position + length + 1] in said:
            length += 1
        kept.append(MASK)
        position += length
    return "".join(kept)


def shown(text: str, ask: Ask) -> str:
    """An answer as evidence shows it."""
    return unechoed(shortened(text, KEPT_CHARACTERS), ask)


def good(evidence: Mapping[str, Any], measurements: Mapping[str, float]) -> Outcome:
    """All is well."""
    return Outcome(state=OutcomeState.OK, reason=Reason.OK, evidence=dict(evidence), measurements=dict(measurements))
