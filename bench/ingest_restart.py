#!/usr/bin/env python3
"""Bulk ingestion of text through the client's stream, then SIGKILL, restart, and a comparison of answers.

Prints texts a second, the seconds from the restart to the first right answer, and whether every point is there, the
exact answers are the same, and nothing was embedded again.
"""

from __future__ import annotations

import signal
import time

import common

import vettore

QUESTIONS = [
    "a large animal that lives in the sea",
    "feeling of great happiness",
    "instrument for measuring temperature",
    "to run away from danger",
    "the study of the stars",
]


def answers(client: vettore.Client) -> list[list[tuple[vettore.types.Id, float]]]:
    """The exact answers to the questions."""
    found = [client.search("wordnet", q, k=10, exact=True, payload=False) for q in QUESTIONS]
    return [[(hit.id, hit.score) for hit in hits] for hits in found]


def main() -> None:
    """Ingests, kills, restarts, prints one line."""
    options = common.parser(__doc__ or "")
    options.add_argument("--limit", type=int, help="ingest only so many passages")
    arguments = options.parse_args()
    path = arguments.data / "text-wordnet30" / "passages.jsonl.zst"
    points = [
        vettore.Point(row["_id"], payload={"text": f"{row['title']}: {row['text']}"})
        for row in common.read_jsonl(path)
    ][: arguments.limit]

    with common.Server(arguments.binary) as server:
        with server.client() as client:
            client.create_collection("wordnet", model=arguments.model)
            started = time.monotonic()
            ingested = client.upsert_stream("wordnet", points, batch_size=512, progress=True)
            ingest_s = time.monotonic() - started
            assert not ingested.failures, ingested.failures
            status = client.status()
            before = answers(client)
        server.end(signal.SIGKILL)

        killed = time.monotonic()
        server.start()
        with server.client() as client:
            first = client.search("wordnet", QUESTIONS[0], k=10, payload=False)
            answer_s = time.monotonic() - killed
            count = client.count("wordnet")
            unindexed = client.get_collection("wordnet").status[0].unindexed
            after = answers(client)
            # Each question was embedded once, and the first one twice; a passage would be one more.
            embedded_again = client.status().embedded_texts - len(QUESTIONS) - 1
            indexed = time.monotonic()
            while client.get_collection("wordnet").status[0].unindexed:
                time.sleep(0.5)
            rebuild_s = time.monotonic() - killed if unindexed else indexed - killed
        common.report(
            "ingest_restart",
            data="text-wordnet30",
            model=arguments.model,
            passages=len(points),
            ingest_s=round(ingest_s, 1),
            passages_per_s=round(len(points) / ingest_s),
            tokens_per_s=round(status.embedded_tokens / ingest_s),
            restart_to_first_answer_s=round(answer_s, 2),
            first_answer_is_exact=[(h.id, h.score) for h in first] == before[0],
            points_after=count,
            unindexed_at_first=unindexed,
            graph_rebuilt_s=round(rebuild_s, 1),
            same_exact_answers=after == before,
            texts_embedded_again=embedded_again,
        )


if __name__ == "__main__":
    main()
