"""The page of a heartbeat: how it stands and what it waits for, its addresses, and every ping it was sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.doors import PageRequest
from apps.catalog.status import Status
from apps.checks import check_page, ping_recipes
from apps.checks.heartbeats.selectors import HeartbeatView, get_heartbeat, list_pings
from apps.checks.models import Check, CheckResult, Ping, PingKind
from apps.checks.reasons import sentence
from apps.checks.region_cards import STATUS_OF_OUTCOME, evidence_of, recent_results, result_url
from apps.checks.selectors import reason_of, verdict_of
from apps.core import clock
from apps.core.durations import in_words
from apps.core.keyset import Column, Page, page_of
from apps.core.panels import Panel
from apps.probes.base import OutcomeState, Reason

PINGS_A_PAGE = 25
# Silence is noted again and again while it lasts; between two pings the latest notes are enough.
MOST_SILENCES = 25
SILENCES = (Reason.HEARTBEAT_MISSED, Reason.HEARTBEAT_UNFINISHED)
_PING_ORDER = (Column("at", datetime.fromisoformat, descending=True), Column("id", UUID, descending=True))


def view_of(check: Check) -> HeartbeatView:
    """The heartbeat of the check in hand, read once for all parts of its page. Three queries."""
    known: HeartbeatView | None = getattr(check, "_portal_heartbeat", None)
    if known is None:
        known = get_heartbeat(check)
        check._portal_heartbeat = known  # type: ignore[attr-defined]
    return known


# --- How it stands ----------------------------------------------------------------------------------------------


def load_state(request: PageRequest, check: Check) -> dict[str, Any]:
    """Verdict, schedule, what was heard last and what is waited for."""
    view = view_of(check)
    seen = recent_results(check, 1)
    verdict, latest_bad = verdict_of(check), seen.latest_bad
    return {
        "check": check,
        "heartbeat": view,
        "schedule": schedule_sentence(view),
        "verdict": verdict,
        "why": _why(view, verdict, seen.latest_with(reason_of(check))),
        "last_kind": PingKind(view.last_ping_kind).label if view.last_ping_kind else "",
        "is_active": check.enabled and check.target.enabled,
        "is_late": _is_late(view, check),
        "latest_bad": latest_bad if verdict != Status.OPERATIONAL else None,
        "runs": view.open_runs,
        "changes": check_page.changes_of(check),
    }


def _why(view: HeartbeatView, verdict: Status, evidence: dict[str, Any]) -> str:
    if not view.check.enabled:
        return _("It is paused: pings are kept and nothing is judged.")
    if view.last_ping_at is None:
        return _("Nothing was heard yet.")
    if verdict == Status.OPERATIONAL:
        return _("The last run ended well, and nothing is overdue.")
    return sentence(reason_of(view.check), evidence)


_DAILY = re.compile(r"(\d{1,2}) (\d{1,2}) \* \* \*")


def schedule_sentence(view: HeartbeatView) -> str:
    """When a ping is expected: a period, a time of the day, or the cron expression as it is."""
    words = {"grace": in_words(view.grace_seconds), "zone": view.timezone, "cron": view.cron}
    if not view.cron:
        words["period"] = in_words(view.period_seconds or 0)
        return _("Expected %(period)s after the one before, with %(grace)s of grace.") % words
    daily = _DAILY.fullmatch(" ".join(view.cron.split()))
    if daily is not None:
        words["time"] = f"{int(daily[2]):02}:{int(daily[1]):02}"
        return _("Expected every day at %(time)s (%(zone)s), with %(grace)s of grace.") % words
    return _("Expected by “%(cron)s” (%(zone)s), with %(grace)s of grace.") % words


def _is_late(view: HeartbeatView, check: Check) -> bool:
    """Expected already, and not missed yet."""
    if view.expected_at is None or view.deadline_at is None or not check.enabled:
        return False
    return view.expected_at <= clock.now() < view.deadline_at


# --- Its addresses ----------------------------------------------------------------------------------------------


def load_addresses(request: PageRequest, check: Check) -> dict[str, Any]:
    """Addresses and lines to paste for operators; for viewers only that there are some."""
    view = view_of(check)
    operates = check_page.may_operate(request, check)
    return {
        "check": check,
        "heard": view.last_ping_at is not None,
        "may_operate": operates,
        "addresses": ping_recipes.addresses_of(view, request.build_absolute_uri) if operates else None,
        "recipes": ping_recipes.recipes_of(view, request.build_absolute_uri) if operates else [],
    }


# --- Pings ------------------------------------------------------------------------------------------------------

# Each kind of ping beside statuses (the same shapes), or a drawing where it says nothing of how it went.
_STATUS_OF_PING = {PingKind.SUCCESS: Status.OPERATIONAL, PingKind.FAIL: Status.OUTAGE}
_ICON_OF_PING = {PingKind.START: "run", PingKind.LOG: "note"}
DIALECTS = {"healthchecks": "Healthchecks", "kuma": "Uptime Kuma", "gatus": "Gatus"}


@dataclass(frozen=True)
class PingRow:
    """A ping, or a silence that was noted between two (then `ping` is None and `url` leads to its result)."""

    at: datetime
    label: Any
    status: str = ""
    icon: str = ""
    why: str = ""
    ping: Ping | None = None
    took_ms: float | None = None
    client: str = ""
    kept_bytes: int = 0
    url: str = ""

    @property
    def is_cut(self) -> bool:
        return self.ping is not None and self.ping.body_bytes > self.kept_bytes


def load_pings(request: PageRequest, check: Check) -> dict[str, Any]:
    """One page of pings, newest first, with the silences noted between them. Five queries."""
    page = page_of(list_pings(check.pk), _PING_ORDER, request.GET.get("cursor", ""), PINGS_A_PAGE)
    silences = _silences(check, page)
    entries = [*(_ping_row(ping) for ping in page.rows), *silences]
    return {
        "check": check,
        "rows": sorted(entries, key=lambda entry: entry.at, reverse=True),
        "shown": len(entries),
        "next": page.next,
        "previous": page.previous,
        "may_operate": check_page.may_operate(request, check),
    }


def _ping_row(ping: Ping) -> PingRow:
    kind = PingKind(ping.kind)
    failed = kind == PingKind.FAIL or (kind == PingKind.SUCCESS and bool(ping.exit_status))
    status = Status.OUTAGE if failed else _STATUS_OF_PING.get(kind)
    return PingRow(
        at=ping.at,
        label=PingKind.FAIL.label if failed else kind.label,
        status=status.value if status is not None else "",
        icon=_ICON_OF_PING.get(kind, ""),
        ping=ping,
        took_ms=ping.run_ms if ping.run_ms is not None else ping.said_ms,
        client=DIALECTS.get(ping.dialect, ping.dialect),
        kept_bytes=ping.kept_bytes,  # type: ignore[attr-defined]
    )


_SILENCE_LABELS = {
    Reason.HEARTBEAT_MISSED: gettext_lazy("Missed"),
    Reason.HEARTBEAT_UNFINISHED: gettext_lazy("Not finished"),
}


def _silences(check: Check, page: Page[Ping]) -> list[PingRow]:
    """What the clock found between the pings of this page, and after its newest. Three queries."""
    rows = CheckResult.objects.filter(check_id=check.pk, reason__in=SILENCES)
    if page.next and page.rows:
        rows = rows.filter(at__gte=page.rows[-1].at)
    if page.previous and page.rows:
        newer = (
            Ping.objects.filter(check_id=check.pk, at__gt=page.rows[0].at).order_by("at").values_list("at", flat=True)
        )
        rows = rows.filter(at__lt=newer.first() or page.rows[0].at)
    found = list(rows.order_by("-at", "-id")[:MOST_SILENCES])
    return _silence_rows(check, found, evidence_of(check, found))


def _silence_rows(check: Check, results: Sequence[CheckResult], evidence: dict[UUID, Any]) -> list[PingRow]:
    return [
        PingRow(
            at=result.at,
            label=_SILENCE_LABELS[Reason(result.reason)],
            status=STATUS_OF_OUTCOME[OutcomeState(result.state)].value,
            why=sentence(result.reason, evidence.get(result.id, {})),
            url=result_url(check, result.id),
        )
        for result in results
    ]


def body_text(body: Iterable[int]) -> str:
    """What a client wrote, as text; what is none is shown as replacement characters."""
    return bytes(body).decode("utf-8", "replace").replace("\x00", "\ufffd")


PANELS = (
    Panel("verdict", "checks/_heartbeat.html", load_state, "check,target"),
    Panel("addresses", "checks/_addresses.html", load_addresses, "check.changed"),
    Panel("pings", "checks/_pings.html", load_pings, "check.result", hold=True),
    Panel("config", "checks/_config.html", check_page.load_config, "check.changed"),
)
