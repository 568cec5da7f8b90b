"""Writing rules: one transaction each, with its audit entry, and what the person who saves should know."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import User
from apps.alerts.models import Rule
from apps.catalog.models import Environment


def create_rule(
    *, actor: User | None, name: str, kind: str, config: object, environment: Environment | None = None, **fields: Any
) -> tuple[Rule, list[str]]:
    """Make a rule. Returns it with warnings. Raises ValidationError by field."""
    raise NotImplementedError


def update_rule(*, actor: User | None, rule: Rule, **fields: Any) -> tuple[Rule, list[str]]:
    """Edit a rule. Returns it with warnings. Raises ValidationError by field."""
    raise NotImplementedError


def delete_rule(*, actor: User | None, rule: Rule) -> None:
    """Remove a rule; what it said ends at once."""
    raise NotImplementedError
