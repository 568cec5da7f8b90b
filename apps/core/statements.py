"""Statements that run by the thousand: prepared once by the server, their values sent beside them and not inside.

Django binds values on the client, which costs the client the quoting and the server a new plan each time. Here a
statement runs on Django's own connection, inside its transaction, through psycopg's server-side cursor. It is not
counted by query budgets and not seen by query logs, so it is for hot paths and for nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection
from psycopg.rows import tuple_row

Parameters = Sequence[Any] | Mapping[str, Any]


def run(statement: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
    """The rows a statement gives, none when it gives none. Raises Django's database errors."""
    connection.ensure_connection()
    server = connection.connection
    with connection.wrap_database_errors, psycopg.Cursor(server, row_factory=tuple_row) as cursor:
        # Django switches preparing off for its connections, and `prepare=True` alone does not switch it on. Left on,
        # it would keep the text of every statement of the ORM's, values and all.
        server.prepare_threshold = 0
        try:
            # Constant text of ours: nothing of a caller is ever in the statement itself.
            cursor.execute(statement, parameters, prepare=True, binary=True)
        finally:
            server.prepare_threshold = None
        return cursor.fetchall() if cursor.description else []
