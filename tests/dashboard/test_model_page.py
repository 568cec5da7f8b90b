"""The page of one model: what is wrong and whose fault that is, its numbers with their formula, and what to do next."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.budgets import set_cap
from apps.catalog.models import AIModel, Price
from apps.checks.models import BudgetMonth, Incident
from apps.core import clock
from tests.dashboard.model_past import (
    PROMPT,
    add_canary_run,
    add_checks,
    add_result,
    fill_past,
    set_state,
    set_status,
    spend,
)
from tests.dashboard.rendering import HOSTILE
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_model, make_provider, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def model(db: None) -> AIModel:
    return make_model(make_provider("OpenAI", dialect="openai"), "gpt-5")


@pytest.fixture
def price(db: None) -> Price:
    return Price.objects.create(
        dialect="openai", model="gpt-5", input_per_million="1.25", output_per_million="10", valid_from="2020-01-01"
    )


def read(client: Client, model: AIModel, query: str = "") -> str:
    """What a person reads on the page; no part of it may have failed."""
    shown = text_of(client.get(f"{model.target.get_absolute_url()}{query}").content).replace("\u00a0", " ")
    # Once, as the pattern from which scripts make it.
    assert shown.count("This part could not be loaded") == 1
    return shown


# --- Nothing there yet ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("price")
def test_without_a_streaming_check_the_page_says_what_one_would_cost(page: Client, model: AIModel) -> None:
    shown = read(page, model)
    assert "No streaming check yet." in shown
    assert re.search(r"Every \d+ min it costs at most \$\d+\.\d\d a month", shown)
    assert f"target={model.pk}&amp;kind=ai_stream" in page.get(model.target.get_absolute_url()).content.decode()


def test_without_a_price_it_does_not_invent_one(page: Client) -> None:
    shown = read(page, make_model(make_provider("Other", dialect="anthropic"), "nobody-knows-it"))
    assert "No price of this model is known" in shown
    assert "it costs at most" not in shown


def test_a_viewer_is_told_who_can_add_one(client: Client, viewer: User, model: AIModel) -> None:
    client.force_login(viewer)
    assert "An operator can add one." in read(client, model)
    assert "/checks/new/" not in client.get(model.target.get_absolute_url()).content.decode()


def test_uptime_without_looks_is_no_100_per_cent(page: Client, model: AIModel) -> None:
    shown = read(page, model)
    assert "Uptime 24 h – No look counts yet" in shown
    assert "100 %" not in shown


# --- What is wrong, and whose fault it is ---------------------------------------------------------------------

REASONS = [
    ("invalid_key", "Key not accepted", "Whose fault: Ours", "Paid looks come more rarely"),
    ("overloaded", "Overloaded", "Whose fault: The provider's", ""),
    ("dns_not_found", "Network", "Whose fault: The network's", "no answer came through"),
    ("wrong_answer", "Wrong answer", "Whose fault: The model's answer", "this is no outage"),
]


@pytest.mark.parametrize(("reason", "label", "fault", "words"), REASONS)
def test_a_class_is_said_in_words_with_whose_fault_it_is(
    page: Client, model: AIModel, reason: str, label: str, fault: str, words: str
) -> None:
    check = add_checks(model)["ai_stream"]
    set_state(check, state="failed", reason=reason, details={"actual": 401, "host": "api.example.com"})
    shown = read(page, model)
    assert f"{label} {fault}" in shown
    assert words in shown


def test_a_model_that_is_well_has_nobody_to_blame(page: Client, model: AIModel) -> None:
    set_state(add_checks(model)["ai_stream"])
    set_status(model, "operational", "ok")
    assert "Whose fault" not in read(page, model)


def test_the_last_failure_is_shown_masked_and_hostile_text_is_text(page: Client, model: AIModel) -> None:
    check = add_checks(model)["ai_stream"]
    evidence = {
        "actual": 401,
        "status_line": "HTTP/1.1 401 Unauthorized",
        "detail": HOSTILE,
        "headers": {"authorization": "••••••", "x-request-id": "a-1"},
    }
    identifier = add_result(check, state="degraded", reason="invalid_key", evidence=evidence)
    content = page.get(model.target.get_absolute_url()).content.decode()
    shown = read(page, model)
    assert "The provider does not accept the API key (status 401)." in shown
    assert "authorization hidden" in shown
    assert "<script>alert" not in content
    assert f'href="/checks/{check.pk}/results/{identifier}/"' in content


# --- The past -------------------------------------------------------------------------------------------------


def test_uptime_leaves_out_rate_limits_and_shows_its_formula(page: Client, model: AIModel) -> None:
    check = add_checks(model)["ai_ping"]
    now = clock.now()
    for number in range(10):
        add_result(check, at=now - timedelta(minutes=number + 1))
    add_result(check, at=now - timedelta(minutes=20), state="failed", reason="overloaded")
    add_result(check, at=now - timedelta(minutes=21), state="degraded", reason="rate_limited")
    shown = read(page, model)
    assert "Uptime = 1 − failed ÷ (looks − rate-limited) = 1 − 1 ÷ (12 − 1) = 90.909 %." in shown
    assert "Uptime 24 h 90.909 % of 11 looks" in shown


@pytest.mark.parametrize("preset", ["24h", "7d", "30d", "90d", "nonsense", "1h"])
def test_the_period_is_in_the_url(page: Client, model: AIModel, preset: str) -> None:
    add_checks(model)
    content = page.get(model.target.get_absolute_url(), {"range": preset}).content.decode()
    chosen = preset if preset in ("24h", "7d", "30d", "90d") else "24h"
    for chart in ("first-token", "speed", "duration", "errors", "spend"):
        assert f'/charts/{chart}.json?range={chosen}"' in content
    assert f"/fragments/uptime/?range={chosen}" in content


def test_the_last_look_is_shown_with_both_first_tokens(page: Client, model: AIModel) -> None:
    set_state(add_checks(model)["ai_stream"], ttft_ms=412.0, answer_ttft_ms=655.0, output_tokens_per_second=83.14)
    shown = read(page, model)
    assert "First token, last look 412 ms first answer token 655 ms" in shown
    assert "Speed, last look 83.1 tokens/s" in shown


# --- Money ----------------------------------------------------------------------------------------------------


def test_spend_stands_beside_the_cap(page: Client, model: AIModel) -> None:
    add_checks(model)
    now = clock.now()
    spend(model, now, "0.80", looks=12, estimated_looks=2)
    set_cap(actor=None, provider=model.provider, monthly_cap=Decimal(10))
    BudgetMonth.objects.create(provider=model.provider, month=now.date().replace(day=1), spent="8.5", reserved="0.25")
    shown = read(page, model)
    assert "This model $0.80 12 paid looks" in shown
    assert "Cap of OpenAI $8.50 of $10.00, 85 %" in shown
    assert "More than four fifths are spent." in shown
    assert "$0.25 set aside for looks under way." in shown
    assert "Of 2 looks the provider named no usage: their cost is estimated." in shown


def test_a_reached_cap_says_that_paid_looks_have_stopped(page: Client, model: AIModel) -> None:
    set_cap(actor=None, provider=model.provider, monthly_cap=Decimal(1))
    month = clock.now().date().replace(day=1)
    BudgetMonth.objects.create(provider=model.provider, month=month, spent="1", reserved="0")
    assert "The cap is reached: paid looks have stopped" in read(page, model)


def test_without_a_cap_it_says_so_and_where_to_set_one(page: Client, model: AIModel) -> None:
    shown = read(page, model)
    assert "There is no cap: paid looks go on whatever they cost." in shown
    assert "Set a monthly cap" in shown


@pytest.mark.usefixtures("price")
def test_the_ladder_shows_every_rung_with_its_interval_and_price(page: Client, model: AIModel) -> None:
    add_checks(model, ("ai_models", "ai_ping"))
    shown = read(page, model)
    assert re.search(r"1 free Models list AI model list 1 min 1 \$0 ", shown)
    assert re.search(r"2 paid Ping AI model ping 1 min 1 \$\d+\.\d\d ", shown)
    assert re.search(r"3 paid AI model stream Not on\. Add it – – would be \$\d+\.\d\d every", shown)
    assert "embedding" not in shown
    assert "Priced at $1.25 per million tokens in and $10.00 out." in shown


# --- Rate limits ----------------------------------------------------------------------------------------------


def test_head_room_has_its_age(page: Client, model: AIModel) -> None:
    limits = {"requests": {"limit": 500, "remaining": 10, "reset_seconds": 34}, "odd": "nonsense"}
    said_at = clock.now() - timedelta(minutes=5, seconds=1)
    set_state(add_checks(model)["ai_stream"], rate_limit=limits, rate_limit_at=said_at)
    shown = read(page, model)
    assert re.search(r"Rate limits Said 5 min ago Requests 10 of 500 left", shown)


def test_a_provider_that_said_nothing_of_limits_is_no_empty_meter(page: Client, model: AIModel) -> None:
    assert "The provider has not said what its limits leave." in read(page, model)


# --- Golden prompts -------------------------------------------------------------------------------------------


def test_a_prompt_that_failed_shows_what_differs_for_eyes_and_ears(page: Client, model: AIModel) -> None:
    check = add_checks(model)["ai_canary"]
    add_canary_run(check, at=clock.now() - timedelta(days=1))
    add_canary_run(check, PROMPT | {"passed": False}, {"name": "two and two", "passed": True})
    content = page.get(model.target.get_absolute_url()).content.decode()
    assert re.search(r'<del><span class="visually-hidden">\[expected\] </span>Paris</del>', content)
    assert re.search(r'<ins><span class="visually-hidden">\[got\] </span>Lyon</ins>', content)
    shown = read(page, model)
    assert "1 of 2 prompts failed" in shown
    assert "two and two Passed" in shown


def test_a_good_canary_and_one_that_was_never_asked_say_so(page: Client, model: AIModel) -> None:
    check = add_checks(model)["ai_canary"]
    assert "No golden prompt was asked yet." in read(page, model)
    add_canary_run(check)
    assert "All prompts passed" in read(page, model)


# --- Around it ------------------------------------------------------------------------------------------------


def test_other_targets_keep_their_own_page(page: Client, model: AIModel) -> None:
    service = make_service("Shop").target
    assert "Spend this month" not in text_of(page.get(service.get_absolute_url()).content)
    assert page.get(f"{service.get_absolute_url()}fragments/ladder/").status_code == 404
    assert page.get(f"{service.get_absolute_url()}charts/speed.json").status_code == 404
    assert page.get(f"{model.target.get_absolute_url()}fragments/ladder/").status_code == 200


def test_an_incident_of_the_model_stands_there(page: Client, model: AIModel) -> None:
    fill_past(model, 2)
    Incident.objects.create(target=model.target, severity="outage", reason="overloaded", opened_at=clock.now())
    assert "Open incident" in read(page, model)


# --- What leads on --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("price")
def test_its_price_is_one_click_away_and_a_missing_one_is_filled_in(page: Client, model: AIModel) -> None:
    content = page.get(model.target.get_absolute_url()).content.decode()
    assert f'href="/settings/prices/?provider={model.provider_id}&amp;model=gpt-5"' in content
    other = make_model(model.provider, "nobody-knows-it")
    add_checks(other)
    content = page.get(other.target.get_absolute_url()).content.decode()
    assert f'href="/settings/prices/new/?provider={model.provider_id}&amp;model=nobody-knows-it"' in content


def test_the_class_of_the_failure_that_lasts_is_said_at_the_head_only(page: Client, model: AIModel) -> None:
    check = add_checks(model, ("ai_stream",))["ai_stream"]
    add_result(check, state="failed", reason="overloaded", evidence={"actual": 529})
    set_state(check, state="failed", reason="overloaded", details={"actual": 529})
    set_status(model, "outage", "overloaded", check)
    assert read(page, model).count("Whose fault: The provider's") == 1
    set_state(check)
    set_status(model, "operational", "ok")
    assert read(page, model).count("Whose fault: The provider's") == 1


def test_a_rung_named_like_its_kind_says_it_once(page: Client, model: AIModel) -> None:
    check = add_checks(model, ("ai_ping",))["ai_ping"]
    assert read(page, model).count("AI model ping") == 1
    check.name = "AI model ping"
    check.save()
    content = page.get(f"{model.target.get_absolute_url()}fragments/ladder/").content
    assert text_of(content).count("AI model ping") == 1


def test_limits_that_have_filled_up_since_are_no_warning(page: Client, model: AIModel) -> None:
    limits = {"tokens": {"limit": 1_000, "remaining": 10, "reset_seconds": 8}}
    check = add_checks(model, ("ai_ping",))["ai_ping"]
    set_state(check, rate_limit=limits, rate_limit_at=clock.now() - timedelta(minutes=5))
    assert "Full again since then." in read(page, model)
    set_state(check, rate_limit=limits, rate_limit_at=clock.now())
    assert "since then" not in read(page, model)
