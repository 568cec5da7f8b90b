"""Partitions of the result tables: made ahead, dropped behind. A row without one lands in the DEFAULT partition.

Results and pings: daily, 30 days. Evidence: monthly, 180 days. Dropping a partition costs nothing and leaves no dead
rows, which deleting from one large table does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction
from psycopg import sql

from apps.core import clock

DAYS_AHEAD = 3
_NAME = re.compile(r".*_(\d{4})_(\d{2})(?:_(\d{2}))?\Z")


@dataclass(frozen=True)
class Table:
    """A table partitioned by range of `at`."""

    name: str
    monthly: bool
    keep: timedelta

    def start_of(self, day: date) -> date:
        return day.replace(day=1) if self.monthly else day

    def next_start(self, start: date) -> date:
        if not self.monthly:
            return start + timedelta(days=1)
        return (start.replace(day=28) + timedelta(days=4)).replace(day=1)

    def partition(self, start: date) -> str:
        return f"{self.name}_{start:%Y_%m}" if self.monthly else f"{self.name}_{start:%Y_%m_%d}"


RESULTS = Table("checks_checkresult", monthly=False, keep=timedelta(days=30))
EVIDENCE = Table("checks_checkevidence", monthly=True, keep=timedelta(days=180))
PINGS = Table("checks_ping", monthly=False, keep=timedelta(days=30))
TABLES = (RESULTS, EVIDENCE, PINGS)


def maintain(now: datetime | None = None) -> None:
    """Create partitions from yesterday to three days ahead and drop those wholly older than their table keeps."""
    today = (now or clock.now()).date()
    for table in TABLES:
        existing = _existing(table)
        start = table.start_of(today - timedelta(days=1))
        while start <= today + timedelta(days=DAYS_AHEAD):
            if table.partition(start) not in existing:
                _create(table, start)
            start = table.next_start(start)
        for name, begins in existing.items():
            if table.next_start(begins) <= today - table.keep:
                _drop(name)


def _existing(table: Table) -> dict[str, date]:
    """Partitions by name with the day each begins; the DEFAULT one is not among them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = %s::regclass",
            [table.name],
        )
        names = [row[0] for row in cursor.fetchall()]
    found: dict[str, date] = {}
    for name in names:
        match = _NAME.fullmatch(name)
        if match:
            found[name] = date(int(match[1]), int(match[2]), int(match[3] or 1))
    return found


@transaction.atomic
def _create(table: Table, start: date) -> None:
    """Make one partition, and move into it what already fell into the DEFAULT partition, so nothing is lost."""
    begin = datetime.combine(start, datetime.min.time(), UTC)
    end = datetime.combine(table.next_start(start), datetime.min.time(), UTC)
    names = {
        "parent": sql.Identifier(table.name),
        "partition": sql.Identifier(table.partition(start)),
        "default": sql.Identifier(f"{table.name}_default"),
        "begin": sql.Literal(begin),
        "end": sql.Literal(end),
    }
    statements = (
        "CREATE TABLE {partition} (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
        "WITH moved AS (DELETE FROM {default} WHERE at >= {begin} AND at < {end} RETURNING *)"
        " INSERT INTO {partition} SELECT * FROM moved",
        "ALTER TABLE {parent} ATTACH PARTITION {partition} FOR VALUES FROM ({begin}) TO ({end})",
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [table.name])
        cursor.execute("SELECT to_regclass(%s)", [table.partition(start)])
        if cursor.fetchone()[0] is not None:
            return  # another process made it while we waited
        for statement in statements:
            cursor.execute(sql.SQL(statement).format(**names))


def _drop(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(name)))
