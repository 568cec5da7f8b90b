"""The page of a check that several regions look at: each with its word, and what follows from all of them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Region
from apps.checks import recording, schedule
from apps.checks.models import Check, Guard
from apps.checks.regions import vitals
from apps.checks.regions.broker import broker, seconds
from apps.checks.regions.vitals import Vitals
from apps.checks.services import follow_region, update_check
from apps.core import clock
from apps.probes.base import Finished, OutcomeState
from tests.checks.looking import DEGRADED, FAILED, OK, finished, local, make_check
from tests.dashboard.rendering import HOSTILE
from tests.dashboard.test_overview_page import text_of

pytestmark = pytest.mark.django_db
# A heartbeat's and a target's page may cost as much as any page about one object.
BUDGET = 30


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def add_region(slug: str, name: str = "") -> Region:
    region = Region.objects.create(slug=slug, name=name or slug.capitalize())
    follow_region(region=region)
    return region


def look_from(check: Check, region: Region, *states: OutcomeState) -> None:
    """Claim, probe and record in one region, once for each state."""
    for state in states:
        generation = schedule.claim_now(check.pk, region.pk)
        assert generation is not None
        found = finished(check, state, generation, started_at=time.time())
        job = found.job
        item = Finished(job=type(job).from_wire({**job.to_wire(), "region": region.slug}), outcome=found.outcome)
        recording.record_outcomes([item], {region.slug: region.pk})


def shown(client: Client, check: Check) -> str:
    answer = client.get(check.get_absolute_url())
    assert answer.status_code == 200
    return text_of(answer.content)


@pytest.fixture
def places(db: None) -> list[Region]:
    return [local(), add_region("seoul"), add_region("virginia")]


@pytest.fixture
def served(places: list[Region]) -> Iterator[None]:
    """A worker in every region, as it says of itself."""
    client = broker()
    now = seconds(client.time())
    for region in places:
        heard = Vitals(region=region.slug, name="worker", version="1", host="host", pid=1, started_at=now - 60, at=now)
        vitals.write(client, heard)
    yield
    for region in places:
        client.delete(vitals.processes_key(region.slug), vitals.key_of(region.slug, "worker"))


def test_with_one_region_there_is_nothing_to_compare(page: Client) -> None:
    check = make_check()
    look_from(check, local(), OK)
    text = shown(page, check)
    assert "must agree" not in text
    assert "region-card" not in page.get(check.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (([OK], [OK], [OK]), "3 of 3 regions say operational; 2 must agree."),
        (([OK], [FAILED, FAILED], [FAILED, FAILED]), "2 of 3 regions say outage; 2 must agree."),
        (
            ([OK], [FAILED, FAILED], [DEGRADED, DEGRADED]),
            "2 of 3 regions say degraded or worse; 2 must agree.",
        ),
        (([OK], [OK], []), "2 of 2 regions say operational; 2 must agree. 1 region has no fresh verdict"),
        (([], [], []), "No region has a fresh verdict"),
    ],
)
def test_the_decision_of_all_regions_is_a_sentence(
    page: Client, places: list[Region], words: tuple[list[OutcomeState], ...], sentence: str
) -> None:
    check = make_check()
    for region, states in zip(places, words, strict=True):
        look_from(check, region, *states)
    assert sentence in shown(page, check)


def test_regions_that_do_not_agree_leave_the_last_status(page: Client, places: list[Region]) -> None:
    check = make_check(quorum=3)
    for region in places:
        look_from(check, region, OK)
    look_from(check, places[1], FAILED, FAILED)
    text = shown(page, check)
    assert "3 regions must agree and do not (Outage 1, Operational 2), so the last status stays." in text
    assert "The regions do not agree." in text


def test_each_region_has_its_own_word_its_age_and_its_line(page: Client, places: list[Region]) -> None:
    check = make_check()
    look_from(check, places[0], OK, OK)
    look_from(check, places[1], FAILED, FAILED)
    content = page.get(check.get_absolute_url()).content.decode()
    cards = {region.slug: content[content.index(f'id="region-{region.slug}"') :].split("</li>")[0] for region in places}
    assert "Operational" in cards["local"]
    assert "2 looks in a row were good" in text_of(cards["local"].encode())
    assert "<svg viewBox" in cards["local"]
    assert "Expected status 200, got 503." in text_of(cards["seoul"].encode())
    assert "Nothing was measured yet." in text_of(cards["virginia"].encode())
    assert "No measurements" in cards["virginia"]


def test_a_region_that_lost_its_own_line_says_so(page: Client, places: list[Region], served: None) -> None:
    check = make_check()
    look_from(check, places[1], FAILED, FAILED)
    now = clock.now()
    Guard.objects.create(
        region=places[1], name="Gateway", kind="tcp", config={}, state="fails", since=now, last_looked_at=now
    )
    assert "This region has lost its own line" in shown(page, check)


def test_a_region_nobody_looks_from_says_so(page: Client, places: list[Region]) -> None:
    assert "No worker is heard from there, so nothing is looked at." in shown(page, make_check())


def test_a_region_that_was_taken_off_the_check_is_not_shown(page: Client, places: list[Region]) -> None:
    check = make_check()
    update_check(actor=None, check=check, only_regions=places[:2])
    content = page.get(check.get_absolute_url()).content.decode()
    assert 'id="region-seoul"' in content
    assert 'id="region-virginia"' not in content


def test_hostile_names_of_regions_are_text(page: Client, places: list[Region]) -> None:
    Region.objects.filter(slug="seoul").update(name=HOSTILE)
    check = make_check()
    assert "<script>alert(1)" not in page.get(check.get_absolute_url()).content.decode()
    assert "<script>alert(1)" not in page.get(f"{check.get_absolute_url()}edit/").content.decode()


def test_ten_regions_cost_as_many_queries_as_two(page: Client) -> None:
    check = make_check()
    add_region("seoul")

    def cost() -> int:
        for row in check.regions.select_related("region"):
            look_from(check, row.region, OK, FAILED)
        page.get(check.get_absolute_url())
        with CaptureQueriesContext(connection) as queries:
            assert page.get(check.get_absolute_url()).status_code == 200
        return len(queries)

    of_two = cost()
    for number in range(8):
        add_region(f"region-{number}")
    assert check.regions.count() == 10
    assert cost() == of_two <= BUDGET
