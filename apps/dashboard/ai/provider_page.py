"""What the page of a provider has besides that of any target: its models together, and its vendor's page."""

from __future__ import annotations

from typing import Any

from apps.accounts.doors import PageRequest
from apps.catalog.models import AIModel, Target
from apps.core.panels import Panel
from apps.dashboard import targets
from apps.dashboard.ai.cards import figures_of


def load_figures(request: PageRequest, target: Target) -> dict[str, Any]:
    return {
        "target": target,
        "figures": figures_of([target.provider])[target.pk],
        "may_compare": AIModel.objects.present().filter(provider=target.provider)[:2].count() == 2,
        "may_name_page": not target.provider.status_page_url and targets.may_operate(request, target),
    }


FIGURES = Panel("figures", "dashboard/model/_provider_figures.html", load_figures, "target", every=60)
