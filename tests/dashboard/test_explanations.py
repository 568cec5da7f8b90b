"""A status that its looks contradict explains itself: on the target's page, in lists, on cards, on the check's page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import Target, TargetStatus
from apps.catalog.services import update_target
from apps.checks.models import Check, CheckRegion
from apps.core import clock
from apps.probes.base import Reason
from tests.checks.ai import looking_at_models
from tests.checks.ai.looking_at_models import make_ai_check
from tests.checks.looking import DEGRADED, FAILED, OK, add_check, look, make_check
from tests.dashboard.regions import make_region
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_model, make_provider, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def read(client: Client, address: str) -> str:
    return text_of(client.get(address).content).replace("\u00a0", " ")


def status_of(target: Target) -> tuple[str, str]:
    row = TargetStatus.objects.get(target=target)
    return row.status, row.reason


def test_one_failure_of_two_is_said_while_the_status_is_still_good(page: Client) -> None:
    check = make_check("Shop")
    look(check, OK, FAILED)
    assert status_of(check.target) == ("operational", "ok")
    sentence = "1 of 2 looks failed, confirming. Expected status 200, got 503."
    shown = read(page, check.target.get_absolute_url())
    assert f"Operational: {sentence}" in shown
    assert "found what it expects" not in shown
    assert "See what was found" in shown
    for address in ("/services/", "/", check.get_absolute_url()):
        assert sentence in read(page, address)
    look(check, OK)
    assert "confirming" not in read(page, check.target.get_absolute_url())


def test_a_first_failure_is_no_longer_called_nothing_measured(page: Client) -> None:
    check = make_check("Shop", failure_threshold=3)
    look(check, FAILED)
    assert status_of(check.target) == ("unknown", "not_measured")
    for address in (check.target.get_absolute_url(), "/services/"):
        shown = read(page, address)
        assert "1 of 3 looks failed, confirming." in shown
        assert "measured yet" not in shown


def test_looks_that_were_slow_are_not_called_failures(page: Client) -> None:
    check = make_check("Shop", failure_threshold=3)
    look(check, OK, DEGRADED, DEGRADED)
    assert "2 of 3 looks were not good, confirming." in read(page, check.target.get_absolute_url())


def test_a_region_the_others_outvote_is_said(page: Client) -> None:
    check = make_check("Shop")
    look(check, OK)
    for slug in ("seoul", "busan"):
        make_region(slug)
    rows = CheckRegion.objects.filter(source_check=check)
    assert rows.count() == 3
    rows.update(verdict="operational", reason="ok")
    rows.filter(region__slug="seoul").update(verdict="outage", failures=4, degradations=4)
    assert "1 of 3 regions see it otherwise." in read(page, check.target.get_absolute_url())


def test_a_model_names_the_class_once_beside_its_count(page: Client) -> None:
    model = make_model(make_provider("OpenAI"), "gpt")
    check = make_ai_check(model.target, "ai_ping", failure_threshold=2)
    looking_at_models.look(check)
    looking_at_models.look(check, FAILED, Reason.OVERLOADED, evidence={"actual": 529})
    for address in ("/models/", "/", model.provider.target.get_absolute_url()):
        shown = read(page, address)
        assert "1 of 2 looks failed, confirming. Overloaded · fault: The provider's" in shown.replace("&#x27;", "'")
    shown = read(page, model.target.get_absolute_url())
    assert "Operational: 1 of 2 looks failed, confirming. The provider says it is overloaded (status 529)." in shown
    assert "Overloaded Whose fault: The provider's" in shown


def test_a_class_that_follows_from_the_reason_is_not_said_twice(page: Client) -> None:
    model = make_model(make_provider("OpenAI"), "gpt")
    check = make_ai_check(model.target, "ai_ping", failure_threshold=1)
    looking_at_models.look(check, FAILED, Reason.OVERLOADED, evidence={"actual": 529})
    for address in ("/models/", model.provider.target.get_absolute_url()):
        shown = read(page, address)
        assert "The provider says it is overloaded (status 529). Fault: The provider's" in shown
        assert "Overloaded ·" not in shown


def test_a_canary_on_a_good_model_says_that_it_does_not_decide(page: Client) -> None:
    model = make_model(make_provider("OpenAI"), "gpt")
    looking_at_models.look(make_ai_check(model.target, "ai_ping"))
    canary = make_ai_check(model.target, "ai_canary", name="Golden prompts", affects_status=False)
    looking_at_models.look(canary, DEGRADED, Reason.WRONG_ANSWER)
    assert "“Golden prompts” is not well, and has no say in the status." in read(page, "/models/")
    shown = read(page, model.target.get_absolute_url())
    assert "Operational: “Golden prompts” is not well, and has no say in the status." in shown
    assert "Wrong answer Whose fault: The model's answer" in shown


def test_a_class_of_a_look_that_does_not_count_is_explained_too(page: Client) -> None:
    model = make_model(make_provider("OpenAI"), "gpt")
    check = make_ai_check(model.target, "ai_ping")
    looking_at_models.look(check)
    model.target.ai_states.update(state="failed", reason="overloaded", details={"actual": 529}, at=clock.now())
    assert "The last look does not count towards the status." in read(page, "/models/")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (None, "No check looks at it yet."),
        ({"enabled": False}, "No check looks at it yet."),
        ({"affects_status": False}, "None of its checks decides the status."),
        ({}, "Nothing was measured yet."),
    ],
)
def test_why_nothing_was_measured_is_said(page: Client, fields: dict[str, bool] | None, sentence: str) -> None:
    service = make_service("Shop")
    if fields is not None:
        add_check(service.target, **fields)
    for address in (service.target.get_absolute_url(), "/services/"):
        assert sentence in read(page, address)


def test_a_result_from_before_it_was_switched_on_again_is_no_measurement_of_now(page: Client) -> None:
    check: Check = make_check("Shop")
    look(check, OK)
    for enabled in (False, True):
        update_target(actor=None, target=Target.objects.get(pk=check.target_id), enabled=enabled)
    assert status_of(check.target) == ("unknown", "not_measured")
    assert "Nothing was measured since it was last switched on or changed." in read(
        page, check.target.get_absolute_url()
    )


def test_a_model_that_only_met_rate_limits_has_no_uptime(page: Client) -> None:
    model = make_model(make_provider("OpenAI"), "gpt")
    check = make_ai_check(model.target, "ai_ping")
    now = clock.now()
    looking_at_models.fill(
        check, now - timedelta(minutes=30), now, state=DEGRADED, reason=Reason.RATE_LIMITED, ttft=None
    )
    TargetStatus.objects.filter(target=model.target).update(status="degraded", reason="rate_limited", since=now)
    assert "100 %" not in read(page, "/models/")
    shown = read(page, model.target.get_absolute_url())
    assert re.search(r"Uptime 24 h – all \d+ looks met a rate limit: none counts", shown)
