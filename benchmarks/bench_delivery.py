"""Telling: how fast events are routed and delivered, and whether a receiver that hangs delays the others.

    .venv/bin/python manage.py portal exec -- .venv/bin/python -m benchmarks.bench_delivery

Runs on throw-away servers, with receivers on this machine. Read the ratios, not the numbers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import django

INCIDENTS = 500
CHANNELS = 4


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monitor_portal.settings.test")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    quiet()
    from tests.servers.http import HttpServer, hang

    with HttpServer() as receiver:
        measure(receiver.url("/hook"), receiver.behave("/hang", hang))


def quiet() -> None:
    """A line an attempt is for operators, not for a table of numbers."""
    import logging

    logging.disable(logging.WARNING)


def measure(hook: str, hanging: str) -> None:
    from apps.alerts.delivery import deliver_due
    from apps.alerts.door import open_door
    from apps.alerts.models import Notification
    from apps.alerts.routing import route_all
    from apps.alerts.selectors import has_waiting
    from tests.alerts.world import make_channel, make_incident

    say("nothing waits: has_waiting", timed(has_waiting), 1, "calls/s")
    for number in range(CHANNELS):
        make_channel(hook, name=f"Channel {number}")
    for number in range(INCIDENTS):
        make_incident(f"Service {number}")
    say(f"route {INCIDENTS} events to {CHANNELS} channels", timed(route_all), INCIDENTS * CHANNELS, "rows/s")
    say("has_waiting with all of them due", timed(has_waiting), 1, "calls/s")
    say("deliver them", timed(lambda: deliver_due(open_door(), run_seconds=600)), INCIDENTS * CHANNELS, "sends/s")
    assert not Notification.objects.exclude(state="sent").exists()

    make_channel(hanging, name="Hanging")
    for number in range(50):
        make_incident(f"Late service {number}")
    route_all()
    deliver_due(open_door(), run_seconds=10)
    rows = Notification.objects.filter(state="sent", incident__target__name__startswith="Late")
    last = max(row.finished_at.timestamp() - row.created_at.timestamp() for row in rows if row.finished_at)
    print(f"{'slowest of ' + str(len(rows)) + ' beside a receiver that hangs':<45} {last:8.3f} s")


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def say(what: str, seconds: float, count: int, unit: str) -> None:
    print(f"{what:<45} {seconds:8.3f} s {count / seconds:10.0f} {unit}")


if __name__ == "__main__":
    main()
