"""The heart of a worker process: every two seconds it learns the time, says how it is, and looks at itself."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import structlog

from apps.checks import engine_host
from apps.checks.dispatch import queue_of
from apps.checks.regions import vitals
from apps.checks.regions.broker import BROKER_ERRORS, broker
from apps.checks.regions.key_watch import PROOF_KEY, KeyWatch, proof
from apps.checks.regions.pulse import Pulse
from apps.checks.regions.taking import Taking, TakingRule
from apps.core.queues import PREFIX

logger = structlog.get_logger(__name__)

# The launcher's watchdog and the portal's own checks look for this one; only the portal's own worker writes it.
HEARTBEAT_KEY = "portal:worker:heartbeat"
BEAT_SECONDS = 2
# The key outlives a restart and not much more, so that "never heard of" and "silent" look the same after a while.
HEARTBEAT_KEPT_SECONDS = 3_600
# While the broker is away, its absence is said this often.
_AWAY_SAID_SECONDS = 60.0


class Heart:
    """One a worker process. `consumer` is Celery's; `queues` are those it takes messages from."""

    def __init__(self, *, consumer: Any, queues: set[str], region: str, key: KeyWatch) -> None:
        self._key = key
        self._own = "portal" in queues
        self._probes = queue_of(region) in queues
        self._region = region
        self._proof = proof()
        self._pulse = Pulse(region=region, name=engine_host.WORKER, clock=engine_host.clock)
        # The portal's own worker is watched by its launcher.
        self._taking = Taking(consumer, queue_of(region)) if self._probes and not self._own else None
        self._rule = TakingRule()
        self._stopping = threading.Event()
        self._away_said_at = float("-inf")

    def start(self) -> None:
        threading.Thread(target=self._run, name="worker-heartbeat", daemon=True).start()

    def stop(self) -> None:
        """End the beats; the last word says that nobody is to be expected here."""
        self._stopping.set()
        try:
            self._say(stopped=True)
        except BROKER_ERRORS as error:
            logger.info("last_word_not_said", error=str(error))

    def _run(self) -> None:
        while True:
            try:
                self.beat()
            except BROKER_ERRORS as error:
                self._say_away(error)
            except Exception:  # a surprise in one beat must not be the last one: silence means dead
                logger.exception("beat_failed")
            engine_host.end_if_stuck()
            if self._stopping.wait(BEAT_SECONDS):
                return

    def beat(self) -> None:
        """One beat. Raises BROKER_ERRORS."""
        engine_host.measure_clock()
        client = broker()
        if self._own:
            client.set(HEARTBEAT_KEY, f"{time.time():.3f}", ex=HEARTBEAT_KEPT_SECONDS)
            client.set(PROOF_KEY, self._proof, ex=vitals.KEPT_SECONDS)
        if self._probes:
            self._key.see_proof(client.get(PROOF_KEY))
            self._say()
        if self._taking is not None:
            self._taking.follow(wanted=self._key.fits is not False)
            waiting = int(client.llen(f"{PREFIX}{queue_of(self._region)}"))
            if self._rule.is_stuck(taken=self._key.seen, waiting=waiting, is_open=self._taking.is_open):
                logger.critical("consumer_stuck", waiting=waiting)
                os._exit(engine_host.STUCK_EXIT_CODE)

    def _say(self, *, stopped: bool = False) -> None:
        if not self._probes:
            return
        said = self._pulse.take(
            engine_host.health(), unreadable=self._key.unreadable, key_differs=self._key.differs, stopped=stopped
        )
        vitals.write(broker(), said)

    def _say_away(self, error: Exception) -> None:
        now = time.monotonic()
        if now - self._away_said_at >= _AWAY_SAID_SECONDS:
            self._away_said_at = now
            logger.warning("broker_not_reached", error=f"{type(error).__name__}: {error}")
