"""The accounts of a month: what looks really cost, settled in the transaction that records their results.

A reservation is the right to be counted: whoever takes its row away counts the look, once, whether its result came in
time, too late or twice. One that nobody took counts in full when its time is up.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from django.db import transaction

from apps.catalog.prices.lookup import Priced, rates_for
from apps.checks.spending import ledger
from apps.checks.spending.asking import is_paid
from apps.checks.spending.ledger import Entry, Key
from apps.core import statements
from apps.core.clock import database_moment
from apps.probes.ai.usage import ABSURD_TOKENS, Rate, Usage, cost_of
from apps.probes.base import Finished, Outcome, OutcomeState

logger = structlog.get_logger(__name__)

# Reservations whose time is up, taken in one transaction; the next minute goes on.
MOST_EXPIRED = 1_000


@dataclass(frozen=True)
class _Spent:
    """What one look comes to. Not `counts`: it was never taken, and only gives its money back."""

    entry: Entry
    day: date
    cost: Decimal
    usage: Usage
    counts: bool = True


def settle(finished: Sequence[Finished], regions: Mapping[str, UUID], now: datetime) -> None:
    """Turn what was set aside for these looks into what they cost. Does nothing for looks that cost nothing."""
    found: dict[Key, Outcome | None] = {}
    for one in finished:
        region = regions.get(one.job.region)
        if region is not None and is_paid(one.job.kind):
            found[UUID(one.job.check), region, one.job.generation] = one.outcome
    if found:
        _settle(found, now)


@transaction.atomic
def settle_now(key: Key | None, outcome: Outcome | None) -> None:
    """Settle one look that was admitted by itself; without an outcome it was never sent. None: it cost nothing."""
    if key is not None:
        _settle({key: outcome}, database_moment())


@transaction.atomic
def withdraw(keys: Iterable[Key]) -> None:
    """Give back what was set aside for looks that never went out."""
    wanted: dict[Key, Outcome | None] = dict.fromkeys(keys)
    if wanted:
        _settle(wanted, database_moment())


_FIND = """
    SELECT r.check_id, r.region_id, r.generation, r.target_id, r.provider_id, r.month, r.amount,
           coalesce(p.dialect, ''), coalesce(p.base_url, ''), CASE WHEN m.target_id IS NULL THEN '' ELSE t.name END
    FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[]) AS v(check_id, region_id, generation)
    JOIN checks_reservation r
        ON r.check_id = v.check_id AND r.region_id = v.region_id AND r.generation = v.generation
    LEFT JOIN catalog_provider p ON p.target_id = r.provider_id
    LEFT JOIN catalog_aimodel m ON m.target_id = r.target_id
    LEFT JOIN catalog_target t ON t.id = r.target_id
"""


def _settle(found: Mapping[Key, Outcome | None], now: datetime) -> None:
    """Six statements whatever the number of looks, one more where midnight is among them; one when nothing was set
    aside for any of them.
    """
    rows = statements.run(_FIND, _columns(found))
    if not rows:
        return
    entries = {row[:3]: (Entry(row[:3], *row[3:7]), Priced(row[4], *row[7:])) for row in rows}
    days = {key: _day(entry, found[key], now) for key, (entry, _priced) in entries.items()}
    asked: dict[date, set[Priced]] = defaultdict(set)
    for key, (_entry, priced) in entries.items():
        asked[days[key]].add(priced)
    rates = {day: rates_for(wanted, day) for day, wanted in asked.items()}

    def spent_on(key: Key) -> _Spent:
        entry, priced = entries[key]
        rate = rates[days[key]].get((priced.provider_id, priced.model))
        return _spent(entry, days[key], found[key], rate)

    _take([entry for entry, _priced in entries.values()], spent_on)


def _day(entry: Entry, outcome: Outcome | None, now: datetime) -> date:
    """The day whose price a look has and whose spend it is: that on which it began, however late it is recorded."""
    began = datetime.fromtimestamp(outcome.started_at, UTC) if outcome is not None and outcome.started_at else now
    return _inside(entry.month, began.date())


def _spent(entry: Entry, day: date, outcome: Outcome | None, rate: Rate | None) -> _Spent:
    """What one look cost, from the tokens it names."""
    named = outcome is not None and "tokens_in" in outcome.measurements
    if outcome is None or (outcome.state is OutcomeState.INDETERMINATE and not named):
        return _Spent(entry, day, Decimal(0), Usage(), counts=False)
    usage = usage_of(outcome)
    if usage is None:
        # Numbers nobody can believe: as much as it may have been.
        return _Spent(entry, day, entry.amount, Usage(estimated=True))
    cost = cost_of(usage, rate) if rate is not None else Decimal(0)
    if usage.estimated and entry.amount:
        # Words are no tokens: what we counted ourselves is never more than what was asked for, and set aside.
        cost = min(cost, entry.amount)
    return _Spent(entry, day, cost, usage)


def usage_of(outcome: Outcome) -> Usage | None:
    """The tokens an outcome names, none where it names none; None where they cannot be believed."""
    names = ("tokens_in", "tokens_out", "tokens_cached", "tokens_reasoning")
    numbers = [outcome.measurements.get(name, 0.0) for name in names]
    if not all(math.isfinite(number) and 0 <= number <= ABSURD_TOKENS for number in numbers):
        return None
    tokens = dict(zip(names, map(int, numbers), strict=True))
    return Usage(**tokens, estimated=bool(outcome.measurements.get("usage_estimated")))


def _inside(month: date, day: date) -> date:
    """The day, moved into the month whose money it was: sums over days and accounts of months agree."""
    last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return min(max(day, month), last)


_EXPIRED = """
    SELECT check_id, region_id, generation, target_id, provider_id, month, amount, expires_at
    FROM checks_reservation WHERE expires_at <= now() ORDER BY expires_at LIMIT %s
"""


@transaction.atomic
def expire_unsettled() -> int:
    """Count what nobody told the cost of: all that was set aside, marked as estimated. Returns how many."""
    rows = statements.run(_EXPIRED, [MOST_EXPIRED])
    if not rows:
        return 0
    entries = {row[:3]: Entry(row[:3], *row[3:7]) for row in rows}
    ended = {row[:3]: row[7] for row in rows}

    def spent_on(key: Key) -> _Spent:
        entry = entries[key]
        return _Spent(entry, _inside(entry.month, ended[key].date()), entry.amount, Usage(estimated=True))

    taken = _take(list(entries.values()), spent_on)
    if taken:
        logger.warning("paid_looks_never_heard_of", looks=taken)
    return taken


_DELETE = """
    DELETE FROM checks_reservation r
    USING unnest(%s::uuid[], %s::uuid[], %s::bigint[]) AS v(check_id, region_id, generation)
    WHERE r.check_id = v.check_id AND r.region_id = v.region_id AND r.generation = v.generation
    RETURNING r.check_id, r.region_id, r.generation
"""


def _take(entries: Sequence[Entry], spent_on: Callable[[Key], _Spent]) -> int:
    """Under the lock of the accounts: take these rows away, and count those that were still there."""
    accounts = ledger.lock_accounts({one.provider_id for one in entries}, {one.month for one in entries})
    keys = [row[:3] for row in statements.run(_DELETE, _columns([one.key for one in entries]))]
    spent = [spent_on(key) for key in keys]
    ledger.book([(one.entry, one.cost, -one.entry.amount) for one in spent], accounts)
    _add_days([one for one in spent if one.counts])
    return len(keys)


def _columns(keys: Iterable[Key]) -> list[list[object]]:
    rows = list(keys)
    return [[row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]]


_DAYS = """
    INSERT INTO checks_spendday AS s
        (day, target_id, provider_id, looks, estimated_looks, tokens_in, tokens_out, tokens_cached, tokens_reasoning,
         cost)
    SELECT v.day, v.target_id, (array_agg(v.provider_id))[1], count(*), count(*) FILTER (WHERE v.estimated),
           sum(v.tokens_in), sum(v.tokens_out), sum(v.tokens_cached), sum(v.tokens_reasoning), sum(v.cost)
    FROM unnest(%s::date[], %s::uuid[], %s::uuid[], %s::boolean[], %s::bigint[], %s::bigint[], %s::bigint[],
                %s::bigint[], %s::numeric[])
        AS v(day, target_id, provider_id, estimated, tokens_in, tokens_out, tokens_cached, tokens_reasoning, cost)
    GROUP BY v.day, v.target_id ORDER BY v.day, v.target_id
    ON CONFLICT (day, target_id) DO UPDATE SET
        looks = s.looks + excluded.looks, estimated_looks = s.estimated_looks + excluded.estimated_looks,
        tokens_in = s.tokens_in + excluded.tokens_in, tokens_out = s.tokens_out + excluded.tokens_out,
        tokens_cached = s.tokens_cached + excluded.tokens_cached,
        tokens_reasoning = s.tokens_reasoning + excluded.tokens_reasoning, cost = s.cost + excluded.cost
"""


def _add_days(spent: Sequence[_Spent]) -> None:
    if not spent:
        return
    columns: list[list[object]] = [
        [one.day for one in spent],
        [one.entry.target_id for one in spent],
        [one.entry.provider_id for one in spent],
        [one.usage.estimated for one in spent],
        [one.usage.tokens_in for one in spent],
        [one.usage.tokens_out for one in spent],
        [one.usage.tokens_cached for one in spent],
        [one.usage.tokens_reasoning for one in spent],
        [one.cost for one in spent],
    ]
    statements.run(_DAYS, columns)
