"""Paths below `/api/v1/`."""

from __future__ import annotations

from django.urls import path

from apps.live.sse import events_view

urlpatterns = [path("events/", events_view(), name="events")]
