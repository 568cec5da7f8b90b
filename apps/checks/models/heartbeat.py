"""Heartbeats: checks that are told instead of looking. Who may tell (keys), what was told (pings), which runs are open.

A ping is safe once it is a row of the inbox; settling moves it from there to the history in the transaction that
decides what follows from it.
"""

from __future__ import annotations

import secrets
import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import VisibleQuerySet
from apps.catalog.models import Environment
from apps.checks.models.check import Check
from apps.core.ids import uuid7


def new_push_token() -> str:
    """32 letters and digits, as long as the tokens of the clients that use them."""
    return secrets.token_hex(16)


class PingKind(models.TextChoices):
    """What a ping says of the program that sent it."""

    SUCCESS = "success", _("Success")
    START = "start", _("Start")
    FAIL = "fail", _("Failure")
    LOG = "log", _("Log")


class PingKeyQuerySet(VisibleQuerySet["PingKey"]):
    environment_path = "environment_id"


class PingKey(models.Model):
    """Opens every heartbeat of an environment by its short name: `/ping/<key>/<slug>`. Closed keys stay as rows."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="ping_keys", verbose_name=_("environment")
    )
    # Looked up by its digest, so that no comparison of ours tells how much of a guess was right; sealed to be shown.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    sealed = models.TextField(editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    objects: ClassVar[PingKeyQuerySet] = PingKeyQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("ping key")
        verbose_name_plural = _("ping keys")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.environment_id} · {self.created_at:%Y-%m-%d}"


class Heartbeat(models.Model):
    """The addresses of one heartbeat check, and what was heard last. Its deadline is its region row's `next_due_at`."""

    source_check = models.OneToOneField(
        Check, on_delete=models.CASCADE, primary_key=True, db_column="check_id", related_name="heartbeat"
    )
    # In /ping/<uuid>. Whoever knows it may ping, and nothing else.
    ping_id = models.UUIDField(_("ping id"), unique=True, default=uuid.uuid4, editable=False)
    # In /api/push/<token>, and the bearer token of an external endpoint.
    push_token = models.CharField(_("push token"), max_length=64, unique=True, default=new_push_token, editable=False)
    # In /ping/<ping key>/<slug>. Two of one environment may share it; a ping by it is then refused as ambiguous.
    slug = models.SlugField(_("short name"), max_length=100, db_index=True)
    last_ping_at = models.DateTimeField(_("last ping"), null=True, blank=True)
    last_ping_kind = models.CharField(max_length=16, choices=PingKind, blank=True, default="")
    # When the next one is expected; the deadline is the grace later. Null until the first ping.
    expected_at = models.DateTimeField(_("expected"), null=True, blank=True)
    # Made by a ping with `?create=1` and by nobody; how many there may be is bounded.
    made_by_ping = models.BooleanField(_("made by a ping"), default=False, editable=False)

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.slug


class HeartbeatRun(models.Model):
    """A run that was started and has not ended: one a run id (`rid`), and one without."""

    id = models.BigAutoField(primary_key=True)
    heartbeat = models.ForeignKey(Heartbeat, on_delete=models.CASCADE, related_name="open_runs")
    run_id = models.UUIDField(null=True, blank=True)
    started_at = models.DateTimeField()
    # When it was found to outlast the grace; it is told once, and may still end.
    unfinished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["heartbeat", "run_id"], name="checks_one_open_run_an_id", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.heartbeat_id} {self.run_id}"


class PingColumns(models.Model):
    """One thing a client told us. No foreign key: it is written by the thousand, and read by check."""

    at = models.DateTimeField()
    check_id = models.UUIDField()
    kind = models.CharField(max_length=16, choices=PingKind)
    exit_status = models.PositiveSmallIntegerField(null=True)
    run_id = models.UUIDField(null=True)
    # What the client says it took: Uptime Kuma's `ping`, Gatus' `duration`.
    said_ms = models.FloatField(null=True)
    method = models.CharField(max_length=8)
    # Which client it speaks like: "healthchecks", "kuma", "gatus".
    dialect = models.CharField(max_length=16)
    address = models.CharField(max_length=45, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    body = models.BinaryField(default=b"")
    # How large the body was before it was cut to the limit.
    body_bytes = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True


class PingInbox(PingColumns):
    """Pings that are safe and not settled yet, oldest first. Short: a second's worth."""

    id = models.BigAutoField(primary_key=True)

    def __str__(self) -> str:
        return f"{self.check_id} {self.kind}"


class Ping(PingColumns):
    """The history of pings, in daily partitions."""

    pk = models.CompositePrimaryKey("at", "id")
    id = models.UUIDField()
    # From the start of its run to this ping, when the start was told.
    run_ms = models.FloatField(null=True)

    class Meta:
        verbose_name = _("ping")
        verbose_name_plural = _("pings")
