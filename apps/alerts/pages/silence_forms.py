"""The form of a silence: what it hushes, for how long, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.access import Role, access_of
from apps.accounts.models import User
from apps.alerts.labels import labels_of
from apps.alerts.matching import Label
from apps.alerts.models import Alert, Silence
from apps.alerts.pages.row_fields import MatchersField
from apps.alerts.pages.suggestions import suggestions_for
from apps.alerts.unreadable_rows import silence_problem
from apps.catalog.models import Environment, Target, TargetKind
from apps.core import clock

UNTIL = "until"
LENGTHS: list[tuple[str, Any]] = [
    ("1800", gettext_lazy("30 minutes")),
    ("3600", gettext_lazy("1 hour")),
    ("14400", gettext_lazy("4 hours")),
    ("86400", gettext_lazy("1 day")),
    ("604800", gettext_lazy("1 week")),
    (UNTIL, gettext_lazy("until a moment of your choice")),
]


def _moment(label: Any) -> forms.DateTimeField:
    """A day and time in the reader's time zone, which `accounts.middleware` has made the current one."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, required=False, widget=widget)


class SilenceForm(forms.Form):
    """`values()` is what the service takes."""

    matchers = MatchersField(
        label=gettext_lazy("What is hushed"),
        help_text=gettext_lazy("An alert is hushed when all conditions hold. What is measured goes on being measured."),
    )
    environment = forms.ModelChoiceField(
        label=gettext_lazy("Environment"),
        queryset=Environment.objects.none(),
        required=False,
        empty_label=gettext_lazy("All environments"),
    )
    length = forms.ChoiceField(
        label=gettext_lazy("For how long"), choices=LENGTHS, initial="3600", widget=forms.RadioSelect
    )
    starts_at = _moment(gettext_lazy("From"))
    ends_at = _moment(gettext_lazy("Until"))
    comment = forms.CharField(
        label=gettext_lazy("Comment"),
        max_length=1_000,
        help_text=gettext_lazy("Why, for whoever wonders at three in the morning."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, user: User, data: Any = None, *, has_begun: bool = False, **kwargs: Any) -> None:
        """`user` operates where it may be put. One that `has_begun` has no beginning to choose any more."""
        super().__init__(data, **kwargs)
        place: Any = self.fields["environment"]
        place.queryset = Environment.objects.visible_to(user, Role.OPERATOR)
        if not access_of(user).allows(Role.OPERATOR, None):
            place.required, place.empty_label = True, None
        matchers: Any = self.fields["matchers"]
        matchers.widget.suggestions = suggestions_for(user)
        # Shown only beside the choice that needs it.
        until = self.fields["ends_at"]
        until.required = not self.is_bound or self.data.get("length") == UNTIL
        until.error_messages["required"] = _("Say until when, or choose a length.")
        zone = timezone.get_current_timezone_name()
        if has_begun:
            del self.fields["starts_at"]
            self.fields["ends_at"].help_text = _("In %(zone)s.") % {"zone": zone}
            return
        self.fields["starts_at"].help_text = _("Empty: from now on. In %(zone)s.") % {"zone": zone}
        self.fields["ends_at"].help_text = _("In %(zone)s.") % {"zone": zone}

    def values(self) -> dict[str, Any]:
        """The service's arguments."""
        data = self.cleaned_data
        starts_at = self._kept("starts_at")
        if data["length"] == UNTIL:
            ends_at = self._kept("ends_at")
        else:
            ends_at = (starts_at or clock.now()) + timedelta(seconds=int(data["length"]))
        return {
            "matchers": data["matchers"],
            "environment": data["environment"],
            "starts_at": starts_at,
            "ends_at": ends_at,
            "comment": data["comment"],
        }

    def _kept(self, name: str) -> datetime | None:
        """A moment as it was, seconds included, where nobody touched it: the field knows minutes only."""
        given: datetime | None = self.cleaned_data.get(name)
        before: datetime | None = self.initial.get(name)
        return before if given and before and before.replace(second=0, microsecond=0) == given else given


def initial_of(silence: Silence) -> dict[str, Any]:
    """The form of a stored silence."""
    return {
        "matchers": silence.matchers,
        "environment": silence.environment,
        "length": UNTIL,
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "comment": silence.comment,
    }


def initial_from(user: User, query: QueryDict, environment: Environment | None) -> dict[str, Any]:
    """What the form begins with: about `?alert=`, `?target=`, or like the silence `?like=`. Two queries at most."""
    asked: list[tuple[str, Any]] = [("alert", _from_alert), ("target", _from_target), ("like", _from_silence)]
    for name, read in asked:
        try:
            identifier = UUID(query.get(name, ""))
        except ValueError:
            continue
        found: dict[str, Any] | None = read(user, identifier)
        if found is not None:
            return found
    return {"environment": environment}


def _from_alert(user: User, identifier: UUID) -> dict[str, Any] | None:
    alert = Alert.objects.visible_to(user).filter(pk=identifier).select_related("environment").first()
    if alert is None:
        return None
    values = {**alert.labels, Label.CAUSE.value: alert.cause}
    matchers = _of_target(values) if alert.target_id else _equal([Label.CAUSE.value], values)
    return {"matchers": matchers, "environment": alert.environment}


def _from_target(user: User, identifier: UUID) -> dict[str, Any] | None:
    target = Target.objects.visible_to(user).present().filter(pk=identifier).select_related("environment").first()
    if target is None:
        return None
    return {"matchers": _of_target(labels_of([target.pk])[target.pk]), "environment": target.environment}


def _from_silence(user: User, identifier: UUID) -> dict[str, Any] | None:
    silence = Silence.objects.visible_to(user).filter(pk=identifier).select_related("environment").first()
    if silence is None:
        return None
    matchers = [] if silence_problem(silence) else silence.matchers
    return {"matchers": matchers, "environment": silence.environment, "comment": silence.comment}


def _of_target(values: Mapping[str, Any]) -> list[dict[str, str]]:
    """This target and no other: a model's name may be another provider's too."""
    labels = [Label.TARGET.value, Label.KIND.value]
    if values.get(Label.KIND.value) == TargetKind.MODEL:
        labels.append(Label.PROVIDER.value)
    return _equal(labels, values)


def _equal(labels: list[str], values: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"label": label, "operator": "=", "value": str(values[label])}
        for label in labels
        if isinstance(values.get(label), str) and values[label]
    ]
