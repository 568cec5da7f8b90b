"""Who listens, and to which environments: asked when a connection opens, and again while it stays open.

All functions here are synchronous and query the database; connections call them in a thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from apps.accounts.access import Access, access_of
from apps.accounts.models import User
from apps.catalog.models import Environment
from apps.live.groups import session_digest


@dataclass(frozen=True)
class Viewer:
    """A person or script at one moment: their grants, and the environments (id to short name) those open."""

    user: UUID
    access: Access
    environments: dict[UUID, str] = field(default_factory=dict)
    session: str = ""  # a digest; empty for tokens


def viewer_of_user(user: User, session: str = "") -> Viewer:
    """`user` with the environments they may see: two queries."""
    access = access_of(user)
    environments = dict(Environment.objects.visible_to(user).values_list("id", "slug"))
    return Viewer(user=user.pk, access=access, environments=environments, session=session)


def viewer_of_session(session_key: str | None) -> Viewer | None:
    """Whoever is signed in with this session; None when it ended, or their password or account no longer holds."""
    if not session_key:
        return None
    request = HttpRequest()
    request.session = _open_session(session_key)
    user = auth.get_user(request)  # compares the session's password hash as well
    if not isinstance(user, User) or not user.is_active:
        return None
    return viewer_of_user(user, session_digest(session_key))


def _open_session(session_key: str) -> SessionBase:
    engine = import_module(settings.SESSION_ENGINE)
    session: SessionBase = engine.SessionStore(session_key)
    return session
