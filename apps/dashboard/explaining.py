"""What a status leaves open: looks that fail while the verdict is still good, and why nothing was measured.

A row that is green or unknown while its checks say otherwise explains itself from here, on every page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from apps.catalog.models import Target, TargetKind
from apps.catalog.status import Status
from apps.checks.ai.selectors import ModelFacts
from apps.checks.doubts import Doubt, Doubts, doubts_of, worst_of
from apps.checks.reasons import sentence
from apps.checks.state import NOT_MEASURED

# Their checks ask by themselves, and are due as soon as they are made; others may wait to be told.
_ASKED = frozenset({TargetKind.PROVIDER, TargetKind.MODEL})


@dataclass(frozen=True)
class Explanation:
    """One sentence or two; `short` leaves out what the looks found. `doubt` is None where no look is in doubt."""

    text: str
    short: str
    doubt: Doubt | None = None


def explanations_of(targets: Collection[Target], facts: Mapping[UUID, ModelFacts]) -> dict[UUID, Explanation]:
    """Of those targets (with their `status_row`) whose status alone does not tell; `facts` are those of models.

    One query, whatever their number.
    """
    doubts = doubts_of([target.pk for target in targets])
    found = {
        target.pk: _explanation(target, doubts.get(target.pk), facts.get(target.pk))
        for target in targets
        if target.enabled and _is_open(target)
    }
    return {identifier: explanation for identifier, explanation in found.items() if explanation is not None}


def _is_well(target: Target) -> bool:
    return bool(target.status_row.status == Status.OPERATIONAL)


def _is_open(target: Target) -> bool:
    row = target.status_row
    return _is_well(target) or (row.status == Status.UNKNOWN and row.reason == NOT_MEASURED)


def _explanation(target: Target, doubts: Doubts | None, facts: ModelFacts | None) -> Explanation | None:
    doubt = _telling(doubts.found if doubts else [], facts)
    if doubt is not None:
        return Explanation(doubt.text, doubt.short_text, doubt)
    if not _is_well(target):
        text = _unmeasured(target, doubts.deciding if doubts else None)
        return Explanation(text, text)
    if facts is not None and facts.error_class is not None:
        text = _("The last look does not count towards the status. %(why)s")
        why = sentence(facts.reason, facts.evidence)
        return Explanation(text % {"why": why}, (text % {"why": ""}).strip())
    return None


def _telling(doubts: list[Doubt], facts: ModelFacts | None) -> Doubt | None:
    """The worst of those that decide the status.

    Where a class of error stands beside the status, whoever says it is named even if it decides nothing.
    """
    deciding = worst_of(doubt for doubt in doubts if doubt.counts)
    failed = facts is not None and facts.error_class is not None
    return deciding or (worst_of(doubts) if failed else None)


def _unmeasured(target: Target, deciding: int | None) -> str:
    """`deciding`: how many enabled checks decide the status; None: no check is enabled."""
    if deciding is None:
        return _("No check looks at it yet.")
    if not deciding:
        return _("None of its checks decides the status.")
    if target.status_row.last_result_at is not None:
        return _("Nothing was measured since it was last switched on or changed.")
    if target.kind in _ASKED:
        return _("Nothing was measured yet: the first look comes in a few seconds.")
    return sentence(NOT_MEASURED)
