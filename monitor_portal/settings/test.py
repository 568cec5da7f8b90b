"""Settings of the test run: the same engines, plain static files, quick password hashing."""

from __future__ import annotations

from typing import Any

from monitor_portal.settings.base import *  # noqa: F403
from monitor_portal.settings.base import DATABASES

# A manifest would demand collectstatic before the first test on a fresh clone.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
PORTAL_DEMO = False
AXES_ENABLED = False
PORTAL_CHANNEL_ALLOW = "127.0.0.0/8,::1/128"

_options: dict[str, Any] = DATABASES["default"]["OPTIONS"]
# Test databases are dropped at the end; a pool's idle connections would hold them open.
DATABASES["default"]["OPTIONS"] = {key: value for key, value in _options.items() if key != "pool"}
