"""What the catalog tells whoever lies above, inside the transaction that changed it (so all of it happens or none)."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `target_ids: list[UUID]` and `actor: User | None`.
target_deleted = Signal()
# The same, when targets were enabled or disabled.
target_switched = Signal()
# Sent with `provider: Provider`, `fields: frozenset[str]` (names of what is new or changed: "base_url", "dialect",
# "api_key", "verify_tls", "paid_at_once", "status_page_url", "status_components", "monthly_cap") and `actor`.
provider_changed = Signal()
# Asks, with `provider: Provider`, which components its vendor's page names; receivers answer with a list of them.
components_wanted = Signal()
# The cap of all providers together is another one; sent with `actor`.
total_cap_changed = Signal()
