"""What money does when caps, months and minutes change."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.dispatch import receiver

from apps.catalog.models import Provider, Target
from apps.catalog.signals import provider_changed, total_cap_changed
from apps.checks import schedule, settling, state
from apps.checks.board import Board
from apps.checks.signals import housekeeping
from apps.checks.spending import accounts, ledger
from apps.core import clock, statements
from apps.core.clock import database_moment


@receiver(provider_changed)
def follow_cap(provider: Provider, fields: frozenset[str], **_: Any) -> None:
    """Whoever has money again looks at once."""
    if "monthly_cap" in fields:
        family = Target.objects.filter(Q(pk=provider.pk) | Q(namespace=provider.pk))
        _release(list(family.values_list("pk", flat=True)))


_STOPPED = """
    SELECT DISTINCT c.target_id FROM checks_checkregion r JOIN checks_check c ON c.id = r.check_id
    WHERE r.enabled AND r.reason = 'budget_spent' AND r.verdict_since < coalesce(%s, 'infinity'::timestamptz)
"""


@receiver(total_cap_changed)
def follow_total_cap(**_: Any) -> None:
    _release(_stopped())


@receiver(housekeeping)
def keep_accounts(**_: Any) -> None:
    """Once a minute: count what nobody told the cost of, and go on with what waited for a new month."""
    accounts.expire_unsettled()
    began = datetime.combine(ledger.month_of(clock.now().date()), time(), UTC)
    _release(_stopped(before=began))


def _stopped(before: datetime | None = None) -> list[UUID]:
    """Targets with a check that may not look for want of money, since before a moment or at all. One statement."""
    return [row[0] for row in statements.run(_STOPPED, [before])]


@transaction.atomic
def _release(target_ids: list[UUID]) -> None:
    """Look again now; until then nothing is known, and no longer for want of money."""
    if not target_ids:
        return
    # Statuses before rows, each in id order, as everybody locks them who records.
    board = Board.load(target_ids)
    schedule.release(target_ids)
    now = board.locked_at or database_moment()
    for check in board.checks.values():
        for row in check.regions:
            if row.state.reason == state.BUDGET_SPENT:
                row.state = state.RegionState(since=now)
                row.changed = True
    settling.settle(board, now)
