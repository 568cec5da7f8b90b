"""What is known of a model now: which look speaks, what it measured, and how often it answered today."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.catalog.models import TargetStatus
from apps.catalog.status import Status
from apps.checks.ai import hours
from apps.checks.ai.selectors import model_facts
from apps.checks.models import Check, SpendDay
from apps.core import clock
from apps.core.ids import uuid7
from apps.probes.ai.classes import ErrorClass, Fault
from apps.probes.base import OutcomeState, Reason
from tests.checks.ai.looking_at_models import DEGRADED, FAILED, fill, look, make_ai_check
from tests.factories import make_model

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_model_nobody_looked_at_has_facts_that_say_so() -> None:
    model = make_model()
    facts = model_facts([model.pk])[model.pk]
    assert (facts.ttft_ms, facts.error_class, facts.reason, facts.uptime_24h) == (None, None, "", None)
    assert facts.spend_month == 0


def test_times_come_from_the_checks_that_measure_them() -> None:
    target = make_model().target
    listing = make_ai_check(target, "ai_models")
    ping, stream = make_ai_check(target, "ai_ping"), make_ai_check(target, "ai_stream")
    measured = {"ttft_ms": 300.0, "answer_ttft_ms": 450.0, "output_tokens_per_second": 61.0}
    look(stream, duration_ms=5_000.0, measurements=measured)
    look(ping, duration_ms=700.0)
    look(listing, duration_ms=40.0)
    facts = model_facts([target.pk])[target.pk]
    assert (facts.ttft_ms, facts.answer_ttft_ms, facts.output_tokens_per_second) == (300.0, 450.0, 61.0)
    assert facts.duration_ms == 700.0, "of the cheapest kind that asks the model, not of the list"
    assert (facts.error_class, facts.fault, facts.reason, facts.uptime_24h) == (None, None, "ok", 1.0)


def test_the_list_of_models_is_no_answer_of_this_one() -> None:
    check = make_ai_check(kind="ai_models")
    look(check, duration_ms=40.0)
    assert model_facts([check.target_id])[check.target_id].duration_ms is None


def test_what_affects_the_status_speaks_before_what_does_not_and_then_the_newest() -> None:
    target = make_model().target
    ping = make_ai_check(target, "ai_ping")
    canary = make_ai_check(target, "ai_stream", name="Another", affects_status=False)
    look(ping, FAILED, Reason.OVERLOADED, evidence={"actual": 529})
    look(canary, DEGRADED, Reason.WRONG_ANSWER)
    facts = model_facts([target.pk])[target.pk]
    assert (facts.error_class, facts.fault, facts.reason) == (ErrorClass.OVERLOADED, Fault.THEIRS, "overloaded")
    assert facts.evidence == {"actual": 529}
    look(ping)
    facts = model_facts([target.pk])[target.pk]
    assert (facts.error_class, facts.fault) == (ErrorClass.WRONG_ANSWER, Fault.QUALITY)
    third = make_ai_check(target, "ai_models")
    look(third, DEGRADED, Reason.INVALID_KEY)
    look(ping, FAILED, Reason.SERVER_ERROR)
    assert model_facts([target.pk])[target.pk].error_class is ErrorClass.SERVER_ERROR


def test_while_a_check_is_the_cause_of_the_status_whose_fault_it_is_comes_from_that_check() -> None:
    target = make_model().target
    listing, ping = make_ai_check(target, "ai_models"), make_ai_check(target, "ai_ping")
    look(listing, FAILED, Reason.MODEL_NOT_LISTED, evidence={"actual": 5})
    look(ping, FAILED, Reason.CONNECT_REFUSED)
    status = TargetStatus.objects.filter(target=target)
    status.update(status=Status.OUTAGE, reason=Reason.MODEL_NOT_LISTED, cause_check=listing.pk)
    facts = model_facts([target.pk])[target.pk]
    assert (facts.error_class, facts.reason) == (ErrorClass.MODEL_NOT_FOUND, "model_not_listed")
    assert facts.evidence == {"actual": 5}
    status.update(status=Status.OPERATIONAL)
    assert model_facts([target.pk])[target.pk].error_class is ErrorClass.NETWORK, "as without a cause"
    status.update(status=Status.OUTAGE)
    look(listing)
    assert model_facts([target.pk])[target.pk].error_class is ErrorClass.NETWORK, "the cause has no class any more"


def test_a_cause_that_is_only_slow_does_not_hide_a_class() -> None:
    target = make_model().target
    stream, ping = make_ai_check(target, "ai_stream"), make_ai_check(target, "ai_ping")
    look(ping, DEGRADED, Reason.INVALID_KEY)
    look(stream, DEGRADED, Reason.SLOW)
    TargetStatus.objects.filter(target=target).update(status=Status.DEGRADED, reason="slow", cause_check=stream.pk)
    assert model_facts([target.pk])[target.pk].reason == "invalid_key"


def test_a_look_that_is_only_slow_has_no_class() -> None:
    check = make_ai_check()
    look(check, DEGRADED, Reason.SLOW)
    facts = model_facts([check.target_id])[check.target_id]
    assert (facts.error_class, facts.fault, facts.reason) == (None, None, "slow")


def test_a_check_that_is_paused_or_removed_says_nothing() -> None:
    target = make_model().target
    paused, removed = make_ai_check(target, "ai_ping"), make_ai_check(target, "ai_stream")
    for check in (paused, removed):
        look(check, FAILED, Reason.SERVER_ERROR)
    Check.objects.filter(pk=paused.pk).update(enabled=False)
    Check.objects.filter(pk=removed.pk).update(deleted_at=clock.now())
    assert model_facts([target.pk])[target.pk].error_class is None


def test_uptime_leaves_out_what_was_rate_limited_and_counts_what_was_degraded_as_answered() -> None:
    check = make_ai_check()
    now = clock.now()
    fill(check, now - 12 * HOUR, now - 10 * HOUR, every=HOUR / 10, state=FAILED, reason=Reason.SERVER_ERROR)
    fill(check, now - 10 * HOUR, now - 9 * HOUR, every=HOUR / 70, state=DEGRADED, reason=Reason.RATE_LIMITED)
    fill(check, now - 9 * HOUR, now - 8 * HOUR, every=HOUR / 20, state=DEGRADED, reason=Reason.INVALID_KEY)
    fill(check, now - 8 * HOUR, now, every=HOUR / 5)
    fill(check, now - HOUR, now, every=HOUR / 5, state=OutcomeState.INDETERMINATE, reason=Reason.WORKER_LATE)
    hours.catch_up(now)
    facts = model_facts([check.target_id])[check.target_id]
    assert facts.uptime_24h == pytest.approx(1 - 20 / (20 + 20 + 40))


def test_looks_that_were_only_rate_limited_are_no_uptime_at_all() -> None:
    check = make_ai_check()
    look(check, DEGRADED, Reason.RATE_LIMITED)
    assert model_facts([check.target_id])[check.target_id].uptime_24h is None


def test_that_a_model_is_listed_is_no_uptime_of_one_that_is_asked() -> None:
    now = clock.now()
    target = make_model().target
    listing = make_ai_check(target, "ai_models")
    fill(listing, now - 6 * HOUR, now, every=HOUR / 5, ttft=None)
    hours.catch_up(now)
    facts = model_facts([target.pk])[target.pk]
    assert (facts.uptime_24h, facts.looks_24h) == (1.0, 30), "all there is to go by"
    ping = make_ai_check(target, "ai_ping")
    look(ping, DEGRADED, Reason.RATE_LIMITED)
    facts = model_facts([target.pk])[target.pk]
    assert (facts.uptime_24h, facts.looks_24h) == (None, 1)
    look(ping, FAILED, Reason.SERVER_ERROR)
    look(make_ai_check(target, "ai_stream"))
    assert model_facts([target.pk])[target.pk].uptime_24h == 0.5


def test_a_question_that_does_not_affect_the_status_leaves_the_list_to_count() -> None:
    target = make_model().target
    look(make_ai_check(target, "ai_models"))
    look(make_ai_check(target, "ai_canary", affects_status=False), DEGRADED, Reason.WRONG_ANSWER)
    facts = model_facts([target.pk])[target.pk]
    assert (facts.uptime_24h, facts.looks_24h) == (1.0, 1)


def test_uptime_is_there_after_the_first_look_and_without_checks_that_do_not_affect_the_status() -> None:
    target = make_model().target
    canary = make_ai_check(target, "ai_stream", affects_status=False)
    look(canary, FAILED, Reason.SERVER_ERROR)
    assert model_facts([target.pk])[target.pk].uptime_24h is None
    look(make_ai_check(target, "ai_ping"))
    assert model_facts([target.pk])[target.pk].uptime_24h == 1.0


def test_money_is_that_of_this_month() -> None:
    model = make_model()
    today = clock.now().date()
    for day, cost in ((today, "0.25"), (today - timedelta(days=40), "9")):
        SpendDay.objects.create(day=day, target_id=model.pk, provider_id=model.provider_id, cost=Decimal(cost))
    assert model_facts([model.pk])[model.pk].spend_month == Decimal("0.25")


def test_facts_of_many_models_cost_as_many_queries_as_those_of_one() -> None:
    checks = [make_ai_check() for _ in range(5)]
    for check in checks:
        look(check)

    def cost(number: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            facts = model_facts([check.target_id for check in checks[:number]])
        assert len(facts) == number
        return len(queries)

    assert cost(1) == cost(5) <= 3
    assert model_facts([]) == {}
    assert model_facts([uuid7()])
