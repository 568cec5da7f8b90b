"""REST: models with what was measured of them, the history of one, and several beside each other."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from apps.catalog.api import ModelViewSet
from apps.catalog.models import Target
from apps.checks.ai.compare import compare_models
from apps.checks.ai.filters import MeasuredModelFilters, order_of
from apps.checks.ai.history import model_history
from apps.checks.ai.hours import KEEP
from apps.checks.ai.schema import ComparisonSerializer, ModelHistorySerializer
from apps.checks.ai.serializers import MeasuredModelSerializer, represent_comparison, represent_history
from apps.checks.charts import read_moment
from apps.core import clock
from apps.core.api.filtering import refuse_unknown_parameters

MOST_COMPARED = 20
_DAY = timedelta(days=1)
_TIMES = [
    OpenApiParameter("from", OpenApiTypes.DATETIME, description="A day before `to` when left out."),
    OpenApiParameter("to", OpenApiTypes.DATETIME, description="Now when left out."),
]
_IDS = OpenApiParameter("ids", OpenApiTypes.STR, required=True, description="Up to 20 ids, with commas between.")


class MeasuredModelViewSet(ModelViewSet):
    """AI models, with what was measured of them. A model lives in its provider's environment."""

    serializer_class = MeasuredModelSerializer
    filterset_class = MeasuredModelFilters

    @property
    def ordering(self) -> tuple[str, ...]:
        """Of the list, as `?ordering=` asks for it."""
        return order_of(self.request.query_params.get("ordering", ""))

    @extend_schema(parameters=_TIMES, responses=ModelHistorySerializer, filters=False)
    @action(detail=True, methods=["get"], filterset_class=None)
    def history(self, request: Request, pk: str) -> Response:
        """Percentiles, errors, uptime and money over time; the last 24 hours unless `from` and `to` say otherwise."""
        refuse_unknown_parameters(request, {"from", "to"})
        target = get_object_or_404(self.get_queryset(), pk=pk)
        start, end = _times(request)
        return Response(represent_history(model_history(target.pk, start, end)))

    @extend_schema(parameters=[_IDS, *_TIMES], responses=ComparisonSerializer, filters=False)
    @action(detail=False, methods=["get"], filterset_class=None)
    def compare(self, request: Request) -> Response:
        """Models beside each other on one clock."""
        refuse_unknown_parameters(request, {"ids", "from", "to"})
        # Some clients write a list by naming its parameter again.
        targets = self._targets(",".join(request.query_params.getlist("ids")))
        start, end = _times(request)
        return Response(represent_comparison(compare_models(targets, start, end)))

    def _targets(self, text: str) -> list[Target]:
        """The models named, in their order. Raises ValidationError on `ids`."""
        identifiers = list(dict.fromkeys(_identifier(part) for part in text.split(",") if part.strip()))
        if not identifiers or len(identifiers) > MOST_COMPARED:
            message = _("Give one to %(most)s ids of models, with commas between.") % {"most": MOST_COMPARED}
            raise ValidationError({"ids": [message]})
        found = {target.pk: target for target in self.get_queryset().filter(pk__in=identifiers)}
        missing = [str(identifier) for identifier in identifiers if identifier not in found]
        if missing:
            message = _("There is no such model: %(ids)s.") % {"ids": ", ".join(missing)}
            raise ValidationError({"ids": [message]})
        return [found[identifier] for identifier in identifiers]


def _identifier(text: str) -> UUID:
    try:
        return UUID(text.strip())
    except ValueError as error:
        message = _("“%(value)s” is not an id.") % {"value": text.strip()[:50]}
        raise ValidationError({"ids": [message]}) from error


def _times(request: Request) -> tuple[datetime, datetime]:
    """From when to when. Raises ValidationError on `from` or `to`."""
    now = clock.now()
    end = _moment(request, "to") or now
    if end > now + _DAY:
        raise ValidationError({"to": [_("This lies in the future; leave it out for now.")]})
    start = _moment(request, "from")
    if start is None:
        # A day before the first moment there is would be none.
        start = max(end, now - KEEP + _DAY) - _DAY
    if start >= end:
        raise ValidationError({"from": [_("This must lie before “to”.")]})
    if start < now - KEEP - _DAY:
        message = _("Nothing is kept for longer than %(days)s days.") % {"days": KEEP.days}
        raise ValidationError({"from": [message]})
    return start, end


def _moment(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name)
    return read_moment(name, text) if text else None


def register(router: BaseRouter) -> None:
    router.register("models", MeasuredModelViewSet, basename="model")
