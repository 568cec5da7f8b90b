"""The page of a check: its verdict and why, its results, one result, and a look somebody asks for."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.checks.models import Check, CheckResult, CheckRun
from apps.checks.services import update_check
from apps.core import clock
from apps.core.ids import uuid7
from tests import factories
from tests.checks.looking import DEGRADED, FAILED, INDETERMINATE, OK, claim, finished, look, make_check, record
from tests.dashboard.rendering import HOSTILE
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_model, make_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def check(db: None) -> Check:
    return make_check(
        "Shop", config={"url": "http://127.0.0.1:9/", "headers": {"X-Api-Key": "s3cret", "X-Team": "blue"}}
    )


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return text_of(answer.content)


@pytest.mark.parametrize(
    ("kind", "config", "said"),
    [
        ("vendor_status", {"url": "https://status.openai.com"}, "for information"),
        ("ai_canary", {"prompts": [{"name": "Sum", "prompt": "2 + 2?", "expected": "4"}]}, "canary"),
    ],
)
def test_a_check_that_decides_nothing_is_called_what_it_is(page: Client, kind: str, config: Any, said: str) -> None:
    provider = make_provider("OpenAI", base_url="https://api.openai.com/v1")
    target = provider.target if kind == "vendor_status" else make_model(provider, "gpt").target
    made = factories.make_check(target, kind=kind, name="It", config=config, affects_status=False)
    text = shown(page, made.get_absolute_url())
    assert {word for word in ("for information", "canary") if word in text} == {said}


# --- The verdict ----------------------------------------------------------------------------------------------


def test_a_new_check_says_that_nothing_was_measured(page: Client, check: Check) -> None:
    text = shown(page, check.get_absolute_url())
    assert "Unknown: Nothing was measured yet." in text
    assert "No look has counted yet." in text


@pytest.mark.parametrize(
    ("states", "verdict", "counted"),
    [
        ([OK], "Operational: The last look found what it expects.", "1 look in a row was good"),
        ([OK, FAILED], "Operational", "1 look in a row was not good; 2 make a change."),
        (
            [FAILED, FAILED, FAILED],
            "Outage: Expected status 200, got 503.",
            "3 looks in a row failed; 2 make an outage.",
        ),
        ([OK, DEGRADED, DEGRADED], "Degraded", "2 looks in a row were not good; 2 make a change."),
        ([FAILED, FAILED, INDETERMINATE], "Outage", "2 looks in a row failed; 2 make an outage."),
    ],
)
def test_the_page_says_what_was_decided_and_what_was_counted(
    page: Client, check: Check, states: list[object], verdict: str, counted: str
) -> None:
    look(check, *states)  # type: ignore[arg-type]
    text = shown(page, check.get_absolute_url())
    assert verdict in text
    assert counted in text


def test_a_recovery_that_takes_several_good_looks_is_counted(page: Client, check: Check) -> None:
    update_check(actor=None, check=check, recovery_threshold=3)
    look(check, FAILED, FAILED, OK)
    assert "1 look in a row was good; 3 make a recovery." in shown(page, check.get_absolute_url())


def test_the_change_that_followed_stands_beneath_with_its_evidence(page: Client, check: Check) -> None:
    look(check, OK, FAILED, FAILED)
    text = shown(page, f"{check.get_absolute_url()}fragments/verdict/")
    assert "What followed for the target" in text
    assert "Operational → then Outage" in text
    assert "Got 503" in text


# --- The configuration ----------------------------------------------------------------------------------------


def test_secrets_are_masked_for_everybody(page: Client, check: Check) -> None:
    content = page.get(check.get_absolute_url()).content.decode()
    assert "s3cret" not in content
    assert "X-Api-Key: ••••••" in content
    assert "X-Team: blue" in content


def test_a_viewer_sees_no_request_headers_at_all(client: Client, viewer: User, check: Check) -> None:
    client.force_login(viewer)
    content = client.get(check.get_absolute_url()).content.decode()
    assert "http://127.0.0.1:9/" in content
    assert "X-Api-Key" not in content
    assert "X-Team" not in content
    assert "shown to operators only" in content


def test_a_viewer_gets_no_button(client: Client, viewer: User, check: Check) -> None:
    client.force_login(viewer)
    content = client.get(check.get_absolute_url()).content.decode()
    for action in ("run", "switch", "edit", "delete"):
        assert f"/{action}/" not in content


# --- Results --------------------------------------------------------------------------------------------------


def test_results_are_listed_newest_first_each_with_its_sentence(page: Client, check: Check) -> None:
    look(check, OK, FAILED)
    text = shown(page, f"{check.get_absolute_url()}fragments/results/")
    assert text.index("Expected status 200, got 503.") < text.index("Everything was as expected.")


@pytest.mark.parametrize(("outcome", "number"), [("ok", 2), ("failed", 1), ("degraded", 0), ("nonsense", 3)])
def test_results_are_filtered_by_their_outcome(page: Client, check: Check, outcome: str, number: int) -> None:
    look(check, OK, OK, FAILED)
    content = page.get(f"{check.get_absolute_url()}?outcome={outcome}").content.decode()
    assert content.count('id="result-') == number


def test_results_are_paged_by_cursor(page: Client, check: Check) -> None:
    region = check.regions.get().region_id
    now = clock.now()
    CheckResult.objects.bulk_create(
        CheckResult(
            at=now - timedelta(seconds=number),
            id=uuid7(),
            check_id=check.pk,
            region_id=region,
            state="ok",
            reason="ok",
            duration_ms=number,
        )
        for number in range(35)
    )
    first = page.get(check.get_absolute_url()).content.decode()
    found = re.search(r'rel="next" href="([^"]+)"', first)
    assert found
    second = page.get(check.get_absolute_url() + found[1].replace("&amp;", "&")).content.decode()
    rows = [set(re.findall(r'id="result-([^"]+)"', content)) for content in (first, second)]
    assert [len(one) for one in rows] == [25, 10]
    assert not rows[0] & rows[1]


def test_one_result_shows_its_phases_and_everything_that_was_seen(page: Client, check: Check) -> None:
    evidence = {
        "expected": 200,
        "actual": 503,
        "conditions": [
            {"field": "status", "operator": "==", "expected": 200, "actual": 503, "passed": False},
            {"field": "response_time_ms", "operator": "<", "expected": 800, "actual": 12.5, "passed": True},
        ],
        "body": HOSTILE,
    }
    measurements = {"connect_ms": 1.5, "first_byte_ms": 9.0, "transfer_ms": 2.0}
    record(finished(check, FAILED, claim(check), evidence=evidence, measurements=measurements, status_code=503))
    result = CheckResult.objects.get()

    content = page.get(f"{check.get_absolute_url()}results/{result.id}/").content.decode()

    text = text_of(content.encode())
    assert "Expected status 200, got 503." in text
    assert "Status 503" in text
    assert "Waiting for the first byte" in text
    assert "Passed response_time_ms &lt; 800".replace("&lt;", "<") in text
    assert "Failed status == 200 503" in text
    assert "<script>alert(1)" not in content


def test_a_result_of_another_check_is_404(page: Client, check: Check) -> None:
    other = make_check("Other")
    look(other, FAILED)
    result = CheckResult.objects.get(check_id=other.pk)
    assert page.get(f"{check.get_absolute_url()}results/{result.id}/").status_code == 404
    assert page.get(f"{check.get_absolute_url()}runs/{uuid7()}/").status_code == 404


def test_the_chart_shows_the_limit_above_which_it_counts_as_slow(page: Client, check: Check) -> None:
    update_check(actor=None, check=check, degraded_after_ms=250)
    look(check, OK)
    document = page.get(f"{check.get_absolute_url()}latency.json?range=1h").json()
    assert document["thresholds"][0]["value"] == 250
    assert page.get(f"{check.get_absolute_url()}latency.json?range=ages").status_code == 400


# --- Run now --------------------------------------------------------------------------------------------------

HTMX = {"HX-Request": "true"}


def run_of(content: str) -> UUID:
    found = re.search(r"/runs/([0-9a-f-]{36})/", content)
    assert found, content
    return UUID(found[1])


@pytest.mark.django_db(transaction=True)
def test_run_now_shows_pending_and_then_what_was_found(page: Client, check: Check) -> None:
    pending = page.post(f"{check.get_absolute_url()}run/", headers=HTMX).content.decode()
    assert "Looking now" in text_of(pending.encode())
    run = run_of(pending)
    again = page.post(f"{check.get_absolute_url()}run/", headers=HTMX).content.decode()
    assert run_of(again) == run
    assert run_of(page.get(f"{check.get_absolute_url()}runs/{run}/", headers=HTMX).content.decode()) == run

    check.refresh_from_db()
    generation = check.regions.get().generation
    evidence = {"conditions": [{"field": "status", "operator": "==", "expected": 200, "actual": 200, "passed": True}]}
    record(finished(check, OK, generation, run=str(run), evidence=evidence, measurements={"connect_ms": 4.0}))

    done = page.get(f"{check.get_absolute_url()}runs/{run}/", headers=HTMX).content.decode()
    text = text_of(done.encode())
    assert "Everything was as expected." in text
    assert "Connect" in text
    assert "Passed status == 200" in text
    assert "hx-trigger" not in done
    assert "Everything was as expected." in shown(page, f"{check.get_absolute_url()}results/{run}/")


@pytest.mark.django_db(transaction=True)
def test_without_scripts_the_run_has_an_address(page: Client, check: Check) -> None:
    answer = page.post(f"{check.get_absolute_url()}run/", follow=True)
    assert "?run=" in answer.redirect_chain[-1][0]
    assert "Looking now" in text_of(answer.content)
    run = CheckRun.objects.get()
    assert "Looking now" in shown(page, f"{check.get_absolute_url()}results/{run.pk}/")


@pytest.mark.django_db(transaction=True)
def test_a_run_nobody_answered_says_where_to_look(page: Client, check: Check) -> None:
    page.post(f"{check.get_absolute_url()}run/")
    run = CheckRun.objects.get()
    CheckRun.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    content = page.get(f"{check.get_absolute_url()}runs/{run.pk}/", headers=HTMX).content.decode()
    assert "No answer came back in time." in content
    assert "/settings/health/" in content
    assert "hx-trigger" not in content


def test_a_run_in_the_url_that_is_none_is_left_out(page: Client, check: Check) -> None:
    assert page.get(f"{check.get_absolute_url()}?run=nonsense").status_code == 200
    assert page.get(f"{check.get_absolute_url()}?run={uuid7()}").status_code == 200


def test_running_takes_a_post_with_a_token(operator: User, check: Check) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator)
    assert client.get(f"{check.get_absolute_url()}run/").status_code == 405
    assert client.post(f"{check.get_absolute_url()}run/").status_code == 403
    assert not CheckRun.objects.exists()


# --- Pause, resume, delete --------------------------------------------------------------------------------------


def test_a_check_is_paused_and_resumed(page: Client, check: Check) -> None:
    answer = page.post(f"{check.get_absolute_url()}switch/", {"enabled": "no"}, follow=True)
    assert "The check is paused." in text_of(answer.content)
    check.refresh_from_db()
    assert not check.enabled
    page.post(f"{check.get_absolute_url()}switch/", {"enabled": "yes"})
    check.refresh_from_db()
    assert check.enabled


def test_a_deleted_check_is_gone_and_its_target_page_says_that_nothing_looks(page: Client, check: Check) -> None:
    answer = page.post(f"{check.get_absolute_url()}delete/", follow=True)
    assert answer.redirect_chain[-1][0] == check.target.get_absolute_url()
    assert "No check looks at it yet." in text_of(answer.content)
    assert page.get(check.get_absolute_url()).status_code == 404


def test_hostile_names_are_text(page: Client) -> None:
    check = make_check(HOSTILE)
    update_check(actor=None, check=check, name=HOSTILE)
    look(check, FAILED, FAILED)
    assert "<script>alert(1)" not in page.get(check.get_absolute_url()).content.decode()
