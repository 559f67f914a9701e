"""Streams through both clients, against a server that ends them as the test says."""

from __future__ import annotations

import asyncio
from concurrent import futures

import grpc
import pytest

import vettore
from vettore import Point
from vettore.v1 import points_pb2, points_pb2_grpc


class BusyServer(points_pb2_grpc.PointsServicer):
    """Ends the first `busy_streams` streams for want of room after `batches_each` batches."""

    def __init__(self, busy_streams: int, batches_each: int) -> None:
        self.busy_streams = busy_streams
        self.batches_each = batches_each
        self.stored: list[int] = []

    def UpsertStream(self, requests, context):
        yield points_pb2.UpsertStreamResponse(credits=2)
        self.busy_streams -= 1
        room = self.batches_each if self.busy_streams >= 0 else 1_000
        for request in requests:
            if room == 0:
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "retry later")
            room -= 1
            self.stored += [point.id.number for point in request.batch.points]
            answer = points_pb2.UpsertStreamResponse(batch_id=request.batch_id, credits=2)
            answer.response.upserted = len(request.batch.points)
            yield answer


def upsert(kind: str, servicer: BusyServer, points, retry_s=60.0) -> vettore.IngestReport:
    server = grpc.server(futures.ThreadPoolExecutor(4))
    points_pb2_grpc.add_PointsServicer_to_server(servicer, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        if kind == "sync":
            with vettore.Client(address) as client:
                return client.upsert_stream("c", points, batch_size=1, retry_s=retry_s)
        return asyncio.run(upsert_async(address, points, retry_s))
    finally:
        server.stop(None)


async def upsert_async(address: str, points, retry_s: float) -> vettore.IngestReport:
    async with vettore.AsyncClient(address) as client:
        return await client.upsert_stream("c", points, batch_size=1, retry_s=retry_s)


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
def test_a_stream_that_a_busy_server_ends_goes_on(kind):
    """It raised ResourceExhaustedError, with a part stored."""
    servicer = BusyServer(busy_streams=2, batches_each=2)
    report = upsert(kind, servicer, [Point(n, [1.0]) for n in range(6)])
    assert (report.items, report.reconnects, report.failures) == (6, 2, [])
    assert servicer.stored == list(range(6))


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
def test_a_server_that_stays_busy_is_given_up(kind):
    """A greeting counted as an answer, so that a server that only greets was tried for ever."""
    with pytest.raises(vettore.ResourceExhaustedError, match="retry later"):
        upsert(kind, BusyServer(busy_streams=1_000, batches_each=0), [Point(0, [1.0])], 0.5)


def test_an_error_of_the_source_is_not_taken_for_one_of_the_stream():
    """The stream connected again, found its source at an end and reported success."""

    def points():
        yield Point(0, [1.0])
        raise vettore.UnavailableError("the source broke")

    with pytest.raises(vettore.UnavailableError, match="the source broke"):
        upsert("asyncio", BusyServer(busy_streams=0, batches_each=0), points())
