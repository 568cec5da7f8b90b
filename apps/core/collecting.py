"""Python's garbage collector in a long-lived process.

What was imported at the start is most of the heap and never garbage, yet every full collection walks it: measured at
half of what recording a batch of results cost.
"""

from __future__ import annotations

import gc

# Collections come after this many new containers instead of 700; a batch of a few hundred results makes ten thousand.
# Not after many more: one stops every thread while it walks them (20 to 60 ms for 50,000), and streams are being heard.
_NEW_OBJECTS = 5_000
_YOUNG_PER_MIDDLE = 20
_MIDDLE_PER_FULL = 200


def keep_what_is_loaded() -> None:
    """Once everything is imported: leave it out of collections from here on, and collect less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _YOUNG_PER_MIDDLE, _MIDDLE_PER_FULL)
