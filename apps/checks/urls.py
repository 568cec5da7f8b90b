from __future__ import annotations

from django.urls import path

from apps.checks import editing, expected, heartbeat_views, ping_key_pages, views
from apps.checks.ai import discover_page

app_name = "checks"

urlpatterns = [
    path("providers/<uuid:target_id>/discover/", discover_page.discover, name="discover"),
    path("checks/new/", editing.check_new, name="new"),
    path("checks/schedule/", expected.schedule_preview, name="schedule"),
    path("checks/<uuid:check_id>/", views.check_detail, name="check"),
    path("checks/<uuid:check_id>/edit/", editing.check_edit, name="edit"),
    path("checks/<uuid:check_id>/fragments/<slug:name>/", views.check_fragment, name="fragment"),
    path("checks/<uuid:check_id>/latency.json", views.check_latency, name="latency"),
    path("checks/<uuid:check_id>/run-times.json", heartbeat_views.run_times, name="run-times"),
    path("checks/<uuid:check_id>/pings/<uuid:ping_id>/", heartbeat_views.ping_detail, name="ping"),
    path("checks/<uuid:check_id>/rotate/", heartbeat_views.rotate, name="rotate"),
    path("checks/<uuid:check_id>/run/", views.check_run, name="run"),
    path("checks/<uuid:check_id>/runs/<uuid:run_id>/", views.run_fragment, name="run-fragment"),
    path("checks/<uuid:check_id>/switch/", views.check_switch, name="switch"),
    path("checks/<uuid:check_id>/delete/", views.check_delete, name="delete"),
    path("checks/<uuid:check_id>/results/<uuid:result_id>/", views.result_detail, name="result"),
    path("heartbeats/keys/", ping_key_pages.ping_keys, name="ping-keys"),
    path("heartbeats/keys/<uuid:key_id>/close/", ping_key_pages.ping_key_close, name="ping-key-close"),
]
