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

from apps.accounts.models import User
from apps.checks import partitions, self_watch


class Command(BaseCommand):
    help = "Migrate, create partitions and, on the first start, the administrator and the portal's own checks."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        partitions.maintain()
        first_start = not User.objects.exists()
        password = self._create_admin() if first_start else None
        if first_start and settings.PORTAL_DEMO:
            self_watch.create()
        elif not first_start:
            self_watch.refresh()
        self.stdout.write(json.dumps({"admin_created": first_start, "username": "admin", "password": password}))

    def _create_admin(self) -> str | None:
        """The first user. Returns the password when it was generated, None when the operator chose it."""
        chosen = settings.PORTAL_ADMIN_PASSWORD
        password = chosen or secrets.token_urlsafe(12)
        User.objects.create_superuser(username="admin", email="", password=password)
        return None if chosen else password
