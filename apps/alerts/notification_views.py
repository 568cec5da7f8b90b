"""The pages of notifications: who was told what, how it went, and sending it once more."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import Role
from apps.accounts.doors import PageRequest, may, require, require_somewhere, signed_in
from apps.alerts import services
from apps.alerts.lists import NotificationFilters, chips_of, filter_fields, find, narrow, with_story
from apps.alerts.messages import in_reading_order
from apps.alerts.models import Channel, Notification
from apps.alerts.pages.looks import alert_look
from apps.alerts.pages.sentences import subject, why
from apps.alerts.replaying import MAX_AT_ONCE, list_replayable, replay_dead
from apps.alerts.rows import attempt_rows, notification_row
from apps.alerts.selectors import list_notifications, list_told, with_attempts
from apps.catalog.scope import scope_of
from apps.core.panels import Panel, answer, draw_all

# --- The list ---------------------------------------------------------------------------------------------


def _environment(request: PageRequest) -> UUID | None:
    chosen = scope_of(request).environment
    return chosen.pk if chosen else None


def load_rows(request: PageRequest) -> dict[str, Any]:
    filters = NotificationFilters.read(request.GET)
    page = find(request.user, filters, _environment(request))
    return {
        "page": page,
        "rows": [notification_row(notification) for notification in page.rows],
        "filters": filters,
        "has_channels": bool(page.rows) or Channel.objects.visible_to(request.user).present().exists(),
    }


def _replayable(request: PageRequest, filters: NotificationFilters) -> QuerySet[Notification]:
    """What was given up, fits the filters, and may be sent again by whoever looks."""
    return narrow(list_replayable(request.user), filters.conditions(_environment(request)))


LIST = (Panel("notifications", "alerts/_notifications.html", load_rows, "notification", hold=True),)


@signed_in
@require_safe
def notification_list(request: PageRequest) -> HttpResponseBase:
    filters = NotificationFilters.read(request.GET)
    context = {
        "panels": draw_all(request, LIST, request.get_full_path()),
        "filter_fields": filter_fields(request.user, filters, _environment(request)),
        "chips": chips_of(request.user, filters, request.path),
        "keep": {name: filters.named[name] for name in ("incident", "alert") if name in filters.named},
        "url": request.path,
        "dead": _replayable(request, filters).count(),
        "most": MAX_AT_ONCE,
        "replay_url": f"{reverse('alerts:notification-replay-dead')}?{request.GET.urlencode()}",
    }
    return render(request, "alerts/notification_list.html", context)


@signed_in
@require_safe
def notification_list_fragment(request: PageRequest, name: str) -> HttpResponseBase:
    return answer(request, LIST, name)


@signed_in
@require_POST
def notification_replay_dead(request: PageRequest) -> HttpResponseBase:
    """Send everything again that was given up and fits the filters in the URL."""
    require_somewhere(request.user, Role.OPERATOR)
    filters = NotificationFilters.read(request.GET)
    environment = scope_of(request).environment
    asked = {**filters.named, **({"environment": environment.slug} if environment else {})}
    replayed = replay_dead(actor=request.user, rows=_replayable(request, filters), asked=asked)
    if replayed.count:
        sentence = ngettext(
            "%(number)s message is being sent again.", "%(number)s messages are being sent again.", replayed.count
        )
        messages.success(request, sentence % {"number": replayed.count})
    else:
        messages.info(request, _("Nothing that was given up is left to be sent again."))
    return redirect(f"{reverse('alerts:notification-list')}?{filters.query(state='')}")


# --- One notification -------------------------------------------------------------------------------------


def visible_notification(request: PageRequest, notification_id: UUID) -> Notification:
    """Http404 outside the viewer's grants."""
    rows = with_story(list_notifications(request.user)).defer(None)
    return get_object_or_404(with_attempts(rows), pk=notification_id)


def load_delivery(request: PageRequest, notification: Notification) -> dict[str, Any]:
    row = notification_row(notification)
    channel = notification.channel
    return {
        "row": row,
        "notification": notification,
        "attempts": attempt_rows(notification.attempt_rows.all()),
        "may_replay": may(request.user, Role.OPERATOR, notification.environment_id)
        and not row.is_waiting
        and channel.enabled
        and channel.deleted_at is None,
    }


def load_outcome(request: PageRequest, notification: Notification) -> dict[str, Any]:
    attempts = attempt_rows(notification.attempt_rows.all())
    return {"row": notification_row(notification), "last": attempts[0] if attempts else None}


def load_told(request: PageRequest, notification: Notification) -> dict[str, Any]:
    """The alerts it tells of, as they stand now."""
    alerts = list_told(request.user, notification) if notification.incident_id is None else []
    total = max(notification_row(notification).alert_count, len(alerts))
    rows = [
        {"alert": alert, "subject": subject(alert), "why": why(alert), "look": alert_look(alert)} for alert in alerts
    ]
    return {"rows": rows, "hidden": total - len(rows) if rows else 0}


PANELS = (
    Panel("delivery", "alerts/_delivery.html", load_delivery, "notification"),
    Panel("told", "alerts/_delivery_alerts.html", load_told, "alert"),
    # How a test went, in one line: shown where the test was asked for.
    Panel("outcome", "alerts/_outcome.html", load_outcome),
)


@signed_in
@require_safe
def notification_page(request: PageRequest, notification_id: UUID) -> HttpResponseBase:
    notification = visible_notification(request, notification_id)
    context = {
        "notification": notification,
        "row": notification_row(notification),
        "crumbs": [(_("Deliveries"), reverse("alerts:notification-list"))],
        "payload": json.dumps(in_reading_order(notification.payload), ensure_ascii=False, indent=2),
        "panels": draw_all(request, PANELS[:2], request.path, notification),
    }
    return render(request, "alerts/notification.html", context)


@signed_in
@require_safe
def notification_fragment(request: PageRequest, notification_id: UUID, name: str) -> HttpResponseBase:
    return answer(request, PANELS, name, visible_notification(request, notification_id))


@signed_in
@require_POST
def notification_replay(request: PageRequest, notification_id: UUID) -> HttpResponseBase:
    """Send it once more, with the same id."""
    notification = visible_notification(request, notification_id)
    require(request.user, Role.OPERATOR, notification.environment_id)
    try:
        services.replay_notification(actor=request.user, notification=notification)
    except services.DeliveryConflict as conflict:
        messages.error(request, str(conflict))
    else:
        messages.success(request, _("It is being sent again."))
    return redirect(notification)
