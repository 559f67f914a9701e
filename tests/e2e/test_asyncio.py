"""The asyncio client through a real server."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from conftest import MODEL

import vettore
from vettore import Document, Point


@pytest.fixture
async def aclient(shared_client):
    async with vettore.AsyncClient(shared_client.address) as client:
        await client.wait_ready()
        yield client


async def test_many_calls_at_once(aclient):
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(500, 8)).astype(np.float32)
    await aclient.create_collection("many", dimension=8, metric="l2")
    report = await aclient.upsert_stream(
        "many", vettore.columns(range(500), vectors), batch_size=60
    )
    assert (report.items, report.failures) == (500, [])
    results = await asyncio.gather(*(aclient.search("many", v, k=1) for v in vectors[:100]))
    assert [r[0].id for r in results] == list(range(100))
    together = await aclient.search_batch("many", vectors[:100], k=1)
    assert [r[0].id for r in together] == list(range(100))
    assert [p.id async for p in aclient.scroll("many", page_size=77)] == list(range(500))


async def test_documents_stream_in_with_progress(aclient):
    await aclient.create_collection("async-docs", model=MODEL, documents=True)
    seen = []
    report = await aclient.ingest(
        "async-docs",
        [Document(str(i), f"Text number {i} about whales.") for i in range(50)],
        batch_size=10,
        progress=seen.append,
    )
    assert report.items == 50
    assert seen[-1].done == seen[-1].total == 50
    found = await aclient.search_passages("async-docs", "whales", k=3)
    assert len(found) == 3


async def test_errors_are_the_same_exceptions(aclient):
    with pytest.raises(vettore.NotFoundError, match="nowhere"):
        await aclient.count("nowhere")
    await aclient.create_collection("strict", dimension=2)
    report = await aclient.upsert_stream("strict", [Point(1, [1, 2, 3])])
    assert "dimension 3" in str(report.failures[0].error)


async def test_a_source_that_fails_ends_the_stream_with_its_error(aclient):
    await aclient.create_collection("half", dimension=1, metric="l2")

    def points():
        yield Point(1, [1.0])
        raise OSError("the source broke")

    with pytest.raises(OSError, match="the source broke"):
        await aclient.upsert_stream("half", points(), batch_size=1)
