"""Filters that refuse what they do not know, so that a misspelt one never answers with everything."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

_OF_LISTS = {"cursor", "limit"}
_OF_ALL = {"fields", "format"}


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter, but an unknown query parameter is a 400 that names the known ones."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        is_list = not getattr(view, "detail", False)
        filterset = self.get_filterset(request, queryset, view) if is_list else None
        known = _OF_ALL | (_OF_LISTS if is_list else set())
        if filterset is not None:
            known |= set(filterset.filters)
        refuse_unknown_parameters(request, known)
        return super().filter_queryset(request, queryset, view) if is_list else queryset


def refuse_unknown_parameters(request: Request, known: set[str]) -> None:
    """Raises ValidationError that names, for each unknown query parameter, the known ones."""
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        message = _("There is no such parameter; known are %(known)s.") % {"known": ", ".join(sorted(known))}
        raise ValidationError({name: [message] for name in unknown})
