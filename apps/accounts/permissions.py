"""What a caller may do over REST, asked before the view and again with the object in hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.accounts.access import Role, Scope, access_of

if TYPE_CHECKING:
    # DRF imports its default permission while it is still importing its own views.
    from rest_framework.views import APIView


class RolePermission(BasePermission):
    """Reading takes any grant, writing takes `view.role_for_write` (operator) in the object's environment.

    A single object is looked up first: outside the caller's grants it does not exist, whatever they wanted to do to it.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user or not request.user.is_authenticated:
            return False
        access = access_of(request.user)
        if is_about_one_object(view):
            return True
        if request.method in SAFE_METHODS:
            if not access.allows_somewhere(Role.VIEWER):
                raise PermissionDenied(_("You have no role yet; ask an administrator for one."))
            return True
        role = role_for_write(view)
        if not access.allows_somewhere(role):
            raise PermissionDenied(refusal(request.user, role))
        return True

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        if request.method not in SAFE_METHODS:
            demand_role(request.user, role_for_write(view), environment_of(obj))
        return True


class OwnObjectsPermission(BasePermission):
    """For what belongs to the caller alone (their tokens): anybody signed in; a read-only token changes nothing."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user or not request.user.is_authenticated:
            return False
        if request.method not in SAFE_METHODS and getattr(request.user, "token_scope", Scope.WRITE) == Scope.READ:
            raise PermissionDenied(_("This API token may only read."))
        return True


def is_about_one_object(view: APIView) -> bool:
    """A view set says so itself; a plain view is when its URL names an object."""
    detail = getattr(view, "detail", None)
    return bool(view.kwargs) if detail is None else bool(detail)


def role_for_write(view: APIView) -> Role:
    return Role(getattr(view, "role_for_write", Role.OPERATOR))


def demand_role(user: Any, role: Role, environment: UUID | None) -> None:
    """Raises PermissionDenied (403) unless `user` holds `role` there. `None` asks for the whole installation."""
    if not access_of(user).allows(role, environment):
        raise PermissionDenied(refusal(user, role))


def refusal(user: Any, role: Role) -> str:
    if getattr(user, "token_scope", Scope.WRITE) == Scope.READ:
        return _("This API token may only read.")
    return _("This takes the role “%(role)s” here.") % {"role": role.label}


def environment_of(instance: models.Model) -> UUID | None:
    """Where an object belongs, along its queryset's `environment_path`; None for the whole installation."""
    path: str = getattr(type(instance)._default_manager.all(), "environment_path", "")
    value: Any = instance
    for step in path.split("__") if path else ():
        if value is None:
            # What may belong to nobody in particular then belongs to the whole installation.
            return None
        value = getattr(value, step)
    return None if value is instance else value
