"""What somebody who starts the portal for the first time reads: what to open, as whom, and how to change it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from apps.core.embedded.welcome import ready_lines

URL = "http://127.0.0.1:8000"


def lines_for(user: dict[str, Any] | None, state: str = "") -> list[str]:
    return ready_lines(url=URL, seconds=9.21, logs=Path("/here/logs"), user=user, state=state)


def test_the_address_name_and_password_each_stand_alone_to_be_copied() -> None:
    lines = [line.strip() for line in lines_for({"username": "admin", "password": "kept-secret"})]
    assert URL in lines
    assert "Name      admin" in lines
    assert "Password  kept-secret" in lines
    assert "Keep it: it is shown this once only." in lines
    assert f"Change it on the page {URL}/settings/ when you have signed in." in lines


@pytest.mark.parametrize(
    ("state", "command"),
    [
        ("", ".venv/bin/python manage.py changepassword admin"),
        ("/my data", "PORTAL_STATE='/my data' .venv/bin/python manage.py changepassword admin"),
    ],
)
def test_a_lost_password_has_a_command_that_can_be_pasted(state: str, command: str) -> None:
    assert f"Lost it? {command}" in lines_for({"username": "admin", "password": "x"}, state)


def test_a_password_of_the_environment_is_not_repeated() -> None:
    text = "\n".join(lines_for({"username": "admin", "password": None}))
    assert "the one in PORTAL_ADMIN_PASSWORD" in text
    assert "once only" not in text


def test_later_starts_speak_of_no_password() -> None:
    text = "\n".join(lines_for(None))
    assert "assword" not in text
    assert URL in text
    assert "Stop with Ctrl-C. Logs: /here/logs" in text
