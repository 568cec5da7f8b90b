"""Statements of the hot paths are prepared by the server; nothing else of the connection is."""

from __future__ import annotations

import pytest
from django.db import DataError, connection, transaction

from apps.core import statements

pytestmark = pytest.mark.django_db


def prepared() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [row[0] for row in cursor.fetchall()]


def test_a_statement_is_prepared_once_and_those_of_the_orm_are_not() -> None:
    for number in range(3):
        assert statements.run("SELECT %s::int + 1", [number]) == [(number + 1,)]
        prepared()
    assert [statement for statement in prepared() if "int + 1" in statement] == ["SELECT $1::int + 1"]
    assert not [statement for statement in prepared() if "pg_prepared_statements" in statement]


def test_one_that_fails_leaves_the_connection_as_it_was() -> None:
    with pytest.raises(DataError), transaction.atomic():
        statements.run("SELECT 1 / %s::int", [0])
    assert connection.connection.prepare_threshold is None
    assert statements.run("SELECT 1 / %s::int", [1]) == [(1,)]
