"""`python manage.py portal ...`: the command line of the launcher."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from apps.core.embedded.environment import default_state
from apps.core.embedded.errors import LauncherError
from apps.core.embedded.execute import execute
from apps.core.embedded.status import print_status, stop_portal
from apps.core.embedded.translations import compile_translations
from apps.core.embedded.up import up


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
    state = default_state(project)
    actions: dict[str, Callable[[], int]] = {
        "up": lambda: up(project, state),
        "status": lambda: print_status(state),
        "stop": lambda: stop_portal(state),
        "exec": lambda: execute(project, _words(options.command)),
        "compile": lambda: _compile(project),
    }
    return actions[options.action]()


def _words(command: list[str]) -> list[str]:
    words = command[1:] if command[:1] == ["--"] else command
    if not words:
        raise LauncherError("exec needs a command: python manage.py portal exec -- COMMAND ...", exit_code=2)
    return words


def _compile(project: Path) -> int:
    compile_translations(project)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="manage.py portal", description="Start and look after the portal.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("up", help="start everything, in the foreground")
    actions.add_parser("status", help="tell whether it runs, where, and what memory it uses")
    actions.add_parser("stop", help="stop the running portal")
    run = actions.add_parser("exec", help="run a command with throw-away servers")
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND ...")
    actions.add_parser("compile", help="compile the translations that changed")
    return parser
