"""What a caller contributes to the key of a cached selector: what they may see, not who they are."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from apps.accounts.access import cache_identity
from apps.accounts.models import User
from apps.core.cache import key_part

key_part.register(User, cache_identity)
key_part.register(AnonymousUser, cache_identity)
