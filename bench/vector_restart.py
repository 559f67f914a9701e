#!/usr/bin/env python3
"""A collection of vectors whose server is killed and started again: seconds to the first answer, from the checkpoint.

Stores random vectors around random centres, waits until the graph and a checkpoint hold them, then kills the server
and starts it again, several times.
"""

from __future__ import annotations

import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import common
import numpy as np

import vettore


def generate(count: int, dim: int) -> np.ndarray:
    """(count, dim), of unit length, around 2,000 centres."""
    random = np.random.default_rng(1)
    centres = random.normal(size=(2000, dim)).astype(np.float32)
    vectors = np.empty((count, dim), np.float32)
    for begin in range(0, count, 100_000):
        part = vectors[begin : begin + 100_000]
        part[:] = centres[random.integers(0, 2000, len(part))]
        part += 0.7 * random.normal(size=part.shape).astype(np.float32)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return vectors


def first_answer(server: common.Server, query: np.ndarray) -> tuple[float, int]:
    """The seconds from the start of the server to its first answer, and how much of its graph was missing then."""
    server.end(signal.SIGKILL)
    started = time.monotonic()
    server.start()
    with server.client() as client:
        hits = client.search("vectors", query, k=1)
        seconds = time.monotonic() - started
        assert hits[0].id == 0, hits
        return seconds, client.get_collection("vectors").status[0].unindexed


def main() -> None:
    """Imports, kills, restarts, prints one line."""
    options = common.server_parser(__doc__ or "")
    options.add_argument("--count", type=int, default=1_000_000, help="default: %(default)s")
    options.add_argument("--dim", type=int, default=128, help="default: %(default)s")
    options.add_argument("--repeats", type=int, default=5, help="default: %(default)s")
    arguments = options.parse_args()
    vectors = generate(arguments.count, arguments.dim)
    with tempfile.TemporaryDirectory() as folder, common.Server(arguments.binary) as server:
        file = Path(folder, "vectors.npy")
        np.save(file, vectors)
        started = time.monotonic()
        subprocess.run(
            [
                arguments.binary,
                "import",
                "--server",
                server.address,
                "--quiet",
                "-c",
                "vectors",
                file,
            ],
            check=True,
        )
        import_s = time.monotonic() - started
        with server.client() as client:
            while client.get_collection("vectors").status[0].unindexed:
                time.sleep(1)
        graph_s = time.monotonic() - started
        server.end(signal.SIGTERM)  # Writes what the checkpoint lacks.
        server.start()
        restarts = [first_answer(server, vectors[0]) for _ in range(arguments.repeats)]
        with vettore.Client(server.address) as client:
            status = client.get_collection("vectors").status[0]
    common.report(
        "vector_restart",
        vectors=arguments.count,
        dim=arguments.dim,
        import_s=round(import_s, 1),
        graph_s=round(graph_s, 1),
        restart_to_first_answer_s=round(statistics.median(s for s, _ in restarts), 2),
        slowest_s=round(max(s for s, _ in restarts), 2),
        unindexed_at_first=max(u for _, u in restarts),
        memory_bytes=status.memory_bytes,
        mapped_bytes=status.mapped_bytes,
    )


if __name__ == "__main__":
    main()
