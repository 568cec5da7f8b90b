"""What a link does once somebody has confirmed it."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.alerts.models import Alert, Channel, Silence
from apps.alerts.register.services import AlertConflict, acknowledge_alert
from apps.alerts.replies.matters import Matter, silenced_until
from apps.alerts.silences.services import create_silence
from apps.core import clock

SILENCE_HOURS = (1, 4, 24)
# A second tap on the same button comes within this time.
_SAME_TAP = timedelta(minutes=1)


def acknowledge(*, matter: Matter, actor: User | None) -> int:
    """Acknowledge what waits; one that was resolved meanwhile is left alone. Returns how many."""
    done = 0
    for alert in matter.waiting:
        try:
            acknowledge_alert(alert=alert, actor=actor, through=matter.channel.name)
        except (AlertConflict, Alert.DoesNotExist):
            continue
        done += 1
    return done


@transaction.atomic
def silence(*, matter: Matter, hours: int, actor: User | None) -> Silence | None:
    """Hush it for `hours`; None when it is hushed for as long already, as after a second tap.

    Raises ValueError for another number of hours than those that are offered.
    """
    if hours not in SILENCE_HOURS:
        raise ValueError("not offered")
    # Two taps at once come one after the other.
    Channel.objects.select_for_update(no_key=True).only("pk").get(pk=matter.channel.pk)
    ends_at = clock.now() + timedelta(hours=hours)
    until = silenced_until(matter)
    if until is not None and until >= ends_at - _SAME_TAP:
        return None
    return create_silence(
        actor=actor,
        matchers=matter.matchers,
        starts_at=None,
        ends_at=ends_at,
        comment=_("Made from a message of %(channel)s.") % {"channel": matter.channel.name},
        environment=matter.first.environment,
        made_through=matter.channel.name,
    )
