"""What targets are known by: the labels that rules, routes and silences select on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.db import connection

from apps.alerts.matching import Label, Labels
from apps.catalog.models import TargetKind
from apps.probes.ai.classes import class_of

# A model's name space is its provider. What the alert says (severity, cause, reason, rule) belongs to it.
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


# What is asked with a provider's key. Of anything else there is no provider whose fault it could be.
_OF_PROVIDERS = (TargetKind.PROVIDER, TargetKind.MODEL)


def error_labels(kind: object, reason: str) -> dict[str, str]:
    """The class of error of an alert about a model or a provider, and whose fault it is; empty texts where it has none.

    Both follow from the reason, so that a route leads what is ours to whoever can mend it.
    """
    found = class_of(reason) if kind in _OF_PROVIDERS else None
    return {
        Label.ERROR_CLASS.value: found[0].value if found else "",
        Label.FAULT.value: found[1].value if found else "",
    }


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
