"""Who may see and do what: roles granted per environment or for all, and the one queryset door.

Outside one's grants an object does not exist (404). Inside them, too small a role is a refusal (403).
A token's power is the smaller of its owner's role and its scope; the scope is put on the user object by the
authentication class, so every later question is answered for the token and not for the person behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from apps.accounts.models import User


class Role(models.TextChoices):
    VIEWER = "viewer", _("Viewer")
    OPERATOR = "operator", pgettext_lazy("role", "Operator")  # elsewhere the word compares two values
    ADMIN = "admin", _("Administrator")

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {Role.VIEWER: 1, Role.OPERATOR: 2, Role.ADMIN: 3}


class Scope(models.TextChoices):
    READ = "read", _("Read")
    WRITE = "write", _("Read and write")


@dataclass(frozen=True)
class Access:
    """One caller's grants. `everywhere` is a rank (0 for none); `environments` maps environment ids to ranks."""

    everywhere: int = 0
    environments: dict[UUID, int] = field(default_factory=dict)
    read_only: bool = False

    def cache_identity(self) -> str:
        """Equal for callers who see the same: what a cached answer may be shared by."""
        environments = ",".join(f"{environment}:{rank}" for environment, rank in sorted(self.environments.items()))
        return f"access:{self.everywhere}:{environments}"

    def rank_in(self, environment: UUID | None) -> int:
        rank = self.everywhere
        if environment is not None:
            rank = max(rank, self.environments.get(environment, 0))
        return min(rank, Role.VIEWER.rank) if self.read_only else rank

    def allows(self, role: Role, environment: UUID | None) -> bool:
        """True when the caller holds at least `role` there. `None` asks for the whole installation."""
        return self.rank_in(environment) >= role.rank

    def allows_somewhere(self, role: Role) -> bool:
        ranks = [self.rank_in(None), *(self.rank_in(environment) for environment in self.environments)]
        return max(ranks) >= role.rank


def access_of(user: User | AnonymousUser) -> Access:
    """The caller's grants: one query, remembered on the user object for the request."""
    remembered: Access | None = getattr(user, "_portal_access", None)
    if remembered is None:
        remembered = _load(user)
        user._portal_access = remembered  # type: ignore[union-attr]
    return remembered


def _load(user: User | AnonymousUser) -> Access:
    if not user.is_authenticated or not user.is_active:
        return Access()
    read_only = getattr(user, "token_scope", Scope.WRITE) == Scope.READ
    if user.is_superuser:
        return Access(everywhere=Role.ADMIN.rank, read_only=read_only)
    everywhere = 0
    environments: dict[UUID, int] = {}
    for environment, role in user.grants.values_list("environment", "role"):
        rank = Role(role).rank
        if environment is None:
            everywhere = max(everywhere, rank)
        else:
            environments[environment] = max(environments.get(environment, 0), rank)
    return Access(everywhere=everywhere, environments=environments, read_only=read_only)


ModelType = TypeVar("ModelType", bound=models.Model)


def cache_identity(user: User | AnonymousUser) -> str:
    """The key part for a cached selector that takes a user."""
    return access_of(user).cache_identity()


class VisibleQuerySet(models.QuerySet[ModelType]):
    """A queryset with the door `visible_to(user)`. `environment_path` leads to the environment's id.

    An empty path means the object belongs to the whole installation: any grant may see it.
    """

    environment_path: ClassVar[str] = "environment_id"

    def visible_to(self, user: User | AnonymousUser, role: Role = Role.VIEWER) -> Self:
        """Rows in environments where `user` holds at least `role`. Costs one query for the grants, once a request."""
        access = access_of(user)
        if access.allows(role, None):
            return self
        environments = [identifier for identifier in access.environments if access.allows(role, identifier)]
        if not environments:
            return self.none()
        return self.filter(self._inside(environments))

    def _inside(self, environments: list[UUID]) -> Q:
        if not self.environment_path:
            return Q()
        condition: dict[str, Any] = {f"{self.environment_path}__in": environments}
        return Q(**condition)


class SharedQuerySet(VisibleQuerySet[ModelType]):
    """Rows that may belong to no environment, and then to all of them: whoever has any grant reads such a row, and
    only somebody whose grant is for all environments may change it."""

    def visible_to(self, user: User | AnonymousUser, role: Role = Role.VIEWER) -> Self:
        access = access_of(user)
        if access.allows(role, None):
            return self
        environments = [identifier for identifier in access.environments if access.allows(role, identifier)]
        if not environments:
            return self.none()
        inside = self._inside(environments)
        if role == Role.VIEWER:
            inside |= Q(**{f"{self.environment_path.removesuffix('_id')}__isnull": True})
        return self.filter(inside)
