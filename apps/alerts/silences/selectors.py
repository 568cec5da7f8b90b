"""Reading silences, and what one would hush; each with a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.alerts import matching
from apps.alerts.labels import labels_of
from apps.alerts.matching import Matcher
from apps.alerts.models import Alert, Silence
from apps.alerts.routes.reach import ALERT_LABELS
from apps.alerts.silences.services import parse_matchers
from apps.alerts.unreadable import Unreadable
from apps.catalog.models import Environment, Target

SHOWN = 50


@dataclass(frozen=True)
class Preview:
    """What matchers would hush now: all that match are counted, the first 50 shown.

    A target counts when some alert of it would be hushed: matchers on severity, cause, reason and rule speak of its
    alerts and leave no target out.
    """

    target_count: int
    alert_count: int
    targets: list[Target]
    alerts: list[Alert]


def list_silences(user: User | AnonymousUser) -> QuerySet[Silence]:
    """Silences `user` may read, what ends last first, with environment and author at hand."""
    return Silence.objects.visible_to(user).select_related("environment", "author").order_by("-ends_at", "-pk")


def preview(user: User, matchers: object, environment: Environment | None = None) -> Preview:
    """Targets and open alerts `user` may see that the matchers let through. Raises ValidationError on `matchers`.

    At most five queries.
    """
    stored, errors = parse_matchers(matchers)
    if errors:
        raise ValidationError(errors)
    return _preview(user, matching.load(stored), environment)


def hushed_by(user: User, silence: Silence) -> Preview:
    """What a silence that is stored hushes; nothing where that cannot be read. At most five queries."""
    try:
        conditions = matching.load(silence.matchers)
    except Unreadable:
        conditions = ()
    return _preview(user, conditions, silence.environment) if conditions else Preview(0, 0, [], [])


def _preview(user: User, conditions: Sequence[Matcher], environment: Environment | None) -> Preview:
    inside = Q() if environment is None else Q(environment=environment)
    alerts = [
        identifier
        for identifier, labels in Alert.objects.visible_to(user)
        .firing()
        .filter(inside)
        .order_by("-started_at", "-pk")
        .values_list("pk", "labels")
        if matching.all_hold(conditions, labels)
    ]
    of_targets = [matcher for matcher in conditions if matcher.label not in ALERT_LABELS]
    visible = Target.objects.visible_to(user).present().filter(inside)
    known = labels_of(visible.values_list("pk", flat=True))
    targets = [identifier for identifier, labels in known.items() if matching.all_hold(of_targets, labels)]
    return Preview(
        target_count=len(targets),
        alert_count=len(alerts),
        targets=_first_targets(targets),
        alerts=list(
            Alert.objects.filter(pk__in=alerts[:SHOWN])
            .select_related("target__namespace", "environment")
            .order_by("-started_at", "-pk")
        ),
    )


def _first_targets(identifiers: list[UUID]) -> list[Target]:
    """The first by name. All of them are named in one query, of which the database keeps what is shown."""
    return list(
        Target.objects.filter(pk__in=identifiers)
        .select_related("environment", "namespace", "status_row")
        .order_by("name", "pk")[:SHOWN]
    )
