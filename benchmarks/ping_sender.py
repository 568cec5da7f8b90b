"""A cheap sender of pings: one new connection each, a fixed number at once, one selector loop, no client library.

    python -m benchmarks.ping_sender HOST PORT PATHS_FILE COUNT CONCURRENCY

Prints one JSON object: seconds, latencies in ms (sorted), and how many answers of each status. A connection that breaks
counts as status 0.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

REQUEST = "GET {path} HTTP/1.1\r\nHost: portal\r\nUser-Agent: ping-sender\r\nConnection: close\r\n\r\n"


class Sender:
    """Keeps `concurrency` pings under way until every request was answered."""

    def __init__(self, address: tuple[str, int], requests: Iterator[bytes]) -> None:
        self.address = address
        self.requests = requests
        self.selector = selectors.EpollSelector()
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.under_way = 0

    def run(self, concurrency: int) -> None:
        for _ in range(concurrency):
            self.open_next()
        while self.under_way:
            for key, mask in self.selector.select(10):
                self.go_on(key, mask)

    def open_next(self) -> None:
        request = next(self.requests, None)
        if request is None:
            return
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.setblocking(False)
        began = time.perf_counter()
        connection.connect_ex(self.address)
        self.under_way += 1
        self.selector.register(connection, selectors.EVENT_WRITE, [request, began, b""])

    def go_on(self, key: selectors.SelectorKey, mask: int) -> None:
        connection, state = key.fileobj, key.data
        assert isinstance(connection, socket.socket)
        try:
            if mask & selectors.EVENT_WRITE:
                connection.send(state[0])
                self.selector.modify(connection, selectors.EVENT_READ, state)
                return
            received = connection.recv(4_096)
        except OSError:
            received = b""
        state[2] += received
        if not received:
            self.close(connection, state)

    def close(self, connection: socket.socket, state: list[object]) -> None:
        _, began, answer = state
        assert isinstance(began, float) and isinstance(answer, bytes)
        self.latencies.append((time.perf_counter() - began) * 1_000)
        self.statuses[int(answer[9:12]) if answer[:5] == b"HTTP/" else 0] += 1
        self.selector.unregister(connection)
        connection.close()
        self.under_way -= 1
        self.open_next()


def main() -> None:
    host, port, paths_file, count, concurrency = sys.argv[1:]
    requests = [REQUEST.format(path=path).encode() for path in Path(paths_file).read_text().split()]
    sender = Sender((host, int(port)), islice(cycle(requests), int(count)))
    began = time.perf_counter()
    sender.run(int(concurrency))
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "latencies": sorted(sender.latencies), "statuses": sender.statuses}))


if __name__ == "__main__":
    main()
