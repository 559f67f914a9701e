#!/usr/bin/env python3
"""nDCG@10 and Recall@100 of a retrieval set through the server: exact dense search, whole texts.

Each text (title, a space, text) is one point, embedded by the server. Reference for all-MiniLM-L6-v2 on SciFact:
nDCG@10 0.6451, Recall@100 0.925 (published and re-computed by an independent forward pass).
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from pathlib import Path

import common

import vettore


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Scores by query and document."""
    judged: dict[str, dict[str, int]] = defaultdict(dict)
    for line in path.read_text().splitlines()[1:]:
        query, document, score = line.split("\t")
        judged[query][document] = int(score)
    return judged


def ndcg(ranked: list[str], judged: dict[str, int], depth: int) -> float:
    """Normalised discounted cumulative gain, with the score as gain."""

    def discounted(gains: list[int]) -> float:
        return sum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains[:depth]))

    ideal = discounted(sorted(judged.values(), reverse=True))
    return discounted([judged.get(document, 0) for document in ranked]) / ideal


def main() -> None:
    """Ingests, asks, prints one line."""
    options = common.parser(__doc__ or "")
    options.add_argument("--set", default="ir-scifact", help="default: %(default)s")
    arguments = options.parse_args()
    folder = arguments.data / arguments.set
    judged = read_qrels(folder / "qrels.tsv")
    queries = {q["_id"]: q["text"] for q in common.read_jsonl(folder / "queries.jsonl.zst")}

    with common.Server(arguments.binary) as server, server.client() as client:
        client.create_collection("corpus", model=arguments.model, index=vettore.Flat())
        points = [
            vettore.Point(d["_id"], payload={"text": f"{d['title']} {d['text']}"})
            for d in common.read_jsonl(folder / "corpus.jsonl.zst")
        ]
        started = time.monotonic()
        ingested = client.upsert_stream("corpus", points, batch_size=128, progress=True)
        assert not ingested.failures, ingested.failures
        ingest_s = time.monotonic() - started

        gains, recalls = [], []
        for query, scores in judged.items():
            relevant = {d for d, score in scores.items() if score > 0}
            if not relevant:
                continue
            hits = client.search("corpus", queries[query], k=100, exact=True, payload=False)
            ranked = [str(hit.id) for hit in hits]
            gains.append(ndcg(ranked, scores, 10))
            recalls.append(len(relevant.intersection(ranked)) / len(relevant))
        common.report(
            "retrieval",
            data=arguments.set,
            model=arguments.model,
            documents=len(points),
            queries=len(gains),
            ndcg_at_10=round(sum(gains) / len(gains), 4),
            recall_at_100=round(sum(recalls) / len(recalls), 4),
            ingest_s=round(ingest_s, 1),
            truncated="at the model's limit",
        )


if __name__ == "__main__":
    main()
