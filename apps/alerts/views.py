"""The pages of channels, and what one does with one: test, switch, edit, delete."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import Role, access_of
from apps.accounts.doors import PageRequest, require, require_somewhere, signed_in
from apps.alerts import services
from apps.alerts.channels.base import CHANNEL_KINDS, ChannelKind
from apps.alerts.forms import ChannelForm
from apps.alerts.lists import NotificationFilters, channels_in, find
from apps.alerts.models import Channel
from apps.alerts.notification_views import load_outcome
from apps.alerts.previews import quiet_words
from apps.alerts.rows import channel_row, notification_row
from apps.alerts.selectors import list_channels
from apps.alerts.unreadable_rows import channel_problem
from apps.catalog.scope import scope_of
from apps.core import kindconfig
from apps.core.forms import put_errors
from apps.core.panels import Panel, answer, draw_all

RECENT = 10
# What the form begins with: it needs nothing but a URL.
FIRST_KIND = "webhook"


# --- The list ---------------------------------------------------------------------------------------------


def load_channels(request: PageRequest) -> dict[str, Any]:
    environment = scope_of(request).environment
    rows = channels_in(request.user, environment.pk if environment else None)
    return {
        "rows": [channel_row(request.user, channel) for channel in rows],
        "may_create": access_of(request.user).allows_somewhere(Role.ADMIN),
    }


LIST = (Panel("channels", "alerts/_channels.html", load_channels, "notification", hold=True),)


@signed_in
@require_safe
def channel_list(request: PageRequest) -> HttpResponseBase:
    context = {
        "panels": draw_all(request, LIST, request.get_full_path()),
        "may_create": access_of(request.user).allows_somewhere(Role.ADMIN),
    }
    return render(request, "alerts/channel_list.html", context)


@signed_in
@require_safe
def channel_list_fragment(request: PageRequest, name: str) -> HttpResponseBase:
    return answer(request, LIST, name)


# --- One channel ------------------------------------------------------------------------------------------


def visible_channel(request: PageRequest, channel_id: UUID) -> Channel:
    """Http404 outside the viewer's grants, and for one that was deleted."""
    return get_object_or_404(list_channels(request.user), pk=channel_id)


def administered(request: PageRequest, channel_id: UUID) -> Channel:
    """The channel, for somebody who may change it."""
    channel = visible_channel(request, channel_id)
    require(request.user, Role.ADMIN, channel.environment_id)
    return channel


def load_state(request: PageRequest, channel: Channel) -> dict[str, Any]:
    known = channel.kind in CHANNEL_KINDS and not CHANNEL_KINDS.get(channel.kind).is_machine({})
    return {
        "row": channel_row(request.user, channel),
        "is_worded": known,
        "quiet": quiet_words(channel.quiet_hours),
        "problem": channel_problem(channel),
    }


def load_recent(request: PageRequest, channel: Channel) -> dict[str, Any]:
    page = find(request.user, NotificationFilters(channel=str(channel.pk)), None)
    return {"rows": [notification_row(one) for one in page.rows[:RECENT]], "channel": channel}


PANELS = (
    Panel("state", "alerts/_channel_state.html", load_state, "notification"),
    Panel("recent", "alerts/_channel_recent.html", load_recent, "notification", hold=True),
)


@signed_in
@require_safe
def channel_page(request: PageRequest, channel_id: UUID) -> HttpResponseBase:
    channel = visible_channel(request, channel_id)
    context = {
        "channel": channel,
        "row": channel_row(request.user, channel),
        "crumbs": [_crumb()],
        "panels": draw_all(request, PANELS, request.path, channel),
    }
    return render(request, "alerts/channel.html", context)


@signed_in
@require_safe
def channel_fragment(request: PageRequest, channel_id: UUID, name: str) -> HttpResponseBase:
    return answer(request, PANELS, name, visible_channel(request, channel_id))


def _crumb() -> tuple[str, str]:
    return _("Channels"), reverse("alerts:channel-list")


# --- Making and editing -----------------------------------------------------------------------------------


@signed_in
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def channel_new(request: PageRequest) -> HttpResponseBase:
    """A channel of `?kind=`. With `preview` among what was posted nothing is made."""
    require_somewhere(request.user, Role.ADMIN)
    kinds = sorted(CHANNEL_KINDS, key=lambda one: str(one.label))
    asked = request.GET.get("kind", "")
    kind = CHANNEL_KINDS.get(asked if asked in CHANNEL_KINDS else FIRST_KIND)
    form = ChannelForm(kind, None, request.user, request.POST or None, initial=_first_values(request))
    if _is_sent(request, form) and form.is_valid():
        values = form.values()
        require(request.user, Role.ADMIN, values["environment"].pk if values["environment"] else None)
        try:
            channel, shown = services.create_channel(actor=request.user, kind=kind.name, config=form.config(), **values)
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("%(name)s was added. Send a test to see it arrive.") % {"name": channel.name})
            return _saved(request, channel, kind, shown)
    return _show_form(request, form, {"kind": kind, "kinds": kinds, "crumbs": [_crumb()]})


def _first_values(request: PageRequest) -> dict[str, Any]:
    """Where and how whoever makes a channel is themselves."""
    return {
        "environment": scope_of(request).environment,
        "language": get_language() or "en",
        "time_zone": timezone.get_current_timezone_name(),
    }


def _is_sent(request: PageRequest, form: ChannelForm) -> bool:
    """Whether the form is to be saved; else it is only looked at."""
    return form.is_bound and "preview" not in request.POST


def _show_form(request: PageRequest, form: ChannelForm, context: dict[str, Any]) -> HttpResponse:
    wrong = _is_sent(request, form) and bool(form.errors)
    return render(request, "alerts/channel_form.html", {"form": form, **context}, status=400 if wrong else 200)


@signed_in
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def channel_edit(request: PageRequest, channel_id: UUID) -> HttpResponseBase:
    channel = administered(request, channel_id)
    if channel.kind not in CHANNEL_KINDS:
        raise Http404
    kind = CHANNEL_KINDS.get(channel.kind)
    initial = {name: getattr(channel, name) for name in (*ChannelForm.base_fields, "wording")}
    stored = kindconfig.mask(kind.Config, channel.config)
    form = ChannelForm(kind, stored, request.user, request.POST or None, initial=initial)
    if _is_sent(request, form) and form.is_valid():
        values = form.values()
        require(request.user, Role.ADMIN, values["environment"].pk if values["environment"] else None)
        try:
            channel, shown = services.update_channel(
                actor=request.user, channel=channel, config=form.config(), **values
            )
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("Saved."))
            return _saved(request, channel, kind, shown)
    crumbs = [_crumb(), (channel.name, channel.get_absolute_url())]
    return _show_form(request, form, {"kind": kind, "channel": channel, "crumbs": crumbs})


def _saved(request: PageRequest, channel: Channel, kind: ChannelKind[Any], shown: dict[str, Any]) -> HttpResponse:
    """On to the channel's page; where the portal made a secret, it is shown first, in this answer and nowhere else."""
    made = [
        {"label": label, "secret": secret, "uid": f"secret-{number}"}
        for number, (label, secret) in enumerate(services.made_secrets(kind, shown).items())
    ]
    if not made:
        return redirect(channel)
    return render(request, "alerts/channel_secret.html", {"channel": channel, "made": made, "crumbs": [_crumb()]})


# --- Acting -----------------------------------------------------------------------------------------------


@signed_in
@require_POST
def channel_test(request: PageRequest, channel_id: UUID) -> HttpResponseBase:
    """Send one message now. With scripts its outcome comes back and asks again until it is there."""
    channel = administered(request, channel_id)
    try:
        notification = services.send_test(actor=request.user, channel=channel)
    except services.DeliveryConflict as conflict:
        if request.htmx:
            return render(request, "alerts/_test.html", {"refused": str(conflict)})
        messages.error(request, str(conflict))
        return redirect(channel)
    if not request.htmx:
        return redirect(notification)
    return render(request, "alerts/_test.html", load_outcome(request, notification))


@signed_in
@require_POST
def channel_switch(request: PageRequest, channel_id: UUID) -> HttpResponseBase:
    """Stop sending through it, or begin again."""
    channel = administered(request, channel_id)
    enabled = request.POST.get("enabled") == "yes"
    services.update_channel(actor=request.user, channel=channel, enabled=enabled)
    sentence = _("%(name)s is on again.") if enabled else _("%(name)s is off: nothing is sent through it.")
    messages.success(request, sentence % {"name": channel.name})
    return redirect(channel)


@signed_in
@require_POST
def channel_delete(request: PageRequest, channel_id: UUID) -> HttpResponseBase:
    channel = administered(request, channel_id)
    services.delete_channel(actor=request.user, channel=channel)
    messages.success(request, _("%(name)s was deleted.") % {"name": channel.name})
    return redirect("alerts:channel-list")
