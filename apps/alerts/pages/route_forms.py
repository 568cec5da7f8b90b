"""The forms of a route, and of the question who would be told."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.accounts.models import User
from apps.alerts.matching import LABEL_CHOICES
from apps.alerts.models import Channel, Route, Severity
from apps.alerts.pages.row_fields import MatchersField, TimesField
from apps.alerts.pages.suggestions import suggestions_for
from apps.alerts.routes.validation import LONGEST_SECONDS
from apps.core.configform import SuggestingInput, zones
from apps.core.durations import DurationField

INHERIT, TOGETHER, BY_LABELS = "inherit", "together", "labels"
GROUPINGS: list[tuple[str, Any]] = [
    (INHERIT, gettext_lazy("as the route above")),
    (TOGETHER, gettext_lazy("all alerts of the route together")),
    (BY_LABELS, gettext_lazy("by the labels ticked below")),
]


class RouteForm(forms.Form):
    """`values()` is what the services take. What is left empty the route has from the one it is inside of."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    parent = forms.ModelChoiceField(
        label=pgettext_lazy("the parent of a route", "Inside"),
        queryset=Route.objects.none(),
        required=False,
        empty_label=gettext_lazy("nothing: it stands at the top"),
    )
    matchers = MatchersField(
        label=gettext_lazy("Which alerts it takes"),
        required=False,
        help_text=gettext_lazy("All conditions must hold. None: every alert that comes this far."),
    )
    # Asked for where there is no condition: a row that was forgotten must not become a route for everything.
    takes_everything = forms.BooleanField(
        label=gettext_lazy("Without any condition: take every alert that comes this far"), required=False
    )
    channels = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Channels"),
        queryset=Channel.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "None ticked: those of the route above. A channel that is in a route hears through routes only."
        ),
    )
    continue_matching = forms.BooleanField(
        label=gettext_lazy("Go on to the next route, too"),
        required=False,
        help_text=gettext_lazy("Without it an alert this route takes is not shown to the routes that follow."),
    )
    grouping = forms.ChoiceField(
        label=gettext_lazy("Alerts in one message"), choices=GROUPINGS, initial=INHERIT, widget=forms.RadioSelect
    )
    group_by = forms.MultipleChoiceField(
        label=gettext_lazy("One message for each"),
        choices=LABEL_CHOICES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    group_wait_seconds = DurationField(
        label=gettext_lazy("Wait before the first message"),
        required=False,
        maximum=LONGEST_SECONDS,
        empty_unit="second",
        help_text=gettext_lazy("For what else goes wrong at the same moment. Empty: as the route above."),
    )
    group_interval_seconds = DurationField(
        label=gettext_lazy("At least between two messages"),
        required=False,
        minimum=1,
        maximum=LONGEST_SECONDS,
        empty_unit="minute",
        help_text=gettext_lazy("When something is added or ends. Empty: as the route above."),
    )
    repeat_interval_seconds = DurationField(
        label=gettext_lazy("Remind after"),
        required=False,
        minimum=60,
        maximum=LONGEST_SECONDS,
        help_text=gettext_lazy("While it fires and nobody has acknowledged it. Empty: as the route above."),
    )
    active_times = TimesField(
        label=gettext_lazy("Only at these times"),
        required=False,
        help_text=gettext_lazy(
            "None: always. Outside of them the next route is asked. An end before its beginning is on the next day."
        ),
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        max_length=64,
        widget=SuggestingInput({"autocomplete": "off", "spellcheck": "false"}, suggestions=zones),
    )
    enabled = forms.BooleanField(label=gettext_lazy("Use this route"), required=False, initial=True)

    def __init__(self, user: User, data: Any = None, *, left_out: Collection[Any] = (), **kwargs: Any) -> None:
        """`left_out`: the routes it cannot be inside of (itself, and what is inside it)."""
        super().__init__(data, **kwargs)
        parent: Any = self.fields["parent"]
        parent.queryset = Route.objects.visible_to(user).exclude(pk__in=left_out).order_by("name", "pk")
        channels: Any = self.fields["channels"]
        channels.queryset = Channel.objects.visible_to(user).present().order_by("name")
        matchers: Any = self.fields["matchers"]
        matchers.widget.suggestions = suggestions_for(user)
        self.initial.setdefault("time_zone", timezone.get_current_timezone_name())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("grouping") == BY_LABELS and not data.get("group_by"):
            self.add_error("group_by", _("Tick at least one label, or choose another way."))
        if data.get("matchers") == [] and not data.get("takes_everything"):
            sentence = _("There is no condition, so this route takes every alert. Add one, or tick this and save.")
            self.add_error("takes_everything", sentence)
        return data

    @property
    def asks_about_everything(self) -> bool:
        """Whether taking every alert is to be ticked, or is ticked."""
        return bool(self.errors.get("takes_everything") or self["takes_everything"].value())

    def values(self) -> dict[str, Any]:
        """The services' arguments."""
        values = dict(self.cleaned_data)
        grouping = values.pop("grouping")
        del values["takes_everything"]
        values["group_by"] = {INHERIT: None, TOGETHER: []}.get(grouping, values["group_by"])
        values["channels"] = list(values["channels"])
        for name in ("group_wait_seconds", "group_interval_seconds", "repeat_interval_seconds"):
            values[name] = None if values[name] is None else round(values[name])
        return values


def initial_of(route: Route) -> dict[str, Any]:
    """The form of a stored route. One query, for its channels."""
    others = ("channels", "group_by", "grouping", "takes_everything")
    names = [name for name in RouteForm.base_fields if name not in others]
    grouping = INHERIT if route.group_by is None else BY_LABELS if route.group_by else TOGETHER
    return {
        **{name: getattr(route, name) for name in names},
        "takes_everything": not route.matchers,
        "channels": list(route.channels.values_list("pk", flat=True)),
        "grouping": grouping,
        "group_by": route.group_by or [],
    }


class WhoForm(forms.Form):
    """Who would be told of a target's alert. `target` is a name or an id."""

    target = forms.CharField(
        label=gettext_lazy("Target"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "list": "who-targets"}),
    )
    severity = forms.ChoiceField(label=gettext_lazy("Severity"), choices=Severity.choices, initial=Severity.CRITICAL)
