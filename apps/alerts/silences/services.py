"""Writing silences: one transaction each, with its audit entry. None is deleted by hand: it ends, and stays a while.

What a silence has hushed stays readable: its end and its comment are edited in place; for other matchers, once it has
begun, it ends and another takes its place.
"""

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
from apps.alerts.pipeline.enrolment import look_at_held
from apps.alerts.pipeline.lock import pipeline_lock
from apps.alerts.tasks import wake
from apps.catalog.models import Environment
from apps.core import clock
from apps.core.ids import uuid7
from apps.core.news import announce

LONGEST = timedelta(days=366)
MAX_COMMENT_CHARACTERS = 1_000
KEEP_ENDED = timedelta(days=90)
_DELETE_AT_ONCE = 5_000
_EDITABLE = ("matchers", "environment", "starts_at", "ends_at", "comment")


class SilenceOver(Exception):
    """It has ended, so there is nothing to edit; the message says what to do instead."""


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
def update_silence(*, actor: User | None, silence: Silence, **fields: Any) -> Silence:
    """Edit `matchers`, `environment`, `starts_at`, `ends_at` and `comment`. Raises ValidationError by field, and
    SilenceOver.

    Returns the silence in force: another one where this one has begun and is to hush something else.
    """
    row = _locked(silence)
    now = clock.now()
    wanted = {name: getattr(row, name) for name in _EDITABLE} | {name: fields[name] for name in fields}
    wanted["starts_at"] = wanted["starts_at"] or row.starts_at
    wanted["comment"] = wanted["comment"].strip()
    has_begun = row.starts_at <= now
    errors: dict[str, list[Any]] = {}
    # What is stored may be older than today's rules; whoever moves the end does not answer for it.
    if wanted["matchers"] != row.matchers:
        wanted["matchers"], errors = parse_matchers(wanted["matchers"])
    if has_begun and wanted["starts_at"] > now:
        errors["starts_at"] = [_("It has begun. End it, and set another one for later.")]
    errors.update(_time_problems(row.starts_at if has_begun else wanted["starts_at"], wanted["ends_at"], now))
    if problem := _comment_problem(wanted["comment"]):
        errors["comment"] = [problem]
    if errors:
        raise ValidationError(errors)
    if has_begun:
        del wanted["starts_at"]
        if wanted["matchers"] != row.matchers or wanted["environment"] != row.environment:
            end_silence(actor=actor, silence=row)
            return create_silence(actor=actor, starts_at=None, made_through=row.made_through, **wanted)
    return _edit(actor, row, wanted)


@transaction.atomic
def extend_silence(*, actor: User | None, silence: Silence, by: timedelta) -> Silence:
    """Move its end, as it is by now. Raises ValidationError by field, and SilenceOver."""
    return update_silence(actor=actor, silence=silence, ends_at=_locked(silence).ends_at + by)


def _locked(silence: Silence) -> Silence:
    """The row as it stands, which nobody else edits. Raises SilenceOver."""
    row = Silence.objects.select_for_update(of=("self",)).select_related("environment").get(pk=silence.pk)
    if row.ends_at <= clock.now():
        raise SilenceOver(_("This silence has ended. Set another one like it."))
    return row


def _edit(actor: User | None, row: Silence, wanted: dict[str, Any]) -> Silence:
    before = {name: getattr(row, name) for name in wanted}
    changes = {name: [before[name], value] for name, value in wanted.items() if before[name] != value}
    if changes:
        for name, value in wanted.items():
            setattr(row, name, value)
        row.save(update_fields=list(wanted))
        if "environment" in changes:
            changes["environment"] = [str(one) if one else None for one in changes["environment"]]
        record_audit(actor=actor, action="update", subject=row, changes=changes)
        if row.ends_at < before["ends_at"]:
            _look_at_hushed(row)
        _tell(row)
    return row


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
    _look_at_hushed(row)
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


def _look_at_hushed(silence: Silence) -> None:
    """What it holds is decided anew at once, not when it would have ended. Groups are the pipeline's, and one that is
    being looked at still sees the silence as it was: its lock is waited for, and held until all is written."""
    with pipeline_lock():
        look_at_held([str(silence.pk)], clock.database_moment())
    transaction.on_commit(wake, robust=True)


def _tell(silence: Silence) -> None:
    announce("silence.changed", [silence.pk], silence.environment_id)


@transaction.atomic
def remove_old_silences() -> int:
    """Remove silences that ended more than 90 days ago, a batch a call. Returns how many."""
    old = Silence.objects.filter(ends_at__lt=clock.now() - KEEP_ENDED).order_by("ends_at")
    identifiers = list(old.values_list("pk", flat=True)[:_DELETE_AT_ONCE])
    return Silence.objects.filter(pk__in=identifiers).delete()[0] if identifiers else 0
