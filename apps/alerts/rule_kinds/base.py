"""What a rule can be about: one class a kind, which reads the number of every target at once.

A kind is one file of this package that registers itself with `RULE_KINDS.add(Kind.name, Kind())`. It reads through the
selectors of the app that holds the data; judging (levels, `for`, recovery, no data) is `alerts.rules`, and pure.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

import msgspec

from apps.core.registry import Registry

ConfigType = TypeVar("ConfigType", bound=msgspec.Struct)

# What the portal measures of itself is read under this key instead of a target's id.
PORTAL: None = None


@dataclass(frozen=True)
class Reading:
    """One number in the kind's unit (None: there is no data), and what a person needs to understand it.

    `detail["reason"]`, where there is one, is the reason of the alert. `unmeasured`: the number only says that nobody
    measured the target; where it is the portal itself that does not measure, it counts as none.
    """

    value: float | None
    detail: Mapping[str, Any] = field(default_factory=dict)
    unmeasured: bool = False


Readings = Mapping["UUID | None", Reading]
# Per target the number at each moment, oldest first: what a back-test runs over.
History = Mapping["UUID | None", "list[tuple[datetime, float | None]]"]


class RuleKind(ABC, Generic[ConfigType]):
    """One kind of rule."""

    name: ClassVar[str]
    label: ClassVar[Any]
    # One sentence for the form: what is measured, and how.
    help_text: ClassVar[Any]
    # A frozen msgspec.Struct, as for channels: validation, JSON Schema and form come from it.
    Config: type[ConfigType]
    # "s", "ms", "%", "d", "" (a count): how levels and values are shown.
    unit: ClassVar[str] = ""
    # Without levels a rule is about a state: a reading of 1 holds, of 0 does not, and `Rule.severity` says how bad.
    has_levels: ClassVar[bool] = True
    # False: one reading under PORTAL, and the rule's matchers do not apply.
    per_target: ClassVar[bool] = True
    # Which cause an alert of it has; `status` makes it one alert with the target's incident.
    cause: ClassVar[str]
    # What levels can be reached at all, to find rules that can never fire.
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float | None] = None
    # Which side of a level is usually the bad one: what the form begins with.
    usual_operator: ClassVar[str] = ">"
    # Whether `history` answers.
    keeps_history: ClassVar[bool] = False

    @abstractmethod
    def read(self, config: ConfigType, targets: Collection[UUID], *, now: datetime) -> Readings:
        """The reading of each of `targets` (left out: no data), in one query whatever their number."""

    def lookback_seconds(self, config: ConfigType) -> float:
        """How far back `read` looks: so long after a gap in the portal's own looking, no data says nothing."""
        return 0.0

    def warnings(self, config: ConfigType, targets: Collection[UUID]) -> list[str]:
        """Sentences for whoever saves a rule on `targets` that this config makes deaf. A fixed number of queries."""
        return []

    def history(
        self, config: ConfigType, targets: Collection[UUID], *, since: datetime, until: datetime
    ) -> History | None:
        """The readings there were, for a back-test; None when this kind stores no history."""
        return None


RULE_KINDS: Registry[RuleKind[Any]] = Registry("rule kind", package="apps.alerts.rule_kinds")
