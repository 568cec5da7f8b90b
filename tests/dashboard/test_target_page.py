"""The page of one target: how it stands and why, its past, its checks, and what each role may do there."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import Target
from apps.catalog.services import update_target
from apps.checks.models import Check, CheckEvidence, Incident, StateChange
from apps.core import clock
from tests.checks.looking import FAILED, OK, add_check, look, make_check
from tests.dashboard.rendering import HOSTILE
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_model, make_provider, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def broken(db: None) -> Check:
    check = make_check("Shop")
    look(check, OK, FAILED, FAILED)
    return check


def test_the_first_sentence_says_what_is_wrong_and_leads_to_the_evidence(page: Client, broken: Check) -> None:
    shown = page.get(broken.target.get_absolute_url()).content.decode()
    assert "Outage: Expected status 200, got 503." in text_of(shown.encode())
    newest = CheckEvidence.objects.filter(check_id=broken.pk).latest("at")
    assert f'href="/checks/{broken.pk}/results/{newest.id}/"' in shown
    assert page.get(f"/checks/{broken.pk}/results/{newest.id}/").status_code == 200


def test_one_click_leads_from_the_red_dot_to_everything_that_was_seen(page: Client, broken: Check) -> None:
    newest = CheckEvidence.objects.filter(check_id=broken.pk).latest("at")
    shown = text_of(page.get(f"/checks/{broken.pk}/results/{newest.id}/").content)
    assert "Failed" in shown
    assert "Expected status 200, got 503." in shown
    assert "503" in shown


def test_checks_that_were_not_measured_are_counted_beside_the_status(page: Client, broken: Check) -> None:
    add_check(broken.target, name="Second")
    add_check(broken.target, name="Third", enabled=False)
    add_check(broken.target, name="Canary", affects_status=False)
    shown = text_of(page.get(broken.target.get_absolute_url()).content)
    assert "1 of 2 checks not measured" in shown


def test_uptime_is_shown_with_its_formula_and_is_not_100_where_nothing_was_measured(page: Client) -> None:
    target = make_service("New").target
    shown = text_of(page.get(target.get_absolute_url()).content)
    assert "Uptime 24 h – No time with a known status" in shown
    assert "Uptime = (operational + degraded) ÷ (operational + degraded + outage)" in shown
    assert "100 %" not in shown.replace("\u00a0", " ")


@pytest.mark.parametrize("preset", ["1h", "24h", "7d", "30d", "nonsense"])
def test_the_period_is_in_the_url(page: Client, broken: Check, preset: str) -> None:
    answer = page.get(broken.target.get_absolute_url(), {"range": preset})
    chosen = preset if preset != "nonsense" else "24h"
    assert f'latency.json?range={chosen}"' in answer.content.decode()
    assert f"/fragments/uptime/?range={chosen}" in answer.content.decode()


def test_the_checks_stand_there_with_verdict_latest_result_and_run_now(page: Client, broken: Check) -> None:
    shown = page.get(f"{broken.target.get_absolute_url()}fragments/checks/").content.decode()
    assert f'action="/checks/{broken.pk}/run/"' in shown
    assert re.search(r"just now · 12\S*\sms", text_of(shown.encode()))
    assert "Expected status 200, got 503." in shown


def test_changes_unfold_to_what_was_seen(page: Client, broken: Check) -> None:
    shown = text_of(page.get(f"{broken.target.get_absolute_url()}fragments/changes/").content)
    assert "Operational → then Outage" in shown
    assert "Expected 200" in shown
    assert "Got 503" in shown


def test_what_it_leans_on_is_shown_with_its_status(page: Client, broken: Check) -> None:
    child = make_service("Front page").target
    update_target(actor=None, target=child, depends_on=[broken.target])
    above = text_of(page.get(child.get_absolute_url()).content)
    below = text_of(page.get(broken.target.get_absolute_url()).content)
    assert "Depends on" in above
    assert "Shop" in above
    assert "Needed by" in below
    assert "Front page" in below


def test_a_provider_shows_its_models_and_a_model_its_provider(page: Client) -> None:
    provider = make_provider("OpenAI", base_url="http://127.0.0.1:9/v1")
    model = make_model(provider, "gpt-5")
    shown = page.get(provider.target.get_absolute_url()).content.decode()
    assert "gpt-5" in shown
    assert f"/providers/{provider.pk}/discover/" in shown
    assert provider.target.get_absolute_url() in page.get(model.target.get_absolute_url()).content.decode()
    assert page.get(f"{model.target.get_absolute_url()}fragments/models/").status_code == 404


def test_a_viewer_sees_everything_and_no_button(client: Client, viewer: User, broken: Check) -> None:
    client.force_login(viewer)
    shown = client.get(broken.target.get_absolute_url()).content.decode()
    assert "Expected status 200, got 503." in shown
    for action in ("/run/", "/edit/", "/switch/", "/delete/", "/checks/new/", "/acknowledge/"):
        assert action not in shown


@pytest.mark.parametrize("role", ["operator", "administrator"])
def test_who_may_change_it_gets_the_buttons(
    client: Client, request: pytest.FixtureRequest, broken: Check, role: str
) -> None:
    client.force_login(request.getfixturevalue(role), backend="django.contrib.auth.backends.ModelBackend")
    shown = client.get(broken.target.get_absolute_url()).content.decode()
    for action in ("/run/", "/edit/", "/switch/", "/delete/", "/checks/new/", "/acknowledge/"):
        assert action in shown


def test_a_paused_target_says_that_nothing_looks(page: Client, broken: Check) -> None:
    update_target(actor=None, target=broken.target, enabled=False)
    shown = text_of(page.get(broken.target.get_absolute_url()).content)
    assert "Paused: nothing looks at this target." in shown
    assert "Resume" in shown


def test_a_target_without_checks_leads_to_the_first(page: Client) -> None:
    target = make_service("Bare").target
    shown = page.get(target.get_absolute_url()).content.decode()
    assert "No check looks at it yet." in shown
    assert f"/checks/new/?target={target.pk}" in shown


def test_hostile_text_is_text_and_only_safe_links_are_links(page: Client) -> None:
    target = make_service(HOSTILE, description=HOSTILE, tags=["<b>"]).target
    Target.objects.filter(pk=target.pk).update(name=HOSTILE)
    target.service.url = "javascript:alert(1)"
    target.service.save()
    StateChange.objects.create(
        target=target,
        at=clock.now(),
        from_status="operational",
        to_status="outage",
        reason="status_mismatch",
        evidence={"body": HOSTILE, "headers": {"X": HOSTILE}, "expected": HOSTILE, "actual": HOSTILE},
    )
    shown = page.get(target.get_absolute_url()).content.decode()
    assert "<script>alert(1)" not in shown
    assert "javascript:" not in shown


# --- The chart's data -------------------------------------------------------------------------------------------


def test_the_chart_has_percentiles_outages_and_incidents(page: Client, broken: Check) -> None:
    document = page.get(f"{broken.target.get_absolute_url()}latency.json?range=1h").json()
    assert [line["key"] for line in document["lines"]] == ["p50", "p95", "p99"]
    assert all(len(line["values"]) == len(document["times"]) for line in document["lines"])
    assert [value for value in document["lines"][0]["values"] if value is not None] == [12.5]
    assert document["spans"][-1]["status"] == "outage"
    assert document["marks"][0]["url"] == Incident.objects.get().get_absolute_url()


def test_where_every_look_failed_the_chart_says_so(page: Client) -> None:
    check = make_check("Shop")
    look(check, FAILED, FAILED)
    document = page.get(f"{check.target.get_absolute_url()}latency.json?range=1h").json()
    assert "failed" in document["empty"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("range=1y", "range"),
        ("from=yesterday", "from"),
        ("to=1e99", "to"),
        ("from=nan", "from"),
        ("from=1763700000&to=1763600000", "to"),
        ("from=1463700000&to=1763600000", "from"),
    ],
)
def test_a_period_that_makes_no_sense_is_a_sentence_at_its_parameter(
    page: Client, broken: Check, query: str, field: str
) -> None:
    answer = page.get(f"{broken.target.get_absolute_url()}latency.json?{query}")
    assert answer.status_code == 400
    assert list(answer.json()) == [field]


def test_a_zoomed_period_is_answered_in_its_own_buckets(page: Client, broken: Check) -> None:
    now = clock.now()
    query = {"from": str((now - timedelta(minutes=30)).timestamp()), "to": str(now.timestamp())}
    document = page.get(f"{broken.target.get_absolute_url()}latency.json", query).json()
    assert document["to"] - document["from"] == pytest.approx(1_800, abs=1)
    assert len(document["times"]) == 24


def test_the_rail_shows_the_list_a_page_belongs_to(page: Client, broken: Check) -> None:
    model = make_model(make_provider("OpenAI"), "gpt-5").target
    pages = {
        broken.target.get_absolute_url(): "/services/",
        broken.get_absolute_url(): "/services/",
        f"/targets/{model.pk}/edit/": "/models/",
        model.get_absolute_url(): "/models/",
        "/incidents/": "/incidents/",
    }
    for address, expected in pages.items():
        rail = re.findall(
            r'<a class="rail-link" href="([^"]+)" aria-current="page"', page.get(address).content.decode()
        )
        assert rail == [expected], address
