"""Filters that refuse what they do not know, so that a misspelt one never answers with everything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import django_filters
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
        _refuse_half_switches(request, filterset)
        return super().filter_queryset(request, queryset, view) if is_list else queryset


class ListedFilter(django_filters.CharFilter):
    """One of `choices`, or several with commas between. Any other value is an error that names the choices."""

    def __init__(self, *args: Any, choices: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices = [str(choice) for choice in choices]

    def filter(self, qs: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        if not value:
            return qs
        wanted = [part.strip() for part in value.split(",")]
        if not set(wanted) <= set(self.choices):
            message = _("There is no such value; known are %(known)s.") % {"known": ", ".join(self.choices)}
            raise ValidationError({_name_of(self): [message]})
        return qs.filter(**{f"{self.field_name}__in": wanted})


def _name_of(wanted: django_filters.Filter) -> str:
    """The query parameter a filter answers to: django-filter tells a filter its field but not its own name."""
    return next(str(name) for name, known in wanted.parent.filters.items() if known is wanted)


_SWITCHES = {"true": True, "1": True, "false": False, "0": False}


def _refuse_half_switches(request: Request, filterset: Any) -> None:
    """django-filter takes a switch it cannot read for no filter at all."""
    for name, wanted in filterset.filters.items() if filterset is not None else ():
        value = request.query_params.get(name, "")
        if isinstance(wanted, django_filters.BooleanFilter) and value and value.lower() not in _SWITCHES:
            raise ValidationError({name: [_("Use true or false.")]})


def refuse_unknown_parameters(request: Request, known: set[str]) -> None:
    """Raises ValidationError that names, for each unknown query parameter, the known ones."""
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        message = _("There is no such parameter; known are %(known)s.") % {"known": ", ".join(sorted(known))}
        raise ValidationError({name: [message] for name in unknown})
