"""What stories of the pages of alerts need: somebody's browser, what a page says, and rows of conditions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import Client

from apps.accounts.models import User
from apps.alerts.models import Silence
from apps.alerts.silences.services import create_silence
from apps.core import clock


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    found: str = response.content.decode()
    return found


def condition(number: int, label: str, value: str, operator: str = "=") -> dict[str, str]:
    """The inputs of one row of conditions."""
    prefix = f"matchers-{number}-"
    return {f"{prefix}label": label, f"{prefix}operator": operator, f"{prefix}value": value}


def equals(label: str, value: str) -> dict[str, str]:
    return {"label": label, "operator": "=", "value": value}


def hush(**fields: Any) -> Silence:
    values: dict[str, Any] = {
        "matchers": [equals("target", "Shop")],
        "starts_at": None,
        "ends_at": clock.now() + timedelta(hours=1),
        "comment": "Moving house",
        **fields,
    }
    return create_silence(actor=None, **values)
