"""The page of a model with 90 days of three checks behind it, its charts, and two models compared."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.portal_streams import PASSWORD, read_of, shell
from tests.platform.portal import PortalUnderTest, wait_until

LIMIT_MS = 300

PAGE = """
import json, time
from datetime import timedelta
from django.contrib.auth import get_user_model
from django.test import Client
from apps.catalog.models import *
from apps.checks.models import *
from apps.checks.models.ai import AiHour, SpendDay
from apps.checks.ai.histograms import histogram_of
from apps.core.clock import database_now
import random
random.seed(1)
now = database_now(); hour = now.replace(minute=0, second=0, microsecond=0)
environment = Environment.objects.get(slug="prod")
def target(kind, name):
    made = Target.objects.create(kind=kind, name=name, environment=environment)
    TargetStatus.objects.create(target=made, since=now)
    return made
provider = Provider.objects.create(target=target("provider", "page-bench"), base_url="http://127.0.0.1:9/v1")
models = [target("model", f"page-{n}") for n in range(2)]
for one in models:
    AIModel.objects.create(target=one, provider=provider)
    for kind in ("ai_ping", "ai_stream", "ai_canary"):
        check = Check.objects.create(target=one, kind=kind, name=kind, config={}, interval_seconds=300,
            timeout_seconds=30, enabled_at=now, enabled=False)
        CheckStatus.objects.create(source_check=check, since=now)
        def spread(middle):
            return histogram_of([random.lognormvariate(0, 0.4) * middle for _n in range(12)])
        AiHour.objects.bulk_create([AiHour(check_id=check.pk, hour=hour - timedelta(hours=n), target_id=one.pk,
            kind=kind, looks=12, ok=10, failed=1, rate_limited=1, errors={"overloaded": 1, "rate_limit": 1},
            durations=spread(2000), first_tokens=spread(400) if kind == "ai_stream" else {},
            first_answers=spread(600) if kind == "ai_stream" else {}, speeds=spread(80) if kind == "ai_stream" else {})
            for n in range(90 * 24)])
    SpendDay.objects.bulk_create([SpendDay(day=now.date() - timedelta(days=n), target_id=one.pk,
        provider_id=provider.pk, looks=288, tokens_in=9000, tokens_out=30000, cost="0.25") for n in range(90)])
user = get_user_model().objects.filter(is_superuser=True).first()
client = Client(); client.force_login(user)
pages = {"page": f"/targets/{models[0].pk}/?range=90d"}
from apps.dashboard.ai.documents import DOCUMENTS
for name in (*DOCUMENTS, "spend"):
    pages[name] = f"/targets/{models[0].pk}/charts/{name}.json?range=90d"
pages["compare"] = f"/models/compare/?ids={models[0].pk},{models[1].pk}&range=90d"
found = {}
for name, address in pages.items():
    times = []
    for _turn in range(7):
        started = time.perf_counter()
        answer = client.get(address, headers={"host": "127.0.0.1"})
        times.append((time.perf_counter() - started) * 1000)
        assert answer.status_code == 200, (address, answer.status_code)
    # The first one also reads templates.
    found[name] = [times[0], sorted(times[1:])[3], len(answer.content)]
print("READ " + json.dumps(found))
"""


def measure() -> None:
    """Print how long each takes to be made, in the process that makes it."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as text:
        portal = PortalUnderTest(Path(text) / "state")
        try:
            portal.start(PORTAL_ADMIN_PASSWORD=PASSWORD)
            wait_until(portal.is_whole, "the portal is ready", seconds=90)
            read = read_of(shell(portal, PAGE))
        finally:
            portal.end()
    print(f"\nModel with 90 days of three checks (asked: {LIMIT_MS} ms a page): first, middle of six, bytes")
    for name, (first, middle, size) in read.items():
        print(f"  {name}: {first:.0f} ms, {middle:.0f} ms, {size:,}")
