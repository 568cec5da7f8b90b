"""Writing the tree of routes: one transaction each, with its audit entry, and what is worth knowing about it.

The tree is written by one person at a time: two at once could each make one half of a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now

from apps.accounts.models import User
from apps.accounts.services import record_audit
from apps.alerts.models import AlertGroup, Channel, Route
from apps.alerts.pipeline.lock import pipeline_lock
from apps.alerts.routes import validation
from apps.alerts.routes.selectors import load_standing
from apps.alerts.routes.warnings import channels_set_free, warnings_of
from apps.core.ids import uuid7
from apps.core.news import announce

EDITABLE = (
    "name",
    "matchers",
    "group_by",
    "group_wait_seconds",
    "group_interval_seconds",
    "repeat_interval_seconds",
    "continue_matching",
    "active_times",
    "time_zone",
    "enabled",
)


@transaction.atomic
def create_route(
    *,
    actor: User | None,
    parent: Route | None = None,
    position: int | None = None,
    channels: Iterable[Channel] = (),
    **fields: Any,
) -> tuple[Route, list[str]]:
    """Make a route; `fields` are those of EDITABLE. Raises ValidationError by field.

    `position` counts from 0 among its siblings; without one it comes last. Returns the route with warnings: what was
    saved and will not do what somebody may expect of it.
    """
    rows = _locked_tree()
    validation.check_number(rows)
    clean = validation.clean_fields(fields, is_new=True)
    route = Route(id=uuid7(), parent=parent, **clean)
    validation.check_place(rows, route, parent)
    route.save(force_insert=True)
    chosen = list(channels)
    route.channels.set(chosen)
    _put(rows, route, position)
    changes = {name: [None, value] for name, value in _picture(route, chosen).items()}
    record_audit(actor=actor, action="create", subject=route, changes=changes)
    _tell(route)
    return route, warnings_of(route)


@transaction.atomic
def update_route(*, actor: User | None, route: Route, **fields: Any) -> tuple[Route, list[str]]:
    """Edit any of EDITABLE, `parent`, `position` and `channels`. Raises ValidationError by field."""
    rows = _locked_tree()
    row = validation.of_tree(rows, route)
    unrouted = load_standing().unrouted()
    before_channels = list(row.channels.all())
    before = _picture(row, before_channels)
    clean = validation.clean_fields({name: fields[name] for name in EDITABLE if name in fields})
    parent = fields.get("parent", row.parent)
    moved = (parent.pk if parent else None) != row.parent_id
    if moved:
        validation.check_place(rows, row, parent)
    for name, value in {**clean, "parent": parent}.items():
        setattr(row, name, value)
    row.save(update_fields=[*clean, "parent", "updated_at"])
    if "channels" in fields:
        row.channels.set(fields["channels"])
    if moved or fields.get("position") is not None:
        _put(rows, row, fields.get("position"))
    after_channels = list(fields.get("channels", before_channels))
    after = _picture(row, after_channels)
    changes = {name: [before[name], after[name]] for name in before if before[name] != after[name]}
    if changes:
        record_audit(actor=actor, action="update", subject=row, changes=changes)
        _tell(row)
    standing = load_standing()
    return row, [*warnings_of(row, standing), *channels_set_free(unrouted, standing)]


def move_route(*, actor: User | None, route: Route, parent: Route | None, position: int) -> tuple[Route, list[str]]:
    """Put it inside `parent` (None: at the top) as the `position`-th of its siblings, counted from 0."""
    return update_route(actor=actor, route=route, parent=parent, position=position)


def delete_route(*, actor: User | None, route: Route) -> list[str]:
    """Remove it and all routes inside it. Returns warnings.

    Who was told of an alert through one of them still hears how it goes on. Groups are the pipeline's, so its lock is
    taken.
    """
    with pipeline_lock():
        rows = _locked_tree()
        family = validation.family_of(rows, route)
        unrouted = load_standing().unrouted()
        for member in family:
            record_audit(actor=actor, action="delete", subject=member)
        _tell(route)
        _hand_groups_to_root(family)
        Route.objects.filter(pk__in=[member.pk for member in family]).delete()
        return channels_set_free(unrouted, load_standing())


_MERGE_MEMBERS = """
    UPDATE alerts_groupmember AS m SET group_id = kept.id
    FROM alerts_alertgroup AS g
    JOIN alerts_alertgroup AS kept
      ON kept.route_id IS NULL AND kept.channel_id = g.channel_id AND kept.mode = g.mode AND kept.key = g.key
    WHERE m.group_id = g.id AND g.route_id = ANY(%s)
      AND m.id IN (
          SELECT DISTINCT ON (o.channel_id, o.mode, o.key, n.alert_id) n.id
          FROM alerts_groupmember n JOIN alerts_alertgroup o ON o.id = n.group_id
          WHERE o.route_id = ANY(%s)
          ORDER BY o.channel_id, o.mode, o.key, n.alert_id, n.told_state = '', n.id
      )
      AND NOT EXISTS (SELECT 1 FROM alerts_groupmember t WHERE t.group_id = kept.id AND t.alert_id = m.alert_id)
    RETURNING kept.id
"""


def _hand_groups_to_root(family: Sequence[Route]) -> None:
    """Keep what channels were told through these routes, one group where several would become the same."""
    of_root = AlertGroup.objects.filter(
        route=None, channel=OuterRef("channel"), mode=OuterRef("mode"), key=OuterRef("key")
    )
    groups = AlertGroup.objects.filter(~Exists(of_root), route__in=family)
    kept = groups.order_by("channel_id", "mode", "key", F("told_at").desc(nulls_last=True)).distinct(
        "channel_id", "mode", "key"
    )
    AlertGroup.objects.filter(pk__in=list(kept.values_list("pk", flat=True))).update(route=None)
    identifiers = [route.pk for route in family]
    with connection.cursor() as cursor:
        cursor.execute(_MERGE_MEMBERS, [identifiers, identifiers])
        grown = {row[0] for row in cursor.fetchall()}
    # A digest has its time; the others are looked at for what came with the new members.
    AlertGroup.objects.filter(pk__in=grown).exclude(mode=AlertGroup.Mode.DIGEST).update(due_at=Now())


def _locked_tree() -> list[Route]:
    """All routes in order, while nobody else writes one. Reading goes on."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE alerts_route IN SHARE ROW EXCLUSIVE MODE")
    return list(Route.objects.order_by("position", "pk"))


def _put(rows: Sequence[Route], route: Route, position: int | None) -> None:
    """Number the siblings anew, with `route` at `position` (None: last)."""
    siblings = [row for row in rows if row.parent_id == route.parent_id and row.pk != route.pk]
    siblings.insert(len(siblings) if position is None else min(position, len(siblings)), route)
    changed = []
    for number, sibling in enumerate(siblings):
        if sibling.position != number or sibling is route:
            sibling.position = number
            changed.append(sibling)
    Route.objects.bulk_update(changed, ["position"])


def _picture(route: Route, channels: Iterable[Channel]) -> dict[str, Any]:
    """What the audit log keeps: names for whoever reads it."""
    return {
        **{name: getattr(route, name) for name in (*EDITABLE, "position")},
        "parent": route.parent.name if route.parent else None,
        "channels": sorted(channel.name for channel in channels),
    }


def _tell(route: Route) -> None:
    announce("route.changed", [route.pk], None)
