"""What people do to alerts."""

from __future__ import annotations

from apps.accounts.models import User
from apps.alerts.models import Alert


class AlertConflict(Exception):
    """The step is not possible as the alert stands; the message says why."""


def acknowledge_alert(*, alert: Alert, actor: User | None, through: str = "") -> Alert:
    """Say who has it; again changes nothing. Raises AlertConflict when it is resolved.

    An alert with an incident acknowledges the incident. `through`: the channel whose link was used when nobody was
    signed in (`actor` None).
    """
    raise NotImplementedError
