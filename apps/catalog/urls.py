from __future__ import annotations

from django.urls import path

from apps.catalog import views
from apps.catalog.models import TargetKind

app_name = "catalog"

urlpatterns = [
    path("providers/new/", views.target_new, {"kind": TargetKind.PROVIDER.value}, name="provider-new"),
    path("models/new/", views.target_new, {"kind": TargetKind.MODEL.value}, name="model-new"),
    path("services/new/", views.target_new, {"kind": TargetKind.SERVICE.value}, name="service-new"),
    path("targets/<uuid:target_id>/edit/", views.target_edit, name="target-edit"),
    path("targets/<uuid:target_id>/switch/", views.target_switch, name="target-switch"),
    path("targets/<uuid:target_id>/delete/", views.target_delete, name="target-delete"),
]
