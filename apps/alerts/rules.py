"""The judgement of rules: from numbers to what fires. Pure: no database, no settings, no clock.

One rule and one target at a time: `judge` takes where they stood, the number of now and the moment, and says where
they stand. Nothing stands where all is well.

    beyond a level ──── for long enough ──── fires ──── back by the recovery margin ──── well
         └── back before that: well             └── worse: the severity rises; better: it falls, and fires on

No number at all is an outcome of its own (`NoData`); a portal that did not look is none: whatever fires goes on
firing, and what only waits begins anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# How long a level must hold, unless a rule says otherwise: critical is told at once, warning after 15 minutes.
DEFAULT_FOR_SECONDS: Mapping[str, int] = {"critical": 0, "warning": 900, "info": 0}
# Where a target stands that has no number.
NO_DATA = "no_data"


class NoData(StrEnum):
    """What becomes of a target without a number."""

    KEEP = "keep"
    RESOLVE = "resolve"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Level:
    """A number beyond `bound` for `for_seconds` is an alert of this severity."""

    severity: str
    bound: float
    for_seconds: float


@dataclass(frozen=True, slots=True)
class Criteria:
    """When a number is an alert: one level or two, the milder first. `above` False: numbers below a level count.

    Nothing but a number strictly beyond a level counts; one that fires stays until it is back by `margin`.
    """

    above: bool
    levels: tuple[Level, ...]
    margin: float = 0.0
    no_data: NoData = NoData.KEEP

    @property
    def mildest(self) -> Level:
        return self.levels[0]

    @property
    def worst(self) -> Level:
        return self.levels[-1]

    def is_beyond(self, level: Level, value: float, *, firing: bool = False) -> bool:
        """Whether `value` counts for `level`, which fires already or not."""
        if self.above:
            return value > level.bound - (self.margin if firing else 0.0)
        return value < level.bound + (self.margin if firing else 0.0)

    def level_of(self, severity: str) -> Level:
        """The level of a severity; the mildest when the rule has none of it any more."""
        return next((level for level in self.levels if level.severity == severity), self.mildest)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one target stands that is not well.

    `level`: the severity of the worst level its number is beyond, or NO_DATA. `since`: when it went beyond the
    mildest (or fell silent); `worst_since`: beyond the worse of two. `severity`: what fires, empty while it waits.
    """

    level: str
    since: datetime
    value: float | None = None
    worst_since: datetime | None = None
    severity: str = ""

    @property
    def firing(self) -> bool:
        return bool(self.severity)

    def differs_from(self, other: Standing) -> bool:
        """Whether there is anything to write down: a number that merely moved is not."""
        return (self.level, self.since, self.worst_since, self.severity) != (
            other.level,
            other.since,
            other.worst_since,
            other.severity,
        )


def judge(
    criteria: Criteria, standing: Standing | None, value: float | None, at: datetime, *, looked: bool = True
) -> Standing | None:
    """Where the target stands at `at` with `value` (None: no number). None: all is well.

    `looked` False: the portal itself was not looking, so the absence of a number says nothing about the target.
    """
    if value is not None:
        return _with_number(criteria, standing, value, at)
    if not looked:
        return standing if standing is not None and standing.firing else None
    return _without_number(criteria, standing, at)


def _without_number(criteria: Criteria, standing: Standing | None, at: datetime) -> Standing | None:
    if criteria.no_data is NoData.RESOLVE:
        return None
    if criteria.no_data is NoData.KEEP:
        # What waits for its time must be seen all along; what fell silent under another setting has no ground here.
        return standing if standing is not None and standing.firing and standing.level != NO_DATA else None
    since = standing.since if standing is not None and standing.level == NO_DATA else at
    severity = standing.severity if standing is not None else ""
    if not severity and _is_over(since, criteria.mildest, at):
        severity = criteria.mildest.severity
    return Standing(NO_DATA, since, None, None, severity)


def _with_number(criteria: Criteria, standing: Standing | None, value: float, at: datetime) -> Standing | None:
    before = standing if standing is not None and standing.level != NO_DATA else None
    mildest, worst = criteria.mildest, criteria.worst
    fires = before.severity if before is not None else ""
    if not criteria.is_beyond(mildest, value, firing=bool(fires)):
        return None
    since = before.since if before is not None else at
    if worst is mildest:
        is_worst, worst_since = False, None
    else:
        is_worst = criteria.is_beyond(worst, value, firing=fires == worst.severity)
        worst_since = ((before.worst_since if before is not None else None) or at) if is_worst else None
    severity = ""
    if worst_since is not None and _is_over(worst_since, worst, at):
        severity = worst.severity
    elif (standing is not None and standing.firing) or _is_over(since, mildest, at):
        severity = mildest.severity
    return Standing((worst if is_worst else mildest).severity, since, value, worst_since, severity)


def _is_over(since: datetime, level: Level, at: datetime) -> bool:
    """Whether the time is up for which `level` must hold."""
    return at - since >= timedelta(seconds=level.for_seconds)


# --- Over a history ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Firing:
    """One message a rule would have sent: it fired, or its severity rose. `ended_at` None: it fires still."""

    at: datetime
    severity: str
    value: float | None
    ended_at: datetime | None = None


def replay(criteria: Criteria, points: Iterable[tuple[datetime, float | None]], until: datetime) -> list[Firing]:
    """What would have been told over `points` (oldest first; each holds until the next), up to `until`."""
    told: list[Firing] = []
    open_from = 0
    fires = ""
    for at, standing in _standings(criteria, points, until):
        severity = standing.severity if standing is not None else ""
        if standing is not None and severity and _is_news(criteria, fires, severity):
            told.append(Firing(at, severity, standing.value))
        elif fires and not severity:
            told[open_from:] = [Firing(one.at, one.severity, one.value, at) for one in told[open_from:]]
        fires = severity
        if not fires:
            open_from = len(told)
    return told


def _is_news(criteria: Criteria, before: str, severity: str) -> bool:
    return not before or (severity != before and severity == criteria.worst.severity)


def _standings(
    criteria: Criteria, points: Iterable[tuple[datetime, float | None]], until: datetime
) -> Iterator[tuple[datetime, Standing | None]]:
    """Every step: at each point, and between two of them whenever a time is up."""
    standing: Standing | None = None
    value: float | None = None
    for at, found in points:
        if at > until:
            break
        for step in _ripening(criteria, standing, value, at):
            yield step
            standing = step[1]
        value = found
        standing = judge(criteria, standing, value, at)
        yield at, standing
    yield from _ripening(criteria, standing, value, until)


def _ripening(
    criteria: Criteria, standing: Standing | None, value: float | None, before: datetime
) -> Iterator[tuple[datetime, Standing | None]]:
    """The moments before `before` at which something that waits begins to fire; the standing as it was if none."""
    while standing is not None:
        moment = _next_moment(criteria, standing)
        if moment is None or moment >= before:
            return
        ripe = judge(criteria, standing, value, moment)
        if ripe is None or not ripe.differs_from(standing):
            return
        standing = ripe
        yield moment, standing


def _next_moment(criteria: Criteria, standing: Standing) -> datetime | None:
    """When the next time is up, if nothing changes."""
    moments = []
    if not standing.firing:
        moments.append(standing.since + timedelta(seconds=criteria.mildest.for_seconds))
    if standing.worst_since is not None and standing.severity != criteria.worst.severity:
        moments.append(standing.worst_since + timedelta(seconds=criteria.worst.for_seconds))
    return min(moments, default=None)
