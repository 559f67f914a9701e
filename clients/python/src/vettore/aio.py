"""The client for asyncio."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

import grpc
import grpc.aio

from . import _calls, _channel, types
from ._progress import ProgressOption, reporter, total_of
from ._window import Window
from .errors import RECONNECTABLE, UnavailableError, from_rpc_error
from .filters import Filter
from .v1 import documents_pb2, points_pb2

P = ParamSpec("P")
T = TypeVar("T")


def _method(
    build: Callable[P, _calls.Call[T]],
) -> Callable[Concatenate[AsyncClient, P], Awaitable[T]]:
    @functools.wraps(build)
    async def call(self: AsyncClient, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._send(build(*args, **kwargs))

    return call  # type: ignore[return-value]


class AsyncClient:
    """A connection to a Vettore server for asyncio: `Client`, with awaitable methods.

    >>> async with vettore.AsyncClient() as client:
    ...     hits = await client.search_passages("handbook", "Where do olives grow?")
    """

    def __init__(self, address: str = _channel.DEFAULT_ADDRESS, *, timeout: float = 60.0) -> None:
        self.address = address
        self._timeout = timeout
        self._channel = grpc.aio.insecure_channel(address, options=_channel.options())
        self._stubs = _channel.stubs(self._channel)

    async def close(self) -> None:
        """Ends the connection; calls in flight are cancelled."""
        await self._channel.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def wait_ready(self, timeout: float = 10.0) -> None:
        """Returns once the server answers; UnavailableError after `timeout` seconds."""
        try:
            await asyncio.wait_for(self._channel.channel_ready(), timeout)
        except asyncio.TimeoutError:
            raise UnavailableError(f"no server answers at {self.address}") from None

    async def _send(self, call: _calls.Call[T]) -> T:
        service, method = call.method.split(".")
        rpc = getattr(self._stubs[service], method)
        try:
            response = await rpc(call.request, timeout=call.timeout or self._timeout)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return call.parse(response)

    create_collection = _method(_calls.create_collection)
    get_collection = _method(_calls.get_collection)
    list_collections = _method(_calls.list_collections)
    delete_collection = _method(_calls.delete_collection)
    set_alias = _method(_calls.set_alias)
    delete_alias = _method(_calls.delete_alias)
    list_aliases = _method(_calls.list_aliases)

    upsert = _method(_calls.upsert)
    get = _method(_calls.get)
    delete = _method(_calls.delete)
    scroll_page = _method(_calls.scroll_page)
    count = _method(_calls.count)
    search = _method(_calls.search)
    search_batch = _method(_calls.search_batch)

    upsert_documents = _method(_calls.upsert_documents)
    get_document = _method(_calls.get_document)
    delete_documents = _method(_calls.delete_documents)
    search_passages = _method(_calls.search_passages)

    list_models = _method(_calls.list_models)
    embed = _method(_calls.embed)
    status = _method(_calls.status)

    async def scroll(
        self,
        collection: str,
        *,
        filter: Filter | None = None,
        payload: bool | Sequence[str] = True,
        vectors: bool | Sequence[str] = False,
        page_size: int = 1000,
    ) -> AsyncIterator[types.StoredPoint]:
        """Every point that matches, by id, fetched page by page."""
        start: types.Id | None = None
        while True:
            page = await self.scroll_page(
                collection,
                filter=filter,
                from_id=start,
                limit=page_size,
                payload=payload,
                vectors=vectors,
            )
            for point in page.points:
                yield point
            if page.next is None:
                return
            start = page.next

    async def upsert_stream(
        self,
        collection: str,
        points: Iterable[types.Point],
        *,
        batch_size: int = 500,
        durability: types.Durability | str = types.Durability.DURABLE,
        progress: ProgressOption = False,
        retry_s: float = 60.0,
    ) -> types.IngestReport:
        """As `Client.upsert_stream`."""
        window = Window(
            points,
            batch_size,
            lambda batch, producer: _calls.upsert_request(collection, batch, durability, producer),
        )
        rpc = self._stubs["Points"].UpsertStream
        stream = _Stream(window, rpc, points_pb2.UpsertStreamRequest, retry_s)
        return await stream.run(reporter(progress, "points"), total_of(points))

    async def ingest(
        self,
        collection: str,
        documents: Iterable[types.Document],
        *,
        batch_size: int = 128,
        durability: types.Durability | str = types.Durability.DURABLE,
        progress: ProgressOption = False,
        retry_s: float = 60.0,
    ) -> types.IngestReport:
        """As `Client.ingest`."""
        window = Window(
            documents,
            batch_size,
            lambda batch, producer: _calls.documents_request(
                collection, batch, durability, producer
            ),
        )
        rpc = self._stubs["Documents"].UpsertDocumentsStream
        stream = _Stream(window, rpc, documents_pb2.UpsertDocumentsStreamRequest, retry_s)
        return await stream.run(reporter(progress, "documents"), total_of(documents))


class _Stream:
    """Drives a window over one bidirectional call after another until everything is answered."""

    def __init__(self, window: Window, rpc: Any, message: Any, retry_s: float) -> None:
        self._window = window
        self._rpc = rpc
        self._message = message
        self._retry_s = retry_s

    async def run(
        self, show: Callable[[types.Progress, bool], None], total: int | None
    ) -> types.IngestReport:
        lost_at: float | None = None
        while not self._window.done:
            call = self._rpc()
            try:
                # The first message grants credits.
                while not self._window.done:
                    if self._window.answered(await _read(call)):
                        lost_at = None
                    show(self._window.progress(total), False)
                    await self._fill(call)
            except _EndedError as ended:
                lost_at = await self._lost(ended.error, lost_at)
            finally:
                call.cancel()
        show(self._window.progress(total), True)
        return self._window.report

    async def _fill(self, call: Any) -> None:
        """Sends batches while credits are free."""
        while self._window.may_send:
            pause = self._window.idle_until - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            batch = self._window.next()
            if batch is None:
                return
            await _write(call, self._message(batch_id=batch[0], batch=batch[1]))

    async def _lost(self, error: grpc.RpcError | None, lost_at: float | None) -> float:
        """Decides whether to connect again; returns since when the server is lost."""
        if error is not None and error.code() not in RECONNECTABLE:
            raise from_rpc_error(error) from None
        now = time.monotonic()
        if lost_at is not None and now - lost_at > self._retry_s:
            if error is None:
                raise UnavailableError("the server ends the stream without answering")
            raise from_rpc_error(error) from None
        self._window.reconnected()
        await asyncio.sleep(0.2)
        return now if lost_at is None else lost_at


class _EndedError(Exception):
    """A call is over; `error` says why, where that is known."""

    def __init__(self, error: grpc.RpcError | None) -> None:
        super().__init__()
        self.error = error


async def _read(call: Any) -> Any:
    try:
        message = await call.read()
    except grpc.RpcError as error:
        raise _EndedError(error) from None
    if message is grpc.aio.EOF:
        raise _EndedError(await _failure(call))
    return message


async def _write(call: Any, message: Any) -> None:
    try:
        await call.write(message)
    except asyncio.InvalidStateError:
        raise _EndedError(await _failure(call)) from None
    except grpc.RpcError:
        # A write that fails puts INTERNAL in the place of the server's status, which is lost.
        raise _EndedError(None) from None


async def _failure(call: Any) -> grpc.RpcError | None:
    """What ended a call that the server closed."""
    code = await call.code()
    if code == grpc.StatusCode.OK:
        return None
    initial, trailing = await call.initial_metadata(), await call.trailing_metadata()
    return grpc.aio.AioRpcError(code, initial, trailing, await call.details())
