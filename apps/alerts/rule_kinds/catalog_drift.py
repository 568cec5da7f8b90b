"""`catalog_drift`: by how many models the catalog and a provider's own list differ."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from apps.alerts.rule_kinds.base import RULE_KINDS, Reading, Readings, RuleKind
from apps.catalog.selectors import get_drift_counts


class CatalogDriftConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class CatalogDriftKind(RuleKind[CatalogDriftConfig]):
    """As of the last discovery; a provider that was never asked has no drift, and no data."""

    name = "catalog_drift"
    label = _("Catalog drift")
    help_text = _("Models a provider offers and the catalog lacks, and those the catalog has and the provider lacks.")
    Config = CatalogDriftConfig
    cause = "catalog_drift"

    def read(self, config: CatalogDriftConfig, targets: Collection[UUID], *, now: datetime) -> Readings:
        return {
            provider: Reading(float(missing + gone), {"missing_here": missing, "gone_there": gone})
            for provider, (missing, gone) in get_drift_counts(targets).items()
        }

    def warnings(self, config: CatalogDriftConfig, targets: Collection[UUID]) -> list[str]:
        if get_drift_counts(targets):
            return []
        return [
            translated("None of these targets is a provider whose list of models was ever read; discover it first.")
        ]


RULE_KINDS.add(CatalogDriftKind.name, CatalogDriftKind())
