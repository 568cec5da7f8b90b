"""The portal's own health, for machines: `/healthz`, `/readyz` and `/metrics`.

`/healthz` asks nothing and says only that this process answers. `/readyz` says whether everything that must turn
does, 503 when not. `/metrics` is for Prometheus: readable from this machine, or with a token whose owner may see all
environments.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework.exceptions import APIException

from apps.accounts.access import Role
from apps.dashboard.exposition import CONTENT_TYPE, exposition
from apps.dashboard.parts import NOT_READ, Part
from apps.dashboard.probing import judge_looking
from apps.dashboard.readings import DatabaseReading, Readings, ValkeyReading, take_readings
from apps.live.subscription import identify

# Above these ages (seconds) a part that should turn by itself does not.
WORKER_SILENT_SECONDS = 15
BEAT_LATE_SECONDS = 15
OUTBOX_LATE_SECONDS = 60
NOTIFICATION_LATE_SECONDS = 120

_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_VIA")


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Alive."""
    return JsonResponse({"alive": True})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Ready, part by part; answers within two seconds even when a part hangs."""
    parts = judge(take_readings())
    ready = all(part.ok for part in parts.values())
    body = {"ready": ready, "parts": {name: part.as_json() for name, part in parts.items()}}
    return JsonResponse(body, status=200 if ready else 503)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text. What a part that does not answer would say is left out, and `portal_part_up` is 0 for it."""
    if not is_local(request):
        try:
            caller = identify(request)[1]
        except APIException as error:
            return JsonResponse({"detail": error.detail}, status=error.status_code)
        if not caller.access.allows(Role.VIEWER, None):
            detail = gettext("The metrics count all environments, and you may see only some.")
            return JsonResponse({"detail": detail}, status=403)
    return HttpResponse(exposition(), content_type=CONTENT_TYPE)


def judge(readings: Readings) -> dict[str, Part]:
    """The parts by name, in the order an operator looks at them."""
    database, valkey = readings.database, readings.valkey
    return {
        "database": _answering(database),
        "valkey": _answering(valkey),
        "worker": _worker(valkey),
        "beat": _beat(database),
        "probing": judge_looking(readings.looking),
        "outbox": _outbox(database),
        "notifications": _notifications(database),
    }


def _answering(reading: object | None) -> Part:
    return Part(True, _("Answers.")) if reading is not None else Part(False, _("Does not answer."))


def _worker(reading: ValkeyReading | None) -> Part:
    if reading is None:
        return Part(False, _("Not known while Valkey does not answer."))
    if reading.heartbeat_age is None:
        return Part(False, _("No worker was heard from."))
    if reading.heartbeat_age > WORKER_SILENT_SECONDS:
        return Part(False, _("The worker is silent."), reading.heartbeat_age)
    return Part(True, _("Heard from."), reading.heartbeat_age)


def _beat(reading: DatabaseReading | None) -> Part:
    if reading is None:
        return Part(False, NOT_READ)
    if reading.beat_lag is None:
        return Part(False, _("Has not ticked yet."))
    if reading.beat_lag > BEAT_LATE_SECONDS:
        return Part(False, _("Has stopped ticking."), reading.beat_lag)
    return Part(True, _("Ticks."), reading.beat_lag)


def _outbox(reading: DatabaseReading | None) -> Part:
    if reading is None:
        return Part(False, NOT_READ)
    if reading.outbox_age is None:
        return Part(True, _("Empty."))
    if reading.outbox_age > OUTBOX_LATE_SECONDS:
        return Part(False, _("Changes wait to be routed for too long."), reading.outbox_age)
    return Part(True, _("Changes are being routed."), reading.outbox_age)


def _notifications(reading: DatabaseReading | None) -> Part:
    if reading is None:
        return Part(False, NOT_READ)
    if reading.notification_age is None:
        return Part(True, _("None is due."))
    if reading.notification_age > NOTIFICATION_LATE_SECONDS:
        return Part(False, _("Notifications that are due are not sent."), reading.notification_age)
    return Part(True, _("Notifications are being sent."), reading.notification_age)


def is_local(request: HttpRequest) -> bool:
    """From this machine, and not through a proxy on it: to the proxy's guests every request would look local."""
    if any(request.META.get(name) for name in _FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR") or "").is_loopback
    except ValueError:
        return False


_View = Callable[[HttpRequest], HttpResponse]
_views: dict[str, _View] = {"healthz": healthz, "readyz": readyz, "metrics": metrics}
health_urlpatterns = [path(name, view, name=name) for name, view in _views.items()]
