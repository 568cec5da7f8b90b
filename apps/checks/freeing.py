"""Looking again at once at what was left alone because it could not succeed: somebody changed what stood in the way."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from apps.catalog.models import TargetKind
from apps.checks import schedule
from apps.checks.board import Board
from apps.core import statements

# What a provider's looks need to succeed; money is watched where it is counted.
KEYS = frozenset({"api_key", "base_url", "dialect"})

_FAMILIES = "SELECT id FROM catalog_target WHERE id = ANY(%s) OR (kind = 'model' AND namespace = ANY(%s))"


@transaction.atomic
def free_providers(provider_ids: Collection[UUID]) -> None:
    """Free these providers and all their models. Statuses are locked before rows, as everybody does who records."""
    providers = list(provider_ids)
    family = [row[0] for row in statements.run(_FAMILIES, [providers, providers])]
    Board.load(family)
    schedule.release(family)


def free_mended(board: Board, target_ids: Collection[UUID]) -> None:
    """Free targets of this board, whose statuses are locked; the models of a provider among them once it commits."""
    if not target_ids:
        return
    schedule.release(list(target_ids))
    providers = [
        target_id
        for target_id in target_ids
        if target_id in board.targets and board.targets[target_id].kind == TargetKind.PROVIDER
    ]
    if providers:
        transaction.on_commit(lambda: free_providers(providers), robust=True)
