"""Partitions are made ahead and dropped behind, and a missing one never loses a row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection

from apps.checks import partitions
from apps.checks.models import CheckResult

pytestmark = pytest.mark.django_db


def names(table: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = %s::regclass",
            [table],
        )
        return {row[0] for row in cursor.fetchall()}


def insert(at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO checks_checkresult VALUES (%s, %s, %s, %s, 'ok', 'ok', 1, NULL, '{}')",
            [at, uuid4(), uuid4(), uuid4()],
        )


def test_days_ahead_exist_and_again_is_no_error() -> None:
    now = datetime(2031, 3, 30, 12, tzinfo=UTC)
    partitions.maintain(now)
    partitions.maintain(now)
    assert {f"checks_checkresult_2031_{day}" for day in ("03_29", "03_30", "03_31", "04_01", "04_02")} <= names(
        "checks_checkresult"
    )
    assert {"checks_checkevidence_2031_03", "checks_checkevidence_2031_04"} <= names("checks_checkevidence")


def test_a_row_without_a_partition_is_kept_and_moved_into_it_later() -> None:
    at = datetime(2031, 3, 30, 12, tzinfo=UTC)
    insert(at)
    partitions.maintain(at)
    assert CheckResult.objects.filter(at=at).count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM checks_checkresult_2031_03_30")
        assert cursor.fetchone()[0] == 1


def test_old_partitions_are_dropped_and_young_ones_kept() -> None:
    now = datetime(2031, 3, 1, tzinfo=UTC)
    partitions.maintain(now)
    insert(now)
    partitions.maintain(now + timedelta(days=29))
    assert "checks_checkresult_2031_03_01" in names("checks_checkresult")
    partitions.maintain(now + timedelta(days=31))
    assert "checks_checkresult_2031_03_01" not in names("checks_checkresult")
    assert "checks_checkevidence_2031_03" in names("checks_checkevidence")
