"""The admin of people, tokens and the audit log."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as FrameworkUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminSelectWidget

from apps.accounts.access import Scope
from apps.accounts.models import ApiToken, AuditEntry, RoleGrant, User
from apps.accounts.places import list_places
from apps.accounts.services import create_token, record_audit, revoke_token
from apps.core.admin import ReadOnlyAdmin

admin.site.unregister(Group)  # roles are granted per environment, and groups would be a second way


def place_choices() -> list[tuple[str, Any]]:
    return [("", _("All environments")), *((str(identifier), name) for identifier, name in list_places())]


class GrantForm(forms.ModelForm):  # type: ignore[type-arg]
    environment = forms.TypedChoiceField(
        label=_("environment"),
        choices=place_choices,
        coerce=UUID,
        empty_value=None,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = RoleGrant
        fields = ["role", "environment"]


class GrantInline(TabularInline):
    model = RoleGrant
    form = GrantForm
    extra = 0


def zone_choices() -> list[tuple[str, Any]]:
    return [("", _("The browser's")), *((name, name) for name in sorted(available_timezones()))]


class PersonForm(UserChangeForm):
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[("", _("The browser's")), *settings.LANGUAGES],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=zone_choices, required=False, widget=UnfoldAdminSelect2Widget
    )


@admin.register(User)
class UserAdmin(FrameworkUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = PersonForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "roles", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_active"]
    search_fields = ["username", "email", "first_name", "last_name"]
    ordering = ["username"]
    filter_horizontal = []
    inlines = [GrantInline]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email", "language", "time_zone", "theme"]}),
        (_("Access"), {"fields": ["is_active", "is_staff", "is_superuser", "last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("grants")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # Only somebody who is above the roles may lift others there.
        above = getattr(request.user, "is_superuser", False)
        return [*self.readonly_fields, *([] if above else ["is_superuser"])]

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        return ", ".join(sorted({str(grant.get_role_display()) for grant in user.grants.all()}))

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        changed = {
            name: [None, "••••••"] if "password" in name else [form.initial.get(name), form.cleaned_data[name]]
            for name in form.changed_data
            if name in form.cleaned_data
        }
        record_audit(actor=_actor(request), action="update" if change else "create", subject=obj, changes=changed)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        response = super().user_change_password(request, id, form_url)
        user = self.get_object(request, id)
        if request.method == "POST" and response.status_code == 302 and user is not None:
            record_audit(actor=_actor(request), action="password", subject=user)
        return response

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        if formset.has_changed():
            roles = [[grant.role, grant.environment] for grant in form.instance.grants.all()]
            record_audit(actor=_actor(request), action="grant", subject=form.instance, changes={"roles": [None, roles]})

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        record_audit(actor=_actor(request), action="delete", subject=obj)
        super().delete_model(request, obj)


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = ApiToken
        fields = ["user", "name", "scope", "expires_at"]


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    """A token is made and revoked here, never changed. Its secret is shown once, after it is made."""

    form = TokenForm
    list_display = ["name", "user", "prefix", "scope", "created_at", "expires_at", "last_used_at", "revoked_at"]
    list_filter = ["scope"]
    search_fields = ["name", "user__username", "prefix"]
    list_select_related = ["user"]
    actions = ["revoke"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        token, plain = create_token(
            actor=_actor(request),
            user=obj.user,
            name=obj.name,
            scope=Scope(obj.scope),
            expires_at=obj.expires_at,
        )
        obj.__dict__.update(token.__dict__)
        text = gettext("Copy the token now; it is not shown again:")
        messages.warning(request, format_html("{} <code>{}</code>", text, plain))

    @admin.action(description=_("Revoke the selected tokens"), permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        tokens = list(queryset.filter(revoked_at__isnull=True))
        for token in tokens:
            revoke_token(actor=_actor(request), token=token)
        said = ngettext("%(count)s token was revoked.", "%(count)s tokens were revoked.", len(tokens))
        messages.success(request, said % {"count": len(tokens)})


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor", "action", "object_type", "object_name"]
    list_filter = ["action", "object_type"]
    search_fields = ["object_name", "actor__username"]
    list_select_related = ["actor"]
    date_hierarchy = "at"


def _actor(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise ValidationError(_("Sign in first."))
    return request.user
