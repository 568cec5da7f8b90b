"""`http`: one HTTP request, judged by its status and by the conditions a person wrote."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.core.kindconfig import SECRET, Text, field
from apps.core.outbound.exchange import MAX_REDIRECTS, Exchange, HttpRequest, HttpVersion
from apps.core.outbound.locations import MAX_URL, BadLocation, parse_location
from apps.core.outbound.requests import header_problem
from apps.core.outbound.showing import safe_headers, safe_url
from apps.core.outbound.transfer import hop_evidence
from apps.probes.base import PROBE_KINDS, HttpProbeKind, Outcome, OutcomeState, Reason
from apps.probes.conditions import MAX_CONDITIONS, Condition, all_hold, evaluate

_SNIPPET_BYTES = 2_048
# Without a condition on it, every status below this one is good.
_GOOD_STATUS_BELOW = 400
_GOOD_BELOW = Condition(field="status", operator="<", value=_GOOD_STATUS_BELOW)

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
HeaderName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
HeaderValue = Annotated[str, msgspec.Meta(max_length=4_000)]


class HttpConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to ask and what to expect."""

    url: Annotated[
        str,
        field(
            _("Address"),
            _("The full URL, with http:// or https://."),
            widget="url",
            placeholder="https://example.com/health",
            destination=True,
            min_length=1,
            max_length=MAX_URL,
        ),
    ]
    method: Annotated[Method, field(_("Method"))] = "GET"
    headers: Annotated[
        dict[HeaderName, HeaderValue],
        field(
            _("Headers"),
            _("Sent with the request. Keys, tokens and cookies are kept secret."),
            headers=True,
            max_length=50,
        ),
    ] = {}
    body: Annotated[
        str, field(_("Body"), _("Sent as it is, in UTF-8."), widget="textarea", private=True, max_length=65_536)
    ] = ""
    follow_redirects: Annotated[bool, field(_("Follow redirects"), _("At most five."))] = True
    verify_tls: Annotated[bool, field(_("Verify the certificate"))] = True
    reuse_connection: Annotated[
        bool,
        field(
            _("Keep the connection"),
            _("Ask again over the same connection while the server keeps it open. Such looks measure no connecting."),
        ),
    ] = False
    http_version: Annotated[
        HttpVersion,
        field(_("HTTP version"), _("“auto” is HTTP/2 when the server offers it over TLS, else HTTP/1.1.")),
    ] = "auto"
    basic_username: Annotated[str, field(_("User name"), _("For basic authentication."), max_length=200)] = ""
    basic_password: Annotated[str, field(_("Password"), _("For basic authentication."), max_length=500), SECRET] = ""
    bearer_token: Annotated[str, field(_("Bearer token"), max_length=4_000), SECRET] = ""
    body_limit_kilobytes: Annotated[
        int, field(_("Largest answer"), _("A larger body is a failure."), unit=_("kB"), ge=1, le=4_096)
    ] = 1_024
    conditions: Annotated[
        tuple[Condition, ...],
        field(
            _("Conditions"),
            _("All of them must hold. Unless one looks at the status, it must be below 400."),
            widget="conditions",
            max_length=MAX_CONDITIONS,
        ),
    ] = ()

    def check(self) -> dict[str, list[Text]]:
        """Rules between the fields."""
        errors: dict[str, list[Text]] = {}
        try:
            location = parse_location(self.url)
        except BadLocation as error:
            errors["url"] = [error.sentence]
        else:
            if location.scheme == "http" and any(c.field == "certificate_days" for c in self.conditions):
                errors["conditions"] = [_("certificate_days needs an https:// address.")]
        problems: list[Text] = [
            bad.said() for name, value in self.headers.items() if (bad := header_problem(name, value))
        ]
        if problems:
            errors["headers"] = problems
        errors |= self._credential_problems()
        if self.method == "HEAD" and any(condition.needs_body for condition in self.conditions):
            errors["conditions"] = [_("An answer to HEAD has no body: use GET, or drop the conditions on the body.")]
        return errors

    def _credential_problems(self) -> dict[str, list[Text]]:
        named = {name.lower() for name in self.headers}
        ways = [bool(self.bearer_token), bool(self.basic_username or self.basic_password), "authorization" in named]
        if sum(ways) > 1:
            return {"bearer_token": [_("Use one of: bearer token, user name and password, Authorization header.")]}
        if header_problem("Authorization", self.bearer_token):
            return {"bearer_token": [_("A token holds no line breaks or control characters.")]}
        if ":" in self.basic_username:
            return {"basic_username": [_("A user name for basic authentication holds no colon.")]}
        return {}


class HttpKind(HttpProbeKind[HttpConfig]):
    """One request; redirects followed, body read up to its limit."""

    name = "http"
    label = _("HTTP")
    summary = _("Asks a URL and checks status, headers, body, speed and certificate.")
    Config = HttpConfig
    target_kinds = frozenset({"service", "provider", "model"})

    def address(self, config: HttpConfig) -> str:
        return safe_url(config.url)

    def build_request(self, config: HttpConfig) -> HttpRequest:
        headers = config.headers
        if config.bearer_token:
            headers = {**headers, "Authorization": f"Bearer {config.bearer_token}"}
        elif config.basic_username or config.basic_password:
            pair = f"{config.basic_username}:{config.basic_password}".encode()
            headers = {**headers, "Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        limit = config.body_limit_kilobytes * 1024
        needs_body = bool(config.conditions) and any(condition.needs_body for condition in config.conditions)
        return HttpRequest(
            url=config.url,
            method=config.method,
            headers=headers,
            body=config.body.encode() if config.body else None,
            max_bytes=limit,
            keep_bytes=limit if needs_body else min(limit, _SNIPPET_BYTES),
            max_redirects=MAX_REDIRECTS if config.follow_redirects else 0,
            verify_tls=config.verify_tls,
            reuse_connection=config.reuse_connection,
            http_version=config.http_version,
        )

    def passes(self, config: HttpConfig, exchange: Exchange) -> dict[str, float] | None:
        good = all_hold(_conditions(config), exchange) if config.conditions else exchange.status < _GOOD_STATUS_BELOW
        return _measurements(exchange) if good else None

    def judge(self, config: HttpConfig, exchange: Exchange) -> Outcome:
        results = evaluate(_conditions(config), exchange)
        failures = [result for result in results if not result["passed"]]
        measurements = _measurements(exchange)
        if not failures:
            return Outcome(
                state=OutcomeState.OK,
                reason=Reason.OK,
                measurements=measurements,
                evidence=_facts(exchange) | {"conditions": results},
            )
        first = failures[0]
        reason = Reason.STATUS_MISMATCH if first["field"] == "status" else Reason.CONDITION_FAILED
        evidence = {
            **_facts(exchange),
            **_answer(exchange),
            "conditions": results,
            **{key: first[key] for key in ("field", "operator", "expected", "actual")},
        }
        return Outcome(state=OutcomeState.FAILED, reason=reason, measurements=measurements, evidence=evidence)


def _conditions(config: HttpConfig) -> tuple[Condition, ...]:
    """What must hold, with the rule about the status that is silently added."""
    if any(condition.field == "status" for condition in config.conditions):
        return config.conditions
    return (_GOOD_BELOW, *config.conditions)


def _measurements(exchange: Exchange) -> dict[str, float]:
    measured = {"body_bytes": float(exchange.body_bytes)}
    if exchange.url.startswith("https:"):
        measured["http_version"] = exchange.http_version
    if exchange.reused:
        measured["reused_connection"] = 1.0
    if exchange.certificate is not None:
        left = exchange.certificate.not_after.timestamp() - exchange.started_at
        measured["certificate_days"] = round(left / 86_400, 2)
    return measured


def _facts(exchange: Exchange) -> dict[str, Any]:
    """What every outcome tells: little, for most of them are good."""
    facts: dict[str, Any] = {"status_line": exchange.status_line, "address": exchange.address}
    if exchange.hops:
        facts["url"] = safe_url(exchange.url)
        facts["redirects"] = hop_evidence(exchange.hops)
    return facts


def _answer(exchange: Exchange) -> dict[str, Any]:
    """What a failure tells besides: the answer itself, bounded."""
    answer: dict[str, Any] = {
        "url": safe_url(exchange.url),
        "headers": safe_headers(exchange.headers),
        "body_bytes": exchange.body_bytes,
    }
    if b"\0" not in exchange.body[:_SNIPPET_BYTES]:
        # Anything else is no text, and tells a person nothing.
        answer["body"] = exchange.text(_SNIPPET_BYTES)
    if exchange.certificate is not None:
        answer["certificate"] = exchange.certificate.evidence()
    return answer


PROBE_KINDS.add("http", HttpKind())
