"""Two providers serve a model of one name: every message says whose it is."""

from __future__ import annotations

from typing import Any

import pytest

from apps.alerts.alert_messages import alert_entry
from apps.alerts.models import Alert, Notification
from apps.alerts.routing import route_all
from apps.alerts.wording import write
from apps.catalog.models import Target
from apps.checks.models import Incident
from tests.alerts.register.opening import open_alert
from tests.alerts.saying import entry, message
from tests.alerts.world import make_channel, make_incident
from tests.checks.looking import FAILED, OK, add_check, look
from tests.factories import make_model, make_provider

GATEWAY = {"id": "p", "name": "LiteLLM gateway"}


def of_model(**changes: Any) -> dict[str, Any]:
    target = {"id": "t", "kind": "model", "name": "gpt-5", "provider": GATEWAY, "url": "https://portal.example.org/"}
    return entry("gpt-5", **{"target": target, **changes})


@pytest.mark.parametrize("language", ["en", "ko"])
def test_title_and_line_of_a_message_name_the_provider(language: str) -> None:
    text = write(message(of_model(), language=language))
    assert "gpt-5 · LiteLLM gateway" in text.title
    assert text.lines[0].subject == "gpt-5 · LiteLLM gateway"


def test_own_words_have_the_full_name_and_the_provider_alone() -> None:
    words = write(message(of_model(), wording={"title": "{{ target }}", "body": "[{{ provider }}]"}))
    assert words.title == "gpt-5 · LiteLLM gateway"
    assert [line.sentence for line in words.lines] == ["[LiteLLM gateway]"]


def test_what_is_no_model_and_what_was_stored_before_has_its_name_alone() -> None:
    stored = {"id": "t", "kind": "model", "name": "gpt-5"}
    assert write(message(entry("Shop"))).lines[0].subject == "Shop"
    assert write(message(of_model(target=stored))).lines[0].subject == "gpt-5"
    assert write(message(of_model(target={**stored, "provider": None}))).lines[0].subject == "gpt-5"


def test_a_providers_name_breaks_no_line() -> None:
    hostile = {"id": "t", "kind": "model", "name": "gpt-5", "provider": {"id": "p", "name": "a\nb\u202e"}}
    title = write(message(of_model(target=hostile))).title
    assert "\n" not in title and "\u202e" not in title


@pytest.mark.django_db
class TestPayloads:
    def test_an_event_of_an_incident_gives_the_provider(self) -> None:
        make_channel("http://127.0.0.1:9/hook")
        model = make_model(make_provider("LiteLLM gateway"), "gpt-5").target
        look(add_check(model), OK, FAILED, FAILED)
        make_incident("Shop")
        route_all()
        providers = {row.payload["data"]["target"]["name"]: row.payload["data"]["target"]["provider"] for row in told()}
        assert providers == {"gpt-5": brief(model), "Shop": None}
        assert Incident.objects.count() == 2

    def test_an_alert_gives_the_provider(self) -> None:
        model = make_model(make_provider("LiteLLM gateway"), "gpt-5").target
        alert = open_alert(model)
        found = Alert.objects.select_related("target__namespace").get(pk=alert.pk)
        assert alert_entry(found, [])["target"]["provider"] == brief(model)
        assert alert_entry(open_alert(), [])["target"] is None


def told() -> list[Notification]:
    return list(Notification.objects.all())


def brief(model: Target) -> dict[str, str]:
    return {"id": str(model.namespace_id), "name": "LiteLLM gateway"}


def test_an_incident_that_says_so_is_not_called_by_the_bare_name_of_its_model() -> None:
    sources = [{"kind": "incident", "name": "gpt-5"}, {"kind": "rule", "name": "Slow answers"}]
    text = write(message(of_model(sources=sources)))
    assert "Seen by: Incident, Slow answers" in text.lines[0].details
