from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CatalogConfig(AppConfig):
    name = "apps.catalog"
    verbose_name = _("Catalog")
    # What rules begin with; whoever tells people reads them here.
    default_rules = (
        {
            "seed": "catalog.drift",
            "name": _("Catalog and provider differ"),
            "kind": "catalog_drift",
            "warning_level": 10.0,
            "for_seconds": 900,
        },
    )

    def ready(self) -> None:
        from apps.accounts.places import provide_places  # noqa: PLC0415 - models are there only now
        from apps.catalog import seeds, selectors  # noqa: PLC0415
        from apps.catalog.prices import seeds as prices  # noqa: PLC0415

        provide_places(selectors.list_places)
        post_migrate.connect(seeds.seed, sender=self, dispatch_uid="catalog.seeds")
        post_migrate.connect(prices.seed, sender=self, dispatch_uid="catalog.prices")
