"""The rows of money: accounts of a month and what is set aside from them.

Whoever changes either locks the accounts first, in id order, the one of all providers together among them: so any
number of workers decide one after the other, and none waits for another in a circle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from apps.core import statements

# A provider's id, or None for all together, and the first day of the month (UTC).
AccountKey = tuple[UUID | None, date]
# Check, region and generation; of a look outside the schedule, ids and a negative number of its own.
Key = tuple[UUID, UUID, int]


@dataclass(frozen=True)
class Account:
    """One locked row, with the cap that holds for it now."""

    id: int
    spent: Decimal
    reserved: Decimal
    cap: Decimal | None


@dataclass(frozen=True)
class Entry:
    """Money set aside for one look."""

    key: Key
    target_id: UUID
    provider_id: UUID
    month: date
    amount: Decimal


_KNOWN = """
    SELECT count(*) FROM checks_budgetmonth
    WHERE month = ANY(%(months)s) AND (provider_id = ANY(%(providers)s) OR provider_id IS NULL)
"""
# In one order for everybody, and before anything is locked.
_OPEN = """
    INSERT INTO checks_budgetmonth (provider_id, month, spent, reserved)
    SELECT provider, month, 0, 0 FROM unnest(%(providers)s::uuid[]) AS provider, unnest(%(months)s::date[]) AS month
    ORDER BY month, provider NULLS FIRST
    ON CONFLICT (provider_id, month) DO NOTHING
"""
_LOCK = """
    SELECT a.provider_id, a.month, a.id, a.spent, a.reserved, b.monthly_cap
    FROM checks_budgetmonth a LEFT JOIN catalog_budget b ON b.provider_id IS NOT DISTINCT FROM a.provider_id
    WHERE a.month = ANY(%(months)s) AND (a.provider_id = ANY(%(providers)s) OR a.provider_id IS NULL)
    ORDER BY a.id FOR UPDATE OF a
"""


def open_accounts(providers: Collection[UUID], month: date) -> None:
    """Make the accounts that are missing. One statement when none is; nothing may be locked yet."""
    known = statements.run(_KNOWN, {"providers": list(providers), "months": [month]})
    if known[0][0] < len(providers) + 1:
        statements.run(_OPEN, {"providers": [None, *providers], "months": [month]})


def lock_accounts(providers: Collection[UUID], months: Collection[date]) -> dict[AccountKey, Account]:
    """The accounts of these providers and of all together, locked until the transaction ends. One statement."""
    rows = statements.run(_LOCK, {"providers": list(providers), "months": list(months)})
    return {(row[0], row[1]): Account(*row[2:]) for row in rows}


_PLACES = """
    SELECT provider_id, count(*) FROM checks_reservation
    WHERE provider_id = ANY(%s) AND expires_at > clock_timestamp() GROUP BY provider_id
"""


def count_under_way(providers: Collection[UUID]) -> dict[UUID, int]:
    """How many paid looks are out, by provider; absent: none. One statement."""
    return dict(statements.run(_PLACES, [list(providers)]))


_SET_ASIDE = """
    INSERT INTO checks_reservation
        (check_id, region_id, generation, target_id, provider_id, month, amount, expires_at)
    SELECT v.check_id, v.region_id, v.generation, v.target_id, v.provider_id, v.month, v.amount,
           clock_timestamp() + make_interval(secs => v.seconds)
    FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::uuid[], %s::uuid[], %s::date[], %s::numeric[], %s::float8[])
        AS v(check_id, region_id, generation, target_id, provider_id, month, amount, seconds)
"""


def set_aside(entries: Mapping[Entry, float], accounts: Mapping[AccountKey, Account]) -> None:
    """Store what is set aside, each for so many seconds, and add it to the locked accounts. Two statements."""
    rows = list(entries)
    columns: list[list[object]] = [
        *map(list, zip(*(entry.key for entry in rows), strict=True)),
        [entry.target_id for entry in rows],
        [entry.provider_id for entry in rows],
        [entry.month for entry in rows],
        [entry.amount for entry in rows],
        [float(seconds) for seconds in entries.values()],
    ]
    statements.run(_SET_ASIDE, columns)
    book([(entry, Decimal(0), entry.amount) for entry in rows], accounts)


_BOOK = """
    UPDATE checks_budgetmonth AS a SET spent = a.spent + v.spent, reserved = greatest(a.reserved + v.reserved, 0)
    FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS v(id, spent, reserved) WHERE a.id = v.id
"""


def book(changes: Iterable[tuple[Entry, Decimal, Decimal]], accounts: Mapping[AccountKey, Account]) -> None:
    """Add (spent, reserved) of each entry to its provider's account and to that of all together. One statement.

    The accounts are locked; one that went with its provider is left out.
    """
    spent: dict[int, Decimal] = defaultdict(Decimal)
    reserved: dict[int, Decimal] = defaultdict(Decimal)
    for entry, cost, aside in changes:
        for provider in (entry.provider_id, None):
            account = accounts.get((provider, entry.month))
            if account is not None:
                spent[account.id] += cost
                reserved[account.id] += aside
    ids = sorted(spent)
    if ids:
        statements.run(_BOOK, [ids, [spent[one] for one in ids], [reserved[one] for one in ids]])


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)
