"""The Celery application: one doorbell a second, a few slow housekeeping tasks, nothing per check."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monitor_portal.settings")

app = Celery("monitor_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
