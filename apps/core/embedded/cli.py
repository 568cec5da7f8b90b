"""`python manage.py portal ...`: the command line of the launcher."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from apps.core.embedded.errors import LauncherError
from apps.core.embedded.execute import execute


def main(project: Path, arguments: Sequence[str]) -> int:
    """Run one launcher command; returns the exit code. A LauncherError becomes one sentence on stderr."""
    options = _parser().parse_args(arguments)
    try:
        return _run(project, options)
    except LauncherError as error:
        print(f"portal: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def _run(project: Path, options: argparse.Namespace) -> int:
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise LauncherError("exec needs a command: python manage.py portal exec -- COMMAND ...", exit_code=2)
    return execute(project, command)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="manage.py portal", description="Start and look after the portal.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    run = actions.add_parser("exec", help="run a command with throw-away servers")
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND ...")
    return parser
