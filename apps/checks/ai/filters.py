"""Query parameters of the list of models: those of the catalog, and the order."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from apps.catalog.filters import ModelFilters
from apps.catalog.models import Target
from apps.checks.ai.ordering import MEASURES, figures_of, with_figures

_NAME = "name"
ORDERINGS = tuple(f"{sign}{name}" for name in (_NAME, *MEASURES) for sign in ("", "-"))


class MeasuredModelFilters(ModelFilters):
    """Also `?ordering=ttft_ms` or `-ttft_ms`; a model without the figure stands last either way."""

    ordering: Any = django_filters.CharFilter(
        method="in_order", help_text="One of: " + ", ".join(ORDERINGS) + ". Newest first when left out."
    )

    def in_order(self, queryset: QuerySet[Target], name: str, value: str) -> QuerySet[Target]:
        if value not in ORDERINGS:
            message = _("There is no such value; known are %(known)s.") % {"known": ", ".join(ORDERINGS)}
            raise ValidationError({name: [message]})
        measure = value.removeprefix("-")
        if measure == _NAME:
            return queryset.annotate(measure=Lower("name"))
        figures = figures_of(list(queryset.order_by().values_list("pk", flat=True)), measure)
        return with_figures(queryset, figures, descending=value != measure)


def order_of(value: str) -> tuple[str, ...]:
    """The columns of a value `in_order` took; none for the order lists have by themselves."""
    # As the filter reads it: a field of a form leaves the spaces around a value out.
    wanted = value.strip()
    if not wanted:
        return ()
    return ("-measure" if wanted.startswith("-") else "measure", "-pk")
