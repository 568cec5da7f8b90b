"""The portal's own clock: when it last ticked."""

from __future__ import annotations

from django.db import models


class Clock(models.Model):
    """When the portal last ticked. A gap here is our downtime, and restarts the staleness clock of every target."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    ticked_at = models.DateTimeField()
    # The first tick after a start or a gap: nothing measured before it may be called stale until its time is up again.
    steady_since = models.DateTimeField()
