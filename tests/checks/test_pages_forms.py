"""The form of a check: made from its kind, wrong input said at its field; secrets kept to themselves."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import Environment, Target
from apps.checks.models import Check
from apps.checks.services import open_config
from apps.core import kindconfig
from apps.probes.base import PROBE_KINDS
from tests.checks.looking import make_check
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_model, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db

GOOD = {
    "name": "Front page",
    "interval_seconds": "60",
    "timeout_seconds": "5",
    "failure_threshold": "2",
    "recovery_threshold": "1",
    "degraded_after_ms": "",
    "affects_status": "on",
    "enabled": "on",
    "config.url": "http://127.0.0.1:9/health",
    "config.method": "GET",
    "config.headers": "",
    "config.follow_redirects": "on",
    "config.verify_tls": "on",
    "config.body_limit_kilobytes": "1024",
    "config.conditions": "",
    "action": "save",
}


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def target(db: None) -> Target:
    return make_service("Shop", url="https://shop.example.com/").target


def address(target: Target, kind: str = "http") -> str:
    return f"/checks/new/?target={target.pk}&kind={kind}"


# --- Making one -----------------------------------------------------------------------------------------------


def test_a_check_is_made_and_its_page_follows(page: Client, target: Target) -> None:
    values = {
        **GOOD,
        "config.headers": "Accept: text/html\nX-Api-Key: s3cret",
        "config.conditions": '[{"field": "status", "operator": "==", "value": 200}]',
    }
    reply = page.post(address(target), values, follow=True)
    check = Check.objects.get()
    assert reply.redirect_chain[-1][0] == check.get_absolute_url()
    assert "its first look is on the way" in text_of(reply.content)
    config = open_config(check)
    assert config["headers"] == {"Accept": "text/html", "X-Api-Key": "s3cret"}
    assert config["conditions"] == [{"field": "status", "operator": "==", "value": 200}]
    assert (check.interval_seconds, check.timeout_seconds, check.enabled) == (60, 5, True)


@pytest.mark.parametrize("kind", PROBE_KINDS.names())
def test_every_kind_has_a_form_with_a_field_for_each_of_its_settings(page: Client, kind: str) -> None:
    targets = {
        "service": make_service().target,
        "model": make_model().target,
        "provider": make_provider().target,
    }
    entry = PROBE_KINDS.get(kind)
    target = next(targets[name] for name in sorted(entry.target_kinds))
    content = page.get(address(target, kind)).content.decode()
    names = {part.name for part in kindconfig.form_fields(entry.Config)}
    assert names
    for name in entry.Config.__struct_fields__:
        # What is filled in when a look goes out is nobody's to enter.
        assert (f'name="config.{name}"' in content) == (name in names)
    assert str(entry.summary) in text_of(content.encode())


def test_the_form_begins_with_what_the_catalog_knows(page: Client, target: Target) -> None:
    assert 'value="https://shop.example.com/"' in page.get(address(target)).content.decode()
    provider = make_provider("OpenAI", base_url="https://api.example.com/v1")
    content = page.get(address(make_model(provider, "gpt-5").target, "ai_models")).content.decode()
    assert 'value="gpt-5"' in content
    assert 'value="https://api.example.com/v1"' in content


def test_only_kinds_that_suit_the_target_are_offered(page: Client, target: Target) -> None:
    content = page.get(f"/checks/new/?target={target.pk}").content.decode()
    offered = re.findall(r"kind=([a-z_]+)\"", content)
    assert offered[0] == "http"
    assert "tcp" in offered
    assert "ai_models" not in offered
    assert re.findall(r"kind=([a-z_]+)\"", page.get(f"/checks/new/?target={make_model().pk}").content.decode()) == [
        "ai_models",
        "ai_canary",
        "ai_embedding",
        "ai_ping",
        "ai_stream",
        "http",
    ]


def test_without_a_target_one_is_chosen_first(page: Client, target: Target) -> None:
    content = page.get("/checks/new/").content.decode()
    assert f'value="{target.pk}"' in content
    assert page.get("/checks/new/?target=nonsense").status_code == 404


# --- Wrong input ----------------------------------------------------------------------------------------------

BAD: list[tuple[dict[str, str], str, str]] = [
    ({"name": ""}, "name", "required"),
    ({"name": "x" * 201}, "name", "200"),
    ({"interval_seconds": "0"}, "interval_seconds", "1"),
    ({"interval_seconds": "soon"}, "interval_seconds", "whole number"),
    ({"interval_seconds": ""}, "interval_seconds", "required"),
    ({"interval_seconds": "90000"}, "interval_seconds", "86400"),
    ({"timeout_seconds": "61"}, "timeout_seconds", "must not be longer than the interval"),
    ({"timeout_seconds": "0"}, "timeout_seconds", "0.1"),
    ({"timeout_seconds": "nan"}, "timeout_seconds", "number"),
    ({"retry_interval_seconds": "60"}, "retry_interval_seconds", "less than the interval (60 s)"),
    ({"retry_interval_seconds": "0"}, "retry_interval_seconds", "1"),
    ({"retry_interval_seconds": "soon"}, "retry_interval_seconds", "whole number"),
    ({"failure_threshold": "0"}, "failure_threshold", "1"),
    ({"recovery_threshold": "21"}, "recovery_threshold", "20"),
    ({"degraded_after_ms": "-1"}, "degraded_after_ms", "0"),
    ({"config.url": ""}, "config.url", "required"),
    ({"config.url": "not a url"}, "config.url", "A URL holds no spaces"),
    ({"config.url": "example.com"}, "config.url", "http"),
    ({"config.url": "ftp://example.com"}, "config.url", "http"),
    ({"config.method": "STEAL"}, "config.method", "STEAL"),
    ({"config.headers": "no colon"}, "config.headers", "Line 1: write a name, a colon and a value"),
    ({"config.headers": "A: 1\nA: 2"}, "config.headers", "stands there twice"),
    ({"config.headers": "Bad Name: 1"}, "config.headers", "A header name holds letters"),
    ({"config.body_limit_kilobytes": "0"}, "config.body_limit_kilobytes", "from 1 to"),
    ({"config.conditions": "{not json"}, "config.conditions", "Enter a JSON list"),
    ({"config.conditions": '{"field": "status"}'}, "config.conditions", "Enter a JSON list"),
    ({"config.conditions": '[{"field": "colour", "value": 1}]'}, "config.conditions", "Unknown field"),
    ({"config.conditions": '[{"field": "status", "operator": "~", "value": 1}]'}, "config.conditions", "Choose one of"),
    ({"config.conditions": '[{"field": "body", "operator": "matches", "value": "("}]'}, "config.conditions", "regular"),
    ({"config.conditions": "[" * 5_000}, "config.conditions", "Enter a JSON list"),
    (
        {"config.bearer_token": "t0ken", "config.basic_username": "u"},
        "config.bearer_token",
        "Use one of",
    ),
]


def errors_at(content: str, name: str) -> str:
    """What stands under the field called `name`."""
    start = content.index(f'name="{name}"')
    # The next control of the form ends what belongs to this one; the condition editor's errors follow its text.
    following = re.search(r'name="(?!' + re.escape(name) + r'")[a-z_.-]+"', content[start + 1 :])
    part = content[start : start + 1 + following.start()] if following else content[start:]
    return text_of(" ".join(re.findall(r'<p class="error">(.*?)</p>', part, re.DOTALL)).encode())


@pytest.mark.parametrize(("change", "field", "sentence"), BAD, ids=lambda value: str(value)[:40])
def test_wrong_input_is_said_at_its_field_what_was_typed_stays_and_nothing_is_stored(
    page: Client, target: Target, change: dict[str, str], field: str, sentence: str
) -> None:
    reply = page.post(address(target), {**GOOD, **change})
    assert reply.status_code == 400
    assert not Check.objects.exists()
    content = reply.content.decode()
    assert sentence in errors_at(content, field)
    assert 'value="Front page"' in content or "name" in change
    assert "t0ken" not in content


def test_a_name_that_is_taken_is_said_at_the_name(page: Client, target: Target) -> None:
    page.post(address(target), GOOD)
    reply = page.post(address(target), {**GOOD, "name": "FRONT PAGE"})
    assert reply.status_code == 400
    assert "This target has a check with this name." in errors_at(reply.content.decode(), "name")
    assert Check.objects.count() == 1


def test_several_mistakes_are_said_at_once(page: Client, target: Target) -> None:
    for interval in ("0", "soon"):
        reply = page.post(address(target), {**GOOD, "interval_seconds": interval, "config.url": "nope"})
        content = reply.content.decode()
        assert errors_at(content, "interval_seconds")
        assert errors_at(content, "config.url")


# --- Editing, and secrets -------------------------------------------------------------------------------------


@pytest.fixture
def secretive(db: None) -> Check:
    return make_check(
        "Shop",
        config={
            "url": "http://127.0.0.1:9/",
            "bearer_token": "t0ken",
            "headers": {"X-Api-Key": "s3cret"},
            "conditions": [{"field": "status", "operator": "==", "value": 200}],
        },
    )


def edited(check: Check, **change: str) -> dict[str, str]:
    return {**GOOD, "config.url": "http://127.0.0.1:9/", "config.headers": "X-Api-Key: ••••••", **change}


def test_a_stored_secret_is_never_part_of_the_form(page: Client, secretive: Check) -> None:
    content = page.get(f"{secretive.get_absolute_url()}edit/").content.decode()
    assert "t0ken" not in content
    assert "s3cret" not in content
    assert 'placeholder="unchanged"' in content
    assert "X-Api-Key: ••••••" in content
    assert "sealed:" not in content


def test_a_secret_left_empty_stays_and_one_ticked_off_goes(page: Client, secretive: Check) -> None:
    reply = page.post(f"{secretive.get_absolute_url()}edit/", edited(secretive))
    assert reply.status_code == 302
    secretive.refresh_from_db()
    assert open_config(secretive)["bearer_token"] == "t0ken"
    assert open_config(secretive)["headers"] == {"X-Api-Key": "s3cret"}

    page.post(f"{secretive.get_absolute_url()}edit/", edited(secretive, **{"config.bearer_token-clear": "on"}))
    secretive.refresh_from_db()
    assert not open_config(secretive).get("bearer_token")


def test_a_stored_secret_does_not_follow_to_another_server(page: Client, secretive: Check) -> None:
    reply = page.post(
        f"{secretive.get_absolute_url()}edit/", edited(secretive, **{"config.url": "http://127.0.0.2:9/"})
    )
    assert reply.status_code == 400
    assert "Enter this secret again" in text_of(reply.content)
    secretive.refresh_from_db()
    assert open_config(secretive)["url"] == "http://127.0.0.1:9/"


def test_the_form_shows_the_check_as_it_is(page: Client, secretive: Check) -> None:
    content = page.get(f"{secretive.get_absolute_url()}edit/").content.decode()
    assert 'value="http://127.0.0.1:9/"' in content
    assert "&quot;field&quot;: &quot;status&quot;" in content
    assert 'name="interval_seconds" value="60"' in content


def test_a_viewer_edits_nothing_and_an_outsider_finds_nothing(
    client: Client, viewer: User, secretive: Check, development: Environment
) -> None:
    client.force_login(viewer)
    for where in (f"{secretive.get_absolute_url()}edit/", address(secretive.target)):
        assert client.get(where).status_code == 403
        assert client.post(where, GOOD).status_code == 403
    client.force_login(make_user("admin", development))
    for where in (f"{secretive.get_absolute_url()}edit/", address(secretive.target)):
        assert client.get(where).status_code == 404
        assert client.post(where, GOOD).status_code == 404
