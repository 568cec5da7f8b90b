"""The pages of rules: how each stands, and making one with a look back at what it would have sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import Role, access_of
from apps.accounts.doors import PageRequest, require, require_somewhere, signed_in
from apps.alerts.looks import Look
from apps.alerts.models import Rule
from apps.alerts.pages.alert_views import environment_id
from apps.alerts.pages.looks import severity_look
from apps.alerts.pages.row_fields import row_sentences
from apps.alerts.pages.rule_forms import RuleForm
from apps.alerts.pages.rule_rows import kind_of, rule_rows, state_rows, worst_first
from apps.alerts.pages.sentences import rule_name
from apps.alerts.rule_kinds.base import RULE_KINDS, RuleKind
from apps.alerts.ruling.backtest import backtest
from apps.alerts.ruling.selectors import list_rules
from apps.alerts.ruling.services import create_rule, delete_rule, unsaved_rule, update_rule
from apps.alerts.ruling.words import problem_sentence
from apps.alerts.wording.quantities import quantity
from apps.catalog.naming import Name
from apps.catalog.scope import scope_of
from apps.core import clock, kindconfig
from apps.core.forms import put_errors
from apps.core.panels import Panel, answer, draw_all

BACKTEST_DAYS = 7
# Evaluation moves the figures without news about each.
REFRESH_SECONDS = 15


# --- The list ---------------------------------------------------------------------------------------------


def load_rules(request: PageRequest) -> dict[str, Any]:
    rules = list_rules(request.user)
    environment = environment_id(request)
    if environment is not None:
        rules = rules.filter(environment_id=environment) | rules.filter(environment__isnull=True)
    return {
        "rows": worst_first(rule_rows(request.user, rules)),
        "may_create": access_of(request.user).allows_somewhere(Role.OPERATOR),
        "as_of": clock.now(),
    }


LIST = (Panel("rules", "alerts/_rules.html", load_rules, "rule,alert", hold=True, every=REFRESH_SECONDS),)


@signed_in
@require_safe
def rule_list(request: PageRequest) -> HttpResponseBase:
    context = {
        "panels": draw_all(request, LIST, request.get_full_path()),
        "may_create": access_of(request.user).allows_somewhere(Role.OPERATOR),
    }
    return render(request, "alerts/rule_list.html", context)


@signed_in
@require_safe
def rule_list_fragment(request: PageRequest, name: str) -> HttpResponseBase:
    return answer(request, LIST, name)


# --- One rule ---------------------------------------------------------------------------------------------


def visible_rule(request: PageRequest, rule_id: UUID) -> Rule:
    """Http404 outside the viewer's grants, and for one that was deleted."""
    return get_object_or_404(list_rules(request.user), pk=rule_id)


def operated(request: PageRequest, rule_id: UUID) -> Rule:
    """The rule, for somebody who may change it."""
    rule = visible_rule(request, rule_id)
    require(request.user, Role.OPERATOR, rule.environment_id)
    return rule


def load_state(request: PageRequest, rule: Rule) -> dict[str, Any]:
    (row,) = rule_rows(request.user, [rule])
    return {"row": row, "rule": rule, "problem": problem_sentence(rule.problem), "as_of": clock.now()}


def load_states(request: PageRequest, rule: Rule) -> dict[str, Any]:
    (row,) = rule_rows(request.user, [rule])
    return {"rows": state_rows(request.user, rule), "rule": rule, "total": row.firing + row.pending + row.no_data}


PANELS = (
    Panel("state", "alerts/_rule_state.html", load_state, "rule,alert", every=REFRESH_SECONDS),
    Panel("states", "alerts/_rule_states.html", load_states, "rule,alert", hold=True, every=REFRESH_SECONDS),
)


@signed_in
@require_safe
def rule_page(request: PageRequest, rule_id: UUID) -> HttpResponseBase:
    rule = visible_rule(request, rule_id)
    (row,) = rule_rows(request.user, [rule])
    context = {
        "rule": rule,
        "row": row,
        "kind": kind_of(rule),
        "crumbs": [_crumb()],
        "panels": draw_all(request, PANELS, request.path, rule),
    }
    return render(request, "alerts/rule.html", context)


@signed_in
@require_safe
def rule_fragment(request: PageRequest, rule_id: UUID, name: str) -> HttpResponseBase:
    return answer(request, PANELS, name, visible_rule(request, rule_id))


def _crumb() -> tuple[str, str]:
    return _("Rules"), reverse("alerts:rule-list")


# --- Making and editing -----------------------------------------------------------------------------------


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def rule_new(request: PageRequest) -> HttpResponseBase:
    """A rule of `?kind=`, the first kind without it."""
    require_somewhere(request.user, Role.OPERATOR)
    kinds = list(RULE_KINDS)
    kind = next((one for one in kinds if one.name == request.GET.get("kind")), kinds[0] if kinds else None)
    if kind is None:
        raise Http404
    environment = scope_of(request).environment
    form = RuleForm(kind, None, request.user, request.POST or None, initial={"environment": environment})
    return _answer(request, form, None, kinds)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def rule_edit(request: PageRequest, rule_id: UUID) -> HttpResponseBase:
    rule = operated(request, rule_id)
    kind = kind_of(rule)
    if kind is None:
        raise Http404
    initial = {name: getattr(rule, name) for name in RuleForm.base_fields}
    for name in ("warning_level", "critical_level", "recovery_margin"):
        initial[name] = None if initial[name] is None else f"{initial[name]:g}"
    form = RuleForm(kind, _stored(kind, rule), request.user, request.POST or None, initial=initial)
    return _answer(request, form, rule, [])


def _stored(kind: RuleKind[Any], rule: Rule) -> dict[str, Any]:
    """The config of a rule; what cannot be read begins with the kind's own defaults."""
    try:
        kindconfig.decode(kind.Config, rule.config)
    except kindconfig.ConfigError:
        return {}
    return dict(rule.config)


def _answer(request: PageRequest, form: RuleForm, rule: Rule | None, kinds: list[RuleKind[Any]]) -> HttpResponseBase:
    """The form; what a look back found; or, saved, the rule's page."""
    found: dict[str, Any] = {}
    if form.is_bound and form.is_valid():
        environment = form.values().get("environment")
        require(request.user, Role.OPERATOR, environment.pk if environment else None)
        if request.POST.get("action") == "backtest":
            found = _look_back(form)
        elif (saved := _save(request, form, rule)) is not None:
            return redirect(saved)
    asked_back = request.POST.get("action") == "backtest"
    if request.htmx and asked_back:
        # What is wrong is said beside the button; the form itself stays as it is.
        return render(
            request, "alerts/_rule_backtest.html", {"form": form, "row_problems": row_sentences(form), **found}
        )
    crumbs, name = [_crumb()], ""
    if rule is not None:
        name = rule_name(rule)
        crumbs.append((name, rule.get_absolute_url()))
    context = {"form": form, "kind": form.kind, "kinds": kinds, "rule": rule, "name": name, "crumbs": crumbs, **found}
    context["back"] = crumbs[-1][1]
    return render(request, "alerts/rule_form.html", context, status=400 if form.errors else 200)


def _save(request: PageRequest, form: RuleForm, rule: Rule | None) -> Rule | None:
    """None when a service refused it; its sentences are then in the form."""
    try:
        if rule is None:
            saved, warnings = create_rule(
                actor=request.user, kind=form.kind.name, config=form.config(), **form.values()
            )
            messages.success(request, _("%(name)s was added.") % {"name": saved.name})
        else:
            saved, warnings = update_rule(actor=request.user, rule=rule, config=form.config(), **form.values())
            messages.success(request, _("Saved."))
    except ValidationError as error:
        put_errors(form, error)
        return None
    for warning in warnings:
        messages.warning(request, warning)
    return saved


@dataclass(frozen=True)
class SentRow:
    """One message a rule would have sent."""

    sent: dict[str, Any]
    look: Look
    value: str

    @property
    def name(self) -> Name:
        target = self.sent["target"]
        return Name(target["name"], (target["provider"] or {}).get("name", ""))


def _look_back(form: RuleForm) -> dict[str, Any]:
    """What the rule as it stands in the form would have sent; what is wrong with it is then in the form."""
    try:
        rule = unsaved_rule(kind=form.kind.name, config=form.config(), **form.values())
    except ValidationError as error:
        put_errors(form, error)
        return {}
    found = backtest(rule, days=BACKTEST_DAYS)
    unit = form.kind.unit
    rows = [SentRow(sent, severity_look(sent["severity"]), quantity(sent["value"], unit)) for sent in found.messages]
    return {"backtest": found, "sent": rows, "days": BACKTEST_DAYS}


# --- Acting -----------------------------------------------------------------------------------------------


@signed_in
@require_POST
def rule_switch(request: PageRequest, rule_id: UUID) -> HttpResponseBase:
    """Stop evaluating it, or begin again."""
    rule = operated(request, rule_id)
    enabled = request.POST.get("enabled") == "yes"
    try:
        update_rule(actor=request.user, rule=rule, enabled=enabled)
    except ValidationError as error:
        # What an older version has stored in it has to be edited first.
        messages.error(request, " ".join(error.messages))
        return redirect(rule)
    sentence = _("%(name)s is on again.") if enabled else _("%(name)s is off: it says nothing any more.")
    messages.success(request, sentence % {"name": rule_name(rule)})
    return redirect(rule)


@signed_in
@require_POST
def rule_delete(request: PageRequest, rule_id: UUID) -> HttpResponseBase:
    rule = operated(request, rule_id)
    delete_rule(actor=request.user, rule=rule)
    messages.success(request, _("%(name)s was deleted.") % {"name": rule_name(rule)})
    return redirect("alerts:rule-list")
