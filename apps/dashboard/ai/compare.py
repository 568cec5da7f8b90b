"""Models beside each other: which are chosen, their table in any order, and their lines on one clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.functions import Lower
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.accounts.doors import PageRequest
from apps.catalog.models import AIModel
from apps.catalog.naming import Name
from apps.catalog.prices.lookup import rates_of
from apps.catalog.scope import scope_of
from apps.catalog.selectors import list_models
from apps.checks.ai.compare import ComparedModel, compare_models
from apps.checks.ai.history import Line
from apps.checks.charts import DEFAULT_RANGE, OF_HOURS, Period, read_period
from apps.core import clock
from apps.core.cache import key_part, remember
from apps.core.panels import Panel
from apps.dashboard.ai.blame import Blame, blame_of
from apps.dashboard.rows import URGENCY
from apps.probes.ai.usage import Rate

MOST = 8
# More models than these are chosen by name in the list.
_OFFERED = 1_000
_LONGEST_IDS = 200
_DASHED_FROM = 4


@dataclass(frozen=True)
class Chosen:
    """The models of `?ids=` in that order; `left_out` were too many, `unknown` named none that can be seen."""

    models: list[AIModel]
    left_out: int = 0
    unknown: int = 0

    @property
    def ids(self) -> str:
        return ",".join(str(model.pk) for model in self.models)


def chosen_of(request: PageRequest) -> Chosen:
    """`?ids=` once or several times, with commas or without; the id of a provider stands for all its models.

    One query; none without ids. What is no id, or of nothing one can see, is counted and left out.
    """
    texts = [text.strip() for value in request.GET.getlist("ids") for text in value.split(",")]
    named = list(dict.fromkeys(filter(None, texts)))[:_LONGEST_IDS]
    wanted = [identifier for identifier in map(_uuid, named) if identifier is not None]
    if not wanted:
        return Chosen([], unknown=len(named))
    rows = list_models(request.user).filter(Q(pk__in=wanted) | Q(provider__in=wanted))
    place = {identifier: position for position, identifier in enumerate(wanted)}
    found = sorted(
        rows.order_by(Lower("target__name"), "pk"),
        key=lambda model: place.get(model.pk, place.get(model.provider_id, len(place))),
    )
    known = {model.pk for model in found} | {model.provider_id for model in found}
    unknown = len(named) - sum(identifier in known for identifier in wanted)
    return Chosen(found[:MOST], max(0, len(found) - MOST), unknown)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def period_of(query: QueryDict) -> tuple[Period, str]:
    """The period of the URL, and what is wrong with it ("" when nothing is: otherwise the default stands in)."""
    try:
        return read_period(query, OF_HOURS), ""
    except ValidationError as error:
        return read_period({"range": DEFAULT_RANGE}, OF_HOURS), " ".join(error.messages)


def compared(models: Sequence[AIModel], period: Period) -> list[ComparedModel]:
    """Each over the period; that of a preset is at most a quarter of a minute old."""
    targets = [model.target for model in models]
    if not targets:
        return []
    if not period.preset:
        return compare_models(targets, period.start, period.end)
    found = remember(
        "compared_models",
        15,
        ("targets",),
        lambda: [period.preset, *(key_part(target.pk) for target in targets)],
        lambda: compare_models(targets, period.start, period.end),
    )
    # Status and name are those of this request.
    return [replace(one, target=target) for one, target in zip(found, targets, strict=True)]


# --- The table ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ComparedRow:
    """One model of the table; `failures` are (class in words, how often), the most frequent first."""

    model: AIModel
    compared: ComparedModel
    rate: Rate | None
    blame: Blame | None

    @property
    def failures(self) -> list[tuple[str, int]]:
        counts = sorted(self.compared.errors.items(), key=lambda pair: (-pair[1], pair[0]))
        return [(str(name.label), number) for name, number in counts if number]

    @property
    def failed(self) -> int:
        return sum(self.compared.errors.values())

    @property
    def p50(self) -> float | None:
        return self.compared.first_token.get("p50")

    @property
    def p95(self) -> float | None:
        return self.compared.first_token.get("p95")


_Value = Callable[[ComparedRow], Any]
SORTS: dict[str, _Value] = {
    "name": lambda row: row.model.target.name.lower(),
    "status": lambda row: URGENCY.index(row.model.target.status_row.status),
    "uptime": lambda row: row.compared.uptime.share,
    "p50": lambda row: row.p50,
    "p95": lambda row: row.p95,
    "speed": lambda row: row.compared.speed_p50,
    "errors": lambda row: row.failed,
    "spend": lambda row: row.compared.spend,
    "price": lambda row: row.rate.output_per_million if row.rate else None,
}


def rows_in_order(rows: Iterable[ComparedRow], sort: str) -> list[ComparedRow]:
    """By a column ("p50", "-p50"); what has no value stands last either way. Unknown: as they were chosen."""
    found = list(rows)
    value = SORTS.get(sort.removeprefix("-"))
    if value is None:
        return found
    known = [row for row in found if value(row) is not None]
    unknown = [row for row in found if value(row) is None]
    return [*sorted(known, key=value, reverse=sort.startswith("-")), *unknown]


def load_table(request: PageRequest) -> dict[str, Any]:
    chosen = chosen_of(request)
    period = period_of(request.GET)[0]
    rates = rates_of([(model.provider, model.target.name) for model in chosen.models], clock.now().date())
    rows = [
        ComparedRow(model, one, rates.get((model.provider_id, model.target.name)), blame_of(one.facts))
        for model, one in zip(chosen.models, compared(chosen.models, period), strict=True)
    ]
    sort = request.GET.get("sort", "")
    return {
        "rows": rows_in_order(rows, sort),
        "sort": sort,
        "total": sum((row.compared.spend for row in rows), Decimal()),
        "estimated": sum(row.compared.estimated for row in rows),
    }


TABLE = Panel("table", "dashboard/model/_compared.html", load_table, "target", hold=True, every=60)

# --- The charts -----------------------------------------------------------------------------------------------

_LINES: dict[str, tuple[str, Callable[[ComparedModel], Line]]] = {
    "first-token": ("ms", lambda one: one.first_token_line),
    "speed": ("tokens/s", lambda one: one.speed_line),
    "duration": ("ms", lambda one: one.duration_line),
}


def document(chart: str, models: Sequence[AIModel], period: Period) -> dict[str, Any]:
    """One line a model. Raises KeyError for a chart there is not."""
    unit, line_of = _LINES[chart]
    found = compared(models, period)
    lines = [
        _line(label, line_of(one), place) for place, (label, one) in enumerate(zip(labels(models), found, strict=True))
    ]
    return {
        "unit": pgettext("a unit", "tokens/s") if unit == "tokens/s" else unit,
        "from": period.start.timestamp(),
        "to": period.end.timestamp(),
        "times": [at.timestamp() for at in found[0].times] if found else [],
        "lines": [line for line in lines if line["values"]],
        "empty": _("None of these models was measured like this in this period."),
    }


def _line(label: str, values: Line, place: int) -> dict[str, Any]:
    rounded = [None if value is None else round(value, 2) for value in values]
    line: dict[str, Any] = {"key": str(place), "label": label, "values": rounded}
    # Colour alone does not tell eight lines apart.
    return line | {"dash": "dashed"} if place >= _DASHED_FROM else line


def labels(models: Sequence[AIModel]) -> list[str]:
    """Names that tell them apart: with the provider where two offer a model of one name."""
    names = [model.target.name for model in models]
    return [
        name if names.count(name) == 1 else str(Name(name, model.provider.target.name))
        for name, model in zip(names, models, strict=True)
    ]


# --- Choosing -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chip:
    """A chosen model, with the page without it."""

    model: AIModel
    label: str
    url: str


def chips_of(request: PageRequest, chosen: Chosen) -> list[Chip]:
    return [
        Chip(model, label, page_url(request, [other for other in chosen.models if other.pk != model.pk]))
        for model, label in zip(chosen.models, labels(chosen.models), strict=True)
    ]


def page_url(request: PageRequest, models: Sequence[AIModel]) -> str:
    """The page about these models, with the rest of the query kept."""
    query = request.GET.copy()
    query.setlist("ids", [])
    rest = [(name, value) for name, values in query.lists() for value in values if name != "ids"]
    ids = [("ids", ",".join(str(model.pk) for model in models))] if models else []
    return f"{reverse('dashboard:model-compare')}?{urlencode([*ids, *rest], safe=',')}"


def offered(request: PageRequest, chosen: Chosen) -> list[AIModel]:
    """What else could be chosen, by provider and name. One query; none when there is no more room."""
    if len(chosen.models) >= MOST:
        return []
    scope = scope_of(request)
    rows = list_models(request.user).exclude(pk__in=[model.pk for model in chosen.models])
    if scope.environment is not None:
        rows = rows.filter(target__environment=scope.environment)
    return list(rows.order_by(Lower("provider__target__name"), "provider", Lower("target__name"))[:_OFFERED])
