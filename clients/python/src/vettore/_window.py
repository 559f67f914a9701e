"""The state of a stream of batches: what is sent, what is answered, what goes again. Knows no connection."""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from . import _convert as convert
from . import types
from .errors import RETRYABLE, VettoreError, from_status

MakeRequest = Callable[[list[Any], tuple[str, int]], Any]

# Of one batch that the server refuses for want of room, before it counts as failed.
MAX_ATTEMPTS = 10


@dataclass
class Batch:
    """Items on their way. `seq` is the producer sequence, and the batch's id on the wire."""

    first: int
    items: list[Any]
    seq: int = 0
    attempts: int = 0


class Window:
    """At most `credits` batches are unanswered; those of a broken connection go again under their sequence.

    The server takes a sequence that it has stored as a duplicate, so nothing is written twice. A
    batch that it refused for want of room was not stored, and later ones may have been: it goes
    again under a new sequence.

    Externally synchronised.
    """

    def __init__(self, items: Iterable[Any], batch_size: int, make_request: MakeRequest) -> None:
        self.report = types.IngestReport()
        self.credits = 1
        self._make_request = make_request
        self._producer = uuid.uuid4().hex
        self._next_seq = 1
        self._batches = _batches(items, batch_size)
        self._exhausted = False
        self._again: list[Batch] = []
        self._sent: OrderedDict[int, Batch] = OrderedDict()
        self._started = time.monotonic()
        self.idle_until = 0.0

    @property
    def done(self) -> bool:
        """Everything is answered and nothing is left to send."""
        return self._exhausted and not self._again and not self._sent

    @property
    def may_send(self) -> bool:
        """A credit is free and something may be left to send."""
        return len(self._sent) < self.credits and not (self._exhausted and not self._again)

    @property
    def drained(self) -> bool:
        """Nothing is left to send now; answers may still bring batches back."""
        return self._exhausted and not self._again

    def next(self) -> tuple[int, Any] | None:
        """The id and request of the next batch, or None when nothing is left to send."""
        if self._again:
            batch = self._again.pop(0)
        else:
            fresh = next(self._batches, None)
            if fresh is None:
                self._exhausted = True
                return None
            batch = fresh
        if batch.seq == 0:
            batch.seq = self._next_seq
            self._next_seq += 1
        batch.attempts += 1
        self._sent[batch.seq] = batch
        return batch.seq, self._make_request(batch.items, (self._producer, batch.seq))

    def reconnected(self) -> None:
        """The connection broke: everything unanswered goes again, in its order."""
        self._again = sorted([*self._sent.values(), *self._again], key=lambda b: b.seq or 1 << 63)
        self._sent.clear()
        self.credits = 1
        self.report.reconnects += 1

    def answered(self, message: Any) -> None:
        """Takes a message of the server."""
        self.credits = max(1, message.credits)
        if not message.HasField("batch_id"):
            return
        batch = self._sent.pop(message.batch_id, None)
        if batch is None:
            return
        if message.WhichOneof("result") == "error":
            self._refused(batch, from_status(message.error.code, message.error.message))
            return
        response = message.response
        report = self.report
        report.items += len(batch.items)
        report.position = convert.position_from_proto(response.position)
        report.duplicates += response.duplicate
        report.chunks += getattr(response, "chunks", 0)
        report.tokens += getattr(response, "tokens", 0)

    def _refused(self, batch: Batch, error: VettoreError) -> None:
        if error.code in RETRYABLE and batch.attempts < MAX_ATTEMPTS:
            batch.seq = 0
            self._again.append(batch)
            self.idle_until = time.monotonic() + min(2.0, 0.05 * 2**batch.attempts)
        else:
            failure = types.BatchFailure(batch.first, len(batch.items), error)
            self.report.failures.append(failure)

    def progress(self, total: int | None) -> types.Progress:
        """How far the stream is."""
        failed = sum(f.count for f in self.report.failures)
        elapsed = time.monotonic() - self._started
        return types.Progress(self.report.items, total, failed, elapsed)


def _batches(items: Iterable[Any], size: int) -> Iterator[Batch]:
    first, pending = 0, []
    for item in items:
        pending.append(item)
        if len(pending) == size:
            yield Batch(first, pending)
            first, pending = first + size, []
    if pending:
        yield Batch(first, pending)
