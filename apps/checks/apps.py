from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChecksConfig(AppConfig):
    name = "apps.checks"
    verbose_name = _("Checks and incidents")

    def ready(self) -> None:
        from apps.checks import receivers, worker  # noqa: F401, PLC0415 - both connect signals
