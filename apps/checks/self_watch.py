"""The portal watches itself: its own web process, PostgreSQL, Valkey and Celery worker are its first real input.

Made once, on the first start; somebody who removes one has removed it. At every start the addresses and passwords of
those that are left are brought up to date, because an embedded server may have moved to another port.

A check's query can be edited by an operator, so PostgreSQL is looked at by a role of its own that may sign in and
nothing else; where the portal may not make such a role, its port is looked at instead.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _
from psycopg import sql

from apps.catalog.models import Environment, Region
from apps.catalog.services import create_service
from apps.checks.models import Check
from apps.checks.services import create_check, update_check
from apps.checks.worker import HEARTBEAT_KEY

logger = structlog.get_logger(__name__)

TAG = "portal"
INTERVAL_SECONDS = 10
TIMEOUT_SECONDS = 5


@dataclass(frozen=True)
class Watched:
    """One part of the portal: its short name, the service's name, and how it is looked at."""

    part: str
    name: str
    description: str
    kind: str
    config: dict[str, Any]


def parts() -> list[Watched]:
    """The parts as they are now, from the settings of this process. Makes the watching role where it may."""
    broker = urlsplit(settings.REDIS_URL)
    valkey = {
        "host": broker.hostname or "127.0.0.1",
        "port": broker.port or 6379,
        "username": unquote(broker.username or ""),
        "password": unquote(broker.password or ""),
        "tls": broker.scheme == "rediss",
    }
    queues = ["portal:portal", "portal:record"]
    return [
        Watched(
            "web",
            _("Portal web"),
            _("The page you are looking at, asked from the worker."),
            "http",
            {
                "url": f"{settings.PORTAL_WEB_URL.rstrip('/')}/healthz",
                "conditions": [{"field": "status", "operator": "==", "value": 200}],
            },
        ),
        _postgresql(),
        Watched("valkey", "Valkey", _("The portal's own broker and cache."), "redis", valkey),
        Watched(
            "worker",
            _("Celery worker"),
            _("The process that probes, records and tells."),
            "celery_worker",
            {**valkey, "heartbeat_key": HEARTBEAT_KEY, "queues": queues},
        ),
    ]


def _postgresql() -> Watched:
    database = urlsplit(settings.DATABASE_URL)
    name, description = "PostgreSQL", _("The portal's own database.")
    address = {"host": database.hostname or "127.0.0.1", "port": database.port or 5432}
    role = _watching_role()
    if role is None:
        return Watched("postgresql", name, description, "tcp", address)
    user, password = role
    config = {**address, "database": connection.settings_dict["NAME"], "user": user, "password": password}
    return Watched("postgresql", name, description, "postgres", config)


def _watching_role() -> tuple[str, str] | None:
    """A login role without any right, and its password; None where the portal's own user may not make one."""
    database = str(connection.settings_dict["NAME"])
    user = f"portal_watch_{hashlib.sha256(database.encode()).hexdigest()[:8]}"
    password = hmac.new(settings.SECRET_KEY.encode(), b"watching role 1", hashlib.sha256).hexdigest()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [user])
            verb = "ALTER" if cursor.fetchone() else "CREATE"
            cursor.execute(
                sql.SQL(
                    "{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 5 PASSWORD {}"
                ).format(sql.SQL(verb), sql.Identifier(user), sql.Literal(password))
            )
    except DatabaseError as error:
        logger.info("watching_role_not_made", error=str(error))
        return None
    return user, password


@transaction.atomic
def create() -> None:
    """Make the services and their checks. For the first start."""
    environment = Environment.objects.get(slug="prod")
    # Its servers listen on this machine alone: from any other region each would be an outage.
    own = list(Region.objects.filter(slug=settings.PORTAL_REGION))
    for watched in parts():
        service = create_service(
            actor=None, name=watched.name, environment=environment, description=watched.description, tags=[TAG]
        )
        check = create_check(
            actor=None,
            target=service.target,
            kind=watched.kind,
            config=watched.config,
            only_regions=own,
            interval_seconds=INTERVAL_SECONDS,
            timeout_seconds=TIMEOUT_SECONDS,
            degraded_after_ms=2_000,
        )
        Check.objects.filter(pk=check.pk).update(portal_part=watched.part)


@transaction.atomic
def refresh() -> None:
    """Bring the configs of what is left of them up to date; what people made themselves is never touched."""
    now = {(watched.part, watched.kind): watched for watched in parts()}
    for check in Check.objects.present().exclude(portal_part="").select_related("target"):
        watched = now.get((check.portal_part, check.kind))
        if watched is not None:
            try:
                update_check(actor=None, check=check, config=watched.config)
            except ValidationError as error:  # what people set meanwhile must not keep the portal from starting
                logger.warning("own_check_not_refreshed", part=check.portal_part, errors=error.messages)
