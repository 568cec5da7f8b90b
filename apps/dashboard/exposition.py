"""The Prometheus text of `/metrics`: what the portal knows about itself, read when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection
from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from apps.dashboard.ai_metrics import ai_models, read_models
from apps.dashboard.looking_metrics import looking, pings, processes
from apps.dashboard.readings import BoundedReader, DatabaseReading, ValkeyReading, take, take_readings

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

Counts = dict[str, list[tuple[Any, ...]]]

_COUNTS = {
    "targets": """
        SELECT target.kind, status.status, count(*)
        FROM catalog_target AS target JOIN catalog_targetstatus AS status ON status.target_id = target.id
        WHERE target.deleted_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2
    """,
    "incidents": "SELECT count(*) FROM checks_incident WHERE resolved_at IS NULL",
    "due_lag": """
        SELECT coalesce(greatest(0, extract(epoch FROM now() - min(next_due_at))), 0)::float8
        FROM checks_checkregion WHERE enabled AND NOT passive AND (lease_until IS NULL OR lease_until <= now())
    """,
    "notifications": """
        SELECT state, count(*) FROM alerts_notification
        WHERE state IN ('pending', 'sending') OR created_at > now() - interval '24 hours'
        GROUP BY 1 ORDER BY 1
    """,
}


def exposition() -> bytes:
    """Our families, then those of the process (memory, time, file descriptors, cache counters)."""
    registry = CollectorRegistry()
    registry.register(_PortalCollector())
    return generate_latest(registry) + generate_latest(REGISTRY)


def read_counts() -> Counts:
    """Four queries. Raises what Django raises when the database is away."""
    try:
        with connection.cursor() as cursor:
            counts: Counts = {}
            for name, query in _COUNTS.items():
                cursor.execute(query)
                counts[name] = cursor.fetchall()
            return counts
    finally:
        connection.close()


_counts_reader = BoundedReader(read_counts)
_models_reader = BoundedReader(read_models)


class _PortalCollector(Collector):
    def describe(self) -> list[Metric]:
        return []  # registering must not query

    def collect(self) -> Iterator[Metric]:
        counting, modelling = _counts_reader.start(), _models_reader.start()
        readings = take_readings()
        database, valkey = readings.database, readings.valkey
        counts, models = take([counting, modelling], 0.2)
        up = GaugeMetricFamily("portal_part_up", "1 when the part of the portal answers.", labels=["part"])
        up.add_metric(["database"], float(database is not None))
        up.add_metric(["valkey"], float(valkey is not None))
        yield up
        if database is not None:
            yield from _of_database(database)
        if valkey is not None:
            yield from _of_valkey(valkey)
            yield from processes(valkey, readings.looking)
        if readings.looking is not None:
            yield from looking(readings.looking)
        yield from pings()
        if counts is not None:
            yield from _of_counts(counts)
        if models is not None:
            yield from ai_models(models)


def _of_database(reading: DatabaseReading) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "portal_outbox_age_seconds", "Age of the oldest change not routed yet.", value=reading.outbox_age or 0.0
    )
    yield GaugeMetricFamily(
        "portal_notification_age_seconds",
        "For how long the oldest notification that could be sent has waited.",
        value=reading.notification_age or 0.0,
    )
    if reading.beat_lag is not None:
        yield GaugeMetricFamily("portal_beat_lag_seconds", "Time since the last tick.", value=reading.beat_lag)


def _of_valkey(reading: ValkeyReading) -> Iterator[Metric]:
    queues = GaugeMetricFamily("portal_queue_length", "Messages waiting for a worker.", labels=["queue"])
    ages = GaugeMetricFamily(
        "portal_queue_age_seconds", "For how long the oldest message has waited; 0 for none.", labels=["queue"]
    )
    for name, queue in reading.queues.items():
        queues.add_metric([name], queue.length)
        ages.add_metric([name], queue.oldest_seconds or 0.0)
    yield queues
    yield ages
    if reading.heartbeat_age is not None:
        yield GaugeMetricFamily(
            "portal_worker_heartbeat_age_seconds", "Time since a worker was heard from.", value=reading.heartbeat_age
        )


def _of_counts(counts: Counts) -> Iterator[Metric]:
    targets = GaugeMetricFamily("portal_targets", "Targets by kind and status.", labels=["kind", "status"])
    for kind, status, count in counts["targets"]:
        targets.add_metric([kind, status], count)
    yield targets
    yield GaugeMetricFamily("portal_incidents_open", "Incidents not resolved.", value=counts["incidents"][0][0])
    yield GaugeMetricFamily(
        "portal_checks_due_lag_seconds",
        "By how much the check that waits longest is late.",
        value=counts["due_lag"][0][0],
    )
    notifications = GaugeMetricFamily(
        "portal_notifications",
        "Notifications by state: all that wait, and those of the last 24 hours.",
        labels=["state"],
    )
    for state, count in counts["notifications"]:
        notifications.add_metric([state], count)
    yield notifications
