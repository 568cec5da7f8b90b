"""Why a provider refused: the most specific thing it says, whoever says it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.probes.ai.documents import readable
from apps.probes.ai.refusals import classified, problem_in
from apps.probes.reasons import Reason

R = Reason


def error(message: str = "", **more: Any) -> bytes:
    return json.dumps({"error": {"message": message, **more}}).encode()


def anthropic(kind: str, message: str = "") -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}, "request_id": "r"}).encode()


# (status, body, reason)
TABLE: list[tuple[int, bytes, Reason]] = [
    # The status alone
    (400, b"", R.BAD_REQUEST),
    (401, b"", R.INVALID_KEY),
    (402, b"", R.BILLING),
    (403, b"", R.PERMISSION_DENIED),
    (404, b"", R.MODEL_NOT_FOUND),
    (405, b"", R.BAD_REQUEST),
    (408, b"", R.SERVER_ERROR),
    (410, b"", R.MODEL_NOT_FOUND),
    (413, b"", R.BAD_REQUEST),
    (422, b"", R.BAD_REQUEST),
    (429, b"", R.RATE_LIMITED),
    (498, b"", R.OVERLOADED),
    (500, b"", R.SERVER_ERROR),
    (502, b"<html><title>502 Bad Gateway</title></html>", R.SERVER_ERROR),
    (503, b"", R.OVERLOADED),
    (504, b"", R.SERVER_ERROR),
    (524, b"", R.SERVER_ERROR),
    (529, b"", R.OVERLOADED),
    (204, b"", R.STATUS_MISMATCH),
    (302, b"", R.STATUS_MISMATCH),
    # OpenAI
    (401, error("Incorrect API key provided: sk-abcd", code="invalid_api_key"), R.INVALID_KEY),
    (401, error("You must be a member of an organization to use the API"), R.PERMISSION_DENIED),
    (401, error("The IP is not authorized", code="ip_not_authorized"), R.PERMISSION_DENIED),
    (403, error("Country, region, or territory not supported"), R.PERMISSION_DENIED),
    (403, error("Project `p` does not have access to model `m`", code="model_not_found"), R.PERMISSION_DENIED),
    (
        404,
        error("The model `m` does not exist or you do not have access to it.", code="model_not_found"),
        R.MODEL_NOT_FOUND,
    ),
    (404, error("This is not a chat model and thus not supported"), R.BAD_REQUEST),
    (404, error("Invalid URL (POST /chat/completions)", type="invalid_request_error"), R.BAD_REQUEST),
    (429, error("You exceeded your current quota", type="insufficient_quota"), R.QUOTA_EXHAUSTED),
    (429, error("No credit", type="insufficient_quota", code="credit_balance_exhausted"), R.QUOTA_EXHAUSTED),
    (429, error("Limit", code="organization_spend_limit_exceeded"), R.QUOTA_EXHAUSTED),
    (429, error("Limit", code="project_spend_limit_exceeded"), R.QUOTA_EXHAUSTED),
    (400, error("Billing hard limit has been reached", code="billing_hard_limit_reached"), R.BILLING),
    (429, error("Your account is not active", code="billing_not_active"), R.BILLING),
    (429, error("Rate limit reached for m (TPM): Limit 1, Used 1", code="rate_limit_exceeded"), R.RATE_LIMITED),
    (503, error("The server is overloaded", code="server_is_overloaded"), R.OVERLOADED),
    (503, error("Slow down", code="slow_down"), R.OVERLOADED),
    (500, error("The server is overloaded or not ready yet", type="server_error"), R.OVERLOADED),
    (400, error("too long", code="context_length_exceeded"), R.BAD_REQUEST),
    (400, error("'max_tokens' is not supported with this model", code="unsupported_parameter"), R.BAD_REQUEST),
    (400, error("rejected by our safety system", code="content_policy_violation"), R.CONTENT_FILTERED),
    (400, error("Your prompt was flagged", code="invalid_prompt"), R.CONTENT_FILTERED),
    # Anthropic
    (400, anthropic("invalid_request_error", "messages: required"), R.BAD_REQUEST),
    (400, anthropic("invalid_request_error", "`temperature` is deprecated for this model."), R.BAD_REQUEST),
    (400, anthropic("invalid_request_error", "Your credit balance is too low"), R.BILLING),
    (200, anthropic("invalid_request_error", "Your credit balance is too low"), R.BILLING),
    (400, anthropic("invalid_request_error", "You have reached your specified API usage limits."), R.QUOTA_EXHAUSTED),
    (400, anthropic("invalid_request_error", "Output blocked by content filtering policy"), R.CONTENT_FILTERED),
    (401, anthropic("authentication_error", "invalid x-api-key"), R.INVALID_KEY),
    (402, anthropic("billing_error"), R.BILLING),
    (403, anthropic("permission_error"), R.PERMISSION_DENIED),
    (404, anthropic("not_found_error", "model: claude-none"), R.MODEL_NOT_FOUND),
    (404, anthropic("not_found_error", "Not Found"), R.BAD_REQUEST),
    (413, anthropic("request_too_large"), R.BAD_REQUEST),
    (429, anthropic("rate_limit_error", "Number of requests"), R.RATE_LIMITED),
    (429, anthropic("rate_limit_error", "enforced_spend_limit_reached"), R.QUOTA_EXHAUSTED),
    (429, error(type="rate_limit_error", details={"error_code": "enforced_spend_limit_reached"}), R.QUOTA_EXHAUSTED),
    (500, anthropic("api_error"), R.SERVER_ERROR),
    (504, anthropic("timeout_error"), R.SERVER_ERROR),
    (529, anthropic("overloaded_error", "Overloaded"), R.OVERLOADED),
    # Gemini
    (
        400,
        error("API key not valid.", status="INVALID_ARGUMENT", details=[{"reason": "API_KEY_INVALID"}]),
        R.INVALID_KEY,
    ),
    (400, error("API key expired. Please renew the API key.", status="INVALID_ARGUMENT"), R.INVALID_KEY),
    (400, error("User location is not supported", status="FAILED_PRECONDITION"), R.PERMISSION_DENIED),
    (400, error("* GenerateContentRequest.contents: empty", status="INVALID_ARGUMENT"), R.BAD_REQUEST),
    (403, error("Your API key was reported as leaked.", status="PERMISSION_DENIED"), R.INVALID_KEY),
    (403, error("Method doesn't allow unregistered callers", status="PERMISSION_DENIED"), R.INVALID_KEY),
    (403, error("Caller has no permission", status="PERMISSION_DENIED"), R.PERMISSION_DENIED),
    (404, error("models/m is not found for API version v1beta", status="NOT_FOUND"), R.MODEL_NOT_FOUND),
    (
        429,
        error("Resource has been exhausted", status="RESOURCE_EXHAUSTED", details=[{"retryDelay": "3s"}]),
        R.RATE_LIMITED,
    ),
    (
        429,
        error(
            "Quota", status="RESOURCE_EXHAUSTED", details=[{"violations": [{"quotaId": "RequestsPerDayPerProject"}]}]
        ),
        R.QUOTA_EXHAUSTED,
    ),
    (429, error("You exceeded your current quota", status="RESOURCE_EXHAUSTED"), R.QUOTA_EXHAUSTED),
    (403, error("Quota has been used up", status="RESOURCE_EXHAUSTED"), R.QUOTA_EXHAUSTED),
    (403, error("No", status="PERMISSION_DENIED", details=[{"reason": "BILLING_DISABLED"}]), R.BILLING),
    (403, error("This API method requires billing to be enabled.", status="PERMISSION_DENIED"), R.BILLING),
    (400, error("Please enable billing on project 7.", status="FAILED_PRECONDITION"), R.BILLING),
    (
        429,
        error("You exceeded your current quota", status="RESOURCE_EXHAUSTED", details=[{"retryDelay": "3s"}]),
        R.RATE_LIMITED,
    ),
    (429, error("You exceeded your current quota … limit: 0", status="RESOURCE_EXHAUSTED"), R.QUOTA_EXHAUSTED),
    (429, error("Your prepayment credits are depleted", status="RESOURCE_EXHAUSTED"), R.QUOTA_EXHAUSTED),
    (500, error("An internal error has occurred", status="INTERNAL"), R.SERVER_ERROR),
    (503, error("The model is overloaded.", status="UNAVAILABLE"), R.OVERLOADED),
    (403, b"[" + error("API Key not found.", code=403) + b"]", R.INVALID_KEY),
    # Azure
    (401, error("Access denied due to invalid subscription key or wrong API endpoint.", code="401"), R.INVALID_KEY),
    (401, b'{"statusCode": 401, "message": "Unauthorized"}', R.INVALID_KEY),
    (403, error("Access denied due to Virtual Network/Firewall rules.", code="AccessDenied"), R.PERMISSION_DENIED),
    (403, error("Out of call volume quota.", code="403"), R.QUOTA_EXHAUSTED),
    (404, error("The API deployment for this resource does not exist.", code="DeploymentNotFound"), R.MODEL_NOT_FOUND),
    (404, error("Resource not found", code="404"), R.BAD_REQUEST),
    (429, error("You have exceeded call rate limit. For a higher quota see …", code="429"), R.RATE_LIMITED),
    (400, error("The response was filtered", code="content_filter"), R.CONTENT_FILTERED),
    (400, error("x", code="BadRequest", innererror={"code": "ResponsibleAIPolicyViolation"}), R.CONTENT_FILTERED),
    # Ollama
    (404, b'{"error": "model \\"m\\" not found, try pulling it first"}', R.MODEL_NOT_FOUND),
    (404, b"404 page not found", R.BAD_REQUEST),
    (503, b'{"error": "server busy, please try again"}', R.OVERLOADED),
    (500, b'{"error": "llama runner process has terminated"}', R.SERVER_ERROR),
    # Gateways and compatible servers
    (
        404,
        b'{"object":"error","message":"The model `m` does not exist.","type":"NotFoundError","code":404}',
        R.MODEL_NOT_FOUND,
    ),
    (404, b'{"detail": "Not Found"}', R.BAD_REQUEST),
    (404, b"<!DOCTYPE html><html><head><title>Not here</title>", R.BAD_REQUEST),
    (422, b'{"detail": [{"loc": ["body"], "msg": "Field required", "input": "prompt"}]}', R.BAD_REQUEST),
    (400, error("Invalid model name passed in model=m. Call `/v1/models`", type="None", code="400"), R.MODEL_NOT_FOUND),
    (400, error("m is not a valid model ID", code=400), R.MODEL_NOT_FOUND),
    (400, error("The model `m` has been decommissioned", code="model_decommissioned"), R.MODEL_NOT_FOUND),
    (400, error("Model Not Exist", type="invalid_request_error"), R.MODEL_NOT_FOUND),
    (400, error("Budget has been exceeded! Current cost: 2", type="budget_exceeded", code="400"), R.QUOTA_EXHAUSTED),
    (401, error("Authentication Error, Invalid proxy server token passed", type="auth_error"), R.INVALID_KEY),
    (400, error("No connected db.", type="no_db_connection", code="400"), R.INVALID_KEY),
    (429, error("litellm.RateLimitError: OpenAIException - Your account is not active", code="429"), R.BILLING),
    (401, error("team not allowed to access model", type="team_model_access_denied"), R.PERMISSION_DENIED),
    (402, error("Insufficient credits", code=402), R.BILLING),
    (403, error("Input was flagged", code=403, metadata={"reasons": ["violence"]}), R.CONTENT_FILTERED),
    (429, error("litellm.RateLimitError: OpenAIException - You exceeded your current quota"), R.QUOTA_EXHAUSTED),
    (429, error("engine", type="engine_overloaded_error"), R.OVERLOADED),
    (429, error("Provider returned error", metadata={"raw": "insufficient_quota"}), R.QUOTA_EXHAUSTED),
    (500, error("litellm.InternalServerError: AnthropicException - Overloaded"), R.OVERLOADED),
    (413, error("Request too large (TPM)", type="tokens", code="rate_limit_exceeded"), R.BAD_REQUEST),
    (400, error("Content Exists Risk"), R.CONTENT_FILTERED),
]


@pytest.mark.parametrize(("status", "body", "reason"), TABLE)
def test_the_most_specific_thing_said_is_the_reason(status: int, body: bytes, reason: Reason) -> None:
    assert classified(status, body)[0] is reason


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"error": {"message": "x"}}, R.MALFORMED_ANSWER),
        ({"error": "something went wrong"}, R.MALFORMED_ANSWER),
        ({"error": {"code": 429, "message": "Slow"}}, R.RATE_LIMITED),
        ({"error": {"code": "502", "message": "Upstream"}}, R.SERVER_ERROR),
        ({"error": {"type": "server_error", "message": "The server had an error"}}, R.SERVER_ERROR),
        ({"error": {"type": "insufficient_quota"}}, R.QUOTA_EXHAUSTED),
        ({"error": {"type": "rate_limit_error", "message": "x"}}, R.RATE_LIMITED),
        ({"error": {"message": "Incorrect API key provided"}}, R.INVALID_KEY),
        ({"type": "error", "error": {"type": "overloaded_error"}}, R.OVERLOADED),
        ({"type": "error", "error": {"type": "api_error"}}, R.SERVER_ERROR),
        ({"type": "error", "error": {"type": "invalid_request_error"}}, R.BAD_REQUEST),
        ({"object": "error", "message": "no", "code": 404}, R.MODEL_NOT_FOUND),
        ([{"error": {"code": 503, "status": "UNAVAILABLE"}}], R.OVERLOADED),
        ({"error": {"code": 200, "message": "x"}}, R.MALFORMED_ANSWER),
    ],
)
def test_an_error_in_a_good_answer_has_the_reason_it_names(document: Any, reason: Reason) -> None:
    found = problem_in(document)
    assert found is not None
    assert found[0] is reason


@pytest.mark.parametrize("document", [{}, [], None, {"error": None}, {"error": {}}, {"choices": []}, {"type": "ping"}])
def test_what_holds_no_error_is_no_problem(document: Any) -> None:
    assert problem_in(document) is None


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (error("  Two\n\tlines\x00 "), "Two lines"),
        (error("", code="insufficient_quota"), "insufficient_quota"),
        (b'{"error": "plain"}', "plain"),
        (b'{"detail": [{"msg": "Field required", "input": "the prompt"}, {"msg": "Bad"}]}', "Field required; Bad"),
        (b"<html><head><title>502 Bad\nGateway</title>", "502 Bad Gateway"),
        (b"<html><body>the prompt", ""),
        (b"upstream connect error", "upstream connect error"),
        (b'{"status": "fine"}', "fine"),
        (b"", ""),
    ],
)
def test_the_providers_own_words_are_shown_on_one_line(body: bytes, shown: str) -> None:
    assert classified(500, body)[1] == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Incorrect API key provided: sk-proj-abcdefghij1234.", "Incorrect API key provided: sk-…"),
        ("bad key sk-ab****************cdef here", "bad key sk-… here"),
        ("key AIzaSyA1234567890abcdefg is bad", "key AIza… is bad"),
        ("Bearer abcdefghijkl", "Bearer …"),
        ("claude-3-5-haiku-20241022 is not there", "claude-3-5-haiku-20241022 is not there"),
        ("the task-list-is-long", "the task-list-is-long"),
    ],
)
def test_what_looks_like_a_key_is_left_out(text: str, shown: str) -> None:
    assert readable(text) == shown


def test_long_words_are_shortened() -> None:
    assert len(classified(400, error("x " * 10_000))[1]) == 300
    assert len(classified(400, b"y" * 1_000_000)[1]) == 300


def test_a_body_of_a_megabyte_is_judged_at_once() -> None:
    nested = b'{"error":' * 100_000
    assert classified(500, nested)[0] is R.SERVER_ERROR
    assert classified(404, error("model " + "not " * 100_000))[0] is R.MODEL_NOT_FOUND
