"""What is odd about a rule though it may be saved: that it can never fire, or never end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.alerts.labels import watched_targets
from apps.alerts.matching import load
from apps.alerts.models import Rule
from apps.alerts.rule_kinds.base import RULE_KINDS, RuleKind
from apps.alerts.ruling.index import LabelIndex, positions_of
from apps.core import kindconfig


def warnings_of(rule: Rule) -> list[str]:
    """Sentences for whoever saves `rule`, which is valid. A fixed number of queries."""
    kind = RULE_KINDS.get(rule.kind)
    found = list(_about_levels(rule, kind)) if kind.has_levels else []
    if not kind.per_target:
        return found
    targets = targets_of(rule)
    if not targets:
        found.append(_("No target matches now, so it cannot fire. Targets that come later count from then on."))
        return found
    return found + kind.warnings(kindconfig.decode(kind.Config, rule.config), targets)


def targets_of(rule: Rule) -> list[UUID]:
    """The targets a rule is about now. One query."""
    index = LabelIndex(watched_targets())
    return [index.ids[position] for position in positions_of(index.matching(rule.environment_id, load(rule.matchers)))]


def _about_levels(rule: Rule, kind: RuleKind[Any]) -> Iterator[str]:
    above = rule.operator == Rule.Operator.ABOVE
    names = [
        (pgettext("a level", "warning"), rule.warning_level),
        (pgettext("a level", "critical"), rule.critical_level),
    ]
    for name, level in names:
        if level is not None:
            yield from _about_level(name, level, rule.recovery_margin, above, kind)


def _about_level(name: str, level: float, margin: float, above: bool, kind: RuleKind[Any]) -> Iterator[str]:
    """The numbers of a kind lie between `lowest` and `highest`: a level must split them, and so must its way back."""
    lowest, highest = kind.lowest, kind.highest
    words: dict[str, Any] = {
        "name": name,
        "lowest": f"{lowest:g}",
        "highest": "" if highest is None else f"{highest:g}",
    }
    if above and highest is not None and level >= highest:
        yield _("The %(name)s level can never be exceeded: the highest there is, is %(highest)s.") % words
    elif not above and level <= lowest:
        yield _("Nothing can be below the %(name)s level: the lowest there is, is %(lowest)s.") % words
    elif (above and level < lowest) or (not above and highest is not None and level > highest):
        yield _("Every number there can be is beyond the %(name)s level, so it always fires.") % words
    elif (above and level - margin < lowest) or (not above and highest is not None and level + margin > highest):
        yield _("Once beyond the %(name)s level it never ends: no number is back by the recovery margin.") % words
