"""What a provider's rate limits leave, as it last said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.checks.ai.selectors import ModelFacts
from apps.core import clock

Text = str | Promise

_LABELS: dict[str, Text] = {
    "requests": _("Requests"),
    "tokens": _("Tokens"),
    "input_tokens": _("Input tokens"),
    "output_tokens": _("Output tokens"),
}
# Below these shares a burst of real users may meet the limit.
_LITTLE, _HARDLY_ANY = 0.2, 0.05


@dataclass(frozen=True)
class Room:
    """One limit. `share` (0..1) is what was left; None where the provider said only a part of it.

    `is_over`: it has filled up again since.
    """

    label: Text
    limit: float | None
    remaining: float | None
    resets_at: datetime | None
    share: float | None
    tone: str

    @property
    def is_over(self) -> bool:
        return self.resets_at is not None and self.resets_at <= clock.now()


def rooms_of(facts: ModelFacts) -> list[Room]:
    """Each limit the provider named, in its order."""
    found = facts.rate_limit or {}
    entries = [(name, entry) for name, entry in found.items() if isinstance(entry, dict)]
    return [_room(name, entry, facts.rate_limit_at) for name, entry in entries]


def _room(name: str, entry: dict[str, Any], said_at: datetime | None) -> Room:
    limit, remaining, seconds = (_number(entry.get(key)) for key in ("limit", "remaining", "reset_seconds"))
    share = None if remaining is None or not limit else min(1.0, max(0.0, remaining / limit))
    resets_at = None
    if said_at is not None and seconds is not None and seconds < timedelta(days=366).total_seconds():
        resets_at = said_at + timedelta(seconds=seconds)
    over = resets_at is not None and resets_at <= clock.now()
    label = _LABELS.get(name, name.replace("_", " ").capitalize())
    return Room(label, limit, remaining, resets_at, share, "" if over else _tone(share))


def _tone(share: float | None) -> str:
    if share is None:
        return ""
    return "bad" if share < _HARDLY_ANY else "warn" if share < _LITTLE else "ok"


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
