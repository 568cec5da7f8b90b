"""Watching models: what is made on which rung, once, together, or not at all."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from apps.accounts.models import User
from apps.catalog.models import Provider, Target
from apps.checks.ai.adding import MOST_AT_ONCE, add_models
from apps.checks.ai.climbing import list_rungs
from apps.checks.ai.model_sorts import ModelSort, sort_of
from apps.checks.models import Check, CheckRegion
from apps.checks.services import open_config
from tests.factories import api_client, make_model, make_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(db: None) -> Provider:
    return make_provider("Acme", dialect="openai", api_key="sk-1")


def kinds_of(name: str) -> list[str]:
    return sorted(Check.objects.present().filter(target__name=name).values_list("kind", flat=True))


def test_the_ladder_has_four_rungs_of_which_the_first_two_are_given() -> None:
    rungs = list_rungs()
    assert [rung.number for rung in rungs] == [1, 2, 3, 4]
    assert [rung.is_given for rung in rungs] == [True, True, False, False]
    assert [rung.is_paid for rung in rungs] == [False, True, True, True]
    assert [kind.name for kind in rungs[1].kinds] == ["ai_ping", "ai_embedding"]


def test_models_and_one_check_a_rung_are_made_together(provider: Provider) -> None:
    added = add_models(actor=None, provider=provider, names=["gpt-5", "gpt-5-mini"], rungs=[1, 2], intervals={2: 600})
    assert (added.models, added.checks) == (2, 5)
    assert kinds_of("gpt-5") == ["ai_models", "ai_ping"]
    assert kinds_of("Acme") == ["ai_models"]
    assert Check.objects.get(target__name="gpt-5", kind="ai_ping").interval_seconds == 600
    assert CheckRegion.objects.filter(source_check__target__name="gpt-5", enabled=True).count() == 2


def test_every_rung_suits_what_it_is_made_for(provider: Provider) -> None:
    add_models(
        actor=None, provider=provider, names=["gpt-5", "text-embedding-3-small", "whisper-1"], rungs=[1, 2, 3, 4]
    )
    assert kinds_of("gpt-5") == ["ai_canary", "ai_models", "ai_ping", "ai_stream"]
    assert kinds_of("text-embedding-3-small") == ["ai_embedding", "ai_models"]
    assert kinds_of("whisper-1") == ["ai_models"]
    canary = Check.objects.get(kind="ai_canary")
    assert not canary.affects_status
    assert len(open_config(canary)["prompts"]) == 4
    assert "17 + 25" not in str(canary.config)


def test_a_model_without_a_check_gets_what_is_missing_and_nothing_twice(provider: Provider) -> None:
    make_model(provider, "gpt-5")
    first = add_models(actor=None, provider=provider, names=["GPT-5"], rungs=[1])
    again = add_models(actor=None, provider=provider, names=["gpt-5", "gpt-5"], rungs=[1, 2])
    third = add_models(actor=None, provider=provider, names=["gpt-5"], rungs=[1, 2])
    assert (first.models, first.checks) == (0, 2)
    assert (again.models, again.checks) == (0, 1)
    assert (third.models, third.checks) == (0, 0)
    assert Target.objects.filter(kind="model").count() == 1


def test_where_it_is_asked_comes_from_the_provider(provider: Provider) -> None:
    add_models(actor=None, provider=provider, names=["gpt-5"], rungs=[1, 2])
    for check in Check.objects.filter(target__name="gpt-5"):
        endpoint = open_config(check)["endpoint"]
        assert (endpoint["dialect"], endpoint["model"], endpoint["api_key"]) == ("openai", "gpt-5", "sk-1")
        assert "sk-1" not in str(check.config)


@pytest.mark.parametrize(
    ("names", "rungs", "intervals", "field"),
    [
        ([], [1], {}, "names"),
        (["  "], [1], {}, "names"),
        (["gpt-5", "line\nbreak"], [1], {}, "names"),
        (["gpt-5", "x" * 201], [1], {}, "names"),
        ([f"model-{number}" for number in range(MOST_AT_ONCE + 1)], [1], {}, "names"),
        (["gpt-5"], [], {}, "rungs"),
        (["gpt-5"], [9], {}, "rungs"),
        (["gpt-5"], [1], {1: 0}, "intervals"),
        (["gpt-5"], [1], {1: 10**6}, "intervals"),
    ],
    ids=str,
)
def test_wrong_input_is_said_by_field_and_nothing_is_stored(
    provider: Provider, names: list[str], rungs: list[int], intervals: dict[int, int], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        add_models(actor=None, provider=provider, names=names, rungs=rungs, intervals=intervals)
    assert list(refused.value.message_dict) == [field]
    assert not Target.objects.filter(kind="model").exists()
    assert not Check.objects.filter(target__name="Acme").exists()


SORTS = {
    ModelSort.CHAT: ["gpt-5", "claude-sonnet-4-5", "llama3.2:3b", "Qwen/Qwen3-8B", "o3-mini", "mistral-large-latest"],
    ModelSort.EMBEDDING: [
        "text-embedding-3-large",
        "nomic-embed-text:latest",
        "BAAI/bge-m3",
        "models/gemini-embedding-001",
        "all-minilm",
        "intfloat/e5-large",
    ],
    ModelSort.OTHER: [
        "whisper-1",
        "tts-1-hd",
        "dall-e-3",
        "gpt-image-1",
        "omni-moderation-latest",
        "bge-reranker-v2-m3",
    ],
}


@pytest.mark.parametrize(("sort", "name"), [(sort, name) for sort, names in SORTS.items() for name in names])
def test_what_a_model_is_for_is_told_from_its_name(sort: ModelSort, name: str) -> None:
    assert sort_of(name) is sort


def test_scripts_watch_models_as_pages_do(operator: User, provider: Provider) -> None:
    url = f"/api/v1/providers/{provider.pk}/watch/"
    body = {"names": ["gpt-5"], "rungs": [1, 3], "intervals": {"3": 900}}
    made = api_client(operator).post(url, body)
    assert (made.status_code, made.json()) == (201, {"models": 1, "checks": 3})
    assert Check.objects.get(kind="ai_stream").interval_seconds == 900


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"names": []}, "names"),
        ({"names": "gpt-5"}, "names"),
        ({"rungs": []}, "rungs"),
        ({"rungs": [0]}, "rungs.0"),
        ({"intervals": {"2": 0}}, "intervals.2"),
        ({"intervals": {"9": 60}}, "intervals"),
        ({"intervals": {"often": 60}}, "intervals"),
        ({"surprise": 1}, "surprise"),
    ],
    ids=str,
)
def test_a_wrong_body_is_said_by_field(
    operator: User, provider: Provider, change: dict[str, object], field: str
) -> None:
    url = f"/api/v1/providers/{provider.pk}/watch/"
    refused = api_client(operator).post(url, {"names": ["gpt-5"], "rungs": [1], **change})
    assert (refused.status_code, list(refused.json())) == (400, [field])
    assert not Target.objects.filter(kind="model").exists()
