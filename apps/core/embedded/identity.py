"""As whom the servers run. PostgreSQL refuses root, so a root launcher drops them to an unprivileged user.

No account is created: the drop is by number, to the owner of existing data or else to `nobody`.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from apps.core.embedded.errors import LauncherError

NOBODY = 65534


@dataclass(frozen=True)
class Identity:
    """The user of a child: `uid`/`gid` to change to (None: stay); a command `prefix` where changing is forbidden."""

    uid: int | None = None
    gid: int | None = None
    prefix: tuple[str, ...] = ()

    def own(self, path: Path) -> None:
        """Give a path we made to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can_run(self, *command: str | os.PathLike[str]) -> bool:
        """Whether this user gets exit code 0 from a short command; used to probe what it may reach."""
        try:
            finished = subprocess.run(
                [*self.prefix, *command],
                user=self.uid,
                group=self.gid,
                extra_groups=[] if self.uid is not None else None,
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=20,
            )
        except OSError:
            return False
        return finished.returncode == 0

    def can_enter(self, folder: Path) -> bool:
        """Whether this user can reach a folder through all its parents and write in it."""
        return self.can_run("/bin/sh", "-c", 'cd "$1" && test -w .', "sh", folder)


def choose_identity(existing_data: Path | None = None) -> Identity:
    """The user the servers run as, given a data folder that may already belong to somebody.

    Raises LauncherError where root can neither change user nor make a user namespace.
    """
    mapped = Identity(prefix=("unshare", "-U", f"--map-user={NOBODY}", f"--map-group={NOBODY}"))
    if os.geteuid() != 0:
        # initdb wants a user with a name; a container may run us under a number that has none.
        return mapped if not _has_name(os.geteuid()) and mapped.can_run("/bin/true") else Identity()
    if existing_data is not None and existing_data.exists():
        owner = existing_data.stat()
        if owner.st_uid != 0:
            return Identity(uid=owner.st_uid, gid=owner.st_gid)
    nobody = Identity(uid=NOBODY, gid=NOBODY)
    if nobody.can_run("/bin/true"):
        return nobody
    if mapped.can_run("/bin/true"):
        return mapped
    raise LauncherError(
        "PostgreSQL refuses to run as root, and this machine lets root neither change user nor make a user "
        "namespace. Start the portal as an ordinary user, or set DATABASE_URL and REDIS_URL to servers of your own."
    )


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
