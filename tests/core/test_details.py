"""What outbound requests and letters fail of, in words of our own: a code and its values, said to whoever reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from apps.core.addresses import probe_policy
from apps.core.details import DETAILS, detail_words, words
from apps.core.outbound import BadLocation, OutboundError, header_problem, parse_location, request
from apps.core.outbound.problems import Problem
from apps.core.registry import DuplicateEntry
from apps.probes.reasons import Reason, sentence
from tests.core.test_mail import failure as mail_failure
from tests.core.test_mail import mail
from tests.servers.http import HttpServer, answer, redirect
from tests.servers.mail import ScriptedMailServer

APPS = Path(__file__).parents[2] / "apps"
VALUES = {name: f"<{name}>" for name in ("limit", "name", "number", "kilobytes", "lines")}


@pytest.mark.parametrize("code", list(Problem), ids=str)
def test_every_problem_has_words_and_says_its_values(code: Problem) -> None:
    stored = words(code, **VALUES).to_evidence()
    assert stored["detail_code"] == code.value
    assert stored["detail"] == detail_words(stored)
    assert not re.search(r"%\(", stored["detail"])
    said = sentence(Reason.INVALID_CONFIGURATION, stored)
    assert said.endswith(".") and not said.endswith("..") and "“" not in said, "it is ours, so nothing is quoted"


def test_a_bad_url_is_stored_once_and_said_in_the_language_of_its_reader() -> None:
    with translation.override("ko"), pytest.raises(OutboundError) as caught:
        request("GET", "ftp://shop.example/", policy=probe_policy())
    stored = caught.value.evidence
    assert (stored["detail"], stored["detail_code"]) == (
        "Enter a URL that starts with http:// or https://.",
        "url_scheme",
    ), "what is stored has no language"
    assert sentence(caught.value.reason, stored) == (
        "This check cannot run as it is configured: Enter a URL that starts with http:// or https://."
    )
    with translation.override("ko"):
        assert "Enter" not in sentence(caught.value.reason, stored)
        assert "Enter" not in sentence(caught.value.reason, {"detail": stored["detail"]}), "stored without a code"


def test_a_form_says_the_same_in_the_language_of_its_reader() -> None:
    with translation.override("ko"), pytest.raises(BadLocation) as caught:
        parse_location("http://user:word@shop.example/")
    assert caught.value.sentence.startswith("Leave user name and password out")
    with translation.override("ko"):
        assert re.search("[가-힣]", caught.value.sentence)
        problem = header_problem("Expect", "100-continue")
        assert problem is not None and re.search("[가-힣]", problem.said()) and "Expect" in problem.said()
    assert str(caught.value).startswith("Leave user name"), "programs read English"


def test_a_redirect_that_leads_nowhere_says_why_with_a_code() -> None:
    with HttpServer() as server, pytest.raises(OutboundError) as caught:
        server.behave("/", redirect("gopher://127.0.0.1/"))
        request("GET", server.url("/"), policy=probe_policy(), max_redirects=3)
    assert (caught.value.reason, caught.value.evidence["detail_code"]) == ("redirect_refused", "url_scheme")


def test_a_limit_of_ours_is_a_value_of_the_words() -> None:
    with HttpServer() as server, pytest.raises(OutboundError) as caught:
        server.behave("/", answer(headers={f"x-{number}": "y" for number in range(300)}))
        request("GET", server.url("/"), policy=probe_policy())
    evidence = caught.value.evidence
    assert evidence["detail"] == "the headers are larger than 64 kB or more than 200 lines"
    assert (evidence["detail_code"], evidence["detail_values"]) == ("large_headers", {"kilobytes": 64, "lines": 200})


@pytest.mark.parametrize(
    ("greeting", "changes", "code"),
    [
        ("220 mail.example", {"security": "starttls"}, "no_starttls"),
        ("HTTP/1.1 400 Bad Request", {}, "no_smtp"),
        ("220 mail.example", {"sender": "nobody"}, "address_unreadable"),
        ("220 mail.example", {"username": "a", "password": "b"}, "plain_password"),
        ("220 mail.example", {"server": "no host"}, "host_unreadable"),
    ],
)
def test_a_letter_that_cannot_go_out_says_why_with_a_code(greeting: str, changes: dict[str, Any], code: str) -> None:
    with ScriptedMailServer(greeting=greeting) as server:
        assert mail_failure(mail(server.port, **changes)).evidence["detail_code"] == code


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (Reason.DNS_ERROR, "Misformatted DNS query"),
        (Reason.TLS_ERROR, "wrong version number"),
        (Reason.PROTOCOL_ERROR, "Received HTTP/0.9 when not allowed"),
        (Reason.QUERY_FAILED, 'relation "orders" does not exist'),
        (Reason.INTERNAL_ERROR, "Too many open files"),
        (Reason.INVALID_CONFIGURATION, "URL using bad/illegal format"),
    ],
)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_words_of_others_stand_between_quotes_as_they_are(reason: Reason, said: str, language: str) -> None:
    with translation.override(language):
        assert f"“{said}”" in sentence(reason, {"host": "shop.example", "detail": said})


def test_an_operator_is_a_word_of_the_sentence_it_stands_in() -> None:
    failed = {"field": "header.server", "operator": "not_contains", "expected": "nginx", "actual": "nginx/1"}
    assert sentence(Reason.CONDITION_FAILED, {"conditions": [{**failed, "passed": False}]}) == (
        "Expected header server does not contain nginx, got nginx/1."
    )
    with translation.override("ko"):
        assert "contain" not in sentence(Reason.CONDITION_FAILED, failed)


def test_two_meanings_of_one_code_stop_the_process() -> None:
    with pytest.raises(DuplicateEntry):
        DETAILS.add(Problem.NO_SMTP.value, "something else")


def test_no_detail_of_ours_is_composed_without_a_code() -> None:
    modules = [*(APPS / "core/outbound").rglob("*.py"), *(APPS / "probes").rglob("*.py")]
    found = [f"{path}:{line}" for path in modules for line in _worded(ast.parse(path.read_text()))]
    assert not found, "give these a code (apps/core/details.py), or a reader of another language reads English"


def _worded(tree: ast.Module) -> Iterator[int]:
    """The lines at which a dictionary is written whose `detail` holds words."""
    for node in ast.walk(tree):
        pairs = zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ()
        for key, value in pairs:
            if isinstance(key, ast.Constant) and key.value == "detail":
                texts = [part.value for part in ast.walk(value) if isinstance(part, ast.Constant)]
                if any(isinstance(text, str) and re.search("[a-z] ", text) for text in texts):
                    yield value.lineno
