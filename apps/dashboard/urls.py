from __future__ import annotations

from typing import Any

from django.urls import path

from apps.accounts import pages as account_pages
from apps.dashboard import components_view, incident_views, settings_pages, views
from apps.dashboard.lists import LISTS

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


urlpatterns = [
    path("", views.overview_page, name="overview"),
    path("fragments/<slug:name>/", views.overview_fragment, name="overview-fragment"),
    path("first-check/", views.first_check, name="first-check"),
    path("first-run/", views.first_run_is_over, name="first-run"),
    path("targets/bulk/", views.target_bulk, name="target-bulk"),
    *_lists(),
    path("targets/<uuid:target_id>/", views.target_page, name="target"),
    path("targets/<uuid:target_id>/fragments/<slug:name>/", views.target_fragment, name="target-fragment"),
    path("targets/<uuid:target_id>/latency.json", views.target_latency, name="target-latency"),
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
    path("settings/health/", settings_pages.health, name="settings-health"),
    path("settings/components/", components_view.components, name="components"),
    path("settings/components/chart.json", components_view.component_chart, name="component-chart"),
    path("settings/health/fragments/<slug:name>/", settings_pages.health_fragment, name="settings-health-fragment"),
]
