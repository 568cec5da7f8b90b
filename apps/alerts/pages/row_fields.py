"""Fields that are edited as rows: matchers on labels, and times of day and week.

A row's inputs are called `<field>-<number>-<part>`. Without scripts a form offers a few empty rows, and a row that is
emptied is left out; with scripts rows are added and removed by buttons. What is wrong with a row stands in that row.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from apps.alerts import matching, times
from apps.alerts.matching import LABEL_CHOICES, OPERATOR_CHOICES

# How many empty rows a form without scripts offers.
BLANK_ROWS = 2
# Rows beyond this are not read at all; the fields refuse fewer with a sentence.
_MOST_ROWS = 100
# Stand for the number of a row, counted from 0 in names and from 1 in words, until the script adds one.
_NAME_MARK, _WORD_MARK = "__row__", "__number__"

DAYS: list[tuple[str, Any]] = [
    ("0", pgettext_lazy("day of the week", "Mon")),
    ("1", pgettext_lazy("day of the week", "Tue")),
    ("2", pgettext_lazy("day of the week", "Wed")),
    ("3", pgettext_lazy("day of the week", "Thu")),
    ("4", pgettext_lazy("day of the week", "Fri")),
    ("5", pgettext_lazy("day of the week", "Sat")),
    ("6", pgettext_lazy("day of the week", "Sun")),
]


class RowsInput(forms.Widget):
    """Rows of inputs. `parts` are the inputs of one row; those in `several` hold a list of texts."""

    use_fieldset = True
    row_template = ""
    parts: tuple[str, ...] = ()
    several: tuple[str, ...] = ()

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.row_errors: dict[int, dict[str, list[str]]] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> RowsInput:
        own = copy.copy(self)
        own.attrs, own.row_errors = self.attrs.copy(), {}
        memo[id(self)] = own
        return own

    def id_for_label(self, id_: str) -> str:
        return ""

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return not self._numbers(data, name)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, Any]]:
        return [self._row(data, f"{name}-{number}-") for number in self._numbers(data, name)]

    def _numbers(self, data: Any, name: str) -> list[int]:
        pattern = re.compile(rf"{re.escape(name)}-(\d{{1,4}})-({'|'.join(self.parts)})")
        return sorted({int(found[1]) for key in data if (found := pattern.fullmatch(key))})[:_MOST_ROWS]

    def _row(self, data: Any, prefix: str) -> dict[str, Any]:
        def read(part: str) -> Any:
            key = f"{prefix}{part}"
            if part not in self.several:
                return str(data.get(key) or "")
            return data.getlist(key) if hasattr(data, "getlist") else list(data.get(key) or [])

        return {part: read(part) for part in self.parts}

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        given = [row for row in (value if isinstance(value, list) else []) if isinstance(row, Mapping)]
        blanks = range(len(given), len(given) + BLANK_ROWS)
        context = {
            "name": name,
            "uid": (attrs or {}).get("id") or f"id_{name}",
            "row_template": self.row_template,
            "rows": [self._shown(name, str(number), row) for number, row in enumerate(given)],
            "blanks": [self._shown(name, str(number), {}) for number in blanks],
            "added": self._shown(name, _NAME_MARK, {}, _WORD_MARK),
            **self.more_context(),
        }
        return render_to_string("alerts/_edit_rows.html", context)

    def _shown(self, name: str, number: str, values: Mapping[str, Any], words: str = "") -> dict[str, Any]:
        place = int(number) if number.isdecimal() else -1
        errors = self.row_errors.get(place, {})
        return {
            "prefix": f"{name}-{number}-",
            "number": words or str(place + 1),
            "values": values,
            "errors": errors,
            "sentences": [sentence for part in errors.values() for sentence in part],
        }

    def more_context(self) -> dict[str, Any]:
        """What the template of a row needs besides the row."""
        return {}


class RowsField(forms.Field):
    """A list in stored form when clean."""

    widget: Any = RowsInput

    def clean(self, value: Any) -> list[dict[str, Any]]:
        rows = list(value or [])
        kept = [(place, self.read(row)) for place, row in enumerate(rows) if not self.is_blank(row)]
        stored, errors = self.parse([row for _place, row in kept])
        overall: list[Any] = []
        for path, sentences in errors.items():
            number, _dot, part = path.partition(".")
            if number.isdecimal():
                row_errors = self.widget.row_errors.setdefault(kept[int(number)][0], {})
                row_errors.setdefault(part, []).extend(str(sentence) for sentence in sentences)
            else:
                overall += sentences
        if errors:
            raise forms.ValidationError(overall or [_("Mend what is marked above.")])
        if self.required and not stored:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return stored

    def is_blank(self, row: Mapping[str, Any]) -> bool:
        """A row that was offered and not used, or emptied to be left out."""
        raise NotImplementedError

    def read(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row of texts as `parse` takes it."""
        return dict(row)

    def parse(self, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, list[Any]]]:
        """`(stored form, errors by path)`, paths as "0.value"."""
        raise NotImplementedError


class MatchersInput(RowsInput):
    """Rows of label, operator and value. `labels` are those to choose from; `suggestions` known values by label,
    offered while somebody types."""

    row_template = "alerts/_edit_matcher.html"
    parts = ("label", "operator", "value")

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.suggestions: Mapping[str, Sequence[str]] = {}
        self.labels = list(LABEL_CHOICES)

    def more_context(self) -> dict[str, Any]:
        return {
            "labels": self.labels,
            "operators": OPERATOR_CHOICES,
            "suggestions": {label: values for label, values in self.suggestions.items() if values},
            "add_label": _("Add a condition"),
            "row_label": _("Condition"),
            "added_words": _("Condition added."),
            "removed_words": _("Condition removed."),
        }


class MatchersField(RowsField):
    """Conditions on labels, all of which must hold; see `matching`."""

    widget = MatchersInput

    def is_blank(self, row: Mapping[str, Any]) -> bool:
        return not row["label"] and not str(row["value"]).strip()

    def read(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {"label": row["label"], "operator": row["operator"] or "=", "value": str(row["value"]).strip()}

    def parse(self, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, list[Any]]]:
        stored, errors = matching.parse(rows)
        for number, row in enumerate(rows):
            if not row["label"]:
                errors[f"{number}.label"] = [_("Choose what to compare with this value.")]
        return list(stored), errors


class TimesInput(RowsInput):
    """Rows of days of the week, a beginning and an end."""

    row_template = "alerts/_edit_time.html"
    parts = ("days", "start", "end")
    several = ("days",)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        given = value if isinstance(value, list) else []
        rows = [
            {**row, "days": [str(day) for day in row.get("days") or []]} for row in given if isinstance(row, Mapping)
        ]
        return super().render(name, rows, attrs, renderer)

    def more_context(self) -> dict[str, Any]:
        return {
            "days": DAYS,
            "add_label": _("Add a time"),
            "row_label": pgettext_lazy("a range of hours on some days", "Time"),
            "added_words": _("Time added."),
            "removed_words": _("Time removed."),
        }


class TimesField(RowsField):
    """Times of day and week; see `times`."""

    widget = TimesInput

    def is_blank(self, row: Mapping[str, Any]) -> bool:
        return not row["days"] and not row["start"] and not row["end"]

    def read(self, row: Mapping[str, Any]) -> dict[str, Any]:
        days = [int(day) for day in row["days"] if str(day).isdecimal() and len(str(day)) == 1]
        return {"days": days, "start": row["start"], "end": row["end"]}

    def parse(self, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, list[Any]]]:
        return times.parse(rows)


def row_sentences(form: forms.Form) -> list[str]:
    """What is wrong with single rows of a form, for a place where the rows themselves are not shown."""
    widgets = [field.widget for field in form.fields.values() if isinstance(field.widget, RowsInput)]
    return [
        sentence
        for widget in widgets
        for row in widget.row_errors.values()
        for part in row.values()
        for sentence in part
    ]
