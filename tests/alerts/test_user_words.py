"""The user's own wording: placeholders and sections, and nothing that is evaluated."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.conf import settings

from apps.alerts.wording import MAX_CHARACTERS, PLACEHOLDERS, SECTIONS, problems_of, render_user_words, write
from apps.alerts.wording.user_words import MAX_OUTPUT_CHARACTERS
from tests.alerts.saying import entry, message, over

VALUES: dict[str, Any] = {
    "target": "Shop",
    "count": "2",
    "firing": [{"target": "Shop", "reason": "down"}, {"target": "Pay", "reason": "slow"}],
    "resolved": [{"target": "Search"}],
}


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ target }} and {{target}} and {{  count  }}", "Shop and Shop and 2"),
        ("{{#firing}}\n- {{ target }}: {{ reason }}\n{{/firing}}\nEnd", "- Shop: down\n- Pay: slow\nEnd"),
        ("a {{#firing}}{{ target }} {{/firing}}b", "a Shop Pay b"),
        ("{{#resolved}}{{ target }} of {{ count }}{{/resolved}}", "Search of 2"),
        ("  {{#firing}}  \n{{ target }}\n  {{/firing}}  ", "Shop\nPay\n"),
        ("", ""),
    ],
)
def test_placeholders_and_sections_are_filled_in(template: str, words: str) -> None:
    assert render_user_words(template, VALUES) == words
    assert problems_of(template) == []


HARMLESS = [
    "{{7*7}}",
    "{{ 7*7 }}",
    "{% include 'x' %}",
    "{% load i18n %}",
    "{{ settings.SECRET_KEY }}",
    "{{ target.name }}",
    "{{ target|safe }}",
    "{{ target() }}",
    "{{ __class__.__mro__ }}",
    "{0.__class__}",
    "{target.__class__}",
    "%(target)s",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{{{",
    "{{ }}",
    "{{&target}}",
    "{{>partial}}",
    "{{!comment}}",
    "{{^firing}}",
]


@pytest.mark.parametrize("template", HARMLESS)
def test_what_is_no_placeholder_stays_the_text_it_is(template: str) -> None:
    assert render_user_words(template, VALUES) == template
    assert not [problem for problem in problems_of(template) if problem.is_error]
    text = write(message(entry(), wording={"title": template, "body": template}))
    assert text.title == template
    assert [line.sentence for line in text.lines] == [template]
    assert settings.SECRET_KEY not in repr(text)


def test_values_are_never_read_as_wording() -> None:
    hostile: dict[str, Any] = {
        "target": "{{ count }}{{#firing}}{{7*7}}",
        "count": "{{ target }}",
        "firing": [{"target": "{{/firing}}"}],
    }
    assert render_user_words("{{ target }}|{{ count }}", hostile) == "{{ count }}{{#firing}}{{7*7}}|{{ target }}"
    assert render_user_words("{{#firing}}{{ target }}{{/firing}}", hostile) == "{{/firing}}"


@pytest.mark.parametrize(
    ("template", "line", "part"),
    [
        ("a\nb {{ tagret }}", 2, "Did you mean {{ target }}?"),
        ("{{ zzz }}", 1, "There is no placeholder {{ zzz }}."),
        ("{{ firing }}", 1, "is a section"),
        ("\n\n{{#firing}}\nx", 3, "never ends"),
        ("x\n{{/firing}}", 2, "never began"),
        ("{{#firing}}\n{{#resolved}}\n{{/resolved}}\n{{/firing}}", 2, "begins inside another"),
        ("{{#everything}}x", 1, "There is no section"),
        ("a\nb\nc\x00", 3, "cannot be printed"),
        ("\n" * 3 + "x" * (MAX_CHARACTERS + 1), 4, "longer than 4000"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(template: str, line: int, part: str) -> None:
    errors = [problem for problem in problems_of(template) if problem.is_error]
    assert errors[0].line == line
    assert part in errors[0].sentence
    render_user_words(template, VALUES)


def test_something_that_is_no_text_is_a_problem() -> None:
    assert [problem.line for problem in problems_of(["{{ target }}"])] == [1]


def test_what_looks_like_code_is_remarked_upon_and_sent_as_it_stands() -> None:
    (remark,) = problems_of("a\n{{7*7}}")
    assert (remark.line, remark.is_error) == (2, False)
    assert "sent as it stands" in remark.sentence


def test_wording_is_bounded_in_time_and_size() -> None:
    many = {**VALUES, "firing": [{"target": "x" * 2_000}] * 1_000}
    began = time.perf_counter()
    words = render_user_words("{{#firing}}" + "{{ target }}" * 200 + "{{/firing}}", many)
    assert len(words) == MAX_OUTPUT_CHARACTERS
    for nasty in ("{{" * 2_000, "{{ " + "\t" * 3_000, "{{#firing}}" * 360, "{%" * 2_000, "\n {{#firing}}" * 300):
        problems_of(nasty)
        render_user_words(nasty, VALUES)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_placeholder_has_a_value_in_both_languages(language: str) -> None:
    """Those of an alert come from the first one outside a section, and from each one inside."""
    full = entry(rule="Slow", value=2400, level=2000, unit="ms", cause="latency", operator=">", acknowledged_by="Kim")
    full["target"] |= {"kind": "model", "provider": {"id": "p", "name": "OpenAI"}}
    body = "\n".join("{{ " + name + " }}" for name in PLACEHOLDERS)
    body += "\n" + "\n".join("{{#" + name + "}}{{ target }}{{/" + name + "}}" for name in SECTIONS)
    assert problems_of(body) == []
    text = write(message(full, over(), wording={"body": body}, language=language))
    said = [line.sentence for line in text.lines]
    assert len(said) == len(PLACEHOLDERS) + len(SECTIONS)
    assert all(said), dict(zip([*PLACEHOLDERS, *SECTIONS], said, strict=True))
    assert said[-2:] == ["Shop · OpenAI", "Search"]
