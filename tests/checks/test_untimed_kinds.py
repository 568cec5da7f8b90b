"""How long a vendor's status page took is no response time of the provider, nor how long it takes to refuse us."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.catalog.models import Target
from apps.checks import glance, history
from apps.checks.charts import Period, latency_document
from apps.checks.models import Check
from apps.checks.readings import get_percentile_history, get_percentiles
from apps.core import clock
from apps.probes.base import Reason
from tests.checks.ai.looking_at_models import DEGRADED, fill, make_ai_check
from tests.factories import make_model, make_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def target(db: None) -> Target:
    """A provider whose own list takes about 100 ms, and its vendor's page about 5 s."""
    made = make_provider("OpenAI").target
    end = clock.now()
    for kind, duration in (("ai_models", 100.0), ("vendor_status", 5_000.0)):
        check = make_ai_check(made, kind)
        fill(check, end - timedelta(minutes=50), end, every=timedelta(minutes=1), duration=duration, ttft=None)
    return made


def test_a_chart_of_response_times_leaves_it_out(target: Target) -> None:
    now = clock.now()
    checks = list(Check.objects.filter(target=target))
    document = latency_document(checks, target.pk, Period(now - timedelta(hours=1), now))
    drawn = [value for line in document["lines"] for value in line["values"] if value is not None]
    assert drawn
    assert max(drawn) <= 120


def test_medians_and_lines_leave_it_out(target: Target) -> None:
    assert glance.get_medians([target.pk])[target.pk] <= 120
    known = [value for value in history.get_sparklines([target.pk])[target.pk] if value is not None]
    assert known
    assert max(known) <= 120


def test_a_refusal_is_no_quick_answer(db: None) -> None:
    check, end = make_ai_check(make_model().target), clock.now()
    start, every = end - timedelta(minutes=50), timedelta(minutes=1)
    fill(check, start, end, every=every, state=DEGRADED, reason=Reason.INVALID_KEY, duration=2.0, ttft=None)
    assert glance.get_medians([check.target_id]) == {}
    chart = latency_document([check], check.target_id, Period(end - timedelta(hours=1), end))
    assert {value for line in chart["lines"] for value in line["values"]} == {None}
    assert chart["empty"]
    assert get_percentiles([check.target_id], 0.95, timedelta(hours=1), end) == {}
    past = get_percentile_history([check.target_id], 0.95, timedelta(hours=1), start=end - timedelta(hours=1), end=end)
    assert past == [(check.target_id, 0, None)]
    fill(check, start, end, every=every, state=DEGRADED, reason=Reason.SLOW, duration=900.0, ttft=None)
    assert glance.get_medians([check.target_id])[check.target_id] > 700
