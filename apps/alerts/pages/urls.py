"""The addresses of the pages of alerts, rules, routes and silences; part of the name space `alerts`."""

from __future__ import annotations

from django.urls import path

from apps.alerts.pages import alert_views, route_views, rule_views, silence_views

urlpatterns = [
    path("alerts/", alert_views.alert_list, name="alert-list"),
    path("alerts/fragments/<slug:name>/", alert_views.alert_list_fragment, name="alert-list-fragment"),
    path("alerts/<uuid:alert_id>/", alert_views.alert_page, name="alert"),
    path("alerts/<uuid:alert_id>/fragments/<slug:name>/", alert_views.alert_fragment, name="alert-fragment"),
    path("alerts/<uuid:alert_id>/acknowledge/", alert_views.alert_acknowledge, name="alert-acknowledge"),
    path("alerts/rules/", rule_views.rule_list, name="rule-list"),
    path("alerts/rules/fragments/<slug:name>/", rule_views.rule_list_fragment, name="rule-list-fragment"),
    path("alerts/rules/new/", rule_views.rule_new, name="rule-new"),
    path("alerts/rules/<uuid:rule_id>/", rule_views.rule_page, name="rule"),
    path("alerts/rules/<uuid:rule_id>/fragments/<slug:name>/", rule_views.rule_fragment, name="rule-fragment"),
    path("alerts/rules/<uuid:rule_id>/edit/", rule_views.rule_edit, name="rule-edit"),
    path("alerts/rules/<uuid:rule_id>/switch/", rule_views.rule_switch, name="rule-switch"),
    path("alerts/rules/<uuid:rule_id>/delete/", rule_views.rule_delete, name="rule-delete"),
    path("alerts/routes/", route_views.route_list, name="route-list"),
    path("alerts/routes/fragments/<slug:name>/", route_views.route_list_fragment, name="route-list-fragment"),
    path("alerts/routes/new/", route_views.route_new, name="route-new"),
    path("alerts/routes/<uuid:route_id>/", route_views.route_page, name="route"),
    path("alerts/routes/<uuid:route_id>/edit/", route_views.route_edit, name="route-edit"),
    path("alerts/routes/<uuid:route_id>/move/", route_views.route_move, name="route-move"),
    path("alerts/routes/<uuid:route_id>/delete/", route_views.route_delete, name="route-delete"),
    path("alerts/silences/", silence_views.silence_list, name="silence-list"),
    path("alerts/silences/fragments/<slug:name>/", silence_views.silence_list_fragment, name="silence-list-fragment"),
    path("alerts/silences/new/", silence_views.silence_new, name="silence-new"),
    path("alerts/silences/<uuid:silence_id>/", silence_views.silence_page, name="silence"),
    path(
        "alerts/silences/<uuid:silence_id>/fragments/<slug:name>/",
        silence_views.silence_fragment,
        name="silence-fragment",
    ),
    path("alerts/silences/<uuid:silence_id>/edit/", silence_views.silence_edit, name="silence-edit"),
    path("alerts/silences/<uuid:silence_id>/extend/", silence_views.silence_extend, name="silence-extend"),
    path("alerts/silences/<uuid:silence_id>/end/", silence_views.silence_end, name="silence-end"),
]
