"""A process that probes as a worker does, with one look in it that never gives the loop back.

`python -m tests.probes.stuck_worker` waits for its own end, which only the watch over its engine can bring.
"""

from __future__ import annotations

import os
import threading

import django

# A worker waits for a minute; the story should not.
STUCK_SECONDS = 2


def main() -> None:
    """Take the look, and beat as a worker does."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monitor_portal.settings.test")
    django.setup()
    from apps.checks import engine_host  # noqa: PLC0415 - these need the settings
    from apps.checks.messages import Batch  # noqa: PLC0415
    from apps.checks.regions.heart import Heart  # noqa: PLC0415
    from apps.checks.worker import key_watch  # noqa: PLC0415
    from apps.probes.base import PROBE_KINDS  # noqa: PLC0415
    from tests.probes.blocking_kind import NAME, BlockingKind  # noqa: PLC0415
    from tests.probes.engines import job  # noqa: PLC0415

    PROBE_KINDS.add(NAME, BlockingKind())
    engine_host.STUCK_SECONDS = STUCK_SECONDS
    engine_host.submit(Batch(region="local", jobs=[job(NAME, {})], guards=[]))
    Heart(consumer=None, queues=set(), region="local", key=key_watch).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
