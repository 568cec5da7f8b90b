"""Default rules: declared by the app that brings the data, made once, and never again once somebody removed them.

An app lists them as `default_rules` on its AppConfig: `seed` is the key, the rest is what `create_rule` takes.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError

from apps.alerts.models import Rule
from apps.alerts.ruling.services import create_rule


def seed_rules(**_: Any) -> None:
    """Make what is missing. One query when nothing is. For after every migration."""
    declared: list[dict[str, Any]] = [
        rule for config in apps.get_app_configs() for rule in getattr(config, "default_rules", ())
    ]
    known = set(Rule.objects.exclude(seed="").values_list("seed", flat=True))
    for rule in declared:
        if rule["seed"] not in known:
            _make(rule)


def _make(rule: dict[str, Any]) -> None:
    fields = {**rule, "name": str(rule["name"])}
    try:
        create_rule(actor=None, **fields)
    except ValidationError as error:
        if set(error.message_dict) != {"name"}:
            raise
        # Somebody has a rule of this name already.
        create_rule(actor=None, **{**fields, "name": f"{fields['name']} ({rule['seed']})"})
