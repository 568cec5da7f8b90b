"""Two people take one name at the same moment: one gets it, the other is told so at the field."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection, transaction

from apps.catalog.models import Target
from tests.factories import api_client, make_service, make_user

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 10


def wait_until_somebody_waits_for_a_lock() -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
    raise AssertionError("the second writer never came to wait for the first")


def test_the_second_is_told_at_the_field() -> None:
    client = api_client(make_user("operator"))
    answers: list[Any] = []

    def ask() -> None:
        answers.append(client.post("/api/v1/services/", {"name": "SHOP"}))
        connection.close()

    second = threading.Thread(target=ask)
    with transaction.atomic():
        make_service("Shop")  # not committed yet, so the other one's validation cannot see it
        second.start()
        wait_until_somebody_waits_for_a_lock()
    second.join(PATIENCE_SECONDS)
    assert answers[0].status_code == 400
    assert list(answers[0].json()) == ["name"]
    assert Target.objects.count() == 1
