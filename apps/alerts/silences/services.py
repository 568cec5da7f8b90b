"""Writing silences: one transaction each, with its audit entry. None is deleted by hand: it ends, and stays a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record_audit
from apps.alerts import matching
from apps.alerts.models import Silence
from apps.catalog.models import Environment
from apps.core import clock
from apps.core.ids import uuid7
from apps.core.news import announce

LONGEST = timedelta(days=366)
MAX_COMMENT_CHARACTERS = 1_000
KEEP_ENDED = timedelta(days=90)
_DELETE_AT_ONCE = 5_000


@transaction.atomic
def create_silence(
    *,
    actor: User | None,
    matchers: object,
    starts_at: datetime | None,
    ends_at: datetime,
    comment: str,
    environment: Environment | None = None,
    made_through: str = "",
) -> Silence:
    """Hush what matches, from `starts_at` (None: now) to `ends_at`. Raises ValidationError by field.

    `made_through`: the channel whose message it was made from, when nobody was signed in.
    """
    now = clock.now()
    stored, errors = parse_matchers(matchers)
    errors.update(_time_problems(starts_at or now, ends_at, now))
    text = comment.strip()
    if problem := _comment_problem(text):
        errors["comment"] = [problem]
    if errors:
        raise ValidationError(errors)
    silence = Silence.objects.create(
        id=uuid7(),
        environment=environment,
        matchers=stored,
        # What was told before it was made was told.
        starts_at=max(starts_at or now, now),
        ends_at=ends_at,
        comment=text,
        author=actor,
        made_through=made_through[:200],
    )
    changes = {name: [None, getattr(silence, name)] for name in ("matchers", "starts_at", "ends_at", "made_through")}
    record_audit(actor=actor, action="create", subject=silence, changes=changes)
    _tell(silence)
    return silence


@transaction.atomic
def end_silence(*, actor: User | None, silence: Silence) -> Silence:
    """End it now; one that has ended already stays as it is. One that was to come never begins."""
    row = Silence.objects.select_for_update(of=("self",)).get(pk=silence.pk)
    now = clock.now()
    if row.ends_at <= now:
        return row
    before, row.ends_at = row.ends_at, now
    row.starts_at = min(row.starts_at, now)
    row.save(update_fields=["starts_at", "ends_at"])
    record_audit(actor=actor, action="end", subject=row, changes={"ends_at": [before, now]})
    _tell(row)
    return row


def parse_matchers(given: object) -> tuple[list[dict[str, str]], dict[str, list[Any]]]:
    """Matchers of a silence, which must have one: `(stored form, errors by path below "matchers")`."""
    stored, problems = matching.parse(given)
    errors = {f"matchers.{path}" if path else "matchers": texts for path, texts in problems.items()}
    if not errors and not stored:
        sentence = _("Say what to hush with at least one matcher; without any it would hush everything.")
        errors["matchers"] = [sentence]
    return stored, errors


def _time_problems(begins: datetime, ends: datetime, now: datetime) -> dict[str, list[Any]]:
    if ends <= begins:
        return {"ends_at": [_("It ends before it begins; choose a later end.")]}
    if ends <= now:
        return {"ends_at": [_("This moment is over; choose one to come.")]}
    if ends - max(begins, now) > LONGEST:
        return {"ends_at": [_("A silence lasts at most 366 days.")]}
    if begins - now > LONGEST:
        return {"starts_at": [_("A silence begins within the next 366 days.")]}
    return {}


def _comment_problem(text: str) -> str:
    if not text:
        return _("Say why, for whoever wonders about the quiet.")
    if len(text) > MAX_COMMENT_CHARACTERS:
        return _("At most 1,000 characters.")
    if not all(character.isprintable() or character == "\n" for character in text):
        return _("Leave out what cannot be printed.")
    return ""


def _tell(silence: Silence) -> None:
    announce("silence.changed", [silence.pk], silence.environment_id)


@transaction.atomic
def remove_old_silences() -> int:
    """Remove silences that ended more than 90 days ago, a batch a call. Returns how many."""
    old = Silence.objects.filter(ends_at__lt=clock.now() - KEEP_ENDED).order_by("ends_at")
    identifiers = list(old.values_list("pk", flat=True)[:_DELETE_AT_ONCE])
    return Silence.objects.filter(pk__in=identifiers).delete()[0] if identifiers else 0
