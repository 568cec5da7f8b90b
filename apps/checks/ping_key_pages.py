"""The ping keys of environments: with one, a client reaches every heartbeat there by its short name."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import Role
from apps.accounts.doors import PageRequest, may, require, require_somewhere, signed_in
from apps.catalog.models import Environment
from apps.checks.heartbeats.services import close_ping_key, open_ping_key
from apps.checks.models import PingKey
from apps.core.secrets import SecretUnreadable, unseal

CLOSED_SHOWN = 20


@dataclass(frozen=True)
class KeyRow:
    """An open key and the form of the address it opens; `address` is "" when our own key cannot unseal it."""

    key: PingKey
    address: str

    @property
    def uid(self) -> str:
        """Its id on the page."""
        return f"key-{self.key.pk}"

    @property
    def dialog(self) -> str:
        return f"close-{self.key.pk}"


@dataclass(frozen=True)
class KeysOfEnvironment:
    """An environment with its open keys; `may_change` for its administrators."""

    environment: Environment
    rows: list[KeyRow]
    may_change: bool


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def ping_keys(request: PageRequest) -> HttpResponseBase:
    """The open keys, for operators; opening one, for administrators of the environment."""
    require_somewhere(request.user, Role.OPERATOR)
    if request.method == "POST":
        return _open(request)
    environments = list(Environment.objects.visible_to(request.user, Role.OPERATOR).order_by("position", "slug"))
    keys = PingKey.objects.filter(environment__in=environments)
    rows = [KeyRow(key, _address_of(request, key)) for key in keys.filter(closed_at__isnull=True)]
    context = {
        "groups": [
            KeysOfEnvironment(
                environment,
                [row for row in rows if row.key.environment_id == environment.pk],
                may(request.user, Role.ADMIN, environment.pk),
            )
            for environment in environments
        ],
        "closed": keys.filter(closed_at__isnull=False)
        .select_related("environment")
        .order_by("-closed_at")[:CLOSED_SHOWN],
    }
    return render(request, "checks/ping_keys.html", context)


def _open(request: PageRequest) -> HttpResponseBase:
    slug = request.POST.get("environment", "")
    environment = Environment.objects.visible_to(request.user).filter(slug=slug).first()
    if environment is None:
        raise Http404
    require(request.user, Role.ADMIN, environment.pk)
    try:
        open_ping_key(actor=request.user, environment=environment)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("%(environment)s has a new ping key.") % {"environment": environment.name})
    return redirect("checks:ping-keys")


def _address_of(request: PageRequest, key: PingKey) -> str:
    try:
        plain = unseal(key.sealed)
    except SecretUnreadable:
        return ""
    return request.build_absolute_uri(f"/ping/{plain}/") + "<slug>"


@signed_in
@require_POST
def ping_key_close(request: PageRequest, key_id: UUID) -> HttpResponseBase:
    """Nobody pings with this key any more."""
    key = PingKey.objects.visible_to(request.user).select_related("environment").filter(pk=key_id).first()
    if key is None:
        raise Http404
    require(request.user, Role.ADMIN, key.environment_id)
    close_ping_key(actor=request.user, key=key)
    messages.success(request, _("The ping key of %(environment)s is closed.") % {"environment": key.environment.name})
    return redirect("checks:ping-keys")
