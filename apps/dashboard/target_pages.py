"""Which page a target has: most share one, and a kind with more to say brings its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.accounts.doors import PageRequest
from apps.catalog.models import Target, TargetKind
from apps.checks.charts import OF_HOURS, OF_LOOKS, Presets
from apps.checks.models import Check
from apps.checks.vendors.panel import VENDOR
from apps.core.panels import Panel
from apps.dashboard import targets
from apps.dashboard.ai import model_page
from apps.dashboard.ai.provider_page import FIGURES

Around = Callable[[PageRequest, Target, list[Check]], dict[str, Any]]


@dataclass(frozen=True)
class TargetPage:
    """A template, its panels, the periods it offers, and what it says around its panels."""

    template: str
    panels: tuple[Panel, ...]
    presets: Presets
    around: Around


def _nothing(_request: PageRequest, _target: Target, _checks: list[Check]) -> dict[str, Any]:
    return {}


_SHARED = TargetPage("dashboard/target/page.html", targets.COMMON, OF_LOOKS, _nothing)
_PAGES: dict[str, TargetPage] = {
    TargetKind.PROVIDER: TargetPage(
        "dashboard/target/page.html", (*targets.PANELS, FIGURES, VENDOR), OF_LOOKS, _nothing
    ),
    TargetKind.MODEL: TargetPage("dashboard/model/page.html", model_page.PANELS, OF_HOURS, model_page.around),
}


def page_of(target: Target) -> TargetPage:
    return _PAGES.get(target.kind, _SHARED)
