"""The state of a stream of batches: what is sent, what is answered, what goes again. Knows no connection."""

from __future__ import annotations

import bisect
import itertools
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

# Of one batch that the server puts off for want of room, before it counts as failed.
MAX_ATTEMPTS = 10


@dataclass(eq=False)
class Lane:
    """A producer for one batch at a time; `seq` is that of the batch."""

    producer: str
    seq: int = 0


@dataclass(eq=False)
class Batch:
    """Items on their way, by their numbers in the stream. `attempts`: how often the server put it off."""

    items: dict[int, Any]
    lane: Lane | None = None
    attempts: int = 0

    @property
    def first(self) -> int:
        """The number of its first item, which is its place among the batches."""
        return min(self.items)


class Window:
    """At most `credits` batches are unanswered; those of a broken connection go again under their sequence.

    The server takes a sequence that it has stored as a duplicate, so nothing is written twice. Each
    unanswered batch has a producer of its own: whether it is a duplicate never depends on the fate
    of another one.

    Of an id that comes twice, the later item stays. A batch that goes again therefore waits for the
    answers to those sent after it, loses the items whose ids they stored, and goes before
    everything that is later.

    Externally synchronised.
    """

    def __init__(self, items: Iterable[Any], batch_size: int, make_request: MakeRequest) -> None:
        self.report = types.IngestReport()
        self.credits = 1
        self._make_request = make_request
        self._producer = uuid.uuid4().hex
        self._lanes = 0
        self._free_lanes: list[Lane] = []
        self._last_id = 0
        self._batches = _batches(items, batch_size)
        self._exhausted = False
        self._again: list[Batch] = []  # In the order of the stream.
        self._sent: OrderedDict[int, Batch] = OrderedDict()  # By id; in the order of the stream.
        self._stored_anew = False  # Over this connection, something that was not stored before.
        self._started = time.monotonic()
        self.idle_until = 0.0

    @property
    def done(self) -> bool:
        """Everything is answered and nothing is left to send."""
        return self._exhausted and not self._again and not self._sent

    @property
    def may_send(self) -> bool:
        """A credit is free and something may be left to send."""
        if len(self._sent) >= self.credits:
            return False
        if not self._again:
            return not self._exhausted
        overtaken = self._sent and next(reversed(self._sent.values())).first > self._again[0].first
        return not overtaken

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
        lane = batch.lane or self._take_lane()
        batch.lane = lane
        self._last_id += 1
        self._sent[self._last_id] = batch
        request = self._make_request(list(batch.items.values()), (lane.producer, lane.seq))
        return self._last_id, request

    def reconnected(self) -> None:
        """The connection broke: everything unanswered goes again, in its order."""
        self._again = sorted([*self._sent.values(), *self._again], key=lambda b: b.first)
        self._sent.clear()
        self._stored_anew = False
        self.credits = 1
        self.report.reconnects += 1

    def answered(self, message: Any) -> bool:
        """Takes a message of the server; whether it was the answer to a batch."""
        self.credits = max(1, message.credits)
        if not message.HasField("batch_id"):
            return False
        batch = self._sent.pop(message.batch_id, None)
        if batch is None:
            return False
        if message.WhichOneof("result") == "error":
            self._refused(batch, from_status(message.error.code, message.error.message))
        else:
            self._stored(batch, message.response)
        return True

    def _stored(self, batch: Batch, response: Any) -> None:
        self._free_lane(batch)
        if response.duplicate and self._stored_anew:
            # An earlier batch was stored only now and may have undone this one, which was stored
            # before the connection broke.
            self._send_again(batch)
            return
        self._stored_anew |= not response.duplicate
        report = self.report
        report.items += len(batch.items) + self._drop_replaced(batch)
        report.position = convert.position_from_proto(response.position)
        report.duplicates += response.duplicate
        report.chunks += getattr(response, "chunks", 0)
        report.tokens += getattr(response, "tokens", 0)

    def _refused(self, batch: Batch, error: VettoreError) -> None:
        batch.attempts += 1
        if error.code in RETRYABLE and batch.attempts < MAX_ATTEMPTS:
            self._send_again(batch)
            self.idle_until = time.monotonic() + min(2.0, 0.05 * 2**batch.attempts)
            return
        self._free_lane(batch)
        # One for each run of numbers: replaced items may have left gaps.
        for _, run in itertools.groupby(enumerate(batch.items), lambda at: at[1] - at[0]):
            numbers = [number for _, number in run]
            self.report.failures.append(types.BatchFailure(numbers[0], len(numbers), error))

    def _send_again(self, batch: Batch) -> None:
        bisect.insort(self._again, batch, key=lambda b: b.first)

    def _drop_replaced(self, stored: Batch) -> int:
        """Takes items that `stored` replaced out of earlier batches; their number."""
        earlier = [batch for batch in self._again if batch.first < stored.first]
        if not earlier:
            return 0
        ids = {item.id for item in stored.items.values()}
        dropped = 0
        for batch in earlier:
            kept = {n: item for n, item in batch.items.items() if item.id not in ids}
            dropped += len(batch.items) - len(kept)
            batch.items = kept
            if not kept:
                self._free_lane(batch)
        self._again = [batch for batch in self._again if batch.items]
        return dropped

    def _take_lane(self) -> Lane:
        if not self._free_lanes:
            self._free_lanes.append(Lane(f"{self._producer}-{self._lanes}"))
            self._lanes += 1
        lane = self._free_lanes.pop()
        lane.seq += 1
        return lane

    def _free_lane(self, batch: Batch) -> None:
        if batch.lane is not None:
            self._free_lanes.append(batch.lane)
        batch.lane = None

    def progress(self, total: int | None) -> types.Progress:
        """How far the stream is."""
        failed = sum(f.count for f in self.report.failures)
        elapsed = time.monotonic() - self._started
        return types.Progress(self.report.items, total, failed, elapsed)


def _batches(items: Iterable[Any], size: int) -> Iterator[Batch]:
    pending: dict[int, Any] = {}
    for number, item in enumerate(items):
        pending[number] = item
        if len(pending) == size:
            yield Batch(pending)
            pending = {}
    if pending:
        yield Batch(pending)
