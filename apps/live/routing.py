"""WebSocket paths."""

from __future__ import annotations

from django.urls import re_path

from apps.live.consumers import LiveConsumer, UnknownPathConsumer

websocket_urlpatterns = [
    re_path(r"^ws/live/$", LiveConsumer.as_asgi()),
    re_path(r"", UnknownPathConsumer.as_asgi()),
]
