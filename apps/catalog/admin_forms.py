"""Forms of the admin. Each writes through one service, and shows that service's own errors at the fields."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.accounts.models import User
from apps.catalog import environments, services
from apps.catalog.models import AIModel, Environment, Provider, Service, Target


class ServedForm(forms.ModelForm):  # type: ignore[type-arg]
    """Valid means that the service would accept it: the service is tried and rolled back, so no rule is told twice."""

    actor: User | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.label = capfirst(field.label)

    def write(self) -> models.Model:
        """Call the service with the cleaned values and return the row of this form's model."""
        raise NotImplementedError

    def _post_clean(self) -> None:
        """Instead of Django's model validation."""
        if self.errors:
            return
        try:
            with transaction.atomic():
                self.write()
                transaction.set_rollback(True)
        except ValidationError as error:
            self._show(error)

    def _show(self, error: ValidationError) -> None:
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for field, messages in error.message_dict.items():
            for message in messages:
                self.add_error(field if field in self.fields else None, message)


class TagsField(forms.CharField):
    """Words with commas between."""

    def __init__(self) -> None:
        super().__init__(
            label=_("tags"), required=False, help_text=_("With commas between."), widget=UnfoldAdminTextInputWidget
        )

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [part.strip() for part in str(value or "").split(",") if part.strip()]


class DetailForm(ServedForm):
    """What every target has, shown with what the kind adds."""

    name = forms.CharField(label=_("name"), max_length=200, widget=UnfoldAdminTextInputWidget)
    environment = forms.ModelChoiceField(
        label=_("environment"), queryset=Environment.objects.all(), widget=UnfoldAdminSelectWidget
    )
    tags = TagsField()
    enabled = forms.BooleanField(label=_("enabled"), required=False, initial=True, widget=UnfoldBooleanSwitchWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.exists:
            target = self.target
            for name in ("name", "environment", "tags", "enabled"):
                if name in self.fields:
                    self.initial[name] = getattr(target, name)
            if "environment" in self.fields:
                self.fields["environment"].disabled = True
        else:
            self.fields.pop("enabled", None)
            self.initial.setdefault(
                "environment", Environment.objects.filter(slug=services.DEFAULT_ENVIRONMENT).first()
            )

    @property
    def exists(self) -> bool:
        return not self.instance._state.adding

    @property
    def target(self) -> Target:
        target: Target = self.instance if isinstance(self.instance, Target) else self.instance.target
        return target

    def values(self, *names: str) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}

    def update(self, *names: str) -> models.Model:
        # The service takes a row of its own: a trial must leave this form's instance as it is.
        stored = Target.objects.get(pk=self.target.pk)
        services.update_target(actor=self.actor, target=stored, **self.values("name", "tags", "enabled", *names))
        row: models.Model = self.instance
        return row


class ModelForm(DetailForm):
    provider = forms.ModelChoiceField(
        label=_("provider"), queryset=Provider.objects.none(), widget=UnfoldAdminSelectWidget
    )

    class Meta:
        model = AIModel
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["environment"]
        field: Any = self.fields["provider"]
        field.queryset = Provider.objects.present().select_related("target").order_by("target__name")
        if self.exists:
            self.initial["provider"] = self.instance.provider_id
            field.disabled = True

    def write(self) -> models.Model:
        if self.exists:
            return self.update()
        return services.create_model(actor=self.actor, **self.values("provider", "name", "tags"))


class ServiceForm(DetailForm):
    url = forms.CharField(label=_("link"), required=False, max_length=500, widget=UnfoldAdminTextInputWidget)
    description = forms.CharField(
        label=_("description"), required=False, max_length=2_000, widget=UnfoldAdminTextareaWidget
    )

    class Meta:
        model = Service
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.exists:
            self.initial["url"] = self.instance.url
            self.initial["description"] = self.instance.description

    def write(self) -> models.Model:
        if self.exists:
            return self.update("url", "description")
        return services.create_service(
            actor=self.actor, **self.values("name", "environment", "tags", "url", "description")
        )


class TargetForm(DetailForm):
    depends_on = forms.ModelMultipleChoiceField(
        label=_("depends on"),
        queryset=Target.objects.none(),
        required=False,
        widget=UnfoldAdminSelectMultipleWidget,
    )

    class Meta:
        model = Target
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["depends_on"]
        if self.exists:
            neighbours = Target.objects.present().filter(environment=self.target.environment_id)
            field.queryset = neighbours.exclude(pk=self.target.pk).order_by("name")
            self.initial["depends_on"] = list(self.target.depends_on.values_list("pk", flat=True))

    def write(self) -> models.Model:
        return self.update("depends_on")


class EnvironmentForm(ServedForm):
    class Meta:
        model = Environment
        fields = ["name", "slug", "position"]

    def write(self) -> models.Model:
        if self.instance._state.adding:
            return environments.create_environment(actor=self.actor, **self.cleaned_data)
        stored = Environment.objects.get(pk=self.instance.pk)
        return environments.update_environment(actor=self.actor, environment=stored, **self.cleaned_data)
