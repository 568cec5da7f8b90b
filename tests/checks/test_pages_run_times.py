"""Run times of a heartbeat, as its chart reads them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.checks.models import Check, Ping
from apps.core import clock
from tests.checks.heartbeats.telling import hear, make_heartbeat, tell, wait_out
from tests.checks.test_pages_heartbeat import RUN

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def check(db: None) -> Check:
    return make_heartbeat()


def test_run_times_are_points_and_silences_marks(page: Client, check: Check) -> None:
    now = clock.now()
    tell(check, "start", at=now - timedelta(seconds=90), run_id=RUN)
    tell(check, "success", at=now - timedelta(seconds=30), run_id=RUN)
    hear(check, "fail", said_ms=250.0, at=now - timedelta(seconds=10))
    wait_out(5_000)
    document = page.get(f"{check.get_absolute_url()}run-times.json?range=1h").json()
    good, failed = document["lines"]
    assert [value for value in good["values"] if value] == [60_000]
    assert [value for value in failed["values"] if value] == [250]
    assert [mark["label"] for mark in document["marks"]] == ["missed"]
    assert document["times"] == sorted(document["times"])
    assert page.get(f"{check.get_absolute_url()}run-times.json?range=ages").status_code == 400


def test_many_pings_make_a_bounded_chart(page: Client, check: Check) -> None:
    now = clock.now()
    for number in range(300):
        tell(check, at=now - timedelta(seconds=10 * number), said_ms=1.0)
    hear(check)
    assert Ping.objects.filter(check_id=check.pk).count() == 300
    document = page.get(f"{check.get_absolute_url()}run-times.json?range=1h").json()
    assert 0 < len(document["times"]) <= 240
