"""What the webhook kind sends, and what it accepts as its configuration."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from apps.alerts.channels.base import Message
from apps.alerts.channels.webhook import (
    BODY_LIMIT_BYTES,
    WebhookConfig,
    WebhookKind,
    encode_body,
    new_secret,
    signed_headers,
)
from apps.core.kindconfig import ConfigError, decode
from tests.alerts.saying import AT, entry
from tests.alerts.saying import message as people

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


def message(evidence: Any = None, *, sent_at: datetime | None = None) -> Message:
    data = {
        "incident": {"id": "i1", "url": "http://portal/incidents/i1/"},
        "target": {"id": "t1", "kind": "service", "name": "Shop", "environment": "prod", "url": "http://portal/t/"},
        "change": {"from": "operational", "to": "outage", "reason": "timeout", "evidence": evidence or {}},
        "sequence": 1,
    }
    moment = datetime(2026, 3, 1, 9, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=9)))
    return Message("n1", "incident.opened", moment, sent_at or datetime.now(UTC), data)


def test_the_body_has_exactly_the_promised_shape() -> None:
    body = json.loads(encode_body(message({"actual": 503})))
    assert list(body) == ["type", "timestamp", "data"]
    assert body["type"] == "incident.opened"
    assert body["timestamp"] == "2026-03-01T00:00:00.123Z"
    assert list(body["data"]) == ["incident", "target", "change", "sequence"]
    assert body["data"]["change"]["evidence"] == {"actual": 503}


@pytest.mark.parametrize(
    "evidence",
    [
        {"body": "x" * 50_000},
        {"body": "\u00e9" * 20_000},
        {"body": "\uac00" * 16_000, "expected": 200},
        {f"key{number}": "value" * 50 for number in range(500)},
        {"rows": [{"text": "y" * 300, "n": number} for number in range(200)]},
        {"a": {"b": {"c": {"d": {"e": {"f": "z" * 30_000}}}}}},
        {"k" * 30_000: "v"},
        {f"{number}": ["\u0001" * 2_000] * 20 for number in range(60)},
    ],
)
def test_a_large_evidence_is_cut_and_the_links_stay(evidence: dict[str, Any]) -> None:
    encoded = encode_body(message(evidence))
    assert len(encoded) <= BODY_LIMIT_BYTES
    body = json.loads(encoded)
    assert body["data"]["change"]["evidence"]["truncated"] is True
    assert body["data"]["incident"]["url"] == "http://portal/incidents/i1/"
    assert body["data"]["change"]["reason"] == "timeout"


def test_an_alert_gives_up_its_evidence_and_a_group_its_mildest_alerts() -> None:
    heavy = {"body": "\uac00" * 9_000}
    alone = Message("n1", "alert.firing", AT, AT, {"alert": entry("Shop", evidence=heavy), "sequence": 1})
    body = json.loads(encode_body(alone))
    assert body["data"]["alert"]["evidence"]["truncated"] is True
    assert body["data"]["alert"]["url"] == entry()["url"]
    group = people(*[entry(f"\uc0c1\uc810 {number}" * 20, evidence=heavy) for number in range(50)], omitted=7)
    encoded = encode_body(group)
    told = json.loads(encoded)["data"]
    assert BODY_LIMIT_BYTES / 2 < len(encoded) <= BODY_LIMIT_BYTES
    assert told["alerts"][0]["target"]["name"].startswith("\uc0c1\uc810 0")
    assert told["omitted"] == 57 - len(told["alerts"])
    assert told["url"] == group.data["url"]


def test_a_small_evidence_is_left_alone() -> None:
    evidence = {"body": "x" * 15_000}
    assert json.loads(encode_body(message(evidence)))["data"]["change"]["evidence"] == evidence


def test_half_a_character_does_not_stop_a_message() -> None:
    json.loads(encode_body(message({"body": "broken \ud800 text"})))


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-11))])
def test_the_signature_verifies_whatever_zone_the_clock_is_in(zone: timezone) -> None:
    sent = message({"actual": 503}, sent_at=datetime.now(zone))
    body = encode_body(sent)
    headers = signed_headers(sent, body, SECRET)
    assert Webhook(SECRET).verify(body, headers)["type"] == "incident.opened"
    assert headers["webhook-id"] == "n1"
    assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 5


@pytest.mark.parametrize("size", [24, 32, 64])
def test_secrets_of_the_specified_sizes_are_accepted(size: int) -> None:
    padded = "whsec_" + base64.b64encode(b"s" * size).decode()
    for secret in (padded, padded.rstrip("=")):
        config = decode(WebhookConfig, {"url": "https://example.org/", "secret": secret})
        sent = message()
        body = encode_body(sent)
        assert Webhook(secret).verify(body, signed_headers(sent, body, config.secret))


@pytest.mark.parametrize(
    "secret",
    [
        "open sesame",
        "whsec_=",
        "whsec_short",
        "whsec_" + base64.b64encode(b"s" * 23).decode(),
        "whsec_" + base64.b64encode(b"s" * 65).decode(),
        base64.b64encode(b"s" * 32).decode(),
        "whsec_" + "\uac00" * 40,
        "whsec_" + "!" * 43 + "=",
        SECRET + "\r\nX-Injected: 1",
    ],
)
def test_a_secret_of_another_form_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(WebhookConfig, {"url": "https://example.org/", "secret": secret})
    assert list(caught.value.errors) == ["secret"]
    assert secret not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "ftp://example.org/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "view-source:http://example.org/",
        " http://example.org/",
        "http://",
        "http:///path",
        "http://user:pass@example.org/",
        "http://user@example.org/",
        "http://example.org/\r\nX-Injected: 1",
        "http://example.org/a b",
        "http://example.org:99999/",
        "http://exa\x00mple.org/",
        "https://" + "a" * 2_000 + ".org/",
    ],
)
def test_a_url_that_is_not_plain_http_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(WebhookConfig, {"url": url})
    assert list(caught.value.errors) == ["url"]


def test_a_secret_is_made_where_none_was_given() -> None:
    prepared = WebhookKind().prepare({"url": "https://example.org/"})
    assert decode(WebhookConfig, prepared).secret.startswith("whsec_")
    assert new_secret() != new_secret()
    assert WebhookKind().prepare({"url": "https://example.org/", "secret": SECRET})["secret"] == SECRET


def test_the_destination_tells_the_server_and_nothing_more() -> None:
    kind = WebhookKind()
    assert kind.destination({"url": "https://hooks.example.org:8443/services/T0/B0/sesame?k=v"}) == (
        "https://hooks.example.org:8443"
    )
    assert kind.destination({"url": "nonsense"}) == ""


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("http://example.org/", {}),
        ("http://127.0.0.1:80/", {"url": "127.0.0.1"}),
        ("http://0x7f.1/", {"url": "127.0.0.1"}),
        ("http://2130706433/", {"url": "127.0.0.1"}),
        ("http://[::ffff:10.0.0.1]/", {"url": "::ffff:a00:1"}),
    ],
)
def test_an_address_written_out_is_found_in_every_spelling(url: str, addresses: dict[str, str]) -> None:
    assert WebhookKind().addresses({"url": url}) == addresses
