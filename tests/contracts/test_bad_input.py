"""Bad input to the API: a 400 that names the field and says what would be right, and nothing stored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.accounts.models import ApiToken, User
from apps.alerts.models import Route, Silence
from apps.catalog.models import Environment, Target
from apps.checks.models import Check
from tests.factories import api_client, make_provider, make_service

pytestmark = pytest.mark.django_db

HTTP = {"url": "http://127.0.0.1:9/"}
CHECK = {"kind": "http", "config": HTTP, "interval_seconds": 60, "timeout_seconds": 5}
HEARTBEAT = {"kind": "heartbeat", "target": "TARGET"}
LONG = "x" * 10_000
MATCHER = {"label": "tag", "operator": "=", "value": "shop"}
FAR = "9000-01-01T00:00:00Z"

# Path, body, the field that is to blame. "TARGET" and "PROVIDER" stand for ids of real ones.
REFUSED: list[tuple[str, Any, str]] = [
    ("services/", {}, "name"),
    ("services/", {"name": ""}, "name"),
    ("services/", {"name": "   "}, "name"),
    ("services/", {"name": None}, "name"),
    ("services/", {"name": ["Shop"]}, "name"),
    ("services/", {"name": {"a": 1}}, "name"),
    ("services/", {"name": True}, "name"),
    ("services/", {"name": "x" * 201}, "name"),
    ("services/", {"name": "a\r\nb"}, "name"),
    ("services/", {"name": "a\u0000b"}, "name"),
    ("services/", {"name": "taken"}, "name"),
    ("services/", {"name": "Shop", "colour": "red"}, "colour"),
    ("services/", {"name": "Shop", "environment": "nowhere"}, "environment"),
    ("services/", {"name": "Shop", "environment": 7}, "environment"),
    ("services/", {"name": "Shop", "url": "javascript:alert(1)"}, "url"),
    ("services/", {"name": "Shop", "url": "http://"}, "url"),
    ("services/", {"name": "Shop", "url": "x" * 501}, "url"),
    ("services/", {"name": "Shop", "description": LONG}, "description"),
    ("services/", {"name": "Shop", "description": "a\u0000b"}, "description"),
    ("services/", {"name": "Shop", "tags": "web"}, "tags"),
    ("services/", {"name": "Shop", "tags": [{}]}, "tags.0"),
    ("services/", {"name": "Shop", "tags": ["x" * 51]}, "tags.0"),
    ("services/", {"name": "Shop", "tags": [str(number) for number in range(21)]}, "tags"),
    ("services/", {"name": "Shop", "depends_on": ["TARGET"]}, "depends_on"),
    ("services/", [], "non_field_errors"),
    ("services/", "Shop", "non_field_errors"),
    ("services/", None, "non_field_errors"),
    ("services/", 7, "non_field_errors"),
    ("providers/", {"name": "Acme", "base_url": "ftp://acme.test"}, "base_url"),
    ("providers/", {"name": "Acme", "base_url": "https://user:pass@acme.test/v1"}, "base_url"),
    ("providers/", {"name": "Acme", "base_url": "https://acme.test/\r\nX: y"}, "base_url"),
    ("providers/", {"name": "Acme", "base_url": " https://acme.test/a b"}, "base_url"),
    ("providers/", {"name": "Acme", "api_key": "sk\nX-Evil: 1"}, "api_key"),
    ("providers/", {"name": "Acme", "api_key": "x" * 2_001}, "api_key"),
    ("models/", {"name": "gpt"}, "provider"),
    ("models/", {"name": "gpt", "provider": "not-an-id"}, "provider"),
    ("models/", {"name": "gpt", "provider": "TARGET"}, "provider"),
    ("models/", {"provider": "PROVIDER"}, "name"),
    ("environments/", {"slug": "two words", "name": "X"}, "slug"),
    ("environments/", {"slug": "prod", "name": "X"}, "slug"),
    ("environments/", {"slug": "new", "name": "X", "position": -1}, "position"),
    ("environments/", {"slug": "new", "name": "X", "position": 10**12}, "position"),
    ("tokens/", {"name": ""}, "name"),
    ("tokens/", {"name": "x", "scope": "root"}, "scope"),
    ("tokens/", {"name": "x", "expires_at": "tomorrow"}, "expires_at"),
    ("tokens/", {"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ("checks/", {**CHECK}, "target"),
    ("checks/", {**CHECK, "target": "0190e7a0-0000-7000-8000-000000000000"}, "target"),
    ("checks/", {**CHECK, "target": "TARGET", "kind": "telnet"}, "kind"),
    ("checks/", {**CHECK, "target": "TARGET", "interval_seconds": 0}, "interval_seconds"),
    ("checks/", {**CHECK, "target": "TARGET", "interval_seconds": "often"}, "interval_seconds"),
    ("checks/", {**CHECK, "target": "TARGET", "interval_seconds": 10**30}, "interval_seconds"),
    ("checks/", {**CHECK, "target": "TARGET", "interval_seconds": 3, "timeout_seconds": 5}, "timeout_seconds"),
    ("checks/", {**CHECK, "target": "TARGET", "failure_threshold": 0}, "failure_threshold"),
    ("checks/", {**CHECK, "target": "TARGET", "config": "http://x"}, "config"),
    ("checks/", {**CHECK, "target": "TARGET", "config": {}}, "config.url"),
    ("checks/", {**CHECK, "target": "TARGET", "config": {"url": "gopher://x"}}, "config.url"),
    (
        "checks/",
        {**CHECK, "target": "TARGET", "config": {**HTTP, "headers": {"X-A": "b\r\nEvil: 1"}}},
        "config.headers",
    ),
    ("checks/", {**HEARTBEAT, "config": {"cron": "0 0 30 2 *"}}, "config.cron"),
    ("checks/", {**HEARTBEAT, "config": {"cron": "* * * * *"}}, "config.cron"),
    ("checks/", {**HEARTBEAT, "config": {"timezone": "Mars/Olympus"}}, "config.timezone"),
    ("checks/", {**HEARTBEAT, "config": {"grace_seconds": 0}}, "config.grace_seconds"),
    ("checks/", {"target": "PROVIDER", "kind": "ai_ping"}, "kind"),
    ("checks/", {"target": "PROVIDER", "kind": "ai_models"}, "config.base_url"),
    ("checks/", {"target": "PROVIDER", "kind": "ai_models", "config": {"base_url": "ftp://x"}}, "config.base_url"),
    ("checks/", {"target": "PROVIDER", "kind": "ai_models", "config": {"api_key": "sk\nX: 1"}}, "config.api_key"),
    (
        "checks/",
        {"target": "PROVIDER", "kind": "ai_ping", "config": {"max_output_tokens": 1}},
        "config.max_output_tokens",
    ),
    ("checks/", {"target": "PROVIDER", "kind": "ai_canary", "config": {"prompts": []}}, "config.prompts"),
    ("checks/", {"target": "PROVIDER", "kind": "ai_canary", "config": {"prompts": [{}]}}, "config.prompts.0.name"),
    ("heartbeats/", {"period_seconds": 60}, "target"),
    ("heartbeats/", {"target": "TARGET", "cron": "61 * * * *"}, "cron"),
    ("heartbeats/", {"target": "TARGET", "slug": "Two Words"}, "slug"),
    ("routes/", {}, "name"),
    ("routes/", {"name": "x", "parent": "TARGET"}, "parent"),
    ("routes/", {"name": "x", "channels": ["TARGET"]}, "channels"),
    ("routes/", {"name": "x", "channels": "all"}, "channels"),
    ("routes/", {"name": "x", "matchers": [{"label": "tag", "operator": "=~", "value": "("}]}, "matchers.0.value"),
    ("routes/", {"name": "x", "matchers": [MATCHER] * 21}, "matchers"),
    ("routes/", {"name": "x", "group_by": ["colour"]}, "group_by.0"),
    ("routes/", {"name": "x", "group_wait_seconds": 10**30}, "group_wait_seconds"),
    ("routes/", {"name": "x", "active_times": [{}]}, "active_times.0"),
    ("routes/", {"name": "x", "time_zone": "Mars/Olympus"}, "time_zone"),
    ("routes/simulate/", {}, "target"),
    ("routes/simulate/", {"target": "PROVIDER", "severity": "bad"}, "severity"),
    ("routes/simulate/", {"labels": {"colour": "red"}}, "labels.colour"),
    ("silences/", {"matchers": [], "ends_at": FAR, "comment": "x"}, "matchers"),
    ("silences/", {"matchers": [MATCHER], "ends_at": "2020-01-01T00:00:00Z", "comment": "x"}, "ends_at"),
    ("silences/", {"matchers": [MATCHER], "ends_at": FAR, "comment": "x"}, "ends_at"),
    ("silences/", {"matchers": [MATCHER], "comment": "x"}, "ends_at"),
    ("silences/", {"matchers": [MATCHER], "ends_at": FAR}, "comment"),
    ("silences/preview/", {"matchers": []}, "matchers"),
    ("silences/preview/", {"matchers": [{**MATCHER, "label": "colour"}]}, "matchers.0.label"),
    ("ping-keys/", {"environment": "nowhere"}, "environment"),
    ("ping-keys/", {"environment": "prod", "key": "of my own choice", "name": "x"}, "name"),
]
PROBLEMS = [pytest.param(*row, id=f"{row[0]} {json.dumps(row[1])[:60]}") for row in REFUSED]


def fill_in(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: fill_in(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [fill_in(item, ids) for item in value]
    return ids.get(value, value) if isinstance(value, str) else value


def stored() -> list[int]:
    return [model._default_manager.count() for model in (Target, Check, Environment, ApiToken, Route, Silence)]


@pytest.mark.parametrize(("path", "body", "field"), PROBLEMS)
def test_the_field_is_named_and_nothing_is_stored(
    administrator: User, production: Environment, path: str, body: Any, field: str
) -> None:
    ids = {"TARGET": str(make_service("taken").pk), "PROVIDER": str(make_provider().pk)}
    client = api_client(administrator)
    before = stored()
    answer = client.post(f"/api/v1/{path}", data=json.dumps(fill_in(body, ids)), content_type="application/json")
    assert answer.status_code == 400, answer.content
    errors = answer.json()
    named = [name for name in errors if name == field or name.startswith(f"{field}.")]
    assert named, errors
    assert all(isinstance(message, str) and message for name in named for message in errors[name])
    assert stored() == before


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"{", 400),
        (b"", 400),
        (b"\xff\xfe", 400),
        (b'{"name": NaN}', 400),
        (b"[" * 100_000, 400),
        (b"[" * 65 + b"]" * 65, 400),
        (b'{"name": ' + b"9" * 5_000 + b"}", 400),
        (b'{"name": "\\ud800"}', 400),
        (b'{"\\u0000": 1}', 400),
    ],
)
def test_a_body_that_is_no_decent_json_is_refused_in_words(operator: User, text: bytes, status: int) -> None:
    answer = api_client(operator).post("/api/v1/services/", data=text, content_type="application/json")
    assert answer.status_code == status
    assert isinstance(answer.json(), dict)
    assert not Target.objects.exists()


def test_another_content_type_is_415(operator: User) -> None:
    answer = api_client(operator).post("/api/v1/services/", data="<a/>", content_type="text/xml")
    assert answer.status_code == 415
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=-1", "limit"),
        ("limit=%C2%B2", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=cD1ub3QtYW4taWQ=", "cursor"),
        ("cursor=cD0lMDA=", "cursor"),
        ("cursor=%00", "cursor"),
        ("fields=colour", "fields"),
        ("fields=", "fields"),
        ("colour=red", "colour"),
        ("status=broken", "status"),
        ("kind=boat", "kind"),
        ("enabled=maybe", "enabled"),
        ("environment=nowhere", "environment"),
        ("search=a%00b", "search"),
    ],
)
def test_a_query_that_means_nothing_is_refused_and_named(operator: User, query: str, field: str) -> None:
    make_service()
    answer = api_client(operator).get(f"/api/v1/targets/?{query}")
    assert answer.status_code == 400
    assert list(answer.json()) == [field]


OF_ENVIRONMENTS = (
    *(
        "targets",
        "services",
        "providers",
        "models",
        "checks",
        "incidents",
        "state-changes",
        "vendor-status",
        "spending",
    ),
    *("alerts", "silences", "channels", "notifications", "rules"),
)


@pytest.mark.parametrize("rows", OF_ENVIRONMENTS)
def test_an_environment_that_is_not_there_is_said_by_every_list(operator: User, rows: str) -> None:
    client = api_client(operator)
    assert client.get(f"/api/v1/{rows}/?environment=prod").status_code == 200
    answer = client.get(f"/api/v1/{rows}/?environment=nowhere")
    assert (answer.status_code, list(answer.json())) == (400, ["environment"])


@pytest.mark.parametrize(
    "path",
    ["targets/x/", "targets/0190e7a0-0000-7000-8000-00000000000/", "targets/------------------------------------/"],
)
@pytest.mark.parametrize("verb", ["get", "patch", "delete"])
def test_an_id_that_is_none_is_404(operator: User, path: str, verb: str) -> None:
    assert getattr(api_client(operator), verb)(f"/api/v1/{path}").status_code == 404


@pytest.mark.parametrize("verb", ["put", "trace"])
def test_a_verb_nobody_offers_is_405(operator: User, verb: str) -> None:
    service = make_service()
    assert getattr(api_client(operator), verb)(f"/api/v1/services/{service.pk}/").status_code == 405
