"""The tasks of telling, and how they are woken. Rows are the truth: a lost message costs at most a second."""

from __future__ import annotations

import threading
from typing import Any

import structlog
from celery import shared_task
from celery.signals import worker_shutting_down
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from apps.alerts.broken_channels import tell_of_broken_channels
from apps.alerts.delivery import deliver_due
from apps.alerts.door import open_door
from apps.alerts.routing import route_all
from apps.alerts.ruling.evaluate import evaluate_rules
from apps.alerts.turns import OneAtATime
from apps.core.wake_ups import WakeUpTask

logger = structlog.get_logger(__name__)

# A wake-up that lay longer than this has been overtaken by the next tick.
WAKE_EXPIRES_SECONDS = 10

_stopping = threading.Event()


def _send() -> None:
    deliver_due(open_door(), stopping=_stopping.is_set)


# A worker has few threads and the tick needs one of them each second: telling takes two, one that routes and one that
# sends, however many are woken and however many receivers hang.
_routing = OneAtATime(route_all)
_sending = OneAtATime(_send)


@shared_task(ignore_result=True, base=WakeUpTask)
def route_and_send() -> None:
    """Route what happened, then send what is due. Any number may run; one a process routes, one sends.

    What was routed before is sent even if routing fails.
    """
    try:
        _routing.ask()
    finally:
        _sending.ask()


@worker_shutting_down.connect
def stop_sending(**_: Any) -> None:
    """What is in the air may land; what still waits is for the next worker."""
    _stopping.set()


@shared_task(ignore_result=True, base=WakeUpTask)
def judge() -> None:
    """Evaluate the rules, and find channels that no longer get through. Every step is safe to repeat."""
    for step in (evaluate_rules, tell_of_broken_channels):
        try:
            step()
        except Exception:  # a rule kind that fails must not hide what the others would have found
            logger.exception("judging_failed", step=step.__name__)


def wake() -> None:
    """Ask a worker to look for work. Never fails: the tick asks again, and a dead broker must not undo a write."""
    _ask(route_and_send)


def wake_judge() -> None:
    """Ask a worker to judge. Never fails."""
    _ask(judge)


def _ask(task: Any) -> None:
    try:
        task.apply_async(retry=False, expires=WAKE_EXPIRES_SECONDS)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("wake_up_not_sent", task=task.name, error=type(error).__name__)
