"""Nothing acknowledged is lost, whatever ends the server, and nothing is embedded twice."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time

import numpy as np
import pytest
from conftest import MODEL

import vettore
from vettore import Document, Point

WORDS = ["olive", "rocket", "bread", "violin", "glacier", "senate", "copper", "whale", "harvest"]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_points_survive_and_answer_the_same(server, end):
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(3000, 24)).astype(np.float32)
    client = server.start()
    client.create_collection("v", dimension=24, payload_indexes={"n": "integer"})
    client.upsert_stream(
        "v", vettore.columns(range(3000), vectors, [{"n": i % 10} for i in range(3000)])
    )
    client.delete("v", list(range(0, 3000, 3)))
    client.upsert("v", [Point(1, vectors[2], {"n": 77})], durability="buffered")
    client.set_alias("alias", "v")

    def answers(c):
        searches = [c.search("alias", q, k=10, exact=True) for q in vectors[:10]]
        found = [[(h.id, h.score, h.version, h.payload) for h in s] for s in searches]
        return (
            found,
            c.count("v"),
            c.count("v", filter=vettore.F("n") == 7),
            c.get_collection("v").position,
        )

    before = answers(client)
    getattr(server, end)()
    again = server.start()
    assert answers(again) == before
    written = again.upsert("v", [Point(5000, vectors[0])])
    assert written.position.seq == before[3].seq + 1


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_documents_survive_without_being_embedded_again(server, end):
    client = server.start()
    client.create_collection("d", model=MODEL, documents=True)
    client.ingest("d", [Document(w, f"This tells of a {w}.") for w in WORDS])
    assert client.status().embedded_texts >= len(WORDS)
    before = [
        [(p.document_id, p.score) for p in client.search_passages("d", w, k=3, exact=True)]
        for w in WORDS
    ]
    getattr(server, end)()
    client = server.start()
    assert client.count("d") == len(WORDS)
    assert client.status().embedded_texts == 0
    after = [
        [(p.document_id, p.score) for p in client.search_passages("d", w, k=3, exact=True)]
        for w in WORDS
    ]
    assert after == before


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
def test_a_stream_goes_on_where_a_killed_server_left_it(server, kind):
    client = server.start()
    client.create_collection("s", dimension=4, metric="l2")
    total = 4000
    sent = itertools.count()

    def points():
        for i in range(total):
            next(sent)
            if i % 50 == 0:
                time.sleep(0.02)
            yield Point(i, [i, 0, 0, 1], {"i": i})

    def crash():
        while next(sent) < total // 3:
            time.sleep(0.005)
        server.kill()
        server.start().close()

    killer = threading.Thread(target=crash)
    killer.start()
    if kind == "sync":
        report = client.upsert_stream("s", points(), batch_size=40)
    else:
        report = asyncio.run(upsert_stream(client.address, "s", points(), batch_size=40))
    killer.join()
    assert report.reconnects >= 1
    assert (report.items, report.failures) == (total, [])
    assert [p.payload["i"] for p in client.scroll("s")] == list(range(total))
    # Each batch was written once: as many positions as batches.
    assert client.get_collection("s").position.seq == total // 40


async def upsert_stream(address, *args, **options):
    async with vettore.AsyncClient(address) as client:
        return await client.upsert_stream(*args, **options)


def test_a_retried_producer_sequence_changes_nothing(client):
    from vettore import _calls

    client.create_collection("p", dimension=1, metric="l2")

    def send(value, seq):
        request = _calls.upsert_request("p", [Point(1, [value])], "durable", ("me", seq))
        return client._stubs["Points"].Upsert(request)

    first = send(1.0, 1)
    assert not first.duplicate
    again = send(9.0, 1)
    assert again.duplicate
    assert again.position == first.position
    assert client.get("p", [1], vectors=True)[0].vector.tolist() == [1.0]
    assert not send(2.0, 2).duplicate


def test_collections_deleted_before_a_kill_stay_deleted(server):
    client = server.start()
    client.create_collection("gone", dimension=2)
    client.upsert("gone", [Point(1, [1, 0])])
    client.delete_collection("gone")
    server.kill()
    client = server.start()
    assert client.list_collections() == []
    client.create_collection("gone", dimension=2)
    assert client.count("gone") == 0
