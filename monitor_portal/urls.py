"""The map of the portal. What an app serves is listed in its own urls.py and api.py."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.urls import include, path

from apps.accounts.views import admin_login
from apps.checks.api import monitoring_urlpatterns
from apps.core.outages import refusal_page
from apps.dashboard.health import health_urlpatterns

handler400 = partial(refusal_page, status=400)
handler403 = partial(refusal_page, status=403)
handler404 = partial(refusal_page, status=404)
handler500 = "apps.core.outages.error_page"

urlpatterns: list[Any] = [
    path("admin/login/", admin_login),
    path("admin/", admin.site.urls),
    path("api/v1/", include(("monitor_portal.api_urls", "api"))),
    path("api/monitoring/", include((monitoring_urlpatterns, "monitoring"))),
    path("", include("apps.accounts.urls")),
    path("", include("apps.catalog.urls")),
    path("", include("apps.checks.urls")),
    path("", include("apps.alerts.urls")),
    path("", include("apps.alerts.replies.urls")),
    path("", include("apps.dashboard.urls")),
    *health_urlpatterns,
]
