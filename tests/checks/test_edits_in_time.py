"""Edits that meet a removal, a pause or another edit: the row as it is now decides, not what the caller still holds."""

from __future__ import annotations

from typing import Any

import pytest

from apps.catalog.models import Region, Target, TargetStatus
from apps.catalog.services import switch_target
from apps.checks import dispatch, schedule, signals, tasks
from apps.checks.models import Check, CheckRegion, Incident, StateChange
from apps.checks.services import CheckGone, delete_check, update_check
from tests.checks.looking import FAILED, OK, add_check, local, look, make_check

pytestmark = pytest.mark.django_db


def stale_copy(check: Check) -> Check:
    return Check.objects.select_related("target").get(pk=check.pk)


def test_an_edit_of_a_removed_check_does_not_bring_it_back() -> None:
    check = make_check()
    held = stale_copy(check)
    delete_check(actor=None, check=check)
    with pytest.raises(CheckGone):
        update_check(actor=None, check=held, name="Again")
    assert Check.objects.get(pk=check.pk).deleted_at is not None


def test_a_rename_does_not_undo_a_pause_made_meanwhile() -> None:
    check = make_check()
    held = stale_copy(check)
    update_check(actor=None, check=check, enabled=False)
    update_check(actor=None, check=held, name="Renamed")
    assert not Check.objects.get(pk=check.pk).enabled
    assert not CheckRegion.objects.get(source_check=check).enabled


def test_an_edit_of_a_check_whose_target_was_switched_off_leaves_it_off() -> None:
    check = make_check()
    held = stale_copy(check)
    switch_target(actor=None, target=Target.objects.get(pk=check.target_id), enabled=False)
    update_check(actor=None, check=held, interval_seconds=30)
    assert not CheckRegion.objects.get(source_check=check).enabled


def test_a_check_that_is_resumed_is_unknown_until_it_is_measured() -> None:
    check = make_check()
    look(check, FAILED, FAILED)
    update_check(actor=None, check=check, enabled=False)
    changes = StateChange.objects.count()
    update_check(actor=None, check=check, enabled=True)
    row = TargetStatus.objects.get(target_id=check.target_id)
    assert (row.status, row.reason) == ("unknown", "not_measured")
    assert StateChange.objects.count() == changes
    look(check, FAILED)
    row.refresh_from_db()
    assert row.status == "unknown", "the counters begin anew too"


def test_a_target_that_is_switched_on_again_is_unknown_until_it_is_measured() -> None:
    check = make_check()
    look(check, OK)
    for enabled in (False, True):
        switch_target(actor=None, target=Target.objects.get(pk=check.target_id), enabled=enabled)
        assert TargetStatus.objects.get(target_id=check.target_id).status == "unknown"


def test_removing_the_last_check_that_counts_closes_the_incident_though_a_canary_stays() -> None:
    check = make_check()
    add_check(check.target, name="Canary", affects_status=False)
    look(check, FAILED, FAILED)
    delete_check(actor=None, check=check)
    assert Incident.objects.get().resolution == "check_removed"


def test_a_check_of_a_kind_that_is_gone_does_not_hold_up_the_others() -> None:
    gone, good = make_check("Gone"), make_check("Good")
    Check.objects.filter(pk=gone.pk).update(kind="carrier_pigeon")
    jobs = dispatch.make_jobs("local", schedule.claim_due(local().pk))
    assert [job.check for job in jobs] == [str(good.pk)]


def test_the_doorbell_rings_on_when_one_of_its_steps_fails(settings: Any) -> None:
    rung: list[bool] = []

    def listen(**_: object) -> None:
        rung.append(True)

    settings.REDIS_BROKER_URL = "redis://127.0.0.1:1/0"  # nothing listens there: no queue can be asked or filled
    signals.ticked.connect(listen)
    try:
        tasks.tick()
    finally:
        signals.ticked.disconnect(listen)
    assert rung == [True]


def test_a_region_switched_off_or_on_takes_every_check_along() -> None:
    check = make_check()
    look(check, OK)
    region = local()
    region.enabled = False
    region.save()
    assert not CheckRegion.objects.get(source_check=check).enabled
    assert TargetStatus.objects.get(target_id=check.target_id).status == "unknown"
    region.enabled = True
    region.save()
    seoul = Region.objects.create(slug="seoul", name="Seoul")
    rows = CheckRegion.objects.filter(source_check=check)
    assert set(rows.values_list("region_id", "enabled")) == {(region.pk, True), (seoul.pk, True)}
