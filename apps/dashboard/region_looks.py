"""How regions, their lines and their guards look: a word, a colour token and a shape, the three always together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import pgettext_lazy

from apps.checks.models.guard import Guard, LineState
from apps.checks.regions.selectors import RegionState, RegionView


@dataclass(frozen=True)
class Look:
    """`token` names the colour; `shape` is the template that draws the shape."""

    word: Any
    token: str
    shape: str


def _look(word: Any, token: str, shape: str) -> Look:
    return Look(word, token, f"components/shapes/{shape}.html")


_STATES = {
    RegionState.WORKING: _look(pgettext_lazy("a region", "Working"), "ok", "operational"),
    RegionState.SILENT: _look(pgettext_lazy("a region", "Silent"), "warn", "degraded"),
    RegionState.NEVER_HEARD: _look(pgettext_lazy("a region", "Never heard from"), "mute", "unknown"),
    RegionState.OFF: _look(pgettext_lazy("a region", "Switched off"), "mute", "maintenance"),
    RegionState.UNKNOWN: _look(pgettext_lazy("a region", "Unknown"), "mute", "unknown"),
}
_LINES = {
    "answers": _look(pgettext_lazy("a region's line", "Answers"), "ok", "operational"),
    "lost": _look(pgettext_lazy("a region's line", "Lost"), "warn", "degraded"),
    "unguarded": _look(pgettext_lazy("a region's line", "Unguarded"), "mute", "unknown"),
    "unknown": _look(pgettext_lazy("a region's line", "Unknown"), "mute", "unknown"),
}
_GUARDS = {
    LineState.ANSWERS: ("ok", "operational"),
    LineState.FAILS: ("warn", "degraded"),
    LineState.UNKNOWN: ("mute", "unknown"),
}


def state_look(region: RegionView) -> Look:
    """Whether anything looks from there."""
    return _STATES[RegionState(region.state)]


def line_look(region: RegionView) -> Look:
    """What the region says of its own line."""
    return _LINES.get(region.line, _LINES["unknown"])


def guard_look(guard: Guard) -> Look:
    """What was last found at a guard."""
    if not guard.enabled:
        return _look(pgettext_lazy("a guard", "Switched off"), "mute", "maintenance")
    state = LineState(guard.state)
    return _look(state.label, *_GUARDS[state])
