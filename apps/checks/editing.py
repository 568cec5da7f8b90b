"""Making and editing a check: the kind's own form, and "Try it" on what stands in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.accounts.access import Role
from apps.accounts.doors import PageRequest, require, require_somewhere, signed_in
from apps.catalog.crumbs import crumbs_below, stand_in_list
from apps.catalog.models import Target, TargetKind
from apps.checks import check_page, services
from apps.checks.expected import preview_of
from apps.checks.forms import CONDITION_FIELDS, CONDITION_OPERATORS, CheckForm
from apps.checks.heartbeats.services import create_heartbeat, update_heartbeat
from apps.checks.models import Check
from apps.checks.provider_keys import provider_of
from apps.checks.region_cards import STATUS_OF_OUTCOME
from apps.checks.trying import longest_seconds, try_check
from apps.checks.views import operated
from apps.core import kindconfig
from apps.core.forms import put_errors
from apps.probes.base import PROBE_KINDS, Outcome, ProbeKind

_MOST_TARGETS = 500


@dataclass
class Editing:
    """What both pages have in common: the form, the check it belongs to (None: a new one), and what trying it found."""

    target: Target
    kind: ProbeKind[Any]
    form: CheckForm
    check: Check | None = None
    outcome: Outcome | None = None
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def stored(self) -> dict[str, Any] | None:
        return self.check.config if self.check is not None else None


@signed_in
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def check_new(request: PageRequest) -> HttpResponseBase:
    """A check for `?target=`, of `?kind=`; without a target one is chosen first."""
    require_somewhere(request.user, Role.OPERATOR)
    target = _asked_target(request)
    if target is None:
        return _choose_target(request)
    require(request.user, Role.OPERATOR, target.environment_id)
    kinds = suiting(target)
    kind = next((one for one in kinds if one.name == request.GET.get("kind")), kinds[0] if kinds else None)
    if kind is None:
        raise Http404
    form = CheckForm(kind, None, request.POST or None, initial=_defaults(kind, target))
    editing = Editing(target, kind, form, context={"kinds": kinds})
    return _answer(request, editing)


@signed_in
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def check_edit(request: PageRequest, check_id: UUID) -> HttpResponseBase:
    check = operated(request, check_id)
    kind = check_page.kind_of(check)
    if kind is None:
        raise Http404
    initial = {name: getattr(check, name, None) for name in CheckForm.base_fields if name != "only_regions"}
    initial["slug"] = getattr(getattr(check, "heartbeat", None), "slug", "")
    initial["only_regions"] = list(check.only_regions.values_list("slug", flat=True))
    initial["timeout_seconds"] = f"{check.timeout_seconds:g}"
    form = CheckForm(kind, services.masked_config(check), request.POST or None, initial=initial)
    return _answer(request, Editing(check.target, kind, form, check))


def suiting(target: Target) -> list[ProbeKind[Any]]:
    """The kinds that suit the target: those made for its like before those for everything, then the most general."""
    kinds = [kind for kind in PROBE_KINDS if target.kind in kind.target_kinds]
    return sorted(kinds, key=lambda kind: (TargetKind.SERVICE in kind.target_kinds, -len(kind.target_kinds), kind.name))


def _defaults(kind: ProbeKind[Any], target: Target) -> dict[str, Any]:
    fields = Check._meta
    return {
        "name": str(kind.label),
        "interval_seconds": kind.default_interval_seconds,
        "timeout_seconds": f"{kind.default_timeout_seconds:g}",
        "failure_threshold": kind.default_failure_threshold,
        "recovery_threshold": fields.get_field("recovery_threshold").default,
        "affects_status": kind.default_affects_status,
        "enabled": True,
        **_known(kind, target),
    }


def _known(kind: ProbeKind[Any], target: Target) -> dict[str, str]:
    """What is known already, where the kind asks for it: the service's link, the provider's base URL, our own zone."""
    provider = provider_of(target)
    known = {
        "url": getattr(getattr(target, "service", None), "url", ""),
        "base_url": provider.base_url if provider is not None else "",
        "model": target.name if target.kind == TargetKind.MODEL else "",
        "timezone": timezone.get_current_timezone_name(),
    }
    asked = {part.name for part in kindconfig.form_fields(kind.Config)}
    return {f"config.{name}": value for name, value in known.items() if value and name in asked}


def _asked_target(request: PageRequest) -> Target | None:
    text = request.GET.get("target", "")
    if not text:
        return None
    try:
        identifier = UUID(text)
    except ValueError as error:
        raise Http404 from error
    rows = Target.objects.visible_to(request.user).present()
    target = (
        rows.select_related("environment", "namespace", "service", "provider", "model__provider")
        .filter(pk=identifier)
        .first()
    )
    if target is None:
        raise Http404
    stand_in_list(request, target.kind)
    return target


def _choose_target(request: PageRequest) -> HttpResponseBase:
    rows = Target.objects.visible_to(request.user, Role.OPERATOR).present().select_related("environment", "namespace")
    context = {"targets": list(rows.order_by("name", "pk")[:_MOST_TARGETS])}
    return render(request, "checks/choose_target.html", context)


def _answer(request: PageRequest, editing: Editing) -> HttpResponseBase:
    """Try, save, or show the form; every error stands at its field and what was typed stays."""
    trying = request.POST.get("action") == "try" and editing.kind.transport != "push"
    if editing.form.is_bound and editing.form.is_valid():
        try:
            if trying:
                editing.outcome = _try(editing)
            else:
                return _saved(request, editing, _save(request, editing))
        except ValidationError as error:
            put_errors(editing.form, error)
    elif editing.form.is_bound:
        _look_further(editing)
    if trying and request.htmx:
        return render(request, "checks/_tried.html", _context(editing))
    return render(request, "checks/form.html", _context(editing), status=400 if editing.form.errors else 200)


def _look_further(editing: Editing) -> None:
    """What is wrong with the config as well, so that every mistake is said at once."""
    try:
        services.validate_config(editing.kind, editing.form.config(), editing.stored)
    except ValidationError as error:
        put_errors(editing.form, error, only_new=True)


def _try(editing: Editing) -> Outcome:
    values = editing.form.values()
    return try_check(
        editing.target,
        editing.kind,
        editing.form.config(),
        timeout_seconds=values["timeout_seconds"],
        degraded_after_ms=values["degraded_after_ms"],
        stored=editing.stored,
    )


def _save(request: PageRequest, editing: Editing) -> Check:
    config, values, actor = editing.form.config(), editing.form.values(), request.user
    if editing.form.is_told:
        slug = values.pop("slug") or None
        if editing.check is not None:
            return update_heartbeat(actor=actor, check=editing.check, config=config, slug=slug, **values)
        return create_heartbeat(actor=actor, target=editing.target, config=config, slug=slug, **values)
    if editing.check is not None:
        return services.update_check(actor=actor, check=editing.check, config=config, **values)
    return services.create_check(actor=actor, target=editing.target, kind=editing.kind.name, config=config, **values)


def _saved(request: PageRequest, editing: Editing, check: Check) -> HttpResponseBase:
    if editing.check is not None:
        messages.success(request, _("Saved."))
    elif editing.kind.transport == "push":
        messages.success(request, _("%(name)s was added and waits for its first ping.") % {"name": check.name})
    else:
        messages.success(request, _("%(name)s was added; its first look is on the way.") % {"name": check.name})
    for region in editing.form.unserved:
        messages.warning(
            request,
            _("No worker has been heard from %(name)s: nothing is looked at from there until one starts.")
            % {"name": region.name},
        )
    return redirect(check)


def _context(editing: Editing) -> dict[str, Any]:
    outcome, check, target = editing.outcome, editing.check, editing.target
    above = [(check.name, check.get_absolute_url())] if check is not None else []
    return {
        **editing.context,
        "target": target,
        "kind": editing.kind,
        "form": editing.form,
        "check": check,
        "crumbs": crumbs_below(target, *above),
        "outcome": outcome,
        "outcome_status": STATUS_OF_OUTCOME[outcome.state].value if outcome else "",
        "outcome_label": outcome.state.label if outcome else "",
        "longest_seconds": longest_seconds(editing.kind),
        "preview": preview_of(editing.form),
        "condition_fields": CONDITION_FIELDS,
        "condition_operators": CONDITION_OPERATORS,
        "back": check.get_absolute_url() if check is not None else target.get_absolute_url(),
    }
