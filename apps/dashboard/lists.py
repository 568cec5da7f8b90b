"""Lists of targets: filtered, sorted and paged in the URL, so that a list can be sent to a colleague."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Case, F, Func, IntegerField, QuerySet, Value, When
from django.db.models.functions import Coalesce, Lower
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import Role, access_of
from apps.accounts.doors import PageRequest
from apps.accounts.models import User
from apps.catalog.models import Target, TargetKind
from apps.catalog.scope import PARAMETER, scope_of
from apps.catalog.selectors import list_targets
from apps.catalog.status import Status
from apps.checks.spending.selectors import SpendOfMonth
from apps.core.keyset import Column, Page, page_of
from apps.core.panels import Panel
from apps.dashboard import measures
from apps.dashboard.rows import TargetRow, rows_of, urgency

PAGE_SIZE = 50
TAGS_OFFERED = 40
_LONGEST_SEARCH = 200
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class TargetList:
    """One list: which kinds it holds, the words of its page, and what `get_summary` calls its counts."""

    name: str
    title: Any
    kinds: tuple[TargetKind, ...]
    counts: tuple[str, ...]
    empty: Any
    # The pages on which its kinds are made: words and URL names, the first one is the main one.
    makes: tuple[tuple[Any, str], ...]
    # It holds models: their measures are columns, and some of them can be compared.
    measures: bool = False

    @property
    def url_name(self) -> str:
        return f"dashboard:{self.name}-list"

    def in_known_order(self, filters: Filters) -> Filters:
        """The filters in an order this list has: only one that holds models is ordered by their measures."""
        known = self.measures or filters.sort.removeprefix("-") not in measures.MEASURES
        return filters if known else replace(filters, sort=DEFAULT_SORT)

    @property
    def fragment_name(self) -> str:
        return f"dashboard:{self.name}-list-fragment"


_ADD_SERVICE = (_("Add a service"), "catalog:service-new")
_ADD_MODEL = (_("Add a model"), "catalog:model-new")
_ADD_PROVIDER = (_("Add a provider"), "catalog:provider-new")
LISTS = {
    entry.name: entry
    for entry in (
        TargetList(
            "target",
            _("Targets"),
            tuple(TargetKind),
            ("targets",),
            _("Nothing is watched yet."),
            (_ADD_SERVICE, _ADD_MODEL, _ADD_PROVIDER),
        ),
        TargetList(
            "model",
            _("Models"),
            (TargetKind.PROVIDER, TargetKind.MODEL),
            ("providers", "models"),
            _("No provider is watched yet."),
            (_ADD_PROVIDER, _ADD_MODEL),
            measures=True,
        ),
        TargetList(
            "service",
            _("Services"),
            (TargetKind.SERVICE,),
            ("services",),
            _("No service is watched yet."),
            (_ADD_SERVICE,),
        ),
    )
}

# --- What the URL says ----------------------------------------------------------------------------------------

_GROUP = (Column("group_name"), Column("group_id", UUID), Column("level", int), Column("label"), Column("id", UUID))
SORTS: dict[str, tuple[Column, ...]] = {
    "name": _GROUP,
    "-name": tuple(replace(column, descending=not column.descending) for column in _GROUP[:2]) + _GROUP[2:],
    "status": (Column("urgency", int), Column("since", datetime.fromisoformat, True), Column("id", UUID)),
    "-status": (Column("urgency", int, True), Column("since", datetime.fromisoformat, True), Column("id", UUID)),
    "since": (Column("since", datetime.fromisoformat), Column("id", UUID)),
    "-since": (Column("since", datetime.fromisoformat, True), Column("id", UUID)),
    "result": (Column("measured", datetime.fromisoformat), Column("id", UUID)),
    "-result": (Column("measured", datetime.fromisoformat, True), Column("id", UUID)),
    **{name: (Column("measure", float), Column("id", UUID)) for name in measures.MEASURES},
    **{f"-{name}": (Column("measure", float, True), Column("id", UUID)) for name in measures.MEASURES},
}
DEFAULT_SORT = "name"
STATUSES = tuple(status.value for status in Status)


@dataclass(frozen=True)
class Filters:
    """What somebody asked for. Anything the URL holds that means nothing here is left out."""

    status: str = ""
    kind: str = ""
    enabled: str = ""
    tag: str = ""
    search: str = ""
    sort: str = DEFAULT_SORT
    cursor: str = ""
    # Only carried along, so that a link means the same to whoever opens it; `scope_of` reads it.
    environment: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> Filters:
        sort = query.get("sort", "")
        enabled = query.get("enabled", "")
        kind = query.get("kind", "")
        status = query.get("status", "")
        return cls(
            status=status if status in STATUSES else "",
            kind=kind if kind in TargetKind.values else "",
            enabled=enabled if enabled in ("yes", "no") else "",
            tag=_text(query.get("tag", "")),
            search=_text(query.get("q", "")),
            sort=sort if sort in SORTS else DEFAULT_SORT,
            cursor=query.get("cursor", ""),
            environment=_text(query.get(PARAMETER, "")),
        )

    @property
    def is_active(self) -> bool:
        return bool(self.status or self.kind or self.enabled or self.tag or self.search)

    def query(self, **changes: Any) -> str:
        """The query string of this view with `changes`; a new filter or order starts at the first page."""
        changed = replace(self, **{"cursor": "", **changes})
        named = {
            "status": changed.status,
            "kind": changed.kind,
            "enabled": changed.enabled,
            "tag": changed.tag,
            "q": changed.search,
            PARAMETER: changed.environment,
        }
        pairs = [(name, value) for name, value in named.items() if value]
        if changed.sort != DEFAULT_SORT:
            pairs.append(("sort", changed.sort))
        if changed.cursor:
            pairs.append(("cursor", changed.cursor))
        return urlencode(pairs)


def _text(value: str) -> str:
    return value.replace("\x00", "").strip()[:_LONGEST_SEARCH]


# --- Reading --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ListRow:
    """A target as the list shows it: a model says whose it is, and stands under its provider where sorted by name."""

    row: TargetRow
    provider_name: str = ""
    is_inner: bool = False
    # Of the present month: a model's own, or that of all models of a provider; None where nothing is shown.
    spend: SpendOfMonth | None = None


@dataclass(frozen=True)
class Found:
    """One page of a list."""

    rows: list[ListRow]
    next: str
    previous: str


def find(user: User, entry: TargetList, filters: Filters, environment: UUID | None) -> Found:
    """One page, in a fixed number of queries."""
    page = _page(_filtered(user, entry, filters, environment), filters)
    found = rows_of(page.rows, sparklines=not entry.measures, facts=entry.measures)
    spent = measures.spent_by_providers() if entry.measures else {}
    rows = [_list_row(row, entry, filters, spent.get(row.target.pk)) for row in found]
    return Found(rows, page.next, page.previous)


def _list_row(row: TargetRow, entry: TargetList, filters: Filters, spent: SpendOfMonth | None) -> ListRow:
    """`spent`: what a provider's models cost."""
    if row.target.kind != TargetKind.MODEL:
        return ListRow(row, spend=spent)
    by_name = filters.sort.lstrip("-") == "name" and len(entry.kinds) > 1
    return ListRow(
        row,
        provider_name=row.target.provider_name,
        is_inner=by_name and not filters.is_active,
        spend=SpendOfMonth(row.facts.spend_month, row.facts.estimated_month) if row.facts else None,
    )


def _page(rows: QuerySet[Target], filters: Filters) -> Page[Target]:
    if filters.sort.removeprefix("-") in measures.MEASURES:
        return page_of(measures.in_order(rows, filters.sort), SORTS[filters.sort], filters.cursor, PAGE_SIZE)
    ordered = rows.annotate(
        group_name=Lower(Coalesce("namespace__name", "name")),
        group_id=Coalesce("namespace", "id"),
        level=Case(When(kind=TargetKind.MODEL, then=Value(1)), default=Value(0), output_field=IntegerField()),
        label=Lower("name"),
        urgency=urgency(),
        since=F("status_row__since"),
        measured=Coalesce("status_row__last_result_at", Value(_NEVER)),
    )
    return page_of(ordered, SORTS[filters.sort], filters.cursor, PAGE_SIZE)


def _filtered(user: User, entry: TargetList, filters: Filters, environment: UUID | None) -> QuerySet[Target]:
    rows = list_targets(user, environment).filter(kind__in=entry.kinds)
    conditions: Mapping[str, Any] = {
        "kind": filters.kind,
        "status_row__status": filters.status,
        "tags__contains": [filters.tag] if filters.tag else None,
        "name__icontains": filters.search,
    }
    rows = rows.filter(**{name: value for name, value in conditions.items() if value})
    return rows.filter(enabled=filters.enabled == "yes") if filters.enabled else rows


def list_tags(user: User, entry: TargetList, environment: UUID | None) -> list[str]:
    """The tags in use, in order; the first few dozen. One query."""
    rows = list_targets(user, environment).filter(kind__in=entry.kinds).exclude(tags=[])
    tags = rows.order_by().annotate(tag=Func(F("tags"), function="unnest")).values_list("tag", flat=True).distinct()
    return list(tags.order_by("tag")[:TAGS_OFFERED])


def counts_of(summary: Mapping[str, Any], entry: TargetList) -> dict[str, int]:
    """The summary's counts of what the list holds, added up."""
    names = ("total", *(status.value for status in Status))
    return {name: sum(summary[group][name] for group in entry.counts) for name in names}


# --- What the page around the rows needs --------------------------------------------------------------------------


def load_rows(request: PageRequest, entry: TargetList) -> dict[str, Any]:
    scope = scope_of(request)
    filters = entry.in_known_order(Filters.read(request.GET))
    found = find(request.user, entry, filters, scope.environment.pk if scope.environment else None)
    may_operate = access_of(request.user).allows_somewhere(Role.OPERATOR)
    return {
        "list": entry,
        "rows": found.rows,
        "next": found.next,
        "previous": found.previous,
        "filters": filters,
        "sort": filters.sort,
        "query": filters.query(cursor=filters.cursor),
        # Where models are measured, a provider is told from them by standing above its own.
        "shows_kind": len(entry.kinds) > 1 and not entry.measures,
        "list_url": reverse(entry.url_name),
        **_selection(entry, may_operate=may_operate),
        **(_first_step(entry) if may_operate else {}),
    }


def _first_step(entry: TargetList) -> dict[str, Any]:
    """What an empty list offers."""
    label, url_name = entry.makes[0]
    return {"make_url": reverse(url_name), "make_label": label}


def _selection(entry: TargetList, *, may_operate: bool) -> dict[str, Any]:
    """What can be done with selected rows, and so whether rows can be selected at all."""
    compare = [("compare", gettext("Compare"), False)] if entry.measures else []
    change = [("pause", gettext("Pause"), False), ("resume", gettext("Resume"), False)] if may_operate else []
    return {"actions": [*compare, *change], "columns_shown": 10 if entry.measures else 9}


ROWS = Panel("rows", "dashboard/_list_rows.html", load_rows, "target", hold=True)

# What a reader may hide.
COLUMNS: list[tuple[str, Any]] = [
    ("reason", _("Reason")),
    ("since", _("Since")),
    ("line", _("Response time, 1 h")),
    ("uptime", _("Uptime 24 h")),
    ("result", _("Last result")),
]
# Beside those, where models are measured.
_MEASURES: list[tuple[str, Any]] = [
    ("token", _("First token")),
    ("speed", _("Speed")),
    ("spend", _("Spend this month")),
]


def columns_of(entry: TargetList) -> list[tuple[str, Any]]:
    """The columns a reader may hide."""
    if not entry.measures:
        return COLUMNS
    # Of a model the time to its first token says more than a line of whole answers, and there is room for one.
    kept = [column for column in COLUMNS if column[0] != "line"]
    return [*kept[:2], *_MEASURES, *kept[2:]]


_SWITCHED: list[tuple[str, Any]] = [("yes", _("Watched")), ("no", _("Paused"))]


def filter_fields(filters: Filters, entry: TargetList, tags: Sequence[str]) -> list[dict[str, Any]]:
    """The search field and the selects of the filter bar."""
    fields = [
        {"name": "q", "label": gettext("Search by name"), "kind": "search", "value": filters.search},
        _select("status", gettext("Any status"), filters.status, [(one.value, one.label) for one in Status]),
    ]
    if len(entry.kinds) > 1:
        kinds = [(kind.value, kind.label) for kind in entry.kinds]
        fields.append(_select("kind", gettext("Any kind"), filters.kind, kinds))
    fields.append(_select("enabled", gettext("Watched or paused"), filters.enabled, _SWITCHED))
    if tags:
        fields.append(_select("tag", gettext("Any tag"), filters.tag, [(tag, tag) for tag in tags]))
    return fields


def _select(name: str, label: str, value: str, choices: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    return {"name": name, "label": label, "kind": "select", "value": value, "choices": choices}


def chips_of(filters: Filters, entry: TargetList, path: str) -> list[dict[str, str]]:
    """What is in force, each with the list without it."""
    words = {
        "search": (gettext("Name"), filters.search),
        "status": (gettext("Status"), Status(filters.status).label if filters.status else ""),
        "kind": (gettext("Kind"), str(TargetKind(filters.kind).label) if filters.kind else ""),
        "enabled": (gettext("Shown"), str(dict(_SWITCHED).get(filters.enabled, ""))),
        "tag": (gettext("Tag"), filters.tag),
    }
    return [
        {"label": label, "value": value, "url": f"{path}?{filters.query(**{name: ''})}"}
        for name, (label, value) in words.items()
        if value
    ]


def kept(filters: Filters) -> dict[str, str]:
    """What the filter bar carries along without a field of its own."""
    named = {"sort": filters.sort if filters.sort != DEFAULT_SORT else "", PARAMETER: filters.environment}
    return {name: value for name, value in named.items() if value}
