"""What is measured for rules: one reading for each kind and each config that some rule has."""

from __future__ import annotations

import math
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from itertools import chain
from operator import or_
from typing import Any
from uuid import UUID

import msgspec
import structlog
from django.db import connection, transaction

from apps.alerts.matching import Matcher, load
from apps.alerts.models import Rule
from apps.alerts.rule_kinds.base import PORTAL, RULE_KINDS, Reading, RuleKind
from apps.alerts.rules import Criteria
from apps.alerts.ruling.criteria import criteria_of
from apps.alerts.ruling.index import LabelIndex, ValueTable, mask_of, positions_of
from apps.core import kindconfig

logger = structlog.get_logger(__name__)

# One reading that takes longer than this is given up for this time, so that it does not keep the others waiting.
READ_SECONDS = 5.0
# And all of a run together: rules of very many different settings are read in turns, in another order each time.
READ_ALL_SECONDS = 30.0
_LIMIT = "SELECT set_config('statement_timeout', %s, true)"


class Problem:
    """Why a rule came to nothing. Codes are stored: never rename one."""

    NO_TARGET = "no_target"
    UNREADABLE = "config_unreadable"
    NOT_READ = "not_read"
    TOO_MANY = "too_many_states"


@dataclass
class ActiveRule:
    """One enabled rule with what its evaluation needs; `matching` is a set of positions."""

    row: Rule
    kind: RuleKind[Any]
    config: Any
    criteria: Criteria
    matchers: tuple[Matcher, ...] = ()
    matching: int = 0
    problem: str = ""

    @property
    def id(self) -> UUID:
        return self.row.pk


@dataclass
class Measured:
    """What one reading gave: numbers by position for targets, or the portal's own."""

    table: ValueTable
    # Whose number only says that nobody measured them.
    unmeasured: int = 0
    details: Mapping[UUID | None, Reading] = field(default_factory=dict)
    lookback_seconds: float = 0.0

    def portal_value(self) -> float | None:
        reading = self.details.get(PORTAL)
        return reading.value if reading is not None else None


@dataclass
class Batch:
    """The rules that share one reading; `measured` None: it could not be read."""

    rules: list[ActiveRule]
    measured: Measured | None = None

    def only(self, updated: Mapping[UUID, datetime]) -> Batch:
        """The same, with the rules that are still as they were read."""
        return Batch([rule for rule in self.rules if updated.get(rule.id) == rule.row.updated_at], self.measured)


def load_rules(index: LabelIndex) -> tuple[list[ActiveRule], dict[UUID, str]]:
    """Every enabled rule with the targets it is about, and the problems of those that cannot be used. One query."""
    active: list[ActiveRule] = []
    problems: dict[UUID, str] = {}
    configs: dict[tuple[str, bytes], Any] = {}
    for row in Rule.objects.present().filter(enabled=True).order_by("pk"):
        rule = _active(row, configs)
        if rule is None:
            problems[row.pk] = Problem.UNREADABLE
        else:
            active.append(rule)
    _find_targets([rule for rule in active if rule.kind.per_target], index)
    return active, problems


def _find_targets(rules: Sequence[ActiveRule], index: LabelIndex) -> None:
    index.learn(chain.from_iterable(rule.matchers for rule in rules))
    for rule in rules:
        rule.matching = index.matching(rule.row.environment_id, rule.matchers)
        rule.problem = "" if rule.matching else Problem.NO_TARGET


def _active(row: Rule, configs: dict[tuple[str, bytes], Any]) -> ActiveRule | None:
    if row.kind not in RULE_KINDS:
        return None
    kind = RULE_KINDS.get(row.kind)
    key = (row.kind, msgspec.json.encode(row.config, order="deterministic"))
    try:
        if key not in configs:
            configs[key] = kindconfig.decode(kind.Config, row.config)
        criteria, matchers = criteria_of(row, kind), load(row.matchers)
    except (kindconfig.ConfigError, ValueError, KeyError, TypeError) as error:
        logger.warning("rule_unreadable", rule=str(row.pk), error=str(error))
        return None
    return ActiveRule(row, kind, configs[key], criteria, matchers) if criteria.levels else None


def read_all(rules: Iterable[ActiveRule], index: LabelIndex, now: datetime) -> list[Batch]:
    """One reading for each kind and config, of all targets that any of its rules is about."""
    shared: dict[tuple[str, bytes], list[ActiveRule]] = defaultdict(list)
    for rule in rules:
        shared[rule.kind.name, msgspec.json.encode(rule.config)].append(rule)
    batches = [Batch(same) for same in shared.values()]
    random.shuffle(batches)
    deadline = time.monotonic() + READ_ALL_SECONDS
    for batch in batches:
        if time.monotonic() < deadline:
            batch.measured = _read(batch.rules, index, now)
        if batch.measured is None:
            for rule in batch.rules:
                rule.problem = Problem.NOT_READ
    return batches


def _read(rules: Sequence[ActiveRule], index: LabelIndex, now: datetime) -> Measured | None:
    kind, config = rules[0].kind, rules[0].config
    wanted = reduce(or_, (rule.matching for rule in rules), 0)
    targets = [index.ids[position] for position in positions_of(wanted)]
    if kind.per_target and not targets:
        return Measured(ValueTable({}, index.size))
    try:
        with limited_statements(READ_SECONDS):
            found = kind.read(config, targets, now=now)
    except Exception as error:  # a kind that fails must not hide what the others find
        logger.warning("rule_reading_failed", kind=kind.name, error=f"{type(error).__name__}: {error}")
        return None
    values = {
        index.position[target]: reading.value
        for target, reading in found.items()
        if target is not None and target in index.position and _is_number(reading.value)
    }
    unmeasured = [
        index.position[target]
        for target, reading in found.items()
        if reading.unmeasured and target is not None and target in index.position
    ]
    return Measured(
        ValueTable(values, index.size),  # type: ignore[arg-type]
        unmeasured=mask_of(unmeasured, index.size),
        details=found,
        lookback_seconds=kind.lookback_seconds(config),
    )


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


@contextmanager
def limited_statements(seconds: float) -> Iterator[None]:
    """A savepoint in which every statement may take so long. Raises OperationalError when one takes longer."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        before = cursor.fetchone()[0]
        cursor.execute(_LIMIT, [f"{int(seconds * 1_000)}ms"])
        yield
        # Where it raised, the rollback has done the same.
        cursor.execute(_LIMIT, [before])
