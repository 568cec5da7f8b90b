"""The form of a check: what every check has, and what its kind declares in its config struct.

Nothing here names a kind. A field of the config is called `config.<name>` in the form, as the services call it in
their errors. A stored secret is never part of a form: left empty it stays, ticked off it goes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import kindconfig
from apps.core.kindconfig import FormField
from apps.probes.base import ProbeKind

CLEAR = "-clear"
_LONGEST_JSON = 65_536


class CheckForm(forms.Form):
    """How often, when it counts, and what to look at. `values()` and `config()` are what the services take."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    interval_seconds = forms.IntegerField(label=gettext_lazy("Interval"), help_text=gettext_lazy("From 1 second on."))
    timeout_seconds = forms.FloatField(
        label=gettext_lazy("Timeout"), help_text=gettext_lazy("Not longer than the interval.")
    )
    failure_threshold = forms.IntegerField(
        label=gettext_lazy("Failures before a change"),
        help_text=gettext_lazy("So many looks in a row must fail before the status changes."),
    )
    recovery_threshold = forms.IntegerField(
        label=gettext_lazy("Successes before recovery"),
        help_text=gettext_lazy("So many looks in a row must be good before it counts as well again."),
    )
    degraded_after_ms = forms.IntegerField(
        label=gettext_lazy("Slow above"),
        required=False,
        help_text=gettext_lazy("A slower answer counts as degraded. Empty: speed is not judged."),
    )
    affects_status = forms.BooleanField(
        label=gettext_lazy("Affects the status of the target"),
        required=False,
        help_text=gettext_lazy("Without it the check is measured and shown, and decides nothing."),
    )
    enabled = forms.BooleanField(label=gettext_lazy("Look at it on schedule"), required=False)

    units = {"interval_seconds": "s", "timeout_seconds": "s", "degraded_after_ms": "ms"}

    def __init__(self, kind: ProbeKind[Any], stored: Mapping[str, Any] | None, data: Any = None, **kwargs: Any) -> None:
        """`stored` is the masked config of the check that is edited; None for a new one."""
        super().__init__(data, **kwargs)
        self.kind = kind
        self.parts = {f"config.{part.name}": part for part in kindconfig.form_fields(kind.Config)}
        for name, part in self.parts.items():
            self.fields[name] = _FIELDS.get(part.type, _text)(part)
            self._fill(name, part, stored)
        for name, unit in self.units.items():
            self.fields[name].unit = unit  # type: ignore[attr-defined]

    def _fill(self, name: str, part: FormField, stored: Mapping[str, Any] | None) -> None:
        """The stored value, or the kind's default."""
        field = self.fields[name]
        value = part.default if stored is None else stored.get(part.name, part.default)
        field.unit = part.unit  # type: ignore[attr-defined]
        if part.type != "secret":
            self.initial.setdefault(name, _WRITERS.get(part.type, _as_is)(value))
        elif stored and stored.get(part.name):
            field.required = False
            field.widget.attrs["placeholder"] = _("unchanged")
            self.fields[f"{name}{CLEAR}"] = forms.BooleanField(
                label=_("Remove the stored value of “%(field)s”") % {"field": part.label}, required=False
            )

    def values(self) -> dict[str, Any]:
        """What every check has, by the services' names."""
        return {name: self.cleaned_data[name] for name in self.base_fields if name in self.cleaned_data}

    def config(self) -> dict[str, Any]:
        """What the kind needs. A field left empty is left out, so that the default or the stored secret holds."""
        config: dict[str, Any] = {}
        for name, part in self.parts.items():
            value = self.cleaned_data.get(name)
            if self.cleaned_data.get(f"{name}{CLEAR}"):
                config[part.name] = ""
            elif value not in (None, ""):
                config[part.name] = value
        return config

    @property
    def config_rows(self) -> list[forms.BoundField]:
        """The kind's own fields but its conditions, which have an editor."""
        return [self[name] for name in self.fields if name.startswith("config.") and not self._is_conditions(name)]

    @property
    def condition_field(self) -> forms.BoundField | None:
        return next((self[name] for name in self.parts if self._is_conditions(name)), None)

    def _is_conditions(self, name: str) -> bool:
        return name in self.parts and self.parts[name].type == "conditions"


# --- One field a type of config field -------------------------------------------------------------------------


class MappingField(forms.CharField):
    """`Name: value` a line; a dict when clean."""

    def clean(self, value: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        for number, line in enumerate((super().clean(value) or "").splitlines(), start=1):
            if not line.strip():
                continue
            name, colon, text = line.partition(":")
            if not colon or not name.strip():
                raise forms.ValidationError(
                    _("Line %(number)s: write a name, a colon and a value, such as “Accept: text/html”.")
                    % {"number": number}
                )
            if name.strip() in found:
                raise forms.ValidationError(
                    _("Line %(number)s: “%(name)s” stands there twice.")
                    % {"number": number, "name": name.strip()[:100]}
                )
            found[name.strip()] = text.strip()
        return found


class LinesField(forms.CharField):
    """One entry a line; a list when clean."""

    def clean(self, value: Any) -> list[str]:
        return [line.strip() for line in (super().clean(value) or "").splitlines() if line.strip()]


class JsonListField(forms.CharField):
    """A JSON list as text; the list when clean. Typed text survives an error as it was typed."""

    def clean(self, value: Any) -> list[Any]:
        text = super().clean(value) or ""
        if not text.strip():
            return []
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, list):
            raise forms.ValidationError(
                _('Enter a JSON list, such as [{"field": "status", "operator": "==", "value": 200}].')
            )
        return found


def _common(part: FormField) -> dict[str, Any]:
    return {"label": part.label, "help_text": part.help, "required": part.required}


def _attributes(part: FormField, **more: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = {"autocomplete": "off", "spellcheck": "false", **more}
    if part.placeholder:
        attributes["placeholder"] = part.placeholder
    return attributes


def _text(part: FormField) -> forms.Field:
    return forms.CharField(
        **_common(part), max_length=part.max_length, strip=False, widget=forms.TextInput(_attributes(part))
    )


def _url(part: FormField) -> forms.Field:
    return forms.CharField(**_common(part), max_length=part.max_length, widget=forms.URLInput(_attributes(part)))


def _long_text(part: FormField) -> forms.Field:
    widget = forms.Textarea(_attributes(part, rows=4))
    return forms.CharField(**_common(part), max_length=part.max_length, strip=False, widget=widget)


def _number(part: FormField) -> forms.Field:
    make = forms.IntegerField if part.step == "1" else forms.FloatField
    return make(**_common(part))


def _boolean(part: FormField) -> forms.Field:
    return forms.BooleanField(**{**_common(part), "required": False})


def _choice(part: FormField) -> forms.Field:
    return forms.ChoiceField(**_common(part), choices=part.choices)


def _secret(part: FormField) -> forms.Field:
    widget = forms.PasswordInput(_attributes(part, autocomplete="new-password"))
    return forms.CharField(**_common(part), max_length=part.max_length, strip=False, widget=widget)


def _mapping(part: FormField) -> forms.Field:
    widget = forms.Textarea(_attributes(part, rows=3, placeholder=_("Name: value")))
    return MappingField(**_common(part), max_length=_LONGEST_JSON, widget=widget)


def _lines(part: FormField) -> forms.Field:
    return LinesField(**_common(part), max_length=_LONGEST_JSON, widget=forms.Textarea(_attributes(part, rows=3)))


def _conditions(part: FormField) -> forms.Field:
    return JsonListField(**_common(part), max_length=_LONGEST_JSON, widget=forms.Textarea(_attributes(part, rows=4)))


_FIELDS: dict[str, Callable[[FormField], forms.Field]] = {
    "text": _text,
    "url": _url,
    "textarea": _long_text,
    "number": _number,
    "boolean": _boolean,
    "choice": _choice,
    "secret": _secret,
    "mapping": _mapping,
    "list": _lines,
    "conditions": _conditions,
}


# --- A stored value as a form shows it ------------------------------------------------------------------------


def _as_is(value: Any) -> Any:
    return value


def _mapping_text(value: Any) -> str:
    return "\n".join(f"{name}: {text}" for name, text in (value or {}).items())


def _lines_text(value: Any) -> str:
    return "\n".join(str(entry) for entry in value or [])


def _json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if value else ""


_WRITERS: dict[str, Callable[[Any], Any]] = {
    "mapping": _mapping_text,
    "list": _lines_text,
    "conditions": _json_text,
}

# --- The condition editor -------------------------------------------------------------------------------------

CONDITION_FIELDS: list[dict[str, Any]] = [
    {"value": "status", "label": gettext_lazy("Status"), "numeric": True},
    {"value": "response_time_ms", "label": gettext_lazy("Response time"), "numeric": True, "unit": "ms"},
    {"value": "certificate_days", "label": gettext_lazy("Certificate days left"), "numeric": True, "unit": "d"},
    {"value": "body", "label": gettext_lazy("Body")},
    {"value": "header", "label": gettext_lazy("Header"), "takes_name": True, "name_hint": "content-type"},
    {"value": "json", "label": gettext_lazy("JSON value"), "takes_name": True, "name_hint": "data[0].id"},
]
CONDITION_OPERATORS: list[tuple[str, Any]] = [
    *((sign, sign) for sign in ("==", "!=", "<", "<=", ">", ">=")),
    ("contains", gettext_lazy("contains")),
    ("not_contains", gettext_lazy("does not contain")),
    ("matches", gettext_lazy("matches")),
]
