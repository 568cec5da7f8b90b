"""The form of a channel: what every channel has, what its kind declares, and for people how they are spoken to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import Role, access_of
from apps.accounts.models import User
from apps.alerts import wording
from apps.alerts.channels.base import ChannelKind
from apps.alerts.models.channel import LANGUAGES
from apps.alerts.pages.row_fields import TimesField
from apps.alerts.previews import Preview, Remark, placeholder_rows, previews, remarks
from apps.alerts.speaking import wording_errors
from apps.catalog.models import Environment
from apps.core import kindconfig
from apps.core.configform import ConfigForm, SuggestingInput, zones

_PLAIN_TYPING = {"autocomplete": "off", "spellcheck": "false"}
_EXAMPLE_BODY = "{{#firing}}\n- {{ target }}: {{ reason }}\n{{/firing}}"


class WordingField(forms.CharField):
    """One part of the user's own words; its errors name the line."""

    def __init__(self, part: str, **kwargs: Any) -> None:
        super().__init__(required=False, strip=False, **kwargs)
        self.part = part

    def validate(self, value: Any) -> None:
        super().validate(value)
        if sentences := wording_errors(self.part, value.replace("\r\n", "\n")):
            raise forms.ValidationError(list(sentences))


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
    language = forms.ChoiceField(label=_("Language of its messages"), choices=LANGUAGES, required=False)
    time_zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        required=False,
        widget=SuggestingInput(dict(_PLAIN_TYPING), suggestions=zones),
        help_text=_("Of the times in its messages, of its quiet hours and of its daily digest."),
    )
    quiet_hours = TimesField(
        label=_("Quiet hours"),
        required=False,
        help_text=_("Critical alerts pass. Anything else waits and is told afterwards, if it still holds."),
    )

    def __init__(
        self, kind: ChannelKind[Any], stored: Mapping[str, Any] | None, user: User, data: Any = None, **kwargs: Any
    ) -> None:
        """`stored` is the masked config of the channel that is edited; `user` administers where it may be put."""
        made = set(kind.prepare({})) & set(kindconfig.secret_paths(kind.Config))
        self.clear_label = _("Make a new %(field)s; the present one stops working") if made else None
        super().__init__(kind.Config, stored, data, **kwargs)
        self.kind = kind
        # A machine is told the same in every language.
        self.is_worded = not kind.is_machine({})
        if self.is_worded:
            self._add_wording()
        else:
            del self.fields["language"]
        if stored is None and data is None:
            # The browser knows better than a guess of ours; what somebody chose stays.
            self.fields["time_zone"].widget.attrs["data-zone-field"] = "new"
        place: Any = self.fields["environment"]
        place.queryset = Environment.objects.visible_to(user, Role.ADMIN)
        if not access_of(user).allows(Role.ADMIN, None):
            place.required, place.empty_label = True, None

    def _add_wording(self) -> None:
        shared = {"max_length": wording.MAX_CHARACTERS}
        title = forms.TextInput({**_PLAIN_TYPING, "placeholder": "{{ severity }}: {{ target }}"})
        body = forms.Textarea({**_PLAIN_TYPING, "rows": 6, "placeholder": _EXAMPLE_BODY})
        self.fields["wording.title"] = WordingField("title", label=_("Title"), widget=title, **shared)
        self.fields["wording.body"] = WordingField("body", label=_("Message"), widget=body, **shared)
        stored = self.initial.get("wording") or {}
        for part in wording.PARTS:
            self.initial.setdefault(f"wording.{part}", stored.get(part, ""))

    def values(self) -> dict[str, Any]:
        """What every channel has. A language or time zone that was not sent is left as it is."""
        found = {name: value for name, value in super().values().items() if name in self.fields}
        for name in ("language", "time_zone"):
            if not found.get(name):
                found.pop(name, None)
        if self.is_worded:
            found["wording"] = {part: self.cleaned_data.get(f"wording.{part}", "") for part in wording.PARTS}
        return found

    # --- What the editor of the wording shows ---

    @property
    def previews(self) -> list[Preview]:
        return previews(self._templates(), str(self["time_zone"].value() or "")) if self.is_worded else []

    @property
    def remarks(self) -> list[Remark]:
        return remarks(self._templates()) if self.is_worded else []

    @property
    def wording_rows(self) -> list[forms.BoundField]:
        return [self[f"wording.{part}"] for part in wording.PARTS] if self.is_worded else []

    @property
    def placeholders(self) -> list[tuple[str, Any]]:
        return placeholder_rows()

    def _templates(self) -> dict[str, str]:
        return {part: str(self[f"wording.{part}"].value() or "").replace("\r\n", "\n") for part in wording.PARTS}
