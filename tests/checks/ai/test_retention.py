"""How long the past of models is kept, and that what was ever counted never goes back."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from apps.catalog.models import Target
from apps.checks import retention
from apps.checks.ai.hours import KEEP
from apps.checks.ai.totals import list_totals
from apps.checks.models import AiErrorTotal, AiHour, SpendDay
from apps.core import clock
from apps.probes.base import Reason
from tests.checks.ai.looking_at_models import FAILED, look, make_ai_check
from tests.factories import make_model

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def test_hours_are_kept_for_two_years() -> None:
    check = make_ai_check()
    now = clock.now()
    for hour in (now - KEEP - DAY, now - KEEP + DAY):
        AiHour.objects.create(check_id=check.pk, target_id=check.target_id, kind="ai_ping", hour=hour)
    retention.purge()
    assert [row.hour for row in AiHour.objects.all()] == [now - KEEP + DAY]


def test_money_that_is_that_old_is_kept_by_month_and_its_sum_never_changes() -> None:
    model = make_model()
    days = [date(2023, 4, 1), date(2023, 4, 2), date(2023, 4, 30), date(2023, 5, 7), clock.now().date()]
    for position, day in enumerate(days, start=1):
        SpendDay.objects.create(
            day=day,
            target_id=model.pk,
            provider_id=model.provider_id,
            looks=position,
            tokens_in=10 * position,
            cost=Decimal(position),
        )
    before = list_totals()
    retention.purge()
    retention.purge()
    rows = SpendDay.objects.order_by("day").values_list("day", "looks", "tokens_in", "cost")
    assert list(rows) == [
        (date(2023, 4, 1), 6, 60, Decimal(6)),
        (date(2023, 5, 1), 4, 40, Decimal(4)),
        (days[-1], 5, 50, Decimal(5)),
    ]
    assert list_totals() == before


def test_what_is_purged_takes_its_past_with_it_and_leaves_its_money_to_its_provider() -> None:
    check, other = make_ai_check(), make_ai_check()
    now = clock.now()
    for one in (check, other):
        look(one, FAILED, Reason.SERVER_ERROR)
        AiHour.objects.create(check_id=one.pk, target_id=one.target_id, kind="ai_ping", hour=now)
        provider_id = one.target.model.provider_id
        SpendDay.objects.create(day=now.date(), target_id=one.target_id, provider_id=provider_id, cost=Decimal(1))
    Target.objects.filter(pk=check.target_id).update(deleted_at=now - 8 * DAY)
    retention.purge()
    assert not Target.objects.filter(pk=check.target_id).exists()
    assert [row.target_id for row in AiHour.objects.all()] == [other.target_id]
    assert [row.target_id for row in AiErrorTotal.objects.all()] == [other.target_id]
    assert SpendDay.objects.aggregate(Sum("cost"))["cost__sum"] == 2
    provider_id = SpendDay.objects.get(target_id=check.target_id).provider_id
    Target.objects.filter(pk=provider_id).update(deleted_at=now - 8 * DAY)
    retention.purge()
    assert SpendDay.objects.aggregate(Sum("cost"))["cost__sum"] == 1
