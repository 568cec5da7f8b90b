"""`portal up`: everything the portal consists of, in the foreground, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apps.core.embedded import processes
from apps.core.embedded.durable import OwnServers, prepare_servers
from apps.core.embedded.errors import LauncherError
from apps.core.embedded.figures import ProcessFigures
from apps.core.embedded.logs import Logs
from apps.core.embedded.portal_processes import PROBES, WORKER, PortalProcess, portal_processes, queues
from apps.core.embedded.ports import next_free_port
from apps.core.embedded.preparation import Command, first_user
from apps.core.embedded.progress import Progress
from apps.core.embedded.servers import start_together
from apps.core.embedded.settings import WebAddress, wanted_address
from apps.core.embedded.stamps import Stamp, schema_stamp, static_files_stamp
from apps.core.embedded.state import StateFolder, write_json
from apps.core.embedded.supervisor import StopRequested, Supervisor, stop_signals_raise
from apps.core.embedded.translations import compile_translations
from apps.core.embedded.watchdog import Watchdog
from apps.core.embedded.welcome import ready_lines

_POLL_SECONDS = 0.02
_WEB_SECONDS = 90.0
_LEFT_OVER_SECONDS = 5.0


def up(project: Path, state: StateFolder, *, end_with_parent: bool = False) -> int:
    """Start the portal, keep it alive, and stop it when asked. AlreadyRunningError when this state is in use.

    With `end_with_parent` a killed `make` takes the portal along; without it a portal outlives its terminal.
    """
    if end_with_parent:
        processes.end_with_parent()
    state.create()
    with state.locked(), stop_signals_raise():
        launch = _Launch(project, state)
        try:
            launch.start()
            launch.keep_alive()
        except StopRequested:
            pass
        finally:
            launch.stop()
    return 0


@dataclass
class _Launch:
    project: Path
    state: StateFolder
    progress: Progress = field(default_factory=Progress)
    commands: list[Command] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.logs = Logs(self.state.logs)
        self.supervisor = Supervisor(self.logs, self.progress)

    def start(self) -> None:
        """From nothing to a page that answers. What does not depend on each other runs side by side."""
        started_at = time.monotonic()
        processes.become_subreaper()
        _end_left_overs(self.state)
        self.logs.rotate()
        self.state.ensure_secret_key()
        compile_translations(self.project)
        self.address = self._choose_address()
        servers = self._start_servers()
        self.environment = self._child_environment(servers)
        self._write_run_file()
        self.portal = portal_processes(self.project, self.environment, self.address)
        user = self._prepare_and_start(schema_stamp(self.project, self.state.path, servers.database_url))
        self.watchdog = Watchdog(servers.redis_url, queues(os.environ.get("PORTAL_REGION") or "local"))
        self.figures = ProcessFigures(servers.redis_url, lambda: self.supervisor.pids)
        self.supervisor.on_change = self._child_changed
        self._write_run_file()
        self._say_ready(user, time.monotonic() - started_at)

    def keep_alive(self) -> None:
        """Return when a stop signal arrives."""
        self.supervisor.run(self._look)

    def stop(self) -> None:
        """Stop whatever was started, and leave no run file behind."""
        running = bool(self.supervisor.pids)
        if running:
            self.progress.say("Stopping ...")
        for command in self.commands:
            command.stop()
        self.supervisor.stop_all()
        self.state.run_file.unlink(missing_ok=True)
        if running:
            self.progress.say("Stopped.")

    def _choose_address(self) -> WebAddress:
        wanted = wanted_address()
        port = next_free_port(wanted.port, wanted.host)
        if port != wanted.port:
            self.progress.say(f"Port {wanted.port} is in use by another program; using {port} instead.")
        return WebAddress(wanted.host, port)

    def _start_servers(self) -> OwnServers:
        with self.progress.step("PostgreSQL and Valkey"):
            servers = prepare_servers(self.project, self.state)
            started = start_together(servers.all, self.logs, tick=self.progress.tick)
            for server, process in zip(servers.all, started, strict=True):
                self.supervisor.adopt(server, process)
        if servers.data_root not in (None, self.state.path):
            self.progress.say(
                f"Data is kept in {servers.data_root}, as the servers' user cannot reach {self.state.path}."
            )
        return servers

    def _child_environment(self, servers: OwnServers) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": "monitor_portal.settings",
            "PORTAL_WEB_URL": self.address.url,
            "MALLOC_ARENA_MAX": "2",  # glibc would keep an arena a thread; this saves tens of megabytes
            **os.environ,
            "PORTAL_HOST": self.address.host,
            "PORTAL_PORT": str(self.address.port),
            "DATABASE_URL": servers.database_url,
            "REDIS_URL": servers.redis_url,
            "PORTAL_STATE": str(self.state.path),
        }

    def _prepare_and_start(self, schema: Stamp) -> dict[str, Any] | None:
        """Returns the first user, on the first start.

        The web process starts beside `bootstrap` when the schema cannot have changed, and after it when it may have.
        """
        statics = static_files_stamp(self.project, self.state.path)
        bootstrap = self._command("bootstrap")
        if not (statics.is_current() and self.state.static_files.is_dir()):
            statics.clear()
            collect = self._command("collectstatic", "--noinput", "--verbosity", "0")
            with self.progress.step("Static files"):
                self._finish(collect)
                statics.mark()
        web = self.portal["web"]
        web_process = self.supervisor.start(web) if schema.is_current() else None
        with self.progress.step("Database schema and first data"):
            schema.clear()
            user = first_user(self._finish(bootstrap))
            schema.mark()
        self.supervisor.start(self.portal[WORKER])
        for name, process in self.portal.items():
            if name.startswith(PROBES):
                self.supervisor.start(process)
        with self.progress.step("Web pages"):
            self._wait_for_page(web, web_process or self.supervisor.start(web))
        self.supervisor.start(self.portal["beat"])
        return user

    def _command(self, name: str, *arguments: str) -> Command:
        command = Command(name, *arguments, project=self.project, environment=self.environment, logs=self.logs)
        self.commands.append(command)
        return command

    def _finish(self, command: Command) -> str:
        self._wait(command.is_done)
        return command.result()

    def _wait_for_page(self, web: PortalProcess, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _WEB_SECONDS

        def decided() -> bool:
            return process.poll() is not None or web.is_ready(process) or time.monotonic() > deadline

        self._wait(decided)
        if process.poll() is not None or time.monotonic() > deadline:
            raise LauncherError(
                f"the web process did not start; {self.logs.path('web')} ends with:\n{self.logs.tail('web')}"
            )

    def _wait(self, condition: Callable[[], bool]) -> None:
        while not condition():
            time.sleep(_POLL_SECONDS)
            self.progress.tick()

    def _child_changed(self, name: str) -> None:
        if name == WORKER:
            self.watchdog.worker_started()
        self._write_run_file()

    def _look(self) -> None:
        self.watchdog.look(self._restart_worker)
        self.figures.look()

    def _restart_worker(self) -> None:
        self.watchdog.worker_started()
        self.supervisor.kill(WORKER, "it was silent for 15 s while its queue grew")

    def _write_run_file(self) -> None:
        shared = ("DATABASE_URL", "REDIS_URL", "PORTAL_STATE", "PORTAL_WEB_URL", "PORTAL_HOST", "PORTAL_PORT")
        children = {
            name: {"pid": pid, "started": processes.process_started(pid)} for name, pid in self.supervisor.pids.items()
        }
        content = {
            "pid": os.getpid(),
            "url": self.address.url,
            "environment": {name: self.environment[name] for name in shared},
            "children": children,
        }
        write_json(self.state.run_file, content)

    def _say_ready(self, user: dict[str, Any] | None, seconds: float) -> None:
        lines = ready_lines(
            url=self.address.url,
            seconds=seconds,
            logs=self.logs.folder,
            user=user,
            state=os.environ.get("PORTAL_STATE", ""),
        )
        for line in lines:
            self.progress.say(line)


def _end_left_overs(state: StateFolder) -> None:
    """End what a killed launcher may have left, before its ports and data are used again.

    The kernel has already told these processes to end; this waits for the slow ones. The start time guards against
    a process id that belongs to somebody else by now.
    """
    children = state.read_run_file().get("children", {}).values()
    left = [
        child["pid"]
        for child in children
        if processes.is_running(child["pid"]) and processes.process_started(child["pid"]) == child["started"]
    ]
    deadline = time.monotonic() + _LEFT_OVER_SECONDS
    while left and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        left = [pid for pid in left if processes.is_running(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    state.run_file.unlink(missing_ok=True)
