"""Several settlers, senders and editors at once: every ping is settled once, in its order, and nobody waits long."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from apps.checks.heartbeats.settling import judge_overdue, settle_pings, settle_waiting
from apps.checks.models import CheckResult, Ping, PingInbox
from apps.checks.services import update_check
from tests.checks.heartbeats.telling import let_pass, make_heartbeat, pings_of, status_of, tell

pytestmark = pytest.mark.django_db(transaction=True)


def together(*tasks: Callable[[], object]) -> None:
    errors: list[BaseException] = []

    def run(task: Callable[[], object]) -> None:
        try:
            task()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    assert not errors, errors


def test_many_settlers_settle_every_ping_once_and_in_order() -> None:
    checks = [make_heartbeat() for _ in range(5)]
    kinds = ["fail", "start", "success"] * 10
    for kind in kinds:
        for check in checks:
            tell(check, kind)

    def settle() -> None:
        while PingInbox.objects.exists():
            settle_pings(limit=7)

    together(settle, settle, settle, settle)
    for check in checks:
        assert [ping.kind for ping in pings_of(check)] == kinds
        states = CheckResult.objects.filter(check_id=check.pk).order_by("at").values_list("state", flat=True)
        assert list(states) == ["failed", "ok"] * 10
        assert status_of(check) == ("operational", "ok")


def test_while_one_settles_another_finds_nothing_to_do() -> None:
    check = make_heartbeat()
    tell(check)
    with transaction.atomic():
        assert settle_pings() == 1
        seen: list[int] = []
        together(lambda: seen.append(settle_waiting()))
        assert seen == [0]
    assert Ping.objects.count() == 1


def test_what_was_rolled_back_is_settled_the_next_time() -> None:
    check = make_heartbeat()
    tell(check)
    with pytest.raises(RuntimeError), transaction.atomic():
        settle_pings()
        raise RuntimeError("the process is killed before it commits")
    assert (Ping.objects.count(), PingInbox.objects.count()) == (0, 1)
    assert settle_pings() == 1
    assert status_of(check)[0] == "operational"


def test_two_that_look_for_silence_note_it_once() -> None:
    checks = [make_heartbeat() for _ in range(5)]
    for check in checks:
        tell(check)
    settle_pings()
    let_pass(5_000)
    together(judge_overdue, judge_overdue, judge_overdue)
    for check in checks:
        assert CheckResult.objects.filter(check_id=check.pk, reason="heartbeat_missed").count() == 1


def test_settling_judging_and_editing_do_not_stand_in_each_others_way() -> None:
    checks = [make_heartbeat() for _ in range(6)]

    def send() -> None:
        for number in range(60):
            tell(checks[number % 6], "success")

    def settle() -> None:
        for _ in range(40):
            settle_pings(limit=5)

    def judge() -> None:
        for _ in range(40):
            judge_overdue()

    def edit() -> None:
        for number in range(18):
            update_check(actor=None, check=checks[number % 6], enabled=number % 4 != 1)

    together(send, settle, settle, judge, edit)
    settle_waiting()
    assert (Ping.objects.count(), PingInbox.objects.count()) == (60, 0)
