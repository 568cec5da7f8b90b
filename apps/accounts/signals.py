"""What accounts tell whoever keeps a connection open for a person."""

from __future__ import annotations

from django.dispatch import Signal

# Sent after commit with `user`: their password, role, tokens or activity changed, so what is open must be asked again.
access_changed = Signal()
