"""When the next pings of a heartbeat are expected, as its form shows while somebody types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.accounts.doors import PageRequest, signed_in
from apps.checks.forms import CheckForm
from apps.checks.heartbeats.schedule import next_expected
from apps.core import clock, kindconfig
from apps.core.durations import in_words
from apps.probes.base import PROBE_KINDS
from apps.probes.kinds.heartbeat import HeartbeatConfig

SHOWN = 3


@dataclass(frozen=True)
class Preview:
    """The moments of a schedule, or the sentences that say why there are none.

    `is_cron`: they are fixed; without, they follow a ping that came now.
    """

    moments: list[datetime] = field(default_factory=list)
    grace: str = ""
    is_cron: bool = False
    errors: list[str] = field(default_factory=list)


def preview_of(form: CheckForm) -> Preview | None:
    """What stands in the form (bound or not) as moments; None for a kind that waits for nothing."""
    if not form.is_told:
        return None
    if not form.is_bound:
        return preview(
            {part.name: form.get_initial_for_field(form.fields[name], name) for name, part in form.parts.items()}
        )
    form.is_valid()
    wrong = [str(sentence) for name in form.parts for sentence in form.errors.get(name, [])]
    return Preview(errors=wrong) if wrong else preview(form.config())


def preview(values: Mapping[str, Any]) -> Preview:
    """The next moments of a config, as plain values."""
    try:
        config = kindconfig.decode(HeartbeatConfig, dict(values))
    except kindconfig.ConfigError as error:
        return Preview(errors=[sentence for sentences in error.errors.values() for sentence in sentences])
    moments, moment = [], clock.now()
    for _number in range(SHOWN):
        moment = next_expected(config, moment)
        moments.append(moment)
    return Preview(moments, in_words(config.grace_seconds), bool(config.cron.strip()))


@signed_in
@require_safe
def schedule_preview(request: PageRequest) -> HttpResponseBase:
    """The fragment under the fields; `config.<name>` in the query. Writes nothing and reads nobody's data."""
    form = CheckForm(PROBE_KINDS.get("heartbeat"), None, request.GET)
    return render(request, "checks/_expected.html", {"preview": preview_of(form)})
