"""Reading guards: what an operator listed, what each region says of its own line, and what its workers are sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.catalog.models import Region
from apps.checks import reasons
from apps.checks.models.guard import Guard, LineState
from apps.checks.services import probe_kind
from apps.core import clock, kindconfig
from apps.core.secrets import SecretUnreadable, unseal
from apps.probes.base import PROBE_KINDS, ProbeJob, ProbeKind

logger = structlog.get_logger(__name__)

# A look older than this says nothing of the line now: the region's workers look every ten seconds while they have work.
FRESH_SECONDS = 60
# A guard that was just edited reaches the workers this much later at most; the claim asks several times a second.
JOBS_KEPT_SECONDS = 3.0


@dataclass(frozen=True)
class LineView:
    """What a region says of its own line.

    `state` is "answers", "lost", "unknown" (no guard was looked at lately) or "unguarded" (no guard is enabled).
    `since` is when it was lost or answered again; None for the other two. `guards` are the enabled ones, by name.
    """

    state: str
    since: datetime | None
    guards: tuple[Guard, ...]


def get_guards(user: User | AnonymousUser) -> QuerySet[Guard]:
    """The guards `user` may see, by region and name. One query."""
    return Guard.objects.visible_to(user).select_related("region").order_by("region__slug", "name", "pk")


def guard_kinds() -> list[ProbeKind[Any]]:
    """The kinds a guard may have: those that look by themselves and need nothing of a target."""
    kinds = [kind for _name, kind in PROBE_KINDS.items()]
    return [kind for kind in kinds if kind.transport != "push" and "service" in kind.target_kinds]


def line_of_regions() -> dict[UUID, LineView]:
    """What each region says of its own line, by region id. Two queries."""
    enabled = Prefetch("guards", queryset=Guard.objects.filter(enabled=True).order_by("name"), to_attr="enabled_guards")
    now = clock.now()
    return {
        region.pk: _line(tuple(region.enabled_guards), now)  # type: ignore[attr-defined]
        for region in Region.objects.prefetch_related(enabled)
    }


def _line(guards: tuple[Guard, ...], now: datetime) -> LineView:
    if not guards:
        return LineView("unguarded", None, guards)
    states = [guard.state for guard in guards if is_fresh(guard, now)]
    answering = [guard.since for guard in guards if guard.since and is_fresh(guard, now, LineState.ANSWERS)]
    failing = [guard.since for guard in guards if guard.since and is_fresh(guard, now, LineState.FAILS)]
    if LineState.ANSWERS in states:
        return LineView("answers", min(answering, default=None), guards)
    if LineState.FAILS in states:
        # Lost from the moment the last of them stopped answering.
        return LineView("lost", max(failing, default=None), guards)
    return LineView("unknown", None, guards)


def is_fresh(guard: Guard, now: datetime, state: LineState | None = None) -> bool:
    """Whether the guard was looked at lately, and (when asked) was found so."""
    looked_at = guard.last_looked_at
    if looked_at is None or now - looked_at > timedelta(seconds=FRESH_SECONDS):
        return False
    return state is None or guard.state == state


def sentence_of(guard: Guard) -> str:
    """What was last found at a guard, in the active language."""
    if guard.reason:
        return reasons.sentence(guard.reason, guard.evidence)
    return str(LineState(guard.state).label) if guard.enabled else _("This guard is switched off.")


def masked_config(guard: Guard) -> dict[str, Any]:
    """The config as those may see it who may edit it."""
    return config_for(guard, private=True)


def config_for(guard: Guard, *, private: bool) -> dict[str, Any]:
    """The config without its secrets, and without request headers and bodies unless `private`."""
    if guard.kind not in PROBE_KINDS:
        return {}
    struct_type = PROBE_KINDS.get(guard.kind).Config
    return (
        kindconfig.mask(struct_type, guard.config) if private else kindconfig.without_private(struct_type, guard.config)
    )


_kept_lock = threading.Lock()
_kept: dict[str, tuple[float, list[ProbeJob]]] = {}


def guard_jobs(region: str) -> list[ProbeJob]:
    """The enabled guards of a region (by its short name) as jobs for its workers, configs opened.

    One query, remembered in this process for a few seconds. A guard whose secret cannot be opened is left out.
    """
    with _kept_lock:
        until, jobs = _kept.get(region, (0.0, []))
    if time.monotonic() < until:
        return jobs
    jobs = _jobs(region, Guard.objects.filter(region__slug=region, enabled=True).order_by("name"))
    with _kept_lock:
        _kept[region] = (time.monotonic() + JOBS_KEPT_SECONDS, jobs)
    return jobs


def forget_jobs() -> None:
    """Read the guards again at the next batch: one of them was changed in this process."""
    with _kept_lock:
        _kept.clear()


def _jobs(region: str, guards: Iterable[Guard]) -> list[ProbeJob]:
    jobs = []
    for guard in guards:
        try:
            config = kindconfig.unseal(probe_kind(guard.kind).Config, guard.config, unseal)
        except (SecretUnreadable, ValidationError) as error:
            logger.error("guard_not_sent", guard=str(guard.pk), kind=guard.kind, error=str(error))
            continue
        jobs.append(
            ProbeJob(
                check=str(guard.pk),
                region=region,
                generation=0,
                kind=guard.kind,
                config=config,
                timeout_seconds=guard.timeout_seconds,
            )
        )
    return jobs
