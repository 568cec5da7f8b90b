"""What targets are known by: the labels that rules, routes and silences select on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.db import connection

from apps.alerts.matching import Label, Labels

# A model's name space is its provider. Status labels (severity, cause, reason, rule) belong to the alert.
_LABELS = """
    SELECT t.id, e.slug, t.kind, t.name, t.tags, coalesce(p.name, CASE WHEN t.kind = 'provider' THEN t.name END, ''),
           t.environment_id
    FROM catalog_target t
    JOIN catalog_environment e ON e.id = t.environment_id
    LEFT JOIN catalog_target p ON p.id = t.namespace
    WHERE {condition}
    ORDER BY t.id
"""
_OF_SOME = _LABELS.format(condition="t.id = ANY(%s)")
_OF_WATCHED = _LABELS.format(condition="t.enabled AND t.deleted_at IS NULL")


def labels_of(target_ids: Iterable[UUID]) -> dict[UUID, Labels]:
    """Environment (short name), kind, target (name), provider and tags of each, also of deleted ones. One query."""
    identifiers = list(target_ids)
    if not identifiers:
        return {}
    return {row[0]: _labels(row) for row in _read(_OF_SOME, [identifiers])}


def watched_targets() -> dict[UUID, tuple[UUID, Labels]]:
    """Every target that is present and enabled: its environment's id and its labels, in order of ids. One query."""
    return {row[0]: (row[6], _labels(row)) for row in _read(_OF_WATCHED, [])}


def _read(statement: str, parameters: Collection[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))
        return list(cursor.fetchall())


def _labels(row: tuple[Any, ...]) -> Labels:
    _identifier, environment, kind, name, tags, provider, _environment_id = row
    return {
        Label.ENVIRONMENT.value: environment,
        Label.KIND.value: kind,
        Label.TARGET.value: name,
        Label.PROVIDER.value: provider,
        Label.TAG.value: list(tags),
    }
