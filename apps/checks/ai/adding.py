"""Watching models of a provider: the models and, as far up the cost ladder as was chosen, their checks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.catalog.models import Provider, Target, TargetKind
from apps.catalog.services import create_model
from apps.checks.ai.climbing import Rung, config_of, list_rungs
from apps.checks.ai.model_sorts import sort_of
from apps.checks.models import Check
from apps.checks.services import create_check
from apps.probes.base import ProbeKind

# Each is a dozen statements in one transaction, which others wait for.
MOST_AT_ONCE = 100


@dataclass(frozen=True)
class Added:
    """How many models are new, and how many checks were made."""

    models: int
    checks: int


@transaction.atomic
def add_models(
    *,
    actor: User | None,
    provider: Provider,
    names: Iterable[str],
    rungs: Collection[int],
    intervals: Mapping[int, int] | None = None,
) -> Added:
    """Watch models of `provider`: those that are not here yet are made, and each gets one check a rung.

    `rungs` are numbers of the cost ladder, `intervals` seconds by rung (else the kind's own). What a model is not for
    is left out, and so is a kind it has a check of already. On the first rung the provider itself gets its free check
    too. Raises ValidationError on `names`, `rungs` or `intervals`, and nothing is stored then.
    """
    wanted = _names(names)
    chosen = _rungs(rungs)
    # The provider's row is the lock: two people who add at once would both find a model missing.
    provider = (
        Provider.objects.select_for_update(of=("self",)).select_related("target__environment").get(pk=provider.pk)
    )
    targets, made = _targets(actor, provider, wanted)
    plan = _plan(provider, targets, chosen)
    every = {rung.number: (intervals or {}).get(rung.number, rung.default_interval_seconds) for rung in chosen}
    for target, rung, kind in plan:
        _add_check(actor, provider, target, kind, every[rung.number])
    return Added(models=made, checks=len(plan))


def _names(names: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    if not found:
        raise ValidationError({"names": [_("Choose at least one model.")]})
    if len(found) > MOST_AT_ONCE:
        sentence = ngettext(
            "At most %(limit)s model at once: choose fewer, and add the others afterwards.",
            "At most %(limit)s models at once: choose fewer, and add the others afterwards.",
            MOST_AT_ONCE,
        )
        raise ValidationError({"names": [sentence % {"limit": MOST_AT_ONCE}]})
    return found


def _rungs(numbers: Collection[int]) -> list[Rung]:
    known = {rung.number: rung for rung in list_rungs()}
    unknown = sorted(set(numbers) - set(known))
    if unknown:
        raise ValidationError(
            {
                "rungs": [
                    _("There is no rung %(number)s; known are %(known)s.")
                    % {"number": unknown[0], "known": ", ".join(map(str, known))}
                ]
            }
        )
    if not numbers:
        raise ValidationError({"rungs": [_("Choose at least one rung: a model nobody looks at stays unknown.")]})
    return [known[number] for number in sorted(set(numbers))]


def _targets(actor: User | None, provider: Provider, names: list[str]) -> tuple[list[Target], int]:
    """The models' targets, and how many of them are new. Names that differ by case alone are one model."""
    present = Target.objects.present().filter(kind=TargetKind.MODEL, namespace=provider.pk)
    known = {target.name.lower(): target for target in present.select_related("environment")}
    chosen: dict[UUID, Target] = {}
    errors: list[str] = []
    made = 0
    for name in names:
        target = known.get(name.lower())
        if target is None:
            try:
                target = create_model(actor=actor, provider=provider, name=name).target
            except ValidationError as error:
                errors.append(_named(name, error))
                continue
            known[name.lower()] = target
            made += 1
        chosen[target.pk] = target
    if errors:
        raise ValidationError({"names": errors})
    return list(chosen.values()), made


def _named(name: str, error: ValidationError) -> str:
    return _("%(name)s: %(problem)s") % {"name": name[:100], "problem": " ".join(error.messages)}


def _plan(provider: Provider, targets: list[Target], rungs: list[Rung]) -> list[tuple[Target, Rung, ProbeKind[Any]]]:
    """What is missing, in the order in which status rows are locked everywhere: by target."""
    family = [provider.target, *targets]
    there = set(Check.objects.present().filter(target__in=family).values_list("target_id", "kind"))
    plan = [
        (target, rung, kind)
        for target in targets
        for rung in rungs
        if (kind := rung.kind_for(sort_of(target.name))) is not None and (target.pk, kind.name) not in there
    ]
    plan += [
        (provider.target, rung, kind)
        for rung in rungs
        for kind in rung.kinds
        if not kind.is_paid and provider.target.kind in kind.target_kinds and (provider.pk, kind.name) not in there
    ]
    return sorted(plan, key=lambda entry: (entry[0].pk, entry[1].number))


def _add_check(
    actor: User | None, provider: Provider, target: Target, kind: ProbeKind[Any], interval_seconds: int
) -> None:
    model = target.name if target.kind == TargetKind.MODEL else ""
    try:
        create_check(
            actor=actor,
            target=target,
            kind=kind.name,
            config=config_of(kind, provider, model),
            interval_seconds=interval_seconds,
            affects_status=kind.default_affects_status,
        )
    except ValidationError as error:
        field = "intervals" if "interval_seconds" in error.message_dict else "names"
        raise ValidationError({field: [_named(target.name, error)]}) from error
