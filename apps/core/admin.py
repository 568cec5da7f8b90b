"""The base of our admin pages: lists that follow what happens, and lists that are only read."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin


class LiveAdmin(ModelAdmin):
    """A list whose rows are fetched again when the socket says that something changed."""

    show_full_result_count = False
    list_per_page = 100

    class Media:
        js = ["js/admin-live.js"]


class ReadOnlyAdmin(LiveAdmin):
    """History is read here and written by measurement."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
