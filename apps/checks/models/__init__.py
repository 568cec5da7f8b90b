"""Checks, what they found, what was decided from it, and the incidents that followed."""

from __future__ import annotations

from apps.checks.models.ai import (
    AiCheckState,
    AiDay,
    AiErrorTotal,
    AiHour,
    BudgetMonth,
    Reservation,
    SpendDay,
    VendorChange,
    VendorIncident,
    VendorPage,
)
from apps.checks.models.check import Check, CheckRegion, CheckStatus, kind_choices
from apps.checks.models.clock import Clock
from apps.checks.models.guard import Guard, LineState
from apps.checks.models.heartbeat import Heartbeat, HeartbeatRun, Ping, PingInbox, PingKey, PingKind
from apps.checks.models.incident import Incident, IncidentEvent, StateChange
from apps.checks.models.results import CheckEvidence, CheckResult, CheckRun

__all__ = [
    "AiCheckState",
    "AiDay",
    "AiErrorTotal",
    "AiHour",
    "BudgetMonth",
    "Check",
    "CheckEvidence",
    "CheckRegion",
    "CheckResult",
    "CheckRun",
    "CheckStatus",
    "Clock",
    "Guard",
    "Heartbeat",
    "HeartbeatRun",
    "Incident",
    "IncidentEvent",
    "LineState",
    "Ping",
    "PingInbox",
    "PingKey",
    "PingKind",
    "Reservation",
    "SpendDay",
    "StateChange",
    "VendorChange",
    "VendorIncident",
    "VendorPage",
    "kind_choices",
]
