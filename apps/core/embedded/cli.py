"""`python manage.py portal ...`: the command line of the launcher."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from apps.core.embedded.backup import backup, restore
from apps.core.embedded.environment import default_state
from apps.core.embedded.errors import LauncherError
from apps.core.embedded.execute import execute
from apps.core.embedded.region_worker import DEFAULT_PLACES, run_worker
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
        "up": lambda: up(project, state, end_with_parent=options.end_with_parent),
        "status": lambda: print_status(state),
        "stop": lambda: stop_portal(state),
        "backup": lambda: backup(project, state, options.file),
        "restore": lambda: restore(project, state, options.file, yes=options.yes, upgrade=options.upgrade),
        "worker": lambda: run_worker(project, state, region=options.region, places=options.places),
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
    start = actions.add_parser("up", help="start everything, in the foreground")
    start.add_argument(
        "--end-with-parent", action="store_true", help="stop when the process that started it dies, as make may"
    )
    actions.add_parser("status", help="tell whether it runs, where, and what memory it uses")
    actions.add_parser("stop", help="stop the running portal")
    save = actions.add_parser("backup", help="write the database and the key of its secrets to a file")
    save.add_argument("file", type=Path, metavar="FILE")
    load = actions.add_parser("restore", help="bring back what a backup holds; the portal must be stopped")
    load.add_argument("file", type=Path, metavar="FILE")
    load.add_argument("--yes", action="store_true", help="replace the data that is there")
    load.add_argument("--upgrade", action="store_true", help="accept a backup of an older PostgreSQL")
    worker = actions.add_parser("worker", help="probe for a region, on any machine, in the foreground")
    worker.add_argument("--region", required=True, metavar="NAME", help="the short name of the region")
    worker.add_argument(
        "--places",
        type=int,
        default=DEFAULT_PLACES,
        metavar="NUMBER",
        help=f"looks under way at once (default {DEFAULT_PLACES})",
    )
    run = actions.add_parser("exec", help="run a command with throw-away servers")
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND ...")
    actions.add_parser("compile", help="compile the translations that changed")
    return parser
