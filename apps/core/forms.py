"""What forms share: a service's errors on the fields they belong to."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError


def put_errors(form: forms.Form, error: ValidationError, *, only_new: bool = False) -> None:
    """What a service found wrong, on the fields of `form`; what no field has stands above it.

    `only_new` leaves out fields that have an error already: their value never reached the service.

    A dotted path without a field of its own ("conditions.0.value") goes to the nearest one that contains it.
    """
    by_field = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    wrong = set(form.errors) if only_new else set()
    for path, sentences in by_field.items():
        field = _field_for(form, path)
        if field is not None and field in wrong:
            continue
        for sentence in sentences:
            form.add_error(field, _within(path, field, sentence))


def _field_for(form: forms.Form, path: str) -> str | None:
    parts = path.split(".")
    return next((name for end in range(len(parts), 0, -1) if (name := ".".join(parts[:end])) in form.fields), None)


def _within(path: str, field: str | None, sentence: str) -> str:
    """Which part of the field is meant, where the field holds several."""
    inner = path.removeprefix(field).lstrip(".") if field else path
    return f"{inner}: {sentence}" if inner and inner != "__all__" else sentence
