"""Reading the catalog: rows joined with their status, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import connection, models

from apps.accounts.models import User
from apps.catalog.models import AIModel, Environment, Provider, Target, TargetKind

Viewer = User | AnonymousUser


def list_environments(user: Viewer) -> models.QuerySet[Environment]:
    """The environments `user` may see, in their order."""
    return Environment.objects.visible_to(user)


def list_targets(user: Viewer, environment: UUID | None = None) -> models.QuerySet[Target]:
    """Targets with status, environment and (of a model) provider. One query; filter and order as the caller needs."""
    rows = Target.objects.visible_to(user).present().select_related("status_row", "environment", "namespace")
    return rows.filter(environment_id=environment) if environment is not None else rows


def list_providers(user: Viewer) -> models.QuerySet[Provider]:
    rows: models.QuerySet[Provider] = Provider.objects.visible_to(user).present()
    return rows.select_related("target", "target__status_row", "target__environment")


def list_models(user: Viewer) -> models.QuerySet[AIModel]:
    rows: models.QuerySet[AIModel] = AIModel.objects.visible_to(user).present()
    return rows.select_related("target__status_row", "target__environment", "target__namespace", "provider__target")


@dataclass(frozen=True)
class Drift:
    """A provider's own list against the catalog, as of the last discovery; names in order."""

    offered: list[str]
    missing_here: list[str]
    gone_there: list[str]


def get_drift(provider: Provider, offered: list[str] | None = None) -> Drift:
    """What the provider offers and we do not watch, and the other way round. One query."""
    there = set(provider.offered_models if offered is None else offered)
    here = set(
        Target.objects.present().filter(kind=TargetKind.MODEL, namespace=provider.pk).values_list("name", flat=True)
    )
    return Drift(offered=sorted(there), missing_here=sorted(there - here), gone_there=sorted(here - there))


def get_environment(user: Viewer, name: str) -> Environment | None:
    """An environment by short name or id, if `user` may see it. One query."""
    try:
        condition = models.Q(pk=UUID(name))
    except ValueError:
        condition = models.Q(slug=name)
    return Environment.objects.visible_to(user).filter(condition).first()


def default_environment(user: Viewer) -> Environment | None:
    """Where a target goes when nobody says: `prod`, if `user` may see it. One query."""
    return get_environment(user, "prod")


def list_places() -> list[tuple[UUID, str]]:
    """(id, name) of every environment, in order: where a role may be granted. One query."""
    return list(Environment.objects.values_list("pk", "name"))


_DRIFTS = """
    SELECT p.target_id,
           (SELECT count(*) FROM (
               SELECT jsonb_array_elements_text(p.offered_models)
               EXCEPT SELECT t.name FROM catalog_target t
               WHERE t.namespace = p.target_id AND t.kind = 'model' AND t.deleted_at IS NULL
           ) AS missing_here),
           (SELECT count(*) FROM (
               SELECT t.name FROM catalog_target t
               WHERE t.namespace = p.target_id AND t.kind = 'model' AND t.deleted_at IS NULL
               EXCEPT SELECT jsonb_array_elements_text(p.offered_models)
           ) AS gone_there)
    FROM catalog_provider p WHERE p.target_id = ANY(%s) AND p.last_discovered_at IS NOT NULL
"""


def get_drift_counts(provider_ids: Collection[UUID]) -> dict[UUID, tuple[int, int]]:
    """By provider how many models are (missing here, gone there), as of the last discovery. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_DRIFTS, [list(provider_ids)])
        return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}
