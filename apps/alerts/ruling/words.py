"""Why a rule comes to nothing, in words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.alerts.ruling.readings import Problem

_SENTENCES: dict[str, Any] = {
    Problem.NO_TARGET: _("No target matches this rule."),
    Problem.UNREADABLE: _("The settings of this rule cannot be read; save it again."),
    Problem.NOT_READ: _("The numbers could not be read the last time, or it took too long."),
    Problem.TOO_MANY: _("It holds for more targets than are followed; the rest wait. Choose fewer, or other levels."),
}


def problem_sentence(code: str) -> str:
    """What `Rule.problem` means; empty when it went well."""
    return str(_SENTENCES.get(code, code))
