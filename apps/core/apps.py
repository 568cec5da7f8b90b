from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "apps.core"
    verbose_name = _("Core")
    # What rules begin with; whoever tells people reads them here.
    default_rules = (
        {
            "seed": "core.cache_hit_rate",
            "name": _("Cache seldom hit"),
            "kind": "cache_hit_rate",
            "operator": "<",
            "warning_level": 80.0,
            "recovery_margin": 2.0,
        },
    )

    def ready(self) -> None:
        from apps.core import queues  # noqa: F401, PLC0415 - stamps what is sent
