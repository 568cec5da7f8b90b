"""The overview: the verdict, the same counts as the API, what is wrong, and what it shows to whom."""

from __future__ import annotations

import html
import re

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import Environment
from apps.catalog.status import Status
from apps.checks.incidents import acknowledge_incident
from apps.checks.models import Incident
from apps.checks.selectors import get_summary
from apps.dashboard.overview import verdict_sentence
from tests.checks.looking import DEGRADED, FAILED, OK, add_check, look, make_check
from tests.dashboard.rendering import HOSTILE
from tests.factories import api_client, make_model, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db


def text_of(content: bytes) -> str:
    """What a person reads: without tags, with single spaces."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", content.decode())))


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, "Nothing is watched yet"),
        ({"operational": 1}, "The one target is operational"),
        ({"operational": 38}, "All 38 targets operational"),
        (
            {"operational": 32, "outage": 2, "degraded": 1, "unknown": 3},
            "2 in outage, 1 degraded, 3 unknown of 38 targets",
        ),
        ({"maintenance": 1}, "1 in maintenance of 1 target"),
    ],
)
def test_the_verdict_is_one_sentence(counts: dict[str, int], expected: str) -> None:
    full = {status.value: counts.get(status.value, 0) for status in Status}
    assert verdict_sentence({"total": sum(full.values()), **full}) == expected


def test_the_counts_are_those_of_the_summary_and_of_the_api(page: Client, operator: User) -> None:
    look(make_check("Shop"), OK)
    look(make_check("Mail"), FAILED, FAILED)
    make_model(make_provider("OpenAI"), "gpt-5")

    shown = page.get("/fragments/counts/").content.decode()
    summary = get_summary(operator)
    told = api_client(operator).get("/api/v1/summary/").json()

    bars = re.findall(r'role="group" aria-label="(\w+)">(.*?)</ul>', shown, re.DOTALL)
    assert [name.lower() for name, _bar in bars] == ["targets", "providers", "models", "services"]
    for name, bar in bars:
        numbers = [int(number) for number in re.findall(r"<b>(\d+)</b>", bar)]
        expected = [summary[name.lower()][status.value] for status in Status]
        assert sorted(numbers) == sorted(expected)
        assert sum(numbers) == told[name.lower()]["total"]


def test_what_is_wrong_stands_in_the_order_of_its_severity_with_why_since_and_who(page: Client, operator: User) -> None:
    look(make_check("Slow one"), DEGRADED, DEGRADED)
    look(make_check("Broken one"), FAILED, FAILED)
    look(make_check("Good one"), OK)
    acknowledge_incident(incident=Incident.objects.get(target__name="Broken one"), actor=operator)

    shown = text_of(page.get("/fragments/wrong/").content)

    assert "Wrong now 2" in shown
    assert shown.index("Broken one") < shown.index("Slow one")
    assert "Expected status 200, got 503." in shown
    assert operator.username in shown
    assert shown.count("Acknowledge") == 1
    assert "Good one" not in shown


def test_a_viewer_reads_that_nobody_has_it(client: Client, viewer: User) -> None:
    look(make_check("Broken one"), FAILED, FAILED)
    client.force_login(viewer)
    shown = text_of(client.get("/fragments/wrong/").content)
    assert "nobody yet" in shown
    assert "Acknowledge" not in shown


def test_when_nothing_is_wrong_the_last_problem_is_remembered(page: Client) -> None:
    check = make_check("Shop")
    look(check, FAILED, FAILED, OK)

    shown = text_of(page.get("/fragments/wrong/").content)

    assert "Nothing is wrong." in shown
    assert "Last problem: Shop, for" in shown


def test_a_provider_shows_its_worst_models_first_and_says_how_many_more_there_are(page: Client) -> None:
    provider = make_provider("OpenAI")
    for number in range(10):
        look(add_check(make_model(provider, f"a-good-{number}").target), OK)
    look(add_check(make_model(provider, "z-broken").target), FAILED, FAILED)

    shown = text_of(page.get("/fragments/providers/").content)

    assert shown.index("z-broken") < shown.index("a-good-0")
    assert "a-good-4" not in shown
    assert "11 models" in shown
    assert "6 more models" in shown


def test_changes_are_grouped_by_minute_and_lead_to_their_incident(page: Client) -> None:
    look(make_check("Shop"), FAILED, FAILED)

    shown = page.get("/fragments/changes/").content.decode()

    assert "Shop: Outage" in shown
    assert f'href="{Incident.objects.get().get_absolute_url()}"' in shown
    assert shown.count("timeline-minute") == 1


def test_open_incidents_say_who_has_them(page: Client) -> None:
    look(make_check("Shop"), FAILED, FAILED)
    shown = text_of(page.get("/fragments/incidents/").content)
    assert "Open incidents 1" in shown
    assert "nobody has it yet" in shown


def test_the_page_and_each_of_its_fragments_show_the_same(page: Client) -> None:
    look(make_check("Shop"), FAILED, FAILED)
    whole = text_of(page.get("/").content)
    for name in ("counts", "incidents", "providers"):
        fragment = text_of(page.get(f"/fragments/{name}/").content).strip()
        assert fragment in whole


def test_hostile_names_are_text(page: Client) -> None:
    look(make_check(HOSTILE), FAILED, FAILED)
    provider = make_provider(HOSTILE)
    look(add_check(make_model(provider, HOSTILE).target), FAILED, FAILED)
    shown = page.get("/").content.decode()
    assert "<script>alert(1)" not in shown
    assert "&lt;script&gt;alert(1)" in shown


def test_an_environment_is_chosen_in_the_url_and_remembered(
    page: Client, production: Environment, development: Environment
) -> None:
    make_service("Shop", environment=production)
    make_service("Test bench", environment=development)

    assert "Test bench" not in text_of(page.get("/?environment=prod").content)
    assert "Test bench" not in text_of(page.get("/fragments/services/").content)
    everything = text_of(page.get("/?environment=all").content)
    assert "Test bench" in everything
    assert "Shop" in everything


def test_somebody_sees_only_their_environments(
    client: Client, production: Environment, development: Environment
) -> None:
    make_service("Shop", environment=production)
    make_service("Test bench", environment=development)
    client.force_login(make_user("viewer", development))
    shown = text_of(client.get("/").content)
    assert "Test bench" in shown
    assert "Shop" not in shown


# --- The first run --------------------------------------------------------------------------------------------


def test_an_empty_portal_leads_to_the_first_check(page: Client) -> None:
    shown = text_of(page.get("/").content)
    assert "Add your first check" in shown
    assert "Look now" in shown


def test_a_viewer_of_an_empty_portal_is_not_offered_what_they_may_not_do(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    shown = text_of(client.get("/").content)
    assert "Look now" not in shown
    assert "An operator can add" in shown
    assert client.post("/first-check/", {"url": "https://example.com"}).status_code == 403


def test_somebody_without_a_role_is_told_so(client: Client, outsider: User) -> None:
    client.force_login(outsider)
    assert "You have no role yet" in text_of(client.get("/").content)


def test_one_url_becomes_a_service_a_check_and_a_look(page: Client, operator: User) -> None:
    answer = page.post("/first-check/", {"url": "http://127.0.0.1:9/health"})

    assert get_summary(operator)["services"]["total"] == 1
    assert answer.status_code == 302
    assert "/checks/" in answer["Location"]
    assert "?run=" in answer["Location"]
    shown = text_of(page.get(answer["Location"]).content)
    assert "127.0.0.1:9/health" in shown
    assert "Looking now" in shown


@pytest.mark.parametrize("url", ["", "ftp://example.com", "https://", "http://exa mple.com", "javascript:alert(1)"])
def test_a_bad_first_url_is_a_sentence_at_the_field_and_stores_nothing(page: Client, operator: User, url: str) -> None:
    answer = page.post("/first-check/", {"url": url})
    assert answer.status_code == 400
    shown = answer.content.decode()
    assert 'class="error"' in shown
    assert html.escape(url) in shown
    assert get_summary(operator)["targets"]["total"] == 0


def test_the_first_run_page_learns_when_it_is_over(page: Client) -> None:
    assert page.get("/first-run/").status_code == 204
    make_service("Shop")
    assert page.get("/first-run/").headers["HX-Refresh"] == "true"


# --- A panel that fails ---------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_panel_that_fails_shows_its_error_and_the_others_stay(operator: User) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(operator)
    make_check("Shop")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE checks_statechange RENAME COLUMN evidence TO hidden")
    try:
        answer = client.get("/")
        fragment = client.get("/fragments/changes/")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE checks_statechange RENAME COLUMN hidden TO evidence")

    assert answer.status_code == 200
    shown = text_of(answer.content)
    assert "This part could not be loaded." in shown
    assert "of 1 target" in shown
    assert "Open incidents" in shown
    assert fragment.status_code == 500


def test_a_fragment_the_page_has_not_is_404(page: Client) -> None:
    assert page.get("/fragments/nothing/").status_code == 404
