"""The map of the portal. What an app serves is listed in its own urls.py."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.contrib import admin
from django.urls import include, path

from apps.accounts.views import admin_login
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
    path("", include("apps.accounts.urls")),
    *health_urlpatterns,
]
if find_spec("apps.checks.api") is not None:
    _monitoring = getattr(import_module("apps.checks.api"), "monitoring_urlpatterns", [])
    urlpatterns += [path("api/monitoring/", include((_monitoring, "monitoring")))]
for _app in ("catalog", "checks", "alerts", "dashboard"):
    if find_spec(f"apps.{_app}.urls") is not None:
        urlpatterns += [path("", include(f"apps.{_app}.urls"))]
