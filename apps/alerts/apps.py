from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AlertsConfig(AppConfig):
    name = "apps.alerts"
    verbose_name = _("Alerts")

    def ready(self) -> None:
        from apps.alerts import receivers  # noqa: F401, PLC0415 - connects the signals
        from apps.alerts.ruling.seeding import seed_rules  # noqa: PLC0415 - models are there only now

        post_migrate.connect(seed_rules, sender=self, dispatch_uid="alerts.rules")
