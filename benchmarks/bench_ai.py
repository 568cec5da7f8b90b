"""AI models: what a streaming look costs, how near its times are to the truth, how fast a model's page is.

    make bench-ai                                 everything (about 12 minutes; nginx needed)
    python -m benchmarks.bench_ai --only engine   the engine alone, beside 300 HTTP looks a second: errors of times
    python -m benchmarks.bench_ai --only floor    the engine's HTTP loop beside a bare CurlMulti: CPU a stream
    python -m benchmarks.bench_ai --only portal   1,000 streams a minute through a whole portal: CPU a look
    python -m benchmarks.bench_ai --only portal --beside 18000
                                                  the same, with so many HTTP checks a minute in the same worker
    python -m benchmarks.bench_ai --only page     the page of a model with 90 days behind it

Each stream has 30 chunks 20 ms apart, from a local server in a process of its own (not counted) that logs when it
received each request and when it sent each chunk. CPU is that of every process of the portal; what an idle portal uses
is told apart, for a minute of a portal costs that with or without looks.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import bare_streams, engine_streams, model_page, portal_streams
from benchmarks.stack import nginx
from benchmarks.streamed_models import Models, model_server

STREAMS_A_MINUTE = 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["engine", "floor", "portal", "page"])
    parser.add_argument("--seconds", type=int, default=120, help="how long a portal is measured")
    parser.add_argument("--beside", type=int, help="HTTP checks a minute in the same portal")
    options = parser.parse_args()
    if options.only in (None, "engine"):
        with_servers(lambda server, port, _folder: engine_streams.measure(server, port, STREAMS_A_MINUTE))
    if options.only in (None, "floor"):
        with_servers(lambda server, port, _folder: bare_streams.measure(server, port, STREAMS_A_MINUTE))
    if options.only in (None, "portal"):
        every = [0, engine_streams.HTTP_A_SECOND * 60] if options.beside is None else [options.beside]
        for beside in every if options.only is None else every[:1]:
            with_servers(portal_streams.Measure(STREAMS_A_MINUTE, options.seconds, beside).run)
    if options.only in (None, "page"):
        model_page.measure()


def with_servers(measure: Callable[[Models, int, Path], None]) -> None:
    """Run it with a fresh model server, a local nginx and a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as text:
        folder = Path(text)
        folder.chmod(0o755)
        with model_server(folder) as server, nginx(folder) as port:
            measure(server, port, folder)


if __name__ == "__main__":
    main()
