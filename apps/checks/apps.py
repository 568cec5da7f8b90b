from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChecksConfig(AppConfig):
    name = "apps.checks"
    verbose_name = _("Checks and incidents")
    # What rules begin with; whoever tells people reads them here. Levels are in the unit of the kind (ms).
    default_rules = (
        {
            "seed": "checks.response_time",
            "name": _("Slow response"),
            "kind": "latency",
            "config": {"percentile": "p95", "window_seconds": 300},
            # Models take their time to answer at length; rules on their first token and speed are of other kinds.
            "matchers": [{"label": "kind", "operator": "!~", "value": "model|provider"}],
            "critical_level": 2_000.0,
            "recovery_margin": 200.0,
            "for_seconds": 0,
        },
        {
            "seed": "checks.database",
            "name": _("Database check failed"),
            "kind": "check_failed",
            "config": {"check_kinds": ["postgres"], "portal_parts": ["postgresql"]},
            "severity": "critical",
            "for_seconds": 0,
        },
        {
            "seed": "checks.budget",
            "name": _("Budget of a provider nearly spent"),
            "kind": "budget",
            "warning_level": 80.0,
            "critical_level": 100.0,
            "for_seconds": 0,
        },
        {
            "seed": "checks.budget_total",
            "name": _("Budget of all providers nearly spent"),
            "kind": "budget_total",
            "warning_level": 80.0,
            "critical_level": 100.0,
            "for_seconds": 0,
        },
    )

    def ready(self) -> None:
        from apps.checks import receivers, worker  # noqa: F401, PLC0415 - all connect signals
        from apps.checks.spending import receivers as _money  # noqa: F401, PLC0415 - so does this
        from apps.checks.vendors import receivers as vendor_receivers  # noqa: F401, PLC0415
