"""Rows by COPY, the cheapest way in: results, and the evidence of those that were not ok."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from psycopg import sql

RESULTS, EVIDENCE = "checks_checkresult", "checks_checkevidence"
RESULT_COLUMNS = (
    "at",
    "id",
    "check_id",
    "region_id",
    "state",
    "reason",
    "duration_ms",
    "status_code",
    "measurements",
)
EVIDENCE_COLUMNS = ("at", "id", "check_id", "evidence")


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Append `rows`, whose values are in the order of `columns`. None is no statement."""
    rows = list(rows)
    if not rows:
        return
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
