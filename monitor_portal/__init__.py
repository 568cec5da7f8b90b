"""Wiring only: settings, URLs, ASGI and Celery. No domain code lives here."""

from monitor_portal.celery import app as celery_app

__all__ = ["celery_app"]
