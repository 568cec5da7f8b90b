"""One process at a time works on alerts and groups: what they hold follows from what came before.

The lock is PostgreSQL's and ends with the transaction, so a process that dies frees it; one that hangs is thrown out
by the server. Sending, which waits for the world, happens outside of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

_KEY = 4_711_001
WAIT_SECONDS = 30
IDLE_SECONDS = 30


@contextmanager
def pipeline_lock() -> Iterator[None]:
    """A transaction in which nobody else changes alerts or groups. Raises OperationalError after WAIT_SECONDS."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('lock_timeout', %s, true), "
                "set_config('idle_in_transaction_session_timeout', %s, true)",
                [f"{WAIT_SECONDS}s", f"{IDLE_SECONDS}s"],
            )
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_KEY])
        yield
