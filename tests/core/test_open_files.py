"""The limit of open files is raised to what the work needs, and never past what the machine allows."""

from __future__ import annotations

import subprocess
import sys

import pytest

_SCRIPT = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from apps.core.open_files import allow_sockets
print(allow_sockets({wanted}), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "allowed", "limit"),
    [
        (1_024, 4_096, 2_000, 2_000, 2_500),
        (1_024, 2_048, 2_000, 1_548, 2_048),
        (4_096, 4_096, 2_000, 2_000, 4_096),
    ],
)
def test_as_many_sockets_as_are_wanted_and_allowed(soft: int, hard: int, wanted: int, allowed: int, limit: int) -> None:
    script = _SCRIPT.format(soft=soft, hard=hard, wanted=wanted)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-2:] == [str(allowed), str(limit)]
    assert ("few_open_files" in done.stdout + done.stderr) is (allowed < wanted)
