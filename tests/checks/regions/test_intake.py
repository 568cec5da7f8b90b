"""What arrives from workers: what must not be recorded is dropped whole and counted, and the rest is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis
from structlog.testing import capture_logs

from apps.catalog.models import TargetStatus
from apps.checks import messages
from apps.checks.messages import Report
from apps.checks.models import Check, CheckRegion, CheckResult
from apps.checks.regions.selectors import outcome_counters
from apps.checks.services import delete_check
from apps.checks.tasks import record_outcomes
from apps.core.secrets import seal
from apps.probes.base import Finished
from tests.checks.looking import FAILED, OK, claim, finished, make_check

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("line")]


def report(*outcomes: Finished, **changes: Any) -> str:
    values: dict[str, Any] = {
        "region": "local",
        "worker": "first-1",
        "sent_at": time.time(),
        "outcomes": list(outcomes),
        **changes,
    }
    return messages.pack_report(Report(**values))


def arrives(*reports: str) -> dict[str, int]:
    """What was counted, without the zeros."""
    for one in reports:
        record_outcomes(one)
    return {name: number for name, number in outcome_counters().items() if number}


def look_at(check: Check, state: Any = OK, **outcome: Any) -> Finished:
    return finished(check, state, claim(check), **outcome)


def elsewhere(one: Finished, **job: Any) -> Finished:
    return Finished.from_wire({**one.to_wire(), "job": {**one.to_wire()["job"], **job}})


def sealed_by_another(check: Check, settings: Any) -> str:
    own, settings.SECRET_KEY = settings.SECRET_KEY, "of another portal" * 4
    message = report(look_at(check))
    settings.SECRET_KEY = own
    return message


def test_a_good_report_is_recorded_and_counted() -> None:
    assert arrives(report(look_at(make_check()))) == {"recorded": 1}
    assert CheckResult.objects.count() == 1


def test_what_another_key_sealed_is_forged(settings: Any) -> None:
    assert arrives(sealed_by_another(make_check(), settings)) == {"forged": 1}


@pytest.mark.parametrize("message", ["sealed:1:nothing", "{}", "\N{SNOWMAN}", json.dumps({"region": "local"})])
def test_what_is_not_sealed_is_forged(message: str) -> None:
    assert arrives(message) == {"forged": 1}


@pytest.mark.parametrize("inside", ["", "[]", '{"region": "local"}', '{"region": "local", "outcomes": 5}'])
def test_what_is_sealed_with_our_key_and_of_another_shape_is_malformed(inside: str) -> None:
    assert arrives(seal(inside)) == {"malformed": 1}


@pytest.mark.parametrize(
    ("seconds_ago", "reason"), [(290, "recorded"), (310, "too_old"), (-50, "recorded"), (-70, "from_the_future")]
)
def test_a_report_is_believed_for_five_minutes(seconds_ago: float, reason: str) -> None:
    check = make_check()
    assert arrives(report(look_at(check), sent_at=time.time() - seconds_ago)) == {reason: 1}
    assert CheckResult.objects.exists() is (reason == "recorded")


def test_a_report_that_is_sent_again_counts_once() -> None:
    message = report(look_at(make_check(), FAILED))
    assert arrives(message, message, message) == {"recorded": 1, "superseded": 2}
    assert CheckRegion.objects.get().failures == 1


def test_what_cannot_be_used_is_dropped_and_the_rest_of_the_batch_is_kept() -> None:
    good, gone, late, odd = (make_check(f"Shop {number}") for number in range(4))
    of_gone, of_late = look_at(gone), look_at(late)
    claim(late)
    delete_check(actor=None, check=gone)
    batch = [
        of_gone,
        look_at(good),
        of_late,
        elsewhere(look_at(odd), check="no id at all"),
        elsewhere(look_at(odd), run="nor this"),
        elsewhere(look_at(odd), region="seoul"),
    ]
    with capture_logs() as logs:
        counted = arrives(report(*batch))
    assert counted == {"recorded": 1, "check_gone": 1, "superseded": 1, "malformed": 3}
    assert [result.check_id for result in CheckResult.objects.all()] == [good.pk]
    assert TargetStatus.objects.get(target_id=good.target_id).status == "operational"
    [said] = [line for line in logs if line["event"] == "outcomes_dropped"]
    assert (said["kept"], said["check_gone"], said["malformed"]) == (1, 1, 3)


def test_a_region_nobody_made_records_nothing() -> None:
    one = elsewhere(look_at(make_check()), region="atlantis")
    assert arrives(report(one, region="atlantis")) == {"unknown_region": 1}
    assert not CheckResult.objects.exists()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (lambda now: now - 2, lambda now: now - 2),
        (lambda now: now + 3_600, lambda now: now),
        (lambda now: now - 7_200, lambda now: now - 5 - 5 - 300),
        (lambda now: 0.0, lambda now: now - 5 - 5 - 300),
        (lambda now: 1e18, lambda now: now),
    ],
)
def test_a_look_begins_when_it_can_have_begun(said: Callable[[float], float], kept: Callable[[float], float]) -> None:
    check, now = make_check(timeout_seconds=5), time.time()
    record_outcomes(report(look_at(check, started_at=said(now))))
    at = CheckResult.objects.get().at
    assert abs(at - datetime.fromtimestamp(kept(now), UTC)) < timedelta(seconds=2)
    row = CheckRegion.objects.get(source_check=check)
    assert row.last_result_at == at


def test_a_broker_that_is_away_costs_the_counters_and_nothing_else(away: None) -> None:
    check = make_check()
    assert arrives(report(look_at(check))) == {}
    assert CheckResult.objects.count() == 1


def test_every_reason_has_a_counter(line: Redis) -> None:
    assert set(outcome_counters()) == {
        "recorded",
        "forged",
        "malformed",
        "too_old",
        "from_the_future",
        "superseded",
        "check_gone",
        "unknown_region",
    }
