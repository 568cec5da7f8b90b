"""Structured logs: one JSON event a line, carrying the request, task and check ids bound by whoever is working."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

import structlog

# The address of a link in a message is a permission (`alerts.replies`), and whoever reads logs is not who was sent it.
_REPLY_ADDRESS = re.compile(r"/m/[\w.-]{20,}")


def hide_reply_addresses(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut the token from every text of a log line that holds such an address."""
    for name, value in event.items():
        if isinstance(value, str) and "/m/" in value:
            event[name] = _REPLY_ADDRESS.sub("/m/…", value)
    return event


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    hide_reply_addresses,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def configure_logging(log_format: str) -> dict[str, Any]:
    """Configure structlog and return Django's LOGGING. `log_format` is "json" or "console"."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer()
    )
    final = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        hide_reply_addresses,
        renderer,
    ]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": final,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            # A line an HTTP request comes from django_structlog, with the request id; these would double it.
            "django.server": {"level": "WARNING"},
            "daphne": {"level": "WARNING"},
            "django.channels.server": {"level": "WARNING"},
            "celery": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            # It logs a traceback each second while Valkey is away; the live hub says once that it is.
            "channels_redis": {"level": "CRITICAL"},
            # One success line a task and second would drown the rest.
            "django_structlog.celery": {"level": "WARNING"},
        },
    }
