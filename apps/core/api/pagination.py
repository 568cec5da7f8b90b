"""Cursor pages: `{"next", "previous", "results"}`, `?limit=` 1 to 500 (50)."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DataError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import pagination
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request

MAX_LIMIT = 500
_CURSOR = re.compile(r"[A-Za-z0-9+/]+={0,2}")


class CursorPagination(pagination.CursorPagination):
    """Newest first (ids are version 7 UUIDs), unless a view names another `ordering`."""

    ordering = "-pk"
    page_size = 50
    max_page_size = MAX_LIMIT
    page_size_query_param = "limit"
    page_size_query_description = "Rows a page, 1 to 500."
    # A position is a value and how many rows of the same value lie before it: cut off, `next` would lead to the same
    # page for ever once more rows share a value (prices of one day, say).
    offset_cutoff = 1_000_000_000

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, ValueError, ModelValidationError, DataError) as error:
            if "cursor" not in request.query_params:
                raise
            message = _("This is not a cursor: follow `next` or `previous` of a page as they are.")
            raise ValidationError({"cursor": [message]}) from error

    def decode_cursor(self, request: Request) -> Any:
        # DRF's decoder skips what is not base64, and so takes rubbish for the first page.
        given = request.query_params.get(self.cursor_query_param)
        if given is not None and not _CURSOR.fullmatch(given):
            raise NotFound(self.invalid_cursor_message)
        return super().decode_cursor(request)

    def get_page_size(self, request: Request) -> int:
        given = request.query_params.get("limit", "").strip()
        if "limit" not in request.query_params:
            return self.page_size
        if not (given.isascii() and given.isdigit() and 1 <= int(given[:6]) <= MAX_LIMIT):
            raise ValidationError({"limit": [_("Give a whole number from 1 to %(most)s.") % {"most": MAX_LIMIT}]})
        return int(given[:6])

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        ordering = getattr(view, "ordering", None) or self.ordering
        return (ordering,) if isinstance(ordering, str) else tuple(ordering)
