"""Everything under /api/v1/. Each app's api.py registers its own view sets and lists what is not one."""

from __future__ import annotations

from typing import Any

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from apps.accounts import api as accounts
from apps.alerts import api as alerts
from apps.catalog import api as catalog
from apps.checks import api as checks
from apps.live import api as live

router = SimpleRouter()
for app in (accounts, catalog, checks, alerts):
    app.register(router)

urlpatterns: list[Any] = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema", template_name="api/docs.html"), name="docs"
    ),
    *accounts.urlpatterns,
    *checks.urlpatterns,
    *alerts.urlpatterns,
    *live.urlpatterns,
    *router.urls,
]
