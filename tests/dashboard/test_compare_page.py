"""Models side by side: which are chosen, in which order they stand, and what is left out and said."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import AIModel, Environment, Price
from apps.core import clock
from apps.dashboard.ai import compare
from tests.dashboard.model_past import add_checks, add_result, fill_past, spend
from tests.dashboard.rendering import HOSTILE
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_model, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, viewer: User) -> Client:
    client.force_login(viewer)
    return client


@pytest.fixture
def some(db: None) -> list[AIModel]:
    """Three models: fast and failing, slow and good, and one nobody looked at."""
    provider = make_provider("OpenAI", dialect="openai")
    fast, slow, new = (make_model(provider, name) for name in ("fast", "slow", "new"))
    now = clock.now()
    for model, milliseconds, failed in ((fast, 200.0, 3), (slow, 900.0, 0)):
        check = add_checks(model, ("ai_stream",))["ai_stream"]
        for number in range(20):
            measured = {"ttft_ms": milliseconds, "output_tokens_per_second": 20_000 / milliseconds}
            add_result(check, at=now - timedelta(minutes=number + 1), measurements=measured)
        for number in range(failed):
            add_result(check, at=now - timedelta(minutes=30 + number), state="failed", reason="overloaded")
        spend(model, now, f"{milliseconds / 1000}")
    Price.objects.create(
        dialect="openai", model="fast", input_per_million="3", output_per_million="12", valid_from="2020-01-01"
    )
    return [fast, slow, new]


def address(models: list[AIModel], query: str = "") -> str:
    return f"/models/compare/?ids={','.join(str(model.pk) for model in models)}{query}"


def names(client: Client, url: str) -> list[str]:
    """The names of the rows of the table, in order."""
    answer = client.get(url)
    assert answer.status_code == 200
    found = re.findall(r'<tr id="compared-[^"]+"[^>]*data-name="([^"]+)"', answer.content.decode())
    return [name.partition(" · ")[0] for name in found]


def test_models_stand_side_by_side_with_everything_that_tells_them_apart(page: Client, some: list[AIModel]) -> None:
    shown = text_of(page.get(address(some)).content).replace("\u00a0", " ")
    assert re.search(
        r"fast OpenAI 86\.956 % (20[0-2]|19[89]) ms .* tokens/s Overloaded 3 \$0\.20 \$3\.00 / \$12\.00", shown
    )
    assert re.search(r"slow OpenAI 100 % (89|90|91)\d ms .* none \$0\.90 not known", shown)
    assert "new OpenAI – – – – – $0 not known" in shown
    assert "$1.10 together" in shown


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", ["fast", "slow", "new"]),
        ("nonsense", ["fast", "slow", "new"]),
        ("name", ["fast", "new", "slow"]),
        ("-name", ["slow", "new", "fast"]),
        ("p50", ["fast", "slow", "new"]),
        ("-p50", ["slow", "fast", "new"]),
        ("-p95", ["slow", "fast", "new"]),
        ("speed", ["slow", "fast", "new"]),
        ("uptime", ["fast", "slow", "new"]),
        ("-uptime", ["slow", "fast", "new"]),
        ("-errors", ["fast", "slow", "new"]),
        ("-spend", ["slow", "fast", "new"]),
        ("price", ["fast", "slow", "new"]),
    ],
)
def test_every_column_sorts_and_what_has_no_value_stands_last(
    page: Client, some: list[AIModel], sort: str, expected: list[str]
) -> None:
    assert names(page, address(some, f"&sort={sort}")) == expected


def test_every_head_that_can_sort_has_an_order(page: Client, some: list[AIModel]) -> None:
    content = page.get(address(some)).content.decode()
    table = content[content.index('id="compared"') : content.index("</thead>", content.index('id="compared"'))]
    assert set(re.findall(r"[?&;]sort=([\w-]+)", table)) == set(compare.SORTS)


def test_the_charts_have_one_line_a_model_on_one_clock(page: Client, some: list[AIModel]) -> None:
    ids = ",".join(str(model.pk) for model in some)
    for name in ("first-token", "speed", "duration"):
        drawn = page.get(f"/models/compare/{name}.json?ids={ids}&range=24h").json()
        assert [line["label"] for line in drawn["lines"]] == ["fast", "slow", "new"]
        assert {len(line["values"]) for line in drawn["lines"]} == {len(drawn["times"])}
    assert page.get(f"/models/compare/nonsense.json?ids={ids}").status_code == 404
    assert page.get(f"/models/compare/speed.json?ids={ids}&from=x").status_code == 400


def test_two_models_of_one_name_are_told_apart_by_their_provider(page: Client) -> None:
    twins = [make_model(make_provider(name), "llama-3") for name in ("Here", "There")]
    ids = ",".join(str(model.pk) for model in twins)
    drawn = page.get(f"/models/compare/speed.json?ids={ids}").json()
    assert [line["label"] for line in drawn["lines"]] == ["llama-3 · Here", "llama-3 · There"]


def test_eight_are_the_most_and_lines_beyond_four_differ_in_more_than_colour(page: Client) -> None:
    provider = make_provider("Many")
    for number in range(10):
        make_model(provider, f"m-{number}")
    url = f"/models/compare/?ids={provider.pk}"
    assert len(names(page, url)) == compare.MOST
    shown = text_of(page.get(url).content)
    assert "At most 8 models can be compared; 2 more are left out." in shown
    assert "Choose a model" not in shown
    drawn = page.get(f"/models/compare/speed.json?ids={provider.pk}").json()
    assert [line.get("dash") for line in drawn["lines"]] == [None] * 4 + ["dashed"] * 4


def test_what_is_no_model_is_counted_and_left_out(page: Client, some: list[AIModel]) -> None:
    service = make_service("Shop")
    url = address(some[:1], f",{service.pk},rubbish&ids=&ids={some[1].pk},{some[1].pk}")
    assert names(page, url) == ["fast", "slow"]
    assert "2 of the ids in the address name no model you can see." in text_of(page.get(url).content)


def test_a_model_outside_ones_grants_is_no_model(
    client: Client, production: Environment, development: Environment
) -> None:
    hidden = make_model(make_provider("Secret", environment=production), "hidden")
    client.force_login(make_user("viewer", development))
    content = client.get(address([hidden])).content.decode()
    assert "hidden</" not in content
    assert "1 of the ids in the address names no model you can see." in text_of(content.encode())
    assert client.get(f"/models/compare/speed.json?ids={hidden.pk}").json()["lines"] == []


def test_a_period_that_makes_no_sense_is_said_and_the_default_shown(page: Client, some: list[AIModel]) -> None:
    shown = text_of(page.get(address(some, "&from=nonsense")).content)
    assert "Enter a moment, such as 2026-11-21T14:00:00Z. The last 24 hours are shown instead." in shown
    chosen = page.get(address(some, "&from=2026-01-01T00:00:00Z&to=2026-01-08T00:00:00Z")).content.decode()
    assert "speed.json?ids=" in chosen
    assert "from=1767225600.000&amp;to=1767830400.000" in chosen


def test_without_models_the_page_says_what_to_do(page: Client, some: list[AIModel]) -> None:
    shown = text_of(page.get("/models/compare/").content)
    assert "Nothing is compared yet." in shown
    assert "Choose a model" in shown
    AIModel.objects.all().delete()
    assert "There is no model to compare." in text_of(page.get("/models/compare/").content)


def test_a_chip_takes_one_away_and_the_choice_adds_one(page: Client, some: list[AIModel]) -> None:
    content = page.get(address(some[:2], "&range=7d")).content.decode()
    assert f'href="/models/compare/?ids={some[1].pk}&amp;range=7d"' in content
    assert f'<option value="{some[2].pk}">new</option>' in content
    assert names(page, f"/models/compare/?ids={some[0].pk},{some[1].pk}&range=7d&ids={some[2].pk}") == [
        "fast",
        "slow",
        "new",
    ]


def test_selected_rows_of_the_list_lead_here_also_for_a_viewer(page: Client, some: list[AIModel]) -> None:
    listed = page.get("/models/").content.decode()
    assert 'name="selected"' in listed
    assert 'value="compare"' in listed
    assert 'value="pause"' not in listed
    ids = [str(model.pk) for model in some[:2]]
    answer = page.post("/targets/bulk/", {"action": "compare", "selected": [*ids, "rubbish"], "back": "model"})
    assert answer.headers["Location"] == f"/models/compare/?ids={ids[0]},{ids[1]}"


def test_hostile_names_are_text(page: Client) -> None:
    model = make_model(make_provider(HOSTILE), HOSTILE)
    fill_past(model, 2)
    assert "<script>alert" not in page.get(address([model])).content.decode()
    assert "<script>alert" not in page.get(address([model], "&sort=<script>alert(1)</script>")).content.decode()
