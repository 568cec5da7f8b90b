"""Reading JSON bodies: bounded in depth, and free of characters the database cannot hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import JSONParser

MAX_DEPTH = 64


class BoundedJSONParser(JSONParser):
    """JSON with at most 64 levels. The size is bounded at the ASGI edge."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
        except ParseError as error:
            raise ParseError(_("The body is not valid JSON: %(error)s") % {"error": error.detail}) from error
        except RecursionError as error:
            raise ParseError(_too_deep()) from error
        _check(data)
        return data


def _too_deep() -> str:
    return _("The body is nested deeper than %(most)s levels.") % {"most": MAX_DEPTH}


def _check(data: Any) -> None:
    """Walk without recursion. Raises ParseError or, by top-level field, ValidationError."""
    waiting: list[tuple[str, int, Any]] = [("", 1, data)]
    while waiting:
        field, depth, value = waiting.pop()
        if isinstance(value, str):
            _check_text(field, value)
        elif isinstance(value, dict | list):
            if depth > MAX_DEPTH:
                raise ParseError(_too_deep())
            if isinstance(value, list):
                waiting.extend((field, depth + 1, item) for item in value)
                continue
            for name, item in value.items():
                _check_text(field, name)
                waiting.append((field or name, depth + 1, item))


def _check_text(field: str, text: str) -> None:
    if "\x00" in text:
        message = _("The text holds a NUL character; leave it out.")
    elif not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        message = _("The text holds half of a character (a lone surrogate); leave it out.")
    else:
        return
    raise ValidationError({field or "non_field_errors": [message]})
