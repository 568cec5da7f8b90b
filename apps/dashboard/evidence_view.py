"""Evidence prepared for showing: what is known gets a place of its own, the rest is listed, nothing is hidden.

Evidence is plain JSON of at most 16 kB made by a probe; its values come from the target, so nothing here is trusted:
no shape is required, and templates escape every text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.checks.models import PingKind
from apps.core.addresses import RULE_LABELS
from apps.core.details import readable
from apps.core.kindconfig import MASK
from apps.dashboard import formatting
from apps.dashboard.ai.prompts import PromptLine, prompts_of
from apps.probes.conditions import OPERATOR_LABELS
from apps.probes.reasons import Reason, page_problem

Text = str | Promise

_PHASES: tuple[tuple[str, Text], ...] = (
    ("dns_ms", _("Name lookup")),
    ("connect_ms", _("Connect")),
    ("tls_ms", _("TLS handshake")),
    ("first_byte_ms", _("Waiting for the first byte")),
    ("transfer_ms", _("Transfer")),
)
_LABELS: dict[str, Text] = {
    "actual": _("Got"),
    "address": _("Address"),
    "addresses": _("Addresses"),
    "body_bytes": _("Body size"),
    "content_type": _("Content type"),
    "count": _("Count"),
    "deadline": _("Deadline"),
    "detail": _("Detail"),
    "dialect": _("Dialect"),
    "exit_status": _("Exit status"),
    "expected": _("Expected"),
    "failed": _("Not as expected"),
    "finish": _("Ended because of"),
    "field": _("Field"),
    "format": _("Format"),
    "found": _("Found"),
    "grace_seconds": _("Grace (s)"),
    "guards": _("Guards"),
    "heartbeat_key": _("Heartbeat key"),
    "host": _("Host"),
    "issuer": _("Issuer"),
    "last_ping": _("Last ping"),
    "last_ping_kind": _("Kind of the last ping"),
    "location": _("Location"),
    "method": _("Method"),
    "missing": _("No longer there"),
    "model": _("Model"),
    "name": _("Name"),
    "names": _("Names"),
    "not_after": _("Valid until"),
    "not_before": _("Valid from"),
    "operator": _("Operator"),
    "page": _("Status page"),
    "phase": _("Phase"),
    "port": _("Port"),
    "queue": _("Queue"),
    "queues": _("Queues"),
    "rate_limit": _("Rate limits"),
    "redirects": _("Redirects"),
    "retry_after_seconds": _("Try again after (s)"),
    "rule": _("Rule"),
    "run": pgettext_lazy("of a program", "Run"),
    "schedule": _("Schedule"),
    "seen": _("What was seen"),
    "sqlstate": _("SQLSTATE code"),
    "started": _("Started"),
    "status": pgettext_lazy("of an HTTP answer", "Status"),
    "status_line": _("Answer"),
    "subject": _("Subject"),
    "timeout_seconds": _("Time limit (s)"),
    "url": _("URL"),
    "wire_bytes": _("Received"),
}
# Values that are codes, by their name in evidence; what is no code of these is shown as it is.
_WORDS: dict[str, Mapping[str, Text]] = {
    "last_ping_kind": {kind.value: kind.label for kind in PingKind},
    "operator": OPERATOR_LABELS,
    "phase": {key.removesuffix("_ms"): label for key, label in _PHASES}
    | {"query": _("Query"), "sign_in": _("Signing in")},
    "rule": RULE_LABELS,
    "seen": {reason.value: reason.label for reason in Reason},
}
_SIZES = frozenset({"body_bytes", "wire_bytes"})
_BLOCKS = frozenset(
    {"conditions", "headers", "body", "certificate", "hops", "measurements", "timings", "phases", "prompts"}
)


@dataclass(frozen=True)
class Fact:
    """One line of a list: a label and a text; `masked` when it stands for a secret that was removed."""

    label: Text
    value: str
    masked: bool = False


@dataclass(frozen=True)
class ConditionLine:
    """One condition as it was evaluated. `passed` None: it was not reached."""

    field: str
    operator: str
    expected: str
    actual: str
    passed: bool | None


@dataclass(frozen=True)
class Phase:
    """One phase of a look; `x` and `width` are per cent of the whole."""

    key: str
    label: Text
    duration: str
    x: float
    width: float


@dataclass(frozen=True)
class EvidenceView:
    """What `components/evidence.html` draws, each part empty when there is none."""

    facts: list[Fact] = field(default_factory=list)
    conditions: list[ConditionLine] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    total: str = ""
    headers: list[Fact] = field(default_factory=list)
    certificate: list[Fact] = field(default_factory=list)
    hops: list[Fact] = field(default_factory=list)
    prompts: list[PromptLine] = field(default_factory=list)
    body: str = ""
    truncated: bool = False

    @property
    def is_empty(self) -> bool:
        parts = (self.facts, self.conditions, self.phases, self.headers, self.body, self.certificate, self.prompts)
        return not any(parts)


def view_of(evidence: Any, measurements: Any = None, duration_ms: float | None = None) -> EvidenceView:
    """Sort `evidence` (any JSON value) and `measurements` (milliseconds by phase) into what the page shows."""
    plain = _in_words(evidence) if isinstance(evidence, Mapping) else ({"detail": evidence} if evidence else {})
    timings = next(
        (
            found
            for found in (measurements, *(plain.get(key) for key in ("measurements", "timings", "phases")))
            if found
        ),
        None,
    )
    phases, total = phases_of(timings, duration_ms)
    skipped = _BLOCKS | {"truncated"} | {key for key, _label in _PHASES}
    return EvidenceView(
        facts=_facts({key: value for key, value in plain.items() if key not in skipped}),
        conditions=_conditions(plain.get("conditions")),
        phases=phases,
        total=total,
        headers=_headers(plain.get("headers")),
        certificate=_facts(plain["certificate"]) if isinstance(plain.get("certificate"), Mapping) else [],
        hops=_hops(plain.get("hops")),
        prompts=prompts_of(plain.get("prompts")),
        body=_body(plain.get("body")),
        truncated=plain.get("truncated") is True,
    )


def _in_words(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Evidence with its detail in the active language: of a status page that cannot be read, what its code means."""
    plain = readable(evidence)
    if isinstance(plain.get("problem"), str):
        told = {key: value for key, value in plain.items() if key not in ("problem", "cause")}
        return told | {"detail": page_problem(evidence)}
    return plain


def phases_of(timings: Any, duration_ms: float | None = None) -> tuple[list[Phase], str]:
    """Phases in the order they happen, to the scale of the whole look, and the whole as words."""
    if not isinstance(timings, Mapping):
        timings = {}
    known = [
        (key, label, float(timings[key]))
        for key, label in _PHASES
        if isinstance(timings.get(key), int | float) and timings[key] >= 0
    ]
    together = sum(value for _key, _label, value in known)
    whole = max(duration_ms or 0.0, together)
    phases, x = [], 0.0
    for key, label, value in known:
        width = 100 * value / whole if whole else 0.0
        phases.append(Phase(key, label, formatting.duration(value), round(x, 3), round(width, 3)))
        x += width
    return phases, formatting.duration(whole) if whole else ""


def _facts(values: Mapping[str, Any]) -> list[Fact]:
    return [
        Fact(_LABELS.get(key, key.replace("_", " ").capitalize()), _value(key, value), _is_masked(value))
        for key, value in values.items()
        if value not in (None, "", [], {})
    ]


def _value(key: str, value: Any) -> str:
    if key in _SIZES and isinstance(value, int | float):
        return formatting.byte_size(value)
    return _worded(key, value)


def _worded(key: str, value: Any) -> str:
    """A code in words where it is one of ours; any other value as text."""
    known = _WORDS.get(key, {})
    return str(known[value]) if isinstance(value, str) and value in known else text_of(value)


def text_of(value: Any) -> str:
    """Any JSON value as one text: lists of plain values joined, anything deeper as JSON."""
    if value is None:
        return formatting.ABSENT
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, list) and all(not isinstance(part, list | dict) for part in value):
        return ", ".join(text_of(part) for part in value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, indent=2)
    return str(value)


def _is_masked(value: Any) -> bool:
    return isinstance(value, str) and value.strip() == MASK


def _conditions(found: Any) -> list[ConditionLine]:
    entries = [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []
    return [
        ConditionLine(
            field=text_of(entry.get("field", "")),
            operator=_worded("operator", entry.get("operator", "")),
            expected=text_of(entry.get("expected", entry.get("value"))),
            actual=text_of(entry.get("actual")),
            passed=entry["passed"] if isinstance(entry.get("passed"), bool) else None,
        )
        for entry in entries
    ]


def _headers(found: Any) -> list[Fact]:
    if not isinstance(found, Mapping):
        return []
    return [Fact(str(name), text_of(value), _is_masked(value)) for name, value in sorted(found.items())]


def _hops(found: Any) -> list[Fact]:
    entries = [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []
    return [
        Fact(text_of(entry.get("status", "")), text_of(entry.get("location", entry.get("url")))) for entry in entries
    ]


def _body(found: Any) -> str:
    """The body as text; JSON is laid out, because an error message hides in one long line."""
    if not found:
        return ""
    text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, indent=2)
    if text[:1] in "{[":
        try:
            return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
        except ValueError:
            return text
    return text
