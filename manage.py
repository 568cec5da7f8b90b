#!/usr/bin/env python
"""The portal's commands. `portal ...` is the launcher and starts without Django; the rest are Django's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent


def main() -> int:
    """Dispatch to the launcher, or to Django with the running portal's environment."""
    if sys.argv[1:2] == ["portal"]:
        from apps.core.embedded.cli import main as launcher  # noqa: PLC0415

        return launcher(PROJECT, sys.argv[2:])

    from apps.core.embedded.environment import prepare_environment  # noqa: PLC0415
    from apps.core.embedded.errors import LauncherError  # noqa: PLC0415

    try:
        prepare_environment(PROJECT, sys.argv[1:], os.environ)
    except LauncherError as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    execute_from_command_line(sys.argv)
    return 0


if __name__ == "__main__":
    sys.exit(main())
