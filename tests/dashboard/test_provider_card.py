"""What a provider's card, its page and the list of models say of models: the middle, the worst, money, the vendor."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.budgets import set_cap
from apps.catalog.models import Provider
from apps.checks.models import BudgetMonth, VendorPage
from apps.core import clock
from tests.dashboard.model_past import add_checks, set_state, set_status, spend
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_model, make_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def provider(db: None) -> Provider:
    """Three measured models, a new one, and one whose check is switched off and would be the worst."""
    made = make_provider("OpenAI")
    for name, first_token, speed in (("quick", 200.0, 90.0), ("middling", 400.0, 60.0), ("worst", 1_800.0, 12.0)):
        set_state(
            add_checks(make_model(made, name), ("ai_stream",))["ai_stream"],
            ttft_ms=first_token,
            output_tokens_per_second=speed,
        )
    make_model(made, "new")
    check = add_checks(make_model(made, "off"), ("ai_stream",))["ai_stream"]
    set_state(check, ttft_ms=99_000.0)
    check.enabled = False
    check.save()
    return made


def read(client: Client, url: str) -> str:
    shown = text_of(client.get(url).content).replace("\u00a0", " ")
    assert shown.count("This part could not be loaded") == 1
    return shown


@pytest.mark.parametrize("where", ["overview", "provider"])
def test_the_middle_and_the_worst_of_its_models_are_named(page: Client, provider: Provider, where: str) -> None:
    shown = read(page, "/" if where == "overview" else provider.target.get_absolute_url())
    assert re.search(r"First token: median 400 ms , worst 1\.80 s \( ?worst", shown)
    assert re.search(r"Speed: median 60 tokens/s , worst 12 tokens/s \( ?worst", shown)


def test_money_stands_beside_its_cap(page: Client, provider: Provider) -> None:
    month = clock.now().date().replace(day=1)
    BudgetMonth.objects.create(provider=provider, month=month, spent="4.20", reserved="0")
    assert re.search(r"Spent this month \$4\.20 , no cap", read(page, "/"))
    set_cap(actor=None, provider=provider, monthly_cap=Decimal(5))
    assert re.search(r"Spent this month \$4\.20 of \$5\.00 84 %", read(page, "/"))
    set_cap(actor=None, provider=provider, monthly_cap=Decimal(4))
    assert "cap reached" in read(page, "/")


def test_the_vendors_own_word_stands_beside_ours_and_an_unreadable_page_is_no_outage(
    page: Client, provider: Provider
) -> None:
    now = clock.now()
    VendorPage.objects.create(provider=provider, status="outage", since=now, readable=True, read_at=now)
    assert "The vendor says Outage" in read(page, "/")
    VendorPage.objects.filter(provider=provider).update(readable=False)
    assert "The vendor says Unknown page not readable" in read(page, "/")


def test_a_provider_without_any_of_it_has_a_quiet_card(page: Client) -> None:
    make_model(make_provider("Quiet"), "new")
    shown = read(page, "/")
    assert "median" not in shown
    assert "The vendor says" not in shown


def test_a_row_names_the_class_and_whose_fault_it_is(page: Client, provider: Provider) -> None:
    model = provider.models.get(target__name="worst")
    check = model.target.checks.get()
    set_state(check, state="degraded", reason="quota_exhausted", details={"actual": 429})
    set_status(model, "degraded", "quota_exhausted", check)
    spend(model, clock.now(), "0.42")
    for url in ("/", provider.target.get_absolute_url(), "/models/"):
        shown = read(page, url)
        assert "Quota exhausted Fault: Ours" in shown
        assert "Quota used up" not in shown
    listed = read(page, "/models/")
    assert re.search(r"412 ms 83\.1 tokens/s \$0\.42", listed)


def test_a_provider_leads_to_the_comparison_of_its_models(page: Client, provider: Provider) -> None:
    content = page.get(provider.target.get_absolute_url()).content.decode()
    assert f'href="/models/compare/?ids={provider.pk}"' in content
    assert "Enter the address of its status page" in content


def test_columns_of_measures_are_those_of_the_models_list_only(page: Client, provider: Provider) -> None:
    listed = page.get("/models/").content.decode()
    for column in ("token", "speed", "spend"):
        assert f'value="{column}" checked' in listed
        assert listed.count(f'data-column="{column}"') == 1 + 6
    assert 'data-column="token"' not in page.get("/targets/").content.decode()


def test_one_model_is_nothing_to_compare(page: Client) -> None:
    made = make_provider("Small")
    make_model(made, "only")
    assert "Compare its models" not in read(page, made.target.get_absolute_url())
    make_model(made, "other")
    assert "Compare its models" in read(page, made.target.get_absolute_url())


@pytest.mark.parametrize(
    ("offered", "said"),
    [
        (["a"], ""),
        (["a", "b", "c"], "Its own list has 2 models that are not watched here."),
        (["b"], "Its own list has 1 model that is not watched here. 1 watched model is not in its list any more."),
        ([], "1 watched model is not in its list any more."),
    ],
)
def test_its_own_list_is_mentioned_only_where_it_differs(page: Client, offered: list[str], said: str) -> None:
    made = make_provider("OpenAI")
    Provider.objects.filter(pk=made.pk).update(offered_models=offered, last_discovered_at=clock.now())
    make_model(made, "a")
    shown = read(page, made.target.get_absolute_url())
    assert said in shown
    assert ("its own list" in shown.lower(), "in its list" in shown) == ("Its own" in said, "any more" in said)
