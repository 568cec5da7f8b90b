"""The cost ladder as one climbs it: which kinds of check stand on a rung, and which of them suits a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.catalog.discovery import base_url_of
from apps.catalog.models import Provider, TargetKind
from apps.checks.ai.model_sorts import ModelSort
from apps.probes.base import PROBE_KINDS, ProbeKind
from apps.probes.reasons import Text

# Those above cost more than a look every few minutes is worth to most: they are chosen, never given.
HIGHEST_GIVEN = 2
FIRST, LAST = 1, 4

_TITLES: dict[int, tuple[Text, Text]] = {
    1: (_("In the list"), _("Is the key good, and is the model offered? It costs nothing.")),
    2: (_("Short question"), _("A few tokens: does it answer at all, and how fast? Embedding models embed a line.")),
    3: (_("Stream"), _("About a hundred tokens: time to the first token, pauses, tokens a second.")),
    4: (_("Golden prompts"), _("A set of prompts with answers that are known: does it still answer well?")),
}


@dataclass(frozen=True)
class Rung:
    """One rung: its number, how it is told of, and the kinds of check on it."""

    number: int
    title: Text
    summary: Text
    kinds: tuple[ProbeKind[Any], ...]

    @property
    def is_paid(self) -> bool:
        return any(kind.is_paid for kind in self.kinds)

    @property
    def is_given(self) -> bool:
        """Whether it is ticked unless somebody says otherwise."""
        return self.number <= HIGHEST_GIVEN

    @property
    def default_interval_seconds(self) -> int:
        return self.kinds[0].default_interval_seconds

    def kind_for(self, sort: ModelSort) -> ProbeKind[Any] | None:
        """The kind of this rung that suits such a model; None when there is none."""
        return next((kind for kind in self.kinds if not kind.is_paid or kind.model_sort == sort.value), None)


def list_rungs() -> list[Rung]:
    """The rungs that kinds of check stand on, from the bottom up."""
    found: dict[int, list[ProbeKind[Any]]] = {}
    for kind in PROBE_KINDS:
        if kind.rung is not None and FIRST <= kind.rung <= LAST and TargetKind.MODEL in kind.target_kinds:
            found.setdefault(kind.rung, []).append(kind)
    # The kind for models that write first: its interval is the one that is offered.
    return [
        Rung(number, *_TITLES[number], tuple(sorted(kinds, key=lambda kind: kind.model_sort != ModelSort.CHAT.value)))
        for number, kinds in sorted(found.items())
    ]


def config_of(kind: ProbeKind[Any], provider: Provider, model: str) -> dict[str, Any]:
    """The config of a check made on this ladder: where it is asked and with which key is filled in at every look."""
    first = kind.first_config()
    if kind.uses_endpoint:
        return first
    return {**first, "base_url": base_url_of(provider), "model": model}


def priced_config(config: Mapping[str, Any], provider: Provider, model: str) -> dict[str, Any]:
    """A config as its price is worked out: which model it is says how much it may think before it answers."""
    return {**config, "endpoint": {"dialect": provider.dialect, "base_url": base_url_of(provider), "model": model}}
