"""`first_token` and `tokens_per_second`: how soon a model begins to answer and how fast it writes, over a window."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal, TypeVar
from uuid import UUID

import msgspec
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from apps.alerts.rule_kinds.base import RULE_KINDS, History, Reading, Readings, RuleKind
from apps.alerts.rule_kinds.latency import along_buckets, buckets_of, seldom_looked
from apps.checks.ai.rungs import timed_kinds
from apps.checks.readings import Measure, get_check_shapes, get_percentile_history, get_percentiles
from apps.core.kindconfig import field

_Window = Annotated[
    int,
    field(
        _("Over"),
        _("The looks of this long until now; paid looks are rare, so leave room for some of them."),
        widget="duration",
        ge=60,
        le=86_400,
    ),
]


class FirstTokenConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which percentile, over how long, and of which token."""

    percentile: Annotated[
        Literal["p50", "p75", "p95", "p99"],
        field(_("Percentile"), _("p95: nineteen of twenty answers began sooner than this.")),
    ] = "p95"
    window_seconds: _Window = 3_600
    first: Annotated[
        Literal["any", "answer"],
        field(_("Token"), _("any: the first of all, thinking too. answer: the first that a reader gets to see.")),
    ] = "any"

    @property
    def fraction(self) -> float:
        return int(self.percentile[1:]) / 100

    @property
    def measure(self) -> Measure:
        return Measure.FIRST_TOKEN if self.first == "any" else Measure.FIRST_ANSWER


class SpeedConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which percentile, over how long."""

    percentile: Annotated[
        Literal["p5", "p25", "p50"],
        field(_("Percentile"), _("p5: nineteen of twenty answers were written faster than this.")),
    ] = "p50"
    window_seconds: _Window = 3_600

    @property
    def fraction(self) -> float:
        return int(self.percentile[1:]) / 100

    @property
    def measure(self) -> Measure:
        return Measure.SPEED


ConfigType = TypeVar("ConfigType", FirstTokenConfig, SpeedConfig)


class _AnswerKind(RuleKind[ConfigType]):
    """A percentile of something every streamed answer of a model has."""

    keeps_history = True

    def read(self, config: ConfigType, targets: Collection[UUID], *, now: datetime) -> Readings:
        window = timedelta(seconds=config.window_seconds)
        found = get_percentiles(targets, config.fraction, window, now, timed_kinds(), measure=config.measure)
        return {
            target: Reading(round(value, 1), {"percentile": config.percentile, "looks": looks})
            for target, (value, looks) in found.items()
        }

    def lookback_seconds(self, config: ConfigType) -> float:
        return float(config.window_seconds)

    def warnings(self, config: ConfigType, targets: Collection[UUID]) -> list[str]:
        timed = timed_kinds()
        intervals = [shape.interval_seconds for shape in get_check_shapes(targets) if shape.kind in timed]
        if not intervals:
            return [translated("None of these targets is a model with a paid look, which alone measures this.")]
        return seldom_looked(intervals, config.window_seconds)

    def history(
        self, config: ConfigType, targets: Collection[UUID], *, since: datetime, until: datetime
    ) -> History | None:
        """In stretches of the window, one after another; a stretch is known at its end."""
        width = buckets_of(config.window_seconds, since, until)
        rows = get_percentile_history(
            targets, config.fraction, width, start=since, end=until, kinds=timed_kinds(), measure=config.measure
        )
        return along_buckets(rows, width, since=since, until=until)


class FirstTokenKind(_AnswerKind[FirstTokenConfig]):
    """Answers that came in one piece have no first token, and looks that failed have none."""

    name = "first_token"
    label = _("Time to the first token")
    help_text = _("A percentile of the time until a model's answers begin, over a window. Only streamed answers count.")
    Config = FirstTokenConfig
    unit = "ms"
    cause = "first_token"


class SpeedKind(_AnswerKind[SpeedConfig]):
    """Below a level is bad."""

    name = "tokens_per_second"
    label = _("Tokens a second")
    help_text = _("A percentile of how fast a model writes once it has begun, over a window. Slow is below the level.")
    Config = SpeedConfig
    unit = "tokens/s"
    cause = "tokens_per_second"
    usual_operator: ClassVar[str] = "<"


RULE_KINDS.add(FirstTokenKind.name, FirstTokenKind())
RULE_KINDS.add(SpeedKind.name, SpeedKind())
