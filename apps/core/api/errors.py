"""Every refusal in one shape: `{"field": ["message"]}`, or `{"detail": "message"}` when no field is to blame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DataError, IntegrityError
from django.http import Http404
from django.utils.translation import gettext
from rest_framework import status
from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler as framework_handler
from rest_framework.views import set_rollback

from apps.core.outages import RETRY_AFTER_SECONDS, outage_sentence


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER. None (a 500 with a log entry) is for errors of our own only."""
    sentence = outage_sentence(error)
    if sentence:
        set_rollback()
        return Response({"detail": sentence}, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    if isinstance(error, Http404):
        # Django says there which class of ours has no such row.
        error = NotFound(gettext("There is nothing here"))
    elif isinstance(error, ModelValidationError):
        error = ValidationError(model_errors(error))
    elif isinstance(error, IntegrityError):
        return _conflict(error)
    elif isinstance(error, DataError):
        set_rollback()
        return Response({"detail": gettext("A value is too large or malformed.")}, status=status.HTTP_400_BAD_REQUEST)
    response = framework_handler(error, context)
    if response is not None and isinstance(error, ValidationError):
        response.data = flat_errors(response.data)
    return response


def model_errors(error: ModelValidationError) -> dict[str, list[str]]:
    """Django's ValidationError as field errors; what belongs to no field goes under `non_field_errors`."""
    if not hasattr(error, "error_dict"):
        return {api_settings.NON_FIELD_ERRORS_KEY: error.messages}
    return {
        api_settings.NON_FIELD_ERRORS_KEY if field == "__all__" else field: messages
        for field, messages in error.message_dict.items()
    }


def flat_errors(data: Any) -> dict[str, list[Any]]:
    """Nested errors by dotted path: {"config": {"url": ["…"]}} becomes {"config.url": ["…"]}."""
    errors: dict[str, list[Any]] = {}
    for path, message in _walk("", data):
        errors.setdefault(path or api_settings.NON_FIELD_ERRORS_KEY, []).append(message)
    return errors


def _walk(path: str, data: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            below = path if key == api_settings.NON_FIELD_ERRORS_KEY else f"{path}.{key}" if path else str(key)
            yield from _walk(below, value)
    elif isinstance(data, list):
        for position, value in enumerate(data):
            plain = isinstance(value, ErrorDetail | str)
            yield from [(path, value)] if plain else _walk(f"{path}.{position}" if path else str(position), value)
    else:
        yield path, data


def _conflict(error: IntegrityError) -> Response:
    """A rule of the database that two requests at once ran into: the same answer as validation would have given."""
    set_rollback()
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""
    message = _constraint_messages().get(name)
    if message is not None and name.endswith("_name_unique"):
        return Response({"name": [message]}, status=status.HTTP_400_BAD_REQUEST)
    sentence = message or gettext("Somebody changed this at the same moment; look again and repeat.")
    return Response({"detail": sentence}, status=status.HTTP_409_CONFLICT)


def _constraint_messages() -> dict[str, str]:
    return {
        constraint.name: str(constraint.violation_error_message)
        for model in apps.get_models()
        for constraint in model._meta.constraints
        if constraint.violation_error_message != constraint.default_violation_error_message
    }
