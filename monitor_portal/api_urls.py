"""Everything under /api/v1/. Each app's api.py registers its own view sets and adds what is not one."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

_APPS = ("accounts", "catalog", "checks", "alerts", "live")

router = SimpleRouter()
urlpatterns: list[Any] = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema", template_name="api/docs.html"), name="docs"
    ),
]
for _app in _APPS:
    if find_spec(f"apps.{_app}.api") is not None:
        _module = import_module(f"apps.{_app}.api")
        if hasattr(_module, "register"):
            _module.register(router)
        urlpatterns += getattr(_module, "urlpatterns", [])
urlpatterns += router.urls
