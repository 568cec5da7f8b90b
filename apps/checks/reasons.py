"""Reasons as people read them: those a probe found, and the few that the decision or a person gave."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.probes import base as probes

_OWN: dict[str, Any] = {
    "not_measured": gettext_lazy("Nothing was measured yet."),
    "stale": gettext_lazy("The last measurement is too old to be trusted."),
    "no_quorum": gettext_lazy("The regions do not agree."),
    "maintenance": gettext_lazy("Maintenance is under way."),
    "budget_spent": gettext_lazy("The monthly cap leaves no room for paid looks; free looks go on."),
    "paused": gettext_lazy("The check is paused."),
    "resolved_by_hand": gettext_lazy("Resolved by hand while it still failed."),
    "check_removed": gettext_lazy("Its last check was removed."),
    "target_removed": gettext_lazy("The target was removed."),
}


def sentence(reason: str, evidence: dict[str, Any] | None = None) -> str:
    """One sentence in the active language; the values in it come from the evidence, never from stored text."""
    if reason in _OWN:
        return str(_OWN[reason])
    try:
        known = probes.Reason(reason)
    except ValueError:
        return _("The reason “%(reason)s” comes from a newer version of the portal.") % {"reason": reason}
    return probes.sentence(known, evidence or {})
