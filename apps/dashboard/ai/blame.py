"""What is wrong with a model, as a class and in words, and who has to do something about it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.checks.ai.selectors import ModelFacts
from apps.probes.ai.classes import WAITS_FOR_US, ErrorClass, Fault

Text = str | Promise

# Beside "whose fault": what that means, where the name of the fault does not say it.
_WHO: dict[Fault, Text] = {
    Fault.OURS: _("A key, a limit, a plan or a setting on our side is to be mended."),
    Fault.THEIRS: "",
    Fault.NETWORK: _("Between us and the provider: no answer came through."),
    Fault.QUALITY: _("The model answers, but not as it should: this is no outage."),
}
_WAITS: Text = _("Paid looks come more rarely until it is mended, and notice by themselves when it is.")
_TONES = {Fault.OURS: "warn", Fault.THEIRS: "bad", Fault.NETWORK: "bad", Fault.QUALITY: "warn"}


@dataclass(frozen=True)
class Blame:
    """`label` names the class, `fault` whose it is; `who` (what that means) and `waits` are a sentence or empty.

    `reason` is that of the look it is about.
    """

    code: ErrorClass
    reason: str
    label: Text
    fault: Text
    who: Text
    waits: Text
    tone: str


def blame_of(facts: ModelFacts | None) -> Blame | None:
    """None for a model with which nothing is wrong, or of which nothing is known."""
    if facts is None or facts.error_class is None or facts.fault is None:
        return None
    waits = _WAITS if facts.reason in WAITS_FOR_US else ""
    fault = facts.fault
    return Blame(
        facts.error_class, facts.reason, facts.error_class.label, fault.label, _WHO[fault], waits, _TONES[fault]
    )
