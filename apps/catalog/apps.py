from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CatalogConfig(AppConfig):
    name = "apps.catalog"
    verbose_name = _("Catalog")

    def ready(self) -> None:
        from apps.catalog import seeds  # noqa: PLC0415 - models are there only now

        post_migrate.connect(seeds.seed, sender=self, dispatch_uid="catalog.seeds")
