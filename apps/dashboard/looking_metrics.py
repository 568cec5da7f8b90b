"""What `/metrics` says of the looking: by region, of what became of outcomes, and what each process costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from apps.checks.heartbeats.edge import statistics
from apps.checks.regions.selectors import RegionView
from apps.dashboard import looking_history
from apps.dashboard.processes import costs_of
from apps.dashboard.readings import LookingReading, ValkeyReading

_Figure = Callable[[RegionView], float | None]

# Name, what it says, and where it is read. A region that does not know leaves it out.
_BY_REGION: tuple[tuple[str, str, _Figure], ...] = (
    (
        "portal_looks_per_second",
        "Looks finished a second, over the last ten seconds.",
        lambda region: region.looks_a_second,
    ),
    ("portal_in_flight", "Looks under way.", lambda region: region.in_flight),
    ("portal_free_places", "Looks that could be under way besides.", lambda region: region.free_places),
    ("portal_region_workers", "Workers heard within the last 15 seconds.", lambda region: len(region.workers)),
    ("portal_region_last_heard_age_seconds", "Time since a worker was heard.", lambda region: region.silent_seconds),
    (
        "portal_region_clock_skew_seconds",
        "By how much the clock of the region is ahead of ours.",
        lambda region: region.skew_seconds,
    ),
    (
        "portal_region_line_lost",
        "1 while every guard of the region fails; left out where nobody guards it.",
        lambda region: {"lost": 1.0, "answers": 0.0}.get(region.line),
    ),
)
_QUANTILES: tuple[tuple[str, _Figure], ...] = (
    ("0.5", lambda region: region.late_ms_p50),
    ("0.95", lambda region: region.late_ms_p95),
    ("0.99", lambda region: region.late_ms_p99),
)


def looking(reading: LookingReading) -> Iterator[Metric]:
    """The families of every enabled region, and what became of outcomes in all."""
    for name, help_text, figure in _BY_REGION:
        family = GaugeMetricFamily(name, help_text, labels=["region"])
        for region in reading.enabled:
            value = figure(region)
            if value is not None:
                family.add_metric([region.slug], float(value))
        yield family
    yield _lateness(reading)
    yield from _outcomes(reading.counters)


def _lateness(reading: LookingReading) -> Metric:
    family = GaugeMetricFamily(
        "portal_start_lateness_seconds",
        "From the moment a look was due to its start, over the last minute; of several workers the latest.",
        labels=["region", "quantile"],
    )
    for region in reading.enabled:
        for quantile, figure in _QUANTILES:
            milliseconds = figure(region)
            if milliseconds is not None:
                family.add_metric([region.slug, quantile], milliseconds / 1000)
    return family


def _outcomes(counters: dict[str, int]) -> Iterator[Metric]:
    if not counters:
        return
    recorded = counters.get("recorded", 0)
    yield CounterMetricFamily("portal_outcomes_recorded", "Outcomes that were recorded.", value=recorded)
    dropped = CounterMetricFamily("portal_outcomes_dropped", "Outcomes that were not, by reason.", labels=["reason"])
    for reason, count in counters.items():
        if reason != "recorded":
            dropped.add_metric([reason], count)
    yield dropped
    rate = looking_history.results_per_second(looking_history.read(), recorded)
    if rate is not None:
        yield GaugeMetricFamily("portal_results_per_second", "Outcomes recorded a second, lately.", value=rate)


def pings() -> Iterator[Metric]:
    """What came in at the edge of this web process."""
    counted = statistics()
    yield CounterMetricFamily("portal_pings_received", "Pings of heartbeats that came in.", value=counted["received"])
    yield CounterMetricFamily("portal_pings_stored", "Pings that were stored.", value=counted["stored"])
    yield CounterMetricFamily("portal_ping_commits", "Transactions that stored pings.", value=counted["groups"])
    refused = CounterMetricFamily("portal_pings_refused", "Pings that were not stored, by answer.", labels=["status"])
    for status, count in sorted(counted["refused"].items()):
        refused.add_metric([str(status)], count)
    yield refused


def processes(valkey: ValkeyReading, reading: LookingReading | None) -> Iterator[Metric]:
    """What the processes of the portal and the workers of its regions cost."""
    cpu = GaugeMetricFamily("portal_process_cpu_percent", "CPU in per cent of one core.", labels=["process"])
    memory = GaugeMetricFamily("portal_process_memory_bytes", "Memory, what is shared once.", labels=["process"])
    for row in costs_of(valkey.processes, reading.regions if reading is not None else []).rows:
        if row.cpu_percent is not None:
            cpu.add_metric([row.key], row.cpu_percent)
        if row.memory_bytes is not None:
            memory.add_metric([row.key], row.memory_bytes)
    yield cpu
    yield memory
