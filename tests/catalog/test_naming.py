"""What a target is called where its provider is not plain from what stands around it."""

from __future__ import annotations

import pytest

from apps.catalog.models import Target
from tests.factories import make_model, make_provider, make_service

pytestmark = pytest.mark.django_db


def test_a_model_is_named_with_its_provider_and_nothing_else_is() -> None:
    model, service = make_model(make_provider("Gateway"), "gpt-5").target, make_service("shop").target
    assert (str(model.full_name), str(service.full_name)) == ("gpt-5 · Gateway", "shop")
    assert model.provider_brief == {"id": str(model.namespace_id), "name": "Gateway"}
    assert service.provider_brief is None


def test_a_model_whose_provider_is_gone_already_still_has_its_name() -> None:
    """What was deleted is purged in batches, and a provider may be of an earlier one."""
    model = make_model(make_provider("Gateway"), "gpt-5").target
    Target.objects.filter(pk=model.pk).update(namespace_id="0190e7a0-0000-7000-8000-000000000000")
    read = Target.objects.get(pk=model.pk)
    assert str(read.full_name) == "gpt-5"
    assert str(Target.objects.select_related("namespace").get(pk=model.pk).full_name) == "gpt-5"
