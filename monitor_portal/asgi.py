"""The ASGI application: pings at the edge, other HTTP through Django, WebSockets through Channels."""

from __future__ import annotations

import gc
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monitor_portal.settings")
# Django must be set up before anything that imports models.
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from apps.checks.heartbeats.edge import PingEdge  # noqa: E402
from apps.core.edge import BodyLimit, LoopGuard  # noqa: E402
from apps.live.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": LoopGuard(PingEdge(BodyLimit(django_application, settings.PORTAL_BODY_LIMIT_BYTES))),
        # The consumer looks at the session itself, because it has to do so again while the socket is open.
        "websocket": URLRouter(websocket_urlpatterns),
    }
)

# What is loaded by now stays. Walking it again and again held every request up (measured for pings: a seventh of the
# CPU, and half of the slowest answers), so the collector is told to leave it; the views are loaded first.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
