"""Writing regions: what checks have there follows, and what must stay stays."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.accounts.models import AuditEntry
from apps.catalog.models import Region, TargetStatus
from apps.catalog.services import switch_target
from apps.checks.models import Check, CheckRegion, CheckStatus
from apps.checks.regions.services import RegionInUse, create_region, delete_region, update_region
from apps.checks.services import update_check
from apps.probes.base import OutcomeState
from tests.checks.looking import FAILED, OK, claim, finished, local, look, make_check, record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("line")]


def rows(check: Check) -> dict[str, bool]:
    return dict(check.regions.values_list("region__slug", "enabled"))


def add(slug: str = "seoul", **fields: Any) -> Region:
    return create_region(actor=None, slug=slug, name=slug.capitalize(), **fields)


def status_of(check: Check) -> str:
    return TargetStatus.objects.get(target_id=check.target_id).status


def test_a_new_region_looks_at_what_names_no_regions() -> None:
    everywhere, here = make_check("Everywhere"), make_check("Here", only_regions=[local()])
    in_flight = finished(here, OK, claim(here))
    add()
    assert rows(everywhere) == {"local": True, "seoul": True}
    assert rows(here) == {"local": True}
    assert record(in_flight).kept == 1, "what looks from elsewhere is not disturbed"


def test_a_region_that_is_off_looks_at_nothing_until_it_is_switched_on() -> None:
    check = make_check()
    region = add(enabled=False)
    assert rows(check) == {"local": True}
    update_region(actor=None, region=region, enabled=True)
    assert rows(check) == {"local": True, "seoul": True}
    update_region(actor=None, region=region, enabled=False)
    assert rows(check) == {"local": True, "seoul": False}


def test_a_region_that_is_switched_off_takes_its_vote_along() -> None:
    region = add()
    check = make_check()
    look(check, OK)
    CheckRegion.objects.filter(region=region).update(verdict="outage")
    look(check, *([OutcomeState.OK] * 2))
    update_region(actor=None, region=region, enabled=False)
    assert status_of(check) == "operational"


@pytest.mark.parametrize(
    ("slug", "name", "field"),
    [
        ("local", "Again", "slug"),
        ("a b", "Space", "slug"),
        ("", "None", "slug"),
        ("x" * 33, "Long", "slug"),
        ("ok", "", "name"),
    ],
)
def test_what_is_wrong_with_a_region_is_said_at_its_field(slug: str, name: str, field: str) -> None:
    with pytest.raises(ValidationError) as error:
        create_region(actor=None, slug=slug, name=name)
    assert field in error.value.message_dict


def test_the_short_name_stays() -> None:
    region = add()
    with pytest.raises(ValidationError, match="cannot be changed"):
        update_region(actor=None, region=region, slug="busan")
    assert update_region(actor=None, region=region, slug="seoul", name=" Seoul 2 ").name == "Seoul 2"


def test_a_removed_region_takes_its_rows_along_and_the_rest_decides() -> None:
    region = add()
    check = make_check()
    look(check, OK)
    CheckRegion.objects.filter(region=region).update(verdict="outage", reason="timeout")
    look(check, FAILED, FAILED, OK)
    delete_region(actor=None, region=region)
    assert rows(check) == {"local": True}
    assert status_of(check) == "operational"
    assert not Region.objects.filter(slug="seoul").exists()


def test_the_last_region_that_measured_leaves_a_target_unknown() -> None:
    region = add()
    check = make_check()
    CheckRegion.objects.filter(region=region).update(verdict="operational", reason="ok")
    Region.objects.filter(slug="local").update(enabled=False)
    delete_region(actor=None, region=region)
    assert status_of(check) == "unknown"


def test_a_check_that_nothing_looks_at_any_more_says_so_and_begins_anew() -> None:
    region = add()
    check = make_check(only_regions=[region])
    told = CheckStatus.objects.filter(pk=check.pk)
    CheckRegion.objects.filter(region=region).update(verdict="operational", reason="ok")
    update_check(actor=None, check=check, name="As it was seen")
    assert told.get().verdict == "operational"
    update_region(actor=None, region=region, enabled=False)
    assert (told.get().verdict, told.get().reason) == ("unknown", "not_measured")
    update_region(actor=None, region=region, enabled=True)
    assert told.get().verdict == "unknown"


def test_the_checks_of_a_target_that_is_switched_off_are_not_called_operational() -> None:
    check = make_check()
    look(check, OK)
    switch_target(actor=None, target=check.target, enabled=False)
    assert CheckStatus.objects.get(pk=check.pk).verdict == "unknown"
    assert status_of(check) == "unknown"


def test_the_portal_s_own_region_stays() -> None:
    with pytest.raises(RegionInUse, match="portal itself"):
        delete_region(actor=None, region=local())
    assert Region.objects.filter(slug="local", enabled=True).exists()


def test_a_region_that_is_the_only_one_of_a_check_stays() -> None:
    region = add()
    check = make_check(only_regions=[region])
    both = make_check("Both", only_regions=[region, local()])
    with pytest.raises(RegionInUse, match="1 check is looked at only from there"):
        delete_region(actor=None, region=region)
    update_check(actor=None, check=check, only_regions=[local()])
    delete_region(actor=None, region=region)
    assert [chosen.slug for chosen in both.only_regions.all()] == ["local"]


def test_who_did_what_is_written_down() -> None:
    region = add()
    identifier = region.pk
    update_region(actor=None, region=region, enabled=False)
    update_region(actor=None, region=region, enabled=False)
    delete_region(actor=None, region=region)
    entries = AuditEntry.objects.filter(object_id=identifier).order_by("at").values_list("action", "changes")
    assert [action for action, _changes in entries] == ["create", "update", "delete"]
    assert entries[1][1] == {"enabled": [True, False]}
