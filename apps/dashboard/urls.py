from __future__ import annotations

from typing import Any

from django.urls import path

from apps.accounts import pages as account_pages
from apps.dashboard import components_view, guard_pages, incident_views, region_pages, settings_pages, views
from apps.dashboard.ai import views as model_views
from apps.dashboard.lists import LISTS
from apps.dashboard.money import budget_pages, price_pages

app_name = "dashboard"


def _lists() -> list[Any]:
    """Each list of targets with its rows as a fragment: /targets/, /models/, /services/."""
    patterns: list[Any] = []
    for name in LISTS:
        patterns += [
            path(f"{name}s/", views.target_list, {"name": name}, name=f"{name}-list"),
            path(
                f"{name}s/fragments/<slug:panel>/",
                views.target_list_fragment,
                {"name": name},
                name=f"{name}-list-fragment",
            ),
        ]
    return patterns


_REGION = "settings/regions/<slug:region_slug>/"

_regions = [
    path("settings/regions/", region_pages.region_list, name="settings-regions"),
    path(
        "settings/regions/fragments/<slug:name>/", region_pages.region_list_fragment, name="settings-regions-fragment"
    ),
    path("settings/regions/new/", region_pages.region_new, name="settings-region-new"),
    path(_REGION, region_pages.region_page, name="settings-region"),
    path(f"{_REGION}fragments/<slug:name>/", region_pages.region_fragment, name="settings-region-fragment"),
    path(f"{_REGION}edit/", region_pages.region_edit, name="settings-region-edit"),
    path(f"{_REGION}switch/", region_pages.region_switch, name="settings-region-switch"),
    path(f"{_REGION}delete/", region_pages.region_delete, name="settings-region-delete"),
    path(f"{_REGION}guards/new/", guard_pages.guard_new, name="settings-guard-new"),
    path(f"{_REGION}guards/<uuid:guard_id>/", guard_pages.guard_edit, name="settings-guard"),
    path(f"{_REGION}guards/<uuid:guard_id>/delete/", guard_pages.guard_delete, name="settings-guard-delete"),
]

_money = [
    path("settings/budgets/", budget_pages.budget_list, name="settings-budgets"),
    path("settings/budgets/total/", budget_pages.budget_total, name="settings-total"),
    path("settings/budgets/<uuid:target_id>/", budget_pages.budget_edit, name="settings-budget"),
    path("settings/prices/", price_pages.price_list, name="settings-prices"),
    path("settings/prices/new/", price_pages.price_new, name="settings-price-new"),
    path("settings/prices/<uuid:price_id>/", price_pages.price_page, name="settings-price"),
    path("settings/prices/<uuid:price_id>/edit/", price_pages.price_edit, name="settings-price-edit"),
    path("settings/prices/<uuid:price_id>/delete/", price_pages.price_delete, name="settings-price-delete"),
]

urlpatterns = [
    path("", views.overview_page, name="overview"),
    path("fragments/<slug:name>/", views.overview_fragment, name="overview-fragment"),
    path("first-check/", views.first_check, name="first-check"),
    path("first-run/", views.first_run_is_over, name="first-run"),
    path("targets/bulk/", views.target_bulk, name="target-bulk"),
    path("models/compare/", model_views.compare_page, name="model-compare"),
    path("models/compare/fragments/<slug:name>/", model_views.compare_fragment, name="model-compare-fragment"),
    path("models/compare/<slug:name>.json", model_views.compare_chart, name="model-compare-chart"),
    *_lists(),
    path("targets/<uuid:target_id>/", views.target_page, name="target"),
    path("targets/<uuid:target_id>/fragments/<slug:name>/", views.target_fragment, name="target-fragment"),
    path("targets/<uuid:target_id>/latency.json", views.target_latency, name="target-latency"),
    path("targets/<uuid:target_id>/charts/<slug:chart>.json", model_views.model_chart, name="model-chart"),
    path("incidents/", incident_views.incident_list, name="incident-list"),
    path("incidents/fragments/<slug:name>/", incident_views.incident_list_fragment, name="incident-list-fragment"),
    path("incidents/<uuid:incident_id>/", incident_views.incident_page, name="incident"),
    path(
        "incidents/<uuid:incident_id>/fragments/<slug:name>/",
        incident_views.incident_fragment,
        name="incident-fragment",
    ),
    path(
        "incidents/<uuid:incident_id>/acknowledge/",
        incident_views.incident_acknowledge,
        name="incident-acknowledge",
    ),
    path("incidents/<uuid:incident_id>/notes/", incident_views.incident_note, name="incident-note"),
    path("incidents/<uuid:incident_id>/resolve/", incident_views.incident_resolve, name="incident-resolve"),
    path("search/", views.search_page, name="search"),
    path("search/suggestions/", views.search_suggestions, name="search-suggestions"),
    path("settings/", account_pages.profile, name="settings"),
    path("settings/tokens/", account_pages.tokens, name="settings-tokens"),
    path("settings/tokens/<uuid:token_id>/revoke/", account_pages.token_revoke, name="settings-token-revoke"),
    path("settings/places/", settings_pages.places, name="settings-places"),
    *_regions,
    *_money,
    path("settings/health/", settings_pages.health, name="settings-health"),
    path("settings/health/<slug:name>.json", settings_pages.health_chart, name="settings-health-chart"),
    path("settings/components/", components_view.components, name="components"),
    path("settings/components/chart.json", components_view.component_chart, name="component-chart"),
    path("settings/health/fragments/<slug:name>/", settings_pages.health_fragment, name="settings-health-fragment"),
]
