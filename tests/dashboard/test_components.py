"""Each component as HTML: escaped, complete, and tied together for those who cannot see it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any

import pytest
from django import forms
from django.template.loader import render_to_string
from django.utils import timezone, translation

from apps.core import clock
from apps.core.kindconfig import MASK
from apps.dashboard import evidence_view
from tests.dashboard.rendering import HOSTILE, NOW, render


@pytest.fixture(autouse=True)
def _english_at_one_moment() -> Iterator[None]:
    with translation.override("en"), timezone.override(UTC), clock.frozen(NOW):
        yield


def test_evidence_shows_what_was_expected_and_what_came() -> None:
    conditions = [
        {"field": "status", "operator": "==", "expected": 200, "actual": 503, "passed": False},
        {"field": "body", "operator": "contains", "expected": HOSTILE, "actual": HOSTILE, "passed": True},
        {"field": "json.a", "operator": "==", "expected": 1, "actual": None, "passed": None},
    ]
    html = render("{% evidence values %}", values={"conditions": conditions, "host": "api.example.com"})
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))
    assert "Failed status == 200 503" in text
    assert "Passed" in text
    assert "Not reached" in text
    assert "Host api.example.com" in text
    assert "<script" not in html


def test_a_masked_secret_is_shown_as_hidden() -> None:
    html = render("{% evidence values %}", values={"headers": {"set-cookie": MASK, "server": "nginx"}})
    assert "hidden" in html
    assert MASK not in html
    assert "nginx" in html


def test_phases_are_to_scale_in_the_order_they_happen() -> None:
    phases, total = evidence_view.phases_of({"first_byte_ms": 75.0, "dns_ms": 25.0, "certificate_days": 30.0})
    assert [(phase.key, phase.x, phase.width) for phase in phases] == [("dns_ms", 0, 25), ("first_byte_ms", 25, 75)]
    assert total == "100\u00a0ms"


@pytest.mark.parametrize(
    "values",
    [
        None,
        {},
        [],
        "text",
        7,
        {"conditions": "no list", "headers": [1], "certificate": 3, "hops": {}, "body": 5},
        {"a": {"b": [1]}},
    ],
)
def test_evidence_of_any_shape_is_drawn(values: Any) -> None:
    assert '<div class="evidence">' in render("{% evidence values %}", values=values)


def test_a_json_body_is_laid_out_and_other_text_left_alone() -> None:
    assert '"a": 1' in evidence_view.view_of({"body": '{"a":1}'}).body
    assert evidence_view.view_of({"body": "{broken"}).body == "{broken"


def test_a_sorted_column_goes_up_then_down_then_back_and_keeps_the_filters() -> None:
    source = '{% table_header "Name" "name" sort %}'
    first = render(source, "?status=outage&cursor=abc", sort="")
    assert "?status=outage&amp;sort=name" in first
    assert "cursor" not in first
    up = render(source, sort="name")
    assert 'aria-sort="ascending"' in up
    assert "?sort=-name" in up
    down = render(source, sort="-name")
    assert 'aria-sort="descending"' in down
    assert 'href="?"' in down


def test_a_column_without_a_key_does_not_sort() -> None:
    assert "<a" not in render('{% table_header "Actions" "" "name" hidden=True %}')


def test_a_time_has_its_moment_its_age_and_its_absolute_form() -> None:
    html = render("{% relative_time moment %}", moment=NOW - timedelta(minutes=12))
    assert 'datetime="2026-11-21T04:48:00.000+00:00"' in html
    assert "12\u00a0min ago" in html
    assert 'data-tip="21 Nov 2026, 04:48:00 UTC"' in html
    assert 'tabindex="0"' in html
    assert "never" in render("{% relative_time moment %}", moment=None)


def test_a_timeline_groups_by_minute_and_names_a_day_that_is_not_today() -> None:
    entries = [
        {"at": NOW, "title": HOSTILE, "status": "outage"},
        {"at": NOW - timedelta(seconds=10), "title": "b", "icon": "note", "actor": HOSTILE, "text": HOSTILE},
        {"at": NOW - timedelta(seconds=20), "title": "c", "icon": "note"},
        {"at": NOW - timedelta(days=1), "title": "d"},
    ]
    html = render('{% include "components/timeline.html" %}', entries=entries)
    assert html.count("timeline-group") == 3
    assert html.count("timeline-day") == 1
    assert "20 Nov 2026" in html
    assert "<script" not in html


def test_a_long_text_is_cut_in_the_middle_and_whole_for_whoever_asks() -> None:
    long = "https://api.example.com/" + "x" * 60 + "/the-end"
    html = render("{% middle text %}", text=long)
    assert html.count(long) == 2
    assert "x/the-end</span>" in html
    assert render("{% middle text %}", text="short").strip() == '<span class="nowrap">short</span>'


class SampleForm(forms.Form):
    interval = forms.IntegerField(label="Interval", min_value=1, help_text="Seconds between looks.")
    note = forms.CharField(label="Note", required=False)


def test_a_form_row_ties_label_help_and_error_to_its_field() -> None:
    form = SampleForm({"interval": "0"})
    html = render('{% form_row form.interval unit="s" %}', form=form)
    described = re.search(r'aria-describedby="([^"]*)"', html)
    assert described is not None
    assert 'aria-invalid="true"' in html
    for identifier in described.group(1).split():
        assert f'id="{identifier}"' in html
    assert "greater than or equal to 1" in html
    assert '<span class="unit" aria-hidden="true">s</span>' in html
    assert "optional" in render("{% form_row form.note %}", form=form)


def test_a_condition_editor_without_scripts_is_its_json_field() -> None:
    html = render_to_string(
        "components/condition_editor.html",
        {"name": "conditions", "id": "id_conditions", "label": "Conditions", "value": f'[{{"value": "{HOSTILE}"}}]'},
    )
    assert "<script" not in html
    assert re.search(r'<textarea[^>]*name="conditions"', html)


@pytest.mark.parametrize("level", ["success", "info", "warning", "error"])
def test_a_toast_escapes_its_text_and_an_error_interrupts(level: str) -> None:
    html = render_to_string("components/toast.html", {"text": HOSTILE, "level": level})
    assert "<script" not in html
    assert f'role="{"alert" if level == "error" else "status"}"' in html


def test_a_confirm_dialog_escapes_and_can_ask_for_a_name() -> None:
    html = render(
        '{% include "components/confirm_dialog.html" %}',
        uid="sure",
        title=HOSTILE,
        text=HOSTILE,
        action_url="/x/",
        confirm_label="Delete",
        type_name=HOSTILE,
    )
    assert "<script" not in html
    assert "csrfmiddlewaretoken" in html
    assert "data-type-input" in html


def test_a_filter_bar_keeps_what_is_chosen() -> None:
    filters = [
        {"name": "q", "label": "Name", "kind": "search", "value": HOSTILE},
        {"name": "status", "label": "Status", "kind": "select", "value": "outage", "choices": [("outage", "Outage")]},
    ]
    html = render('{% include "components/filter_bar.html" %}', filters=filters, chips=[], keep={"sort": "-name"})
    assert "<script" not in html
    assert '<option value="outage" selected>' in html
    assert '<input type="hidden" name="sort" value="-name">' in html


def test_a_pager_links_to_both_sides_and_says_how_many() -> None:
    html = render(
        '{% include "components/pager.html" with next="abc" previous=None shown=50 total=1204 %}', "?status=x"
    )
    assert "?status=x&amp;cursor=abc" in html
    assert "50 of 1,204 rows" in html
    assert 'aria-disabled="true"' in html
