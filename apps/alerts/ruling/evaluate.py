"""Evaluation: every rule against every target it is about, in a few queries.

    read what is measured ─ under the pipeline's lock: judge ─ write standings that changed ─ sources of alerts

What should say so (whatever fires) is compared with what does say so (the open sources of rules), so it does not
matter why something ended: a number that recovered, a rule that was switched off or deleted, a matcher that lets the
target through no more, a target that was deleted or paused. A run that was cut short is finished by the next.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from apps.alerts.labels import watched_targets
from apps.alerts.models import Rule
from apps.alerts.pipeline.lock import pipeline_lock
from apps.alerts.pipeline.sources import apply_changes
from apps.alerts.pipeline.taking import CAUSE
from apps.alerts.rules import NoData, Standing, judge
from apps.alerts.ruling.index import LabelIndex, mask_of, positions_of
from apps.alerts.ruling.readings import ActiveRule, Batch, Measured, Problem, load_rules, read_all
from apps.alerts.ruling.saying import Fired, beginning, ending, load_open_sources
from apps.alerts.ruling.states import Pair, load_states, write_states
from apps.alerts.ruling.status_rules import KIND as STATUS
from apps.checks.attention import Attention, get_attention
from apps.checks.models import Incident
from apps.core.clock import database_moment

# Pairs that stand anew in one run, and all that may stand at all: a rule that every target breaks is a mistake, and
# must not fill the database.
MOST_NEW_STANDINGS = 10_000
# So many sources of alerts may begin, and so many end, in one run.
MOST_CHANGES = 1_000
MOST_STANDINGS = 100_000
# After a gap in the portal's own ticks, absence says nothing for so long beyond what a reading looks back.
SETTLING_SECONDS = 60.0
_KEY = 4_711_002
# A recovery is dated before it is written.
_OVERTAKEN = timedelta(seconds=5)


def evaluate_rules() -> int:
    """Look at every rule once and bring alerts in line. Returns how many sources began, changed or ended.

    A bounded number a run; the next one goes on. While another process evaluates, nothing is done.
    """
    with transaction.atomic():
        if not _is_alone():
            return 0
        attention = get_attention()
        index = LabelIndex(watched_targets())
        rules, problems = load_rules(index)
        batches = read_all(rules, index, attention.now)
        with pipeline_lock():
            return _bring_in_line(_Evaluation(attention, index), batches, problems)


def _is_alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_KEY])
        return bool(cursor.fetchone()[0])


def _bring_in_line(evaluation: _Evaluation, batches: list[Batch], problems: dict[UUID, str]) -> int:
    """What is judged here was read before the lock: a rule somebody edited meanwhile waits for the next run."""
    at = database_moment()
    present = dict(Rule.objects.present().filter(enabled=True).values_list("pk", "updated_at"))
    batches = [batch.only(present) for batch in batches]
    rules = {rule.id: rule for batch in batches for rule in batch.rules}
    untouched = present.keys() - rules.keys()
    before, row_ids = load_states()
    after = evaluation.judge_all(batches, _by_rule(before))
    after |= {pair: standing for pair, standing in before.items() if pair[0] in untouched}
    write_states(
        {pair: one for pair, one in after.items() if pair not in before or one.differs_from(before[pair])},
        [row_ids[pair] for pair in before.keys() - after.keys()],
        at,
    )
    said = load_open_sources()
    new = _not_overtaken(beginning(after, said, untouched), rules, evaluation.attention)[:MOST_CHANGES]
    begin = [evaluation.fired(rules[rule], target, after[rule, target]) for rule, target in new]
    over = ending(after, said, untouched, {rule.id for rule in rules.values() if rule.kind.name == STATUS}, at)
    # An alert that goes from one rule to another is not resolved in between.
    changes = [*(one.change(at) for one in begin), *(source.ended(at) for source in over[:MOST_CHANGES])]
    apply_changes(changes)
    _note_rules({**problems, **{rule.id: rule.problem for rule in rules.values()}}, at)
    return len(changes)


def _not_overtaken(pairs: list[Pair], rules: Mapping[UUID, ActiveRule], attention: Attention) -> list[Pair]:
    """Without what an incident that has ended since the readings, which may have waited for the lock, speaks against.

    The next run has newer ones. One query where something begins on a status.
    """
    about = {target for rule, target in pairs if target is not None and rules[rule].kind.cause == CAUSE}
    if not about:
        return pairs
    ended = Incident.objects.filter(target__in=about, resolved_at__gte=attention.now - _OVERTAKEN)
    over = set(ended.values_list("target_id", flat=True))
    return [pair for pair in pairs if pair[1] not in over or rules[pair[0]].kind.cause != CAUSE]


def _by_rule(standings: Mapping[Pair, Standing]) -> dict[UUID, dict[UUID | None, Standing]]:
    found: dict[UUID, dict[UUID | None, Standing]] = {}
    for (rule, target), standing in standings.items():
        found.setdefault(rule, {})[target] = standing
    return found


@dataclass
class _Evaluation:
    """One run: the targets, whom the portal is looking at, and how much may still come anew."""

    attention: Attention
    index: LabelIndex
    new_left: int = MOST_NEW_STANDINGS
    _measured: dict[UUID, Measured] = field(default_factory=dict)
    _unheard: int = 0
    _unlooked: int = 0

    def __post_init__(self) -> None:
        self._unheard = self._mask(self.attention.unheard)
        self._unlooked = self._mask(self.attention.unlooked)

    def _mask(self, targets: Collection[UUID]) -> int:
        known = (self.index.position[target] for target in targets if target in self.index.position)
        return mask_of(known, self.index.size)

    def judge_all(
        self, batches: list[Batch], before: Mapping[UUID, Mapping[UUID | None, Standing]]
    ) -> dict[Pair, Standing]:
        """Where everything stands now."""
        self.new_left = min(self.new_left, MOST_STANDINGS - sum(map(len, before.values())))
        after: dict[Pair, Standing] = {}
        for batch in batches:
            for rule in batch.rules:
                stood = before.get(rule.id, {})
                found = stood if batch.measured is None else self._judge(rule, batch.measured, stood)
                if batch.measured is not None:
                    self._measured[rule.id] = batch.measured
                after.update({(rule.id, target): standing for target, standing in found.items()})
        return after

    def _judge(
        self, rule: ActiveRule, measured: Measured, before: Mapping[UUID | None, Standing]
    ) -> dict[UUID | None, Standing]:
        steady = self.attention.is_steady_for(measured.lookback_seconds + SETTLING_SECONDS)
        if not rule.kind.per_target:
            standing = judge(
                rule.criteria, self._held(before.get(None)), measured.portal_value(), self.attention.now, looked=steady
            )
            return {} if standing is None else {None: standing}
        everybody = (1 << self.index.size) - 1
        doubtful = measured.unmeasured & (self._unheard if steady else everybody)
        excused = doubtful | (self._unlooked if steady else everybody)
        place = self.index.position
        known = {place[target]: one for target, one in before.items() if target is not None and target in place}
        found: dict[UUID | None, Standing] = {}
        for position in self._candidates(rule, measured, known, doubtful, excused):
            value = None if doubtful >> position & 1 else measured.table.value_at(position)
            stood = self._held(known.get(position))
            standing = judge(rule.criteria, stood, value, self.attention.now, looked=not excused >> position & 1)
            if standing is not None:
                found[self.index.ids[position]] = standing
        return found

    def _candidates(
        self, rule: ActiveRule, measured: Measured, known: Mapping[int, Standing], doubtful: int, excused: int
    ) -> Iterator[int]:
        """Those that are beyond the mildest level, without a number where that counts, or not well already."""
        criteria = rule.criteria
        suspects = measured.table.beyond(above=criteria.above, bound=criteria.mildest.bound) & ~doubtful
        if criteria.no_data is NoData.ALERT:
            suspects |= ~measured.table.present & ~excused
        stood = mask_of(known, self.index.size)
        yield from positions_of(rule.matching & stood)
        for position in positions_of(rule.matching & suspects & ~stood):
            if self.new_left <= 0:
                rule.problem = Problem.TOO_MANY
                return
            self.new_left -= 1
            yield position

    def _held(self, standing: Standing | None) -> Standing | None:
        """What only waits for its time, and began before a gap in the portal's own ticks, begins anew."""
        if standing is not None and not standing.firing and standing.since < self.attention.steady_since:
            return None
        return standing

    def fired(self, rule: ActiveRule, target: UUID | None, standing: Standing) -> Fired:
        """What the alert of a standing says."""
        measured = self._measured.get(rule.id)
        reading = measured.details.get(target) if measured is not None else None
        position = self.index.position.get(target) if target is not None else None
        labels = self.index.labels_of(position) if position is not None else {}
        environment = self.index.environment_of(position) if position is not None else None
        return Fired(rule, target, environment, labels, standing, reading)


_NOTE = """
    UPDATE alerts_rule AS r SET evaluated_at = %s, problem = v.problem
    FROM unnest(%s::uuid[], %s::text[]) AS v(id, problem)
    WHERE r.id = v.id
      AND (r.evaluated_at IS NULL OR r.problem <> v.problem OR r.evaluated_at < %s - interval '1 minute')
"""


def _note_rules(problems: Mapping[UUID, str], at: datetime) -> None:
    """When each was last evaluated, to the minute, and why it came to nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [at, list(problems), list(problems.values()), at])
