"""What wakes the telling, and what sweeps up after it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection

from apps.accounts.models import User
from apps.alerts.models import Channel, Notification, NotificationAttempt
from apps.alerts.routing import route_all
from apps.alerts.services import send_test
from apps.alerts.tasks import route_and_send
from apps.checks.incidents import acknowledge_incident
from apps.checks.models import Incident
from apps.checks.signals import housekeeping, ticked
from apps.core import clock
from tests.alerts.world import deliver, make_channel, make_due, make_incident, only
from tests.servers.http import HttpServer, answer

pytestmark = pytest.mark.django_db
# What is routed is marked so; the database refuses that until the transaction of the test is over.
_REFUSE = """
    CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'no routing today'; END $$;
    CREATE TRIGGER refuse BEFORE UPDATE ON checks_incidentevent FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse();
"""

Capture = Callable[..., AbstractContextManager[list[Callable[[], Any]]]]


def waiting_messages() -> int:
    """Wake-ups in the broker's queue, taken off it."""
    with current_app.connection_for_write() as broker:
        channel: Any = broker.default_channel
        queue = settings.CELERY_TASK_DEFAULT_QUEUE
        taken = 0
        while channel.basic_get(queue, no_ack=True) is not None:
            taken += 1
        return taken


@pytest.fixture(autouse=True)
def _empty_queue() -> None:
    with current_app.connection_for_write() as broker:
        current_app.amqp.queues[settings.CELERY_TASK_DEFAULT_QUEUE].bind(broker.default_channel).declare()
    waiting_messages()


def test_news_of_an_incident_wakes_the_sender_after_the_commit(
    administrator: User, django_capture_on_commit_callbacks: Capture
) -> None:
    incident: Incident = make_incident()
    with django_capture_on_commit_callbacks(execute=True):
        acknowledge_incident(incident=incident, actor=administrator)
        assert waiting_messages() == 0
    assert waiting_messages() == 1


def test_a_test_message_wakes_it_too(administrator: User, django_capture_on_commit_callbacks: Capture) -> None:
    channel = make_channel("http://127.0.0.1:9/")
    waiting_messages()
    with django_capture_on_commit_callbacks(execute=True):
        send_test(actor=administrator, channel=channel)
    assert waiting_messages() == 1


def test_the_doorbell_wakes_it_only_when_rows_wait(receiver: HttpServer) -> None:
    make_channel(receiver.behave("/hook", answer(500)))
    ticked.send(sender=None)  # the first ring also asks for rules to be judged, which has its own rhythm
    waiting_messages()
    ticked.send(sender=None)
    assert waiting_messages() == 0
    make_incident()
    ticked.send(sender=None)
    assert waiting_messages() == 1
    deliver()
    Notification.objects.update(not_before=clock.now() + timedelta(hours=1))
    ticked.send(sender=None)
    assert waiting_messages() == 0
    make_due()
    ticked.send(sender=None)
    assert waiting_messages() == 1


def test_the_task_routes_and_sends(receiver: HttpServer) -> None:
    make_channel(receiver.url("/hook"))
    make_incident()
    route_and_send()
    assert only().state == "sent"


def test_what_was_routed_is_sent_though_routing_fails(receiver: HttpServer) -> None:
    make_channel(receiver.url("/hook"))
    make_incident()
    route_all()
    make_incident("Search")
    with connection.cursor() as cursor:
        cursor.execute(_REFUSE)
    with pytest.raises(DatabaseError, match="no routing today"):
        route_and_send()
    assert only().state == "sent"


def test_a_broker_that_is_gone_neither_fails_nor_holds_up_a_write() -> None:
    """In a process of its own: the broker's address is fixed when a process starts."""
    story = "import django, time; django.setup(); from apps.alerts.tasks import wake; began = time.monotonic(); wake()"
    finished = subprocess.run(
        [sys.executable, "-c", f"{story}; assert time.monotonic() - began < 3"],
        env={
            **os.environ,
            "REDIS_URL": "redis://127.0.0.1:9",
            "DJANGO_SETTINGS_MODULE": "monitor_portal.settings.test",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert "wake_up_not_sent" in finished.stderr


def test_finished_deliveries_go_after_ninety_days_and_deleted_channels_after_them(receiver: HttpServer) -> None:
    make_channel(receiver.url("/hook"))
    make_incident()
    deliver()
    make_incident("Search")
    deliver()
    old = Notification.objects.earliest("created_at")
    Notification.objects.filter(pk=old.pk).update(created_at=clock.now() - timedelta(days=91))
    housekeeping.send(sender=None)
    assert not Notification.objects.filter(pk=old.pk).exists()
    assert Notification.objects.count() == NotificationAttempt.objects.count() == 1

    Channel.objects.update(deleted_at=clock.now())
    housekeeping.send(sender=None)
    assert Channel.objects.exists(), "its history is still told"
    Notification.objects.update(created_at=clock.now() - timedelta(days=91))
    housekeeping.send(sender=None)
    assert not Channel.objects.exists()


def test_what_is_still_on_its_way_is_kept_however_old() -> None:
    make_channel("http://127.0.0.1:9/")
    make_incident()
    deliver()
    Notification.objects.update(created_at=clock.now() - timedelta(days=200))
    housekeeping.send(sender=None)
    assert only().state == "pending"
