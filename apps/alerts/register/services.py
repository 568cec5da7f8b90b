"""What people do to alerts, and the broom."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record_audit
from apps.alerts.models import Alert
from apps.alerts.pipeline import sources
from apps.alerts.pipeline.lock import pipeline_lock
from apps.checks.incidents import acknowledge_incident
from apps.checks.models import Incident
from apps.core import clock
from apps.core.news import announce

KEEP_RESOLVED = timedelta(days=90)
_DELETE_AT_ONCE = 2_000


class AlertConflict(Exception):
    """The step is not possible as the alert stands; the message says why."""


def acknowledge_alert(*, alert: Alert, actor: User | None, through: str = "") -> Alert:
    """Say who has it; again changes nothing. Raises AlertConflict when it is resolved.

    An alert with an incident acknowledges the incident. `through`: the channel whose link was used when nobody was
    signed in (`actor` None).
    """
    with pipeline_lock():
        row = Alert.objects.select_for_update(of=("self",)).select_related("incident").get(pk=alert.pk)
        if row.resolved_at is not None:
            raise AlertConflict(_("This alert is resolved; there is nothing left to acknowledge."))
        if row.acknowledged_at is not None:
            return row
        if row.incident is not None and row.incident.resolved_at is None:
            _acknowledge_with_incident(row, row.incident, actor, through)
        else:
            row = sources.acknowledge(row.pk, actor, through) or row
        changes = {"through": [None, through]} if through else {}
        record_audit(actor=actor, action="acknowledge", subject=row, changes=changes)
        return row


def _acknowledge_with_incident(alert: Alert, incident: Incident, actor: User | None, through: str) -> None:
    """The incident's event is the step everybody is told of; until it has come back, the alert already shows it."""
    incident = acknowledge_incident(incident=incident, actor=actor)
    alert.acknowledged_at = incident.acknowledged_at
    alert.acknowledged_by_id, alert.acknowledged_through = incident.acknowledged_by_id, through[:200]
    alert.save(update_fields=["acknowledged_at", "acknowledged_by", "acknowledged_through"])
    announce("alert.acknowledged", [alert.pk], alert.environment_id)


@transaction.atomic
def remove_old_alerts() -> int:
    """Remove alerts resolved more than 90 days ago, with steps, sources and decisions, a batch a call.

    Returns how many alerts. What was sent of them has a time of its own.
    """
    before = clock.now() - KEEP_RESOLVED
    # The second condition follows from the first, and is what the index knows.
    old = Alert.objects.filter(resolved_at__lt=before, started_at__lt=before).order_by("started_at")
    identifiers = list(old.values_list("pk", flat=True)[:_DELETE_AT_ONCE])
    return Alert.objects.filter(pk__in=identifiers).delete()[1].get("alerts.Alert", 0) if identifiers else 0
