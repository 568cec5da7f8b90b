"""A silence that is ended while the pipeline is at work: what it held is told at once all the same."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from apps.alerts.models import AlertGroup, GroupMember, Silence
from apps.alerts.pipeline.enrolment import enrol_events
from apps.alerts.pipeline.flushing import flush_due
from apps.alerts.pipeline.lock import pipeline_lock
from apps.alerts.silences.services import end_silence, extend_silence
from apps.core import clock
from tests.alerts.filling import hush
from tests.alerts.register.opening import channel_for_machines, open_alert
from tests.factories import make_service
from tests.platform.portal import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def _end(silence: Silence) -> None:
    try:
        end_silence(actor=None, silence=silence)
    finally:
        connection.close()


def _waits_or_is_done(ending: Future[None]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return ending.done() or cursor.fetchone()[0] > 0


def test_what_was_held_a_moment_ago_is_looked_at_when_the_silence_ends_meanwhile() -> None:
    channel_for_machines()
    open_alert(make_service("Shop").target)
    silence = hush()
    with ThreadPoolExecutor(1) as pool:
        with pipeline_lock():
            now = clock.database_moment()
            enrol_events(10, now)
            flush_due(10, now)
            ending = pool.submit(_end, silence)
            wait_until(lambda: _waits_or_is_done(ending), "the end waits for its turn")
        ending.result(10)
    assert GroupMember.objects.get().decided == f"held silenced {silence.pk}"
    assert AlertGroup.objects.filter(due_at__lte=clock.database_moment()).count() == 1


def test_whoever_lengthens_a_silence_does_not_wait_for_the_pipeline() -> None:
    silence = hush()

    def lengthen() -> Silence:
        try:
            return extend_silence(actor=None, silence=silence, by=timedelta(hours=1))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, pipeline_lock():
        assert pool.submit(lengthen).result(10).ends_at == silence.ends_at + timedelta(hours=1)
