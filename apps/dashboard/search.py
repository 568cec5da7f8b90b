"""Search: targets, checks, incidents and settings pages by a few letters, each kind bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import User
from apps.catalog.models import Target
from apps.checks.models import Check, Incident
from apps.checks.reasons import sentence
from apps.dashboard.rows import urgency

SUGGESTED = 5
FOUND = 25
_LONGEST = 100


@dataclass(frozen=True)
class Hit:
    """One thing found: what it is called, where it is, and how it stands ("" for what has no status)."""

    title: str
    url: str
    note: str = ""
    status: str = ""


@dataclass(frozen=True)
class Group:
    """The hits of one kind; `more` when there are others."""

    title: Any
    hits: list[Hit]
    more: bool = False


def clean(query: str) -> str:
    return query.replace("\x00", "").strip()[:_LONGEST]


def search(user: User, query: str, limit: int) -> list[Group]:
    """At most `limit` hits of each kind; groups without hits are left out. Three queries at most."""
    words = clean(query)
    if not words:
        return []
    finders: list[tuple[Any, Callable[[User, str, int], list[Hit]]]] = [
        (_("Targets"), _targets),
        (_("Checks"), _checks),
        (_("Incidents"), _incidents),
        (_("Settings"), _settings),
    ]
    groups = []
    for title, find in finders:
        hits = find(user, words, limit + 1)
        if hits:
            groups.append(Group(title, hits[:limit], more=len(hits) > limit))
    return groups


def _targets(user: User, words: str, limit: int) -> list[Hit]:
    rows = (
        Target.objects.visible_to(user)
        .present()
        .filter(Q(name__icontains=words) | Q(tags__contains=[words]))
        .select_related("status_row", "environment", "namespace")
        .order_by(urgency(), "name")[:limit]
    )
    return [
        Hit(
            title=str(target.full_name),
            url=target.get_absolute_url(),
            note=_("%(kind)s in %(environment)s")
            % {"kind": target.get_kind_display(), "environment": target.environment.name},
            status=target.status_row.status,
        )
        for target in rows
    ]


def _checks(user: User, words: str, limit: int) -> list[Hit]:
    rows = (
        Check.objects.visible_to(user)
        .present()
        .filter(name__icontains=words)
        .select_related("target__namespace", "status_row")
        .order_by("name", "id")[:limit]
    )
    return [
        Hit(
            title=check.name,
            url=check.get_absolute_url(),
            note=_("Check of %(target)s") % {"target": check.target.full_name},
            status=check.status_row.verdict,
        )
        for check in rows
    ]


def _incidents(user: User, words: str, limit: int) -> list[Hit]:
    rows = (
        Incident.objects.visible_to(user)
        .filter(target__deleted_at__isnull=True, target__name__icontains=words)
        .select_related("target__namespace")
        .order_by("-opened_at")[:limit]
    )
    return [
        Hit(
            title=str(incident.target.full_name),
            url=incident.get_absolute_url(),
            note=sentence(incident.reason, incident.evidence),
            status="" if incident.resolved_at else incident.severity,
        )
        for incident in rows
    ]


_PAGES: list[tuple[Any, str]] = [
    (gettext_lazy("Profile: language, time zone, theme, password"), "dashboard:settings"),
    (gettext_lazy("API tokens"), "dashboard:settings-tokens"),
    (gettext_lazy("Environments"), "dashboard:settings-places"),
    (gettext_lazy("Regions, their workers and guards"), "dashboard:settings-regions"),
    (gettext_lazy("Budgets: what paid looks may cost"), "dashboard:settings-budgets"),
    (gettext_lazy("Prices of tokens"), "dashboard:settings-prices"),
    (gettext_lazy("Health of the portal"), "dashboard:settings-health"),
]


def _settings(user: User, words: str, limit: int) -> list[Hit]:
    pages = [(str(title), name) for title, name in _PAGES]
    return [Hit(title, reverse(name)) for title, name in pages if words.lower() in title.lower()][:limit]
