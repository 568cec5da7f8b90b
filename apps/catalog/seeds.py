"""What every installation begins with: three environments and the local region. Idempotent, after every migration."""

from __future__ import annotations

from typing import Any

from apps.catalog.models import Environment, Region

ENVIRONMENTS = (("prod", "Production"), ("stage", "Staging"), ("dev", "Development"))
LOCAL_REGION = ("local", "Local")


def seed(**_: Any) -> None:
    """Add what is missing; names an operator changed stay as they are. Two queries when nothing is."""
    if not Environment.objects.exists():
        Environment.objects.bulk_create(
            [
                Environment(slug=slug, name=name, position=position)
                for position, (slug, name) in enumerate(ENVIRONMENTS)
            ],
            ignore_conflicts=True,
        )
    if not Region.objects.exists():
        slug, name = LOCAL_REGION
        Region.objects.get_or_create(slug=slug, defaults={"name": name})
