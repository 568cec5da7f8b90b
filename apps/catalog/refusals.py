"""Why a provider showed no list of its models, kept in the session until the next page has said it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.http import HttpRequest

_SESSION_KEY = "refused_discovery"


def remember_refusal(request: HttpRequest, provider_id: UUID, sentences: Iterable[str]) -> None:
    """Of the last provider that was asked: there is one such page at a time."""
    request.session[_SESSION_KEY] = {str(provider_id): list(sentences)}


def take_refusal(request: HttpRequest, provider_id: UUID) -> list[str]:
    """The sentences, once."""
    kept = request.session.get(_SESSION_KEY)
    if not isinstance(kept, dict) or str(provider_id) not in kept:
        return []
    del request.session[_SESSION_KEY]
    return [str(sentence) for sentence in kept[str(provider_id)]]
