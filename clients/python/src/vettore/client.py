"""The client for ordinary code."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

import grpc

from . import _calls, _channel, types
from ._progress import ProgressOption, reporter, total_of
from ._window import Window
from .errors import RECONNECTABLE, UnavailableError, from_rpc_error
from .filters import Filter
from .v1 import documents_pb2, points_pb2

P = ParamSpec("P")
T = TypeVar("T")


def _method(build: Callable[P, _calls.Call[T]]) -> Callable[Concatenate[Client, P], T]:
    @functools.wraps(build)
    def call(self: Client, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._send(build(*args, **kwargs))

    return call  # type: ignore[return-value]


class Client:
    """A connection to a Vettore server. Thread-safe.

    address: "host:port", or "unix:/path/to/socket".
    timeout: seconds that a call may take unless it says otherwise.

    >>> with vettore.Client() as client:
    ...     client.create_collection("handbook", model="all-MiniLM-L6-v2", documents=True)
    ...     client.upsert_documents("handbook", [vettore.Document("a", "Olives grow on trees.")])
    ...     client.search_passages("handbook", "Where do olives grow?")[0].text
    'Olives grow on trees.'
    """

    def __init__(self, address: str = _channel.DEFAULT_ADDRESS, *, timeout: float = 60.0) -> None:
        self.address = address
        self._timeout = timeout
        self._channel = grpc.insecure_channel(address, options=_channel.options())
        self._stubs = _channel.stubs(self._channel)

    def close(self) -> None:
        """Ends the connection; calls in flight are cancelled."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def wait_ready(self, timeout: float = 10.0) -> None:
        """Returns once the server answers; UnavailableError after `timeout` seconds."""
        try:
            grpc.channel_ready_future(self._channel).result(timeout=timeout)
        except grpc.FutureTimeoutError:
            raise UnavailableError(f"no server answers at {self.address}") from None

    def _send(self, call: _calls.Call[T]) -> T:
        service, method = call.method.split(".")
        rpc = getattr(self._stubs[service], method)
        try:
            response = rpc(call.request, timeout=call.timeout or self._timeout)
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

    def scroll(
        self,
        collection: str,
        *,
        filter: Filter | None = None,
        payload: bool | Sequence[str] = True,
        vectors: bool | Sequence[str] = False,
        page_size: int = 1000,
    ) -> Iterator[types.StoredPoint]:
        """Every point that matches, by id, fetched page by page.

        >>> [point.id for point in client.scroll("images")]
        """
        start: types.Id | None = None
        while True:
            page = self.scroll_page(
                collection,
                filter=filter,
                from_id=start,
                limit=page_size,
                payload=payload,
                vectors=vectors,
            )
            yield from page.points
            if page.next is None:
                return
            start = page.next

    def upsert_stream(
        self,
        collection: str,
        points: Iterable[types.Point],
        *,
        batch_size: int = 500,
        durability: types.Durability | str = types.Durability.DURABLE,
        progress: ProgressOption = False,
        retry_s: float = 60.0,
    ) -> types.IngestReport:
        """Stream any number of points in, with back-pressure.

        Goes on by itself when the connection breaks or the server is busy.

        progress: True draws a bar on standard error; a function gets each `Progress`.
        retry_s: seconds to look for a lost server, or to wait for a busy one.
        Batches that the server refuses do not end the stream; they are in the report's `failures`.

        >>> points = (vettore.Point(i, v) for i, v in enumerate(vectors))
        >>> client.upsert_stream("images", points, progress=True)
        """
        window = Window(
            points,
            batch_size,
            lambda batch, producer: _calls.upsert_request(collection, batch, durability, producer),
        )
        rpc = self._stubs["Points"].UpsertStream
        stream = _Stream(window, rpc, points_pb2.UpsertStreamRequest, retry_s)
        return stream.run(reporter(progress, "points"), total_of(points))

    def ingest(
        self,
        collection: str,
        documents: Iterable[types.Document],
        *,
        batch_size: int = 128,
        durability: types.Durability | str = types.Durability.DURABLE,
        progress: ProgressOption = False,
        retry_s: float = 60.0,
    ) -> types.IngestReport:
        """Stream any number of documents in; the server chunks, embeds and stores them. As `upsert_stream`."""
        window = Window(
            documents,
            batch_size,
            lambda batch, producer: _calls.documents_request(
                collection, batch, durability, producer
            ),
        )
        rpc = self._stubs["Documents"].UpsertDocumentsStream
        stream = _Stream(window, rpc, documents_pb2.UpsertDocumentsStreamRequest, retry_s)
        return stream.run(reporter(progress, "documents"), total_of(documents))


class _Stream:
    """Drives a window over one bidirectional call after another until everything is answered."""

    def __init__(self, window: Window, rpc: Any, message: Any, retry_s: float) -> None:
        self._window = window
        self._rpc = rpc
        self._message = message
        self._retry_s = retry_s
        self._changed = threading.Condition()
        self._broken = False
        self._source_error: BaseException | None = None

    def run(
        self, show: Callable[[types.Progress, bool], None], total: int | None
    ) -> types.IngestReport:
        lost_at: float | None = None
        while not self._window.done:
            self._broken = False
            call = self._rpc(self._requests())
            try:
                for message in call:
                    with self._changed:
                        if self._window.answered(message):
                            lost_at = None
                        self._changed.notify_all()
                    show(self._window.progress(total), False)
                if self._source_error is None and self._window.done:
                    break
                error: grpc.RpcError | None = None
            except grpc.RpcError as failed:
                error = failed
            finally:
                with self._changed:
                    self._broken = True
                    self._changed.notify_all()
                call.cancel()
            if self._source_error is not None:
                raise self._source_error
            lost_at = self._lost(error, lost_at)
        show(self._window.progress(total), True)
        return self._window.report

    def _lost(self, error: grpc.RpcError | None, lost_at: float | None) -> float:
        """Decides whether to connect again; returns since when the server is lost."""
        if error is not None and error.code() not in RECONNECTABLE:
            raise from_rpc_error(error) from None
        now = time.monotonic()
        if lost_at is not None and now - lost_at > self._retry_s:
            if error is None:
                raise UnavailableError("the server ends the stream without answering")
            raise from_rpc_error(error) from None
        with self._changed:
            self._window.reconnected()
        time.sleep(0.2)
        return now if lost_at is None else lost_at

    def _requests(self) -> Iterator[Any]:
        # Runs on a thread of gRPC; an error of the caller's iterable is carried to run().
        try:
            while (request := self._next()) is not None:
                yield request
        except Exception as error:
            with self._changed:
                self._source_error = error

    def _next(self) -> Any | None:
        with self._changed:
            while True:
                self._changed.wait_for(
                    lambda: self._broken or self._window.may_send or self._window.done
                )
                if self._broken or self._window.done:
                    return None
                pause = self._window.idle_until - time.monotonic()
                if pause > 0:
                    self._changed.wait(pause)
                    continue
                batch = self._window.next()
                if batch is not None:
                    return self._message(batch_id=batch[0], batch=batch[1])
                # Nothing fresh is left, but a refused batch may come back: stay until all is answered.
