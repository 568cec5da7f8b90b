"""The canaries of one model: every golden prompt over the last runs, and how the last answers differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.catalog.status import Status
from apps.checks.ai.history import CanaryRun
from apps.dashboard.ai.prompts import PromptLine, prompts_of
from apps.probes.base import OutcomeState

Text = str | Promise

_WORDS: dict[Status, Text] = {
    Status.OPERATIONAL: _("Passed"),
    Status.DEGRADED: _("Failed"),
    Status.UNKNOWN: _("Not asked"),
}


@dataclass(frozen=True)
class Dot:
    """One run of one prompt: a shape with a word, a moment and the result it came from."""

    status: str
    label: Text
    at: datetime
    url: str


@dataclass(frozen=True)
class PromptRow:
    """One golden prompt over the runs, oldest first; "" stands for all prompts together where no name is known."""

    name: str
    dots: list[Dot]

    @property
    def latest(self) -> Dot:
        return self.dots[-1]


@dataclass(frozen=True)
class Canary:
    """One canary check: its last run, its prompts, and what differed when a prompt last failed."""

    check_id: UUID
    name: str
    last: CanaryRun
    rows: list[PromptRow]
    failed: list[PromptLine]
    failed_run: CanaryRun | None

    @property
    def url(self) -> str:
        return reverse("checks:check", args=[self.check_id])

    @property
    def failed_url(self) -> str:
        return _url(self.failed_run) if self.failed_run else ""


def canaries_of(runs: Sequence[CanaryRun]) -> list[Canary]:
    """The runs (newest first) by check, in the order of their latest run."""
    checks: dict[UUID, list[CanaryRun]] = {}
    for run in runs:
        checks.setdefault(run.check_id, []).append(run)
    return [_canary(of_one) for of_one in checks.values()]


def _canary(runs: list[CanaryRun]) -> Canary:
    last = runs[0]
    lines = [(run, prompts_of(run.prompts)) for run in reversed(runs)]
    names = list(dict.fromkeys(line.name for _run, found in reversed(lines) for line in found))
    rows = [PromptRow(name, [_dot(run, found, name) for run, found in lines]) for name in names or [""]]
    failed_run, failed = next(
        ((run, [line for line in found if line.failed]) for run, found in reversed(lines) if _any_failed(found)),
        (None, []),
    )
    return Canary(last.check_id, last.check_name, last, rows, failed, failed_run)


def _any_failed(lines: Sequence[PromptLine]) -> bool:
    return any(line.failed for line in lines)


def _dot(run: CanaryRun, lines: Sequence[PromptLine], name: str) -> Dot:
    line = next((line for line in lines if line.name == name), None)
    if line is not None and line.asked:
        status = Status.OPERATIONAL if line.passed else Status.DEGRADED
    elif run.state == OutcomeState.OK:
        # Of a good run nobody keeps what every prompt was answered.
        status = Status.OPERATIONAL
    elif not name and run.failed:
        status = Status.DEGRADED
    else:
        status = Status.UNKNOWN
    return Dot(status.value, _WORDS[status], run.at, _url(run))


def _url(run: CanaryRun) -> str:
    return reverse("checks:result", args=[run.check_id, run.result_id])
