"""News from below, passed on to whoever has a page open. Receivers hand over and return; the facts are stored."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver

from apps.accounts.models import User
from apps.accounts.signals import access_changed
from apps.core.news import News, published
from apps.live.events import events_of
from apps.live.groups import ACCESS, access_message, events_message, group_of, session_digest
from apps.live.sending import sender


@receiver(published)
def tell_pages(news: list[News], **_: Any) -> None:
    """`core.news.published`: one message an environment, whatever the transaction did."""
    sender.send((group_of(environment), events_message(items)) for environment, items in events_of(news).items())


@receiver(user_logged_out)
def end_session(request: Any, user: Any, **_: Any) -> None:
    """`user_logged_out`: the pages of that browser close; others of the same person stay."""
    session_key = getattr(getattr(request, "session", None), "session_key", None)
    if user is not None and session_key:
        sender.send([(ACCESS, access_message(user=user.pk, session=session_digest(session_key)))])


@receiver(access_changed)
def look_again(user: User, **_: Any) -> None:
    """`accounts.access_changed`: every connection of this person asks whether it may go on."""
    sender.send([(ACCESS, access_message(user=user.pk))])
