"""Where a check is looked at from, and how soon again, as its form asks for it."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import Region
from apps.checks.models import Check
from tests.checks.looking import make_check
from tests.checks.test_pages_forms import GOOD, address, errors_at
from tests.checks.test_pages_regions import add_region
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def edit(check: Check) -> str:
    return f"{check.get_absolute_url()}edit/"


def test_with_one_region_there_is_nothing_to_choose(page: Client) -> None:
    content = page.get(address(make_service().target)).content.decode()
    assert 'name="only_regions"' not in content
    assert 'name="quorum"' not in content
    assert 'name="retry_interval_seconds"' in content


def test_regions_are_chosen_and_the_page_warns_of_those_nobody_looks_from(page: Client) -> None:
    add_region("seoul", "서울")
    target = make_service().target
    content = page.get(address(target)).content.decode()
    assert text_of(content.encode()).count("No worker has been heard from there.") == 2
    assert "Of 2 regions: a smaller number is quicker to tell" in text_of(content.encode())

    reply = page.post(address(target), {**GOOD, "only_regions": ["seoul"], "quorum": "1"}, follow=True)

    check = Check.objects.get()
    assert [region.slug for region in check.only_regions.all()] == ["seoul"]
    assert check.quorum == 1
    assert "No worker has been heard from 서울: nothing is looked at from there" in text_of(reply.content)


def test_the_choice_is_shown_kept_and_taken_back(page: Client) -> None:
    seoul = add_region("seoul")
    check = make_check(only_regions=[seoul], retry_interval_seconds=5)
    content = page.get(edit(check)).content.decode()
    assert 'value="seoul" id="id_only_regions_1" checked' in content
    assert 'name="retry_interval_seconds" value="5"' in content
    shown = text_of(page.get(check.get_absolute_url()).content)
    assert "Only from Seoul" in shown
    assert "Sooner after a failure 5 s" in shown
    page.post(edit(check), GOOD)
    check.refresh_from_db()
    assert check.only_regions.count() == 0
    assert check.retry_interval_seconds is None


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"only_regions": ["atlantis"]}, "only_regions", "atlantis"),
        ({"quorum": "3"}, "quorum", "Only 2 regions look at it"),
        ({"only_regions": ["seoul"], "quorum": "2"}, "quorum", "Only 1 region looks at it"),
        ({"quorum": "0"}, "quorum", "1"),
        ({"quorum": "most"}, "quorum", "whole number"),
    ],
)
def test_wrong_choices_are_said_where_they_were_made(
    page: Client, change: dict[str, str], field: str, sentence: str
) -> None:
    add_region("seoul")
    reply = page.post(address(make_service().target), {**GOOD, **change})
    assert reply.status_code == 400
    assert not Check.objects.exists()
    content = reply.content.decode()
    last = content.rindex(f'name="{field}"')
    assert sentence in errors_at(content[last:], field)


def test_a_chosen_region_that_was_switched_off_stays_in_sight(page: Client) -> None:
    check = make_check(only_regions=[add_region("seoul")])
    Region.objects.filter(slug="seoul").update(enabled=False)
    content = page.get(edit(check)).content
    assert "This region is switched off" in text_of(content)
