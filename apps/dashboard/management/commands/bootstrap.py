"""`manage.py bootstrap`: bring the database to the present version and, on the first start, make the first things.

Called by the launcher at every start; prints one JSON line: {"admin_created", "username", "password"} (the password
only when it was made up here, once).
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, call_command
from django.db import transaction

from apps.accounts.models import User
from apps.checks import partitions, self_watch


class Command(BaseCommand):
    help = "Migrate, create partitions and, on the first start, the administrator and the portal's own checks."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        partitions.maintain()
        first_start, password = self._first_things()
        self.stdout.write(json.dumps({"admin_created": first_start, "username": "admin", "password": password}))

    @transaction.atomic
    def _first_things(self) -> tuple[bool, str | None]:
        """All of a first start or none of it: a password that was made up must not outlive a failure unseen."""
        if User.objects.exists():
            self_watch.refresh()
            return False, None
        password = self._create_admin()
        if settings.PORTAL_DEMO:
            self_watch.create()
        return True, password

    def _create_admin(self) -> str | None:
        """The first user. Returns the password when it was generated, None when the operator chose it."""
        chosen = settings.PORTAL_ADMIN_PASSWORD
        password = chosen or secrets.token_urlsafe(12)
        User.objects.create_superuser(username="admin", email="", password=password)
        return None if chosen else password
