"""The addresses of a heartbeat, and lines to paste that ping it: what a person takes away from its page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.checks.heartbeats.selectors import HeartbeatView

# Makes an address absolute: the request's `build_absolute_uri`.
Absolute = Callable[[str], str]
# What a client that must not hang and must not give up at once says to curl.
CURL = "curl -fsS -m 10 --retry 5 -o /dev/null"
_NO_CRON = "0 3 * * *"


@dataclass(frozen=True)
class Address:
    """One way to reach it. `note`: who speaks like this."""

    uid: str
    label: Any
    text: str
    note: Any = ""


@dataclass(frozen=True)
class Recipe:
    """A text to paste."""

    uid: str
    label: Any
    text: str
    note: Any = ""


def addresses_of(view: HeartbeatView, absolute: Absolute) -> list[Address]:
    """The addresses it can be pinged at; every one of them is a secret."""
    found = [Address("ping-url", _("Ping URL"), absolute(view.ping_url))]
    if view.slug_url:
        found.append(Address("slug-url", _("By its short name"), absolute(view.slug_url)))
    return found


def recipes_of(view: HeartbeatView, absolute: Absolute) -> list[Recipe]:
    """For each client people have already, what to put where."""
    url = absolute(view.ping_url)
    return [
        Recipe("recipe-cron", _("A line of crontab"), f"{view.cron or _NO_CRON} /path/to/job && {CURL} {url}\n"),
        Recipe(
            "recipe-shell",
            _("A shell script, with start and exit code"),
            _shell(url),
            _("Tells the run time as well, and that a run never ended."),
        ),
        Recipe("recipe-python", _("Python"), _python(url)),
        Recipe(
            "recipe-kuma",
            _("Uptime Kuma's push URL"),
            f"{CURL} '{absolute(view.push_url)}?status=up&msg=OK&ping='\n",
            _("Clients of a push monitor keep working: give them this address."),
        ),
        Recipe(
            "recipe-gatus",
            _("Gatus' external endpoint"),
            f"curl -fsS -m 10 --retry 5 -X POST -H 'Authorization: Bearer {view.push_token}' \\\n"
            f"  '{absolute(view.gatus_path)}?success=true&error=&duration=10s'\n",
        ),
    ]


def _shell(url: str) -> str:
    return (
        "#!/bin/sh\n"
        "run=$(cat /proc/sys/kernel/random/uuid)\n"
        f'{CURL} "{url}/start?rid=$run"\n'
        "/path/to/job\n"
        "status=$?\n"
        f'{CURL} "{url}/$status?rid=$run"\n'
        "exit $status\n"
    )


def _python(url: str) -> str:
    return (
        "import requests\n"
        "\n"
        "try:\n"
        f'    requests.get("{url}", timeout=10)\n'
        "except requests.RequestException as error:\n"
        '    print("The ping was not heard:", error)\n'
    )
