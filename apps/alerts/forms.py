"""The form of a channel: what every channel has, and what its kind declares in its config struct."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import Role, access_of
from apps.accounts.models import User
from apps.alerts.channels.base import ChannelKind
from apps.catalog.models import Environment
from apps.core.configform import ConfigForm


class ChannelForm(ConfigForm):
    """`values()` and `config()` are what the services take."""

    name = forms.CharField(label=_("Name"), max_length=200)
    environment = forms.ModelChoiceField(
        label=_("Environment"),
        queryset=Environment.objects.none(),
        required=False,
        empty_label=_("All environments"),
        help_text=_("What happens elsewhere is not sent through this channel."),
    )
    enabled = forms.BooleanField(label=_("Send through this channel"), required=False, initial=True)

    clear_label = _("Make a new %(field)s; the present one stops working")

    def __init__(
        self, kind: ChannelKind[Any], stored: Mapping[str, Any] | None, user: User, data: Any = None, **kwargs: Any
    ) -> None:
        """`stored` is the masked config of the channel that is edited; `user` administers where it may be put."""
        super().__init__(kind.Config, stored, data, **kwargs)
        self.kind = kind
        place: Any = self.fields["environment"]
        place.queryset = Environment.objects.visible_to(user, Role.ADMIN)
        if not access_of(user).allows(Role.ADMIN, None):
            place.required, place.empty_label = True, None
