#!/usr/bin/env python3
"""One warm text query after another over gRPC on loopback: the median, and where its time goes."""

from __future__ import annotations

import itertools
import statistics
import time

import common

import vettore


def main() -> None:
    """Ingests a corpus, asks, prints one line."""
    options = common.parser(__doc__ or "")
    options.add_argument("--set", default="ir-scifact", help="default: %(default)s")
    options.add_argument("--queries", type=int, default=500, help="default: %(default)s")
    arguments = options.parse_args()
    folder = arguments.data / arguments.set
    queries = [q["text"] for q in common.read_jsonl(folder / "queries.jsonl.zst")]

    with common.Server(arguments.binary) as server, server.client() as client:
        client.create_collection("corpus", model=arguments.model)
        points = [
            vettore.Point(d["_id"], payload={"text": f"{d['title']} {d['text']}"})
            for d in common.read_jsonl(folder / "corpus.jsonl.zst")
        ]
        client.upsert_stream("corpus", points, batch_size=128, progress=True)
        while client.get_collection("corpus").status[0].unindexed:
            time.sleep(0.2)

        rows = []
        asked = itertools.islice(itertools.cycle(queries), arguments.queries + 50)
        for query in asked:
            started = time.perf_counter()
            trace = client.search("corpus", query, k=10).trace
            wall = (time.perf_counter() - started) * 1e6
            inside = trace.tokenize_us + trace.embed_us + trace.filter_us + trace.search_us
            rows.append(
                {
                    "wall_us": wall,
                    "tokenize_us": trace.tokenize_us,
                    "embed_us": trace.embed_us,
                    "search_us": trace.search_us,
                    "server_rest_us": trace.total_us - inside,
                    "rpc_us": wall - trace.total_us,
                }
            )
        del rows[:50]  # Warm-up.
        medians = {key: round(statistics.median(row[key] for row in rows)) for key in rows[0]}
        walls = sorted(row["wall_us"] for row in rows)
        common.report(
            "query_latency",
            data=arguments.set,
            model=arguments.model,
            queries=len(rows),
            **medians,
            p99_us=round(walls[int(len(walls) * 0.99)]),
        )


if __name__ == "__main__":
    main()
