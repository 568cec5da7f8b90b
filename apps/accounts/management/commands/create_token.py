"""`manage.py create_token USER`: make an API token and print it, and nothing else, on standard output."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError

from apps.accounts.access import Scope
from apps.accounts.models import User
from apps.accounts.services import create_token
from apps.core import clock


class Command(BaseCommand):
    help = "Make an API token for a user and print it. It cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER", help="the user's name")
        parser.add_argument("--scope", choices=Scope.values, default=Scope.READ.value, help="default: read")
        parser.add_argument("--name", default="create_token", help="what the token is for")
        parser.add_argument("--expires-days", type=float, metavar="N", help="default: never")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user called {options['user']!r}.")
        if not user.is_active:
            raise CommandError(f"The account {options['user']!r} is not active.")
        days = options["expires_days"]
        expires_at = clock.now() + timedelta(days=days) if days is not None else None
        try:
            _token, plain = create_token(
                actor=None, user=user, name=options["name"], scope=Scope(options["scope"]), expires_at=expires_at
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(plain)
