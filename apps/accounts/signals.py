"""What accounts tell whoever lies above."""

from __future__ import annotations

from django.dispatch import Signal

# Sent after commit with `user: User` when what they may do, or the secret they prove themselves with, has changed.
access_changed = Signal()
