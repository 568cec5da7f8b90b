"""The portal watches itself: its own web process, PostgreSQL, Valkey and Celery worker are its first real input.

Made once, on the first start; somebody who removes one has removed it. At every start the addresses and passwords of
those that are left are brought up to date, because an embedded server may have moved to another port.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from apps.catalog.models import Environment, Target
from apps.catalog.services import create_service
from apps.checks.models import Check
from apps.checks.services import create_check, update_check
from apps.checks.worker import HEARTBEAT_KEY

TAG = "portal"
INTERVAL_SECONDS = 10
TIMEOUT_SECONDS = 5


@dataclass(frozen=True)
class Watched:
    """One part of the portal: the service's name and how it is looked at."""

    name: str
    description: str
    kind: str
    config: dict[str, Any]


def parts() -> list[Watched]:
    """The parts as they are now, from the settings of this process."""
    database, broker = urlsplit(settings.DATABASE_URL), urlsplit(settings.REDIS_URL)
    valkey = {
        "host": broker.hostname or "127.0.0.1",
        "port": broker.port or 6379,
        "username": unquote(broker.username or ""),
        "password": unquote(broker.password or ""),
        "tls": broker.scheme == "rediss",
    }
    return [
        Watched(
            _("Portal web"),
            _("The page you are looking at, asked from the worker."),
            "http",
            {
                "url": f"{settings.PORTAL_WEB_URL.rstrip('/')}/healthz",
                "conditions": [{"field": "status", "operator": "==", "value": 200}],
            },
        ),
        Watched(
            "PostgreSQL",
            _("The portal's own database."),
            "postgres",
            {
                "host": database.hostname or "127.0.0.1",
                "port": database.port or 5432,
                "database": database.path.lstrip("/"),
                "user": unquote(database.username or ""),
                "password": unquote(database.password or ""),
            },
        ),
        Watched("Valkey", _("The portal's own broker and cache."), "redis", valkey),
        Watched(
            _("Celery worker"),
            _("The process that probes, records and tells."),
            "celery_worker",
            {**valkey, "heartbeat_key": HEARTBEAT_KEY, "queues": ["portal:portal", "portal:record"]},
        ),
    ]


@transaction.atomic
def create() -> None:
    """Make the services and their checks. For the first start."""
    environment = Environment.objects.get(slug="prod")
    for part in parts():
        service = create_service(
            actor=None, name=part.name, environment=environment, description=part.description, tags=[TAG]
        )
        create_check(
            actor=None,
            target=service.target,
            kind=part.kind,
            config=part.config,
            interval_seconds=INTERVAL_SECONDS,
            timeout_seconds=TIMEOUT_SECONDS,
            degraded_after_ms=2_000,
        )


@transaction.atomic
def refresh() -> None:
    """Bring the configs of what is left of them up to date."""
    kinds = {part.kind: part for part in parts()}
    watched = Target.objects.present().filter(tags__contains=[TAG])
    for check in Check.objects.present().filter(target__in=watched, kind__in=kinds).select_related("target"):
        update_check(actor=None, check=check, config=kinds[check.kind].config)
