"""What is done with the portal's own code, as a process with its environment.

python -m benchmarks.delivery.inside make-checks ADDRESS COUNT INTERVAL [--never-due]
python -m benchmarks.delivery.inside fail-all
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import django

from benchmarks.delivery.flapping import DEGRADED_AFTER_MS
from tests.platform.portal import PROJECT, PortalUnderTest, clean_environment

if TYPE_CHECKING:
    from apps.checks.models import Check

PREFIX = "bench-"
TIMEOUT_SECONDS = 2.0
OUTCOMES_A_REPORT = 200
# Claims take rows that are due within this: all there are.
FOR_EVER_SECONDS = 30 * 86_400.0


def run_inside(portal: PortalUnderTest, *arguments: object) -> str:
    """Run one of the commands below with the portal's environment; returns what it printed."""
    settings = {"DJANGO_SETTINGS_MODULE": "monitor_portal.settings", **portal.run["environment"]}
    done = subprocess.run(
        [sys.executable, "-m", __name__, *map(str, arguments)],
        cwd=PROJECT,
        env=clean_environment(portal.state.path, **settings),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make-checks")
    making.add_argument("address")
    making.add_argument("count", type=int)
    making.add_argument("interval", type=int)
    making.add_argument("--never-due", action="store_true", help="nobody looks by itself for a month")
    commands.add_parser("fail-all")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monitor_portal.settings")
    django.setup()
    if options.command == "make-checks":
        make_checks(options.address, options.count, options.interval, never_due=options.never_due)
    else:
        fail_all()


def make_checks(address: str, count: int, interval: int, *, never_due: bool) -> None:
    """Services with an HTTP check each, whose every look decides, the first looks spread over one interval."""
    from django.db import transaction

    from apps.catalog.models import Environment, Service, Target, TargetStatus
    from apps.checks.models import Check, CheckStatus
    from apps.core.clock import database_now

    environment, now = Environment.objects.get(slug="prod"), database_now()
    targets = [Target(kind="service", name=f"{PREFIX}{n}", environment=environment) for n in range(count)]
    checks = [
        Check(
            target=target,
            kind="http",
            name="HTTP",
            config=_config(f"{address}/{number}"),
            interval_seconds=interval,
            timeout_seconds=TIMEOUT_SECONDS,
            degraded_after_ms=DEGRADED_AFTER_MS,
            failure_threshold=1,
            recovery_threshold=1,
            enabled_at=now,
        )
        for number, target in enumerate(targets)
    ]
    with transaction.atomic():
        Target.objects.bulk_create(targets)
        TargetStatus.objects.bulk_create([TargetStatus(target=target, since=now) for target in targets])
        Service.objects.bulk_create([Service(target=target) for target in targets])
        Check.objects.bulk_create(checks)
        CheckStatus.objects.bulk_create([CheckStatus(source_check=check, since=now) for check in checks])
        _schedule(checks, interval, now, never_due=never_due)


def _config(url: str) -> dict[str, Any]:
    return {"url": url, "conditions": [{"field": "status", "operator": "==", "value": 200}]}


def _schedule(checks: list[Check], interval: int, now: datetime, *, never_due: bool) -> None:
    from apps.catalog.models import Region
    from apps.checks.models import CheckRegion
    from apps.checks.schedule import offset_of

    region = Region.objects.get(slug="local")
    rows = []
    for check in checks:
        offset = offset_of(check.pk, region.pk, interval)
        first = offset + interval * ((now.timestamp() - offset) // interval + 1)
        due = now.timestamp() + FOR_EVER_SECONDS / 2 if never_due else first
        rows.append(
            CheckRegion(
                source_check=check,
                region=region,
                interval_seconds=interval,
                timeout_seconds=check.timeout_seconds,
                offset_seconds=offset,
                verdict_since=now,
                next_due_at=datetime.fromtimestamp(due, UTC),
            )
        )
    CheckRegion.objects.bulk_create(rows)


def fail_all() -> None:
    """Report a failed look at every check of ours, as an engine hands its outcomes over: sealed, 200 a message, to the
    worker that records."""
    from apps.catalog.models import Region
    from apps.checks import messages, schedule
    from apps.checks.models import Check
    from apps.checks.tasks import record_outcomes
    from apps.probes.base import Finished, Outcome, OutcomeState, ProbeJob, Reason

    region = Region.objects.get(slug="local")
    ours = set(Check.objects.filter(target__name__startswith=PREFIX).values_list("pk", flat=True))
    finished = []
    for claim in schedule.claim_due(region.pk, 1_000_000, ahead=FOR_EVER_SECONDS):
        if claim.check_id not in ours:
            schedule.give_back(claim.check_id, region.pk, claim.generation)
            continue
        job = ProbeJob(
            check=str(claim.check_id),
            region=region.slug,
            generation=claim.generation,
            kind=claim.kind,
            config={},
            timeout_seconds=claim.timeout_seconds,
        )
        outcome = Outcome(
            state=OutcomeState.FAILED,
            reason=Reason.STATUS_MISMATCH,
            duration_ms=12.5,
            status_code=503,
            evidence={"expected": 200, "actual": 503},
            started_at=time.time(),
        )
        finished.append(Finished(job=job, outcome=outcome))
    for start in range(0, len(finished), OUTCOMES_A_REPORT):
        outcomes = finished[start : start + OUTCOMES_A_REPORT]
        report = messages.Report(region=region.slug, worker="bench", sent_at=time.time(), outcomes=outcomes)
        record_outcomes.apply_async(args=(messages.pack_report(report),))


if __name__ == "__main__":
    main()
