"""The base of our admin pages: lists that follow what happens, and lists that are only read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms.widgets import Script
from django.http import HttpRequest
from unfold.admin import ModelAdmin


class LiveAdmin(ModelAdmin):
    """A list whose rows are fetched again when the socket says that something changed."""

    show_full_result_count = False
    list_per_page = 100

    class Media:
        # A module runs when the page is parsed, and shares no names with the admin's own scripts.
        js = [Script("js/admin-live.js", type="module")]


class ReadOnlyAdmin(LiveAdmin):
    """History is read here and written by measurement."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class VisibleRelatedFilter(admin.RelatedFieldListFilter):
    """A filter by a related object that offers only what the person may see: names are facts too.

    Use it as `list_filter = [("environment", VisibleRelatedFilter)]`.
    """

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        visible = field.remote_field.model._default_manager.visible_to(request.user)
        ordering = self.field_admin_ordering(field, request, model_admin)
        return field.get_choices(
            include_blank=False, ordering=ordering, limit_choices_to={"pk__in": visible.values("pk")}
        )
