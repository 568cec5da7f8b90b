from __future__ import annotations

from django.urls import path

from apps.alerts import notification_views, views
from apps.alerts.pages import urls as pages

app_name = "alerts"

urlpatterns = [
    *pages.urlpatterns,
    path("alerts/channels/", views.channel_list, name="channel-list"),
    path("alerts/channels/fragments/<slug:name>/", views.channel_list_fragment, name="channel-list-fragment"),
    path("alerts/channels/new/", views.channel_new, name="channel-new"),
    path("alerts/channels/<uuid:channel_id>/", views.channel_page, name="channel"),
    path("alerts/channels/<uuid:channel_id>/fragments/<slug:name>/", views.channel_fragment, name="channel-fragment"),
    path("alerts/channels/<uuid:channel_id>/edit/", views.channel_edit, name="channel-edit"),
    path("alerts/channels/<uuid:channel_id>/test/", views.channel_test, name="channel-test"),
    path("alerts/channels/<uuid:channel_id>/switch/", views.channel_switch, name="channel-switch"),
    path("alerts/channels/<uuid:channel_id>/delete/", views.channel_delete, name="channel-delete"),
    path("alerts/notifications/", notification_views.notification_list, name="notification-list"),
    path("alerts/notifications/replay/", notification_views.notification_replay_dead, name="notification-replay-dead"),
    path(
        "alerts/notifications/fragments/<slug:name>/",
        notification_views.notification_list_fragment,
        name="notification-list-fragment",
    ),
    path("alerts/notifications/<uuid:notification_id>/", notification_views.notification_page, name="notification"),
    path(
        "alerts/notifications/<uuid:notification_id>/fragments/<slug:name>/",
        notification_views.notification_fragment,
        name="notification-fragment",
    ),
    path(
        "alerts/notifications/<uuid:notification_id>/replay/",
        notification_views.notification_replay,
        name="notification-replay",
    ),
]
