"""What the catalog tells whoever lies above, inside the transaction that changed it (so all of it happens or none)."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `target_ids: list[UUID]` and `actor: User | None`.
target_deleted = Signal()
# The same, when targets were enabled or disabled.
target_switched = Signal()
