"""A kind's config as a form. Nothing here names a kind: every field follows from the kind's struct.

A field of the config is called `config.<name>` in the form, as the services call it in their errors. A stored secret
is never part of a form: left empty it stays, ticked off it goes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

import msgspec
from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.core import kindconfig
from apps.core.durations import DurationField
from apps.core.kindconfig import FormField

CLEAR = "-clear"
_LONGEST_JSON = 65_536
_CONDITION_EXAMPLE = '[{"field": "status", "operator": "==", "value": 200}]'


class ConfigForm(forms.Form):
    """Base of the forms of whatever has a kind: subclass it with the fields every kind shares.

    `values()` is what those hold and `config()` what the kind needs, as the services take them.
    """

    # What the checkbox beside a stored secret says, with %(field)s in it.
    clear_label: Any = None

    def __init__(
        self, struct: type[msgspec.Struct], stored: Mapping[str, Any] | None, data: Any = None, **kwargs: Any
    ) -> None:
        """`stored` is the masked config of what is edited; None for something new."""
        super().__init__(data, **kwargs)
        self.parts = {f"config.{part.name}": part for part in kindconfig.form_fields(struct)}
        for name, part in self.parts.items():
            self.fields[name] = _FIELDS.get(part.type, _text)(part)
            self._fill(name, part, stored)

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
            # What a kind cannot do without can be replaced, but not removed.
            if not part.required:
                label = self.clear_label or _("Remove the stored value of “%(field)s”")
                self.fields[f"{name}{CLEAR}"] = forms.BooleanField(label=label % {"field": part.label}, required=False)

    def values(self) -> dict[str, Any]:
        """What every kind shares, by the services' names."""
        return {name: self.cleaned_data[name] for name in self.base_fields if name in self.cleaned_data}

    def config(self) -> dict[str, Any]:
        """What the kind needs. A field left empty is left out: the kind's default or the stored secret holds."""
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


class SuggestingInput(forms.TextInput):
    """A text with suggestions that a browser offers while somebody types; any text may be entered."""

    def __init__(self, attrs: dict[str, Any], suggestions: Callable[[], Iterable[str]]) -> None:
        super().__init__(attrs)
        self._suggestions = suggestions

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        uid = f"suggestions-{name}"
        field = super().render(name, value, {**(attrs or {}), "list": uid}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((text,) for text in self._suggestions()))
        return format_html('{}<datalist id="{}">{}</datalist>', field, uid, options)


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """Time zones as people name them: a place, or UTC."""
    places = (name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/")))
    return ("UTC", *sorted(places))


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

    def __init__(self, *, example: str = _CONDITION_EXAMPLE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.example = example

    def clean(self, value: Any) -> list[Any]:
        text = super().clean(value) or ""
        if not text.strip():
            return []
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, list):
            raise forms.ValidationError(_("Enter a JSON list, such as %(example)s.") % {"example": self.example})
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


def _duration(part: FormField) -> forms.Field:
    return DurationField(**_common(part), minimum=part.minimum, maximum=part.maximum)


def _timezone(part: FormField) -> forms.Field:
    widget = SuggestingInput(_attributes(part), suggestions=zones)
    return forms.CharField(**_common(part), max_length=part.max_length, widget=widget)


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


def _choices(part: FormField) -> forms.Field:
    """Some of a few known words, each a box to tick."""
    return forms.MultipleChoiceField(**_common(part), choices=part.choices, widget=forms.CheckboxSelectMultiple)


def _conditions(part: FormField) -> forms.Field:
    return JsonListField(**_common(part), max_length=_LONGEST_JSON, widget=forms.Textarea(_attributes(part, rows=4)))


def _json_list(part: FormField) -> forms.Field:
    """A list of objects that has no editor of its own."""
    widget = forms.Textarea(_attributes(part, rows=12))
    return JsonListField(
        **_common(part), max_length=_LONGEST_JSON * 4, widget=widget, example=part.placeholder or "[{}]"
    )


_FIELDS: dict[str, Callable[[FormField], forms.Field]] = {
    "text": _text,
    "url": _url,
    "textarea": _long_text,
    "number": _number,
    "duration": _duration,
    "timezone": _timezone,
    "boolean": _boolean,
    "choice": _choice,
    "secret": _secret,
    "mapping": _mapping,
    "list": _lines,
    "choices": _choices,
    "conditions": _conditions,
    "json": _json_list,
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


def _indented_json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) if value else ""


_WRITERS: dict[str, Callable[[Any], Any]] = {
    "mapping": _mapping_text,
    "list": _lines_text,
    "conditions": _json_text,
    "json": _indented_json_text,
}
