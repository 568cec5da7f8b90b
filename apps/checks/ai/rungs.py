"""Which kinds of check look at models, and what each of them says about one. From the cost ladder, never by name."""

from __future__ import annotations

from typing import Any

from apps.probes.base import FIRST_PAID_RUNG, PROBE_KINDS, ProbeKind

_LISTING_RUNG = 1
_CANARY_RUNG = 4


def is_of_models(kind: str) -> bool:
    """Whether its looks are kept as looks at a model: they use its provider's key, or stand on the ladder."""
    return kind in PROBE_KINDS and _is_of_models(PROBE_KINDS.get(kind))


def is_free(kind: str) -> bool:
    """Whether it only reads the provider's list: it costs nothing, and tells whether the key is good."""
    return is_of_models(kind) and not PROBE_KINDS.get(kind).is_paid


def is_timed(kind: str) -> bool:
    """Whether how long it takes is how long the model takes: it asks for one short answer.

    The provider's list says nothing of a model's speed, and a canary asks for as much as its author likes.
    """
    return kind in PROBE_KINDS and _is_timed(PROBE_KINDS.get(kind))


def is_canary(kind: str) -> bool:
    """Whether it judges what is answered: each of its runs is worth keeping whole."""
    return kind in PROBE_KINDS and PROBE_KINDS.get(kind).rung == _CANARY_RUNG


def model_kinds() -> list[str]:
    """The names of all kinds whose looks are looks at models."""
    return [name for name, kind in PROBE_KINDS.items() if _is_of_models(kind)]


def timed_kinds() -> list[str]:
    return [name for name, kind in PROBE_KINDS.items() if _is_timed(kind)]


def canary_kinds() -> list[str]:
    return [name for name in PROBE_KINDS.names() if is_canary(name)]


def status_kinds() -> list[str]:
    """Those that say how a model is unless a check says otherwise: for hours of checks that are gone."""
    return [name for name, kind in PROBE_KINDS.items() if _is_of_models(kind) and kind.default_affects_status]


def duration_order(kind: str) -> tuple[int, str]:
    """Sorts, of kinds that are timed, the cheapest first: its duration is taken for a model's."""
    return (PROBE_KINDS.get(kind).rung or 0, kind)


def _is_of_models(kind: ProbeKind[Any]) -> bool:
    return kind.uses_endpoint or (kind.rung is not None and kind.rung >= _LISTING_RUNG)


def _is_timed(kind: ProbeKind[Any]) -> bool:
    return kind.rung is not None and FIRST_PAID_RUNG <= kind.rung < _CANARY_RUNG
