"""A length of time as a person enters it: a number and its unit in, seconds out."""

from __future__ import annotations

import pytest
from django import forms

from apps.core.durations import DurationField, in_words


class Form(forms.Form):
    period = DurationField(minimum=1, maximum=31_536_000)


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        ({"period": "1", "period_unit": "day"}, 86_400),
        ({"period": "1.5", "period_unit": "hour"}, 5_400),
        ({"period": "0.1", "period_unit": "hour"}, 360),
        ({"period": "90"}, 90),
        ({"period": "365", "period_unit": "day"}, 31_536_000),
    ],
)
def test_a_number_and_a_unit_make_seconds(data: dict[str, str], seconds: int) -> None:
    form = Form(data)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["period"] == seconds


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"period": "0", "period_unit": "day"}, "Enter a time from 1 second to 365 days."),
        ({"period": "-2", "period_unit": "day"}, "Enter a time from 1 second to 365 days."),
        ({"period": "366", "period_unit": "day"}, "Enter a time from 1 second to 365 days."),
        ({"period": "1e400", "period_unit": "day"}, "Enter a number."),
        ({"period": "nan", "period_unit": "day"}, "Enter a number."),
        ({"period": "soon", "period_unit": "day"}, "Enter a number."),
        ({"period": "1", "period_unit": "fortnight"}, "fortnight is not one of the available choices"),
        ({"period": "", "period_unit": "day"}, "required"),
    ],
)
def test_wrong_lengths_are_refused_with_a_sentence(data: dict[str, str], sentence: str) -> None:
    form = Form(data)
    assert not form.is_valid()
    assert sentence in " ".join(str(error) for error in form.errors["period"])


@pytest.mark.parametrize(
    ("seconds", "number", "unit"),
    [
        (86_400, "1", "day"),
        (5_400, "90", "minute"),
        (7_200, "2", "hour"),
        (61, "61", "second"),
        (1_000_001, "1000001", "second"),
    ],
)
def test_seconds_are_shown_in_the_largest_unit_that_divides_them(seconds: int, number: str, unit: str) -> None:
    content = str(Form(initial={"period": seconds})["period"])
    assert f'name="period" value="{number}"' in content
    assert f'value="{unit}" selected' in content


def test_a_length_in_words() -> None:
    assert [in_words(value) for value in (1, 60, 5_400, 86_400)] == ["1 second", "1 minute", "90 minutes", "1 day"]
