"""What staff may do in the admin follows from their roles; there are no per-model permissions to keep in step."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend

from apps.accounts.access import Role, access_of

# People, grants, tokens and the audit log are the administrators' business, to read as well as to write.
_ADMINISTRATORS_ONLY = {"accounts", "auth", "axes", "admin", "sessions"}


class RoleBackend(BaseBackend):
    """Administrators of the whole installation may do everything, other staff read what `visible_to` shows them."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not user_obj.is_active or not user_obj.is_authenticated:
            return False
        access = access_of(user_obj)
        if access.allows(Role.ADMIN, None):
            return True
        app, _dot, codename = perm.partition(".")
        reads = codename.startswith("view_") and app not in _ADMINISTRATORS_ONLY
        return reads and access.allows_somewhere(Role.VIEWER)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return self.has_perm(user_obj, f"{app_label}.view_")
