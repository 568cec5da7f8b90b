"""The shortest way to a real result: one URL becomes a service, an http check and a look at it."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.catalog.models import Environment
from apps.catalog.services import create_service
from apps.checks.models import Check
from apps.checks.services import create_check

INTERVAL_SECONDS = 60
TIMEOUT_SECONDS = 10.0
_LONGEST_NAME = 200


def watch_url(*, actor: User | None, environment: Environment, url: str) -> Check:
    """Make the service and its check; the first look is due at once.

    A URL without a scheme is read as https. Raises ValidationError on `url`, and nothing is stored then.
    """
    address = url.strip()
    if address and "://" not in address:
        address = f"https://{address}"
    try:
        with transaction.atomic():
            service = create_service(actor=actor, name=_name_of(address), environment=environment, url=address)
            return create_check(
                actor=actor,
                target=service.target,
                kind="http",
                config={"url": address},
                interval_seconds=INTERVAL_SECONDS,
                timeout_seconds=TIMEOUT_SECONDS,
            )
    except ValidationError as error:
        sentences = [sentence for found in error.message_dict.values() for sentence in found]
        raise ValidationError({"url": list(dict.fromkeys(sentences))}) from error


def _name_of(address: str) -> str:
    """Host, and port and path where they say something."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host:
        raise ValidationError({"url": [_("Enter a full address, such as https://example.com.")]})
    path = parts.path.rstrip("/")
    return f"{host}{f':{port}' if port else ''}{path}"[:_LONGEST_NAME]
