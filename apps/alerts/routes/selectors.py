"""Reading the tree of routes, each with a fixed number of queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.alerts.models import Route

if TYPE_CHECKING:
    from apps.alerts.routes.tree import Tree


def load_tree() -> Tree:
    """The tree as it stands, and the channels that no enabled route names. Two queries."""
    raise NotImplementedError


def list_routes(user: User | AnonymousUser) -> QuerySet[Route]:
    """Routes in order of position, with parent and channels at hand (one more query), for whoever has any grant."""
    return (
        Route.objects.visible_to(user).select_related("parent").prefetch_related("channels").order_by("position", "pk")
    )
