"""What a rule would have done over stored history."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.alerts.models import Rule


@dataclass(frozen=True)
class Backtest:
    """What a rule would have sent, newest first: {"at", "target": {"id", "name"} | None, "severity", "value",
    "lasted_seconds" (None: it would still fire)}.

    `omitted`: how many more there were. `evaluated_from`: where the stored history begins. `problem`: why there is
    no answer, a sentence; empty when there is one.
    """

    messages: list[dict[str, Any]] = field(default_factory=list)
    omitted: int = 0
    evaluated_from: datetime | None = None
    problem: str = ""

    @property
    def count(self) -> int:
        return len(self.messages) + self.omitted


def backtest(rule: Rule, days: int = 7) -> Backtest:
    """Run `rule` (saved or not) over the last `days`. Raises nothing: what cannot be answered is a `problem`."""
    raise NotImplementedError
