"""The doorbell, passed on: sent in the worker by the one beat entry, so that whoever lies above can look for work.

Receivers ask one cheap question and enqueue a task when the answer is yes; a failing one never stops the tick.
"""

from __future__ import annotations

from django.dispatch import Signal

# Once a second.
ticked = Signal()
# Once a minute.
housekeeping = Signal()
