"""The page of a heartbeat: each of its states in a sentence, its addresses, its pings, and who sees what."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Environment
from apps.checks.glance import get_medians
from apps.checks.heartbeats.services import open_ping_key
from apps.checks.history import get_sparklines
from apps.checks.models import Check, Heartbeat
from apps.checks.services import update_check
from tests.checks.heartbeats.telling import hear, heartbeat_of, make_heartbeat, pings_of, tell, wait_out
from tests.checks.looking import make_check
from tests.dashboard.rendering import HOSTILE
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_user

pytestmark = pytest.mark.django_db
BUDGET = 32
RUN = UUID("1a2b3c4d-0000-4000-8000-000000000000")


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def check(db: None) -> Check:
    return make_heartbeat()


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    text = text_of(answer.content)
    # The page keeps an error for scripts to show; a part that failed would be a second one.
    assert text.count("This part could not be loaded.") <= 1
    return text


# --- Its states -------------------------------------------------------------------------------------------------


def test_one_that_was_never_pinged_says_what_to_do(page: Client, check: Check) -> None:
    text = shown(page, check.get_absolute_url())
    assert "Unknown: Nothing was heard yet." in text
    assert "Expected 1 hour after the one before, with 10 minutes of grace." in text
    assert "Paste one of the lines below into your job; this page changes when its first ping arrives." in text
    assert '<details class="panel fold" open' in page.get(check.get_absolute_url()).content.decode()


def test_the_first_ping_changes_the_parts_that_follow_it(page: Client, check: Check) -> None:
    hear(check, "success")
    state = shown(page, f"{check.get_absolute_url()}fragments/verdict/")
    assert "Operational: The last run ended well, and nothing is overdue." in state
    assert "Nothing was heard yet" not in state
    assert "Next expected in 59 min" in state.replace("\u00a0", " ")
    assert "Success" in shown(page, f"{check.get_absolute_url()}fragments/pings/")


def test_a_late_one_is_still_within_its_grace(page: Client, check: Check) -> None:
    hear(check, "success")
    wait_out(3_700)
    text = shown(page, check.get_absolute_url())
    assert "has not come. It is still within its grace: it counts as missed" in text
    assert "Operational" in text


def test_a_missed_one_says_since_when_and_stands_among_the_pings(page: Client, check: Check) -> None:
    hear(check, "success")
    assert wait_out(5_000) == 1
    text = shown(page, check.get_absolute_url())
    assert "Outage: " in text
    assert "Missed" in text[text.index("Pings") :]
    assert "2 rows" in text
    assert "still within its grace" not in text


def test_a_failed_one_says_its_exit_status(page: Client, check: Check) -> None:
    hear(check, "fail", exit_status=3)
    text = shown(page, check.get_absolute_url())
    assert "Outage: " in text
    assert "exit status 3" in text


def test_a_paused_one_judges_nothing(page: Client, check: Check) -> None:
    hear(check, "success")
    update_check(actor=None, check=check, enabled=False)
    text = shown(page, check.get_absolute_url())
    assert "It is paused: pings are kept and nothing is judged." in text
    assert "Next expected" not in text


def test_runs_under_way_are_listed_and_those_that_never_ended_marked(page: Client, check: Check) -> None:
    hear(check, "start", run_id=RUN)
    text = shown(page, check.get_absolute_url())
    assert "Runs under way 1 started" in text
    assert "run 1a2b3c4d…" in text
    wait_out(700)
    text = shown(page, check.get_absolute_url())
    assert "not finished within the grace" in text
    assert "Not finished" in text[text.index("Pings") :]


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"cron": "0 3 * * *", "timezone": "Asia/Seoul"}, "Expected every day at 03:00 (Asia/Seoul), with 10 minutes"),
        ({"cron": "5 */2 * * MON"}, "Expected by “5 */2 * * MON” (UTC), with 10 minutes of grace."),
        ({"period_seconds": 90_000}, "Expected 25 hours after the one before, with 10 minutes of grace."),
    ],
)
def test_the_schedule_is_a_sentence(page: Client, config: dict[str, str], sentence: str) -> None:
    assert sentence in shown(page, make_heartbeat(config=config).get_absolute_url())


def test_there_is_nothing_to_run_and_nothing_to_look_at(page: Client, check: Check) -> None:
    content = page.get(check.get_absolute_url()).content.decode()
    assert "/run/" not in content
    assert "Response time" not in content
    assert "Timeout" not in content


def test_in_the_list_of_its_target_it_shows_its_schedule_and_no_latency(page: Client, check: Check) -> None:
    hear(check, "success", said_ms=60_000.0)
    text = shown(page, check.target.get_absolute_url())
    assert "Every 1 hour, 10 minutes of grace" in text
    assert "Last ping" in text
    assert "Response time, 1 h" in text
    content = page.get(check.target.get_absolute_url()).content.decode()
    assert "sparkline" not in content
    assert "/run/" not in content
    assert "latency.json" not in content
    assert get_sparklines([check.target_id]) == {check.target_id: [None] * 30}
    assert get_medians([check.target_id]) == {}
    latency = page.get(f"{check.target.get_absolute_url()}latency.json?range=1h").json()
    assert not any(value for line in latency["lines"] for value in line["values"])


def test_asked_to_look_it_says_that_it_is_heard(page: Client, check: Check) -> None:
    reply = page.post(f"{check.get_absolute_url()}run/", follow=True)
    assert "A heartbeat is heard, not looked at: send it a ping instead." in text_of(reply.content)


# --- Its addresses ----------------------------------------------------------------------------------------------


def test_an_operator_gets_addresses_and_lines_to_paste(page: Client, check: Check, production: Environment) -> None:
    key = open_ping_key(actor=None, environment=production)[1]
    heartbeat = heartbeat_of(check)
    text = shown(page, check.get_absolute_url())
    assert f"/ping/{heartbeat.ping_id} " in text
    assert f"/ping/{key}/{heartbeat.slug}" in text
    assert "0 3 * * * /path/to/job && curl -fsS -m 10 --retry 5 -o /dev/null http" in text
    assert f"/ping/{heartbeat.ping_id}/start?rid=$run" in text
    assert f"/ping/{heartbeat.ping_id}/$status?rid=$run" in text
    assert f"/api/push/{heartbeat.push_token}?status=up&msg=OK&ping=" in text
    assert f"Authorization: Bearer {heartbeat.push_token}" in text
    assert f"prod_{heartbeat.slug}/external?success=true&error=&duration=10s" in text
    assert "requests.get(" in text


def test_a_viewer_sees_no_address(client: Client, viewer: User, check: Check, production: Environment) -> None:
    key = open_ping_key(actor=None, environment=production)[1]
    client.force_login(viewer)
    heartbeat = heartbeat_of(check)
    for part in ("", "fragments/addresses/", "fragments/verdict/", "fragments/config/"):
        content = client.get(f"{check.get_absolute_url()}{part}").content.decode()
        assert str(heartbeat.ping_id) not in content
        assert heartbeat.push_token not in content
        assert key not in content
    assert "Operators see its addresses." in shown(client, check.get_absolute_url())


def test_new_addresses_end_the_old_ones(page: Client, check: Check) -> None:
    before = heartbeat_of(check)
    reply = page.post(f"{check.get_absolute_url()}rotate/", follow=True)
    after = heartbeat_of(check)
    assert before.ping_id != after.ping_id
    assert before.push_token != after.push_token
    assert "has new addresses" in text_of(reply.content)
    assert page.get(f"{check.get_absolute_url()}rotate/").status_code == 405


def test_a_check_that_looks_has_none_of_it(page: Client) -> None:
    check = make_check()
    for part in ("run-times.json", f"pings/{uuid4()}/"):
        assert page.get(f"{check.get_absolute_url()}{part}").status_code == 404
    assert page.post(f"{check.get_absolute_url()}rotate/").status_code == 404


# --- Its pings --------------------------------------------------------------------------------------------------


def test_what_clients_send_is_text(page: Client, check: Check) -> None:
    hear(check, "success", user_agent=HOSTILE, body=HOSTILE.encode(), method="POST", address="2001:db8::1")
    Heartbeat.objects.filter(pk=check.pk).update(slug=HOSTILE)
    [ping] = pings_of(check)
    for address in (check.get_absolute_url(), f"{check.get_absolute_url()}pings/{ping.id}/"):
        content = page.get(address).content.decode()
        assert "<script>alert(1)" not in content
    assert HOSTILE in shown(page, f"{check.get_absolute_url()}pings/{ping.id}/")
    assert f"POST · 2001:db8::1 {HOSTILE}" in shown(page, check.get_absolute_url())


def test_a_body_that_was_cut_says_so_and_is_read_on_demand(page: Client, check: Check) -> None:
    hear(check, "fail", body=b"\xff\x00disk full", body_bytes=250_000)
    [ping] = pings_of(check)
    listed = shown(page, check.get_absolute_url())
    assert "disk full" not in listed[listed.index("Pings") :]
    assert "cut" in listed
    part = page.get(f"{check.get_absolute_url()}pings/{ping.id}/", headers={"HX-Request": "true"}).content
    assert "\ufffd\ufffddisk full" in text_of(part)
    assert "The first 11 B of 250 kB were kept." in text_of(part).replace("\u00a0", " ")
    assert b"<html" not in part


def test_a_viewer_reads_no_bodies(client: Client, viewer: User, check: Check) -> None:
    hear(check, "success", body=b"secret words")
    [ping] = pings_of(check)
    client.force_login(viewer)
    assert client.get(f"{check.get_absolute_url()}pings/{ping.id}/").status_code == 403
    content = client.get(check.get_absolute_url()).content.decode()
    assert "secret words" not in content
    assert f"/pings/{ping.id}/" not in content


def test_a_ping_of_another_check_is_404(page: Client, check: Check) -> None:
    other = make_heartbeat()
    hear(other, "success", body=b"x")
    [ping] = pings_of(other)
    assert page.get(f"{check.get_absolute_url()}pings/{ping.id}/").status_code == 404


def test_pings_are_paged_and_every_silence_stands_once_between_them(page: Client, check: Check) -> None:
    for _number in range(20):
        hear(check, "success")
    wait_out(5_000)
    for _number in range(20):
        hear(check, "success")
    wait_out(5_000)
    seen: list[str] = []
    silences = 0
    address = check.get_absolute_url()
    for _page in range(2):
        content = page.get(address).content.decode()
        seen += re.findall(r'id="ping-([0-9a-f-]{36})"', content)
        silences += content.count("<span>Missed</span>")
        following = re.search(r'rel="next" href="([^"]+)"', content)
        address = check.get_absolute_url() + (following[1].replace("&amp;", "&") if following else "")
    assert len(seen) == len(set(seen)) == 40
    assert silences == 2


def test_the_page_costs_the_same_with_one_ping_and_with_many(page: Client, check: Check) -> None:
    def cost() -> int:
        page.get(check.get_absolute_url())
        with CaptureQueriesContext(connection) as queries:
            assert page.get(check.get_absolute_url()).status_code == 200
        return len(queries)

    hear(check, "success")
    hear(check, "start", run_id=uuid4())
    wait_out(700)
    of_one = cost()
    for _number in range(30):
        tell(check, "start", run_id=uuid4())
        tell(check, "fail", body=b"x")
    hear(check, "success")
    wait_out(700)
    assert cost() == of_one <= BUDGET


# --- Who may ----------------------------------------------------------------------------------------------------


def test_outside_the_grants_there_is_no_heartbeat(client: Client, check: Check, development: Environment) -> None:
    hear(check, "success", body=b"x")
    [ping] = pings_of(check)
    client.force_login(make_user("admin", development))
    for part in ("", "run-times.json", f"pings/{ping.id}/", "fragments/pings/"):
        assert client.get(f"{check.get_absolute_url()}{part}").status_code == 404
    assert client.post(f"{check.get_absolute_url()}rotate/").status_code == 404


def test_a_viewer_makes_no_new_addresses(client: Client, viewer: User, check: Check) -> None:
    client.force_login(viewer)
    before = heartbeat_of(check).ping_id
    assert client.post(f"{check.get_absolute_url()}rotate/").status_code == 403
    assert heartbeat_of(check).ping_id == before
