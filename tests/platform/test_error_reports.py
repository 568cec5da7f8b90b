"""What the portal tells an error tracker about itself, when it is given one."""

from __future__ import annotations

import os
import subprocess
import sys

PRINT = """
import django, sentry_sdk
django.setup()
options = sentry_sdk.get_client().options
print(options["include_local_variables"], options["send_default_pii"])
"""


def test_a_report_holds_no_local_variables_in_which_keys_and_prompts_are() -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "monitor_portal.settings",
        "SENTRY_DSN": "http://key@127.0.0.1:9/1",
    }
    found = subprocess.run(
        [sys.executable, "-c", PRINT], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert found.stdout.split() == ["False", "False"], found.stderr
