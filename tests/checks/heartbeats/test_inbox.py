"""The inbox under load and in trouble: groups, a full queue, a database that is gone, slow or back. Real PostgreSQL."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from apps.checks.heartbeats.answers import Outcome
from apps.checks.heartbeats.dialects import PingRequest
from apps.checks.heartbeats.edge import PingEdge
from apps.checks.heartbeats.inbox import GROUP_ROWS, Inbox
from apps.checks.heartbeats.storing import Store, Told, connection_parameters
from apps.checks.models import Heartbeat
from tests.checks.heartbeats.pinging import Asked, Watcher, ask, with_edge
from tests.checks.heartbeats.telling import heartbeat_of, make_heartbeat

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heartbeat(watcher: Watcher) -> Heartbeat:
    return heartbeat_of(make_heartbeat())


def told(ping_id: UUID, *, body: bytes = b"", **fields: str) -> Told:
    values = {"dialect": "healthchecks", "kind": "success", "method": "GET", "user_agent": "", **fields}
    return Told(PingRequest(ping_id=ping_id, **values), "192.0.2.7", body, len(body))  # type: ignore[arg-type]


def test_pings_that_come_together_are_committed_together_in_their_order(heartbeat: Heartbeat, watcher: Watcher) -> None:
    async def story(edge: PingEdge) -> list[Asked]:
        pings = [Asked(f"/ping/{heartbeat.ping_id}", headers={"user-agent": b"%d" % n}) for n in range(1_200)]
        return await asyncio.gather(*(ping.through(edge) for ping in pings))

    inbox = Inbox()
    answers = with_edge(story, inbox)
    assert {asked.status for asked in answers} == {200}
    assert [row[5] for row in watcher.rows()] == [str(number) for number in range(1_200)]
    assert inbox.groups <= 2 + 1_200 // GROUP_ROWS


def test_one_group_answers_each_ping_by_itself(heartbeat: Heartbeat, watcher: Watcher) -> None:
    async def story(edge: PingEdge) -> list[Asked]:
        paths = [
            f"/ping/{heartbeat.ping_id}",
            f"/ping/{uuid4()}",
            "/ping/key/name",
            f"/api/push/{heartbeat.push_token}",
        ]
        return await asyncio.gather(*(Asked(path).through(edge) for path in paths * 20))

    assert [asked.status for asked in with_edge(story)] == [200, 404, 404, 200] * 20
    assert watcher.count() == 40


def test_large_bodies_make_smaller_groups(heartbeat: Heartbeat, watcher: Watcher) -> None:
    async def story(edge: PingEdge) -> list[Outcome]:
        return await asyncio.gather(*(edge.inbox.put(told(heartbeat.ping_id, body=b"x" * 100_000)) for _ in range(100)))

    inbox = Inbox()
    assert set(with_edge(story, inbox)) == {Outcome.STORED}
    assert inbox.groups >= 3
    assert watcher.count() == 100


def test_a_commit_is_on_the_disk_when_it_is_answered(watcher: Watcher) -> None:
    async def asked() -> tuple[str, str]:
        store = Store()
        connection = await store._open()
        try:
            rows = await (await connection.execute("SELECT current_setting('synchronous_commit')")).fetchall()
            return rows[0][0], str(connection.autocommit)
        finally:
            await store.close()

    assert asyncio.run(asked()) == ("on", "True")


def test_more_than_can_wait_are_asked_to_come_again(heartbeat: Heartbeat, watcher: Watcher) -> None:
    async def story(edge: PingEdge) -> tuple[list[Asked], list[Asked]]:
        def start(number: int) -> list[asyncio.Task[Asked]]:
            ping = f"/ping/{heartbeat.ping_id}"
            return [asyncio.create_task(Asked(ping).through(edge)) for _ in range(number)]

        with watcher.inbox_locked():
            held = start(1)
            await asyncio.to_thread(watcher.wait_for_a_held_group)
            held += start(3)
            await asyncio.sleep(0)
            refused = [await ping for ping in start(5)]
        return [await ping for ping in held], refused

    held, refused = with_edge(story, Inbox(waiting_rows=3))
    assert [asked.status for asked in held] == [200] * 4
    assert [asked.status for asked in refused] == [503] * 5
    assert all(int(asked.answer[b"retry-after"]) > 0 for asked in refused)
    assert watcher.count() == 4


def test_a_connection_ended_during_a_commit_is_a_503_and_the_next_ping_is_stored(
    heartbeat: Heartbeat, watcher: Watcher
) -> None:
    async def story(edge: PingEdge) -> tuple[Asked, Asked]:
        path = f"/ping/{heartbeat.ping_id}"
        with watcher.inbox_locked():
            held = asyncio.create_task(Asked(path).through(edge))
            await asyncio.to_thread(watcher.wait_for_a_held_group)
            await asyncio.to_thread(watcher.end_connections)
            failed = await held
        return failed, await Asked(path).through(edge)

    with capture_logs() as logs:
        failed, stored = with_edge(story)
    assert (failed.status, stored.status) == (503, 200)
    assert int(failed.answer[b"retry-after"]) > 0
    assert watcher.count() == 1
    assert [entry["event"] for entry in logs] == ["pings_not_stored", "pings_stored_again"]
    assert str(heartbeat.ping_id) not in str(logs)


def test_a_connection_that_ended_while_idle_costs_no_ping(heartbeat: Heartbeat, watcher: Watcher) -> None:
    async def story(edge: PingEdge) -> list[int]:
        first = await Asked(f"/ping/{heartbeat.ping_id}").through(edge)
        await asyncio.to_thread(watcher.end_connections)
        second = await Asked(f"/ping/{heartbeat.ping_id}").through(edge)
        return [first.status, second.status]

    assert with_edge(story) == [200, 200]


def test_a_database_that_is_too_slow_is_a_503_and_stores_nothing_later(heartbeat: Heartbeat, watcher: Watcher) -> None:
    with watcher.inbox_locked():
        asked = ask(f"/ping/{heartbeat.ping_id}", inbox=Inbox(store=Store(seconds=0.5)))
    assert asked.status == 503
    assert watcher.count() == 0


def test_a_database_that_cannot_be_reached_is_a_503(heartbeat: Heartbeat, unused_tcp_port: int) -> None:
    store = Store(parameters=lambda: {**connection_parameters(), "host": "127.0.0.1", "port": unused_tcp_port})
    asked = ask(f"/api/push/{heartbeat.push_token}", inbox=Inbox(store=store))
    assert asked.status == 503
    assert b'"ok":false' in asked.body


def test_a_server_that_accepts_and_says_nothing_holds_a_ping_for_a_bounded_time() -> None:
    async def story() -> float:
        listening = await asyncio.start_server(lambda _reader, _writer: asyncio.sleep(60), "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        store = Store(seconds=0.3, parameters=lambda: {"host": "127.0.0.1", "port": port, "dbname": "x"})
        began = asyncio.get_running_loop().time()
        assert await Inbox(store=store).put(told(uuid4())) is Outcome.UNAVAILABLE
        listening.close()
        return asyncio.get_running_loop().time() - began

    assert asyncio.run(story()) < 3


async def test_a_server_that_stops_in_the_middle_of_a_statement_has_its_connection_cut(watcher: Watcher) -> None:
    """A stopped process keeps its connections and no time limits of its own: here, a relay that stops relaying."""
    relayed = asyncio.Event()
    relayed.set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65_536):
            await relayed.wait()
            writer.write(chunk)
            await writer.drain()
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = connection_parameters()
        server_reader, server_writer = await asyncio.open_connection(there["host"], there["port"])
        await asyncio.gather(pump(reader, server_writer), pump(server_reader, writer), return_exceptions=True)

    listening = await asyncio.start_server(relay, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    inbox = Inbox(store=Store(0.5, lambda: {**connection_parameters(), "host": "127.0.0.1", "port": port}))
    assert await inbox.put(told(uuid4())) is Outcome.UNKNOWN
    relayed.clear()
    async with asyncio.timeout(5):
        assert await inbox.put(told(uuid4())) is Outcome.UNAVAILABLE
    relayed.set()
    assert await inbox.put(told(uuid4())) is Outcome.UNKNOWN
    await asyncio.to_thread(watcher.end_connections)
    listening.close()


def test_one_value_that_cannot_be_stored_does_not_take_the_others_with_it(
    heartbeat: Heartbeat, watcher: Watcher
) -> None:
    async def story(edge: PingEdge) -> list[Outcome]:
        agents = ["good", "with\0nul", "alone \ud800", "fine"]
        return await asyncio.gather(*(edge.inbox.put(told(heartbeat.ping_id, user_agent=one)) for one in agents))

    stored, unavailable = Outcome.STORED, Outcome.UNAVAILABLE
    assert with_edge(story) == [stored, unavailable, unavailable, stored]
    assert [row[5] for row in watcher.rows()] == ["good", "fine"]


def test_a_client_that_leaves_while_it_waits_holds_nobody_up(heartbeat: Heartbeat, watcher: Watcher) -> None:
    async def story(edge: PingEdge) -> int:
        path = f"/ping/{heartbeat.ping_id}"
        with watcher.inbox_locked():
            left = asyncio.create_task(Asked(path).through(edge))
            await asyncio.to_thread(watcher.wait_for_a_held_group)
            other = asyncio.create_task(Asked(path).through(edge))
            await asyncio.sleep(0)
            left.cancel()
        return (await other).status

    assert with_edge(story) == 200
    assert watcher.count() == 2
